# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options as Ansible hands them to a module, with none of the caller's variables."""

from __future__ import annotations

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import options

SPEC = options.spec({}, waits=True)["argument_spec"]


def validated(**given):
    found = ArgumentSpecValidator(SPEC).validate(given)
    assert not found.error_messages
    return found.validated_parameters

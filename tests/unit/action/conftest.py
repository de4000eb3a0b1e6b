# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the runbooks, for the action that runs them."""

from __future__ import annotations

from ansible_collections.dbfleet.cluster.tests.unit.runbooks.conftest import (
    found_out,
    local_tmp,
    roles,
    said,
    stage,
)

__all__ = ["found_out", "local_tmp", "roles", "said", "stage"]  # pytest finds them here

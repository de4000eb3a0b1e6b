# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task of exa_job that keeps what was said."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.jobs import run as job_run
from ansible_collections.dbfleet.cluster.plugins.modules import exa_job
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes


class Task:
    """A task of exa_job, its options as Ansible would have validated them."""

    def __init__(self, check_mode: bool = False, **given: Any) -> None:
        spec = {name: option for name, option in exa_job.SPEC["argument_spec"].items() if name != "provider"}
        relations = {name: exa_job.SPEC[name] for name in ("required_one_of", "mutually_exclusive", "required_by")}
        found = ArgumentSpecValidator(spec, **relations).validate(given)
        self.errors = found.error_messages
        self.params: dict[str, Any] = found.validated_parameters
        self.check_mode = check_mode
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def say(self, *lines: str) -> None:
        self.lines += lines

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def run(self, cluster: Nodes) -> dict[str, Any]:
        assert not self.errors
        return job_run.JobRun(self, cluster.jobs()).result()

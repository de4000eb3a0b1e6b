# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX starts them: through ansible-runner, with every answer of a survey as a text in env/extravars."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from pathlib import Path
from shutil import copytree
from tempfile import mkdtemp
from typing import Any, Optional

import yaml
from ansible_collections.dbfleet.cluster.tests.gates.awx_definitions import Definitions
from ansible_collections.dbfleet.cluster.tests.gates.awx_lint import rendered
from world import ROOT, Ansible, Run, Started

ADDED = {
    "job_id": 4711, "job_launch_type": "manual", "job_template_id": 9, "job_template_name": "exa-a up", "user_id": 2,
    "user_name": "operator", "user_email": "", "user_first_name": "", "user_last_name": "", "inventory_id": 2,
    "inventory_name": "fleet", "project_revision": "8f1c2d", "project_scm_branch": "",
}  # fmt: skip
"""What AWX adds to the variables of every job, as awx_... and as tower_..."""


class Unsafe(yaml.SafeDumper):
    """Each text with the tag that AWX gives it. From ansible-core 2.19 on, YAML types such a text anew."""


Unsafe.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


def given_by(words: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Arguments of ansible-playbook as the variables of a job, and those that AWX has arguments for as well."""
    variables: dict[str, Any] = {}
    others: list[str] = []
    for flag, word in zip(words[::2], words[1::2]):
        if flag != "-e":
            others += [flag, word]
        elif word.startswith("{"):  # a mapping is typed into the variables of the prompt
            variables.update(json.loads(word))
        else:
            name, _is, value = shlex.split(word)[0].partition("=")
            variables[name] = value
    return variables, others


def injected(folder: Path, credential_type: str, **fields: str) -> dict[str, str]:
    """What AWX gives a job of a credential: the environment, and files that only their owner may read.

    :param folder: for the files.
    :param fields: those that are filled.
    """

    def write(name: str, content: str) -> str:
        path = folder / f"tmp{credential_type.replace(' ', '_')}_{name}"
        path.write_text(content)
        path.chmod(0o600)
        return str(path)

    kinds = {kind["name"]: kind for kind in Definitions().of("credential_types")}
    return rendered(kinds[credential_type], fields, write)


class Job:
    """A job under way."""

    def __init__(
        self,
        ansible: Ansible,
        playbook: str,
        hosts: dict[str, dict[str, Any]],
        variables: dict[str, Any],
        *words: str,
        environment: Optional[dict[str, str]] = None,
        project: bool = False,
    ) -> None:
        """
        :param words: arguments of ansible-playbook (limit, tags, the task to start at).
        :param project: whether it runs the thin playbook of C(extensions/awx/project), with the ansible.cfg beside it.
        """
        private = Path(mkdtemp(prefix="job", dir=ansible.folder))
        self._artifacts = private / "artifacts/job"
        self._dump = private / "dump.jsonl"
        inventory = ansible.write_inventory(hosts).rename(private / "hosts.yml")
        added = {f"{prefix}_{name}": value for name, value in ADDED.items() for prefix in ("awx", "tower")}
        files = {
            "extravars": yaml.dump({**added, **variables}, Dumper=Unsafe, sort_keys=False),
            "cmdline": shlex.join(words),
            "settings": json.dumps({"job_timeout": 150}),
        }
        (private / "env").mkdir()
        for name, text in files.items():
            (private / "env" / name).write_text(text)
        command = [sys.executable, "-m", "ansible_runner", "run", str(private), "--ident", "job", "--quiet"]
        command += [
            "-p",
            f"{playbook}.yml" if project else f"dbfleet.cluster.{playbook}",
            "--inventory",
            str(inventory),
        ]
        given = ansible.environment(DBFLEET_DUMP=str(self._dump), **(environment or {}))
        if project:
            copytree(ROOT / "extensions/awx/project", private / "project")
            del given["ANSIBLE_CONFIG"]
        self._started = Started(command, given, private, self._dump)

    def cancel(self) -> dict[str, str]:
        """SIGKILL to ansible-runner and to its ansible-playbook, which has a process group of its own.

        :return: what was written until then.
        """
        runner = self._started.process.pid
        children = Path(f"/proc/{runner}/task").glob("*/children")
        playbooks = [int(pid) for path in children for pid in path.read_text().split()]
        assert playbooks, self._started.out
        self._started.kill()
        for pid in playbooks:
            os.kill(pid, signal.SIGKILL)
        return self.written()

    def written(self) -> dict[str, str]:
        """Every file of the job's artifacts: its output, its events, ..."""
        files = [path for path in self._artifacts.rglob("*") if path.is_file()]
        found = {str(path.relative_to(self._artifacts)): path.read_text(errors="replace") for path in files}
        assert found["stdout"], sorted(found)
        return found

    def finish(self) -> Run:
        ended = self._started.finish()
        assert (self._artifacts / "status").exists(), ended.out
        status, rc = (self._artifacts / "status").read_text(), int((self._artifacts / "rc").read_text())
        assert (status, rc == 0) in (("successful", True), ("failed", False)), status
        return Run(rc, (self._artifacts / "stdout").read_text(), ended.rows)

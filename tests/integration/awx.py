# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX starts them: through ansible-runner, with every answer of a survey as a text in env/extravars."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from functools import cache
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


@cache
def as_nobody() -> tuple[str, ...]:
    """What starts a command as a user whom no passwd names, in group 0, as OpenShift does.

    Empty where this machine can't. It has a namespace of its own, so that it may still read this checkout.
    """
    command = ("unshare", "--user", "--map-user=4711", "--map-group=0")
    try:
        tried = subprocess.run([*command, "id", "-u"], capture_output=True, text=True, check=False)
    except OSError:
        return ()
    return command if tried.stdout.strip() == "4711" else ()


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
        nobody: bool = False,
        timeout: int = 150,
    ) -> None:
        """
        :param words: arguments of ansible-playbook (limit, tags, the task to start at).
        :param project: whether it runs the thin playbook of C(extensions/awx/project), with the ansible.cfg beside it.
        :param nobody: whether it runs as a user who has no name and no home.
        :param timeout: seconds, after which ansible-runner ends it.
        """
        private = Path(mkdtemp(prefix="job", dir=ansible.folder))
        self._artifacts = private / "artifacts/job"
        self._dump = private / "dump.jsonl"
        inventory = ansible.write_inventory(hosts).rename(private / "hosts.yml")
        added = {f"{prefix}_{name}": value for name, value in ADDED.items() for prefix in ("awx", "tower")}
        files = {
            "extravars": yaml.dump({**added, **variables}, Dumper=Unsafe, sort_keys=False),
            "cmdline": shlex.join(words),
            "settings": json.dumps({"job_timeout": timeout}),
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
        if nobody:
            command = [*as_nobody(), *command]
            given = {key: value for key, value in given.items() if key not in ("HOME", "USER", "LOGNAME")}
        self._started = Started(command, given, private, self._dump)

    def has_ended(self) -> bool:
        return self._started.process.poll() is not None

    def said(self) -> str:
        """The output until now."""
        path = self._artifacts / "stdout"
        return path.read_text(errors="replace") if path.exists() else ""

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

    def events(self) -> list[dict[str, Any]]:
        """What ansible-runner tells AWX, in order; a job that was killed may leave its last event unfinished."""
        paths = [path for path in self._artifacts.glob("job_events/*.json") if "partial" not in path.name]
        return sorted((json.loads(path.read_text()) for path in paths), key=lambda event: event["counter"])

    def finish(self, *statuses: str) -> Run:
        """:param statuses: in which it may end; as its exit code says where none is named."""
        ended = self._started.finish()
        assert (self._artifacts / "status").exists(), ended.out
        status, rc = (self._artifacts / "status").read_text(), int((self._artifacts / "rc").read_text())
        assert status in (statuses or ("successful" if rc == 0 else "failed",)), (status, rc)
        return Run(rc, self.said(), ended.rows)

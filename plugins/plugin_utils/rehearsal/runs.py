# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runs of the runbook on the copy. Each is an ansible-playbook of its own, without data of the real host.

It has its own inventory, configuration and environment. So no extra variable, profile, group variable or callback of
the rehearsal's caller holds there, and while DBFLEET_SIMULATOR is set, our modules refuse every other server.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Optional

from ansible import constants

from ...module_utils._errors import ClusterError
from ..environment import SIMULATOR, TOKEN
from ..left_file import name_for
from ..products import VARIABLES
from ..report import page, record

COLLECTION = "dbfleet.cluster"

FOREIGN = ("ANSIBLE_", "EXA_", "NUODB_", "NUOCMD_", "DBFLEET_", "AWX_", "TOWER_", "RUNNER_", "ARA_")
"""Prefixes of environment variables that belong to other runs or clusters."""

KEPT = ("ANSIBLE_HOME",)

SILENT = re.compile(
    r"reports: |CLUSTER +RESULT|\S+: 1 cluster: |1 host: |\s*$|rehearsal-of-\S+ +(ok|failed) "
    r"|\[[^\]]+\] (report: |usually |time: |  \S+ +(\d+:)?\d\d:\d\d  (done|(failed|stopped) here)$)"
)
"""Lines of a run that the rehearsal leaves out: it shows them in another place, or in the cluster's time."""

RESUME = re.compile(r"\[[^\]]+\] resume: ")
"""The line with the command that resumes, which the rehearsal carries out by itself."""


class Ended(NamedTuple):
    """A run that has ended.

    :ivar row: its record; None if it wrote no record.
    :ivar path: the path of its record.
    :ivar lines: its output.
    """

    rc: int
    row: Optional[record.Row]
    path: Optional[Path]
    lines: list[str]

    @property
    def is_ok(self) -> bool:
        return self.rc == 0 and self.row is not None and self.row["result"] == record.OK

    @property
    def cause(self) -> str:
        """Why the run failed."""
        if self.row and self.row["cause"]:
            return self.row["cause"]
        told = next((line.partition("] cause: ")[2] for line in self.lines if "] cause: " in line), "")
        last = (line for line in reversed(self.lines) if not SILENT.match(line))
        return told or next(last, "the run printed no cause")


def environment(root: str, folder: Path, simulator: dict[str, Any]) -> dict[str, str]:
    """The environment of a run.

    :param root: the folder that has C(ansible_collections) with this collection.
    :param folder: for its files.
    :param simulator: the data of the running simulator.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if (name in KEPT or not name.startswith(FOREIGN))
        and name not in VARIABLES
        and not name.lower().endswith("_proxy")
    }
    configuration = folder / "ansible.cfg"
    configuration.write_text("[defaults]\n", encoding="utf-8")
    return {
        **kept,
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join([root, *map(str, constants.COLLECTIONS_PATHS)]),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        "ANSIBLE_STDOUT_CALLBACK": f"{COLLECTION}.compact",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        SIMULATOR: simulator["admin_url"],
        TOKEN: simulator["admin_token"],
    }


def command(runbook: str, inventory: Path, name: str) -> list[str]:
    """The first run, confirmed by the copy's name."""
    words = ["ansible-playbook", "-i", str(inventory), f"{COLLECTION}.{runbook}"]
    return [*words, "-e", f"target={name}", "-e", f"confirm={name}"]


def resumed(row: Optional[record.Row]) -> list[str]:
    """The command that a failed run names for resuming it, as words; empty if it names no command."""
    words = shlex.split(row["resume"]) if row else []
    return words if words[:1] == ["ansible-playbook"] else []


def shown(line: str, keep: bool) -> bool:
    """Whether a line of a run is shown.

    :param keep: whether the copy keeps running after the rehearsal, so that the user can type the command.
    """
    return not SILENT.match(line) and (keep or not RESUME.match(line))


def without_command(ended: Ended, instead: str) -> Ended:
    """Replaces the command of a run whose copy is gone, in its record and on its page.

    :param instead: the new command.
    :raises OSError: a file can't be written.
    """
    if not ended.row or not ended.path or not ended.row["resume"]:
        return ended
    row = {**ended.row, "resume": instead}
    record.write(ended.path, row)
    record.replace(ended.path.with_suffix(".html"), page.of_run(row))
    return ended._replace(row=row)


def run(
    words: list[str], seen: dict[str, str], show: Callable[[Iterable[str]], None], reports: Path, cluster: str,
    keep: bool = False,
) -> Ended:  # fmt: skip
    """Runs a command and shows its output.

    :param seen: its environment.
    :param reports: the folder of the reports.
    :param keep: whether the copy keeps running after the rehearsal.
    :raises ClusterError: ansible-playbook can't be started.
    """
    folder = reports / name_for(cluster)
    before = {one.path for one in record.below(folder)}
    lines = []
    try:
        # Our own program and arguments, no shell. The program in the path may be another ansible-core.
        process = subprocess.Popen(  # noqa: S603  # pylint: disable=ansible-bad-function
            [sys.executable, "-m", "ansible", "playbook", *words[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=seen,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise ClusterError(f"{cluster}: ansible-playbook can't be started: {error.strerror}") from None
    with process:
        for line in process.stdout or ():
            text = line.rstrip("\r\n")
            lines.append(text)
            if shown(text, keep):
                show([text])
    fresh = [one.path for one in record.below(folder) if one.path not in before]
    rows = [(row, path) for path, row in ((path, record.read(path)) for path in fresh) if row]
    # Another rehearsal of the same host may write its records meanwhile. Each is called by its process.
    mine = re.compile(rf"ansible-local-{process.pid}\w{{8}}")
    row, path = next((one for one in rows if mine.fullmatch(one[0]["run"])), (None, None))
    return Ended(process.returncode, row, path, lines)

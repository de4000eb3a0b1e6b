# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease of a domain: one value in its key-value store that shows which run is at work, and until when at most.

The value is set by compare and set, so of two runs that want it only one gets it. The clock of the controller that took
it decides when it ends by itself, because the Admin REST API has no time of its own. A counter that the holder raises
would make each refusal wait and each run send calls all the time. Clocks of controllers may differ by `CLOCKS`.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any, Callable, Optional

from .._errors import AnswerLost, Fault, Refused
from .api.domain import Domain, has_quorum
from .stored import compare_and_set

KEY = "dbfleet.cluster/lease"

RETURNED = "returned"
"""The value of the key while nobody has the lease: no source shows how to delete a key (NUODB-211)."""

CLOCKS = 60.0
"""Seconds by which the clocks of two controllers may differ."""

TRIES = 3
"""The most attempts to set the key: somebody else may be quicker."""

WITHOUT = "nuodb_lease=without runs without a lease (in a task of your own, leave nuodb_lease out)"


@dataclass(frozen=True)
class Lease:
    """The run that is at work on a domain.

    :ivar run: an ID that all tasks of one run share.
    :ivar about: the runbook.
    :ivar by: the user and the controller.
    :ivar since: when it was taken, in seconds since 1970.
    :ivar until: when it ends by itself.
    :ivar kept: the run is over, and has left the domain down on purpose: the lease keeps off only recovery.
    :ivar brings_up: the run takes nothing down, so if it was killed, nothing is down on purpose.
    :ivar process: the run's process, see `process_of`; empty if it isn't known.
    """

    run: str
    about: str
    by: str
    since: int
    until: int
    kept: bool = False
    brings_up: bool = False
    process: str = ""

    def text(self) -> str:
        """The lease as the value of the key."""
        return json.dumps(asdict(self), sort_keys=True)


def of_row(row: Any) -> Optional[Lease]:
    """A lease from its fields; None if they don't make one."""
    try:
        return Lease(
            run=str(row["run"]),
            about=str(row["about"]),
            by=str(row["by"]),
            since=int(row["since"]),
            until=int(row["until"]),
            kept=row.get("kept") is True,
            brings_up=row.get("brings_up") is True,
            process=str(row["process"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def of_text(text: str) -> Optional[Lease]:
    """The lease in the value of a key; None if the value isn't a lease."""
    try:
        return of_row(json.loads(text))
    except (ValueError, RecursionError):
        return None


def new(
    run: str, about: str, seconds: float, pid: Optional[int], brings_up: bool = False, process: Optional[str] = None
) -> Lease:
    """The lease of a run that begins now.

    :param pid: the process of the run, if it is this one or its parent.
    :param process: what `process_of` returned on the machine of the run, which may be another one.
    """
    now = int(time.time())
    process = process or (process_of(pid) if pid in (os.getpid(), os.getppid()) else "")
    return Lease(run, about, holder(), now, int(now + seconds), brings_up=brings_up, process=process)


def moment(seconds: float) -> str:
    """A time for a message."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g}"


def holder() -> str:
    """The user and the controller. A container may know no name of its user."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def process_of(pid: Optional[int]) -> str:
    """An ID that no other process ever has: boot, PID namespace, PID, start time.

    Empty if the system doesn't show it. Empty also for a process that has ended but is still listed: if it was killed
    together with its parent, the system may clear it away late, and in a container never.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        state, began = fields[0], fields[19]
        if state in ("Z", "X"):
            return ""
        return f"{boot} {os.readlink('/proc/self/ns/pid')} {pid} {began}"
    except (OSError, IndexError):
        return ""


def has_ended(process: str) -> bool:
    """Whether a process has surely ended; False for one of another machine or container, where nobody can know it."""
    words, mine = process.split(), process_of(os.getpid()).split()
    if len(words) != 4 or not mine or words[:2] != mine[:2] or not words[2].isdigit():
        return False
    return process_of(int(words[2])) != process


class LeaseOf:
    """The lease of one domain.

    :param recovers: the run brings back what failed, so it must leave alone a domain that is down on purpose.
    :param takes_over: take the lease, whoever has it.
    :param clock: seconds since 1970.
    :param ended: a process that has ended, as the controller knows; another machine can't know it.
    """

    def __init__(
        self,
        domain: Domain,
        recovers: bool = False,
        takes_over: bool = False,
        clock: Callable[[], float] = time.time,
        ended: Optional[str] = None,
    ) -> None:
        self._domain, self._recovers, self._takes_over, self._clock = domain, recovers, takes_over, clock
        self._ended = ended

    def look(self, run: str) -> None:
        """Refuses what `take` would refuse, and takes nothing."""
        self._refuse(self._domain.value(KEY), run)

    def take(self, mine: Lease) -> bool:
        """Takes the lease, or refuses and names who has it.

        The first call expects that nobody has it, which is the usual case. Only if that fails, it reads the key.

        :returns: False if the APs have no quorum: then nobody can take it or change anything else.
        """
        expected: Optional[str] = RETURNED
        for _try in range(TRIES):
            try:
                if compare_and_set(self._domain, KEY, mine.text(), expected):
                    return True
            except AnswerLost:
                if self._has_quorum():
                    raise
                self._refuse(self._domain.value(KEY), mine.run)
                return False
            expected = self._domain.value(KEY)
            self._refuse(expected, mine.run)
        if not self._has_quorum():
            return False
        raise Fault(
            f"{self._domain.name}: the lease of the domain can't be taken: the server refuses to set the key {KEY}, "
            "whatever value is expected there",
            hint=WITHOUT,
            failed_object=KEY,
            number="DBF-5008",
        )

    def _has_quorum(self) -> bool:
        return has_quorum(self._domain.servers())

    def give_back(self, mine: Lease) -> bool:
        """:returns: whether this run still had it."""
        return compare_and_set(self._domain, KEY, RETURNED, mine.text())

    def keep(self, mine: Lease, seconds: float) -> Optional[Lease]:
        """Keeps off only recovery, for so long.

        :returns: None if this run no longer had it.
        """
        kept = replace(mine, kept=True, until=int(self._clock() + seconds))
        return kept if compare_and_set(self._domain, KEY, kept.text(), mine.text()) else None

    def _refuse(self, text: Optional[str], run: str) -> None:
        """:param text: the value of the key."""
        if text is None or text == RETURNED or self._takes_over:
            return
        there = of_text(text)
        if there is None:
            raise Refused(
                f"{self._domain.name}: nothing changed: the key {KEY} of the domain contains something "
                "that is not a lease",
                hint=f"take_over (nuodb_lease=take_over) replaces it; {WITHOUT}",
                failed_object=KEY,
                number="DBF-6602",
            )
        if self._keeps_off(there, run):
            nothing = "nothing is recovered" if self._recovers else "nothing changed"
            how = "left the domain down on purpose" if there.kept else "is under way"
            raise Refused(
                f"{self._domain.name}: maintenance by {there.by} since {moment(there.since)} ({there.about}) {how}: "
                f"{nothing}",
                hint=f"wait until it ends; its lease ends by itself at {moment(there.until + CLOCKS)}; if that run was "
                "killed, take_over (nuodb_lease=take_over) takes the lease at once",
                failed_object=KEY,
                last_state=asdict(there),
                number="DBF-6602",
            )

    def _keeps_off(self, there: Lease, run: str) -> bool:
        if there.run == run or self._clock() > there.until + CLOCKS:
            return False
        if there.kept:
            return self._recovers
        is_over = has_ended(there.process) or (bool(there.process) and there.process == self._ended)
        return not is_over or (self._recovers and not there.brings_up)

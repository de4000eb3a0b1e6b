# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""What happened to a domain's databases, in plain words: what died, when, why, with what consequence. Makes no call."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any, Optional

from .._foreign import one_line
from .._wording import listing
from . import external
from .api.objects import COMING, GOING, TE, Archive, Process, Tombstone
from .databases import tombstones
from .databases.wanted import WantedDatabase, doubt, te_servers
from .view import Snapshot

LOST_REDUNDANCY = "lost_redundancy"
LOST_TRANSACTIONS = "lost_transactions"
NOT_DURABLE = "not_durable"
PARTLY_STARTED = "partly_started"
UNREACHABLE = "unreachable"
FEWER_TRANSACTIONS = "fewer_transactions"
STARTED_BY = "nuodb_cold_start or nuodb_database_state starts it"
STARTED_BY_PODS = "it is started from outside the domain: scale its StatefulSets and Deployments up"

ON_PURPOSE = "on_purpose"
NEVER_RAN = "never_ran"
UNKNOWN_STATE = "unknown_state"

BRINGS_BACK = (LOST_REDUNDANCY, LOST_TRANSACTIONS, NOT_DURABLE, PARTLY_STARTED)
"""The kinds after which recovery brings a database back. One that was shut down on purpose stays down."""

OF_THE_AP = (
    "Removing process from domain state due to service request",
    "Engine connection to admin process closed",
)
"""The texts that an AP itself writes when it loses an engine. The engine's own reason, if any, is beside them."""

KEEP = "there is no need to purge any of these archives"
"""The end of a finding about a database that comes up by itself."""

MOST = 4
"""The most exits in one sentence."""


@dataclass(frozen=True)
class Finding:
    """Something that happened to a database."""

    db_name: str
    kind: str
    text: str

    @property
    def brings_back(self) -> bool:
        return self.kind in BRINGS_BACK

    def as_dict(self) -> dict[str, Any]:
        return {"db_name": self.db_name, "kind": self.kind, "text": self.text, "brings_back": self.brings_back}


def when(stone: Tombstone) -> str:
    """The time of an exit for people."""
    found = tombstones.moment(stone)
    return f"at {found:%Y-%m-%d %H:%M:%S %z}".replace("+0000", "UTC") if found else "at an unknown time"


def own_reason(stone: Tombstone) -> str:
    """The reason that the engine itself gave; empty if only its AP wrote one."""
    text = tombstones.STAMP.sub("", stone.reason)
    for words in OF_THE_AP:
        text = text.replace(words, "")
    return one_line(text).strip(" :")


def cause(stone: Tombstone) -> str:
    """One exit in words."""
    title, own = stone.process.title, own_reason(stone)
    if stone.is_graceful:
        return f"the {title} was shut down on request {when(stone)}"
    if "awaiting leader assignment" in own:
        return (
            f"the {title} gave up {when(stone)}: the histories of all archives did not arrive in time; the SMs of all "
            f"archives must be requested together ({own})"
        )
    if "awaiting entry node" in own:
        return f"the {title} gave up {when(stone)}: no SM that it could join was running in time ({own})"
    if stone.offline_group:
        return (
            f"the {title} exited {when(stone)}: storage group {stone.offline_group} was offline, and none of its "
            f"SMs can join while TEs run: stop the TEs, start its SMs, then start the TEs again ({own})"
        )
    if own:
        return f"the {title} exited {when(stone)} with {_code(stone)}: {own}"
    return (
        f"the {title} died {when(stone)} without leaving a reason; the domain only saw the connection close, "
        f"with {_code(stone)}"
    )


def _code(stone: Tombstone) -> str:
    if stone.exit_code is None:
        return "no exit code"
    if stone.exit_code <= 128:
        return f"exit code {stone.exit_code}"
    try:
        name = signal.Signals(stone.exit_code - 128).name
    except ValueError:
        return f"exit code {stone.exit_code}"
    said = ", as kill -9 or the kernel's out-of-memory killer leaves it" if name == "SIGKILL" else ""
    return f"exit code {stone.exit_code} ({name}{said})"


def findings(snapshot: Snapshot, wanted: WantedDatabase) -> list[Finding]:
    """What happened to one database, by its present state and the tombstones of all its incarnations."""
    name = wanted.db_name
    database = snapshot.databases[name]
    found = _unreachable(snapshot, name)
    if database.is_up:
        return found + _running(snapshot, wanted)
    if database.state in GOING:
        return [*found, _going(snapshot, name)]
    if database.state in COMING:
        return [*found, *_coming(snapshot, name)]
    if not database.is_down:
        text = f"{name} is in state {database.state!r}, which this collection doesn't know, and is left as it is"
        return [*found, Finding(name, UNKNOWN_STATE, text)]
    return [*found, _down(snapshot, name)]


def _unreachable(snapshot: Snapshot, name: str) -> list[Finding]:
    lost = [process for process in snapshot.processes_of(name) if not snapshot.is_connected(process.server_id)]
    if not lost:
        return []
    servers = listing(sorted({process.server_id for process in lost}))
    titles = listing([process.title for process in lost], MOST, ", ")
    text = f"{name}: server {servers} isn't connected, so nobody can know whether these processes still run: {titles}"
    return [Finding(name, UNREACHABLE, text)]


def _running(snapshot: Snapshot, wanted: WantedDatabase) -> list[Finding]:
    name, found = wanted.db_name, []
    archives = snapshot.archives_of(name)
    idle = [archive for archive in archives if snapshot.storage_of(archive.archive_id) is None]
    if idle:
        text = (
            f"{name} runs on {len(archives) - len(idle)} of {len(archives)} archives, its redundancy is lost: "
            f"{listing([_idle(snapshot, archive) for archive in idle], MOST, '; ')}"
        )
        if external.sign(snapshot, name):
            text += f"; their pods start them again, and {KEEP}"
        elif len(idle) > 1:
            text += "; their SMs must be requested together, for one alone may wait for the history of the other"
        found.append(Finding(name, LOST_REDUNDANCY, text))
    lost = _lost_transactions(snapshot, wanted)
    found += [Finding(name, LOST_TRANSACTIONS, lost)] if lost else []
    coming = listing([process.title for process in _coming_by_request(snapshot, name)], MOST, ", ")
    found += [Finding(name, PARTLY_STARTED, f"{name}: requested, but not running yet: {coming}")] if coming else []
    fewer = doubt(wanted, snapshot)
    return found + ([Finding(name, FEWER_TRANSACTIONS, fewer)] if fewer else [])


def _coming_by_request(snapshot: Snapshot, name: str) -> list[Process]:
    """The processes that somebody requested, such as a recovery that was cut off, and that may still give up."""
    if external.sign(snapshot, name):
        return []
    there = [one for one in snapshot.processes_of(name) if snapshot.is_connected(one.server_id)]
    return [one for one in there if not (one.is_running or one.is_leaving or one.had_joined)]


def _idle(snapshot: Snapshot, archive: Archive) -> str:
    stone = _last_of(snapshot, archive)
    where = f"archive {archive.archive_id} ({archive.where})"
    return f"{where}: {cause(stone)}" if stone else f"{where} is {archive.state} and has no SM"


def _last_of(snapshot: Snapshot, archive: Archive) -> Optional[Tombstone]:
    stones = [stone for stone in snapshot.tombstones if stone.process.archive_id == archive.archive_id]
    return max(stones, key=lambda stone: stone.incarnation, default=None)


def _lost_transactions(snapshot: Snapshot, wanted: WantedDatabase) -> str:
    name = wanted.db_name
    there = [p for p in snapshot.processes_of(name) if p.engine_type == TE and not p.is_leaving]
    should = te_servers(wanted, snapshot)
    lost = [
        stone
        for stone in snapshot.tombstones_of(name)
        if stone.process.engine_type == TE
        and stone.incarnation[0] == snapshot.databases[name].incarnation[0]
        and not stone.is_graceful
    ]
    causes = listing([cause(stone) for stone in lost], MOST, "; ")
    if should is None and not there:
        text = f"{name} runs without a TE, and its tombstones don't show where its TEs should run"
        return text + (f": {causes}" if causes else "")
    if should is None:
        return f"{name}: TEs died, and its tombstones don't show which of them were replaced: {causes}" if lost else ""
    missing = len(should) - len(there)
    if missing <= 0:
        return ""
    return f"{name} has {len(there)} of {len(should)} TEs" + (f": {causes}" if causes else "")


def _coming(snapshot: Snapshot, name: str) -> list[Finding]:
    state = snapshot.databases[name].state
    idle = [one for one in snapshot.archives_of(name) if snapshot.storage_of(one.archive_id) is None]
    if not idle:
        return [Finding(name, PARTLY_STARTED, f"{name} is being started ({state}); its SMs are requested")]
    numbers = listing([str(archive.archive_id) for archive in idle])
    text = (
        f"{name} is half started ({state}): the requested processes wait for the history of archive {numbers}, "
        "whose SM wasn't requested"
    )
    return [Finding(name, PARTLY_STARTED, text)]


def _going(snapshot: Snapshot, name: str) -> Finding:
    """The state is the same if somebody asked for it and if the last SM died; its tombstone shows which (NUODB-319)."""
    database = snapshot.databases[name]
    if not tombstones.has_lost_its_last_sm(snapshot, name):
        return Finding(name, ON_PURPOSE, f"{name} is being shut down ({database.state})")
    stones = tombstones.by_incarnation(snapshot.tombstones_of(name))[database.incarnation[0]]
    return Finding(name, NOT_DURABLE, f"{name} is going down ({database.state}): {_crash(stones)}")


def _down(snapshot: Snapshot, name: str) -> Finding:
    attempts: list[Tombstone] = []
    started_by = STARTED_BY_PODS if external.sign(snapshot, name) else STARTED_BY
    for stones in tombstones.by_incarnation(snapshot.tombstones_of(name)).values():
        if not tombstones.reached_running(stones):
            if stones[-1].is_graceful and not attempts:
                return Finding(
                    name, ON_PURPOSE, f"{name} is down ({started_by}): its start was called off: {cause(stones[-1])}"
                )
            attempts = stones + attempts
        elif attempts:
            return _half_started(name, attempts, "" if tombstones.ended_on_purpose(stones) else _crash(stones))
        elif tombstones.ended_on_purpose(stones):
            why = cause(stones[-1])
            return Finding(name, ON_PURPOSE, f"{name} was shut down on purpose, and stays down ({started_by}): {why}")
        else:
            return Finding(name, NOT_DURABLE, f"{name} is down: {_crash(stones)}")
    if attempts:
        return _half_started(name, attempts, "")
    return Finding(name, NEVER_RAN, f"{name} is down ({started_by}); its tombstones don't show that it ever ran")


def _half_started(name: str, attempts: list[Tombstone], before: str) -> Finding:
    said = listing([cause(stone) for stone in attempts], MOST, "; ")
    text = f"{name} is down: it was started in part: {said}"
    return Finding(name, PARTLY_STARTED, text + (f"; before that, {before}" if before else ""))


def _crash(stones: list[Tombstone]) -> str:
    last = {stone.process.archive_id: stone for stone in stones if stone.process.is_storage}
    lost = [stone for stone in last.values() if not stone.is_graceful]
    after = "with its last SM gone, the database became non-durable and its TEs were shut down"
    return f"{listing([cause(stone) for stone in lost or stones[-1:]], MOST, '; ')}; {after}"


def to_bring_back(found: list[Finding]) -> list[str]:
    """The databases that recovery brings back."""
    return list(dict.fromkeys(finding.db_name for finding in found if finding.brings_back))

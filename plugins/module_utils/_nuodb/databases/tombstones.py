# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""What the tombstones of a database show: how its incarnations ended, and which TEs it had. Makes no call."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import Optional

from ..api.objects import TE, Process, Tombstone
from ..view import Snapshot

CLOSING = 600.0
"""The most seconds between two exits that belong to the same end of an incarnation."""

STAMP = re.compile(r"\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d{4})\)")
"""The time of an exit, which is in the middle of its reason (NUODB-333)."""


def moment(stone: Tombstone) -> Optional[datetime]:
    """When a process exited, by the reason that its AP wrote."""
    found = STAMP.search(stone.reason)
    if not found:
        return None
    whole, _point, fraction = found.group(1).partition(".")
    return datetime.strptime(f"{whole}.{(fraction or '0')[:6]}{found.group(2)}", "%Y-%m-%dT%H:%M:%S.%f%z")


def by_incarnation(stones: list[Tombstone]) -> dict[int, list[Tombstone]]:
    """The exits of each cold start, in their order; the newest cold start first."""
    found: dict[int, list[Tombstone]] = {}
    for stone in sorted(stones, key=lambda one: one.incarnation):
        found.setdefault(stone.incarnation[0], []).append(stone)
    return {major: found[major] for major in sorted(found, reverse=True)}


def reached_running(stones: list[Tombstone]) -> bool:
    """Whether the database ran in the incarnation of these exits."""
    return any(stone.process.had_joined for stone in stones)


def ended_on_purpose(stones: list[Tombstone]) -> bool:
    """Whether the last SM of an incarnation exited gracefully, on request."""
    storage = [stone for stone in stones if stone.process.is_storage]
    return bool(storage) and storage[-1].is_graceful


def has_lost_its_last_sm(snapshot: Snapshot, db_name: str) -> bool:
    """Whether a database is going down because its last SM ended without a request (NUODB-329)."""
    if any(p.is_storage and (p.is_running or p.leaves_joined) for p in snapshot.processes_of(db_name)):
        return False
    present = by_incarnation(snapshot.tombstones_of(db_name)).get(snapshot.databases[db_name].incarnation[0], [])
    served = [stone for stone in present if stone.process.is_storage and stone.process.had_joined]
    return bool(served) and not served[-1].is_graceful


def te_servers_of_last_run(snapshot: Snapshot, db_name: str) -> Optional[list[str]]:
    """Where the TEs of a database were in the last incarnation in which it ran, with one server ID for each TE.

    In the present incarnation: the TEs that run, and those that died and weren't replaced. In a past one: the TEs at
    its end. TEs that were shut down on purpose before are left out.

    An incarnation in which no TE joined doesn't count: its start got no further. An incarnation with only a part of the
    TEs of the one before doesn't count either, if it is the present one or a TE of it failed to join, and if none of
    its TEs was shut down on purpose. Then the incarnation before counts.

    :returns: server IDs, or None if the tombstones don't show them.
    """
    running, present, past = _told(snapshot, db_name)
    own = _with_lost(running, present)
    if own is None or _was_chosen(present):
        return own
    before = _before(past)
    if before is not None and not Counter(own) - Counter(before):
        return before
    return own or None


def te_servers_left_out(snapshot: Snapshot, db_name: str) -> list[str]:
    """Where `te_servers_of_last_run` has no TE although an earlier incarnation had one, and nothing shows why.

    If a start is cut off between two TEs and the database is then shut down, the tombstones are the same as after a
    start with fewer TEs on purpose. So a TE that an incarnation began without stays in doubt over all later ones, until
    an incarnation has it again, has a TE on another server, or has a TE that was shut down on purpose while it ran.
    """
    wanted, (_running, present, past) = te_servers_of_last_run(snapshot, db_name), _told(snapshot, db_name)
    if wanted is None or _was_chosen(present):
        return []
    had: list[str] = []
    for stones in reversed([stones for stones in past.values() if any(map(_is_te_that_joined, stones))]):
        own = _at_the_end(stones) or []
        if not own or _was_chosen(_before_the_end(stones)) or Counter(own) - Counter(had):
            had = own
    return [] if Counter(wanted) - Counter(had) else sorted((Counter(had) - Counter(wanted)).elements())


def asked_to_go(snapshot: Snapshot, db_name: str) -> Optional[list[Tombstone]]:
    """The TEs that somebody has shut down in the present incarnation and that no later TE replaced.

    :returns: None if it is unknown in which incarnation a TE was requested.
    """
    running, present, _past = _told(snapshot, db_name)
    gone = [stone for stone in present if _is_te_that_joined(stone) and stone.is_graceful]
    free = running + [stone.process for stone in present if _is_te_that_joined(stone)]
    if gone and any(process.born is None for process in free):
        return None
    # A TE that came back to its own server doesn't replace one that is missing elsewhere.
    return _unreplaced(_unreplaced(gone, free, at_home=True), free, at_home=False)


def _unreplaced(gone: list[Tombstone], free: list[Process], at_home: bool) -> list[Tombstone]:
    """The TEs that none of `free` replaced later. Each of `free` replaces at most one, and is then taken out of `free`.

    :param at_home: only on the same server.
    """
    free.sort(key=lambda process: process.born or (0, 0))  # the later ones are left to replace others
    left = []
    for stone in gone:
        later = [one for one in free if (one.born or (0, 0)) >= stone.incarnation]
        instead = [one for one in later if not at_home or one.server_id == stone.process.server_id]
        if instead:
            free.remove(instead[0])
        else:
            left.append(stone)
    return left


def _told(snapshot: Snapshot, db_name: str) -> tuple[list[Process], list[Tombstone], dict[int, list[Tombstone]]]:
    """The TEs that are there, the exits of the present incarnation, and those of the past ones."""
    database = snapshot.databases[db_name]
    incarnations = by_incarnation(snapshot.tombstones_of(db_name))
    running = [p for p in snapshot.processes_of(db_name) if p.engine_type == TE and not p.is_leaving]
    present = incarnations.pop(database.incarnation[0], []) if database.is_up or running else []
    return running, present, incarnations


def _before(incarnations: dict[int, list[Tombstone]]) -> Optional[list[str]]:
    """The TEs at the end of the newest of these incarnations in which a TE joined."""
    served = [stones for stones in incarnations.values() if any(map(_is_te_that_joined, stones))]
    if not served:
        return None
    own = _at_the_end(served[0])
    failed = any(stone.process.engine_type == TE and not stone.process.had_joined for stone in served[0])
    if own is None or len(served) == 1 or not failed or _was_chosen(_before_the_end(served[0])):
        return own or None
    before = _at_the_end(served[1])
    if before is not None and not Counter(own) - Counter(before):
        return before
    return own or None


def _is_te_that_joined(stone: Tombstone) -> bool:
    return stone.process.engine_type == TE and stone.process.had_joined


def _was_chosen(stones: list[Tombstone]) -> bool:
    """Whether somebody has shut down a TE while the database went on without it."""
    return any(_is_te_that_joined(stone) and stone.is_graceful for stone in stones)


def _at_the_end(stones: list[Tombstone]) -> Optional[list[str]]:
    """The TEs that an incarnation had at its end, and those that had died before and weren't replaced."""
    ending = _ending(stones)
    if ending is None:
        return None
    last = [stone.process for stone in ending if _is_te_that_joined(stone)]
    return _with_lost(last, _before_the_end(stones))


def _before_the_end(stones: list[Tombstone]) -> list[Tombstone]:
    ending = _ending(stones) or []
    return [stone for stone in stones if stone not in ending]


def _ending(stones: list[Tombstone]) -> Optional[list[Tombstone]]:
    """The exits with which an incarnation ended."""
    times = [moment(stone) for stone in stones]
    found = [stones[-1]]
    for number in range(len(stones) - 1, 0, -1):
        later, earlier = times[number], times[number - 1]
        if later is None or earlier is None:
            return None
        if (later - earlier).total_seconds() > CLOSING:
            break
        found.append(stones[number - 1])
    return found


def _with_lost(there: list[Process], stones: list[Tombstone]) -> Optional[list[str]]:
    """The TEs that are there, and those that had died before and that none of these replaced.

    A TE that came back after it was shut down replaces itself, not one that died.
    """
    joined = [stone for stone in stones if _is_te_that_joined(stone)]
    lost = [stone for stone in joined if not stone.is_graceful]
    if lost and any(process.born is None for process in there):
        return None
    free = there + [stone.process for stone in joined]
    _unreplaced([stone for stone in joined if stone.is_graceful], free, at_home=True)
    own = [process for process in there if process in free]
    return [process.server_id for process in there] + [
        stone.process.server_id for stone in _unreplaced(lost, own, at_home=False)
    ]

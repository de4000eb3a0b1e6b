# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which storage groups an SM serves: a group without one can't come back while TEs run (NUODB-287, NUODB-288)."""

from __future__ import annotations

from typing import Any, Optional, Union

from .._errors import NoSuchObject, Refused
from .._wording import listing
from .api.domain import Domain
from .api.objects import TE, Process
from .view import DomainView, Snapshot

ADDED = "ADDED"
"""The state of a storage group on an archive that holds it."""

Groups = dict[str, dict[str, Any]]


def groups(view: Union[DomainView, Domain], db_name: str) -> Groups:
    """The storage groups of a database; none if the AP is too old to know storage groups."""
    try:
        return view.storage_groups(db_name)
    except NoSuchObject:
        return {}


def tes(snapshot: Snapshot, db_name: str) -> list[Process]:
    """The TEs beside which no SM of an offline group can join: all that have not exited."""
    return [one for one in snapshot.processes_of(db_name) if one.engine_type == TE]


def held(row: dict[str, Any]) -> set[int]:
    """The archives that hold a group."""
    return {int(key) for key, state in (row.get("archive_states") or {}).items() if state == ADDED}


def offline(known: Groups, snapshot: Snapshot, db_name: str, silent: bool = True) -> dict[str, set[int]]:
    """The groups of a database that no SM serves, and the archives that hold each.

    :param silent: count an SM that is silent as serving, as the domain does.
    """
    ours = [one for one in snapshot.processes_of(db_name) if one.is_running and (silent or not one.is_unheard)]
    running = {one.archive_id for one in ours if one.archive_id is not None}
    return {name: held(row) for name, row in known.items() if held(row) and not held(row) & running}


def lost_without(known: Groups, mine: set[int], others: set[Optional[int]]) -> list[str]:
    """The groups that no SM would serve while some archives are away.

    :param mine: the archives that would be away.
    :param others: those whose SMs run meanwhile.
    """
    return [name for name, row in known.items() if held(row) & mine and not held(row) & others]


def refuse_taking_last(
    view: DomainView, snapshot: Snapshot, left: Snapshot, going: list[Process], override: str
) -> None:
    """The rule before SMs stop while TEs run: each storage group keeps an SM.

    :param left: the domain without the processes that stop.
    :param override: the option that allows it anyway.
    :raises Refused: a group would keep no SM.
    """
    for name in dict.fromkeys(process.db_name for process in going if process.is_storage):
        if not tes(left, name):
            continue
        known = groups(view, name)
        lost = sorted(set(offline(known, left, name, False)) - set(offline(known, snapshot, name, False)))
        if lost:
            raise Refused(
                f"{view.name}: nothing stopped: storage group {listing(lost)} of {name} would lose its last SM while "
                "TEs run: its data could not be read, and its SMs could not join again before all TEs are stopped",
                hint="put the group on another archive first (nuodb_storage_group), or shut the database down; "
                f"{override} accepts this",
                failed_object=name,
                last_state={one: sorted(held(known[one])) for one in lost},
                number="DBF-6554",
            )


def told(db_name: str, found: dict[str, set[int]]) -> str:
    """The sentence about groups that are offline."""
    each = [f"{name} (archive {listing([str(one) for one in sorted(ids)])})" for name, ids in sorted(found.items())]
    return f"storage group {listing(each, 4, ', ')} of {db_name} is offline"


def refuse_joining(view: DomainView, snapshot: Snapshot, db_name: str, archive_ids: set[int], hint: str) -> None:
    """The rule before SMs are started beside TEs: another SM of each of their groups runs.

    :param archive_ids: the archives whose SMs are to be started.
    :param hint: what to do instead.
    :raises Refused: one of them holds a group that is offline.
    """
    found = needed(view, snapshot, db_name, archive_ids)
    if found:
        raise Refused(
            f"{view.name}: nothing started: {told(db_name, found)}, and its SMs can't join while TEs run: they would "
            "exit at once",
            hint=hint,
            failed_object=db_name,
            last_state={name: sorted(ids) for name, ids in found.items()},
            number="DBF-6511",
        )


def needed(view: DomainView, snapshot: Snapshot, db_name: str, archive_ids: set[int]) -> dict[str, set[int]]:
    """The offline groups because of which TEs must stop before the SMs of these archives are started."""
    if not archive_ids or not snapshot.databases[db_name].is_up or not tes(snapshot, db_name):
        return {}
    return {name: ids for name, ids in offline(groups(view, db_name), snapshot, db_name).items() if ids & archive_ids}

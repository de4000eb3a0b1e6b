# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Which processes a start of databases needs, by which start plans, and what prevents it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Optional

from ..._convergence.pace import TURN
from ..._convergence.stage import Decision, Done, History, Stage, Together, Wait
from ..._errors import NoSuchObject, Refused
from ..._wording import listing, near
from .. import external, serving
from ..api.objects import COMING, GOING, MONITORED, NOT_RUNNING, PROVISIONED, RUNNING, SM, TE, Database, Process
from ..processes import end
from ..processes.selection import STOPPED
from ..processes.start import PURGE, TES_FIRST, Slot, StartProcesses, storage_slots, transaction_slots
from ..view import POLL_INTERVAL, DomainView, Snapshot
from .start_plans import Plans, refuse_bad_plan
from .wanted import SAY_WHERE, WantedDatabase, chosen, need_tombstones, te_servers

TES_STOP = (
    "a storage group is offline, and its SMs can't join while TEs run: this run stops the TEs, starts the SMs, then "
    "starts the TEs again; nobody can use the database meanwhile"
)
"""The message before TEs are stopped (NUODB-288)."""


@dataclass(frozen=True)
class StartChoice:
    """What of the databases should run.

    :param te_early: request TEs too, without a wait for them, if `engine_types` has none.
    :param ignored: archives whose SMs are left out.
    :param stop_tes: shut TEs down, and start them again, if SMs can't join beside them.
    """

    engine_types: list[str]
    te_early: bool = False
    ignored: tuple[int, ...] = ()
    stop_tes: bool = False


def survey(view: DomainView, given: list[Any], whole: bool, first: bool) -> tuple[list[WantedDatabase], Snapshot]:
    """The databases that the option names, and the parts of the domain that their start needs.

    :param given: the option `databases`.
    :param whole: the whole domain, for a prediction; else only what concerns these databases.
    :param first: the look may use what the task before has just read. A look that proves that all runs must not.
    """
    if first:
        with view.first_look():
            return survey(view, given, whole, first=False)
    snapshot = view.look("servers", "databases")
    meant = chosen(view.name, given, snapshot)
    names = [one.db_name for one in meant]
    # A database that isn't running has no processes: that is what the state means (NUODB-314).
    is_down = all(snapshot.databases[name].state == NOT_RUNNING for name in names)
    parts = ("archives",) if is_down and not whole else ("archives", "processes")
    more = view.look(*parts, db_names=None if whole else names)
    stones = view.tombstones(names) if need_tombstones(meant) else []
    return meant, replace(snapshot, archives=more.archives, processes=more.processes, tombstones=stones)


def ending(view: DomainView, snapshot: Snapshot, meant: list[WantedDatabase]) -> Optional[Stage]:
    """The stage that waits until databases that are being shut down are down; None if there are none."""
    names = [one.db_name for one in meant if snapshot.databases[one.db_name].state in GOING]

    def read(names: list[str]) -> dict[str, str]:
        seen = view.look("databases").databases
        return {name: seen[name].state if name in seen else NOT_RUNNING for name in names}

    def decide(_name: str, state: str, _history: History) -> Decision:
        return Wait(f"{state}, being shut down") if state in GOING else Done()

    return (
        Stage(
            noun="databases",
            done=NOT_RUNNING,
            names=names,
            read=Together(read),
            decide=decide,
            target=lambda _name, _state: NOT_RUNNING,
            steady=TURN,  # by then, who shuts it down has seen that and goes on with the APs
            poll=POLL_INTERVAL,
        )
        if names
        else None
    )


def start_of_databases(
    view: DomainView, snapshot: Snapshot, wanted: list[WantedDatabase], choice: StartChoice, ask: bool = True
) -> StartProcesses:
    """The processes that databases should have.

    :param snapshot: all parts of the domain, read just now.
    :param ask: ask the domain for start plans.
    :raises Refused: an archive can't be started, or nobody knows where TEs should run.
    """
    slots: list[Slot] = []
    leaving: list[Process] = []
    for one in wanted:
        leaving += _leaving(view, snapshot, one, choice)
    snapshot = end.without(snapshot, leaving)
    for one in wanted:
        refuse_bad_plan(view.name, one, snapshot, list(choice.ignored))
        slots += _slots_of(view, snapshot, one, choice)
    plans = Plans(view, snapshot, wanted, ask)
    plans.fetch(slots)
    look_again = not plans.are_certain(slots)
    return StartProcesses(view, slots, snapshot, plans.request, plans.renewed, look_again, leaving)


def stages(view: DomainView, work: StartProcesses, wait: bool = True) -> list[Stage]:
    """The stages of a start. TEs that must stop first are shut down in the first ones."""
    gone = end.EndProcesses(view, work.leaving, STOPPED).stages() if work.leaving else []
    return [*gone, *work.stages(wait)]


def _leaving(view: DomainView, snapshot: Snapshot, wanted: WantedDatabase, choice: StartChoice) -> list[Process]:
    """The TEs that must stop before the SMs of an offline storage group can start (NUODB-288).

    :raises Refused: there are some, but no option allows that, or nobody would know them after a run that is cut off.
    """
    name = wanted.db_name
    if SM not in choice.engine_types or external.sign(snapshot, name):
        return []
    archives = {one.archive_id for one in snapshot.archives_of(name) if not snapshot.storage_of(one.archive_id)}
    archives -= set(choice.ignored)
    if not choice.stop_tes or TE not in choice.engine_types:
        serving.refuse_joining(view, snapshot, name, archives, TES_FIRST)
        return []
    found = serving.needed(view, snapshot, name, archives)
    if found and need_tombstones([wanted]):
        raise Refused(
            f"{view.name}: {serving.told(name, found)}, and its TEs would have to be stopped first; if the run were "
            "cut off then, nobody would know which TEs to start again",
            hint=SAY_WHERE,
            failed_object=name,
            number="DBF-6511",
        )
    return serving.tes(snapshot, name) if found else []


def start_of_slots(
    view: DomainView, snapshot: Snapshot, wanted: list[Slot], plan: Optional[list[dict[str, Any]]] = None
) -> StartProcesses:
    """A start of single processes, until they run.

    :param plan: the requests for them, if their labels and options are known.
    """
    databases = [WantedDatabase(slot.db_name, start_plan=plan) for slot in wanted]
    plans = Plans(view, snapshot, databases, ask=False)
    return StartProcesses(view, wanted, snapshot, plans.request)


def _slots_of(view: DomainView, snapshot: Snapshot, wanted: WantedDatabase, choice: StartChoice) -> list[Slot]:
    name, slots = wanted.db_name, []
    _refuse_unknown_state(view.name, snapshot.databases[name])
    if external.sign(snapshot, name):
        return _slots_of_pods(view, snapshot, wanted, choice)
    if SM in choice.engine_types:
        _refuse_ignoring(view.name, snapshot, name, choice.ignored)
        slots = storage_slots(snapshot, name, list(choice.ignored))
        if not slots:
            raise Refused(
                f"{view.name}: {name} has no archive, so none of its processes can be started",
                hint="nuodb_archive state=present creates one",
                failed_object=name,
                number="DBF-6504",
            )
    if TE not in choice.engine_types and not choice.te_early:
        return slots
    if SM not in choice.engine_types:
        _refuse_without_storage(view.name, snapshot, name)
    servers = te_servers(wanted, snapshot)
    if servers is None and TE in choice.engine_types:
        raise Refused(
            f"{view.name}: {name}: no option says where its TEs should run, and its tombstones don't show where they "
            "were "
            "when it last ran",
            hint=SAY_WHERE,
            failed_object=name,
            last_state=snapshot.databases[name].state,
            number="DBF-6504",
        )
    _refuse_unknown_servers(view.name, snapshot, name, servers or [])
    return slots + transaction_slots(name, servers or [], TE not in choice.engine_types)


def _slots_of_pods(view: DomainView, snapshot: Snapshot, wanted: WantedDatabase, choice: StartChoice) -> list[Slot]:
    """The processes of a database that is started from outside. All of them must at least be requested."""
    name, lacking, found = wanted.db_name, [], []
    if SM in choice.engine_types:
        found = storage_slots(snapshot, name, list(choice.ignored))
        lacking = external.lacking_sms(snapshot, name, list(choice.ignored))
    if TE in choice.engine_types:
        lacking += external.lacking_tes(snapshot, name, len(te_servers(wanted, snapshot) or []))
    external.refuse_start(view.name, snapshot, name, lacking)
    if TE in choice.engine_types or choice.te_early:
        servers = [one.server_id for one in external.tes(snapshot, name)]
        found += transaction_slots(name, servers, TE not in choice.engine_types)
    return [replace(slot, external=True) for slot in found]


def _refuse_without_storage(cluster: str, snapshot: Snapshot, name: str) -> None:
    database = snapshot.databases[name]
    if not database.is_up and not any(one.is_storage for one in snapshot.processes_of(name)):
        raise Refused(
            f"{cluster}: {name} is {database.state}, and none of its SMs is being started, so the run would wait for "
            "its TEs in vain",
            hint="start its SMs too (engine_types: [SM, TE])",
            failed_object=name,
            last_state=database.state,
            number="DBF-6502",
        )


def _refuse_unknown_state(cluster: str, database: Database) -> None:
    if not database.is_up and not database.is_down and database.state not in COMING:
        raise Refused(
            f"{cluster}: {database.db_name}: a start is not known to be safe in state {database.state!r}",
            hint="to leave this database out, name only the others (databases: [...])",
            failed_object=database.db_name,
            last_state=database.state,
            number="DBF-6510",
        )


def _refuse_unknown_servers(cluster: str, snapshot: Snapshot, name: str, servers: list[str]) -> None:
    known = list(snapshot.servers)
    unknown = [server for server in dict.fromkeys(servers) if server not in known]
    if unknown:
        names = ", ".join(f"{server}{near(server, known)}" for server in unknown)
        raise NoSuchObject(
            f"{cluster}: {name}: a TE should run on {names}, but there is no such server, only {listing(known, 20)}",
            hint=SAY_WHERE,
            failed_object=" ".join(unknown),
        )


def _refuse_ignoring(cluster: str, snapshot: Snapshot, name: str, ignored: tuple[int, ...]) -> None:
    """Refuses to leave out an archive with data, unless its database runs already."""
    left_out = [
        archive
        for archive in snapshot.archives_of(name)
        if archive.archive_id in ignored and archive.state != PROVISIONED
    ]
    if left_out and not snapshot.databases[name].is_up:
        numbers = listing([f"{archive.archive_id} ({archive.where})" for archive in left_out])
        raise Refused(
            f"{cluster}: {name} is {snapshot.databases[name].state}, and without the SM of archive {numbers} "
            "the others would time out: the domain awaits the histories of all archives to find the newest data",
            hint=f"remove it from ignore_archives and start its server; or {PURGE}",
            failed_object=name,
            last_state={archive.archive_id: archive.state for archive in left_out},
            number="DBF-6501",
        )


def outcome(snapshot: Snapshot, work: StartProcesses) -> Snapshot:
    """The domain as it would be after a start."""
    return predicted(end.without(snapshot, work.leaving), work.slots)


def predicted(snapshot: Snapshot, slots: list[Slot]) -> Snapshot:
    """The domain as it would be when these slots run."""
    processes, archives, databases = {**snapshot.processes}, {**snapshot.archives}, {**snapshot.databases}
    taken: set[str] = set()
    for slot in slots:
        database = databases[slot.db_name]
        born = database.next_incarnation
        major, minor = born["major"], born["minor"]
        databases[slot.db_name] = replace(database, state=RUNNING, incarnation=(major, minor))
        if slot.archive_id is not None:
            archives[slot.archive_id] = replace(archives[slot.archive_id], state=RUNNING)
        start_id = slot.bound(processes, taken) or f"new {slot.name}"
        taken.add(start_id)
        there = processes.get(start_id) or Process(
            start_id, slot.db_name, slot.engine_type, slot.server_id, "", "", slot.archive_id, born=(major, minor)
        )
        processes[start_id] = replace(there, durable_state=MONITORED, engine_state=RUNNING, last_heard_from=0)
    return replace(snapshot, processes=processes, archives=archives, databases=databases)

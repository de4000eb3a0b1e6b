# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restarts the processes of databases one by one: which are left, in which order, and what prevents it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Optional

from .._convergence.stage import Stage
from .._errors import Failed, Refused
from .._wording import joined, listing
from . import external, serving
from .api.objects import TE, Process
from .databases import start
from .databases.shutdown import running_hotcopies
from .guards import refuse_without_quorum
from .lease import moment
from .processes import end, selection
from .restart_mark import Mark, Marks
from .rolling import ELSEWHERE, Against, Rolling, RollingChoice
from .view import DomainView, Snapshot

GO_ON = (
    "run nuodb_recover, which shows what failed and starts it; then run the rolling restart again, it goes on from "
    "there"
)

WHOLE = (
    "restart the database as a whole (nuodb_database_state, state restarted), or add an archive elsewhere first "
    "(nuodb_archive); nothing overrides this"
)


@dataclass(frozen=True)
class RestartChoice:
    """The options.

    :param databases: the databases to restart, in the form of the option `databases` of nuodb_database.
    :param up_to: processes with a higher start ID are left alone; None if the domain decides it.
    :param anew: ignore what an earlier run has stored in the domain.
    :param ignored: archives that stay down.
    :param allow_last_te: a database may be without a TE meanwhile.
    """

    databases: list[Any]
    up_to: Optional[int] = None
    anew: bool = False
    ignored: tuple[int, ...] = ()
    allow_last_te: bool = False


@dataclass(frozen=True)
class Row:
    """A process to restart.

    :param start_id: None if an earlier run shut it down and was cut off before it started it again.
    :param entry: the process as an entry of the option `processes` of nuodb_process.
    :param up_to: the highest start ID of this rolling restart.
    :param request: starts it again with the same labels and options; None if they weren't read yet.
    """

    name: str
    db_name: str
    start_id: Optional[str]
    entry: dict[str, Any]
    up_to: int
    request: Optional[dict[str, Any]] = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "db_name": self.db_name,
            "start_id": self.start_id,
            "process": self.entry,
            "up_to": self.up_to,
        }

    @classmethod
    def of(cls, given: dict[str, Any]) -> Row:
        """The row from its form in the result of a module."""
        start_id = given["start_id"]
        return cls(
            str(given["name"]),
            str(given["db_name"]),
            None if start_id is None else str(start_id),
            dict(given["process"]),
            int(given["up_to"]),
        )


def _number(start_id: str) -> int:
    return int(start_id) if start_id.isdecimal() else 0


class RollingRestart:
    """The databases whose processes a run restarts, as they are now."""

    def __init__(self, view: DomainView, choice: RestartChoice) -> None:
        self._view, self._choice = view, choice
        is_told = choice.up_to is not None
        looked = RollingChoice(choice.databases, None, choice.ignored, False, True, GO_ON, asked_counts=is_told)
        self._rolling = Rolling(view, looked)
        self.seen: Snapshot = self._rolling.seen
        self.names = self._rolling.named
        self._marks = Marks(view.domain)
        self._known = {name: mark for name in self.names if (mark := self._mark(name))}
        self._captured: dict[str, list[dict[str, Any]]] = {}
        self._highest = {
            name: max((_number(one.start_id) for one in self.seen.processes_of(name)), default=0) for name in self.names
        }

    def _mark(self, name: str) -> Optional[Mark]:
        """What an earlier run has stored in the domain; None if it belongs to an incarnation that is over."""
        if self._choice.up_to is not None:
            return None
        mark = self._marks.of(name)
        return mark if mark and mark.major == self.seen.databases[name].incarnation[0] else None

    def _up_to(self, name: str) -> int:
        if self._choice.up_to is not None:
            return self._choice.up_to
        mark = None if self._choice.anew else self._known.get(name)
        return mark.up_to if mark else self._highest[name]

    # -- what there is

    def rows(self) -> list[Row]:
        """The processes that are left: first those that an earlier run shut down, then those of each database, from the
        highest start ID down."""
        found = [row for name in self.names if (row := self._out(name))]
        for name in self.names:
            up_to = self._up_to(name)
            left = [one for one in self.seen.processes_of(name) if _number(one.start_id) <= up_to]
            left = [one for one in left if not one.is_leaving and one.archive_id not in self._choice.ignored]
            left.sort(key=lambda one: _number(one.start_id), reverse=True)
            found += [Row(end.title(one), name, one.start_id, self._entry(one), up_to) for one in left]
        return found

    def _entry(self, process: Process) -> dict[str, Any]:
        if process.archive_id is not None:
            return {"archive_id": process.archive_id}
        count = self._rolling.tes_of(process.db_name)[process.server_id]
        where = {"db_name": process.db_name, "engine_type": TE, "server_id": process.server_id}
        return {**where, "count": count}

    def _out(self, name: str) -> Optional[Row]:
        """The process at which an earlier run was cut off; None if there is none or it runs again."""
        mark = self._known.get(name)
        if mark is None or not mark.out or not isinstance(mark.out.get("process"), dict):
            return None
        entry = mark.out["process"]
        there = self.seen.processes.get(str(mark.out.get("start_id")))
        if (there is not None and not there.is_leaving) or self._runs(entry):
            return None
        request = mark.out.get("request")
        known = dict(request) if isinstance(request, dict) else None
        return Row(str(mark.out.get("name") or name), name, None, entry, self._up_to(name), known)

    def _runs(self, entry: dict[str, Any]) -> bool:
        runs = [one for one in self.seen.processes.values() if one.is_running]
        if "archive_id" in entry:
            return any(one.archive_id == entry["archive_id"] for one in runs)
        tes = [one for one in runs if (one.db_name, one.server_id) == (entry.get("db_name"), entry.get("server_id"))]
        return sum(one.engine_type == TE for one in tes) >= int(entry.get("count") or 1)

    def told(self, rows: list[Row]) -> list[str]:
        """What the run will do, one sentence per database."""
        lines = []
        for name in self.names:
            left = [row.name for row in rows if row.db_name == name]
            mark = None if self._choice.anew else self._known.get(name)
            began = f"goes on with the rolling restart of {moment(mark.since)}: " if mark else ""
            since = f"all its processes have start IDs above {self._up_to(name)}: nothing is left to restart"
            ahead = f"{len(left)} to restart, one after another: {listing(left, 20)}"
            lines.append(f"[{self._view.name}] {name}: {began}{ahead if left else since}")
        return lines

    # -- what prevents it

    def refuse(self, rows: list[Row]) -> None:
        """Checks the rules before the first of these processes is restarted, and again before each one.

        :raises Refused: something is wrong, or a database can't do without a process.
        """
        refuse_without_quorum(self._view.name, self.seen)
        out = next((row for row in rows if row.start_id is None), None)
        against = self._rolling.ills(self._server(out) if out else None)
        for name in self.names:
            database = self.seen.databases[name]
            if database.is_down:
                against.add(f"{name} is {database.state}", "name databases that run (nuodb_rolling_restart_databases)")
            found = external.sign(self.seen, name)
            if found:
                against.add(
                    f"{external.says(name, found)}, so each process would be started a second time",
                    "let Kubernetes restart it (kubectl rollout restart), or restart single processes (nuodb_process "
                    "state=stopped, allow_restart: true); nothing overrides this",
                )
        groups: dict[str, Any] = {}
        for row in rows:
            if row.start_id is not None:
                self._needs(row, out, groups, against)
        if against.found:
            raise Refused(
                f"{self._view.name}: {listing(self.names, 20, ', ')}: no process restarted: "
                f"{'; '.join(dict.fromkeys(against.found))}",
                hint=joined(against.hints),
                failed_object=" ".join(self.names),
                number="DBF-6560",
            )

    def _server(self, row: Row) -> Optional[str]:
        if "archive_id" not in row.entry:
            return row.entry.get("server_id")
        archive = self.seen.archives.get(row.entry["archive_id"])
        return archive.server_id if archive else None

    def _needs(self, row: Row, out: Optional[Row], groups: dict[str, Any], against: Against) -> None:
        """Adds what the database would lack while this process is down. The process that an earlier run shut down
        counts as running, because it is started first."""
        name, process = row.db_name, self.seen.processes[str(row.start_id)]
        back = out.entry if out and out.db_name == name else {}
        others = [one for one in self.seen.processes_of(name) if one.is_running and one is not process]
        if not process.is_storage:
            tes = [one for one in others if one.engine_type == TE]
            if not tes and "server_id" not in back and not self._choice.allow_last_te:
                against.add(
                    f"the TE on {process.server_id} is the only TE of {name} that runs, so nobody could use {name} "
                    "meanwhile",
                    "start a TE on another server first (nuodb_process); nuodb_rolling_restart_allow_last_te=true "
                    "accepts the interruption",
                )
            return
        archives = {one.archive_id for one in others if one.is_storage}
        archives |= {back["archive_id"]} if "archive_id" in back else set()
        if not archives:
            against.add(
                f"the SM on {process.server_id} is the only SM of {name} that runs, so all TEs of {name} would be shut "
                "down with it",
                WHOLE,
            )
            return
        if name not in groups:
            groups[name] = serving.groups(self._view, name)
            if running_hotcopies(self._view.hotcopies(name)):
                against.add(f"a hot copy of {name} is running, and would break off", "wait until the hot copy ends")
        for group in serving.lost_without(groups[name], {int(process.archive_id or 0)}, archives):
            against.add(
                f"archive {process.archive_id} is the only archive that runs with storage group {group} of {name}",
                ELSEWHERE,
            )

    def fail_unless_well(self, done: str) -> None:
        """Checks, before the next process and at the end, that everything runs.

        :raises Failed: something is missing.
        """
        against = self._rolling.ills(None)
        if against.found:
            raise Failed(
                f"{self._view.name}: {done}, but the domain is not as it was before: {'; '.join(against.found)}",
                hint=joined([*against.hints, GO_ON]),
                failed_object=" ".join(self.names),
                number="DBF-5007",
            )

    def fail_unless_done(self) -> None:
        """:raises Failed: a process has not been restarted."""
        left = [row.name for row in self.rows()]
        if left:
            raise Failed(
                f"{self._view.name}: not restarted: {listing(left, 20)}",
                hint="run the rolling restart again, it goes on from there",
                failed_object=" ".join(left),
                number="DBF-5007",
            )
        self.fail_unless_well("every process was restarted")

    # -- one of them

    def checked(self, row: Row) -> Row:
        """The row with the process as it is now and with the request that starts it again.

        :raises Failed: it has ended since the plan was made.
        :raises Refused: nobody can know how it was started.
        """
        if row.start_id is None:
            known = self._out(row.db_name)
            return replace(row, request=known.request if known else None)
        process = self.seen.processes.get(str(row.start_id))
        if process is None or process.is_leaving:
            raise Failed(
                f"{self._view.name}: {row.name} has ended since the plan was made: either somebody else works on "
                f"{row.db_name}, or the process died",
                hint=GO_ON,
                failed_object=row.name,
                number="DBF-5005",
            )
        return replace(row, entry=self._entry(process), request=self._request(process))

    def _request(self, process: Process) -> dict[str, Any]:
        """The request that starts a process with its present labels and options. The list of processes lacks them.

        :raises Refused: TEs on one server were started in different ways, and nothing shows which of them this is.
        """
        name = process.db_name
        if name not in self._captured:
            self._captured[name] = self._view.domain.capture(name)
        rows = self._captured[name]
        if process.archive_id is not None:
            fitting = [row for row in rows if str(row.get("archiveId")) == str(process.archive_id)]
        else:
            tes = [row for row in rows if (row.get("engineType"), row.get("host")) == (TE, process.server_id)]
            fitting = [row for row in tes if (row.get("labels") or {}) == process.labels] or tes
        if not fitting or any(row != fitting[0] for row in fitting):
            raise Refused(
                f"{self._view.name}: {end.title(process)}: not restarted: the labels and options of its start are "
                "unknown" + (", because its TEs on this server were started in different ways" if fitting else ""),
                hint="shut it down and start it by hand (nuocmd shutdown process, start process), then run the rolling "
                "restart again, it goes on from there; nothing overrides this",
                failed_object=end.title(process),
                number="DBF-6561",
            )
        return {key: value for key, value in fitting[0].items() if key != "expectedIncarnation"}

    def keep(self, row: Row) -> None:
        """Stores in the domain which process is shut down next, so that a later run can continue."""
        if self._choice.up_to is None:
            out = {"name": row.name, "start_id": row.start_id, "process": row.entry, "request": row.request}
            self._marks.put(row.db_name, row.up_to, self.seen.databases[row.db_name].incarnation[0], out)

    def end(self) -> None:
        """Marks the rolling restart as ended in the domain."""
        if self._choice.up_to is None:
            for name in self.names:
                self._marks.end(name)

    def leaving(self, row: Row) -> list[Stage]:
        """The stages that shut the process down gracefully."""
        return end.EndProcesses(self._view, [self.seen.processes[str(row.start_id)]], selection.STOPPED).stages()

    def coming(self, row: Row, snapshot: Snapshot) -> list[Stage]:
        """The stages that start the process again and wait until it is in sync.

        :param snapshot: the domain now.
        """
        wanted = selection.entries(self._view.name, [row.entry], selection.RUNNING)
        slots = selection.slots(self._view, snapshot, wanted, allow_partial=False)
        plan = [row.request] if row.request else None
        return start.start_of_slots(self._view, snapshot, slots, plan).stages()

    def without(self, row: Row) -> Snapshot:
        """The domain as it would be without the process, for a preview."""
        process = self.seen.processes.get(str(row.start_id))
        return end.without(self.seen, [process]) if process else self.seen

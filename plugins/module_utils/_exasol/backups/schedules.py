# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How backup schedules are compared, added, changed and removed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable, Optional

from ..._convergence.stage import Act, Decision, Done, Fail, History, Stage, Together, has_changed
from ..._errors import AnswerLost, ClusterError, NoSuchObject, Refused
from ..._wording import listing
from ..api.backups import TIMES, ArchiveVolume, BackupApi, Schedule, ScheduleApi
from ..api.states import RUNNING, Database
from ..api.volume_names import number_of
from ..view import ClusterView
from .schedules_wanted import WantedSchedule, comparable_expiry, comparable_time

UNSEEN_HINT = (
    "with unseen: replace, every run removes the schedule, if there is one, and adds it again as wanted; "
    "exa_job runs single jobs"
)


@dataclass(frozen=True)
class ScheduleState:
    """The state of one schedule.

    :param told: whether the server lists schedules.
    :param sent: it doesn't list them, and it has accepted our change.
    :param left: the state after that change, in words.
    :param alike: how many other schedules match the wanted one as well.
    """

    database: Database
    schedule: Optional[Schedule] = None
    told: bool = True
    sent: bool = False
    left: str = "set"
    alike: int = 0

    @property
    def words(self) -> str:
        if not self.told:
            return self.left if self.sent else "not known"
        return self.schedule.words if self.schedule else "none"

    def as_dict(self) -> Optional[dict[str, Any]]:
        return self.schedule.as_dict() if self.schedule else None


class Schedules:
    """The schedules of one database that a task adds, changes or removes.

    :param present: whether they should exist.
    :param unseen: `refuse` or `replace`: what to do if the server doesn't list schedules.
    :param say: shows a line at once, because after a cut-off nothing else could show it.
    :param warn: shows a warning.
    :raises ClusterError: a volume doesn't exist, or an option is missing that this server needs.
    """

    def __init__(
        self,
        cluster: ClusterView,
        backups: BackupApi,
        database: str,
        wanted: list[WantedSchedule],
        present: bool,
        unseen: str,
        say: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._cluster, self._say, self._warn = cluster, say, warn
        self._api: ScheduleApi = backups.schedules()
        self._database = database
        self._wanted = {one.name: one for one in wanted}
        self._present = present
        self._unseen = unseen
        self._sent: set[str] = set()
        self._removed: dict[str, Optional[Schedule]] = {}
        self.nothing: set[str] = set()
        """Schedules that the task tried to remove, and that didn't exist."""
        self.rows: Optional[list[Schedule]] = None
        """All schedules of the database, as they were read last; None if the server doesn't list them."""
        self._volumes: dict[str, ArchiveVolume] = {}
        for one in wanted:
            if one.volume and one.volume not in self._volumes:
                self._volumes[one.volume] = self._volume(backups, one.volume)
        if not self._api.named:
            self._refuse_nameless()
        self._warned_of: set[str] = set()

    def _volume(self, backups: BackupApi, volume: str) -> ArchiveVolume:
        try:
            return backups.volume(volume)
        except NoSuchObject:
            if self._present:
                raise
            return ArchiveVolume(volume, number_of(volume))

    def _refuse_nameless(self) -> None:
        missing = [one.name for one in self._wanted.values() if not one.volume or one.level is None]
        if missing:
            raise ClusterError(
                f"{self._cluster.name}: {self._database}: schedule {listing(missing)}: give volume and level, because "
                "this server keeps no names of schedules"
            )

    # -- reading

    def read(self, names: list[str]) -> dict[str, ScheduleState]:
        """All schedules of the task, by one read."""
        database = self._cluster.database(self._database)
        rows = self._api.schedules(self._database)
        self.rows = rows
        if rows is None:
            left = "set" if self._present else "none"
            return {name: ScheduleState(database, told=False, sent=name in self._sent, left=left) for name in names}
        if self._api.named:
            by_name = {row.name: row for row in rows}
            return {name: ScheduleState(database, by_name.get(name)) for name in names}
        return self._by_content(database, rows, names)

    def _by_content(self, database: Database, rows: list[Schedule], names: list[str]) -> dict[str, ScheduleState]:
        """Finds each schedule by volume and level. Of several, it takes one that is already as wanted."""
        left = list(rows)
        found: dict[str, ScheduleState] = {}
        for name in names:
            same = [row for row in left if self._is_there(name, row) and self._is_met(name, row)]
            if same:
                left.remove(same[0])
                found[name] = ScheduleState(database, same[0])
        for name in names:
            if name not in found:
                like = [row for row in left if self._is_there(name, row)]
                found[name] = ScheduleState(database, like[0] if like else None, alike=max(0, len(like) - 1))
                if like:
                    left.remove(like[0])
        return {name: found[name] for name in names}

    def _is_there(self, name: str, row: Schedule) -> bool:
        wanted = self._wanted[name]
        return self._lies_on(wanted, row) and wanted.level in (None, row.level)

    def _lies_on(self, wanted: WantedSchedule, row: Schedule) -> bool:
        if not wanted.volume:
            return True
        volume = self._volumes[wanted.volume]
        return volume.name == row.volume or volume.holds(row.volume, number_of(row.volume))

    def listed(self) -> Optional[list[dict[str, Any]]]:
        """All schedules of the database as they were read last, in an order that doesn't depend on the server's."""
        if self.rows is None:
            return None
        return [row.as_dict() for row in sorted(self.rows, key=lambda row: (row.level, row.volume, row.name))]

    # -- deciding

    def _target(self, name: str, found: Optional[Schedule]) -> Schedule:
        wanted = self._wanted[name]
        volume = self._volumes[wanted.volume].name if wanted.volume else ""
        return wanted.over(found, volume)

    def _differences(self, name: str, found: Schedule) -> list[str]:
        """The options in which a schedule differs from the wanted one."""
        new, wanted = self._target(name, found), self._wanted[name]
        differing = [] if self._lies_on(wanted, found) else ["volume"]
        differing += ["level"] if new.level != found.level else []
        differing += ["expire"] if comparable_expiry(new.expire) != comparable_expiry(found.expire) else []
        differing += [
            part for part in TIMES if comparable_time(getattr(new, part)) != comparable_time(getattr(found, part))
        ]
        return differing + (["enabled"] if new.enabled != found.enabled else [])

    def _is_met(self, name: str, found: Schedule) -> bool:
        return not self._differences(name, found)

    def decide(self, name: str, state: ScheduleState, history: History) -> Decision:
        if not state.told:
            return self._unseen_one(name, state)
        if state.alike:
            return Fail(
                f"{state.alike + 1} schedules have its level and volume, and the server keeps no names of schedules",
                hint="set minute, hour, day, month and weekday as one of these schedules has them, or change the "
                "schedule in the web page",
                number="DBF-6410",
            )
        found = state.schedule
        if not self._present:
            return self._removing(name, found) if found else Done()
        if found is None:
            return self._adding(name)
        differing = self._differences(name, found)
        if not differing:
            return Done()
        if set(differing) & set(self._api.fixed):
            return self._replacing(name, found, history)
        new = self._target(name, found)
        return Act(self._api.calls["modify"], partial(self._api.modify, self._database, found, new))

    def _replacing(self, name: str, found: Schedule, history: History) -> Decision:
        """Removes a schedule to add it again, but only if the next run could add it after a cut-off of this one."""
        remove, add = self._api.calls["remove"], self._api.calls["add"]
        if add in history.acted or self._removed.get(name, found) != found:
            return Fail(
                f"somebody else has added a schedule of that name meanwhile ({found.words})",
                hint="run the task again to change that schedule, or give yours another name",
                number="DBF-6410",
            )
        unsaid = self._wanted[name].unsaid(found)
        if unsaid:
            fixed = listing([part for part in self._differences(name, found) if part in self._api.fixed])
            kept = ", ".join(f"{part}: {_written(value)}" for part, value in unsaid.items())
            return Fail(
                f"no call changes its {fixed}, so the run would remove the schedule and add it again, and if the run "
                f"were cut off in between, the settings that the task leaves out ({kept}) would be lost",
                hint=f"give these settings too ({kept}), or the values that you want",
                number="DBF-6410",
            )
        return Act(remove, partial(self._remove_first, name, found), then=(add,))

    def _removing(self, name: str, found: Schedule) -> Decision:
        wanted = self._wanted[name]
        other = [] if self._lies_on(wanted, found) else [f"it goes to volume {found.volume}, not {wanted.volume}"]
        other += [] if wanted.level in (None, found.level) else [f"its level is {found.level}, not {wanted.level}"]
        if other:
            return Fail(
                ", ".join(other),
                hint="leave out the options that need not match, or name the schedule to remove",
                number="DBF-6410",
            )
        return Act(self._api.calls["remove"], partial(self._api.remove, self._database, found))

    def _adding(self, name: str) -> Decision:
        return self._no_volume(name) or Act(self._api.calls["add"], partial(self._add, name))

    def _no_volume(self, name: str) -> Optional[Fail]:
        if self._wanted[name].volume or name in self._removed:
            return None
        there = "can't be seen" if self.rows is None else "doesn't exist"
        return Fail(
            f"the schedule {there}, and it can't be added without a volume",
            hint="give the archive volume for its backups in volume",
            number="DBF-6410",
        )

    def _unseen_one(self, name: str, state: ScheduleState) -> Decision:
        if state.sent:
            return Done()
        remove, add = self._api.calls["remove"], self._api.calls["add"]
        if not self._present:
            return Act(remove, partial(self._drop, name))
        if self._unseen == "refuse":
            return Fail(
                "db_info doesn't list the backup schedules, so they can't be compared",
                hint=UNSEEN_HINT,
                number="DBF-6410",
            )
        unsaid = [part for part in self._wanted[name].left_out if part != "volume"]
        if unsaid and name not in self._warned_of:
            self._warned_of.add(name)
            self._warn(
                f"{self._cluster.name}: {self._database}: the server doesn't report the settings of schedule {name}, "
                f"so {listing(unsaid)} will be as in a new schedule, whatever the values are now; give the values that "
                "you want"
            )
        return self._no_volume(name) or Act(f"{remove}, {add}", partial(self._replace, name))

    # -- calls

    def _remove_first(self, name: str, found: Schedule) -> None:
        """Removes a schedule that no call can change. `_add` takes what the task leaves out from the removed one."""
        self._removed[name] = found
        try:
            self._api.remove(self._database, found)
        except AnswerLost:  # the schedule may be gone
            raise
        except ClusterError:
            del self._removed[name]
            raise

    def _add(self, name: str) -> None:
        try:
            self._api.add(self._database, self._target(name, self._removed.get(name)))
        except AnswerLost:  # the schedule may exist
            raise
        except ClusterError as error:
            if name in self._removed:
                had = self._removed[name]
                was = f" (it was {had.words})" if had else ""
                error.message += f"; schedule {name} was removed before, and is missing now{was}"
                error.partly = True
            raise

    def _drop(self, name: str) -> None:
        try:
            self._api.remove(self._database, Schedule(name, "", 0))
        except NoSuchObject:
            self.nothing.add(name)
        self._sent.add(name)

    def _replace(self, name: str) -> None:
        try:
            self._api.remove(self._database, Schedule(name, "", 0))
            self._removed[name] = None
        except NoSuchObject:
            pass
        self._add(name)
        self._sent.add(name)

    def check(self, states: dict[str, ScheduleState]) -> None:
        """Makes sure that the server would accept the schedules to add, before the run removes any."""
        for name, state in states.items():
            wanted = self._wanted[name]
            if self._present and (wanted.volume or state.schedule):
                found = state.schedule
                if found is None or set(self._differences(name, found)) & set(self._api.fixed):
                    self._api.check(self._database, self._target(name, found))

    def guard(self) -> None:
        """The rules before a schedule is changed: the database runs, and the server would accept each new schedule."""
        states = self.read(list(self._wanted))
        try:
            self.check(states)
        except ClusterError as error:
            raise error.of(self._cluster.name) from None
        self._tell(states)
        database = next(iter(states.values())).database
        modify = self._api.calls["modify"]
        changing = [
            name
            for name, state in states.items()
            for act in [self.decide(name, state, History(state))]
            if isinstance(act, Act) and act.name == modify
        ]
        if changing and self._api.runs and database.phase != RUNNING:
            raise Refused(
                f"{self._cluster.name}: {self._database}: schedule {listing(changing)} not changed: the database is "
                f"{database.state}, and its schedules can be changed only while it runs",
                hint="start it (exa_database state=started); nothing overrides this",
                failed_object=self._database,
                last_state=database.as_dict(),
                number="DBF-6410",
            )

    def _tell(self, states: dict[str, ScheduleState]) -> None:
        """Shows each schedule that the run will remove and add again, before it does so."""
        for name, state in states.items():
            found = state.schedule
            if self._present and found and set(self._differences(name, found)) & set(self._api.fixed):
                self._say(
                    f"[{self._cluster.name}] {self._database}: the run removes schedule {name} and adds it again. It "
                    f"was {found.words}. If the run is cut off in between, run the same task again to add it"
                )

    def stages(self) -> list[Stage]:
        """The stage that brings them all to the wanted state."""

        def target(name: str, state: ScheduleState) -> ScheduleState:
            return replace(state, schedule=self._target(name, state.schedule) if self._present else None, sent=True)

        return [
            Stage(
                noun="backup schedules",
                done="as wanted" if self._present else "gone",
                names=list(self._wanted),
                read=Together(self.read),
                decide=self.decide,
                words=lambda state: state.words,
                target=target,
                guard=self.guard,
            )
        ]

    def told(self, result: dict[str, Any]) -> dict[str, Any]:
        """The result without the removals that found no schedule."""
        steps = [step for step in result["steps"] if step["object"] not in self.nothing]
        for part in ("before", "after"):
            for name in self.nothing:
                result["diff"][part].pop(name, None)
        return {**result, "steps": steps, "changed": has_changed(steps)}


def _written(value: Any) -> str:
    """A value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else f"'{value}'"

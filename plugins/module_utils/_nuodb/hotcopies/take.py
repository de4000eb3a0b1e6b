# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""How hot copies are begun or joined, and how a task waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Wait
from ..._errors import Fault, NoSuchObject, Refused
from ..._wording import listing
from ..api.objects import Process, Tombstone
from ..databases.wanted import chosen
from ..view import POLL_INTERVAL, DomainView
from .refusals import hint_of
from .wanted import CANCELLED, COMPLETED, FAILED, GONE, SIMPLE, HotCopy, WantedHotCopy


@dataclass(frozen=True)
class HotCopyState:
    """What the domain shows of the wanted hot copy.

    :param own: the wanted hot copy, once it has begun.
    :param others: the hot copies that run beside it.
    :param lacking: what isn't known of a hot copy that is nearly the wanted one, in words.
    """

    own: Optional[HotCopy] = None
    others: tuple[HotCopy, ...] = ()
    lacking: str = ""

    def as_dict(self) -> Optional[dict[str, Any]]:
        return self.own.as_dict() if self.own else None


class TakeHotCopy:
    """Takes one hot copy, until it is complete.

    :param on_running: `refuse` or `wait`: what to do about another one that runs.
    :param preview: the domain may not yet be as earlier tasks would leave it.
    """

    def __init__(self, view: DomainView, wanted: WantedHotCopy, on_running: str, preview: bool = False) -> None:
        self._view = view
        self._wanted = wanted
        self._on_running = on_running
        self._preview = preview
        self._own: Optional[tuple[str, str]] = None
        self._known: Optional[set[tuple[str, str]]] = None
        self._seen: set[tuple[str, str]] = set()
        self.row: Optional[dict[str, Any]] = None
        """The hot copy as the API reported it last."""
        snapshot = view.look("databases", "archives", "processes", db_names=[wanted.db_name])
        chosen(view.name, [wanted.db_name], snapshot)
        there = [str(archive.archive_id) for archive in snapshot.archives_of(wanted.db_name)]
        unknown = [key for key in wanted.directories if key not in there]
        if unknown:
            raise NoSuchObject(
                f"{view.name}: backup_dirs: {wanted.db_name} has no archive {listing(unknown)}; "
                f"it has {listing(there, 20) or 'none'}",
                failed_object=" ".join(unknown),
            )
        running = [one for one in snapshot.processes_of(wanted.db_name) if one.is_storage and one.is_running]
        self._runs = bool(running)
        self._sms = {one.archive_id: one.start_id for one in running if one.archive_id is not None}
        self._lacking = ""

    # -- reading

    def read(self, _name: str) -> HotCopyState:
        """Reads only the hot copy once it is known, else all of the database."""
        if self._own:
            return HotCopyState(self._follow(*self._own))
        told = self._rows()
        every: dict[tuple[str, str], HotCopy] = {}
        for start_id, rows in told.items():
            for copy in map(HotCopy.of, rows):
                if copy.key not in every or copy.start_id == start_id:  # its coordinator knows best
                    every[copy.key] = copy
        self._seen = set(every)
        own = self._mine(list(every.values()), told)
        if own:
            self.row = next(row for rows in told.values() for row in rows if HotCopy.of(row) == own)
            self._own = own.key
        others = tuple(copy for copy in every.values() if not copy.is_over and copy != own)
        return HotCopyState(own, others, self._lacking)

    def _rows(self) -> dict[str, list[dict[str, Any]]]:
        if not self._runs:  # no SM can answer; the guard refuses then
            return {}
        try:
            return self._view.hotcopies_by_sm(self._wanted.db_name)
        except Fault:
            if self._preview:
                return {}
            raise

    def _mine(self, copies: list[HotCopy], told: dict[str, list[dict[str, Any]]]) -> Optional[HotCopy]:
        """The wanted hot copy, if it runs already, was made before, or began by a call whose answer was lost."""
        copies = sorted((copy for copy in copies if self._wanted.holds(copy)), key=lambda copy: copy.began)
        known = self._known
        if known is not None:
            return next((copy for copy in reversed(copies) if copy.key not in known), None)
        running = [copy for copy in copies if not copy.is_over]
        done = [copy for copy in copies if copy.status == COMPLETED and self._wanted.once]
        found = [*reversed(running), *reversed(done)]
        whole = next((copy for copy in found if not self._lacks(copy, told)), None)
        self._lacking = self._lacks(found[0], told) if found and whole is None else ""
        return whole

    def _lacks(self, copy: HotCopy, told: dict[str, list[dict[str, Any]]]) -> str:
        """Which archives a hot copy isn't known to contain as they are wanted, in words. No row names archives, so the
        SM of each archive must itself report the hot copy (NUODB-413)."""
        named = [int(key) for key in self._wanted.directories]
        wanted = {*named, *(self._sms if self._wanted.default_dir else ())}
        lacking = []
        for archive_id in sorted(wanted):
            tells = [HotCopy.of(row) for row in told.get(self._sms.get(archive_id, ""), [])]
            mine = [one for one in tells if one.key == copy.key and self._wanted.is_of(one, archive_id)]
            if not any(one.status == COMPLETED or not copy.is_over for one in mine):
                lacking.append(str(archive_id))
        return (
            f"hot copy {copy.hotcopy_id} into {copy.directory} isn't known to be a {self._wanted.type} one of archive "
            f"{listing(lacking)}"
            if lacking
            else ""
        )

    def _follow(self, start_id: str, hotcopy_id: str) -> HotCopy:
        try:
            self.row = self._view.domain.hotcopy(start_id, hotcopy_id)
            return HotCopy.of(self.row)
        except Fault:
            process = self._view.process(start_id)
            if isinstance(process, Process):
                raise
            says = process.words if isinstance(process, Tombstone) else f"start ID {start_id} is gone"
            return HotCopy(start_id, hotcopy_id, GONE, None, f"the SM that made it exited: {says}")

    @property
    def words(self) -> str:
        """The sentence about a hot copy that is enough."""
        row = self.row or {}
        return f"a complete hot copy is in {row.get('destinationDirectory')}, begun at {row.get('beginTimestamp')}"

    # -- deciding

    def decide(self, _name: str, copying: HotCopyState, history: History) -> Decision:
        own, step = copying.own, f"begin {self._wanted.type} hot copy"
        if own is not None:
            if own.status == COMPLETED:
                return Done()
            if own.status in (FAILED, CANCELLED, GONE):
                return Fail(f"hot copy {own.hotcopy_id} {own.words}", hint=hint_of(own.message), number="DBF-6609")
            return Wait(f"{own.words} (hot copy {own.hotcopy_id})")
        if copying.others and not history.acted:
            says = "; ".join(f"{copy.hotcopy_id} into {copy.directory} is {copy.words}" for copy in copying.others)
            says += f"; {copying.lacking}" if copying.lacking else ""
            if self._on_running == "wait":
                return Wait(f"waits for another hot copy: {says}", then=(step,))
            return Fail(
                f"another hot copy runs: {says}; a second one would be refused or slow both down",
                hint="on_running: wait begins when it has ended; nuodb_hotcopy state=cancelled cancels it",
                number="DBF-6609",
            )
        return Act(step, self._begin)

    def _begin(self) -> None:
        self._known = set(self._seen)
        wanted, lacking = self._wanted, self._lacking
        try:
            row = self._view.domain.start_hotcopy(wanted.db_name, wanted.body(), wanted.type == SIMPLE)
        except Fault as error:
            error.message += f"; {lacking}" if lacking else ""
            error.hint = hint_of(error.text) or error.hint
            raise
        copy = HotCopy.of(row)
        if row.get("hotCopyId") and row.get("coordinatorStartId") is not None:
            self.row, self._own = row, copy.key

    def guard(self) -> None:
        """The rule before a hot copy begins: an SM runs, and so do the SMs of the named archives."""
        wanted = self._wanted
        snapshot = self._view.look("processes", db_names=[wanted.db_name])
        running = [one for one in snapshot.processes_of(wanted.db_name) if one.is_storage and one.is_running]
        states = {process.title: process.state for process in snapshot.processes_of(wanted.db_name)}
        if not running:
            raise Refused(
                f"{self._view.name}: {wanted.db_name}: no hot copy begun: none of its SMs runs, and only SMs copy data",
                hint="start the database first (nuodb_database state=running)",
                failed_object=wanted.db_name,
                last_state=states,
                number="DBF-6609",
            )
        copying = {str(process.archive_id) for process in running}
        idle = [key for key in wanted.directories if key not in copying]
        if idle:
            raise Refused(
                f"{self._view.name}: {wanted.db_name}: no hot copy begun: backup_dirs names archive {listing(idle)}, "
                "whose SM does not run, so its data would be missing from the copy",
                hint="start it first (nuodb_database state=running), or leave that archive out of backup_dirs",
                failed_object=" ".join(idle),
                last_state=states,
                number="DBF-6609",
            )

    def stages(self) -> list[Stage]:
        """The stage that completes the hot copy."""
        return [
            Stage(
                noun="hot copies",
                done=COMPLETED,
                names=[self._wanted.db_name],
                read=Each(self.read),
                decide=self.decide,
                words=lambda copying: copying.own.words if copying.own else "none",
                target=self._target,
                guard=self.guard,
                poll=POLL_INTERVAL,
            )
        ]

    def _target(self, _name: str, copying: HotCopyState) -> HotCopyState:
        own = copying.own or HotCopy("", "", COMPLETED, directory=self._wanted.all_directories[0])
        return HotCopyState(HotCopy(own.start_id, own.hotcopy_id, COMPLETED, directory=own.directory))

    def rows(self) -> list[dict[str, Any]]:
        """The hot copy, as the API reported it last, or as it would be."""
        if self.row is not None:
            return [self.row]
        directory = self._wanted.all_directories[0]
        return [{"status": COMPLETED, "destinationDirectory": directory}] if self._preview else []

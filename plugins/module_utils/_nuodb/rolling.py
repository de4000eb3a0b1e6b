# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes one server of a domain out and back in while its databases run: in which order, and what prevents it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Optional

from .._convergence.stage import Stage
from .._errors import Failed, Refused
from .._wording import joined
from . import external, serving
from .api.objects import TE, Process
from .databases import tombstones
from .databases.shutdown import running_hotcopies
from .databases.wanted import SAY_WHERE, WantedDatabase, chosen, need_tombstones, te_servers
from .processes import end
from .processes.selection import STOPPED
from .servers import chosen as chosen_servers
from .view import DomainView, Snapshot

ELSEWHERE = "put the storage group on another archive first (nuodb_storage_group); nothing overrides this"

GO_ON = "if an earlier run was cut off, name the server where it stopped in cut_off (maintenance_rolling_cut_off)"


@dataclass(frozen=True)
class RollingChoice:
    """The options.

    :param databases: the option `databases` of nuodb_database, which may set the TEs.
    :param cut_off: the server at which an earlier run was cut off; that run took out what is missing there.
    :param ignored: archives that stay down.
    :param allow_last_te: a database may be without a TE meanwhile.
    :param named_alone: only the named databases count; else all of the domain.
    :param go_on: the hint how to continue after a run was cut off.
    :param asked_counts: whether a TE that was shut down on request, and that no other replaced, prevents the work.
    """

    databases: list[Any]
    cut_off: Optional[str] = None
    ignored: tuple[int, ...] = ()
    allow_last_te: bool = False
    named_alone: bool = False
    go_on: str = GO_ON
    asked_counts: bool = True


@dataclass
class Against:
    """What prevents the work, and what to do about it."""

    found: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def add(self, why: str, *hints: str) -> None:
        self.found.append(why)
        self.hints += hints


class Rolling:
    """A domain whose servers a run takes out, as it is now."""

    def __init__(self, view: DomainView, choice: RollingChoice) -> None:
        self._view, self._choice = view, choice
        self.seen: Snapshot = view.look()
        if choice.cut_off:
            chosen_servers(view.name, [choice.cut_off], self.seen)
        every = chosen(view.name, choice.databases, self.seen) if self.seen.databases else []
        self._up: dict[str, WantedDatabase] = {one.db_name: one for one in every if not self._is_down(one.db_name)}
        self.named = [one.db_name for one in every]
        for name in self.seen.databases:  # a database that no option names runs too
            if not self._is_down(name) and not choice.named_alone:
                self._up.setdefault(name, WantedDatabase(name))
        if need_tombstones(list(self._up.values())):
            self.seen.tombstones = view.tombstones(list(self._up))
        self._asked = {name: tombstones.asked_to_go(self.seen, name) for name in self._up}

    def _is_down(self, name: str) -> bool:
        return self.seen.databases[name].is_down

    # -- what there is

    def order(self, named: list[str]) -> list[str]:
        """The order of the servers: first that of the run that was cut off; the leader last if none is named."""
        if named:
            found = chosen_servers(self._view.name, named, self.seen)
        else:
            used = {process.server_id for process in self.seen.processes.values()}
            leader = next((server.leader for server in self.seen.servers.values() if server.local), None)
            found = sorted((name for name in self.seen.servers if name in used), key=lambda name: name == leader)
        first = [self._choice.cut_off] if self._choice.cut_off else []
        return list(dict.fromkeys([*first, *found]))

    def processes_on(self, server_id: str) -> list[Process]:
        return [one for one in self.seen.processes.values() if one.server_id == server_id]

    def belongs_on(self, server_id: str) -> list[dict[str, Any]]:
        """The processes of a server if nothing is missing there, in the form of the option of nuodb_process."""
        archives = [
            {"archive_id": one.archive_id}
            for name in self._up
            for one in self.archives(name)
            if one.server_id == server_id
        ]
        return archives + [
            {"db_name": name, "engine_type": TE, "server_id": server_id, "count": count}
            for name in self._up
            if (count := self._tes_on(name, server_id))
        ]

    def archives(self, name: str) -> list[Any]:
        """The archives of a database that should run."""
        return [one for one in self.seen.archives_of(name) if one.archive_id not in self._choice.ignored]

    def tes_of(self, name: str) -> Counter[str]:
        """The servers of a database's TEs, without TEs that are shutting down."""
        tes = [one for one in self.seen.processes_of(name) if one.engine_type == TE and not one.is_leaving]
        return Counter(one.server_id for one in tes)

    def _tes_on(self, name: str, server_id: str) -> int:
        there = self.tes_of(name)[server_id]
        if server_id != self._choice.cut_off:
            return there
        wanted, words = self._up[name], not need_tombstones([self._up[name]])
        if wanted.te_count is not None:
            return there + max(0, wanted.te_count - sum(self.tes_of(name).values()))
        if words:
            return max(there, (te_servers(wanted, self.seen) or []).count(server_id))
        leaving = [one for one in self.seen.processes_of(name) if one.engine_type == TE and one.is_leaving]
        gone = [stone.process for stone in self._asked[name] or []]
        return there + sum(one.server_id == server_id for one in leaving + gone)

    # -- what prevents it

    def refuse(self, servers: list[str]) -> None:
        """Checks the rules before the first of these servers is taken out, and again before each one.

        :raises Refused: something is wrong apart from the server of a run that was cut off, or a server is needed.
        """
        against = self.ills(self._choice.cut_off)
        for server in servers:
            self._needs(server, against)
        if against.found:
            raise Refused(
                f"{self._view.name}: {' '.join(servers)}: no server taken out: {'; '.join(against.found)}",
                hint=joined(against.hints),
                failed_object=" ".join(servers),
                number="DBF-6558",
            )

    def fail_unless_well(self, server: str) -> None:
        """Checks, after a server is back, that nothing is missing or out of sync.

        :raises Failed: something is missing.
        """
        against = self.ills(None)
        if against.found:
            raise Failed(
                f"{self._view.name}: {server} is back, but the domain is not as it was before: "
                f"{'; '.join(against.found)}",
                hint=joined(against.hints),
                failed_object=server,
                number="DBF-5007",
            )

    def ills(self, cut_off: Optional[str]) -> Against:
        """What is missing or out of sync, apart from the server at which a run was cut off."""
        against = Against()
        for server in self.seen.servers.values():
            if not server.evicted and not server.is_active and server.server_id != cut_off:
                against.add(
                    f"server {server.server_id} is {server.words}", "start its nuoadmin service", self._choice.go_on
                )
        for name, wanted in self._up.items():
            database = self.seen.databases[name]
            if not database.is_up:
                against.add(f"{name} is {database.state}", "wait until it runs, or is down")
                continue
            self._idle(name, cut_off, against)
            self._missing(name, wanted, cut_off, against)
        return against

    def _idle(self, name: str, cut_off: Optional[str], against: Against) -> None:
        for archive in self.archives(name):
            if self.seen.storage_of(archive.archive_id) is None and archive.server_id != cut_off:
                against.add(
                    f"archive {archive.archive_id} of {name} ({archive.where}) has no SM",
                    "nuodb_recover brings it back, ignore_archives leaves it down",
                    self._choice.go_on,
                )
        for one in self.seen.processes_of(name):
            if one.server_id != cut_off and (not one.is_running or one.is_unheard):
                silent = ", silent" if one.is_unheard else ""
                against.add(
                    f"the {one.title} of {name} is {one.state}{silent}", "wait until it runs", self._choice.go_on
                )

    def _missing(self, name: str, wanted: WantedDatabase, cut_off: Optional[str], against: Against) -> None:
        there, should = self.tes_of(name), te_servers(wanted, self.seen)
        if should is None:
            against.add(f"{name}: no option says which TEs it should have", SAY_WHERE)
        lacking = Counter(should or []) - there
        if wanted.te_count is not None and cut_off:
            lacking = Counter()  # whichever server has room now, the TEs were on the server where the run was cut off
        for server in lacking:
            if server != cut_off:
                against.add(f"{name} lacks a TE on {server}", "nuodb_recover brings it back")
        if not need_tombstones([wanted]) or not self._choice.asked_counts:
            return
        asked = self._asked[name]
        if asked is None:
            against.add(f"{name}: no record shows whether a TE that was shut down was replaced", SAY_WHERE)
        for stone in asked or []:
            where = stone.process.server_id
            if where != cut_off:
                at = tombstones.moment(stone)
                against.add(
                    f"{name} has no TE in place of the one on {where} that was shut down on request"
                    + (f" at {at:%Y-%m-%d %H:%M:%S %Z}" if at else ""),
                    self._choice.go_on,
                    f"if that TE should stay down, {SAY_WHERE}",
                )

    def _needs(self, server: str, against: Against) -> None:
        """Adds what the domain would lack without a server. The server where a run was cut off is back by then."""
        back = self._choice.cut_off if server != self._choice.cut_off else None
        voters = [one for one in self.seen.servers.values() if one.is_voter]
        stay = [one for one in voters if one.server_id != server and (one.is_connected or one.server_id == back)]
        if 2 * len(stay) <= len(voters):
            against.add(
                f"without the AP of {server}, only {len(stay)} of {len(voters)} APs with a vote would stay, which is "
                "no majority",
                "a majority of the servers must stay; nothing overrides this",
            )
        pods = sorted({one.db_name for one in self.processes_on(server) if one.external})
        for name in pods:
            against.add(
                f"{external.says(name, external.sign(self.seen, name))}, so its processes on {server} would be started "
                "again during the work",
                "drain the node (kubectl drain) instead, or restart single processes (nuodb_process state=stopped, "
                "allow_restart: true); nothing overrides this",
            )
        for name in self._up:
            if any(one.server_id == server for one in self.archives(name)):
                self._needs_storage(name, server, back, against)
            tes = self.tes_of(name)
            if back:
                tes[back] = self._tes_on(name, back)
            if tes[server] and tes[server] == sum(tes.values()) and not self._choice.allow_last_te:
                against.add(
                    f"all TEs of {name} are on {server}, so nobody could use {name} meanwhile",
                    "start a TE on another server first (nuodb_process); allow_last_te: true "
                    "(maintenance_rolling_allow_last_te) accepts the interruption",
                )

    def _needs_storage(self, name: str, server: str, back: Optional[str], against: Against) -> None:
        archives = self.archives(name)
        mine = {one.archive_id for one in archives if one.server_id == server}
        others = {one.archive_id for one in self.seen.processes_of(name) if one.is_storage and one.is_running} - mine
        others |= {one.archive_id for one in archives if one.server_id == back}
        if not others:
            against.add(
                f"all SMs of {name} that run are on {server}",
                "add an archive elsewhere (nuodb_archive), or shut the database down for the work; "
                "nothing overrides this",
            )
            return
        for group in serving.lost_without(serving.groups(self._view, name), mine, others):
            against.add(f"all archives that run with storage group {group} of {name} are on {server}", ELSEWHERE)
        if running_hotcopies(self._view.hotcopies(name)):
            against.add(f"a hot copy of {name} is running, and would break off", "wait until the hot copy ends")

    # -- out

    def leaving(self, server: str) -> list[Stage]:
        """The stages that shut down a server's TEs, then its SMs."""
        ours = self.processes_on(server)
        parts = [[one for one in ours if one.is_storage is storage] for storage in (False, True)]
        return [stage for part in parts if part for stage in end.EndProcesses(self._view, part, STOPPED).stages()]

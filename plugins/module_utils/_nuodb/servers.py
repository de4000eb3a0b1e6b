# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""How admin processes (APs) are awaited, shut down in the safe order, and taken out of the membership."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Optional

from .._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Together, Wait
from .._errors import ClusterError, Refused, Unreachable
from .._options import refuse_unknown
from .._wording import listing
from . import serving
from .api.objects import Process, Server
from .guards import refuse_without_quorum
from .view import DomainView, Snapshot

ACTIVE = "active"
STOPPED = "stopped"
GONE = "absent"

DELETE = "delete server"
"""The step that takes a server out of the membership."""

SILENCE = 2.0
"""Seconds for which every URL must be silent before the last AP counts as stopped."""

QUORUM = "quorum"
EACH = "each"
"""Wait for each of these servers: a quorum is not enough."""

ENOUGH = (
    "; the APs have a quorum: with require: quorum (nuodb_cold_start_require, nuodb_recover_require) the run would go "
    "on"
)
"""The end of the text of a wait that the user can end."""


def chosen(cluster: str, wanted: list[str], snapshot: Snapshot) -> list[str]:
    """The servers that the option names; `all` stands for all members.

    :raises ClusterError: no name, or an unknown one.
    """
    known = [server.server_id for server in snapshot.servers.values() if not server.evicted]
    if not wanted:
        raise ClusterError(f"{cluster}: no server is named: give names, or all")
    if "all" in wanted:
        return known
    refuse_unknown(cluster, "server", wanted, snapshot.servers)
    return list(dict.fromkeys(wanted))


@dataclass(frozen=True)
class ServerState:
    """A server that should be active, as an AP sees it.

    :param leader: the leader; None if there is none.
    :param quorum: whether a majority of the APs is in touch.
    """

    words: str
    is_active: bool
    leader: Optional[str]
    quorum: bool

    def as_dict(self) -> dict[str, Any]:
        return {"state": self.words, "leader": self.leader, "quorum": self.quorum}


class AwaitServers:
    """Waits for a majority with one leader, and for the named servers. REST can't start an AP, so the run only waits.

    :param require: `all`, `quorum` or `each`.
    :param snapshot: the servers as they were read just now.
    :ivar seen: the servers, as the last look showed them.
    """

    def __init__(self, view: DomainView, names: list[str], require: str, snapshot: Snapshot) -> None:
        self._view = view
        self._names = names
        self._require = require
        self._fresh = True
        self.seen = snapshot

    def read(self, names: list[str]) -> dict[str, ServerState]:
        if not self._fresh:
            self.seen = self._view.look("servers")
        self._fresh, seen = False, self.seen.servers
        leader = next((server.leader for server in seen.values() if server.local), None)
        found = {}
        for name in names:
            server = seen.get(name)
            words, is_active = (server.words, server.is_active) if server else ("unknown", False)
            found[name] = ServerState(words, is_active, leader, self.seen.has_quorum)
        return found

    def decide(self, _name: str, member: ServerState, _history: History) -> Decision:
        if member.quorum and (member.is_active or self._require == QUORUM):
            return Done()
        return Wait(self.words(member) + (ENOUGH if member.quorum and self._require != EACH else ""))

    @staticmethod
    def words(member: ServerState) -> str:
        """The state of a server for people."""
        if member.quorum:
            return member.words
        return f"{member.words}, {'no quorum' if member.leader else 'no leader'}"

    def stages(self) -> list[Stage]:
        """The stage that waits for them."""
        return [
            Stage(
                noun="servers",
                done=ACTIVE,
                names=self._names,
                read=Together(self.read),
                decide=self.decide,
                words=self.words,
                target=lambda _name, member: member,
            )
        ]


class StopServers:
    """Shuts APs down: followers first, the leader last.

    :param evict_local: go on although database processes run there, which are then evicted.
    :param allow_offline_group: go on although a storage group would lose its last SM while TEs run elsewhere.
    """

    def __init__(
        self,
        view: DomainView,
        names: list[str],
        snapshot: Snapshot,
        evict_local: bool,
        allow_offline_group: bool = False,
    ) -> None:
        self._view = view
        self._names = names
        self._evict_local = evict_local
        self._allow_offline_group = allow_offline_group
        members = [name for name, server in snapshot.servers.items() if not server.evicted]
        self._whole = set(names) >= {name for name in members if snapshot.servers[name].is_connected}
        leader = next((server.leader for server in snapshot.servers.values() if server.local), None)
        self._urls = self._view.own_urls() if self._whole else {}
        self._quorum = snapshot.has_quorum
        self._last = self._last_of(leader) if self._whole else None
        self._pods = view.in_kubernetes()

    def _last_of(self, leader: Optional[str]) -> Optional[str]:
        """The leader if one of the URLs is its own; else another AP with a URL of its own."""
        able = [name for name in self._urls if name in self._names]
        return leader if leader in able else (able[0] if able else None)

    def stages(self) -> list[Stage]:
        """The stages in order. Silence proves the end of the last AP of a domain, because no AP is left to answer."""
        first = [name for name in self._names if name != self._last]
        stages = [self._stage("servers", first, self._read, guard=self.guard)] if first else []
        if self._last:
            stages.append(
                self._stage("last server", [self._last], self._read_last, guard=self._guard_last, steady=SILENCE)
            )
        return stages

    def _stage(self, noun: str, names: list[str], read: Any, **more: Any) -> Stage:
        return Stage(
            noun=noun,
            done=STOPPED,
            names=names,
            read=Each(read),
            decide=self.decide,
            target=lambda _name, _state: STOPPED,
            **more,
        )

    def _read(self, name: str) -> str:
        seen = self._view.look("servers")
        server, self._quorum = seen.servers.get(name), seen.has_quorum
        return ACTIVE if server is not None and server.is_connected else STOPPED

    def _read_last(self, _name: str) -> str:
        return ACTIVE if self._view.answers() else STOPPED

    def decide(self, name: str, state: str, _history: History) -> Decision:
        if state == STOPPED:
            return Done()
        if self._pods:
            return Fail(
                "Kubernetes manages the domain, and the AP's pod would only start the AP again",
                hint="to stop APs for good, scale their StatefulSet to 0, after those of the databases (kubectl scale "
                "--replicas=0); nothing overrides this here",
                number="DBF-6559",
            )
        return Act("shutdown server", partial(self._shutdown, name))

    def _shutdown(self, name: str) -> None:
        """Shuts down one AP. If a whole domain stops and its majority is gone, this AP itself gets the call."""
        own = {} if self._quorum or name == self._last else {"url": self._urls.get(name)}
        self._view.domain.shutdown_server(name, self._evict_local, **own)

    def guard(self) -> None:
        """The rules before an AP stops: it has no process, and a majority stays or the whole domain stops."""
        snapshot = self._view.look("servers", "processes")
        self._refuse_under_processes(snapshot)
        if not self._whole:
            self._refuse_minority(snapshot)

    def _refuse_under_processes(self, snapshot: Snapshot) -> None:
        ours = [process for process in snapshot.processes.values() if process.server_id in self._names]
        if ours and not self._evict_local:
            raise Refused(
                f"{self._view.name}: no AP shut down: the servers still have processes ({_processes(ours)}), "
                "and without their AP these can be neither watched nor shut down in order",
                hint="shut the databases down first (nuodb_database state=stopped), or the processes (nuodb_process "
                "state=stopped); evict_local: true ends them with their AP",
                failed_object=" ".join(sorted({process.server_id for process in ours})),
                last_state={process.start_id: process.state for process in ours},
                number="DBF-6556",
            )
        if ours and not self._allow_offline_group:
            _refuse_taking_last(self._view, snapshot, ours)

    def _refuse_minority(self, snapshot: Snapshot) -> None:
        voters = [server for server in snapshot.servers.values() if server.is_voter]
        stay = [server for server in voters if server.is_connected and server.server_id not in self._names]
        if 2 * len(stay) <= len(voters):
            raise Refused(
                f"{self._view.name}: no AP shut down: only {len(stay)} of {len(voters)} APs with a vote would stay, "
                "which is no majority: the domain could neither start, stop nor recover anything",
                hint="name fewer servers, or all of them to shut the domain down; a server that is gone for good is "
                "taken out of the membership with state=absent first",
                failed_object=" ".join(self._names),
                last_state={server.server_id: server.words for server in voters},
                number="DBF-6557",
            )

    def _guard_last(self) -> None:
        try:
            self._refuse_under_processes(self._view.look("servers", "processes"))
        except Unreachable:
            if self._view.answers():
                raise


@dataclass(frozen=True)
class ServerRemovalState:
    """A server that should leave the domain.

    :param left: how many archives and processes it has.
    """

    server: Server
    left: int

    def as_dict(self) -> dict[str, Any]:
        return {"state": self.server.words, "archives_and_processes": self.left}


class RemoveServers:
    """Takes servers that are gone for good out of the membership.

    :param remove_state: remove their archives and processes too.
    :param allow_offline_group: go on although a storage group would lose its last SM while TEs run elsewhere.
    """

    def __init__(self, view: DomainView, remove_state: bool, allow_offline_group: bool = False) -> None:
        self._view = view
        self._remove_state = remove_state
        self._allow_offline_group = allow_offline_group

    def read(self, names: list[str]) -> dict[str, Optional[ServerRemovalState]]:
        seen = self._view.look("servers", "archives", "processes")
        left = Counter(archive.server_id for archive in seen.archives.values())
        left.update(process.server_id for process in seen.processes.values())
        return {
            name: ServerRemovalState(seen.servers[name], left[name]) if name in seen.servers else None for name in names
        }

    def decide(self, name: str, member: Optional[ServerRemovalState], _history: History) -> Decision:
        if member is None:
            return Done()
        if member.server.is_connected:
            return Fail(
                "it is connected, and taking it out would cut its processes off",
                hint="shut its AP down first (nuodb_server state=stopped); nothing overrides this",
                number="DBF-6603",
            )
        if self._remove_state and member.left:
            return Act("remove its state", partial(self._view.domain.remove_server_state, name), then=(DELETE,))
        return Act(DELETE, partial(self._view.domain.delete_server, name))

    def guard(self, names: list[str]) -> None:
        """The rules before a server leaves: the others can agree on it, and no archive or process is left over."""
        snapshot = self._view.look("servers", "archives", "processes")
        refuse_without_quorum(self._view.name, snapshot)
        archives = [archive for archive in snapshot.archives.values() if archive.server_id in names]
        ours = [process for process in snapshot.processes.values() if process.server_id in names]
        if (archives or ours) and not self._remove_state:
            said = [f"archive {listing([str(archive.archive_id) for archive in archives])}"] if archives else []
            said += [_processes(ours)] if ours else []
            raise Refused(
                f"{self._view.name}: no server removed: {' and '.join(said)} would stay behind without a server",
                hint="remove_state: true removes the archives' objects (their files stay) and evicts the processes",
                failed_object=" ".join(names),
                last_state={"archives": [archive.where for archive in archives], "processes": len(ours)},
                number="DBF-6603",
            )
        if ours and not self._allow_offline_group:
            _refuse_taking_last(self._view, snapshot, ours)

    def stages(self, names: list[str]) -> list[Stage]:
        """The stage that takes all of them out."""
        return [
            Stage(
                noun="servers",
                done=GONE,
                names=names,
                read=Together(self.read),
                decide=self.decide,
                words=lambda member: member.server.words if member else GONE,
                target=lambda _name, _member: None,
                guard=partial(self.guard, names),
            )
        ]


def _refuse_taking_last(view: DomainView, snapshot: Snapshot, ours: list[Process]) -> None:
    stay = {key: one for key, one in snapshot.processes.items() if one not in ours}
    left = replace(snapshot, processes=stay)
    serving.refuse_taking_last(view, snapshot, left, ours, "allow_offline_group: true")


def _processes(processes: list[Process]) -> str:
    return listing([process.title for process in processes], 4, ", ")


def after(
    view: DomainView, names: list[str], state: str, preview: bool, seen: Optional[Snapshot] = None
) -> dict[str, dict[str, Any]]:
    """The servers at the end, or as predicted, as plain data; empty if the last AP was stopped.

    :param names: the servers that the task brings to the state.
    :param seen: the servers, if they were read a moment ago.
    """
    try:
        plain = (seen or view.look("servers")).as_plain()["servers"]
    except Unreachable:
        if state != "stopped":
            raise
        return {}
    if preview and state == "active":
        leader = next((row["leader"] for row in plain.values() if row["leader"]), next(iter(plain), None))
        up = {"state": "ACTIVE", "connected": "Connected", "leader": leader}
        return {key: {**row, **up} if key in names else row for key, row in plain.items()}
    if preview and state == "stopped":
        return {key: {**row, "connected": "Disconnected"} if key in names else row for key, row in plain.items()}
    if preview and state == "absent":
        return {key: row for key, row in plain.items() if key not in names}
    return plain


def without_state(view: DomainView, names: list[str]) -> dict[str, dict[str, Any]]:
    """The archives and processes as they would be without those of these servers, as plain data."""
    plain = view.look("archives", "processes").as_plain()
    return {
        part: {key: row for key, row in plain[part].items() if row["server_id"] not in names}
        for part in ("archives", "processes")
    }

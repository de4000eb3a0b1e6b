# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin processes (APs) of a domain: which run, which hear each other, which leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..clock import Timer

if TYPE_CHECKING:
    from .domain import Domain
    from .processes import Process

AGENT_PORT, REST_PORT = 48004, 8888


class Server:
    """One AP: its service is stopped, starting, up, or about to stop."""

    def __init__(self, domain: Domain, name: str, options: dict[str, Any]) -> None:
        self.domain, self.id = domain, name
        self.address = str(options["address"])
        self.host = self.address.rpartition(":")[0] or self.address
        self.labels = {str(key): str(value) for key, value in (options.get("labels") or {}).items()}
        self.version = str(options.get("version") or domain.spec.version)
        self.evicted = bool(options.get("evicted"))
        self.passive = bool(options.get("passive"))
        self.up = options["state"] == "ACTIVE"
        self.starting = False
        self.isolated = False
        self.member = True
        self.left_at = 0.0
        self.stale: dict[str, list[dict[str, Any]]] | None = None
        """The last known state of the domain, while the server hears no leader."""
        self._timer: Timer | None = None

    @property
    def state(self) -> str:
        return "ACTIVE" if self.up else "starting" if self.starting else "stopped"

    def start(self) -> None:
        """Starts the service, as an administrator of the machine does."""
        if self.up or self.starting or not self.member:
            return
        self.starting = True
        self._after("server_start", self._came)

    def _came(self) -> None:
        self.starting, self.up = False, True
        self.domain.servers.changed()
        self.domain.wake()

    def request_stop(self) -> None:
        self._after("server_shutdown", self.stop)

    def stop(self) -> None:
        """Ends the service at once."""
        if self._timer is not None:
            self._timer.cancel()
        if not (self.up or self.starting):
            return
        self.up = self.starting = False
        self.left_at = self.domain.clock.now()
        if not self.domain.settings["engines_survive_server"]:
            for process in self.processes():
                process.die(1, "Lost connection to its admin process")
        self.domain.pods.stopped(self)
        self.domain.servers.changed()
        self.domain.wake()

    def processes(self) -> list[Process]:
        return [one for one in self.domain.processes.values() if one.server is self]

    def _after(self, name: str, action: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # no key: a poll for a server that is down gets no answer that counts
        self._timer = self.domain.clock.after(self.domain.timing[name], action)
        self.domain.wake()


class Servers:
    """Membership and leadership. `leader` is the server on which the servers that hear a majority agree."""

    def __init__(self, domain: Domain, rows: dict[str, dict[str, Any]]) -> None:
        self.domain = domain
        self.all = {name: Server(domain, name, options) for name, options in rows.items()}
        self.term = 1
        self.index = 1
        self.leader: Server | None = None
        self._election: Timer | None = None
        self._managing: set[str] = set()
        wanted = [self.all[name] for name, options in rows.items() if options.get("role") == "LEADER"]
        together = self._majority()
        if together:
            self.leader = next((one for one in wanted if one in together), together[0])
        self._managing = {one.id for one in self._following(together)}

    def members(self) -> list[Server]:
        return [one for one in self.all.values() if one.member]

    def voters(self) -> list[Server]:
        return [one for one in self.members() if not one.evicted and not one.passive]

    def _following(self, together: list[Server]) -> list[Server]:
        """The servers that know the state of the majority: its members, and passive servers that hear them."""
        passive = [one for one in self.members() if one.passive and one.up and not one.isolated and not one.evicted]
        return together + passive if together else []

    def _majority(self) -> list[Server]:
        """The voters that hear each other, if they are a majority; otherwise none."""
        voters = self.voters()
        together = [one for one in voters if one.up and not one.isolated]
        if len(together) > len(voters) / 2:
            return together
        return [one for one in voters if one.up] if len(voters) == 1 else []

    def changed(self) -> None:
        """Reacts to a server that came, went, or was cut off."""
        together = self._majority()
        if self.leader is not None and self.leader not in together:
            self.leader = None
        self._freeze(together)
        if self.leader is None and together and (self._election is None or not self._election.open):
            self._election = self.domain.clock.after(self.domain.timing["election"], self._elect)
        self.domain.wake()

    def _elect(self) -> None:
        together = self._majority()
        if self.leader is None and together:
            self.term += 1
            self.index += 1
            self.leader = together[0]
        self._freeze(together)
        self.domain.wake()

    def lead(self, server: Server) -> bool:
        """Makes a server the leader, if it can lead; returns whether it does."""
        if server in self._majority() and server is not self.leader:
            self.leader = server
            self.term += 1
            self.index += 1
            self._freeze(self._majority())
        return self.leader is server

    def manages(self, server: Server) -> bool:
        """Whether a server follows the domain's state and acts on its processes."""
        return server.id in self._managing

    def _freeze(self, together: list[Server]) -> None:
        """Freezes servers that hear no majority: they know the last state that they heard, and act on nothing."""
        together = self._following(together)
        self._managing, before = {one.id for one in together}, self._managing
        for process in list(self.domain.processes.values()):
            if process.server.id in self._managing - before:
                process.server_came()
        for one in self.all.values():
            if one in together or not one.up:
                one.stale = None
            elif one.stale is None:
                one.stale = self.domain.snapshot()

    def hears(self, one: Server, other: Server) -> bool:
        return one is other or (one.up and other.up and not one.isolated and not other.isolated)

    def leader_of(self, one: Server) -> Server | None:
        """The leader that this server knows."""
        if self.leader is None or one.evicted or not one.member:
            return None
        return self.leader if self.hears(one, self.leader) else None

    def isolate(self, server: Server, isolated: bool) -> None:
        server.isolated = isolated
        server.left_at = self.domain.clock.now()
        self.changed()

    def loses_majority(self, server: Server) -> bool:
        """Whether the domain would be without a majority if this server went."""
        rest = [one for one in self._majority() if one is not server]
        return bool(self._majority()) and len(rest) <= len(self.voters()) / 2

    def remove(self, server: Server) -> None:
        server.member = False
        if server.up:
            server.request_stop()
        self.changed()

    def rows(self, view: Server) -> list[dict[str, Any]]:
        """The servers as one server sees them."""
        now = self.domain.clock.now()
        rows = []
        for one in self.members():
            heard = self.hears(view, one)
            leader = self.leader_of(view) if heard else None
            role = "LEADER" if leader is one else "FOLLOWER" if leader is not None else "CANDIDATE"
            gone = max(one.left_at, view.left_at if view.isolated else 0.0)
            rows.append(
                {
                    "id": one.id,
                    "address": one.address,
                    "isLocal": one is view,
                    "isEvicted": one.evicted,
                    "isPassive": one.passive,
                    "peerState": "ADDED",
                    "peerMemberState": "ADDED",
                    "version": "0:10000",
                    "fullVersion": one.version,
                    "labels": dict(one.labels),
                    "connectedState": {
                        "state": "Connected" if heard else "Disconnected",
                        "latency": 1_000_000 if heard else -1,
                        "lastAckDeltaMillis": round(1000 * (now % 1.0 if heard else now - gone)),
                    },
                    "localRoleInfo": {
                        "role": role if heard else "FOLLOWER",
                        "leaderServerId": None if leader is None else leader.id,
                        "lifeCycle": "ACTIVE",
                        "localPeerTermIndexInfo": {
                            "currentTerm": self.term,
                            "logLastTerm": self.term,
                            "logLastIndex": self.index,
                            "commitIndex": self.index,
                            "valid": True,
                        },
                    },
                }
            )
        return rows

    def config(self, server: Server) -> dict[str, str]:
        """The properties of a server's configuration."""
        host, _colon, port = server.address.rpartition(":")
        return {
            "ThisServerId": server.id,
            "altAddr": host or server.address,
            "agentPort": str(AGENT_PORT),
            "adminPort": port if port.isdecimal() else "48005",
            "restPort": str(REST_PORT),
            "portRange": "48006",
            "ssl": "true",
            "leaderAssignmentTimeout": str(self.domain.patience_ms),
        }

    def summary(self) -> dict[str, dict[str, Any]]:
        """The objects in the form of a topology."""
        view = self.leader or next((one for one in self.members() if one.up), None)
        shown = {row["id"]: row for row in self.rows(view)} if view is not None else {}
        rows: dict[str, dict[str, Any]] = {}
        for one in self.members():
            row = shown.get(one.id, {})
            rows[one.id] = {
                "server_id": one.id,
                "address": one.address,
                "role": row.get("localRoleInfo", {}).get("role"),
                "leader": None if self.leader is None else self.leader.id,
                "state": one.state,
                "connected": row.get("connectedState", {}).get("state", "Disconnected"),
                "evicted": one.evicted,
                "passive": one.passive,
                "local": one is view,
                "isolated": one.isolated,
                "labels": dict(one.labels),
                "version": one.version,
            }
        return rows

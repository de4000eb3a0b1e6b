# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""What a NuoDB domain consists of, read from the JSON of the Admin REST API and named as nuocmd names it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Optional

from ..._foreign import one_line

# Process durable states, in their order (NUODB-289).
REQUESTED = "REQUESTED"
STARTED = "STARTED"
CONFIGURED = "CONFIGURED"
TRACKED = "TRACKED"
MONITORED = "MONITORED"
REQUESTED_SHUTDOWN = "REQUESTED_SHUTDOWN"

RUNNING = "RUNNING"
NOT_RUNNING = "NOT_RUNNING"
PROVISIONED = "PROVISIONED"
TOMBSTONE = "TOMBSTONE"
UNKNOWN = "UNKNOWN"

AWAITING_ALL = "AWAITING_ARCHIVE_HISTORIES_MSG"
AWAITING_SOME = "AWAITING_ARCHIVE_HISTORIES_INC"
UP = (RUNNING, AWAITING_SOME)
"""Database states in which it can be used: with AWAITING_ARCHIVE_HISTORIES_INC an archive is down, not the database."""

COMING = (AWAITING_ALL, REQUESTED, STARTED)
GOING = ("REQUESTED_TE_SHUTDOWN", "REQUESTED_SM_SHUTDOWN")
DOWN = (NOT_RUNNING, TOMBSTONE)

SM = "SM"
TE = "TE"

EVICTED = "Evicted"
PASSIVE = "PASSIVE"

UNHEARD = 20_000
"""Milliseconds without a message after which nuocmd calls a process unreachable (NUODB-302)."""


@dataclass(frozen=True)
class Server:
    """An admin process (AP), as the AP that was asked sees it (NUODB-255, NUODB-257, NUODB-260, NUODB-261, NUODB-265).

    :param leader: server ID of the leader it knows, None without one.
    :param state: `ACTIVE` and the life-cycle states before it.
    :param connected: `Connected` or `Disconnected`.
    :param passive: it follows the domain's state and has no vote on it.
    """

    server_id: str
    address: str = ""
    role: str = ""
    leader: Optional[str] = None
    state: str = ""
    connected: str = ""
    evicted: bool = False
    local: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    version: Optional[str] = None
    passive: bool = False

    @classmethod
    def of(cls, row: dict[str, Any]) -> Server:
        role, connected = row.get("localRoleInfo") or {}, str((row.get("connectedState") or {}).get("state") or "")
        return cls(
            _name(row["id"]),
            str(row.get("address") or ""),
            str(role.get("role") or ""),
            role.get("leaderServerId") or None,
            str(role.get("lifeCycle") or ""),
            connected,
            bool(row.get("isEvicted")) or connected == EVICTED,
            bool(row.get("isLocal")),
            row.get("labels") or {},
            row.get("fullVersion") or row.get("version"),
            bool(row.get("isPassive")),
        )

    @property
    def is_voter(self) -> bool:
        """Whether it counts for the majority (NUODB-275)."""
        return not self.evicted and not self.passive

    @property
    def host(self) -> str:
        """Where its machine is, without the port."""
        return self.address.rpartition(":")[0].strip("[]") or self.address

    @property
    def is_connected(self) -> bool:
        return self.connected == "Connected" and not self.evicted

    @property
    def is_active(self) -> bool:
        return self.is_connected and self.state == "ACTIVE"

    @property
    def words(self) -> str:
        if self.is_connected:
            return f"{PASSIVE if self.passive else self.state or 'unknown'}:{self.connected}"
        return EVICTED if self.evicted else self.connected or "unknown"


@dataclass(frozen=True)
class Database:
    """A database object (NUODB-240, NUODB-241, NUODB-308).

    :param incarnation: (major, minor): cold starts so far, processes that exited within the present one.
    """

    db_name: str
    state: str
    incarnation: tuple[int, int] = (0, 0)
    default_options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Database:
        state, options = str(row.get("state") or UNKNOWN), dict(row.get("databaseOptions") or {})
        return cls(_name(row["name"]), state, _incarnation(row), options)

    @property
    def is_up(self) -> bool:
        return self.state in UP

    @property
    def is_down(self) -> bool:
        return self.state in DOWN

    @property
    def next_incarnation(self) -> dict[str, int]:
        """The incarnation that a start is for (NUODB-184, NUODB-185)."""
        major, minor = self.incarnation
        return {"major": major + 1, "minor": 0} if self.is_down else {"major": major, "minor": minor}

    def as_dict(self) -> dict[str, Any]:
        return as_plain(self)


@dataclass(frozen=True)
class Archive:
    """An archive object (NUODB-248, NUODB-249).

    :param removed: it was deleted, but not purged.
    """

    archive_id: int
    db_name: str
    server_id: Optional[str]
    archive_path: str
    state: str
    journal_path: Optional[str] = None
    snapshot_archive_path: Optional[str] = None
    observer_storage_groups: tuple[str, ...] = ()
    removed: bool = False

    @classmethod
    def of(cls, row: dict[str, Any], removed: bool = False) -> Archive:
        return cls(
            int(row["id"]),
            str(row.get("dbName") or ""),
            None if row.get("host") is None else _name(row["host"]),
            str(row.get("path") or ""),
            str(row.get("state") or UNKNOWN),
            row.get("journalPath") or None,
            row.get("snapshotArchivePath") or None,
            tuple(row.get("observerStorageGroups") or ()),
            removed,
        )

    @property
    def external(self) -> bool:
        """Whether a pod or the like, and no AP, starts its SM (NUODB-254)."""
        return self.server_id is None

    @property
    def where(self) -> str:
        return f"{self.server_id or '(external)'}:{self.archive_path}"


@dataclass(frozen=True)
class Process:
    """A database process that runs or was requested (NUODB-228, NUODB-229, NUODB-232).

    :param external: a pod or the like started it, and starts it again (NUODB-35).
    :param recovery: the part of its journal that an SM has replayed, from 0 to 1, while it recovers (NUODB-236).
    :param saved: the part of the replayed changes that is saved, from 0 to 1.
    """

    start_id: str
    db_name: str
    engine_type: str
    server_id: str
    durable_state: str
    engine_state: str = UNKNOWN
    archive_id: Optional[int] = None
    node_id: Optional[int] = None
    pid: Optional[int] = None
    address: Optional[str] = None
    labels: dict[str, str] = field(default_factory=dict)
    version: Optional[str] = None
    last_heard_from: Optional[int] = None
    born: Optional[tuple[int, int]] = None
    external: bool = False
    recovery: Optional[float] = None
    saved: Optional[float] = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Process:
        host, port, archive = row.get("hostname") or row.get("address"), row.get("port"), row.get("archiveId")
        return cls(
            start_id=_name(row["startId"]),
            db_name=str(row.get("dbName") or ""),
            engine_type=str(row.get("type") or (row.get("options") or {}).get("engine-type") or ""),
            server_id=str(row.get("host") or ""),
            durable_state=str(row.get("durableState") or UNKNOWN),
            engine_state=str(row.get("state") or UNKNOWN),
            archive_id=None if archive is None else int(archive),
            node_id=row.get("nodeId"),
            pid=row.get("pid"),
            address=f"{host}:{port}" if host and port else None,
            labels=row.get("labels") or {},
            version=row.get("version"),
            last_heard_from=None if row.get("lastHeardFrom") is None else int(row["lastHeardFrom"]),
            born=_born(row),
            external=bool(row.get("isExternalStartup")) or _is_set((row.get("options") or {}).get("ext-start")),
            recovery=_fraction(row.get("journalRecoveryProgress")),
            saved=_fraction(row.get("archiveSaveProgress")),
        )

    @property
    def is_storage(self) -> bool:
        return self.engine_type != TE

    @property
    def is_running(self) -> bool:
        return (self.durable_state, self.engine_state) == (MONITORED, RUNNING)

    @property
    def is_leaving(self) -> bool:
        return self.durable_state == REQUESTED_SHUTDOWN

    @property
    def had_joined(self) -> bool:
        """Whether it had joined the database, so that it could serve it."""
        return self.durable_state == MONITORED or self.leaves_joined

    @property
    def leaves_joined(self) -> bool:
        """Whether it was asked to shut down after it had joined.

        A process gets its node ID when it joins (NUODB-305). From protocol 7.0 on, the node ID is the start ID and may
        be known from the request on, so it proves nothing (NUODB-307). The state of the engine is a proof then: an
        engine reports it only after it has joined.
        """
        if not self.is_leaving or self.node_id is None:
            return False
        return str(self.node_id) != self.start_id or self.engine_state != UNKNOWN

    @property
    def is_unheard(self) -> bool:
        """Whether it runs by the domain's state but is silent, also if it was never heard from (NUODB-302)."""
        silent = self.last_heard_from is None or self.last_heard_from > UNHEARD
        return self.durable_state in (MONITORED, REQUESTED_SHUTDOWN) and silent

    @property
    def engine_words(self) -> str:
        """The state of its engine for people, as nuocmd shows it during a journal recovery (NUODB-301, NUODB-303)."""
        recovers = self.durable_state == CONFIGURED and self.engine_state == UNKNOWN and self.recovery is not None
        if not recovers or self.recovery is None:
            return self.engine_state
        if self.saved is not None:
            return f"RECOVERING_JOURNAL, {self.saved:.0%} saved"
        return f"RECOVERING_JOURNAL, {self.recovery:.0%} replayed"

    @property
    def state(self) -> str:
        return f"{self.durable_state}:{self.engine_words}"

    @property
    def title(self) -> str:
        """Its name for people."""
        archive = "" if self.archive_id is None else f" of archive {self.archive_id}"
        return f"{self.engine_type}{archive} on {self.server_id} (start ID {self.start_id})"


@dataclass(frozen=True)
class Tombstone:
    """The domain's record of a process that exited (NUODB-331, NUODB-332).

    :param process: as it was at its exit.
    :param incarnation: of the database, counting this exit.
    :param reason: in the server's words; after `kill -9` the engine adds none of its own.
    """

    process: Process
    incarnation: tuple[int, int]
    exit_code: Optional[int]
    reason: str

    @classmethod
    def of(cls, row: dict[str, Any]) -> Tombstone:
        code = row.get("exitCode")
        return cls(
            Process.of(row["process"]),
            _incarnation(row, "databaseIncarnation"),
            None if code is None else int(code),
            str(row.get("reason") or ""),
        )

    @property
    def is_graceful(self) -> bool:
        """Whether it was asked to shut down and exited by itself."""
        return self.process.durable_state == REQUESTED_SHUTDOWN and self.exit_code == 0

    @property
    def gave_up(self) -> bool:
        """Whether it waited in vain for the histories of all archives or for an SM to join (NUODB-336, NUODB-337)."""
        return "awaiting leader assignment" in self.reason or "awaiting entry node" in self.reason

    @property
    def offline_group(self) -> str:
        """The storage group that was offline when its SM tried to join beside TEs (NUODB-287); else empty."""
        found = re.search(
            r"storage group '([^']*)' attempting to join a database containing TEs while the storage group is offline",
            self.reason,
        )
        return found[1] if found else ""

    @property
    def words(self) -> str:
        code = "no exit code" if self.exit_code is None else f"exit code {self.exit_code}"
        told = one_line(self.reason) or "no reason is known"
        return f"{self.process.title} exited in {self.process.state} with {code}: {told}"

    def as_dict(self) -> dict[str, Any]:
        return {
            **as_plain(self.process),
            "incarnation": list(self.incarnation),
            "exit_code": self.exit_code,
            "reason": self.reason,
        }


def as_plain(thing: Any) -> dict[str, Any]:
    """The object as modules return it: plain JSON types."""
    if isinstance(thing, Tombstone):
        return thing.as_dict()
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(thing).items()}


def from_plain(kind: Any, row: dict[str, Any]) -> Any:
    """The opposite of `as_plain`."""
    if kind is Tombstone:
        own = ("incarnation", "exit_code", "reason")
        process = from_plain(Process, {key: value for key, value in row.items() if key not in own})
        return Tombstone(process, tuple(row["incarnation"]), row.get("exit_code"), row.get("reason") or "")
    known = {name: row[name] for name in kind.__dataclass_fields__ if name in row}
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in known.items()})


def _name(value: Any) -> str:
    """An ID or a name as text; the server may send a number."""
    if not isinstance(value, (str, int)):
        raise TypeError("neither text nor a number")
    return str(value)


def _incarnation(row: dict[str, Any], key: str = "incarnation") -> tuple[int, int]:
    found = row.get(key) or {}
    return int(found.get("major") or 0), int(found.get("minor") or 0)


INCARNATION = re.compile(r'"incarnation"\s*:\s*\{([^}]*)\}')
NUMBERS = re.compile(r'"(major|minor)"\s*:\s*(\d+)')


def _born(row: dict[str, Any]) -> Optional[tuple[int, int]]:
    """The incarnation in which a process was requested, from the engine's own options (NUODB-235)."""
    text = str((row.get("options") or {}).get("user-data") or "")
    found = INCARNATION.search(text)
    parts = {key: int(value) for key, value in NUMBERS.findall(found.group(1))} if found else {}
    return (parts["major"], parts["minor"]) if len(parts) == 2 else None


def _fraction(value: Any) -> Optional[float]:
    return None if value is None else float(value)


def _is_set(option: Any) -> bool:
    """Whether an option of an engine is true; all of them are texts."""
    return str(option).lower() == "true"


def is_request(row: Any) -> bool:
    """Whether something is an element of a start plan (NUODB-244, NUODB-245, NUODB-422)."""
    if not isinstance(row, dict):
        return False
    archive, host, expected = row.get("archiveId"), row.get("host"), row.get("expectedIncarnation") or {"major": 0}
    if not (isinstance(host, str) and host) and not (host is None and archive is not None):
        return False
    return (archive is None or str(archive).isdecimal()) and isinstance(expected, dict) and "major" in expected


def each_once(hotcopies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hot copies that several SMs may report: each once, by its last report."""
    return list({(str(row.get("coordinatorStartId")), str(row.get("hotCopyId"))): row for row in hotcopies}.values())


def in_order(start_ids: list[str]) -> list[str]:
    """Start IDs from the oldest to the newest: they are numbers in strings, and never used twice (NUODB-238)."""
    return sorted(start_ids, key=lambda one: (int(one) if one.isdecimal() else 0, one))

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain's topology: what nuodb_domain_info returns, with a few optional keys for the simulator."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, ClassVar

from ..checks import TopologyError, names_of, objects_of
from ..settings import SettingsError, merged
from .settings import SETTINGS, TIMING, wrong

AUTHENTICATION = {"basic": "", "certificate": "demanded", "both": "accepted", "none": ""}
DURABLE = ("REQUESTED", "STARTED", "CONFIGURED", "TRACKED", "MONITORED", "REQUESTED_SHUTDOWN")
_DATABASE_TIMING = ("process_start", "sm_start", "sync", "te_start", "te_shutdown", "sm_shutdown", "hotcopy")
_ARCHIVE_TIMING = ("process_start", "sm_start", "sync", "sm_shutdown", "history")
_KEYS = {
    "product", "name", "version", "servers", "databases", "archives", "processes", "tombstones", "storage_groups",
    "hotcopies", "kubernetes",
    "users", "roles", "authentication", "ports", "timing", "settings", "values", "license", "regions",
    # keys of the admin endpoint's /state that a start doesn't need
    "clock", "cluster_time", "leader", "next_start_id", "next_archive_id",
}  # fmt: skip


@dataclass
class User:
    """`roles` None: everything is allowed."""

    name: str
    password: str
    roles: list[str] | None = None


@dataclass
class DomainSpec:
    """A domain, checked and complete. Times are in cluster seconds."""

    product: ClassVar[str] = "nuodb"
    addresses: ClassVar[dict[str, str]] = {}

    name: str
    version: str
    servers: dict[str, dict[str, Any]]
    databases: dict[str, dict[str, Any]]
    archives: dict[str, dict[str, Any]]
    processes: dict[str, dict[str, Any]]
    tombstones: dict[str, dict[str, Any]]
    storage_groups: dict[str, dict[str, dict[str, Any]]]
    hotcopies: dict[str, list[dict[str, Any]]]
    users: list[User]
    roles: list[dict[str, Any]]
    authentication: str
    ports: dict[str, int]
    timing: dict[str, float]
    settings: dict[str, Any]
    values: dict[str, str]
    license: dict[str, Any]
    regions: dict[str, str]
    next_start_id: int
    next_archive_id: int

    @property
    def listeners(self) -> list[str]:
        return list(self.servers)

    @property
    def client_certificates(self) -> str:
        return AUTHENTICATION[self.authentication]


def load(row: dict[str, Any]) -> DomainSpec:
    """The domain of a topology. Raises TopologyError."""
    name = str(row.get("name") or "domain")
    unknown = sorted(str(key) for key in row if key not in _KEYS)
    if unknown:
        raise TopologyError(f"Domain {name}: unknown key {', '.join(unknown)}.")
    try:
        timing = merged(TIMING, row.get("timing"), f"Domain {name}: timing")
        settings = merged(SETTINGS, row.get("settings"), f"Domain {name}: settings")
    except SettingsError as error:
        raise TopologyError(str(error)) from None
    settings["kubernetes"] = bool(settings["kubernetes"] or row.get("kubernetes"))
    fault = wrong(settings)
    if fault is not None:
        raise TopologyError(f"Domain {name}: the setting {fault}.")
    servers = objects_of(row.get("servers", ["server0"]), name, "servers")
    if not servers:
        raise TopologyError(f"Domain {name}: there is no server.")
    for server, options in servers.items():
        _server(name, server, options)
    databases = objects_of(row.get("databases"), name, "databases")
    archives = objects_of(row.get("archives"), name, "archives")
    processes = objects_of(row.get("processes"), name, "processes")
    tombstones = objects_of(row.get("tombstones"), name, "tombstones")
    for database, options in databases.items():
        _database(name, database, options)
    for archive, options in archives.items():
        _archive(name, archive, options, servers)
    for start_id, options in processes.items():
        _process(name, start_id, options, servers, databases, archives)
    for start_id, options in tombstones.items():
        _numbered(name, "tombstones", start_id)
        incarnation = options.get("incarnation") or [1, 1]
        options["incarnation"] = [int(number) for number in incarnation]
    authentication = str(row.get("authentication", "basic"))
    if authentication not in AUTHENTICATION:
        raise TopologyError(f"Domain {name}: authentication must be one of {', '.join(AUTHENTICATION)}.")
    roles = row.get("roles") or []
    ports = row.get("ports") or {}
    for server in ports:
        if server not in servers:
            raise TopologyError(f"Domain {name}: ports names {server}, which is not a server.")
    known = [int(one) for one in (*processes, *tombstones)]
    return DomainSpec(
        name=name,
        version=str(row.get("version") or "4.2.1-1"),
        servers=servers,
        databases=databases,
        archives=archives,
        processes=processes,
        tombstones=tombstones,
        storage_groups={str(db): objects_of(groups, name, "storage_groups")
                        for db, groups in (row.get("storage_groups") or {}).items()},
        hotcopies={str(db): list(rows or []) for db, rows in (row.get("hotcopies") or {}).items()},
        users=_users(row.get("users"), name, {str(role.get("name")) for role in roles}),
        roles=[dict(role) for role in roles],
        authentication=authentication,
        ports={str(server): int(port) for server, port in ports.items()},
        timing=timing,
        settings=settings,
        values={str(key): str(value) for key, value in (row.get("values") or {}).items()},
        license=dict(row.get("license") or {}),
        regions={str(key): str(value) for key, value in (row.get("regions") or {"0": "Default"}).items()},
        next_start_id=max([int(row.get("next_start_id", 0)), *[one + 1 for one in known]]),
        next_archive_id=max([int(row.get("next_archive_id", 0)), *[int(one) + 1 for one in archives]]),
    )  # fmt: skip


def _server(domain: str, name: str, options: dict[str, Any]) -> None:
    options.setdefault("address", f"{name}:48005")
    state = str(options.get("state") or "ACTIVE")
    if options.get("connected") == "Disconnected" or state == "starting":
        state = "stopped"
    elif state in ("INITIALIZING", "REPLAYING_LOG", "CATCHING_UP"):
        state = "ACTIVE"
    if state not in ("ACTIVE", "stopped"):
        raise TopologyError(f"Domain {domain}: server {name} can't be in state {state!r}.")
    options["state"] = state


def _database(domain: str, name: str, options: dict[str, Any]) -> None:
    options["incarnation"] = [int(number) for number in options.get("incarnation") or [0, 0]]
    _timing(domain, f"database {name}", options, _DATABASE_TIMING)


def _archive(domain: str, name: str, options: dict[str, Any], servers: dict[str, Any]) -> None:
    _numbered(domain, "archives", name)
    for key in ("db_name", "archive_path"):
        if not options.get(key):
            raise TopologyError(f"Domain {domain}: archive {name} has no {key}.")
    if options.get("server_id") is not None and options["server_id"] not in servers and not options.get("removed"):
        raise TopologyError(f"Domain {domain}: archive {name} is on {options['server_id']}, which is not a server.")
    options["state"] = str(options.get("state", "NOT_RUNNING"))
    if options["state"] not in ("PROVISIONED", "RUNNING", "NOT_RUNNING"):
        raise TopologyError(f"Domain {domain}: archive {name} can't be in state {options['state']!r}.")
    _timing(domain, f"archive {name}", options, _ARCHIVE_TIMING)


def _process(
    domain: str, name: str, options: dict[str, Any], servers: Any, databases: Any, archives: dict[str, Any]
) -> None:
    _numbered(domain, "processes", name)
    if options.get("db_name") not in databases:
        raise TopologyError(f"Domain {domain}: process {name} belongs to no database of the topology.")
    if options.get("server_id") not in servers:
        raise TopologyError(f"Domain {domain}: process {name} is on no server of the topology.")
    kind = options.get("engine_type")
    if kind not in ("SM", "TE", "SSM"):
        raise TopologyError(f"Domain {domain}: process {name} can't be of engine_type {kind!r}.")
    if kind != "TE" and str(options.get("archive_id")) not in archives:
        raise TopologyError(f"Domain {domain}: process {name} has no archive of the topology.")
    state = options.setdefault("durable_state", "MONITORED")
    if state not in DURABLE:
        raise TopologyError(f"Domain {domain}: process {name} can't be in durable_state {state!r}.")


def _numbered(domain: str, key: str, name: str) -> None:
    if not name.isdecimal():
        raise TopologyError(f"Domain {domain}: the keys of {key} must be numbers, not {name!r}.")


def _timing(domain: str, noun: str, options: dict[str, Any], names: tuple[str, ...]) -> None:
    for key in names:
        value = options.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise TopologyError(f"Domain {domain}: {noun}: {key} can't be {value!r}.")


def _users(rows: Any, domain: str, roles: set[str]) -> list[User]:
    users = []
    for row in rows or [{}]:
        if not isinstance(row, dict):
            raise TopologyError(f"Domain {domain}: a user must be a mapping of name, password and roles.")
        own = None if row.get("roles") is None else names_of(row["roles"], domain, "roles of a user")
        for role in own or []:
            if role not in roles:
                raise TopologyError(f"Domain {domain}: the topology has no role {role!r}.")
        password = row.get("password")
        text = secrets.token_urlsafe(12) if password is None else str(password)
        users.append(User(str(row.get("name", "admin")), text, own))
    return users

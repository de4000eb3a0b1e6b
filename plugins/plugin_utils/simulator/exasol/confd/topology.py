# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ConfD cluster's topology: what exa_cluster_info returns, with a few optional keys for the simulator."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...checks import TopologyError, names_of, objects_of
from ...settings import SettingsError, merged
from ..common.numbers import fits
from ..common.topology import check_choices, of_databases
from .catalogue import CLOUD, HOST, NEW, OLD
from .settings import CHOICES, REFUSALS, SETTINGS, TIMING

PORT = 8563
_KEYS = {
    "product", "provider", "name", "version", "master", "nodes", "databases", "volumes", "remote_volumes", "backups",
    "schedules", "users", "groups", "listeners", "ports", "addresses", "timing", "settings", "deployment",
    "authentication_token", "infra", "infra_refused", "sight", "volume_states", "revision", "license", "services",
    "storage_online",
    # keys that both providers report and that ConfD doesn't use
    "license_servers", "log_services", "plugins",
    # keys of the admin endpoint's /state that a start doesn't need
    "storage_state", "clock", "cluster_time", "jobs",
}  # fmt: skip
_DATABASE_STATES = {"starting": "startup", "stopping": "shutdown", "": "setup"}
_NODE = re.compile(r"^n?(\d+)$")


@dataclass
class ConfdSpec:
    """A cluster, checked and complete. Times are in cluster seconds."""

    product: ClassVar[str] = "exasol"
    provider: ClassVar[str] = "confd"
    client_certificates: ClassVar[str] = ""
    license_servers: ClassVar[list[str]] = []
    log_services: ClassVar[list[str]] = []

    name: str
    version: str
    master: str
    nodes: dict[str, dict[str, Any]]
    databases: dict[str, dict[str, Any]]
    volumes: dict[str, dict[str, Any]]
    remote_volumes: dict[str, dict[str, Any]]
    backups: dict[str, list[dict[str, Any]]]
    schedules: dict[str, dict[str, dict[str, Any]]]
    users: list[Any]
    groups: dict[str, dict[str, Any]]
    listeners: list[str]
    ports: dict[str, int]
    addresses: dict[str, str]
    authentication_token: str
    deployment: str
    revision: int
    license: dict[str, Any]
    timing: dict[str, float]
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class UserSpec:
    name: str
    password: str
    groups: list[str]
    uid: int


def node_of(value: Any) -> str | None:
    """'n11' for 'n11', '11' or 11; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    match = _NODE.match(str(value))
    return f"n{int(match.group(1))}" if match else None


def load(row: dict[str, Any]) -> ConfdSpec:
    """The cluster of a topology. Raises TopologyError."""
    name = str(row.get("name") or "cluster")
    unknown = sorted(str(key) for key in row if key not in _KEYS)
    if unknown:
        raise TopologyError(f"Cluster {name}: unknown key {', '.join(unknown)}.")
    nodes = objects_of(row.get("nodes", ["n11"]), name, "nodes")
    if not nodes:
        raise TopologyError(f"Cluster {name}: there is no node.")
    for node, options in nodes.items():
        if node_of(node) != node:
            raise TopologyError(f"Cluster {name}: a node of a ConfD cluster has a name such as n11, not {node}.")
        _node(name, node, options)
    version = str(row.get("version") or "8.29.1")
    try:
        timing = merged(TIMING, row.get("timing"), f"Cluster {name}: timing")
        settings = merged(SETTINGS, row.get("settings"), f"Cluster {name}: settings")
    except SettingsError as error:
        raise TopologyError(str(error)) from None
    check_choices(name, settings, CHOICES)
    for key in REFUSALS:
        code = str(settings[key]).partition(" ")[0]
        if not re.fullmatch(r"-?\d+", code) or not fits(int(code)):
            raise TopologyError(
                f"Cluster {name}: settings: {key} must begin with a code of at most 32 bits, not {code!r}."
            )
    settings["parameter_names"] = settings["parameter_names"] or (OLD if version.startswith("6.") else NEW)
    databases = objects_of(row.get("databases"), name, "databases")
    for database, options in databases.items():
        _database(name, database, options, nodes)
    listeners = names_of(row.get("listeners", list(nodes)), name, "listeners")
    online = [node for node in nodes if nodes[node]["state"] == "online"]
    master = str(row.get("master") or (online or list(nodes))[0])
    for one in [*listeners, master]:
        if one not in nodes:
            raise TopologyError(f"Cluster {name}: {one} isn't a node.")
    return ConfdSpec(
        name=name,
        version=version,
        master=master,
        nodes=nodes,
        databases=databases,
        volumes=objects_of(row.get("volumes", [] if databases else ["DataVolume1"]), name, "volumes"),
        remote_volumes=objects_of(row.get("remote_volumes"), name, "remote_volumes"),
        backups=of_databases(row.get("backups"), databases, name, "backups", (list,)),
        schedules=of_databases(row.get("schedules"), databases, name, "schedules", (dict,)),
        users=_users(row.get("users"), name, settings["parameter_names"]),
        groups=objects_of(row.get("groups"), name, "groups"),
        listeners=listeners,
        ports={str(node): int(port) for node, port in (row.get("ports") or {}).items()},
        addresses={str(node): str(address) for node, address in (row.get("addresses") or {}).items()},
        authentication_token=str(row.get("authentication_token") or ""),
        deployment=_deployment(name, row),
        revision=int(row.get("revision") or 1),
        license=dict(row.get("license") or {}),
        timing=timing,
        settings=settings,
    )


def _deployment(cluster: str, row: dict[str, Any]) -> str:
    known = CLOUD if row.get("infra") else HOST if row.get("infra_refused") else ""
    deployment = str(row.get("deployment") or known)
    if deployment not in ("", CLOUD, HOST):
        raise TopologyError(f"Cluster {cluster}: deployment must be {CLOUD} or {HOST}, not {deployment!r}.")
    return deployment


def _node(cluster: str, node: str, options: dict[str, Any]) -> None:
    state = str(options.get("state", "online"))
    options["state"] = {"off": "offline", "shutting_down": "offline", "deactivated": "suspended"}.get(state, state)
    if options["state"] not in ("online", "offline", "booting", "suspended"):
        raise TopologyError(f"Cluster {cluster}: node {node} can't be in state {state!r}.")


def _database(cluster: str, name: str, options: dict[str, Any], nodes: dict[str, Any]) -> None:
    state = str(options.get("state", "setup")).lower()
    options["state"] = _DATABASE_STATES.get(state, state)
    if options["state"] not in ("setup", "startup", "running", "shutdown"):
        raise TopologyError(f"Cluster {cluster}: database {name} can't be in state {state!r}.")
    given = options.get("nodes")
    if isinstance(given, dict):  # as db_info has it
        active, reserve = given.get("active") or [], given.get("reserve") or []
    else:
        active = list(given or nodes)
        number = int(options.get("num_active_nodes") or len(active))
        active, reserve = active[:number], [*active[number:], *(options.get("reserve") or [])]
    for key, names in (("nodes", active), ("reserve", reserve)):
        options[key] = [node_of(one) for one in names]
        for one, node in zip(names, options[key]):
            if node not in nodes:
                raise TopologyError(f"Cluster {cluster}: database {name} names {one}, which isn't a node.")


def _users(rows: Any, cluster: str, dialect: str) -> list[UserSpec]:
    if isinstance(rows, dict):
        rows = [{"name": name, **(row or {})} for name, row in rows.items()]
    # the containers of 6.2 have root, the deployments of 8 admin
    first: dict[str, Any] = {"name": "root", "groups": ["root"]} if dialect == OLD else {"name": "admin"}
    users = []
    for index, row in enumerate(rows or [first]):
        if not isinstance(row, dict):
            raise TopologyError(f"Cluster {cluster}: a user must be a mapping of name, password and groups.")
        name, password = str(row.get("name", first["name"])), row.get("password")
        text = secrets.token_urlsafe(12) if password is None else str(password)
        groups = names_of(row.get("groups", ["root"] if name == "root" else ["exaadm"]), cluster, f"groups of {name}")
        users.append(UserSpec(name, text, groups, int(row.get("uid", 0 if name == "root" else 1000 + index))))
    return users

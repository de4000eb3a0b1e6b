# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology file: what exa_cluster_info returns, with a few optional keys for the simulator."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .settings import SETTINGS, TIMING, SettingsError, merged

ROLES = ("User", "Supervisor", "Administrator", "Master")
_NODE = re.compile(r"^n(\d{1,})$")
_KEYS = {
    "product", "provider", "name", "version", "master", "license_servers", "nodes", "services", "storage_online",
    "databases", "log_services", "plugins",
    "machines", "users", "listeners", "exaoperation_nodes", "ports", "timing", "settings", "plugin_nodes",
    "plugin_status",
    # of the admin endpoint's /state, which tells more than a beginning needs
    "exaoperation_running", "storage_state", "clock", "cluster_time",
}  # fmt: skip


class TopologyError(ValueError):
    """A topology that can't be simulated; the message is one sentence."""


@dataclass
class User:
    name: str
    password: str
    role: str = "Administrator"


@dataclass
class ClusterSpec:
    """One cluster, checked and complete. Times are cluster seconds."""

    name: str
    version: str | None
    master: str
    license_servers: list[str]
    nodes: dict[str, dict[str, Any]]
    machines: dict[str, dict[str, Any]]
    databases: dict[str, dict[str, Any]]
    services: dict[str, str]
    storage_online: bool
    log_services: list[str]
    plugins: list[str]
    plugin_nodes: dict[str, dict[str, str]]
    plugin_status: dict[str, dict[str, str]]
    users: list[User]
    listeners: list[str]
    exaoperation_nodes: list[str]
    ports: dict[str, int]
    timing: dict[str, float]
    settings: dict[str, Any] = field(default_factory=dict)


def node_name(value: Any) -> str | None:
    """'n0011' of 'n0011', 'n11', '11' or 11, as the server's calls take a node; None of anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return f"n{value:04d}" if value >= 0 else None
    match = _NODE.match(value if str(value).startswith("n") else f"n{value}") if isinstance(value, str) else None
    return f"n{int(match.group(1)):04d}" if match else None


def read(path: str | Path) -> list[ClusterSpec]:
    """The clusters of a YAML or JSON file. Raises TopologyError."""
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise TopologyError(f"The topology {path} can't be read: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise TopologyError(f"The topology {path} is neither YAML nor JSON: {str(error).splitlines()[0]}.") from None
    return load(data)


def load(data: Any) -> list[ClusterSpec]:
    """The clusters of a topology, of a registered exa_cluster_info, or of a list of clusters. Raises TopologyError."""
    if isinstance(data, dict) and "clusters" in data:
        rows = data["clusters"]
    elif isinstance(data, dict) and "cluster" in data:
        rows = [data["cluster"]]
    else:
        rows = data if isinstance(data, list) else [data]
    if isinstance(rows, dict):
        rows = [{"name": name, **(row or {})} for name, row in rows.items()]
    if not isinstance(rows, list) or not rows:
        raise TopologyError("The topology holds no cluster.")
    specs = [_cluster(row) for row in rows]
    names = [spec.name for spec in specs]
    if len(set(names)) != len(names):
        raise TopologyError(f"Two clusters of the topology have the same name: {', '.join(sorted(names))}.")
    return specs


def _cluster(row: Any) -> ClusterSpec:
    if not isinstance(row, dict):
        raise TopologyError("A cluster of a topology is a mapping.")
    name = str(row.get("name") or "cluster")
    if row.get("product", "exasol") != "exasol" or row.get("provider", "exaoperation") != "exaoperation":
        raise TopologyError(f"Cluster {name}: only product exasol with provider exaoperation is simulated.")
    unknown = sorted(str(key) for key in row if key not in _KEYS)
    if unknown:
        raise TopologyError(f"Cluster {name}: unknown key {', '.join(unknown)}.")
    nodes = _objects(row.get("nodes"), name, "nodes")
    machines = _objects(row.get("machines"), name, "machines")
    servers = _names(row.get("license_servers", ["n0010"]), name, "license_servers")
    if not servers:
        raise TopologyError(f"Cluster {name}: there is no license server.")
    both = sorted(set(servers) & set(nodes))
    if both:
        raise TopologyError(f"Cluster {name}: {', '.join(both)} is a license server; its state belongs into machines.")
    for key in machines:
        if key not in servers:
            raise TopologyError(f"Cluster {name}: machines names {key}, which isn't a license server.")
    known = {*servers, *nodes}
    for key, states in (("nodes", nodes), ("machines", machines)):
        for node, options in states.items():
            state = str(options.get("state", "online"))
            options["state"] = {"off": "offline", "shutting_down": "offline"}.get(state, state)
            if options["state"] not in ("online", "offline", "booting", "suspended"):
                raise TopologyError(f"Cluster {name}: {key} {node} can't be in state {options['state']!r}.")
    listeners = _names(row.get("listeners", servers), name, "listeners")
    holders = _names(row.get("exaoperation_nodes", [*servers, *[one for one in listeners if one not in servers]]), name,
                     "exaoperation_nodes")  # fmt: skip
    master = str(row.get("master") or servers[0])
    if master not in holders:
        holders.append(master)
    for one in [*listeners, *holders]:
        if one not in known:
            raise TopologyError(f"Cluster {name}: {one} is neither a node nor a license server.")
    try:
        timing = merged(TIMING, row.get("timing"), f"Cluster {name}: timing")
        settings = merged(SETTINGS, row.get("settings"), f"Cluster {name}: settings")
    except SettingsError as error:
        raise TopologyError(str(error)) from None
    version = row.get("version", "6.2.1")
    if version is None:
        settings["suite_version_call"] = False
    services = {"Loggingd": "OK", "Lockd": "OK", "Storaged": "OK", "DWAd": "OK", **(row.get("services") or {})}
    databases = _objects(row.get("databases"), name, "databases")
    for database, options in databases.items():
        _database(name, database, options, nodes)
    plugins = [str(one) for one in row.get("plugins") or []]
    plugin_nodes = row.get("plugin_nodes") or {}
    for plugin, states in plugin_nodes.items():
        if plugin not in plugins:
            raise TopologyError(f"Cluster {name}: plugin_nodes names {plugin}, which isn't in plugins.")
        for node in states or {}:
            if node not in known:
                raise TopologyError(f"Cluster {name}: plugin_nodes names {node}, which isn't a machine.")
    return ClusterSpec(
        name=name,
        version=None if version is None else str(version),
        master=master,
        license_servers=servers,
        nodes=nodes,
        machines=machines,
        databases=databases,
        services={str(key): str(value) for key, value in services.items()},
        storage_online=_storage_online(row, databases, settings),
        log_services=[str(one) for one in row.get("log_services", ["logservice1"]) or []],
        plugins=plugins,
        plugin_nodes=plugin_nodes,
        plugin_status=row.get("plugin_status") or {},
        users=_users(row.get("users"), name),
        listeners=listeners,
        exaoperation_nodes=holders,
        ports={str(node): int(port) for node, port in (row.get("ports") or {}).items()},
        timing=timing,
        settings=settings,
    )


def _storage_online(row: dict[str, Any], databases: dict[str, Any], settings: dict[str, Any]) -> bool:
    """As said, else as Storaged says, else as running databases tell."""
    if "storage_online" in row:
        return bool(row["storage_online"])
    down = {settings[name] for name in ("storage_stopped", "storage_starting", "storage_stopping")}
    if "Storaged" in (row.get("services") or {}):
        return row["services"]["Storaged"] not in down
    return any(options["state"] not in ("none", "setup") for options in databases.values())


def _database(cluster: str, name: str, options: dict[str, Any], nodes: dict[str, Any]) -> None:
    state = str(options.get("state", "setup")).lower()
    state = options["state"] = {"starting": "startup", "stopping": "shutdown"}.get(state, state)
    if state not in ("none", "setup", "startup", "running", "shutdown"):
        raise TopologyError(f"Cluster {cluster}: database {name} can't be in state {state!r}.")
    for node in [*(options.get("nodes") or []), *(options.get("reserve") or [])]:
        if node not in nodes:
            raise TopologyError(f"Cluster {cluster}: database {name} names {node}, which isn't a node.")


def _objects(value: Any, cluster: str, key: str) -> dict[str, dict[str, Any]]:
    """A mapping of names to options; a list of names, or a name with its state alone, will do."""
    if value is None:
        return {}
    if isinstance(value, list):
        value = {one: {} for one in value}
    if not isinstance(value, dict):
        raise TopologyError(f"Cluster {cluster}: {key} is a mapping of names.")
    return {str(name): {"state": one} if isinstance(one, str) else dict(one or {}) for name, one in value.items()}


def _names(value: Any, cluster: str, key: str) -> list[str]:
    if not isinstance(value, list):
        raise TopologyError(f"Cluster {cluster}: {key} is a list of names.")
    return [str(one) for one in value]


def _users(rows: Any, cluster: str) -> list[User]:
    users = []
    for row in rows or [{}]:
        if not isinstance(row, dict):
            raise TopologyError(f"Cluster {cluster}: a user is a mapping of name, password and role.")
        role = row.get("role", "Administrator")
        if role not in ROLES:
            raise TopologyError(f"Cluster {cluster}: the role {role!r} is none of {', '.join(ROLES)}.")
        password = row.get("password")
        text = secrets.token_urlsafe(12) if password is None else str(password)
        users.append(User(str(row.get("name", "admin")), text, role))
    return users

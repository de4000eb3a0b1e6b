# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Exasol cluster's topology: what exa_cluster_info returns, with a few optional keys for the simulator."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...checks import TopologyError, names_of, objects_of
from ...settings import SettingsError, merged
from ..common.numbers import check_topology
from ..common.settings import CHOICES, SETTINGS, TIMING
from ..common.topology import check_choices, of_database, of_databases

ROLES = ("User", "Supervisor", "Administrator", "Master")
_KEYS = {
    "product", "provider", "name", "version", "master", "license_servers", "nodes", "services", "storage_online",
    "databases", "log_services", "plugins",
    "volumes", "remote_volumes", "backups", "schedules",
    "machines", "users", "listeners", "exaoperation_nodes", "ports", "timing", "settings", "plugin_nodes",
    "plugin_status",
    # keys that both providers report and that EXAoperation doesn't use
    "infra", "infra_refused", "sight", "volume_states",
    # keys of the admin endpoint's /state that a start doesn't need
    "exaoperation_running", "storage_state", "clock", "cluster_time",
}  # fmt: skip


@dataclass
class User:
    name: str
    password: str
    role: str = "Administrator"


@dataclass
class ClusterSpec:
    """A cluster, checked and complete. Times are in cluster seconds."""

    product: ClassVar[str] = "exasol"
    provider: ClassVar[str] = "exaoperation"
    addresses: ClassVar[dict[str, str]] = {}
    client_certificates: ClassVar[str] = ""

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
    volumes: dict[str, dict[str, Any]]
    remote_volumes: dict[str, dict[str, Any]]
    backups: dict[str, list[dict[str, Any]]]
    schedules: dict[str, Any]
    timing: dict[str, float]
    settings: dict[str, Any] = field(default_factory=dict)


def load(row: dict[str, Any]) -> ClusterSpec:
    """The cluster of a topology. Raises TopologyError."""
    name = str(row.get("name") or "cluster")
    unknown = sorted(str(key) for key in row if key not in _KEYS)
    if unknown:
        raise TopologyError(f"Cluster {name}: unknown key {', '.join(unknown)}.")
    check_topology(name, row)
    nodes = objects_of(row.get("nodes"), name, "nodes")
    machines = objects_of(row.get("machines"), name, "machines")
    servers = names_of(row.get("license_servers", ["n0010"]), name, "license_servers")
    if not servers:
        raise TopologyError(f"Cluster {name}: there is no license server.")
    both = sorted(set(servers) & set(nodes))
    if both:
        raise TopologyError(f"Cluster {name}: {', '.join(both)} is a license server; put its state into machines.")
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
    listeners = names_of(row.get("listeners", servers), name, "listeners")
    others = [one for one in listeners if one not in servers]
    holders = names_of(row.get("exaoperation_nodes", [*servers, *others]), name, "exaoperation_nodes")
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
    check_choices(name, settings, CHOICES)
    version = row.get("version", "6.2.1")
    if version is None:
        settings["suite_version_call"] = False
    services = {"Loggingd": "OK", "Lockd": "OK", "Storaged": "OK", "DWAd": "OK", **(row.get("services") or {})}
    databases = objects_of(row.get("databases"), name, "databases")
    for database, options in databases.items():
        of_database(name, database, options, nodes)
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
        volumes=objects_of(row.get("volumes"), name, "volumes"),
        remote_volumes=objects_of(row.get("remote_volumes"), name, "remote_volumes"),
        backups=of_databases(row.get("backups"), databases, name, "backups", (list,)),
        schedules=of_databases(row.get("schedules"), databases, name, "schedules", (dict, list)),
        timing=timing,
        settings=settings,
    )


def _storage_online(row: dict[str, Any], databases: dict[str, Any], settings: dict[str, Any]) -> bool:
    """Whether EXAStorage is online: by its own key, or else by the state of Storaged, or else by running databases."""
    if "storage_online" in row:
        return bool(row["storage_online"])
    down = {settings[name] for name in ("storage_stopped", "storage_starting", "storage_stopping")}
    if "Storaged" in (row.get("services") or {}):
        return row["services"]["Storaged"] not in down
    return any(options["state"] not in ("none", "setup") for options in databases.values())


def _users(rows: Any, cluster: str) -> list[User]:
    users = []
    for row in rows or [{}]:
        if not isinstance(row, dict):
            raise TopologyError(f"Cluster {cluster}: a user must be a mapping of name, password and role.")
        role = row.get("role", "Administrator")
        if role not in ROLES:
            raise TopologyError(f"Cluster {cluster}: the role {role!r} is not one of {', '.join(ROLES)}.")
        password = row.get("password")
        text = secrets.token_urlsafe(12) if password is None else str(password)
        users.append(User(str(row.get("name", "admin")), text, role))
    return users

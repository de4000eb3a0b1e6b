# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a cluster, and the wait until its API answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache, partial
from typing import Any, Callable, Optional

from .._convergence import await_api as _await
from .._convergence.workers import gather
from .._errors import ClusterError, Denied, Fault, Garbled, Unsupported
from .._task import Task
from .._wording import bare, listing
from . import copies, report_configuration
from .api.cluster import Cluster
from .api.providers import PROVIDERS
from .api.states import IDLE, OFFLINE, OK, ONLINE, RUNNING, SUSPENDED, WITHOUT_QUORUM, Database
from .nodes.selection import license_servers_of, still_on

PARTS = ("nodes", "services", "databases", "version", "log_services", "plugins", copies.PART)
"""The parts that a report has by default."""

ALL = "all"
MORE = ("infra", "sight", *report_configuration.PARTS, ALL)
"""The parts that a report has only on request."""


def role_is_enough_for(cluster: Cluster, role: str) -> str:
    """What a user of that role can do with this collection."""
    return cluster.provider.roles.get(role.lower(), "not enough for a runbook")


STRANGERS = {
    "exaoperation": (re.compile("HTTP 404"), "is it ConfD?"),
    "confd": (re.compile("no ConfD answered|nothing answers to"), "is it EXAoperation?"),
}
"""Per `provider` option: the error that a server of the other provider causes, and a question that names it."""


def doubted(task: Task, error: ClusterError) -> ClusterError:
    """Adds a doubt to an error if a server of the other provider may answer.

    The run still waits: a server may answer in that way while it starts.
    """
    sounds, doubt = STRANGERS.get(str(task.params.get("provider")), (None, ""))
    if sounds and sounds.search(error.message) and doubt not in error.message:
        error.message += f" ({doubt} provider is {task.params['provider']}; auto would find it out)"
    return error


def await_api(task: Task, cluster: Cluster, timeout: float, heartbeat: float) -> None:
    """Waits until the API answers and names its nodes. See `_await`."""

    def ask() -> str:
        try:
            return "" if cluster.nodes() else f"{cluster.name}: the API answers, but names no nodes"
        except ClusterError as error:
            raise doubted(task, error) from None

    _await.await_api(task, _await.AwaitedApi(cluster.name, ask, lambda: cluster.url), timeout, heartbeat)


def summary(found: dict[str, Any], denied: Iterable[str] = ()) -> str:
    """A cluster in one line, with the parts that were read.

    :param found: what `of` returned.
    :param denied: the parts that the user may not read.
    """
    nodes, databases, services = (found.get(part) or {} for part in ("nodes", "databases", "services"))
    server = PROVIDERS[found["provider"]].server
    off = [name for name, node in nodes.items() if node["state"] != ONLINE]
    shut = [f"{name} {db['state']}{_quorum(db)}" for name, db in databases.items() if db["connectible"] != "Yes"]
    bad = [f"{name} {bare(state)}" for name, state in services.items() if state != OK]
    busy = [f"{name}: {db['operation']}" for name, db in databases.items() if db["operation"] != IDLE]
    hurt = copies.hurt(found.get(copies.PART) or {})
    says = [f"{name}: {db['info']}" for name, db in databases.items() if db.get("info")]
    away = f" (off: {listing(off)})" if off else ""
    not_up = f" ({listing(shut, between=', ')})" if shut else ""
    return f"{found['name']}: " + "; ".join(
        part
        for part in (
            *(f"{part} not shown to this user" for part in denied),
            f"nodes {len(nodes) - len(off)}/{len(nodes)} online{away}" if "nodes" in found else "",
            f"services {', '.join(bad) or OK}" if "services" in found else "",
            f"databases {len(databases) - len(shut)}/{len(databases)} connectable{not_up}"
            if "databases" in found
            else "",
            f"operations {listing(busy, between=', ')}" if busy else "",
            f"volumes {copies.words(hurt)}" if hurt else "",
            "volumes not read" if copies.PART in found and found[copies.PART] is None else "",
            listing(says, 4, "; "),
            " ".join(part for part in (server, found.get("version"), f"on {found['master']}") if part),
        )
        if part
    )


def lacking(found: dict[str, Any], ignore_nodes: Iterable[str] = ()) -> list[str]:
    """The parts of a cluster that are not up, in words, from what was read.

    :param found: what `of` returned.
    :param ignore_nodes: nodes that need not be online, by name or number; nor need those that are suspended.
    """
    nodes, databases, services = (found.get(part) or {} for part in ("nodes", "databases", "services"))
    spared = {copies.number(name) for name in ignore_nodes}
    away = [
        f"{name} {node['state']}"
        for name, node in nodes.items()
        if node["state"] not in (ONLINE, SUSPENDED) and copies.number(name) not in spared
    ]
    bad = [f"{name} {bare(state)}" for name, state in services.items() if state != OK]
    shut = [
        f"{name} {db['state']}"
        + (_quorum(db) or (" but not connectable" if db["state"].lower() == RUNNING else ""))
        for name, db in databases.items()
        if db["connectible"] != "Yes"
    ]
    return [
        f"{part} {listing(rows, between=', ')}"
        for part, rows in (("nodes", away), ("services", bad), ("databases", shut))
        if rows
    ]


def is_down(found: dict[str, Any]) -> bool:
    """Whether a cluster has databases of which none accepts connections."""
    databases = found.get("databases") or {}
    return bool(databases) and all(db["connectible"] != "Yes" for db in databases.values())


IS_UP: dict[str, Callable[[Any], bool]] = {
    "nodes": lambda node: node["state"] == ONLINE,
    "services": lambda state: state == OK,
    "databases": lambda database: database["connectible"] == "Yes",
}
"""Per part of a report: whether one of its rows is up."""


def counts(found: dict[str, Any]) -> dict[str, int]:
    """How many objects of each kind a cluster has, and how many of them are up, in the parts that were read.

    :param found: what `of` returned.
    """
    read = {part: list(found[part].values()) for part in IS_UP if part in found}
    return {
        name: count
        for part, rows in read.items()
        for name, count in ((part, len(rows)), (f"{part}_up", sum(map(IS_UP[part], rows))))
    }


def lost(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The objects that were up and aren't any more, in words, in the parts that both reports have.

    :param before: what `of` returned then.
    :param now: what it returned later.
    """
    found = []
    for part, is_up in {**IS_UP, "volumes": _is_whole}.items():
        if part not in before or part not in now:
            continue
        gone = [
            f"{name} ({_state(now[part][name]) if name in now[part] else 'gone'})"
            for name, row in before[part].items()
            if is_up(row) and not (name in now[part] and is_up(now[part][name]))
        ]
        found += [f"{part} {listing(gone, between=', ')}"] if gone else []
    return found


def _is_whole(volume: dict[str, Any]) -> bool:
    return str(volume["state"]).lower() == ONLINE


def _state(row: Any) -> str:
    if not isinstance(row, dict):
        return repr(row)
    deaf = str(row["state"]).lower() == RUNNING and row.get("connectible", "Yes") != "Yes"
    return f"{row['state']}, not connectable" if deaf else str(row["state"])


def _quorum(database: dict[str, Any]) -> str:
    return " without a quorum" if database["connectible"] == WITHOUT_QUORUM else ""


def of(
    cluster: Cluster, license_servers: list[str], parts: list[str], denied: Optional[dict[str, str]] = None
) -> dict[str, Any]:
    """The cluster as plain data, in as few calls as the server allows.

    :param license_servers: as the user gives them.
    :param parts: from `PARTS` and `MORE`.
    :param denied: receives the parts that the user may not read, and why; None makes such a part a failure.
    """
    parts = [*parts, *PARTS, "infra"] if ALL in parts else parts
    read: dict[str, Any] = {}
    volumes = cache(partial(copies.staying, cluster))  # two parts use it, and EXAoperation needs a call per volume
    readers: dict[str, Callable[[], Any]] = {
        "nodes": lambda: {
            name: {"state": state} for name, state in _states(cluster, cluster.nodes(), "sight" in parts).items()
        },
        "databases": lambda: {name: one.as_dict() for name, one in _databases(cluster).items()},
        "infra": lambda: cluster.infra_refusal() is None,
        "sight": lambda: {
            **asdict(cluster.reachability()),
            "license_servers": cluster.license_server_states(license_servers_of(cluster, license_servers)),
        },
        copies.PART: lambda: copies.states(cluster, read.get("services") or {}, volumes),
    }
    wanted = [*parts, "databases"] if "layout" in parts else parts
    for part in (part for part in (*PARTS, "infra", "sight") if part in wanted):
        try:
            # Looked up only here, because the lookup itself makes calls while the provider isn't known.
            read[part] = (readers.get(part) or getattr(cluster, part))()
        except ClusterError as error:
            if part == copies.PART and isinstance(error, (Denied, Fault, Garbled)):
                # A report can do without it. Another part shows already that the user may not read EXAStorage.
                read.update({} if denied else {part: None})
                continue
            if not isinstance(error, Denied):
                raise
            if denied is None or not error.known:
                raise
            denied[part] = error.message
            if not {"nodes", "services", "databases"} & set(wanted) - set(denied):
                raise  # the user may read nothing at all
    found: dict[str, Any] = {
        "product": "exasol",
        "provider": cluster.provider.name,
        "name": cluster.name,
        "master": cluster.master(),
        "license_servers": license_servers_of(cluster, license_servers),
        **read,
    }
    if read.get("infra") is False and cluster.infra_refusal():
        found["infra_refused"] = cluster.infra_refusal()
    found.update(_blueprint(report_configuration.readers(cluster, volumes), parts))
    for name, row in found.pop("layout", {}).items():
        found["databases"][name] = {**row, **found["databases"].get(name, {})}
    return found


def _blueprint(readers: dict[str, Callable[[], Any]], parts: list[str]) -> dict[str, Any]:
    """The parts that aren't state. `all` takes only parts that the server supports."""
    found = {}
    for part, read in readers.items():
        try:
            if part in parts or ALL in parts:
                found[part] = read()
        except Unsupported:
            if part in parts:
                raise
    return found


def identity(cluster: Cluster) -> list[str]:
    """What two inventory hosts share if they are the same cluster: the URL that answers, and the cluster's IDs."""
    told = cluster.identity()
    return [cluster.url, *told]


def _databases(cluster: Cluster) -> dict[str, Database]:
    return gather(cluster.databases(), cluster.database_summary)


def _states(cluster: Cluster, names: list[str], powers: bool) -> dict[str, str]:
    """The nodes' states.

    :param powers: whether to find out more about nodes that aren't online, which may take a call per node.
    """
    if cluster.provider.tells_nodes_together:
        states = cluster.node_states()
        return {name: states.get(name, OFFLINE) for name in names}
    up = gather(names, cluster.node_is_online)
    told = still_on(cluster, [name for name in names if not up[name]]) if powers else {}
    return {name: ONLINE if up[name] else told.get(name, OFFLINE) for name in names}

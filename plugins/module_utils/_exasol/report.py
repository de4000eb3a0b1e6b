# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster in one report, and the wait for somebody to make it of."""

from __future__ import annotations

import queue
import time
from typing import Any

from .._converge import Pool, gather
from .._errors import Fault, Garbled, TimedOut, Unreachable
from .._task import Task
from .._wait import Pace, clock_text, listing
from .cluster import IDLE, OFFLINE, OK, ONLINE, Cluster


def await_api(task: Task, cluster: Cluster, timeout: float, heartbeat: float) -> None:
    """Waits until the API answers and knows its nodes.

    A wrong password or certificate ends the wait at once: waiting doesn't mend those.

    :param timeout: seconds; 0 asks nothing.
    :raises TimedOut: with the last cause.
    """
    if timeout <= 0:
        return
    pace, pool, cause = Pace(timeout, heartbeat=heartbeat), Pool(), ""
    try:
        while True:
            now = _attempt(task, cluster, pool, pace, cause)
            if not now:
                if cause:
                    task.say(f"[{cluster.name}] api: {clock_text(pace.elapsed())}  answers at {cluster.url}")
                return
            if now != cause:
                _say_waiting(task, cluster, pace, now)
            cause = now
            time.sleep(max(0.0, min(pace.interval(), pace.left())))
    finally:
        pool.close()


def _attempt(task: Task, cluster: Cluster, pool: Pool, pace: Pace, cause: str) -> str:
    """Asks once, with heartbeats while nothing comes back.

    :returns: why the API is not there yet, or an empty string.
    """
    pool.submit(None, cluster.nodes)
    while True:
        if pace.left() <= 0:
            words = cause or f"{cluster.name}: no answer at {cluster.url}"
            text = f"{words}; still so after {pace.timeout:g} s"
            raise TimedOut(text, failed_object=cluster.name, last_state="no answer")
        try:
            _tag, nodes, error = pool.answers.get(timeout=max(0.0, min(pace.until_heartbeat(), pace.left())))
        except queue.Empty:
            if pace.left() > 0:
                _say_waiting(task, cluster, pace, cause or "no answer yet")
            continue
        if isinstance(error, (Unreachable, Garbled, Fault)):
            return error.message
        if error:
            raise error
        return "" if nodes else f"{cluster.name}: the API answers, but names no nodes"


def _say_waiting(task: Task, cluster: Cluster, pace: Pace, cause: str) -> None:
    pace.spoke()
    task.say(f"[{cluster.name}] api: {clock_text(pace.elapsed())}  waiting, {clock_text(pace.left())} left: {cause}")


def summary(found: dict[str, Any]) -> str:
    """A cluster in one line.

    :param found: what C(of) returned.
    """
    nodes, databases, services = (found.get(part) or {} for part in ("nodes", "databases", "services"))
    off = [name for name, node in nodes.items() if node["state"] != ONLINE]
    shut = [f"{name} {db['state']}" for name, db in databases.items() if db["connectible"] != "Yes"]
    bad = [f"{name} {state!r}" for name, state in services.items() if state != OK]
    busy = [f"{name}: {db['operation']}" for name, db in databases.items() if db["operation"] != IDLE]
    return "; ".join(
        part
        for part in (
            f"{found['name']}: nodes {len(nodes) - len(off)}/{len(nodes)} online"
            + (f" (off: {listing(off)})" if off else ""),
            f"services {', '.join(bad) or OK}",
            f"databases {len(databases) - len(shut)}/{len(databases)} connectable"
            + (f" ({listing(shut, between=', ')})" if shut else ""),
            f"operations {listing(busy, between=', ')}" if busy else "",
            f"EXAoperation {found.get('version') or ''} on {found['master']}".replace("  ", " "),
        )
        if part
    )


def of(cluster: Cluster, license_servers: list[str], parts: list[str]) -> dict[str, Any]:
    """The cluster as plain data, in as few calls as the server allows.

    :param parts: C(nodes), C(services), C(databases), C(version), C(log_services), C(plugins).
    """
    names = cluster.nodes() if "nodes" in parts else []
    found: dict[str, Any] = {
        "product": "exasol",
        "provider": cluster.provider,
        "name": cluster.name,
        "master": cluster.master(),
        "license_servers": license_servers,
    }
    if "nodes" in parts:
        up = gather(names, cluster.node_is_online)
        found["nodes"] = {name: {"state": ONLINE if up[name] else OFFLINE} for name in names}
    if "databases" in parts:
        databases = gather(cluster.databases(), cluster.database_summary)
        found["databases"] = {name: database.as_dict() for name, database in databases.items()}
    readers = {
        "services": cluster.services,
        "version": cluster.version,
        "log_services": cluster.log_services,
        "plugins": cluster.plugins,
    }
    return {**found, **{part: read() for part, read in readers.items() if part in parts}}

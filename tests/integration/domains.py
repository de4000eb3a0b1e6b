# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NuoDB domains for the simulator: up, down, or after a failure; and what is asked of them."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

import yaml
from ansible_collections.dbfleet.cluster.tests.admin import press
from world import ROOT, Run, Simulator

sys.path.append(str(ROOT / "tests" / "conformance"))

from nuocmd import admin_connection

QUICK = {
    "process_start": 0.1, "archive_history": 0.05, "sm_start": 0.3, "sync": 0.1, "te_start": 0.1, "te_shutdown": 0.1,
    "sm_shutdown": 0.1, "kill": 0.05, "server_start": 0.3, "server_shutdown": 0.1, "election": 0.1, "hotcopy": 0.5,
    "storage_group": 0.1,
}  # fmt: skip
"""Cluster seconds, for the clock seconds:1."""

GRACEFUL = "Gracefully shutdown engine"
CLOSED = "Engine connection to admin process closed"


def database(archives: Any = ("server0", "server1"), tes: Any = ("server0", "server1"), up: bool = False, **more: Any):
    """A database of a topology: the servers of its archives and of its TEs.

    :param more: C(crashed): its last SM was killed; C(killed): servers of TEs that were killed an hour before it was
        shut down; C(never): it never ran; and further keys of a topology's database.
    """
    return {"archives": list(archives), "tes": list(tes), "up": up, **more}


def domain(name: str = "nuo-prod", servers: int = 2, databases: Any = None, **more: Any) -> dict[str, Any]:
    """A topology. C(more) adds to it or replaces parts of it.

    :param servers: how many, server0 and so on. Those of C(stopped) don't run.
    :param databases: name -> C(database()); or how many that are down.
    """
    up = more.pop("up", False)
    if not isinstance(databases, dict):
        databases = {f"db{number}": database(up=up) for number in range(1, (databases or 1) + 1)}
    stopped = more.pop("stopped", ())
    found: dict[str, Any] = {
        "product": "nuodb",
        "name": name,
        "version": "4.2.1-3-abc",
        "servers": {
            f"server{n}": {"state": "stopped" if f"server{n}" in stopped else "ACTIVE"} for n in range(servers)
        },
        "databases": {},
        "archives": {},
        "processes": {},
        "tombstones": {},
        "timing": {**QUICK, **more.pop("timing", {})},
    }
    for db_name, options in databases.items():
        _put(found, db_name, dict(options))
    return {**found, **more}


class _Numbers:
    """Start IDs go on from database to database."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found

    def next(self) -> str:
        return str(len(self._found["processes"]) + len(self._found["tombstones"]))


def _put(found: dict[str, Any], db_name: str, options: dict[str, Any]) -> None:
    archives, tes, up = options.pop("archives"), options.pop("tes"), options.pop("up")
    crashed, killed, never = options.pop("crashed", False), options.pop("killed", ()), options.pop("never", False)
    numbers = _Numbers(found)
    rows: list[dict[str, Any]] = []
    for server in archives:
        archive_id = len(found["archives"])
        found["archives"][str(archive_id)] = {
            "db_name": db_name, "server_id": server, "archive_path": f"/var/opt/nuodb/archive/{db_name}{archive_id}",
            "state": "RUNNING" if up else "PROVISIONED" if never else "NOT_RUNNING",
        }  # fmt: skip
        rows.append({"engine_type": "SM", "server_id": server, "archive_id": archive_id})
    rows += [{"engine_type": "TE", "server_id": server} for server in tes]
    minor = 0
    if up:
        for node, row in enumerate(rows, 1):
            found["processes"][numbers.next()] = {
                **row, "db_name": db_name, "durable_state": "MONITORED", "engine_state": "RUNNING", "node_id": node,
            }  # fmt: skip
    elif not never:
        ends = [{"engine_type": "TE", "server_id": server, "died": True} for server in killed]
        # where an SM is killed, the TEs go because of it
        ends += rows if crashed else rows[len(archives) :] + rows[: len(archives)]
        for minor, row in enumerate(ends, 1):
            hours = 2 if row.pop("died", False) else 1
            died = hours == 2 or (crashed and row["engine_type"] == "SM")
            found["tombstones"][numbers.next()] = _tombstone(row, db_name, minor, died, hours)
    incarnation = [0, 0] if never else [1, minor]
    found["databases"][db_name] = {"incarnation": incarnation, **options}


def _tombstone(row: dict[str, Any], db_name: str, minor: int, died: bool, hours: int) -> dict[str, Any]:
    moment = datetime.now(timezone.utc) - timedelta(hours=hours) + timedelta(seconds=minor)
    stamp = f"({moment:%Y-%m-%dT%H:%M:%S}.000+0000)"
    return {
        **row,
        "db_name": db_name,
        "durable_state": "MONITORED" if died else "REQUESTED_SHUTDOWN",
        "engine_state": "RUNNING" if died else "SHUTTING_DOWN",
        "node_id": minor,
        "incarnation": [1, minor],
        "exit_code": 137 if died else 0,
        "reason": f"{stamp} {CLOSED if died else GRACEFUL}",
    }


def service_hook(folder: Path, name: str, servers: Any) -> str:
    """A task file that starts nuoadmin services, as one for systemd would."""
    path = folder / f"{name}.yml"
    task = {
        "name": "Start the nuoadmin service",
        "ansible.builtin.uri": press("/power", {"node": "{{ item }}", "on": True}),
        "loop": servers,
        "changed_when": False,
    }
    path.write_text(yaml.safe_dump([task]))
    return str(path)


def running(simulator: Simulator, name: Optional[str] = None) -> list[str]:
    """What runs: C(shop SM 0), C(shop TE server0), sorted."""
    rows = simulator.state(name)["processes"].values()
    return sorted(
        f"{row['db_name']} {row['engine_type']} {row['server_id'] if row['archive_id'] is None else row['archive_id']}"
        for row in rows
        if (row["durable_state"], row["engine_state"]) == ("MONITORED", "RUNNING")
    )


def all_run(simulator: Simulator, name: Optional[str] = None) -> bool:
    """Every database is RUNNING, every archive has its SM, and every process is MONITORED:RUNNING."""
    state = simulator.state(name)
    return (
        all(row["state"] == "RUNNING" for row in state["databases"].values())
        and all(row["state"] == "RUNNING" for row in state["archives"].values() if not row["removed"])
        and len(running(simulator, name)) == len(state["processes"])
    )


def start_ids(simulator: Simulator, name: Optional[str] = None, **wanted: Any) -> list[str]:
    """The start IDs of the processes whose fields are so."""
    rows = simulator.state(name)["processes"]
    return [key for key, row in rows.items() if all(row[field] == value for field, value in wanted.items())]


def die(simulator: Simulator, start_id: str, name: Optional[str] = None, **more: Any) -> None:
    """A process dies, as by kill -9 from outside."""
    simulator.admin("/die", {"start_id": start_id, **more}, cluster=name)


def starts(*names: str) -> list[str]:
    """The requests that start processes: C(shop SM 0) and so on."""
    return [f"POST processes {name}" for name in names]


def connection(simulator: Simulator, name: Optional[str] = None, server: int = 0) -> Any:
    """The vendor's own library on an AP: it reads what modules did, and does what they wouldn't."""
    return admin_connection(simulator.ready["clusters"][name or simulator.names[0]], server)


def forgive(simulator: Simulator, name: Optional[str] = None) -> None:
    """Forgets broken rules: the test itself broke them to make a failure."""
    simulator.admin("/rules", method="DELETE", cluster=name)


def down(simulator: Simulator, name: Optional[str] = None) -> bool:
    """Every database is NOT_RUNNING and has no process."""
    state = simulator.state(name)
    return not state["processes"] and {row["state"] for row in state["databases"].values()} <= {"NOT_RUNNING"}


def steps_of(run: Run, task: str, host: str) -> list[tuple[str, str]]:
    """The steps that a task made, or would make: object and step, sorted; none where it was skipped."""
    found = [item for result in run.of(task, host) for item in result.get("results", [result])]
    return sorted((step["object"], step["step"]) for result in found for step in result.get("steps", []))

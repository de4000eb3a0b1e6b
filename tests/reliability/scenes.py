# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small clusters, and what is asked of them: at least one scene per runbook and server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ansible_collections.dbfleet.cluster.tests.reliability.runs import HOST
from ansible_collections.dbfleet.cluster.tests.unit.exasol import changes as exasol
from ansible_collections.dbfleet.cluster.tests.unit.nuodb import changes as domain

QUICK = {
    "boot": 2, "shutdown": 1, "api": 1, "api_stop": 1, "move": 1, "storage_start": 1, "storage_stop": 1,
    "database_start": 1, "connect": 0.5, "database_stop": 1, "backup": 2, "recovery": 1, "plugin": 0.5,
}  # fmt: skip
"""Seconds: each call costs a run per moment, and a wait makes calls."""

QUICK_CONFD = {
    **{name: seconds for name, seconds in QUICK.items() if name not in ("api", "storage_stop", "plugin")},
    "restore": 1, "quorum_back": 1, "job_schedule": 0.02, "job_execute": 0.02, "job_commit": 0.05,
}  # fmt: skip

PLUGIN = "Administration.vmware-tools"


@dataclass(frozen=True)
class Scene:
    """A cluster, and a runbook or module that is run on it.

    :param name: of the runbook or module.
    :param given: variables of the runbook, or options of the module.
    :param again: what the run after one that was killed is given besides.
    :param allowed: rules that are broken by what is asked for, or by the kill itself.
    :param repeats: whether each run does it anew, as a restart.
    :param before: what happened before: modules with their options, calls by others, seconds that passed.
    :param rest: seconds in which what isn't awaited ends.
    :param refused_when_done: whether the next run refuses what is done already.
    :param unseen: why what is under way can't be seen, so that the next run asks for it again.
    """

    name: str
    topology: Mapping[str, Any]
    given: Mapping[str, Any] = field(default_factory=dict)
    again: Mapping[str, Any] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    repeats: bool = False
    before: tuple[Any, ...] = ()
    rest: float = 0.0
    refused_when_done: bool = False
    unseen: str = ""


def eao(up: bool = False, **more: Any) -> dict[str, Any]:
    """A cluster that EXAoperation administers: two nodes, two databases, a plugin."""
    database = {"state": "running" if up else "setup"}
    nodes = ["n0011", "n0012"]
    return {
        "product": "exasol",
        "name": HOST,
        "version": "6.2.1",
        "nodes": {node: {"state": "online" if up else "offline"} for node in nodes},
        "storage_online": up,
        "databases": {"DB1": database, "DB2": database},
        "log_services": ["logservice1"],
        "plugins": [PLUGIN],
        "plugin_nodes": {PLUGIN: dict.fromkeys(["n0010", *nodes], "running")} if up else {},
        "timing": QUICK,
        **more,
    }


def confd(up: bool = True, **more: Any) -> dict[str, Any]:
    """A cluster that ConfD administers: three nodes, two databases."""
    database = {"state": "running" if up else "setup"}
    nodes = ["n11", "n12", "n13"]
    return {
        "product": "exasol",
        "provider": "confd",
        "name": HOST,
        "nodes": {node: {"state": "online"} for node in nodes},
        "databases": {"DB1": database, "DB2": database},
        "settings": {"auto_start": False},
        "timing": QUICK_CONFD,
        **more,
    }


def engine(kind: str, server: int, node: int, **more: Any) -> dict[str, Any]:
    row = {"db_name": "shop", "engine_type": kind, "server_id": f"server{server}", "node_id": node, **more}
    return {"durable_state": "MONITORED", "engine_state": "RUNNING", **row}


def ended(kind: str, server: int, minor: int, **more: Any) -> dict[str, Any]:
    """A process that was shut down an hour before the night."""
    return {
        "db_name": "shop", "engine_type": kind, "server_id": f"server{server}", "node_id": minor,
        "durable_state": "REQUESTED_SHUTDOWN", "engine_state": "SHUTTING_DOWN", "incarnation": [1, minor],
        "exit_code": 0, "reason": f"Gracefully shutdown engine (2026-03-01T01:00:0{minor}.000+0000)", **more,
    }  # fmt: skip


def nuodb(up: bool = False, **more: Any) -> dict[str, Any]:
    """A domain: three servers, a database of two archives and two TEs."""
    archives = {
        str(number): {
            "db_name": "shop", "server_id": f"server{number}", "archive_path": f"/archive/{number}",
            "state": "RUNNING" if up else "NOT_RUNNING",
        }
        for number in (0, 1)
    }  # fmt: skip
    rows = [("SM", 0, {"archive_id": 0}), ("SM", 1, {"archive_id": 1}), ("TE", 0, {}), ("TE", 1, {})]
    there = {str(n): engine(kind, server, n + 1, **own) for n, (kind, server, own) in enumerate(rows)}
    # The TEs go first.
    past = {str(n): ended(kind, server, (n + 2) % 4 + 1, **own) for n, (kind, server, own) in enumerate(rows)}
    return {
        "product": "nuodb",
        "name": HOST,
        "version": "4.2.1-3-abc",
        "servers": {f"server{number}": {"state": "ACTIVE"} for number in range(3)},
        "databases": {"shop": {"incarnation": [1, 0] if up else [1, 4]}},
        "archives": archives,
        "processes": there if up else {},
        "tombstones": {} if up else past,
        "timing": {
            "process_start": 0.2, "archive_history": 0.2, "sm_start": 0.5, "sync": 0.2, "te_start": 0.5,
            "te_shutdown": 0.5, "sm_shutdown": 0.5, "kill": 0.2, "server_start": 1, "server_shutdown": 0.5,
            "election": 0.3, "hotcopy": 1, "storage_group": 0.5,
        },
        **more,
    }  # fmt: skip


IN_PART = frozenset({"archives-started-in-part"})
"""A kill between the requests of two SMs; the rule is broken where nobody goes on in time."""

RESTART = {"state": "restarted"}

NOTHING: Mapping[str, Any] = MappingProxyType({})


def _prefixed(runbook: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{runbook}_{name}": value for name, value in given.items()}


def scene(name: str, topology: dict[str, Any], given: Mapping[str, Any] = NOTHING, **more: Any) -> Scene:
    """Of a runbook, whose variables are given without its name."""
    again = _prefixed(name, more.pop("again", {}))
    return Scene(name, topology, _prefixed(name, given), again, **more)


CRASHED = nuodb(
    up=True,
    archives={
        "0": {"db_name": "shop", "server_id": "server0", "archive_path": "/archive/0", "state": "RUNNING"},
        "1": {"db_name": "shop", "server_id": "server1", "archive_path": "/archive/1", "state": "NOT_RUNNING"},
    },
    processes={"0": engine("SM", 0, 1, archive_id=0), "2": engine("TE", 0, 3), "3": engine("TE", 1, 4)},
    tombstones={
        "1": ended(
            "SM", 1, 2, archive_id=1, durable_state="MONITORED", engine_state="RUNNING", exit_code=137,
            incarnation=[1, 1], reason="Engine connection to admin process closed (2026-03-01T01:00:00.000+0000)",
        )
    },
)  # fmt: skip

RUNBOOK_SCENES: dict[str, Scene] = {
    "exa_cold_start, EXAoperation": scene("exa_cold_start", eao()),
    "exa_cold_start, EXAoperation, half way": scene(
        "exa_cold_start", eao(nodes={"n0011": {"state": "online"}, "n0012": {"state": "offline"}})
    ),
    "exa_cold_start, ConfD": scene("exa_cold_start", confd(up=False), {"power": "hook"}),
    "exa_graceful_shutdown, EXAoperation": scene(
        "exa_graceful_shutdown", eao(up=True), again={"unreachable": "down"}
    ),
    "exa_graceful_shutdown, ConfD": scene("exa_graceful_shutdown", confd(), {"power": "none"}),
    "exa_database_state restarted, EXAoperation": scene(
        "exa_database_state", eao(up=True), {**RESTART, "databases": ["DB1"]}, repeats=True
    ),
    "exa_database_state restarted, ConfD": scene(
        "exa_database_state", confd(), {**RESTART, "databases": ["all"]}, repeats=True
    ),
    "exa_database_state stopped, ConfD": scene(
        "exa_database_state", confd(), {"state": "stopped", "databases": ["DB1"]}
    ),
    "exa_database_state started, EXAoperation": scene(
        "exa_database_state", eao(up=True, databases={"DB1": {"state": "setup"}, "DB2": {"state": "running"}}),
        {"state": "started", "databases": ["DB1"]},
    ),
    "nuodb_cold_start": scene("nuodb_cold_start", nuodb(), allowed=IN_PART),
    "nuodb_graceful_shutdown": scene("nuodb_graceful_shutdown", nuodb(up=True), again={"unreachable": "down"}),
    "nuodb_graceful_shutdown, servers stay": scene("nuodb_graceful_shutdown", nuodb(up=True), {"servers": False}),
    "nuodb_database_state restarted": scene(
        "nuodb_database_state", nuodb(up=True), {**RESTART, "databases": ["shop"]}, allowed=IN_PART, repeats=True
    ),
    "nuodb_database_state stopped": scene(
        "nuodb_database_state", nuodb(up=True), {"state": "stopped", "databases": ["shop"]}
    ),
    "nuodb_rolling_restart": scene(
        "nuodb_rolling_restart", nuodb(up=True), {"databases": ["shop"]}, allowed=IN_PART, repeats=True
    ),
    "nuodb_recover": scene("nuodb_recover", CRASHED),
}  # fmt: skip


WITH_BACKUPS = frozenset({"volume-with-backups-removed"})
"""A remote volume that is confirmed to go, or to be made anew."""

UNSEEN = {
    "exa_plugin": "EXAoperation tells no state of a plugin between stopped and running",
}


def _of_exasol() -> dict[str, Scene]:
    found = {}
    for case in exasol.CASES:
        topology, module, given, _touched, anew = case.values
        state = given.get("state", "present")
        made = exasol.whole({key: row for key, row in topology.items() if key not in ("before", "clock")})
        quick = QUICK_CONFD if made.get("provider") == "confd" else QUICK
        refused = state in exasol.REFUSED_WHEN_DONE
        found[f"{module} {state}, {case.id}"] = Scene(
            module,
            {**made, "timing": {**quick, **made.get("timing", {})}},
            given,
            allowed=WITH_BACKUPS if module == "exa_remote_volume" else frozenset(),
            repeats=anew,
            before=tuple(topology.get("before", ())),
            rest=30.0 if refused else 0.0,
            refused_when_done=refused,
            unseen=UNSEEN.get(module, ""),
        )
    return found


def _of_nuodb() -> dict[str, Scene]:
    found = {}
    for name, (module, given, more, before) in domain.CASES.items():
        topology = domain.topology()
        for part, rows in more.items():
            topology[part] = {**topology[part], **rows}
        found[f"{module}, {name}"] = Scene(
            module,
            topology,
            given,
            allowed=IN_PART | domain.ASKED_FOR,
            repeats=name in domain.REPEATED or name == "server, all",
            before=tuple(before),
            rest=30.0 if name in domain.UNAWAITED else 0.0,
            unseen="the API shows nothing of it while it is under way" if name in domain.UNSEEN else "",
        )
    return found


MODULE_SCENES = {**_of_exasol(), **_of_nuodb()}
"""One per module that changes something, state and server, and more."""

SCENES = {**RUNBOOK_SCENES, **MODULE_SCENES}

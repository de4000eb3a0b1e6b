# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters of all kinds, in all states, as they may be found when a night begins."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dbfleet.cluster.tests.reliability import scenes
from ansible_collections.dbfleet.cluster.tests.reliability.runs import HOST
from ansible_collections.dbfleet.cluster.tests.unit.exasol import changes as exasol
from ansible_collections.dbfleet.cluster.tests.unit.nuodb import changes as domain

STRANGER = {"exaoperation": "DB3", "confd": "DB3", "nuodb": "other"}
"""By the server, a database that no order names."""


@dataclass
class World:
    """A cluster as it is when the night begins.

    :param kind: what speaks for it.
    :param title: what is said of it.
    :param databases: those of NuoDB that can run, as the runbooks and modules take them.
    """

    kind: str
    title: str
    topology: dict[str, Any]
    databases: list[dict[str, Any]] = field(default_factory=list)


SLOWER = (1, 1, 1, 1, 5, 20)
"""Of the seconds that each thing takes."""


AWAITED = {"process_start", "archive_history"}
"""What takes so long that the servers themselves give up."""


def _timed(times: dict[str, float], dice: random.Random) -> dict[str, float]:
    """Some of the things take longer, so that they are under way when the next run comes."""
    return {name: seconds * (1 if name in AWAITED else dice.choice(SLOWER)) for name, seconds in times.items()}


SETTINGS: dict[str, dict[str, list[Any]]] = {
    "exaoperation": {
        "database_starting": ["startup", "starting"],
        "running_in_startup": [True, False],
        "storage_start_blocks": [True, False],
        "storage_stop_blocks": [True, False],
        "storage_stop_returns": ["OK", None],
        "node_booting": ["Booting", "fault"],
        "node_off": ["Unknown", "Offline"],
        "hardware_offline": ["No inventory: {node} does not answer.", "fault"],
        "exaoperation_moves": [True, False],
        "exaoperation_returns": [True, False],
        "volume_list": ["list", "dict"],
        "volume_info_more": [True, False],
        "remote_state": ["word", "list"],
        "archive_volumes": ["names", "rows"],
        "usage_form": ["number", "list"],
        "schedule_form": ["dict", "list"],
        "database_info": ["told", "nothing"],
        "suite_version_call": [True, False],
    },
    "confd": {
        "database_starting": ["startup", "starting"],
        "database_stopping": ["shutdown", "stopping"],
        "db_start_waits": [True, False],
        "db_stop_waits": [True, False],
        "restore_waits": [True, False],
        "empty_lists": ["list", "nil"],
        "volume_id": ["text", "number"],
        "no_master": ["error", "hang"],
        "quorum_lost": ["error", "hang", "answer"],
        "suspended_answers": [True, False],
        "suspended_counts": [False, True],
        "early_result": ["error", "wait"],
        "auto_start": [False, True],
        "rpc_errors": ["result", "fault"],
        "schedules_in_db_info": [True, False],
        "master_dies_job": ["fail", "forget"],
    },
    "nuodb": {
        "tombstone_incarnation": ["after", "before"],
        "awaiting_histories": ["STARTED", "TRACKED"],
        "entry_timeout_during_sm_start": [False, True],
        "start_while_stopping": ["refuse", "accept"],
        "shutdown_repeated": ["accept", "refuse"],
        "cancelled_tombstone": [True, False],
        "delete_last_archive": ["refuse", "allow"],
        "recovery_progress": [False, True],
        "node_id_is_start_id": [False, True],
        "unjoined_tells_shutdown": [False, True],
        "engines_survive_server": [True, False],
        "no_leader": ["error", "hang"],
        "shutdown_without_leader": ["accept", "refuse"],
        "start_id_order": ["number", "text"],
        "multi_field_order": [True, False],
        "filter_match": ["full", "part"],
        "error_form": ["messages", "message"],
        "empty_status": [200, 204],
        "unauthorized_body": ["json", "html", "empty"],
        "hotcopy_told_by": ["every", "coordinator"],
        "archive_path": ["given", "bare"],
        "max_limit": [100, 3],
    },
}
"""Of what no source tells for certain, what each server may be like."""


def _set(kind: str, dice: random.Random) -> dict[str, Any]:
    """Some settings of a simulator are not what they are by default."""
    known = SETTINGS[kind]
    return {name: dice.choice(known[name]) for name in dice.sample(sorted(known), dice.randint(0, 6))}


def _some(names: list[str], dice: random.Random) -> list[str]:
    return sorted(dice.sample(names, dice.randint(1, len(names))))


def _exasol_databases(nodes: list[str], is_up: bool, dice: random.Random) -> dict[str, dict[str, Any]]:
    names = ["DB1", "DB2", *(["DB3"] if dice.random() < 0.5 else [])]
    states = ["running", "running", "setup"] if is_up else ["setup"]
    return {name: {"state": dice.choice(states), "nodes": _some(nodes, dice)} for name in names}


LICENSE_SERVERS = ["n0010", "n0009"]
"""EXAoperation is on the first of them, and may move to the other."""


def _spoil_backups(made: dict[str, Any], dice: random.Random) -> None:
    """Backups may be unusable, or of two days."""
    made["backups"] = {"DB2": dice.choice([made["backups"]["DB2"], exasol.USELESS, exasol.OUTDATED])}


def eao(dice: random.Random) -> World:
    """EXAoperation: four to six nodes, on or off, and one or two license servers."""
    nodes = [f"n{number:04d}" for number in range(11, 11 + dice.randint(4, 6))]
    way = dice.choice(["off", "on, storage down", "up", "up", "half"])
    online = {"off": [], "half": _some(nodes, dice)}.get(way, nodes)
    used = [node for node in nodes if node not in ("n0013", "n0014")] if dice.random() < 0.7 else nodes
    given = exasol.EAO
    made = {
        **exasol.whole(given),
        "name": HOST,
        "version": dice.choice(["6.2.1", "6.2.7", "7.0.4"]),
        "nodes": {node: {"state": "online" if node in online else "offline"} for node in nodes},
        "storage_online": way == "up",
        "databases": _exasol_databases(used, way == "up", dice),
        "license_servers": LICENSE_SERVERS[: dice.choice([1, 1, 2])],
        "log_services": ["logservice1"],
        "plugins": [scenes.PLUGIN],
        "plugin_nodes": {scenes.PLUGIN: dict.fromkeys(online, "running")} if dice.random() < 0.5 else {},
        "timing": _timed(scenes.QUICK, dice),
        "settings": _set("exaoperation", dice),
    }
    _spoil_backups(made, dice)
    return World("exaoperation", f"EXAoperation, {way}, {len(nodes)} nodes", made)


def confd(dice: random.Random) -> World:
    """ConfD: four to six nodes, one of which may be suspended."""
    nodes = [f"n{number}" for number in range(11, 11 + dice.randint(4, 6))]
    way = dice.choice(["up", "up", "down", "a node rests"])
    used = [node for node in nodes if node not in ("n13", "n14")] if dice.random() < 0.7 else nodes
    states = {node: {"state": "online"} for node in nodes}
    if way == "a node rests":
        states["n13"] = {"state": "suspended"}
        used = [node for node in used if node != "n13"]
    databases = _exasol_databases(used, way != "down", dice)
    databases["DB2"]["mem_size"] = "2 GiB"
    made = {
        **exasol.whole(exasol.CONFD),
        "name": HOST,
        "version": dice.choice(["8.29.1", "8.29.1", "8.20.0", "6.2.7"]),
        "nodes": states,
        "databases": databases,
        "timing": _timed(scenes.QUICK_CONFD, dice),
        "settings": {"auto_start": False, **_set("confd", dice)},
    }
    _spoil_backups(made, dice)
    if dice.random() < 0.3:
        made["volumes"] = {**made["volumes"], "B": {**made["volumes"]["B"], "state": "LOCKED"}}
    return World("confd", f"ConfD, {way}, {len(nodes)} nodes", made)


def nuodb(dice: random.Random) -> World:
    """A domain of four or five servers and up to five databases, of which two or three can run."""
    made = domain.topology()
    made.update(name=HOST, timing=_timed(scenes.nuodb()["timing"], dice), settings=_set("nuodb", dice))
    made["version"] = dice.choice(["4.0.8-1", "4.2.1-1", "5.0.1-1", "6.0.0-1"])
    way = dice.choice(["up", "up", "down", "an SM died", "TEs died"])
    if dice.random() < 0.5:
        made["servers"]["server4"] = {}
    if way == "down":
        made["databases"]["up"] = {"incarnation": [1, 4]}
        made["processes"] = {}
        for row in made["archives"].values():
            row["state"] = "NOT_RUNNING"
    elif way == "an SM died":
        gone = made["processes"].pop("1")
        made["archives"]["1"]["state"] = "NOT_RUNNING"
        made["tombstones"] = {
            "1": {
                **gone, "durable_state": "MONITORED", "engine_state": "RUNNING", "exit_code": 137,
                "incarnation": [1, 1],
                "reason": "Engine connection to admin process closed (2026-03-01T01:00:00.000+0000)",
            }
        }  # fmt: skip
    elif way == "TEs died":
        for number in dice.sample(["2", "3", "4"], dice.randint(1, 2)):
            made["processes"].pop(number)
    if way != "down" and dice.random() < 0.3:
        made["processes"]["5"] = domain.engine("TE", 4, 6)
        made["servers"]["server4"] = {"state": "stopped"}
    if dice.random() < 0.5:
        _add_stranger(made, dice)
    databases = [
        {"name": "up", "te_server_ids": ["server0", "server1"]},
        {"name": "down", "te_server_ids": ["server0", "server2"]},
        *([{"name": "other", "te_server_ids": ["server2"]}] if "other" in made["databases"] else []),
    ]
    return World("nuodb", f"NuoDB, {way}", made, databases)


def _add_stranger(made: dict[str, Any], dice: random.Random) -> None:
    """A database that no order names, up or down, with one archive or two."""
    is_up = dice.random() < 0.7
    archives = range(20, 21 + dice.randint(0, 1))
    made["databases"]["other"] = {"incarnation": [1, 0] if is_up else [1, 3]}
    for number in archives:
        row = domain.archive("other", number - 18, number, state="RUNNING" if is_up else "NOT_RUNNING")
        made["archives"][str(number)] = row
        if is_up:
            made["processes"][str(number)] = {
                **domain.engine("SM", number - 18, number - 19, archive_id=number), "db_name": "other"
            }  # fmt: skip
    if is_up:
        made["processes"]["30"] = {**domain.engine("TE", 2, 9), "db_name": "other"}


SHOP = [{"name": "shop", "te_server_ids": ["server0", "server1"]}]

SMALL = (
    World("nuodb", "NuoDB, small, down", scenes.nuodb(), SHOP),
    World("nuodb", "NuoDB, small, up", scenes.nuodb(up=True), SHOP),
    World("nuodb", "NuoDB, small, an SM died", scenes.CRASHED, SHOP),
    World("exaoperation", "EXAoperation, small, off", scenes.eao()),
    World("exaoperation", "EXAoperation, small, up", scenes.eao(up=True)),
    World("confd", "ConfD, small, up", scenes.confd()),
    World("confd", "ConfD, small, down", scenes.confd(up=False)),
)
"""The clusters of the crash points."""


def world(dice: random.Random) -> World:
    """The cluster of a night."""
    make = dice.choice([eao, confd, nuodb, None])
    return make(dice) if make else dice.choice(SMALL)

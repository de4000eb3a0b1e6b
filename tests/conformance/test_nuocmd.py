# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's nuocmd 2.7 and its library against a simulated domain: every command of it that speaks to the API.

What real servers are known to answer is asserted. Where only nuocmd's own demand on the answer is known, that nuocmd
understands it is: it must end well, or fail with a sentence of the API and none of its own stumbling (NuoCmd.fails).
"""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from nuocmd import NuoCmd, admin_connection, fields, nuocmd, understand

QUICK = "seconds:0.1"
USERS = [{"name": "admin", "password": "s3cret \"'@%&/:+"}]
EMPTY: dict[str, Any] = {
    "product": "nuodb",
    "name": "nuo-cmd",
    "version": "4.2.1-3-abc",
    "users": USERS,
    "servers": {f"server{n}": {"address": f"server{n}:48005"} for n in range(3)},
    "timing": {
        "process_start": 0.2, "archive_history": 0.2, "sm_start": 4, "sync": 1, "te_start": 1, "te_shutdown": 1,
        "sm_shutdown": 1, "server_start": 2, "hotcopy": 6, "storage_group": 0.5,
    },
}  # fmt: skip


def _archives(state: str) -> dict[str, Any]:
    return {
        str(n): {
            "archive_id": n,
            "db_name": "test",
            "server_id": f"server{n}",
            "archive_path": "/var/opt/nuodb/archive/test",
            "state": state,
        }
        for n in range(2)
    }


def _engine(start_id: int, engine_type: str, server: int, port: int, **more: Any) -> dict[str, Any]:
    return {
        "start_id": str(start_id),
        "db_name": "test",
        "engine_type": engine_type,
        "server_id": f"server{server}",
        "durable_state": "MONITORED",
        "engine_state": "RUNNING",
        "node_id": start_id + 1,
        "pid": 100 + start_id,
        "address": f"server{server}:{port}",
        **more,
    }


DOWN: dict[str, Any] = {
    **EMPTY,
    "databases": {"test": {"db_name": "test", "state": "NOT_RUNNING", "incarnation": [1, 4]}},
    "archives": _archives("NOT_RUNNING"),
}
UP: dict[str, Any] = {
    **EMPTY,
    "databases": {"test": {"db_name": "test", "state": "RUNNING", "incarnation": [1, 0]}},
    "archives": _archives("RUNNING"),
    "processes": {
        "0": _engine(0, "SM", 0, 48006, archive_id=0),
        "1": _engine(1, "SM", 1, 48006, archive_id=1),
        "2": _engine(2, "TE", 0, 48007),
        "3": _engine(3, "TE", 1, 48007),
    },
}
RUNNING = "check database --db-name test --check-running --num-processes {} --timeout 60"
GONE = "check database --db-name test --num-processes 0 --timeout 60"


class Domain:
    """A simulated domain and prompts at its admin processes."""

    def __init__(self, simulation: Any, home: Path) -> None:
        self.simulation, self.home = simulation, home
        self.cmd = self.prompt()

    def prompt(self, server: int = 0, **more: Any) -> NuoCmd:
        return nuocmd(self.simulation, self.home, server, **more)

    def power(self, server: str, on: bool) -> None:
        self.simulation.admin("POST", "/power", {"node": server, "on": on})

    def clock(self, text: str) -> None:
        self.simulation.admin("POST", "/clock", {"clock": text})

    def file(self, name: str) -> Any:
        return json.loads((self.home / name).read_text())


@pytest.fixture
def domain(simulate: Any, tmp_path: Path) -> Callable[..., Domain]:
    def start(topology: dict[str, Any], clock: str = QUICK, **more: Any) -> Domain:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        return Domain(simulate({**topology, **more}, clock), home)

    return start


def states(cmd: NuoCmd) -> dict[str, str]:
    """The processes of the database as C(durable:engine), by start id."""
    return {row["startId"]: f"{row['durableState']}:{row.get('state', 'UNKNOWN')}" for row in cmd.get("processes")}


def state(cmd: NuoCmd, name: str = "test") -> str:
    return str(cmd.get(f"database --db-name {name}")[0]["state"])


def incarnation(cmd: NuoCmd, name: str = "test") -> tuple[int, int]:
    row = cmd.get(f"database --db-name {name}")[0]["incarnation"]
    return row["major"], row["minor"]


def exited(cmd: NuoCmd) -> dict[str, dict[str, Any]]:
    return {row["process"]["startId"]: row for row in cmd.get("processes --exited")}


# ---------------------------------------------------------------------------------------------------------- servers


def test_servers(domain: Callable[..., Domain]) -> None:
    """Membership, roles and connections, as any admin process sees them; one is lost, then the majority."""
    run = domain(EMPTY)
    cmd, other = run.cmd, run.prompt(1)
    cmd.run("check server --check-active --check-connected --check-converged")
    cmd.run("check servers --check-active --check-connected --check-leader --check-converged --num-servers 3")
    cmd.run("check servers --check-liveness 20 --wait-for-acks --timeout 60")
    assert "Unexpected number of servers: expected=4, actual=3" in cmd.fails("check servers --num-servers 4")
    for number in range(3):
        rows = run.prompt(number).get("servers")
        assert [row["id"] for row in rows] == ["server0", "server1", "server2"]
        assert [row["id"] for row in rows if row["isLocal"]] == [f"server{number}"]
        assert len({row["localRoleInfo"]["leaderServerId"] for row in rows}) == 1
        assert [row["localRoleInfo"]["role"] for row in rows].count("LEADER") == 1

    run.power("server0", False)
    assert "Unable to connect to https://" in cmd.fails("show domain")
    shown = other.until("show domain", lambda out: "Leader=server0" not in out and "LEADER, Leader=server" in out)
    servers = {item["server_id"]: item for item in understand(shown) if item["kind"] == "server"}
    assert {name: row["connected"] for name, row in servers.items()} == {
        "server0": "Disconnected", "server1": "Connected", "server2": "Connected",
    }  # fmt: skip
    assert servers["server1"]["leader"] != "server0"
    assert "Servers not CONNECTED to server1: server0" in other.fails("check servers --check-connected")
    other.run("check server --check-active --check-connected --check-converged")
    other.run("set value --key k --value v")

    run.power("server2", False)
    shown = other.until("show domain", lambda out: "Leader=<NO VALUE>" in out)
    assert "Leader=server" not in next(line for line in shown.splitlines() if "[server1]" in line)
    other.fails("set value --key k --value w --unconditional")
    assert other.run("get value --key k") == "v\n"
    assert "server1" in other.fails("check server --check-converged")

    run.power("server0", True)
    run.power("server2", True)
    other.run("check servers --check-active --check-connected --check-converged --num-servers 3 --timeout 60")
    cmd.run("check servers --check-connected --check-converged --timeout 60")
    assert cmd.run("get value --key k") == "v\n"


def test_passive_servers(domain: Callable[..., Domain]) -> None:
    """They are shown as such, and nuocmd's own check counts them nevertheless (NUODB-276)."""
    run = domain({**EMPTY, "servers": {"server0": {}, "server1": {"passive": True}, "server2": {"passive": True}}})
    shown = run.cmd.run("show domain")
    assert shown.count("PASSIVE") == 2
    run.power("server1", False)
    run.power("server2", False)
    run.cmd.until("show domain", lambda out: out.count("Disconnected") == 2)
    run.cmd.run("set value --key k --value v")
    assert "server0" in run.cmd.fails("check server --check-converged --timeout 1")


def test_server_leaves(domain: Callable[..., Domain]) -> None:
    """shutdown server, delete server-state, delete server."""
    run = domain(DOWN)
    cmd = run.cmd
    cmd.run("create archive --db-name spare --server-id server2 --archive-path /a/spare")
    cmd.run("shutdown server --server-id server2")
    cmd.until("show domain", lambda out: "Disconnected" in out)
    cmd.run("delete server-state --server-id server2")
    assert {row["host"] for row in cmd.get("archives")} == {"server0", "server1"}
    cmd.run("delete server --server-id server2")
    cmd.run("check servers --check-connected --check-converged --num-servers 2 --timeout 60")
    cmd.fails("delete server --server-id nowhere")


def test_server_config(domain: Callable[..., Domain]) -> None:
    run = domain(EMPTY)
    assert "   ThisServerId = server0\n" in run.cmd.run("get server-config --this-server")
    assert run.prompt(2).run("get server-config --this-server --property-key ThisServerId").endswith("= server2\n")
    config = run.cmd.get("server-config --server-id server1")[0]
    assert config["properties"]["ThisServerId"] == "server1"
    assert config["properties"]["leaderAssignmentTimeout"] == "10000"
    assert {"agentPort", "adminPort"} <= set(config["properties"])
    run.cmd.fails("get server-config --server-id nowhere")
    for name, row in config["initialMembership"].items():
        assert name.startswith("server")
        assert "transport" in row


# -------------------------------------------------------------------------------------------------------- databases


def test_life_of_a_database(domain: Callable[..., Domain]) -> None:
    """Created and started, shut down, deleted, created again under its name, purged."""
    run = domain(EMPTY)
    cmd = run.cmd
    for server in ("server0", "server1"):
        printed = cmd.run(f"create archive --db-name test --server-id {server} --archive-path /a/test")
        assert understand(printed)[0]["values"]["state"] == "PROVISIONED"
    create = "create database --db-name test --dba-user dba --dba-password dba"
    printed = cmd.run(f"{create} --te-server-ids server0 server2")
    assert [(i["values"]["engine_type"], i["values"]["server_id"], i["starting"]) for i in understand(printed)] == [
        ("SM", "server0", True), ("SM", "server1", True), ("TE", "server0", True), ("TE", "server2", True),
    ]  # fmt: skip
    cmd.run(RUNNING.format(4))
    cmd.run("check database --db-name test --check-running --check-liveness 20 --wait-for-acks --timeout 60")
    cmd.run("check database --db-name test --check-syncing")
    assert "expected=5, actual=4" in cmd.fails("check database --db-name test --num-processes 5")
    assert set(states(cmd).values()) == {"MONITORED:RUNNING"}
    assert incarnation(cmd)[0] == 1
    nodes = {row["startId"]: row["nodeId"] for row in cmd.get("processes --db-name test")}
    assert sorted(nodes.values()) == [1, 2, 3, 4]
    assert 1 in (nodes["0"], nodes["1"])
    assert [row["state"] for row in cmd.get("archives --db-name test")] == ["RUNNING", "RUNNING"]

    cmd.fails(create)
    cmd.fails("delete database --db-name test")
    cmd.fails("delete archive --archive-id 0")
    cmd.run("shutdown database --db-name test")
    cmd.run(GONE)
    assert state(cmd) == "NOT_RUNNING"
    assert incarnation(cmd) == (1, 4)
    assert [row["state"] for row in cmd.get("archives")] == ["NOT_RUNNING", "NOT_RUNNING"]
    tombstones = exited(cmd)
    assert set(tombstones) == {"0", "1", "2", "3"}
    for row in tombstones.values():
        assert row["exitCode"] == 0
        assert row["reason"].endswith("Gracefully shutdown engine")
        assert (row["process"]["durableState"], row["process"]["state"]) == ("REQUESTED_SHUTDOWN", "SHUTTING_DOWN")
    order = sorted(tombstones, key=lambda name: tombstones[name]["databaseIncarnation"]["minor"])
    assert {tombstones[name]["process"]["type"] for name in order[:2]} == {"TE"}
    cmd.fails("shutdown database --db-name test")

    cmd.run("delete database --db-name test")
    assert state(cmd) == "TOMBSTONE"
    assert "TOMBSTONE" not in cmd.run("show domain")
    assert "test [state = TOMBSTONE]" in cmd.run("show domain --include-tombstone-databases")
    assert "in TOMBSTONE state" in cmd.fails("check database --db-name test")
    cmd.fails("start database --db-name test")
    cmd.run(f"{create} --no-autostart")
    assert state(cmd) == "NOT_RUNNING"
    assert cmd.get("processes") == []

    cmd.run("delete database --db-name test --purge")
    assert cmd.get("databases") == []
    assert cmd.get("archives") == cmd.get("archives --removed") == []
    cmd.fails("get database --db-name test")
    cmd.fails("check database --db-name test")


def test_names_are_matched_whole(domain: Callable[..., Domain]) -> None:
    """Filters are regular expressions on the wire: a database isn't taken for one whose name begins the same."""
    cmd = domain(EMPTY).cmd
    for name in ("test", "test2"):
        cmd.run(f"create archive --db-name {name} --server-id server0 --archive-path /a/{name}")
        cmd.run(f"create database --db-name {name} --dba-user dba --dba-password dba --te-server-ids server1")
    for name in ("test", "test2"):
        cmd.run(RUNNING.format(2).replace("test", name))
        assert {row["dbName"] for row in cmd.get(f"processes --db-name {name}")} == {name}
        assert {row["dbName"] for row in cmd.get(f"archives --db-name {name}")} == {name}
    cmd.run("shutdown database --db-name test2")
    cmd.run(GONE.replace("test", "test2"))
    assert {row["process"]["dbName"] for row in cmd.get("processes --exited --db-name test2")} == {"test2"}
    assert cmd.get("processes --exited --db-name test") == []
    shown = [item for item in understand(cmd.run("show domain")) if item["kind"] == "database"]
    assert [(item["db_name"], item["state"]) for item in shown] == [("test", "RUNNING"), ("test2", "NOT_RUNNING")]


def test_start_database(domain: Callable[..., Domain]) -> None:
    """With and without --incremental, and TEs held back until the SMs run."""
    run = domain(DOWN)
    cmd = run.cmd
    assert "is not running and --incremental was specified" in cmd.fails("start database --db-name test --incremental")
    printed = cmd.run("start database --db-name test --te-server-ids server0 --sms-running-timeout 60")
    started = [item["values"] for item in understand(printed)]
    assert [row["engine_type"] for row in started] == ["SM", "SM", "TE"]
    assert {(row["expected_incarnation_major"], row["expected_incarnation_minor"]) for row in started} == {("2", "0")}
    cmd.run(RUNNING.format(3))
    assert incarnation(cmd) == (2, 0)
    calls = [row for row in run.simulation.admin("GET", "/calls") if row["method"] == "POST processes"]
    assert len(calls) == 3
    # held back by the first storage manager, which takes four cluster seconds
    assert calls[2]["time"] - calls[1]["time"] > 0.4

    assert "is running and --incremental was not specified" in cmd.fails("start database --db-name test")
    assert cmd.run("start database --db-name test --incremental --te-server-ids server0") == ""
    cmd.run("shutdown process --start-id 1 --timeout 60")
    cmd.run("check process --start-id 1 --check-exited --timeout 60")
    assert state(cmd) == "AWAITING_ARCHIVE_HISTORIES_INC"
    assert "is not RUNNING" in cmd.fails("check database --db-name test --check-running")
    cmd.run("check database --db-name test --check-syncing --num-processes 2")
    printed = cmd.run("start database --db-name test --incremental --te-server-ids server0 server1")
    started = [item["values"] for item in understand(printed)]
    assert [(row["engine_type"], row["server_id"]) for row in started] == [("SM", "server1"), ("TE", "server1")]
    cmd.run(RUNNING.format(4))
    cmd.run("start database --db-name test --unconditional --te-server-ids server0 server1")
    assert len(states(cmd)) == 4


def test_start_that_fails(domain: Callable[..., Domain]) -> None:
    """nuocmd prints the tombstones when the SMs don't come to run."""
    run = domain(DOWN)
    cmd = run.cmd
    run.simulation.admin("POST", "/faults", {"kind": "never_starts", "object": "1", "text": "No space", "exit_code": 3})
    said = cmd.fails("start database --db-name test --te-server-ids server0 --sms-running-timeout 1")
    assert "Database test is not RUNNING" in said
    assert "EXITED(STARTED:UNKNOWN):No space" in said
    assert said.endswith("(3)")
    cmd.run(GONE)
    assert exited(cmd)["1"]["exitCode"] == 3


def test_exit_while_checked(domain: Callable[..., Domain]) -> None:
    """check database gives up when an engine exits under it, told by the incarnation."""
    run = domain(UP)
    with ThreadPoolExecutor(1) as pool:
        line = "check database --db-name test --check-running --num-processes 5 --fail-on-process-exit --timeout 20"
        checked = pool.submit(run.cmd.fails, line)
        while "GET databases" not in run.simulation.methods():
            assert not checked.done()
        run.simulation.admin("POST", "/die", {"start_id": "3", "exit_code": 1})
        said = checked.result()
    assert "Process failures detected due to unexpected incarnation for database test" in said
    assert "expected=(1, 0), actual=(1, 1)" in said


def test_start_process(domain: Callable[..., Domain]) -> None:
    run = domain(DOWN)
    cmd = run.cmd
    start = "start process --db-name test --engine-type {} --server-id {}"
    cmd.fails(start.format("TE", "server0").replace("test", "missing"))
    cmd.fails(start.format("TE", "nowhere"))
    cmd.fails(start.format("SM", "server0") + " --archive-id 77")
    cmd.fails(start.format("TE", "server0") + " --expected-incarnation 7.0")
    assert cmd("start process --db-name test").code == 2
    assert cmd.get("processes") == []
    cmd.run("start database --db-name test")
    cmd.fails(start.format("SM", "server0") + " --archive-id 0")
    cmd.run(RUNNING.format(2))
    options = "--labels zone a rack r1 --options mem 2G --expected-incarnation 2.0"
    printed = cmd.run(f"{start.format('TE', 'server1')} {options}")
    values = understand(printed)[0]["values"]
    assert values["labels"] in ("{zone: a, rack: r1}", "{rack: r1, zone: a}")
    row = cmd.get("processes")[-1]
    assert row["options"]["mem"] == "2G"
    assert json.loads(row["options"]["user-data"])["startId"] == row["startId"]
    assert row["options"]["engine-type"] == "TE"
    cmd.run("start process --db-name test --engine-type TE --this-server")
    assert cmd.get("processes")[-1]["host"] == "server0"
    # what nuocmd leaves out is a TE
    cmd.run("start process --db-name test --server-id server2")
    assert cmd.get("processes")[-1]["type"] == "TE"
    cmd.run(RUNNING.format(5))


def test_plans(domain: Callable[..., Domain]) -> None:
    """A saved plan, a captured one and a plan for one use; enforce starts what is missing."""
    run = domain(UP)
    cmd = run.cmd
    cmd.run("capture database --db-name test --capture-file capture.json")
    captured = run.file("capture.json")
    assert captured["incremental"] is False
    assert [(row["engineType"], row["host"], row.get("archiveId")) for row in captured["processes"]] == [
        ("SM", "server0", 0), ("SM", "server1", 1), ("TE", "server0", None), ("TE", "server1", None),
    ]  # fmt: skip
    assert "is running and --incremental was not specified" in cmd.fails("enforce database --capture-file capture.json")
    printed = cmd.run("enforce database --capture-file capture.json --incremental")
    assert printed.count("SKIPPING: ") == printed.count("\n") == 4
    cmd.run("shutdown process --start-id 3 --timeout 60")
    cmd.run("check process --start-id 3 --check-exited --timeout 60")
    printed = cmd.run("enforce database --capture-file capture.json --incremental")
    assert printed.count("SKIPPING: ") == 3
    assert printed.count("STARTING: ") == 1
    cmd.run(RUNNING.format(4))

    cmd.run("shutdown database --db-name test")
    cmd.run(GONE)
    cmd.fails("capture database --db-name test --capture-file none.json")
    cmd.run("get startplan --db-name test --te-server-ids server2 --one-time --output-file once.json")
    cmd.run("get startplan --db-name test --te-server-ids server2 --output-file plan.json")
    plan, once = run.file("plan.json"), run.file("once.json")
    assert plan["incremental"] is once["incremental"] is False
    assert [(row["engineType"], row["host"]) for row in plan["processes"]] == [
        ("SM", "server0"), ("SM", "server1"), ("TE", "server2"),
    ]  # fmt: skip
    assert all("expectedIncarnation" not in row for row in plan["processes"])
    assert all(row["expectedIncarnation"] == {"major": 2, "minor": 0} for row in once["processes"])
    cmd.run("enforce database --capture-file plan.json --sms-running-timeout 60")
    cmd.run(RUNNING.format(3))
    assert incarnation(cmd) == (2, 0)
    cmd.run("create archive --db-name test --server-id server2 --archive-path /a/third")
    said = cmd.fails("enforce database --capture-file plan.json --incremental")
    assert "Expected archives not found in capture file: [2]" in said


def test_options_of_a_database(domain: Callable[..., Domain]) -> None:
    cmd = domain(EMPTY).cmd
    cmd.run("create archive --db-name test --server-id server0 --archive-path /a/test")
    create = "create database --db-name test --dba-user dba --dba-password dba"
    cmd.run(f"{create} --no-autostart --default-options mem 1G")
    cmd.run("update database-options --db-name test --default-options ping-timeout 60 mem 4G")
    assert cmd.get("database --db-name test")[0]["databaseOptions"] == {"mem": "4G", "ping-timeout": "60"}
    cmd.run("start database --db-name test")
    assert cmd.get("processes")[0]["options"]["mem"] == "4G"
    cmd.run("update database-options --db-name test --default-options verbose error --replace-all")
    printed = cmd.run("get database --db-name test")
    assert fields(printed[len("Database(") : -2])["default_options"] == "{verbose: error}"
    cmd.fails("update database-options --db-name missing --default-options mem 1G")


def test_timeouts_without_all_archives(domain: Callable[..., Domain]) -> None:
    """What the admin layer says of a start that can't come to anything, by its own time limit."""
    run = domain(DOWN)
    cmd = run.cmd
    cmd.run("start process --db-name test --engine-type SM --archive-id 1 --server-id server1")
    said = cmd.fails("check process --start-id 0 --check-running --timeout 20")
    assert "has already exited" in said
    assert "Timed out while awaiting leader assignment (10000 ms)" in said
    cmd.run("start process --db-name test --engine-type TE --server-id server1")
    cmd.run("check process --start-id 1 --check-exited --timeout 60")
    rows = exited(cmd)
    assert {name: row["exitCode"] for name, row in rows.items()} == {"0": 2, "1": 127}
    assert "EntryRequest failed: Timed out while awaiting entry node (10000 ms)" in rows["1"]["reason"]
    assert [rows[name]["databaseIncarnation"]["major"] for name in ("0", "1")] == [2, 3]
    assert incarnation(cmd) == (3, 1)
    shown = understand(cmd.run("show database --db-name test --all-incarnations"))
    ids = [(item["kind"], item.get("start_id", item.get("major"))) for item in shown[2:]]
    assert ids == [("tombstone", "1"), ("incarnation", "2"), ("tombstone", "0")]
    assert [item["kind"] for item in understand(cmd.run("show database --db-name test --skip-exited"))] == [
        "object", "database",
    ]  # fmt: skip
    shown = understand(cmd.run("show database --db-name test --num-incarnations 2"))
    assert [item["start_id"] for item in shown if item["kind"] == "tombstone"] == ["1", "0"]


# -------------------------------------------------------------------------------------------------------- processes


def test_processes_end(domain: Callable[..., Domain]) -> None:
    """Asked, killed, evicted, with a core, a whole server's: the tombstones tell which."""
    run = domain(UP)
    cmd = run.cmd
    cmd.run("check process --start-id 0 --check-running --check-liveness 20 --wait-for-ack --timeout 60")
    assert "has not exited" in cmd.fails("check process --start-id 0 --check-exited")
    cmd.fails("check process --start-id 77")
    cmd.fails("shutdown process --start-id 77")
    cmd.run("shutdown process --start-id 3 --timeout 60")
    assert "3" not in states(cmd)
    assert exited(cmd)["3"]["exitCode"] == 0
    said = cmd.fails("check process --start-id 3 --check-running")
    assert "Process with Start ID 3 has already exited" in said
    assert "Gracefully shutdown engine" in said
    assert "ExitedProcess" not in cmd.run("get processes")

    cmd.run("shutdown process --start-id 1 --kill")
    cmd.run("check process --start-id 1 --check-exited --timeout 60")
    row = exited(cmd)["1"]
    assert row["exitCode"] == 137
    assert row["reason"].startswith("Removing process from domain state due to service request: (")
    assert row["reason"].endswith(") Engine connection to admin process closed")
    assert (row["process"]["durableState"], row["process"]["state"]) == ("MONITORED", "RUNNING")

    cmd.run("start process --db-name test --engine-type TE --server-id server1")
    cmd.run("start process --db-name test --engine-type TE --server-id server2")
    cmd.run("check process --start-id 4 --check-running --timeout 60")
    cmd.run("check process --start-id 5 --check-running --timeout 60")
    cmd.run("shutdown process --start-id 4 --evict")
    cmd.run("shutdown process --start-id 5 --kill-with-core --timeout 60")
    for start_id in ("4", "5"):
        cmd.run(f"check process --start-id {start_id} --check-exited --timeout 60")
    assert set(states(cmd)) == {"0", "2"}

    cmd.run("shutdown server-processes --server-id server0 --db-name test --timeout 60")
    cmd.run(GONE)
    assert state(cmd) == "NOT_RUNNING"


def test_database_without_its_storage(domain: Callable[..., Domain]) -> None:
    """The last SM dies: the admin layer shuts the TEs down, and the next start counts a new incarnation."""
    run = domain(UP)
    cmd = run.cmd
    run.simulation.admin("POST", "/die", {"start_id": "1", "exit_code": 137})
    cmd.until("show domain", lambda out: "AWAITING_ARCHIVE_HISTORIES_INC" in out)
    run.simulation.admin("POST", "/die", {"start_id": "0", "exit_code": 137})
    cmd.run(GONE)
    rows = exited(cmd)
    assert {name: row["exitCode"] for name, row in rows.items()} == {"0": 137, "1": 137, "2": 0, "3": 0}
    assert incarnation(cmd) == (1, 4)
    cmd.run("start database --db-name test --te-server-ids server0")
    cmd.run(RUNNING.format(3))
    nodes = {row.get("archiveId"): row["nodeId"] for row in cmd.get("processes")}
    # archive 0 had its storage manager longest, so that it holds what was committed last
    assert nodes[0] == 1
    assert incarnation(cmd) == (2, 0)


# --------------------------------------------------------------------------------------------------------- archives


def test_archives(domain: Callable[..., Domain]) -> None:
    """Deleted, brought back under the old id, purged."""
    run = domain(DOWN)
    cmd = run.cmd
    create = "create archive --db-name test --server-id server1 --archive-path /var/opt/nuodb/archive/test"
    cmd.run("delete archive --archive-id 1")
    assert [row["id"] for row in cmd.get("archives")] == [0]
    shown = understand(cmd.run("show archives --removed"))
    assert [(i["kind"], i.get("archive_id"), i.get("removed"), i.get("state")) for i in shown] == [
        ("archive", "1", True, "NOT_RUNNING"),
    ]  # fmt: skip
    cmd.fails("delete archive --archive-id 0")
    cmd.fails("delete archive --archive-id 77")
    printed = cmd.run(f"{create} --archive-id 1")
    assert understand(printed)[0]["values"] == {
        "archive_path": "/var/opt/nuodb/archive/test", "db_name": "test", "id": "1", "server_id": "server1",
        "state": "NOT_RUNNING",
    }  # fmt: skip
    assert cmd.get("archives --removed") == []
    cmd.fails(f"{create} --archive-id 1")
    cmd.run("delete archive --archive-id 1")
    cmd.run("delete archive --archive-id 1 --purge")
    assert cmd.get("archives --removed") == []
    cmd.fails(f"{create} --archive-id 1")
    journal = "--journal-path /j --snapshot-archive-path /s --observes SGEAST"
    row = json.loads(cmd.run(f"--show-json {create} {journal}"))
    # ids are never given twice
    assert (row["id"], row["state"]) == (2, "PROVISIONED")
    assert (row["journalPath"], row["snapshotArchivePath"]) == ("/j", "/s")
    assert row["observerStorageGroups"] == ["SGEAST"]
    cmd.run("delete archive --archive-id 2 --purge")
    cmd.fails("create archive --db-name test --server-id nowhere --archive-path /a")
    restored = json.loads(cmd.run(f"--show-json {create} --restored"))
    assert restored["id"] == 3
    cmd.run("create archive --db-name other --is-external --archive-path /external")


def test_set_archive(domain: Callable[..., Domain]) -> None:
    cmd = domain(UP).cmd
    cmd.run("set archive --archive-id 1 --passive")
    assert cmd.get("archives")[1]["observerStorageGroups"]
    cmd.run("set archive --archive-id 1 --active")
    assert not cmd.get("archives")[1].get("observerStorageGroups")
    cmd.fails("set archive --archive-id 77 --active")


def test_long_lists(domain: Callable[..., Domain]) -> None:
    """nuocmd asks for pages of 20, then 40 rows; ids are in the order of numbers."""
    archive = {"db_name": "test", "server_id": "server0", "state": "PROVISIONED"}
    archives = {str(n): {**archive, "archive_id": n, "archive_path": f"/a/{n}"} for n in range(75)}
    tombstones = {
        str(n): {**_engine(n, "TE", 0, 48006), "incarnation": [1, n], "exit_code": 0, "reason": "Gone"}
        for n in range(30)
    }
    database = {"test": {"db_name": "test", "state": "NOT_RUNNING", "incarnation": [1, 30]}}
    cmd = domain(EMPTY, archives=archives, databases=database, tombstones=tombstones).cmd
    assert [row["id"] for row in cmd.get("archives")] == list(range(75))
    assert [row["process"]["startId"] for row in cmd.get("processes --exited")] == [str(n) for n in range(30)]
    shown = understand(cmd.run("show database --db-name test"))
    found = [item["start_id"] for item in shown if item["kind"] == "tombstone"]
    assert found == [str(n) for n in reversed(range(30))]


def group(cmd: NuoCmd, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The storage group SGEAST (empty where there is none), once it is as wanted."""
    end = time.monotonic() + 120
    while True:
        rows = {row["sgName"]: row for row in cmd.get("storage-groups --db-name test")}
        row: dict[str, Any] = rows.get("SGEAST", {})
        if wanted(row):
            return row
        assert time.monotonic() < end, rows


def test_storage_groups(domain: Callable[..., Domain]) -> None:
    cmd = domain(UP).cmd
    cmd.run("add storage-group --db-name test --sg-name sgeast --archive-ids 0 1")
    row = group(cmd, lambda row: row.get("processStates") == {"0": "RUNNING", "1": "RUNNING"})
    assert row["state"] == "Available"
    assert set(row["archiveStates"]) == {"0", "1"}
    assert row["sgId"] >= 10
    shown = cmd.run("show storage-groups --db-name test")
    assert "[name = SGEAST] [state = Available]" in shown
    assert "Leader Candidates:" in shown
    cmd.run("remove storage-group --db-name test --sg-name sgeast --archive-ids 1")
    group(cmd, lambda row: set(row["archiveStates"]) == set(row["processStates"]) == {"0"})
    cmd.run("delete storage-group --db-name test --sg-name sgeast")
    group(cmd, lambda row: not row)
    cmd.fails("add storage-group --db-name test --sg-name sgeast --archive-ids 77")


# -------------------------------------------------------------------------------------------------------- hot copies


def hotcopy(text: str) -> dict[str, str]:
    assert text.startswith("HotCopyResponse("), text
    return fields(text.strip()[len("HotCopyResponse(") : -1])


def test_hot_copies(domain: Callable[..., Domain]) -> None:
    run = domain(UP)
    cmd = run.cmd
    copy = "hotcopy database --db-name test --type {}"
    said = cmd.fails(copy.format("full"))
    assert "Failure while performing hot-copy: No archives specified for hot-copy and no default backup" in said
    said = cmd.fails(f"{copy.format('full')} --backup-dirs 77 /b")
    assert "No RUNNING SMs found for database dbName=test" in said
    full = hotcopy(cmd.run(f"{copy.format('full')} --default-backup-dir /b --timeout 60"))
    assert (full["status"], full["message"]) == ("completed", "Hot copy successfully completed")
    assert full["coordinator_start_id"] in ("0", "1")
    assert "end_timestamp" in full
    for kind in ("incremental", "journal"):
        assert hotcopy(cmd.run(f"{copy.format(kind)} --backup-dirs 0 /b 1 /b --timeout 60"))["status"] == "completed"
    simple = cmd.run(f"{copy.format('simple')} --backup-dirs 0 /s --max-rate 10 --partial-storage-groups --timeout 60")
    assert hotcopy(simple)["status"] == "completed"

    # as good as standing still: under way until it is cancelled
    run.clock("seconds:20")
    going = hotcopy(cmd.run(f"{copy.format('full')} --default-backup-dir /c"))
    assert going["status"] == "running"
    assert "end_timestamp" not in going
    said = cmd.fails(f"{copy.format('full')} --default-backup-dir /d")
    assert "Only one full hot copy at a time allowed" in said
    which = f"--coordinator-start-id {going['coordinator_start_id']} --hotcopy-id {going['id']}"
    answer = cmd(f"get hotcopy-status {which} --timeout 1")
    assert answer.code != 0
    assert "timeout while waiting for hot copy operation to finish" in answer.out + answer.err
    assert hotcopy(cmd.run(f"get hotcopy-status {which}"))["status"] == "running"
    info = cmd.get("hotcopy-info --db-name test")[0]
    statuses = {row["hotCopyId"]: row["status"] for rows in info["hotCopyStatuses"].values() for row in rows}
    assert statuses[going["id"]] == "running"
    assert statuses[full["id"]] == "completed"
    one = cmd.get(f"hotcopy-info --coordinator-start-id {going['coordinator_start_id']} --timeout 60")[0]
    assert going["id"] in json.dumps(one)
    assert f"{going['id']} [running]" in cmd.run("show hotcopy-info --db-name test")
    assert going["id"] not in cmd.run("show hotcopy-info --db-name test --running-for 1d")
    cmd.run(f"cancel hotcopy {which}")
    run.clock(QUICK)
    assert hotcopy(cmd.run(f"get hotcopy-status {which} --timeout 60"))["status"] == "cancelled"
    cmd.fails("get hotcopy-status --coordinator-start-id 0 --hotcopy-id nothing")

    labelled = ["--process-filter", "label(backup cluster0)"]
    said = cmd.fails([*copy.format("full").split(), "--default-backup-dir", "/e", *labelled])
    assert "No archives specified" in said
    cmd.run("shutdown database --db-name test")
    cmd.run(GONE)
    cmd.fails(f"{copy.format('full')} --default-backup-dir /b")


# --------------------------------------------------------------------------------------------- values, users, others


def test_values(domain: Callable[..., Domain]) -> None:
    """The key-value store compares and sets; keys hold slashes, and another admin process sees them."""
    run = domain(EMPTY)
    cmd = run.cmd
    key = "/nuodb/nuobackup/test/äöü %41?#+/latest"
    get = ["get", "value", "--key", key]
    put = ["set", "value", "--key", key, "--value"]
    assert cmd.run(get) == ""
    cmd.run([*put, "v1"])
    cmd.fails([*put, "v2"])
    cmd.fails([*put, "v2", "--expected-value", "v0"])
    assert cmd.run(get) == "v1\n"
    cmd.run([*put, "v2", "--expected-value", "v1"])
    assert run.prompt(1).run(get) == "v2\n"
    cmd.run([*put, "v3", "--unconditional"])
    assert cmd.run(get) == "v3\n"
    assert cmd.run("get value --key /nuodb/nuobackup/test") == ""


def test_users_and_roles(domain: Callable[..., Domain]) -> None:
    """A role is a list of requests; whoever hasn't it is refused with a sentence."""
    run = domain(UP)
    cmd = run.cmd
    url = run.simulation.cluster["api_url"][0]
    cmd.run("create role --name reader --method GET --url /api/1/*")
    cmd.run("create user --name bob --roles reader --password b0b:secret")
    assert {row["name"]: row["roles"] for row in cmd.get("users")}["bob"] == ["reader"]
    assert "reader" in {row["name"] for row in cmd.get("roles")}
    cmd.fails("create user --name bob --roles reader --password again")
    bob = run.prompt(credentials="bob:b0b:secret")
    assert len(bob.get("processes")) == 4
    bob.fails("shutdown process --start-id 3")
    bob.fails("update database-options --db-name test --default-options mem 1G")
    assert len(cmd.get("processes")) == 4
    bob.fails("set value --key a --value b")
    for credentials in ("bob:wrong", "nobody:b0b:secret", None):
        run.prompt(credentials=credentials).fails("get servers")
    by_options = f"--basic-creds bob:b0b:secret --api-server {url}"
    assert run.prompt(credentials=None).run(f"{by_options} get value --key a") == ""

    cmd.run("create role --name ops --sub-roles reader")
    cmd.run("add role-templates --name ops --accessor --db-admin test --hotcopy-admin test")
    cmd.run("update user-roles --name bob --roles-to-add ops --roles-to-remove reader")
    bob.run("update database-options --db-name test --default-options mem 1G")
    bob.run("show domain")
    bob.run("hotcopy database --db-name test --type full --default-backup-dir /b --timeout 60")
    bob.fails("create user --name eve --roles ops --password e")
    cmd.run("remove role-templates --name ops --db-admin test")
    bob.fails("update database-options --db-name test --default-options mem 2G")
    added = "--method PUT --url /api/1/kvstore/*"
    cmd.run(f"add role-privileges --name ops {added}")
    bob.run("set value --key a --value b")
    cmd.run(f"remove role-privileges --name ops {added}")
    bob.fails("set value --key a --value c --unconditional")
    cmd.run("update user-credentials --name bob --password new")
    bob.fails("get servers")
    run.prompt(credentials="bob:new").run("get servers")
    cmd.fails("update user-roles --name nobody --roles-to-add ops")
    cmd.run("delete user --name bob")
    run.prompt(credentials="bob:new").fails("get servers")
    cmd.run("delete role --name ops")
    assert "ops" not in {row["name"] for row in cmd.get("roles")}
    cmd.fails("delete user --name bob")


def client_key(domain: Domain) -> str:
    """Certificate and key in one file: nuocmd 2.7 stumbles over two with the requests of today."""
    cluster = domain.simulation.cluster
    texts = [Path(cluster["client_cert"]).read_text()]
    if cluster["client_key"] != cluster["client_cert"]:
        texts.append(Path(cluster["client_key"]).read_text())
    path = domain.home / "client.pem"
    path.write_text("\n".join(texts))
    return str(path)


def test_client_certificate(domain: Callable[..., Domain]) -> None:
    """Mutual TLS: with the key all is allowed, without it there is no answer."""
    run = domain(UP, authentication="certificate")
    key = client_key(run)
    cmd = run.prompt(credentials=None, client_key=key)
    cmd.run("check servers --check-active --check-connected --check-converged --num-servers 3")
    cmd.run(f"--client-key {key} shutdown process --start-id 3 --timeout 60")
    run.prompt(credentials=None).fails("get servers")


def test_server_certificate(domain: Callable[..., Domain]) -> None:
    """nuocmd verifies the chain; with NUOCMD_VERIFY_HOSTNAME the name too."""
    run = domain(EMPTY)
    run.prompt(verify_hostname="1").run("get servers")
    stranger = domain(EMPTY).simulation.cluster["ca_path"]
    assert "certificate verify failed" in run.prompt(ca_path=stranger).fails("get servers")
    run.prompt(ca_path=stranger).run("--no-verify get servers")
    url = run.simulation.cluster["api_url"][0]
    plain = run.cmd.fails(f"--api-server {url.replace('https', 'http')} get servers")
    assert "Unable to connect to http://" in plain


def test_certificates_of_the_domain(domain: Callable[..., Domain]) -> None:
    run = domain(UP)
    cmd = run.cmd
    ca = run.simulation.cluster["ca_path"]
    cmd.run(f"add trusted-certificate --alias mine --cert {ca} --timeout 60")
    info = cmd.get("certificate-info")[0]
    assert "mine" in info["trustedCertificates"]
    assert info["trustedCertificates"]["mine"]["certificatePem"].strip() in Path(ca).read_text()
    assert set(info["serverCertificates"]) == {"server0", "server1", "server2"}
    cmd.run("get certificate-info")
    cmd.run("remove trusted-certificate --alias mine")
    assert "mine" not in cmd.get("certificate-info")[0]["trustedCertificates"]


def test_connections_and_load_balancers(domain: Callable[..., Domain]) -> None:
    cmd = domain(UP).cmd
    row = json.loads(cmd.run("--show-json get sql-connection --db-name test"))
    assert row["type"] == "TE"
    cmd.run(["get", "sql-connection", "--db-name", "test", "--connection-properties", "LBQuery", "random(any)"])
    cmd.run("check sql-connection --db-name test --any-te --timeout 60 --nuosql-cmd none")
    cmd.run(["set", "load-balancer", "--policy-name", "nearest", "--lb-query", "random(first(label(zone a) any))"])
    assert cmd.get("load-balancers") == [{"policyName": "nearest", "lbQuery": "random(first(label(zone a) any))"}]
    cmd.run(["set", "load-balancer-config", "--db-name", "test", "--default", "round_robin(any)"])
    cmd.run(["set", "load-balancer-config", "--is-global", "--prefilter", "any"])
    rows = cmd.get("load-balancer-config")
    assert {(row.get("dbName"), row.get("defaultLbQuery"), row.get("prefilter")) for row in rows} == {
        ("test", "round_robin(any)", None), (None, None, "any"),
    }  # fmt: skip
    cmd.run("set load-balancer-config --db-name test --unregister-default")
    assert all(row.get("defaultLbQuery") is None for row in cmd.get("load-balancer-config"))
    cmd.run("delete load-balancer --policy-name nearest")
    assert cmd.get("load-balancers") == []
    cmd.run("shutdown database --db-name test")
    cmd.run(GONE)
    assert cmd.run("get sql-connection --db-name test") == ""
    assert "No matching TEs found" in cmd.fails("check sql-connection --db-name test --nuosql-cmd none")


def test_versions_encryption_and_handoff(domain: Callable[..., Domain]) -> None:
    cmd = domain(UP).cmd
    shown = cmd.run("show database-versions --db-name test")
    assert shown.startswith("effective version ID: ")
    assert len([line for line in shown.splitlines() if "start_id = " in line]) == 4
    cmd.run("upgrade database-version --db-name test --max-version")
    cmd.run("update data-encryption --db-name test --new-password n1 --is-initial-password")
    cmd.run("check data-encryption --db-name test --password n1")
    cmd.fails("check data-encryption --db-name test --password wrong")
    cmd.run("update data-encryption --db-name test --new-password n2 --current-password n1")
    row = json.loads(cmd.run("--show-json handoff report-timestamp --db-name test --archive-ids 0 1"))
    assert {"timestamp", "commits", "epoch", "leaders"} <= set(row)
    cmd.run("shutdown database --db-name test")
    cmd.run(GONE)
    printed = cmd.run("handoff reset-state --db-name test --commits 1 2 --epoch 1 --leaders 1 0")
    assert printed == "State successfully reset\n"


def test_versions_in_a_rolling_upgrade(domain: Callable[..., Domain]) -> None:
    """A block per release, as the vendor's guide shows it; what an AP is too old for goes nuocmd's other way."""
    old = {key: {**row, "version": "6.0-1"} for key, row in UP["processes"].items()}
    settings = {"database_versions": "1703936=6.0,1769472=7.0", "release_versions": "6.0-1=1703936"}
    place = domain(
        {**UP, "version": "7.0-2"}, processes={**old, "0": {**old["0"], "version": "7.0-2"}}, settings=settings
    )
    shown = place.cmd.run("show database-versions --db-name test")
    assert shown.startswith("effective version ID: 1703936, effective version: 6.0, max version ID: 1703936\n")
    blocks = [line.strip() for line in shown.splitlines() if "release: " in line]
    assert sorted(blocks) == [
        "version ID: 1703936, version: 6.0, release: 6.0-1", "version ID: 1769472, version: 7.0, release: 7.0-2"
    ]  # fmt: skip
    assert place.cmd.fails("upgrade database-version --db-name test --version 1769472")
    too_old = domain(UP, settings={"versions_call": False})
    assert too_old.cmd.fails("show database-versions --db-name test")


def test_regions(domain: Callable[..., Domain]) -> None:
    cmd = domain(UP).cmd
    assert [(row["id"], row["name"]) for row in cmd.get("regions")] == [(0, "Default")]
    cmd.run("create region --name east")
    assert [row["name"] for row in cmd.get("regions")] == ["Default", "east"]
    cmd.run("add region-assignment --db-name test --region-name east --server-ids server1")
    assert cmd.get("database --db-name test")[0]["hostAssignments"] == {"server1": 1}
    assert "[region = east]" in cmd.run("show regions --db-name test")
    cmd.run("remove region-assignment --db-name test --server-ids server1")
    assert cmd.get("database --db-name test")[0]["hostAssignments"] == {}
    cmd.run("delete region --region-id 1")
    assert [row["name"] for row in cmd.get("regions")] == ["Default"]


def test_license_logs_and_state(domain: Callable[..., Domain]) -> None:
    run = domain(UP)
    cmd = run.cmd
    row = cmd.get("effective-license")[0]
    assert {"type", "holder", "expires"} <= set(row["decodedLicense"])
    encoded = row.get("encodedLicense") or "-----BEGIN LICENSE-----\nx\n-----END LICENSE-----"
    (run.home / "license.pem").write_text(encoded)
    cmd.run("check license --license-file license.pem")
    cmd.run("set license --license-file license.pem --allow-downgrade")
    cmd.run("log message --message hello")
    cmd.run("get server-logs --output logs.zip")
    assert (run.home / "logs.zip").read_bytes().startswith(b"PK")
    cmd.run("capture domain-state --output state.json")
    assert (run.home / "state.json").stat().st_size > 2


# ------------------------------------------------------------------------------------------- the library, the state


def test_library(domain: Callable[..., Domain]) -> None:
    """pynuoadmin's AdminConnection as a program uses it."""
    from pynuoadmin.nuodb_mgmt import AdminException, ExitedProcess

    run = domain(DOWN)
    connection = admin_connection(run.simulation.cluster)
    assert [server.id for server in connection.get_servers()] == ["server0", "server1", "server2"]
    with pytest.raises(AdminException) as caught:
        connection.get_database("missing")
    assert caught.value.code == 404
    assert caught.value.messages
    for archive in connection.get_archives("test"):
        process = connection.start_process("test", archive.server_id, "SM", archive_id=archive.id)
        assert (process.durable_state, process.engine_state) == ("REQUESTED", "UNKNOWN")
        assert process.address is None
    assert connection.check_database("test", check_running=True, num_processes=2, timeout=60).incarnation == (2, 0)
    te = connection.start_process("test", "server2")
    assert connection.check_process(te.start_id, check_running=True, timeout=60).engine_type == "TE"
    assert connection.get_process(te.start_id).address == "server2:48006"
    connection.shutdown_process(te.start_id, timeout=60)
    gone = connection.get_process(te.start_id)
    assert isinstance(gone, ExitedProcess)
    assert (gone.exit_code, gone.process.start_id) == (0, te.start_id)
    # what no command of nuocmd asks for
    plan = connection.get_database_startplan("test", te_server_ids=["server2"])
    assert plan["incremental"] is True
    assert len(connection.capture_database("test", check_state=False)["processes"]) == 2
    connection.set_value("k", "v", None)
    assert admin_connection(run.simulation.cluster, 1).get_value("k") == "v"


def test_a_state_is_a_topology(domain: Callable[..., Domain], simulate: Any) -> None:
    """A domain begun from another's state shows the same to nuocmd."""
    run = domain(UP)
    run.cmd.run("shutdown process --start-id 3 --timeout 60")
    run.cmd.run("shutdown process --start-id 1 --kill")
    run.cmd.run("check process --start-id 1 --check-exited --timeout 60")
    copy = Domain(simulate({**run.simulation.state(), "users": USERS}, QUICK), run.home)
    for line in ("show domain", "show archives", "show database --db-name test --all-incarnations"):
        assert understand(copy.cmd.run(line)) == understand(run.cmd.run(line)), line
    for cmd in (run.cmd, copy.cmd):
        printed = cmd.run("start database --db-name test --incremental")
        assert understand(printed)[0]["values"]["archive_id"] == "1"
        cmd.run(RUNNING.format(3))
        assert set(states(cmd)) == {"0", "2", "4"}


# ------------------------------------------------------------------------------------------------------- Kubernetes


def test_kubernetes(domain: Callable[..., Domain]) -> None:
    """NUODB-35, NUODB-37, NUODB-40: pods start what exits again, and nothing else starts an archive without a host."""
    pods = {key: {**row, "external": True} for key, row in UP["processes"].items()}
    archives = {key: {**row, "server_id": None} for key, row in UP["archives"].items()}
    settings = {"kubernetes": True, "leaderAssignmentTimeout": 900000}
    cmd = domain(UP, settings=settings, archives=archives, processes=pods).cmd
    assert "server0" in cmd.run("get kubernetes-config")
    assert "<NO VALUE>" in cmd.run("show archives")
    assert all(row["isExternalStartup"] for row in cmd.get("processes"))
    cmd.run("shutdown database --db-name test")
    deadline = time.monotonic() + 120
    while set(states(cmd)) & set(pods) or set(states(cmd).values()) != {"MONITORED:RUNNING"}:
        assert time.monotonic() < deadline, states(cmd)
        time.sleep(0.1)
    cmd.run(RUNNING.format(4))
    assert incarnation(cmd)[0] == 2

    still = domain(DOWN, archives={key: {**row, "state": "NOT_RUNNING"} for key, row in archives.items()}).cmd
    still.fails("start process --db-name test --server-id server0 --engine-type SM --archive-id 0")
    for number in (0, 1):
        still.run(
            f"start process --db-name test --server-id server{number} --engine-type SM --archive-id {number} "
            "--nuodb-cmd true"
        )
    still.run("check database --db-name test --check-running --num-processes 2 --timeout 60")
    still.fails("get kubernetes-config")


# ------------------------------------------------------------------------------------------------ newer versions


def test_states_of_newer_versions(domain: Callable[..., Domain]) -> None:
    """NUODB-296, NUODB-301, NUODB-306: as nuocmd prints them."""
    newer = {
        "awaiting_histories": "TRACKED",
        "node_id_is_start_id": True,
        "recovery_progress": True,
        "leaderAssignmentTimeout": 600000,
    }
    run = domain(DOWN, settings=newer)
    run.simulation.admin("POST", "/faults", {"kind": "stays", "object": "SM", "state": "CONFIGURED"})
    start = "start process --db-name test --server-id server{0} --engine-type SM --archive-id {0}"

    def shown(text: str) -> str:
        deadline = time.monotonic() + 120
        while text not in (printed := run.cmd.run("show database --db-name test")):
            assert time.monotonic() < deadline, printed
            time.sleep(0.1)
        return printed

    run.cmd.run(start.format(0))
    assert "[node_id = 0]" in shown("TRACKED:STARTING_UP")
    run.cmd.run(start.format(1))
    shown("CONFIGURED:RECOVERING_JOURNAL:SAVE(99.0%)")


def test_a_storage_group_that_is_offline(domain: Callable[..., Domain]) -> None:
    """NUODB-287, NUODB-288: its SM exits beside TEs, and comes when they have gone."""
    cmd = domain(UP, storage_groups={"test": {"SGEAST": {"archive_states": {"1": "ADDED"}}}}).cmd
    start = "start process --db-name test --server-id server1 --engine-type SM --archive-id 1"
    cmd.run("shutdown process --start-id 1 --timeout 60")
    cmd.run(start)
    cmd.run("check process --start-id 4 --check-exited --timeout 60")
    text = "EXIT: SM serving storage group 'SGEAST' attempting to join a database containing TEs while the"
    assert exited(cmd)["4"]["reason"].startswith(text)
    for start_id in (2, 3):
        cmd.run(f"shutdown process --start-id {start_id} --timeout 60")
    cmd.run(start)
    cmd.run("check process --start-id 5 --check-running --timeout 60")


ELSEWHERE = {
    "speaks to an engine's port, which the simulator doesn't have": [
        "get core-file", "get database-connectivity", "show database-connectivity", "show log-messages",
        "get log-messages", "get stats", "diagnose database", "diagnose process", "pause archiving",
        "resume archiving", "get archiving", "check archiving", "pause transactions", "resume transactions",
        "handoff database", "get diagnose-info",
    ],
    "runs a program of a NuoDB installation or Java's keytool": [
        "connect database", "create keypair", "show certificate", "sign certificate", "import certificate",
        "create domain-truststore", "show raftlog",
    ],
    "speaks to nothing": ["generate documentation"],
}  # fmt: skip


def test_no_command_is_left_out() -> None:
    """Every command of nuocmd that the API alone can answer is used in this suite or in the document's replay."""
    from pynuoadmin.nuodb_cli import AdminCommands

    known = {
        f"{method._action} {method._entity}"
        for _name, method in inspect.getmembers(AdminCommands, inspect.isfunction)
        if getattr(method, "_is_subcommand", False)
    }
    assert len(known) > 100
    elsewhere = {name for names in ELSEWHERE.values() for name in names}
    assert elsewhere <= known
    text = Path(__file__).read_text(encoding="utf-8").split("ELSEWHERE = ")[0]
    spoken = text.replace('", "', " ").replace('cmd.get("', 'cmd.run("get ').replace('"servers")', '"get servers")')
    assert {name for name in known - elsewhere if name not in spoken} == set()

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes: what is seen of them, how they are stopped, and how a start can be held up."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from .conftest import DOWN, Lab


def test_a_process_as_the_api_shows_it(lab: Callable[..., Lab]) -> None:
    row = lab(version="4.2.1-3-abc").ok("GET", "processes/0")
    shown = {"startId": "0", "archiveId": 0, "nodeId": 1, "pid": 101, "port": 48006, "address": "server0", "type": "SM"}
    assert {key: row[key] for key in shown} == shown
    assert (row["durableState"], row["state"], row["version"]) == ("MONITORED", "RUNNING", "4.2.1-3-abc")
    assert 0 <= row["lastHeardFrom"] < 1000
    user_data = json.loads(row["options"]["user-data"])
    assert user_data == {"incarnation": {"major": 1, "minor": 4}, "startId": "0", "labels": {}}
    assert {key: row["options"][key] for key in ("engine-type", "archive-id", "database")} == {
        "engine-type": "SM", "archive-id": "0", "database": "test",
    }  # fmt: skip


def test_what_was_requested_is_in_it(lab: Callable[..., Lab]) -> None:
    one = lab(databases={"test": {"incarnation": [1, 0], "default_options": {"mem": "1G", "verbose": "all"}}})
    row = one.start(labels={"zone": "a"}, overrideOptions={"mem": "2G"})
    assert (row["labels"], row["options"]["mem"], row["options"]["verbose"]) == ({"zone": "a"}, "2G", "all")
    # what is left out is a TE on the server that was asked
    row = one.ok("POST", "processes", {"dbName": "test", "host": None, "engineType": None}, server="server2")
    assert (row["type"], row["host"]) == ("TE", "server2")
    assert one.ok("GET", "processes/4/options")["mem"] == "2G"
    assert one.ok("GET", "processes/availableOptions")["options"]["--mem"] == "SIMPLE"


def test_first_start_initializes_an_archive(lab: Callable[..., Lab]) -> None:
    archives = {"0": {"db_name": "test", "server_id": "server0", "archive_path": "/a", "state": "PROVISIONED"}}
    one = lab(DOWN, archives=archives)
    assert one.start(0)["options"]["initialize"] == "true"
    one.pass_time(25)
    one.act("/die", start_id="0")
    assert "initialize" not in one.start(0)["options"]


def test_external_start(lab: Callable[..., Lab]) -> None:
    row = lab().ok("POST", "processes/externalStartup", {"dbName": "test", "host": "server2", "engineType": "TE"})
    assert row["isExternalStartup"] is True
    assert row["commandLineArgs"][row["commandLineArgs"].index("--engine-type") + 1] == "TE"


def test_expected_incarnation(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN)
    assert one.start(0, expectedIncarnation={"major": 2, "minor": 0})["startId"] == "0"
    # the first one began the incarnation that the next one expects
    assert one.start(1, expectedIncarnation={"major": 2})["startId"] == "1"
    status, text = one.refused("POST", "processes", {"dbName": "test", "expectedIncarnation": {"major": 3}})
    assert (status, "expected=(3, 0), actual=(2, 0)" in text) == (409, True)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_requested_process_is_cancelled(lab: Callable[..., Lab], keeps: bool) -> None:
    one = lab(settings={"cancelled_tombstone": keeps})
    one.start()
    assert one.stop(4) is None
    assert "4" not in one.processes()
    assert ("exitCode" in one.send("GET", "processes/4").json) is False
    assert ("process" in one.send("GET", "processes/4").json) is keeps


def test_a_starting_process_can_be_stopped(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN)
    one.start(0)
    one.pass_time(1)
    assert one.stop(0)["durableState"] == "REQUESTED_SHUTDOWN"
    assert one.stop(0)["durableState"] == "REQUESTED_SHUTDOWN"
    one.pass_time(3)
    assert one.tombstone(0)["exitCode"] == 0
    assert one.archives() == ["NOT_RUNNING", "NOT_RUNNING"]


def test_stop_waits_as_long_as_it_is_told(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    assert one.stop(3, timeout=10) is None
    assert "3" not in one.processes()
    one = lab(clock="seconds:0.0001")
    assert one.stop(3, timeout=1)["startId"] == "3"


def test_evict_and_core(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert one.stop(2, evict=True) is None
    dead = one.tombstone(2)
    assert ("exitCode" in dead, dead["hasDisconnected"]) == (False, False)
    assert one.stop(3, killWithCore=True)["startId"] == "3"
    one.pass_time(1)
    assert one.tombstone(3)["exitCode"] == 134


def test_a_stopped_server_acts_on_nothing(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.power(1, False)
    one.stop(3)
    one.start(server=1)
    one.pass_time(20)
    rows = one.processes()
    assert (rows["3"], rows["4"]) == ("REQUESTED_SHUTDOWN:SHUTTING_DOWN", "REQUESTED:UNKNOWN")
    assert one.ok("GET", "processes/3")["lastHeardFrom"] >= 20000
    one.stop(1, kill=True)
    one.pass_time(20)
    assert "1" in one.processes()
    one.power(1, True)
    one.pass_time(20)
    rows = one.processes()
    assert "3" not in rows
    assert "1" not in rows
    assert rows["4"] == "MONITORED:RUNNING"


def test_engines_may_go_with_their_server(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"engines_survive_server": False})
    one.power(1, False)
    assert set(one.processes()) == {"0", "2"}


@pytest.mark.parametrize(
    ("state", "stands"),
    [
        ("REQUESTED", "REQUESTED:UNKNOWN"),
        ("STARTED", "STARTED:UNKNOWN"),
        ("CONFIGURED", "CONFIGURED:UNKNOWN"),
        ("TRACKED", "TRACKED:UNKNOWN"),
        ("MONITORED", "MONITORED:SYNCING"),
    ],
)
def test_an_engine_that_stays(lab: Callable[..., Lab], state: str, stands: str) -> None:
    one = lab()
    one.act("/die", start_id="1")
    one.fault(kind="stays", object="1", state=state)
    one.start(1)
    one.pass_time(60)
    assert one.processes()["4"] == stands
    one.forgive()
    one.pass_time(60)
    assert one.processes()["4"] == "MONITORED:RUNNING"


def test_a_te_that_stays_and_one_that_does_not_go(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.fault(kind="stays", object="TE", state="STARTED")
    one.start(server=2)
    one.fault(kind="stays", object="start_id 3", state="REQUESTED_SHUTDOWN")
    one.stop(2)
    one.stop(3)
    one.pass_time(60)
    assert one.processes()["4"] == "STARTED:UNKNOWN"
    assert "2" not in one.processes()
    assert one.processes()["3"] == "REQUESTED_SHUTDOWN:SHUTTING_DOWN"
    one.stop(3, kill=True)
    one.pass_time(1)
    assert one.tombstone(3)["exitCode"] == 137
    assert one.rules() == []


def test_an_engine_that_never_starts(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN)
    one.fault(kind="never_starts", object="1", text="No space left on device", exit_code=3, max_count=1)
    for archive in (0, 1):
        one.start(archive)
    one.pass_time(1)
    dead = one.tombstone(1)
    assert (dead["exitCode"], dead["reason"].startswith("No space left on device: (")) == (3, True)
    one.start(1)
    one.pass_time(30)
    assert one.state() == "RUNNING"
    one.fault(kind="never_starts", object="TE")
    one.start()
    one.pass_time(1)
    assert one.tombstone(3)["exitCode"] == 1


def test_a_history_that_never_comes(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN)
    one.fault(kind="loses_history", object="0")
    for archive in (0, 1):
        one.start(archive)
    one.pass_time(12)
    assert [one.tombstone(n)["exitCode"] for n in (0, 1)] == [2, 2]
    # both were requested: no rule is broken
    assert one.rules() == []


def test_dying(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.act("/die", start_id="2", exit_code=9, text="Out of memory")
    dead = one.tombstone(2)
    assert (dead["exitCode"], dead["reason"].startswith("Out of memory: (")) == (9, True)
    with one.domain.lock:
        one.domain.dies(one.domain.faults.add(_dies("3")))
        assert one.tombstone(3)["exitCode"] == 137
        one.domain.dies(one.domain.faults.add(_dies("server2")))
        assert one.domain.servers.all["server2"].up is False
        one.domain.dies(one.domain.faults.add(_dies("test", delay=5)))
    one.pass_time(5)
    assert one.processes() == {}
    assert one.rules() == []


def _dies(name: str, delay: float = 0) -> object:
    from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import parse

    return parse({"kind": "dies", "object": name, "delay": delay}, {"dies": ""})


def test_recovery_can_be_told(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN, settings={"recovery_progress": True})
    for archive in (0, 1):
        one.start(archive)
    one.pass_time(2 + 6)
    row = one.ok("GET", "processes/0")
    assert (row["journalRecoveryProgress"], row.get("archiveSaveProgress")) == (0.5, None)
    one.pass_time(8)
    row = one.ok("GET", "processes/0")
    assert (row["journalRecoveryProgress"], row["archiveSaveProgress"]) == (1.0, 0.5)


@pytest.mark.parametrize("word", ["STARTED", "TRACKED"])
def test_an_sm_that_waits_for_histories_by_version(lab: Callable[..., Lab], word: str) -> None:
    one = lab(DOWN, settings={"awaiting_histories": word})
    one.start(0)
    one.pass_time(3)
    assert one.processes()["0"] == f"{word}:UNKNOWN"
    assert one.state() == "AWAITING_ARCHIVE_HISTORIES_MSG"
    one.pass_time(10)
    assert one.tombstone(0)["process"]["durableState"] == word


def test_node_ids_of_protocol_7(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN, settings={"node_id_is_start_id": True})
    for archive in (0, 1):
        one.start(archive)
    one.start()
    one.pass_time(1)
    assert [row["nodeId"] for row in one.ok("GET", "processes?orderBy=startId")["data"]] == [0, 1, 2]
    one.stop(2)
    one.pass_time(4)
    process = one.tombstone(2)["process"]
    assert (process["nodeId"], process["durableState"], process["state"]) == (2, "REQUESTED_SHUTDOWN", "UNKNOWN")
    one.pass_time(60)
    assert one.state() == "RUNNING"
    one.stop(0)
    one.pass_time(5)
    assert (one.state(), one.tombstone(0)["process"]["nodeId"]) == ("AWAITING_ARCHIVE_HISTORIES_INC", 0)


def test_te_time_out_counts_the_sm_start_only_when_told(lab: Callable[..., Lab]) -> None:
    for counts in (False, True):
        one = lab(DOWN, settings={"entry_timeout_during_sm_start": counts})
        for archive in (0, 1):
            one.start(archive)
        one.start()
        one.pass_time(12)
        assert ("2" in one.processes()) is not counts


def test_the_first_sm_dies_while_it_forms_the_database(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN)
    for archive in (0, 1):
        one.start(archive)
    one.start()
    one.pass_time(10)
    one.act("/die", start_id="0")
    one.pass_time(25)
    assert one.state() == "NOT_RUNNING"
    assert [one.tombstone(n)["exitCode"] for n in (0, 1, 2)] == [137, 127, 127]
    assert one.rules() == []

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Storage groups keep an SM under TEs; one without comes back when the TEs have gone (NUODB-287, NUODB-288)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Failed, Fault, NoSuchObject, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import diagnosis, report, serving
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import Archive
from ansible_collections.dbfleet.cluster.tests.answers import fixtures
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import Memory, sm, te, wired

THREE = {"test": ["server0", "server1", "server2"]}
DESCRIBED = [{"name": "test", "te_server_ids": ["server0", "server1"]}]
EAST = {
    "EAST": {"archive_states": {"1": "ADDED", "2": "ADDED"}},
    "ALL": {"archive_states": dict.fromkeys("012", "ADDED")},
}
WHY = "attempting to join a database containing TEs while the storage group is offline"
OFFLINE = f"EXIT: SM serving storage group 'EAST' {WHY}"


class Grouped(Memory):
    """It has storage groups, and an SM of one that is offline exits where it would join beside TEs."""

    known: Any = EAST

    def storage_groups(self, db_name: str) -> dict[str, Any]:
        self._asked("storage groups")
        return self.known

    def _runs(self, start_id: str, at: float) -> None:
        ours = self._of("test")
        mine = next((one.archive_id for one in ours if one.start_id == start_id), None)
        served = {one.archive_id for one in ours if one.is_running}
        if mine in (1, 2) and not served & {1, 2} and any(not one.is_storage and one.is_running for one in ours):
            self.exits(start_id, 1, f"{OFFLINE}: (2026-05-16T16:55:33.945+0000) closed")
            return
        super()._runs(start_id, at)


@pytest.fixture
def grouped(memory, time):
    return lambda *processes: Grouped(time, THREE).run(*processes)


@pytest.fixture
def up(grouped):
    return grouped(sm("0"), sm("1", 1, "server1"), sm("2", 2, "server2"), te("3"), te("4", "server1"))


@pytest.fixture
def east_down(grouped):
    """Nobody serves EAST, and TEs run."""
    return grouped(sm("0"), te("3"), te("4", "server1"))


def starts(domain):
    return [row[1] for row in domain.log if row[0] == "start"]


# -- an SM goes


@pytest.mark.parametrize("state", ["stopped", "killed", "evicted"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_the_last_sm_of_a_group_stays(bring, up, state, check_mode):
    del up.processes_now["2"]
    options = {"processes": [{"start_id": "1"}], "state": state, "evict_alive": True}
    if check_mode:  # an earlier task of the run may be what clears it
        bring("nuodb_process", up, True, **options)
        assert any("storage group EAST of test would lose its last SM" in text for text in bring.task.warnings)
    else:
        with pytest.raises(Refused, match="storage group EAST of test would lose its last SM while TEs run") as found:
            bring("nuodb_process", up, **options)
        assert "allow_offline_group: true accepts this" in found.value.hint
    assert up.log == []


def test_all_of_a_group_at_once_stay_too(bring, up):
    with pytest.raises(Refused, match="storage group EAST"):
        bring("nuodb_process", up, processes=[{"start_id": "1"}, {"start_id": "2"}], state="stopped")
    assert up.log == []


@pytest.mark.parametrize("case", ["allowed", "another serves it", "no TE", "not its own", "offline before", "silent"])
def test_what_may_go(bring, up, case):
    more, state, start_id = {}, "stopped", "1"
    if case == "not its own":
        start_id = "0"
    if case != "another serves it":
        del up.processes_now["2"]
    if case == "allowed":
        more = {"allow_offline_group": True}
    if case == "no TE":
        up.processes_now = {key: one for key, one in up.processes_now.items() if one.is_storage}
    if case == "offline before":
        up.processes_now["1"] = replace(up.processes_now["1"], durable_state="TRACKED", engine_state="UNKNOWN")
    if case == "silent":
        up.processes_now["1"] = replace(up.processes_now["1"], last_heard_from=60_000)
        state = "evicted"
    assert bring("nuodb_process", up, processes=[{"start_id": start_id}], state=state, **more)["changed"]
    assert len(up.log) == 1


def test_a_te_goes_without_a_look_at_the_groups(bring, up):
    bring("nuodb_process", up, processes=[{"start_id": "3"}], state="stopped")
    assert "storage groups" not in up.reads


def test_an_ap_that_knows_no_groups(bring, up):
    up.storage_groups = Mock(side_effect=NoSuchObject("no such call"))
    assert bring("nuodb_process", up, processes=[{"start_id": "1"}], state="stopped")["changed"]
    up.storage_groups = Mock(side_effect=Fault("not now", "not now"))
    with pytest.raises(Fault, match="not now"):
        bring("nuodb_process", up, processes=[{"start_id": "2"}], state="stopped")


@pytest.mark.parametrize("allowed", [False, True])
def test_nor_does_it_go_with_its_ap(bring, up, allowed):
    del up.processes_now["2"]
    options = {"servers": ["server1"], "state": "stopped", "evict_local": True, "allow_offline_group": allowed}
    if allowed:
        assert bring("nuodb_server", up, **options)["changed"]
        return
    with pytest.raises(Refused, match="storage group EAST of test would lose its last SM"):
        bring("nuodb_server", up, **options)
    assert up.log == []


@pytest.mark.parametrize("silent", [False, True])
def test_nor_is_it_struck_off_with_a_server_as_long_as_it_is_heard(bring, up, silent):
    del up.processes_now["2"]
    up.processes_now["1"] = replace(up.processes_now["1"], last_heard_from=60_000 if silent else 100)
    up.servers_now["server1"] = replace(up.servers_now["server1"], connected="Disconnected")
    options = {"servers": ["server1"], "state": "absent", "remove_state": True}
    if silent:
        assert bring("nuodb_server", up, **options)["changed"]
        return
    with pytest.raises(Refused, match="storage group EAST of test would lose its last SM"):
        bring("nuodb_server", up, **options)
    assert up.log == []


# -- its SMs come back


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("engine_types", [["SM", "TE"], ["SM"]])
def test_nothing_is_started_beside_tes_and_none_is_stopped_unasked(bring, east_down, check_mode, engine_types):
    with pytest.raises(Refused, match=r"group EAST \(archive 1 2\) of test is offline, .* while TEs run") as found:
        bring("nuodb_database", east_down, check_mode, databases=DESCRIBED, engine_types=engine_types)
    assert "stop_tes: true" in found.value.hint
    assert east_down.log == []


def test_of_sms_alone_no_te_is_stopped(bring, east_down):
    with pytest.raises(Refused, match="is offline"):
        bring("nuodb_database", east_down, databases=DESCRIBED, engine_types=["SM"], stop_tes=True)
    assert east_down.log == []


def test_nor_is_a_single_one_requested(bring, east_down):
    with pytest.raises(Refused, match="is offline, and its SMs can't join while TEs run"):
        bring("nuodb_process", east_down, processes=[{"archive_id": 1}], state="running")
    assert east_down.log == []


def test_tes_are_stopped_only_where_they_are_described(bring, east_down):
    with pytest.raises(Refused, match="cut off then, nobody would know which TEs to start again") as found:
        bring("nuodb_database", east_down, databases=["test"], stop_tes=True)
    assert "te_server_ids, te_count or start_plan" in found.value.hint
    assert east_down.log == []


def test_tes_go_then_sms_come_then_tes(bring, east_down):
    preview = bring("nuodb_database", east_down, True, databases=DESCRIBED, stop_tes=True)
    assert east_down.log == []
    result = bring("nuodb_database", east_down, databases=DESCRIBED, stop_tes=True)
    assert [row[:2] for row in east_down.log[:2]] == [("shutdown", "3"), ("shutdown", "4")]
    assert starts(east_down) == [
        "test:archive1@server1", "test:archive2@server2", "test:TE1@server0", "test:TE1@server1"
    ]  # fmt: skip
    assert any("this run stops the TEs, starts the SMs, then starts the TEs" in line for line in bring.task.lines)
    assert all(one.is_running for one in east_down.processes_now.values())
    assert len(east_down.processes_now) == 5

    def steps(of):
        return [(step["object"], step["step"]) for step in of["steps"]]

    assert steps(preview) == steps(result)
    assert {row["durable_state"] for row in preview["predicted"]["processes"].values()} == {"MONITORED"}
    assert not bring("nuodb_database", east_down, databases=DESCRIBED, stop_tes=True)["changed"]


@pytest.mark.parametrize("case", ["group is served", "ignored", "another archive", "no TE"])
def test_no_te_is_stopped_where_that_is_not_needed(bring, up, case):
    domain, more = up, {}
    if case == "group is served":
        domain.exits("2")
    if case == "another archive":
        domain.exits("0")
    if case == "ignored":
        domain.exits("1")
        domain.exits("2")
        more = {"ignore_archives": [1, 2]}
    if case == "no TE":
        for start_id in ("1", "2", "3", "4"):
            domain.exits(start_id)
    bring("nuodb_database", domain, databases=DESCRIBED, stop_tes=True, **more)
    assert "shutdown" not in [row[0] for row in domain.log]
    assert len(domain.processes_now) == (3 if case == "ignored" else 5)


def test_where_others_start_tes_meanwhile_it_says_what_to_do(bring, grouped):
    domain = grouped(sm("0"))
    domain.after(5.0, lambda _at: domain.run(te("77")))
    with pytest.raises(Failed, match="storage group 'EAST' attempting to join") as found:
        bring("nuodb_database", domain, databases=DESCRIBED, engine_types=["SM"])
    assert "nuodb_recover_stop_tes: true" in found.value.hint


# -- words


def test_the_exit_of_such_an_sm():
    domain, _adapter = wired((200, fixtures.answer("nuodb/exited_offline_group")))
    (stone,) = domain.tombstones()
    assert stone.offline_group == "SGEAST"
    said = diagnosis.cause(stone)
    assert "storage group SGEAST was offline, and none of its SMs can join while TEs run" in said
    assert "stop the TEs, start its SMs, then start the TEs again (EXIT: SM serving" in said
    assert replace(stone, reason="SM exited").offline_group == ""


def test_a_report_of_an_old_ap(up):
    up.storage_groups = Mock(side_effect=NoSuchObject("no such call"))
    assert report.of(up, ["storage_groups"], report.ReportScope([], []), False)["storage_groups"] == {"test": {}}


def test_groups_without_an_archive_are_no_one_s(up):
    up.archives_now[9] = Archive(9, "test", "server0", "/archive/9", "NOT_RUNNING")
    assert serving.held({"archive_states": {"9": "PENDING_REMOVAL", "1": "ADDED"}}) == {1}
    assert serving.held({}) == set()


def test_tes_wait_for_the_sms_of_a_group_that_none_serves_yet(bring, grouped):
    """As where a run was cut off, and in a cold start whose SMs take unlike times."""
    domain = grouped(sm("0"))
    result = bring("nuodb_database", domain, databases=DESCRIBED)
    assert starts(domain)[:2] == ["test:archive1@server1", "test:archive2@server2"]
    assert all(one.is_running for one in domain.processes_now.values())
    assert any("held back until an SM of storage group EAST has joined" in line for line in bring.task.lines)
    assert [step["step"] for step in result["steps"]].count("start TE") == 2
    assert domain.reads.count("storage groups") == 1


def test_they_wait_for_no_group_that_has_one(bring, grouped):
    domain = grouped(sm("0"), sm("1", 1, "server1"))
    bring("nuodb_database", domain, databases=DESCRIBED)
    assert sorted(starts(domain)[:3]) == ["test:TE1@server0", "test:TE1@server1", "test:archive2@server2"]

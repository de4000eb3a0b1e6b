# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases of Kubernetes: what only restarts there, or can't be started, is refused, and nothing is sent."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import diagnosis, external, report, storage_groups
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import Archive, Process, is_request
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases.wanted import WantedDatabase
from ansible_collections.dbfleet.cluster.plugins.modules import nuodb_plan
from ansible_collections.dbfleet.cluster.tests.answers import fixtures
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.ap import Ap, no
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import (
    Memory,
    archive_row,
    died,
    graceful,
    process_row,
    sm,
    snapshot,
    te,
    wired,
)

POD = {"external": True}
TE_ON_0 = [{"db_name": "test", "engine_type": "TE", "server_id": "server0"}]


class Pods(Memory):
    """What exits is started again, with another start ID and on whichever AP."""

    def exits(self, start_id: str, *about: Any) -> None:
        process = self.processes_now.get(start_id)
        super().exits(start_id, *about)
        if process is not None and process.external:
            self.after(2.0, partial(self._again, process))

    def _again(self, before: Process, _at: float) -> None:
        again, self._next_id = str(self._next_id), self._next_id + 1
        came = replace(before, start_id=again, server_id="server2", durable_state="MONITORED", engine_state="RUNNING")
        self.run(came)


@pytest.fixture
def pods(memory, time):
    """Two archives of pods, their SMs, and two TEs."""
    domain = Pods(time)
    domain.archives_now = {key: replace(one, server_id=None) for key, one in domain.archives_now.items()}
    rows = (sm("0", labels={"pod-name": "sm-0"}, **POD), sm("1", 1, "server1", labels={"pod-name": "sm-1"}, **POD))
    return domain.run(*rows, te("2", **POD), te("3", **POD))


@pytest.fixture
def down(pods):
    """The pods are scaled down, and the archives are still there."""
    for start_id in list(pods.processes_now):
        leaving = replace(pods.processes_now[start_id], durable_state="REQUESTED_SHUTDOWN", external=False)
        pods.processes_now[start_id] = leaving
        pods.exits(start_id, 0, graceful())
    pods.stones = [replace(one, process=replace(one.process, external=True)) for one in pods.stones]
    return pods


# -- what is known of them


def test_by_what_they_are_known():
    pod, shown = fixtures.answer("nuodb/process_of_a_pod"), fixtures.answer("nuodb/archive_of_a_pod")
    process = wired((200, pod))[0].processes()["1"]
    archive = wired((200, shown))[0].archives()[0]
    assert (process.external, process.server_id, archive.external, archive.where) == (
        True, "admin-0", True, "(external):/var/opt/nuodb/archive/nuodb/demo",
    )  # fmt: skip
    by_option = Process.of(process_row(options={"ext-start": "true"}))
    own = Process.of(process_row(isExternalStartup=False, options={"ext-start": "false"}))
    assert (by_option.external, own.external) == (True, False)


@pytest.mark.parametrize(
    ("processes", "stones", "no_host", "sign"),
    [
        ([te("3", **POD)], [], False, "isExternalStartup of start ID 3"),
        ([], [died(te("3", **POD), (1, 1))], False, "isExternalStartup of start ID 3"),
        ([], [died(te("3", **POD), (1, 1)), died(te("4"), (1, 2))], False, ""),
        ([te("4")], [died(te("3", **POD), (1, 1))], False, ""),
        ([te("4")], [], True, "archive 1 has no server"),
        ([te("4")], [], False, ""),
    ],
)
def test_the_sign_of_a_database(processes, stones, no_host, sign):
    seen = snapshot(processes=processes, tombstones=stones)
    if no_host:
        seen.archives[1] = replace(seen.archives[1], server_id=None)
    assert external.sign(seen, "test") == sign
    assert external.databases(seen) == (["test"] if sign else [])


@pytest.mark.parametrize(
    ("answer", "is_so"),
    [((200, {"pods": {"admin-0": {}}, "volumes": {}}), True), ((200, {"pods": {}}), False), (no("none", 404), False),
     (no("not here", 500), False), (no("not yours", 403), False), ((200, b""), False)],
)  # fmt: skip
def test_whether_kubernetes_manages_a_domain(answer, is_so):
    domain, adapter = wired(answer)
    assert domain.in_kubernetes() is is_so
    assert {path for _verb, path, _body in adapter.requests} == {"/api/1/diagnostics/kube"}


def test_a_start_plan_with_an_archive_without_a_host():
    assert is_request({"dbName": "test", "engineType": "SM", "archiveId": 0, "host": None})
    assert not is_request({"dbName": "test", "engineType": "TE", "host": None})


def test_a_report_says_which_they_are(pods):
    found = report.of(pods, [*report.DEFAULT_PARTS, "kubernetes"], report.ReportScope([], []), True)
    assert "; started from outside the domain (Kubernetes): test" in report.summary(found)
    assert found["kubernetes"] is False
    pods.kubernetes = True
    assert report.of(pods, ["kubernetes"], report.ReportScope([], []), True)["kubernetes"] is True
    assert pods.log == []


# -- a shutdown


@pytest.mark.parametrize("state", ["RUNNING", "AWAITING_ARCHIVE_HISTORIES_MSG", "REQUESTED_TE_SHUTDOWN"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_shutdown_is_refused(bring, pods, check_mode, state):
    pods.databases_now["test"] = replace(pods.databases_now["test"], state=state)
    with pytest.raises(Refused, match=r"test: it is started from outside .*\(.*\), so a shutdown would only") as found:
        bring("nuodb_database", pods, check_mode, databases=["test"], state="stopped")
    assert "scale its StatefulSets and Deployments to 0" in found.value.hint
    assert pods.log == []


def test_one_of_several_keeps_all_from_going(bring, pods):
    pods.databases_now["own"] = replace(pods.databases_now["test"], db_name="own")
    pods.archives_now[2] = Archive(2, "own", "server0", "/archive/2", "NOT_RUNNING")
    pods.run(sm("9", 2, db_name="own"), name="own")
    with pytest.raises(Refused, match="test: it is started from outside"):
        bring("nuodb_database", pods, databases=["all"], state="stopped")
    assert pods.log == []
    assert bring("nuodb_database", pods, databases=["own"], state="stopped")["changed"]


def test_of_what_is_scaled_down_nothing_is_left_to_stop(bring, down):
    assert not bring("nuodb_database", down, databases=["test"], state="stopped")["changed"]
    assert down.log == []


# -- a start


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_start_is_refused(bring, down, check_mode):
    with pytest.raises(Refused, match=r"nothing started: test is .*so the SM of archive 0, .* 1,.* can't be") as found:
        bring("nuodb_database", down, check_mode, databases=["test"], state="running")
    assert "purge" not in found.value.hint.replace("No archive has to be purged", "")
    assert "StatefulSets and Deployments up" in found.value.hint
    assert down.log == []


def test_where_its_archives_are_removed_too(bring, down):
    down.archives_now = {}
    with pytest.raises(Refused, match="so its SMs, 2 of 2 TEs can't be started here"):
        bring("nuodb_database", down, databases=["test"], state="running")


@pytest.mark.parametrize("wanted", ["test", {"name": "test", "te_count": 2}])
def test_one_that_runs_is_as_it_should_be_wherever_its_tes_are(bring, pods, wanted):
    pods.processes_now["3"] = replace(pods.processes_now["3"], server_id="server2")
    assert not bring("nuodb_database", pods, databases=[wanted], state="running")["changed"]
    assert pods.log == []


def test_one_whose_pods_are_on_their_way_is_waited_for(bring, pods):
    pods.processes_now["0"] = replace(pods.processes_now["0"], durable_state="CONFIGURED", engine_state="UNKNOWN")
    pods.after(20.0, lambda _at: pods._to("0", "MONITORED", "RUNNING"))
    result = bring("nuodb_database", pods, databases=["test"], state="running")
    assert (result["changed"], result["joined"], pods.log) == (False, True, [])


def test_one_that_exits_meanwhile_is_left_to_its_pod(bring, pods):
    pods.processes_now["1"] = replace(pods.processes_now["1"], durable_state="CONFIGURED", engine_state="UNKNOWN")
    pods._leaves("1", 3.0)
    pods.processes_now["1"] = replace(pods.processes_now["1"], engine_state="RUNNING")
    pods.servers_now["server2"] = replace(pods.servers_now["server0"], server_id="server2", local=False)
    pods.after(9.0, lambda _at: pods._to("4", "MONITORED", "RUNNING"))
    assert bring("nuodb_database", pods, databases=["test"], state="running")["joined"]
    assert pods.log == []


def test_too_few_tes_are_no_start_of_ours(bring, pods):
    with pytest.raises(Refused, match="so 1 of 3 TEs can't be started here"):
        bring("nuodb_database", pods, databases=[{"name": "test", "te_count": 3}], state="running")
    assert pods.log == []


# -- single processes


@pytest.mark.parametrize(
    ("missing", "wanted", "says"),
    [("1", [{"archive_id": 1}], "the SM of archive 1"), ("2", [{**TE_ON_0[0], "count": 2}], "a TE on server0")],
)
def test_a_process_of_a_pod_is_not_requested(bring, pods, missing, wanted, says):
    del pods.processes_now[missing]
    with pytest.raises(Refused, match=f"so {says} can't be started here"):
        bring("nuodb_process", pods, processes=wanted, state="running")
    assert pods.log == []


def test_an_archive_with_a_server_is_started_by_it_though_pods_start_the_tes(bring, memory):
    domain = memory().run(sm("0"), te("2", **POD))
    assert bring("nuodb_process", domain, processes=[{"archive_id": 1}], state="running")["changed"]
    assert [row[0] for row in domain.log] == ["start"]


@pytest.mark.parametrize("state", ["stopped", "killed"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_process_would_only_be_restarted(bring, pods, state, check_mode):
    with pytest.raises(Refused, match="test:TE@server0/2: it is started from outside .* only restart it") as found:
        bring("nuodb_process", pods, check_mode, processes=[{"start_id": "2"}], state=state)
    assert "allow_restart: true accepts a restart" in found.value.hint
    assert pods.log == []


@pytest.mark.parametrize(("meant", "came"), [([{"archive_id": 0}], ["4"]), (TE_ON_0, ["4", "5"])])
def test_a_single_restart_ends_when_all_run_again(bring, pods, meant, came):
    result = bring("nuodb_process", pods, processes=meant, state="stopped", allow_restart=True)
    assert [row[0] for row in pods.log] == ["shutdown"] * len(came)
    assert set(came) <= set(pods.processes_now)
    assert all(one.is_running for one in pods.processes_now.values())
    assert result["changed"]
    preview = bring("nuodb_process", pods, True, processes=[{"start_id": "1"}], state="stopped", allow_restart=True)
    assert "1" in preview["predicted"]["processes"]


def test_the_last_sm_is_not_restarted_either(bring, pods):
    with pytest.raises(Refused, match="would lose its last SM"):
        bring("nuodb_process", pods, processes=[{"archive_id": 0}, {"archive_id": 1}], state="stopped",
              allow_restart=True)  # fmt: skip
    assert pods.log == []


def test_what_a_pod_has_left_that_is_gone_is_evicted(bring, pods):
    pods.processes_now["2"] = replace(pods.processes_now["2"], last_heard_from=None)
    assert bring("nuodb_process", pods, processes=[{"start_id": "2"}], state="evicted")["changed"]
    assert pods.log == [("evict", "2")]


# -- servers


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("servers", [["server2"], ["all"]])
@pytest.mark.parametrize("readable", [True, False])
def test_aps_of_kubernetes_are_not_stopped(bring, memory, servers, check_mode, readable):
    """Also where the user may not read diagnostics/kube: then the archives without a server tell it."""
    domain = memory()
    domain.kubernetes = readable
    if not readable:
        domain.archives_now = {key: replace(one, server_id=None) for key, one in domain.archives_now.items()}
    with pytest.raises(Refused, match="and the AP's pod would only start the AP again") as found:
        bring("nuodb_server", domain, check_mode, servers=servers, state="stopped")
    assert "scale their StatefulSet to 0" in found.value.hint
    assert domain.log == []


def test_no_server_is_taken_out_for_work(bring, pods):
    with pytest.raises(Refused, match="so its processes on server0 would be started again during the work") as found:
        bring("nuodb_rolling", pods, state="planned", servers=["server0"])
    assert "kubectl drain" in found.value.hint


# -- archives


@pytest.mark.parametrize("state", ["absent", "purged"])
@pytest.mark.parametrize("removed", [False, True])
def test_an_archive_of_a_pod_is_neither_removed_nor_forgotten(bring, state, removed):
    ap = Ap()
    ap.processes = ap.processes[:1]
    ap.archives[1] = archive_row(1, host=None, state="NOT_RUNNING")
    if removed:
        ap.removed[1] = ap.archives.pop(1)
    go = partial(bring, "nuodb_archive", archives=[{"archive_id": 1}], state=state)
    if removed and state == "absent":
        assert not go(ap.domain)["changed"]
        return
    with pytest.raises(Refused, match="archive 1 has no server: Kubernetes or the like keeps its volume") as found:
        go(ap.domain)
    assert "allow_external: true" in found.value.hint
    assert ap.changes == []
    assert go(ap.domain, allow_external=True)["changed"]


def test_no_hint_has_one_forgotten(bring):
    ap = Ap()
    ap.archives[1] = archive_row(1, host=None)
    ap.processes = ap.processes[:1]
    with pytest.raises(Refused) as found:
        bring("nuodb_storage_group", ap.domain, db_name="test", sg_name="sgeast", archive_ids=[1])
    assert storage_groups.SCALE in found.value.hint
    assert "forget" not in found.value.hint


# -- words


def test_what_happened_names_the_pods(pods, down):
    seen = snapshot("NOT_RUNNING", tombstones=down.stones)
    (told,) = diagnosis.findings(seen, WantedDatabase("test"))
    assert "scale its StatefulSets and Deployments up" in told.text
    assert "nuodb_cold_start" not in told.text
    lost = snapshot(processes=[sm("0", **POD), te("2", **POD), te("3", **POD)])
    (told, *_more) = diagnosis.findings(lost, WantedDatabase("test", te_count=2))
    assert told.text.endswith("their pods start them again, and there is no need to purge any of these archives")


@pytest.mark.parametrize(
    ("runbook", "choice", "says"),
    [
        ("graceful_shutdown", {}, "a shutdown would only restart it"),
        ("graceful_shutdown", {"stop_servers": True}, "the AP's pod would only start the AP again"),
        ("cold_start", {}, "can't be started here"),
        ("recover", {}, "can't be started here"),
    ],
)
def test_a_plan_refuses_it_too(new_task, pods, runbook, choice, says):
    if runbook != "graceful_shutdown":
        pods.processes_now["0"] = replace(pods.processes_now["0"], external=False)
        pods.exits("0")
    known = report.of(pods, [*report.DEFAULT_PARTS, "hotcopies"], report.ReportScope([], []), True)
    params = {name: spec.get("default") for name, spec in nuodb_plan.SPEC["argument_spec"].items()}
    task = new_task(True, **{**params, "domain": known, "runbook": runbook, "refuse": True, **choice})
    with pytest.raises(Refused, match=says):
        nuodb_plan.run(task)
    assert pods.log == []

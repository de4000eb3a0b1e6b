# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wait for the API, and the report of a cluster."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import pace
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    Denied,
    Fault,
    Garbled,
    TimedOut,
    Unreachable,
    Untrusted,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import copies, report
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database, Reachability
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.volumes import Volume


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(pace, "FIRST_INTERVAL", 0.001)


@pytest.mark.parametrize(
    ("refusal", "told"),
    [(None, {"infra": True}), ("", {"infra": False}), ("no", {"infra": False, "infra_refused": "no"})],
)
def test_whether_the_jobs_for_instances_may_be_used(new_cluster, refusal, told):
    cluster = new_cluster()
    cluster.infra_refusal = lambda: refusal
    found = report.of(cluster, ["n0010"], ["infra"])
    assert {key: value for key, value in found.items() if key.startswith("infra")} == told


def answering(cluster, *answers):
    """A cluster whose getNodeList answers these, the last one for ever."""
    asked = []

    def nodes():
        asked.append(1)
        answer = answers[min(len(asked), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    cluster.nodes = nodes
    return asked


def test_an_api_that_answers_is_asked_once_and_nothing_is_said(new_cluster, task):
    cluster = new_cluster()
    asked = answering(cluster, ["n0011"])
    report.await_api(task, cluster, 60, 30)
    assert (asked, task.lines) == ([1], [])


def test_no_wait_is_wanted(new_cluster, task):
    cluster = new_cluster()
    asked = answering(cluster, ["n0011"])
    report.await_api(task, cluster, 0, 30)
    assert asked == []


def test_each_new_cause_is_said_and_then_the_url(new_cluster, task):
    cluster = new_cluster()
    refused, html = Unreachable("exa-unit: connection refused"), Garbled("exa-unit: HTML")
    answering(cluster, refused, refused, html, Fault("exa-unit: starting"), [], ["n0011"])
    report.await_api(task, cluster, 60, 30)
    assert [line.rpartition(": ")[2] for line in task.lines[:4]] == [
        "connection refused", "HTML", "starting", "the API answers, but names no nodes",
    ]  # fmt: skip
    assert task.lines[4].endswith("answers at https://n10:443")
    assert len(task.lines) == 5


@pytest.mark.parametrize(
    "error", [Denied("exa-unit: 401"), Untrusted("exa-unit: other certificate"), RuntimeError("bug")]
)
def test_what_waiting_does_not_mend_ends_it(new_cluster, task, error):
    cluster = new_cluster()
    asked = answering(cluster, error)
    with pytest.raises(type(error)):
        report.await_api(task, cluster, 60, 30)
    assert asked == [1]


def test_the_deadline_names_the_last_cause(new_cluster, task):
    cluster = new_cluster()
    answering(cluster, Unreachable("exa-unit: connection refused"))
    with pytest.raises(TimedOut, match=r"^exa-unit: connection refused; the wait timed out after 0.05 s$"):
        report.await_api(task, cluster, 0.05, 0)


def test_a_report(new_cluster):
    cluster = new_cluster(
        online={"n0011": True, "n0012": False}, databases={"DB1": Database("DB1", "setup", operation="Restore")}
    )
    cluster.database_summary = cluster.database
    cluster.version = lambda: "6.2.1"
    parts = ["nodes", "services", "databases", "version", "log_services"]
    found = report.of(cluster, ["n0010"], parts)
    assert found["nodes"] == {"n0011": {"state": "online"}, "n0012": {"state": "offline"}}
    assert found["databases"]["DB1"]["operation"] == "Restore"
    assert (found["version"], found["master"], found["license_servers"]) == ("6.2.1", "n0010", ["n0010"])
    assert "plugins" not in found
    line = report.summary(found)
    for said in (
        "nodes 1/2 online (off: n0012)",
        "databases 0/1 connectable (DB1 setup)",
        "DB1: Restore",
        "6.2.1 on n0010",
    ):
        assert said in line


def test_a_report_of_sight_tells_what_boots(new_cluster):
    cluster = new_cluster(online={"n0011": True, "n0012": False}, status={"n0012": "Booting"}, master="n0010")
    cluster.reachability = lambda: Reachability([cluster.url])
    for parts, state in ((["nodes"], "offline"), (["nodes", "sight"], "booting")):
        found = report.of(cluster, ["n0010"], parts)
        assert found["nodes"] == {"n0011": {"state": "online"}, "n0012": {"state": state}}


UP = {
    "name": "exa-unit",
    "nodes": {"n0011": {"state": "online"}, "n0012": {"state": "online"}},
    "services": {"Storaged": "OK", "DWAd": "OK"},
    "databases": {
        "DB1": {"state": "running", "connectible": "Yes", "operation": "Backup"},
        "DB2": {"state": "running", "connectible": "Yes", "operation": "None"},
    },
}


@pytest.mark.parametrize(
    ("part", "now", "lacks"),
    [
        ("nodes", {}, ""),
        ("nodes", {"n0011": {"state": "offline"}, "n0012": {"state": "booting"}}, "nodes n0011 offline, n0012 booting"),
        ("nodes", {"n0012": {"state": "suspended"}}, ""),
        ("services", {"Storaged": "not running"}, "services Storaged not running"),
        ("databases", {"DB2": {"state": "setup", "connectible": "No"}}, "databases DB2 setup"),
        ("databases", {"DB2": {"state": "Running", "connectible": "No"}}, "databases DB2 Running but not connectable"),
    ],
)
def test_what_is_not_up(part, now, lacks):
    found = {**UP, part: {**UP[part], **now}}
    assert report.lacking(found) == ([lacks] if lacks else [])
    assert not report.is_down(found)


@pytest.mark.parametrize("name", ["n0012", "n12", "12", "N0012"])
def test_a_node_that_need_not_be_online(name):
    found = {**UP, "nodes": {**UP["nodes"], "n0012": {"state": "offline"}}}
    assert report.lacking(found, [name]) == []
    assert report.lacking(found, ["n0011", "n0120"]) == ["nodes n0012 offline"]


def test_a_cluster_is_down_when_no_database_accepts_connections():
    shut = {"state": "setup", "connectible": "No"}
    assert report.is_down({**UP, "databases": {"DB1": shut, "DB2": shut}})
    assert not report.is_down({**UP, "databases": {**UP["databases"], "DB1": shut}})
    assert not report.is_down({**UP, "databases": {}})
    assert not report.is_down({"name": "exa-unit"})
    assert report.lacking({"name": "exa-unit"}) == []


def test_a_report_of_nothing_asks_for_nothing(new_cluster):
    found = report.of(new_cluster(), ["n0010"], [])
    assert set(found) == {"product", "provider", "name", "master", "license_servers"}
    assert report.summary(found) == "exa-unit: EXAoperation on n0010"


def test_a_line_says_nothing_of_what_was_not_read(new_cluster):
    found = report.of(new_cluster(online={"n0011": True}), ["n0010"], ["nodes"])
    assert report.summary(found) == "exa-unit: nodes 1/1 online; EXAoperation on n0010"


def test_what_was_lost():
    """Only what was up before counts, and a part that wasn't read says nothing."""
    database = {"state": "running", "connectible": "Yes"}
    before = {
        "nodes": {"n11": {"state": "online"}, "n12": {"state": "online"}, "n13": {"state": "offline"}},
        "services": {"Storaged": "OK", "DWAd": "unknown"},
        "databases": {"DB1": database, "DB2": database, "DB3": {"state": "setup", "connectible": "No"}},
        "volumes": {"v1": {"state": "ONLINE"}, "v2": {"state": "LOCKED"}},
    }
    assert report.lost(before, before) == []
    now = {
        "nodes": {"n11": {"state": "online"}, "n13": {"state": "offline"}},
        "services": {"Storaged": "not running", "DWAd": "unknown"},
        "databases": {"DB1": {"state": "running", "connectible": "No"}, "DB2": {"state": "setup", "connectible": "No"}},
        "volumes": {"v1": {"state": "DEGRADED"}, "v2": {"state": "ONLINE"}},
    }
    assert report.lost(before, now) == [
        "nodes n12 (gone)",
        "services Storaged ('not running')",
        "databases DB1 (running, not connectable), DB2 (setup)",
        "volumes v1 (DEGRADED)",
    ]
    assert report.lost(before, {"nodes": before["nodes"]}) == []


HURT = {
    "Data": {"type": "data", "state": "DEGRADED", "redundancy": 2, "not_online": ["n0012 OFFLINE"]},
    "Fine": {"type": "data", "state": "ONLINE", "redundancy": 2, "not_online": []},
}


def test_what_lost_copies_is_told():
    row = {**UP["databases"]["DB2"], "info": "1 segments of the database volume are not online (missing redundancy)"}
    found = {**UP, "provider": "confd", "master": "n11", "databases": {"DB2": row}, "volume_states": HURT}
    line = report.summary(found)
    assert "volumes Data DEGRADED (n0012 OFFLINE)" in line
    assert "DB2: 1 segments of the database volume are not online (missing redundancy)" in line
    told, hint = copies.missing_copies(found)
    assert [text.partition(":")[0] for text in told] == ["volumes Data DEGRADED (n0012 OFFLINE)", "DB2 reports"]
    assert "bring its nodes back" in hint
    assert copies.missing_copies(found, ["n12"]) == ([], "")
    assert copies.missing_copies({**UP, "volume_states": None}) == ([], "")
    assert "volumes not read" in report.summary({**found, "volume_states": None})


def volumes_of(cluster, rows):
    def read():
        if isinstance(rows, Exception):
            raise rows
        return rows

    cluster.volumes = lambda: SimpleNamespace(all=read)
    return report.of(cluster, ["n0010"], ["nodes", "services", "volume_states"])


def test_two_parts_about_volumes_read_them_once(new_cluster):
    cluster, reads = new_cluster(), []
    data = Volume(0, "DataVolume1", "data", "ONLINE", 1, 1, (), 1, 1, 0)

    def read():
        reads.append(1)
        return [data]

    cluster.volumes = lambda: SimpleNamespace(all=read)
    found = report.of(cluster, ["n0010"], ["volume_states", "volumes"])
    assert (set(found["volume_states"]), set(found["volumes"]), reads) == ({"DataVolume1"}, {"DataVolume1"}, [1])


def test_volumes_that_nobody_tells_of_break_no_report(new_cluster):
    data = Volume(0, "Data", "data", "DEGRADED", redundancy=2, away=("n12 OFFLINE",), labels=("x",))
    own = Volume(1, "v0001", "data", "DEGRADED", labels=("temporary",))
    assert volumes_of(new_cluster(), [data, own])["volume_states"] == {
        "Data": {"type": "data", "state": "DEGRADED", "redundancy": 2, "not_online": ["n12 OFFLINE"]}
    }
    for error in (Denied("no"), Fault("broken"), Garbled("what?")):
        assert volumes_of(new_cluster(), error)["volume_states"] is None
    with pytest.raises(Unreachable):
        volumes_of(new_cluster(), Unreachable("gone"))

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EXAoperation's XML: the exact request and what becomes of each answer, odd ones included."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Fault, Garbled
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.eao.cluster import EaoCluster
from ansible_collections.dbfleet.cluster.tests.answers.fixtures import answer
from ansible_collections.dbfleet.cluster.tests.unit.exasol.eao.wire import NOT_FOUND, Wire, spoken
from hypothesis import given, settings, strategies as st

ROOT = "/cluster1"
DB = "/cluster1/db_DB1"


@pytest.mark.parametrize(
    ("method", "args", "answers", "wanted", "asked"),
    [
        ("nodes", (), {"getNodeList": ["n0011", "n0012"]}, ["n0011", "n0012"], [(ROOT, "getNodeList")]),
        ("nodes", (), {"getNodeList": [11, 12]}, ["n0011", "n0012"], [(ROOT, "getNodeList")]),
        ("nodes", (), {"getNodeList": []}, [], [(ROOT, "getNodeList")]),
        (
            "node_is_online",
            ("n0011",),
            {"getHardwareInformation": "# dmidecode 3.0\nHandle"},
            True,
            [(ROOT, "getHardwareInformation", "n0011")],
        ),
        ("node_is_online", ("n0011",), {"getHardwareInformation": "no answer"}, False, None),
        ("node_is_online", ("n0011",), {"getHardwareInformation": None}, False, None),
        ("node_is_online", ("n0011",), {"getHardwareInformation": "fault:node is away"}, False, None),
        ("node_status", ("n0011",), {"getNodeState": {"status": "Up"}}, "Up", [(ROOT, "getNodeState", "n0011")]),
        ("node_status", ("n0011",), {"getNodeState": {"status": None}}, "", None),
        ("node_status", ("n0011",), {"getNodeState": {}}, "", None),
        ("node_status", ("n0011",), {"getNodeState": "Running"}, "", None),
        ("node_status", ("n0011",), {"getNodeState": "fault:boots"}, "", None),
        ("node_told", ("n0011",), {"getNodeState": {"status": "Up"}}, "Up", None),
        ("node_told", ("n0011",), {"getNodeState": "fault:boots"}, None, None),
        ("node_told", ("n0011",), {"getNodeState": "fault:" + NOT_FOUND}, "", None),
        (
            "seen_online",
            (),
            {"getPossibleEXAoperationNodes": ["n0011", 12]},
            {"n0011", "n0012"},
            [(ROOT, "getPossibleEXAoperationNodes")],
        ),
        ("seen_online", (), {"getPossibleEXAoperationNodes": [["n0011"]]}, None, None),
        ("seen_online", (), {"getPossibleEXAoperationNodes": "fault:" + NOT_FOUND}, None, None),
        (
            "license_server_states",
            (["n0010", "n0099", "n0008"],),
            {
                "getNodeList": ["n0011"], "getEXAoperationMaster": "n0010",
                "getEXAoperationNodes": ["n0010", 9, "n0008", "n0011"],
                "getNodeState": "fault:no such node", "getHardwareInformation": "fault:no such node",
            },
            {"n0010": "online", "n0099": "unknown", "n0008": "offline", "n0009": "offline"},
            None,
        ),
        (
            "license_server_states",
            (["n0010", "n0099"],),
            {
                "getNodeList": ["n0011"], "getEXAoperationMaster": "n0010",
                "getEXAoperationNodes": "fault:" + NOT_FOUND,
                "getNodeState": {"status": ""}, "getHardwareInformation": "off",
            },
            {"n0010": "online", "n0099": "offline"},
            None,
        ),
        (
            "license_server_states",
            (["n0010", "n0009"],),
            {
                "getNodeList": ["n0011"], "getEXAoperationMaster": "n0010", "getEXAoperationNodes": ["n0010"],
                "getNodeState": {"status": "Booting"}, "getHardwareInformation": "off",
            },
            {"n0010": "online", "n0009": "booting"},
            None,
        ),
        (
            "services",
            (),
            {"getServiceState": [["Lockd", "OK"], ["Storaged", "not running"]]},
            {"Lockd": "OK", "Storaged": "not running"},
            [(ROOT, "getServiceState")],
        ),
        ("databases", (), {"getDatabaseList": ["DB1"]}, ["DB1"], [(ROOT, "getDatabaseList")]),
        ("databases", (), {"getDatabaseList": []}, [], None),
        ("master", (), {"getEXAoperationMaster": "n0010"}, "n0010", [(ROOT, "getEXAoperationMaster")]),
        (
            "master",
            (),
            {"getEXAoperationMaster": "fault:" + NOT_FOUND, "getCurrentLicenseServer": 10},
            "n0010",
            [(ROOT, "getEXAoperationMaster"), (ROOT, "getCurrentLicenseServer")],
        ),
        ("version", (), {"getEXASuiteVersion": "6.2.1"}, "6.2.1", [(ROOT, "getEXASuiteVersion")]),
        ("version", (), {"getEXASuiteVersion": "fault:" + NOT_FOUND}, None, None),
        ("login_role", (), {"getLoginRole": "Administrator"}, "Administrator", [(ROOT, "getLoginRole")]),
        ("login_role", (), {"getLoginRole": "fault:" + NOT_FOUND}, None, None),
        ("log_services", (), {"getAllLogServices": [{"name": "logservice1"}]}, ["logservice1"], None),
        ("log_services", (), {"getAllLogServices": ["logservice1", {"id": 3}]}, ["logservice1"], None),
        ("log_services", (), {"getAllLogServices": None}, [], None),
        ("log_services", (), {"getAllLogServices": "fault:no"}, [], None),
        (
            "log_entries",
            ("logservice1",),
            {"logEntries": [1, 2, [{"message": "new"}, "odd", {"message": "old"}]]},
            [{"message": "old"}, {"message": "new"}],
            [("/cluster1/logservice1", "logEntries")],
        ),
        ("plugins", (), {"showPluginList": ["A.b-1"]}, ["A.b-1"], [(ROOT, "showPluginList")]),
        ("plugins", (), {"showPluginList": None}, [], None),
        ("plugins", (), {"showPluginList": "fault:no"}, [], None),
        ("database_errors", ("DB1",), {"getCurrentErrors": ["a\n b", "None", ""]}, "a b", [(DB, "getCurrentErrors")]),
        ("database_errors", ("DB1",), {"getCurrentErrors": ["a", "b"]}, "a; b", None),
        ("database_errors", ("DB1",), {"getCurrentErrors": "in use"}, "in use", None),
        ("database_errors", ("DB1",), {"getCurrentErrors": None}, "", None),
        ("database_errors", ("DB1",), {"getCurrentErrors": "fault:no"}, "", None),
        (
            "call_plugin",
            ("P", "n0011", "STATUS"),
            {"callPlugin": [0, " vmtoolsd is running\n"]},
            (0, "vmtoolsd is running"),
            [(ROOT, "callPlugin", "P", "n0011", "STATUS")],
        ),
    ],
)  # fmt: skip
def test_reads(method, args, answers, wanted, asked):
    found, wire = spoken(method, *args, **answers)
    assert found == wanted
    if asked is not None:
        assert wire.asked == asked


@pytest.mark.parametrize(
    ("method", "args", "asked"),
    [
        ("start_nodes", (["n0011"],), (ROOT, "startupNode", "n0011")),
        ("stop_nodes", (["n0010"],), (ROOT, "shutdownNode", "n0010")),
        ("stop_storage", (), ("/cluster1/storage", "stopEXAStorage")),
        ("start_database", ("DB1",), (DB, "startDatabase")),
        ("stop_database", ("DB1",), (DB, "stopDatabase")),
        ("force_stop_database", ("DB1",), (DB, "forceShutdownDatabase")),
        ("abort_backup", ("DB1",), (DB, "abortBackup")),
    ],
)
def test_changes(method, args, asked):
    _none, wire = spoken(method, *args)
    assert wire.asked == [asked]
    assert wire.changing == [asked[1]]


def test_only_a_plugin_call_that_may_change_something_counts_as_changing():
    wire = Wire(callPlugin=[0, ""])
    EaoCluster(wire).call_plugin("P", "n0011", "STATUS", changing=False)
    assert wire.changing == []
    EaoCluster(wire).call_plugin("P", "n0011", "START")
    assert wire.changing == ["callPlugin"]


@pytest.mark.parametrize(("ignored", "args"), [([], ()), (["n0013"], (["n0013"],))])
def test_storage_is_started_with_the_nodes_to_ignore(ignored, args):
    _none, wire = spoken("start_storage", ignored, startEXAStorage="OK")
    assert wire.asked == [("/cluster1/storage", "startEXAStorage", *args)]


@pytest.mark.parametrize("answer", [None, "no quorum", "ok", 0, ["OK"], "two\nlines"])
def test_storage_that_answers_anything_but_ok_has_said_no(answer):
    with pytest.raises(
        Fault, match="startEXAStorage of storage at https://n10:443: it answered .*, not 'OK'"
    ) as caught:
        spoken("start_storage", [], startEXAStorage=answer)
    assert "\n" not in caught.value.message


# -- databases


def test_a_stopped_database_takes_two_calls():
    found, wire = spoken("database", "DB1", getDatabaseState="setup", getDatabaseOperation="None")
    assert found == Database("DB1", "setup")
    assert wire.asked == [(DB, "getDatabaseState"), (DB, "getDatabaseOperation")]


def test_a_database_that_is_not_connectable_yet_takes_three():
    found, wire = spoken(
        "database", "DB1", getDatabaseState="running", getDatabaseOperation="None", getDatabaseConnectionState="No"
    )
    assert not found.accepts_connections
    assert len(wire.asked) == 3


def test_a_running_database_in_whatever_case():
    found, wire = spoken(
        "database",
        "DB1",
        getDatabaseState="Running",
        getDatabaseOperation="Backup",
        getDatabaseConnectionState="Yes",
        getDatabaseConnectionString="10.0.0.11..13:8563",
    )
    assert found == Database("DB1", "Running", "Yes", "Backup", "10.0.0.11..13:8563")
    assert found.accepts_connections
    assert len(wire.asked) == 4


def test_a_summary_is_one_call():
    info = {"state": "running", "connectible": "Yes", "operation": "None", "connection string": "c", "nodes": {}}
    found, wire = spoken("database_summary", "DB1", getDatabaseInfo=info)
    assert found == Database("DB1", "running", "Yes", "None", "c")
    assert wire.calls == 1


def test_without_getdatabaseinfo_the_single_calls_are_made_and_it_is_not_tried_again():
    wire = Wire(getDatabaseInfo="fault:" + NOT_FOUND, getDatabaseState="setup", getDatabaseOperation="None")
    cluster = EaoCluster(wire)
    assert cluster.database_summary("DB1") == cluster.database_summary("DB2").with_(name="DB1")
    assert [asked[1] for asked in wire.asked].count("getDatabaseInfo") == 1


# -- odd answers: never mistaken for a state, never another exception


@pytest.mark.parametrize("odd", [None, 0, True, [], {}, {"state": "setup"}, 1.5])
@pytest.mark.parametrize(
    ("method", "args", "call"),
    [
        ("database", ("DB1",), "getDatabaseState"),
        ("database", ("DB1",), "getDatabaseOperation"),
        ("database", ("DB1",), "getDatabaseConnectionState"),
        ("database", ("DB1",), "getDatabaseConnectionString"),
        ("master", (), "getEXAoperationMaster"),
    ],
)
def test_what_must_be_a_text_is_one(method, args, call, odd):
    good = {
        "getDatabaseState": "running",
        "getDatabaseOperation": "None",
        "getDatabaseConnectionState": "Yes",
        "getDatabaseConnectionString": "",
    }
    with pytest.raises(Garbled, match=f"{call} at https://n10:443: the answer has an unknown form"):
        spoken(method, *args, **{**good, call: odd})


@pytest.mark.parametrize("odd", [None, "n0010", [], True])
def test_the_license_server_of_4_2_is_a_number(odd):
    with pytest.raises(Garbled):
        spoken("master", getEXAoperationMaster="fault:" + NOT_FOUND, getCurrentLicenseServer=odd)


@pytest.mark.parametrize(
    "odd", [None, "OK", {}, {"Lockd": "OK"}, [], ["Lockd"], [["Lockd"]], [["Lockd", "OK"], "Storaged"], 3]
)
def test_services_have_a_form(odd):
    with pytest.raises(Garbled, match="getServiceState"):
        spoken("services", getServiceState=odd)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.text("abcOK01 ", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abstaeu", max_size=5), inner, max_size=3),
    max_leaves=5,
)
READERS = {
    "nodes": (), "node_is_online": ("n0011",), "node_status": ("n0011",), "services": (), "databases": (),
    "database": ("DB1",), "database_summary": ("DB1",), "database_errors": ("DB1",), "master": (), "version": (),
    "login_role": (), "log_services": (), "log_entries": ("logservice1",), "plugins": (),
    "call_plugin": ("P", "n0011", "STATUS"), "start_storage": ([],),
}  # fmt: skip


@settings(max_examples=150)
@given(answer=JSON, method=st.sampled_from(sorted(READERS)))
def test_no_answer_makes_another_exception(answer, method):
    wire = Wire()
    wire.answers_by_method = dict.fromkeys(
        [
            "getNodeList", "getHardwareInformation", "getNodeState", "getServiceState", "getDatabaseList",
            "getDatabaseState", "getDatabaseOperation", "getDatabaseConnectionState", "getDatabaseConnectionString",
            "getDatabaseInfo", "getCurrentErrors", "getEXAoperationMaster", "getEXASuiteVersion", "getLoginRole",
            "getAllLogServices", "logEntries", "showPluginList", "callPlugin", "startEXAStorage",
        ],
        answer,
    )  # fmt: skip
    said = "exa-unit: "
    try:
        getattr(EaoCluster(wire), method)(*READERS[method])
    except ClusterError as error:
        said = error.message
    assert said.startswith("exa-unit: ")
    assert "\n" not in said


def test_what_a_database_says_of_lost_copies_is_told():
    info = answer("eao/getDatabaseInfo_info")
    assert EaoCluster(Wire(getDatabaseInfo=info)).database_summary("DB1").info == ""
    hurt = {**info, "info": ["2 segments are not online", None]}
    assert EaoCluster(Wire(getDatabaseInfo=hurt)).database_summary("DB1").info == "2 segments are not online"

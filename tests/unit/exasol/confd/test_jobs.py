# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs at the wire: what is sent for each, and what becomes of each answer, odd ones included."""

from __future__ import annotations

import re
import xmlrpc.client
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Fault,
    Garbled,
    NoSuchObject,
    Unreachable,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.jobs import JobResult
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd import jobs as confd_jobs, jobs_under_way
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.jobs_under_way import JobsUnderWay
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import (
    LOGIN_PAGE,
    Nodes,
    failed,
    result,
    turns,
)
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import HUNG, LOST
from hypothesis import given, settings, strategies as st

STR, INT = "(<class 'str'>,)", "<class 'int'>"
START = [
    True,
    ["Start.", {"db_name": {"desc": "Name", "type": STR}}, {"timeout": {"desc": "", "type": INT}}, {}, ["root"], []],
]
NO_RPC = xmlrpc.client.Fault(1, "method is not supported")


def described(**rpc: Any) -> Nodes:
    return Nodes(**{"job_desc": START, "job_list": ["db_list", "db_start", "db_state"], **rpc})


def asked(nodes: Nodes, *methods: str) -> list[tuple[Any, ...]]:
    return [call for call in nodes.calls if call[0] in methods]


# -- what there is


def test_names():
    assert Nodes(job_list=["db_state", "db_list"]).jobs().names() == ["db_list", "db_state"]


@pytest.mark.parametrize("odd", [None, "db_list", [1], {"a": 1}])
def test_odd_names(odd):
    with pytest.raises(Garbled, match="job_list at https://n11:443: the answer has an unknown form"):
        Nodes(job_list=odd).jobs().names()


def test_help_is_asked_once():
    nodes = described()
    jobs = nodes.jobs()
    assert jobs.help("db_start") is jobs.help("db_start")
    assert asked(nodes, "job_desc", "job_help") == [("job_desc", "db_start")]


@pytest.mark.parametrize("desc", [NO_RPC, None, [False, []], "odd", [True, [1]], failed("internal error")])
def test_help_by_its_text_where_there_is_no_job_desc(desc):
    text = "Description: 'x'\nMandatory parameters:\n{'db_name': {'desc': 'Name', 'type': \"(<class 'str'>,)\"}}\n"
    found = described(job_desc=desc, job_help=text).jobs().help("db_start")
    assert found.parameters["db_name"].mandatory


@pytest.mark.parametrize("desc", [NO_RPC, xmlrpc.client.Fault(2, "Job db_sart does not exist"), None])
def test_an_unknown_job_gets_a_near_name(desc):
    nodes = described(job_desc=desc, job_help=desc)
    with pytest.raises(NoSuchObject, match=r"there is no job 'db_sart' \(did you mean db_start\?\)") as caught:
        nodes.jobs().execute("db_sart", {"db_name": "DB1"})
    assert caught.value.failed_object == "db_sart"
    assert asked(nodes, "job_exec", "job_start") == []


@pytest.mark.parametrize(
    ("desc", "kind", "says"),
    [
        (xmlrpc.client.Fault(4, "User bob is not allowed to do this"), Denied, "the user may not do this"),
        (NO_RPC, Fault, "the server refused"),
        ("odd", Garbled, "the parameters of the job can't be read"),
    ],
)
def test_a_job_that_is_known_but_not_described(desc, kind, says):
    with pytest.raises(kind, match=says) as caught:
        described(job_desc=desc, job_help=desc).jobs().help("db_start")
    assert caught.value.message.startswith("exa-unit: ")


def test_wrong_parameters_are_told_before_anything_is_sent():
    nodes = described()
    with pytest.raises(
        ClusterError, match=r"^exa-unit: job db_start has no parameter 'db_nmae' \(did you mean db_name"
    ) as caught:
        nodes.jobs().start("db_start", {"db_nmae": "DB1"})
    assert caught.value.failed_object == "db_start"
    assert asked(nodes, "job_exec", "job_start") == []


def test_parameters_alone():
    expire = {"desc": "seconds since the epoch", "type": INT}
    desc = [True, ["", {}, {"expire_time": expire}, {}, None, None]]
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert described(job_desc=desc).jobs().parameters("db_start", {"expire": "1d"}, now) == {"expire_time": 1767312000}


# -- at once


def test_a_read_is_one_call():
    nodes = Nodes(job_exec=result("running"))
    assert nodes.jobs().read("db_state", {"db_name": "DB1"}) == "running"
    assert nodes.calls == [("job_exec", "db_state", {"params": {"db_name": "DB1"}})]


def test_without_parameters_there_is_one_argument():
    nodes = Nodes(job_exec=result(["DB1"]))
    assert nodes.jobs().read("db_list") == ["DB1"]
    assert nodes.calls == [("job_exec", "db_list")]


def test_a_read_that_is_checked():
    nodes = described(job_exec=result("running"))
    nodes.jobs().read("db_start", {"db_name": 1}, checked=True)
    assert asked(nodes, "job_exec") == [("job_exec", "db_start", {"params": {"db_name": "1"}})]


def test_execute():
    nodes = described(job_exec=result([["r0001"]], "11.3", result_revision=18))
    found = nodes.jobs().execute("db_start", {"db_name": "DB1"}, of="DB1")
    assert found == JobResult("11.3", [["r0001"]], 18)
    assert found.as_dict() == {
        "job_id": "11.3", "code": 0, "name": "OK", "desc": "Success", "output": [["r0001"]], "revision": 18,
    }  # fmt: skip
    assert nodes.count("job_exec") == 1


def test_a_job_without_output():
    nodes = described(job_exec=result())
    assert nodes.jobs().execute("db_start", {"db_name": "DB1"}).as_dict() == {
        "job_id": "11.1", "code": 0, "name": "OK", "desc": "Success",
    }  # fmt: skip


# -- error results


@pytest.mark.parametrize(
    ("desc", "kind", "says"),
    [
        ("internal error", Fault, "the server refused: internal error"),
        ("Volume v0001 is\n in use", Fault, "the server refused: Volume v0001 is in use"),
        ("User bob is not allowed to run job db_start", Denied, "the user may not do this: User bob"),
        ("Permission denied", Denied, "the user may not do this: Permission denied"),
        ("Job db_sart does not exist", NoSuchObject, ": Job db_sart does not exist"),
        ("Database DB2 could not be found", NoSuchObject, ": Database DB2 could not be found"),
        ("only minority of nodes are online", Fault, "the cluster has lost its quorum: only minority"),
        ("User database exa_db is not permitted to bob", Denied, "the user may not do this"),
        ("Operation not permitted", Denied, "the user may not do this"),
        ("bob lacks the permission for this job", Denied, "the user may not do this"),
        ("only allowed for members of the group exaadm", Denied, "the user may not do this"),
        ("this job is not allowed for user bob", Denied, "the user may not do this"),
        ("It is not allowed to stop the database while a backup runs", Fault, "the server refused: It is not"),
        ("Parameter permissions must be like rwx------", Fault, "the server refused: Parameter"),
        ("a negative size is not permitted", Fault, "the server refused: a negative"),
        ("the majority of segments are offline", Fault, "the server refused: the majority"),
        ("no majority of nodes is online", Fault, "the cluster has lost its quorum: no majority"),
        ("", Fault, "the server refused: no reason given"),
        (None, Fault, "the server refused: no reason given"),
    ],
)
def test_an_error_is_one_sentence(desc, kind, says):
    nodes = described(job_exec=failed(desc, 5, "ESOME"))
    for run in (nodes.jobs().read, nodes.jobs().execute):
        with pytest.raises(kind) as caught:
            run("db_start", {"db_name": "DB1"}, of="DB1")
        message = caught.value.message
        assert message.startswith("exa-unit: db_start of DB1 at https://n11:443: ")
        assert says in message
        assert message.endswith(" (ESOME, code 5, job 11.7)")
        assert "\n" not in message
        assert caught.value.failed_object == "DB1"
        assert caught.value.as_result()["result"]["name"] == "ESOME"
    assert nodes.count("job_exec") == 2


def test_a_code_of_any_length():
    nodes = described(
        job_exec=f"""<?xml version="1.0"?><methodResponse><params><param><value><struct><member>
        <name>result_code</name><value><int>{"9" * 4000}</int></value></member></struct></value></param></params>
        </methodResponse>""".encode()
    )
    with pytest.raises(Fault) as caught:
        nodes.jobs().read("db_list")
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("call", ["read", "execute", "start", "run"])
def test_a_fault_is_told_like_an_error(call):
    fault = xmlrpc.client.Fault(4, "User bob is not allowed to run job db_start")
    nodes = described(job_exec=fault, job_start=fault)
    with pytest.raises(
        Denied, match="exa-unit: db_start of DB1 at https://n11:443: the user may not do this: User bob"
    ):
        getattr(nodes.jobs(), call)("db_start", {"db_name": "DB1"}, of="DB1")


@pytest.mark.parametrize(
    "odd",
    [None, True, "OK", [], {}, {"result_code": None}, {"result_code": "0"}, {"result_code": False}, [0], LOGIN_PAGE[1]],
)
def test_no_result_is_no_success(odd):
    nodes = described(job_exec=odd)
    with pytest.raises(Garbled) as caught:
        nodes.jobs().read("db_state")
    assert caught.value.message.startswith("exa-unit: db_state at ")
    with pytest.raises(AnswerLost, match="the server may have carried it out$"):
        nodes.jobs().execute("db_start", {"db_name": "DB1"}, of="DB1")


def test_a_lost_answer_is_not_asked_for_again():
    nodes = described(job_exec=LOST)
    with pytest.raises(AnswerLost) as caught:
        nodes.jobs().execute("db_start", {"db_name": "DB1"}, of="DB1")
    assert caught.value.message.startswith("exa-unit: db_start of DB1 at https://n11:443: ")
    assert nodes.count("job_exec") == 1


# -- stage after stage


def test_start():
    nodes = described(job_start="11.4")
    assert nodes.jobs().start("db_start", {"db_name": "DB1"}) == "11.4"
    assert asked(nodes, "job_start") == [("job_start", "db_start", {"params": {"db_name": "DB1"}})]


@pytest.mark.parametrize("odd", [None, True, "", " ", [], {"a": 1}, ["11.4"]])
def test_a_start_without_an_id_is_lost(odd):
    with pytest.raises(AnswerLost, match="db_start of DB1 at https://n11:443: job_start returned no job ID"):
        described(job_start=odd).jobs().start("db_start", {"db_name": "DB1"}, of="DB1")


def test_a_start_that_is_declined():
    with pytest.raises(Denied, match="not allowed"):
        described(job_start=failed("not allowed")).jobs().start("db_start", {"db_name": "DB1"})
    assert described(job_start=result(job_id="11.9")).jobs().start("db_start", {"db_name": "DB1"}) == "11.9"


def test_wait_finished_and_result():
    nodes = Nodes(job_wait=turns(False, True), job_finished=result(True), job_result=result("x", "11.4"))
    jobs = nodes.jobs()
    assert [jobs.wait("11.4"), jobs.wait("11.4", 0.2), jobs.wait("11.4", 0)] == [False, True, True]
    assert jobs.finished("11.4") is True
    assert jobs.result("11.4") == JobResult("11.4", "x")
    assert nodes.calls == [
        ("job_wait", "11.4", {"timeout": 5}), ("job_wait", "11.4", {"timeout": 1}), ("job_finished", "11.4"),
        ("job_finished", "11.4"), ("job_result", "11.4"),
    ]  # fmt: skip


@pytest.mark.parametrize("odd", [None, 1, "True", {}, result("yes"), result()])
def test_an_odd_flag(odd):
    jobs = Nodes(job_wait=odd, job_finished=odd).jobs()
    for ask in (jobs.wait, jobs.finished):
        with pytest.raises(Garbled, match=r"of job 11\.4"):
            ask("11.4")


@pytest.mark.parametrize("answer", [failed("Job 11.4 could not be found"), xmlrpc.client.Fault(5, "no such job 11.4")])
@pytest.mark.parametrize("call", ["wait", "finished", "result", "info"])
def test_a_job_that_isnt_known(answer, call):
    nodes = Nodes(job_wait=answer, job_finished=answer, job_result=answer, job_info=answer)
    with pytest.raises(NoSuchObject, match=r"^exa-unit: .*11\.4"):
        getattr(nodes.jobs(), call)("11.4")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_run():
    nodes = described(job_start="11.4", job_wait=turns(False, False, True), job_result=result(job_id="11.4"))
    heard: list[str] = []
    assert nodes.jobs().run("db_start", {"db_name": "DB1"}, of="DB1", heard=heard.append) == JobResult("11.4")
    assert heard == ["11.4"]
    assert [call[0] for call in nodes.calls] == [
        "job_desc",
        "job_start",
        "job_wait",
        "job_wait",
        "job_wait",
        "job_result",
    ]


def test_run_out_of_time():
    clock = Clock()

    def slow(_job_id: str, more: Any) -> bool:
        clock.now += more["timeout"]
        return False

    nodes = described(job_start="11.4", job_wait=slow)
    assert nodes.jobs().run("db_start", {"db_name": "DB1"}, timeout=12, clock=clock) is None
    assert [call[2]["timeout"] for call in asked(nodes, "job_wait")] == [5, 5, 2]


def test_a_wait_that_doesnt_wait_is_not_asked_in_a_rush(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(confd_jobs, "PAUSE", 0.5)
    monkeypatch.setattr(confd_jobs.time, "sleep", lambda seconds: setattr(clock, "now", clock.now + seconds))
    nodes = described(job_start="11.4", job_wait=False, job_finished=False)
    assert nodes.jobs().run("db_start", {"db_name": "DB1"}, timeout=3, clock=clock) is None
    assert nodes.count("job_wait") + nodes.count("job_finished") <= 8


def test_run_of_a_job_that_fails():
    nodes = described(job_start="11.4", job_wait=True, job_result=failed("Database DB1 is running"))
    with pytest.raises(Fault, match="db_start of DB1 at .*: the server refused: Database DB1 is running"):
        nodes.jobs().run("db_start", {"db_name": "DB1"}, of="DB1")


@pytest.mark.parametrize(
    "weather", [LOST, HUNG, (502, b""), (401, b""), "odd", failed("Job 11.4 could not be found"), NO_RPC]
)
@pytest.mark.parametrize("call", ["job_wait", "job_result"])
def test_a_result_that_cant_be_had_is_a_lost_answer(weather, call):
    nodes = described(**{"job_start": "11.4", "job_wait": True, "job_result": result(), call: weather})
    with pytest.raises(AnswerLost) as caught:
        nodes.jobs().run("db_start", {"db_name": "DB1"}, of="DB1")
    assert re.match(r"exa-unit: db_start of DB1 at https://n11:443: ", caught.value.message)
    assert "the server may have carried it out" in caught.value.message
    assert caught.value.failed_object == "DB1"
    assert nodes.count("job_start") == 1


def test_an_interrupted_job_may_have_been_carried_out():
    interrupted = failed("Job was interrupted: the master node n11 is gone")
    nodes = described(job_start="11.4", job_wait=True, job_result=interrupted, job_exec=interrupted)
    for call in (nodes.jobs().run, nodes.jobs().execute):
        with pytest.raises(AnswerLost, match="db_start of DB1 .* is gone; the server may have carried it out"):
            call("db_start", {"db_name": "DB1"}, of="DB1")


def test_a_result_that_comes_too_early_is_asked_for_again():
    early = {**failed("job 11.7 is not finished yet", 2), "result_jobid": "11.7"}
    nodes = described(job_start="11.7", job_wait=True, job_result=turns(early, result("done", "11.7")))
    assert nodes.jobs().run("db_start", {"db_name": "DB1"}).output == "done"
    work = JobsUnderWay(
        described(job_start="11.7", job_finished=True, job_result=turns(early, failed("it broke"))).jobs()
    )
    work.submit("db_start", {"db_name": "DB1"}, of="DB1")
    assert [work.error_of("DB1") for _look in range(3)] == ["", "it broke", "it broke"]


def test_a_job_of_several_objects_is_asked_once_for_all(monkeypatch):
    nodes = described(job_start="11.8", job_finished=turns(False, True), job_result=failed("no such instance type"))
    work = JobsUnderWay(nodes.jobs())
    work.submit("db_start", {"db_name": "DB1"}, of="n11 n12", objects=["n11", "n12"])
    assert [work.error_of(node) for node in ("n11", "n12", "n11")] == ["", "", ""]
    assert nodes.count("job_finished") == 1
    monkeypatch.setattr(jobs_under_way, "AGAIN", 0.0)
    assert {work.error_of(node) for node in ("n12", "n11")} == {"no such instance type"}
    assert (nodes.count("job_finished"), work.error_of("n13")) == (2, "")


@pytest.mark.parametrize("job_id", [117, 11.7])
def test_an_id_goes_back_as_it_came(job_id):
    nodes = described(
        job_start=job_id, job_wait=True, job_result=result("done", job_id), job_info={"stage": "finished"}
    )
    jobs = nodes.jobs()
    heard: list[str] = []
    assert jobs.run("db_start", {"db_name": "DB1"}, heard=heard.append).job_id == str(job_id)
    jobs.info(heard[0])
    sent = {call[0]: call[1] for call in nodes.calls}
    assert (heard, sent["job_wait"], sent["job_result"]) == ([str(job_id)], job_id, job_id)
    assert sent["job_info"] == {"job_id": job_id}


def test_a_job_outlives_its_master():
    nodes = Nodes(
        "n11:443", "n12:443", job_desc=START, job_start="11.4", job_wait=True, job_result=result(job_id="11.4")
    )
    jobs = nodes.jobs()

    def die(_job_id: str) -> None:
        nodes.master = "n12:443"
        nodes.odd["n11:443"] = LOST

    assert jobs.run("db_start", {"db_name": "DB1"}, heard=die) == JobResult("11.4")
    assert nodes.count("job_start") == 1
    assert jobs.session.url == "https://n12:443"


# -- anything else


def test_a_raw_call():
    nodes = Nodes(user_state="x")
    assert nodes.jobs().call("user_state", "admin", {"a": None}) == "x"
    assert nodes.calls[-1] == ("user_state", "admin", {"a": None})
    with pytest.raises(Fault, match="exa-unit: subscribe at https://n11:443: the server refused: method subscribe"):
        nodes.jobs().call("subscribe")


def test_a_raw_call_is_changing_unless_told():
    nodes = Nodes(user_login=LOST)
    with pytest.raises(AnswerLost):
        nodes.jobs().call("user_login")
    with pytest.raises(Unreachable):
        nodes.jobs().call("user_login", changing=False)


# -- whatever comes: one sentence

ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text("abOK\n01 ", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["result_code", "result_output", "result_name", "result_desc", "stage", "commands", "job"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)
DB1 = {"db_name": "DB1"}
CALLS = {
    "names": (), "help": ("db_start",), "read": ("db_state", DB1), "execute": ("db_start", DB1),
    "start": ("db_start", DB1),
    "wait": ("11.4",), "finished": ("11.4",), "result": ("11.4",), "info": ("11.4",),
    "run": ("db_start", DB1, "DB1", 0.0), "call": ("subscribe",),
}  # fmt: skip


@settings(max_examples=120)
@given(
    answer=ODD | st.binary(max_size=40) | st.tuples(st.sampled_from([200, 302, 404, 500, 503]), st.binary(max_size=20)),
    call=st.sampled_from(sorted(CALLS)),
    all_odd=st.booleans(),
)
def test_whatever_comes_only_a_sentence_leaves(answer, call, all_odd):
    methods = ["job_list", "job_desc", "job_help", "job_exec", "job_start", "job_wait", "job_finished", "job_result"]
    nodes = Nodes(**dict.fromkeys([*methods, "job_info", "subscribe"], answer))
    if not all_odd:
        nodes.rpc["job_desc"] = START
    said = "exa-unit: "
    try:
        getattr(nodes.jobs(), call)(*CALLS[call])
    except ClusterError as error:
        said = error.message
    assert said.startswith("exa-unit: ")
    assert "\n" not in said
    assert "s3cret" not in said

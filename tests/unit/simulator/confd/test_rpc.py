# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The wire: who is the master, redirects, credentials, XML and JSON, methods, what is refused."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable

import pytest

from .conftest import PASSWORD, Lab

LIST = xmlrpc.client.dumps(("db_list",), "job_exec").encode()


def test_the_master_is_told_by_every_node_without_credentials(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"master_answer": "{address} {name}"}, master="n12")
    for node in ("n11", "n12", "n13"):
        assert one.http("GET", "/master", node=node).body == b"10.50.1.12 n12"
        assert one.http("GET", "/master?info_type=name", node=node).body == b"n12"
    assert one.http("GET", "/is_master", node="n12").status == 200
    assert one.http("GET", "/is_master", node="n11").status == 503
    assert one.http("GET", "/elsewhere").status == 404


@pytest.mark.parametrize("path", ["/", "/rpc2", "/RPC2", "/json"])
def test_others_redirect_to_the_master(lab: Callable[..., Lab], path: str) -> None:
    one = lab(settings={"redirect_location": "https://{address}:20003{path}"})
    body = LIST if path != "/json" else b'{"id": 1, "method": "job_exec", "params": ["db_list"]}'
    answer = one.post(body, path=path, node="n13")
    assert (answer.status, answer.headers["Location"]) == (302, f"https://10.50.1.11:20003{path}")
    assert one.post(body, path=path, node="n13", password="wrong").status == 302


def test_credentials(lab: Callable[..., Lab]) -> None:
    one = lab(authentication_token="secret-token", clock="immediate")
    for user, password in (("admin", "wrong"), ("nobody", "x"), ("root", "")):
        assert one.post(LIST, user=user, password=password).status == 401
    for header in ("", "Basic", "Basic !!!", "Bearer", "Bearer wrong", "Digest x"):
        answer = one.http("POST", "/", LIST, header)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="ConfD"')
    assert one.http("POST", "/", LIST, "Bearer secret-token").status == 200
    assert PASSWORD not in str(one.cluster.record.calls())


def test_json_is_the_same_at_its_path(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    answer = one.json("job_exec", "db_list")
    assert answer == {"jsonrpc": "2.0", "id": 7, "result": {**answer["result"], "result_output": ["DB1", "DB2"]}}
    assert one.json("nothing")["error"]["code"] == 1
    elsewhere = lab(clock="immediate", settings={"json_path": "/rpc"})
    assert elsewhere.json("job_list", path="/rpc")["result"] == elsewhere.call("job_list")
    assert elsewhere.post(b"{}", path="/json").status == 404


@pytest.mark.parametrize(("path", "body"), [("/", b""), ("/", b"<a/>"), ("/json", b"[]"), ("/json", b"no")])
def test_what_is_no_rpc_is_a_bad_request(lab: Callable[..., Lab], path: str, body: bytes) -> None:
    assert lab().post(body, path=path).status == 400


def test_methods_are_the_documents(lab: Callable[..., Lab]) -> None:
    one = lab()
    names = one.call("system.listMethods")
    assert names == [
        "job_desc", "job_exec", "job_finished", "job_help", "job_info", "job_list", "job_result", "job_start",
        "job_wait", "subscribe", "system.listMethods", "system.methodHelp", "system.methodSignature", "unsubscribe",
        "user_init", "user_login", "user_state",
    ]  # fmt: skip
    assert one.call("system.methodHelp", "job_start").count("\n@") == 2
    assert one.call("user_state") is True
    with pytest.raises(xmlrpc.client.Fault, match='method "job_kill" is not supported'):
        one.call("job_kill")
    with pytest.raises(xmlrpc.client.Fault, match="wrong arguments"):
        lab(settings={"untold_methods": "fault"}).call("subscribe", "x")


def test_stages_follow_the_clock(lab: Callable[..., Lab]) -> None:
    one = lab(timing={"job_schedule": 1, "job_execute": 2, "job_commit": 3})
    job = one.call("job_start", "db_list")
    assert job == "11.1"
    stages = []
    for seconds in (0, 1, 2):
        one.pass_time(seconds)
        stages.append(one.call("job_info", {"job_id": job})["stage"])
    assert stages == ["submitted", "scheduled", "finished"]
    info = one.call("job_info", job)
    assert list(info["timestamps"]) == ["submitted", "scheduled", "executed", "finished"]
    assert info["commands"] == [{"command": "db_list", "result": 0, "output": ["DB1", "DB2"]}]
    assert info["request"]["user"] == info["user_name"] == "admin"
    assert one.call("job_finished", job) is True


def test_results_are_there_when_the_job_is_done(lab: Callable[..., Lab]) -> None:
    one = lab()
    job = one.call("job_start", "db_list")
    assert one.call("job_finished", job) is False
    assert one.call("job_result", job)["result_desc"] == f"Job {job} is not finished yet"
    assert one.call("job_wait", job, {"timeout": 0}) is False
    one.pass_time(1)
    assert one.call("job_wait", job) is True
    assert one.call("job_result", job) == {
        "result_code": 0, "result_name": "OK", "result_desc": "Success", "result_jobid": job,
        "result_output": ["DB1", "DB2"],
    }  # fmt: skip
    with pytest.raises(xmlrpc.client.Fault, match="Job 11.99 could not be found"):
        one.call("job_result", "11.99")


@pytest.mark.parametrize("clock", ["immediate", "polls:3", "seconds:0.0001"])
def test_job_exec_is_all_three_whatever_the_clock(lab: Callable[..., Lab], clock: str) -> None:
    one = lab(clock=clock, real=True)
    states = []
    for job in ("db_start", "db_state", "db_stop", "db_state"):
        result = one.call("job_exec", job, {"params": {"db_name": "DB2"}})
        assert result["result_code"] == 0
        states.append(result.get("result_output"))
    assert states == [None, "running", None, "setup"]
    assert one.rules() == []

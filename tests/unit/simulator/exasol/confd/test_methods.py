# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The RPC methods, and the stages of a job."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab


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

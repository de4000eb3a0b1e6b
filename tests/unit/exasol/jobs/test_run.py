# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""exa_job's work at the wire: what is sent, how often, and what is said of it."""

from __future__ import annotations

import threading
import time
import xmlrpc.client
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.pace import Pace
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Fault,
    NoSuchObject,
    TimedOut,
)
from ansible_collections.dbfleet.cluster.plugins.modules import exa_job
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, failed, result, turns
from ansible_collections.dbfleet.cluster.tests.unit.exasol.jobs.fake_task import Task
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import LOST

STR = "(<class 'str'>,)"
DB = {"db_name": {"desc": "Name of the database.", "type": STR}}
DESC = {
    "db_start": [True, ["Start.", DB, {"timeout": {"desc": "Seconds.", "type": "<class 'int'>"}}, {}, ["root"], []]],
    "db_state": [True, ["State.", DB, {}, {}, ["root"], []]],
    "log_collect": [True, ["Logs.", DB, {}, {}, ["root"], []]],
    "db_list": [True, ["All.", {}, {}, {}, ["root"], []]],
    "user_info": [True, ["One.", {"username": {"desc": "", "type": STR}}, {}, {}, [], []]],
    "user_passwd": [
        True, ["Set.", {"username": {"desc": "", "type": STR}, "password": {"desc": "", "type": STR}}, {}, {}, [], []],
    ],
}  # fmt: skip


def describe(job: str) -> Any:
    return DESC.get(job) or xmlrpc.client.Fault(1, f"Job {job} does not exist")


def info(*stages: str, **more: Any) -> dict[str, Any]:
    times = {stage: f"2026-05-19 09:04:0{number}" for number, stage in enumerate(stages)}
    return {"job_id": "11.5", "job_name": "db_start", "stage": stages[-1], "timestamps": times, **more}


def nodes(**rpc: Any) -> Nodes:
    usual: dict[str, Any] = {
        "job_desc": describe, "job_help": describe, "job_list": sorted(DESC), "job_start": "11.5",
        "job_wait": True, "job_finished": True, "job_result": result(None, "11.5"),
        "job_info": info("submitted", "scheduled", "executed", "finished"),
    }  # fmt: skip
    return Nodes(**{**usual, **rpc})


def methods(cluster: Nodes) -> list[str]:
    """The calls that were made, without the search for the master."""
    return [one.call[0] for one in cluster.sent if one.verb == "POST" and one.call[0] != "system.listMethods"]


def calls(cluster: Nodes, method: str) -> list[tuple[Any, ...]]:
    return [one.call[1:] for one in cluster.sent if one.verb == "POST" and one.call[0] == method]


# -- how it runs


def test_a_changing_job_goes_through_its_stages():
    cluster = nodes(
        job_wait=turns(False, False, True),
        job_info=turns(
            info("submitted", "scheduled"),
            info("submitted", "scheduled", "executed"),
            info("submitted", "scheduled", "executed", "finished"),
        ),
    )
    task = Task(job="db_start", params={"db_name": "DB1"})
    found = task.run(cluster)
    assert calls(cluster, "job_start") == [("db_start", {"params": {"db_name": "DB1"}})]
    assert (found["changed"], found["job_id"], found["stage"], found["finished"]) == (True, "11.5", "finished", True)
    assert found["stages"]["executed"] == "2026-05-19 09:04:02"
    assert found["result"]["name"] == "OK"
    assert found["steps"][0]["object"] == "db_start"
    assert found["diff"] == {"before": {"db_start": "not run"}, "after": {"db_start": "finished"}}
    said = [line.partition(": ")[2] for line in task.lines]
    assert said[0] == "submitted"
    assert [line.split()[1].strip(",") for line in said[1:]] == ["scheduled", "executed", "finished"]
    assert all("DB1" not in line for line in task.lines)
    assert task.warnings == []


def test_a_reading_job_is_one_call_and_no_change():
    cluster = nodes(job_exec=result("setup"))
    found = Task(job="db_state", params={"db_name": "DB1"}).run(cluster)
    assert (found["changed"], found["output"], found["steps"]) == (False, "setup", [])
    assert methods(cluster) == ["job_desc", "job_exec"]
    assert "diff" not in found


def test_exec_is_one_call_for_a_changing_job_too():
    cluster = nodes(job_exec=result(None, "11.9", result_revision=18))
    found = Task(job="db_start", params={"db_name": "DB1"}, mode="exec").run(cluster)
    assert (found["changed"], found["job_id"], found["finished"], found["stages"]) == (True, "11.9", True, {})
    assert found["result"]["revision"] == 18
    assert methods(cluster) == ["job_desc", "job_exec"]


def test_a_reading_job_stage_after_stage():
    cluster = nodes(job_result=result("setup", "11.5"))
    found = Task(job="db_state", params={"db_name": "DB1"}, mode="async").run(cluster)
    assert (found["changed"], found["output"], found["job_id"]) == (False, "setup", "11.5")


def test_without_waiting_the_id_is_for_a_later_task():
    cluster = nodes()
    found = Task(job="db_start", params={"db_name": "DB1"}, wait=False).run(cluster)
    assert (found["changed"], found["job_id"], found["finished"], found["stage"]) == (True, "11.5", False, "submitted")
    assert methods(cluster) == ["job_desc", "job_start"]
    with pytest.raises(ClusterError, match="mode=exec always waits: use mode=async"):
        Task(job="db_start", params={"db_name": "DB1"}, mode="exec", wait=False).run(cluster)


def test_a_job_of_before_is_joined():
    cluster = nodes(job_finished=False, job_wait=turns(False, True), job_result=result(7, "11.5"))
    task = Task(job_id="11.5")
    found = task.run(cluster)
    assert (found["changed"], found["joined"], found["job"], found["output"]) == (False, True, "db_start", 7)
    assert "job_start" not in methods(cluster)
    assert task.lines[-1].startswith("[")


def test_a_job_of_before_that_is_over_has_its_result():
    found = Task(job_id="11.5", wait=False).run(nodes(job_result=result([1], "11.5")))
    assert (found["joined"], found["finished"], found["output"]) == (False, True, [1])


@pytest.mark.parametrize("how", [{"wait": False}, {"check_mode": True}])
def test_a_job_of_before_is_only_looked_at(how):
    cluster = nodes(job_finished=False, job_info=info("submitted", "scheduled"))
    found = Task(job_id="11.5", **how).run(cluster)
    assert (found["finished"], found["stage"], found["joined"]) == (False, "scheduled", False)
    assert "job_wait" not in methods(cluster)


def test_no_job_is_joined_where_none_was_submitted():
    cluster = nodes()
    found = Task(job_id="").run(cluster)
    assert (found["changed"], found["needed"], cluster.sent) == (False, False, [])
    assert found["finished"], "until: finished would ask for ever"


@pytest.mark.parametrize("job_id", [12.1, True, ["12.1"]])
def test_a_number_with_a_point_is_no_job_id(job_id):
    with pytest.raises(ClusterError, match="put it in quotes"):
        Task(job_id=job_id).run(nodes())


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"job": "db_list", "job_id": "1.1"},
        {"job": "db_list", "method": "user_init"},
        {"method": "user_init", "params": {}},
        {"job": "db_list", "args": []},
        {"job_id": "1.1", "unless": {"job": "db_list"}},
        {"job": "db_start", "unless": {"job": "db_list", "equals": 1, "contains": 1}},
    ],
)
def test_options_that_make_no_sense_together(given):
    assert Task(**given).errors


# -- check mode


def test_a_preview_checks_and_sends_nothing():
    cluster = nodes()
    task = Task(True, job="db_start", params={"db_name": "DB1"})
    found = task.run(cluster)
    assert (found["changed"], found["job_id"], found["finished"]) == (True, "", False)
    assert found["steps"][0] | {"seconds": 0} == {
        "object": "db_start", "step": "run job db_start", "from": "not run", "to": "finished", "seconds": 0,
    }  # fmt: skip
    assert methods(cluster) == ["job_desc"]
    assert "would be run" in task.lines[0]


def test_a_reading_job_runs_under_check_mode():
    assert Task(True, job="db_list").run(nodes(job_exec=result(["DB1"])))["output"] == ["DB1"]


def test_a_user_may_know_better_what_changes_something():
    cluster = nodes(job_exec=result(["DB1"]))
    found = Task(True, job="db_list", changing=True).run(cluster)
    assert (found["changed"], methods(cluster)) == (True, ["job_desc"])
    found = Task(True, job="log_collect", params={"db_name": "DB1"}, changing=False).run(nodes(job_exec=result()))
    assert (found["changed"], found["finished"]) == (False, True)


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_job_that_is_known_to_change_something_is_not_taken_for_reading(check_mode):
    """It would run under check mode, and be sent again where its answer is lost."""
    cluster = nodes(job_exec=result())
    with pytest.raises(ClusterError, match="^exa-unit: job db_start changes something: with changing: false"):
        Task(check_mode, job="db_start", params={"db_name": "DB1"}, changing=False).run(cluster)
    assert methods(cluster) == []


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"job": "db_strt", "params": {"db_name": "DB1"}}, r"no job 'db_strt' \(did you mean db_start\?\)"),
        ({"job": "db_start"}, "needs db_name"),
        ({"job": "db_start", "params": {"dbname": "DB1"}}, r"no parameter 'dbname' \(did you mean db_name\?\)"),
        ({"job": "db_start", "params": {"db_name": "DB1", "timeout": "long"}}, "timeout of job db_start must be int"),
        ({"method": "user_lgin"}, r"no method 'user_lgin' \(did you mean user_login\?\)"),
        ({"method": "job_exec", "args": ["db_start"]}, "name the job in job"),
    ],
)
def test_what_the_server_would_not_take_is_not_sent(check_mode, given, said):
    cluster = nodes(**{"system.listMethods": ["job_exec", "user_login"]})
    with pytest.raises(ClusterError, match=said) as caught:
        Task(check_mode, **given).run(cluster)
    assert set(methods(cluster)) <= {"job_desc", "job_help", "job_list"}
    assert "long" not in caught.value.message
    assert "api_calls" in caught.value.result


# -- unless

NEEDED = {"job": "db_start", "params": {"db_name": "DB1"}}


def unless(output: Any, **wanted: Any) -> tuple[dict[str, Any], Nodes, Task]:
    cluster = nodes(job_exec=output)
    task = Task(**NEEDED, unless={"job": "db_state", "params": {"db_name": "DB1"}, **wanted})
    return task.run(cluster), cluster, task


def test_a_job_that_is_not_needed_is_not_run():
    found, cluster, task = unless(result("running"), equals="running")
    assert (found["changed"], found["needed"], found["steps"], found["job_id"]) == (False, False, [], "")
    assert found["finished"]
    assert "job_start" not in methods(cluster)
    assert "not needed" in task.lines[0]
    assert "running" not in task.lines[0]


def test_a_job_that_is_needed_is_run_once_and_looked_after():
    found, cluster, task = unless(turns(result("setup"), result("running")), equals="running")
    assert (found["changed"], found["needed"]) == (True, True)
    assert len(calls(cluster, "job_start")) == 1
    assert task.warnings == []


def test_a_condition_that_never_holds_is_warned_of():
    _found, _cluster, task = unless(result("setup"), equals="runing")
    assert "the next run would run it again" in task.warnings[0]
    assert "runing" not in task.warnings[0]


def test_that_it_is_there_is_enough():
    found, _cluster, _task = unless(result({"name": "x"}))
    assert found["needed"] is False
    found, _cluster, _task = unless(failed("Database DB1 could not be found"))
    assert found["needed"] is True


def test_the_condition_is_looked_at_under_check_mode():
    cluster = nodes(job_exec=result("running"))
    condition = {"job": "db_state", "params": {"db_name": "DB1"}, "equals": "running"}
    found = Task(True, **NEEDED, unless=condition).run(cluster)
    assert (found["changed"], found["needed"], found["steps"]) == (False, False, [])


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"job": "db_stop"}, "db_stop changes something"),
        ({"job": "db_sate"}, "no job 'db_sate'"),
        ({"job": "db_state"}, "needs db_name"),
    ],
)
def test_a_condition_that_makes_no_sense(condition, said):
    cluster = nodes(job_exec=result("setup"))
    with pytest.raises(ClusterError, match=said):
        Task(**NEEDED, unless=condition).run(cluster)
    assert not {"job_exec", "job_start"} & set(methods(cluster))


def test_a_condition_that_cannot_be_read_is_not_taken_for_unmet():
    with pytest.raises(Denied, match="may not do this"):
        unless(failed("User dba is not allowed to run job db_state"), equals="running")


# -- secrets

SECRET = "t0p secret"


@pytest.mark.parametrize("answer", [result(None, "11.5"), failed("no")])
def test_secrets_are_sent_and_not_said(answer):
    cluster = nodes(job_result=answer)
    task = Task(job="user_passwd", params={"username": "dba", "password": "x"}, secret_params={"password": SECRET})
    try:
        found = task.run(cluster)
    except Fault as error:
        found = error.as_result()
    assert calls(cluster, "job_start")[0][1]["params"] == {"username": "dba", "password": SECRET}
    assert all(word not in str([found, task.lines, task.warnings]) for word in (SECRET, "dba"))


def test_the_scrubber_knows_each_of_them():
    from ansible_collections.dbfleet.cluster.plugins.module_utils._task import secrets_of

    params = {"secret_params": {"password": SECRET, "enabled": True, "keys": ["k3y"]}, "secret_args": [["arg1"], 4711]}
    scrubber = secrets_of(exa_job.SPEC, params)
    said = scrubber.text(f"{SECRET} k3y arg1 4711 True password")
    assert said == "******** ******** ******** ******** True password"


# -- methods


def test_a_method_is_called_as_it_is():
    cluster = nodes(user_login=[True, "token"], **{"system.listMethods": ["user_login"]})
    found = Task(method="user_login", args=["dba", 1], secret_args=["pw"]).run(cluster)
    assert calls(cluster, "user_login") == [("dba", 1, "pw")]
    assert (found["changed"], found["output"], found["job"]) == (True, [True, "token"], None)
    assert found["steps"][0]["object"] == "user_login"


def test_a_method_is_not_called_under_check_mode_unless_it_reads():
    known = {"system.listMethods": ["user_init", "system.methodHelp"], "system.methodHelp": "words"}
    cluster = nodes(user_init=True, **known)
    assert Task(True, method="user_init").run(cluster)["changed"]
    assert calls(cluster, "user_init") == []
    found = Task(True, method="system.methodHelp", args=["job_start"]).run(nodes(**known))
    assert (found["changed"], found["output"]) == (False, "words")


def test_a_method_that_fails():
    cluster = nodes(user_init=xmlrpc.client.Fault(1, "wrong arguments"), **{"system.listMethods": ["user_init"]})
    with pytest.raises(Fault, match="user_init at .*: the server refused: wrong arguments") as caught:
        Task(method="user_init").run(cluster)
    assert caught.value.as_result().get("changed") is not True


# -- what goes wrong


@pytest.mark.parametrize("mode", ["exec", "async"])
@pytest.mark.parametrize(
    ("desc", "kind", "said"),
    [
        ("Database DB1 is busy", Fault, "the server refused: Database DB1 is busy"),
        ("User dba is not allowed to run job db_start", Denied, "may not do this"),
        ("Database DB1 could not be found", NoSuchObject, "could not be found"),
        ("only minority of nodes are online", Fault, "lost its quorum"),
    ],
)
@pytest.mark.parametrize(
    ("stages", "changed"),
    [(("submitted", "finished"), False), (("submitted", "scheduled", "executed", "finished"), True)],
)
def test_a_job_that_fails(mode, desc, kind, said, stages, changed):
    cluster = nodes(job_exec=failed(desc), job_result={**failed(desc), "result_jobid": "11.7"}, job_start="11.7")
    cluster.rpc["job_info"] = info(*stages)
    with pytest.raises(kind, match=said) as caught:
        Task(job="db_start", params={"db_name": "DB1"}, mode=mode).run(cluster)
    told = caught.value.as_result()
    assert (told["changed"], told["job_id"], told["failed_object"]) == (changed, "11.7", "db_start")
    assert told["result"]["desc"] == desc
    assert told["msg"].count("\n") == 0


def test_a_job_that_is_declined_by_a_fault_has_changed_nothing():
    cluster = nodes(job_start=xmlrpc.client.Fault(4, "User dba is not allowed to run job db_start"))
    with pytest.raises(Denied) as caught:
        Task(job="db_start", params={"db_name": "DB1"}).run(cluster)
    assert caught.value.as_result().get("changed", False) is False


@pytest.mark.parametrize("mode", ["exec", "async"])
def test_a_lost_answer_is_not_sent_again(mode):
    cluster = nodes(job_exec=LOST, job_start=LOST)
    with pytest.raises(AnswerLost) as caught:
        Task(job="db_start", params={"db_name": "DB1"}, mode=mode).run(cluster)
    assert len(calls(cluster, "job_exec") + calls(cluster, "job_start")) == 1
    assert "check on the cluster what it has changed" in (caught.value.hint or "")
    assert caught.value.result["changed"] is True


@pytest.mark.parametrize(
    "rpc",
    [
        {"job_wait": xmlrpc.client.Fault(5, "Job 11.5 could not be found")},
        {"job_result": {**failed("Job 11.5 could not be found"), "result_jobid": "11.5"}},
        {"job_result": {**failed("Job was interrupted: the master node n12 is gone"), "result_jobid": "11.5"}},
        {"job_result": xmlrpc.client.Fault(5, "Job 11.5 could not be found")},
    ],
)
def test_a_job_that_was_forgotten_may_have_run(rpc):
    with pytest.raises(AnswerLost, match="db_start 11.5 was submitted, and then .*may have carried it out") as caught:
        Task(job="db_start", params={"db_name": "DB1"}).run(nodes(**rpc))
    assert caught.value.result["job_id"] == "11.5"


EARLY = [
    {**failed("job 11.5 is not finished yet", 2), "result_jobid": "11.5"},
    {**failed("Job is still running", 2), "result_jobid": "11.5"},
    xmlrpc.client.Fault(6, "Job 11.5 is not finished yet, its result could not be found"),
]


@pytest.mark.parametrize("early", EARLY)
@pytest.mark.parametrize("given", [{"job": "db_start", "params": {"db_name": "DB1"}}, {"job_id": "11.5"}])
def test_a_result_that_comes_too_early_is_waited_for(early, given, monkeypatch):
    monkeypatch.setattr(Pace, "interval", lambda _self: 0.0)
    cluster = nodes(job_result=turns(early, early, result("done", "11.5")))
    found = Task(**given).run(cluster)
    assert (found["finished"], found["output"]) == (True, "done")
    assert len(calls(cluster, "job_start")) == ("job" in given)


def test_a_job_that_is_never_finished_is_not_told_as_failed():
    task = Task(job="db_start", params={"db_name": "DB1"}, wait_timeout=0.3)
    with pytest.raises(TimedOut) as caught:
        task.run(nodes(job_result=EARLY[0]))
    assert caught.value.result["finished"] is False


@pytest.mark.parametrize("desc", ["A backup of DB1 is not finished", "Job db_stop: the backup is still running"])
def test_a_job_that_failed_because_something_else_is_not_finished(desc):
    with pytest.raises(Fault, match=desc):
        Task(job="db_start", params={"db_name": "DB1"}).run(nodes(job_result={**failed(desc), "result_jobid": "11.5"}))


def test_an_unknown_job_id():
    with pytest.raises(NoSuchObject, match=r"job 11\.5 .*could not be found"):
        Task(job_id="11.5").run(nodes(job_finished=xmlrpc.client.Fault(5, "Job 11.5 could not be found")))


def test_a_history_that_cannot_be_read_is_told_of_once():
    cluster = nodes(job_info=xmlrpc.client.Fault(1, "no history"), job_wait=turns(False, False, True))
    task = Task(job="db_start", params={"db_name": "DB1"})
    found = task.run(cluster)
    assert (found["changed"], found["finished"], found["stages"]) == (True, True, {"submitted": None})
    assert len(task.warnings) == len(calls(cluster, "job_info")) == 1


def test_a_wait_ends_by_its_deadline_and_the_job_goes_on():
    cluster = nodes(job_wait=False, job_info=info("submitted", "scheduled"))
    task = Task(job="db_start", params={"db_name": "DB1"}, wait_timeout=0.3)
    with pytest.raises(TimedOut, match=r"job db_start 11\.5: not finished after 0\.3 s: .*goes on") as caught:
        task.run(cluster)
    told = caught.value.as_result()
    assert (told["job_id"], told["last_state"], told["stage"]) == ("11.5", "scheduled", "scheduled")
    assert (told["changed"], told["finished"], told["failed_object"]) == (True, False, "db_start")
    assert 'job_id: "11.5"' in told["hint"]


def test_a_server_that_hangs_does_not_hold_up_the_deadline():
    free = threading.Event()

    def hang(*_args: Any) -> bool:
        free.wait(10)
        return True

    began = time.monotonic()
    task = Task(job="db_start", params={"db_name": "DB1"}, wait_timeout=0.5, heartbeat=0.1)
    try:
        with pytest.raises(TimedOut):
            task.run(nodes(job_wait=hang))
    finally:
        free.set()
    assert time.monotonic() - began < 5
    assert len([line for line in task.lines if "times out in" in line]) >= 3


def test_a_master_that_is_lost_meanwhile_is_looked_for_again():
    cluster = nodes(job_wait=turns(*[LOST] * 4, True))
    task = Task(job="db_start", params={"db_name": "DB1"})
    assert task.run(cluster)["finished"]
    assert len(calls(cluster, "job_start")) == 1

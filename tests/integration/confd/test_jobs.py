# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""exa_job and exa_job_info through ansible-playbook: any job, its stages, its history, and what goes wrong."""

from __future__ import annotations

import json

from world import cluster, confd, plain, play

JOB = "dbfleet.cluster.exa_job"
INFO = "dbfleet.cluster.exa_job_info"
RUNNING = {"job": "db_state", "params": {"db_name": "DB1"}, "equals": "running"}
START = {"job": "db_start", "params": {"db_name": "DB1"}, "unless": RUNNING}
SECRET = "sh'hush \"%1"
LOOKER = {"name": "looker", "password": "only looks", "groups": ["exausers"]}
AS_LOOKER = {"api_username": "looker", "api_password": "only looks"}
ADMIN = {"name": "admin", "password": "all of it", "groups": ["exaadm"]}


def hosts(simulator, **more):
    return simulator.inventory(exa_provider="confd", **more)


def task(name, module=JOB, **args):
    how = {key: args.pop(key) for key in ("ignore_errors", "register", "check_mode", "vars", "diff") if key in args}
    return {"name": name, module: args, **how}


def test_a_job_by_its_name(simulate, ansible):
    """Preview, change, no change; a reading job under --check; names, help and history."""
    simulator = simulate(confd(databases={"DB1": {"state": "setup"}}))
    reading = {key: RUNNING[key] for key in ("job", "params")}

    run = ansible.run([task("start", **START), task("read", **reading)], hosts(simulator), "--check", "--diff").ok()
    assert simulator.changes() == []
    assert (run.one("start")["changed"], run.one("read")["output"]) == (True, "setup")
    assert run.one("start")["diff"] == {"before": {"db_start": "not run"}, "after": {"db_start": "finished"}}
    assert run.lines(r"job db_start: would be run")

    again = [task("start", **START), task("again", **START), task("read", **reading)]
    run = ansible.run(again, hosts(simulator), "--diff").ok()
    assert [run.one(name)["changed"] for name in ("start", "again", "read")] == [True, False, False]
    assert (run.one("again")["needed"], run.one("read")["output"]) == (False, "running")
    assert simulator.changes() == ["db_start DB1"]
    started = run.one("start")
    assert (started["finished"], started["stage"], started["result"]["name"]) == (True, "finished", "OK")
    assert run.lines(rf"\[exa-confd\] job db_start {started['job_id']}: submitted")

    told = [task("told", INFO, jobs=["db_backup_*", "db_start"], job_id=started["job_id"]), task("list", INFO)]
    run = ansible.run(told, hosts(simulator), "--check").ok()
    found = run.one("told")
    assert set(run.one("list")["names"]) > {"db_start", "node_list"}
    assert found["names"] == run.one("list")["names"]
    assert set(found["jobs"]) == {"db_start"} | {name for name in found["names"] if name.startswith("db_backup_")}
    assert found["jobs"]["db_start"]["parameters"]["db_name"]["mandatory"]
    assert (found["history"]["job"], found["history"]["stage"]) == ("db_start", "finished")
    assert list(found["history"]["stages"]) == ["submitted", "scheduled", "executed", "finished"]
    assert found["history"]["commands"]
    assert run.changed() == 0


def test_submitted_now_and_awaited_later(simulate, ansible):
    slow = {"timing": {"database_start": 600.0}}
    simulator = simulate(confd(databases={"DB1": {"state": "setup"}}, **slow))
    tasks = [
        task("begin", job="db_start", params={"db_name": "DB1"}, wait=False, register="begun"),
        task("look", job_id="{{ begun.job_id }}", wait=False),
        task("end", job_id="{{ begun.job_id }}", heartbeat=0.5),
        task("over", job_id="{{ begun.job_id }}"),
    ]
    started = ansible.start(tasks, hosts(simulator))
    started.wait_line(r"job db_start \S+: 00:\d\d  executed, times out in \S+")
    simulator.clock("seconds:0.001")  # not before it is waited for, however slow the machine is
    run = started.finish().ok()
    assert [run.one(name)["changed"] for name in ("begin", "look", "end", "over")] == [True, False, False, False]
    assert [run.one(name)["finished"] for name in ("begin", "look", "end", "over")] == [False, False, True, True]
    assert (run.one("end")["joined"], run.one("over")["joined"]) == (True, False)
    assert simulator.changes() == ["db_start DB1"]
    preview = ansible.run(tasks, hosts(simulator), "--check").ok()
    assert preview.one("begin")["job_id"] == ""
    assert preview.one("end")["needed"] is False
    assert simulator.changes() == ["db_start DB1"]


def test_the_stages_are_shown_while_it_runs(simulate, ansible):
    """A job that changes EXAConf ends committed; each line comes when its stage does, not at the end."""
    simulator = simulate(confd(timing={"job_schedule": 1.5, "job_execute": 1.5, "job_commit": 2.5}))
    wanted = {"job": "user_create", "params": {"username": "dba"}, "secret_params": {"password": SECRET}}
    started = ansible.start([task("create", **wanted)], hosts(simulator))
    when = [
        started.wait_line(rf"job user_create \S+: .*{stage}")[0] for stage in ("submitted", "scheduled", "finished")
    ]
    run = started.finish().ok()
    assert when[0] < when[1] < when[2]
    assert run.one("create")["stage"] == "committed"
    assert list(run.one("create")["stages"]) == ["submitted", "scheduled", "executed", "finished", "committed"]


def test_at_once(simulate, ansible):
    simulator = simulate(confd(databases={"DB1": {"state": "setup"}}))
    run = ansible.run([task("start", **START, mode="exec"), task("again", **START, mode="exec")], hosts(simulator)).ok()
    assert [run.one(name)["changed"] for name in ("start", "again")] == [True, False]
    assert [row["method"] for row in simulator.calls(changing=True)] == ["job_exec"]


def test_methods(simulate, ansible):
    simulator = simulate(confd())
    tasks = [
        task("help", method="system.methodHelp", args=["job_start"]),
        task("login", method="user_login", args=["dba"], secret_args=["{{ secret }}"]),
        task("odd", method="user_logn", ignore_errors=True),
    ]
    run = ansible.run(tasks, hosts(simulator), "-vvv", variables={"secret": SECRET}).ok()
    assert "job name to be run" in run.one("help")["output"]
    assert (run.one("help")["changed"], run.one("login")["changed"], run.one("login")["output"]) == (False, True, True)
    assert "did you mean user_login?" in run.one("odd")["msg"]
    silent(run)
    simulator.forget()
    ansible.run(tasks[:2], hosts(simulator), "--check", variables={"secret": SECRET}).ok()
    assert simulator.calls("user_login") == []


# -- what goes wrong


BAD = {
    "unknown": ({"job": "db_strt"}, "there is no job 'db_strt' (did you mean db_start?)"),
    "missing": ({"job": "db_start"}, "job db_start needs db_name"),
    "misspelt": ({"job": "db_start", "params": {"dbname": "DB1"}}, "no parameter 'dbname' (did you mean db_name?)"),
    "type": ({"job": "db_start", "params": {"db_name": "DB1", "timeout": "x"}}, "timeout of job db_start must be int"),
    "number": ({"job_id": 12.1}, "put it in quotes"),
    "id": ({"job_id": "99.9"}, "99.9 could not be found"),
    "condition": ({**START, "unless": {"job": "db_stop"}}, "db_stop changes something"),
    "starter": ({"method": "job_exec"}, "name the job in job"),
}


def test_bad_input_is_said_before_anything_is_sent(simulate, ansible):
    simulator = simulate(confd(databases={"DB1": {"state": "setup"}}))
    tasks = [task(name, **args, ignore_errors=True) for name, (args, _said) in BAD.items()]
    tasks.append(task("names", INFO, jobs=["db_strt", "db_lst"], ignore_errors=True))
    for arguments in ((), ("--check",)):
        run = ansible.run(tasks, hosts(simulator), *arguments).ok()
        run.said_well()
        for name, (_args, said) in BAD.items():
            result = run.one(name)
            assert run.went(name, "exa-confd") == "failed"
            assert said in result["msg"], name
            assert not result["changed"], name
            assert result["msg"].startswith("exa-confd: "), name
        assert "db_start?" in run.one("names")["msg"]
        assert "db_list?" in run.one("names")["msg"]
    assert simulator.changes() == []
    assert simulator.calls("job_start", "job_exec") == []


def test_a_job_that_fails(simulate, ansible):
    """By the server's refusal, by a missing right, and by its work; each with its result, none with a value."""
    simulator = simulate(
        confd(databases={"DB1": {"state": "running"}, "DB2": {"state": "setup"}}, users=[ADMIN, LOOKER])
    )
    simulator.fault("fails_to_start", object="DB2", text="no license")
    tasks = [
        task("nobody", job="db_stop", params={"db_name": "DB9"}, ignore_errors=True),
        task("nobody at once", job="db_stop", params={"db_name": "DB9"}, mode="exec", ignore_errors=True),
        task("right", job="db_stop", params={"db_name": "DB1"}, ignore_errors=True, **AS_LOOKER),
        task("work", job="db_start", params={"db_name": "DB2"}, ignore_errors=True),
    ]  # fmt: skip
    run = ansible.run(tasks, hosts(simulator)).ok()
    run.said_well()
    for name in ("nobody", "nobody at once"):
        result = run.one(name)
        assert (result["failure"], result["result"]["name"]) == ("no_such_object", "ENOENT")
        assert "DB9 could not be found" in result["msg"]
        assert result["job_id"]
    right = run.one("right")
    assert (right["failure"], right["changed"]) == ("denied", False)
    assert "may not do this" in right["msg"]
    assert simulator.phases()["DB1"] == "running"
    work = run.one("work")
    assert (work["changed"], work["job"], work["finished"]) == (True, "db_start", True)
    assert "no license" in work["msg"]


def test_a_stop_that_was_accepted_and_failed_says_why(simulate, ansible):
    """An operation began before the job's turn came: the job is refused then, and nothing else tells of it."""
    late = confd(databases={"DB1": {"state": "running"}}, timing={"job_schedule": 0.7})
    simulator = simulate(late, broken=["database-stopped-during-operation"])  # by nobody who could have seen it
    stop = {"databases": ["DB1"], "state": "stopped"}
    run = ansible.start([{"name": "stop", "dbfleet.cluster.exa_database": stop}], hosts(simulator))
    run.wait_for("db_stop is accepted", lambda: simulator.changes() == ["db_stop DB1"])
    simulator.admin("/operation", {"database": "DB1", "operation": "Backup", "seconds": 1.5})
    message = run.finish().failed().one("stop")["msg"]
    assert "DB1: db_stop was accepted, but DB1 is running, accepts connections again; the server says: " in message
    assert "Database DB1 can't be stopped during operation Backup" in message


def test_a_deadline_carries_the_job_and_its_stage(simulate, ansible):
    simulator = simulate(confd(databases={"DB1": {"state": "setup"}}))
    fault = simulator.fault("job_stays", object="db_start", state="scheduled")
    failing = task(
        "late", job="db_start", params={"db_name": "DB1"}, wait_timeout=1.5, ignore_errors=True, register="late"
    )
    run = ansible.run([failing], hosts(simulator)).ok()
    late = run.one("late")
    assert (late["failure"], late["last_state"], late["failed_object"]) == ("timed_out", "scheduled", "db_start")
    assert "it is scheduled, and goes on" in late["msg"]
    assert late["job_id"] in late["hint"]
    simulator.admin(f"/faults?id={fault}", method="DELETE")
    run = ansible.run([task("joined", job_id=late["job_id"])], hosts(simulator)).ok()
    assert run.one("joined")["finished"]
    assert simulator.changes() == ["db_start DB1"]


def test_a_master_that_dies_in_the_middle(simulate, ansible):
    """What became of the job is not known, and said so; the next run finds by what is seen that it is needed."""
    simulator = simulate(confd(databases={}))
    fault = simulator.fault("job_stays", object="user_create", state="scheduled")
    create = {"job": "user_create", "params": {"username": "dba"}, "unless": {"job": "user_list", "contains": "dba"}}
    started = ansible.start([task("create", **create)], hosts(simulator))
    started.wait_line("job user_create .*scheduled")
    simulator.power("n11", False)
    run = started.finish()
    assert run.rc != 0
    run.said_well()
    failed = run.one("create")
    assert (failed["failure"], failed["changed"], failed["finished"]) == ("answer_lost", True, False)
    assert "the server may have carried it out" in failed["msg"]
    simulator.admin(f"/faults?id={fault}", method="DELETE")
    run = ansible.run([task("create", **create), task("again", **create)], hosts(simulator)).ok()
    assert [run.one(name)["changed"] for name in ("create", "again")] == [True, False]
    assert simulator.state()["master"] != "n11"


def test_an_answer_that_is_lost(simulate, ansible):
    simulator = simulate(confd(databases={"DB1": {"state": "setup"}}))
    simulator.fault("reset_after", method="job_start", max_count=1)
    first = ansible.run([task("start", **START, ignore_errors=True)], hosts(simulator)).ok()
    assert first.one("start")["failure"] == "answer_lost"
    assert "check on the cluster what it has changed" in first.one("start")["hint"]
    second = ansible.run(
        [task("wait", "ansible.builtin.pause", seconds=1), task("start", **START)], hosts(simulator)
    ).ok()
    assert (second.one("start")["needed"], second.changed()) == (False, 0)
    assert simulator.changes() == ["db_start DB1"]


def test_a_cluster_that_knows_no_jobs(simulate, ansible):
    simulator = simulate(cluster(up=True))
    tasks = [task("job", job="db_list", ignore_errors=True), task("info", INFO, ignore_errors=True)]
    run = ansible.run(tasks, simulator.inventory()).ok()
    run.said_well()
    for name in ("job", "info"):
        assert run.one(name)["failure"] == "unsupported"
        assert "ConfD" in run.one(name)["msg"]
    assert simulator.changes() == []


# -- secrets, and the two ways


def silent(run):
    words = {SECRET, json.dumps(SECRET)[1:-1], repr(SECRET)[1:-1]}
    for text in (run.out, json.dumps(run.rows)):
        assert all(word not in text for word in words)


def test_both_ways_say_the_same_and_no_secret(simulate, ansible):
    """In-process and as an ordinary module over a connection, at the highest verbosity."""
    simulator = simulate(*(confd(name, databases={"DB1": {"state": "setup"}}) for name in ("here", "there")))
    there = hosts(simulator)
    there["there"]["ansible_connection"] = "elsewhere"
    user = {"params": {"username": "dba", "login_enabled": True}, "secret_params": {"password": "{{ secret }}"}}
    only = {"job": "user_list", "contains": "dba"}
    steps = [
        task("preview", job="user_create", **user, unless=only, check_mode=True, diff=True),
        task("create", job="user_create", **user, unless=only),
        task("again", job="user_create", **user, unless=only),
        task("refused", job="user_create", **user, ignore_errors=True),
        task("password", job="user_passwd", params={"username": "dba"}, secret_params={"password": "{{ secret }}"}),
        task("open", job="user_passwd", params={"username": "dba", "password": "{{ secret }}"}),
        task("misspelt", job="user_passwd", secret_params={"passwort": "{{ secret }}"}, ignore_errors=True),
        task("read", job="db_list"),
        task("info", INFO, jobs=["user_*"]),
    ]
    for row in steps:
        module = next(key for key in row if key.startswith("dbfleet."))
        row[module] = {**row[module], "cluster_name": "exa-confd"}
    run = ansible.run([play(steps)], there, "-vvvv", "--diff", variables={"secret": SECRET}).ok()
    silent(run)
    ports = [url.rpartition(":")[2] for name in simulator.names for url in simulator.ready["clusters"][name]["api_url"]]
    for step in steps:
        results = [plain(run.one(step["name"], host), ports) for host in ("here", "there")]
        for result in results:
            result.pop("invocation", None)
            result.pop("stages", None)
        assert results[0] == results[1], step["name"]
    assert [run.one(step["name"], "here")["changed"] for step in steps] == [
        True, True, False, True, True, True, False, False, False,
    ]  # fmt: skip
    assert run.one("create", "here")["stage"] == "committed"
    assert "exists already" in run.one("refused", "here")["msg"]
    assert simulator.changes("there") == ["user_create", "user_create", "user_passwd", "user_passwd"]


def test_a_parameter_whose_name_means_a_secret_is_none_to_be_shown(simulate, ansible):
    """Given among the others, by a user who didn't think of it: it is taken, and shown nowhere, however verbose."""
    simulator = simulate(confd())
    given = {"username": "dba", "password": SECRET}
    run = ansible.run([task("create", job="user_create", params=given)], hosts(simulator), "-vvvv").ok()
    assert run.one("create")["changed"] is True
    assert simulator.changes() == ["user_create"]
    assert "hush" not in run.out  # however JSON would write the rest of it
    assert "hush" not in str(run.rows)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Jobs as such: help, rights, names of 6.2 and of 8, users and groups, faults, polls."""

from __future__ import annotations

import ast
import dataclasses
import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd.catalogue import (
    DIALECTS,
    JOBS,
)
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import parse

from .conftest import UP, Lab

VOLUME = {"name": "new", "type": "data", "size": "1 GiB", "disk": "disk1", "nodes": [11], "redundancy": 1}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_job_has_help(lab: Callable[..., Lab], dialect: str) -> None:
    one = lab(settings={"parameter_names": dialect}, deployment="cloud")
    names = one.call("job_list")
    assert names == sorted(name for name, kind in JOBS.items() if dialect in kind.dialects)
    for name in names:
        text = one.call("job_help", name)
        sane, (desc, mandatory, optional, substitutes, users, groups, *rest) = one.call("job_desc", name)
        assert sane is True
        assert (len(rest), rest[-1]) == (6, desc)
        assert f"\nAllowed users:{users}\nAllowed groups:{groups}" in text
        head, _colon, tail = text.partition("\nMandatory parameters:\n")
        assert desc in ast.literal_eval(head.partition(": ")[2])
        assert ast.literal_eval(tail.partition("\nOptional parameters:\n")[0]) == mandatory
        for param in (*mandatory.values(), *optional.values()):
            assert param["desc"]
            assert "class" in param["type"]
        assert not set(mandatory) & set(optional)
        for key, others in substitutes.items():
            assert {key, *others} <= {*mandatory, *optional}
            assert all(key in substitutes[other] for other in others)
        assert set(users) | set(groups) >= {"root"}
    with pytest.raises(xmlrpc.client.Fault, match="Job db_nope does not exist"):
        one.call("job_help", "db_nope")


def test_names_and_forms_follow_the_version(lab: Callable[..., Lab]) -> None:
    old, new = lab(version="6.2.7"), lab()
    assert (old.ok("node_suspend", node_id=13), new.ok("node_suspend", nid=13)) == (None, None)
    assert (old.ok("node_state")["13"], new.ok("node_state")["13"]) == ("deactivated", "suspended")
    assert "node_id must be of type int" in old.refused("node_resume", node_id=[13])
    started = {"db_name": "DB1", "backup_volume_id": 10001, "level": 0}
    assert "expire_time is missing" in old.refused("db_backup_start", **started)
    assert "unknown parameter nid" in old.refused("node_suspend", nid=13)
    assert "unknown parameter node_id" in new.refused("node_suspend", node_id=13)
    assert "config" not in old.ok("db_info", db_name="DB1")
    mandatory = {dialect: one.call("job_desc", "db_create")[1][1] for dialect, one in (("old", old), ("new", new))}
    assert set(mandatory["old"]) - set(mandatory["new"]) == {"port"}
    assert "master_change" not in old.call("job_list")
    assert old.refused("master_change", nids=[12]) == "Job master_change does not exist"


def test_unknown_parameters_and_types_may_be_let_by(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"unknown_parameter": "ignore", "check_types": False})
    assert one.ok("db_state", db_name="DB1", colour="red") == "running"
    assert "could not be found" in one.refused("db_state", db_name=5)


@pytest.mark.parametrize(
    ("user", "job", "params", "may"),
    [
        ("guest", "db_list", {}, True),
        ("guest", "db_state", {"db_name": "DB1"}, False),
        ("dba", "db_state", {"db_name": "DB1"}, True),
        ("dba", "node_list", {}, False),
        ("dba", "st_volume_list", {}, False),
        ("storer", "st_volume_list", {}, True),
        ("storer", "db_list", {}, False),
        ("admin", "user_list", {}, True),
        ("storer", "st_volume_create", VOLUME, True),
        ("dba", "st_volume_create", VOLUME, False),
    ],
)
def test_rights(lab: Callable[..., Lab], user: str, job: str, params: dict[str, Any], may: bool) -> None:
    one = lab()
    if may:
        one.ok(job, user, **params)
    else:
        result = one.run(job, user, **params)
        told = (result["result_name"], result["result_desc"])
        assert told == ("EPERM", f"User {user} is not allowed to run job {job}")


def test_refusals_may_be_faults(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"rpc_errors": "fault"})
    for arguments, text in (
        (("db_nope",), "does not exist"),
        (("db_state",), "mandatory parameter db_name is missing"),
        (("db_state", {"params": {"db_name": []}}), "must be of type str"),
    ):
        with pytest.raises(xmlrpc.client.Fault, match=text):
            one.call("job_start", *arguments)
    with pytest.raises(xmlrpc.client.Fault, match="is not allowed"):
        one.call("job_start", "node_list", user="dba")
    assert "could not be found" in one.refused("db_state", db_name="DB9")


def test_users_and_groups(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.ok("group_create", group_name="night")
    new = {"username": "eve", "password": "first-word", "groups": ["night", "exadbadm"]}
    assert one.ok("user_create", **new) == 1004
    assert one.call("job_list", user="eve", password="first-word")
    assert one.ok("group_info", group_name="night")["members"] == ["eve"]
    one.ok("user_passwd", username="eve", password="second-word")
    assert one.post(b"<methodCall/>", user="eve", password="first-word").status == 400
    body = xmlrpc.client.dumps((), "job_list").encode()
    assert one.post(body, user="eve", password="first-word").status == 401
    assert one.post(body, user="eve", password="second-word").status == 200
    assert "second-word" not in str(one.cluster.record.calls())
    one.ok("user_modify", username="eve", add_groups=["exaadm"], delete_groups=["night"])
    assert one.ok("user_info", username="eve")["groups"] == ["exadbadm", "exaadm"]
    assert one.refused("user_create", **new) == "User eve exists already"
    one.ok("user_delete", username="eve")
    assert one.refused("user_info", username="eve") == "User eve could not be found"
    assert one.refused("user_modify", username="dba", add_groups=["no"]) == "Group no could not be found"
    one.ok("group_delete", group_name="night")
    assert "night" not in one.ok("group_list")


def test_somebody_may_always_change_users(lab: Callable[..., Lab]) -> None:
    one = lab()
    for group in ("root", "exaadm", "exausers"):
        assert one.refused("group_delete", group_name=group) == f"Group {group} can not be deleted"
    last = "User admin is the last one who may change users"
    assert one.refused("user_delete", username="admin") == last
    assert one.refused("user_modify", username="admin", delete_groups=["exaadm"]) == last
    assert one.refused("user_modify", username="admin", login_enabled=False) == last
    assert one.ok("user_info", username="admin")["groups"] == ["exaadm"]
    one.ok("user_modify", username="dba", add_groups=["exaadm"])
    one.call("job_start", "user_delete", {"params": {"username": "admin"}})
    one.pass_time(1)
    assert sorted(one.cluster.users.all) == ["dba", "guest", "storer"]


def test_secrets_stay_where_they_are_needed(lab: Callable[..., Lab]) -> None:
    one = lab()
    secrets = ("S3cretUrl", "t0ken", "w0rd", "m@re")
    volume = {"vol_type": "ftp", "remote_volume_name": "R2", "password": "w0rd"}
    changes = {"Global": {"AuthenticationToken": "t0ken"}}
    jobs = [
        one.call("job_start", "remote_volume_add", {"params": {**volume, "url": "ftp://u:S3cretUrl@h/x"}}),
        one.call("job_start", "general_settings", {"params": {"changes": changes}}),
        one.call("job_start", "db_state", {"params": {"db_name": "sftp://u:m@re@host"}}),  # refused, with its name
    ]
    one.pass_time(1)
    assert one.ok("remote_volume_info", remote_volume_name="R2")["url"] == "ftp://u:S3cretUrl@h/x"
    assert one.ok("settings_list")["Global"]["AuthenticationToken"] == "t0ken"
    jobs.append(one.call("job_start", "remote_volume_list_details"))
    one.pass_time(1)
    seen = str([[one.call("job_info", job) for job in jobs], one.cluster.record.calls(), one.cluster.state()])
    assert [secret for secret in secrets if secret in seen] == []
    assert seen.count("ftp://********@h/x") >= 4


def test_settings_have_revisions(lab: Callable[..., Lab]) -> None:
    one = lab(revision=17, timing={"job_commit": 10})
    job = one.call("job_start", "general_settings", {"params": {"changes": {"Global": {"XMLRPCPort": 20003}}}})
    one.pass_time(1)
    info = one.call("job_info", job)
    assert (info["stage"], info["revision"], one.cluster.revision) == ("finished", 18, 17)
    one.pass_time(10)
    assert one.call("job_info", job)["stage"] == "committed"
    assert one.call("job_result", job)["result_revision"] == one.cluster.revision == 18
    assert one.refused("user_create", username="admin") == "User admin exists already"
    job = one.call("job_start", "group_create", {"params": {"group_name": "night"}})
    one.pass_time(20)
    assert one.call("job_result", job)["result_revision"] == 19  # what is refused uses none up
    assert one.ok("settings_list")["Global"]["XMLRPCPort"] == 20003
    assert "Local" in one.refused("general_settings", changes={"Local": {}})
    assert one.ok("license_info")


def test_a_job_that_the_simulator_cannot_carry_out_ends(
    lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = lab()

    def broken(call: Any) -> None:
        raise KeyError("in its function")

    monkeypatch.setitem(JOBS, "db_list", dataclasses.replace(JOBS["db_list"], function=broken))
    job = one.call("job_start", "db_list")
    one.pass_time(1)
    result = one.call("job_result", job)
    assert (result["result_code"], result["result_name"], result["result_desc"]) == (1, "ERROR", "internal error")
    assert one.call("job_wait", job) is True
    assert one.call("job_info", job)["stage"] == "finished"
    assert "KeyError: 'in its function'" in capsys.readouterr().err


def test_lists_that_hold_something_else(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert one.refused("settings_list", sections=[["Global"]]) == "Parameter sections can not be ['Global']"
    assert one.refused("node_suspend", nid=[[13]]) == "Node [13] could not be found"


def test_a_job_that_hangs_goes_on_when_it_may(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.fault(kind="job_stays", object="db_list", state="scheduled")
    job = one.call("job_start", "db_list")
    one.pass_time(1000)
    assert one.call("job_info", job)["stage"] == "scheduled"
    one.forgive()
    assert one.call("job_result", job)["result_code"] == 0


def test_polls_are_reads_of_a_job_or_its_object(lab: Callable[..., Lab]) -> None:
    one = lab(clock="polls:3")
    job = one.call("job_start", "db_start", {"params": {"db_name": "DB2"}})
    assert [one.call("job_wait", job) for _time in range(4)] == [False, False, True, True]
    job = one.call("job_start", "db_stop", {"params": {"db_name": "DB2"}})
    states = [one.call("job_exec", "db_state", {"params": {"db_name": "DB2"}})["result_output"] for _time in range(4)]
    assert states == ["shutdown", "shutdown", "shutdown", "setup"]
    assert one.call("job_finished", job) is True


STATE = ("job_exec", "db_state", {"params": {"db_name": "DB1"}})


def body(*arguments: Any) -> bytes:
    method, *rest = arguments
    return xmlrpc.client.dumps(tuple(rest), method).encode()


@pytest.mark.parametrize(
    ("rule", "status", "breakage"),
    [
        ({"kind": "reset"}, 0, "reset"),
        ({"kind": "refuse"}, 0, "reset"),
        ({"kind": "hang"}, 0, "hang"),
        ({"kind": "html"}, 502, ""),
        ({"kind": "unauthorized"}, 401, ""),
        ({"kind": "server_error"}, 500, ""),
        ({"kind": "truncate"}, 200, "short"),
        ({"kind": "truncate", "variant": "xml"}, 200, ""),
        ({"kind": "slow"}, 200, ""),
    ],
)
def test_faults_of_calls(lab: Callable[..., Lab], rule: dict[str, Any], status: int, breakage: str) -> None:
    one = lab(clock="immediate")
    one.fault(method="db_state", object="DB1", max_count=1, **rule)
    assert one.post(body("job_exec", "db_state", {"params": {"db_name": "DB2"}})).status == 200
    answer = one.post(body(*STATE))
    assert (answer.status, answer.breakage) == (status, breakage)
    assert one.cluster.record.calls()[-1]["fault_injected"] == rule["kind"]
    assert one.call(*STATE)["result_output"] == "running"


def test_faults_that_are_answers(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    one.fault(method="job_exec", kind="wrong_state", value="setup", max_count=1)
    one.fault(method="job_exec", kind="fault", text="internal error", max_count=1)
    one.fault(method="job_start", kind="fault", text="queue is full", max_count=1)
    assert one.call(*STATE)["result_output"] == "setup"
    result = one.call(*STATE)
    assert (result["result_code"], result["result_desc"]) == (1, "internal error")
    with pytest.raises(xmlrpc.client.Fault, match="queue is full"):
        one.call("job_start", *STATE[1:])


def test_an_answer_that_is_lost_was_carried_out(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    one.fault(method="db_stop", kind="reset_after", max_count=1)
    answer = one.post(body("job_exec", "db_stop", {"params": {"db_name": "DB1"}}))
    assert answer.breakage == "reset"
    assert one.call(*STATE)["result_output"] == "setup"


def test_faults_of_the_master_s_address(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.fault(method="master", kind="wrong_state", value="10.9.9.9")
    assert one.http("GET", "/master").body == b"10.9.9.9"
    one.fault(method="is_master", object="n12", kind="server_error")
    assert [one.http("GET", "/is_master", node=node).status for node in ("n11", "n12")] == [200, 500]


def test_what_dies(lab: Callable[..., Lab]) -> None:
    one = lab()
    for name in ("DB1", "n13", "storage"):
        with one.cluster.lock:
            one.cluster.dies(parse({"kind": "dies", "object": name}, one.service.on_machines))
    assert one.cluster.databases["DB1"].state == "setup"
    assert one.ok("node_state")["13"] == "offline"
    assert one.run("st_volume_list")["result_name"] == "STE_MINORITY"
    assert one.rules() == []


def test_calls_are_recorded(lab: Callable[..., Lab]) -> None:
    one = lab(clock="immediate")
    one.call(*STATE)
    one.call("job_exec", "db_stop", {"params": {"db_name": "DB1"}})
    one.post(body(*STATE), node="n12")
    rows = one.cluster.record.calls()
    assert [(row["method"], row["job"], row["node"], row["changing"]) for row in rows] == [
        ("job_exec", "db_state", "n11", False),
        ("job_exec", "db_stop", "n11", True),
        ("job_exec", "db_state", "n12", False),
    ]
    assert rows[2]["fault"].startswith("302 ")


def test_the_state_is_a_topology(lab: Callable[..., Lab]) -> None:
    row = {"bid": 11, "volume": "RemoteVolume1", "timestamp": "2020-07-07 14:05"}
    schedules = {"DB1": {"weekly": {"volume": "RemoteVolume1", "level": 0}}}
    one = lab(backups={"DB1": [row]}, schedules=schedules)
    one.ok("node_suspend", nid=13)
    state = one.cluster.state()
    again = Lab({**state, "users": UP["users"]}, "seconds:1")
    told = again.cluster.state()
    for part in ("nodes", "databases", "volumes", "remote_volumes", "backups", "schedules", "master", "settings"):
        assert told[part] == state[part], part

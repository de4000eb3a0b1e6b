# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""exa_job_info's work: names, help, histories without secrets; and what both modules do on the simulator."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Garbled, NoSuchObject
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.jobs import info
from ansible_collections.dbfleet.cluster.plugins.module_utils._secrets import MASK
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.simulated import Simulated
from ansible_collections.dbfleet.cluster.tests.unit.exasol.jobs.fake_task import Task

NAMES = ["db_backup_list", "db_backup_start", "db_list", "db_start"]


def quiet() -> Any:
    warnings: list[str] = []
    return SimpleNamespace(warn=warnings.append, warnings=warnings)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([], []),
        (["db_start", "db_list"], ["db_list", "db_start"]),
        (["db_backup_*", "db_backup_list"], ["db_backup_list", "db_backup_start"]),
        (["*"], NAMES),
        (["nothing_*"], []),
    ],
)
def test_chosen(wanted, found):
    assert info.chosen("exa-unit", NAMES, wanted) == found


def test_all_unknown_names_at_once():
    with pytest.raises(NoSuchObject, match=r"no job db_strt \(did you mean db_start\?\), db_lst \(did you mean"):
        info.chosen("exa-unit", NAMES, ["db_strt", "db_list", "db_lst"])


@pytest.mark.parametrize("names", ["6.2", "8"])
def test_help_of_every_job(names):
    jobs = Simulated(parameter_names=names).jobs()
    known = jobs.names()
    task = quiet()
    told = info.described(task, jobs, known, ["*"])
    assert (list(told), task.warnings) == (known, [])
    assert told["db_start"]["parameters"]["db_name"]["mandatory"]
    assert (told["db_start"]["changing"], told["db_list"]["changing"]) == (True, False)
    json.dumps(told)


def test_help_that_cannot_be_read():
    jobs = Nodes(job_desc=[False], job_help="???", job_list=["db_odd"]).jobs()
    task = quiet()
    assert info.described(task, jobs, ["db_odd"], ["*"]) == {}
    assert "db_odd" in task.warnings[0]
    with pytest.raises(Garbled):
        info.described(task, jobs, ["db_odd"], ["db_odd"])


def test_a_pattern_that_fits_no_job_is_said():
    task = quiet()
    assert info.described(task, Nodes().jobs(), NAMES, ["db_bakup_*"]) == {}
    assert task.warnings == ["exa-unit: no job has a name like db_bakup_*"]


def test_a_history_without_what_is_secret():
    row = {
        "job_id": "11.5", "job_name": "user_passwd", "stage": "committed",
        "params": {"username": "dba", "password": "pw", "api_token": "", "nested": [{"Secret": "pw"}]},
        "request": {"headers": {"Authorization": "Basic eHg6eXk="}},
    }  # fmt: skip
    told = info.history(Nodes(job_info=row).jobs(), "11.5")
    assert told["stage"] == "committed"
    assert told["details"]["params"] == {
        "username": "dba", "password": MASK, "api_token": "", "nested": [{"Secret": MASK}],
    }  # fmt: skip
    assert told["details"]["request"] == {"headers": {"Authorization": MASK}}


PEM = "-----BEGIN PRIVATE KEY-----\nTHEIRS+THEIRS/\nTHEIRS==\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "row",
    [
        {"params": {"cert": "-", "key": "THEIRS"}},
        {"params": {"tls_key": "THEIRS", "private key": "THEIRS", "ssh-key": ["THEIRS"]}},
        {"params": {"file": PEM}},
        {"params": {"file": PEM[:45]}},
        {"text": f"key: {PEM}"},
        {"url": "ftp://bob:THEIRS@h/x"},
        {"url": "ftp://bob:THE@IRS@h/x"},
        {"urls": ["s3://id:THEIRS@bucket"]},
        {"headers": [["Authorization", "Basic THEIRS=="], ["Cookie", "sid=THEIRS"]]},
        {"headers": "Host: n11\r\nAuthorization: Basic THEIRS==\r\nX: 1"},
        {"header": "Bearer THEIRS.x.y"},
        {"kwargs": "{'params': {'password': 'THEIRS'}}"},
        {"kwargs": "{'params': {'password': 'it\\'s THEIRS'}}"},
        {"kwargs": '{"params": {"new_password": "say \\"THEIRS"}}'},
        {"kwargs": '"{\\"password\\": \\"THEIRS\\"}"'},
        {"kwargs": "params {password: THEIRS, x: 1}"},
        {"kwargs": "cert_update(key='THEIRS')"},
        {"commands": {"cmd0": "exaconf passwd-user -p THEIRS"}},
        {"commands": ["x --password THEIRS", "x --password='THEIRS x'", "PASSWORD=THEIRS x"]},
        {"list": [{"name": "password", "value": "THEIRS"}, {"key": "api_token", "value": ["THEIRS"]}]},
        {"body": "<member><name>password</name><value><string>THEIRS</string></value></member>"},
        {"body": "<member>\n<name>key</name>\n<value>THEIRS</value>"},
        {"request": "POST /rpc2 HTTP/1.1\r\nHost: h\r\n\r\nTHEIRS"},
        {"what": "POST /rpc2\nTHEIRS"},
        {"nested": [[{"deep": ("x", {"passphrase": "THEIRS"})[1]}]]},
    ],
)
def test_what_is_somebody_elses_is_not_shown(row):
    told = info.history(Nodes(job_info={"job_id": "11.5", **row}).jobs(), "11.5")
    assert "THEIRS" not in json.dumps(told)
    assert MASK in json.dumps(told) or "POST /rpc2" in json.dumps(told)


@pytest.mark.parametrize(
    "row",
    [
        {"params": {"db_name": "DB1", "public_key": "ssh-rsa AAAA", "monkey": "x", "nid": [11]}, "user_name": "root"},
        {"commands": [{"command": "db_start DB1", "result": 0}], "text": "basic work; bearer: none"},
        {
            "list": [{"name": "db_name", "value": "DB1"}],
            "url": "https://h:443/x?y=z@w",
            "at": "2026-05-19 09:04:06.120",
        },
        {"pairs": [["db_name", "DB1"], ["a", "b"]], "text": "the keyboard: x, keys"},
    ],
)
def test_what_is_no_secret_stays(row):
    assert info.masked(row) == row


def test_a_request_is_its_first_line():
    assert info.masked("POST /rpc2 HTTP/1.1\r\nHost: h\r\n\r\n<x/>") == "POST /rpc2 HTTP/1.1"


def test_a_history_as_the_method_tells_it_is_masked_too():
    row = {"job_id": "11.5", "params": {"password": "THEIRS", "db_name": "DB1"}}
    task = Task(method="job_info", args=[{"job_id": "11.5"}])
    found = task.run(Nodes(**{"job_info": row, "system.listMethods": ["job_info"]}))
    assert found["output"]["params"] == {"password": MASK, "db_name": "DB1"}


def test_an_odd_history_is_not_shown():
    with pytest.raises(Garbled) as caught:
        info.history(Nodes(job_info="password=THEIRS").jobs(), "11.5")
    assert "THEIRS" not in caught.value.message


# -- the simulator


def run(simulated: Simulated, check_mode: bool = False, **given: Any) -> tuple[dict[str, Any], Task]:
    task = Task(check_mode, **given)
    assert not task.errors
    from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.jobs import run as job_run

    return job_run.JobRun(task, simulated.jobs()).result(), task


@pytest.mark.parametrize("mode", ["exec", "async"])
@pytest.mark.parametrize("names", ["6.2", "8"])
def test_a_database_is_started_once(names, mode):
    simulated = Simulated(parameter_names=names)
    wanted = {"job": "db_state", "params": {"db_name": "DB1"}, "equals": "running"}
    given = {"job": "db_start", "params": {"db_name": "DB1"}, "unless": wanted, "mode": mode}
    preview, _task = run(simulated, True, **given)
    assert (preview["changed"], simulated.jobs().read("db_state", {"db_name": "DB1"})) == (True, "setup")
    first, task = run(simulated, **given)
    assert (first["changed"], first["finished"], task.warnings) == (True, True, [])
    second, _task = run(simulated, **given)
    assert (second["changed"], second["needed"]) == (False, False)
    told = info.history(simulated.jobs(), first["job_id"])
    assert (told["job"], told["stage"]) == ("db_start", "finished")
    joined, _task = run(simulated, job_id=first["job_id"])
    assert (joined["changed"], joined["job"], joined["stage"]) == (False, "db_start", "finished")


def test_a_job_that_changes_the_configuration_ends_committed():
    simulated = Simulated()
    given = {
        "job": "user_create",
        "params": {"username": "dba", "login_enabled": "yes"},
        "secret_params": {"password": "pw"},
        "unless": {"job": "user_list", "contains": "dba"},
    }
    first, task = run(simulated, **given)
    assert (first["changed"], first["stage"], list(first["stages"])[-1]) == (True, "committed", "committed")
    assert first["result"]["revision"] == 2
    assert task.warnings == []
    assert run(simulated, **given)[0]["changed"] is False

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules on a simulated cluster, each of whose answers is bad in turn.

Whatever comes back instead of an answer: the task is ok and its work is done, or it fails in a sentence, says whether
it has changed anything, and the same task finishes the work once the answers are good again.

A scenario: whole modules, each of whose answers is bad in turn.
"""

from __future__ import annotations

import copy
import json
import re
import threading
import xmlrpc.client
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Optional
from urllib.parse import urlsplit

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import pace, stage_run
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import client
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import outcome
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd.catalogue import JOBS
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import LOGIN_PAGE, failed
from ansible_collections.dbfleet.cluster.tests.unit.exasol.simulated import SimulatedCluster, parts
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import HUNG, LOST, REFUSED, UNTRUSTED, response

MODULES = "ansible_collections.dbfleet.cluster.plugins.modules"
PASSWORD, KEY, HASH = "pass&word/1+", "bucket's secret=", "sha512:0a1b2c3d4e5f60718293a4b5c6d7e8f9"
NODES = ("n11", "n12", "n13", "n14")

Answer = tuple[int, bytes, dict[str, str]]
Fault = Callable[[Callable[[], Answer], bytes, str], Any]


def topology(state: str = "setup", **more: Any) -> dict[str, Any]:
    database = {"state": state, "nodes": ["n11", "n12"], "data_volume_name": "Vol1", "mem_size": "2 GiB"}
    remote = {"vol_type": "s3", "url": "https://b.s3.amazonaws.com", "vid": 10001, "password": KEY}
    return {
        "product": "exasol", "provider": "confd", "name": "exa-unit", "nodes": {name: {} for name in NODES},
        "users": [{"name": "admin", "password": PASSWORD}], "master": "n12", "databases": {"DB1": database},
        "volumes": {"Vol1": {"nodes": ["n11", "n12"]}, "Vol2": {"nodes": ["n11", "n12"]}},
        "remote_volumes": {"Remote1": remote}, "infra": True, "settings": {"master_answer": "{name}"}, **more,
    }  # fmt: skip


UP, DOWN = topology("running"), topology()
AWAY = topology(nodes={**{name: {} for name in NODES}, "n14": {"state": "offline"}})
NEW = {
    "version": "8.29.1", "data_volume_name": "Vol2", "mem_size": "2 GiB", "nodes": ["n11", "n12"],
    "num_active_nodes": 2, "default_sys_passwd_hash": HASH,
}  # fmt: skip
BUCKET = {"vol_type": "s3", "url": "https://c.s3.amazonaws.com", "username": "u", "password": KEY}
DAILY = {"name": "daily", "volume": "Remote1", "level": 0, "expire": "1w", "minute": "0", "hour": "1"}
RUNNING = {"job": "db_state", "params": {"db_name": "DB1"}, "equals": "running"}

TASKS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "start": ("exa_database", DOWN, {"databases": ["DB1"]}),
    "stop": ("exa_database", UP, {"databases": ["DB1"], "state": "stopped"}),
    "create": ("exa_database", DOWN, {"databases": ["DB2"], "state": "present", "config": NEW}),
    "delete": ("exa_database", DOWN, {"databases": ["DB1"], "state": "absent", "confirm": ["DB1"]}),
    "power on": ("exa_node", AWAY, {"nodes": ["n14"], "use_infra": True}),
    "power off": ("exa_node", DOWN, {"nodes": ["n14"], "use_infra": True, "state": "offline"}),
    "remove": ("exa_node", AWAY, {"nodes": ["n14"], "state": "absent", "confirm": ["n14"]}),
    "volume": ("exa_volume", UP, {"name": ["Vol2"], "size": "20 GiB", "labels": ["new"], "nodes": ["n11", "n13"]}),
    "remote": ("exa_remote_volume", UP, {"name": "Remote2", **BUCKET}),
    "backup": ("exa_backup", UP, {"databases": ["DB1"], "volume": "Remote1", "once": True, "expire": "1w"}),
    "schedule": ("exa_backup_schedule", UP, {"db_name": "DB1", "schedules": [DAILY]}),
    "job": ("exa_job", DOWN, {"job": "db_start", "params": {"db_name": "DB1"}, "unless": RUNNING}),
    "info": ("exa_cluster_info", UP, {"gather": ["all"]}),
}


def xml(value: Any) -> bytes:
    return xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True).encode()


def before(status: int, body: bytes = b"", **headers: str) -> Fault:
    """Instead of the call."""
    return lambda _answer, _body, _host: (status, body, headers)


def after(change: Callable[[Any], Any]) -> Fault:
    """The call is carried out, and its answer is another."""

    def fault(answer: Callable[[], Answer], _body: bytes, _host: str) -> Any:
        status, body, headers = answer()
        try:
            return status, xml(change(xmlrpc.client.loads(body)[0][0])), headers
        except Exception:  # none that can be changed so
            return status, b"", headers

    return fault


def raised(error: Exception, done: bool = False) -> Fault:
    return lambda answer, _body, _host: answer() and error if done else error


def output(value: Any) -> Fault:
    return after(lambda said: {**said, "result_output": value} if isinstance(said, dict) else value)


def echo(_answer: Any, body: bytes, _host: str) -> Answer:
    return 200, xml(failed(f"can't read {body.decode()} of admin:{PASSWORD}")), {}


def cut_off(answer: Callable[[], Answer], _body: bytes, _host: str) -> Answer:
    status, body, headers = answer()
    return status, body[: len(body) // 2], headers


FAULTS: dict[str, Fault] = {
    "login page": before(*LOGIN_PAGE), "401": before(401), "403": before(403), "404": before(404), "500": before(500),
    "502": before(502, b"<html>"), "503": before(503), "loop": lambda _a, _b, host: (302, b"", {"Location": f"https://{host}/"}),
    "foreign": before(302, Location="https://foreign.example.com/"), "nowhere": before(302), "refused": raised(REFUSED),
    "reset": raised(LOST), "reset after": raised(LOST, True), "hung": raised(HUNG), "hung after": raised(HUNG, True),
    "untrusted": raised(UNTRUSTED), "cut off": cut_off, "empty": after(lambda _said: 1 / 0), "echo": echo,
    "no": before(200, xml(failed("internal error"))), "no right": before(200, xml(failed("permission denied"))),
    "no quorum": before(200, xml(failed("quorum lost"))), "no such": before(200, xml(failed("DB1 not found"))),
    "unfinished": before(200, xml(failed("Job 12.1 is not finished yet"))),
    "huge": before(200, xml(7).replace(b"7", b"7" * 99)),
    "fault": before(200, xmlrpc.client.dumps(xmlrpc.client.Fault(1, "a\nb"), methodresponse=True).encode()),
    **{f"all {value!r}": after(lambda _said, value=value: value) for value in (None, 0, True, "x", [], {}, [{}])},
    **{
        f"output {value!r}": output(value)
        for value in (None, -1, True, "", [], {}, [None], [{}], {"11": None}, {"a": "b"}, {"0": {}})
    },
    **{
        f"code {value!r}": after(lambda said, value=value: {**said, "result_code": value})
        for value in (None, "0", -1, 0.5, [0])
    },
}  # fmt: skip

ONCE = ("job", "info")
"""Where there is no work to finish: a job by its name isn't joined, and a report is whole or none."""

HARMLESS = ("output []",)
"""An empty list may be the truth, of which a task then makes what it should."""


class Cluster(SimulatedCluster):
    """A simulated cluster with a bad answer to one call."""

    def __init__(self, described: dict[str, Any]) -> None:
        super().__init__(copy.deepcopy(described), "polls:1")
        self.calls = 0
        self.bad: Optional[tuple[int, Fault]] = None
        self.changes: list[str] = []

    def send(self, request: Any, **_how: Any) -> Any:
        url, body = urlsplit(request.url), request.body or b""
        assert "foreign" not in url.netloc

        def answer() -> Answer:
            found = self.answer(request)
            args, method = xmlrpc.client.loads(body) if body else ((), "")
            if method in ("job_exec", "job_start") and JOBS[args[0]].changing and found.status == 200:
                self.changes.append(args[0])
            return parts(found)

        self.calls += 1
        bad = self.bad and self.bad[0] == self.calls
        found = self.bad[1](answer, body, url.hostname or "") if bad and self.bad else answer()
        if isinstance(found, Exception):
            raise found
        return response(*found)


def end_calls(before: set[threading.Thread]) -> None:
    """Waits until no thread of the ended run is left: its call could change the cluster while the next run goes on."""
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
        assert not thread.is_alive(), f"{thread.name} goes on after its run"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, new_task: Any) -> Callable[..., Any]:
    """Runs a module on a cluster, as the action plugin does, without pauses."""
    monkeypatch.setattr(pace, "FIRST_INTERVAL", 0.002)
    monkeypatch.setattr(stage_run, "SETTLE", 0.03)

    def go(name: str, cluster: Cluster, options: dict[str, Any], check: bool = False, timeout: float = 30.0) -> Any:
        monkeypatch.setattr(client, "Transport", lambda *_given: cluster)
        module = import_module(f"{MODULES}.{name}")
        given: dict[str, Any] = {
            "api_url": ["n11", "n12"], "api_username": "admin", "api_password": PASSWORD, "provider": "confd",
            "cluster_name": "exa-unit", **options,
        }  # fmt: skip
        if "wait_timeout" in module.SPEC["argument_spec"]:
            given.update(wait_timeout=timeout, heartbeat=0)
        found = ArgumentSpecValidator(module.SPEC["argument_spec"]).validate(given)
        assert not found.error_messages
        before = set(threading.enumerate())
        result = outcome(module.SPEC, module.run, new_task(check, **found.validated_parameters))
        end_calls(before)
        told = json.dumps(result)
        assert "unexpected error" not in told
        assert not any(secret in told for secret in (PASSWORD, KEY, HASH))
        if result.get("failed"):
            assert re.fullmatch(r"exa-unit: [^\n]{15,1500}", result["msg"])
        return result

    return go


def bad_answers(calls: int, each: int) -> Iterator[tuple[int, str]]:
    """Some bad answers to every call, others to each, so that all have had their turn soon."""
    names = list(FAULTS)
    for call in range(1, calls + 1):
        for number in range(each):
            yield call, names[(call * 11 + number * 17) % len(names)]


@pytest.mark.parametrize("task", TASKS)
def test_a_bad_answer_is_said_and_the_next_run_finishes_the_work(run, task):
    name, described, options = TASKS[task]
    good = Cluster(described)
    assert not run(name, good, options).get("failed")
    for call, fault in bad_answers(good.calls, 2):
        where = f"{task}: {fault} to call {call}"
        cluster = Cluster(described)
        cluster.bad = (call, FAULTS[fault])
        result = run(name, cluster, options, timeout=0.2)
        if result.get("failed"):
            assert result["changed"] or not cluster.changes, where
        elif fault not in HARMLESS:
            assert Counter(cluster.changes) == Counter(good.changes), where
        if task in ONCE:
            continue
        cluster.bad = None
        assert not run(name, cluster, options).get("failed"), where
        assert Counter(cluster.changes) == Counter(good.changes), where
        assert not run(name, cluster, options)["changed"], where


@pytest.mark.parametrize("task", TASKS)
def test_a_bad_answer_makes_no_preview_change_anything(run, task):
    name, described, options = TASKS[task]
    good = Cluster(described)
    run(name, good, options, check=True)
    for call, fault in bad_answers(good.calls, 1):
        cluster = Cluster(described)
        cluster.bad = (call, FAULTS[fault])
        run(name, cluster, options, check=True)
        assert cluster.changes == [], f"{task}: {fault} to call {call}"

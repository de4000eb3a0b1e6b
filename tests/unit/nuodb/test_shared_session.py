# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules of a cold start one after another in one session: every call of theirs, and what each looks at afresh."""

from __future__ import annotations

import json
from importlib import import_module
from urllib.parse import urlsplit

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dbfleet.cluster.plugins.module_utils import _options
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import task_stages
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Failed, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Http
from ansible_collections.dbfleet.cluster.plugins.module_utils._session import FRESH, shared_session
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.conftest import MODULES
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import (
    KILLED,
    Adapter,
    archive_row,
    database_row,
    page,
    process_row,
    server_row,
)
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.starts import TWO_TES

READS = ["GET peers", "GET databases", "GET archives", "GET processes"]


class Wire:
    """A domain in memory behind the client's own HTTP layer.

    :ivar asked: the calls since the last time.
    """

    def __init__(self, domain):
        self.domain = domain
        self.asked = []

    def __call__(self, request):
        verb, path = request.method, urlsplit(request.path_url).path.removeprefix("/api/1/")
        self.asked.append(f"{verb} {path}")
        self.domain._pass()
        name = f"_{verb.lower()}_{path.partition('/')[0]}"
        return getattr(self, name)(path.split("/")[1:], json.loads(request.body) if request.body else None)

    def _get_peers(self, *_more):
        rows = self.domain.servers_now.values()
        return page(*(server_row(one.server_id, local=one.local, connected=one.connected) for one in rows))

    def _get_databases(self, *_more):
        rows = self.domain.databases_now.values()
        return page(*(database_row(one.db_name, one.state, *one.incarnation) for one in rows))

    def _get_archives(self, *_more):
        rows = self.domain.archives_now.values()
        return page(*(archive_row(one.archive_id, one.db_name, host=one.server_id, state=one.state) for one in rows))

    def _get_processes(self, parts, _body):
        rows = [self._row(one) for one in self.domain.processes_now.values()]
        stones = [
            {"process": self._row(stone.process), "exitCode": stone.exit_code, "reason": stone.reason}
            for stone in self.domain.stones
        ]
        if parts == ["exited"]:
            return page(*stones)
        if not parts:
            return page(*rows)
        found = [(200, row) for row in rows if row["startId"] == parts[0]]
        gone = [row for row in stones if row["process"]["startId"] == parts[0]]
        return [*found, *((404, {"code": 404, "messages": ["exited"], **row}) for row in gone)][0]

    @staticmethod
    def _row(one):
        more = {"type": one.engine_type, "host": one.server_id, "archiveId": one.archive_id}
        states = {"durableState": one.durable_state, "state": one.engine_state}
        return process_row(one.start_id, one.db_name, **more, **states)

    def _post_databases(self, parts, body):
        assert parts[1:] == ["startplan"]
        return 200, {"processes": self.domain.start_plan(parts[0], body.get("teHosts", []))}

    def _post_processes(self, _parts, body):
        return 200, self._row(self.domain.start_process(body, body["dbName"]))


class Runbook:
    """What runs its modules, as a play would.

    :ivar calls: those of each module.
    """

    def __init__(self, wire, session, new_task):
        self.wire, self.session, self.new_task = wire, session, new_task
        self.calls = {}

    def run(self, phase, name, check_mode=False, followed=False, **given):
        if self.session:
            self.session.followed = followed
        module = import_module(f"{MODULES}.{name}")
        connection = {"api_url": ["http://ap0:8888"], "cluster_name": "nuo-unit", "validate_certs": False}
        options = {**connection, **given} if "api_url" in module.SPEC["argument_spec"] else given
        found = ArgumentSpecValidator(module.SPEC["argument_spec"]).validate(options)
        assert not found.error_messages
        self.wire.asked = []
        try:
            result = module.run(self.new_task(check_mode, **found.validated_parameters))
        finally:
            self.calls[phase] = self.wire.asked
        assert result.get("api_calls", 0) == len(self.wire.asked)
        return result

    def servers(self):
        self.run("server", "nuodb_server", api_timeout=900)
        return self.run("info", "nuodb_domain_info", incarnations="all")["domain"]

    def storage(self, followed=True, **given):
        options = {"databases": TWO_TES, "engine_types": ["SM"], "te_early": True, **given}
        return self.run("storage", "nuodb_database", followed=followed, **options)

    def transactions(self, followed=True, **given):
        return self.run("transactions", "nuodb_database", followed=followed, **{"databases": TWO_TES, **given})

    def verify(self):
        result = self.run("verify", "nuodb_database", check_mode=True, databases=TWO_TES)
        gather = ["servers", "databases", "archives", "processes"]
        self.run("end", "nuodb_domain_info", gather=gather)
        return result

    def whole(self):
        domain = self.servers()
        self.run("plan", "nuodb_plan", domain=domain, runbook="cold_start", refuse=True, databases=TWO_TES)
        self.storage()
        self.transactions()
        assert self.verify()["steps"] == []

    def count(self):
        return sum(map(len, self.calls.values()))


@pytest.fixture
def wire(memory, monkeypatch, time):
    """A domain whose SMs take 52 s and whose TEs take 5, as the benchmark's."""
    wire = Wire(memory())
    wire.domain.sm_start = 52.0

    class Wired(Http):
        def __post_init__(self):
            super().__post_init__()
            self._transport = Adapter(wire)

    monkeypatch.setattr(_options, "Http", Wired)
    monkeypatch.setattr(task_stages, "Converge", lambda *given: Converge(*given, clock=time))
    return wire


@pytest.fixture
def alone(wire, new_task):
    return Runbook(wire, None, new_task)


@pytest.fixture
def runbook(wire, new_task, time):
    with shared_session(time) as session:
        yield Runbook(wire, session, new_task)


def test_a_cold_start_costs_no_more_calls_than_nuocmds(runbook):
    """`start database` and `check database` of one database with two archives and two TEs make 23 or 24 in a minute."""
    runbook.whole()
    assert runbook.calls["server"] == ["GET peers"]
    assert runbook.calls["info"] == ["GET databases", "GET archives", "GET processes/exited"]
    changes = [call for call in runbook.calls["storage"] if call.startswith("POST")]
    assert changes == ["POST databases/test/startplan", *["POST processes"] * 4]
    assert runbook.calls["storage"].count("GET processes") == 10
    assert runbook.calls["transactions"] == []
    assert sorted(runbook.calls["verify"]) == sorted(READS)
    assert runbook.calls["end"] == []
    assert runbook.count() <= 24


def test_without_a_session_each_module_looks_by_itself(alone):
    alone.whole()
    assert alone.calls["server"] == ["GET peers"]
    assert len(alone.calls["info"]) == 4
    assert [call for call in alone.calls["transactions"] if call.startswith("POST")] == []
    for phase in ("transactions", "verify", "end"):
        assert sorted(alone.calls[phase]) == sorted(READS), phase
    assert sorted(set(alone.calls["storage"])) == sorted({*READS, "POST databases/test/startplan", "POST processes"})


def test_tes_that_lag_behind_are_awaited_by_the_task_that_continues(runbook, wire, time):
    wire.domain.te_start = 30.0
    runbook.servers()
    runbook.storage()
    runbook.transactions()
    assert set(runbook.calls["transactions"]) == {"GET processes"}
    assert {one.durable_state for one in wire.domain.processes_now.values()} == {"MONITORED"}
    assert runbook.verify()["steps"] == []


def test_the_servers_are_no_younger_for_the_task_that_continues(runbook, wire):
    """They are looked at once a minute, whatever task it falls into."""
    wire.domain.sm_start, wire.domain.te_start = 30.0, 40.0
    runbook.servers()
    runbook.storage()
    runbook.transactions()
    assert "GET peers" not in runbook.calls["storage"]
    assert runbook.calls["transactions"].count("GET peers") == 1


def test_what_nobody_looks_at_afterwards_is_looked_at_by_the_task_itself(runbook):
    runbook.servers()
    result = runbook.storage(followed=False)
    assert runbook.calls["storage"][-2:] == ["GET databases", "GET archives"]
    assert result["databases"]["test"]["state"] == "RUNNING"
    result = runbook.transactions(followed=False)
    # Nothing was left to do, so what was read for it is the end.
    assert [call for call in runbook.calls["transactions"] if call != "GET peers"] == []
    assert result["databases"]["test"]["state"] == "RUNNING"


def test_what_is_not_awaited_is_looked_at_by_the_task_itself(runbook):
    runbook.servers()
    result = runbook.storage(wait=False, te_early=False)
    assert runbook.calls["storage"][-2:] == ["GET databases", "GET archives"]
    assert result["databases"]["test"]["state"] == "AWAITING_ARCHIVE_HISTORIES_MSG"


def test_a_continued_start_that_nobody_looks_at_afterwards_is_looked_at_afresh(runbook):
    runbook.servers()
    runbook.storage()
    result = runbook.transactions(followed=False)
    assert runbook.calls["transactions"] == ["GET databases", "GET archives"]
    assert result["databases"]["test"]["state"] == "RUNNING"


def test_the_proof_is_a_look_of_its_own(runbook, wire):
    """A TE that dies between the last phase and the proof is found missing."""
    runbook.servers()
    runbook.storage()
    runbook.transactions()
    wire.domain.exits(next(one.start_id for one in wire.domain.processes_now.values() if one.engine_type == "TE"))
    assert [step["step"] for step in runbook.verify()["steps"]] == ["start TE"]
    assert sorted(runbook.calls["verify"])[:4] == sorted(READS)


def test_a_process_that_is_gone_has_the_next_task_look_at_all(runbook, wire):
    """A request is made by what was read for it, not by what was known before the wait."""
    runbook.servers()
    runbook.storage()
    wire.domain.exits(next(one.start_id for one in wire.domain.processes_now.values() if one.engine_type == "TE"))
    runbook.verify()
    assert [step["step"] for step in runbook.transactions()["steps"]] == ["start TE"]
    asked = ["POST databases/test/startplan", "GET processes", "POST processes"]
    assert runbook.calls["transactions"][:3] == asked, "another may have requested it meanwhile"


OTHERS = {
    "other databases": {"databases": ["test"]},
    "other archives": {"ignore_archives": [7]},
}


@pytest.mark.parametrize("given", OTHERS.values(), ids=OTHERS)
def test_a_task_that_asks_for_something_else_continues_nothing(runbook, given):
    runbook.servers()
    runbook.storage()
    runbook.transactions(**given)
    assert runbook.calls["transactions"][:2] == ["GET databases", "GET archives"]


def test_a_task_that_awaits_no_tes_does_not_go_on_with_them(runbook, wire, time):
    wire.domain.te_start = 600.0
    runbook.servers()
    runbook.storage()
    began = time.now
    runbook.transactions(engine_types=["SM"])
    assert time.now == began


def test_a_start_without_its_tes_is_not_continued(runbook):
    runbook.servers()
    runbook.storage(te_early=False)
    result = runbook.transactions()
    assert runbook.calls["transactions"][:3] == READS[:3]
    assert [step["step"] for step in result["steps"]] == ["start TE", "start TE"]


def test_a_start_of_whose_tes_nothing_is_known_is_not_continued(runbook):
    runbook.servers()
    runbook.storage(databases=["test"])
    with pytest.raises(Refused, match="no option says where its TEs should run"):
        runbook.transactions(databases=["test"])


def test_a_change_by_another_task_of_the_session_ends_the_continuation(runbook, wire):
    runbook.servers()
    runbook.storage()
    te = next(one.start_id for one in wire.domain.processes_now.values() if one.engine_type == "TE")
    wire._delete_processes = lambda parts, _body: (wire.domain.exits(parts[0], 0), (200, b""))[1]
    runbook.run("process", "nuodb_process", processes=[{"start_id": te}], state="killed")
    assert [step["step"] for step in runbook.transactions()["steps"]] == ["start TE"]
    # The servers were read before the change. The other lists are those that the task before has read at its end.
    asked = ["GET peers", "POST databases/test/startplan", "GET processes", "POST processes"]
    assert runbook.calls["transactions"][:4] == asked


def test_an_old_start_is_not_continued(runbook, time):
    runbook.servers()
    runbook.storage()
    time.now += FRESH
    runbook.transactions()
    assert runbook.calls["transactions"][:4] == READS


def test_a_te_that_dies_while_a_start_is_continued_ends_the_wait_at_once(runbook, wire, time):
    wire.domain.te_start = 600.0
    runbook.servers()
    runbook.storage()
    began = time.now
    te = next(one.start_id for one in wire.domain.processes_now.values() if one.engine_type == "TE")
    wire.domain.after(20, lambda _at: wire.domain.exits(te))
    with pytest.raises(Failed, match="exited in TRACKED"):
        runbook.transactions()
    assert time.now - began <= 27
    assert KILLED.partition(":")[0] in wire.domain.stones[0].reason


def test_under_check_mode_nothing_is_continued_and_nothing_changed(runbook, wire):
    runbook.servers()
    given = {"databases": TWO_TES, "engine_types": ["SM"]}
    found = runbook.run("storage", "nuodb_database", check_mode=True, followed=True, **given)
    assert found["databases"]["test"]["state"] == "RUNNING"
    runbook.run("transactions", "nuodb_database", check_mode=True, databases=TWO_TES, assume=found["predicted"])
    assert wire.domain.log == []
    assert sorted(call for call in runbook.calls["storage"] if call.startswith("GET")) == sorted(READS)


def test_a_database_that_ends_its_shutdown_is_looked_at_afresh_before_its_start(runbook, wire):
    """The first look told that it goes; the second must not be answered by it."""
    wire.domain.sm_start = 5.0
    runbook.servers()
    runbook.storage()
    wire.domain.sm_stop = wire.domain.te_stop = 0.2
    wire.domain.shutdown_database("test")
    runbook.run("info", "nuodb_domain_info")
    assert runbook.transactions()["changed"]
    assert {one.durable_state for one in wire.domain.processes_now.values()} == {"MONITORED"}

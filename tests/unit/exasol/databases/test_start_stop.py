# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is decided about a database in each state."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge, Settings
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Act, Done, Fail, History, Wait
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Fault, Refused, Unreachable
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.providers import EAO
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.start_stop import (
    Databases,
    database_words,
)
from ansible_collections.dbfleet.cluster.tests.unit.conftest import FakeCluster
from hypothesis import given, strategies as st

KNOWN = {"running", "setup", "none", "startup", "starting", "shutdown", "stopping"}
UNKNOWN = st.text("abcdnorstu -", max_size=10).filter(lambda state: state.lower() not in KNOWN)
FORCED = "forceShutdownDatabase"
CLUSTER = SimpleNamespace(provider=EAO)


def db(state="running", connectible="Yes", operation="None"):
    return Database("DB1", state, connectible, operation)


def history(first=None, *acted, joined=False):
    return History(first or db(), list(acted), joined)


def short(decision):
    return decision.name if isinstance(decision, Act) else type(decision).__name__


@pytest.mark.parametrize(
    ("state", "connectible", "operation", "wanted"),
    [
        ("running", "Yes", "None", "Done"),
        ("running", "Yes", "Backup", "Done"),
        ("Running", "Yes", "None", "Done"),
        ("running", "No", "None", "Wait"),
        ("running", "yes?", "None", "Wait"),
        ("setup", "No", "None", "startDatabase"),
        ("Setup", "No", "None", "startDatabase"),
        ("setup", "No", "Restore", "Fail"),
        *[(state, "No", "None", "Wait") for state in ("startup", "Starting", "shutdown", "Stopping")],
        ("none", "No", "None", "Fail"),
        ("crashed", "No", "None", "Fail"),
        ("", "No", "None", "Fail"),
    ],
)
def test_started(new_cluster, state, connectible, operation, wanted):
    assert short(Databases(new_cluster()).started("DB1", db(state, connectible, operation), history())) == wanted


@pytest.mark.parametrize(
    ("state", "operation", "on_operation", "force", "wanted"),
    [
        ("running", "None", "refuse", False, "stopDatabase"),
        ("running", "Backup", "refuse", False, "Fail"),
        ("running", "Backup", "wait", False, "Wait"),
        ("running", "Backup", "abort_backup", False, "abortBackup"),
        ("running", "Storage Backup", "abort_backup", False, "abortBackup"),
        ("running", "Shrink", "abort_backup", False, "Fail"),
        ("running", "", "refuse", False, "Fail"),
        ("running", "Backup", "refuse", True, FORCED),
        ("startup", "None", "refuse", False, "Wait"),
        ("startup", "None", "refuse", True, FORCED),
        ("shutdown", "None", "refuse", False, "Wait"),
        ("shutdown", "None", "refuse", True, FORCED),
        ("setup", "None", "refuse", False, "Done"),
        ("setup", "None", "refuse", True, "Done"),
        ("setup", "Restore", "refuse", False, "Fail"),
        ("setup", "Restore", "refuse", True, "Fail"),
        ("none", "None", "refuse", False, "Fail"),
        ("none", "None", "refuse", True, "Fail"),
    ],
)
def test_stopped(new_cluster, state, operation, on_operation, force, wanted):
    how = Databases(new_cluster(), on_operation, force)
    assert short(how.stopped("DB1", db(state, "No", operation), history())) == wanted


def test_a_forced_stop_that_works_is_not_sent_again(new_cluster):
    how = Databases(new_cluster(), force=True)
    assert short(how.stopped("DB1", db("shutdown"), history(db(), FORCED))) == "Wait"
    assert short(how.stopped("DB1", db("running"), history(db(), FORCED))) == FORCED


def test_an_operation_that_comes_after_our_stop_is_waited_for(new_cluster):
    assert (
        short(Databases(new_cluster()).stopped("DB1", db(operation="Backup"), history(db(), "stopDatabase"))) == "Wait"
    )


class Overtaken(FakeCluster):
    """A backup begins between the look and the stop, which is refused while it runs; two looks later it is over."""

    def __init__(self) -> None:
        super().__init__(databases={"DB1": db()})
        self.looks = 0

    def database(self, name):
        self.looks += 1
        found = self.database_states[name]
        if found.operation != "None" and self.looks > 4:
            self.database_states[name] = found = db()
        return found

    def stop_database(self, name):
        self.calls.append(("stop_database", name))
        if self.looks < 4:
            self.database_states[name] = db(operation="Backup")
            raise Fault("exa-unit: stopDatabase of DB1: DB1 is busy", "DB1 is busy")
        self.database_states[name] = db("setup", "No")

    def abort_backup(self, name):
        self.calls.append(("abort_backup", name))
        self.looks, self.database_states[name] = 9, db()


@pytest.mark.parametrize(
    ("on_operation", "sent"),
    [
        ("wait", ["stop_database", "stop_database"]),
        ("abort_backup", ["stop_database", "abort_backup", "stop_database"]),
    ],
)
def test_a_backup_that_overtakes_the_stop_is_met_as_one_that_was_seen(time, new_task, on_operation, sent):
    cluster = Overtaken()
    result = Converge(new_task(), cluster.name, Settings(timeout=60), clock=time).run(
        Databases(cluster, on_operation).stages(["DB1"], "stopped")
    )
    assert [call[0] for call in cluster.calls] == sent
    assert result["changed"]
    assert [step["step"] for step in result["steps"]][-1] == "stopDatabase"


def test_a_stop_that_is_refused_otherwise_is_a_failure(time, new_task):
    with pytest.raises(Fault, match="DB1 is busy"):
        Converge(new_task(), "exa-unit", Settings(timeout=60), clock=time).run(
            Databases(Overtaken(), "refuse").stages(["DB1"], "stopped")
        )
    idle = FakeCluster(databases={"DB1": db()})
    idle.stop_database = Mock(side_effect=Fault("exa-unit: stopDatabase of DB1: no", "no"))
    with pytest.raises(Fault, match="no"):
        Databases(idle, "wait").stopped("DB1", db(), history()).call()
    idle.database = Mock(side_effect=Unreachable("exa-unit: nobody answers"))
    with pytest.raises(Fault, match="no"):
        Databases(idle, "wait").stopped("DB1", db(), history()).call()


@given(state=UNKNOWN, operation=st.sampled_from(["None", "Backup", "Shrink"]), force=st.booleans())
@pytest.mark.parametrize("how", ["started", "stopped", "restarted"])
@pytest.mark.parametrize("on_operation", ["refuse", "wait", "abort_backup"])
def test_an_unknown_state_is_never_acted_upon(how, on_operation, state, operation, force):
    found = db(state, "No", operation)
    decided = getattr(Databases(CLUSTER, on_operation, force), how)("DB1", found, history(found))
    assert isinstance(decided, Fail)
    assert repr(state) in decided.why
    later = getattr(Databases(CLUSTER, on_operation, force), how)("DB1", found, history(db(), "stopDatabase"))
    assert isinstance(later, Wait)


@given(
    state=st.sampled_from(sorted(KNOWN)) | UNKNOWN,
    operation=st.text("ABackupNone ", max_size=8).filter(lambda word: word != "None"),
    connectible=st.sampled_from(["Yes", "No"]),
    on_operation=st.sampled_from(["refuse", "wait", "abort_backup"]),
)
def test_while_an_operation_runs_nothing_is_stopped(state, operation, connectible, on_operation):
    found = db(state, connectible, operation)
    for how in ("stopped", "restarted"):
        decided = getattr(Databases(CLUSTER, on_operation), how)("DB1", found, history(found))
        assert short(decided) != "stopDatabase"
        if short(decided) == "abortBackup":
            assert on_operation == "abort_backup"
            assert "backup" in operation.lower()


@given(state=st.sampled_from(sorted(KNOWN)) | UNKNOWN, force=st.booleans(), acted=st.booleans())
def test_forced_ways_are_taken_only_when_asked_for(state, force, acted):
    decided = Databases(CLUSTER, force=force).stopped("DB1", db(state), history(db(), *(["stopDatabase"] * acted)))
    assert force or short(decided) != FORCED


UP_AGAIN = [("setup", "startDatabase"), ("startup", "Wait"), ("running", "Done")]
RESTART = [  # found so, then the states it goes through, each with what is decided
    ("running", [("running", "stopDatabase"), ("shutdown", "Wait"), *UP_AGAIN]),
    ("setup", UP_AGAIN),
    ("startup", [("startup", "Wait"), ("running", "Done")]),
    ("stopping", [("stopping", "Wait"), *UP_AGAIN]),
]


@pytest.mark.parametrize(("found", "course"), RESTART, ids=[name for name, _course in RESTART])
@pytest.mark.parametrize("force", [False, True])
def test_restarted(new_cluster, found, course, force):
    past, how = history(db(found)), Databases(new_cluster(), force=force)
    for state, wanted in course:
        decided = how.restarted("DB1", db(state, "Yes" if state == "running" else "No"), past)
        assert short(decided) == (FORCED if force and wanted == "stopDatabase" else wanted)
        if isinstance(decided, Act):
            past.acted.append(decided.name)
        past.joined = past.joined or isinstance(decided, Wait)


@pytest.mark.parametrize(
    ("how", "state", "operation", "on_operation", "then"),
    [
        ("started", "shutdown", "None", "refuse", ("startDatabase",)),
        ("started", "startup", "None", "refuse", ()),
        ("stopped", "startup", "None", "refuse", ("stopDatabase",)),
        ("stopped", "shutdown", "None", "refuse", ()),
        ("stopped", "running", "Backup", "wait", ("stopDatabase",)),
        ("stopped", "running", "Backup", "abort_backup", ("stopDatabase",)),
        ("stopped", "setup", "Restore", "wait", ()),
        ("restarted", "running", "None", "refuse", ("startDatabase",)),
        ("restarted", "running", "Backup", "abort_backup", ("stopDatabase", "startDatabase")),
        ("restarted", "shutdown", "None", "refuse", ("startDatabase",)),
    ],
)
def test_a_preview_tells_what_follows(new_cluster, how, state, operation, on_operation, then):
    found = db(state, "Yes", operation)
    decided = getattr(Databases(new_cluster(), on_operation), how)("DB1", found, history(found))
    assert decided.then == then


def test_a_restart_of_a_busy_database_is_refused(new_cluster):
    assert short(Databases(new_cluster()).restarted("DB1", db(operation="Backup"), history())) == "Fail"


@pytest.mark.parametrize(
    ("state", "call"), [("started", "start_database"), ("stopped", "stop_database"), ("restarted", "stop_database")]
)
def test_the_decision_makes_the_right_call(new_cluster, state, call):
    cluster = new_cluster(databases={"DB1": db("setup" if state == "started" else "running")})
    stage = Databases(cluster).stages(["DB1"], state)[0]
    stage.decide("DB1", stage.one("DB1"), History(stage.one("DB1"))).call()
    assert cluster.calls == [(call, "DB1")]


@pytest.mark.parametrize("state", ["started", "restarted"])
def test_nothing_starts_while_a_service_is_sick(new_cluster, state):
    cluster = new_cluster(services={"Lockd": "OK", "DWAd": "not running", "Storaged": "ok"})
    stage = Databases(cluster).stages(["DB1"], state)[0]
    with pytest.raises(Refused, match="DWAd not running, Storaged ok") as caught:
        stage.guard()
    assert caught.value.failed_object == "DWAd Storaged"
    cluster.service_states = {"Lockd": "OK"}
    assert stage.guard() is None
    assert stage.causes("DB1") == "DB1 has no nodes"


def test_a_stop_needs_no_services(new_cluster):
    stage = Databases(new_cluster(services={"Lockd": "sick"})).stages(["DB1"], "stopped")[0]
    assert stage.guard is None
    assert stage.target("DB1", db(operation="Backup")) == db("setup", "No")


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (db(), "running, accepts connections"),
        (db(connectible="No"), "running, not connectable yet"),
        (db(operation="Backup"), "running, accepts connections, operation Backup"),
        (db("setup", "No"), "setup"),
        (db("setup", "No", "Restore"), "setup, operation Restore"),
    ],
)
def test_words(found, text):
    assert database_words(found) == text


def test_done_is_not_a_matter_of_history(new_cluster):
    assert isinstance(
        Databases(new_cluster()).restarted("DB1", db(), history(db(), "stopDatabase", "startDatabase")), Done
    )


@pytest.mark.parametrize(
    ("state", "says"),
    [("stopped", "the license is gone"), ("started", "DB1 has no nodes"), ("restarted", "DB1 has no nodes")],
)
def test_what_the_server_says_of_a_change_that_failed(new_cluster, state, says):
    cluster = new_cluster(databases={"DB1": db()}, failures={"DB1": "the license is gone"})
    assert Databases(cluster).stages(["DB1"], state)[0].causes("DB1") == says


@pytest.mark.parametrize(
    ("how", "state", "acted", "words"),
    [
        ("started", "shutdown", "startDatabase", "being stopped (shutdown), and not by this run"),
        ("restarted", "shutdown", "startDatabase", "being stopped (shutdown), and not by this run"),
        ("stopped", "startup", "stopDatabase", "being started (startup), and not by this run"),
    ],
)
def test_what_another_run_takes_away_is_not_taken_back(new_cluster, how, state, acted, words):
    """Each would send its call again and again otherwise."""
    db = Database("DB1", state)
    decide = getattr(Databases(new_cluster()), how)
    found = decide("DB1", db, History(Database("DB1", "setup"), acted=[acted]))
    assert isinstance(found, Fail)
    assert found.why == words
    assert "somebody else works against this run" in found.hint
    if how != "restarted":
        first = decide("DB1", db, History(db))
        assert isinstance(first, Wait)
        assert first.against

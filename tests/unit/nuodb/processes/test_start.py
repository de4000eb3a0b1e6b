# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes are requested, joined and awaited. Nothing waits for real."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.pace import PollInterval
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import (
    Act,
    Done,
    Fail,
    History,
    Settings,
    Wait,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    Denied,
    Failed,
    Fault,
    Refused,
    TimedOut,
    Unreachable,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import AWAITING_ALL
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases import start
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases.wanted import WantedDatabase
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.processes import start as engines
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.processes.start import (
    ProcessState,
    Slot,
    StartProcesses,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.view import DomainView, Snapshot
from ansible_collections.dbfleet.cluster.tests.answers import fixtures
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import NO_LEADER, Memory, died, sm, te, went, wired
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.starts import ONE_TE, TWO_TES, Timed, away, requests, starts

LOST = AnswerLost("nuo-unit: POST processes of x: no answer; the server may have carried it out")


# -- a cold start


def test_sms_of_all_archives_go_first_and_together_tes_as_soon_as_one_runs(bring, timed):
    domain = timed({"test": ["server0", "server1"], "sales": ["server1", "server2", "server0"]})
    wanted = [*TWO_TES, {"name": "sales", "te_count": 1}]
    result = bring("nuodb_database", domain, databases=wanted)
    sms = [row for row in domain.times if "archive" in row[2]]
    tes = [row for row in domain.times if "TE" in row[2]]
    assert [row[0] for row in sms] == [0.0] * 5
    assert all(domain.sm_start < row[0] < 1.5 * domain.sm_start for row in tes)
    assert sorted(starts(domain)) == [
        "sales:TE1@server0", "sales:archive2@server1", "sales:archive3@server2", "sales:archive4@server0",
        "test:TE1@server0", "test:TE1@server1", "test:archive0@server0", "test:archive1@server1",
    ]  # fmt: skip
    assert result["changed"]
    assert {row["state"] for row in result["databases"].values()} == {"RUNNING"}
    assert {row["durable_state"] for row in result["processes"].values()} == {"MONITORED"}
    assert len(result["processes"]) == 8


def test_sms_are_requested_at_once_before_any_answer_has_come(monkeypatch, task):
    """Each POST answers only when all three are under way: in real threads."""
    monkeypatch.setattr(engines, "POLL_INTERVAL", PollInterval(0.01, 0.0, 0.01))
    together = threading.Barrier(3, timeout=10)

    class Waiting(Memory):
        def start_process(self, request, of):
            together.wait()
            process = sm(str(request["archiveId"]), request["archiveId"], request["host"])
            self.processes_now[process.start_id] = process
            return process

    domain = Waiting(lambda: 0.0, {"test": ["server0", "server1", "server2"]})
    view = DomainView(domain)
    work = start.start_of_databases(view, view.look(), [WantedDatabase("test")], start.StartChoice(["SM"]))
    assert Converge(task, "nuo-unit", Settings(timeout=10)).run(work.stages())["changed"]


def test_of_a_running_database_only_what_is_missing_is_requested_within_its_incarnation(bring, memory):
    domain = memory().run(sm("0"), te("1"))
    domain.databases_now["test"] = replace(domain.databases_now["test"], incarnation=(1, 7))
    bring("nuodb_database", domain, databases=TWO_TES)
    assert {name: request["expectedIncarnation"] for name, request in requests(domain).items()} == {
        "test:archive1@server1": {"major": 1}, "test:TE1@server1": {"major": 1},
    }  # fmt: skip


def test_a_second_run_changes_nothing(bring, memory, time):
    domain = memory()
    bring("nuodb_database", domain, databases=TWO_TES)
    count, since = len(domain.log), time.since
    again = bring("nuodb_database", domain, databases=TWO_TES)
    assert (again["changed"], again["steps"], again["joined"]) == (False, [], False)
    assert (len(domain.log), time.since) == (count, since)
    assert bring.task.lines == []


def test_a_cold_start_costs_no_more_calls_than_nuocmds(bring, memory):
    """nuocmd: a start plan, a call for each process, and two for each look of check database (NUODB-365, NUODB-373)."""
    domain = memory()
    bring("nuodb_database", domain, databases=TWO_TES)
    looks = domain.reads.count("processes")
    assert len(domain.log) == 4
    assert len(domain.reads) - looks <= 9, domain.reads
    assert looks <= 12, domain.reads


def test_without_waiting_the_sms_must_run_all_the_same_before_tes_are_requested(bring, timed):
    domain = timed()
    result = bring("nuodb_database", domain, databases=ONE_TE, wait=False)
    assert [row[0] > domain.sm_start for row in domain.times] == [False, False, True]
    assert len(result["steps"]) == 3


# -- what is seen of it


def test_the_leader_assignment_is_shown_with_its_time_out(bring, memory):
    """It is asked for when an SM is seen to await it twice: most are past it by then."""
    odd = {"engine_state": "UNKNOWN", "node_id": None}
    domain = memory().run(sm("3", durable_state="STARTED", **odd), sm("4", 1, durable_state="REQUESTED", **odd))
    domain.after(4, lambda _at: domain._to("4", "STARTED"))
    domain.after(8, lambda _at: [domain._to(one, "MONITORED", "RUNNING") for one in "34"])
    bring("nuodb_database", domain, databases=["test"], engine_types=["SM"])
    words = "STARTED:UNKNOWN, the leader assignment awaits the histories of all archives, at most 10 s"
    assert any(words in line for line in bring.task.lines), bring.task.lines
    assert domain.reads.count("properties") == 1

    soon = memory().run(sm("3", durable_state="STARTED", **odd), sm("4", 1, durable_state="REQUESTED", **odd))
    soon.after(1, lambda _at: [soon._to(one, "MONITORED", "RUNNING") for one in "34"])
    bring("nuodb_database", soon, databases=["test"], engine_types=["SM"])
    assert "properties" not in soon.reads


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (ProcessState(), "not running"),
        (ProcessState("1", "REQUESTED", "UNKNOWN"), "REQUESTED:UNKNOWN"),
        (
            ProcessState("1", "TRACKED", "UNKNOWN"),
            "TRACKED:UNKNOWN, waits for the first SM to run, or for the histories of all archives",
        ),
        (ProcessState("1", "TRACKED", "UNKNOWN", entry=True), "TRACKED:UNKNOWN"),
        (ProcessState("1", "MONITORED", "SYNCING", entry=True), "MONITORED:SYNCING"),
        (ProcessState("1", "MONITORED", "RUNNING", unheard=True), "MONITORED:RUNNING, silent"),
        (ProcessState(tombstone=died(te("1"), (1, 1))), "exited"),
    ],
)
def test_states_in_words(engine, words):
    assert StartProcesses(DomainView(None), [], Snapshot(), dict).words(engine) == words


# -- what ends the wait, and what doesn't


def test_a_tombstone_of_this_start_ends_the_wait_at_once_with_its_reason(bring, memory, time):
    domain = memory()
    domain.after(6, lambda _at: domain.exits("0", 1, "(2026-01-01T00:00:00.000+0000) No space left on device"))
    with pytest.raises(Failed) as caught:
        bring("nuodb_database", domain, databases=TWO_TES)
    assert time.since < 12
    error = caught.value
    assert error.message == (
        "nuo-unit: test:archive0@server0: SM of archive 0 on server0 (start ID 0) exited in CONFIGURED:UNKNOWN with "
        "exit code 1: (2026-01-01T00:00:00.000+0000) No space left on device"
    )
    assert error.failed_object == "test:archive0@server0"
    assert error.last_state["tombstone"]["exit_code"] == 1
    assert error.result["changed"]


def test_who_is_asked_to_go_meanwhile_is_not_started_again(bring, memory, time):
    domain = memory()
    domain.after(6, lambda _at: domain.shutdown_database("test"))
    with pytest.raises(Failed, match=r"in REQUESTED_SHUTDOWN:.*; it was asked to shut down, and not by this run"):
        bring("nuodb_database", domain, databases=TWO_TES)
    assert time.since < 30


def test_a_te_that_times_out_at_the_entry_ends_the_wait_too(bring, memory, time):
    domain = memory().run(sm("0"), sm("2", 1, "server1"))
    domain.after(2, lambda _at: domain.exits("3", 127, "EntryRequest failed"))
    with pytest.raises(
        Failed, match=r"test:TE1@server0: TE on server0 \(start ID 3\) exited.*127: EntryRequest failed"
    ):
        bring("nuodb_database", domain, databases=ONE_TE)
    assert time.since < 8


def test_a_joined_process_that_dies_is_not_started_again_unseen(bring, memory, time):
    start = sm("3", durable_state="STARTED", engine_state="UNKNOWN", node_id=None)
    domain = memory().run(start, sm("2", 1, "server1"))
    domain.after(5, lambda _at: domain.exits("3", 2, "ArchiveHistory failed"))
    with pytest.raises(Failed, match="ArchiveHistory failed"):
        bring("nuodb_database", domain, databases=["test"], engine_types=["SM"])
    assert domain.log == []


def test_a_process_that_is_leaving_gracefully_is_awaited_and_then_replaced(bring, memory):
    leaving = sm("3", durable_state="REQUESTED_SHUTDOWN", engine_state="SHUTTING_DOWN")
    domain = memory().run(leaving, sm("2", 1, "server1"))
    domain.after(5, lambda _at: domain.exits("3", 0, "Gracefully shutdown engine"))
    result = bring("nuodb_database", domain, databases=["test"], engine_types=["SM"])
    assert starts(domain) == ["test:archive0@server0"]
    assert result["joined"]


IN_VAIN = {"durable_state": "REQUESTED", "engine_state": "UNKNOWN", "node_id": None}
SMS = {"databases": ["test"], "engine_types": ["SM"]}


def test_what_a_failed_start_has_left_is_requested_again_when_it_gives_up(bring, timed):
    domain = timed().run(sm("0", **IN_VAIN))
    domain.after(1.5, lambda _at: domain.exits("0", 2, NO_LEADER))
    result = bring("nuodb_database", domain, **SMS)
    assert starts(domain) == ["test:archive1@server1", "test:archive0@server0"]
    assert {row["state"] for row in result["databases"].values()} == {"RUNNING"}


def test_what_gave_up_beside_it_is_requested_again_together_with_it(bring, timed):
    """The SM of this run had waited for it; alone, each would wait for the other in vain."""
    domain = timed().run(sm("0", **IN_VAIN))
    domain.after(6.5, lambda _at: domain.exits("0", 2, NO_LEADER))
    result = bring("nuodb_database", domain, **SMS)
    assert [row[2] for row in domain.times] == [f"test:archive{n}@server{n}" for n in (1, 0, 1)]
    assert domain.times[1][0] == domain.times[2][0]
    assert [step["step"] for step in result["steps"]] == ["start SM", "start SM", "start SM again"]
    assert {row["state"] for row in result["databases"].values()} == {"RUNNING"}


def test_what_gives_up_again_has_failed(bring, timed):
    domain = timed().run(sm("0", **IN_VAIN))
    domain.after(6.5, lambda _at: domain.exits("0", 2, NO_LEADER))
    domain._goes_on = lambda *_about: None
    with pytest.raises(Failed, match="awaiting leader assignment"):
        bring("nuodb_database", domain, **SMS)
    assert len(domain.times) == 3


class Strict(Memory):
    """Refuses a request for another incarnation than the one that it would be part of (NUODB-184)."""

    def start_process(self, request, of):
        self._pass()
        wanted, found = request["expectedIncarnation"], self.databases_now["test"].next_incarnation
        if any(found[part] != number for part, number in wanted.items()):
            self.refused = [*getattr(self, "refused", []), of]
            raise Fault(
                f"nuo-unit: POST processes of {of}: unexpected incarnation (HTTP 409)", "unexpected incarnation"
            )
        return super().start_process(request, of)


def test_a_start_that_ended_before_the_request_is_followed_by_one_of_the_next_incarnation(bring, memory):
    class Over(Strict):
        def processes(self, **filters):
            found = super().processes(**filters)
            if self.reads.count("processes") == 2:  # the last look before the request
                self.exits("0", 2, NO_LEADER)
            return found

    domain = Over(memory().time)
    domain.run(sm("0", **IN_VAIN))
    result = bring("nuodb_database", domain, **SMS)
    assert domain.refused == ["test:archive1@server1"]
    assert starts(domain) == ["test:archive1@server1", "test:archive0@server0"]
    assert {request["expectedIncarnation"]["major"] for request in requests(domain).values()} == {2}
    assert {row["state"] for row in result["databases"].values()} == {"RUNNING"}


@pytest.mark.parametrize("begun", [False, True])
def test_a_refusal_in_the_incarnation_that_it_was_meant_for_stands(bring, memory, begun):
    """Nothing is sent twice, although the database is in another state by now."""

    class Always(Strict):
        def start_process(self, request, of):
            self._did("start", of, request)
            if begun:
                self.databases_now["test"] = replace(self.databases_now["test"], state=AWAITING_ALL, incarnation=(2, 0))
            raise Fault(f"nuo-unit: POST processes of {of}: no (HTTP 409)", "no")

    domain = Always(memory().time)
    with pytest.raises(Fault, match="no"):
        bring("nuodb_database", domain, **SMS)
    assert sorted(starts(domain)) == ["test:archive0@server0", "test:archive1@server1"]


@pytest.mark.parametrize("missing", ["SM", "TE"])
def test_what_another_requests_meanwhile_is_not_requested_again(bring, memory, missing):
    class Raced(Memory):
        def start_plan(self, db_name, te_server_ids):
            other = sm("8", 1, "server1") if missing == "SM" else te("8")
            self.run(other)
            return super().start_plan(db_name, te_server_ids)

    domain = Raced(memory().time).run(sm("0"), *([] if missing == "SM" else [sm("2", 1, "server1")]))
    result = bring("nuodb_database", domain, databases=ONE_TE)
    assert starts(domain) == ["test:TE1@server0"] * (missing == "SM")
    assert len(result["processes"]) == 3


def test_a_start_that_is_under_way_is_joined(bring, memory, time):
    domain = memory()
    domain.start_process({"dbName": "test", "engineType": "SM", "host": "server0", "archiveId": 0}, "other")
    time.now += 3
    result = bring("nuodb_database", domain, databases=ONE_TE)
    assert starts(domain)[1:] == ["test:archive1@server1", "test:TE1@server0"]
    assert result["joined"]
    assert [step["object"] for step in result["steps"]] == ["test:archive1@server1", "test:TE1@server0"]
    assert requests(domain)["test:archive1@server1"] == {
        "dbName": "test", "engineType": "SM", "host": "server1", "labels": {}, "archiveId": 1,
        "expectedIncarnation": {"major": 2},
    }  # fmt: skip


@pytest.mark.parametrize("lost", [[LOST, None, None, None], [None, LOST, None, None], LOST])
def test_a_start_whose_answer_was_lost_is_read_again_and_never_sent_twice(bring, memory, lost):
    domain = memory()
    domain.odd["start"] = lost if isinstance(lost, AnswerLost) else list(lost)
    result = bring("nuodb_database", domain, databases=TWO_TES)
    assert sorted(starts(domain)) == sorted(set(starts(domain)))
    assert len(starts(domain)) == 4
    assert result["changed"]


def test_a_lost_start_that_did_nothing_is_sent_once_more(bring, timed):
    class Deaf(Timed):
        def start_process(self, request, of):
            if of == "test:archive0@server0" and of not in starts(self):
                self._did("start", of, request)
                raise LOST
            return super().start_process(request, of)

    domain = Deaf(timed().time)
    domain.patience = 60.0
    bring("nuodb_database", domain, databases=["test"], engine_types=["SM"])
    assert starts(domain).count("test:archive0@server0") == 2
    assert starts(domain).count("test:archive1@server1") == 1
    assert domain.times[-1][0] >= 5
    assert domain.reads.count("servers") == 2


def test_an_sm_that_gave_up_because_the_request_beside_it_was_lost_is_requested_again(bring, timed):
    class Deaf(Timed):
        def start_process(self, request, of):
            if of == "test:archive0@server0" and of not in starts(self):
                self._did("start", of, request)
                raise LOST
            return super().start_process(request, of)

    domain = Deaf(timed().time)
    domain.patience = 4.0
    result = bring("nuodb_database", domain, **SMS)
    assert [step["step"] for step in result["steps"]].count("start SM again") >= 1
    assert {row["state"] for row in result["databases"].values()} == {"RUNNING"}


def test_nothing_is_sent_again_through_an_ap_that_was_cut_off(bring, timed):
    class CutOff(Timed):
        def start_process(self, request, of):
            self._did("start", of, request)
            self.servers_now = {name: replace(one, leader=None) for name, one in self.servers_now.items()}
            raise LOST

    domain = CutOff(timed().time)
    with pytest.raises(Refused, match="the APs have no quorum"):
        bring("nuodb_database", domain, databases=["test"], engine_types=["SM"])
    assert starts(domain) == ["test:archive0@server0", "test:archive1@server1"]


def test_two_tes_on_one_server_are_two_processes(bring, memory):
    domain = memory().run(sm("0"), sm("2", 1, "server1"), te("1", "server1"))
    bring("nuodb_database", domain, databases=[{"name": "test", "te_server_ids": ["server1"] * 3}])
    assert starts(domain) == ["test:TE2@server1", "test:TE3@server1"]


def test_a_refused_start_fails_with_the_servers_words(bring, memory):
    domain = memory()
    domain.odd["refuse start"] = Fault("nuo-unit: POST processes of x: incarnation is 3.0 (HTTP 409)", "incarnation")
    with pytest.raises(Fault, match="incarnation is 3.0") as caught:
        bring("nuodb_database", domain, databases=["test"], engine_types=["SM"])
    assert caught.value.failed_object.startswith("test:archive")


def test_who_may_not_start_is_told_at_once(bring, memory, time):
    domain = memory()
    domain.odd["refuse start"] = Denied("nuo-unit: POST processes of x: not allowed (HTTP 403)")
    with pytest.raises(Denied):
        bring("nuodb_database", domain, databases=["test"], engine_types=["SM"])
    assert time.since < 1


def test_weather_in_between_is_weather(bring, memory):
    class Stormy(Memory):
        def processes(self, **filters):
            if self.reads.count("processes") in (2, 3):
                self.reads.append("processes")
                raise Unreachable("nuo-unit: away")
            return super().processes(**filters)

    domain = Stormy(memory().time)
    bring("nuodb_database", domain, databases=ONE_TE)
    assert len(starts(domain)) == 3


def test_the_deadline_names_what_is_missing(bring, memory):
    domain = memory()
    domain.sm_start = 1e9
    with pytest.raises(
        TimedOut, match="processes: not running after 60 s: test:archive0@server0 is CONFIGURED:UNKNOWN"
    ) as end:
        bring("nuodb_database", domain, databases=ONE_TE, wait_timeout=60)
    assert end.value.last_state["test:archive1@server1"] == {
        "start_id": "1", "durable_state": "CONFIGURED", "engine_state": "UNKNOWN"
    }  # fmt: skip


def test_a_silent_process_does_not_count_as_running(bring, memory):
    domain = memory().run(sm("0", last_heard_from=25_000), sm("2", 1, "server1"))
    with pytest.raises(TimedOut, match="MONITORED:RUNNING, silent"):
        bring("nuodb_database", domain, databases=["test"], engine_types=["SM"], wait_timeout=30)
    assert domain.log == []


@pytest.mark.parametrize(
    "state", [("QUIESCED", "RUNNING"), ("MONITORED", "NAPPING"), ("", "RUNNING"), ("UNKNOWN",) * 2]
)
def test_states_of_later_versions_are_awaited_and_nothing_is_started_beside(bring, memory, state):
    durable, engine = state
    odd = replace(sm("0"), durable_state=durable or "X", engine_state=engine)
    domain = memory().run(odd, sm("2", 1, "server1"))
    with pytest.raises(TimedOut):
        bring("nuodb_database", domain, databases=["test"], engine_types=["SM"], wait_timeout=20)
    assert domain.log == []


# -- servers that are away


def test_a_server_that_goes_away_meanwhile_is_awaited(bring, memory):
    domain = memory()
    domain.sm_start = 60.0
    domain.after(10, lambda _at: away(domain, "server1"))

    def back(_at):
        domain.servers_now["server1"] = replace(domain.servers_now["server1"], connected="Connected")

    domain.after(90, back)
    bring("nuodb_database", domain, databases=["test"], engine_types=["SM"])
    assert any("server server1 isn't connected" in line for line in bring.task.lines)
    assert len(starts(domain)) == 2


# -- decisions

SM_SLOT, TE_SLOT = Slot("test", "SM", "server0", 0), Slot("test", "TE", "server0")
EARLY_TE = replace(TE_SLOT, only_requested=True)


@pytest.mark.parametrize(
    ("slot", "engine", "acted", "wanted"),
    [
        (SM_SLOT, ProcessState(), [], "start SM"),
        (SM_SLOT, ProcessState(entry=True), [], "start SM"),
        (TE_SLOT, ProcessState(), [], "Wait"),
        (TE_SLOT, ProcessState(entry=True), [], "start TE"),
        (SM_SLOT, ProcessState("1", "REQUESTED", "UNKNOWN"), [], "Wait"),
        (SM_SLOT, ProcessState("1", "MONITORED", "RUNNING"), [], "Done"),
        (SM_SLOT, ProcessState("1", "MONITORED", "SYNCING"), [], "Wait"),
        (SM_SLOT, ProcessState("1", "MONITORED", "RUNNING", connected=False), [], "Fail"),
        (SM_SLOT, ProcessState("1", "MONITORED", "RUNNING", connected=False), ["start SM"], "Wait"),
        (SM_SLOT, ProcessState(connected=False), ["start SM"], "Wait"),
        (TE_SLOT, ProcessState("1", "TRACKED", "UNKNOWN"), [], "Wait"),
        (EARLY_TE, ProcessState("1", "REQUESTED", "UNKNOWN"), [], "Done"),
        (EARLY_TE, ProcessState(), [], "Wait"),
        (SM_SLOT, ProcessState(tombstone=died(sm("1"), (1, 1))), [], "Fail"),
        (SM_SLOT, ProcessState(tombstone=died(sm("1"), (1, 1))), ["start SM"], "Fail"),
        (SM_SLOT, ProcessState(tombstone=went(sm("1"), (1, 1))), [], "start SM"),
        (SM_SLOT, ProcessState(tombstone=went(sm("1"), (1, 1))), ["start SM"], "Fail"),
    ],
)
def test_decisions(slot, engine, acted, wanted):
    work = StartProcesses(DomainView(None), [slot], Snapshot(), dict)
    decision = work.decide(slot.name, engine, History(acted=acted))
    assert isinstance(decision, (Act, Done, Fail, Wait))
    assert (decision.name if isinstance(decision, Act) else type(decision).__name__) == wanted


def test_a_slot_is_for_its_own_process_only():
    assert SM_SLOT.is_for(sm("1"))
    assert not SM_SLOT.is_for(sm("1", 1))
    assert not SM_SLOT.is_for(sm("1", db_name="sales"))
    assert TE_SLOT.is_for(te("1"))
    assert not TE_SLOT.is_for(te("1", "server1"))
    assert not TE_SLOT.is_for(te("1", durable_state="REQUESTED_SHUTDOWN"))
    assert not TE_SLOT.is_for(sm("1"))


def test_two_tes_on_one_server_are_told_apart_whatever_answer_comes_first(memory):
    domain = memory().run(sm("0"), sm("2", 1, "server1"))
    slots = [Slot("test", "TE", "server1", None, number) for number in (1, 2)]
    first, second = (slot.name for slot in slots)

    class Late(Memory):
        def start_process(self, request, of):
            self.run(te("8", "server1"), te("9", "server1"))
            work.read([first, second])  # a look that sees both before this answer comes
            return self.processes_now["9"]

    late = Late(domain.time)
    late.run(sm("0"), sm("2", 1, "server1"))
    view = DomainView(late)
    work = StartProcesses(view, slots, view.look(), lambda slot: {})
    work.read([first, second])
    work.decide(first, work.read([first])[first], History()).call()
    assert {name: state.start_id for name, state in work.read([first, second]).items()} == {first: "9", second: "8"}


# -- journals that are recovered


def test_how_far_a_recovery_is():
    domain, _adapter = wired((200, fixtures.answer("nuodb/processes_that_recover")))
    assert [one.state for one in domain.processes().values()] == [
        "CONFIGURED:RECOVERING_JOURNAL, 42% replayed", "CONFIGURED:RECOVERING_JOURNAL, 25% saved", "TRACKED:UNKNOWN",
    ]  # fmt: skip


class Recovering(Memory):
    """Its SMs recover their journals, which takes long; C(stuck) is where that stands still."""

    sm_start, stuck = 4000.0, 2.0

    def processes(self, **filters):
        found = super().processes(**filters)
        part = min(self.stuck, self.time.since / self.sm_start * 2)
        more = {"recovery": min(1.0, part), "saved": part - 1.0 if part > 1.0 else None}
        coming = {key: one for key, one in found.items() if one.is_storage and one.durable_state == "CONFIGURED"}
        return {**found, **{key: replace(one, **more) for key, one in coming.items()}}


def test_a_recovery_is_shown_and_waited_for_as_long_as_it_goes_on(bring, memory, time):
    domain = Recovering(time)
    assert bring("nuodb_database", domain, databases=ONE_TE, wait_timeout=60)["changed"]
    assert time.since >= 4000
    for words in ("CONFIGURED:RECOVERING_JOURNAL, 50% replayed", "CONFIGURED:RECOVERING_JOURNAL, 50% saved"):
        assert any(words in line for line in bring.task.lines), words


def test_one_that_stands_still_ends_the_wait(bring, memory, time):
    domain = Recovering(time)
    domain.stuck = 0.5
    with pytest.raises(TimedOut, match="CONFIGURED:RECOVERING_JOURNAL, 50% replayed"):
        bring("nuodb_database", domain, databases=ONE_TE, wait_timeout=60)
    assert time.since < 2500

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of docs/dangers.md on NuoDB: each refuses what it should, names its override, and lets the rest pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._converge import Act, Done, Fail, History, Join
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import databases, engines, processes, servers
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.objects import PROVISIONED, SM, TE, Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.view import Report
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.wanted import Wanted
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import died, server, sm, snapshot, te, went

BOTH = [sm("0", 0, "server0"), sm("1", 1, "server1"), te("2", "server1")]
AWAY = {
    "server0": server("server0", local=True),
    "server1": server("server1", connected=False),
    "server2": server("server2"),
}
CUT_OFF = {"server0": server("server0", leader=None, local=True), "server1": server("server1", connected=False)}


def view_of(seen):
    return Report({"name": "nuo-unit", **seen.as_plain()})


def starting(seen, ignored=(), kinds=(SM, TE)):
    """The processes that would be started of a database with one TE on server0."""
    choice = engines.Choice(list(kinds), ignored=ignored)
    return engines.starting(view_of(seen), seen, [Wanted("test", ["server0"])], choice, ask=False)


def decisions(work):
    states = work.read([slot.name for slot in work.slots])
    return {name: work.decide(name, state, History(state)) for name, state in states.items()}


def refused(call, *args):
    with pytest.raises(Refused) as told:
        call(*args)
    return f"{told.value.message} | {told.value.hint}"


@pytest.mark.parametrize("state", ["NOT_RUNNING", "AWAITING_ARCHIVE_HISTORIES_MSG", "STARTED"])
def test_an_archive_with_data_is_left_out_only_of_a_database_that_runs(state):
    says = refused(starting, snapshot(state), (1,))
    assert "without the SM of archive 1 (server1:/archive/1)" in says
    assert "nuodb_archive state=purged" in says

    running = snapshot("AWAITING_ARCHIVE_HISTORIES_INC", processes=BOTH[:1])
    assert [slot.archive_id for slot in starting(running, (1,)).slots] == [0, None]
    unused = snapshot("NOT_RUNNING")
    unused.archives[1] = replace(unused.archives[1], state=PROVISIONED)
    assert [slot.archive_id for slot in starting(unused, (1,)).slots] == [0, None]


def test_an_archive_of_a_server_that_is_away_is_refused():
    found = decisions(starting(snapshot("NOT_RUNNING", servers=AWAY)))
    assert isinstance(found["test:archive0@server0"], Act)
    assert isinstance(found["test:archive1@server1"], Fail)
    assert "nuodb_archive state=purged" in found["test:archive1@server1"].hint


def test_a_process_of_a_server_that_is_away_may_still_run():
    found = decisions(starting(snapshot("RUNNING", servers=AWAY, processes=BOTH)))
    fail = found["test:archive1@server1"]
    assert isinstance(fail, Fail)
    assert "whether it still runs can't be known" in fail.why
    assert "state=evicted" in fail.hint
    assert isinstance(found["test:archive0@server0"], Done)


def test_one_sm_of_two_is_not_requested_alone():
    seen = snapshot("NOT_RUNNING")
    (one, other) = (processes.Entry(archive_id=number) for number in (0, 1))
    alone = processes.Entry(db_name="test", engine_type=TE, server_id="server0")
    for given, lacking in (([one], "archive 1"), ([alone], "archive 0 1")):
        says = refused(processes.slots, view_of(seen), seen, given, False)
        assert f"would wait for the SM of {lacking} and time out" in says
        assert "allow_partial: true" in says
        assert len(processes.slots(view_of(seen), seen, given, True)) == 1
    assert len(processes.slots(view_of(seen), seen, [one, other, alone], False)) == 3
    running = snapshot("RUNNING", processes=BOTH[:1])
    assert len(processes.slots(view_of(running), running, [alone], False)) == 1


def test_a_database_in_an_unknown_state_is_neither_started_nor_stopped():
    says = refused(starting, snapshot("HIBERNATING"))
    assert "state 'HIBERNATING' is not one in which a start is known to be safe" in says
    stop = databases.Shutdown(view_of(snapshot("HIBERNATING")))
    fail = stop.decide("test", databases.Closing("HIBERNATING"), History())
    assert isinstance(fail, Fail)
    assert "databases: [...]" in fail.hint
    assert isinstance(stop.decide("test", databases.Closing("RUNNING"), History()), Act)
    assert isinstance(stop.decide("test", databases.Closing("REQUESTED_SM_SHUTDOWN"), History()), Join)


def test_a_process_that_died_instead_of_going_is_told():
    going = processes.Going(view_of(snapshot()), [BOTH[2]], processes.STOPPED)
    name = processes.title(BOTH[2])
    asked = History(acted=["shutdown"])
    fail = going.decide(name, processes.Leave("", tombstone=died(BOTH[2], (1, 5))), asked)
    assert isinstance(fail, Fail)
    assert "exit code 137" in fail.why
    assert isinstance(going.decide(name, processes.Leave("", tombstone=went(BOTH[2], (1, 5))), asked), Done)


@pytest.mark.parametrize("state", [processes.STOPPED, processes.KILLED, processes.EVICTED])
def test_a_running_database_keeps_an_sm(state):
    view = view_of(snapshot("RUNNING", processes=BOTH))
    says = refused(processes.Going(view, BOTH, state, evict_alive=True).guard)
    assert "test would lose its last SM" in says
    assert "allow_non_durable: true" in says
    processes.Going(view, BOTH[1:], state, evict_alive=True).guard()
    processes.Going(view, BOTH, state, allow_non_durable=True, evict_alive=True).guard()


def test_an_sm_that_still_starts_is_not_one_to_be_left_with():
    young = [BOTH[0], replace(BOTH[1], engine_state="SYNCING")]
    view = view_of(snapshot("RUNNING", processes=young))
    assert "its last SM" in refused(processes.Going(view, young[:1], processes.STOPPED).guard)


def test_a_process_that_answers_is_not_evicted():
    seen = snapshot("RUNNING", processes=BOTH)
    says = refused(processes.Going(view_of(seen), BOTH[1:], processes.EVICTED).guard)
    assert "goes on writing to its archive" in says
    assert "evict_alive: true" in says
    processes.Going(view_of(seen), BOTH[1:], processes.EVICTED, evict_alive=True).guard()
    gone = snapshot("RUNNING", servers=AWAY, processes=BOTH)
    processes.Going(view_of(gone), BOTH[1:], processes.EVICTED).guard()
    silent = [BOTH[0], *(replace(process, last_heard_from=30_000) for process in BOTH[1:])]
    processes.Going(view_of(snapshot("RUNNING", processes=silent)), BOTH[1:], processes.EVICTED).guard()


def stopping(seen, names, evict_local=False):
    return servers.Stopping(view_of(seen), names, seen, evict_local)


def test_an_ap_with_processes_stays():
    three = {**AWAY, "server1": server("server1")}
    seen = snapshot("RUNNING", servers=three, processes=BOTH)
    says = refused(stopping(seen, ["server1"]).guard)
    assert "SM of archive 1 on server1 (start ID 1), TE on server1 (start ID 2)" in says
    assert "evict_local: true" in says
    stopping(seen, ["server1"], evict_local=True).guard()
    stopping(seen, ["server2"]).guard()


def test_a_majority_of_the_aps_stays_or_all_go():
    three = {**AWAY, "server1": server("server1")}
    seen = snapshot("NOT_RUNNING", servers=three)
    assert "1 of 3 would stay, which is no majority" in refused(stopping(seen, ["server1", "server2"]).guard)
    stopping(seen, ["server1"]).guard()
    whole = stopping(seen, list(three))
    whole.guard()
    assert [stage.names for stage in whole.stages()] == [["server1", "server2"], ["server0"]]


def test_nothing_is_changed_without_a_quorum():
    cut_off = snapshot("NOT_RUNNING", servers=CUT_OFF)
    guards = [
        starting(cut_off).guard,
        databases.Shutdown(view_of(cut_off)).guard,
        databases.Objects(view_of(cut_off)).guard,
        processes.Going(view_of(cut_off), BOTH, processes.STOPPED).guard,
        lambda: servers.Leaving(view_of(cut_off), True).guard(["server1"]),
    ]
    for guard in guards:
        says = refused(guard)
        assert "the APs have no quorum" in says
        assert "nothing overrides this" in says
    engines.refuse_without_quorum("nuo-unit", snapshot())


def test_a_connected_server_is_not_removed():
    leaving = servers.Leaving(view_of(snapshot()), True)
    members = leaving.read(["server1", "server9"])
    fail = leaving.decide("server1", members["server1"], History())
    assert isinstance(fail, Fail)
    assert "nothing overrides this" in fail.hint
    assert isinstance(leaving.decide("server9", members["server9"], History()), Done)


def test_a_server_leaves_nothing_behind_unsaid():
    view = view_of(snapshot("RUNNING", servers=AWAY, processes=BOTH))
    says = refused(servers.Leaving(view, False).guard, ["server1"])
    assert "archive 1 and SM of archive 1 on server1 (start ID 1), TE on server1 (start ID 2) would stay behind" in says
    assert "remove_state: true" in says
    servers.Leaving(view, True).guard(["server1"])


def test_a_running_database_is_not_deleted():
    work = databases.Objects(view_of(snapshot()))
    for state in ("RUNNING", "AWAITING_ARCHIVE_HISTORIES_INC", "REQUESTED_SM_SHUTDOWN", "STARTED"):
        fail = work.absent("test", Database("test", state), History())
        assert isinstance(fail, Fail), state
        assert "nothing overrides this" in fail.hint
    assert isinstance(work.absent("test", Database("test", "NOT_RUNNING"), History()), Act)


def test_a_database_is_created_only_with_a_dba():
    fail = databases.Objects(view_of(snapshot())).present("new", None, History())
    assert isinstance(fail, Fail)
    assert "dba_user and dba_password" in fail.hint
    body = {"databaseDbaUser": "dba", "databaseDbaPassword": "pw"}
    assert isinstance(databases.Objects(view_of(snapshot()), body).present("new", None, History()), Act)

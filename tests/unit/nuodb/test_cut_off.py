# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every module and state that changes something of a domain, on the simulator, without a socket.

The preview tells the steps of the run and sends nothing that changes. The run breaks no safety rule, and a second one
does nothing. One that is killed at any of its calls is completed by the next, whether that comes at once or later, and
one whose answer is lost by itself.

A scenario: whole modules on a simulated domain, ended after each call in turn.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import suppress
from importlib import import_module
from itertools import product
from typing import Any, NamedTuple, Optional
from urllib.parse import urlsplit

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import client
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.proxies import basic
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.transport import NoAnswer
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.trust import Trust
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.domain import Domain
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.wire import is_own
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.clock import Clock
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.http import Request
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.service import Service
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load
from ansible_collections.dbfleet.cluster.tests.unit.exasol.simulated import parts
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import REFUSED, FakeTransport, Sent, response
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.changes import (
    ARCHIVE,
    ASKED_FOR,
    AWAY,
    CASES,
    DATABASE,
    EAST,
    GROUP,
    HOTCOPY,
    LATER,
    LOST,
    NEW,
    PROCESS,
    REPEATED,
    SERVER,
    TE,
    TES,
    UNAWAITED,
    UNSEEN,
    topology,
)

MODULES = "ansible_collections.dbfleet.cluster.plugins.modules"


IN_PART = "archives-started-in-part"
"""The rule that a kill between two starts breaks where nobody goes on in time."""

LOST_ANSWERS = ((False, False, 0.0), (True, False, 0.0))


class Cut(NamedTuple):
    """At which changing call a run is cut off.

    :param carried_out: whether the server still did it.
    :param kills: the process ends there; else the answer alone is lost.
    """

    number: int
    carried_out: bool
    kills: bool


class Killed(Exception):
    """The process ends here."""


class World(FakeTransport):
    """A simulated domain in the test's time, whose client may be killed, or get no answer.

    C(cut) is the number of the changing call at which that happens, whether that was carried out, and whether the
    process is killed.
    """

    def __init__(self, time: Any, more: dict[str, Any], before: list[Any]) -> None:
        whole = topology()
        for part, rows in more.items():
            whole[part] = {**whole[part], **rows}
        self._time = time
        self.service = Service(load(whole)[0], Clock("seconds:1", monotonic=time))
        self.domain = self.service.domain
        self.cut: Optional[Cut] = None
        self.sent = 0
        for one in before:
            if isinstance(one, float):
                time.now += one
            else:
                self._changed_by_others(*one)
        self.domain.record.rules.clear()

    def _changed_by_others(self, verb: str, path: str, body: Any) -> None:
        path, headers = f"/api/1/{path}", {"Authorization": basic("admin", "pw"), "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        assert self._answer(Sent(verb, f"https://server0:8888{path}", path, headers, content)).status == 200

    def _answer(self, request: Any) -> Any:
        host = urlsplit(request.url).hostname
        if not self.service.listens(host):
            raise REFUSED
        headers = {key.lower(): str(value) for key, value in request.headers.items()}
        return response(
            *parts(self.service.answer(host, Request(request.method, request.path_url, headers, request.body or b"")))
        )

    def send(self, request: Any, **_how: Any) -> Any:
        changes = request.method != "GET" and not request.path_url.endswith("/startplan")
        self.sent += changes
        if self.cut is None or self.sent < self.cut.number:
            return self._answer(request)
        cut = self.cut
        if changes and self.sent == cut.number:
            if cut.carried_out:
                self._answer(request)
            raise Killed if cut.kills else NoAnswer("the connection was closed before the answer")
        if cut.kills:
            raise Killed
        return self._answer(request)

    def client(self) -> Domain:
        urls = [f"https://server{number}:8888" for number in range(4)]
        http = client.Http("nuo", urls, "admin", "pw", Trust(validate=False), is_own=is_own)
        http._transport = self  # type: ignore[assignment]
        return Domain(http)

    def state(self, rest: float = 0.0) -> dict[str, Any]:
        """What there is after a rest, without what moves by itself and the numbers that are never used twice."""
        self._time.now += rest
        with self.domain.lock:
            self.domain.settle()
            state = self.domain.state()
        told = ("db_name", "engine_type", "server_id", "archive_id", "durable_state", "engine_state")
        processes = Counter(tuple(row[key] for key in told) for row in state["processes"].values())
        copies = sorted(
            (name, row["status"], row["destinationDirectory"])
            for name, rows in state["hotcopies"].items()
            for row in rows
        )
        archives = {key: {**row, "epoch": 0} for key, row in state["archives"].items()}
        groups = {
            name: {group: row["archive_states"] for group, row in rows.items()}
            for name, rows in state["storage_groups"].items()
        }
        databases = {name: {**row, "incarnation": 0} for name, row in state["databases"].items()}
        servers = {name: row["state"] for name, row in state["servers"].items()}
        return {
            "processes": processes, "copies": copies, "archives": archives, "groups": groups,
            "databases": databases, "servers": servers,
        }  # fmt: skip


@pytest.fixture
def world(time: Any) -> Any:
    return lambda more, before: World(time, more, before)


def steps_of(result: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((step["object"], step["step"]) for step in result["steps"])


@pytest.mark.parametrize("name", CASES)
def test_what_holds_for_every_change(bring: Any, world: Any, name: str) -> None:
    module, given, more, happened = CASES[name]

    def run(place: World, check: bool = False) -> dict[str, Any]:
        return dict(bring(module, place.client(), check, **given))

    rest = 30.0 if name in UNAWAITED else 0.0
    place = world(more, happened)
    before = place.state()
    foretold = run(place, check=True)
    assert (place.sent, place.state()) == (0, before)
    done, goal = run(place), place.state(rest)
    sent = place.sent
    assert steps_of(foretold) == steps_of(done) != []
    assert foretold["changed"] is done["changed"] is True
    for result in (foretold, done):
        assert result["diff"]["before"] != result["diff"]["after"]
        assert {object_name for object_name, _step in steps_of(result)} == set(result["diff"]["before"])
    if name not in REPEATED and name != "server, all":
        again = run(place)
        assert (again["changed"], place.sent, place.state()) == (False, sent, goal)
    assert {row["rule"] for row in place.domain.record.rules} <= ASKED_FOR
    for cut in range(1, sent + 1):
        for carried_out, kills, pause in ((False, True, 0.0), (True, True, 0.0), (True, True, LATER), *LOST_ANSWERS):
            what = f"{'killed' if kills else 'no answer'} at call {cut}, carried out: {carried_out}, next after {pause}"
            place = world(more, happened)
            place.cut = Cut(cut, carried_out, kills)
            if kills:
                with pytest.raises(Killed):
                    run(place)
                place.cut = None
                place.state(pause)
            if any(row == "ACTIVE" for row in place.state()["servers"].values()):  # else nobody is left to ask
                run(place)
            assert place.state(rest) == goal, what
            assert {row["rule"] for row in place.domain.record.rules} <= {*ASKED_FOR, *([IN_PART] if pause else [])}, (
                what
            )


@pytest.mark.parametrize("name", [name for name in CASES if not name.endswith(("wait", "cancel"))])
def test_what_is_not_awaited_is_joined_by_the_next(bring: Any, world: Any, name: str) -> None:
    """All steps are sent, those too that have to wait for others; then one that waits has nothing to send."""
    module, given, more, happened = CASES[name]
    rest = 30.0 if name in UNAWAITED else 0.0
    place = world(more, happened)
    done = bring(module, place.client(), False, **given)
    goal, sent = place.state(rest), place.sent
    place = world(more, happened)
    begun = bring(module, place.client(), False, **given, wait=False)
    assert [step["step"] for step in begun["steps"]] == [step["step"] for step in done["steps"]]
    assert place.sent == sent
    if any(row == "ACTIVE" for row in place.state()["servers"].values()):
        assert bring(module, place.client(), False, **given)["changed"] is (name in UNSEEN)
    assert place.state(rest) == goal


@pytest.mark.parametrize("kills", [1, 2])
def test_a_restart_that_is_cut_off_and_made_again_is_completed_or_refused(bring: Any, world: Any, kills: int) -> None:
    """As the runbook restarts. What was requested before the kill joins meanwhile, so that the next restart ends an
    incarnation in order."""

    def restart(place: World) -> None:
        client = place.client()
        servers = bring(DATABASE, client, True, databases=["up"], require_known_tes=True)["te_servers"]["up"]
        bring(DATABASE, client, False, databases=["up"], state="stopped")
        bring(DATABASE, client, False, databases=[{"name": "up", "te_server_ids": servers}])

    whole = world({}, [])
    restart(whole)
    completed, refused, goal = 0, 0, whole.state()
    tes = Counter(row[2] for row in goal["processes"].elements() if "TE" in row)
    for cuts in product(range(1, whole.sent + 1), repeat=kills):
        place = world({}, [])
        for cut in cuts:
            place.cut = Cut(place.sent + cut, True, True)
            with suppress(Killed, ClusterError):
                restart(place)
            place.state(LATER)
        place.cut = None
        before = place.state()
        try:
            restart(place)
        except ClusterError as error:
            (told,) = re.findall(r"TEs that an earlier one had \(on ([^)]*)\)", str(error))
            assert not Counter(told.split(", ")) - tes, cuts
            assert place.state() == before, cuts
            refused += 1
        else:
            assert place.state()["processes"] == goal["processes"], cuts
            completed += 1
    assert completed
    assert bool(refused) == (kills > 1)


def test_a_process_that_was_only_requested_goes_at_once(bring: Any, world: Any) -> None:
    """As a run that was killed may leave it. It has served nothing, so its end is no failure (NUODB-75)."""
    place = world({}, [])
    goal = place.state()
    wanted = {**TE, "server_id": "server2", "count": 1}
    bring(PROCESS, place.client(), False, processes=[wanted], wait=False)
    (start_id,) = [key for key, one in place.client().processes().items() if one.durable_state == "REQUESTED"]
    gone = bring(PROCESS, place.client(), False, processes=[{"start_id": start_id}], state="stopped")
    assert gone["changed"]
    assert place.state() == goal


ALL_ACTIVE = {"servers": {"server4": {}}}


def test_a_server_that_was_out_when_a_run_was_cut_off_comes_back_where_it_is_named(bring: Any, world: Any) -> None:
    """Without its name the next run refuses; where nothing is missing, it does all of it anew."""

    def roll(place: World, at: list[str], **more: Any) -> None:
        plan = bring("nuodb_rolling", place.client(), False, state="planned", **more)["plan"]
        for row in plan:
            at.append(row["name"])
            name = {"servers": [row["name"]]}
            named = more if more.get("cut_off") == row["name"] else {}
            out = bring("nuodb_rolling", place.client(), False, state="out", **name, **named)["plan"][0]
            bring("nuodb_rolling", place.client(), False, state="in", **name, processes=out["processes"])

    whole, went = world(ALL_ACTIVE, []), []
    goal = whole.state()
    roll(whole, went)
    assert (went, whole.state()) == (["server1", "server0"], goal)
    refused = 0
    for number, carried_out in product(range(1, whole.sent + 1), (False, True)):
        place, at = world(ALL_ACTIVE, []), []
        place.cut = Cut(number, carried_out, True)
        with pytest.raises(Killed):
            roll(place, at)
        place.cut = None
        place.state(LATER)
        told = None
        try:
            roll(place, [])
        except ClusterError as error:
            told = error
        if told:
            refused += 1
            assert at[-1] in told.message, number
            assert "cut_off" in str(told.hint)
            roll(place, [], cut_off=at[-1])
        assert place.state() == goal, (number, carried_out)
        assert place.domain.record.rules == []
    assert refused > whole.sent


def test_a_rolling_restart_goes_on_from_each_call_and_restarts_nothing_twice(bring: Any, world: Any) -> None:
    """The same tasks again, and nothing else is said: the domain tells what was restarted and what is missing."""

    def restart(place: World) -> None:
        rows = bring("nuodb_rolling_restart", place.client(), False, state="planned", databases=["up"])["plan"]
        for row in rows:
            given = {"databases": ["up"], "process": row}
            bring("nuodb_rolling_restart", place.client(), False, state="restarted", **given)
        bring("nuodb_rolling_restart", place.client(), False, state="done", databases=["up"])

    def starts_of(place: World) -> list[str]:
        return [process.start_id for process in place.client().processes().values()]

    whole = world(ALL_ACTIVE, [])
    goal, before = whole.state(), starts_of(whole)
    restart(whole)
    assert whole.state() == goal
    last = max(map(int, starts_of(whole)))
    assert last == max(map(int, before)) + len(before)
    for number, carried_out in product(range(1, whole.sent + 1), (False, True)):
        place = world(ALL_ACTIVE, [])
        place.cut = Cut(number, carried_out, True)
        with pytest.raises(Killed):
            restart(place)
        place.cut = None
        place.state(LATER)
        ended = place.client().value("dbfleet.cluster/rolling_restart/up") == "ended"
        if not ended:
            restart(place)
        assert place.state() == goal, (number, carried_out)
        assert max(map(int, starts_of(place))) == last, (number, carried_out)
        assert place.domain.record.rules == []


CHAIN: list[tuple[str, dict[str, Any]]] = [
    (DATABASE, {"databases": [{"name": "down", **TES}]}),
    (PROCESS, {"processes": [{"archive_id": 3}], "state": "stopped"}),
    (ARCHIVE, {"archives": [{"archive_id": 3}], "state": "absent"}),
    (ARCHIVE, {"archives": [{"archive_id": 3}], "state": "present"}),
    (PROCESS, {"processes": [{"archive_id": 3}]}),
    (HOTCOPY, {"db_name": "down", "default_backup_dir": "/b", "once": True}),
    (DATABASE, {"databases": ["down"], "state": "stopped"}),
    (DATABASE, {"databases": ["down"], "state": "absent"}),
    (DATABASE, {"databases": ["down"], "state": "absent", "purge": True}),
    (PROCESS, {"processes": [{"archive_id": 0}, {"archive_id": 1}], "state": "stopped", "allow_non_durable": True}),
    (DATABASE, {"databases": [{"name": "up", **TES}]}),
    (DATABASE, {"databases": ["up"], "state": "stopped"}),
    (SERVER, {"servers": ["server1"], "state": "stopped"}),
    (SERVER, {"servers": ["server1"], "state": "absent", "remove_state": True}),
    (ARCHIVE, {"archives": [{"archive_id": 1}], "state": "purged"}),
    (DATABASE, {"databases": [{"name": "up", "te_count": 2}]}),
]
"""Tasks that build upon one another."""


def named(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Objects and steps without start IDs, which a preview can't know."""
    return [(name.partition("/")[0], step) for name, step in steps_of(result)]


def test_a_preview_sees_what_the_tasks_before_would_leave(bring: Any, world: Any) -> None:
    place = world({}, [])
    known: dict[str, Any] = {}
    foretold = []
    for module, given in CHAIN:
        result = bring(module, place.client(), True, **given, assume=known)
        known = {**known, **result["predicted"]}
        foretold.append(named(result))
    assert place.sent == 0
    for number, (module, given) in enumerate(CHAIN):
        assert named(bring(module, place.client(), False, **given)) == foretold[number] != [], (number, module)


REFUSALS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (DATABASE, {"databases": ["down", "up"], "state": "absent"}, {}, "up: it is RUNNING"),
    (DATABASE, {"databases": ["up", "new"], "state": "present", "default_options": {"a": "b"}}, {}, "new: it does not"),
    (DATABASE, {"databases": [{"name": "down", "te_count": 1}, {"name": "bare", "te_count": 1}]}, {}, "bare has no"),
    (DATABASE, {"databases": ["up", "down"], "state": "running"}, {}, "down: no option says where its TEs should run"),
    (ARCHIVE, {"archives": [{"archive_id": 3}, {"archive_id": 1}], "state": "absent"}, {}, "SM of archive 1"),
    (ARCHIVE, {"archives": [{"archive_id": 3}, {"archive_id": 2}], "state": "purged"}, {}, "the last archive of"),
    (ARCHIVE, {"db_name": "down", "archives": [NEW, {**NEW, "server_id": "server9"}]}, {}, "no server server9"),
    (ARCHIVE, {"db_name": "bare", "archives": [NEW, {"server_id": "server2", "archive_path": "/archive/5"}]}, {},
     "archives 5 6 were all removed from this directory"),
    (PROCESS, {"processes": [{"archive_id": 0}, {"archive_id": 2}]}, {}, "would wait for the SM of archive 3"),
    (PROCESS, {"processes": [{**TE, "server_id": "server2"}, {**TE, "db_name": "bare", "server_id": "server2"}]}, {},
     "bare is NOT_RUNNING and has no archive"),
    (PROCESS, {"processes": [{**TE, "server_id": "server2"}, {**TE, "server_id": "server4"}]}, {}, "server4 isn't"),
    (PROCESS, {"processes": [TE, {"db_name": "up", "engine_type": "SM"}], "state": "stopped"}, {}, "lose its last SM"),
    (PROCESS, {"processes": [{"start_id": "5"}, {"start_id": "2"}], "state": "evicted"}, LOST, "nothing evicted"),
    (SERVER, {"servers": ["server2", "server1"], "state": "stopped"}, {}, "no AP shut down"),
    (SERVER, {"servers": ["server2", "server3"], "state": "stopped"}, {}, "2 of 5 APs with a vote would stay"),
    (SERVER, {"servers": ["server4", "server3"], "state": "absent"}, {}, "server3: it is connected"),
    (SERVER, {"servers": ["server4"], "state": "absent"}, AWAY, "archive 8 would stay behind"),
    (GROUP, {**EAST, "archive_ids": [1, 2]}, {}, "archive 2 belongs to database down"),
    (GROUP, {**EAST, "state": "absent"}, {}, "all of its data would be lost"),
    (HOTCOPY, {"db_name": "up", "backup_dirs": {"0": "/b", "8": "/c"}}, AWAY, "archive 8, whose SM does not run"),
]  # fmt: skip
"""What is asked for, of which part could be done, and why it is refused."""


@pytest.mark.parametrize(("module", "given", "more", "says"), REFUSALS)
def test_what_can_be_known_is_refused_before_the_first_change(
    bring: Any, world: Any, module: str, given: dict[str, Any], more: dict[str, Any], says: str
) -> None:
    """A rule that an earlier task may satisfy is a warning in a preview that begins with this task."""
    place = world(more, [])
    with pytest.raises(ClusterError) as refused:
        bring(module, place.client(), False, **given)
    assert says in refused.value.message
    assert place.sent == 0
    said = ""
    try:
        bring(module, place.client(), True, **given)
        said = " ".join(bring.task.warnings)
    except ClusterError as error:
        said = error.message
    assert refused.value.message in said


@pytest.mark.parametrize("module", [DATABASE, ARCHIVE, PROCESS, SERVER, GROUP, HOTCOPY])
def test_every_state_that_changes_something_is_there(module: str) -> None:
    states = import_module(f"{MODULES}.{module}").SPEC["argument_spec"]["state"]
    there = {given.get("state", states["default"]) for name, given, *_more in CASES.values() if name == module}
    assert set(states["choices"]) - there == ({"active"} if module == SERVER else set())  # that only waits

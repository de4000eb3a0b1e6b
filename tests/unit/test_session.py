# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules of one process share: open connections, what was just read, and when it must not be used any more."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils import _options, _session
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import Call, Changes, Request
from ansible_collections.dbfleet.cluster.plugins.module_utils._session import FRESH, Readings, shared_session
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import FakeTransport, response
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.given_options import validated

READ = Call("GET peers")
CHANGE = Call("POST processes", changing=True)
NEITHER = Request("/api/1/peers", verb="GET")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def connect(new_task):
    def go(**given):
        options = {"api_url": ["http://ap0:8888"], "cluster_name": "nuo-unit", "api_username": "admin", **given}
        return _options.http_of(new_task(**validated(**options)), "NUODB_API_URL")

    return go


# -- connections


def test_outside_nothing_is_shared(connect):
    assert connect()._transport is not connect()._transport
    assert _session.readings_of(connect()) is None
    with shared_session():
        inner = connect()
    assert connect()._transport is not inner._transport
    assert not _session.is_followed()


def test_equal_options_share_the_connections_that_are_open(connect):
    with shared_session():
        first, second = connect(), connect()
        assert second._transport is first._transport
        assert _session.readings_of(second) is not None


@pytest.mark.parametrize(
    "other",
    [
        {"api_url": ["http://ap1:8888"]},
        {"cluster_name": "other"},
        {"api_username": "other"},
        {"api_password": "other"},
        {"validate_certs": False},
        {"verify_hostname": False},
        {"tls_fingerprint": "ab" * 32},
        {"request_timeout": 5},
    ],
    ids=lambda given: next(iter(given)),
)
def test_other_options_are_another_connection(connect, other):
    with shared_session():
        assert connect(**other)._transport is not connect()._transport
        assert connect(**other)._transport is connect(**other)._transport


def test_another_proxy_is_another_connection(connect, monkeypatch):
    with shared_session():
        first = connect()
        monkeypatch.setenv("http_proxy", "http://proxy:3128")
        assert connect()._transport is not first._transport


def test_each_module_is_warned_and_counts_its_own_calls_at_the_url_that_answered(serve, reply, dead_url, new_task):
    server = serve(reply(b"{}"))
    given = validated(api_url=[dead_url, server.url], cluster_name="nuo-unit", api_username="admin")
    with shared_session():
        tasks = [new_task(**given), new_task(**given)]
        first = _options.http_of(tasks[0], "NUODB_API_URL")
        first.send(READ, NEITHER)
        second = _options.http_of(tasks[1], "NUODB_API_URL")
        assert (first.calls, second.calls, second.url) == (2, 0, server.url)
        second.send(READ, NEITHER)
        first.send(READ, NEITHER)  # of a thread that outlived its module
        assert (first.calls, second.calls) == (3, 1)
    assert [len(task.warnings) for task in tasks] == [1, 1]


# -- readings


@pytest.fixture
def changes():
    return Changes()


@pytest.fixture
def readings(changes, time):
    return Readings(changes, time)


def kept(readings, value="rows"):
    readings.keep("peers", value, readings.mark())
    return readings.handed_on()["peers"]


def test_a_reading_is_good_until_it_is_old(readings, time):
    one = kept(readings)
    time.now += FRESH - 0.01
    assert readings.is_good(one)
    time.now += 0.01
    assert not readings.is_good(one)


def test_a_readings_age_is_counted_from_when_it_was_asked_for(readings, time):
    mark = readings.mark()
    time.now += FRESH
    readings.keep("peers", "rows", mark)
    assert not readings.is_good(readings.handed_on()["peers"])


def test_no_reading_is_good_after_a_change(readings, changes):
    one = kept(readings)
    with changes:
        pass
    assert not readings.is_good(one)
    assert readings.is_good(kept(readings))


def test_no_reading_is_good_while_a_change_is_under_way(readings, changes):
    with changes:
        assert not readings.is_good(kept(readings))


def test_a_reading_that_a_change_overtook_is_not_good(readings, changes):
    with changes:
        one = kept(readings)
    assert not readings.is_good(one)


def test_a_look_that_hung_does_not_replace_a_later_one(readings, time):
    hung = readings.mark()
    time.now += 1
    kept(readings, "later")
    readings.keep("peers", "earlier", hung)
    assert readings.handed_on()["peers"].value == "later"


def test_what_a_module_takes_at_its_beginning_does_not_grow(readings):
    at_first = readings.handed_on()
    kept(readings)
    assert at_first == {}


def test_nothing_is_kept_after_the_session(connect):
    with shared_session() as session:
        readings = _session.readings_of(connect())
        kept(readings)
        session.followed = True
        assert _session.is_followed()
    assert readings.handed_on() == {}


def test_every_changing_call_counts_with_or_without_an_answer(connect, serve, reply):
    server, silent = serve(reply(b"{}")), serve(None)
    with shared_session():
        first = connect(api_url=[server.url])
        again = connect(api_url=[server.url])
        first.send(READ, NEITHER)
        assert again.changes.count == 0
        first.send(CHANGE, NEITHER)
        assert (again.changes.count, again.changes.under_way) == (2, 0)
        with pytest.raises(Exception, match="may have carried it out"):
            first.ask(silent.url, CHANGE, NEITHER)
        assert (again.changes.count, again.changes.under_way) == (4, 0)


def test_a_change_without_an_answer_yet_is_under_way(connect):
    http = connect()
    sent = threading.Event()
    http._transport = Waiting(sent)
    thread = threading.Thread(target=lambda: http.send(CHANGE, NEITHER), daemon=True)
    thread.start()
    assert sent.wait(5)
    assert http.changes.under_way == 1
    http._transport.over.set()
    thread.join(5)
    assert (http.changes.count, http.changes.under_way) == (2, 0)


class Waiting(FakeTransport):
    """A server whose answer comes when the test says so."""

    def __init__(self, sent: threading.Event) -> None:
        self.sent = sent
        self.over = threading.Event()

    def send(self, _request, **_how):
        self.sent.set()
        self.over.wait(5)
        return response(200, b"{}")

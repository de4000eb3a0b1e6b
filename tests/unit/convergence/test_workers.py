# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that answer into a queue, and reads made side by side."""

from __future__ import annotations

import threading
from contextlib import nullcontext

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import workers
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Settings
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.workers import HUNG, Pool, gather
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Fault


def test_gather_is_concurrent_keeps_the_order_and_raises_the_first_error():
    barrier = threading.Barrier(workers.READERS, timeout=5)
    names = [*"cadbefghi"] + ["j"]
    assert len(names) > workers.FEW
    assert list(gather(names, lambda name: (barrier.wait(), name)[1]).items()) == list(zip(names, names))
    assert gather([], pytest.fail) == {}

    def refusing(name):
        raise Fault(name)

    with pytest.raises(Fault):
        gather(["a", "b"], refusing)


@pytest.mark.parametrize("many", [False, True])
def test_a_quick_server_gets_one_connection_and_a_slow_one_more(monkeypatch, many):
    """For few reads, and for any number where other clusters are read beside this one."""
    own, seen = threading.get_ident(), []

    def read(name):
        seen.append((name, threading.get_ident() == own))
        return name

    names = ["a", "b", "c"]
    monkeypatch.setattr(workers, "FEW", 2 if many else 3)
    with workers.among_others() if many else nullcontext():
        assert list(gather(names, read)) == names
        assert seen == [("a", True), ("b", True), ("c", True)]
        seen.clear()
        monkeypatch.setattr(workers, "SLOW", -1.0)  # none is quick
        assert list(gather(names, read)) == names
    assert sorted(seen) == [("a", True), ("b", False), ("c", False)]
    seen.clear()
    monkeypatch.setattr(workers, "FEW", 2)
    assert list(gather(names, read)) == names
    assert not any(here for _name, here in seen)


def test_closing_a_pool_waits_for_nobody_and_begins_nothing_new(monkeypatch):
    monkeypatch.setattr(workers, "FIRST_WORKERS", 1)
    over, began = threading.Event(), []
    pool = Pool()
    pool.submit("hung", lambda: over.wait(10))
    pool.submit("queued", lambda: began.append(1))
    pool.close()
    assert not over.is_set()
    over.set()
    tag, _value, _error = pool.answers.get(timeout=5)
    assert tag == "hung"
    assert began == []


def test_calls_that_hang_are_given_more_threads(monkeypatch):
    monkeypatch.setattr(workers, "FIRST_WORKERS", 2)
    over, pool = threading.Event(), Pool()
    for number in range(2):
        pool.submit(f"hung {number}", over.wait)
    pool.submit("behind them", lambda: "done")
    assert pool.answers.empty()
    pool.spread()
    assert pool.answers.get(timeout=5) == ("behind them", "done", None)
    pool.close()
    over.set()


def test_slow_calls_are_given_more_threads(monkeypatch):
    """Three calls that wait for each other end only when each has a thread."""
    monkeypatch.setattr(workers, "FIRST_WORKERS", 1)
    monkeypatch.setattr(workers, "SLOW", 0.0)
    go, together, pool = threading.Event(), threading.Barrier(3), Pool()
    for number in range(2):
        pool.submit(number, go.wait)
    for number in range(2, 5):
        pool.submit(number, lambda: together.wait(10))
    go.set()
    assert sorted(pool.answers.get(timeout=10)[0] for _unused in range(5)) == [0, 1, 2, 3, 4]
    pool.close()


def test_reads_of_a_slow_server_are_made_by_more_threads(monkeypatch):
    """Two are slow; the other eight wait for each other, and end only when each has a thread."""
    monkeypatch.setattr(workers, "SLOW", 0.0)
    together = threading.Barrier(8, timeout=10)
    names = [str(number) for number in range(10)]
    assert list(gather(names, lambda name: name if name in "01" else (together.wait(), name)[1])) == names


def test_no_more_threads_than_there_may_be(monkeypatch):
    monkeypatch.setattr(workers, "FIRST_WORKERS", 1)
    monkeypatch.setattr(workers, "WORKERS", 3)
    over, pool = threading.Event(), Pool()
    for number in range(10):
        pool.submit(number, over.wait)
    pool.spread()
    assert pool._started == 3
    pool.close()
    over.set()


def test_a_hung_call_does_not_keep_the_process():
    """The worker process of a task would else occupy a fork until the call's time-out."""
    over, pool, before = threading.Event(), Pool(), set(threading.enumerate())
    pool.submit("hung", over.wait)
    mine = set(threading.enumerate()) - before
    assert [thread.daemon for thread in mine] == [True]
    pool.close()
    over.set()


def test_an_exception_in_a_thread_is_an_answer():
    pool = Pool()
    pool.submit("odd", lambda: 1 / 0)
    tag, value, error = pool.answers.get(timeout=5)
    pool.close()
    assert (tag, value, type(error)) == ("odd", None, ZeroDivisionError)


def test_hung_is_shorter_than_a_heartbeat():
    assert Settings().heartbeat > HUNG

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The messages of a log service: boot messages, news, filters."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, NoSuchObject
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import log
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.log import Log, message_filter


def entry(message, node="n0011", system="", strtime="2020-07-01 10:00:00", priority="Information"):
    return {"message": message, "node": node, "system": system, "strtime": strtime, "priority": priority}


DONE = entry("Boot process finished after 300 seconds")


@pytest.fixture
def fresh(monkeypatch):
    """Every reading is a new one."""
    monkeypatch.setattr(Log.entries, "__defaults__", (-1.0,))


def test_a_boot_that_finished_before_does_not_count(new_cluster, fresh):
    cluster = new_cluster(entries=[DONE])
    followed = Log(cluster, "logservice1")
    assert not followed.boot_finished("n0011")
    cluster.entries.append({**DONE, "strtime": "2020-07-01 10:05:00"})
    assert followed.boot_finished("n0011")
    assert not followed.boot_finished("n0012")


@pytest.mark.parametrize(
    "message", ["Boot process stages 1 to 3 took 9 s", "The boot process finished after 3 s", "finished", None]
)
def test_other_messages_finish_no_boot(new_cluster, fresh, message):
    cluster = new_cluster()
    followed = Log(cluster, "logservice1")
    cluster.entries.append(entry(message))
    assert not followed.boot_finished("n0011")


@pytest.mark.parametrize("node", ["n0011", "11", 11])
def test_nodes_are_named_in_several_ways(new_cluster, fresh, node):
    cluster = new_cluster()
    followed = Log(cluster, "logservice1")
    cluster.entries.append({**DONE, "node": node})
    assert followed.boot_finished("n0011")


def test_one_reading_serves_all_nodes(new_cluster):
    cluster = new_cluster()
    followed = Log(cluster, "logservice1")
    for _node in range(50):
        followed.is_booting("n0011")
    assert len(cluster.calls) == 1


def test_an_unknown_log_service_is_named_with_what_there_is(new_cluster):
    cluster = new_cluster()

    def missing(_service):
        raise NoSuchObject("no", text="NotFound")

    cluster.log_entries = missing
    with pytest.raises(
        NoSuchObject, match=r"logservice2 \(did you mean logservice1\?\); there are: logservice1"
    ) as caught:
        Log(cluster, "logservice2")
    assert caught.value.failed_object == "logservice2"


def test_news_are_told_once_and_only_of_the_databases_meant(new_cluster, monkeypatch):
    monkeypatch.setattr(log.time, "monotonic", iter(range(100)).__next__)
    cluster = new_cluster(entries=[entry("old", system="DB1")])
    followed = Log(cluster, "logservice1")
    cluster.entries += [
        entry("System is ready.", node="", system="DB1", priority="Notice"),
        entry("EXASolution db1 is accepting\n connections.", node=""),
        entry("EXASolution DB10 is rejecting connections", node=""),
        entry("unrelated"),
    ]
    assert followed.news_of(["DB1"]) == [
        "log: 2020-07-01 10:00:00 Notice DB1 System is ready.",
        "log: 2020-07-01 10:00:00 Information EXASolution db1 is accepting connections.",
    ]
    assert followed.news_of(["DB1"]) == []
    assert followed.news_of(["DB10"]) == [
        "log: 2020-07-01 10:00:00 Information EXASolution DB10 is rejecting connections"
    ]


@pytest.mark.parametrize("name", ["a.b", "a+b", "(x", "[", "\\"])
def test_names_are_no_patterns(new_cluster, monkeypatch, name):
    monkeypatch.setattr(log.time, "monotonic", iter(range(100)).__next__)
    cluster = new_cluster()
    followed = Log(cluster, "logservice1")
    cluster.entries += [entry(f"EXASolution {name} started"), entry("aXb aab x")]
    assert len(followed.news_of([name])) == 1


@pytest.mark.parametrize(
    ("given", "passes"),
    [
        ({}, True),
        ({"since": "2020-07-01"}, True),
        ({"since": "2020-07-01 10:00:00"}, True),
        ({"since": "2020-07-02"}, False),
        ({"level": "Notice"}, True),
        ({"level": "Warning"}, True),
        ({"level": "Error"}, False),
        ({"pattern": "disk .*full"}, True),
        ({"pattern": "^full"}, False),
        ({"nodes": ["n0011"]}, True),
        ({"nodes": ["n0012", "11"]}, True),
        ({"nodes": ["n0012"]}, False),
        ({"databases": ["DB1"]}, True),
        ({"databases": ["DB2"]}, False),
        ({"databases": ["DB1"], "level": "Error"}, False),
    ],
)
def test_filters(given, passes):
    options = {"since": None, "level": "Information", "pattern": None, "nodes": [], "databases": [], **given}
    found = message_filter(**options)(entry("disk is full", system="DB1", priority="Warning"))
    assert found is passes


def test_a_priority_of_a_later_version_is_shown():
    assert message_filter(None, "Error", None, [], [])(entry("x", priority="Critical"))


def test_what_is_no_pattern_is_said():
    with pytest.raises(ClusterError, match="pattern '\\(' is not a regular expression"):
        message_filter(None, "Error", "(", [], [])


def test_a_log_service_that_hangs_holds_nobody_up(new_cluster):
    cluster = new_cluster(entries=[{"message": "old", "node": "n0011"}])
    over, begun = threading.Event(), threading.Event()
    found = Log(cluster, "logservice1")

    def hanging(_service):
        begun.set()
        over.wait(10)
        return []

    cluster.log_entries = hanging
    reader = threading.Thread(target=lambda: found.entries(fresh=-1), daemon=True)
    reader.start()
    assert begun.wait(5)
    assert [entry["message"] for entry in found.entries(fresh=-1)] == ["old"]
    over.set()
    reader.join(5)
    assert found.entries(fresh=1000) == []

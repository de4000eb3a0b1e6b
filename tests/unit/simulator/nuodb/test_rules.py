# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Safety rules: what breaks each, and what doesn't."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.rules import RULES

from .conftest import DOWN, Lab

BROKEN: dict[str, Callable[[Lab], str]] = {}


def broken_by(rule: str) -> Callable[[Callable[[Lab], str]], Callable[[Lab], str]]:
    """What breaks a rule; it returns the object's name."""

    def keep(function: Callable[[Lab], str]) -> Callable[[Lab], str]:
        BROKEN[rule] = function
        return function

    return keep


@broken_by("archive-start-repeated")
def _started_twice(one: Lab) -> str:
    one.refused("POST", "processes", {"dbName": "test", "engineType": "SM", "archiveId": 0, "host": "server0"})
    return "0"


@broken_by("last-sm-stopped-under-tes")
def _last_sm(one: Lab) -> str:
    one.stop(0)
    assert one.rules() == []
    one.stop(1)
    return "1"


@broken_by("last-sm-of-group-stopped-under-tes")
def _last_sm_of_group(one: Lab) -> str:
    one.ok("POST", "archives/addStorageGroup?timeout=5", {"dbName": "test", "sgName": "a", "archiveId": 1})
    one.pass_time(1)
    one.stop(1)
    return "1"


@broken_by("server-stopped-under-processes")
def _server(one: Lab) -> str:
    one.ok("POST", "peers/server1/shutdown?evictLocal=True")
    return "server1"


@broken_by("majority-lost-under-database")
def _majority(one: Lab) -> str:
    one.power(2, False)
    assert one.rules() == []
    one.power(1, False)
    one.domain.record.rules.pop(0)
    return "server1"


@broken_by("archive-deleted-under-sm")
def _archive(one: Lab) -> str:
    one.refused("DELETE", "archives/1?purge=False")
    return "1"


@broken_by("archives-in-one-directory")
def _one_directory(one: Lab) -> str:
    path = one.ok("GET", "archives/0")["path"]
    body = {"dbName": "test", "path": f"lsa:{path}/", "host": "server0"}
    return str(one.ok("POST", "archives", body)["id"])


@broken_by("database-deleted-while-running")
def _database(one: Lab) -> str:
    one.refused("DELETE", "databases/test?purge=True")
    return "test"


@broken_by("server-removed-while-connected")
def _removed(one: Lab) -> str:
    one.ok("DELETE", "peers/server2")
    return "server2"


@broken_by("process-killed")
def _killed(one: Lab) -> str:
    one.stop(2, kill=True)
    return "2"


@broken_by("archives-started-in-part")
def _in_part(one: Lab) -> str:
    one.ok("POST", "databases/test/shutdown")
    one.pass_time(10)
    one.start(0)
    one.start()
    assert one.rules() == []
    one.pass_time(12)
    assert one.domain.record.rules[0]["call_n"] == 2
    return "test"


def test_each_rule_is_broken_by_what_it_says(lab: Callable[..., Lab]) -> None:
    assert set(BROKEN) == set(RULES)
    for rule, act in BROKEN.items():
        one = lab()
        name = act(one)
        assert one.rules() == [(rule, name)], rule
        assert one.domain.record.rules[0]["text"].startswith(RULES[rule])


def test_what_breaks_none(lab: Callable[..., Lab]) -> None:
    one = lab()
    # a TE goes, a hung one is killed, one that is asked to go already too
    one.stop(2)
    one.fault(kind="stays", object="start_id 3", state="REQUESTED_SHUTDOWN")
    one.stop(3, kill=True)
    one.stop(2, kill=True)
    one.act("/die", start_id="1")
    one.power(2, False)
    one.pass_time(5)
    one.ok("DELETE", "peers/server2")
    one.ok("POST", "databases/test/shutdown")
    one.pass_time(5)
    one.ok("POST", "peers/server1/shutdown")
    one.ok("DELETE", "archives/1?purge=False")
    one.ok("DELETE", "databases/test?purge=True")
    assert one.rules() == []


def test_a_te_without_sms_breaks_none(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN)
    one.start()
    one.pass_time(12)
    assert (one.processes(), one.rules()) == ({}, [])

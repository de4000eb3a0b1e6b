# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chosen and random faults."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.rehearsal import faults, topology
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd.faults import (
    ON_MACHINES as OF_CONFD,
)
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.eao.faults import ON_MACHINES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import ON_CALLS, parse
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.faults import ON_ENGINES
from ansible_collections.dbfleet.cluster.tests.unit.rehearsal.test_topology import EXA, NUO

UP = {**EXA, "databases": {name: {"state": "running"} for name in ("DB1", "DB2", "DB3")}}


def copy(product: str, row: dict[str, Any], state: str) -> dict[str, Any]:
    return topology.shaped(product, row, "copy", state, 0.01, {}, {})


def test_faults_by_their_names() -> None:
    rows, count = faults.parsed(["never_boots:n0012", "fails_to_start", "random", "random:2", {"kind": "dies"}], "h")
    assert rows == [{"kind": "never_boots", "object": "n0012"}, {"kind": "fails_to_start"}, {"kind": "dies"}]
    assert count == 3
    (row,), _count = faults.parsed(["reset_after:POST databases/shutdown"], "h")
    assert row == {"kind": "reset_after", "method": "POST databases/shutdown", "max_count": 1}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"object": "n11"}, "needs a kind"),
        (":DB1", "needs a kind, which must be a text: :DB1"),
        (["dies"], "needs a kind"),
        ({"kind": ["dies"]}, "needs a kind, which must be a text"),
        ("random:many", "must be a whole number"),
        ("reset", "the fault reset names no call"),
        ({"kind": "hang", "method": "*"}, "the fault hang names no call"),
        ("wrong_state", "names no call"),
    ],
)
def test_faults_that_cannot_be_read(given: Any, says: str) -> None:
    with pytest.raises(ClusterError, match=says):
        faults.parsed([given], "h")


def test_each_of_its_names_is_one_of_the_simulator() -> None:
    assert {*faults.OF_CALLS, faults.WRONG_STATE} == set(ON_CALLS)
    of_machines = {"exaoperation": ON_MACHINES, "confd": OF_CONFD, "nuodb": ON_ENGINES}
    assert {server: {*kinds} for server, kinds in faults.OF_MACHINES.items()} == {
        server: {*kinds} for server, kinds in of_machines.items()
    }
    cases = [
        ("exa", UP, "exa_cold_start", "down"), ("exa", UP, "exa_graceful_shutdown", "now"),
        ("nuodb", NUO, "nuodb_cold_start", "down"), ("nuodb", NUO, "nuodb_graceful_shutdown", "now"),
        ("nuodb", NUO, "nuodb_recover", "now"), ("nuodb", NUO, "nuodb_rolling_restart", "now"),
    ]  # fmt: skip
    for product, row, runbook, state in cases:
        found = faults.candidates(runbook, {}, copy(product, row, state))
        assert found, runbook
        for one in found:
            parse(one, ON_ENGINES if product == "nuodb" else ON_MACHINES)


@pytest.mark.parametrize(
    ("product", "given", "says"),
    [
        ("exa", "nevr_stops:DB1", r"h: there is no fault nevr_stops \(did you mean never_stops\?\) on this copy; "),
        ("exa", "loses_history:1", "there is no fault loses_history on this copy"),
        ("nuodb", "never_boots:n0011", "there is no fault never_boots .*on this copy"),
        (
            "exa", "never_stops:DB9",
            r"never_stops:DB9 names an object that the copy doesn't have \(did you mean DB.\?\); the copy has: n0011 ",
        ),  # fmt: skip
        ("exa", "never_boots:n13", r"doesn't have.*; the copy has: n0011 n0012 n0010$"),
        ("exa", {"kind": "never_connects", "object": ["DB1"]}, "names an object that the copy doesn't have"),
    ],
)
def test_what_the_copy_cannot_have_is_refused_before_it_is_made(product: str, given: Any, says: str) -> None:
    row = copy(product, UP if product == "exa" else NUO, "now")
    with pytest.raises(ClusterError, match=says):
        faults.refuse_odd(faults.parsed([given], "h")[0], row, "h")


def test_what_the_copy_can_have() -> None:
    given = ["never_stops:DB1", "never_boots:n0010", "never_boots:*", "never_connects", "reset:stopDatabase", "dies:x"]
    faults.refuse_odd(faults.parsed(given, "h")[0], copy("exa", UP, "down"), "h")
    faults.refuse_odd(faults.parsed(["stays:TE", "dies:5"], "h")[0], copy("nuodb", NUO, "down"), "h")


def test_lists_that_came_as_a_text() -> None:
    values = {"exa_cold_start_ignore_nodes": "n0011, n0012", "exa_cold_start_databases": "DB2\nDB3"}
    found = faults.candidates("exa_cold_start", values, copy("exa", UP, "down"))
    assert [one["object"] for one in found if "object" in one] == ["DB2", "DB2", "DB3", "DB3"]


def test_what_a_runbook_may_meet() -> None:
    values = {"exa_cold_start_ignore_nodes": ["n0011"], "exa_cold_start_databases": ["DB2"]}
    found = faults.candidates("exa_cold_start", values, copy("exa", UP, "down"))
    assert [faults.said(one) for one in found] == [
        "never_boots:n0012", "fails_to_start:DB2", "never_connects:DB2",
        "reset:startDatabase", "reset_after:startDatabase", "server_error:startDatabase",
    ]  # fmt: skip
    values = {"nuodb_database_state_state": "stopped", "nuodb_database_state_databases": [{"name": "shop"}]}
    found = faults.candidates("nuodb_database_state", values, NUO)
    assert faults.said(found[0]) == "stays:shop (REQUESTED_SHUTDOWN)"
    values = {"exa_database_state_state": "restarted", "exa_database_state_databases": ["DB1"]}
    found = faults.candidates("exa_database_state", values, UP)
    assert [faults.said(one) for one in found[:3]] == ["never_stops:DB1", "fails_to_start:DB1", "never_connects:DB1"]
    assert faults.candidates("exa_database_state", {"exa_database_state_state": "started"}, UP) == []


def test_a_seed_draws_the_same_again() -> None:
    among = faults.candidates("exa_graceful_shutdown", {}, UP)
    drawn = [faults.drawn([{"kind": "never_stops"}], 2, among, seed, "h") for seed in (1, 1, 2, 3, 4)]
    assert drawn[0] == drawn[1]
    assert len({str(one) for one in drawn}) > 2
    for rows in drawn:
        assert rows[0]["kind"] == "never_stops"
        assert len({str(row) for row in rows}) == 3


def test_a_call_has_one_fault_for_it_is_made_once() -> None:
    among = faults.candidates("exa_graceful_shutdown", {}, {**UP, "databases": {"DB1": {"state": "running"}}})
    for seed in range(20):
        methods = [one["method"] for one in faults.drawn([], 2, among, seed, "h") if "method" in one]
        assert methods == ["stopDatabase"]
    with pytest.raises(ClusterError, match="3 random faults are wanted, and only 2 are possible"):
        faults.drawn([], 3, among, 1, "h")
    chosen = [{"kind": "hang", "method": "stopDatabase", "max_count": 1}]
    assert faults.drawn(chosen, 1, among, 1, "h")[1]["kind"] == "never_stops"


def test_more_faults_than_there_can_be() -> None:
    with pytest.raises(ClusterError, match="2 random faults are wanted, and only 1 is possible"):
        faults.drawn([], 2, [{"kind": "dies", "object": "1"}], 1, "h")
    with pytest.raises(ClusterError, match="1 random fault is wanted, and none is possible"):
        faults.drawn([], 1, [], 1, "h")
    assert faults.drawn([{"kind": "never_stops"}], 0, [], 1, "h") == [{"kind": "never_stops"}]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts of a plan: by meaning, so that nothing makes them others while nothing happens."""

from __future__ import annotations

from typing import Any

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import plan_facts


def process(**more: Any) -> dict[str, Any]:
    row = {"db_name": "shop", "engine_type": "TE", "server_id": "server0", "durable_state": "MONITORED"}
    return {**row, "engine_state": "RUNNING", "archive_id": None, **more}


def domain(**more: Any) -> dict[str, Any]:
    server = {"state": "ACTIVE", "connected": "Connected", "evicted": False, "version": "7.0.2", "role": "LEADER"}
    archive = {"db_name": "shop", "server_id": "server0", "state": "RUNNING", "removed": False}
    found = {
        "servers": {"server0": server},
        "databases": {"shop": {"state": "RUNNING", "incarnation": [1, 4]}, "crm": {"state": "NOT_RUNNING"}},
        "archives": {"0": archive, "7": {**archive, "removed": True}},
        "processes": {
            "0": process(engine_type="SM", archive_id=0, pid=4711),
            "1": process(pid=4712),
            "2": process(durable_state="REQUESTED"),
        },
    }
    return {"domain": {**found, **more}}


def words(found: dict[str, Any], *names: str) -> dict[str, str]:
    return {one["object"]: one["is"] for one in plan_facts.of(found, names)}


def test_a_domain() -> None:
    assert words(domain()) == {
        "server server0": "ACTIVE, Connected, 7.0.2",
        "database shop": "RUNNING",
        "database crm": "NOT_RUNNING",
        "archive 0 of shop on server0": "RUNNING",
        "SM of archive 0 of shop on server0": "MONITORED:RUNNING",
        "TE of shop on server0": "MONITORED:RUNNING, REQUESTED:RUNNING",
    }
    assert plan_facts.identity(domain()) == ["crm", "server0", "shop"]


def test_of_named_databases_nothing_else_counts() -> None:
    assert set(words(domain(), "crm")) == {"server server0", "database crm"}


def test_what_varies_by_itself() -> None:
    """Start IDs, process IDs, incarnations and the leader."""
    later = domain(
        processes={
            "9": process(pid=1),
            "10": process(engine_type="SM", archive_id=0),
            "11": process(durable_state="REQUESTED"),
        },
        databases={"shop": {"state": "RUNNING", "incarnation": [1, 9]}, "crm": {"state": "NOT_RUNNING"}},
    )
    later["domain"]["servers"]["server0"]["role"] = "FOLLOWER"
    assert words(later) == words(domain())


def test_an_evicted_server() -> None:
    server = {"state": "ACTIVE", "connected": "Connected", "evicted": True}
    assert words(domain(servers={"server0": server}))["server server0"] == "evicted"


def test_a_cluster() -> None:
    database = {"state": "running", "connectible": "No", "operation": "backup", "connection_string": "x"}
    seen = {"provider": "confd", "version": "7.1.4", "master": "n12", "nodes": {"n11": {"state": "offline"}}}
    found = {"cluster": {**seen, "databases": {"DB1": database}}, "identity": ["https://n11", "C5ED"]}
    assert words({**found, "denied": {"services": "x"}}) == {
        "version": "confd 7.1.4",
        "node n11": "offline",
        "database DB1": "running, not connectable, operation backup",
        "services": "not shown to this user",
    }
    assert plan_facts.identity(found) == ["C5ED"]
    assert plan_facts.identity({"cluster": found["cluster"]}) == ["DB1", "n11"]


def test_a_cluster_that_does_not_answer() -> None:
    assert plan_facts.of({"failed": True, "failure": "unreachable"}, []) == []
    assert plan_facts.identity({"failed": True}) == []

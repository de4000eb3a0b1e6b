# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runbook nuodb_cold_start, from stopped services to MONITORED:RUNNING."""

from __future__ import annotations

import json

from domains import all_run, database, domain, running, service_hook, starts
from world import in_order


def test_from_stopped_services_to_running_and_again(simulate, ansible, tmp_path):
    servers = ["server0", "server1", "server2"]
    topology = domain(
        servers=3,
        databases={"shop": database(), "hr": database(["server2"], ["server2", "server2"])},
        stopped=servers,
    )
    simulator = simulate(topology)
    hosts = simulator.inventory(
        **simulator.hook(),
        nuodb_cold_start_hooks={"start_servers": service_hook(tmp_path, "services", servers)},
    )
    run = ansible.run("nuodb_cold_start", hosts).ok()

    assert all_run(simulator)
    assert running(simulator) == [
        "hr SM 2", "hr TE server2", "hr TE server2", "shop SM 0", "shop SM 1", "shop TE server0", "shop TE server1",
    ]  # fmt: skip
    in_order(simulator.changes(), starts("shop SM 0", "shop SM 1"), starts("shop TE server0", "shop TE server1"))
    in_order(simulator.changes(), starts("hr SM 2"), starts("hr TE server2"))
    assert len(simulator.changes()) == 7
    assert run.lines(r"\(1/4\) servers")
    assert run.lines(r"\(4/4\) verify")
    assert run.lines(r"plan of cold start")
    assert run.lines(r"nuodb_cold_start: ok")
    assert run.custom["nuo-prod"]["result"] == "ok"
    assert list(run.custom["nuo-prod"]["phases"]) == ["servers", "storage", "transactions", "verify"]
    assert "servers 3/3 active" in run.one("The domain at the end")["summary"]

    simulator.forget()
    again = ansible.run("nuodb_cold_start", hosts).ok()
    assert again.changed() == 0
    assert simulator.changes() == []


def _half_started(name):
    """Somebody's start is under way: one SM recovers its archive, the other has yet to fork."""
    topology = domain(name, databases={"shop": database(sm_start=12)})
    rows = {"7": ("server0", 0, "CONFIGURED"), "8": ("server1", 1, "REQUESTED")}
    for start_id, (server, archive_id, state) in rows.items():
        row = {"db_name": "shop", "engine_type": "SM", "server_id": server, "archive_id": archive_id}
        topology["processes"][start_id] = {**row, "durable_state": state}
    topology["databases"]["shop"]["incarnation"] = [2, 0]
    return topology


def test_ways_of_a_cold_start(simulate, ansible, tmp_path):
    """Several domains in one run, each started in another way or with a difficulty of its own."""
    two = {"shop": database(tes=["server1", "server1"])}
    awaits = {"settings": {"leaderAssignmentTimeout": 600000}}
    unused = domain("away-ignored", 3, databases={"shop": database(["server0"])}, stopped=["server2"])
    # An archive that was created, and never used: nobody waits for its history.
    place = {"db_name": "shop", "server_id": "server2", "archive_path": "/var/opt/nuodb/archive/new"}
    unused["archives"]["1"] = {**place, "state": "PROVISIONED"}
    simulator = simulate(
        unused,
        domain("by-list", databases=two),
        domain("by-count", 3, databases=two),
        domain("by-plan", databases=two),
        domain("as-before", databases=two),
        domain("too-few", databases={"shop": database(killed=["server0"])}),
        domain("first-time", databases={"shop": database(never=True)}),
        domain("away", 3, databases={"shop": database(["server0", "server2"])}, stopped=["server2"], **awaits),
        domain("other-plan", databases=two),
        domain("unknown", databases=two),
        domain("no-database", databases={"shop": database()}),
        _half_started("under-way"),
    )
    plan = {"incremental": False, "processes": []}
    for archive_id, server in enumerate(["server0", "server1"]):
        plan["processes"].append({"archiveId": archive_id, "dbName": "shop", "engineType": "SM", "host": server})
    labels = {"labels": {"tier": "gold"}, "overrideOptions": {"mem": "2G"}}
    plan["processes"].append({"dbName": "shop", "engineType": "TE", "host": "server0", **labels})
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    (tmp_path / "other.json").write_text(json.dumps({**plan, "processes": plan["processes"][1:]}))
    hosts = simulator.inventory()
    wanted = {
        "by-list": {"te_server_ids": ["server0", "server1", "server0"]},
        "by-count": {"te_count": 3},
        "by-plan": {"start_plan": str(tmp_path / "plan.json")},
        "other-plan": {"start_plan": str(tmp_path / "other.json")},
        "unknown": {"te_server_ids": ["server7"]},
    }
    for name, tes in wanted.items():
        hosts[name]["nuodb_databases"] = [{"name": "shop", **tes}]
    hosts["no-database"]["nuodb_databases"] = ["shoppe"]
    for name in ("away", "away-ignored"):
        hosts[name]["nuodb_cold_start_require"] = "quorum"
    hosts["away-ignored"].update(
        nuodb_cold_start_ignore_archives=[1], nuodb_databases=[{"name": "shop", "te_count": 1}]
    )
    simulator.fault("stays", cluster="under-way", object="SM", state="CONFIGURED")
    started = ansible.start("nuodb_cold_start", hosts)
    started.wait_line(r"\[under-way\] processes: wait for ")
    simulator.mend("under-way")
    run = started.finish().failed()

    refused = {"too-few", "first-time", "away", "other-plan", "unknown", "no-database"}
    assert {host for host, row in run.stats.items() if row["failures"]} == refused, run.out
    storage = ["shop SM 0", "shop SM 1"]
    assert running(simulator, "by-list") == [*storage, "shop TE server0", "shop TE server0", "shop TE server1"]
    assert running(simulator, "by-count") == [*storage, "shop TE server0", "shop TE server1", "shop TE server2"]
    assert running(simulator, "by-plan") == [*storage, "shop TE server0"]
    assert running(simulator, "as-before") == [*storage, "shop TE server1", "shop TE server1"]
    assert running(simulator, "away-ignored")[0] == "shop SM 0"
    assert len(running(simulator, "away-ignored")) == 2
    (labelled,) = [row for row in simulator.state("by-plan")["processes"].values() if row["engine_type"] == "TE"]
    assert labelled["labels"] == {"tier": "gold"}
    for name in refused:
        assert simulator.changes(name) == [], name
        assert len(run.lines(rf"^\[{name}\] cause: ")) == 1

    says = {name: run.failures(name)[0] for name in refused}
    for name in ("too-few", "first-time"):
        assert f"{name}: shop: no option says where its TEs should run" in says[name]
        assert run.lines(rf"\[{name}\] hint: .*te_server_ids, te_count or start_plan.*nuodb_databases")
    assert "away: shop:archive1@server2: server server2 isn't connected" in says["away"]
    assert run.lines(r"\[away\] hint: .*nuodb_archive state=purged")
    assert "the start plan doesn't match the database: it lacks archive 0" in says["other-plan"]
    assert "server7" in says["unknown"]
    assert "there is no database shoppe (did you mean shop?)" in says["no-database"]

    # What was under way is joined, and only what it lacks is requested.
    assert sorted(simulator.changes("under-way")) == starts("shop TE server0", "shop TE server1")
    assert run.one("The SMs of every archive run", "under-way")["joined"]
    assert all_run(simulator, "under-way")

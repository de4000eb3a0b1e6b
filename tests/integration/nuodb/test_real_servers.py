# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a client would not guess of servers: prefixes of paths, APs without a vote, reads that are not committed."""

from __future__ import annotations

from typing import Any

from domains import database, domain
from world import Run, play

PREFIX = "dbfleet.cluster."


def task(ansible: Any, simulator: Any, module: str, **options: Any) -> Run:
    run: Run = ansible.run([play([{"name": "Task", PREFIX + module: options}], "nuodb")], simulator.inventory())
    return run


def test_a_prefix_does_not_make_another_archive(simulate: Any, ansible: Any) -> None:
    topology = domain(databases={"shop": database(["server0"], ["server0"], up=True)})
    simulator = simulate(topology)
    there = {"server_id": "server0", "archive_path": f"file:{topology['archives']['0']['archive_path']}"}
    task(ansible, simulator, "nuodb_archive", db_name="shop", archives=[there]).ok()
    assert simulator.changes() == []


def test_passive_aps_are_not_counted(simulate: Any, ansible: Any) -> None:
    """Two of three voters are a majority, though two more APs are away that have no vote."""
    topology = domain(servers=5, databases={"shop": database(["server0"], ["server0"])})
    topology["servers"]["server2"]["state"] = "stopped"
    for name in ("server3", "server4"):
        topology["servers"][name] = {"state": "stopped", "passive": True}
    simulator = simulate(topology)
    task(ansible, simulator, "nuodb_database", databases=["shop"], state="running").ok()
    assert simulator.phases() == {"shop": "RUNNING"}


def test_a_read_that_is_not_committed_is_asked_again(simulate: Any, ansible: Any) -> None:
    simulator = simulate(domain(databases={"shop": database(up=True)}))
    said = {"text": "Raft command was not applied", "status": 500}
    simulator.fault("fault", method="GET databases", max_count=1, **said)
    found = task(ansible, simulator, "nuodb_domain_info").ok().one("Task")
    assert found["domain"]["databases"]["shop"]["state"] == "RUNNING"
    assert len(simulator.calls("GET databases")) == 2


def test_an_archive_is_brought_back_as_the_vendor_s_client_does(simulate: Any, ansible: Any) -> None:
    topology = domain(databases={"shop": database()})
    simulator = simulate(topology)
    task(ansible, simulator, "nuodb_archive", db_name="shop", archives=[{"archive_id": 1}], state="absent").ok()
    simulator.forget()
    there = {"server_id": "server1", "archive_path": topology["archives"]["1"]["archive_path"]}
    task(ansible, simulator, "nuodb_archive", db_name="shop", archives=[there]).ok()
    (sent,) = simulator.calls(changing=True)
    assert "restored" not in str(sent["args"])

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks that only read, with Exasol clusters and NuoDB domains in one play."""

from __future__ import annotations

from domains import connection, database, die, domain, start_ids
from world import cluster


def test_check_and_status(simulate, ansible):
    up = {"shop": database(up=True)}
    simulator = simulate(
        cluster("exa-up", up=True),
        domain("good", databases={"shop": database()}),
        domain("lost", databases=up),
        domain("busy", databases=up, timing={"hotcopy": 600}),
        domain("wrong", databases=up),
        domain("untrusted", databases=up),
        domain("dark", 3, databases=up, stopped=["server2"]),
    )
    die(simulator, start_ids(simulator, "lost", archive_id=1)[0], "lost")
    connection(simulator, "busy").hotcopy_database("shop", "full", default_backup_dir="/backup")
    simulator.forget()
    hosts = simulator.inventory()
    hosts["wrong"]["nuodb_api_password"] = "no"
    del hosts["untrusted"]["nuodb_ca_path"]

    run = ansible.run("check", hosts).failed()
    assert {name for name, row in run.stats.items() if row["failures"]} == {"wrong", "untrusted", "dark"}, run.out
    assert "HTTP 401" in run.failures("wrong")[0]
    assert "connection refused" in run.failures("dark")[0]
    assert "certificate" in run.failures("untrusted")[0]
    assert run.lines(r"\[good\] processes: would start SM .*: shop:archive0@server0 shop:archive1@server1")
    assert run.lines(r"\[lost\] found: shop runs on 1 of 2 archives, its redundancy is lost: archive 1")
    assert run.lines(r"\[busy\] refused: .*hot copy .* is running")
    assert run.lines(r"\[exa-up\] databases: would stopDatabase")
    for name in simulator.names:
        assert simulator.changes(name) == []

    simulator.forget()
    del hosts["wrong"], hosts["untrusted"]
    status = ansible.run("status", hosts).ok()
    assert status.changed() == 0
    said = {name: status.custom[name]["summary"] for name in hosts}
    assert said["exa-up"].startswith("exa-up: nodes 2/2 online; services OK; databases 1/1 connectable")
    assert said["good"].startswith("good: servers 2/2 active; leader server0; databases 0/1 up (shop NOT_RUNNING)")
    assert "databases 1/1 up (shop AWAITING_ARCHIVE_HISTORIES_INC); archives not running: 1" in said["lost"]
    assert "servers 2/3 active (not: server2); leader server0" in said["dark"]
    assert "2 SM, 2 TE running" in said["busy"]
    for name in ("good", "lost", "busy", "dark"):
        assert len(simulator.calls(cluster=name)) <= 4

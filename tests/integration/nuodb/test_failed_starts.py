# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs after a start or a recovery that came to nothing, or only half of the way."""

from __future__ import annotations

from domains import all_run, connection, database, domain, down, running, starts
from world import until

TES = ["shop TE server0", "shop TE server1"]
ALL = ["shop SM 0", "shop SM 1", *TES]


def storage_runs(simulator, name):
    """Somebody started the SMs, and no TE."""
    for archive_id in (0, 1):
        connection(simulator, name).start_process("shop", f"server{archive_id}", "SM", archive_id)
    until(f"the SMs of {name} run", lambda: len(running(simulator, name)) == 2)


def tes_failed(simulator, name):
    """Both TEs exited before they had joined."""
    fault = simulator.fault("never_starts", cluster=name, object="TE")
    for server in ("server0", "server1"):
        connection(simulator, name).start_process("shop", server, "TE")
    until(f"the TEs of {name} have failed", lambda: len(simulator.state(name)["tombstones"]) == 6)
    simulator.admin(f"/faults?id={fault}", method="DELETE", cluster=name)


def test_an_end_without_tes_does_not_tell_that_none_is_wanted(simulate, ansible):
    """TEs that never joined, or SMs alone: the TEs of before are started, or the variable is named."""
    down_before, unknown = {"shop": database()}, {"shop": database(tes=[], up=True)}
    simulator = simulate(
        domain("tes-failed", databases=down_before),
        domain("sms-alone", databases=down_before),
        domain("unknown", databases=unknown),
        domain("recover", databases=down_before),
        domain("recover-unknown", databases=unknown),
    )
    for name in ("tes-failed", "sms-alone", "recover"):
        storage_runs(simulator, name)
    for name in ("tes-failed", "recover"):
        tes_failed(simulator, name)
    connection(simulator, "sms-alone").shutdown_database("shop")
    until("sms-alone is down", lambda: down(simulator, "sms-alone"))
    simulator.forget()

    hosts = simulator.inventory()
    for playbook, wanted in (
        ("nuodb_cold_start", {"tes-failed": TES, "sms-alone": ALL, "unknown": []}),
        ("nuodb_recover", {"recover": TES, "recover-unknown": []}),
    ):
        run = ansible.run(playbook, {name: hosts[name] for name in wanted}).failed()
        assert {name for name, row in run.stats.items() if row["failures"]} == {list(wanted)[-1]}, run.out
        for name, missing in wanted.items():
            assert sorted(simulator.changes(name)) == starts(*missing), name
            if missing:
                assert all_run(simulator, name)
                assert running(simulator, name) == ALL
            else:
                assert f"{name}: shop: where its TEs should run isn't said" in run.failures(name)[0]
                assert run.lines(rf"\[{name}\] hint: .*te_server_ids.*nuodb_databases")

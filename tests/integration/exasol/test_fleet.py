# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many clusters in one run: none waits for another."""

from __future__ import annotations

from world import cluster


def test_the_fast_end_while_the_slow_still_boot(simulate, ansible):
    """A slow cluster is let on only after the others have printed their end tables, the broken one's too."""
    simulator = simulate(cluster("slow"), cluster("fast", databases=2), cluster("broken"), cluster("waits"))
    held = simulator.fault("never_boots", cluster="slow", object="n0012")
    simulator.fault("unauthorized", cluster="broken", method="startupNode")
    run = ansible.start("exa_cold_start", simulator.inventory(), "--forks", "3")
    run.wait_line(r"\[broken\] exa_cold_start: failed")
    run.wait_line(r"\[fast\] exa_cold_start: ok")
    run.wait_line(r"\[waits\] exa_cold_start: ok")
    assert "[slow] exa_cold_start" not in run.out
    assert simulator.state("slow")["nodes"]["n0012"]["state"] == "booting"
    simulator.admin(f"/faults?id={held}", method="DELETE", cluster="slow")
    result = run.finish().failed()
    assert {name: row["failures"] for name, row in result.stats.items()} == {
        "slow": 0,
        "fast": 0,
        "broken": 1,
        "waits": 0,
    }
    assert all(simulator.all_connectable(name) for name in ("slow", "fast", "waits"))
    assert {name: row["result"] for name, row in result.custom.items()} == {
        "slow": "ok", "fast": "ok", "broken": "failed", "waits": "ok",
    }  # fmt: skip
    (warning,) = [row for row in result.of("Every phase up to the first hook") if row.get("warnings")]
    assert "4 clusters but only 3 forks" in warning["warnings"][0]
    assert "--forks 4" in warning["warnings"][0]


def test_shut_down_together(simulate, ansible):
    simulator = simulate(*(cluster(name, up=True) for name in ("exa-a", "exa-b", "exa-c")))
    ansible.run("exa_graceful_shutdown", simulator.inventory(), "-e", "confirm=exa-a,exa-b,exa-c").ok()
    for name in simulator.names:
        assert not simulator.state(name)["exaoperation_running"]

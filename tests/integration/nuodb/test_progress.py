# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress of NuoDB domains is seen while it is waited for, and none waits for another."""

from __future__ import annotations

import re

from domains import all_run, connection, database, domain, down, start_ids
from world import until


def test_lines_come_during_the_wait_while_others_end(simulate, ansible):
    """The simulator goes on only after the test has read the line; the others have ended by then."""
    two = {"shop": database()}
    far = {"settings": {"leaderAssignmentTimeout": 600000}}
    simulator = simulate(*(domain(name, databases=two, **far) for name in ("slow", "fast", "broken")))
    held = {name: simulator.fault("stays", cluster="slow", object=name, state="CONFIGURED") for name in ("1", "TE")}
    simulator.fault("unauthorized", cluster="broken", method="POST processes")

    def release(name):
        simulator.admin(f"/faults?id={held[name]}", method="DELETE", cluster="slow")

    run = ansible.start("nuodb_cold_start", simulator.inventory(), environment={"DBFLEET_HEARTBEAT": "0.5"})
    run.wait_line(
        r"\[slow\] processes: \d\d:\d\d  1/4 running, waiting for .*shop:archive1@server1 \(CONFIGURED:UNKNOWN\)"
    )
    run.wait_line(r"\[broken\] nuodb_cold_start: failed")
    run.wait_line(r"\[fast\] nuodb_cold_start: ok")
    assert "[slow] nuodb_cold_start" not in run.out
    # Nothing changes now, and still it is said that it waits.
    run.wait_for("heartbeats", lambda: len(re.findall(r"\[slow\].* 1/4 running", run.out)) >= 3)
    release("1")
    run.wait_line(r"\[slow\] processes: \d\d:\d\d  2/4 running, waiting for .*TE1@.*\(CONFIGURED:UNKNOWN\)")
    release("TE")
    result = run.finish().failed()
    assert result.lines(r"\[slow\] processes: \d\d:\d\d  [24]/[24] running$")
    assert {name: row["failures"] for name, row in result.stats.items()} == {"slow": 0, "fast": 0, "broken": 1}
    assert "HTTP 401" in result.failures("broken")[0]
    assert all_run(simulator, "slow")
    assert all_run(simulator, "fast")


def test_a_domain_of_today(simulate, ansible):
    """SMs wait for histories in TRACKED, node IDs are start IDs and prove nothing, a journal's recovery is shown."""
    newer = {
        "awaiting_histories": "TRACKED", "node_id_is_start_id": True, "recovery_progress": True,
        "leaderAssignmentTimeout": 600000,
    }  # fmt: skip
    simulator = simulate(domain(databases={"shop": database()}, settings=newer))
    held = simulator.fault("stays", object="SM", state="CONFIGURED")
    connection(simulator).start_process("shop", "server0", "SM", 0)
    until("it waits", lambda: start_ids(simulator, durable_state="TRACKED", archive_id=0))

    run = ansible.start("nuodb_cold_start", simulator.inventory(), environment={"DBFLEET_HEARTBEAT": "0.5"})
    run.wait_line(r"\[nuo-prod\] processes: .*shop:archive0@server0 .*\(CONFIGURED:RECOVERING_JOURNAL, \d+% saved\)")
    simulator.admin(f"/faults?id={held}", method="DELETE")
    run.finish().ok()
    assert all_run(simulator)
    assert not start_ids(simulator, node_id=None)

    # A start that somebody called off before anything had joined is no run of the database.
    connection(simulator).shutdown_database("shop")
    until("it is down", lambda: down(simulator))
    simulator.fault("stays", object="SM", state="TRACKED")
    for archive_id in (0, 1):
        connection(simulator).start_process("shop", f"server{archive_id}", "SM", archive_id)
    until("they wait", lambda: len(start_ids(simulator, durable_state="TRACKED")) == 2)
    connection(simulator).shutdown_database("shop")
    until("it is down again", lambda: down(simulator))
    recovery = ansible.run("nuodb_recover", simulator.inventory()).ok()
    assert recovery.changed() == 0
    assert recovery.lines(
        "found: shop is down .*: its start was called off: the SM of archive . on server. .* was shut"
    )

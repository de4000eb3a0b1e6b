# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No run leaves a job behind whose result nobody fetches (CONFD-48), however the run ends."""

from __future__ import annotations

from world import confd

DOWN = {"DB1": {"state": "setup"}, "DB2": {"state": "setup"}}


def left(simulator, name=None):
    """The jobs that nobody has collected, and how many there were."""
    jobs = simulator.state(name)["jobs"].values()
    return sorted(job["name"] for job in jobs if not job["collected"]), len(jobs)


def none_left(simulator, name=None):
    rest, of_all = left(simulator, name)
    assert of_all, "no job was begun at all"
    assert rest == []


def test_runbooks_that_go_well(simulate, ansible):
    simulator = simulate(confd("one", databases=2, settings={"auto_start": False}))
    hosts = simulator.inventory(exa_graceful_shutdown_power="none")
    ansible.run("exa_graceful_shutdown", hosts, variables={"confirm": ["one"]}).ok()
    none_left(simulator)
    ansible.run("exa_cold_start", hosts).ok()
    none_left(simulator)
    assert set(simulator.changes()) == {"db_start DB1", "db_start DB2", "db_stop DB1", "db_stop DB2"}


def test_runs_that_fail(simulate, ansible):
    """Another database fails, the server refuses, a time-out with a job that is over, and one with a job that isn't."""
    quiet = {"auto_start": False}
    simulator = simulate(
        confd("dies", databases=DOWN, settings=quiet),
        confd("refused", databases=DOWN, settings=quiet),
        confd("mute", databases={"DB1": {"state": "setup", "connect": 600}}, settings=quiet),
        confd("slow", databases={"DB1": {"state": "setup", "start": 600}}, settings=quiet),
    )
    simulator.fault("fails_to_start", cluster="dies", object="DB1", text="no space left")
    simulator.fault("fault", cluster="refused", method="db_start", object="DB1", text="internal error")
    hosts = simulator.inventory(exa_wait_timeout=20)
    for name in ("mute", "slow"):
        hosts[name]["exa_wait_timeout"] = 4
    run = ansible.run("exa_cold_start", hosts).failed()
    assert {name for name, row in run.stats.items() if row["failures"]} == set(simulator.names), run.out
    for name in ("dies", "refused", "mute"):
        none_left(simulator, name)
    # It may go on for longer than anybody waits: then that is said, with what fetches it.
    assert left(simulator, "slow")[0] == ["db_start"]
    assert "slow: job 11." in run.out
    assert "goes on, and nobody fetches its result" in run.out.replace("\n", " ")


def test_a_module_that_fails_and_one_that_does_not_wait(simulate, ansible):
    volumes = {"DataVolume1": {"nodes": ["n11", "n12", "n13"]}}
    simulator = simulate(confd("one", databases=DOWN, volumes=volumes, settings={"auto_start": False}))
    hosts = simulator.inventory()
    started = {"databases": ["DB1"], "state": "started", "wait": False}
    ansible.run([{"name": "Start", "dbfleet.cluster.exa_database": started}], hosts).ok()
    options = {"job": "db_start", "params": {"db_name": "DB9"}, "mode": "async"}
    run = ansible.run([{"name": "Job", "dbfleet.cluster.exa_job": options}], hosts).failed()
    assert "DB9" in run.failures()[0]
    assert [name for name in left(simulator)[0] if name != "db_start"] == []
    # The one that isn't waited for is fetched by whoever awaits it by its number.
    job = next(number for number, row in simulator.state()["jobs"].items() if not row["collected"])
    ansible.run([{"name": "Await", "dbfleet.cluster.exa_job": {"job_id": job}}], hosts).ok()
    none_left(simulator)

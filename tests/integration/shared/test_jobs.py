# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of AWX: they run as any user, are killed in any phase or by their time-out, and are launched again.

What they know comes by injected files and variables alone. The gates kill one runbook of each product, `make matrix`
all of them.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from awx import Job
from domains import all_run, database, die, domain, down, start_ids
from secrecy import PASSWORD, spellings
from world import cluster, nobody_is_left, until

QUICK, STILL = "seconds:0.05", "seconds:1000"
"""Clocks: one by which a phase takes no time, and one by which none ends."""

USER = {"name": "admin", "password": PASSWORD}


def exa(**more: Any) -> dict[str, Any]:
    return cluster("one", users=[{**USER, "role": "Administrator"}], **more)


def nuo(**more: Any) -> dict[str, Any]:
    return domain("one", users=[USER], databases={"shop": database(**more)})


def _is_off(simulator: Any, name: str = "") -> bool:
    return {row["state"] for row in simulator.state(name or None)["nodes"].values()} == {"off"}


class Scene(NamedTuple):
    """What a runbook is run on.

    :ivar topology: of the cluster "one".
    :ivar reached: whether it has done what it is for.
    :ivar answers: of its survey, beside target and confirm.
    :ivar last: phases in which all is done, so that the next job begins anew.
    """

    topology: Callable[[], dict[str, Any]]
    reached: Callable[[Any], bool]
    answers: dict[str, str]
    last: tuple[str, ...] = ()


def _up(simulator: Any) -> bool:
    return bool(simulator.all_connectable())


SCENES = {
    "exa_cold_start": Scene(exa, _up, {}),
    "exa_graceful_shutdown": Scene(
        lambda: exa(up=True),
        _is_off,
        {
            "exa_graceful_shutdown_databases": "DB1\n",
            "exa_graceful_shutdown_unreachable": "down",
            "exa_wait_timeout": "600",
        },
    ),
    "exa_database_state": Scene(
        lambda: exa(up=True), _up, {"exa_database_state_state": "restarted", "exa_database_state_databases": "all"}
    ),
    "nuodb_cold_start": Scene(nuo, all_run, {"nuodb_cold_start_databases": "shop\n"}),
    "nuodb_graceful_shutdown": Scene(
        lambda: nuo(up=True), down, {"nuodb_graceful_shutdown_servers": "false", "nuodb_wait_timeout": "600"}
    ),
    "nuodb_database_state": Scene(
        lambda: nuo(up=True),
        all_run,
        {"nuodb_database_state_state": "restarted", "nuodb_database_state_databases": "all"},
    ),
    "nuodb_rolling_restart": Scene(
        lambda: nuo(up=True), all_run, {"nuodb_rolling_restart_databases": "shop\n"}, ("verify",)
    ),
    "nuodb_recover": Scene(
        lambda: nuo(up=True), all_run, {"nuodb_recover_databases": "shop", "nuodb_recover_require": "all"}
    ),
}

OF_EACH_PRODUCT = {"exa_graceful_shutdown", "nuodb_cold_start"}

RUN = sorted(RUNBOOKS) if os.environ.get("DBFLEET_SLIPS") == "all" else sorted(OF_EACH_PRODUCT)


def injected(simulator: Any, folder: Path) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Hosts that know no more than the name of their profile, and what a credential injects: a file and where it is."""
    file = folder / "tmpk3x9"
    variables = {name: simulator.variables(name) for name in simulator.names}
    profiles = {
        name: {key.partition("_")[2]: value for key, value in given.items()} for name, given in variables.items()
    }
    hosts = {name: {f"{next(iter(given)).partition('_')[0]}_profile": name} for name, given in variables.items()}
    file.write_text(yaml.safe_dump(profiles))
    file.chmod(0o600)
    return hosts, {"EXA_PROFILES_PATH": str(file), "NUODB_PROFILES_PATH": str(file)}


def no_secret(job: Job) -> None:
    for name, text in job.written().items():
        assert not [one for one in spellings(PASSWORD) if one in text], name


def test_every_runbook_has_a_scene() -> None:
    assert set(SCENES) == set(RUNBOOKS)


@pytest.mark.parametrize("runbook", RUN)
def test_jobs_that_are_cancelled_in_each_phase(runbook: str, simulate: Any, ansible: Any, tmp_path: Path) -> None:
    """AWX cancels by SIGKILL: nothing tells of the end. Job after job is killed, each in the next phase."""
    scene = SCENES[runbook]
    # A kill may fall between the requests of two SMs, which the next job completes.
    simulator = simulate(scene.topology(), broken=["archives-started-in-part"])
    if runbook == "nuodb_recover":
        die(simulator, start_ids(simulator, engine_type="SM")[0])
        simulator.admin("/rules", method="DELETE")
    hosts, environment = injected(simulator, tmp_path)
    answers = {"target": "one", "confirm": "one", **scene.answers}
    phases = [phase.name for phase in RUNBOOKS[runbook].phases]
    changes: list[str] = []

    def launch() -> Job:
        simulator.forget()
        simulator.clock(QUICK)
        return Job(ansible, runbook, hosts, answers, environment=environment, nobody=True)

    cut = []
    for number, phase in enumerate(phases[: len(phases) - len(scene.last)], 1):
        banner = re.compile(rf"\({number}/{len(phases)}\) {phase}")
        job = launch()
        until(
            f"{phase} of {runbook} begins", lambda job=job, banner=banner: banner.search(job.said()) or job.has_ended()
        )
        if job.has_ended():  # nothing was left to do
            job.finish().ok()
        else:
            simulator.clock(STILL)
            job.cancel()
            cut.append(phase)
            assert "failed here" not in job.said()
            changes += simulator.changes()
            nobody_is_left(simulator)
        no_secret(job)
    assert cut[:1] == phases[:1], "no job was killed"
    job = launch()
    run = job.finish().ok()
    changes += simulator.changes()
    assert run.lines(rf"^\[one\] {runbook}: ok"), run.out
    assert scene.reached(simulator), simulator.state()
    assert run.custom["one"]["result"] == "ok"
    no_secret(job)
    twice = {change: times for change, times in Counter(changes).items() if times > 1}
    if any(row["rule"] == "archives-started-in-part" for row in simulator.rules()):
        # The SM that was asked for alone has given up: the next job asks for all of them.
        twice = {change: times for change, times in twice.items() if not change.startswith("POST processes shop SM")}
    assert twice == {}, "what a killed job has begun is joined, not asked for again"


def test_a_job_that_reaches_its_time_out(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    """ansible-runner ends it as a cancel does. What it had begun goes on, and the next job joins it."""
    simulator = simulate(exa(timing={"boot": 1}), clock="seconds:600")
    hosts, environment = injected(simulator, tmp_path)
    given = {"target": "one"}
    job = Job(ansible, "exa_cold_start", hosts, given, environment=environment, nobody=True, timeout=15)
    until("the nodes boot", lambda: "startupNode n0011" in simulator.changes())
    job.finish("timeout")
    no_secret(job)
    nobody_is_left(simulator)
    simulator.clock(QUICK)
    Job(ansible, "exa_cold_start", hosts, given, environment=environment).finish().ok()
    assert "startupNode n0011" not in simulator.changes()
    assert simulator.all_connectable()


def test_a_relaunch_on_the_hosts_that_failed(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    """AWX knows them by the event of the statistics, and keeps every answer. What has succeeded is left alone."""
    users = [{**USER, "role": "Administrator"}]
    simulator = simulate(cluster("well", users=users, up=True), cluster("sick", users=users, up=True), clock=QUICK)
    simulator.fault("fault", cluster="sick", method="stopDatabase", text="no master")
    hosts, environment = injected(simulator, tmp_path)
    answers = {"target": "all", "confirm": "well\nsick"}
    job = Job(ansible, "exa_graceful_shutdown", hosts, answers, environment=environment, nobody=True)
    run = job.finish("failed")
    assert {name: row["result"] for name, row in run.custom.items() if name in hosts} == {
        "well": "ok",
        "sick": "failed",
    }
    assert _is_off(simulator, "well")
    (statistics,) = [event["event_data"] for event in job.events() if event["event"] == "playbook_on_stats"]
    assert list(statistics["failures"]) == ["sick"]
    assert statistics["artifact_data"]["dbfleet"]["sick"]["cause"].startswith("sick: ")
    simulator.mend()
    simulator.forget()
    again = Job(
        ansible, "exa_graceful_shutdown", hosts, answers, "--limit", "sick", environment=environment, nobody=True
    )
    again.finish().ok()
    assert simulator.changes("well") == []
    assert "stopDatabase db_DB1" in simulator.changes("sick")
    assert _is_off(simulator, "sick")
    no_secret(again)

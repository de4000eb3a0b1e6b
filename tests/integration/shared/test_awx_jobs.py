# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of the templates in `extensions/awx`: its project, its surveys, its credential types."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dbfleet.cluster.tests.gates.awx_definitions import Definitions
from awx import Job, injected
from domains import database, domain
from world import Run, cluster

DEFINITIONS = Definitions()

ANSWERS: dict[str, dict[str, str]] = {
    "exa_graceful_shutdown": {
        "target": "exa-up", "confirm": "exa-up\n", "exa_graceful_shutdown_databases": "DB1\nDB2\n",
        "exa_graceful_shutdown_on_operation": "wait", "exa_graceful_shutdown_power": "none",
        "exa_graceful_shutdown_off_for": "1h30m", "exa_graceful_shutdown_unreachable": "fail",
        "exa_license_servers": "n0010", "exa_wait_timeout": "600",
    },
    "exa_cold_start": {
        "target": "exa-off", "exa_cold_start_databases": "DB2\n", "exa_cold_start_ignore_nodes": "n0013",
        "exa_cold_start_power": "exaoperation", "exa_license_servers": "n0010\n", "exa_wait_timeout": "20m",
    },
    "exa_database_state": {
        "target": "exa-up", "confirm": "exa-up", "exa_database_state_databases": "DB1",
        "exa_database_state_state": "restarted", "exa_database_state_on_operation": "refuse",
        "exa_database_state_timeout": "90.5",
    },
    "nuodb_cold_start": {
        "target": "nuo-off", "nuodb_cold_start_databases": "shop\n", "nuodb_cold_start_require": "quorum",
        "nuodb_cold_start_ignore_archives": "1\n", "nuodb_wait_timeout": "1h",
    },
    "nuodb_recover": {
        "target": "nuo-up", "nuodb_recover_databases": "shop", "nuodb_recover_require": "all",
        "nuodb_recover_ignore_archives": "0\n1", "nuodb_wait_timeout": "600",
    },
    "nuodb_graceful_shutdown": {
        "target": "nuo-up", "confirm": "nuo-up, other", "nuodb_graceful_shutdown_databases": "shop\n\n",
        "nuodb_graceful_shutdown_on_hotcopy": "ignore", "nuodb_graceful_shutdown_require_graceful": "false",
        "nuodb_graceful_shutdown_servers": "true", "nuodb_graceful_shutdown_off_for": "3600",
        "nuodb_graceful_shutdown_unreachable": "down", "nuodb_wait_timeout": "1800",
    },
    "nuodb_database_state": {
        "target": "nuo-up", "confirm": "nuo-up", "nuodb_database_state_databases": "shop\n",
        "nuodb_database_state_state": "restarted", "nuodb_database_state_on_hotcopy": "cancel",
        "nuodb_database_state_timeout": "600",
    },
    "nuodb_rolling_restart": {
        "target": "nuo-up", "confirm": "nuo-up", "nuodb_rolling_restart_databases": "shop\n",
        "nuodb_rolling_restart_unfinished": "anew", "nuodb_rolling_restart_allow_last_te": "true",
        "nuodb_rolling_restart_timeout": "600",
    },
    "maintenance": {
        "target": "exa-up,nuo-up", "confirm": "exa-up\nnuo-up", "maintenance_work": "work.yml\n",
        "maintenance_serial": "1\n100%", "maintenance_canary": "nuo-up\n", "maintenance_max_failures": "1",
        "maintenance_accept": "exa-up", "maintenance_rolling": "false",
    },
    "status": {"target": "nuo-up,exa-off", "fail_on": "down"},
    "runs": {
        "runs_path": "reports", "runs_cluster": "exa-up\n", "runs_runbook": "exa_cold_start\n",
        "runs_result": "failed\n", "runs_limit": "5", "runs_show": "last",
    },
    "check": {"target": "exa-up"},
}  # fmt: skip
"""An answer to each question of each survey, as texts of what its type makes of them."""

DOWN: dict[str, list[str]] = {
    "exa_graceful_shutdown": ["DB1", "DB2", "EXAStorage"],
    "exa_cold_start": [],
    "exa_database_state": ["DB1"],
    "nuodb_cold_start": [],
    "nuodb_recover": [],
    "nuodb_graceful_shutdown": ["shop", "server1", "server0"],
    "nuodb_database_state": ["shop"],
    "nuodb_rolling_restart": ["shop:TE@server1/3", "shop:TE@server0/2", "shop:SM@server1/1", "shop:SM@server0/0"],
}
"""What goes down with these answers."""

REFUSED = {"nuodb_cold_start": "without the SM of archive 1"}
"""What is refused for such an answer."""

OF_EACH_KIND = {"exa_graceful_shutdown", "nuodb_graceful_shutdown", "maintenance"}
"""Those that every run of the tests makes. `make matrix` makes them all."""


def test_there_is_an_answer_to_every_question() -> None:
    asked = {name: {row["variable"] for row in DEFINITIONS.survey(name)} for name in ANSWERS}
    assert {name: set(answers) for name, answers in ANSWERS.items()} == asked
    assert set(ANSWERS) == {row["playbook"] for row in DEFINITIONS.templates.values()}
    for name, answers in ANSWERS.items():
        for row in DEFINITIONS.survey(name):
            assert answers[row["variable"]] in row.get("choices", [answers[row["variable"]]])


@pytest.fixture
def four(simulate: Any) -> Any:
    shop = {"shop": database(up=True)}
    return simulate(
        cluster("exa-up", databases=2, up=True),
        cluster(
            "exa-off", nodes=3, databases={"DB1": {"state": "setup"}, "DB2": {"nodes": ["n0011"], "state": "setup"}}
        ),
        domain("nuo-up", databases=shop),
        domain("nuo-off", databases={"shop": database()}),
    )


def test_every_answer_reaches_its_role(four: Any, ansible: Any, tmp_path: Path) -> None:
    """As plans: none changes anything, and what each would do is what was answered."""
    hosts = four.inventory()
    work = tmp_path / "work.yml"
    work.write_text(yaml.safe_dump([{"name": "Work", "ansible.builtin.debug": {"msg": "done"}}]))
    whole = os.environ.get("DBFLEET_SLIPS") == "all"
    jobs = {}
    for name, answers in ANSWERS.items():
        if whole or name in OF_EACH_KIND:
            given = {key: str(work) + "\n" if key == "maintenance_work" else text for key, text in answers.items()}
            check = [] if name in ("check", "status", "runs") else ["--check"]
            jobs[name] = Job(ansible, name, hosts, given, *check, project=True)
    runs = {name: job.finish() for name, job in jobs.items()}
    for name, run in runs.items():
        if name in DOWN:
            plan = run.custom[ANSWERS[name]["target"]]["plan"][name]
            assert plan["down"] == DOWN[name], run.out
            assert (run.rc == 0, REFUSED.get(name, "") in " ".join(plan["refusals"])) == (name not in REFUSED, True), (
                plan
            )
    assert all(four.changes(name) == [] for name in four.names)
    _shutdown(runs["exa_graceful_shutdown"])
    maintained = runs["maintenance"].ok().custom
    waves = {name: row["maintenance"]["wave"] for name, row in maintained.items()}
    assert waves == {"nuo-up": 1, "exa-up": 2}
    if whole:
        _others(runs)


def _shutdown(run: Run) -> None:
    told = run.one("The plan, and all reasons to refuse it")
    assert "runs_out" in told  # a duration was given
    assert run.lines("the hosts stay on"), run.out


def _others(runs: dict[str, Run]) -> None:
    steps = runs["exa_cold_start"].custom["exa-off"]["plan"]["exa_cold_start"]["steps"]
    assert [step["objects"] for step in steps] == [["n0011", "n0012"], ["EXAStorage"], ["DB2"]]
    assert runs["status"].failed().custom["exa-off"]["state"] == "down"
    runs["check"].ok()


def test_the_steps_of_a_workflow(four: Any, ansible: Any, tmp_path: Path) -> None:
    """Each step gets the answers of the whole workflow, and the artifacts of those before as variables."""
    (workflow,) = (row for row in DEFINITIONS.of("workflows") if row["survey"] == "nuodb_restart")
    nodes = {node["identifier"]: node for node in workflow["nodes"]}
    answers = {"target": "nuo-up", "confirm": "nuo-up", "nuodb_database_state_databases": "shop\n"}
    assert set(answers) == set(workflow["questions"])
    hosts = four.inventory()
    secrets = {name: hosts["nuo-up"].pop(f"nuodb_api_{name}") for name in ("username", "password")}
    authority = Path(hosts["nuo-up"].pop("nuodb_ca_path")).read_text()
    filled = {"api_username": secrets["username"], "api_password": secrets["password"], "ca": authority}
    environment = {**injected(tmp_path, "dbfleet NuoDB", **filled), **injected(tmp_path, "dbfleet profiles")}

    def step(identifier: str, *words: str, **artifacts: Any) -> Run:
        node = nodes[identifier]
        playbook = DEFINITIONS.templates[node["template"]]["playbook"]
        given = {**node.get("extra_data", {}), **artifacts, **answers}
        words = (*words, *(["--check"] if node.get("job_type") == "check" else []))
        return Job(ansible, playbook, hosts, given, *words, environment=environment, project=True).finish()

    planned = step("plan").ok()
    assert planned.custom["nuo-up"]["plan"]["nuodb_database_state"]["down"] == ["shop"]
    assert four.changes("nuo-up") == []
    restarted = step("restart", dbfleet=planned.custom).ok()
    assert four.changes("nuo-up") != []
    four.forget()
    step("proof", dbfleet=restarted.custom).ok()
    step("recovery", dbfleet=restarted.custom).ok()
    assert four.changes("nuo-up") == []
    for run in (planned, restarted):
        assert secrets["password"] not in run.out
    # Of the project's own ansible.cfg: a limit that leaves nothing is no success.
    assert step("proof", "--limit", "nowhere").rc != 0

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords by every way in, looked for at every way out: of modules, runbooks, status and check, wherever they run."""

from __future__ import annotations

import pytest
from awx import Job
from secrecy import assert_silent
from ways import PASSWORDS, PROCESS, WAYS, Fleet

ELSEWHERE = {"ansible_connection": "elsewhere"}
BECOME = {"become": True, "become_method": "same_user"}

FEW = ("option", "task", "vaulted-profile", "url")
"""Ways that differ for an ordinary module, which takes its time; any other comes as an option as well."""


@pytest.fixture
def new_fleet(simulate, ansible, tmp_path):
    return lambda product, ways=WAYS: Fleet(product, simulate, ansible, tmp_path, ways)


@pytest.mark.parametrize(("product", "pipelining"), [("exasol", "True"), ("nuodb", "False")])
def test_of_a_module(new_fleet, product, pipelining):
    """In this process, as another user, in the background, over a connection; its result is printed as well."""
    fleet = new_fleet(product)
    ways = {
        "here": {},
        "become": BECOME,
        "async": {"async": 30, "poll": 1},
        "elsewhere": {"vars": ELSEWHERE},
    }
    run = fleet.run(fleet.looks(ways), fleet.hosts(), ANSIBLE_PIPELINING=pipelining)
    for name in ways:
        fleet.reached(run, name)
    assert "EXEC /bin/sh" in run.out


@pytest.mark.parametrize("product", ["exasol", "nuodb"])
@pytest.mark.parametrize(
    ("ways", "keywords", "variables"),
    [(WAYS, {}, {}), (FEW, BECOME, {}), (FEW, {}, ELSEWHERE)],
    ids=["here", "become", "elsewhere"],
)
def test_of_a_runbook(new_fleet, product, ways, keywords, variables):
    """The journal, the looks that are kept, and the lease are among its files."""
    fleet = new_fleet(product, ways)
    run = fleet.run(fleet.cold_start(**keywords), fleet.hosts(**variables), ANSIBLE_PIPELINING=str(bool(keywords)))
    assert {name for name, row in run.stats.items() if row["failures"]} == {"url"}, run.out
    assert ("EXEC /bin/sh" in run.out) == (ways == FEW)


@pytest.mark.parametrize("product", ["exasol", "nuodb"])
@pytest.mark.parametrize("playbook", ["status", "check"])
def test_of_status_and_check(new_fleet, product, playbook):
    """The fleet as JSON in a file as well; a host that is reached from elsewhere is checked by a task of its own."""
    fleet = new_fleet(product)
    hosts = fleet.hosts()
    del hosts["task"]  # these playbooks have no `environment`
    hosts["profile"].update(ELSEWHERE)
    written = {"status_path": str(fleet.folder / "fleet.json"), "status_output": "json"}
    run = fleet.run(playbook, hosts, written if playbook == "status" else {})
    assert run.rc != 0
    assert "url" in run.out
    if playbook == "status":
        assert "vaulted-profile" in (fleet.folder / "fleet.json").read_text()


@pytest.mark.parametrize("product", ["exasol", "nuodb"])
def test_of_events_and_the_files_of_a_job(new_fleet, ansible, product):
    """What ansible-runner keeps for AWX: events, output, facts, the command."""
    pytest.importorskip("ansible_runner")
    fleet = new_fleet(product)
    environment = {name: value for name, value in fleet.environment().items() if name != PROCESS[fleet.product]}
    hosts = fleet.hosts()
    del hosts["task"], hosts["process"]  # ansible-runner itself writes down the environment that it has
    words = ("-vvvv", "--diff", "--vault-password-file", str(fleet.folder / "vault"))
    given = {"answer": PASSWORDS["survey"], "target": "all"}
    job = Job(ansible, f"{fleet.prefix}_cold_start", hosts, given, *words, environment=environment)
    run = job.finish()
    assert {name for name, row in run.stats.items() if row["failures"]} == {"url"}, run.out
    written = job.written()
    assert len([path for path in written if path.startswith("job_events/")]) > 20
    for path, text in written.items():
        assert_silent(text, path, fleet.secrets)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of AWX: what they know comes by injected files and variables, they may be killed, and are launched again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from awx import Job
from domains import database, domain
from secrecy import PASSWORD, spellings
from world import cluster, nobody_is_left, until

SLOW = {"timing": {"storage_start": 30, "boot": 0.2}}
SHOP = {"shop": database()}


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
    return hosts, {"EXA_PROFILES_PATH": str(file), "NUODB_PROFILES_PATH": str(file), "HOME": "/nonexistent"}


def test_a_job_that_was_cancelled_is_launched_again(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    """AWX cancels by SIGKILL, and at a time-out too: nothing tells of the end, and the next job goes on."""
    users = [{"name": "admin", "password": PASSWORD, "role": "Administrator"}]
    simulator = simulate(
        cluster("exa-a", users=users, **SLOW),
        domain("nuo-a", databases=SHOP, users=[{"name": "admin", "password": PASSWORD}], timing={"sm_start": 30}),
    )
    hosts, environment = injected(simulator, tmp_path)
    for name, runbook, last in (
        ("exa-a", "exa_cold_start", "startEXAStorage storage"),
        ("nuo-a", "nuodb_cold_start", "POST processes shop SM 1"),
    ):
        simulator.clock("seconds:1")
        job = Job(ansible, runbook, hosts, {"target": name}, environment=environment)
        until(f"{last} was asked", lambda name=name, last=last: last in simulator.changes(name))
        written = job.cancel()
        nobody_is_left(simulator)
        assert "failed here" not in written["stdout"]
        simulator.clock("seconds:0.01")
        again = Job(ansible, runbook, hosts, {"target": name}, environment=environment)
        run = again.finish().ok()
        assert run.lines(rf"^\[{name}\] {runbook}: ok"), run.out
        assert last not in simulator.changes(name)  # what goes on by itself isn't asked for twice
        for text in (*written.values(), *again.written().values()):
            assert not [one for one in spellings(PASSWORD) if one in text]
    assert simulator.all_connectable("exa-a")

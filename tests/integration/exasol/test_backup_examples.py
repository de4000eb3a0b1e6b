# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example playbooks about backups do what they say, by both providers."""

from __future__ import annotations

import pytest
import yaml
from world import ROOT, cluster, confd

PLAYBOOKS = ROOT / "docs/examples/playbooks"

REMOTE = {"RemoteVolume1": {"vol_type": "s3", "url": "https://bucket.s3.amazonaws.com", "vid": 10001}}

CLUSTERS = {
    "confd": lambda **more: confd(remote_volumes=REMOTE, **more),
    "exaoperation": lambda **more: cluster(up=True, remote_volumes=REMOTE, timing={"restore": 0.5}, **more),
}


def example(name):
    return yaml.safe_load((PLAYBOOKS / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("provider", CLUSTERS)
def test_backup_lifecycle(simulate, ansible, provider):
    """One playbook takes, sees, keeps, restores and deletes a backup; without confirmation it keeps the data."""
    simulator = simulate(CLUSTERS[provider]())
    hosts, database = simulator.inventory(), {"database": "DB1", "exa_time_zone": "UTC"}
    preview = ansible.run(example("backup_lifecycle.yml"), hosts, "--check", variables=database).ok()
    assert preview.one("Take a backup")["changed"]
    assert simulator.changes() == []
    refused = ansible.run(example("backup_lifecycle.yml"), hosts, variables=database).failed()
    assert "that is not confirmed; nothing was done" in refused.failures()[0]
    assert simulator.changes() == []
    run = ansible.run(example("backup_lifecycle.yml"), hosts, variables={**database, "confirm": "DB1"}).ok()
    for task in ("Take a backup", "Keep it for three weeks", "Restore the database from it", "Delete the backup"):
        assert run.one(task)["changed"], task
    (taken,) = run.one("Take a backup")["selected"]["DB1"]
    (kept,) = run.one("Keep it for three weeks")["selected"]["DB1"]
    assert (taken["id"], taken["expire"] < kept["expire"]) == (kept["id"], True)
    assert taken["id"] not in [one["id"] for one in run.one("Delete the backup")["backups"]["DB1"]]
    assert simulator.state()["databases"]["DB1"]["connectible"] == "Yes"


@pytest.mark.parametrize("provider", CLUSTERS)
def test_change_backup_schedule(simulate, ansible, provider):
    """The schedule becomes what the playbook says, and a second run changes nothing."""
    kept = {"volume": "RemoteVolume1", "level": 1, "expire": "2w", "hour": "5"}
    schedules = {"DB1": {"nightly": kept} if provider == "confd" else [kept]}
    simulator = simulate(CLUSTERS[provider](schedules=schedules))
    hosts = simulator.inventory()
    first, second = (
        ansible.run(example("change_backup_schedule.yml"), hosts, variables={"database": "DB1"}).ok() for _run in "12"
    )
    assert (first.changed(), second.changed()) == (1, 0)
    rows = simulator.state()["schedules"]["DB1"]
    found = {
        (one["level"], one["hour"], one["weekday"], one["expire"])
        for one in (rows.values() if isinstance(rows, dict) else rows)
    }
    week = 604800  # ConfD keeps it in seconds
    spans = (4 * week, week) if provider == "confd" else ("4w", "1w")
    assert found == {(0, "1", "0", spans[0]), (1, "1", "1-6", spans[1])}
    assert len(simulator.changes()) == 2

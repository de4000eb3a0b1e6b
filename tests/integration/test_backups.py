# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups, restores and schedules by both providers: changed once, previewed truly, refused in a sentence."""

from __future__ import annotations

import time

import pytest
from world import cluster, confd, killed, until

BACKUP = "dbfleet.cluster.exa_backup"
SCHEDULE = "dbfleet.cluster.exa_backup_schedule"
DATABASE = "dbfleet.cluster.exa_database"

ZONE = "UTC"

REMOTE = {"RemoteVolume1": {"vol_type": "s3", "url": "https://bucket.s3.amazonaws.com", "vid": 10001}}
ARCHIVE = {"Archive1": {"kind": "archive"}, "DataVolume1": {}}

PROVIDERS = ("8", "6.2", "exaoperation")


def stamp(days=0.0):
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() + days * 86400))


def row(bid, level=0, days=-1.0, expire="", depends="-", volume="RemoteVolume1", **more):
    """A backup as a topology has it."""
    at = stamp(days)
    packed = at.replace("-", "").replace(" ", "").replace(":", "")
    identity = f"10001 DB1/id_{bid}/level_{level}/node_0/backup_{packed} DB1"
    return {
        "bid": bid, "level": level, "timestamp": at, "expire": expire, "dependencies": depends, "volume": volume,
        "system": "DB1", "id": identity, **more,
    }  # fmt: skip


def world_of(kind, databases=1, up=True, **more):
    """A cluster of one of C(PROVIDERS) with a remote volume."""
    more = {"remote_volumes": REMOTE, **more}
    states = {f"DB{number}": {"state": "running" if up else "setup"} for number in range(1, databases + 1)}
    if kind == "exaoperation":
        timing = {"restore": 0.5, **more.pop("timing", {})}
        return cluster(databases=states, up=True, timing=timing, **more)
    settings = {"parameter_names": kind, **more.pop("settings", {})}
    return confd(databases=states, settings=settings, **more)


def tasks_of(rows):
    """Each is previewed, run, and run again."""
    tasks = []
    for number, (module, args) in enumerate(rows):
        tasks += [
            {"name": f"preview {number}", module: args, "check_mode": True, "diff": True},
            {"name": f"run {number}", module: args, "diff": True},
        ]
    return tasks


TAKE = {"db_name": "DB1", "volume": "RemoteVolume1", "level": 0, "expire": "1w 3d"}
ID = "{{ taken.selected.DB1[0].id }}"


@pytest.mark.parametrize("kind", PROVIDERS)
def test_the_life_of_a_backup(simulate, ansible, kind):
    """Taken, seen, kept longer, restored, deleted; a preview sends nothing, and what is repeated changes nothing."""
    simulator = simulate(world_of(kind))
    keep = {"db_name": "DB1", "backup_id": ID, "expire": "3w", "time_zone": ZONE}
    restore = {"db_name": "DB1", "state": "restored", "backup_id": ID, "confirm": "DB1"}
    absent = {"db_name": "DB1", "state": "absent", "backup_id": ID, "confirm": "DB1"}
    steps = [
        ("take", BACKUP, TAKE),
        ("again", BACKUP, {**TAKE, "max_age": "24h", "time_zone": ZONE}),
        ("list", BACKUP, {"databases": ["all"], "state": "listed"}),
        ("keep", BACKUP, keep),
        ("keep again", BACKUP, keep),
        ("stop", DATABASE, {"databases": ["DB1"], "state": "stopped"}),
        ("restore", BACKUP, restore),
        ("delete", BACKUP, absent),
        ("delete again", BACKUP, absent),
    ]
    tasks = []
    for name, module, args in steps:
        if module == BACKUP and "again" not in name:
            tasks.append({"name": f"preview {name}", module: args, "check_mode": True, "diff": True})
            tasks[-1].update({"register": "previewed"})
        tasks.append({"name": f"run {name}", module: args, "diff": True})
        if name == "take":
            tasks[-1]["register"] = "taken"
    run = ansible.run(tasks, simulator.inventory()).ok()
    changed = {name: run.one(f"run {name}")["changed"] for name, _module, _args in steps}
    assert changed == {
        "take": True, "again": False, "list": False, "keep": True, "keep again": False, "stop": True, "restore": True,
        "delete": True, "delete again": False,
    }  # fmt: skip
    for name in ("take", "keep", "restore", "delete"):
        preview, result = run.one(f"preview {name}"), run.one(f"run {name}")
        assert preview["changed"], name
        assert [one["step"] for one in preview["steps"]] == [one["step"] for one in result["steps"]], name
        assert preview["diff"]["before"] == result["diff"]["before"], name
    (taken,) = run.one("run take")["selected"]["DB1"]
    assert (taken["level"], taken["usable"], taken["expired"]) == (0, True, False)
    assert [one["id"] for one in run.one("run list")["backups"]["DB1"]] == [taken["id"]]
    assert run.one("run again")["selected"]["DB1"][0]["id"] == taken["id"]
    span = time.mktime(time.strptime(taken["expire"], "%Y-%m-%d %H:%M")) - time.mktime(
        time.strptime(taken["timestamp"], "%Y-%m-%d %H:%M")
    )
    assert span == 10 * 86400
    (kept,) = run.one("run keep")["selected"]["DB1"]
    assert kept["expire"][:10] == stamp(21)[:10]
    assert run.one("run restore")["databases"]["DB1"]["state"] == "running"
    assert run.one("run delete")["backups"] == {"DB1": []}
    assert len(simulator.changes()) == 5
    assert run.lines(r"backups: .*operation Backup" + ("" if kind == "6.2" else r", \d+ %"))

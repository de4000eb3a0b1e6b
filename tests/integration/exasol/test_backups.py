# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups, restores and schedules by both providers: changed once, previewed truly, refused in a sentence."""

from __future__ import annotations

import re
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
        assert result["diff"]["before"] != result["diff"]["after"], name
    (taken,) = run.one("run take")["selected"]["DB1"]
    assert (taken["level"], taken["usable"], taken["expired"]) == (0, True, False)
    assert [one["id"] for one in run.one("run list")["backups"]["DB1"]] == [taken["id"]]
    assert run.one("run again")["selected"]["DB1"][0]["id"] == taken["id"]
    span = time.mktime(time.strptime(taken["expire"], "%Y-%m-%d %H:%M")) - time.mktime(
        time.strptime(taken["timestamp"], "%Y-%m-%d %H:%M")
    )
    assert 10 * 86400 - span in (0, 60)  # it expires after its start, and is dated at its end, to the minute
    (kept,) = run.one("run keep")["selected"]["DB1"]
    assert kept["expire"][:10] == stamp(21)[:10]
    assert run.one("run restore")["databases"]["DB1"]["state"] == "running"
    assert run.one("run delete")["backups"] == {"DB1": []}
    assert len(simulator.changes()) == 5
    assert run.lines(r"backups: .*operation Backup" + ("" if kind == "6.2" else r", \d+ %"))


BROKEN = {**REMOTE, "Broken": {"vol_type": "s3", "url": "https://other.s3.amazonaws.com", "vid": 10002}}
ROWS = [
    row(1, days=-40),
    row(2, level=1, days=-39, depends="1"),
    row(3, days=-38, expire=stamp(-1), volume="Broken", usable=False),
]


def on_local(kind, **more):
    """A backup on an archive volume of the cluster, from which a restore of any type is possible with ConfD."""
    if kind == "exaoperation":
        return {"backups": {"DB1": [row(1, days=-40, **more)]}}
    taken = row(1, days=-40, volume="Local", **more)
    local = {**taken, "id": taken["id"].replace("10001", "7", 1)}
    return {"backups": {"DB1": [local]}, "volumes": {"DataVolume1": {}, "Local": {"kind": "archive", "id": 7}}}


ON_TWO = "10001 DB1/id_2/level_1/node_0/backup_{} DB1"

REFUSED = [
    ({"db_name": "DB9", "state": "listed"}, r"there is no database DB9 \(did you mean DB\d\?\)"),
    ({"db_name": "DB1"}, r"volume is missing"),
    ({"db_name": "DB1", "volume": "RemoteVolume2"}, r"there is no archive volume RemoteVolume2"),
    ({"db_name": "DB1", "volume": "Broken"}, r"no backup begun: DB1: volume \w+ is not online on every node \("),
    ({"databases": ["DB2"], "volume": "RemoteVolume1"}, r"no backup begun: DB2: it is setup, and only a running"),
    (
        {"databases": ["DB1", "DB3"], "volume": "RemoteVolume1", "level": 1},
        r"no backup begun: DB3: a backup of level 1 needs a usable one of a lower level on \w+, and there is none",
    ),
    ({"db_name": "DB1", "volume": "RemoteVolume1", "level": 10}, r"level 10: levels are 0 to 9"),
    ({"db_name": "DB1", "volume": "RemoteVolume1", "expire": "soon"}, r"the expiry 'soon' is neither a duration"),
    ({"db_name": "DB1", "volume": "RemoteVolume1", "expire": "90m"}, r"m could be minutes or months"),
    ({"db_name": "DB1", "volume": "RemoteVolume1", "expire": "2020-01-01 10:00"}, r"expiry 2020-.* has passed"),
    ({"db_name": "DB1", "volume": "RemoteVolume1", "expire": "9h", "wait": False}, r"with wait=false, give a duration"),
    ({"db_name": "DB1", "volume": "RemoteVolume1", "foreign": True}, r"foreign has no effect with state=present"),
    ({"db_name": "DB1", "volume": "RemoteVolume1", "max_age": "1d"}, r"max_age: .* without the cluster's time zone"),
    ({"db_name": "DB1", "volume": "RemoteVolume1", "older_than": "1d"}, r"older_than has no effect with state=present"),
    ({"db_name": "DB1", "backup_id": "7", "expire": "1w"}, r"DB1: there is no backup '7'; there are: 1 \("),
    (
        {"db_name": "DB1", "backup_ids": [], "expire": "3w", "volume": "RemoteVolume1"},
        r"backup_ids is empty: leave it out",
    ),
    (
        {
            "db_name": "DB1",
            "state": "absent",
            "older_than": "",
            "level": 0,
            "confirm": "DB1",
            "delete_dependents": True,
        },
        r"older_than is empty",
    ),
    ({"db_name": "DB1", "backup_id": "1"}, r"expire is missing"),
    ({"db_name": "DB1", "backup_id": "1", "expire": "1w", "time_zone": ZONE}, r"expiry \S+ \S+ has passed"),
    (
        {"db_name": "DB1", "backup_id": "1", "expire": "1798761600"},
        r"can't be compared with the cluster's times, because its zone isn't known",
    ),
    ({"db_name": "DB1", "state": "absent"}, r"nothing selects the backups to delete"),
    ({"db_name": "DB1", "state": "absent", "backup_id": "latest"}, r"latest is for state=restored"),
    ({"db_name": "DB1", "state": "absent", "backup_id": "1", "confirm": "DB2"}, r"confirm names DB2, not DB1"),
    ({"db_name": "DB1", "state": "absent", "backup_id": "2"}, r"no backup of DB1 deleted, .*: confirm names nothing"),
    (
        {"db_name": "DB1", "state": "absent", "backup_id": "1", "confirm": "DB1"},
        r"DB1: no backup deleted: backup 2 \(level 1, .*\) would lose the backup they build on",
    ),
    (
        {"db_name": "DB1", "state": "absent", "older_than": "30d", "time_zone": ZONE, "confirm": "DB1"},
        r"DB1: no backup deleted: the database would have no usable backup left",
    ),
    ({"db_name": "DB1", "state": "pruned"}, r"no unusable backup deleted: volume \w+ is not online on every node"),
    (
        {"db_name": "DB1", "state": "restored", "backup_id": "1", "confirm": "DB1"},
        r"nothing restored: DB1: it is running",
    ),
    ({"databases": ["DB2"], "state": "restored", "backup_id": "latest", "confirm": "DB2"}, r"DB2 has no usable backup"),
    ({"db_name": "DB1", "state": "restored", "backup_id": "1"}, r"DB1 not restored, .*: confirm names nothing"),
    ({"databases": ["DB4"], "state": "aborted"}, r"DB4: operation Shrink is running, and it is not a backup"),
    ({"databases": ["DB4"], "volume": "RemoteVolume1"}, r"DB4: operation Shrink is running, and a backup would"),
]
"""Options, and what is said to them."""


@pytest.mark.parametrize("kind", PROVIDERS)
def test_refusals(simulate, ansible, kind):
    """Each is one sentence that names the cluster, and nothing is changed."""
    simulator = simulate(world_of(kind, 4, remote_volumes=BROKEN, backups={"DB1": ROWS}))
    simulator.admin("/operation", {"database": "DB4", "operation": "Shrink", "seconds": 600})
    rigged = {"volume": "Broken" if kind != "exaoperation" else "r0002", "node": "n12", "state": "unmounted"}
    if kind == "exaoperation":
        rigged["node"] = "n0012"
    simulator.admin("/remote", rigged)
    stop = {"name": "stop", DATABASE: {"databases": ["DB2"], "state": "stopped"}}
    ansible.run([stop], simulator.inventory()).ok()
    simulator.forget()
    tasks = [
        {"name": f"step {number}", BACKUP: args, "ignore_errors": True} for number, (args, _said) in enumerate(REFUSED)
    ]
    run = ansible.run(tasks, simulator.inventory()).ok()
    run.said_well()
    wrong = []
    for number, (args, said) in enumerate(REFUSED):
        message = run.one(f"step {number}").get("msg", "")
        if not message.startswith(f"{simulator.names[0]}: ") or not re.search(said, message):
            wrong.append((args, message))
    assert not wrong, "\n".join(map(str, wrong))
    assert simulator.changes() == []


SUNDAY = {"name": "weekly", "volume": "RemoteVolume1", "level": 0, "expire": "4w", "minute": "0", "hour": "1",
          "weekday": "0"}  # fmt: skip
NIGHTLY = {"name": "nightly", "volume": "RemoteVolume1", "level": 1, "expire": "1w", "hour": "2", "weekday": "1-6"}


@pytest.mark.parametrize("kind", ["8", "exaoperation", "exaoperation, lists"])
def test_schedules(simulate, ansible, kind):
    """Added, changed and removed, each once; a preview sends nothing, and other schedules stay as they are."""
    settings = {"settings": {"schedule_form": "list"}} if "lists" in kind else {}
    simulator = simulate(world_of(kind.partition(",")[0], **settings))
    steps = [
        {"schedules": [SUNDAY, NIGHTLY]},
        {"schedules": [{**NIGHTLY, "hour": "3", "enabled": False}]},
        {"schedules": [{**NIGHTLY, "hour": 3, "expire": "2w"}]},
        {"schedules": [{**SUNDAY, "level": 0}, {"name": "nightly", "volume": "RemoteVolume1", "level": 1}]},
        {"schedules": [{"name": "nightly", "volume": "RemoteVolume1", "level": 1}], "state": "absent"},
    ]
    rows = [(SCHEDULE, {"db_name": "DB1", **step}) for step in steps]
    tasks = [
        task
        for number, (module, args) in enumerate(rows)
        for task in (
            {"name": f"preview {number}", module: args, "check_mode": True, "diff": True},
            {"name": f"run {number}", module: args, "diff": True},
            {"name": f"again {number}", module: args},
        )
    ]
    run = ansible.run(tasks, simulator.inventory()).ok()
    for number, changes in enumerate((True, True, True, False, True)):
        preview, result, again = (run.one(f"{word} {number}") for word in ("preview", "run", "again"))
        assert [preview["changed"], result["changed"], again["changed"]] == [changes, changes, False], number
        assert [one["step"] for one in preview["steps"]] == [one["step"] for one in result["steps"]], number
        assert preview["diff"] == result["diff"], number
        assert (result["diff"]["before"] != result["diff"]["after"]) is changes, number
    first, last = run.one("run 0")["schedules"], run.one("again 4")["schedules"]
    assert [(one["level"], one["hour"], one["weekday"], one["expire"]) for one in first] == [
        (0, "1", "0", "4w"), (1, "2", "1-6", "1w"),
    ]  # fmt: skip
    (changed,) = [one for one in run.one("again 2")["schedules"] if one["level"] == 1]
    assert (changed["hour"], changed["enabled"], changed["expire"]) == ("3", False, "2w")
    assert last == [one for one in first if one["level"] == 0]
    assert len(simulator.changes()) == 5


def test_a_schedule_to_another_volume_is_added_again(simulate, ansible):
    """What a change can't reach goes by removal and addition; a run that ends between is completed by the next."""
    kept = {"volume": "RemoteVolume1", "level": 0, "expire": "4w", "minute": "5", "hour": "1", "weekday": "0"}
    kept["enabled"] = False
    simulator = simulate(world_of("8", remote_volumes=BROKEN, schedules={"DB1": {"weekly": kept}}))
    simulator.fault("fault", method="db_backup_add_schedule", text="not today")
    short = {"db_name": "DB1", "schedules": [{"name": "weekly", "volume": "Broken"}]}
    run = ansible.run([{"name": "short", SCHEDULE: short}], simulator.inventory()).failed()
    had = "expire: '4w', minute: '5', hour: '1', weekday: '0', enabled: false"
    assert f"the settings that the task leaves out ({had}) would be lost" in run.one("short")["msg"]
    assert simulator.changes() == []
    moved = {"db_name": "DB1", "schedules": [{"name": "weekly", **kept, "volume": "Broken"}]}
    tasks = [{"name": name, SCHEDULE: moved} for name in ("move", "again")]
    run = ansible.run(tasks, simulator.inventory()).failed()
    assert "schedule weekly was removed before, and is missing now (it was level 0 to" in run.one("move")["msg"]
    assert run.lines("removes schedule weekly and adds it again. It was level 0 to RemoteVolume1 at 5 1 .*disabled")
    simulator.mend()
    simulator.forget()
    run = ansible.run(tasks, simulator.inventory()).ok()
    assert [run.one(name)["changed"] for name in ("move", "again")] == [True, False]
    (row,) = run.one("again")["schedules"]
    assert {key: row[key] for key in kept} == {**kept, "volume": "Broken"}
    assert simulator.changes() == ["db_backup_add_schedule DB1"]


def test_schedules_that_nobody_tells(simulate, ansible):
    """Version 6.2 doesn't tell them: refused, or removed and added on every run; a removal is tried."""
    simulator = simulate(world_of("6.2"))
    present, absent = {"db_name": "DB1", "schedules": [NIGHTLY]}, {"db_name": "DB1", "schedules": [NIGHTLY]}
    absent["state"] = "absent"
    tasks = [
        {"name": "refused", SCHEDULE: present, "ignore_errors": True},
        {"name": "set", SCHEDULE: {**present, "unseen": "replace"}},
        {"name": "set again", SCHEDULE: {**present, "unseen": "replace"}},
        {"name": "remove", SCHEDULE: absent, "diff": True},
        {"name": "remove again", SCHEDULE: absent},
    ]
    run = ansible.run(tasks, simulator.inventory()).ok()
    assert "db_info doesn't list the backup schedules" in run.one("refused")["msg"]
    changed = [run.one(name)["changed"] for name in ("set", "set again", "remove", "remove again")]
    assert changed == [True, True, True, False]
    assert run.one("set")["schedules"] is None
    assert "minute day month enabled will be as in a new schedule" in str(run.one("set")["warnings"])
    assert run.one("remove")["diff"] == {"before": {"nightly": "not known"}, "after": {"nightly": "none"}}


SCHEDULES_REFUSED = [
    ({"schedules": [{"name": "new", "level": 0}]}, r"new: the schedule doesn't exist, and .* without a volume"),
    ({"schedules": [{**NIGHTLY, "volume": "RemoteVolum1"}]}, r"no archive volume RemoteVolum1 \(did you mean Remote"),
    ({"schedules": [{**NIGHTLY, "expire": "2030-01-01"}]}, r"must be a duration"),
    ({"schedules": [{**NIGHTLY, "expire": "36h"}]}, r"expire '36h' must be a duration in weeks and days"),
    ({"schedules": [NIGHTLY, NIGHTLY]}, r"schedules names nightly twice"),
    ({"schedules": [{**NIGHTLY, "level": 11}]}, r"levels are 0 to 9"),
    ({"schedules": [{**NIGHTLY, "hour": "1 2"}]}, r"hour '1 2' is not a time as crontab writes it"),
    ({"schedules": [{"name": "old", "hour": "7"}]}, r"schedule old not changed: the database is setup"),
    ({"schedules": [{**NIGHTLY, "hour": "99"}]}, r"hour '99' is not a time as crontab writes it"),
    ({"schedules": [{**NIGHTLY, "month": "jan"}]}, r"db_backup_add_schedule of DB1 nightly .*\(EPARAM, code 3, job"),
]


def test_refusals_of_schedules(simulate, ansible):
    old = {"volume": "RemoteVolume1", "level": 0}
    simulator = simulate(world_of("8", up=False, schedules={"DB1": {"old": old}}))
    tasks = [
        {"name": f"step {number}", SCHEDULE: {"db_name": "DB1", **args}, "ignore_errors": True}
        for number, (args, _said) in enumerate(SCHEDULES_REFUSED)
    ]
    run = ansible.run(tasks, simulator.inventory()).ok()
    run.said_well()
    for number, (args, said) in enumerate(SCHEDULES_REFUSED):
        message = run.one(f"step {number}").get("msg", "")
        assert message.startswith("exa-confd: "), (args, message)
        assert re.search(said, message), (args, message)
        assert not run.one(f"step {number}")["changed"], args
    assert simulator.state()["schedules"]["DB1"].keys() == {"old"}


def ids(simulator, database="DB1"):
    """The numbers of the backups that there are."""
    return [one["bid"] for one in simulator.state()["backups"].get(database, [])]


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_backup_of_a_killed_run_is_joined(simulate, ansible, kind):
    """The next run waits for it and takes no other; one of another level is refused meanwhile."""
    simulator = simulate(world_of(kind, timing={"backup": 90}))
    hosts = simulator.inventory()
    take = {"name": "take", BACKUP: TAKE}
    other = {"name": "other", BACKUP: {**TAKE, "level": 3}}
    run = ansible.start([take], hosts)
    run.wait_for("a backup runs", lambda: simulator.state()["databases"]["DB1"]["operation"] == "Backup")
    killed(simulator, run)
    if kind != "6.2":  # which doesn't tell the level of what runs
        assert "another backup is running" in ansible.run([other], hosts).failed().failures()[0]
    run = ansible.start([take], hosts)
    run.wait_line(r"backups: wait for .* \(operation Backup")
    simulator.clock("seconds:0.01")
    result = run.finish().ok().one("take")
    assert (result["changed"], result["joined"]) == (False, True)
    assert len(result["selected"]["DB1"]) == 1
    assert simulator.changes() == []
    assert ansible.run([other], hosts).ok().one("other")["changed"]
    assert ids(simulator) == [1, 2]


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_restore_of_a_killed_run_is_joined(simulate, ansible, kind):
    """And refused afterwards, since the database is up."""
    simulator = simulate(world_of(kind, up=False, timing={"restore": 90}, **on_local(kind)))
    hosts = simulator.inventory()
    restore = {"db_name": "DB1", "state": "restored", "backup_id": "latest", "restore_type": "nonblocking",
               "confirm": ["DB1"]}  # fmt: skip
    run = ansible.start([{"name": "restore", BACKUP: restore}], hosts)
    run.wait_line(r"the restore continues in the background")
    killed(simulator, run)
    tasks = [
        {"name": "soon", BACKUP: {**restore, "wait_for": "connectable"}},
        {"name": "restore", BACKUP: restore},
        {"name": "again", BACKUP: restore, "ignore_errors": True},
    ]
    run = ansible.start(tasks, hosts)
    run.wait_line(r"restores: wait for .*the restore continues in the background")
    simulator.clock("seconds:0.01")
    run = run.finish().ok()
    assert (run.one("restore")["changed"], run.one("restore")["joined"]) == (False, True)
    assert run.one("soon")["databases"]["DB1"]["operation"] == "Restore"
    assert run.one("restore")["databases"]["DB1"]["operation"] == "None"
    assert "nothing restored: DB1: it is running" in run.one("again")["msg"]
    assert simulator.changes() == []


@pytest.mark.parametrize("kind", ["8", "exaoperation"])
def test_what_goes(simulate, ansible, kind):
    """What builds on the chosen goes first, or with them; unusable ones are pruned; a backup that runs is aborted."""
    rows = [
        row(1, days=-40, expire=stamp(-3)), row(2, level=1, days=-39, depends="1", expire=stamp(-3)), row(3, days=-5),
        row(4, days=-4, usable=False), row(5, level=2, days=-2, depends="3"),
    ]  # fmt: skip
    simulator = simulate(world_of(kind, 2, backups={"DB1": rows}, timing={"backup": 30}))
    old = {"db_name": "DB1", "state": "absent", "older_than": "4w", "time_zone": ZONE, "confirm": "DB1"}
    begin = {"databases": ["all"], "volume": "RemoteVolume1", "wait": False}
    steps = [
        ("expired", {"db_name": "DB1", "state": "absent", "expired": True, "level": 1, "confirm": "DB1"}),
        ("old", {**old, "delete_dependents": True}),
        ("prune", {"databases": ["all"], "state": "pruned"}),
        ("base", {"db_name": "DB1", "state": "absent", "backup_id": 3, "delete_dependents": True, "confirm": "DB1"}),
        ("begin", begin),
        ("abort", {"databases": ["all"], "state": "aborted"}),
    ]
    tasks = []
    for name, args in steps:
        tasks += [{"name": f"preview {name}", BACKUP: args, "check_mode": True}, {"name": f"run {name}", BACKUP: args}]
        if name != "begin":
            tasks.append({"name": f"again {name}", BACKUP: args})
    run = ansible.run(tasks, simulator.inventory()).ok()
    for name, _args in steps:
        assert run.one(f"preview {name}")["changed"], name
        assert run.one(f"run {name}")["changed"], name
        assert name == "begin" or not run.one(f"again {name}")["changed"], name
    left = {name: [one["bid"] for one in run.one(f"run {name}")["backups"]["DB1"]] for name, _args in steps}
    assert left == {
        "expired": [1, 3, 4, 5], "old": [3, 4, 5], "prune": [3, 5], "base": [], "begin": [], "abort": [],
    }  # fmt: skip
    deleted = [row["args"] for row in simulator.calls(changing=True) if "elete" in str(row["args"]) + row["method"]]
    assert str(deleted).index("/id_5/") < str(deleted).index("/id_3/")
    assert ids(simulator) == []
    assert {one["operation"] for one in simulator.state()["databases"].values()} == {"None"}


@pytest.mark.parametrize("kind", ["8", "exaoperation"])
def test_several_at_once_until_a_time(simulate, ansible, kind):
    """Backups of several databases run side by side; a server that takes durations is given the time afterwards."""
    simulator = simulate(world_of(kind, 3, timing={"backup": 2}))
    end = stamp(30)
    take = {"databases": ["all"], "volume": "10001", "expire": f"{end}:00", "time_zone": ZONE}
    tasks = [{"name": "take", BACKUP: take}, {"name": "again", BACKUP: {**take, "once": True}}]
    run = ansible.run(tasks, simulator.inventory()).ok()
    assert [run.one(name)["changed"] for name in ("take", "again")] == [True, False]
    rows = [one for rows in run.one("take")["selected"].values() for one in rows]
    assert [one["expire"] for one in rows] == [end] * 3
    assert {one["db_name"] for one in rows} == {"DB1", "DB2", "DB3"}
    began = [one["time"] for one in simulator.calls(changing=True)][:3]
    assert max(began) - min(began) < 1.5


def test_a_foreign_backup_is_restored(simulate, ansible):
    """Of another database, where it is asked for; without that it isn't known."""
    known = on_local("8")
    simulator = simulate(world_of("8", 2, up=False, **known))
    restore = {"db_name": "DB2", "state": "restored", "backup_id": known["backups"]["DB1"][0]["id"], "confirm": "DB2",
               "restore_type": "virtual_access"}  # fmt: skip
    tasks = [
        {"name": "unknown", BACKUP: restore, "ignore_errors": True},
        {"name": "foreign", BACKUP: {**restore, "foreign": True}},
    ]
    run = ansible.run(tasks, simulator.inventory()).ok()
    assert "DB2: there is no backup" in run.one("unknown")["msg"]
    assert run.one("foreign")["changed"]
    assert simulator.phases() == {"DB1": "setup", "DB2": "running"}


def test_where_never_can_not_be_told_virtual_access_is_refused(simulate, ansible):
    """Before the first change: how ConfD 6.2 takes it isn't known."""
    simulator = simulate(world_of("6.2", up=False, **on_local("6.2", expire=stamp(30))))
    restore = {"db_name": "DB1", "state": "restored", "backup_id": "latest", "confirm": "DB1", "time_zone": ZONE}
    tasks = [{"name": "restore", BACKUP: {**restore, "restore_type": "virtual access"}, "ignore_errors": True}]
    run = ansible.run(tasks, simulator.inventory()).ok()
    assert "how to write 'never' there is not known" in run.one("restore")["msg"]
    assert simulator.changes() == []


@pytest.mark.parametrize("kind", ["8", "exaoperation"])
def test_virtual_access_to_a_backup_that_expires(simulate, ansible, kind):
    """Its expiry goes before and comes back, also where the restore fails; a preview says so and changes nothing."""
    end = stamp(30)
    simulator = simulate(world_of(kind, up=False, **on_local(kind, expire=end)))
    restore = {
        "db_name": "DB1", "state": "restored", "backup_id": "latest", "confirm": "DB1",
        "restore_type": "virtual access", "time_zone": ZONE, "wait_timeout": 20,
    }  # fmt: skip
    expire = "changeBackupExpiration" if kind == "exaoperation" else "db_backup_change_expiration"
    again = "restoreDatabase" if kind == "exaoperation" else "db_restore"
    tasks = [{"name": "restore", BACKUP: restore, "ignore_errors": True}]
    ansible.run(tasks, simulator.inventory(), "--check").ok()
    assert simulator.changes() == []
    simulator.fault("fails_backup", object="DB1", text="the archive is full")
    run = ansible.run(tasks, simulator.inventory()).ok()
    assert "the archive is full" in run.one("restore")["msg"]
    assert run.lines(rf"expires {end}: the run removes this expiry for the virtual access")
    done = [change.split(" ")[0] for change in simulator.changes()]
    assert done[0].endswith(expire)
    assert done[-1].endswith(expire)
    simulator.mend()
    run = ansible.run(tasks, simulator.inventory()).ok()
    assert [step["step"] for step in run.one("restore")["steps"]] == [expire, again, expire]
    (kept,) = run.one("restore")["backups"]["DB1"]
    assert kept["expire"] == end
    assert simulator.phases()["DB1"] == "running"


@pytest.mark.parametrize("kind", ["8", "6.2"])
def test_a_remote_backup_is_restored_blocking_alone(simulate, ansible, kind):
    simulator = simulate(world_of(kind, up=False, backups={"DB1": ROWS[:1]}))
    restore = {"db_name": "DB1", "state": "restored", "backup_id": "latest", "confirm": "DB1"}
    tasks = [
        {"name": one, BACKUP: {**restore, "restore_type": one}, "ignore_errors": True}
        for one in ("nonblocking", "virtual_access")
    ]
    for more in (["--check"], []):
        run = ansible.run(tasks, simulator.inventory(), *more).ok()
        for one in ("nonblocking", "virtual_access"):
            assert "is a remote archive volume, which allows only blocking restores" in run.one(one)["msg"]
    assert simulator.changes() == []


@pytest.mark.parametrize("kind", PROVIDERS)
def test_what_fails_on_its_way(simulate, ansible, kind):
    """A backup that ends without one, a restore whose database doesn't come up, a user who may not."""
    simulator = simulate(world_of(kind, 2, backups={"DB2": [{**row(7), "system": "DB2"}]}, timing={"backup": 1}))
    simulator.fault("fails_backup", text="the archive is full")
    restore = {"db_name": "DB2", "state": "restored", "backup_id": "latest", "confirm": "DB2"}
    tasks = [
        {"name": "take", BACKUP: {**TAKE, "wait_timeout": 20}, "ignore_errors": True},
        {"name": "stop", DATABASE: {"databases": ["DB2"], "state": "stopped"}},
        {"name": "restore", BACKUP: {**restore, "wait_timeout": 20}, "ignore_errors": True},
        {"name": "denied", BACKUP: {**TAKE, "api_password": "wrong"}, "ignore_errors": True},
    ]
    run = ansible.run(tasks, simulator.inventory()).ok()
    run.said_well()
    said = {name: run.one(name)["msg"] for name in ("take", "restore", "denied")}
    start = "backupDatabase" if kind == "exaoperation" else "db_backup_start"
    assert re.search(rf"DB1: {start} was accepted, but DB1 is idle again", said["take"]), said
    assert "DB2: " in said["restore"], said
    assert "the archive is full" in said["restore"], said
    assert "the archive is full" in said["take"] or kind != "8", said
    assert "refused user" in said["denied"], said
    assert run.one("take")["steps"][0]["step"] == start


def test_no_right_and_no_quorum(simulate, ansible):
    """Said in the server's words; nothing is changed. A preview shows what an earlier task would have cleared."""
    users = [{"name": "admin"}, {"name": "looker", "password": "only looks", "groups": ["exausers"]}]
    world = world_of("8", users=users, backups={"DB1": ROWS[:1]})
    simulator = simulate(world, broken=["node-off-under-database"])
    hosts = simulator.inventory()
    looker = {"api_username": "looker", "api_password": "only looks"}
    restore = {"db_name": "DB1", "state": "restored", "backup_id": 1}
    stopped = {"databases": {"DB1": {"state": "setup", "connectible": "No"}}}
    tasks = [
        {"name": "denied", BACKUP: {**TAKE, **looker}, "ignore_errors": True},
        {"name": "would be refused", BACKUP: restore, "check_mode": True},
        {"name": "assumed", BACKUP: {**restore, "assume": stopped}, "check_mode": True},
    ]
    run = ansible.run(tasks, hosts).ok()
    assert "the user may not do this: User looker is not allowed to run job" in run.one("denied")["msg"]
    (warning,) = run.one("would be refused")["warnings"]
    assert "would be refused now: exa-confd: nothing restored: DB1: it is running" in warning
    assert not run.one("assumed").get("warnings")
    assert run.one("assumed")["predicted"]["databases"]["DB1"]["state"] == "running"
    for node in ("n12", "n13"):
        simulator.power(node, False)
    until("the nodes are off", lambda: simulator.state()["nodes"]["n13"]["state"] in ("off", "offline"))
    failed = ansible.run([{"name": "take", BACKUP: {**TAKE, "request_timeout": 3}}], hosts).failed()
    assert failed.failures()[0].startswith("exa-confd: "), failed.out
    assert simulator.changes() == []


@pytest.mark.parametrize("kind", PROVIDERS)
def test_nothing_is_restored_into_a_volume_in_use(simulate, ansible, kind):
    """Another database that is up on it is told by name, in the preview too."""
    world = world_of(kind)
    volume = {"volume": "v0000"} if kind == "exaoperation" else {"data_volume_name": "DataVolume1"}
    world["databases"]["DB2"] = {"state": "setup", **volume}
    world["backups"] = {"DB2": [{"bid": 1, "timestamp": stamp(-1), "volume": "RemoteVolume1"}]}
    simulator = simulate(world)
    task = {"name": "restore", BACKUP: {"db_name": "DB2", "state": "restored", "backup_id": "1", "confirm": "DB2"}}
    why = f"DB2: its data volume {volume.get('volume') or 'DataVolume1'} is used by DB1, which is running"
    assert why in ansible.run([task], simulator.inventory(), "--check").ok().out
    assert why in ansible.run([task], simulator.inventory()).failed().one("restore")["msg"]
    assert simulator.changes() == []

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a preview of a NuoDB module says, the run does; what would be lost is refused before anything changes."""

from __future__ import annotations

from domains import database, die, domain, start_ids
from world import play, until

PREFIX = "dbfleet.cluster."


def twice(name, module, args):
    """A task previewed, and run; either may fail."""
    return [
        {"name": f"preview {name}", PREFIX + module: args, "check_mode": True, "ignore_errors": True},
        {"name": f"run {name}", PREFIX + module: args, "ignore_errors": True},
    ]


def east(simulator):
    """The archives that hold the storage group EAST."""
    groups = simulator.state()["storage_groups"]["shop"]
    return groups["EAST"]["archive_states"] if "EAST" in groups else None


def test_the_last_good_copy_of_a_storage_group_stays(simulate, ansible):
    """One of its two SMs is down: whatever is named, and confirmed, nothing is sent."""
    groups = {"shop": {"EAST": {"archive_states": {"0": "ADDED", "1": "ADDED"}}}}
    simulator = simulate(domain(databases={"shop": database(tes=["server0"], up=True)}, storage_groups=groups))
    die(simulator, start_ids(simulator, archive_id=0)[0])
    until("it is down", lambda: not start_ids(simulator, archive_id=0))
    gone = {"db_name": "shop", "sg_name": "EAST", "state": "absent"}
    tasks = [
        *twice("stale", "nuodb_storage_group", {**gone, "archive_ids": [0]}),
        *twice("good", "nuodb_storage_group", {**gone, "archive_ids": [1], "confirm": "EAST"}),
        *twice("all", "nuodb_storage_group", {**gone, "confirm": "EAST"}),
        {"name": "start", PREFIX + "nuodb_process": {"processes": [{"archive_id": 0}]}},
        *twice("now", "nuodb_storage_group", {**gone, "confirm": "EAST"}),
    ]
    run = ansible.run([play(tasks, "nuodb")], simulator.inventory()).ok()
    run.said_well()
    for name, says in (
        ("stale", "archive 0 has no SM that runs, and only its SM can take EAST off it"),
        ("good", r"the other copies of EAST (archive 0) aren't running"),
        ("all", "archive 0 has no SM that runs, and only its SM can take EAST off it"),
    ):
        preview, result = run.one(f"preview {name}"), run.one(f"run {name}")
        assert says in result["msg"], name
        assert preview["msg"] == result["msg"], name
        assert not result["changed"], name
    first, *_more = [row for row in simulator.changes() if "StorageGroup" in row]
    assert simulator.changes().index(first) > simulator.changes().index("POST processes shop SM 0")
    assert run.one("run now")["changed"]
    assert east(simulator) is None


def test_a_database_that_was_deleted_before_is_purged(simulate, ansible):
    simulator = simulate(domain(databases={"shop": database(), "hr": database()}))
    gone = {"databases": ["shop"], "state": "absent"}
    tasks = [
        *twice("deleted", "nuodb_database", gone),
        *twice("purged", "nuodb_database", {**gone, "purge": True}),
        {"name": "again", PREFIX + "nuodb_database": {**gone, "purge": True}},
    ]
    run = ansible.run([play(tasks, "nuodb")], simulator.inventory()).ok()
    for name, step in (("deleted", "delete"), ("purged", "purge")):
        for word in ("preview", "run"):
            found = run.one(f"{word} {name}")
            assert [(row["object"], row["step"]) for row in found["steps"]] == [("shop", step)], (word, name)
    assert not run.one("again")["changed"]
    state = simulator.state()
    assert list(state["databases"]) == ["hr"]
    for part in ("archives", "tombstones"):
        assert {row["db_name"] for row in state[part].values()} == {"hr"}, part


def test_one_hot_copy_is_enough_where_it_is_known_to_be_all(simulate, ansible):
    """A simple one, one of one archive of two, and a shared one are none that is full."""
    simulator = simulate(domain(databases={"shop": database(tes=["server0"], up=True)}))
    copy, there = {"db_name": "shop"}, {"default_backup_dir": "/backup/one"}
    once = {PREFIX + "nuodb_hotcopy": {**copy, **there, "once": True}}
    before = {
        "simple": {**copy, **there, "type": "simple"},
        "part": {**copy, "backup_dirs": {"0": "/backup/one"}},
        "shared": {**copy, **there, "shared": True},
    }
    tasks = []
    for name, args in before.items():
        tasks += [
            {"name": name, PREFIX + "nuodb_hotcopy": args},
            {
                "name": f"once beside {name}",
                PREFIX + "nuodb_hotcopy": {**copy, **there, "once": True},
                "check_mode": True,
            },
        ]
    tasks += [*twice("once", "nuodb_hotcopy", {**copy, **there, "once": True})]
    tasks += [{"name": "again", **once}]
    run = ansible.run([play(tasks, "nuodb")], simulator.inventory()).ok()
    for name in before:
        assert run.one(f"once beside {name}")["changed"], name
    for word in ("preview", "run"):
        assert [row["step"] for row in run.one(f"{word} once")["steps"]] == ["begin full hot copy"], word
    assert not run.one("again")["changed"]


def test_an_incremental_hot_copy_is_no_full_one_and_refusals_have_their_next_step(simulate, ansible):
    simulator = simulate(domain(databases={"shop": database(up=True)}))
    hosts, there = simulator.inventory(), {"db_name": "shop", "default_backup_dir": "/backup/one"}

    def run(kind, **more):
        task = {"name": kind, PREFIX + "nuodb_hotcopy": {**there, "type": kind, **more}}
        return ansible.run([play([task], "nuodb")], hosts)

    refused = run("journal").failed()
    assert "Full or incremental hot copy must be completed before journal hot copy" in refused.failures()[0]
    assert "take one (type: incremental)" in refused.one("journal")["hint"]
    assert run("full").ok().one("full")["hotcopies"][0]["destinationDirectory"] == "/backup/one/tmp/full/data"

    simulator.clock("seconds:1000000")
    begun = run("incremental", wait=False).ok().one("incremental")
    assert begun["hotcopies"][0]["destinationDirectory"] == "/backup/one/tmp/1.inc/data"
    for kind in ("full", "journal", "simple"):
        refused = run(kind).failed()
        assert "another hot copy runs: " in refused.failures()[0], kind
        assert "into /backup/one/tmp/1.inc/data is running" in refused.failures()[0], kind
    again = run("incremental", wait=False).ok().one("incremental")
    assert (again["changed"], again["joined"]) == (False, True)
    assert again["hotcopies"][0]["hotCopyId"] == begun["hotcopies"][0]["hotCopyId"]
    simulator.clock("seconds:1")
    assert run("incremental").ok().one("incremental")["hotcopies"][0]["status"] == "completed"
    assert not run("full", once=True).ok().one("full")["changed"]

    simulator.fault("fails_hotcopy", object="shop")
    failed = run("full", default_backup_dir="/backup/two").failed()
    assert "Hot copy failed: Node 1: /backup/two/tmp/full/data: File read failed: No space left" in failed.failures()[0]
    assert "make room there" in failed.one("full")["hint"]


def test_a_te_that_no_sm_would_let_in(simulate, ansible):
    empty = database([], [], never=True)
    simulator = simulate(domain(databases={"empty": empty, "shop": database()}))
    te = {"engine_type": "TE", "server_id": "server0"}
    only = {"databases": [{"name": "shop", "te_count": 1}], "engine_types": ["TE"]}
    tasks = [
        *twice("empty", "nuodb_process", {"processes": [{**te, "db_name": "empty"}], "wait_timeout": 3}),
        *twice("tes alone", "nuodb_database", {**only, "wait_timeout": 3}),
    ]
    run = ansible.run([play(tasks, "nuodb")], simulator.inventory()).ok()
    run.said_well()
    for name, says in (
        ("empty", "empty is NOT_RUNNING and has no archive"),
        ("tes alone", "shop is NOT_RUNNING, and no"),
    ):
        for word in ("preview", "run"):
            assert run.one(f"{word} {name}")["msg"].startswith(f"nuo-prod: {says}"), (word, name)
    assert simulator.changes() == []


def test_previews_name_each_step_and_what_it_changes(simulate, ansible):
    away = {"db_name": "shop", "server_id": "server2", "archive_path": "/archive/away", "state": "NOT_RUNNING"}
    gone = {"db_name": "old", "server_id": "server0", "archive_path": "/archive/old", "removed": True}
    topology = domain(
        servers=3, databases={"shop": database(up=True), "old": database(never=True)}, stopped=["server2"]
    )
    topology["archives"].update({"7": away, "8": gone, "9": gone})
    simulator = simulate(topology)
    options = {"databases": ["shop"], "state": "present", "default_options": {"mem": "2G"}}
    there = {"server_id": "server0", "archive_path": "/archive/old"}
    leaves = {"servers": ["server2"], "state": "absent", "remove_state": True}
    wanted = {
        "leaves": ("nuodb_server", leaves, ["remove its state", "delete server"]),
        "options": ("nuodb_database", options, ["set default options mem"]),
        "purged": (
            "nuodb_archive", {"archives": [there], "state": "purged"}, ["purge archive 8", "purge archive 9"],
        ),
    }  # fmt: skip
    tasks = [task for name, (module, args, _steps) in wanted.items() for task in twice(name, module, args)]
    run = ansible.run([play(tasks, "nuodb")], simulator.inventory(), "--diff").ok()
    for name, (_module, _args, steps) in wanted.items():
        for word in ("preview", "run"):
            found = run.one(f"{word} {name}")
            assert [row["step"] for row in found["steps"]] == steps, (word, name)
            assert found["diff"]["before"] != found["diff"]["after"], (word, name)
    assert run.lines(r"^-.*mem=\(not set\)")
    assert run.lines(r"^\+.*mem=2G")


def test_a_shutdown_of_all_aps_that_has_lost_the_majority_goes_on(simulate, ansible):
    """As after a run that was killed between two of its calls: no AP leads, and each one is asked itself."""
    simulator = simulate(domain(servers=5, databases={"shop": database()}))
    for server in ("server2", "server3", "server4"):
        simulator.power(server, False)
    tasks = [{"name": "stop", PREFIX + "nuodb_server": {"servers": ["all"], "state": "stopped"}}]
    run = ansible.run([play(tasks, "nuodb")], simulator.inventory()).ok()
    assert run.one("stop")["changed"]
    assert {row["state"] for row in simulator.state()["servers"].values()} == {"stopped"}

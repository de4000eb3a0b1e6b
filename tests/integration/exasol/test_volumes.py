# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""exa_volume and exa_remote_volume on clusters of both providers: previewed, carried out, and carried out again."""

from __future__ import annotations

import re

import pytest
from world import cluster, confd

VOLUME = "dbfleet.cluster.exa_volume"
REMOTE = "dbfleet.cluster.exa_remote_volume"
GIB = 2**30

ADMIN = {"name": "admin"}
LOOKER = {"name": "looker", "password": "only looks", "groups": ["exausers"]}
AS_LOOKER = {"api_username": "looker", "api_password": "only looks"}

SECRET = "a bucket's secret key"
BUCKET = {
    "name": "Bucket", "vol_type": "s3", "url": "https://b.s3.amazonaws.com", "username": "KEY", "password": SECRET,
    "allowed_users": ["admin"],
}  # fmt: skip


def suites(node, disk, more):
    """The same tasks for both providers.

    :param node: how nodes are called.
    :param more: what a new volume needs besides.
    """
    one, two, three, four = (node.format(number) for number in (11, 12, 13, 14))
    new = {"name": "New", "size": "12 GiB", "disk": disk, "nodes": [one, two], "redundancy": 1, **more}
    return [
        (VOLUME, {**new, "labels": ["sales", "old"], "priority": 3}),
        (VOLUME, {"name": "New", "size": "18 GiB", "labels": ["sales"], "exact_labels": True, "priority": 7}),
        (VOLUME, {"name": "New", "nodes": [one, three], "redundancy": 2, "app_io": False}),
        (VOLUME, {"name": "New", "nodes": ["all"], "redundancy": 1, "app_io": True}),
        (VOLUME, {"name": ["New", "Data"], "absent_labels": ["sales"], "labels": ["both"]}),
        (VOLUME, {"name": "New", "state": "absent", "confirm": "New"}),
        (REMOTE, BUCKET),
        (REMOTE, {**BUCKET, "state": "absent"}),
    ]


CONFD = [
    *suites("n{}", "disk1", {"owner": [500, 1], "permissions": "rwxr-----", "shared": False})[:5],
    (VOLUME, {"name": "New", "size": "20 GiB", "allow_shrink": True}),
    (VOLUME, {"name": "New", "owner": [7, 8], "permissions": "rwx------", "shared": True}),
    (VOLUME, {"name": "New", "state": "locked"}),
    (VOLUME, {"name": "New", "state": "unlocked"}),
    *suites("n{}", "disk1", {})[5:7],
    (REMOTE, {**BUCKET, "url": "https://c.s3.amazonaws.com", "recreate": True}),
    (REMOTE, {"name": "Bucket", "state": "absent"}),
]
EAO = [
    *suites("n{:04d}", "d03_storage", {"allowed_users": ["admin"]})[:5],
    (VOLUME, {"name": "New", "allowed_users": ["admin", "bob"], "readonly_users": ["eve"]}),
    *suites("n{:04d}", "d03_storage", {})[5:7],
    (REMOTE, {**BUCKET, "url": "https://c.s3.amazonaws.com", "labels": ["sales"]}),
    (REMOTE, {"name": "Bucket", "state": "absent"}),
]


def stopped(provider, **more):
    """A cluster of four nodes whose database rests."""
    users = [ADMIN, LOOKER]
    if provider == "confd":
        return confd(nodes=4, databases={"DB1": {"state": "setup"}}, users=users, volumes={"Data": {}}, **more)
    kept = [{**user, "role": "User"} if user is LOOKER else {**user, "role": "Administrator"} for user in users]
    for user in kept:
        user.pop("groups", None)
    database = {"DB1": {"state": "setup", "volume": "Data"}}
    return cluster(nodes=4, up=True, databases=database, users=kept, volumes={"Data": {}}, **more)


def tasks_of(suite):
    tasks = []
    for number, (module, args) in enumerate(suite):
        tasks += [
            {"name": f"preview {number}", module: args, "check_mode": True, "diff": True},
            {"name": f"run {number}", module: args, "diff": True},
            {"name": f"again {number}", module: args},
        ]
    return tasks


@pytest.mark.parametrize(
    ("provider", "suite", "settings"),
    [
        ("confd", CONFD, {}),
        ("confd", CONFD, {"parameter_names": "6.2"}),
        ("exaoperation", EAO, {}),
        (
            "exaoperation", EAO,
            {"volume_list": "dict", "remote_state": "list", "remote_volume_id": "name", "add_remote_returns": "volume"},
        ),
    ],
)  # fmt: skip
def test_previewed_run_and_run_again(simulate, ansible, provider, suite, settings):
    """The preview tells what the run does, and changes nothing; the second run finds nothing to do."""
    simulator = simulate(stopped(provider, settings=settings))
    run = ansible.run(tasks_of(suite), simulator.inventory(exa_provider=provider)).ok()
    for number, task in enumerate(suite):
        preview, result, again = (run.one(f"{word} {number}") for word in ("preview", "run", "again"))
        steps = [[(step["object"], step["step"], step["to"]) for step in row["steps"]] for row in (preview, result)]
        assert steps[0] == steps[1], task
        assert steps[1], task
        assert (result["changed"], preview["changed"]) == (True, True), task
        assert preview["diff"]["before"] == result["diff"]["before"], task
        for name, row in (preview["diff"]["after"] or {}).items():
            told = {key: value for key, value in (row or {}).items() if value is not None}
            assert told.items() <= (result["diff"]["after"][name] or {}).items() or not told, task
        assert not again["changed"], task
        assert again["steps"] == [], task
    assert SECRET not in run.out
    assert SECRET not in str(run.rows)
    asked = [step["step"] for number in range(len(suite)) for step in run.one(f"run {number}")["steps"]]
    made = [row.get("job") or row["method"] for row in simulator.calls(changing=True)]
    labels = ("st_volume_add_label", "st_volume_remove_label")  # one call for each
    assert [name for name in made if name not in labels] == [name for name in asked if name not in labels]


def test_check_mode_changes_nothing(simulate, ansible):
    """A whole play of previews, on both providers."""
    for provider, suite in (("confd", CONFD), ("exaoperation", EAO)):
        simulator = simulate(stopped(provider))
        first = [suite[0], (VOLUME, {"name": "Data", "size": "990 GiB"}), (REMOTE, BUCKET)]
        tasks = [{"name": f"task {number}", module: args} for number, (module, args) in enumerate(first)]
        run = ansible.run(tasks, simulator.inventory(), "--check", "--diff").ok()
        assert run.changed() == len(first)
        assert simulator.changes() == []
        assert "+" in run.out


def test_data_is_cleared_each_time(simulate, ansible):
    simulator = simulate(stopped("confd"))
    task = {"name": "clear", VOLUME: {"name": "Data", "state": "cleared", "confirm": "Data", "nodes": ["n11"]}}
    preview = ansible.run([{**task, "check_mode": True}], simulator.inventory(), "--diff").ok().one("clear")
    assert (preview["changed"], preview["diff"]["after"]) == (True, {"Data": {"data": "cleared"}})
    assert simulator.changes() == []
    for _again in range(2):
        result = ansible.run([task], simulator.inventory(), "--diff").ok().one("clear")
        assert result["diff"]["after"] == {"Data": {"data": "cleared"}}
    jobs = simulator.calls(changing=True)
    assert [row["job"] for row in jobs] == 2 * ["st_volume_clear_data"]
    assert jobs[0]["args"][1]["params"] == {"vid": 0, "num_bytes": 0, "node_ids": [11]}


def test_a_volume_of_many_terabytes(simulate, ansible):
    """By more blocks than a call can say, and more bytes than one can clear: the preview tells what the run does."""
    simulator = simulate(confd(databases={}, volumes={"Data": {"size": "1 TiB", "nodes": [11]}}))
    grow = (VOLUME, {"name": "Data", "size": "20 TiB"})
    clear = (VOLUME, {"name": "Data", "state": "cleared", "confirm": "Data", "num_bytes": 2**32})
    checked = [{**task, "check_mode": True} for task in refused([clear])]
    run = ansible.run([*tasks_of([grow]), *checked], simulator.inventory(exa_provider="confd")).ok()
    assert run.one("run 0")["volumes"]["Data"]["size"] == "20 TiB"
    assert run.one("preview 0")["diff"] == run.one("run 0")["diff"]
    assert not run.one("again 0")["changed"]
    assert "4294967296 is more than XML-RPC can write" in run.one("step 0")["msg"]
    assert simulator.changes() == 3 * ["st_volume_enlarge"]


def test_the_same_task_again_deletes_no_other_volume(simulate, ansible):
    """A number goes to another volume when its own is gone, and so does a name that looks like one."""
    volumes = {"Data": {"vid": 0}, "v0000": {"vid": 5}}
    remote = {"Archive": {"vid": 10001, "vol_type": "s3", "url": "x"}, "r0001": {"vid": 10007, "url": "y"}}
    simulator = simulate(confd(databases={}, volumes=volumes, remote_volumes=remote))
    inventory = simulator.inventory(exa_provider="confd")
    gone = {"state": "absent", "confirm": "v0000"}
    tasks = [(VOLUME, {"name": "v0000", **gone}), (REMOTE, {"name": "r0001", "state": "absent"})]
    run = ansible.run(refused(tasks), inventory).ok()
    assert "v0000 is the name of one volume and also means Data" in run.one("step 0")["msg"]
    assert "r0001 is the name of one volume and also means Archive" in run.one("step 1")["msg"]
    assert simulator.changes() == []
    by_number = [(VOLUME, {"name": "v0005", **gone}), (REMOTE, {"name": "r0007", "state": "absent"})]
    run = ansible.run([*tasks_of(by_number), *refused(tasks[:1])], inventory).ok()
    assert "v0000: it is Data; state=absent deletes it" in run.one("step 0")["msg"]
    assert simulator.changes() == ["st_volume_delete", "remote_volume_remove"]
    state = simulator.state()
    assert (list(state["volumes"]), list(state["remote_volumes"])) == (["Data"], ["Archive"])


def test_what_one_of_several_cannot_be_is_refused_for_all(simulate, ansible):
    """A volume with a schedule beside one without, a node that is off beside one that is up, one that lost data."""
    volumes = {
        "Spare": {"nodes": ["n0011"]}, "Both": {"nodes": ["n0011", "n0012"], "redundancy": 1},
        "Off": {"nodes": ["n0014", "n0015"], "redundancy": 1}, "Archive": {"kind": "archive", "nodes": ["n0011"]},
    }  # fmt: skip
    simulator = simulate(
        cluster(
            nodes=5,
            up=True,
            databases={"DB1": {"state": "setup"}},
            volumes=volumes,
            schedules={"DB1": {"nightly": {"volume": "Archive", "level": 0}}},
        ),
        broken=["node-off-under-storage"],
    )
    simulator.power("n0015", False)
    two = ["Spare", "Archive"]
    tasks = [
        (VOLUME, {"name": two, "state": "absent", "confirm": two}),
        ("dbfleet.cluster.exa_node", {"nodes": ["n0013", "n0015"], "state": "suspended"}),
        (VOLUME, {"name": ["Both", "Off"], "redundancy": 2, "wait_timeout": 5}),
    ]
    run = ansible.run(refused(tasks), simulator.inventory(exa_provider="exaoperation")).ok()
    said = [run.one(f"step {number}")["msg"] for number in range(len(tasks))]
    assert "Archive: no volumeRemove: schedule of DB1 sends backups there" in said[0]
    assert "n0015: off, and EXAoperation suspends the storage only of a node that is online" in said[1]
    assert "Off: it is locked, and the data of a locked volume can't be changed" in said[2]
    assert simulator.changes() == []


def test_exact_labels_keep_the_name(simulate, ansible):
    """A volume of EAO that is called by a plain label is still found, and no second one is created."""
    simulator = simulate(cluster(up=True, databases={}, volumes={"v0000": {"labels": ["sales", "old"]}}))
    wanted = {
        "name": "sales", "size": "10 GiB", "disk": "d03_storage", "nodes": ["all"], "redundancy": 1,
        "allowed_users": ["admin"], "labels": ["new"], "exact_labels": True,
    }  # fmt: skip
    there = {key: wanted[key] for key in ("name", "labels", "exact_labels")}
    tasks = [{"name": "first", VOLUME: there}, {"name": "second", VOLUME: {**wanted, "size": None, "nodes": None}}]
    unnamed = refused([(VOLUME, {"name": "sales", "absent_labels": ["sales"]})])
    run = ansible.run([*tasks, *unnamed], simulator.inventory()).ok()
    assert run.one("first")["volumes"]["sales"]["labels"] == ["sales", "new"]
    assert (run.one("second")["changed"], list(simulator.state()["volumes"])) == (False, ["v0000"])
    assert "the label sales is its name" in run.one("step 0")["msg"]


def test_what_a_remote_volume_had_is_said_before_it_goes(simulate, ansible):
    """A run that ends between removal and addition has said how it is completed; the next one says that it can't."""
    kept = {"labels": ["keep"], "options": ["cleanvolume"], "owner": "root", "vid": 10005}
    simulator = simulate(confd(databases={}, remote_volumes={"Archive": {**kept, "vol_type": "ftp", "url": "ftp://a"}}))
    before = simulator.state()["remote_volumes"]["Archive"]
    inventory = simulator.inventory(exa_provider="confd")
    simulator.fault("fault", method="remote_volume_add", text="no space")
    anew = {"name": "Archive", "url": "ftp://b", "recreate": True}
    run = ansible.run([{"name": "anew", REMOTE: anew}], inventory).failed()
    had = "remote_volume_id: 10005; vol_type: ftp; owner: root; labels: ['keep']; options: ['cleanvolume']"
    assert run.lines(rf"Archive is removed and added again. If this run is cut off .* old values: {re.escape(had)}"), (
        run.out
    )
    assert had in run.one("anew")["hint"]
    simulator.mend()
    given = {"remote_volume_id": 10005, "vol_type": "ftp", "labels": ["keep"], "options": ["cleanvolume"]}
    preview = {"name": "preview", REMOTE: {**anew, "vol_type": "ftp"}, "check_mode": True}
    run = ansible.run([preview, {"name": "again", REMOTE: {**anew, **given, "owner": "root"}}], inventory).ok()
    assert "the server chooses remote_volume_id owner labels options" in str(run.one("preview")["warnings"])
    assert simulator.state()["remote_volumes"] == {"Archive": {**before, "url": "ftp://b"}}


def test_a_remote_volume_made_anew_is_otherwise_the_same(simulate, ansible):
    kept = {"username": "u", "labels": ["keep"], "options": ["cleanvolume"], "owner": "root", "vid": 10005}
    remote = {"Archive": {**kept, "vol_type": "ftp", "url": "ftp://a"}}
    simulator = simulate(confd(databases={}, remote_volumes=remote))
    task = {"name": "Archive", "url": "ftp://b", "recreate": True}
    tasks = [*refused([(REMOTE, task)]), *tasks_of([(REMOTE, {**task, "password": SECRET})])]
    before = simulator.state()["remote_volumes"]["Archive"]
    run = ansible.run(tasks, simulator.inventory(exa_provider="confd")).ok()
    assert "to add it again for user u, give the password" in run.one("step 0")["msg"]
    assert run.one("run 0")["diff"]["before"] == {"Archive": {"url": "ftp://a"}}
    assert run.one("run 0")["diff"] == run.one("preview 0")["diff"]
    assert not run.one("again 0")["changed"]
    assert simulator.state()["remote_volumes"] == {"Archive": {**before, "url": "ftp://b"}}
    assert simulator.changes() == ["remote_volume_remove", "remote_volume_add"]


@pytest.mark.parametrize("provider", ["confd", "exaoperation"])
def test_a_password_in_a_url_of_a_remote_volume_is_not_shown(simulate, ansible, provider):
    """Neither that of the task nor the server's, whether it goes well or not."""
    remote = {"Archive": {"vol_type": "ftp", "url": "ftp://me:s3cret99@h/x", "labels": ["#Name#Archive"]}}
    simulator = simulate(stopped(provider, remote_volumes=remote))
    simulator.fault("fault", method="remote_volume_add", text="can't reach ftp://me:s3cret99@h/x", max_count=1)
    own = {"name": "Archive", "url": "ftp://me:hunter22@h/x", "allowed_users": ["admin"]}
    tasks = [(REMOTE, {**own, "name": "New", "vol_type": "ftp"}), (REMOTE, {"name": "Archive"}), (REMOTE, own)]
    again = [(REMOTE, {**own, "recreate": True, "password": ""}), (REMOTE, {"name": "Archive", "state": "absent"})]
    suite = [{**task, "diff": True} for task in refused([*tasks, *again])]
    run = ansible.run(suite, simulator.inventory(exa_provider=provider), "-vvv").ok()
    assert "ftp://me:********@h/x" in run.out
    for secret in ("hunter22", "s3cret99"):
        assert [row for row in run.rows if secret in str(row)] == []
        assert secret not in "\n".join(line for line in run.out.splitlines() if "task path" not in line)


def test_nodes_that_come_back_are_waited_for(simulate, ansible):
    """The recovery shows as progress, and what comes next begins after it."""
    simulator = simulate(confd(nodes=4, databases={}, volumes={"Data": {"redundancy": 2}}), clock="polls:5")
    simulator.power("n14", False)
    simulator.power("n14", True)
    task = {"name": "lower", VOLUME: {"name": "Data", "redundancy": 1}}
    wait = {"name": "wait", "dbfleet.cluster.exa_node": {"nodes": ["n14"], "power_on": False}}
    run = ansible.run([wait, task], simulator.inventory(exa_provider="confd")).ok()
    assert run.one("lower")["changed"]
    assert run.lines("RECOVERING .n14 RECOVERING"), run.out
    assert simulator.changes() == ["st_volume_decrease_redundancy"]


def test_data_that_moves_is_waited_for(simulate, ansible):
    """One change begins when EXAStorage has finished the one before, and the task ends when all is whole."""
    volumes = {"Data": {"nodes": [11, 12], "redundancy": 1}}
    simulator = simulate(confd(nodes=4, databases={}, volumes=volumes), clock="polls:5")
    task = {"name": "move", VOLUME: {"name": "Data", "nodes": ["n11", "n13"], "redundancy": 2, "size": "20 GiB"}}
    run = ansible.run([task], simulator.inventory(exa_provider="confd")).ok()
    moved = run.one("move")
    assert simulator.changes() == ["st_volume_move_node", "st_volume_increase_redundancy", "st_volume_enlarge"]
    assert (moved["volumes"]["Data"]["state"], moved["volumes"]["Data"]["not_online"]) == ("ONLINE", [])
    assert run.lines(r"volumes: .* 0/1 redundancy 2, waiting for Data .RECOVERING .n13 RECOVERING"), run.out


def test_an_only_copy_is_not_left_behind(simulate, ansible):
    """A node that is off is left by what others have too, and by nothing else."""
    both = {"nodes": ["n11", "n12", "n13"]}
    volumes = {"One": {**both, "redundancy": 1}, "Two": {**both, "redundancy": 2}}
    simulator = simulate(confd(nodes=4, databases={}, volumes=volumes))
    simulator.power("n13", False)
    tasks = [
        {"name": name, VOLUME: {"name": name, "nodes": ["n11", "n12", "n14"]}, "ignore_errors": True}
        for name in ("One", "Two")
    ]
    run = ansible.run(tasks, simulator.inventory(exa_provider="confd")).ok()
    assert "its segments aren't moved while it is LOCKED (n13 OFFLINE)" in run.one("One")["msg"]
    assert (run.one("Two")["changed"], simulator.changes()) == (True, ["st_volume_move_node"])


@pytest.mark.parametrize("provider", ["confd", "exaoperation"])
def test_a_remote_volume_with_backups(simulate, ansible, provider):
    """It goes only where it is named twice; the simulator says that backups went with it."""
    held = {
        "remote_volumes": {"r0001": {"vol_type": "s3", "url": "http://b"}},
        "backups": {"DB1": [{"volume": "r0001"}]},
    }
    simulator = simulate(stopped(provider, **held), broken=["volume-with-backups-removed"])
    gone = {"name": "r0001", "state": "absent"}
    run = ansible.run([{"name": "gone", REMOTE: gone}], simulator.inventory()).failed()
    assert "r0001 not removed: nobody could restore the backups on it" in run.one("gone")["msg"]
    assert (simulator.changes(), simulator.rules()) == ([], [])
    assert (
        ansible.run([{"name": "gone", REMOTE: {**gone, "confirm": "r0001"}}], simulator.inventory()).ok().changed() == 1
    )
    assert [row["rule"] for row in simulator.rules()] == ["volume-with-backups-removed"]


def refused(suite):
    return [{"name": f"step {number}", row[0]: row[1], "ignore_errors": True} for number, row in enumerate(suite)]


DATA = {"name": "Data"}
REFUSED = [
    (VOLUME, {"name": "Date", "state": "locked"}, "there is no volume Date .did you mean Data"),
    (VOLUME, {"name": "Nwe"}, "there is no such volume; to create it, give disk nodes redundancy size"),
    (VOLUME, {**DATA, "size": "3 GiB", "allow_shrink": True}, "no st_volume_shrink: database DB1 uses it .running"),
    (VOLUME, {**DATA, "size": "3 GiB"}, "would shrink to 3 GiB"),
    (VOLUME, {**DATA, "size": "10"}, "is not a size with its unit"),
    (VOLUME, {**DATA, "state": "locked"}, "no st_volume_lock: database DB1 uses it"),
    (VOLUME, {**DATA, "state": "cleared", "confirm": "Data"}, "no st_volume_clear_data: database DB1 uses it"),
    (VOLUME, {**DATA, "state": "absent", "confirm": "Data"}, "no st_volume_delete: database DB1 uses it"),
    (VOLUME, {**DATA, "state": "cleared", "confirm": "Data", "nodes": []}, "nodes is empty"),
    (VOLUME, {**DATA, "state": "absent"}, "deletes it with all its data, and confirm doesn't name it"),
    (VOLUME, {**DATA, "app_io": False}, "no st_volume_set_io_status: database DB1 uses it"),
    (VOLUME, {**DATA, "nodes": ["n11"]}, "a volume can't get fewer nodes"),
    (VOLUME, {**DATA, "nodes": ["n11", "n12", "n13", "n15"]}, "there is no node n15"),
    (VOLUME, {**DATA, "nodes": ["all"], "redundancy": 1}, "no volume changed: n14 is offline or suspended"),
    (VOLUME, {**DATA, "allowed_users": ["x"]}, "has an owner and permissions instead of a list of users"),
    (VOLUME, {**DATA, "priority": 3, **AS_LOOKER}, "the user may not do this: User looker is not allowed"),
    (REMOTE, {"name": "Archiv", "url": "x"}, "did you mean Archive.*; to add it, give vol_type"),
    (
        REMOTE,
        {"name": "Archive", "url": "http://other"},
        "its url is http://b, not http://other: ConfD has no job",
    ),
    (REMOTE, {"name": "Archive", "readonly_users": ["x"]}, "ConfD has no users who may only read"),
    (REMOTE, {"name": "Archive", "wait_timeout": 0.5}, "not Online after 0.5 s: Archive is Unmounted on n12"),
    (REMOTE, {**BUCKET, **AS_LOOKER}, "the user may not do this"),
]


def test_refusals(simulate, ansible):
    """Each in one sentence that names the cluster, and nothing changed."""
    remote = {"Archive": {"vol_type": "s3", "url": "http://b", "states": {"n12": "unmounted"}}}
    volumes = {"Data": {"redundancy": 2, "nodes": [11, 12, 13]}}
    simulator = simulate(
        confd(
            nodes=4,
            databases={"DB1": {"state": "running", "nodes": [11], "data_volume_name": "Data"}},
            users=[ADMIN, LOOKER],
            volumes=volumes,
            remote_volumes=remote,
            timing={"boot": 600},
        )
    )
    simulator.power("n14", False)
    run = ansible.run(refused(REFUSED), simulator.inventory()).ok()
    run.said_well()
    for number, (_module, args, said) in enumerate(REFUSED):
        result = run.one(f"step {number}")
        assert "failure" in result, (args, result)
        assert re.search(said, result["msg"]), (args, result["msg"])
        assert result["msg"].startswith("exa-confd: "), result["msg"]
    assert simulator.changes() == []


EAO_REFUSED = [
    (VOLUME, {**DATA, "state": "locked"}, "no call that locks or unlocks"),
    (VOLUME, {**DATA, "state": "cleared", "confirm": "Data"}, "no call that overwrites"),
    (VOLUME, {**DATA, "size": "1 GiB", "allow_shrink": True}, "no call that makes a volume smaller"),
    (VOLUME, {**DATA, "size": "200.5 GiB"}, "is not possible, because sizes change in steps of 1 GiB"),
    (VOLUME, {**DATA, "owner": [1, 2]}, "has no owner, permissions or shared flag"),
    (VOLUME, {**DATA, "state": "absent", "confirm": "Data"}, "no volumeRemove: database DB1 uses it .running"),
    (VOLUME, {"name": "v0077", "labels": ["x"]}, "there is no volume v0077"),
    (
        VOLUME,
        {"name": "New", "size": "1 GiB", "disk": "d", "nodes": ["n11"], "redundancy": 1},
        "to create it, give allowed_users",
    ),
    (REMOTE, {"name": "New", "url": "http://x", "vol_type": "gs", "allowed_users": []}, "no remote volumes of type gs"),
    (REMOTE, {"name": "New", "url": "http://x", "owner": "x", "allowed_users": []}, "which has no owner"),
    (REMOTE, {"name": "New", "url": "http://x"}, "to add it, give allowed_users"),
]


def test_refusals_of_exaoperation(simulate, ansible):
    database = {"DB1": {"state": "running", "volume": "Data"}}
    simulator = simulate(cluster(up=True, databases=database, volumes={"Data": {}}))
    run = ansible.run(refused(EAO_REFUSED), simulator.inventory()).ok()
    run.said_well()
    for number, (_module, args, said) in enumerate(EAO_REFUSED):
        result = run.one(f"step {number}")
        assert "failure" in result, (args, result)
        assert re.search(said, result["msg"]), (args, result["msg"])
    assert simulator.changes() == []


def test_error_results(simulate, ansible):
    """What the server refuses is shown with its name and description; lost answers are cleared up by a look."""
    simulator = simulate(stopped("confd"))
    grow = {"name": "grow", VOLUME: {"name": "Data", "size": "80 GiB"}}
    simulator.fault("fault", method="st_volume_enlarge", text="no space left on device", max_count=1)
    run = ansible.run([grow], simulator.inventory()).failed()
    assert re.search("st_volume_enlarge of Data at .*: the server refused: no space left", run.one("grow")["msg"])
    simulator.fault("reset_after", method="job_exec", object="*", max_count=1)
    label = {"name": "label", VOLUME: {"name": "Data", "priority": 1}}
    assert ansible.run([label], simulator.inventory()).ok().one("label")["changed"]


def test_the_cluster_without_quorum(simulate, ansible):
    simulator = simulate(confd(nodes=3, databases={}))
    for node in ("n12", "n13"):
        simulator.power(node, False)
    task = {"name": "task", VOLUME: {"name": "DataVolume1", "size": "99 GiB", "wait_timeout": 1}}
    run = ansible.run([task], simulator.inventory(exa_provider="confd")).failed()
    assert run.one("task")["msg"].startswith("exa-confd: ")
    assert simulator.changes() == []


def test_a_lock_of_exastorage_stays_until_its_cause_is_gone(simulate, ansible):
    volumes = {"Data": {"nodes": ["n11", "n12"], "redundancy": 2}}
    simulator = simulate(confd(nodes=3, databases={}, volumes=volumes))
    take = {"dbfleet.cluster.exa_job": {"job": "st_node_suspend", "params": {"nid": 12}}}
    unlocked = {"name": "Data", "state": "unlocked"}
    inventory = simulator.inventory()
    refusals = [(VOLUME, unlocked), (VOLUME, {"name": "Data", "size": "60 GiB"})]
    run = ansible.run([take, *refused(refusals)], inventory).ok()
    assert "Data: EXAStorage itself has locked it (unlock condition: node 12 is resumed)" in run.one("step 0")["msg"]
    assert "EXAStorage itself has locked it" in run.one("step 1")["msg"]
    assert "EXAStorage removes the lock" in run.one("step 1")["hint"]
    assert simulator.changes() == ["st_node_suspend"]
    ansible.run(tasks_of([(VOLUME, {**unlocked, "ignore_unlock_conditions": True})]), inventory).ok()
    assert simulator.changes() == ["st_node_suspend", "st_volume_unlock"]


def test_keys_of_s3_reach_the_server_and_nobody_else(simulate, ansible):
    keys = {"s3_access_key": "AK" + "told7351", "s3_secret_key": "SK" + "told7351"}
    bucket = {"name": "Keyed", "vol_type": "s3", "url": "https://b.s3.example.com", **keys}
    tasks = [{"name": "add", REMOTE: bucket, "diff": True}, {"name": "again", REMOTE: bucket, "diff": True}]
    simulator = simulate(confd(databases={}))
    run = ansible.run(tasks, simulator.inventory(), "-vvv").ok()
    assert [run.one(name)["changed"] for name in ("add", "again")] == [True, False]
    assert simulator.changes() == ["remote_volume_add"]
    assert "told7351" not in run.out
    for old in (confd(databases={}, settings={"parameter_names": "6.2"}), cluster(up=True)):
        simulator = simulate(old)
        tasks = refused([(REMOTE, {**bucket, "allowed_users": ["admin"]})])
        run = ansible.run(tasks, simulator.inventory()).ok()
        assert "has no s3_access_key" in run.one("step 0")["msg"]
        assert simulator.changes() == []

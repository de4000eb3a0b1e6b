# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases and nodes configured: change, no change, preview, refusals; nodes suspended on both providers."""

from __future__ import annotations

from world import cluster, confd, play

PREFIX = "dbfleet.cluster."
ADMIN = {"name": "admin"}
LOOKER = {"name": "looker", "password": "only looks"}
DBA = {"name": "dba", "password": "administers databases", "groups": ["exadbadm"]}
GUEST = {"name": "guest", "password": "only names", "groups": ["exausers"]}
JOBS = ("node_suspend", "node_resume", "node_add", "node_remove")
AS_DBA = {"api_username": "dba", "api_password": DBA["password"]}
AS_GUEST = {"api_username": "guest", "api_password": GUEST["password"]}
EAO_USERS = [{"name": "admin", "role": "Administrator"}, {**LOOKER, "role": "Administrator"}]
AS_LOOKER = {"api_username": "looker", "api_password": LOOKER["password"]}
HASH = "sha512:0a1b2c3d4e5f60718293a4b5c6d7e8f9"
DB2 = {
    "version": "8.29.1", "data_volume_name": "DataVolume2", "mem_size": "2048MiB", "nodes": ["n11", 12, "n13"],
    "num_active_nodes": 2, "port": 8564, "params": "-two=2 -one=1", "volume_quota": "500", "owner": [500, 500],
    "ldap_server": ["ldap://10.0.0.1", "ldap://10.0.0.2"], "enable_auditing": True, "default_sys_passwd_hash": HASH,
    "additional_sys_passwd_hashes": [HASH + "aa", HASH + "bb"],
}  # fmt: skip
VOLUMES = {"DataVolume1": {}, "DataVolume2": {"size": "4 GiB"}}


def database(**options):
    return {PREFIX + "exa_database": {"databases": ["DB2"], "state": "present", **options}}


def node(**options):
    return {PREFIX + "exa_node": options}


def through(simulator, ansible, suite):
    """Each step previewed, run, and run again; the preview and the second run by a user of whom no change is taken."""
    tasks = []
    for name, row in suite:
        (module, options), *_none = row.items()
        looking = {**options, **AS_LOOKER}
        tasks += [
            {"name": f"preview {name}", module: looking, "check_mode": True, "diff": True},
            {"name": f"run {name}", module: options, "diff": True},
            {"name": f"again {name}", module: looking},
        ]
    run = ansible.run([play(tasks)], simulator.inventory()).ok()
    for name, _row in suite:
        preview, result, again = (run.one(f"{word} {name}") for word in ("preview", "run", "again"))
        assert result["changed"], (name, result)
        assert preview["changed"], name
        assert [(step["object"], step["step"]) for step in preview["steps"]] == [
            (step["object"], step["step"]) for step in result["steps"]
        ], name
        assert not again["changed"], (name, again)
        assert again["steps"] == [], name
        assert result["diff"]["before"] != result["diff"]["after"], name
        assert preview["diff"]["before"] == result["diff"]["before"], name
    assert not [row for row in simulator.calls(changing=True) if row["user"] == "looker"]
    return run


def refused(simulator, ansible, suite):
    """Each step fails with one sentence, and nothing is changed; what a guard finds is warned of under check mode."""
    tasks = []
    for name, row, _said in suite:
        tasks += [
            {"name": f"preview {name}", **row, "check_mode": True, "ignore_errors": True},
            {"name": f"run {name}", **row, "ignore_errors": True},
        ]
    simulator.forget()
    run = ansible.run([play(tasks)], simulator.inventory()).ok()
    run.said_well()
    for name, _row, said in suite:
        result, preview = run.one(f"run {name}"), run.one(f"preview {name}")
        assert run.went(f"run {name}", simulator.names[0]) == "failed", (name, result)
        assert said in f"{result['msg']} | {result.get('hint', '')}", (name, result["msg"], result.get("hint"))
        warned = "would be refused" in str(preview.get("warnings"))
        assert run.went(f"preview {name}", simulator.names[0]) == "failed" or warned, (name, preview)
        assert not result["changed"], name
    assert simulator.changes() == []
    return run


def test_a_database_is_created_configured_and_deleted(simulate, ansible):
    simulator = simulate(confd(users=[ADMIN, LOOKER], volumes=VOLUMES))
    same = {
        **DB2, "mem_size": "2 GiB", "params": ["-one=1", "-two=2"], "nodes": [11, 12, 13], "volume_quota": "500 GiB",
    }  # fmt: skip
    more = {**same, "mem_size": "4 GiB", "params_add": ["-three=3"], "params_delete": "-one", "volume_quota": "1 TiB"}
    suite = [
        ("creation", database(config={**DB2, "max_system_heap_memory": "64 GiB"})),
        ("memory", database(config={"mem_size": "3072 MiB", "volume_quota": "512 GiB"})),
        ("more", database(config={key: value for key, value in more.items() if key != "params"})),
        ("reserve", database(config={"nodes": ["n11", "n12"]})),
        ("nodes", database(config={"nodes": ["n12", "n11", "n13"], "num_active_nodes": 3}, enlarge=True)),
        ("stop", database(state="stopped")),
        ("deletion", database(state="absent", confirm=["DB2"])),
    ]
    run = through(simulator, ansible, suite)
    assert run.one("run creation")["databases"]["DB2"]["state"] == "setup"
    assert HASH not in run.out
    assert [step["step"] for step in run.one("run creation")["steps"]] == ["db_create", "db_configure"]
    assert run.one("run creation")["databases"]["DB2"]["config"]["nodes"]["reserve"] == ["n13"]
    assert run.one("run nodes")["databases"]["DB2"]["state"] == "running"
    assert run.one("run deletion")["databases"] == {}
    assert "DB2" not in simulator.state()["databases"]
    assert simulator.changes() == [
        "db_create DB2", "db_configure DB2", "db_configure DB2", "db_configure DB2", "db_remove_reserve_nodes DB2",
        "db_add_reserve_nodes DB2", "db_enlarge DB2", "db_stop DB2", "db_delete DB2",
    ]  # fmt: skip


def test_nodes_are_suspended_taken_back_added_and_removed(simulate, ansible):
    databases = {"DB1": {"state": "running", "nodes": ["n11", "n12"]}}
    volumes = {"DataVolume1": {"nodes": ["n11", "n12"]}}
    simulator = simulate(confd(nodes=4, databases=databases, volumes=volumes, users=[ADMIN, LOOKER]))
    suite = [
        ("suspension", node(nodes=[14], state="suspended", disable=True)),
        ("resumption", node(nodes=["n13", "n14"], state="resumed", enable=True)),
        ("addition", node(nodes=[{"nid": 15, "priv_net": "127.0.0.15/24"}, "n11"], state="present")),
        ("another", node(nodes=[{"priv_net": "127.0.0.16/24", "offline": True}], state="present")),
        ("back", node(nodes=["n15"], state="resumed")),
        ("removal", node(nodes=["n15", 16], state="absent", confirm=["n15", "n16"])),
    ]
    run = through(simulator, ansible, suite)
    assert run.one("run suspension")["nodes"] == {"n14": {"state": "suspended"}}
    assert run.one("run addition")["nodes"]["n15"]["nid"] == 15
    changes = [(row["method"], row["args"]) for row in simulator.calls(changing=True)]
    sent = [str(args) for _method, args in changes]
    assert [next(job for job in JOBS if job in args) for args in sent] == [
        "node_suspend", "node_resume", "node_add", "node_add", "node_resume", "node_remove",
    ]  # fmt: skip
    assert "[15, 16]" in sent[-1]  # both by one job
    assert ["'disable': True" in sent[0], "'enable': True" in sent[1], "enable" in sent[4]] == [True, True, False]


def test_a_number_is_kept_for_the_node_that_asks_for_it(simulate, ansible):
    """A server gives the next number to a node that asks for none: the other one is added before it."""
    simulator = simulate(confd(databases={}))
    rows = [{"priv_net": "127.0.0.21/24"}, {"nid": 14, "priv_net": "127.0.0.14/24"}]
    run = ansible.run([play([{"name": "two", **node(nodes=rows, state="present")}])], simulator.inventory()).ok()
    there = {name: row["priv_net"] for name, row in run.one("two")["nodes"].items()}
    assert there == {"n14": "127.0.0.14/24", "n15": "127.0.0.21/24"}
    assert set(there) < set(simulator.state()["nodes"])


NEW = {
    "version": "8.29.1", "data_volume_name": "DataVolume2", "mem_size": "2 GiB", "nodes": ["n11", "n12"],
    "num_active_nodes": 2,
}  # fmt: skip
UP = {"state": "running", "nodes": ["n11", "n12"], "mem_size": "2 GiB", "data_volume_name": "DataVolume1"}
DOWN = {"state": "setup", "nodes": ["n11", "n12"], "reserve": ["n13"], "mem_size": "2 GiB", "port": 8565}


def test_what_stands_against_a_configuration(simulate, ansible):
    """Presence and absence, each with what it is refused by, before anything is sent."""
    databases = {"DB1": UP, "DB3": {**DOWN, "data_volume_name": "DataVolume2"}, "DB4": {**DOWN, "operation": "Restore"}}
    simulator = simulate(confd(nodes=4, databases=databases, volumes=VOLUMES, users=[ADMIN, LOOKER]))

    def of(name, **options):
        return database(**{"databases": [name], **options})

    def new(**config):
        given = {key: value for key, value in {**NEW, **config}.items() if value is not None}
        return of("DB2", config=given)

    suite = [
        ("no config", of("DB2"), "there is no database DB2; to create it, give config"),
        ("no memory", new(mem_size=None), "job db_create needs mem_size"),
        ("old parameter", new(cloud_data_storage="s3:eu-west-1:4:10:test1"), "has no parameter 'cloud_data_storage'"),
        ("volume", new(data_volume_name="DataVolum2"), "no volume DataVolum2 (did you mean DataVolume2?)"),
        ("volume id", new(data_volume_name=None, data_volume_id=99), "there is no volume 99"),
        ("node", new(nodes=["n11", "n92"]), "there is no node n92"),
        ("too many", new(num_active_nodes=3), "num_active_nodes is 3, but must be from 1 to 2"),
        ("misspelt", of("DB2", config={"mem_siez": "2 GiB"}), "mem_siez"),
        ("two", of("DB1", databases=["DB1", "DB3"], config=NEW), "state=present takes one database, not DB1 DB3"),
        ("all", of("all", state="absent"), "state=absent takes the names of databases, not all"),
        ("no name", of("DB1", databases=[]), "databases is empty"),
        ("config", of("DB1", state="started", config=NEW), "config is for state=present, and state is started"),
        ("running", of("DB1", config={"mem_size": "3 GiB"}), "mem_size is 2 GiB, not 3 GiB"),
        ("running, port", of("DB1", config={"port": 9000}), "running, accepts connections, and port is 8563, not 9000"),
        ("busy", of("DB4", config={"mem_size": "3 GiB"}), "operation Restore is running"),
        ("fixed", of("DB3", config={"db_uuid": "MTIz"}), "db_uuid is not shown, not MTIz, and no job can change that"),
        ("active", of("DB3", config={"nodes": ["n11", "n13"]}), "n12 is an active node of the database"),
        ("fewer", of("DB3", config={"num_active_nodes": 1}), "not 1, and no job removes an active node"),
        ("more", of("DB3", config={"num_active_nodes": 3}), "to allow this, set enlarge: true"),
        ("too few", of("DB3", config={"num_active_nodes": 4}, enlarge=True), "not 4, and only 1 in reserve"),
        ("enlarge up", of("DB1", config={"nodes": ["n11", "n12", "n13"], "num_active_nodes": 3}, enlarge=True),
         "a database gets active nodes only while it is stopped"),
        ("owner", of("DB3", config={"owner": ["exadefusr"]}), "owner must be a list of two"),
        ("unconfirmed", of("DB3", state="absent"), "to allow this, set confirm: [DB3]"),
        ("confirmed another", of("DB3", state="absent", confirm=["DB2"]), "and confirm doesn't name it"),
        ("deleted up", of("DB1", state="absent", confirm=["DB1"]), "a database is deleted only while it is stopped"),
        ("deleted busy", of("DB4", state="absent", confirm=["DB4"]), "operation Restore is running"),
    ]  # fmt: skip
    run = refused(simulator, ansible, suite)
    assert run.one("run running")["failure"] == "refused"
    assert run.one("run volume")["failed_object"] == "DataVolum2"


def test_who_may_do_what(simulate, ansible):
    """Whoever administers databases alone may not ask for nodes and volumes, and still can create one."""
    simulator = simulate(confd(databases={}, volumes=VOLUMES, users=[ADMIN, GUEST, DBA]))
    twice = [
        {"name": "right", **database(config=NEW, **AS_GUEST), "ignore_errors": True},
        {"name": "volumes", **database(config=NEW, **AS_DBA)},
    ]
    run = ansible.run([play(twice)], simulator.inventory()).ok()
    assert run.one("right")["failure"] == "denied"
    assert run.one("volumes")["changed"]
    assert [row["user"] for row in simulator.calls(changing=True)] == ["guest", "dba"]


def test_what_stands_against_a_change_of_nodes(simulate, ansible):
    databases = {"DB1": {**UP, "reserve": ["n13"]}, "DB2": {"state": "setup", "nodes": ["n14"]}}
    volumes = {"DataVolume1": {"nodes": ["n11", "n12"]}, "DataVolume2": {"nodes": ["n14"]}}
    nodes = {f"n{number}": {"state": "online"} for number in range(11, 16)}
    nodes["n15"] = {"state": "suspended"}
    simulator = simulate({**confd(nodes=5, databases=databases, volumes=volumes, master="n13"), "nodes": nodes})
    rows = {"nid": 11, "priv_net": "10.9.9.9/24"}
    suite = [
        ("unknown", node(nodes=["n91"], state="suspended"), "there is no node n91"),
        ("active", node(nodes=["n12"], state="suspended"), "n12 not suspended: DB1 is running and active on n12"),
        ("master", node(nodes=["n13"], state="suspended"), "n13 not suspended: it is the master"),
        ("mark", node(nodes=["n12"], state="resumed", disable=True), "disable goes with state=suspended"),
        ("mapping", node(nodes=[rows], state="resumed"), "state=resumed takes the names of nodes, not mappings"),
        ("all", node(state="absent"), "state=absent takes nodes by name, not all"),
        ("misspelt", node(nodes=[{"nid": 16, "privnet": "x"}], state="present"), "did you mean priv_net?"),
        ("no address", node(nodes=["n16"], state="present"), "job node_add needs priv_net"),
        (
            "taken",
            node(nodes=[{"nid": 16, "priv_net": "127.0.0.12/8"}], state="present"),
            "node 12 (n12) already has priv",
        ),
        ("other", node(nodes=[rows], state="present"), "priv_net is 127.0.0.11/24, not 10.9.9.9/24"),
        (
            "nothing",
            node(nodes=[{"pub_net": "10.0.0.1/24"}], state="present"),
            "each node needs a name, nid or priv_net",
        ),
        ("unconfirmed", node(nodes=["n14"], state="absent"), "to allow this, set confirm: [n14]"),
        ("removed suspended", node(nodes=["n15"], state="absent", confirm=["n15"]), "resume it first"),
        ("used", node(nodes=["n14"], state="absent", confirm=["n14"]), "n14 has database DB2 volume DataVolume2"),
        ("active by force", node(nodes=["n11"], state="absent", confirm=["n11"], force=True), "active on n11"),
    ]
    refused(simulator, ansible, suite)


def test_a_quorum_is_kept(simulate, ansible):
    simulator = simulate(confd(nodes=4, databases={}, master="n11"))
    suite = [("two", node(nodes=["n13", "n14"], state="suspended"), "only 2 of 4 nodes would stay online")]
    refused(simulator, ansible, suite)
    run = ansible.run([play([{"name": "one", **node(nodes=["n14"], state="suspended")}])], simulator.inventory()).ok()
    assert run.one("one")["changed"]
    simulator.forget()
    refused(simulator, ansible, [("another", node(nodes=["n13"], state="suspended"), "only 2 of 4 nodes would stay")])


def test_what_an_old_server_shows(simulate, ansible):
    """6.2 tells of a database its nodes, volume, quota and port alone: the rest is warned of, or sent each time."""
    databases = {"DB1": {"state": "setup", "nodes": ["n11", "n12"], "data_volume_name": "DataVolume1", "port": 8888}}
    simulator = simulate(confd(databases=databases, volumes=VOLUMES, version="6.2.7"))
    config = {"data_volume_id": 0, "port": 8888, "nodes": ["n12", "n11"], "num_active_nodes": 2}
    given = {"databases": ["DB1"], "config": {**config, "mem_size": "4 GiB"}}
    added = {"databases": ["DB6"], "on_unseen": "send"}
    added["config"] = {"version": "6.2.7", "data_volume_name": "DataVolume2", "nodes": ["n11"], "num_active_nodes": 1}
    added["config"].update({"port": 8890, "params_add": "-one=1", "mem_size": "2 GiB"})
    tasks = [
        {"name": "seen", **database(databases=["DB1"], config=config)},
        {"name": "unseen", **database(**given)},
        {"name": "sent", **database(**given, on_unseen="send")},
        {"name": "sent again", **database(**given, on_unseen="send")},
        {"name": "new", **database(config={**NEW, "port": 8889, "volume_quota": "3 GiB"})},
        {"name": "new again", **database(config={"data_volume_name": "DataVolume2", "port": 8889, "volume_quota": 3})},
        {"name": "added", **database(**added)},
        {"name": "added again", **database(**added)},
        {"name": "part of a GiB", **database(config={"volume_quota": "1.5 GiB"}), "ignore_errors": True},
        {"name": "no port", **database(databases=["DB5"], config=NEW), "ignore_errors": True},
    ]
    run = ansible.run([play(tasks)], simulator.inventory()).ok()
    changed = {row["name"]: run.one(row["name"])["changed"] for row in tasks}
    assert [name for name, was in changed.items() if was] == ["sent", "sent again", "new", "added", "added again"]
    assert "can't compare or change params_add" in str(run.one("added again")["warnings"])
    assert run.one("seen")["not_compared"] == []
    assert run.one("unseen")["not_compared"] == ["mem_size"]
    assert "this run can't compare mem_size" in run.one("unseen")["warnings"][0]
    assert "in whole GiB, not 1.5 GiB" in run.one("part of a GiB")["msg"]
    assert "needs port" in run.one("no port")["msg"]
    assert simulator.changes() == [
        "db_configure DB1", "db_configure DB1", "db_create DB2", "db_create DB6", "db_configure DB6",
    ]  # fmt: skip


def test_faults_on_the_way(simulate, ansible):
    """A lost answer, a job that is refused, an enlarged database that doesn't start, a volume that is shared."""
    databases = {"DB1": {**UP, "state": "setup", "reserve": ["n13"]}}
    simulator = simulate(confd(databases=databases, volumes=VOLUMES))
    simulator.fault("reset_after", method="db_create", max_count=1)
    shared = {**NEW, "data_volume_name": "DataVolume1"}
    run = ansible.run([play([{"name": "lost", **database(config=shared)}])], simulator.inventory()).ok()
    assert simulator.changes() == ["db_create DB2"]
    assert "volume DataVolume1 also belongs to DB1" in run.one("lost")["warnings"][0]
    simulator.mend()
    simulator.fault("fault", method="db_configure", text="not today")
    more = {"databases": ["DB1"], "config": {"mem_size": "3 GiB"}}
    run = ansible.run([play([{"name": "more", **database(**more)}])], simulator.inventory()).failed()
    assert "not today" in run.one("more")["msg"]
    assert not run.one("more")["changed"]
    assert [step["refused"] for step in run.one("more")["steps"]] == [True]
    simulator.mend()
    simulator.fault("fails_to_start", object="DB1", text="no license")
    enlarging = {"databases": ["DB1"], "config": {"num_active_nodes": 3}, "enlarge": True, "wait_timeout": 20}
    run = ansible.run([play([{"name": "enlarge", **database(**enlarging)}])], simulator.inventory()).failed()
    assert "no license" in run.one("enlarge")["msg"]
    assert run.one("enlarge")["changed"]


def test_a_database_that_a_run_before_has_enlarged_is_awaited(simulate, ansible):
    simulator = simulate(confd(databases={"DB1": {**UP, "state": "setup", "reserve": ["n13"]}}, volumes=VOLUMES))
    enlarging = {"databases": ["DB1"], "config": {"num_active_nodes": 3}, "enlarge": True}
    tasks = [{"name": "begin", **database(**enlarging, wait=False)}, {"name": "go on", **database(**enlarging)}]
    run = ansible.run([play(tasks)], simulator.inventory()).ok()
    assert run.one("begin")["changed"]
    assert not run.one("go on")["changed"]
    assert simulator.changes() == ["db_enlarge DB1"]
    assert simulator.state()["databases"]["DB1"]["connectible"] == "Yes"


def test_storage_nodes_of_exaoperation(simulate, ansible):
    """The same states on the other provider; what it has no calls for it says."""
    volumes = {"v0000": {"nodes": ["n0011", "n0012"]}}
    databases = {"DB1": {"state": "running", "nodes": ["n0011", "n0012"], "volume": "v0000"}}
    simulator = simulate(cluster(nodes=4, databases=databases, up=True, volumes=volumes, users=EAO_USERS))
    suite = [
        ("suspension", node(nodes=["n14"], state="suspended")),
        ("resumption", node(nodes=["all"], state="resumed")),
    ]
    run = through(simulator, ansible, suite)
    assert run.one("run suspension")["nodes"] == {"n0014": {"state": "suspended"}}
    assert simulator.changes() == ["suspendNode n0014", "resumeNode n0014"]
    suite = [
        ("in use", node(nodes=["n0012"], state="suspended"), "active on n0012"),
        ("quorum", node(nodes=["n0013", "n0014"], state="suspended"), "only 2 of 4 nodes would stay online"),
        ("database", database(config=NEW), "databases of an EXAoperation cluster are created"),
        ("deletion", database(state="absent", confirm=["DB2"]), "databases of an EXAoperation cluster are created"),
        ("node", node(nodes=["n15"], state="present"), "nodes of an EXAoperation cluster are added and removed"),
        ("no node", node(nodes=["n14"], state="absent"), "nodes of an EXAoperation cluster are added and removed"),
    ]
    run = refused(simulator, ansible, suite)
    hint = run.one("run in use")["hint"]
    assert hint == "stop the database first (exa_database state=stopped); nothing overrides this", "there are no jobs"

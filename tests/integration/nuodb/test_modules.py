# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a NuoDB module reports, the vendor's own library reads; a second run changes nothing, nor does a preview."""

from __future__ import annotations

import json
import re
import sys

from domains import connection, database, domain, forgive, start_ids
from world import HERE, play

PREFIX = "dbfleet.cluster."
NEW = {"server_id": "server1", "archive_path": "/var/opt/nuodb/archive/new"}
TE = {"db_name": "shop", "engine_type": "TE", "server_id": "server0"}
DBA = {"dba_user": "dba", "dba_password": "a DBA's password"}

SUITE = [
    ("nuodb_domain_info", {}),
    ("nuodb_database", {"databases": ["stock"], "state": "present", **DBA, "default_options": {"mem": "2G"}}),
    ("nuodb_archive", {"db_name": "stock", "archives": [NEW]}),
    ("nuodb_database", {"databases": [{"name": "stock", "te_server_ids": ["server0"]}]}),
    ("nuodb_process", {"processes": [{**TE, "count": 3}]}),
    ("nuodb_process", {"processes": [{**TE, "count": 1}], "exact": True}),
    ("nuodb_process", {"processes": [{"archive_id": 1}], "state": "stopped"}),
    ("nuodb_process", {"processes": [{"archive_id": 1}]}),
    ("nuodb_storage_group", {"db_name": "shop", "sg_name": "EAST", "archive_ids": [1]}),
    ("nuodb_hotcopy", {"db_name": "shop", "default_backup_dir": "/backup/one", "once": True}),
    ("nuodb_storage_group", {"db_name": "shop", "sg_name": "EAST", "state": "absent", "confirm": "EAST"}),
    ("nuodb_database", {"databases": ["shop", "stock"], "state": "stopped"}),
    ("nuodb_archive", {"archives": [{"archive_id": 1}], "state": "absent"}),
    ("nuodb_archive", {"archives": [{"archive_id": 1}], "state": "purged"}),
    ("nuodb_database", {"databases": ["stock"], "state": "absent"}),
    ("nuodb_server", {"servers": ["server2"], "state": "stopped"}),
    ("nuodb_server", {"servers": ["server2"], "state": "absent"}),
]


EXPECTED = {
    1: {"databases": {"shop": {}, "stock": {"state": "NOT_RUNNING"}}},
    2: {"archives": {"0": {}, "1": {}, "2": {**NEW, "state": "PROVISIONED"}}},
    3: {"databases": {"shop": {}, "stock": {"state": "RUNNING"}}},
    5: {"processes": {key: {"durable_state": "MONITORED"} for key in "01234"}},
    6: {"processes": {key: {"durable_state": "MONITORED"} for key in "0234"}, "archives": {"0": {}, "1": {}, "2": {}}},
    8: {"storage_groups": {"ALL": {}, "UNPARTITIONED": {}, "EAST": {"archives": {"1": "ADDED"}}}},
    10: {"storage_groups": {"ALL": {}, "UNPARTITIONED": {}}},
    11: {"processes": {}, "databases": {"shop": {"state": "NOT_RUNNING"}, "stock": {"state": "NOT_RUNNING"}}},
    12: {"archives": {"0": {}, "2": {}}},
    14: {"databases": {"shop": {}}},
    15: {"servers": {"server0": {}, "server1": {}, "server2": {"connected": "Disconnected"}}},
    16: {"servers": {"server0": {}, "server1": {}}},
}
"""What pynuoadmin reads after a step of the suite: just these objects, and so much of each."""

READ = {
    "ansible.builtin.command": {"argv": [sys.executable, str(HERE / "read_back.py")]},
    "environment": {
        "NUOCMD_API_SERVER": "{{ nuodb_api_url[0] }}",
        "NUOCMD_BASIC_CREDS": "{{ nuodb_api_username }}:{{ nuodb_api_password }}",
        "NUOCMD_VERIFY_SERVER": "{{ nuodb_ca_path }}",
    },
}
LOOKER = {"api_username": "looker", "api_password": "only looks"}


def agrees(kind, reported, read):
    """Every row that a module reports is the one that pynuoadmin reads, in all that both tell of."""
    for key, row in reported.items():
        other = read[kind][key]
        common = row.keys() & other.keys()
        assert len(common) >= 2, (kind, key)
        assert {name: row[name] for name in common} == {name: other[name] for name in common}, (kind, key)


def expected(read, wanted, what):
    for kind, rows in wanted.items():
        assert read[kind].keys() == rows.keys(), (kind, what)
        for key, row in rows.items():
            assert row.items() <= read[kind][key].items(), (kind, key, what)


def test_read_back_by_the_vendors_library(simulate, ansible):
    """Preview, run, read, run again. The preview and the second run go by a user who changes nothing."""
    users = [{"name": "admin"}, {"name": "looker", "password": LOOKER["api_password"]}]
    two = {"shop": database(tes=["server0"], up=True)}
    simulator = simulate(domain(servers=3, databases=two, users=users, settings={"leaderAssignmentTimeout": 600000}))
    tasks = []
    for number, (module, args) in enumerate(SUITE):
        looking = {**args, **LOOKER}
        tasks += [
            {"name": f"preview {number}", PREFIX + module: looking, "check_mode": True, "diff": True},
            {"name": f"run {number}", PREFIX + module: args},
            {"name": f"read {number}", **READ},
            {"name": f"again {number}", PREFIX + module: looking},
        ]
    run = ansible.run([play(tasks, "nuodb")], simulator.inventory()).ok()

    for number, (module, args) in enumerate(SUITE):
        what = (number, module, args)
        preview, result, again = (run.one(f"{word} {number}") for word in ("preview", "run", "again"))
        read = json.loads(run.one(f"read {number}")["stdout"])
        if module == "nuodb_domain_info":
            found = result["domain"]
            for kind in ("servers", "databases", "archives", "processes", "tombstones"):
                assert found[kind].keys() == read[kind].keys()
                agrees(kind, found[kind], read)
            continue
        assert result["changed"], what
        assert preview["changed"], what
        assert [(step["object"], step["step"]) for step in preview["steps"]] == [
            (step["object"], step["step"]) for step in result["steps"]
        ], what
        assert not again["changed"], what
        assert again["steps"] == [], what
        for kind in ("servers", "databases", "archives", "processes"):
            if isinstance(result.get(kind), dict):
                agrees(kind, {key: row for key, row in result[kind].items() if row}, read)
        expected(read, EXPECTED.get(number, {}), what)
        for group in result["storage_groups"].values() if module == "nuodb_storage_group" else ():
            assert read["storage_groups"][group["sg_name"]]["archives"] == group["archive_states"], what
        for copy in result["hotcopies"] if module == "nuodb_hotcopy" else ():
            assert read["hotcopies"][copy["hotCopyId"]] == copy["status"] == "completed"
    assert not [row for row in simulator.calls(changing=True) if row["user"] == "looker"]


TAKEN = {"server_id": "server0", "archive_path": "/var/opt/nuodb/archive/shop0/"}
ARCHIVE = {"archive_path": "/var/opt/nuodb/archive/other"}
LAST = {"processes": [{"db_name": "shop", "engine_type": "SM"}]}
REFUSED = [
    ("nuodb_server", {"servers": ["server7"], "state": "stopped"}, "there is no server server7"),
    ("nuodb_server", {"servers": ["server1"], "state": "stopped"}, "no AP shut down: the servers still have processes"),
    (
        "nuodb_server",
        {"servers": ["server1"], "state": "absent"},
        "server server1 is connected|it is connected|archive 1",
    ),
    ("nuodb_archive", {"db_name": "hr", "archives": [TAKEN]}, "server0:/var/opt/nuodb/archive/shop0.*shop"),
    ("nuodb_archive", {"db_name": "shop", "archives": [{**ARCHIVE, "server_id": "server7"}]}, "server7"),
    ("nuodb_archive", {"db_name": "hr", "archives": [{"archive_id": 0}]}, "archive 0"),
    ("nuodb_archive", {"archives": [{"archive_id": 0}], "state": "absent"}, "archive 0.*SM"),
    ("nuodb_database", {"databases": ["gone"]}, "there is no database gone"),
    ("nuodb_database", {"databases": ["shop"], "state": "absent"}, "it is RUNNING"),
    ("nuodb_database", {"databases": ["new"], "state": "present"}, "it does not exist"),
    ("nuodb_process", {"processes": [{"start_id": "99"}], "state": "stopped"}, "there is no process with start ID 99"),
    ("nuodb_process", {"processes": [{"archive_id": 99}]}, "there is no archive 99"),
    ("nuodb_process", {**LAST, "state": "stopped"}, "shop would lose its last SM"),
    ("nuodb_process", {**LAST, "state": "killed"}, "shop would lose its last SM"),
    ("nuodb_process", {"processes": [{"archive_id": 0}], "state": "evicted"}, "nothing evicted: .* answers"),
    ("nuodb_storage_group", {"db_name": "shop", "sg_name": "EAST", "archive_ids": [99]}, "99"),
    ("nuodb_hotcopy", {"db_name": "hr", "default_backup_dir": "/backup"}, "hr"),
    ("nuodb_hotcopy", {"db_name": "gone", "default_backup_dir": "/backup"}, "there is no database gone"),
]

CHANGES = [
    ("nuodb_database", {"databases": ["hr"]}),
    ("nuodb_database", {"databases": ["shop"], "state": "stopped"}),
    ("nuodb_process", {"processes": [{"db_name": "shop", "engine_type": "TE"}], "state": "stopped"}),
    ("nuodb_archive", {"db_name": "shop", "archives": [{**ARCHIVE, "server_id": "server0"}]}),
    ("nuodb_storage_group", {"db_name": "shop", "sg_name": "EAST", "archive_ids": [0]}),
    ("nuodb_server", {"servers": ["server2"], "state": "absent"}),
]


def test_refusals(simulate, ansible):
    """Each in one sentence that names the domain, and nothing changed; an AP without a majority changes nothing."""
    two = {"shop": database(up=True), "hr": database(["server1"], ["server1"])}
    simulator = simulate(*(domain(name, 3, databases=two) for name in ("nuo-prod", "no-quorum", "isolated")))
    connection(simulator).create_database("gone", "dba", "dba")
    connection(simulator).delete_database("gone")
    for server in ("server1", "server2"):
        simulator.admin("/faults", {"kind": "refuse", "object": server}, cluster="isolated")
    simulator.admin("/partition", {"server": "server0", "isolated": True}, cluster="isolated")
    for server in ("server1", "server2"):
        simulator.power(server, False, "no-quorum")
    for name in simulator.names:
        forgive(simulator, name)
    simulator.forget()
    hosts = simulator.inventory()

    def suite(rows):
        return [
            {"name": f"step {number}", PREFIX + row[0]: row[1], "ignore_errors": True}
            for number, row in enumerate(rows)
        ]

    plays = [
        play(suite(REFUSED), "nuodb", hosts="nuo-prod"),
        play(suite(CHANGES), "nuodb", hosts="no-quorum,isolated"),
    ]
    run = ansible.run(plays, hosts).ok()
    run.said_well()
    assert {name: row["ignored"] for name, row in run.stats.items()} == {
        "nuo-prod": len(REFUSED), "no-quorum": len(CHANGES), "isolated": len(CHANGES),
    }  # fmt: skip
    wrong = []
    for number, (module, args, said) in enumerate(REFUSED):
        result = run.one(f"step {number}", "nuo-prod")
        message = result["msg"]
        if not message.startswith("nuo-prod: ") or not re.search(said, message):
            wrong.append((module, args, message))
    for number, (module, args) in enumerate(CHANGES):
        for name in ("no-quorum", "isolated"):
            result = run.one(f"step {number}", name)
            said = re.match(
                rf"{name}: .*(the APs have no quorum|server server1 isn't connected)", result.get("msg", "")
            )
            if not said:
                wrong.append((name, module, args, result.get("msg")))
    assert not wrong, "\n".join(map(str, wrong))
    for name in simulator.names:
        assert simulator.changes(name) == [], name


def test_killed_and_evicted(simulate, ansible):
    """A process that doesn't obey is killed; one that was lost with its machine is struck off."""
    wide = database(tes=["server0", "server1", "server2"], up=True)
    simulator = simulate(domain(servers=3, databases={"shop": wide}), broken=["process-killed"])
    simulator.power("server2", False)
    forgive(simulator)
    (mute,) = start_ids(simulator, engine_type="TE", server_id="server0")
    (lost,) = start_ids(simulator, engine_type="TE", server_id="server2")
    tasks = []
    for state, start_id in (("killed", mute), ("evicted", lost)):
        args = {"processes": [{"start_id": start_id}], "state": state}
        tasks += [
            {"name": f"preview {state}", PREFIX + "nuodb_process": args, "check_mode": True},
            {"name": f"run {state}", PREFIX + "nuodb_process": args},
            {"name": f"again {state}", PREFIX + "nuodb_process": args},
        ]
    run = ansible.run([play(tasks, "nuodb")], simulator.inventory()).ok()
    for state in ("killed", "evicted"):
        changed = [run.one(f"{word} {state}")["changed"] for word in ("preview", "run", "again")]
        assert changed == [True, True, False], state
    stones = simulator.state()["tombstones"]
    assert stones[mute]["exit_code"] == 137
    assert stones[lost]["exit_code"] is None
    assert {row.start_id for row in connection(simulator).get_processes()} == simulator.state()["processes"].keys()
    assert len(simulator.changes()) == 2

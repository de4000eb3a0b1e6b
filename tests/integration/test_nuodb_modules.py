# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a NuoDB module reports, the vendor's own library reads; a second run changes nothing, nor does a preview."""

from __future__ import annotations

import json
import sys

from domains import database, domain
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

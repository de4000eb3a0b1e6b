# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A NuoDB module in-process and as an ordinary module over a real connection: the same results."""

from __future__ import annotations

from domains import database, domain
from world import plain, play

PREFIX = "dbfleet.cluster."
TE = {"db_name": "shop", "engine_type": "TE", "server_id": "server0"}

SUITE = [
    ("nuodb_connection_info", {}),
    ("nuodb_domain_info", {"incarnations": "all"}),
    ("nuodb_plan", {"domain": "{{ found.domain }}", "runbook": "recover"}),
    ("nuodb_server", {"state": "active"}),
    ("nuodb_process", {"processes": [{"archive_id": 0}]}),  # refused: it would wait for archive 1
    ("nuodb_database", {"databases": ["shoppe"]}),
    ("nuodb_database", {"databases": ["shop"], "engine_types": ["SM"]}),
    ("nuodb_process", {"processes": [{**TE, "count": 1}]}),
    ("nuodb_process", {"processes": [{"db_name": "shop", "engine_type": "SM"}], "state": "stopped"}),  # refused
    ("nuodb_server", {"servers": ["server2"], "state": "absent"}),  # refused: it is connected
    ("nuodb_archive", {"db_name": "shop", "archives": [{"server_id": "server0", "archive_path": "/archive/2"}]}),
    ("nuodb_storage_group", {"db_name": "shop", "sg_name": "EAST", "archive_ids": [7]}),
    ("nuodb_hotcopy", {"db_name": "shop"}),  # refused: it goes nowhere
    ("nuodb_database", {"databases": ["shop"], "state": "stopped"}),
    ("nuodb_server", {"state": "neither"}),
    ("nuodb_server", {"state": "stopped"}),
    ("nuodb_domain_info", {}),  # nobody answers
]
REFUSED = [4, 5, 8, 9, 11, 12, 14, 16]
PREVIEWED = (6, 13)


def test_module_suite(simulate, ansible):
    two = {"shop": database(tes=["server0"])}
    simulator = simulate(*(domain(name, 3, databases=two) for name in ("here", "there")))
    hosts = simulator.inventory()
    hosts["there"]["ansible_connection"] = "elsewhere"
    tasks = []
    for number, (module, args) in enumerate(SUITE):
        common = {"name": f"step {number}", "ignore_errors": True}
        if module != "nuodb_plan":
            args = {**args, "cluster_name": "nuo-prod"}
        if number in PREVIEWED:
            preview = {**common, "name": f"preview {number}", "check_mode": True, "diff": True}
            tasks.append({PREFIX + module: args, **preview})
        tasks.append({PREFIX + module: args, **common, **({"register": "found"} if number == 1 else {})})
    run = ansible.run([play(tasks, "nuodb")], hosts)

    ends = [run.went(f"step {number}", "here") for number in range(len(SUITE))]
    assert [number for number, end in enumerate(ends) if end == "failed"] == REFUSED, ends
    ports = [url.rpartition(":")[2] for host in hosts.values() for url in host["nuodb_api_url"]]
    for task in tasks:
        here, there = (plain(run.one(task["name"], name), ports) for name in ("here", "there"))
        for result in (here, there):
            if task["name"] == "step 14":  # wrong arguments: which there are depends on who looks at them first
                result.pop("invocation", None)
            else:  # the CA's file is sent along
                result["invocation"]["module_args"].pop("ca_path", None)
                result["invocation"]["module_args"].pop("domain", None)
        assert here == there, task
        assert run.went(task["name"], "here") == run.went(task["name"], "there"), task
    assert sorted(simulator.changes("here")) == sorted(simulator.changes("there"))
    assert not [row for name in hosts for row in run.failures(name) if "Traceback" in row or "unexpected" in row]

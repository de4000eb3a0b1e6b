# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module in-process and as an ordinary module over a real connection: the same results."""

from __future__ import annotations

import time

from world import COLLECTIONS, PLUGIN, cluster, plain, play

TEXT = "is running"
PREFIX = "dbfleet.cluster."

SUITE = [
    ("exa_connection_info", {}),
    ("exa_cluster_info", {}),
    ("exa_plan", {"cluster": "{{ found.cluster }}", "runbook": "cold_start"}),
    ("exa_storage", {"state": "started"}),  # refused: no node is online
    ("exa_node", {"nodes": ["n0011", "n0099"]}),
    ("exa_node", {"state": "online", "log_service": "logservice1"}),
    ("exa_node", {"state": "online"}),
    ("exa_database", {"databases": ["DB1"]}),  # refused: no service is OK
    ("exa_storage", {"state": "started"}),
    ("exa_database", {"databases": ["DB11"]}),
    ("exa_database", {"databases": "DB1,DB2", "log_service": "logservice1"}),
    ("exa_plugin", {"plugin": PLUGIN, "nodes": ["n0010", "n0011"], "running_text": TEXT}),
    ("exa_plugin", {"plugin": PLUGIN, "nodes": ["n0011"], "state": "restarted", "running_text": TEXT}),
    ("exa_plugin", {"plugin": "No.such", "nodes": ["n0011"]}),
    ("exa_log_info", {"pattern": "^Boot process finished|accepting connections"}),
    ("exa_log_info", {"pattern": "("}),
    ("exa_database", {"databases": ["DB1"], "state": "restarted"}),
    ("exa_storage", {"state": "stopped"}),  # refused: databases run
    ("exa_database", {"databases": ["all"], "state": "stopped"}),
    ("exa_storage", {"state": "stopped"}),
    ("exa_node", {"state": "offline"}),
    ("exa_node", {"state": "neither"}),
    ("exa_node", {"nodes": ["n0010"], "state": "offline"}),
    ("exa_cluster_info", {}),  # nobody answers
]

PREVIEWED = (5, 8, 10, 12, 16, 18, 19, 20)
"""Steps that are made under check mode first."""


def test_module_suite(simulate, ansible):
    simulator = simulate(*(cluster(name, databases=2) for name in ("here", "there")))
    hosts = simulator.inventory(exa_cluster_name="exa-prod")
    hosts["there"]["ansible_connection"] = "elsewhere"
    tasks = []
    for number, (module, args) in enumerate(SUITE):
        common = {"name": f"step {number}", "ignore_errors": True}
        if module != "exa_plan":
            args = {**args, "cluster_name": "exa-prod"}
        if number in PREVIEWED:
            preview = {**common, "name": f"preview {number}", "check_mode": True, "diff": True}
            tasks.append({PREFIX + module: args, **preview})
        register = {"register": "found"} if number == 1 else {}
        tasks.append({PREFIX + module: args, **common, **register})
    run = ansible.run([play(tasks)], hosts)

    ports = [url.rpartition(":")[2] for host in hosts.values() for url in host["exa_api_url"]]
    for task in tasks:
        here, there = (plain(run.one(task["name"], name), ports) for name in ("here", "there"))
        for result in (here, there):
            if task["name"] == "step 21":  # wrong arguments: which there are depends on who looks at them first
                result.pop("invocation", None)
            else:  # the CA's file is sent along
                result["invocation"]["module_args"].pop("ca_path", None)
        assert here == there, task
        assert run.went(task["name"], "here") == run.went(task["name"], "there"), task
    ends = [run.went(f"step {n}", "here") for n in range(len(SUITE))]
    assert [n for n, end in enumerate(ends) if end == "failed"] == [3, 4, 7, 9, 13, 15, 17, 21, 23], ends
    assert sorted(simulator.changes("here")) == sorted(simulator.changes("there"))
    assert not [row for name in hosts for row in run.failures(name) if "Traceback" in row or "unexpected" in row]


def test_what_a_task_may_say(simulate, ansible):
    """Keywords of a task, the same on both ways."""
    simulator = simulate(*(cluster(name, databases=2, up=True) for name in ("here", "there")))
    hosts = simulator.inventory()
    hosts["there"]["ansible_connection"] = "elsewhere"
    info = {PREFIX + "exa_cluster_info": {"gather": ["databases"]}}
    surroundings = {
        f"EXA_{name.upper()}": f"{{{{ exa_{name} }}}}" for name in ("api_username", "api_password", "ca_path")
    }
    surroundings["EXA_API_URL"] = "{{ exa_api_url | join(',') }}"
    slow = {PREFIX + "exa_database": {"databases": ["DB1"], "state": "stopped", "wait_timeout": 30}}
    tasks = [
        {"name": "polled", **info, "async": 60, "poll": 1},
        {"name": "detached", **info, "async": 60, "poll": 0, "register": "job"},
        {
            "name": "collected", "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
            "register": "end", "until": "end.finished", "retries": 60, "delay": 0.5,
        },
        {"name": "delegated", **info, "delegate_to": "localhost", "vars": {"ansible_connection": "local"}},
        {"name": "looped", PREFIX + "exa_database": {"databases": ["{{ item }}"]}, "loop": ["DB1", "DB2"]},
        {"name": "hidden", **info, "no_log": True},
        {"name": "once", **info, "run_once": True},
        {"name": "overdue", **slow, "timeout": 2, "ignore_errors": True},
    ]  # fmt: skip
    from_environment = {
        "hosts": "exa_clusters",
        "gather_facts": False,
        "tasks": [{"name": "surrounded", **info, "environment": surroundings}],
    }
    for name in hosts:
        simulator.fault("never_stops", cluster=name, object="DB1")
    run = ansible.run([play(tasks), from_environment], hosts).ok()
    for name in hosts:
        for task in ("polled", "collected", "delegated", "surrounded"):
            assert set(run.one(task, name)["cluster"]["databases"]) == {"DB1", "DB2"}, (task, name)
        assert [
            row["databases"][db]["state"] for row, db in zip(run.one("looped", name)["results"], ("DB1", "DB2"))
        ] == [
            "running",
            "running",
        ]
        assert "cluster" not in run.one("hidden", name)
        assert run.went("overdue", name) == "failed"
        assert run.one("overdue", name).get("timedout", {}).get("period") == 2
    assert len(run.of("once")) == 1
    assert simulator.changes("here") == ["stopDatabase db_DB1"]


def test_timeout_does_not_wait_for_a_call_that_hangs(simulate, ansible):
    simulator = simulate(cluster(up=True))
    simulator.fault("hang", method="getDatabaseState")
    task = {PREFIX + "exa_database": {"databases": ["DB1"], "state": "stopped"}, "timeout": 1}
    begun = time.monotonic()
    run = ansible.run([play([task])], simulator.inventory(exa_request_timeout=300)).failed()
    assert run.one("exa_database")["timedout"]["period"] == 1
    assert time.monotonic() - begun < 200  # it would be 300 otherwise


def test_simulator_module_both_ways(ansible, tmp_path):
    """Started, found again, another clock, stopped: alike, and what it starts can be used at once."""
    topology = cluster("exa-sim")
    args = {
        "name": "{{ inventory_hostname }}",
        "directory": str(tmp_path / "simulators"),
        "collections_path": COLLECTIONS,
    }
    module = PREFIX + "simulator"
    connection = {
        "api_url": "{{ sim.api_url }}", "api_username": "{{ sim.username }}", "api_password": "{{ sim.password }}",
        "ca_path": "{{ sim.ca_path }}",
    }  # fmt: skip
    tasks = [
        {"name": "preview", module: {**args, "topology": topology}, "check_mode": True},
        {"name": "start", module: {**args, "topology": topology, "clock": "immediate"}, "register": "sim"},
        {"name": "again", module: {**args, "topology": topology}},
        {"name": "clock", module: {**args, "clock": "polls:1"}},
        {"name": "other", module: {**args, "topology": {**topology, "name": "another"}}, "ignore_errors": True},
        {"name": "use", PREFIX + "exa_cluster_info": connection},
        {"name": "stop", module: {**args, "state": "stopped"}},
        {"name": "gone", module: {**args, "state": "stopped"}},
    ]
    hosts = {"here": {}, "there": {"ansible_connection": "elsewhere"}}
    run = ansible.run([{"hosts": "all", "gather_facts": False, "tasks": tasks}], hosts).ok()
    for name in hosts:
        changed = [run.one(task["name"], name)["changed"] for task in tasks]
        assert changed == [True, True, False, True, False, False, True, False], name
        assert run.one("use", name)["cluster"]["name"] == name
        assert set(run.one("use", name)["cluster"]["nodes"]) == {"n0011", "n0012"}
        assert "runs already, with another topology" in run.one("other", name)["msg"]
        assert "pid" not in run.one("preview", name)

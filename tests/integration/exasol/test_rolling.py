# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes of a cluster out and back one by one, by the task files of the role maintenance, on both servers."""

from __future__ import annotations

import yaml
from ansible_collections.dbfleet.cluster.tests.admin import press
from world import cluster, confd

PLAY = {
    "hosts": "exa_clusters",
    "gather_facts": False,
    "roles": [{"role": "dbfleet.cluster.exa_connection"}],
    "tasks": [
        {
            "name": "Node by node",
            "ansible.builtin.include_role": {"name": "dbfleet.cluster.maintenance", "tasks_from": "rolling_exasol"},
            "vars": {"exa_hook_connection": "{{ exa_connection_options }}"},
        }
    ],
}


def work(folder, name, *tasks):
    """What is done on a node: its power goes and comes."""
    powers = [
        {
            "name": f"Power {'on' if on else 'off'} {{{{ maintenance_node }}}} at {{{{ maintenance_node_host }}}}",
            "ansible.builtin.uri": press("/power", {"node": "{{ maintenance_node }}", "on": on}),
            "changed_when": False,
        }
        for on in (False, True)
    ]
    (folder / name).write_text(yaml.safe_dump([*tasks, *powers]))
    return str(folder / name)


def jobs(simulator, name):
    rows = simulator.calls(cluster=name, changing=True)
    return [f"{row['job']} {row['args'][1]['params']['nid']}" for row in rows]


def test_one_node_after_another_and_on_from_where_it_failed(simulate, ansible, tmp_path):
    """Nodes of a database that is stopped, and the reserve node of one that runs, whose own nodes stay."""
    volumes = {"DataVolume1": {"nodes": ["n12", "n13"], "redundancy": 2}}
    nodes = {"nodes": ["n12", "n13"], "data_volume_name": "DataVolume1"}
    stopped, runs = {"DB1": {"state": "setup", **nodes}}, {"DB1": {"state": "running", **nodes, "reserve": ["n14"]}}
    simulator = simulate(
        confd("stopped", nodes=4, databases=stopped, volumes=volumes, master="n11"),
        confd("spare", nodes=4, databases=runs, volumes=volumes, master="n11"),
        confd("needed", nodes=4, databases=runs, volumes=volumes, master="n11"),
        cluster("eao", up=True, databases={"DB1": {"state": "setup"}}),
    )
    good = work(tmp_path, "good.yml")
    hosts = simulator.inventory(**simulator.hook(), maintenance_work=good)
    hosts["spare"]["maintenance_rolling_nodes"] = ["n14"]

    preview = ansible.run([PLAY], {"stopped": hosts["stopped"], "spare": hosts["spare"]}, "--check").ok()
    assert preview.lines(r"^\[stopped\] maintenance: ") == [
        f"[stopped] maintenance: work on {node}: {good}" for node in ("n12", "n13")
    ]
    assert preview.lines(r"^\[stopped\] nodes: ") == [
        "[stopped] nodes: one after another: n12 n13",
        "[stopped] nodes: would node_suspend (online -> suspended): n12",
        "[stopped] nodes: would node_resume (suspended -> resumed): n12",
        "[stopped] nodes: would node_suspend (online -> suspended): n13",
        "[stopped] nodes: would node_resume (suspended -> resumed): n13",
    ]
    assert [jobs(simulator, name) for name in simulator.names] == [[], [], [], []]

    bad = work(tmp_path, "bad.yml", {"ansible.builtin.fail": {"msg": "no image"}})
    run = ansible.run([PLAY], {**hosts, "spare": {**hosts["spare"], "maintenance_work": bad}}).failed()
    assert {name for name, row in run.stats.items() if row["failures"]} == {"spare", "needed", "eao"}
    assert jobs(simulator, "stopped") == ["node_suspend [12]", "node_suspend [13]"], "each is resumed when it boots"
    assert run.lines("Power off n13 at 127.0.0.13")
    assert "n12 n13: no node taken out: DB1 is running and active on n12 n13; has data" in run.failures("needed")[0]
    assert "only when EXAStorage isn't running" in run.failures("eao")[0]
    assert [simulator.changes(name) for name in ("needed", "eao")] == [[], []]

    simulator.forget()
    spare = {"spare": hosts["spare"]}
    refused = ansible.run([PLAY], spare).failed()
    assert "n14: no node taken out: n14 is suspended" in refused.failures()[0]
    assert refused.lines("if a run was cut off at a node, name this node in cut_off")
    assert jobs(simulator, "spare") == []
    again = ansible.run([PLAY], spare, variables={"maintenance_rolling_cut_off": 14}).ok()
    assert again.lines("Power on n14")
    assert {row["state"] for row in simulator.state("spare")["nodes"].values()} == {"online"}
    assert simulator.all_connectable("spare")

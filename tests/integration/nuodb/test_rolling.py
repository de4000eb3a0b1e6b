# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers of a domain out and back one by one, by the task files of the role maintenance."""

from __future__ import annotations

import yaml
from ansible_collections.dbfleet.cluster.tests.admin import press
from domains import database, domain, running

PLAY = {
    "hosts": "nuodb_domains",
    "gather_facts": False,
    "roles": [{"role": "dbfleet.cluster.nuodb_connection"}],
    "tasks": [
        {
            "block": [
                {
                    "name": "Server by server",
                    "ansible.builtin.include_role": {
                        "name": "dbfleet.cluster.maintenance",
                        "tasks_from": "rolling_nuodb",
                    },
                    "vars": {"nuodb_hook_connection": "{{ nuodb_connection_options }}"},
                }
            ],
            "rescue": [{"name": "Sick", "ansible.builtin.fail": {"msg": "sick"}}],
        }
    ],
}


def work(folder, name, *tasks):
    """What is done on a server: its AP goes and comes."""
    powers = [
        {
            "name": f"Power {'on' if on else 'off'} {{{{ maintenance_node }}}} at {{{{ maintenance_node_host }}}}",
            "ansible.builtin.uri": press("/power", {"node": "{{ maintenance_node }}", "on": on}),
            "changed_when": False,
        }
        for on in (False, True)
    ]
    (folder / name).write_text(yaml.safe_dump([powers[0], *tasks, powers[1]]))
    return str(folder / name)


def test_one_server_after_another_and_on_from_where_it_failed(simulate, ansible, tmp_path):
    """A domain with SMs on two of three servers; the work fails on the first, which is out then."""
    shop = database(["server0", "server1"], ["server0", "server1", "server1"], up=True)
    simulator = simulate(domain(servers=3, databases={"shop": shop}))
    before, hosts = running(simulator), simulator.inventory(**simulator.hook())
    good, bad = work(tmp_path, "good.yml"), work(tmp_path, "bad.yml", {"ansible.builtin.fail": {"msg": "no disk"}})

    preview = ansible.run([PLAY], hosts, "--check", variables={"maintenance_work": good}).ok()
    assert preview.lines(r"servers: one after another: server1 server0$")
    assert [line.rpartition("] ")[2] for line in preview.lines("would (shutdown|start)")] == [
        "processes: would shutdown (MONITORED:RUNNING -> gone): shop:TE@server1/3 shop:TE@server1/4",
        "processes: would shutdown (MONITORED:RUNNING -> gone): shop:SM@server1/1",
        "processes: would start SM (not running -> running): shop:archive1@server1",
        "processes: would start TE (not running -> running): shop:TE1@server1 shop:TE2@server1",
        "processes: would shutdown (MONITORED:RUNNING -> gone): shop:TE@server0/2",
        "processes: would shutdown (MONITORED:RUNNING -> gone): shop:SM@server0/0",
        "processes: would start SM (not running -> running): shop:archive0@server0",
        "processes: would start TE (not running -> running): shop:TE1@server0",
    ]
    assert simulator.changes() == []

    ansible.run([PLAY], hosts, variables={"maintenance_work": bad}).failed()
    assert sorted(simulator.changes()) == [f"DELETE processes {number}" for number in (1, 3, 4)]
    simulator.forget()
    refused = ansible.run([PLAY], hosts, variables={"maintenance_work": good}).failed()
    assert "server0: no server taken out: server server1 is Disconnected; archive 1 of shop" in refused.failures()[0]
    assert refused.lines("if an earlier run was cut off, name the server where it stopped in cut_off")
    assert simulator.changes() == []

    again = ansible.run([PLAY], hosts, variables={"maintenance_work": good, "maintenance_rolling_cut_off": "server1"})
    again.ok()
    tes = ["POST processes shop TE server1"] * 2
    assert simulator.changes() == [
        "POST processes shop SM 1",
        *tes,
        "DELETE processes 2",
        "DELETE processes 0",
        "POST processes shop SM 0",
        "POST processes shop TE server0",
    ]
    assert running(simulator) == before
    assert again.lines("Power off server0 at server0")

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runbook exa_cold_start, from all-off to connectable."""

from __future__ import annotations

from world import PLUGIN, cluster, confd, in_order, power_hook

NODES = [f"n{number:04d}" for number in range(11, 16)]
PLUGINS = [{"name": PLUGIN, "running_text": "vmtoolsd is running"}]


def test_from_all_off_to_connectable_and_again(simulate, ansible, tmp_path):
    topology = cluster(nodes=5, databases=3, machines={"n0010": {"state": "offline"}})
    simulator = simulate(topology)
    hosts = simulator.inventory(
        exa_log_service="logservice1",
        exa_plugins=PLUGINS,
        **simulator.hook(),
        exa_cold_start_hooks={"power": power_hook(tmp_path, "power", ["n0010"])},
    )
    run = ansible.run("exa_cold_start", hosts).ok()

    assert simulator.all_connectable()
    for name, row in simulator.state()["databases"].items():
        assert f"{name} accepts connections at {row['connection_string']}" in run.out
    in_order(
        simulator.changes(),
        [f"startupNode {node}" for node in NODES],
        ["startEXAStorage storage"],
        [f"startDatabase db_DB{number}" for number in (1, 2, 3)],
        [f"callPlugin {PLUGIN} n0010 START"],
        [f"callPlugin {PLUGIN} {node} START" for node in NODES],
    )
    assert run.lines(r"\(1/6\) power")
    assert run.lines(r"\(6/6\) plugins")
    assert run.lines(r"databases: log: .*DB2.* is accepting connections")
    assert not run.lines("Boot process finished' came")
    table = run.lines(r"exa_cold_start: ok")
    assert table
    assert run.custom["exa-prod"]["result"] == "ok"
    assert list(run.custom["exa-prod"]["phases"]) == ["power", "api", "nodes", "storage", "databases", "plugins"]

    simulator.forget()
    again = ansible.run("exa_cold_start", hosts).ok()
    assert again.changed() == 0
    assert simulator.changes() == []
    assert again.lines("plan: nothing to do")


def test_ways_of_a_cold_start(simulate, ansible, tmp_path):
    """Several clusters in one run, each with a difficulty of its own."""
    plugin_up = {PLUGIN: {"n0010": "running", "n0011": "running", "n0012": "stopped"}}
    simulator = simulate(
        cluster("exa-hook", version="4.2.13", settings={"suite_version_call": False}),
        cluster("exa-ignore", nodes=3, databases={"DB1": {"state": "setup", "nodes": ["n0011", "n0012"]}}),
        cluster("exa-hook-ignore", nodes=5, databases={"DB1": {"state": "setup", "nodes": ["n0011", "n0012"]}}),
        cluster("exa-mute"),
        cluster("exa-cardless"),
        cluster("exa-up", up=True, plugin_nodes=plugin_up),
        cluster("exa-resumed", up=True, plugin_nodes=plugin_up),
    )
    hosts = simulator.inventory(exa_log_service="logservice1", exa_plugins=PLUGINS)
    for host in hosts.values():
        host.update(simulator.hook())
    hook = power_hook(tmp_path, "nodes", "{{ exa_cold_start_offline_nodes }}")
    hosts["exa-hook"].update(exa_cold_start_power="hook", exa_cold_start_hooks={"power_nodes": hook})
    hosts["exa-hook-ignore"].update(exa_cold_start_power="hook", exa_cold_start_hooks={"power_nodes": hook})
    hosts["exa-hook-ignore"]["exa_cold_start_ignore_nodes"] = [13, "n14"]
    hosts["exa-ignore"]["exa_cold_start_ignore_nodes"] = ["n13"]
    hosts["exa-mute"]["exa_cold_start_boot_message_timeout"] = 1
    simulator.fault("wrong_state", cluster="exa-mute", method="logEntries", value=["", "", []])
    no_card = "Node n0012 has no power management card"
    simulator.fault("fault", cluster="exa-cardless", method="startupNode", object="n0012", text=no_card)
    hosts["exa-resumed"]["exa_cold_start_restart_plugins"] = True
    run = ansible.run("exa_cold_start", hosts).failed()

    assert {host: row["failures"] for host, row in run.stats.items()} == {
        name: int(name == "exa-cardless") for name in simulator.names
    }
    for name in set(simulator.names) - {"exa-cardless"}:
        assert simulator.all_connectable(name), name

    assert simulator.calls("startupNode", cluster="exa-hook") == []
    assert simulator.calls("getCurrentLicenseServer", cluster="exa-hook")

    assert simulator.calls("startEXAStorage", cluster="exa-ignore")[0]["args"] == [["n0013"]]
    assert "startupNode n0013" not in simulator.changes("exa-ignore")
    assert simulator.state("exa-ignore")["nodes"]["n0013"]["state"] == "off"
    hooked = simulator.state("exa-hook-ignore")["nodes"]
    assert [hooked[node]["state"] for node in ("n0012", "n0013", "n0014")] == ["online", "off", "off"]

    warnings = run.one("Every node is online", "exa-mute")["warnings"]
    assert any("exa-mute: n0011 is online, but no message 'Boot process finished' came" in text for text in warnings)

    (failure,) = set(run.failures("exa-cardless"))
    assert "exa-cardless: startupNode" in failure
    assert "n0012" in failure
    assert no_card in failure
    assert not simulator.calls("startEXAStorage", "startDatabase", cluster="exa-cardless")
    assert run.lines(r"\[exa-cardless\] cause: .*" + no_card)
    assert run.lines(r"\[exa-cardless\] resume: ansible-playbook .*exa_cold_start .*target=exa-cardless")

    assert simulator.changes("exa-up") == [f"callPlugin {PLUGIN} n0012 START"]
    assert simulator.changes("exa-resumed") == [
        f"callPlugin {PLUGIN} n0010 STOP",
        f"callPlugin {PLUGIN} n0010 START",
        f"callPlugin {PLUGIN} n0012 START",
    ]


def test_two_databases_on_one_data_volume(simulate, ansible):
    """PROD and its copy for the other site, by both providers: which is meant is asked, unless one of them runs."""
    sites = {name: {"state": "setup", "data_volume_name": "v0000"} for name in ("PROD", "PROD_DR")}
    half = {**sites, "PROD": {"state": "running", "data_volume_name": "v0000"}}
    simulator = simulate(
        cluster("exa-cold", databases=sites),
        cluster("exa-half", databases=half, up=True),
        confd("confd-cold", databases=sites),
        confd("confd-half", databases=half),
    )
    hosts = simulator.inventory()
    run = ansible.run("exa_cold_start", hosts).failed()
    for name in ("exa-cold", "confd-cold"):
        assert "PROD PROD_DR not started: they are on data volume" in run.custom[name]["cause"]
        assert "exa_cold_start_databases" in run.out
        assert simulator.changes(name) == []
    for name in ("exa-half", "confd-half"):
        assert run.custom[name]["result"] == "ok"
        assert simulator.changes(name) == []
        assert run.lines(rf"\[{name}\] databases: PROD_DR stays down: its data volume \S+ is in use by PROD")

    named = {"exa_cold_start_databases": "PROD_DR"}
    run = ansible.run("exa_cold_start", hosts, variables=named).failed()
    for name in ("exa-cold", "confd-cold"):
        databases = simulator.state(name)["databases"]
        assert {one: row["state"] for one, row in databases.items()} == {"PROD": "setup", "PROD_DR": "running"}
    for name in ("exa-half", "confd-half"):
        assert "PROD_DR not started: it is on data volume" in run.custom[name]["cause"]
        assert simulator.changes(name) == []

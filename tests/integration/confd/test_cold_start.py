# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""exa_cold_start of ConfD clusters: by hook and by the deployment's own jobs, previewed, carried out, and again."""

from __future__ import annotations

import pytest
from world import PLUGIN, confd, free_port, in_order, power_hook

MANUAL = {"auto_start": False}
"""Databases start only when somebody starts them."""

MAJORITY = ["n11", "n12", "n13"]


def one_off(name, state="offline", databases=1, **more):
    """A cluster whose last node is off, and whose databases are down."""
    down = {f"DB{number}": {"state": "setup"} for number in range(1, databases + 1)}
    settings = {**MANUAL, **more.pop("settings", {})}
    topology = confd(name, databases=down, settings=settings, **more)
    topology["nodes"]["n13"]["state"] = state
    return topology


def steps(run, host):
    """What each task did, or would do: object and step."""
    tasks = ("Every node is online", "EXAStorage is started", "Every database accepts connections")
    return {
        name: [(row["object"], row["step"]) for result in run.of(name, host) for row in result["steps"]]
        for name in tasks
    }


@pytest.fixture
def world(simulate, tmp_path):
    simulator = simulate(
        confd("hook", nodes=5, databases=2, up=False, settings=MANUAL),
        confd("alone", databases={"DB1": {"state": "setup", "nodes": [11, 12]}}, up=False),
        one_off("cloud", master="n12", deployment="cloud", databases=2),
        one_off("old", settings={"parameter_names": "6.2"}),
        one_off("json", master="n12", deployment="cloud"),
    )
    hosts = simulator.inventory(**simulator.hook(), exa_cold_start_power="infra")
    nodes = power_hook(tmp_path, "nodes", "{{ exa_cold_start_offline_nodes }}")
    for name in ("hook", "alone", "old"):
        hosts[name]["exa_cold_start_power"] = "hook"
        hosts[name]["exa_cold_start_hooks"] = {"power_nodes": nodes}
    for name in ("hook", "alone"):
        hosts[name]["exa_cold_start_hooks"]["power"] = power_hook(tmp_path, "power", MAJORITY)
    hosts["cloud"]["exa_provider"] = "confd"
    # the only URL is of a node that isn't the master; the other's first one even takes itself for it, until it is asked
    hosts["cloud"]["exa_api_url"] = hosts["cloud"]["exa_api_url"][:1]
    url = hosts["json"]["exa_api_url"][0]
    hosts["json"]["exa_rpc_format"] = "json"
    simulator.fault("wrong_state", cluster="json", method="master", object="n11", value=url.partition("//")[2])
    return simulator, hosts


def test_from_cold_to_connectable_and_again(world, ansible):
    """By hook from all off, by jobs from one off; both codecs, both dialects, a node that isn't the master."""
    simulator, hosts = world
    preview = ansible.run("exa_cold_start", hosts, "--check", "--diff").ok()
    for name in simulator.names:
        assert simulator.changes(name) == [], name
    for name in ("hook", "alone"):
        assert preview.lines(rf"\[{name}\] the steps can't be previewed until the API answers")
    assert preview.lines(r"\[cloud\] nodes: would infra_instances_start \(offline -> online\): n13")
    assert preview.lines(r"\[old\] nodes: would wait for n13 \(offline\)")
    assert preview.lines(r"\[cloud\] databases: would db_start \(setup -> connectable\): DB1 DB2")

    run = ansible.run("exa_cold_start", hosts).ok()
    for name in simulator.names:
        assert simulator.all_connectable(name), name
        assert {row["state"] for row in simulator.state(name)["nodes"].values()} == {"online"}
        if name not in ("hook", "alone"):
            assert steps(run, name) == steps(preview, name), name
    assert sorted(simulator.changes("hook")) == ["db_start DB1", "db_start DB2"]
    assert simulator.changes("alone") == []  # its databases came by themselves
    in_order(simulator.changes("cloud"), ["infra_instances_start"], ["db_start DB1", "db_start DB2"])
    assert simulator.changes("json") == ["infra_instances_start", "db_start DB1"]
    assert simulator.changes("old") == ["db_start DB1"]
    assert {row["path"] for row in simulator.calls("job_start", "job_exec", cluster="json")} == {"/json"}
    assert any(str(row.get("fault", "")).startswith("302") for row in simulator.calls(cluster="json"))
    for name in ("hook", "cloud"):
        assert run.lines(rf"\[{name}\] databases: DB1 accepts connections at ")
        assert run.lines(rf"\[{name}\] databases: .*job \d+\.\d+ \(db_start of DB\d\): ")

    simulator.forget()
    again = ansible.run("exa_cold_start", hosts).ok()
    assert again.changed() == 0
    for name in simulator.names:
        assert simulator.changes(name) == [], name


def test_what_confd_has_no_call_for(simulate, ansible):
    """Said before the first change, or where it was asked for; never skipped without a word."""
    simulator = simulate(
        *(one_off("powerless"), one_off("no-cloud"), one_off("suspended", state="suspended")),
        *(one_off("log"), confd("plugin"), confd("minority", databases={})),
    )
    for node in ("n12", "n13"):
        simulator.power(node, False, cluster="minority")
    hosts = simulator.inventory(exa_wait_timeout=3)
    hosts["no-cloud"]["exa_cold_start_power"] = "infra"
    hosts["log"].update(exa_log_service="logservice1", exa_cold_start_power="hook")
    hosts["plugin"]["exa_plugins"] = [{"name": PLUGIN}]
    run = ansible.run("exa_cold_start", hosts).failed()
    said = {name: run.custom[name]["cause"] for name in simulator.names}
    assert "n13: offline, and ConfD has no job that powers a host on" in said["powerless"]
    assert run.lines(r"\[powerless\] hint: let a hook do it .*exa_cold_start_power: hook.*exa_cold_start_power: infra")
    assert "job_list of this deployment has no infra_instances_start" in said["no-cloud"]
    assert "ConfD has no log service" in said["log"]
    assert "ConfD has no call for the service of a plugin" in said["plugin"]
    assert "n13: suspended, so it doesn't come online" in said["suspended"]
    assert "HTTP 503" in said["minority"]
    for name in simulator.names:
        assert simulator.changes(name) == [], name


def test_one_phase_previewed_of_a_cluster_that_is_down(simulate, ansible):
    simulator = simulate(confd("exa-confd", up=False))
    hosts = simulator.inventory(exa_cold_start_power="hook")
    for phase in ("api", "nodes", "storage", "databases"):
        run = ansible.run("exa_cold_start", hosts, "--check", "--tags", phase).ok()
        assert "can't be previewed until the API answers" in run.out, phase


def test_every_node_ignored(simulate, ansible):
    simulator = simulate(confd("exa-confd", nodes=3))
    hosts = simulator.inventory(exa_cold_start_ignore_nodes=["n11", "n12", "13"])
    run = ansible.run("exa_cold_start", hosts).failed()
    assert "exa-confd: every node is ignored (n11 n12 n13)" in run.failures()[0]
    assert not run.lines("would db_start")


def test_addresses_that_have_changed(simulate, ansible):
    """Nobody is at the one that is given: what may have happened is said, and the run fails."""
    simulator = simulate(confd("exa-personal"))
    hosts = simulator.inventory(exa_provider="confd", exa_cold_start_power="hook", exa_cold_start_api_timeout=2)
    hosts["exa-personal"]["exa_api_url"] = [f"https://127.0.0.1:{free_port('127.0.0.1')}"]
    run = ansible.run("exa_cold_start", hosts).failed()
    assert "connection refused" in run.failures()[0]
    assert "the addresses of the nodes may have changed" in run.out
    assert "put the new addresses into api_url" in run.out


def test_nodes_that_api_url_does_not_name_are_found(simulate, ansible, tmp_path):
    """The only node of api_url goes while a run waits: it goes on with one whose address the cluster has told."""
    if "addresses" not in confd("probe"):
        pytest.skip("this machine has no other loopback addresses")
    down = {"DB1": {"state": "setup", "nodes": ["n12", "n13"], "start": 4}}
    simulator = simulate(confd("exa-confd", databases=down, settings=MANUAL))
    hosts = simulator.inventory(exa_cold_start_power="hook", exa_provider="confd")
    hosts["exa-confd"]["exa_api_url"] = hosts["exa-confd"]["exa_api_url"][:1]
    run = ansible.start("exa_cold_start", hosts)
    run.wait_line(r"databases: .*waiting for DB1")
    simulator.power("n11", False)
    run.finish(60).ok()
    assert (simulator.all_connectable(), simulator.changes()) == (True, ["db_start DB1"])

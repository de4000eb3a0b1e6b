# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks that only read, and the demo."""

from __future__ import annotations

import hashlib
import ssl

from world import PLUGIN, ROOT, cluster, confd


def test_check(simulate, ansible):
    """Everything that is wrong at once, the fingerprint to pin, and what each runbook would refuse; nothing changes."""
    busy = {"DB1": {"state": "running", "operation": "Backup"}}
    simulator = simulate(
        cluster("good"),
        cluster("busy", up=True, databases=busy),
        cluster("untrusted"),
        cluster("wrong"),
        cluster("dark"),
    )
    hosts = simulator.inventory()
    del hosts["untrusted"]["exa_ca_path"]
    hosts["wrong"]["exa_api_password"] = "no"
    hosts["dark"]["exa_api_url"] = ["https://127.0.0.1:1", *hosts["dark"]["exa_api_url"]]
    run = ansible.run("check", hosts).failed()

    failed = {name for name, row in run.stats.items() if row["failures"]}
    assert failed == {"untrusted", "wrong", "dark"}
    port = int(hosts["untrusted"]["exa_api_url"][0].rpartition(":")[2])
    certificate = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))
    fingerprint = hashlib.sha256(certificate).hexdigest()
    said = run.out.lower().replace(":", "")
    assert fingerprint in said
    assert "HTTP 401" in run.failures("wrong")[0]
    assert "https://127.0.0.1:1" in run.failures("dark")[0]
    assert run.lines(r"\[busy\] refused: .*operation Backup is running")
    assert run.lines(r"\[good\] nodes: .*startupNode")
    for name in simulator.names:
        assert simulator.changes(name) == []
        assert not (failed & {name}) or run.custom[name]["problems"]


def test_check_tells_what_ansible_cfg_should_set(simulate, ansible):
    """Once in a run, where nobody has set it; the example of docs has."""
    simulator = simulate(cluster("exa-a", up=True), cluster("exa-b", up=True))
    (ansible.folder / "empty.cfg").touch()
    unset = {"ANSIBLE_CONFIG": str(ansible.folder / "empty.cfg")}
    run = ansible.run("check", simulator.inventory(), environment=unset).ok()
    assert run.out.count("internal_poll_interval is 0.001 s") == 1
    assert "internal_poll_interval = 0.05" in run.out.replace("\n", " ")
    assert run.out.count("host_pattern_mismatch is warning") == 1
    assert "set [inventory] host_pattern_mismatch = error" in " ".join(run.out.split())
    example = {"ANSIBLE_CONFIG": str(ROOT / "docs/examples/ansible.cfg")}
    run = ansible.run("check", simulator.inventory(), environment=example).ok()
    assert "internal_poll_interval" not in run.out
    assert "host_pattern_mismatch" not in run.out
    strict = {"ANSIBLE_HOST_PATTERN_MISMATCH": "error"}
    run = ansible.run("check", {"exa-a": simulator.inventory()["exa-a"]}, environment=strict).ok()
    assert "host_pattern_mismatch" not in run.out


def test_status(simulate, ansible):
    simulator = simulate(cluster("up", nodes=3, databases=2, up=True), cluster("off"))
    run = ansible.run("status", simulator.inventory()).ok()
    assert run.custom["up"]["summary"].startswith("up: nodes 3/3 online; services OK; databases 2/2 connectable")
    assert run.custom["off"]["summary"].startswith("off: nodes 0/2 online (off: n0011 n0012)")
    assert run.changed() == 0
    # at most N + 3M + 6 calls
    assert len(simulator.calls(cluster="up")) <= 3 + 3 * 2 + 6


def test_who_administers_databases_alone(simulate, ansible):
    """What such a user may read is shown, and what not is said."""
    user = {"name": "dba", "password": "only databases", "groups": ["exadbadm"]}
    simulator = simulate(confd("dba", databases=2, users=[user]), confd("wrong"))
    hosts = simulator.inventory()
    run = ansible.run("status", {"dba": hosts["dba"]}).ok()
    says = "nodes not shown to this user; services not shown to this user; databases 2/2 connectable; ConfD on n11"
    assert run.custom["dba"]["summary"] == f"dba: {says}"
    run = ansible.run("check", {"dba": hosts["dba"]}).ok()
    assert run.lines("role databases: exa_database_state and backups")
    assert "[dba] this user may not read nodes, services, so this user can't run runbooks for whole clusters" in run.out
    hosts["wrong"]["exa_api_password"] = "no"
    refused = ansible.run("status", {"wrong": hosts["wrong"]}).failed()
    assert "HTTP 401" in refused.custom["wrong"]["summary"]
    assert refused.failures()[0].startswith("wrong: the user or the password was refused: ")


def test_options_that_a_cluster_cannot_serve(simulate, ansible):
    """A fleet's shared variables, refused of a ConfD cluster by check, by the plan, and before anything is changed."""
    simulator = simulate(confd("plain", databases={"DB1": {"state": "setup"}}), cluster("eao"))
    more = {"exa_plugins": [{"name": PLUGIN}], "exa_log_service": "logservice1", "exa_cold_start_power": "hook"}
    hosts = simulator.inventory(**more)
    run = ansible.run("check", hosts).ok()
    assert run.lines(r"\[plain\] refused: plain: plugins is given, but ConfD has no call .*leave exa_plugins out")
    assert run.lines(r"\[plain\] refused: plain: log_service is given, but ConfD has no log service")
    assert not run.lines(r"\[eao\] refused")
    assert "no hook powers n0011 n0012 on" in run.out.replace("\n", " ")
    run = ansible.run("exa_cold_start", {"plain": hosts["plain"]}).failed()
    assert "plugins is given" in run.failures()[0]
    assert simulator.changes("plain") == simulator.changes("eao") == []


def test_a_provider_that_is_the_other(simulate, ansible):
    """A server that isn't what the user is sure of is doubted, at once and while it is waited for."""
    simulator = simulate(confd("confd"), cluster("eao"))
    hosts = simulator.inventory(exa_wait_timeout=2)
    hosts["confd"]["exa_provider"] = "exaoperation"
    hosts["eao"]["exa_provider"] = "confd"
    doubts = {
        "confd": "is it ConfD? provider is exaoperation; auto would find it out",
        "eao": "is it EXAoperation?",
    }
    for runbook in ("check", "exa_cold_start"):
        run = ansible.run(runbook, hosts).failed()
        for name, doubt in doubts.items():
            assert doubt in run.failures(name)[0], run.out
    assert run.lines(r"\[confd\] api: .* waiting, .*is it ConfD\?")
    for name in simulator.names:
        assert simulator.changes(name) == []


def hurt(name):
    """Two nodes that hold a data volume and an archive volume, of which one is off; nothing runs on them."""
    volumes = {
        "Data": {"nodes": ["n11", "n12"], "redundancy": 2},
        "Arch": {"nodes": ["n12", "n11"], "redundancy": 2, "kind": "archive"},
        "Other": {"nodes": ["n13"], "redundancy": 1},
    }
    nodes = {f"n{number}": {"state": "offline" if number == 12 else "online"} for number in range(11, 16)}
    database = {"state": "running", "nodes": ["n13"], "data_volume_name": "Other"}
    return confd(name, nodes=5, databases={"DB1": database}, volumes=volumes, master="n13") | {"nodes": nodes}


LOST = "volumes Data DEGRADED (n12 OFFLINE), Arch DEGRADED (n12 OFFLINE)"


def test_a_cluster_that_lost_copies(simulate, ansible):
    """Its databases are up: what is missing is told by its volumes, and by a database that lies on them."""
    simulator = simulate(hurt("exa-a"))
    hosts = simulator.inventory(exa_graceful_shutdown_power="none")
    run = ansible.run("status", hosts, "-e", "fail_on=degraded").failed()
    assert LOST in run.failures()[0]
    assert f"; {LOST};" in " ".join(run.out.split())
    assert "Arch: an archive volume has no volume_move_delay" in run.failures()[0]
    del hosts["exa-a"]["exa_api_url"][1]  # of the node that is off
    run = ansible.run("check", hosts).ok()
    assert LOST in run.custom["exa-a"]["summary"]
    assert "The shutdown removes no copy" in " ".join(run.out.split())
    assert simulator.changes() == []


def test_the_node_with_the_last_copy_stays_until_somebody_knows(simulate, ansible):
    simulator = simulate(hurt("exa-a"))
    node = {"nodes": ["n11"], "state": "suspended"}
    play = [
        {"dbfleet.cluster.exa_node": node, "register": "first", "ignore_errors": True},
        {"dbfleet.cluster.exa_node": {**node, "allow_last_copy": True}},
    ]
    hosts = simulator.inventory()
    run = ansible.run([play[0]], hosts).ok()
    assert simulator.changes() == []
    assert "segment 0 on n11" in run.out
    assert "to accept that, set allow_last_copy: true of exa_node" in " ".join(run.out.split())
    assert ansible.run([play[1]], hosts, "--check").ok()
    assert simulator.changes() == []
    assert ansible.run([play[1]], hosts).ok()
    assert simulator.changes() == ["node_suspend"]

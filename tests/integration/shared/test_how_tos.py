# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the pages of docs/how_to show: their playbooks and commands do what they say, on both products."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dbfleet.cluster.tests.integration.domains import all_run, database, domain, running
from ansible_collections.dbfleet.cluster.tests.integration.world import ROOT, cluster, confd, play

PLAYBOOKS = ROOT / "docs/examples/playbooks"
PAGES = ROOT / "docs/how_to"


def example(name: str) -> Any:
    return yaml.safe_load((PLAYBOOKS / name).read_text(encoding="utf-8"))


def given(name: str, **variables: Any) -> list[dict[str, Any]]:
    """An example's play with variables of its own, so that one run can have it several times."""
    return [{**one, "vars": {**one.get("vars", {}), **variables}} for one in example(name)]


PROVIDERS = pytest.mark.parametrize("make", [confd, cluster], ids=["confd", "exaoperation"])
REMOTE = {"RemoteVolume1": {"vol_type": "s3", "url": "https://bucket.s3.amazonaws.com", "vid": 10001}}
TAKE = {"dbfleet.cluster.exa_backup": {"db_name": "DB1", "volume": "RemoteVolume1", "level": 0}}


@PROVIDERS
def test_restore_backup(simulate: Any, ansible: Any, make: Any) -> None:
    simulator = simulate(make(up=True, remote_volumes=REMOTE, timing={"restore": 0.5}))
    plays = [play([TAKE]), *example("restore_backup.yml")]
    run = ansible.run(plays, simulator.inventory(), variables={"database": "DB1", "confirm": "DB1"}).ok()
    assert run.one("The database stops")["changed"]
    assert run.one("It is restored, and accepts connections")["changed"]
    assert simulator.all_connectable()


def test_nothing_stops_for_a_restore_that_can_not_be(simulate: Any, ansible: Any) -> None:
    """One that isn't confirmed, and one without a backup."""
    simulator = simulate(confd(up=True))
    hosts = simulator.inventory()
    unsure = ansible.run(example("restore_backup.yml"), hosts, variables={"database": "DB1"}).failed()
    assert "that is not confirmed; nothing was done" in unsure.failures()[0]
    none = ansible.run(example("restore_backup.yml"), hosts, variables={"database": "DB1", "confirm": "DB1"}).failed()
    assert "DB1 has no usable backup latest; nothing was done" in none.failures()[0]
    assert simulator.changes() == []


@PROVIDERS
def test_grow_volume(simulate: Any, ansible: Any, make: Any) -> None:
    """A second run changes nothing, and a smaller size is refused."""
    simulator = simulate(make(databases={}, up=True, volumes={"Data": {"size": "10 GiB"}}))
    plays = [one for size in ("14GiB", "14GiB", "12GiB") for one in given("grow_volume.yml", volume="Data", size=size)]
    run = ansible.run(plays, simulator.inventory()).failed()
    first, second, third = run.of("The volume has the wanted size, on all of its nodes")
    assert (first["changed"], second["changed"]) == (True, False)
    short = (14 << 30) - second["volumes"]["Data"]["size_bytes"]
    assert 0 <= short < 1 << 20  # ConfD rounds down to whole blocks
    assert ("would shrink" if make is confd else "makes a volume smaller") in third["msg"]


def test_add_node(simulate: Any, ansible: Any) -> None:
    """The database runs on meanwhile, and a second run changes nothing."""
    databases = {"DB1": {"state": "running", "nodes": ["n11", "n12"], "reserve": ["n13"]}}
    simulator = simulate(confd(nodes=3, databases=databases))
    wanted = {"nid": 14, "priv_net": "127.0.0.14/24", "database": "DB1"}
    run = ansible.run([*example("add_node.yml"), *example("add_node.yml")], simulator.inventory(), variables=wanted)
    assert run.ok().changed() == 3
    assert simulator.changes() == ["node_add", "node_resume", "db_add_reserve_nodes DB1"]
    assert simulator.state()["databases"]["DB1"]["reserve"] == ["n13", "n14"]
    assert simulator.all_connectable()


FAILED = {"failed_node": "n12", "spare_node": "n14", "confirm": "n12"}


def test_replace_node(simulate: Any, ansible: Any) -> None:
    """The database runs on meanwhile."""
    databases = {"DB1": {"state": "running", "nodes": ["n11", "n13"], "reserve": ["n12"]}}
    volumes = {"DataVolume1": {"nodes": ["n11", "n12"], "redundancy": 2}}
    simulator = simulate(confd(nodes=4, databases=databases, volumes=volumes))
    simulator.power("n12", False)
    hosts = simulator.inventory()
    unsure = ansible.run(example("replace_node.yml"), hosts, variables={**FAILED, "confirm": "n14"}).failed()
    assert "that is not confirmed; nothing was done" in unsure.failures()[0]
    ansible.run(example("replace_node.yml"), hosts, "--check", variables=FAILED).ok()
    assert simulator.changes() == []
    ansible.run(example("replace_node.yml"), hosts, variables=FAILED).ok()
    assert simulator.changes() == [
        "st_volume_move_node", "db_add_reserve_nodes DB1", "db_remove_reserve_nodes DB1", "node_remove",
    ]  # fmt: skip
    assert simulator.state()["databases"]["DB1"]["reserve"] == ["n14"]
    assert "n12" not in simulator.state()["nodes"]
    assert simulator.all_connectable()


def test_a_node_that_is_needed_is_not_replaced(simulate: Any, ansible: Any) -> None:
    """One that is online, and one on which a database is active."""
    simulator = simulate(confd(nodes=4, databases={"DB1": {"state": "setup", "nodes": ["n11", "n12"]}}))
    hosts = simulator.inventory()
    run = ansible.run(example("replace_node.yml"), hosts, variables=FAILED).failed()
    assert "n12 is not off; nothing was done" in run.failures()[0]
    simulator.power("n12", False)
    run = ansible.run(example("replace_node.yml"), hosts, variables=FAILED).failed()
    assert "n12 is an active node of DB1; nothing was done" in run.failures()[0]
    assert simulator.changes() == []


def test_archive_and_tes_for_a_database(simulate: Any, ansible: Any) -> None:
    simulator = simulate(domain(servers=3, databases={"shop": database(up=True)}))
    run = ansible.run(example("nuodb_modules.yml"), simulator.inventory()).ok()
    assert run.changed() == 4
    assert running(simulator) == [
        "shop SM 0", "shop SM 1", "shop SM 2", "shop TE server0", "shop TE server1", "shop TE server2",
        "shop TE server2",
    ]  # fmt: skip


def test_restore_of_a_hot_copy(simulate: Any, ansible: Any) -> None:
    """A second run leaves the database as it is."""
    simulator = simulate(domain(servers=2, databases={"shop": database(up=True), "stock": database(up=True)}))
    place = {"server_id": "server0", "archive_path": "/var/opt/nuodb/restored/shop"}
    wanted = {"database": "shop", **place, "confirm": "shop"}
    hosts, plays = simulator.inventory(), example("nuodb_restore_hot_copy.yml")
    ansible.run(plays, hosts, "--check", variables=wanted).ok()
    unsure = ansible.run(plays, hosts, variables={**wanted, "confirm": "stock"}).failed()
    assert "that is not confirmed; nothing was done" in unsure.failures()[0]
    assert simulator.changes() == []
    assert ansible.run([*plays, *plays], hosts, variables=wanted).ok().changed() == 4
    kept = [row for row in simulator.state()["archives"].values() if row["db_name"] == "shop" and not row["removed"]]
    assert [{name: row[name] for name in place} for row in kept] == [place]
    assert simulator.changes()[:4] == [
        "POST databases/shutdown shop", "POST archives", "DELETE archives 0 purge", "DELETE archives 1 purge",
    ]  # fmt: skip
    assert all_run(simulator)


def test_a_certificate_is_pinned_and_renewed(simulate: Any, ansible: Any) -> None:
    """The messages of the page, in their order: not trusted, pinned, and another one."""
    simulator = simulate(cluster(up=True))
    host = {name: value for name, value in simulator.variables("exa-prod").items() if name != "exa_ca_path"}
    page = (PAGES / "certificates.md").read_text(encoding="utf-8")
    unknown = ansible.run("check", {"exa-prod": host}).failed()
    (shown,) = set(re.findall(r"sha256:([0-9a-f]{64})", unknown.out))
    pinned = ansible.run("check", {"exa-prod": {**host, "exa_tls_fingerprint": shown}}).ok()
    assert f"certificate sha256:{shown}" in pinned.out
    other = ansible.run("check", {"exa-prod": {**host, "exa_tls_fingerprint": "00" * 32}}).failed()
    for run, words in (
        (unknown, "is not signed by a trusted CA"),
        (other, "is not the one that tls_fingerprint names"),
    ):
        assert words in run.out
        assert words in page


def test_a_profile_whose_password_comes_from_elsewhere(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    """A file that ansible-vault has encrypted, and a password that a lookup gets."""
    simulator = simulate(cluster(up=True))
    one = simulator.ready["clusters"]["exa-prod"]
    profile = {
        "api_url": one["api_url"],
        "api_username": one["username"],
        "api_password": "{{ lookup('ansible.builtin.env', 'EXA_PROD_PASSWORD') }}",
        "ca_path": one["ca_path"],
    }
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"exa-prod": profile}))
    (tmp_path / "vault_password").write_text("a vault's password\n")
    environment = ansible.environment(EXA_PROD_PASSWORD=one["password"])
    vault = [str(Path(sys.executable).parent / "ansible-vault"), "encrypt", str(tmp_path / "profiles.yml")]
    subprocess.run([*vault, "--vault-password-file", str(tmp_path / "vault_password")], env=environment, check=True)
    host = {"exa_profile": "exa-prod", "exa_profiles_path": str(tmp_path / "profiles.yml")}
    run = ansible.run(
        "status", {"exa-prod": host}, "--vault-password-file", str(tmp_path / "vault_password"),
        environment={"EXA_PROD_PASSWORD": one["password"]},
    ).ok()  # fmt: skip
    assert run.custom["exa-prod"]["state"] == "up"


def test_a_status_that_alerts(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    """The page's command, with the exit code on which its timer and cron act."""
    databases = {"DB1": {"state": "running"}, "DB2": {"state": "setup"}}
    simulator = simulate(cluster("well", up=True), cluster("sick", up=True, databases=databases))
    page = (PAGES / "scheduled_status.md").read_text(encoding="utf-8")
    (service,) = re.findall(r"^ExecStart=\S*ansible-playbook (.*)$", page, re.MULTILINE)
    words = service.split()
    arguments = words[words.index("dbfleet.cluster.status") + 1 :]
    assert arguments == ["-e", "fail_on=degraded"]
    ansible.run("status", simulator.inventory(), *arguments, target="well").ok()
    run = ansible.run("status", simulator.inventory(), *arguments).failed()
    assert run.rc == 2
    assert run.lines("^degraded +sick ")

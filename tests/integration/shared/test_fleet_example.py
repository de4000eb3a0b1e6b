# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example of a fleet as it stands in docs: addresses and certificates alone are the simulators'."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from domains import database, domain
from secrecy import PASSWORD, VAULT, assert_silent, encrypt
from world import ROOT, Simulator, cluster, confd, play

EXAMPLE = ROOT / "docs/examples/fleet"
STOCK = "of-the-stock-4711"
LAB = "made-{{up}}-password"
CLUSTERS = {"exa-berlin", "exa-hamburg", "exa-munich", "exa-lab", "nuo-shop", "nuo-stock"}


class Fleet:
    """The example's files in folders of a user's, and simulators of its six clusters."""

    def __init__(self, ansible: Any, simulate: Any, folder: Path) -> None:
        operator = [{"name": "operator", "password": PASSWORD}]
        exa: dict[str, Any] = {"up": True, "users": operator}
        stock = [{"name": "operator", "password": STOCK}]
        self.simulator: Simulator = simulate(
            cluster("exa-berlin", **exa),
            cluster("exa-hamburg", **exa),
            confd("exa-munich", **exa),
            confd("exa-lab", 1, up=True, users=[{"name": "admin", "password": LAB}]),
            domain("nuo-shop", databases={"shop": database(up=True)}, authentication="certificate"),
            domain("nuo-stock", up=True, users=stock),
        )
        self._ansible, self.folder = ansible, folder / "docs/fleet"
        shutil.copytree(EXAMPLE, self.folder)
        shutil.copytree(EXAMPLE.parent / "hooks", self.folder.parent / "hooks")
        self.home = folder / "home"
        self.profiles = self.home / ".config/dbfleet/profiles.yml"
        self._place()
        vault = folder / "vault"
        vault.write_text(VAULT)
        self.environment = {
            "HOME": str(self.home), "FLEET_EXA_PASSWORD": PASSWORD, "ANSIBLE_VAULT_PASSWORD_FILE": str(vault),
        }  # fmt: skip

    def _place(self) -> None:
        ready, text = self.simulator.ready["clusters"], (self.folder / "profiles.yml").read_text()
        for name, one in ready.items():
            urls = json.dumps(one["api_url"])
            text, count = re.subn(rf"(?m)^({name}:\n(?:  .*\n)*?  api_url: )\[.*\]$", rf"\g<1>{urls}", text)
            assert count == 1, name
        for path in ("/etc/ssl/company-ca.pem", "/etc/nuodb/keys/ca.cert"):
            assert path in text
            text = text.replace(path, ready["exa-berlin"]["ca_path"])
        text = text.replace("4a:1f:...", _fingerprint(ready["exa-hamburg"]["api_url"][0]))
        assert "example.com" not in text.partition("exa-berlin:")[2]
        folder = self.profiles.parent
        (folder / "keys").mkdir(parents=True)
        (folder / "passwords").mkdir()
        shop = ready["nuo-shop"]
        both = "".join(Path(shop[part]).read_text() for part in ("client_cert", "client_key"))
        (folder / "keys/nuo-shop.pem").write_text(both)
        (folder / "passwords/nuo-stock").write_text(encrypt(STOCK + "\n"))
        self.profiles.write_text(text)
        self.profiles.chmod(0o600)

    def inventory(self, *sources: str, **environment: str) -> dict[str, Any]:
        """What ansible-inventory makes of sources of the example."""
        command = [sys.executable, "-m", "ansible", "inventory", "--list"]
        command += [word for name in sources for word in ("-i", str(self.folder / name))]
        more = {**self.environment, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1", **environment}
        done = subprocess.run(
            command, env=self._ansible.environment(**more), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        self.silent(done.stdout + done.stderr)
        return json.loads(done.stdout[done.stdout.index("{\n") :])  # behind what -vvvv says

    def run(self, playbook: Any, *arguments: str, target: str = "", **environment: str) -> Any:
        given = ("-i", str(self.folder / "inventory.yml"), *arguments)
        run = self._ansible.run(playbook, {}, *given, environment={**self.environment, **environment}, target=target)
        self.silent(run.out + json.dumps(run.rows))
        run.said_well()
        return run

    @staticmethod
    def silent(text: str) -> None:
        assert_silent(text, "output")
        for secret in (STOCK, LAB, "made-"):
            assert secret not in text


def _fingerprint(url: str) -> str:
    place = urlsplit(url)
    pem = ssl.get_server_certificate((str(place.hostname), int(place.port or 443)))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


@pytest.fixture
def fleet(simulate: Any, ansible: Any, tmp_path: Path) -> Fleet:
    return Fleet(ansible, simulate, tmp_path)


def states(run: Any) -> dict[str, str]:
    rows = [re.match(r"(unreachable|refused|not read|down|degraded|up) +(\S+)", line) for line in run.lines("")]
    return {row[2]: row[1] for row in rows if row}


def test_the_example_as_a_whole(fleet: Fleet) -> None:
    """Its inventory, its groups' variables, and a look at each cluster over the connection that its profile makes."""
    found = fleet.inventory("inventory.yml")
    hosts = found["_meta"]["hostvars"]
    assert set(hosts) == CLUSTERS
    assert {name for name, row in hosts.items() if row.get("exa_log_service") == "logservice1"} == {
        "exa-berlin", "exa-hamburg",
    }  # fmt: skip
    assert (hosts["exa-berlin"]["exa_plugins"][0]["name"], hosts["exa-hamburg"]["exa_plugins"]) == (
        "Administration.vmware-tools", [],
    )  # fmt: skip
    assert sorted(found["exa_clusters"]["children"]) == ["exa_docker", "exa_eight", "exa_six"]

    run = fleet.run("status", "-vvvv").ok()
    assert states(run) == dict.fromkeys(CLUSTERS, "up")
    assert run.lines("^6 clusters: 6 up$")
    run = fleet.run("check").ok()
    assert {name: row["problems"] for name, row in run.custom.items()} == dict.fromkeys(CLUSTERS, []), run.out
    assert fleet.simulator.changes() == []

    found = fleet.inventory("exasol.yml", "nuodb.yml")
    assert set(found["_meta"]["hostvars"]) == set(found["up"]["hosts"]) == CLUSTERS


def test_a_secret_that_is_missing_fails_the_clusters_that_need_it(fleet: Fleet) -> None:
    """The others are looked at; no lookup of a profile that isn't used is made."""
    run = fleet.run("status", FLEET_EXA_PASSWORD="").failed()
    told = states(run)
    assert {name for name, state in told.items() if state == "not read"} == {
        "exa-berlin", "exa-hamburg", "exa-munich",
    }  # fmt: skip
    assert {name for name, state in told.items() if state == "up"} == {"exa-lab", "nuo-shop", "nuo-stock"}
    says = f"profile exa-munich: the template of api_password in {fleet.profiles} gives nothing"
    assert run.lines(re.escape(f"{says} (lookup ansible.builtin.env)")), run.out

    (fleet.profiles.parent / "passwords/nuo-stock").unlink()
    fleet.simulator.forget()
    run = fleet.run("check", "-vvvv", target="exa-lab:nuo-stock").failed()
    assert run.stats["exa-lab"]["failures"] == 0
    (said,) = {text for text in run.failures("nuo-stock") if "template" in text}
    assert f"profile nuo-stock: the template of api_password in {fleet.profiles} has no value: the lookup " in said
    assert "ansible.builtin.unvault failed" in said
    assert not fleet.simulator.calls(cluster="nuo-stock")
    found = fleet.inventory("nuodb.yml", ANSIBLE_VERBOSITY="4")
    assert "the lookup ansible.builtin.unvault failed" in found["_meta"]["hostvars"]["nuo-stock"]["dbfleet_summary"]


def test_what_a_lookup_gave_is_in_no_output(fleet: Fleet) -> None:
    """A server that repeats it; in-process, as an ordinary module, asynchronously, and for a fleet."""
    fleet.simulator.fault("fault", cluster="exa-berlin", text=f"the user gave {PASSWORD}, which is odd")
    failing = {"ignore_errors": True}
    module = "dbfleet.cluster.exa_cluster_info"
    tasks = [
        {module: {}, "name": "in-process", **failing},
        {module: {}, "name": "ordinary", "vars": {"ansible_connection": "elsewhere"}, **failing},
        {module: {}, "name": "asynchronous", "async": 30, "poll": 1, **failing},
        {"dbfleet.cluster.fleet_info": {"clusters": [{"profile": "exa-berlin"}]}, "name": "fleet", "register": "fleet"},
        {"ansible.builtin.debug": {"var": "fleet"}},
    ]
    run = fleet.run([play(tasks, hosts="exa-berlin")], "-vvvv")
    for way in ("in-process", "ordinary", "asynchronous"):
        assert "the user gave ********, which is odd" in run.one(way)["msg"]
    assert "the user gave ********, which is odd" in run.one("fleet")["fleet"]["exa-berlin"]["summary"]

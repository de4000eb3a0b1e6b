# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugins, by the real ansible-inventory: what it exports, its cache, and runbooks on such hosts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from domains import domain
from world import PREFIXES, Simulator, cluster, confd

UNREACHABLE = {"api_url": ["https://127.0.0.1:1"], "api_username": "operator", "api_password": "f4r-away-pw"}


class Sources:
    """Source files in a folder, with a file of profiles, and ansible-inventory on them."""

    def __init__(self, ansible: Any, folder: Path) -> None:
        self._ansible, self.folder = ansible, folder

    def profiles(self, simulator: Simulator, **more: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Writes a profile for each cluster, called as it is."""
        found = {name: _profile(simulator, name) for name in simulator.names}
        path = self.folder / "profiles.yml"
        path.write_text(yaml.safe_dump({**found, **more}))
        path.chmod(0o600)
        return found

    def write(self, product: str, name: str = "fleet", **options: Any) -> Path:
        path = self.folder / f"{name}.{product}.yml"
        given = {"plugin": f"dbfleet.cluster.{product}", "profiles_path": "profiles.yml", **options}
        path.write_text(yaml.safe_dump(given, sort_keys=False))
        return path

    def run(self, *sources: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ansible", "inventory", "--list", "--export"]
        command += [word for path in sources for word in ("-i", str(path))]
        more = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1", "ANSIBLE_INVENTORY_ENABLED": "auto", **environment}
        return subprocess.run(
            command, env=self._ansible.environment(**more), cwd=self.folder, capture_output=True, text=True, check=False
        )

    def read(self, *sources: Path, **environment: str) -> dict[str, Any]:
        done = self.run(*sources, **environment)
        assert done.returncode == 0, done.stderr
        assert "__ansible" not in done.stdout
        return json.loads(done.stdout)

    def refused(self, *sources: Path, **environment: str) -> str:
        """What it says, in one line."""
        done = self.run(*sources, **environment)
        assert done.returncode != 0, done.stdout
        assert done.stdout == ""
        for word in ("Traceback", "ClusterError", "AnsibleParserError"):
            assert word not in done.stderr
        return " ".join(done.stderr.split())


def _profile(simulator: Simulator, name: str) -> dict[str, Any]:
    given, prefix = simulator.variables(name), PREFIXES[simulator.topologies[name].get("product", "exasol")]
    return {key.removeprefix(f"{prefix}_"): value for key, value in given.items()}


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


@pytest.fixture
def sources(ansible: Any, tmp_path: Path) -> Sources:
    folder = tmp_path / "sources"
    folder.mkdir()
    return Sources(ansible, folder)


def hosts_of(found: dict[str, Any], group: str) -> list[str]:
    return sorted(found.get(group, {}).get("hosts", []))


def groups_of(found: dict[str, Any], host: str) -> set[str]:
    return {group for group, row in found.items() if host in row.get("hosts", [])}


def test_clusters_of_both_products(simulate: Any, sources: Sources) -> None:
    """Groups, variables and objects; an unreachable cluster is a host, and so is one without a profile."""
    fleet = simulate(cluster("exa-a", up=True), cluster("exa-b"), confd("exa-c"), domain("nuo-a", up=True))
    profiles = sources.profiles(fleet, **{"exa-far": UNREACHABLE})
    by_url = {"name": "exa-url", **{key: profiles["exa-a"][key] for key in ("api_url", "api_username", "ca_path")}}
    exasol = sources.write(
        "exasol",
        clusters=[
            {
                "profile": "exa-b",
                "region": "eu west",
                "vars": {"exa_log_service": "logservice1", "twice": "{{ 1 + 1 }}"},
            },
            "exa-none",
            by_url,
            "exa-*",
        ],
        hosts=["nodes"],
    )
    nuodb = sources.write("nuodb", clusters=["nuo-a"], hosts="servers, processes")
    password = {"EXA_API_PASSWORD": profiles["exa-a"]["api_password"]}
    found = sources.read(exasol, nuodb, **password)
    hostvars = found["_meta"]["hostvars"]

    clusters = ["exa-a", "exa-b", "exa-c", "exa-far", "exa-none", "exa-url"]
    assert hosts_of(found, "exa_clusters") == hosts_of(found, "exasol") == clusters
    assert hosts_of(found, "nuodb_domains") == hosts_of(found, "nuodb") == ["nuo-a"]
    assert hosts_of(found, "unreachable") == ["exa-far", "exa-none"]
    assert hosts_of(found, "up") == ["exa-a", "exa-c", "exa-url", "nuo-a"]
    assert hosts_of(found, "down") == hosts_of(found, "region_eu_west") == ["exa-b"]
    assert groups_of(found, "exa-a") == {"exa_clusters", "exasol", "up", "exasol_6_2_1", "exasol_exaoperation"}
    assert hosts_of(found, "exasol_confd") == ["exa-c"]
    assert hosts_of(found, "nuodb_4_2_1_3_abc") == ["nuo-a"]

    exa = hostvars["exa-b"]
    path = str(sources.folder / "profiles.yml")
    assert {name: exa[name] for name in exa if not name.startswith("dbfleet_")} == {
        "ansible_connection": "local", "exa_profile": "exa-b", "exa_profiles_path": path,
        "exa_log_service": "logservice1", "twice": "{{ 1 + 1 }}",
    }  # fmt: skip
    assert (exa["dbfleet_product"], exa["dbfleet_state"], exa["dbfleet_version"]) == ("exasol", "down", "6.2.1")
    assert exa["dbfleet_summary"].startswith("exa-b: nodes 0/2 online")
    assert (exa["dbfleet_databases"], exa["dbfleet_nodes"]) == (
        {"DB1": "setup"}, {"n0011": "offline", "n0012": "offline"},
    )  # fmt: skip
    assert (exa["dbfleet_master"], exa["dbfleet_provider"]) == ("n0010", "exaoperation")
    assert hostvars["exa-url"]["exa_api_url"] == by_url["api_url"]
    assert "exa_profile" not in hostvars["exa-url"]
    assert "unreachable: getNodeList() at https://127.0.0.1:1" in hostvars["exa-far"]["dbfleet_summary"]
    assert "profiles.yml has no such profile" in hostvars["exa-none"]["dbfleet_summary"]
    nuo = hostvars["nuo-a"]
    assert (nuo["dbfleet_leader"], nuo["dbfleet_databases"]) == ("server0", {"db1": "RUNNING"})

    assert hosts_of(found, "exa_nodes_offline") == ["exa-b-n0011", "exa-b-n0012"]
    assert hosts_of(found, "nuodb_servers") == ["nuo-a-server0", "nuo-a-server1"]
    assert hosts_of(found, "nuodb_servers_leader") == ["nuo-a-server0"]
    assert hosts_of(found, "nuodb_sm") == ["nuo-a-db1-sm-0", "nuo-a-db1-sm-1"]
    assert hostvars["nuo-a-server1"]["ansible_host"] == hostvars["nuo-a-db1-te-3"]["ansible_host"] == "server1"
    objects = [name for name, row in hostvars.items() if row["dbfleet_object"] != "cluster"]
    assert len(objects) == 2 * 2 + len(fleet.topologies["exa-c"]["nodes"]) + 2 * 1 + 2 + 4  # exa-url is exa-a
    for name in objects:
        assert not [key for key in hostvars[name] if key.startswith(("exa_", "nuodb_", "ansible_connection"))]
        assert not groups_of(found, name) & {group for one in [*clusters, "nuo-a"] for group in groups_of(found, one)}

    text = json.dumps(found)
    for secret in {row["api_password"] for row in [*profiles.values(), UNREACHABLE] if row.get("api_password")}:
        assert secret not in text
    assert fleet.changes() == []


def test_groups_and_variables_of_ones_own(simulate: Any, sources: Sources) -> None:
    """By keyed_groups, compose and groups; with C(strict) what is wrong in them is said, without it it is left out."""
    labelled = domain("nuo-a", up=True)
    labelled["servers"]["server0"]["labels"] = {"region": "eu", "zone": "a"}
    fleet = simulate(cluster("exa-a", up=True), cluster("exa-b"), labelled)
    sources.profiles(fleet)
    nuodb = sources.write(
        "nuodb",
        clusters=["nuo-a"],
        hosts=["servers", "processes"],
        keyed_groups=[{"key": "dbfleet_object_labels.zone", "prefix": "zone"}],
    )
    own: dict[str, Any] = {
        "clusters": ["exa-a"],
        "keyed_groups": [{"key": "dbfleet_databases", "prefix": "database"}, {"key": "dbfleet_state", "prefix": "is"}],
        "compose": {"running": "dbfleet_databases | dict2items | selectattr('value', 'eq', 'running') | length"},
        "groups": {"healthy": "dbfleet_state == 'up'", "of_nothing": "dbfleet_sate == 'up'"},
    }
    found = sources.read(sources.write("exasol", **own), nuodb)
    assert {"database_DB1_running", "is_up", "healthy"} <= groups_of(found, "exa-a")
    assert found["_meta"]["hostvars"]["exa-a"]["running"] in (1, "1")  # a text before ansible-core 2.19
    assert hosts_of(found, "of_nothing") == []
    assert hosts_of(found, "zone_a") == hosts_of(found, "nuodb_region_eu")
    assert hosts_of(found, "zone_a") == ["nuo-a-db1-sm-0", "nuo-a-db1-te-2", "nuo-a-server0"]

    nodes_off = "dbfleet_nodes | default({}) | dict2items | rejectattr('value', 'eq', 'online') | map(attribute='key')"
    strict = {
        "keyed_groups": [{"key": "dbfleet_databases | default({})", "prefix": "database"}],
        "groups": {"needs_attention": "dbfleet_state | default('up') != 'up'"},
        "compose": {"nodes_off": nodes_off},
    }
    found = sources.read(sources.write("exasol", clusters=["exa-?"], hosts=["nodes"], strict=True, **strict))
    assert hosts_of(found, "needs_attention") == ["exa-b"]
    assert found["_meta"]["hostvars"]["exa-b"]["nodes_off"] == ["n0011", "n0012"]

    says = sources.refused(sources.write("exasol", **own, strict=True))
    assert "Could not add host exa-a to group of_nothing" in says
    assert "'dbfleet_sate' is undefined" in says


def test_the_cache(simulate: Any, sources: Sources, ansible: Any) -> None:
    """A second run makes no call. What is new or reached in another way is read, and --flush-cache reads all."""
    fleet = simulate(cluster("exa-a", up=True), cluster("exa-b"), domain("nuo-a", up=True))
    profiles = sources.profiles(fleet, **{"exa-far": UNREACHABLE})
    place = sources.folder / "cache"
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(place)}
    both = [
        sources.write("exasol", clusters=["exa-*"], **cache),
        sources.write("nuodb", clusters=["nuo-a"], **cache),
    ]

    def called() -> list[str]:
        return [name for name in fleet.names if fleet.calls(cluster=name)]

    first = sources.read(*both)
    assert called() == fleet.names
    cached = "".join(path.read_text() for path in place.iterdir())
    assert "exa-far: unreachable" in cached
    for secret in [UNREACHABLE["api_password"], *(row["api_password"] for row in profiles.values())]:
        assert str(secret) not in cached

    fleet.forget()
    path = sources.folder / "profiles.yml"
    hidden = path.rename(sources.folder / "hidden.yml")
    sources.write("exasol", clusters=["exa-a", "exa-b", "exa-far"], hosts=["nodes"], **cache)
    again = sources.read(*both)
    assert called() == []
    assert hosts_of(again, "exa_nodes") == ["exa-a-n0011", "exa-a-n0012", "exa-b-n0011", "exa-b-n0012"]
    assert {name: again["_meta"]["hostvars"][name] for name in first["_meta"]["hostvars"]} == first["_meta"]["hostvars"]

    hidden.rename(path)
    new = {"name": "exa-new", "profile": "exa-b"}
    sources.write("exasol", clusters=[{"profile": "exa-a", "request_timeout": 20}, "exa-far", new], **cache)
    assert hosts_of(sources.read(*both), "exa_clusters") == ["exa-a", "exa-far", "exa-new"]
    assert called() == ["exa-a", "exa-b"]
    fleet.forget()
    nothing = {"hosts": "all", "gather_facts": False, "tasks": []}
    ansible.run([nothing], {}, *(word for path in both for word in ("-i", str(path))), "--flush-cache").ok()
    assert called() == fleet.names


def test_a_hundred_clusters_of_which_five_are_unreachable(simulate: Any, sources: Sources) -> None:
    fleet = simulate(*(cluster(f"exa-{number:03d}", up=True) for number in range(95)))
    far = {f"exa-{number:03d}": UNREACHABLE for number in range(95, 100)}
    sources.profiles(fleet, **far)
    began = time.monotonic()
    found = sources.read(sources.write("exasol", clusters=["*"], side_by_side=20))
    assert time.monotonic() - began < 60
    assert len(hosts_of(found, "exa_clusters")) == 100
    assert hosts_of(found, "unreachable") == sorted(far)
    assert len(hosts_of(found, "up")) == 95


def test_one_that_hangs_holds_nobody_up(simulate: Any, sources: Sources) -> None:
    fleet = simulate(cluster("exa-a", up=True), cluster("exa-b", up=True))
    sources.profiles(fleet)
    fleet.fault("hang", cluster="exa-a", delay=120)
    found = sources.read(sources.write("exasol", clusters=["exa-*"], timeout="2s", side_by_side=1))
    assert (hosts_of(found, "unreachable"), hosts_of(found, "up")) == (["exa-a"], ["exa-b"])


def test_runbooks_run_on_such_hosts(simulate: Any, sources: Sources, ansible: Any) -> None:
    """As they are, clusters alone; and a node is no cluster to them."""
    fleet = simulate(cluster("exa-a", up=True), cluster("exa-b"), domain("nuo-a", up=True))
    profiles = sources.profiles(fleet, **{"exa-far": UNREACHABLE})
    given = [
        sources.write("exasol", clusters=["exa-*"], hosts=["nodes"]),
        sources.write("nuodb", clusters=["nuo-a"], hosts=["servers", "processes"]),
    ]
    inventory = [word for path in given for word in ("-i", str(path))]
    run = ansible.run("status", {}, *inventory, target="").failed()
    assert [line.split()[:2] for line in run.lines(r"^(unreachable|down|degraded|up) ")] == [
        ["unreachable", "exa-far"], ["down", "exa-b"], ["up", "exa-a"], ["up", "nuo-a"],
    ]  # fmt: skip
    run = ansible.run("exa_cold_start", {}, *inventory, "--check", target="exa-b").ok()
    assert run.lines("would startDatabase .*: DB1"), run.out
    run = ansible.run("exa_cold_start", {}, *inventory, "--check", target="exa-b-n0011").failed()
    assert "exa-b-n0011" in run.failures()[0]
    exported = {f"EXA_{key.upper()}": _text(value) for key, value in profiles["exa-b"].items()}
    run = ansible.run("exa_cold_start", {}, *inventory, "--check", target="exa-b-n0011", environment=exported).failed()
    assert "exa-b-n0011 is a node of exa-b, not a cluster, and EXA_API_URL of the environment" in run.failures()[0]
    assert fleet.changes("exa-b") == []


def test_profiles_that_are_encrypted(simulate: Any, sources: Sources) -> None:
    """The file as a whole; without the vault's password there is one sentence."""
    fleet = simulate(cluster("exa-a", up=True))
    profiles = sources.profiles(fleet)
    secret, path = VaultSecret(b"the vault's key"), sources.folder / "profiles.yml"
    path.write_bytes(VaultLib([("default", secret)]).encrypt(path.read_text(), secret))
    (sources.folder / "key").write_bytes(secret.bytes)
    source = sources.write("exasol", clusters=["exa-a"])
    found = sources.read(source, ANSIBLE_VAULT_PASSWORD_FILE=str(sources.folder / "key"))
    assert hosts_of(found, "up") == ["exa-a"]
    assert str(profiles["exa-a"]["api_password"]) not in json.dumps(found)
    says = sources.refused(source)
    assert "profiles.yml can't be decrypted" in says or "or a value in it can't be decrypted" in says


def test_what_is_refused_is_one_sentence(simulate: Any, sources: Sources) -> None:
    """And shows no secret; nothing is read."""
    fleet = simulate(cluster("exa-a", up=True))
    sources.profiles(fleet)
    password = [{"name": "a", "api_url": "n10", "api_password": "s3cr3t"}]
    for options, says in (
        ({"clusters": password}, "clusters: a has api_password, which an inventory source must not contain"),
        ({"clusters": {"a": password[0]}}, "clusters is not a list"),
        ({"clusters": ["a"], "profiles_path": "fleet.exasol.yml"}, "fleet.exasol.yml may be read by others: chmod 600"),
    ):
        said = sources.refused(sources.write("exasol", **options))
        assert says in said
        assert "s3cr3t" not in said
    assert fleet.calls() == []

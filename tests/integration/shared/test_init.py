# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook init: from a URL to a profile and an inventory that work."""

from __future__ import annotations

import io
import os
import re
import stat
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml
from ansible_collections.dbfleet.cluster.tests.integration.domains import domain
from ansible_collections.dbfleet.cluster.tests.integration.world import ROOT, cluster, confd


@pytest.fixture
def home(ansible: Any) -> Path:
    """A folder to work in, with nothing in it."""
    folder = ansible.folder / "home"
    folder.mkdir()
    return folder


def given(simulator: Any, name: str, home: Path, **more: Any) -> dict[str, Any]:
    """What -e says, without the password, which comes from the environment."""
    one = simulator.ready["clusters"][name]
    product = "nuodb" if simulator.topologies[name].get("product") == "nuodb" else "exasol"
    return {
        "init_product": product,
        "init_api_url": one["api_url"],
        "init_api_username": one["username"],
        "init_name": name,
        "init_profiles_path": str(home / "own" / "profiles.yml"),
        "init_inventory_path": str(home / "inventory" / f"{name}.yml"),
        **more,
    }


def password(simulator: Any, name: str) -> dict[str, str]:
    prefix = "NUODB" if simulator.topologies[name].get("product") == "nuodb" else "EXA"
    return {f"{prefix}_API_PASSWORD": simulator.ready["clusters"][name]["password"]}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("make", [cluster, confd, domain])
def test_what_it_writes_is_what_the_others_need(simulate: Any, ansible: Any, home: Path, make: Any) -> None:
    simulator = simulate(make("one"))
    ca = simulator.ready["clusters"]["one"]["ca_path"]
    variables, secret = given(simulator, "one", home, init_ca_path=ca), password(simulator, "one")
    looked = ansible.run("init", {}, "--check", variables=variables, environment=secret, target="").ok()
    assert list(home.iterdir()) == []
    assert "profile one in" in looked.out
    run = ansible.run("init", {}, variables=variables, environment=secret, target="").ok()
    profiles, inventory = home / "own" / "profiles.yml", home / "inventory" / "one.yml"
    assert mode(profiles) == 0o600
    assert mode(profiles.parent) == 0o700
    assert secret.popitem()[1] not in run.out + inventory.read_text()
    again = ansible.run("init", {}, variables=variables, environment=password(simulator, "one"), target="").ok()
    assert again.changed() == 0
    assert simulator.changes() == []
    hosts = next(iter(yaml.safe_load(inventory.read_text()).values()))["hosts"]
    assert list(hosts) == ["one"]
    done = ansible.run("status", {}, "-i", str(inventory), variables={"target": "one"}).ok()
    assert "one" in done.custom


def test_a_second_cluster_joins_the_first(simulate: Any, ansible: Any, home: Path) -> None:
    simulator = simulate(cluster("one"), domain("two"))
    for name in simulator.names:
        ca = simulator.ready["clusters"][name]["ca_path"]
        variables = given(simulator, name, home, init_ca_path=ca)
        ansible.run("init", {}, variables=variables, environment=password(simulator, name), target="").ok()
    folder = str(home / "inventory")
    done = ansible.run("status", {}, "-i", folder, variables={"target": "one,two"}).ok()
    assert set(done.custom) == {"one", "two"}


@pytest.mark.parametrize("make", [cluster, domain])
def test_a_certificate_that_nobody_vouches_for_is_never_taken_unasked(
    simulate: Any, ansible: Any, home: Path, make: Any
) -> None:
    simulator = simulate(make("one"))
    variables, secret = given(simulator, "one", home), password(simulator, "one")
    run = ansible.run("init", {}, variables=variables, environment=secret, target="").failed()
    (said,) = [text for text in run.failures() if "is not trusted, and nobody said that it is the right one" in text]
    assert list(home.iterdir()) == []
    assert not [row for row in simulator.calls() if row.get("user")]
    pinned = said.partition("init_tls_fingerprint=")[2].partition(" ")[0]
    wrong = {**variables, "init_tls_fingerprint": "00" * 32}
    run = ansible.run("init", {}, variables=wrong, environment=secret, target="").failed()
    assert "Nothing was written" in run.failures()[-1]
    assert list(home.iterdir()) == []
    right = {**variables, "init_tls_fingerprint": pinned}
    ansible.run("init", {}, variables=right, environment=secret, target="").ok()
    assert yaml.safe_load((home / "own" / "profiles.yml").read_text())["one"]["tls_fingerprint"] == pinned


def test_a_file_of_profiles_is_encrypted_where_that_is_wanted(simulate: Any, ansible: Any, home: Path) -> None:
    simulator = simulate(cluster("one"), cluster("other"))
    ca = simulator.ready["clusters"]["one"]["ca_path"]
    secret = password(simulator, "one")
    (home / "vault").write_text("a vault's secret\n")
    variables = given(simulator, "one", home, init_ca_path=ca, init_vaulted=True)
    run = ansible.run("init", {}, variables=variables, environment=secret, target="").failed()
    assert "the play has no vault secret" in run.failures()[0]
    vault = ("--vault-password-file", str(home / "vault"))
    ansible.run("init", {}, *vault, variables=variables, environment=secret, target="").ok()
    profiles = home / "own" / "profiles.yml"
    assert profiles.read_text().startswith("$ANSIBLE_VAULT")
    more = given(simulator, "other", home, init_ca_path=simulator.ready["clusters"]["other"]["ca_path"])
    ansible.run("init", {}, *vault, variables=more, environment=password(simulator, "other"), target="").ok()
    assert profiles.read_text().startswith("$ANSIBLE_VAULT")
    folder = str(home / "inventory")
    ansible.run("status", {}, "-i", folder, *vault, variables={"target": "one,other"}).ok()


def test_what_it_refuses(simulate: Any, ansible: Any, home: Path) -> None:
    simulator = simulate(cluster("one"))
    ca = simulator.ready["clusters"]["one"]["ca_path"]
    whole = given(simulator, "one", home, init_ca_path=ca)
    secret = password(simulator, "one")
    inventory = home / "inventory" / "one.yml"
    inventory.parent.mkdir()
    inventory.write_text("mine: {}\n")
    for changed, says in (
        ({"init_product": "oracle"}, "The product is oracle, and must be exasol or nuodb"),
        ({"init_product": ""}, "The product is not given"),
        ({"init_api_url": ""}, "No URL is given"),
        ({"init_api_url": ["https://admin:pw@n10"]}, "api_url contains credentials"),
        ({"init_api_username": "nobody"}, "Nothing was written"),
        ({"init_name": "all of it"}, "can't be the name of a host"),
        ({}, "is there with other contents, and is never overwritten"),
    ):
        run = ansible.run("init", {}, variables={**whole, **changed}, environment=secret, target="").failed()
        assert says in run.failures()[-1]
        assert inventory.read_text() == "mine: {}\n"
        assert not (home / "own").exists()


def test_a_person_is_asked(simulate: Any, ansible: Any, home: Path) -> None:
    simulator = simulate(cluster("one"))
    one = simulator.ready["clusters"]["one"]
    page = (ROOT / "docs/first_cluster.md").read_text(encoding="utf-8")
    settings = re.search(r"```\n(\[defaults\]\n.+?)```", page, re.DOTALL)
    assert settings
    (home / "ansible.cfg").write_text(settings[1])
    environment = ansible.environment(
        HOME=str(home), TERM="dumb", COLUMNS="400", ANSIBLE_CONFIG=str(home / "ansible.cfg")
    )
    del environment["ANSIBLE_LOCALHOST_WARNING"], environment["ANSIBLE_CALLBACKS_ENABLED"]
    asked = pexpect.spawn(
        "ansible-playbook", ["dbfleet.cluster.init"], cwd=str(home), env=environment, encoding="utf-8", timeout=60,
        dimensions=(50, 400),
    )  # fmt: skip
    asked.logfile_read = io.StringIO()
    for question, answer in (
        ("exasol or nuodb", "exasol"),
        ("The URLs of EXAoperation or ConfD", one["api_url"][0]),
        ("The user", one["username"]),
        ("The password of", one["password"]),
        ("Is it the same\\? \\(yes/no\\)", "yes"),
        (r"The name of the cluster in the inventory \(empty for exa(-\d+){4}\)", "exa-lab"),
    ):
        asked.expect(question)
        asked.sendline(answer)
    asked.expect("next: ansible-playbook -i")
    asked.expect(pexpect.EOF)
    asked.close()
    assert asked.exitstatus == 0
    assert one["password"] not in str(asked.before)
    assert "WARNING" not in asked.logfile_read.getvalue()
    assert mode(home / ".config/dbfleet/profiles.yml") == 0o600
    assert (home / "inventory/exa-lab.yml").exists()
    assert os.listdir(home / "inventory") == ["exa-lab.yml"]

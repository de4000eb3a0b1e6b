# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which clusters are meant."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.meant import Hosts, Meant, of_profiles, problems

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19 has no such thing

    def trust_as_template(value: Any) -> Any:
        return value


def hosts(**variables: dict[str, Any]) -> Hosts:
    """Inventory hosts with these variables."""

    def get_vars(host: str, **_more: Any) -> dict[str, Any]:
        return {"omit": "__omit__", **variables[host]}

    manager = SimpleNamespace(get_vars=get_vars)
    inventory = SimpleNamespace(get_host=lambda name: name if name in variables else None)
    hostvars = SimpleNamespace(_variable_manager=manager, _inventory=inventory)
    task_vars = {"hostvars": hostvars, "ansible_play_hosts_all": list(variables)}
    return Hosts(SimpleNamespace(play=None), task_vars, DataLoader())


def test_a_host_by_its_variables() -> None:
    exa = {
        "exa_api_url": trust_as_template("https://{{ place }}"), "place": "n10", "exa_api_username": "operator",
        "exa_license_servers": ["n0010"], "exa_cold_start_ignore_nodes": "n12, 13", "fail_on": " Degraded",
        "nuodb_api_password": "not its own",
    }  # fmt: skip
    first, second = hosts(exa=exa, nuo={"nuodb_profile": "nuo", "fail_on": "None"}).meant(["exa", "nuo"], "down")
    assert (first.product, first.fail_on, first.ignore_nodes, first.problem) == ("exa", "degraded", ["n12", "13"], "")
    assert first.options == {"api_url": "https://n10", "api_username": "operator", "license_servers": ["n0010"]}
    assert (second.product, second.fail_on, second.options) == ("nuodb", "down", {"profile": "nuo"})
    assert second.given["ansible_play_hosts_all"] == ["exa", "nuo"]
    assert (first.given["inventory_hostname"], first.given["exa_api_username"]) == ("exa", "operator")


@pytest.mark.parametrize(
    ("variables", "product", "says"),
    [
        ({}, "exa", ""),
        ({"dbfleet_product": "nuodb"}, "nuodb", ""),
        ({"dbfleet_product": "", "nuodb_api_url": "x"}, "nuodb", ""),
        ({"dbfleet_product": "exasol", "nuodb_api_url": "x"}, "exa", ""),
        ({"dbfleet_product": "oracle"}, "exa", "a: dbfleet_product is oracle: it takes exasol or nuodb"),
        ({"exa_api_url": trust_as_template("{{ nowhere }}")}, "exa", "a: exa_api_url has no value"),
    ],
)
def test_what_a_host_is_and_what_is_wrong_with_it(variables: dict[str, Any], product: str, says: str) -> None:
    (one,) = hosts(a=variables).meant(["a"], "unreachable")
    assert one.product == product
    assert one.problem.startswith(says) if says else one.problem == ""


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ({}, "down"),
        ({"fail_on": ""}, "down"),
        ({"fail_on": "  "}, "down"),
        ({"fail_on": None}, "down"),
        ({"fail_on": "None"}, "down"),
        ({"fail_on": "unreachable"}, "unreachable"),
        ({"fail_on": " Degraded\n"}, "degraded"),
        ({"fail_on": "nonedown"}, "nonedown"),
        ({"fail_on": False}, "false"),
    ],
)
def test_what_a_host_fails_on(given: dict[str, Any], means: str) -> None:
    (one,) = hosts(a=given).meant(["a"], "down")
    assert one.fail_on == means


def test_a_host_that_is_not_there() -> None:
    (one,) = hosts(a={}).meant(["b"], "down")
    assert one.problem == "b: the inventory has no host of this name"


def test_clusters_by_profile() -> None:
    shared = {"name": None, "profiles_path": None, "license_servers": ["n0010"], "ignore_nodes": []}
    rows = [
        {**shared, "profile": "p", "product": "exasol"},
        {**shared, "profile": "q", "product": "nuodb", "name": "n"},
    ]
    exa, nuo = of_profiles(rows, "down")
    assert (exa.name, exa.product, exa.fail_on) == ("p", "exa", "down")
    assert exa.options == {"profile": "p", "license_servers": ["n0010"]}
    assert (nuo.name, nuo.options) == ("n", {"profile": "q"})


def test_what_is_wrong_with_all_of_them_is_said_at_once() -> None:
    rows = [Meant(name, "exa", {}, fails) for name, fails in (("a", "down"), ("b", "bad"), ("c", "bad"), ("a", "down"))]
    assert problems(rows) == [
        "a is listed twice", "b c: fail_on is bad, and must be one of unreachable, down, degraded",
    ]  # fmt: skip
    assert problems(rows[:1]) == []

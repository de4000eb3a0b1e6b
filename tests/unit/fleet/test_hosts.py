# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts that clusters and their objects become."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.hosts import (
    Host,
    harmless,
    kind_of,
    of_cluster,
    of_objects,
)
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.source import Listed

CLUSTER = {
    "provider": "exaoperation", "master": "n0010", "nodes": {"n11": {"state": "online"}, "n12": {"state": "off/on"}},
    "services": {"Storaged": "OK"}, "databases": {"DB1": {"state": "running", "connectible": "Yes"}},
}  # fmt: skip
EXA = {
    "state": "degraded",
    "summary": "exa-a: as it is",
    "version": "6.2.1",
    "counts": {"nodes": 2},
    "cluster": CLUSTER,
}
LATE = {"state": "unreachable", "summary": "exa-a: unreachable: gone", "version": "", "counts": {}}


def server(name: str, role: str, **more: Any) -> dict[str, Any]:
    return {
        "server_id": name, "address": f"{name}.example.com:48005", "role": role, "leader": "s0", "state": "ACTIVE",
        "connected": "Connected", "evicted": False, "local": name == "s1", "labels": {}, "version": "4.2", **more,
    }  # fmt: skip


def process(engine_type: str, server_id: str, **more: Any) -> dict[str, Any]:
    return {
        "db_name": "shop", "engine_type": engine_type, "server_id": server_id, "durable_state": "MONITORED",
        "engine_state": "RUNNING", "version": None, "labels": {}, "address": "10.0.0.9:48006", **more,
    }  # fmt: skip


DOMAIN: dict[str, Any] = {
    "servers": {
        "s0": server("s0", "LEADER", leader="other", labels={"region": "eu west", "zone": "a"}),
        "s1": server("s1", "FOLLOWER", address="[2001:db8::1]:48005"),
        "s2": server("s2", "FOLLOWER", connected="Disconnected"),
        "s3": server("s3", "", evicted=True),
    },
    "databases": {"shop": {"state": "RUNNING"}},
    "archives": {"0": {"state": "RUNNING"}},
    "processes": {
        "0": process("SM", "s0"),
        "1": process("TE", "s0", labels={"region": "us"}),
        "2": process("SSM", "gone"),
    },
}
NUO = {"state": "up", "summary": "nuo-a: as it is", "version": "4.2-abc", "counts": {}, "domain": DOMAIN}


def test_a_cluster() -> None:
    one = Listed(
        "exa-a", {"profile": "p", "license_servers": ["n10"]}, vars={"x": "{{ y }}", "ansible_connection": "ssh"},
        region="eu-west",
    )  # fmt: skip
    assert of_cluster("exa", one, EXA) == Host(
        "exa-a",
        {
            "ansible_connection": "ssh", "x": "{{ y }}", "exa_profile": "p", "exa_license_servers": ["n10"],
            "dbfleet_object": "cluster", "dbfleet_product": "exasol", "dbfleet_state": "degraded",
            "dbfleet_summary": "exa-a: as it is", "dbfleet_version": "6.2.1", "dbfleet_counts": {"nodes": 2},
            "dbfleet_provider": "exaoperation", "dbfleet_master": "n0010",
            "dbfleet_nodes": {"n11": "online", "n12": "off/on"}, "dbfleet_services": {"Storaged": "OK"},
            "dbfleet_databases": {"DB1": "running"}, "dbfleet_region": "eu-west",
        },
        ["exa_clusters", "exasol", "degraded", "exasol_6_2_1", "exasol_exaoperation", "region_eu_west"],
    )  # fmt: skip


@pytest.mark.parametrize(("product", "row"), [("exa", EXA), ("nuodb", NUO)])
def test_one_that_was_not_read_has_the_same_variables(product: str, row: dict[str, Any]) -> None:
    read, late = of_cluster(product, Listed("a", {}), row), of_cluster(product, Listed("a", {}), LATE)
    assert set(late.variables) == set(read.variables)
    assert late.groups == [*read.groups[:2], "unreachable"]
    assert late.variables["dbfleet_summary"] == LATE["summary"]
    assert late.variables["dbfleet_databases"] == {}
    assert not list(of_objects(product, "a", LATE, ["nodes"] if product == "exa" else ["servers", "processes"]))


def test_a_domain() -> None:
    host = of_cluster("nuodb", Listed("nuo-a", {"api_url": ["s0"]}), NUO)
    assert host.groups == ["nuodb_domains", "nuodb", "up", "nuodb_4_2_abc"]
    assert host.variables["nuodb_api_url"] == ["s0"]
    assert host.variables["dbfleet_leader"] == "s0"  # as the server knows it that was asked
    assert host.variables["dbfleet_servers"] == {
        "s0": "ACTIVE", "s1": "ACTIVE", "s2": "Disconnected", "s3": "Evicted",
    }  # fmt: skip
    assert (host.variables["dbfleet_databases"], host.variables["dbfleet_archives"]) == (
        {"shop": "RUNNING"}, {"0": "RUNNING"},
    )  # fmt: skip


def test_nodes() -> None:
    first, second = of_objects("exa", "exa-a", EXA, ["nodes"])
    assert first == Host(
        "exa-a-n11",
        {
            "dbfleet_cluster": "exa-a", "dbfleet_object": "node", "dbfleet_object_name": "n11",
            "dbfleet_object_state": "online",
        },
        ["exa_nodes", "exa_nodes_online"],
    )  # fmt: skip
    assert second.groups == ["exa_nodes", "exa_nodes_off_on"]
    assert not list(of_objects("exa", "exa-a", EXA, []))


def test_servers_and_processes() -> None:
    hosts = {host.name: host for host in of_objects("nuodb", "nuo", NUO, ["servers", "processes"])}
    assert {name: host.groups for name, host in hosts.items()} == {
        "nuo-s0": ["nuodb_servers", "nuodb_servers_active", "nuodb_servers_leader", "nuodb_region_eu_west"],
        "nuo-s1": ["nuodb_servers", "nuodb_servers_active", "nuodb_servers_follower"],
        "nuo-s2": ["nuodb_servers", "nuodb_servers_disconnected", "nuodb_servers_follower"],
        "nuo-s3": ["nuodb_servers", "nuodb_servers_evicted"],
        "nuo-shop-sm-0": ["nuodb_processes", "nuodb_sm", "nuodb_region_eu_west"],
        "nuo-shop-te-1": ["nuodb_processes", "nuodb_te", "nuodb_region_us"],
        "nuo-shop-sm-2": ["nuodb_processes", "nuodb_sm"],
    }
    assert {name: host.variables["ansible_host"] for name, host in hosts.items() if name in ("nuo-s0", "nuo-s1")} == {
        "nuo-s0": "s0.example.com", "nuo-s1": "2001:db8::1",
    }  # fmt: skip
    te = hosts["nuo-shop-te-1"].variables
    assert (te["ansible_host"], te["dbfleet_server"], te["dbfleet_database"]) == ("s0.example.com", "s0", "shop")
    assert te["dbfleet_object_labels"] == {"region": "us", "zone": "a"}  # its own before those of its server
    assert (te["dbfleet_object_role"], te["dbfleet_object_state"]) == ("TE", "MONITORED:RUNNING")
    assert hosts["nuo-shop-sm-2"].variables["ansible_host"] == "10.0.0.9"


def test_clusters_and_objects_share_no_group() -> None:
    clusters = {*of_cluster("exa", Listed("a", {}, region="eu west"), EXA).groups}
    clusters |= {*of_cluster("nuodb", Listed("a", {}, region="eu west"), NUO).groups}
    found = [*of_objects("exa", "a", EXA, ["nodes"]), *of_objects("nuodb", "a", NUO, ["servers", "processes"])]
    assert not clusters & {group for host in found for group in host.groups}


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("{{ x }}", "{ { x }}"),
        ("{{{% x", "{ { { % x"),
        ("a {# b #}", "a { # b #}"),
        ("#jinja2: variable_start_string:'[['\n[[ x ]]", "# jinja2: variable_start_string:'[['\n[[ x ]]"),
        ("plain {x} #1", "plain {x} #1"),
        ("a\nb\x9b\u202e", "a\nb\\x9b\\u202e"),
        ({"{{ k }}": ["{{ v }}", 1, None, True]}, {"{ { k }}": ["{ { v }}", 1, None, True]}),
    ],
)
def test_what_a_server_told_is_no_template(told: Any, shown: Any) -> None:
    assert harmless(told) == shown


def test_a_name_of_a_server_s_makes_no_odd_host() -> None:
    nodes = {"n 11,{{ x }}": {"state": "on\nline"}}
    (host,) = of_objects("exa", "a", {**EXA, "cluster": {**CLUSTER, "nodes": nodes}}, ["nodes"])
    assert host.name == "a-n_11____x___"
    assert host.groups == ["exa_nodes", "exa_nodes_on_line"]


def test_a_long_name_of_a_server_s_makes_no_long_host() -> None:
    nodes = {"n" * 100_000: {"state": "s" * 100_000}}
    (host,) = of_objects("exa", "a", {**EXA, "cluster": {**CLUSTER, "nodes": nodes}}, ["nodes"])
    assert max(map(len, [host.name, *host.groups])) < 250


def test_kinds() -> None:
    assert [kind_of(kind) for kind in ("nodes", "servers", "processes")] == ["node", "server", "process"]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of a database, held against what the server shows."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.configuration import (
    WantedDatabase,
    difference,
    same,
)
from ansible_collections.dbfleet.cluster.tests.unit.exasol.databases.fake_api import configured


@pytest.mark.parametrize(
    ("name", "one", "other", "equal"),
    [
        ("mem_size", "2048MiB", "2 GiB", True),
        ("mem_size", "2048", "2 GiB", True),
        ("mem_size", 2048, "2 GiB", True),
        ("mem_size", "2 GiB", "2 GB", False),
        ("volume_quota", "500", "500 GiB", True),
        ("volume_quota", 1, str(2**30), True),
        ("volume_quota", "0.5 TiB", 512, True),
        ("volume_quota", "501 GiB", 500, False),
        ("max_system_heap_memory", "default", "Default", True),
        ("max_system_heap_memory", "64 GiB", "65536 MiB", True),
        ("params", ["-b=2", "-a=1"], "-a=1  -b=2", True),
        ("params", "-a=1 -a=1", "-a=1", False),
        ("owner", [1000, 1001], "1000 : 1001", True),
        ("owner", ["exadefusr", "exausers"], [500, 500], None),
        ("owner", [500, 501], [500, 500], False),
        ("ldap_server", ["ldap://a", "ldap://b"], "ldap://a, ldap://b", True),
        ("ldap_server", ["ldap://b", "ldap://a"], "ldap://a,ldap://b", False),
        ("interfaces", ["eth1", "eth0"], "eth0,eth1", True),
        ("interfaces", [], "", True),
        ("interfaces", ["eth1", "eth0", "eth0"], ["eth0", "eth1"], True),
        ("enable_auditing", True, "yes", True),
        ("auto_start", False, "True", False),
        ("port", 8563, "8563", True),
        ("cache_volume_disk", "disk1:7 GiB", "disk1:7168MiB", True),
        ("version", "8.29.1", "8.29.1 ", True),
    ],
)
def test_values_are_compared_by_what_they_mean(name: str, one: Any, other: Any, equal: Optional[bool]) -> None:
    assert same(name, one, other) is equal


def test_what_is_not_shown() -> None:
    values = {"auto_start": True, "params": [], "volume_quota": "0", "oracle_url": "file:///x", "initial_sql": "/x.yml"}
    assert difference(WantedDatabase(values), configured()).values == {"oracle_url": "file:///x"}
    old = difference(WantedDatabase({**values, "mem_size": "2 GiB"}), configured(complete=False))
    assert (old.values, old.not_shown) == ({}, ("auto_start", "params", "volume_quota", "oracle_url"))
    assert difference(WantedDatabase({"db_uuid": "x", "mem_size": "3 GiB"}), configured(db_uuid="y")).fixed == (
        "db_uuid",
    )


def test_start_parameters_are_added_and_taken_away() -> None:
    there = configured(params="-a=1 -b=2")
    assert difference(WantedDatabase(added=("-a=1",), deleted=("-c",)), there).values == {}
    assert difference(WantedDatabase(added=("-c=3",), deleted=("-a",)), there).values == {"params": ["-b=2", "-c=3"]}
    assert difference(WantedDatabase(deleted=("-b=3",)), there).values == {}
    both = WantedDatabase({"params": ["-a=1"]}, added=("-b=2",))
    assert difference(both, there).values == {}
    assert difference(WantedDatabase(added=("-c=3",)), configured(complete=False)).not_shown == ("params_add",)
    assert WantedDatabase({"params": ["-a=1"]}, added=("-b=2",), deleted=("-a",)).creation() == {"params": ["-b=2"]}

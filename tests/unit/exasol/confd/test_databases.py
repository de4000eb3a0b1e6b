# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases configured, at the wire: what is sent of what is wanted, and what is read of what there is."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Denied, Fault, Garbled
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.databases import (
    ConfdDatabaseConfig,
    configured,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.jobs_under_way import JobsUnderWay
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.database_rows import DOCUMENTED, cluster, sent
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, failed, result


def api(nodes: Nodes) -> ConfdDatabaseConfig:
    jobs = nodes.jobs()
    return ConfdDatabaseConfig(jobs, JobsUnderWay(jobs), lambda names: [int(name[1:]) for name in names])


def test_what_the_document_shows_is_read() -> None:
    found = configured("DB1", DOCUMENTED)
    assert (found.active, found.number, found.complete) == (("n11",), 1, False)
    assert found.settings == {"data_volume_name": "DataVolume1", "volume_quota": 0, "port": 8888}
    assert found.database.accepts_connections


def test_what_version_8_shows_is_read() -> None:
    config = {
        "name": "DB1", "data_volume": "Other", "ldap_servers": "ldap://a", "port": 8563, "nodes": [11, 12],
        "params": None, "num_active_nodes": "1", "default_sys_passwd_hash": "h4sh", "volume_quota": "1 TiB",
        "backups": {},
    }  # fmt: skip
    nodes = {"active": ["n12"], "failed": ["n11"], "reserve": []}
    found = configured("DB1", {**DOCUMENTED, "config": config, "nodes": nodes})
    assert (found.number, found.complete, found.nodes) == (1, True, ("n12", "n11"))
    expected = {"data_volume_name": "DataVolume1", "ldap_server": "ldap://a", "port": 8563, "volume_quota": "1 TiB"}
    assert found.settings == expected
    assert "h4sh" not in str(found)
    assert configured("DB1", {**DOCUMENTED, "nodes": nodes}).number is None
    odd = configured("DB1", {"state": "setup", "persistent volume": "None", "nodes": None, "config": []})
    assert (odd.settings, odd.number, odd.active) == ({}, None, ())


def test_a_database_is_read_where_there_is_one() -> None:
    nodes = cluster(db_list=result(["DB1", "DB2"]), db_info=result(DOCUMENTED))
    assert api(nodes).read("DB1") == configured("DB1", DOCUMENTED)
    assert api(nodes).read("DB3") is None
    gone = cluster(db_list=result(["DB1"]), db_info=failed("Database DB1 could not be found"))
    assert api(gone).read("DB1") is None
    for answers in ({"db_list": result("DB1")}, {"db_list": result(["DB1"]), "db_info": result([])}):
        with pytest.raises(Garbled, match="unknown form"):
            api(cluster(**answers)).read("DB1")


def test_values_are_sent_as_the_job_takes_them() -> None:
    nodes = cluster()
    values = {
        "mem_size": "2048", "nodes": ["n11", "n12"], "params": ["-a=1", "-b=2"], "volume_quota": "1 TiB",
        "owner": [1, 2], "ldap_server": ["ldap://a", "ldap://b"], "additional_sys_passwd_hashes": ["one", "two"],
        "data_volume_id": 3,
    }  # fmt: skip
    api(nodes).create("DB1", values)
    assert sent(nodes) == {
        "db_name": "DB1", "mem_size": "2048 MiB", "nodes": [11, 12], "params": "-a=1 -b=2", "volume_quota": 1024,
        "owner": [1, 2], "ldap_server": "ldap://a,ldap://b", "additional_sys_passwd_hashes": "one;two",
        "data_volume_id": 3,
    }  # fmt: skip
    api(nodes).configure("DB1", {"volume_quota": "500", "data_volume_id": 3, "port": 8563})
    assert sent(nodes) == {"db_name": "DB1", "volume_quota": "500 GiB", "data_volume_id": "3", "port": "8563"}
    with pytest.raises(ClusterError, match="in whole GiB, not 100 MiB"):
        api(nodes).check("create", "DB1", {"volume_quota": "100 MiB"})
    with pytest.raises(ClusterError, match=r"no parameter 'mem_size'"):
        api(nodes).check("configure", "DB1", {"mem_size": "2 GiB"})
    assert nodes.count("job_exec") == 2


def test_reserve_nodes_and_more_active_ones() -> None:
    nodes = cluster()
    one = api(nodes)
    one.add_reserve("DB1", ["n13"])
    assert nodes.calls[-1][1:] == ("db_add_reserve_nodes", {"params": {"db_name": "DB1", "node_list": [13]}})
    one.remove_reserve("DB1", ["n13"])
    assert nodes.calls[-1][1] == "db_remove_reserve_nodes"
    one.enlarge("DB1", 2)
    assert nodes.calls[-1] == ("job_start", "db_enlarge", {"params": {"db_name": "DB1", "num_new_nodes": 2}})


def test_whoever_may_not_ask_for_nodes_names_them_by_number() -> None:
    def denied(_names: list[str]) -> list[int]:
        raise Denied("no")

    nodes = cluster()
    jobs = nodes.jobs()
    one = ConfdDatabaseConfig(jobs, JobsUnderWay(jobs), denied)
    one.add_reserve("DB1", ["n13", "14"])
    assert sent(nodes)["node_list"] == [13, 14]
    with pytest.raises(Denied):
        one.add_reserve("DB1", ["web"])


@pytest.mark.parametrize(
    ("desc", "kind", "said"),
    [
        ("Volume DataVolume1 is in use", Fault, "the server refused: Volume DataVolume1 is in use"),
        ("User looker is not allowed to run job db_delete", Denied, "the user may not do this"),
        ("only minority of nodes are online", Fault, "the cluster has lost its quorum"),
    ],
)
def test_what_the_server_refuses_is_said(desc: str, kind: type[Exception], said: str) -> None:
    nodes = cluster(db_delete=failed(desc))
    with pytest.raises(kind, match=f"exa-unit: db_delete of DB1 at .*: {said}"):
        api(nodes).delete("DB1")


def test_data_volumes_know_their_databases() -> None:
    rows = [{"id": "0", "name": "DataVolume1", "labels": ["#Name#DataVolume1", "pub:DB1_persistent"]}, {"id": 4}, {}]
    found = api(cluster(st_volume_list=result(rows))).volumes()
    assert [(one.vid, one.name, one.users) for one in found] == [(0, "DataVolume1", ("DB1",)), (4, "", ())]
    with pytest.raises(Garbled):
        api(cluster(st_volume_list=result({"0": {}}))).volumes()

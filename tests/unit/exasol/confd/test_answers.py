# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms that answers have been seen in, and those that a server may as well write, are read alike."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Garbled
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.answers import is_nodes, kind, nodes_of
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.cluster import ConfdCluster
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.databases import configured, data_volume
from ansible_collections.dbfleet.cluster.plugins.module_utils._secrets import Scrubber
from ansible_collections.dbfleet.cluster.tests.answers.fixtures import answer
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, result
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.simulated import Simulated


def cluster(**jobs: Any) -> ConfdCluster:
    def run(job: str, *_args: Any) -> Any:
        return result(jobs[job])

    return ConfdCluster(Nodes(job_exec=run, job_list=sorted(jobs)).jobs())


def numbers_as_numbers(value: Any) -> Any:
    """The same answer of a server that writes numbers as such."""
    if isinstance(value, dict):
        return {key: numbers_as_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers_as_numbers(item) for item in value]
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def empty_lists_as_nil(value: Any) -> Any:
    """The same answer of a server that writes nil for an empty list within it."""
    if isinstance(value, dict):
        return {key: empty_lists_as_nil(item) for key, item in value.items()}
    if isinstance(value, list):
        return [empty_lists_as_nil(item) for item in value] or None
    return value


@pytest.mark.parametrize("change", [copy.deepcopy, numbers_as_numbers, empty_lists_as_nil])
@pytest.mark.parametrize("name", ["confd/db_info_6_2", "confd/db_info_volume_as_number"])
def test_a_database_of_6_2_and_7(name: str, change: Any) -> None:
    found = configured("DB1", change(answer(name)))
    assert (found.active, found.failed, found.reserve, found.number) == (("n11",), (), (), 1)
    assert found.settings == {"data_volume_name": "DataVolume1", "volume_quota": 0, "port": 8888}
    assert found.database.accepts_connections


def test_a_database_of_8() -> None:
    found = configured("MY_DATABASE", answer("confd/db_info_config"))
    assert (found.active, found.number, found.complete) == (("n11", "n12", "n13", "n14"), 4, True)
    assert found.settings["owner"] == [500, 500]


def test_nodes_of_a_database_by_their_numbers_are_the_same_nodes() -> None:
    told = answer("confd/db_info_6_2")
    told["nodes"] = {"active": [11, "12"], "failed": ["n13"], "reserve": None}
    found = configured("DB1", told)
    assert (found.active, found.failed, found.reserve) == (("n11", "n12"), ("n13",), ())


@pytest.mark.parametrize(
    ("volume", "name"), [("DataVolume1", "DataVolume1"), (0, "0"), ("0", "0"), (None, ""), ("None", "")]
)
def test_a_volume_whose_number_is_0_is_one(volume: Any, name: str) -> None:
    assert data_volume({"persistent volume": volume}) == name


@pytest.mark.parametrize("change", [copy.deepcopy, numbers_as_numbers, empty_lists_as_nil])
def test_volumes(change: Any) -> None:
    jobs = {
        "st_volume_list": change(answer("confd/st_volume_list")),
        "node_list": change(answer("confd/node_list_6_2")),
        "db_list": ["DB1"],
        "db_info": change(answer("confd/db_info_6_2")),
    }
    volumes = cluster(**jobs).volumes()
    (found,) = volumes.all()
    assert (found.id, found.name, found.nodes, found.size) == (0, "DataVolume1", ("n11",), 10 * 2**30)
    assert volumes.databases_of(found) == ["DB1"]


@pytest.mark.parametrize("change", [copy.deepcopy, numbers_as_numbers])
def test_nodes_by_their_numbers(change: Any) -> None:
    one = cluster(node_list=change(answer("confd/node_list_6_2")))
    assert (one.nodes(), one.node_ids(["n11"])) == (["n11"], [11])


def test_nodes_by_logical_numbers_are_known_by_their_names() -> None:
    told = answer("confd/st_node_list")
    assert is_nodes(told)
    assert [(node.number, node.name) for node in nodes_of(told)] == [(11, "n11"), (12, "n12")]


@pytest.mark.parametrize("told", [None, {}, [], {"a": {"name": "x"}}, {"11": None}, {"11": {"id": "eleven"}}])
def test_what_is_no_list_of_nodes(told: Any) -> None:
    assert not is_nodes(told)


@pytest.mark.parametrize("job", ["db_list", "st_volume_list"])
def test_nil_is_not_taken_for_no_databases_and_no_volumes(job: str) -> None:
    """They would be shut down without; an empty list says it."""
    one = cluster(**{job: None})
    with pytest.raises(Garbled, match=job):
        one.databases() if job == "db_list" else one.volumes().all()


def test_nil_is_taken_for_no_remote_volumes() -> None:
    assert cluster(remote_volume_list=None).remote_volumes().all() == []
    assert cluster(remote_volume_list_details=None).remote_volumes().all() == []


@pytest.mark.parametrize(
    "settings", [{"empty_lists": "nil"}, {"volume_id": "number"}, {"empty_lists": "nil", "volume_id": "number"}]
)
def test_the_simulator_s_forms_are_read_alike(settings: dict[str, Any]) -> None:
    plain, other = (ConfdCluster(Simulated(**given).jobs()) for given in ({}, settings))
    for read in (
        lambda one: one.nodes(),
        lambda one: one.database_layout("DB1"),
        lambda one: one.volumes().all(),
        lambda one: one.remote_volumes().all(),
        lambda one: one.backups().backups("DB1"),
        lambda one: nodes_of(one.jobs().read("st_node_list"))[0].number,
    ):
        assert read(other) == read(plain)


def test_no_beginning_of_a_password_is_left_where_a_name_is_cut_off() -> None:
    for place in range(25, 40):
        told = kind({"x" * place + "correct horse battery": 1})
        assert "corr" not in Scrubber(["correct horse battery"]).text(told)

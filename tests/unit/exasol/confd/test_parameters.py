# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody gives to a job, held against what it takes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.jobs import JobHelp, Parameter
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.parameters import fitted
from ansible_collections.dbfleet.cluster.tests.unit.exasol.api.expiry_texts import BERLIN, EPOCH_TEXT, NOW, TIME_TEXT

# -- what is given


def made(**parameters: Any) -> JobHelp:
    rows = {}
    for name, kinds in parameters.items():
        needed = name.endswith("_")
        rows[name.rstrip("_")] = Parameter(name.rstrip("_"), "", tuple(kinds.split()), needed)
    return JobHelp("job", parameters=rows)


@pytest.mark.parametrize(
    ("kinds", "value", "sent"),
    [
        ("str", "DB1", "DB1"),
        ("str", 11, "11"),
        ("int", 11, 11),
        ("int", "11", 11),
        ("int", " -3 ", -3),
        ("int", [11], 11),
        ("bool", True, True),
        ("bool", "yes", True),
        ("bool", "False", False),
        ("float", 3, 3.0),
        ("list", [11, 12], [11, 12]),
        ("list", (11, 12), [11, 12]),
        ("tuple", [0, 0], [0, 0]),
        ("list tuple", [0, 0], [0, 0]),
        ("list", 11, [11]),
        ("int list", 11, 11),
        ("int list", [11], [11]),
        ("int str", "11", "11"),
        ("dict", {"a": 1}, {"a": 1}),
        ("", {"a": 1}, {"a": 1}),
        ("int", None, None),
        ("str", "", ""),
    ],
)
def test_a_value_in_the_type_that_is_taken(kinds, value, sent):
    found = fitted(made(a=kinds), {"a": value})["a"]
    assert (found, type(found)) == (sent, type(sent))


@pytest.mark.parametrize(
    ("kinds", "value", "says"),
    [
        ("int", "s3cret", "must be int, and is str"),
        ("int", "1.5", "must be int, and is str"),
        ("int", "--1", "must be int"),
        ("int", "9" * 30, "must be int"),
        ("int", "²", "must be int"),
        ("int", True, "must be int, and is bool"),
        ("int", 1.5, "must be int, and is float"),
        ("int", [1, 2], "must be int, and is list"),
        ("str", 8.29, "must be str, and is float"),
        ("str", True, "must be str, and is bool"),
        ("str", {"a": "s3cret"}, "must be str, and is dict"),
        ("bool", 1, "must be bool, and is int"),
        ("bool", "s3cret", "must be bool, and is str"),
        ("list", "11,12", "must be list, and is str"),
        ("list tuple", {}, "must be list or tuple, and is dict"),
        ("dict", [], "must be dict, and is list"),
    ],
)
def test_a_value_of_another_type(kinds, value, says):
    with pytest.raises(ClusterError, match=says) as caught:
        fitted(made(a=kinds), {"a": value})
    assert "s3cret" not in caught.value.message


def test_a_number_that_yaml_made_of_a_text_is_explained():
    with pytest.raises(ClusterError) as caught:
        fitted(made(version="str"), {"version": 8.1})
    assert caught.value.hint == "put it in quotes"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"db_nmae": "DB1"}, r"job job has no parameter 'db_nmae' \(did you mean db_name\?\)"),
        ({"DB_NAME": "DB1"}, r"has no parameter 'DB_NAME' \(did you mean db_name\?\)"),
        ({"zzz": 1}, r"has no parameter 'zzz' \(it takes db_name, force, nid\)"),
    ],
)
def test_a_misspelt_name(given, says):
    with pytest.raises(ClusterError, match=says):
        fitted(made(db_name_="str", force="bool", nid="int"), given)


def test_a_job_that_takes_nothing():
    assert fitted(JobHelp("db_list"), {}) == {}
    with pytest.raises(ClusterError, match="job db_list takes no parameters, and 'a' is given"):
        fitted(JobHelp("db_list"), {"a": 1})


def test_what_is_missing():
    with pytest.raises(ClusterError, match="^job job needs db_name, and level$"):
        fitted(made(db_name_="str", level_="int", x="int"), {"x": 1})
    with pytest.raises(ClusterError, match="^job job needs level$"):
        fitted(made(db_name_="str", level_="int"), {"db_name": "DB1", "level": None})


@pytest.mark.parametrize("told", [{"vid": ["vname"]}, {"vname": ["vid"]}, {"vid": ["vname"], "vname": ["vid"]}])
def test_a_substitute_will_do(told):
    found = JobHelp(
        "j", parameters={"vid": Parameter("vid", "", ("int",), True), "vname": Parameter("vname")}, substitutes=told
    )
    assert fitted(found, {"vname": "DataVolume1"}) == {"vname": "DataVolume1"}
    assert fitted(found, {"vid": 0}) == {"vid": 0}
    with pytest.raises(ClusterError, match="^job j needs vid or vname$"):
        fitted(found, {})
    both = JobHelp("j", parameters={name: Parameter(name, "", (), True) for name in ("vid", "vname")}, substitutes=told)
    with pytest.raises(ClusterError, match="^job j needs (vid or vname|vname or vid)$"):
        fitted(both, {})


# -- old and new names


@pytest.mark.parametrize(
    ("known", "given", "sent"),
    [
        ({"node_id_": "int"}, {"nid": 12}, {"node_id": 12}),
        ({"nid_": "int list"}, {"node_id": 12}, {"nid": 12}),
        ({"nids_": "list"}, {"nid": 12}, {"nids": [12]}),
        ({"nid_": "int"}, {"nids": [12]}, {"nid": 12}),
        ({"id": "int"}, {"nid": 12}, {"id": 12}),
        ({"nid": "int", "node_id": "int"}, {"node_id": 12}, {"node_id": 12}),
        ({"num__bytes": "int"}, {"num_bytes": 4096}, {"num__bytes": 4096}),
    ],
)
def test_the_name_that_the_server_knows_is_sent(known, given, sent):
    assert fitted(made(**known), given) == sent


def test_several_nodes_where_one_is_taken():
    with pytest.raises(ClusterError, match="parameter nid of job job must be int, and is list"):
        fitted(made(nid_="int"), {"nids": [11, 12]})


def test_one_thing_under_two_names():
    with pytest.raises(ClusterError, match="has no parameter 'node_id'"):
        fitted(made(nid="int"), {"nid": 11, "node_id": 12})
    with pytest.raises(ClusterError, match="given nid twice, under two names"):
        fitted(made(nid="int"), {"nids": [11], "node_id": 12})


# -- when a backup expires


def test_an_expiry_under_the_name_and_in_the_form_of_the_server():
    old = JobHelp(
        "db_backup_change_expiration", parameters={"expire_time": Parameter("expire_time", EPOCH_TEXT, ("int",))}
    )
    new = JobHelp(
        "db_backup_change_expiration", parameters={"expire_time": Parameter("expire_time", TIME_TEXT, ("str",))}
    )
    given = {"expire": "2026-12-24 18:00:00+01:00"}
    assert fitted(old, given, BERLIN, lambda: NOW) == {"expire_time": 1798131600}
    assert fitted(new, given, BERLIN, lambda: NOW) == {"expire_time": "2026-12-24 18:00:00"}
    assert fitted(old, {"expire": None}) == {"expire_time": None}

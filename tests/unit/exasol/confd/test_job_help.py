# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job takes, read from the server's two ways to say it."""

from __future__ import annotations

import pprint
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.jobs import Parameter
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.job_help import from_desc, from_help
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.parameters import fitted
from hypothesis import given, settings, strategies as st

STR, INT, BOOL, LIST = "(<class 'str'>,)", "<class 'int'>", "<class 'bool'>", "<class 'list'>"

DESC: list[Any] = [
    "Does a thing,\nsafely.",
    {"db_name": {"desc": "Name of\n the database", "type": STR}, "data_volume_name": {"desc": "Volume", "type": STR}},
    {"port": {"desc": "Port", "type": INT}, "owner": {"desc": "Who", "type": "(<class 'list'>, <class 'tuple'>)"},
     "odd": "only words", "none": None},
    {"data_volume_id": ["data_volume_name"], "data_volume_name": ["data_volume_id"]},
    ["root"],
    ["root", "exaadm"],
]  # fmt: skip


def help_text(desc: list[Any]) -> str:
    """As the printed example: each table as pprint writes it."""
    text, mandatory, optional, substitutes, users, groups = desc
    return (
        f"Description: {text!r}\nMandatory parameters:\n{pprint.pformat(mandatory, indent=4)}\n"
        f"Optional parameters:\n{pprint.pformat(optional, indent=4)}\nSubstitute parameters:\n{substitutes}\n"
        f"Allowed users:{users}\nAllowed groups:{groups}"
    )


@pytest.mark.parametrize("found", [from_desc("j", [True, DESC]), from_help("j", help_text(DESC))])
def test_both_ways_say_the_same(found):
    assert found.text == "Does a thing, safely."
    assert found.parameters == {
        "db_name": Parameter("db_name", "Name of the database", ("str",), True),
        "data_volume_name": Parameter("data_volume_name", "Volume", ("str",), True),
        "port": Parameter("port", "Port", ("int",)),
        "owner": Parameter("owner", "Who", ("list", "tuple")),
        "odd": Parameter("odd", "only words"),
        "none": Parameter("none"),
        "data_volume_id": Parameter("data_volume_id"),
    }
    assert found.stand_ins("data_volume_name") == ["data_volume_id"]
    assert (found.users, found.groups) == (["root"], ["root", "exaadm"])
    shown = found.as_dict()
    assert shown["parameters"]["port"] == {"description": "Port", "types": ["int"], "mandatory": False}
    assert shown["allowed_groups"] == ["root", "exaadm"]


PRINTED = """Description: "Create.\\n\\tExample: job_exec('db_create', {'params': {'db_name': 'db2'}})"
Mandatory parameters:
{   'data_volume_name': {   'desc': 'Volume name for EXASolution database '
                            'type': "(<class 'str'>,)"},
    'db_name': {   'desc': 'Name of the new database.',
                   'type': "(<class 'str'>,)"},
    'nodes': {   'desc': 'List of active and reserved node ids for this '
                         'database in type integer',
                 'type': "<class 'list'>"},
    'num_active_nodes': {   'desc': 'Number of master nodes in the database',
                            'type': "<class 'int'>"}}
Optional parameters:
{   'interfaces': {   'desc': 'List of network interfaces to use for database. '
                              'Leave empty to use all possible network '
                      'type': "(<class 'str'>,)"},
    'owner': {   'desc': 'Tuple of (User id, group id)',
                 'type': "(<class 'list'>, <class 'tuple'>)"}}
Substitute parameters:
{'data_volume_id': ['data_volume_name'], 'data_volume_name': ['data_volume_id']}
Allowed users:['root']
Allowed groups:['root', 'exaadm', 'exadbadm']
"""


def test_the_help_as_the_document_prints_it_with_lines_missing():
    found = from_help("db_create", PRINTED)
    kinds = {name: (one.kinds, one.mandatory) for name, one in found.parameters.items()}
    assert kinds == {
        "data_volume_name": (("str",), True),
        "db_name": (("str",), True),
        "nodes": (("list",), True),
        "num_active_nodes": (("int",), True),
        "interfaces": (("str",), False),
        "owner": (("list", "tuple"), False),
        "data_volume_id": ((), False),
    }
    assert found.parameters["nodes"].text == "List of active and reserved node ids for this database in type integer"
    assert found.text.startswith("Create. Example: job_exec('db_create'")
    assert found.groups == ["root", "exaadm", "exadbadm"]


def test_a_job_without_parameters():
    for found in (
        from_desc("j", [True, ["x", None, None, None, None]]),
        from_help("j", help_text(["x", {}, {}, {}, [], []])),
    ):
        assert found.parameters == {}


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "",
        [],
        [False, DESC],
        [True],
        [True, "x"],
        [True, [1, 2, 3, 4][:2]],
        [True, ["x", ["a"], {}, {}]],
        {"a": 1},
        3,
    ],
)
def test_an_odd_job_desc_is_none(odd):
    assert from_desc("j", odd) is None


@pytest.mark.parametrize("odd", [None, "", [], "no help", 3, "Mandatory parameters:\n[1", {"a": 1}])
def test_an_odd_job_help_is_none(odd):
    assert from_help("j", odd) is None


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("abc'\"{}:\n type", max_size=9),
    lambda inner: (
        st.lists(inner, max_size=7) | st.dictionaries(st.sampled_from(["desc", "type", "a", "b"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=200)
@given(
    items=st.lists(ODD, max_size=7),
    text=st.text("{}[]'\":a \n\\,", max_size=30),
    params=st.dictionaries(st.sampled_from("abdt"), ODD),
)
def test_no_description_makes_another_exception(items, text, params):
    told = "Description: x\nMandatory parameters:\n" + text
    for found in (from_desc("j", [True, items]), from_help("j", told), from_help("j", text)):
        if found is not None:
            found.as_dict()
            said = ""
            try:
                fitted(found, params)
            except ClusterError as error:
                said = error.message
            assert "\n" not in said

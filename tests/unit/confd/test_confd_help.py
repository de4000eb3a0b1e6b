# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job takes: read from the server's two ways to say it, and held against what somebody gives."""

from __future__ import annotations

import pprint
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.expiry import (
    DURATION,
    EPOCH,
    TIMESTAMP,
    Expiry,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.jobs import JobHelp, Parameter
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd import expiry_forms
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.expiry_forms import form_of
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


@settings(max_examples=200, deadline=None)
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

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=timezone.utc)
BERLIN = timezone(timedelta(hours=1))
CLOCKS = ZoneInfo("Europe/Berlin")
EPOCH_TEXT = "Timestamp in seconds since the Epoch on which the backup should expire."
TIME_TEXT = "Expiration time as 'YYYY-MM-DD hh:mm:ss', or empty"
SPAN_TEXT = "Time until the backup expires, e.g. '1w 3d'"


@pytest.mark.parametrize(
    ("job", "text", "kinds", "form"),
    [
        ("db_backup_change_expiration", EPOCH_TEXT, ("int",), EPOCH),
        ("db_backup_change_expiration", EPOCH_TEXT, ("str",), EPOCH),
        ("db_backup_change_expiration", TIME_TEXT, ("str",), TIMESTAMP),
        ("db_backup_start", SPAN_TEXT, ("str",), DURATION),
        ("db_backup_start", "e.g. 10d", ("str",), DURATION),
        ("db_backup_add_schedule", "'expire' is string (use common/util.str2sec to convert)", ("str",), DURATION),
        ("db_backup_start", "", ("str",), DURATION),
        ("db_backup_start", "", ("int",), None),
        ("db_backup_start", "", (), None),
        ("db_backup_start", "1w 3d or seconds since the epoch", ("str",), None),
        ("db_backup_change_expiration", "", ("str",), None),
        ("db_backup_change_expiration", "", ("int",), None),
    ],
)
def test_the_form_is_what_the_server_says(job, text, kinds, form):
    assert form_of(job, Parameter("expire", text, kinds)) == form


@pytest.mark.parametrize(
    ("value", "zone", "form", "wanted"),
    [
        ("1w 3d", None, DURATION, "1w 3d"),
        ("10d", None, DURATION, "10d"),
        ("", None, DURATION, ""),
        ("", None, TIMESTAMP, ""),
        ("2026-12-24 18:00:00", None, TIMESTAMP, "2026-12-24 18:00:00"),
        ("2026-12-24", None, TIMESTAMP, "2026-12-24 00:00:00"),
        ("2026-12-24 18:00:00", BERLIN, EPOCH, 1798131600),
        ("2026-12-24 18:00:00+01:00", None, EPOCH, 1798131600),
        ("2026-12-24T17:00:00Z", None, EPOCH, 1798131600),
        ("2026-12-24 17:00:00+00:00", BERLIN, TIMESTAMP, "2026-12-24 18:00:00"),
        (1798131600, None, EPOCH, 1798131600),
        ("1798131600", BERLIN, TIMESTAMP, "2026-12-24 18:00:00"),
        ("1w 3d", None, EPOCH, int(NOW.timestamp()) + 10 * 86400),
        ("1d 2h 3m 4s", BERLIN, TIMESTAMP, "2026-11-22 12:03:04"),
    ],
)
def test_one_expiry_in_the_form_that_is_taken(value, zone, form, wanted):
    assert Expiry(value, zone).as_(form, NOW) == wanted


@pytest.mark.parametrize(
    ("value", "form", "says"),
    [
        ("2026-12-24 18:00:00", EPOCH, "without the cluster's time zone"),
        ("2026-12-24 18:00:00Z", TIMESTAMP, "without the cluster's time zone"),
        ("10d", TIMESTAMP, "without the cluster's time zone"),
        ("2026-12-24 18:00:00", DURATION, r"takes a duration \(1w 3d\), and the expiry .* is a time"),
        (1798131600, DURATION, "is a time"),
        ("", EPOCH, "never expires is not known"),
    ],
)
def test_what_isnt_certain_isnt_sent(value, form, says):
    with pytest.raises(ClusterError, match=says):
        Expiry(value).as_(form, NOW)


TWOFOLD = ["2026-10-25 02:30:00", "2026-10-25 02:00", "2026-03-29 02:30:00"]


@pytest.mark.parametrize("value", TWOFOLD)
@pytest.mark.parametrize(("form", "way_out"), [(EPOCH, r"an offset \(\+01:00\)"), (TIMESTAMP, "another hour")])
def test_an_hour_that_is_twice_or_never(value, form, way_out):
    with pytest.raises(ClusterError, match=f"a change of the clocks .*{way_out}"):
        Expiry(value, CLOCKS).as_(form, NOW)


@pytest.mark.parametrize(
    ("value", "form", "wanted"),
    [
        ("2026-10-25 02:30:00+01:00", EPOCH, 1792891800),
        ("2026-10-25 02:30:00+02:00", EPOCH, 1792888200),
        ("2026-10-25 03:00:00", EPOCH, 1792893600),
        ("2026-10-25 01:59:59", TIMESTAMP, "2026-10-25 01:59:59"),
        ("2026-03-29 01:30:00Z", TIMESTAMP, "2026-03-29 03:30:00"),
    ],
)
def test_hours_beside_it(value, form, wanted):
    assert Expiry(value, CLOCKS).as_(form, NOW) == wanted


@pytest.mark.parametrize("value", ["2026-10-25 02:30:00+01:00", "2026-10-25T00:30:00Z", 1792888200])
def test_a_moment_in_an_hour_that_is_twice(value):
    with pytest.raises(ClusterError, match="another hour"):
        Expiry(value, CLOCKS).as_(TIMESTAMP, NOW)


def test_a_duration_may_end_in_an_hour_that_is_twice():
    began = datetime(2026, 10, 15, 0, 30, tzinfo=timezone.utc)
    assert Expiry("10d", CLOCKS).as_(TIMESTAMP, began) == "2026-10-25 02:30:00"


@pytest.mark.parametrize(
    "digits",
    [
        1801011200000, 1712121712000, "20261224", "20261224T1800", "2026-W53-5", "2026-12-24 18", "2026-12-24_18:00",
        "2026-12-24 18:00:00 +01:00", "2026-12-24 18:00:00+01", "\u0662026-12-24",
    ],
)  # fmt: skip
def test_digits_that_happen_to_be_a_time(digits):
    with pytest.raises(ClusterError, match="is neither a duration"):
        Expiry(digits)


@pytest.mark.parametrize(
    ("value", "zone", "over"),
    [
        ("0d", None, True),
        ("0w 0d", BERLIN, True),
        ("1s", None, False),
        ("", None, False),
        (int(NOW.timestamp()), None, True),
        (int(NOW.timestamp()) + 1, None, False),
        ("2026-11-21 09:00:00Z", None, True),
        ("2026-11-21 09:00:00", BERLIN, True),
        ("2026-11-21 12:00:00", BERLIN, False),
        ("2026-11-20 21:00:00", None, True),
        ("2026-11-21 09:00:00", None, False),
        ("0001-01-01 00:00:00+14:00", None, True),
        ("9999-12-31 23:59:59", None, False),
        ("9999-12-31 23:59:59-12:00", BERLIN, False),
    ],
)
def test_an_expiry_that_has_passed_is_refused(value, zone, over):
    assert Expiry(value, zone).is_over(NOW) is over
    if over:
        for text, kinds in ((EPOCH_TEXT, ("int",)), (TIME_TEXT, ("str",)), (SPAN_TEXT, ("str",))):
            with pytest.raises(ClusterError, match="has passed already"):
                expiry_forms.fitted("db_backup_start", Parameter("expire", text, kinds), value, zone, lambda: NOW)


def test_a_duration_without_a_beginning():
    with pytest.raises(ClusterError, match="takes seconds since 1970, and the expiry '10d' is a duration"):
        Expiry("10d").as_(EPOCH)


@pytest.mark.parametrize(
    "odd",
    ["soon", "1x", "2026-13-01", "24.12.2026", True, 3, "12", -5, 1.5, None, "1798131600000", "10 d ays", ["10d"]],
)
def test_what_is_no_expiry(odd):
    with pytest.raises(ClusterError, match="is neither a duration"):
        Expiry(odd)


@settings(max_examples=150, deadline=None)
@given(
    value=st.text("0123456789 wdhms-:TZ+", max_size=22)
    | st.integers()
    | st.datetimes(timezones=st.none() | st.just(BERLIN)).map(str),
    zone=st.none() | st.just(timezone(timedelta(hours=-14))),
    form=st.sampled_from([EPOCH, TIMESTAMP, DURATION]),
)
def test_no_expiry_makes_another_exception(value, zone, form):
    said = ""
    try:
        assert isinstance(Expiry(value, zone).as_(form, NOW), int if form == EPOCH else str)
    except ClusterError as error:
        said = error.message
    assert "\n" not in said


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


def test_an_epoch_that_is_taken_as_text():
    found = Parameter("expire_time", EPOCH_TEXT, ("str",))
    assert expiry_forms.fitted("j", found, 1798131600, None, lambda: NOW) == "1798131600"


@pytest.mark.parametrize("parameter", [Parameter("expire", SPAN_TEXT, ("int",)), Parameter("expire", "When", ("int",))])
def test_a_form_that_the_server_leaves_open(parameter):
    with pytest.raises(ClusterError, match="doesn't say in which form .* a backup must not expire at a wrong time"):
        expiry_forms.fitted("db_backup_start", parameter, "10d", None, lambda: NOW)

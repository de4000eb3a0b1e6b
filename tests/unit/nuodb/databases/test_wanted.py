# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option databases: which are meant, and where their TEs should run."""

from __future__ import annotations

import json

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, NoSuchObject
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases import wanted
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases.wanted import (
    WantedDatabase,
    chosen,
    doubt,
    named,
    te_servers,
)
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import (
    BEGUN_WITHOUT_ONE,
    REFERENCE,
    server,
    sm,
    snapshot,
    te,
)

ROWS = [
    {"archiveId": 0, "dbName": "test", "engineType": "SM", "host": "server0"},
    {"archiveId": "1", "dbName": "test", "host": "server1"},
    {"dbName": "test", "engineType": "TE", "host": "server0"},
    {"dbName": "test", "engineType": "TE", "host": "server0"},
]


def two():
    there = snapshot()
    there.databases["sales"] = Database("sales", "NOT_RUNNING")
    return there


def names(*given):
    return [one.db_name for one in chosen("nuo-unit", list(given), two())]


def test_databases_by_name_each_once():
    assert names("sales", "test", "sales") == ["sales", "test"]
    assert names({"name": "sales"}) == ["sales"]
    assert names("all") == ["test", "sales"]
    assert names("sales", "all") == ["test", "sales"]


def test_all_but_one_otherwise():
    found = chosen("nuo-unit", [{"name": "all", "te_count": 2}, {"name": "sales", "te_server_ids": ["server9"]}], two())
    assert found == [WantedDatabase("test", te_count=2), WantedDatabase("sales", ["server9"])]


def test_all_of_none():
    empty = two()
    empty.databases = {}
    assert chosen("nuo-unit", ["all"], empty) == []
    with pytest.raises(NoSuchObject, match="there is no database x; there are: none"):
        chosen("nuo-unit", ["x"], empty)


def test_unknown_names_are_told_together():
    with pytest.raises(
        NoSuchObject, match=r"no database Test \(did you mean test\?\), nope; there are: test sales"
    ) as caught:
        names("Test", "nope", "sales")
    assert caught.value.failed_object == "Test nope"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "no database is named: give names, or all"),
        ([7], "7 is neither a name nor a mapping with a name"),
        ([None], "None is neither a name"),
        ([{}], "{} is neither a name"),
        ([{"te_count": 1}], "is neither a name nor a mapping with a name"),
        ([{"name": "test", "te_counts": 1}], r"test: there is no key te_counts \(did you mean te_count\?\)"),
        ([{"name": "test", "te_count": 1, "start_plan": []}], "te_count and start_plan can't be given together"),
        ([{"name": "test", "te_count": "two"}], "te_count is not a number of TEs"),
        ([{"name": "test", "te_count": -1}], "te_count is not a number of TEs"),
        ([{"name": "test", "te_count": True}], "te_count is not a number of TEs"),
        ([{"name": "test", "te_count": 1.5}], "te_count is not a number of TEs"),
        ([{"name": "test", "te_server_ids": "server0"}], "te_server_ids is not a list of server IDs"),
        ([{"name": "test", "te_server_ids": [0]}], "te_server_ids is not a list of server IDs"),
        ([{"name": "test", "start_plan": 7}], "start_plan is not a start plan"),
        ([{"name": "test", "start_plan": {"processes": [{"dbName": "test"}]}}], "start_plan is not a start plan"),
        ([{"name": "test", "start_plan": [7]}], "start_plan is not a start plan"),
        ([{"name": "test", "start_plan": [{**ROWS[0], "archiveId": "x"}]}], "start_plan is not a start plan"),
        ([{"name": "test", "start_plan": [{**ROWS[0], "host": ["s"]}]}], "start_plan is not a start plan"),
        ([{"name": "test", "start_plan": [{**ROWS[0], "expectedIncarnation": {"minor": 0}}]}], "is not a start plan"),
        ([{"name": "test", "start_plan": [{**ROWS[0], "expectedIncarnation": 5}]}], "is not a start plan"),
        ([{"name": "test", "te_count": "²"}], "te_count is not a number of TEs"),
        ([{"name": "test", "start_plan": [{"host": "s", "dbName": "sales"}]}], "start_plan belongs to database sales"),
        ([{"name": "test", "start_plan": "/nowhere/plan.json"}], "start_plan /nowhere/plan.json: No such file"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(given, says):
    with pytest.raises(ClusterError, match=says) as caught:
        named("nuo-unit", given)
    assert caught.value.message.startswith("nuo-unit: ")
    assert "\n" not in caught.value.message


def test_a_saved_start_plan_is_a_file_or_its_content(tmp_path):
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"incremental": False, "processes": ROWS}))
    for plan in (str(file), {"incremental": False, "processes": ROWS}, ROWS):
        (found,) = named("nuo-unit", [{"name": "test", "start_plan": plan}])
        assert found.start_plan == ROWS
    for text in ("", "{", "\xff"):
        file.write_text(text, encoding="latin-1")
        with pytest.raises(ClusterError, match=r"start_plan .*plan\.json is not JSON"):
            named("nuo-unit", [{"name": "test", "start_plan": str(file)}])
    with pytest.raises(ClusterError, match="Is a directory"):
        named("nuo-unit", [{"name": "test", "start_plan": str(tmp_path)}])


def test_the_archives_of_a_start_plan():
    assert wanted.plan_archives(ROWS) == [0, 1]


def test_whether_the_past_must_tell():
    assert wanted.need_tombstones([WantedDatabase("a", []), WantedDatabase("b")])
    assert not wanted.need_tombstones(
        [WantedDatabase("a", []), WantedDatabase("b", te_count=0), WantedDatabase("c", start_plan=[])]
    )


# -- where TEs should run


def test_what_is_said_wins():
    there = snapshot("NOT_RUNNING", (1, 4), tombstones=REFERENCE)
    assert te_servers(WantedDatabase("test", ["server9", "server9"]), there) == ["server9", "server9"]
    assert te_servers(WantedDatabase("test", []), there) == []
    assert te_servers(WantedDatabase("test", start_plan=ROWS), there) == ["server0", "server0"]
    assert sorted(te_servers(WantedDatabase("test"), there)) == ["server0", "server1"]


def test_what_nobody_said_and_the_tombstones_leave_open_is_told():
    there = snapshot("NOT_RUNNING", (2, 3), tombstones=[*REFERENCE, *BEGUN_WITHOUT_ONE])
    assert doubt(WantedDatabase("test"), there) == (
        "test: its last incarnation began without TEs that an earlier one had (on server1): either its start was cut "
        "off, or somebody wanted fewer TEs, and the tombstones don't show which. A start keeps the TEs of the last one "
        "(on server0); "
        + wanted.SAY_WHERE
    )
    for said in ({"te_server_ids": ["server0"]}, {"te_count": 1}, {"start_plan": ROWS}):
        assert doubt(WantedDatabase("test", **said), there) == ""
    assert doubt(WantedDatabase("test"), snapshot("NOT_RUNNING", (1, 4), tombstones=REFERENCE)) == ""


@pytest.mark.parametrize(
    ("count", "running", "wanted_servers"),
    [
        (0, [], []),
        (1, [], ["server2"]),
        (2, [], ["server2", "server0"]),
        (4, [], ["server2", "server0", "server1", "server2"]),
        (1, ["server0"], ["server0"]),
        (2, ["server2"], ["server2", "server0"]),
        (1, ["server0", "server1"], ["server0", "server1"]),
        (3, ["server0", "server0"], ["server0", "server0", "server2"]),
    ],
)
def test_a_number_is_placed_where_there_are_fewest_and_no_sm_first(count, running, wanted_servers):
    tes = [te(str(number + 5), name) for number, name in enumerate(running)]
    there = snapshot(processes=[sm("0"), sm("1", 1, "server1"), *tes])
    there.servers["server2"] = server("server2")
    assert te_servers(WantedDatabase("test", te_count=count), there) == wanted_servers


def test_a_number_is_not_placed_on_servers_that_are_away():
    there = snapshot(processes=[te("5", "server1"), te("6", "server0", durable_state="REQUESTED_SHUTDOWN")])
    there.servers["server1"] = server("server1", connected=False)
    assert te_servers(WantedDatabase("test", te_count=2), there) == ["server0", "server0"]
    there.servers = {}
    assert te_servers(WantedDatabase("test", te_count=2), there) == []


def test_too_few_tes_are_refused_where_no_server_can_take_another():
    """As where an answer had states of servers that nobody knows: nothing to do would be a lie."""
    there = snapshot(processes=[te("5", "server0")])
    one = WantedDatabase("test", te_count=2)
    wanted.refuse_too_few("nuo-unit", [one], there)
    there.servers = {name: server(name, connected=False) for name in there.servers}
    with pytest.raises(ClusterError, match="test: te_count is 2, but it has 0, and no active server") as caught:
        wanted.refuse_too_few("nuo-unit", [one], there)
    assert set(caught.value.last_state) == set(there.servers)
    wanted.refuse_too_few("nuo-unit", [WantedDatabase("test", te_count=0), WantedDatabase("test", ["server0"])], there)

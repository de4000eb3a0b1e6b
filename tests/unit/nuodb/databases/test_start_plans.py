# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests that start databases."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Refused
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.starts import TWO_TES, requests

# -- a cold start


def test_the_incarnation_that_is_expected_is_passed_on(bring, memory):
    domain = memory()
    bring("nuodb_database", domain, databases=TWO_TES)
    found = {name: request["expectedIncarnation"] for name, request in requests(domain).items()}
    assert found == {
        "test:archive0@server0": {"major": 2, "minor": 0},
        "test:archive1@server1": {"major": 2, "minor": 0},
        "test:TE1@server0": {"major": 2},
        "test:TE1@server1": {"major": 2},
    }
    assert domain.reads.count("startplan") == 1


# -- saved start plans

ROWS = [
    {"archiveId": 0, "dbName": "test", "engineType": "SM", "host": "server0", "overrideOptions": {"mem": "9G"}},
    {"archiveId": 1, "dbName": "test", "engineType": "SM", "host": "server1", "labels": {}, "overrideOptions": {}},
    {"dbName": "test", "engineType": "TE", "host": "server0", "labels": {"zone": "a"}, "overrideOptions": {}},
    {"dbName": "test", "engineType": "TE", "host": "server0", "labels": {"zone": "b"}, "overrideOptions": {}},
]  # fmt: skip


def saved(*rows):
    return [{"name": "test", "start_plan": {"incremental": False, "processes": list(rows)}}]


def test_a_saved_start_plan_is_carried_out_as_it_is_for_the_incarnation_of_now(bring, memory):
    domain = memory()
    bring("nuodb_database", domain, databases=saved(*ROWS))
    found = requests(domain)
    assert found["test:archive0@server0"] == {**ROWS[0], "expectedIncarnation": {"major": 2, "minor": 0}}
    assert found["test:TE1@server0"] == {**ROWS[2], "expectedIncarnation": {"major": 2}}
    assert found["test:TE2@server0"] == {**ROWS[3], "expectedIncarnation": {"major": 2}}
    assert "startplan" not in domain.reads


def test_a_one_time_plan_keeps_the_incarnation_that_it_was_made_for(bring, memory):
    domain = memory()
    row = {**ROWS[0], "expectedIncarnation": {"major": 9, "minor": 0}}
    bring("nuodb_database", domain, databases=saved(row, *ROWS[1:]))
    assert requests(domain)["test:archive0@server0"]["expectedIncarnation"] == {"major": 9, "minor": 0}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (ROWS[1:], "it lacks archive 0"),
        ([], "it lacks archive 0, it lacks archive 1"),
        ([*ROWS, {**ROWS[0], "archiveId": 7}], "archive 7 doesn't belong to the database"),
        ([*ROWS[1:], {**ROWS[0], "archiveId": "7"}], "it lacks archive 0, archive 7 doesn't belong to the database"),
    ],
)
def test_a_start_plan_that_is_not_of_the_database_as_it_is(bring, memory, rows, says):
    domain = memory()
    with pytest.raises(Refused, match=says) as caught:
        bring("nuodb_database", domain, databases=saved(*rows))
    assert caught.value.last_state["archives"] == [0, 1]
    assert domain.log == []

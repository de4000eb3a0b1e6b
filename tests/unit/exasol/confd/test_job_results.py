# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history of a job, as its server tells it."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Garbled
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.job_results import history
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, result

INFO = {
    "job_id": "11.4",
    "job_name": "db_start",
    "stage": "finished",
    "commands": [{"command": "start", "result": "OK"}],
    "timestamps": {"submitted": "2026-11-21 09:00:00", "scheduled": "2026-11-21 09:00:01", "finished": None},
}


@pytest.mark.parametrize("answer", [INFO, result(INFO)])
def test_info(answer):
    nodes = Nodes(job_info=answer)
    found = nodes.jobs().info("11.4")
    assert nodes.calls == [("job_info", {"job_id": "11.4"})]
    assert (found.job, found.stage, found.commands) == ("db_start", "finished", [{"command": "start", "result": "OK"}])
    assert found.stages == {
        "submitted": "2026-11-21 09:00:00", "scheduled": "2026-11-21 09:00:01", "executed": None, "finished": None,
    }  # fmt: skip
    assert found.as_dict()["details"] == INFO


def test_a_history_in_another_form():
    row = {"submitted_at": 1700000000, "Committed": "now", "cmds": 1, "commands": {"a": "OK"}, "intent": ["odd"]}
    found = history("11.4", row)
    assert found.stages == {"submitted": "1700000000", "committed": "now"}
    assert found.stage == "committed"
    assert found.commands == [{"name": "a", "result": "OK"}]
    assert found.job is None


def test_a_history_that_says_nothing():
    found = history("11.4", {})
    assert found.as_dict() == {
        "job_id": "11.4",
        "job": None,
        "stage": None,
        "stages": {},
        "commands": [],
        "details": {},
    }


@pytest.mark.parametrize("odd", [None, "x", [], 3])
def test_an_odd_history(odd):
    with pytest.raises(Garbled, match=r"job_info of 11\.4"):
        Nodes(job_info=odd).jobs().info("11.4")

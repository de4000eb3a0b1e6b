# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases of Exasol as they are wanted: which modules, with which options."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.exasol.database_state import RUNBOOK

NAMED = {"exa_database_state_databases": ["DB1", "DB2"]}


@pytest.mark.parametrize(
    ("state", "confirm"), [("started", []), ("stopped", ["confirm=exa-a"]), ("restarted", ["confirm=exa-a"])]
)
def test_one_module_does_it(through: Any, state: str, confirm: list[str]) -> None:
    done = through(RUNBOOK, {}, exa_database_state_state=state, exa_heartbeat=9, **NAMED)
    assert [(call.module, call.options) for call in done.calls] == [(
        "exa_database",
        {
            "databases": ["DB1", "DB2"], "state": state, "on_operation": "refuse", "force": False,
            "wait_timeout": 3600, "heartbeat": 9,
        },
    )]  # fmt: skip
    named = ["exa_database_state_databases=DB1,DB2", f"exa_database_state_state={state}"]
    assert done.resume() == [*named, *confirm]


@pytest.mark.parametrize(("state", "must"), [("started", False), ("stopped", True), ("restarted", True)])
def test_what_takes_databases_down_must_be_confirmed(through: Any, state: str, must: bool) -> None:
    done = through(RUNBOOK, {}, confirm="", exa_database_state_state=state, **NAMED)
    assert ("nothing is confirmed" in done.result.get("msg", ""), done.modules == []) == (must, must)


def test_its_databases_must_be_named(through: Any) -> None:
    done = through(RUNBOOK, {})
    assert (done.result["failed"], done.modules) == (True, [])
    assert "exa_database_state_databases" in done.result["msg"]


def test_of_several_clusters_each_is_looked_at(through: Any) -> None:
    answers = {"exa_cluster_info": {"identity": ["C5ED"]}}
    done = through(RUNBOOK, answers, "exa-a", "exa-b", **NAMED)
    assert [(call.module, call.options.get("gather")) for call in done.calls] == [
        ("exa_cluster_info", []), ("exa_database", None)
    ]  # fmt: skip
    again = done.course.run.seen_by(RUNBOOK)
    again.host = "exa-b"
    with pytest.raises(Exception, match="exa-b and exa-a are one cluster"):
        again.only_name_of(["C5ED"])

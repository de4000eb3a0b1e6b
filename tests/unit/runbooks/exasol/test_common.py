# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the runbooks of Exasol share."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.exasol import common
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.exasol.cold_start import RUNBOOK


def test_waits_and_license_servers(stage: Any, roles: None) -> None:
    run = stage(RUNBOOK).run()
    run.prepare()
    limit = {"wait_timeout": 2700, "limit": "exa_cold_start_nodes_timeout"}
    assert run.waits("nodes_timeout") == {**limit, "wait_stable": None, "heartbeat": None}
    assert common.license_servers(run) == ["n0010"]
    run = stage(RUNBOOK, exa_wait_stable=3, exa_heartbeat=0, exa_license_servers="n0020,n0021").run()
    run.prepare()
    assert run.waits("nodes_timeout") == {**limit, "wait_stable": 3, "heartbeat": 0}
    assert common.license_servers(run) == ["n0020", "n0021"]


def test_whoever_was_joined_goes_first(stage: Any, roles: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs that wait for the same thing would both make the next step at its end."""
    slept: list[float] = []
    monkeypatch.setattr(common.time, "sleep", slept.append)

    def after(**results: dict[str, Any]) -> list[float]:
        slept.clear()
        run = stage(RUNBOOK).run()
        run.prepare()
        run.results.update(results)
        common.let_others_go_first(run, "nodes", "storage")
        return list(slept)

    joined, done, nothing = {"joined": True, "steps": []}, {"steps": [{"step": "startEXAStorage"}]}, {"steps": []}
    assert after() == []
    assert after(nodes=joined) == [common.AHEAD]
    assert after(nodes=joined, storage=nothing) == [common.AHEAD]
    assert after(nodes=joined, storage=done) == []
    assert after(nodes=done, storage=joined) == [common.AHEAD]

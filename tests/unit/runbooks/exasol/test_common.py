# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the runbooks of Exasol share."""

from __future__ import annotations

from typing import Any

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.exasol import common
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.exasol.cold_start import RUNBOOK


def test_waits_and_license_servers(stage: Any, roles: None) -> None:
    run = stage(RUNBOOK).run()
    run.prepare()
    assert run.waits() == {"wait_stable": None, "heartbeat": None}
    assert common.license_servers(run) == ["n0010"]
    run = stage(RUNBOOK, exa_wait_stable=3, exa_heartbeat=0, exa_license_servers="n0020,n0021").run()
    run.prepare()
    assert run.waits() == {"wait_stable": 3, "heartbeat": 0}
    assert common.license_servers(run) == ["n0020", "n0021"]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords by every way in, looked for on both sides of a bastion: processes, files, and what a run says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from far_side import FarSide
from ways import Fleet
from world import until

pytestmark = pytest.mark.long

WAYS = ("option", "vaulted", "vaulted-profile", "task", "process", "survey")


@pytest.fixture(params=["exasol", "nuodb"])
def fleet(request: Any, simulate: Any, ansible: Any, bastion: FarSide, tmp_path: Path) -> Fleet:
    return Fleet(request.param, simulate, ansible, tmp_path, WAYS, far=(bastion.home, bastion.folder / "tmp"))


def test_of_a_module(fleet: Fleet, bastion: FarSide, newest: str, pipelining: bool) -> None:
    """As the user of the bastion, as root there, and in the background."""
    ways: dict[str, Any] = {"there": {}, "async": {"async": 60, "poll": 1}}
    ways.update({"become": {"become": True}} if bastion.sudo else {})
    hosts = fleet.hosts(**bastion.variables(newest))
    run = fleet.run(fleet.looks(ways), hosts, **bastion.environment(pipelining))
    for name in ways:
        fleet.reached(run, name)
    assert "EXEC ssh" in run.out
    # The wrapper of an async task removes the module's file when it has written the result.
    until("nothing is left there", lambda: bastion.left() == [])


def test_of_a_runbook(fleet: Fleet, bastion: FarSide, newest: str) -> None:
    hosts = fleet.hosts(**bastion.variables(newest))
    fleet.run(fleet.cold_start(), hosts, **bastion.environment(pipelining=False)).ok()
    assert bastion.left() == []

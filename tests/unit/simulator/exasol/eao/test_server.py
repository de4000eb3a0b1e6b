# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where EXAoperation runs, and which machines answer for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import UP, Lab


@pytest.mark.parametrize(("moves", "master"), [(True, "n0011"), (False, None)])
def test_exaoperation_moves_when_its_machine_goes(lab: Callable[..., Lab], moves: bool, master: Any) -> None:
    one = lab(
        UP, storage_online=False, databases={}, exaoperation_nodes=["n0010", "n0011"],
        listeners=["n0010", "n0011"], settings={"exaoperation_moves": moves},
    )  # fmt: skip
    one.call("", "shutdownNode", "n0010")
    one.pass_time(5)
    assert not one.cluster.exaoperation.running
    one.pass_time(60)
    assert (one.cluster.exaoperation.master if one.cluster.exaoperation.running else None) == master
    assert one.cluster.exaoperation.listens("n0011") is moves


def test_move_and_return(lab: Callable[..., Lab]) -> None:
    one = lab(UP, exaoperation_nodes=["n0010", "n0012"], settings={"exaoperation_returns": True})
    one.power("n0011", False)
    assert "node n0011 is not online" in one.refused("", "restartEXAoperation", "n0011")
    one.call("", "restartEXAoperation", "n0012")
    one.pass_time(60)
    assert (one.call("", "getEXAoperationMaster"), one.call("", "getCurrentLicenseServer")) == ("n0012", 12)
    assert one.call("", "getEXAoperationNodes") == ["n0010", "n0012"]
    assert one.call("", "getPossibleEXAoperationNodes") == ["n0010", "n0012", "n0013"]
    one.power("n0010", False)
    one.power("n0010", True)
    one.pass_time(30)
    assert not one.cluster.exaoperation.running
    one.pass_time(60)
    assert one.call("", "getEXAoperationMaster") == "n0010"


def test_version_4_has_no_master_call(lab: Callable[..., Lab]) -> None:
    one = lab(UP, version="4.2.12")
    assert "NotFound" in one.refused("", "getEXAoperationMaster")
    assert one.call("", "getCurrentLicenseServer") == 10
    assert "getEXAoperationMaster" not in one.call("", "listMethods")
    unknown = lab(UP, version=None)
    assert "NotFound" in unknown.refused("", "getEXASuiteVersion")

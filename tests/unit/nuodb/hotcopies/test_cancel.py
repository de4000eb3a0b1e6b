# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hot copies are cancelled."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import NoSuchObject
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import LOST
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.ap import DONE, copy_row

CANCEL = "/api/1/databases/cancelHotCopy?coordinatorStartId=0&hotCopyId="


def test_all_that_run_are_cancelled(go, ap):
    ap.copies = [copy_row("one", "/a"), copy_row("two", "/b", **DONE), copy_row("three", "/c")]
    result = go(state="cancelled")
    assert ap.changes == [("POST", CANCEL + "one", None), ("POST", CANCEL + "three", None)]
    assert [(row["hotCopyId"], row["status"]) for row in result["hotcopies"]] == [
        ("one", "cancelled"),
        ("three", "cancelled"),
    ]
    assert result["diff"]["after"]["one"] == "cancelled: Hot copy cancelled"
    assert not go(state="cancelled")["changed"]


def test_one_is_cancelled(go, ap):
    ap.copies = [copy_row("one", "/a"), copy_row("two", "/b")]
    go(state="cancelled", hotcopy_id="two")
    assert ap.changes == [("POST", CANCEL + "two", None)]
    assert not go(state="cancelled", hotcopy_id="two")["changed"]


def test_one_that_nobody_knows(go, ap):
    ap.copies = [copy_row("one", "/a")]
    with pytest.raises(NoSuchObject, match=r"no hot copy onee \(did you mean one\?\); it reports one"):
        go(state="cancelled", hotcopy_id="onee")


def test_without_an_sm_none_runs(go, ap):
    ap.processes = []
    assert not go(state="cancelled", hotcopy_id="one")["changed"]


@pytest.mark.parametrize("lost", [LOST, [LOST]])
def test_a_cancel_whose_answer_is_lost(go, ap, lost):
    ap.copies = [copy_row("one", "/a")]
    ap.odd["POST databases"] = [lost]
    assert go(state="cancelled")["hotcopies"][0]["status"] == "cancelled"


@pytest.mark.parametrize("wait", [True, False])
def test_check_mode_of_a_cancel(go, ap, wait):
    ap.copies = [copy_row("one", "/a"), copy_row("two", "/b", **DONE)]
    result = go(state="cancelled", check_mode=True, wait=wait)
    assert ap.changes == []
    assert [row["status"] for row in result["hotcopies"]] == ["cancelled"]
    assert go(state="cancelled", wait=wait)["hotcopies"][0]["status"] == "cancelled"

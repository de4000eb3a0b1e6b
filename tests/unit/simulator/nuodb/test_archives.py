# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archive objects."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import DOWN, PATH, Lab

# --------------------------------------------------------------------------------------------------------- archives


def test_archive_removed_resurrected_purged(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN)
    assert one.ok("DELETE", "archives/1?purge=False")["state"] == "NOT_RUNNING"
    assert [row["id"] for row in one.ok("GET", "archives?removed=False")["data"]] == [0]
    assert [row["id"] for row in one.ok("GET", "archives?removed=True")["data"]] == [1]
    assert one.refused("GET", "archives/1?removed=False")[0] == 404
    assert one.ok("GET", "archives/1?removed=True")["path"] == PATH
    body = {"dbName": "test", "host": "server1", "path": PATH}
    assert one.ok("PUT", "archives/1", body)["state"] == "NOT_RUNNING"
    one.ok("DELETE", "archives/1?purge=False")
    assert one.ok("DELETE", "archives/1?purge=True")["id"] == 1
    assert one.refused("PUT", "archives/1", body)[0] == 404
    # ids are never given twice
    assert one.ok("POST", "archives", {**body, "restored": True}) == {
        "id": 2, "dbName": "test", "host": "server1", "path": PATH, "state": "NOT_RUNNING", "observerStorageGroups": [],
    }  # fmt: skip


@pytest.mark.parametrize(("awaited", "state"), [(True, "AWAITING_ARCHIVE_HISTORIES_MSG"), (False, "STARTED")])
def test_a_removed_archive_holds_a_start_up_until_it_is_purged(
    lab: Callable[..., Lab], awaited: bool, state: str
) -> None:
    one = lab(DOWN, settings={"removed_archives_awaited": awaited})
    one.ok("DELETE", "archives/1?purge=False")
    one.start(0)
    one.pass_time(4)
    assert one.state() == state
    one.ok("DELETE", "archives/1?purge=True")
    one.pass_time(0)
    assert one.state() == "STARTED"
    assert one.rules() == []


def test_settings_of_archives(lab: Callable[..., Lab]) -> None:
    one = lab(DOWN, settings={"restored_archive": "PROVISIONED", "delete_last_archive": "allow"})
    body = {"dbName": "test", "host": "server2", "path": "/r", "restored": True, "storageGroupObservers": ["*"]}
    row = one.ok("POST", "archives", body)
    assert (row["state"], row["observerStorageGroups"]) == ("PROVISIONED", ["*"])
    for archive in (0, 1, 2):
        one.ok("DELETE", f"archives/{archive}?purge=True")
    one = lab(settings={"delete_running_archive": "allow"})
    one.ok("DELETE", "archives/1?purge=False")
    assert "1" not in one.processes()

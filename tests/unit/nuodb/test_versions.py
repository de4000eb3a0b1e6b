# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of a database's protocol, and what is said of them before and in an upgrade."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Unreachable
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import versions
from ansible_collections.dbfleet.cluster.tests.answers import fixtures
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import REFUSED
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import wired

OLD, NEW = "4.1.3.rel413-2-68cf9daff3", "4.2.3.rel42dev-349-fa78133f5a"
WORD = "4.1|4.1.1|4.1.2|4.1.3"


def read(**more: Any) -> dict[str, Any]:
    domain, adapter = wired((200, {**fixtures.answer("nuodb/versions_during_upgrade"), **more}))
    told = versions.of(domain, "demo")
    assert [row[:2] for row in adapter.requests] == [("GET", "/api/1/databases/demo/versions")]
    return told


def test_half_of_a_rolling_upgrade_names_the_processes_that_hold_it_up() -> None:
    told = read()
    assert (told["version"], told["version_id"], told["available"]) == (WORD, 1376256, [])
    assert told["releases"][NEW] == {
        "version": "4.2|4.2.1|4.2.2|4.2.3", "version_id": 1441792, "start_ids": ["4", "5", "6"]
    }  # fmt: skip
    (note,) = versions.notes({"demo": told})
    assert f"waits for processes that run too old software: {OLD} (start IDs 0 2) knows {WORD} at most" in note
    assert "nuodb_rolling_restart" in note
    assert versions.words({"demo": told}) == f"protocol demo {WORD}"


def test_an_upgrade_that_could_be_made_is_said_with_what_it_costs() -> None:
    newest = [{"versionId": "1441792", "name": "4.2"}]
    told = read(availableVersions=newest, processVersions={NEW: ["4"]}, maxVersion="1441792")
    (note,) = versions.notes({"demo": told})
    assert "all of its processes know 4.2: nuocmd upgrade database-version raises the protocol; after that," in note
    assert "can't open its archives any more" in note
    assert "(could be 4.2)" in versions.words({"demo": told})


def test_across_7_0_the_client_that_keeps_the_ids_apart_is_named() -> None:
    told = read(availableVersions=[{"versionId": "1769472", "name": "7.0"}], processVersions={NEW: ["4"]})
    assert "client 2.6.0 or newer" in versions.notes({"demo": told})[0]


def test_nothing_is_said_where_nothing_is_to_be_done() -> None:
    told = read(processVersions={OLD: ["0"]}, allVersions={OLD: {"version": "4.1", "versionId": "1376256"}})
    assert versions.notes({"demo": told}) == []
    assert versions.notes({"demo": read(allVersions={}, processVersions={})}) == []


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, {"code": 404, "messages": ["HTTP 404 Not Found"]}, "AP is too old to report the versions of databases"),
        (403, {"code": 403, "messages": ["User bob is not authorized"]}, "bob is not authorized"),
        (500, {"code": 500, "messages": ["no engine answers"]}, "no engine answers"),
        (200, {"effectiveVersion": "many"}, "versions"),
    ],
)
def test_what_can_not_be_read_is_said_and_ends_nothing(status: int, body: Any, says: str) -> None:
    domain, _adapter = wired((status, body))
    told = versions.of(domain, "demo")
    assert says in told["unread"]
    assert versions.notes({"demo": told})[0].startswith("demo: its versions can't be read: ")
    assert versions.words({"demo": told}) == ""


def test_an_ap_that_is_away_is_no_old_one() -> None:
    domain, _adapter = wired(REFUSED)
    with pytest.raises(Unreachable):
        versions.of(domain, "demo")

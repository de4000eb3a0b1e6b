# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The license of a domain: its end, and whether it is for several SMs."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import license as licenses
from ansible_collections.dbfleet.cluster.tests.answers import fixtures
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.ap import Ap
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import sm, te, wired

LIMITED = {"type": "LIMITED", "expires": None}
SEVERAL = "several SMs of a database need an ENTERPRISE license"


def test_an_enterprise_license_is_for_several_sms_until_it_ends() -> None:
    domain, adapter = wired((200, fixtures.answer("nuodb/license_enterprise")))
    told = licenses.of(domain)
    assert told == {"type": "ENTERPRISE", "expires": "2025-01-31T15:33:40.465134"}
    assert [row[:2] for row in adapter.requests] == [("GET", "/api/1/policies/license")]
    assert licenses.words(told) == "license ENTERPRISE until 2025-01-31T15:33:40.465134"

    def notes(year: int, month: int) -> list[str]:
        return licenses.notes("nuo", told, ["shop"], datetime(year, month, 15, tzinfo=timezone.utc))

    assert notes(2024, 12) == []
    assert [text.partition(" (")[0] for text in (*notes(2025, 1), *notes(2025, 3))] == [
        "the license expires", "the license has expired"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "allows"), [("Enterprise", True), (None, True), ("LIMITED", False), ("Community", False)]
)
def test_which_are_for_several_sms(type_: Any, allows: bool) -> None:
    assert licenses.allows_several_sms({"type": type_, "expires": None}) is allows
    (*texts,) = licenses.notes("nuo", {"type": type_, "expires": None}, ["shop", "stock"])
    assert [SEVERAL in text and text.endswith(": shop, stock") for text in texts] == ([] if allows else [True])


def test_one_sm_needs_no_other() -> None:
    assert licenses.notes("nuo", LIMITED, []) == []


@pytest.mark.parametrize(("status", "says"), [(404, "too old to report a license"), (403, "not for you")])
def test_one_that_can_not_be_read_is_said(status: int, says: str) -> None:
    domain, _adapter = wired((status, {"code": status, "messages": ["not for you"]}))
    told = licenses.of(domain)
    assert says in licenses.notes("nuo", told, ["shop"])[0]
    assert licenses.words(told) == ""


def test_it_is_said_before_a_second_archive_is_created(bring: Any) -> None:
    ap = Ap()
    del ap.archives[1]
    ap.users = (200, {"decodedLicense": LIMITED})

    def create(server: str, check: bool = False) -> list[str]:
        archive = {"db_name": "test", "server_id": server, "archive_path": "/new"}
        bring("nuodb_archive", ap.domain, check, archives=[archive])
        return [text for text in bring.task.warnings if SEVERAL in text]

    assert len(create("server1", check=True)) == 1
    assert ap.changes == []
    assert len(create("server1")) == 1
    assert ap.asked.index("GET policies/license") < ap.asked.index("POST archives")
    assert create("server1") == [], "it is there"
    ap.users = (200, fixtures.answer("nuodb/license_enterprise"))
    assert create("server0") == []

    ap.archives.clear()
    ap.asked.clear()
    assert create("server1") == []
    assert "GET policies/license" not in ap.asked


def test_it_is_said_before_a_second_sm_is_started(bring: Any, memory: Any) -> None:
    domain = memory().run(sm("0", born=(1, 4)), te("1", born=(1, 4)))
    domain.license_now = LIMITED
    wanted = {"processes": [{"archive_id": 1}]}
    bring("nuodb_process", domain, True, **wanted)
    assert [SEVERAL in text for text in bring.task.warnings] == [True]
    bring("nuodb_process", domain, **wanted)
    assert [SEVERAL in text for text in bring.task.warnings] == [True]
    domain.reads.clear()
    bring("nuodb_process", domain, **wanted)
    assert bring.task.warnings == []
    assert "license" not in domain.reads

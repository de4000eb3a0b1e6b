# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A domain as a report tells of it."""

from __future__ import annotations

from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.view import ReportedDomain
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import REFERENCE, snapshot


def test_a_report_answers_for_the_domain():
    known = {
        **snapshot(tombstones=REFERENCE).as_plain(),
        "name": "nuo-prod",
        "hotcopies": {"test": [{"hotCopyId": "e"}]},
    }
    known["tombstones"] = {stone.process.start_id: stone.as_dict() for stone in REFERENCE}
    seen = ReportedDomain(known)
    assert seen.name == "nuo-prod"
    assert seen.answers()
    assert list(seen.look("servers").archives) == [0, 1]
    assert len(seen.tombstones(["test"])) == 4
    assert seen.tombstones(["other"]) == []
    assert seen.hotcopies("test") == [{"hotCopyId": "e"}]
    assert seen.hotcopies("other") == []
    assert (seen.process("0"), seen.server_properties()) == (None, {})

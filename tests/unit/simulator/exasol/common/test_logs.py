# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster's log."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import Lab


def test_tagged_log(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.call("/db_DB1", "startDatabase")
    assert len(one.call("/logservice1", "logEntriesTagged", "a")[2]) == 1
    assert one.call("/logservice1", "logEntriesTagged", "a") == ["", "", []]
    one.pass_time(120)
    assert [row["message"] for row in one.call("/logservice1", "logEntriesTagged", "a")[2]] == [
        "System is ready to receive client connections."
    ]
    assert len(one.call("/logservice1", "logEntriesTagged", "b")[2]) == 2

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts that failed, from the result that one of the hosts has."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.filter.failing import NOBODY, FilterModule

failing = FilterModule().filters()["failing"]
RESULT = {"status_fleet": {"failing": ["b"]}}


class HostVars:
    """As ansible-core's: what is read as it is, and what is a template."""

    def __init__(self, **rows: Any) -> None:
        self.rows, self.read = rows, list[str]()

    def raw_get(self, host: str) -> Any:
        self.read.append(host)
        return self.rows[host]

    def __getitem__(self, host: str) -> Any:
        pytest.fail("as a template it would be gone through for each host")


def test_the_first_host_that_has_a_result_tells_all() -> None:
    hostvars = HostVars(a={}, b=RESULT, c=RESULT)
    assert failing(["a", "b", "c"], hostvars) == ["b"]
    assert hostvars.read == ["a", "b"]


@pytest.mark.parametrize(
    "rows", [{}, {"a": {}}, {"a": {"status_fleet": {"failing": []}}}, {"a": {"status_fleet": {"failed": True}}}]
)
def test_where_nobody_failed_or_nothing_was_looked_at_nobody_is_meant(rows: dict[str, Any]) -> None:
    assert failing(["a"], rows) == NOBODY


def test_the_result_may_have_another_name() -> None:
    assert failing(["a"], {"a": {"look": {"failing": ["a"]}}}, register="look") == ["a"]


def test_hosts_that_were_left_to_a_task_of_their_own_are_meant_too() -> None:
    found = {"check_fleet": {"failing": ["b"], "elsewhere": ["c"]}}
    assert failing(["a"], {"a": found}, register="check_fleet") == ["b", "c"]
    assert failing(["a"], {"a": {"check_fleet": {"elsewhere": ["c"]}}}, register="check_fleet") == ["c"]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words that servers have for states."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database, connectible


@pytest.mark.parametrize(
    ("told", "found", "accepts"),
    [
        ("Yes", "Yes", True), ("yes", "Yes", True), (" YES\n", "Yes", True), ("no", "No", False), (None, "No", False),
        ("", "", False), ("maybe", "maybe", False), ("yes?", "yes?", False),
    ],
)  # fmt: skip
def test_whether_a_database_accepts_connections_in_any_case(told: Any, found: str, accepts: bool) -> None:
    assert connectible(told) == found
    assert Database("DB1", "Running", connectible(told)).accepts_connections is accepts

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease of a domain under maintenance: who takes one, and what becomes of it where the maintenance fails."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.meant import Meant
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.maintenance import lease


@pytest.mark.parametrize(
    ("product", "given", "more"),
    [
        ("exa", {}, None),
        ("nuodb", {"nuodb_lease": "without"}, None),
        ("nuodb", {}, {"take_over": False}),
        ("nuodb", {"nuodb_lease": "take", "nuodb_lease_timeout": ""}, {"take_over": False}),
        (
            "nuodb",
            {"nuodb_lease": "take_over", "nuodb_lease_timeout": "8h"},
            {"take_over": True, "lease_timeout": "8h"},
        ),
    ],
)
def test_who_takes_one(product: str, given: dict[str, Any], more: Any) -> None:
    every = {"run": "the play", "about": "maintenance", "pid": os.getppid()}
    one = Meant("one", product, {}, given=given)
    assert lease.options_of("the play", one) == ({} if more is None else {**every, **more})


@pytest.mark.parametrize(
    ("phase", "before", "now", "state"),
    [
        ("shutdown", "up", "up", "returned"),
        ("graceful shutdown", "degraded", "degraded", "returned"),  # its preflight refused it
        ("graceful shutdown", "up", "degraded", "kept"),
        ("work", "down", "down", "kept"),
        ("cold start", "up", "degraded", "kept"),
        ("verify", "up", "up", "returned"),
        ("rolling", "degraded", "degraded", "kept"),  # a server may be out
        ("work", "up", "unreachable", ""),
    ],
)
def test_what_a_failed_one_has_left_down_is_kept_from_recovery(phase: str, before: str, now: str, state: str) -> None:
    assert lease.end_of(phase, before, now) == state

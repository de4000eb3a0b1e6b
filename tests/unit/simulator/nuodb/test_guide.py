# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/simulator/nuodb.md tells of everything that can be set in a domain, and calls it by its name.

A scenario: the guide and what simulated domains have.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb import faults, rules, settings, topology

from .conftest import Lab

GUIDE = Path(__file__).resolve().parents[4] / "docs" / "simulator" / "nuodb.md"


@pytest.fixture(scope="module")
def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


def test_tables_are_the_code_s(guide: str) -> None:
    rows = [f"| `{name}` | {default} | {meaning} |" for name, (default, meaning) in settings.TIMING.items()]
    rows += [f"| `{name}` | `{json.dumps(default)}` | {text} |" for name, (default, text) in settings.SETTINGS.items()]
    rows += [f"| `{name}` | {text} |" for name, text in (*faults.ON_ENGINES.items(), *rules.RULES.items())]
    assert [row for row in rows if row not in guide] == []


def test_keys_choices_and_actions_are_named(guide: str, lab: Callable[..., Lab]) -> None:
    told = {
        "product",
        "clock",
        "cluster_time",
        "leader",
        "next_start_id",
        "next_archive_id",
    }  # /state's, not for people
    assert {key for key in topology._KEYS - told if f"`{key}`" not in guide} == set()
    assert [kind for kind in topology.AUTHENTICATION if f"`{kind}`" not in guide] == []
    assert [path for path in lab().service.actions if f"`POST {path}`" not in guide] == []


def test_every_choice_of_a_setting_is_in_its_meaning() -> None:
    for name, choices in settings.CHOICES.items():
        default, meaning = settings.BEHAVIOUR[name]
        others = [str(choice) for choice in choices if choice != default]
        assert all(other in meaning for other in others), name

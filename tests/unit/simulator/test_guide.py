# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/simulator tells of everything that can be set, and calls it by its name: what all share, and EXAoperation.

A scenario: the guide and what all simulated servers and EXAoperation's have.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator import admin, clock, faults
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.common import rules, settings
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.eao import faults as machines
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.eao.service import Service
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.eao.topology import load

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "simulator"


@pytest.fixture(scope="module")
def general() -> str:
    return (GUIDE / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def exasol() -> str:
    return (GUIDE / "exasol.md").read_text(encoding="utf-8")


def test_tables_are_the_code_s(general: str, exasol: str) -> None:
    rows = [f"| `{name}` | {default} | {meaning} |" for name, (default, meaning) in settings.TIMING.items()]
    rows += [f"| `{name}` | `{json.dumps(default)}` | {text} |" for name, (default, text) in settings.SETTINGS.items()]
    rows += [f"| `{name}` | {text} |" for name, text in (*machines.ON_MACHINES.items(), *rules.RULES.items())]
    assert [row for row in rows if row not in exasol] == []
    shared = [f"| `{name}` | {text} |" for name, text in faults.ON_CALLS.items()]
    assert [row for row in shared if row not in general] == []


def test_clocks_fault_fields_and_paths_are_named(general: str, exasol: str) -> None:
    names = [f"`{name}`" for name in clock.KINDS]
    names += [f"`{name}`" for name in faults.Fault.__dataclass_fields__ if name not in ("id", "matched", "hit")]
    names += [f"`{method} {path}" for method, path in admin.Admin({}, lambda: None)._routes]
    assert [name for name in names if name not in general] == []
    buttons = [f"`POST {path}" for path in Service(load({}), clock.Clock("immediate")).actions]
    assert [name for name in buttons if name not in exasol] == []

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""docs/simulator/confd.md tells of everything that can be set in a ConfD cluster, and calls it by its name.

A scenario: the guide and what simulated ConfDs have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd import (
    faults,
    rules,
    settings,
    topology,
)
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd.catalogue import JOBS
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab

GUIDE = Path(__file__).resolve().parents[5] / "docs" / "simulator" / "confd.md"


@pytest.fixture(scope="module")
def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


def test_tables_are_the_code_s(guide: str) -> None:
    rows = [f"| `{name}` | {default} | {meaning} |" for name, (default, meaning) in settings.TIMING.items()]
    rows += [f"| `{name}` | `{json.dumps(default)}` | {text} |" for name, (default, text) in settings.SETTINGS.items()]
    rows += [f"| `{name}` | {text} |" for name, text in (*faults.ON_MACHINES.items(), *rules.RULES.items())]
    assert [row for row in rows if row not in guide] == []


def test_jobs_keys_and_actions_are_named(guide: str, lab: Callable[..., Lab]) -> None:
    marks = {name: (" (8)" if kind.dialects == ("8",) else "") + (" (infra)" if kind.infra else "")
             for name, kind in JOBS.items()}  # fmt: skip
    listed = dict(
        re.findall(
            r"`(\w+)`((?: \(\w+\))*)(?=,| \|\n)", guide.partition("| of | jobs |")[2].partition("\n\n")[0] + "\n"
        )
    )
    assert listed == marks
    told = {"product", "provider", "storage_state", "clock", "cluster_time", "jobs"}  # /state's, not for people
    assert {key for key in topology._KEYS - told if f"`{key}`" not in guide} == set()
    assert [path for path in lab().service.actions if f"`POST {path}`" not in guide] == []


def test_every_choice_of_a_setting_is_in_its_meaning() -> None:
    for name, choices in settings.CHOICES.items():
        default, meaning = settings.BEHAVIOUR[name]
        assert all(choice in meaning for choice in choices if choice != default), name


def test_the_guide_s_topology_runs(guide: str) -> None:
    text = guide.partition("```yaml\n")[2].partition("```")[0]
    one = Lab(yaml.safe_load(text), "immediate")
    password = one.cluster.spec.users[0].password
    result = one.call("job_exec", "db_info", {"params": {"db_name": "DB1"}}, password=password)["result_output"]
    assert (result["state"], result["nodes"]["reserve"]) == ("running", ["n13"])
    backups = one.call("job_exec", "db_backup_list", {"params": {"db_name": "DB1"}}, password=password)
    assert [row["bid"] for row in backups["result_output"]] == [11]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/states.md has each state that the code names, in the table of its kind, and no other that no source tells."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api import jobs, states, volumes
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.volumes import remote
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import serving, storage_groups
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api import objects
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.hotcopies import wanted

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/states.md").read_text(encoding="utf-8")
FACTS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs/sources").glob("*.md"))

NAMED: dict[str, Collection[str]] = {
    "Exasol: nodes": (
        states.ONLINE, states.BOOTING, states.LEAVING, states.OFFLINE, states.UNKNOWN, states.SUSPENDED,
    ),
    "Exasol: cluster services": (states.OK, states.NOT_RUNNING),
    "Exasol: databases": (
        states.NEVER_CREATED, states.SETUP, states.RUNNING, *states.STARTING, *states.STOPPING, states.WITHOUT_QUORUM,
    ),
    "Exasol: volumes": (
        volumes.ONLINE, volumes.OFFLINE, volumes.LOCKED, volumes.DEGRADED, volumes.RECOVERING, remote.ONLINE,
    ),
    "Exasol: jobs of ConfD": jobs.STAGES,
    "NuoDB: servers": (objects.EVICTED, objects.PASSIVE),
    "NuoDB: processes": (
        objects.REQUESTED, objects.STARTED, objects.CONFIGURED, objects.TRACKED, objects.MONITORED,
        objects.REQUESTED_SHUTDOWN, objects.UNKNOWN, objects.RUNNING,
    ),
    "NuoDB: databases": {*objects.UP, *objects.COMING, *objects.GOING, *objects.DOWN},
    "NuoDB: archives": (objects.PROVISIONED, objects.RUNNING, objects.NOT_RUNNING),
    "NuoDB: storage groups": (serving.ADDED, storage_groups.PENDING_REMOVAL, storage_groups.AVAILABLE),
    "NuoDB: hot copies": (*wanted.OVER, wanted.GONE),
}  # fmt: skip
"""The states of the code, by the page's headings. A constant that has gone fails the import."""

OURS = {states.BOOTING, states.LEAVING, states.WITHOUT_QUORUM, volumes.OFFLINE, wanted.GONE}
"""Words that no source has."""


def rows(page: str) -> dict[str, dict[str, str]]:
    """The states of each part, with whether they are final."""
    found: dict[str, dict[str, str]] = {}
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        table = re.findall(r"^\| `([^`]+)` \| (yes|no) \|", part, re.MULTILINE)
        if table:
            found[part.partition("\n")[0]] = dict(table)
    return found


@pytest.mark.parametrize("part", NAMED)
def test_each_state_of_the_code_is_in_its_table(part: str) -> None:
    assert set(NAMED[part]) <= set(rows(PAGE)[part])


def test_no_table_is_about_something_else() -> None:
    assert set(rows(PAGE)) == set(NAMED)


@pytest.mark.parametrize(("part", "state"), [(part, state) for part, table in rows(PAGE).items() for state in table])
def test_each_state_of_the_page_is_the_code_s_or_a_source_s(part: str, state: str) -> None:
    """In a source as it is spelt; ours must be one of the code."""
    told = re.search(rf"(?<![A-Za-z_]){re.escape(state)}(?![A-Za-z_])", FACTS)
    assert told or (state in OURS and state in NAMED[part]), f"no source tells {state}"


def test_what_is_final_on_the_page_is_final_in_the_code() -> None:
    final = {part: {state for state, word in table.items() if word == "yes"} for part, table in rows(PAGE).items()}
    assert not final["NuoDB: databases"] & {*objects.COMING, *objects.GOING}
    assert final["NuoDB: databases"] == {*objects.UP, *objects.DOWN}
    assert not final["Exasol: databases"] & {*states.STARTING, *states.STOPPING}
    assert final["NuoDB: hot copies"] == {*wanted.OVER, wanted.GONE}


def test_a_state_that_is_missing_is_seen() -> None:
    assert rows("## A\n\n| `x` | yes | b | c |\n\n## B\n\n| `y` | no | b | c |\n") == {
        "A": {"x": "yes"},
        "B": {"y": "no"},
    }

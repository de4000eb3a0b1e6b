# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scenarios of `make molecule`: each role has one, it is run twice, and what it left is looked at."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SCENARIOS = ROOT / "extensions/molecule"
SHARED = "default"
"""It starts and ends what the others run on, and tests nothing."""

WITHOUT = {
    "exa_connection": "it has no tasks: it holds the variables of a connection, which each Exasol role takes from it",
    "nuodb_connection": "the same for NuoDB",
}
"""Roles that do nothing alone."""

ONCE = {
    "demo": "each run starts a simulator of its own, and ends it",
    "maintenance": "each run takes the clusters down and up again",
    "nuodb_rolling_restart": "each run restarts each process",
}
"""Roles whose second run changes as much as the first, as it must."""

NAMES = sorted(path.parent.name for path in SCENARIOS.glob("*/molecule.yml") if path.parent.name != SHARED)


def read(*parts: str) -> Any:
    return yaml.safe_load(SCENARIOS.joinpath(*parts).read_text(encoding="utf-8"))


def test_every_role_that_does_something_has_one() -> None:
    roles = {path.name for path in (ROOT / "roles").iterdir() if path.is_dir()}
    assert set(NAMES) == roles - set(WITHOUT)
    assert set(WITHOUT) <= roles
    assert not [role for role in WITHOUT if (ROOT / "roles" / role / "tasks").exists()]


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_its_role_and_looks_at_what_came_of_it(name: str) -> None:
    text = (SCENARIOS / name / "converge.yml").read_text(encoding="utf-8")
    assert f"dbfleet.cluster.{name}\n" in text
    own = (read(name, "molecule.yml") or {}).get("scenario", {}).get("test_sequence")
    steps = own or read("config.yml")["scenario"]["test_sequence"]
    assert ("idempotence" in steps) == (name not in ONCE)
    assert ("prepare" in steps) == (SCENARIOS / name / "prepare.yml").exists()
    assert steps.index("converge") < steps.index("verify")
    (play,) = read(name, "verify.yml")
    assert any(task["ansible.builtin.assert"]["that"] for task in play["tasks"] if "ansible.builtin.assert" in task)


def test_its_clusters_are_its_own() -> None:
    """A cluster of the inventory is one of the simulator's, and no two scenarios use the same."""
    groups = read("inventory", "hosts.yml")
    hosts = {host for group in ("exa_clusters", "nuodb_domains") for host in groups[group]["hosts"]}
    made = " ".join(read("shared", "vars", "clusters.yml")["molecule_clusters"])
    assert hosts == set(re.findall(r"'name': '([^']+)'", made))
    used = [host for name in NAMES for host in str(read(name, "converge.yml")[0].get("hosts", "")).split(":") if host]
    assert sorted(used) == sorted(hosts)


def test_users_do_not_get_them() -> None:
    assert "extensions/molecule" in yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"]

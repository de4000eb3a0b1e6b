# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plugin that makes hosts of NuoDB domains: which sources are its own, and what it calls a product."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.plugins.inventory import nuodb


@pytest.mark.parametrize(
    ("name", "is_its_own"),
    [
        ("nuodb.yml", True),
        ("nuodb.yaml", True),
        ("fleet.nuodb.yml", True),
        ("a.b.nuodb.yaml", True),
        ("mynuodb.yml", False),
        ("nuodb.json", False),
        ("exasol.yml", False),
        ("nuodb.yml.bak", False),
    ],
)
def test_a_source_by_its_name(tmp_path: Path, name: str, is_its_own: bool) -> None:
    (tmp_path / name).touch()
    assert nuodb.InventoryModule().verify_file(str(tmp_path / name)) is is_its_own


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    assert nuodb.InventoryModule().verify_file(str(tmp_path / "nuodb.yml")) is False


def test_its_product() -> None:
    assert nuodb.InventoryModule().PRODUCT == "nuodb"

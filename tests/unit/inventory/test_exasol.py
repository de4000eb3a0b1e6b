# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plugin that makes hosts of Exasol clusters: which sources are its own, and what it calls a product."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.plugins.inventory import exasol


@pytest.mark.parametrize(
    ("name", "is_its_own"),
    [
        ("exasol.yml", True),
        ("exasol.yaml", True),
        ("fleet.exasol.yml", True),
        ("a.b.exasol.yaml", True),
        ("myexasol.yml", False),
        ("exasol.json", False),
        ("nuodb.yml", False),
        ("exasol.yml.bak", False),
    ],
)
def test_a_source_by_its_name(tmp_path: Path, name: str, is_its_own: bool) -> None:
    (tmp_path / name).touch()
    assert exasol.InventoryModule().verify_file(str(tmp_path / name)) is is_its_own


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    assert exasol.InventoryModule().verify_file(str(tmp_path / "exasol.yml")) is False


def test_its_product() -> None:
    assert exasol.InventoryModule().PRODUCT == "exa"

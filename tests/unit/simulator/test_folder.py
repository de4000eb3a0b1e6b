# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator's folder. What a whole process leaves is in test_cli.py."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.folder import PREFIX, of_certificates


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_of_its_own_goes_and_a_given_one_stays(temporary: Path) -> None:
    with of_certificates(None) as own:
        assert own.parent == temporary
        assert own.stat().st_mode & 0o077 == 0
        with of_certificates(None) as other:
            assert own.exists()
            assert other != own
    assert list(temporary.iterdir()) == []
    with of_certificates(str(temporary / "a" / "b")) as given:
        pass
    assert given.stat().st_mode & 0o077 == 0


def test_it_goes_where_the_start_fails_too(temporary: Path) -> None:
    with pytest.raises(OSError, match="taken"), of_certificates(None):
        raise OSError("taken")
    assert list(temporary.iterdir()) == []


def test_only_what_is_certainly_left_by_a_simulator_is_removed(temporary: Path) -> None:
    left, unsure, elsewhere = temporary / f"{PREFIX}1", temporary / f"{PREFIX}2", temporary / "elsewhere"
    for folder in (left, unsure, elsewhere):
        folder.mkdir()
        (folder / "server.pem").touch()
    for folder in (left, elsewhere):
        (folder / "owner").touch()
    (temporary / f"{PREFIX}3").symlink_to(elsewhere)
    (temporary / f"{PREFIX}4").touch()
    (temporary / f"{PREFIX}5").mkdir()
    (temporary / f"{PREFIX}5" / "owner").symlink_to(elsewhere / "owner")
    with of_certificates(None):
        pass
    found = {one.name.removeprefix(PREFIX) for one in temporary.iterdir()}
    assert found == {"2", "3", "4", "5", "elsewhere"}
    assert (elsewhere / "server.pem").exists()

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The index of a folder of reports, written at the end of ansible-playbook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible import constants
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import progress
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.report import index, page, record


@pytest.fixture(autouse=True)
def _local_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "local").mkdir()
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "local"))


def test_each_folder_of_the_run_gets_one(tmp_path: Path, new_row: Callable[..., Any]) -> None:
    assert index.words() == ([], True)
    for folder, cluster in (("one", "a"), ("one", "b"), ("two", "c")):
        path = record.path_of(str(tmp_path / folder), cluster, "exa_cold_start", 1e9)
        record.write(path, new_row(cluster=cluster))
        index.announce(str(tmp_path / folder), path.stem, progress.AUTO)
    (tmp_path / "one" / "a" / "20990101T000000.000Z-exa_cold_start-a.json").write_text("{")
    lines, is_well = index.words()
    assert is_well
    assert lines == [
        f"reports: {tmp_path}/one/index.html (2 of this run)",
        f"reports: {tmp_path}/two/index.html (1 of this run)",
    ]
    text = (tmp_path / "one" / "index.html").read_text(encoding="utf-8")
    assert ">a<" in text
    assert ">b<" in text
    assert ">c<" not in text


def test_nothing_is_said_where_nobody_listens(tmp_path: Path, new_row: Callable[..., Any]) -> None:
    record.write(record.path_of(str(tmp_path / "one"), "a", "exa_cold_start", 1e9), new_row())
    index.announce(str(tmp_path / "one"), "a", progress.OFF)
    assert index.words() == ([], True)
    assert (tmp_path / "one" / "index.html").exists()


def test_an_index_that_cannot_be_written_is_said_and_fails_nothing(tmp_path: Path) -> None:
    index.announce(str(tmp_path / "gone"), "a", progress.AUTO)
    lines, is_well = index.words()
    assert is_well
    assert str(lines[0]).startswith(f"reports: the index of {tmp_path}/gone can't be written: No such file")


def test_whatever_goes_wrong_with_an_index_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ansible-playbook is at its end, and has more to say."""

    def broken(*_args: Any) -> str:
        raise ZeroDivisionError("a bug")

    (tmp_path / "one").mkdir()
    index.announce(str(tmp_path / "one"), "a", progress.AUTO)
    monkeypatch.setattr(page, "of_all", broken)
    assert index.words() == (
        [f"reports: the index of {tmp_path}/one can't be made, please report it: ZeroDivisionError: a bug"], True
    )  # fmt: skip

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The list of runs, and one in full."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.report import listing, record


@pytest.fixture
def keep(tmp_path: Path, new_row: Callable[..., Any]) -> Callable[..., Path]:
    """Keeps a record."""

    def kept(cluster: str, at: float, runbook: str = "exa_cold_start", **more: Any) -> Path:
        path = record.path_of(str(tmp_path), cluster, runbook, at)
        record.write(path, new_row(**{"at": at, "cluster": cluster, "runbook": runbook, "id": path.stem, **more}))
        return path

    return kept


def texts(lines: list[Any]) -> list[str]:
    return [text for text, _colour in lines]


def test_the_newest_come_first_and_filters_hold(tmp_path: Path, keep: Callable[..., Path]) -> None:
    keep("a", 1e9)
    keep("b", 1.1e9, result=record.OK, cause="")
    keep("a", 1.2e9, "exa_graceful_shutdown", result=record.NOT_ENDED, ended=None)

    def names(*wanted: Any, limit: int = 20) -> list[str]:
        return [row["cluster"] + row["result"][0] for row in listing.chosen(tmp_path, *wanted, limit).rows]

    assert names((), (), ()) == ["an", "bo", "af"]
    assert names(["a"], (), ()) == ["an", "af"]
    assert names((), ["exa_cold_start"], ()) == ["bo", "af"]
    assert names((), (), ["failed", "not ended"]) == ["an", "af"]
    assert names((), (), (), limit=2) == ["an", "bo"]
    assert listing.chosen(tmp_path, (), (), (), 2).more == 1


def test_the_table(tmp_path: Path, keep: Callable[..., Path]) -> None:
    keep("exa-a", 1e9)
    keep("exa-b", 1.1e9, result=record.NOT_ENDED, ended=None, cause="", check=True)
    lines = texts(listing.table(listing.chosen(tmp_path, (), (), (), 20), tmp_path))
    assert lines[0].split() == list(listing.HEADINGS)
    assert lines[1].split()[1:] == ["exa-b", "exa_cold_start", "not", "ended", "(check)", "01:00+", "alice"]
    assert lines[2].split()[1:6] == ["exa-a", "exa_cold_start", "failed", "01:00", "alice"]
    assert lines[3] == f"runs: 2 of {tmp_path}"
    assert texts(listing.table(listing.chosen(tmp_path, ["x"], (), (), 9), tmp_path)) == [
        f"runs: {tmp_path} has no record that matches the options"
    ]


def test_no_more_than_the_newest_are_read(
    tmp_path: Path, keep: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST", 3)
    for number in range(5):
        keep("a", 1e9 + number)
    found = listing.chosen(tmp_path, (), (), ["ok"], 20)
    assert (found.rows, found.more) == ([], 2)


def test_one_in_full(tmp_path: Path, keep: Callable[..., Path]) -> None:
    path = keep("exa-prod", 1e9)
    row = listing.named(tmp_path, str(path.with_suffix(".html")))
    lines = texts(listing.told(row))
    assert lines[0] == "exa-prod: exa_cold_start: failed"
    for said in (
        "began: 2001-09-09T01:46:40Z by alice on ctl1",
        "cause: exa-prod: nodes: not online after 58 s: n0013 is booting",
        'last state: {"n0013": "booting"}',
        "  nodes: startupNode n0011 (offline -> online, 5.3 s)",
        "steps that were never begun:",
        "  storage: startEXAStorage EXAStorage",
        "  00:04 n0011: fault: no answer within 30 s",
        "resume: ansible-playbook dbfleet.cluster.exa_cold_start -e target=exa-prod",
    ):
        assert said in lines, said


def test_one_that_was_killed_and_one_that_is_a_preview(new_row: Callable[..., Any]) -> None:
    killed = texts(listing.told(new_row(result=record.NOT_ENDED, ended=None)))
    assert "ended: not ended: the run is under way, or was killed, 01:00 after it began" in killed
    preview = texts(listing.told(new_row(result=record.OK, check=True)))
    assert preview[0] == "exa-prod: exa_cold_start: ok (check mode: nothing was changed)"
    assert "steps that would be taken:" in preview
    assert "  nodes: startupNode n0011 (offline -> online)" in preview


def test_what_is_not_there(tmp_path: Path, keep: Callable[..., Path]) -> None:
    with pytest.raises(ClusterError, match="x in .*: there is no such record"):
        listing.named(tmp_path, "x")
    with pytest.raises(ClusterError, match="none can't be read: No such file"):
        listing.chosen(tmp_path / "none", (), (), (), 1)
    path = keep("a", 1e9)
    path.write_text("{")
    with pytest.raises(ClusterError, match="this file is not a record of a run"):
        listing.named(tmp_path, path.stem)
    found = listing.chosen(tmp_path, (), (), (), 1)
    assert found.rows == []
    assert str(listing.warning(found, tmp_path)).startswith("skipped a file that is not a record of a run in ")

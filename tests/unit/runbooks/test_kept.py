# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a shutdown keeps of a cluster, and what a cold start says of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import kept
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.exasol import cold_start, graceful_shutdown
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.run import Run, Stopped


def seen(node: str = "online", connectible: str = "Yes", **more: Any) -> dict[str, Any]:
    database = {"state": "running", "connectible": connectible, "operation": "None"}
    return {
        "product": "exasol",
        "name": "exa-a",
        "nodes": {"n11": {"state": node}},
        "databases": {"DB1": database},
        **more,
    }


@pytest.fixture
def run_of(stage: Callable[..., Any], roles: None) -> Callable[..., Run]:
    """A run whose variables are read."""

    def make(book: Any = graceful_shutdown.RUNBOOK, host: str = "exa-a", **given: Any) -> Run:
        run = stage(book, [host], confirm=host, **given).run()
        run.prepare()
        return run

    return make


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.json"))


def test_what_is_kept_and_compared(run_of: Any, tmp_path: Path) -> None:
    """The last look with a database that was up counts, not the one of a shutdown that went on with another."""
    folder = tmp_path / "kept"
    run = run_of(exa_state_path=str(folder), exa_api_password="hunter22")
    kept.keep(run, seen(note="hunter22"))
    kept.keep(run, seen(connectible="No"))
    assert [(path.stat().st_mode & 0o777, path.parent.name) for path in files(folder)][:1] == [(0o600, "exa-a")]
    assert "hunter22" not in files(folder)[0].read_text()
    start = run_of(cold_start.RUNBOOK, exa_state_path=str(folder))
    lines: list[str] = []
    start.say = lines.append  # type: ignore[method-assign]
    kept.compare(start, seen())
    kept.compare(start, seen(node="offline", connectible="No"))
    kept.compare(start, seen(databases={}))
    assert [line.partition(" the shutdown of ")[0] for line in lines] == [
        "everything that was up before", "up before", "up before"
    ]  # fmt: skip
    assert "not up now: nodes n11 (offline); databases DB1 (running, not connectable)" in lines[1]
    assert "not up now: databases DB1 (gone)" in lines[2]


def test_nothing_is_kept_of_what_is_off_or_previewed(run_of: Any, stage: Any, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    run = run_of(exa_state_path=str(folder))
    kept.keep(run, seen(node="offline", connectible="No"))
    run.check = True
    kept.keep(run, seen())
    assert files(tmp_path) == []
    lines: list[str] = []
    start = run_of(cold_start.RUNBOOK, exa_state_path=str(folder))
    start.say = lines.append  # type: ignore[method-assign]
    kept.compare(start, seen())
    assert lines == []


def test_a_folder_that_cannot_be_written(run_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was named is refused before anything is changed; the default one is worth a warning."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Stopped) as stopped:
        kept.keep(run_of(exa_state_path=str(tmp_path / "file")), seen())
    assert "nothing was changed: correct exa_state_path, or leave it out" in stopped.value.result["msg"]
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    run = run_of()
    kept.keep(run, seen())
    assert "can't be saved in" in run.warnings[0]


def test_a_host_of_any_name_is_one_folder(run_of: Any, tmp_path: Path) -> None:
    kept.keep(run_of(host="..", exa_state_path=str(tmp_path / "kept")), seen())
    assert [path.parent.name for path in files(tmp_path / "kept")] == ["%2E%2E"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "{}"),
        json.dumps({"at": 1, "seen": {"product": "exasol", "nodes": 3}}),
        json.dumps({"at": 1e30, "seen": seen()}),
        json.dumps({"at": float("nan"), "seen": seen()}),
        json.dumps({"at": 1, "seen": {"product": "nuodb", "name": "n", "servers": {}, "databases": {}}}),
    ],
)
def test_a_file_that_is_none_of_ours_is_passed_over(run_of: Any, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "kept"
    kept.keep(run_of(exa_state_path=str(folder)), seen())
    (folder / "exa-a" / "99999999T000000Z-1.json").write_text(text)
    os.mkdir(folder / "exa-a" / "folder.json")
    start = run_of(cold_start.RUNBOOK, exa_state_path=str(folder))
    lines: list[str] = []
    start.say = lines.append  # type: ignore[method-assign]
    kept.compare(start, seen())
    assert len(lines) == 1

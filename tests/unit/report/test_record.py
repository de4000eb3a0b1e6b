# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records as files: names, modes, what is read and what isn't."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.report import record

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "docs/schemas/run_record.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("cluster", ["exa-prod", "a.b-c_d", "..", "a/b", "größe", "x" * 50, "%2E"])
def test_the_name_of_a_record_tells_what_it_is(tmp_path: Path, cluster: str) -> None:
    path = record.path_of(str(tmp_path), cluster, "exa_cold_start", 1795981203.651)
    assert path.parent.parent == tmp_path
    named = record.named(path)
    assert named is not None
    assert named[1:] == ("20261129T194003.651Z", "exa_cold_start", cluster)


def test_it_is_written_as_a_whole_and_for_its_owner_alone(tmp_path: Path, new_row: Callable[..., Any]) -> None:
    path = record.path_of(str(tmp_path / "reports"), "exa-prod", "exa_cold_start", 1795981203.651)
    row = new_row()
    jsonschema.validate(row, SCHEMA)
    record.write(path, row)
    record.write(path, {**row, "cause": "another"})
    assert [one.stat().st_mode & 0o777 for one in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    found = record.read(path)
    assert found == {**row, "cause": "another"}


def test_records_come_newest_first_and_nothing_else_does(tmp_path: Path, new_row: Callable[..., Any]) -> None:
    for cluster, at in (("a", 1e9), ("b", 1.1e9), ("a", 1.2e9)):
        record.write(record.path_of(str(tmp_path), cluster, "exa_cold_start", at), new_row())
    (tmp_path / "index.html").write_text("")
    (tmp_path / "a" / "note.json").write_text("")
    assert [one.cluster for one in record.everywhere(tmp_path)] == ["a", "b", "a"]
    assert [one.began[:4] for one in record.below(tmp_path / "a")] == ["2008", "2001"]
    assert record.below(tmp_path / "nothing") == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "{}", "null", '{"format": 1}', "[" * 100_000),
        *(json.dumps({"format": 1, "result": "ok", "at": at}) for at in (1e30, float("nan"), "x", None)),
    ],
)
def test_what_is_no_record_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "one.json"
    path.write_text(text)
    assert record.read(path) is None


def test_a_pipe_in_the_folder_keeps_nobody_waiting(tmp_path: Path) -> None:
    path = tmp_path / "20260101T000000.000Z-exa_cold_start-exa.json"
    os.mkfifo(path)
    assert record.read(path) is None


@pytest.mark.parametrize("name", [*record.KINDS, *record.ROWS])
def test_a_record_that_lacks_a_part_is_none(tmp_path: Path, new_row: Callable[..., Any], name: str) -> None:
    row = new_row()
    del row[name]
    record.write(tmp_path / "one" / "one.json", row)
    assert record.read(tmp_path / "one" / "one.json") is None


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        (name, field, value)
        for name, kinds in record.ROWS.items()
        for field in kinds
        for value in (None, {}, float("nan"))
    ]
    + [
        ("phases", "seconds", "x"),
        ("phases", "began", float("inf")),
        ("objects", "states", [{}]),
        ("steps", "seconds", True),
    ],
)
def test_a_record_with_a_part_of_a_wrong_type_is_none(
    tmp_path: Path, new_row: Callable[..., Any], name: str, field: str, value: Any
) -> None:
    row = new_row()
    row[name][0][field] = value
    record.write(tmp_path / "one" / "one.json", row)
    assert record.read(tmp_path / "one" / "one.json") is None


@pytest.mark.parametrize("value", [3, {}, {"runs": 1, "seconds": "x", "least": 1, "most": 1, "longest": "DB1"}])
def test_an_estimate_of_a_wrong_type_makes_it_none(tmp_path: Path, new_row: Callable[..., Any], value: Any) -> None:
    record.write(tmp_path / "one" / "one.json", new_row(usual=value))
    assert record.read(tmp_path / "one" / "one.json") is None

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet in each form, read back by what people read it with."""

from __future__ import annotations

import builtins
import csv
import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._json import visible
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet import output
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
from prometheus_client.parser import text_string_to_metric_families as lenient

AT = 1780000000.5


def row(name: str, state: str, product: str = "exasol", what: str = "all of it", **more: Any) -> dict[str, Any]:
    told = {"product": product, "state": state, "summary": f"{name}: {what}", "problem": "", "fails": False}
    return {**told, "version": "6.2.1", "counts": {}, "seconds": 0.25, "api_calls": 7, **more}


FLEET = {
    "exa-up": row("exa-up", "up", counts={"nodes": 5, "nodes_up": 4}),
    "nuo": row("nuo", "down", "nuodb", counts={"servers": 3, "servers_up": 0}, problem='nuo: down, "all" of it'),
    'exa "x", y': row('exa "x", y', "unreachable", what="unreachable: refused", version=""),
}


def test_a_table_begins_with_what_needs_attention_and_says_a_word_once() -> None:
    assert output.table(FLEET, AT).splitlines() == [
        "STATE        CLUSTER     WHAT",
        'unreachable  exa "x", y  refused',
        "down         nuo         all of it",
        "up           exa-up      all of it",
        "3 clusters: 1 unreachable, 1 down, 1 up",
    ]


def test_json() -> None:
    told = json.loads(output.as_json(FLEET, AT))
    assert told == {"at": AT, "clusters": FLEET}
    assert list(told["clusters"]) == ['exa "x", y', "nuo", "exa-up"]


def test_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(output.as_csv(FLEET, AT)), strict=True))
    assert [one["cluster"] for one in rows] == ['exa "x", y', "nuo", "exa-up"]
    assert (rows[1]["problem"], rows[1]["servers"], rows[1]["nodes"]) == ('nuo: down, "all" of it', "3", "")
    assert (rows[2]["nodes_up"], rows[2]["seconds"], rows[2]["at"]) == ("4", "0.25", str(AT))


@pytest.mark.parametrize("parse", [strict, lenient])
def test_openmetrics(parse: Any) -> None:
    """Read by the parser of its own standard, and by that of Prometheus' older text, as node_exporter reads it."""
    samples = [one for family in parse(output.openmetrics(FLEET, AT)) for one in family.samples]
    found = {(one.name, one.labels.get("cluster"), one.labels.get("state")): one.value for one in samples}
    assert found["dbfleet_cluster_state", "nuo", "down"] == 1
    assert found["dbfleet_cluster_state", "nuo", "up"] == 0
    assert found["dbfleet_cluster_state", 'exa "x", y', "unreachable"] == 1
    assert found["dbfleet_cluster_nodes_up", "exa-up", None] == 4
    assert ("dbfleet_cluster_nodes_up", "nuo", None) not in found
    assert found["dbfleet_look_timestamp_seconds", None, None] == AT
    assert {one.labels["product"] for one in samples if "product" in one.labels} == {"exasol", "nuodb"}


def test_openmetrics_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name.startswith("prometheus_client"):
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ClusterError, match="needs the package prometheus_client"):
        output.openmetrics(FLEET, AT)


def test_a_file_is_replaced_as_a_whole_and_others_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "fleet.prom"
    path.write_text("old")
    path.chmod(0o600)
    with path.open() as before:
        output.write(str(path), "new")
        assert before.read() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["fleet.prom"]


@pytest.mark.parametrize("form", output.FORMS)
def test_half_of_a_surrogate_pair_loses_no_report(form: str, tmp_path: Path) -> None:
    odd = {name: {**one, "version": "6\udc80", "summary": f"{name}: \ud800"} for name, one in FLEET.items()}
    path = tmp_path / "report"
    output.write(str(path), output.FORMS[form](visible(odd), AT))
    assert r"\udc80" in path.read_text() or form == "table"
    output.write(str(path), "x\ud800")
    assert path.read_bytes() == rb"x\ud800"


def test_a_file_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "nowhere" / "x", tmp_path / "folder"):
        with pytest.raises(ClusterError, match=f"{path} can't be written: "):
            output.write(str(path), "new")
    assert os.listdir(tmp_path) == ["folder"]


ODD = "a\n[exa-h] forged\x1b[2J\x9b\u202e\ud800"
SEEN = r"a\n[exa-h] forged\x1b[2J\x9b\u202e\ud800"


@pytest.mark.parametrize("form", output.FORMS)
def test_no_form_has_what_a_terminal_would_obey(form: str, tmp_path: Path) -> None:
    """A file is read at a terminal too; JSON has the value itself, in ASCII."""
    fleet = {"exa": row("exa", "up", what=ODD, version=ODD, problem=ODD)}
    path = tmp_path / "fleet"
    output.write(str(path), output.FORMS[form](fleet, AT))
    text = path.read_text(encoding="utf-8")
    assert not [line for line in text.split("\n") if not line.isprintable() or line.startswith("[exa-h]")]
    if form == "json":
        assert json.loads(text)["clusters"] == fleet
    else:
        assert (SEEN if form != "openmetrics" else SEEN.replace("\\", "\\\\")) in text

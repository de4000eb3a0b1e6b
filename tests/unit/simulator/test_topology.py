# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Topologies: what exa_cluster_info returns is one; a bad one is a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.checks import TopologyError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load, read


def test_several_clusters_by_list_or_by_name(tmp_path: Path) -> None:
    assert [spec.name for spec in load({"clusters": [{"name": "a"}, {"name": "b"}]})] == ["a", "b"]
    path = tmp_path / "topology.yml"
    path.write_text(json.dumps({"clusters": {"a": None, "b": {"nodes": ["n0011"]}}}))
    assert [(spec.name, list(spec.nodes)) for spec in read(path)] == [("a", []), ("b", ["n0011"])]


@pytest.mark.parametrize(("text", "words"), [("{", "neither YAML nor JSON"), ("[]", "contains no cluster")])
def test_a_bad_file_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "t.yml"
    path.write_text(text)
    with pytest.raises(TopologyError, match=words):
        read(path)
    with pytest.raises(TopologyError, match="can't be read"):
        read(tmp_path / "nowhere")


ARCHIVE = {"db_name": "shop", "archive_path": "/a"}


@pytest.mark.parametrize(
    "row",
    [
        {"services": 5},
        {"services": {"Storaged": []}},
        {"provider": ["confd"]},
        {"license_servers": 5},
        {"volumes": [[1]]},
        {"product": "nuodb", "databases": {"shop": {"incarnation": "a"}}},
        {"product": "nuodb", "servers": {"s": {}}, "archives": {"0": {**ARCHIVE, "server_id": []}}},
    ],
)
def test_values_that_nobody_foresaw_are_one_sentence_too(row: dict[str, object]) -> None:
    with pytest.raises(TopologyError, match="Cluster x: "):
        load({"name": "x", **row})

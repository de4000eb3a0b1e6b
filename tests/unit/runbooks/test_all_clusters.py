# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of all clusters: who shows it, when, and what stands in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import all_clusters
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.all_clusters import (
    AllClusters,
    has_table,
    unshown,
)

BOOK, PLAY = "exa_cold_start", "p1"
HOSTS = ["exa-a", "exa-b", "exa-c"]
HEAD = "CLUSTER  RESULT     PHASE  TIME   CAUSE"


def row(host: str, result: str = "ok", cause: str = "", **more: Any) -> dict[str, Any]:
    return {"host": host, "result": result, "phase": "nodes", "seconds": 61.2, "cause": cause, **more}


def begin(*hosts: str, of: Optional[list[str]] = None, check: bool = False, place: str = "auto") -> AllClusters:
    clusters = AllClusters(BOOK, PLAY)
    for host in hosts:
        clusters.begin(host, of or HOSTS, check, place)
    return clusters


def test_the_last_one_shows_the_table_once_with_what_failed_first(said: list[str]) -> None:
    clusters = begin(*HOSTS)
    clusters.end(row("exa-c"))
    AllClusters(BOOK, PLAY).end(row("exa-b", "failed", "exa-b: n11\nis off"))
    assert said == []
    clusters.end(row("exa-a"))
    assert said == [
        "CLUSTER  RESULT  PHASE  TIME   CAUSE",
        "exa-b    failed  nodes  01:01  n11 is off",
        "exa-a    ok      nodes  01:01",
        "exa-c    ok      nodes  01:01",
        "exa_cold_start: 3 clusters: 1 failed, 2 ok",
    ]
    assert unshown([]) == []


def test_on_a_terminal_a_cause_is_cut_and_in_check_mode_the_table_says_so(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_clusters.progress, "WIDTH", 40)
    clusters = begin("a", "b", of=["a", "b"], check=True)
    clusters.end(row("a", "failed", "a: " + "long " * 20))
    clusters.end(row("b"))
    assert said[1] == "a        failed  nodes  01:01  long l..."
    assert said[-1] == "exa_cold_start: 2 clusters: 1 failed, 1 ok (check mode: nothing was changed)"


def test_whoever_has_not_begun_keeps_the_table_back_until_the_exit(said: list[str]) -> None:
    clusters = begin("exa-a", "exa-b")
    clusters.end(row("exa-a", "failed", "off"))
    clusters.end(row("exa-b"))
    assert said == []
    lines = [
        HEAD,
        "exa-a    failed     nodes  01:01  off",
        "exa-c    not begun",
        "exa-b    ok         nodes  01:01",
        "exa_cold_start: 3 clusters: 1 failed, 1 not begun, 1 ok",
    ]
    assert unshown([]) == lines
    assert unshown([]) == lines, "SIGTERM asks twice"


def test_whoever_was_under_way_is_in_the_table_of_the_exit(said: list[str]) -> None:
    begin("exa-a", "exa-b").end(row("exa-a"))
    under_way = row("exa-b", "failed", "stopped", runbook=BOOK, play=PLAY)
    other = row("exa-c", "failed", "of another play", runbook=BOOK, play="p2")
    assert unshown([under_way, other])[1:] == [
        "exa-b    failed     nodes  01:01  stopped",
        "exa-c    not begun",
        "exa-a    ok         nodes  01:01",
        "exa_cold_start: 3 clusters: 1 failed, 1 not begun, 1 ok",
    ]


def test_hosts_without_such_a_cluster_are_left_out_unless_it_is_begun_on_them(said: list[str]) -> None:
    clusters = begin("exa-a", "exa-b", of=[*HOSTS, "nuo-a"])
    clusters.leave_out(["exa-b", "exa-c", "nuo-a"])
    clusters.end(row("exa-a"))
    assert said == []
    clusters.end(row("exa-b"))
    assert said[-1] == "exa_cold_start: 2 clusters: 2 ok"


def test_where_one_is_left_there_is_no_table(said: list[str]) -> None:
    clusters = begin("exa-a")
    clusters.leave_out(["exa-b", "exa-c"])
    clusters.end(row("exa-a"))
    assert (said, unshown([])) == ([], [])


def test_a_role_that_stands_twice_in_a_play_has_two_tables(said: list[str]) -> None:
    clusters = begin("exa-a", of=["exa-a", "exa-b"])
    clusters.end(row("exa-a"))
    clusters.begin("exa-a", [], False, "auto")  # its second time, before the other's first
    clusters.end(row("exa-a", "failed", "second"))
    clusters.begin("exa-b", [], False, "auto")
    assert said == []
    clusters.end(row("exa-b"))
    assert said[-1] == "exa_cold_start: 2 clusters: 2 ok"
    clusters.begin("exa-b", [], False, "auto")
    assert unshown([])[1:3] == ["exa-a    failed     nodes  01:01  second", "exa-b    not begun"]
    clusters.end(row("exa-b"))
    assert said[-1] == "exa_cold_start: 2 clusters: 1 failed, 1 ok"
    assert unshown([]) == []


@pytest.mark.parametrize(("places", "seen"), [(["off", "off"], False), (["off", "auto"], True)])
def test_where_no_progress_is_shown_there_is_no_table(said: list[str], places: list[str], seen: bool) -> None:
    for host, place in zip("ab", places):
        begin(host, of=["a", "b"], place=place)
    begin().end(row("a"))
    assert bool(unshown([])) is seen
    begin().end(row("b"))
    assert bool(said) is seen


def test_a_play_of_one_host_leaves_no_file(local_tmp: Path, said: list[str]) -> None:
    AllClusters(BOOK, PLAY).end(row("exa-a"))
    assert list(local_tmp.iterdir()) == []


def test_a_broken_file_says_what_can_be_read(local_tmp: Path) -> None:
    begin("exa-a", "exa-b", "exa-c").end(row("exa-a"))
    (path,) = local_tmp.iterdir()
    with path.open("a") as file:
        file.write('["row", {"ho')
    (local_tmp / "dbfleet-clusters-0").mkdir()
    assert unshown([])[-1] == "exa_cold_start: 3 clusters: 2 not begun, 1 ok"


@pytest.mark.parametrize(
    ("quiet", "hosts", "parents", "shown"),
    [
        (False, HOSTS, [], True),
        (False, HOSTS, ["site.ours"], True),
        (False, HOSTS, ["dbfleet.cluster.maintenance"], False),
        (True, HOSTS, [], False),
        (False, HOSTS[:1], [], False),
    ],
)
def test_which_play_has_a_table(quiet: bool, hosts: list[str], parents: list[str], shown: bool) -> None:
    more = {"ansible_parent_role_names": parents} if parents else {}
    assert has_table(quiet, {"ansible_play_hosts_all": hosts, **more}) is shown

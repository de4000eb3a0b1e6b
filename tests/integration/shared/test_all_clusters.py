# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One table of all clusters of a play: when it comes, who is in it, and the same as data in the stats."""

from __future__ import annotations

from domains import domain
from world import cluster

BOOK = "exa_database_state"
HEAD = r"^CLUSTER +RESULT +PHASE +TIME +CAUSE$"

ROLE = {
    "name": "State",
    "ansible.builtin.import_role": {"name": f"dbfleet.cluster.{BOOK}", "rolespec_validate": False},
    "when": "inventory_hostname != 'nuo-a'",
    "vars": {"exa_database_state_databases": "{{ wanted }}", "exa_database_state_state": "started"},
}


def tables(run):
    """Each table, as rows of words, with the number of the line at which it begins."""
    lines = run.out.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("CLUSTER ")]
    ends = [number for number, line in enumerate(lines) if line.startswith(f"{BOOK}: ")]
    assert len(starts) == len(ends), run.out
    return [
        (start, [line.split(maxsplit=4) for line in lines[start + 1 : end + 1]]) for start, end in zip(starts, ends)
    ]


def hosts_of(simulator):
    hosts = simulator.inventory()
    for name in hosts:
        hosts[name]["wanted"] = "NOPE" if name == "exa-b" else "DB1"
    return hosts


def test_after_the_last_end_and_at_the_exit(simulate, ansible):
    simulator = simulate(cluster("exa-a", up=True), cluster("exa-b", up=True), domain("nuo-a"))
    play = {"hosts": "all", "gather_facts": False, "strategy": "host_pinned", "tasks": [ROLE]}
    run = ansible.run([play, {**play, "hosts": "exa_clusters"}], hosts_of(simulator)).failed()
    assert len(run.lines(HEAD)) == 2, run.out
    (first, rows), (second, later) = tables(run)
    assert [row[:3] for row in rows[:2]] == [["exa-b", "failed", "databases"], ["exa-a", "ok", "databases"]], run.out
    assert "NOPE" in rows[0][4]
    assert " ".join(rows[2]) == f"{BOOK}: 2 clusters: 1 failed, 1 ok"
    lines = run.out.splitlines()
    own = [number for number, line in enumerate(lines) if line.startswith(("[exa-b] cause:", f"[exa-a] {BOOK}: ok"))]
    assert len(own) == 3
    assert max(own[:2]) < first

    # The second play has no exa-b any more, which only its end tells.
    assert lines.index(next(line for line in lines if line.startswith("PLAY RECAP"))) < second
    assert [" ".join(row) for row in later[:1]] == ["exa-b not begun"]
    assert later[1][:3] == ["exa-a", "ok", "databases"]
    assert run.rc == 2

    told = run.custom
    assert set(told) == {"exa-a", "exa-b"}
    assert [(told[name]["result"], told[name]["phase"]) for name in ("exa-a", "exa-b")] == [
        ("ok", "databases"), ("failed", "databases")
    ]  # fmt: skip
    assert told["exa-a"]["cause"] == ""
    assert told["exa-b"]["cause"].count("NOPE") == 1
    assert all(isinstance(row["seconds"], float) for row in told.values())


def test_what_a_play_did_not_come_to(simulate, ansible):
    """A batch that fails ends the play, and no task is left to tell of the others."""
    simulator = simulate(cluster("exa-a", up=True), cluster("exa-b", up=True), cluster("exa-c", up=True))
    play = {"hosts": "exa_clusters", "gather_facts": False, "serial": [1, 1, 1], "tasks": [ROLE]}
    run = ansible.run([play], hosts_of(simulator)).failed()
    ((_start, rows),) = tables(run)
    assert [row[:2] for row in rows[:3]] == [["exa-b", "failed"], ["exa-c", "not"], ["exa-a", "ok"]], run.out
    assert " ".join(rows[3]) == f"{BOOK}: 3 clusters: 1 failed, 1 not begun, 1 ok"
    assert simulator.changes("exa-c") == []

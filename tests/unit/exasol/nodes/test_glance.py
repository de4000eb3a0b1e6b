# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A glance spares calls, and never delays a node for longer than looks did without it."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes import boot, glance


class Server:
    """One whose answer takes C(seconds); what it shows may change."""

    def __init__(self) -> None:
        self.now, self.seconds, self.looks = 0.0, 0.0, 0
        self.shows: Optional[set[str]] = set()

    def seen_online(self) -> Optional[frozenset[str]]:
        self.looks += 1
        self.now += self.seconds
        return None if self.shows is None else frozenset(self.shows)

    def made(self) -> glance.Glance:
        cluster: Any = self
        return glance.Glance(cluster, lambda: self.now)


@pytest.fixture
def server() -> Server:
    return Server()


def asked(made: glance.Glance, server: Server, until: float, *nodes: str) -> dict[str, list[float]]:
    """When each node was asked itself, with a look every quarter of a second."""
    found: dict[str, list[float]] = {node: [] for node in nodes}
    while server.now <= until:
        for node in nodes:
            if made.is_worth_a_call(node):
                found[node].append(server.now)
        server.now += 0.25
    return found


def test_a_node_is_asked_when_the_glance_shows_it(server: Server) -> None:
    made = server.made()
    assert asked(made, server, 3.0, "n0011", "n0012") == {"n0011": [0.0], "n0012": [0.0]}
    assert server.looks == 13, "one glance for both nodes"
    server.shows = {"n0012"}
    assert asked(made, server, 4.5, "n0011", "n0012") == {"n0011": [], "n0012": [3.25, 3.75, 4.25]}


def test_a_node_that_it_never_shows_is_asked_all_the_same(server: Server) -> None:
    assert asked(server.made(), server, 21.0, "n0011") == {"n0011": [0.0, 10.0, 20.0]}


def test_a_node_that_was_just_told_to_boot_is_not_asked_at_once(server: Server) -> None:
    made = server.made()
    made.begin(["n0011"])
    assert asked(made, server, 1.0, "n0011", "n0012") == {"n0011": [], "n0012": [0.0]}
    server.shows = {"n0011"}
    assert asked(made, server, 1.25, "n0011") == {"n0011": [1.25]}


def test_a_server_without_that_call_is_asked_of_each_node_as_before(server: Server) -> None:
    server.shows = None
    assert asked(server.made(), server, 1.6, "n0011") == {"n0011": [0.0, 0.5, 1.0, 1.5]}
    assert server.looks == 1, "it is not asked again what it does not tell"


def test_a_glance_that_takes_long_is_given_up(server: Server) -> None:
    server.seconds = 2.0
    made = server.made()
    found = asked(made, server, 4.0, "n0011")["n0011"]
    assert (found, server.looks) == ([2.0, 2.5, 3.0, 3.5, 4.0], 1)


def test_a_glance_that_hangs_holds_no_other_node_up(server: Server) -> None:
    made = server.made()
    inner = []

    def hanging() -> frozenset[str]:
        inner.append(made.is_worth_a_call("n0012"))
        return frozenset()

    server.seen_online = hanging  # type: ignore[method-assign]
    assert made.is_worth_a_call("n0011")
    assert inner == [True]


def test_a_node_that_came_online_is_asked_at_each_look(new_cluster: Any) -> None:
    """While it must stay so, a look that asks nobody would take it for one that boots."""
    cluster = new_cluster(online={"n0011": False})
    booting = boot.NodeBoot(cluster, None, 0, str)
    booting.start(["n0011"])
    booting._glance._asked.clear()
    cluster.online["n0011"] = True
    assert [booting.read("n0011") for _look in range(3)] == ["online"] * 3
    cluster.online["n0011"] = False
    for word, state in {"Booting": "booting", "Shutting down": "shutting down", "Offline": "offline"}.items():
        cluster.status["n0011"] = word
        assert booting.read("n0011") == state

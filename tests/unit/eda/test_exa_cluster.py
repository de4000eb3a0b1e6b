# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of an Exasol cluster, by the simulated ConfD and EXAoperation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.eda.conftest import Live, watched
from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import PASSWORD, UP as EXAOPERATION
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import UP as CONFD

OF = {"confd": CONFD, "exaoperation": EXAOPERATION}
RUNS = {"confd": "DB1", "exaoperation": "DB2"}
"""The database that runs; the other one is down."""

DOWN = {"confd": "DB2", "exaoperation": "DB1"}


def of(one: Live, provider: str, **more: Any) -> dict[str, Any]:
    given = {"api_url": one.ready["api_url"], "api_username": "admin", "api_password": PASSWORD}
    return {"cluster": "exa-unit", "provider": provider, "ca_path": one.ready["ca_path"], **given, **more}


@pytest.mark.parametrize("provider", list(OF))
def test_a_database_that_was_up_and_a_cluster_that_vanishes(
    live: Callable[..., Live], play: Any, provider: str
) -> None:
    one = live(OF[provider])

    async def test() -> None:
        async with watched("exa_cluster", **of(one, provider)) as source:
            one.admin("/faults", {"kind": "refuse"})
            assert "no connection comes to stand" in (await source.next("unreachable"))["text"]
            one.admin("/faults", method="DELETE")
            await source.next("unreachable", "over")
            one.admin("/faults", {"kind": "dies", "object": RUNS[provider]})
            lost = await source.next("database_down")
            assert lost["object"] == RUNS[provider]
            assert "accepts no connections" in lost["text"]
            # Of the one that was down before, nobody knows that it should be up.
            assert {event["object"] for event in source.every} == {"exa-unit", RUNS[provider]}
        async with watched("exa_cluster", **of(one, provider, databases=[DOWN[provider]])) as source:
            assert (await source.next("database_down"))["object"] == DOWN[provider]

    play(test())


def test_nodes_and_services(live: Callable[..., Live], play: Any) -> None:
    confd = live(CONFD)

    async def nodes() -> None:
        async with watched("exa_cluster", **of(confd, "confd")) as source:
            confd.admin("/power", {"node": "n13", "on": False})
            assert (await source.next("node_offline"))["object"] == "n13"

    play(nodes())
    eao = live({**EXAOPERATION, "storage_online": False, "databases": {"DB1": {}}})

    async def services() -> None:
        async with watched("exa_cluster", **of(eao, "exaoperation")) as source:
            assert "Storaged" in (await source.next("service_down"))["text"]

    play(services())


@pytest.mark.parametrize(
    ("wrong", "kind", "text"),
    [
        ({"provider": "auto"}, "misconfigured", "provider is neither confd nor exaoperation"),
        ({"provider": "confd", "api_url": "http://n11"}, "misconfigured", "ConfD speaks https alone"),
        ({"provider": "confd", "api_password": "telltale"}, "denied", "the user may not read the cluster (HTTP 401)"),
        ({"provider": "exaoperation"}, "unreachable", "it can't answer now (HTTP 404)"),
    ],
)
def test_what_cannot_work(live: Callable[..., Live], play: Any, wrong: dict[str, Any], kind: str, text: str) -> None:
    one = live(CONFD)

    async def test() -> None:
        async with watched("exa_cluster", **of(one, **{**wrong})) as source:
            assert text in (await source.next(kind))["text"]
            assert "telltale" not in str(source.every)

    play(test())


def test_a_node_is_not_followed_to_a_stranger(live: Callable[..., Live], play: Any, serve: Any, reply: Any) -> None:
    """It would get the password."""
    elsewhere = serve(reply(b""))
    one = live(EXAOPERATION)
    stranger = serve(reply(b"", "302 Found", f"Location: https://elsewhere.invalid:{elsewhere.port}/"))
    given = of(one, "exaoperation", api_url=[stranger.url])

    async def test() -> None:
        async with watched("exa_cluster", **given) as source:
            said = await source.next("unreachable")
            assert "sends the call on to one that api_url doesn't name" in said["text"]

    play(test())
    assert elsewhere.asked == []

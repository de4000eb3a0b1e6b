# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of a NuoDB domain, by the simulated Admin REST API."""

from __future__ import annotations

import asyncio
import logging
import re
import runpy
import ssl
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from ansible_collections.dbfleet.cluster.tests.unit.eda.conftest import SOURCES, Live, watched
from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import BARE, DOWN, PASSWORD, UP


def of(one: Live, **more: Any) -> dict[str, Any]:
    given = {"api_url": one.ready["api_url"], "api_username": "admin", "api_password": PASSWORD}
    return {"cluster": "nuo-unit", "ca_path": one.ready["ca_path"], **given, **more}


def test_what_dies_and_comes_back(live: Callable[..., Live], play: Any) -> None:
    one = live(UP)

    async def test() -> None:
        async with watched("nuodb_domain", **of(one)) as source:
            one.admin("/die", {"start_id": "1"})
            lost = await source.next("archive_down")
            assert lost == {
                **lost, "source": "nuodb_domain", "cluster": "nuo-unit", "object": "test/1", "change": "new",
                "text": "nuo-unit: test runs, but archive 1 has no SM",
            }  # fmt: skip
            one.admin("/die", {"start_id": "2"})
            assert (await source.next("te_lost"))["text"] == "nuo-unit: test has 1 of 2 TEs"
            one.admin("/die", {"start_id": "3"})
            await source.next("te_lost", "over")
            assert (await source.next("no_te"))["object"] == "test"
            one.admin("/die", {"start_id": "0"})
            assert (await source.next("no_te", "over"))["text"].startswith("over: nuo-unit: test has no TE")
            down = await source.next("database_down")
            assert down["text"] == "nuo-unit: test is down: its last SM ended, and nobody had asked it to"

    play(test())


def test_a_domain_that_vanishes_is_an_event_and_no_end(live: Callable[..., Live], play: Any) -> None:
    """And what was wrong before isn't called over only because nobody can see it."""
    one = live({**UP, "processes": {key: row for key, row in UP["processes"].items() if key != "1"}})

    async def test() -> None:
        async with watched("nuodb_domain", **of(one, request_timeout=0.3, repeat=0.1)) as source:
            await source.next("archive_down")
            one.admin("/faults", {"kind": "refuse"})
            text = (await source.next("unreachable"))["text"]
            found = re.findall(r"(https://\S+): (?:no connection comes to stand|no answer within)", text)
            assert sorted(found) == sorted(one.ready["api_url"])  # a slow machine has no connection in time
            assert (await source.next("unreachable", "lasts"))["seconds"] > 0
            one.admin("/faults", method="DELETE")
            await source.next("unreachable", "over")
            await source.next("archive_down", "lasts")
            assert ("archive_down", "over") not in [(event["kind"], event["change"]) for event in source.every]
            for fault in ({"kind": "html"}, {"kind": "truncate"}, {"kind": "reset"}, {"kind": "hang"}):
                one.admin("/faults", fault)
                await source.next("unreachable")
                one.admin("/faults", method="DELETE")
                await source.next("unreachable", "over")

    play(test())


@pytest.mark.parametrize("odd", [{"data": ["shop"], "hasNext": False}, {"data": [{}], "hasNext": False}, [], "shop"])
def test_an_answer_of_an_unknown_form_is_an_event(live: Callable[..., Live], play: Any, odd: Any) -> None:
    one = live(UP)
    one.admin("/faults", {"kind": "wrong_state", "method": "GET databases", "value": odd})

    async def test() -> None:
        async with watched("nuodb_domain", **of(one)) as source:
            assert (await source.next("unreachable"))["text"] == "nuo-unit: an answer has an unknown form"
            one.admin("/die", {"start_id": "0"})
            one.admin("/faults", method="DELETE")
            await source.next("archive_down", about="test/0")

    play(test())


def test_servers_and_an_ap_that_is_cut_off(live: Callable[..., Live], play: Any) -> None:
    """The AP that is cut off is asked first, and what it knew before is not believed."""
    one = live(UP)

    async def test() -> None:
        one.admin("/partition", {"server": "server0", "isolated": True})
        async with watched("nuodb_domain", **of(one)) as source:
            assert (await source.next("server_down"))["object"] == "server0"
        async with watched("nuodb_domain", **of(one, api_url=one.ready["api_url"][:1])) as source:
            assert "is not in touch with a majority" in (await source.next("unreachable"))["text"]

    play(test())


def test_a_passive_ap_has_no_vote(live: Callable[..., Live], play: Any) -> None:
    """Both that are away have none, so the one that is left is in touch with the majority."""
    away = {"state": "stopped", "passive": True}
    one = live({**BARE, "servers": {"server0": {}, "server1": away, "server2": away}})

    async def test() -> None:
        async with watched("nuodb_domain", **of(one)) as source:
            assert (await source.next("server_down", about="server2"))[
                "text"
            ] == "nuo-unit: server server2 is Disconnected"

    play(test())


def test_what_was_shut_down_on_purpose_is_no_event(live: Callable[..., Live], play: Any) -> None:
    one = live({**DOWN, "databases": {**DOWN["databases"], "idle": {"incarnation": [0, 0]}}})

    async def test() -> None:
        async with watched("nuodb_domain", **of(one)) as source:
            one.admin("/power", {"node": "server1", "on": False})
            await source.next("server_down")
            assert {event["kind"] for event in source.every} == {"server_down"}

    play(test())


def test_a_te_that_was_asked_to_go_is_not_missed(live: Callable[..., Live], play: Any) -> None:
    one = live({**UP, "processes": {key: row for key, row in UP["processes"].items() if key != "1"}})

    async def test() -> None:
        async with watched("nuodb_domain", **of(one)) as source:
            await source.next("archive_down")  # it has looked
            await request(one, "DELETE", "processes/3?kill=false")
            while "3" in one.admin("/state", method="GET")["processes"]:
                await asyncio.sleep(0.02)
            one.admin("/power", {"node": "server2", "on": False})
            await source.next("server_down")
            assert [event["kind"] for event in source.every] == ["archive_down", "server_down"]

    play(test())


async def request(one: Live, method: str, path: str) -> None:
    context = ssl.create_default_context(cafile=one.ready["ca_path"])
    said = b64encode(f"admin:{PASSWORD}".encode()).decode()
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Basic {said}"}) as session,
        session.request(method, f"{one.ready['api_url'][0]}/api/1/{path}", ssl=context) as answer,
    ):
        assert answer.status == 200, await answer.text()


@pytest.mark.parametrize(
    ("wrong", "kind", "text"),
    [
        ({"api_password": "another"}, "denied", "the user may not read the domain (HTTP 401)"),
        ({"ca_path": ""}, "unreachable", "no TLS connection comes to stand"),
        ({"ca_path": "/nowhere.pem"}, "misconfigured", "nuo-unit: ca_path /nowhere.pem can't be read"),
        ({"client_cert": "/nowhere.pem"}, "misconfigured", "nuo-unit: client_cert /nowhere.pem can't be read"),
        ({"api_url": "https://admin:telltale@ap0:8888"}, "misconfigured", "nuo-unit: api_url contains a user or"),
        ({"api_url": ["ap0"]}, "misconfigured", "nuo-unit: api_url has something that is no URL"),
        ({"api_url": []}, "misconfigured", "nuo-unit: api_url is missing"),
        ({"api_username": ""}, "misconfigured", "nuo-unit: api_username is missing"),
        ({"delay": "soon"}, "misconfigured", "nuo-unit: delay is not a number of seconds above 0"),
        ({"validate_certs": "perhaps"}, "misconfigured", "nuo-unit: validate_certs is neither true nor false"),
        ({"intervall": 3}, "misconfigured", "nuo-unit: there is no argument intervall"),
        ({"cluster": ""}, "misconfigured", "unknown: cluster is missing"),
    ],
)
def test_what_cannot_work_is_told_without_secrets(
    live: Callable[..., Live], play: Any, caplog: Any, wrong: dict[str, Any], kind: str, text: str
) -> None:
    one = live(UP)
    caplog.set_level(logging.DEBUG)

    async def test() -> None:
        async with watched("nuodb_domain", **of(one, **{"api_password": "telltale", **wrong})) as source:
            assert text in (await source.next(kind))["text"]
            assert "telltale" not in str(source.every)

    if kind == "misconfigured":  # told at once, whatever `after` is, for it will not be over by itself
        wrong["after"] = 3600
    play(test())
    assert "telltale" not in caplog.text
    assert "Traceback" not in caplog.text


def test_certificates_are_not_checked_only_where_somebody_says_so(live: Callable[..., Live], play: Any) -> None:
    one = live({**UP, "processes": {key: row for key, row in UP["processes"].items() if key != "1"}})

    async def test() -> None:
        async with watched("nuodb_domain", **of(one, ca_path="", validate_certs="false")) as source:
            await source.next("archive_down")

    play(test())


def test_a_half_started_database(live: Callable[..., Live], play: Any) -> None:
    """One SM alone waits for the history of the other archive."""
    one = live(DOWN)
    one.admin("/faults", {"kind": "wrong_state", "method": "GET databases", "value": {
        "data": [{"name": "test", "state": "AWAITING_ARCHIVE_HISTORIES_MSG"}], "hasNext": False}})  # fmt: skip

    async def test() -> None:
        async with watched("nuodb_domain", **of(one)) as source:
            assert "does not come up (AWAITING_ARCHIVE_HISTORIES_MSG)" in (await source.next("half_started"))["text"]

    play(test())


# -- when something is told


def test_it_is_told_when_it_has_lasted_and_again_while_it_lasts() -> None:
    source = runpy.run_path(str(SOURCES / "nuodb_domain.py"))
    now = [0.0]
    troubles = source["Troubles"]("it", "nuo", 30, 300, lambda: now[0])
    wrong = {("no_te", "shop"): "no TE", ("server_down", "s1"): "away"}

    def told(at: float, found: dict[Any, str], is_complete: bool = True) -> list[tuple[str, str]]:
        now[0] = at
        events = [event["dbfleet"] for event in troubles.events(found, is_complete)]
        return [(event["object"], event["change"]) for event in events]

    assert told(0, wrong) == []
    assert told(29, wrong) == []
    assert told(30, wrong) == [("shop", "new"), ("s1", "new")]
    assert told(329, wrong) == []
    assert told(330, wrong) == [("shop", "lasts"), ("s1", "lasts")]
    # One that came and went in between was never told, so its end isn't either.
    assert told(340, {**wrong, ("no_te", "hr"): "no TE"}) == []
    assert told(341, wrong) == []
    # While nothing can be read, nothing is over.
    assert told(700, {("unreachable", "nuo"): "silent"}, False) == []
    assert told(730, {("unreachable", "nuo"): "silent"}, False) == [("nuo", "new")]
    assert told(731, {("no_te", "shop"): "no TE"}) == [("s1", "over"), ("nuo", "over"), ("shop", "lasts")]
    assert told(732, {}) == [("shop", "over")]
    assert told(733, {}) == []


def shared(name: str) -> str:
    text = (SOURCES / f"{name}.py").read_text(encoding="utf-8")
    begin, end = text.index("# -- the same text in both sources"), text.index("# -- the end of the same text")
    return text[begin:end]


def test_both_sources_have_the_same_text_where_they_say_so() -> None:
    assert shared("nuodb_domain") == shared("exa_cluster")
    assert len(shared("exa_cluster").splitlines()) > 100


def test_no_source_imports_the_collection() -> None:
    """ansible-rulebook can't find it."""
    for path in Path(SOURCES).glob("*.py"):
        assert "ansible_collections" not in path.read_text(encoding="utf-8")

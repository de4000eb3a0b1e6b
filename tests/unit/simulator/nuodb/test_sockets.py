# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A domain on real sockets: a listener for each AP, TLS both ways, the admin endpoint, the module's result.

A scenario: the whole simulator with APs, over its sockets.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.dbfleet.cluster.plugins.modules import simulator as module
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.cli import exports
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.faults import ON_ENGINES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.rules import RULES
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.settings import SETTINGS, TIMING
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.simulator import Simulator
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.tls import TlsError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load
from ansible_collections.dbfleet.cluster.tests.admin import told

from .conftest import PASSWORD, UP


class Live:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.ready = simulator.ready()["clusters"]["nuo-unit"]

    def get(self, path: str, server: int = 0, context: ssl.SSLContext | None = None, password: str = PASSWORD) -> Any:
        parts = urlsplit(self.ready["api_url"][server])
        address = (parts.hostname or "", parts.port or 0)
        connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(*address, timeout=5, context=context)
            if parts.scheme == "https"
            else http.client.HTTPConnection(*address, timeout=5)
        )
        headers = {"Authorization": f"Basic {b64encode(f'admin:{password}'.encode()).decode()}"} if password else {}
        connection.request("GET", f"/api/1/{path}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, json.loads(body) if body else None

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        return told(self.simulator.ready(), path, body, method)

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not done():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def refuses(self, server: int) -> bool:
        try:
            self.get("peers", server)
        except ConnectionRefusedError:
            return True
        except ConnectionError:
            pass  # at this very moment
        return False


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    started: list[Simulator] = []

    def start(tls: bool = False, clock: str = "seconds:0.001", **changes: Any) -> Live:
        simulator = Simulator(load({**UP, **changes}), clock, directory=tmp_path if tls else None)
        started.append(simulator)
        simulator.start()
        return Live(simulator)

    yield start
    for simulator in started:
        simulator.stop()


def test_each_server_answers_for_itself(live: Callable[..., Live]) -> None:
    one = live()
    assert len(one.ready["api_url"]) == 3
    for server in range(3):
        status, body = one.get("peers", server)
        assert status == 200
        assert [row["id"] for row in body["data"] if row["isLocal"]] == [f"server{server}"]
    assert one.get("kvstore/%2Fa%2Fb%252F")[1] == {"key": "/a/b%2F", "value": None}


def test_a_server_that_is_off_refuses_connections(live: Callable[..., Live]) -> None:
    one = live(servers={"server0": {}, "server1": "stopped", "server2": {}})
    assert one.refuses(1)
    assert one.admin("POST", "/power", {"node": "server1", "on": True})["state"] == "starting"
    one.until(lambda: not one.refuses(1))
    assert one.admin("POST", "/power", {"node": "server2", "on": False})["state"] == "stopped"
    one.until(lambda: one.refuses(2))
    one.admin("POST", "/faults", {"kind": "refuse", "object": "server0"})
    one.until(lambda: one.refuses(0))
    one.admin("DELETE", "/faults")
    one.until(lambda: not one.refuses(0))


def test_the_admin_endpoint(live: Callable[..., Live]) -> None:
    one = live(settings={"max_limit": 50})
    about = one.admin("GET", "/about")
    assert (about["product"], about["settings"]["max_limit"]["value"]) == ("nuodb", 50)
    assert set(about["settings"]) == set(SETTINGS)
    assert set(about["timing"]) == set(TIMING)
    assert (about["rules"], about["faults"]["machines"]) == (RULES, ON_ENGINES)
    assert "POST processes" in about["calls"]["processes"]
    assert "GET kvstore/{key}" in about["calls"]["kvstore"]
    one.admin("POST", "/die", {"start_id": "2", "exit_code": 137})
    assert one.admin("GET", "/state")["tombstones"]["2"]["exit_code"] == 137
    assert one.admin("POST", "/partition", {"server": "server1", "isolated": True}) == {
        "server": "server1", "isolated": True,
    }  # fmt: skip
    one.admin("POST", "/power", {"node": "server0", "on": False})
    assert [row["rule"] for row in one.admin("GET", "/rules")] == [
        "server-stopped-under-processes", "majority-lost-under-database",
    ]  # fmt: skip
    one.admin("DELETE", "/rules")
    assert one.admin("GET", "/rules") == []
    for path, body, words in (
        ("/power", {"node": "n0011", "on": True}, "a server of the domain"),
        ("/die", {}, "start_id of a process"),
        ("/faults", {"kind": "never_boots"}, "is not one of"),
        ("/faults", {"kind": "never_starts", "exit_code": "x"}, "can't be read"),
    ):
        answer = one.admin("POST", path, body)
        assert answer["status"] == 400
        assert words in answer["error"]
    assert "/partition" in one.admin("GET", "/nowhere")["error"]


def test_both_products_at_once(tmp_path: Path) -> None:
    simulator = Simulator(load({"clusters": [{"name": "exa"}, {**UP, "authentication": "none"}]}), "immediate")
    simulator.start()
    try:
        ready = simulator.ready()["clusters"]
        assert {name: row["product"] for name, row in ready.items()} == {"exa": "exasol", "nuo-unit": "nuodb"}
        assert set(ready["nuo-unit"]["environment"]) == {"NUOCMD_API_SERVER"}
        one = Live(simulator)
        assert one.get("peers", password="")[0] == 200
        assert "storage_state" in one.admin("GET", "/state")
        assert "archives" in one.admin("GET", "/state?cluster=nuo-unit")
        assert one.admin("POST", "/partition?cluster=exa", {})["status"] == 404
    finally:
        simulator.stop()


def test_tls_and_passwords(live: Callable[..., Live]) -> None:
    one = live(tls=True)
    context = ssl.create_default_context(cafile=one.ready["ca_path"])
    assert one.get("peers", context=context)[0] == 200
    assert one.get("peers", context=context, password="wrong")[0] == 401
    assert "client_key" not in one.ready
    variables = one.ready["environment"]
    assert variables == {
        "NUOCMD_API_SERVER": one.ready["api_url"][0],
        "NUOCMD_BASIC_CREDS": f"admin:{PASSWORD}",
        "NUOCMD_VERIFY_SERVER": one.ready["ca_path"],
    }
    lines = exports({"admin_url": "http://c", "admin_token": "t", "clusters": {"x": one.ready}})
    assert lines[-2:] == ["export DBFLEET_SIMULATOR=http://c", "export DBFLEET_SIMULATOR_TOKEN=t"]


@pytest.mark.parametrize(("authentication", "without"), [("certificate", None), ("both", 401)])
def test_mutual_tls(live: Callable[..., Live], authentication: str, without: int | None) -> None:
    one = live(tls=True, authentication=authentication)
    context = ssl.create_default_context(cafile=one.ready["ca_path"])
    if without is None:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            one.get("peers", context=context, password="")
    else:
        assert one.get("peers", context=context, password="")[0] == without
        assert one.get("peers", context=context)[0] == 200
    # one file is enough, as nuocmd wants it
    key = one.ready["environment"]["NUOCMD_CLIENT_KEY"]
    context.load_cert_chain(key)
    assert one.get("peers", context=context, password="")[0] == 200
    assert ("NUOCMD_BASIC_CREDS" in one.ready["environment"]) is (authentication == "both")


def test_certificates_take_tls() -> None:
    with pytest.raises(TlsError, match="need HTTPS"):
        Simulator(load({**UP, "authentication": "certificate"}))


def test_the_module_tells_how_to_reach_a_domain(tmp_path: Path) -> None:
    class Task:
        def __init__(self, **params: Any) -> None:
            defaults = {name: option.get("default") for name, option in module.SPEC["argument_spec"].items()}
            self.params = {**defaults, "directory": str(tmp_path), **params}
            self.check_mode = False

    topology = {**UP, "authentication": "both"}
    started = module.run(Task(topology=topology, clock="immediate"))
    try:
        assert started["environment"]["NUOCMD_CLIENT_KEY"] == started["client_key"]
        assert started["environment"]["NUOCMD_BASIC_CREDS"] == f"admin:{PASSWORD}"
        assert started["environment"]["DBFLEET_SIMULATOR"] == started["admin_url"]
        assert len(started["api_url"]) == 3
        assert Path(started["client_cert"]).exists()
    finally:
        module.run(Task(state="stopped"))

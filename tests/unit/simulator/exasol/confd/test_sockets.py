# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""A ConfD cluster on real sockets: a listener a node, the redirect, the admin endpoint.

A scenario: the whole simulator with ConfDs, over its sockets.
"""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
import xmlrpc.client
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.simulator import Simulator
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load
from ansible_collections.dbfleet.cluster.tests.admin import ask
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import PASSWORD, UP

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Simulator]]:
    started: list[Simulator] = []

    def begin(clock: str = "seconds:0.001", tls: bool = False, **changes: Any) -> Simulator:
        simulator = Simulator(load({**UP, **changes}), clock, directory=tmp_path if tls else None)
        started.append(simulator)
        simulator.start()
        return simulator

    yield begin
    for simulator in started:
        simulator.stop()


def proxy(url: str, **options: Any) -> xmlrpc.client.ServerProxy:
    there = urlsplit(url)
    login = f"{there.scheme}://admin:{quote(PASSWORD, safe='')}@{there.netloc}/"
    return xmlrpc.client.ServerProxy(login, allow_none=True, **options)


def ready(simulator: Simulator) -> dict[str, Any]:
    return dict(simulator.ready()["clusters"]["confd-unit"])


def admin(simulator: Simulator, path: str, body: Any = None) -> Any:
    return ask(simulator.ready(), path, body)


def test_a_database_is_stopped_through_the_master(start: Callable[..., Simulator]) -> None:
    simulator = start(tls=True)
    told = ready(simulator)
    assert (len(told["api_url"]), told["environment"]["EXA_PROVIDER"]) == (3, "confd")
    context = ssl.create_default_context(cafile=told["ca_path"])
    with pytest.raises(xmlrpc.client.ProtocolError) as caught:
        proxy(told["api_url"][1], context=context).job_list()
    assert caught.value.errcode == 302
    assert caught.value.headers["Location"] == told["api_url"][0] + "/"
    server = proxy(told["api_url"][0], context=context)
    assert server.job_exec("db_stop", {"params": {"db_name": "DB1"}})["result_code"] == 0
    assert server.job_exec("db_state", {"params": {"db_name": "DB1", "db_name2": None}})["result_code"] == 3
    assert server.job_exec("db_state", {"params": {"db_name": "DB1"}})["result_output"] == "setup"
    assert admin(simulator, "/rules") == []


def test_a_master_that_loses_its_power_refuses_connections(start: Callable[..., Simulator]) -> None:
    simulator = start()
    urls = ready(simulator)["api_url"]
    admin(simulator, "/power", {"node": "n11", "on": False})
    with pytest.raises(ConnectionError):
        proxy(urls[0]).job_list()
    admin(simulator, "/clock", {"clock": "immediate"})
    server = proxy(urls[1])
    assert server.job_exec("node_state")["result_output"]["11"] == "offline"
    assert admin(simulator, "/state")["master"] == "n12"


def test_nodes_may_have_addresses_of_their_own(start: Callable[..., Simulator]) -> None:
    addresses = {"n11": "127.0.0.11", "n12": "127.0.0.12", "n13": "127.0.0.13"}
    try:
        simulator = start(addresses=addresses, master="n13", tls=True)
    except OSError:
        pytest.skip("this machine has no loopback address but 127.0.0.1")
    told = ready(simulator)
    assert [urlsplit(url).hostname for url in told["api_url"]] == list(addresses.values())
    context = ssl.create_default_context(cafile=told["ca_path"])
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(told["api_url"][0] + "/master", timeout=10) as answer:
        assert answer.read() == b"127.0.0.13"
    rows = proxy(told["api_url"][2], context=context).job_exec("node_list")["result_output"]
    assert rows["12"]["private_ip"] == "127.0.0.12"


def test_about_tells_of_everything(start: Callable[..., Simulator]) -> None:
    about = admin(start(), "/about")
    assert (about["product"], about["provider"]) == ("exasol", "confd")
    assert "db_backup_start" in about["calls"]["jobs"]
    assert "job_wait" in about["calls"]["rpc"]
    assert about["settings"]["parameter_names"]["value"] == "8"
    assert about["timing"]["job_commit"]["default"] == 0.3
    assert "fails_backup" in about["faults"]["machines"]
    assert "backup-base-deleted" in about["rules"]


def test_actions_refuse_what_they_do_not_know(start: Callable[..., Simulator]) -> None:
    simulator = start()
    for path in ("/power", "/operation", "/move", "/remote"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            admin(simulator, path, {})
        assert caught.value.code == 400
    assert admin(simulator, "/move", {"master": "n12"})["master"] in ("n11", "n12")

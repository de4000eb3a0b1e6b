# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only sockets show: connections that are refused, cut or left silent, TLS, keep-alive.

A scenario: listeners, faults, TLS and a server that answers over them.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import xmlrpc.client
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.simulator import Simulator
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.threads import SPARE
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load

from .conftest import DOWN, PASSWORD, UP, Live

TWO: dict[str, Any] = {**UP, "license_servers": ["n0010", "n0009"], "storage_online": False, "databases": {"DB1": {}}}


def connect(url: str, timeout: float = 5) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=timeout)


def refuses(url: str) -> bool:
    try:
        connect(url).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass  # it stopped to listen at this very moment
    return False


def eventually(done: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_keep_alive_carries_many_calls(live: Callable[..., Live]) -> None:
    one = live()
    parts = urlsplit(one.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=5)
    connection.connect()
    first = connection.sock
    for _turn in range(3):
        connection.request("GET", "/cluster1")
        answer = connection.getresponse()
        assert (answer.status, answer.version) == (401, 11)
        answer.read()
        assert connection.sock is first
    connection.close()


@pytest.mark.parametrize(
    "data",
    [b"rubbish\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
     b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"GET http://[ HTTP/1.1\r\n\r\n",
     b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"],
)  # fmt: skip
def test_bad_http_is_answered(live: Callable[..., Live], data: bytes) -> None:
    with connect(live().url) as client:
        client.sendall(data)
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 400 ")


def test_chunked_body_and_old_http(live: Callable[..., Live]) -> None:
    with connect(live().url) as client:
        client.sendall(
            b"POST /cluster1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        )
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 401 ")
    with connect(live().url) as client:
        client.sendall(b"GET /cluster1 HTTP/1.0\r\n\r\n")
        assert b"Connection: close" in client.makefile("rb").read()


def test_what_a_request_leaves_behind_is_not_the_next_one(live: Callable[..., Live]) -> None:
    chunked = b"POST /cluster1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    head = b"HEAD /cluster1 HTTP/1.1\r\nConnection: close\r\n\r\n"
    with connect(live().url) as client:
        client.sendall(chunked + chunked + head)
        answers = client.makefile("rb").read()
    assert answers.count(b"HTTP/1.1 401 Unauthorized\r\n") == 3
    assert answers.endswith(b"\r\n\r\n")  # to HEAD no body


def test_a_client_that_waits_for_leave_to_send(live: Callable[..., Live]) -> None:
    with connect(live().url) as client:
        client.sendall(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 401 ")


def test_a_body_too_large_is_not_read(live: Callable[..., Live]) -> None:
    with connect(live().url) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n")
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 413 ")


def test_clients_that_break_off_leave_no_trace(live: Callable[..., Live], capfd: pytest.CaptureFixture[str]) -> None:
    one = live(UP, tls=True)
    for data in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
        with connect(one.url) as client:
            client.sendall(data)
    with one.context().wrap_socket(connect(one.url), server_hostname="127.0.0.1") as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")
    eventually(lambda: not one.served.listeners["n0010"]._server.connections)
    assert one.proxy().getNodeList() == ["n0011", "n0012", "n0013"]
    assert capfd.readouterr() == ("", "")


def test_without_werkzeug_it_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps(UP))
    program = (
        "import sys; sys.modules['werkzeug'] = None\n"
        "from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator import cli\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--topology", str(tmp_path / "t.json"), "--no-tls"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    words = "The simulator can't be started: it needs the Python library werkzeug, which isn't installed.\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", words)


def test_a_machine_that_is_off_refuses_and_comes_back_on_its_port(live: Callable[..., Live]) -> None:
    one = live(TWO)
    first, second = one.ready["api_url"]
    proxy = one.proxy(url=second)
    assert proxy.getNodeList() == ["n0011", "n0012", "n0013"]
    with connect(second) as idle:
        assert one.admin("POST", "/power", {"node": "n0009", "on": False})["state"] == "off"
        assert idle.recv(10) == b""  # what was connected is cut
    assert refuses(second)
    assert not refuses(first)
    one.admin("POST", "/power", {"node": "n0009", "on": True})
    eventually(lambda: not refuses(second))
    assert one.proxy(url=second).getNodeList() == ["n0011", "n0012", "n0013"]


def test_it_refuses_and_listens_time_and_again(live: Callable[..., Live]) -> None:
    one = live(UP, tls=True)
    listener = one.served.listeners["n0010"]
    for _turn in range(50):
        with connect(one.url) as idle, one.context().wrap_socket(connect(one.url), server_hostname="127.0.0.1") as busy:
            busy.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")
            listener.refuse()
            assert refuses(one.url)
            for client in (idle, busy):
                with suppress(ConnectionResetError, ssl.SSLEOFError):  # not accepted yet, or cut without a farewell
                    assert not client.recv(10)
        listener.listen()
    assert one.proxy().getNodeList() == ["n0011", "n0012", "n0013"]


def test_the_answer_to_its_own_end_arrives(live: Callable[..., Live]) -> None:
    one = live({**DOWN, "databases": {}}, "immediate")
    assert one.proxy().shutdownNode("n0010") is None
    eventually(lambda: refuses(one.url))


def test_reset_before_and_after(live: Callable[..., Live]) -> None:
    one = live(UP, "polls:99")
    one.admin("POST", "/faults", {"kind": "reset", "method": "startDatabase"})
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        one.proxy("/db_DB1").startDatabase()
    with connect(one.url) as client:
        post(client, "/db_DB1", "startDatabase")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert one.admin("GET", "/state")["databases"]["DB1"]["state"] == "setup"
    one.admin("DELETE", "/faults")
    one.admin("POST", "/faults", {"kind": "reset_after", "method": "startDatabase", "max_count": 1})
    with pytest.raises((ConnectionResetError, xmlrpc.client.Fault)):
        one.proxy("/db_DB1").startDatabase()
    assert one.admin("GET", "/state")["databases"]["DB1"]["state"] == "startup"


def post(client: socket.socket, path: str, method: str) -> None:
    """A call by hand."""
    body = f"<methodCall><methodName>{method}</methodName></methodCall>"
    token = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    head = f"POST /cluster1{path} HTTP/1.1\r\nAuthorization: Basic {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall((head + body).encode())


def test_hang(live: Callable[..., Live]) -> None:
    one = live(UP, "polls:99")
    one.admin("POST", "/faults", {"kind": "hang", "method": "startDatabase"})
    with connect(one.url, timeout=0.2) as client:
        post(client, "/db_DB1", "startDatabase")
        with pytest.raises(TimeoutError):
            client.recv(1)
    assert one.admin("GET", "/state")["databases"]["DB1"]["state"] == "setup"
    eventually(lambda: not one.served.listeners["n0010"]._server.connections)  # it waited for the client, not longer


def test_truncate(live: Callable[..., Live]) -> None:
    one = live()
    one.admin("POST", "/faults", {"kind": "truncate", "method": "getNodeList", "max_count": 1})
    with connect(one.url) as client:
        post(client, "", "getNodeList")
        head, _blank, body = client.makefile("rb").read().partition(b"\r\n\r\n")
    announced = re.search(rb"Content-Length: (\d+)", head)
    assert announced is not None
    assert 0 < len(body) < int(announced.group(1))
    one.admin("DELETE", "/faults")
    one.admin("POST", "/faults", {"kind": "truncate", "variant": "xml", "method": "getNodeList", "max_count": 1})
    with pytest.raises(ExpatError):
        one.proxy().getNodeList()
    assert one.proxy().getNodeList() == ["n0011", "n0012", "n0013"]


def test_refuse_as_long_as_the_rule_stands(live: Callable[..., Live]) -> None:
    one = live(TWO)
    first, second = one.ready["api_url"]
    fault = one.admin("POST", "/faults", {"kind": "refuse", "object": "n0010"})["id"]
    assert (refuses(first), refuses(second)) == (True, False)
    one.admin("DELETE", f"/faults?id={fault}")
    assert not refuses(first)
    one.admin("POST", "/faults", {"kind": "refuse", "seconds": 0.1})
    assert (refuses(first), refuses(second)) == (True, True)
    eventually(lambda: not refuses(first) and not refuses(second))


def test_refuse_from_a_call_on(live: Callable[..., Live]) -> None:
    one = live(UP, "polls:99")
    one.admin("POST", "/faults", {"kind": "refuse", "method": "startDatabase"})
    assert one.proxy().getNodeList() == ["n0011", "n0012", "n0013"]
    with pytest.raises(OSError, match="."):
        one.proxy("/db_DB1").startDatabase()
    eventually(lambda: refuses(one.url))
    assert one.admin("GET", "/state")["databases"]["DB1"]["state"] == "setup"
    one.admin("DELETE", "/faults")
    assert not refuses(one.url)


def test_tls(live: Callable[..., Live], tmp_path: Path) -> None:
    one = live(UP, tls=True)
    assert one.url.startswith("https://127.0.0.1:")
    assert one.proxy().getNodeList() == ["n0011", "n0012", "n0013"]
    port = urlsplit(one.url).port
    assert one.proxy(url=f"https://localhost:{port}").getNodeList()
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(connect(one.url), server_hostname="127.0.0.1")
    old = one.context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with old.wrap_socket(connect(one.url), server_hostname="127.0.0.1") as client:
        assert client.version() == "TLSv1.2"
    assert (tmp_path / "server.pem").stat().st_mode & 0o077 == 0


def test_client_certificates(live: Callable[..., Live]) -> None:
    one = live(UP, tls=True, client_certificates=True)
    context = one.context()
    stranger = context.wrap_socket(connect(one.url), server_hostname="127.0.0.1")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        stranger.recv(1)  # TLS 1.3 tells the client only when it reads
    stranger.close()
    context.load_cert_chain(one.ready["client_cert"], one.ready["client_key"])
    with context.wrap_socket(connect(one.url), server_hostname="127.0.0.1") as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 401"


def test_a_silent_client_holds_up_nobody(live: Callable[..., Live]) -> None:
    one = live(UP, tls=True)
    with connect(one.url), connect(one.url):
        assert one.proxy().getNodeList() == ["n0011", "n0012", "n0013"]


def test_a_blocking_call_holds_up_nobody(live: Callable[..., Live]) -> None:
    one = live({**DOWN, "nodes": ["n0011"], "databases": {}, "timing": {"storage_start": 300}})
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(one.proxy("/storage").startEXAStorage()))
    thread.start()
    eventually(lambda: one.admin("GET", "/state")["storage_state"] == "starting")
    assert one.proxy().getServiceState()[2] == ["Storaged", "starting"]
    thread.join(5)
    assert answers == ["OK"]


def test_many_at_once(live: Callable[..., Live]) -> None:
    nodes = {f"n{number:04d}": {"state": "offline"} for number in range(11, 75)}
    one = live({**DOWN, "nodes": nodes, "databases": {}}, "immediate")

    def start(names: list[str]) -> None:
        proxy = one.proxy()
        for name in names:
            proxy.startupNode(name)

    names = list(nodes)
    threads = [threading.Thread(target=start, args=(names[index::8],)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert {row["state"] for row in one.admin("GET", "/state")["nodes"].values()} == {"online"}
    assert sorted(row["n"] for row in one.admin("GET", "/calls")) == list(range(1, 65))
    assert one.admin("GET", "/rules") == []


def threads() -> list[str]:
    """Those of all simulators of this process: one for all sockets, one for all clocks, one per request under way."""
    return [one.name for one in threading.enumerate() if one.name.startswith("simulator: ")]


def test_how_many_threads_many_clusters_need(tmp_path: Path) -> None:
    """None for a listener, none for a connection on which nothing comes; and those under way aren't held up."""
    rows = [{**UP, "name": f"exa-{number}"} for number in range(150)]
    simulator = Simulator(load(rows), directory=tmp_path)
    simulator.start()
    try:
        eventually(lambda: len(threads()) <= 2 + SPARE, 60)  # those that tests before this one left
        lives = [Live(simulator, served) for served in simulator.served.values()]
        context = lives[0].context()
        open_ones = [context.wrap_socket(connect(one.url), server_hostname="127.0.0.1") for one in lives]
        for client in open_ones * 2:
            post(client, "", "getNodeList")
            assert client.recv(9) == b"HTTP/1.1 "
            while b"</methodResponse>" not in client.recv(65536):
                pass
        eventually(lambda: len(threads()) <= 2 + SPARE, 60)
        lives[0].admin("POST", "/faults", {"kind": "hang", "method": "getNodeList"})
        hung = [context.wrap_socket(connect(lives[0].url), server_hostname="127.0.0.1") for _turn in range(SPARE + 5)]
        for client in hung:
            post(client, "", "getNodeList")
        eventually(lambda: len(threads()) >= 2 + len(hung), 60)
        assert lives[1].proxy().getNodeList() == ["n0011", "n0012", "n0013"]
        for client in [*open_ones, *hung]:
            client.close()
        eventually(lambda: len(threads()) <= 2 + SPARE, 60)
    finally:
        simulator.stop()

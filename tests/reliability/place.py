# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated cluster behind the client's own HTTP layer, in virtual time, whose client can be killed at any call."""

from __future__ import annotations

import json
import re
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from enum import Enum
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Optional
from urllib.parse import urlsplit

from ansible_collections.dbfleet.cluster.plugins.module_utils._http.proxies import basic
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.transport import Reply
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.clock import Clock
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.faults import parse
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.http import Answer, Request
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.products import PRODUCTS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load
from ansible_collections.dbfleet.cluster.tests.reliability.loom import Loom
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import (
    CUT_OFF,
    HUNG,
    LOST,
    REFUSED,
    FakeTransport,
    Sent,
)

PASSWORD = "s3cr3t w0rd"

QUICKEST, SLOWEST = 0.002, 0.03
"""Seconds that an answer takes, at least and at most."""

PORTS = {"nuodb": 8888, "exasol": 443}

MOVING = {
    "jobs", "revision", "clock", "cluster_time", "incarnation", "epoch", "tombstones", "values",
    "next_start_id", "leader_candidates", "process_states", "hotCopyId", "uri", "stage", "beginTimestamp",
    "endTimestamp",
}  # fmt: skip
"""What changes by itself, or with each run."""


class Moment(Enum):
    """When the process is killed, seen from one of its calls."""

    BEFORE = "before it reaches the server"
    ACTED = "when the server has acted, and its answer has not come"
    ANSWERED = "behind its answer"


class Weather(Enum):
    """What becomes of a call."""

    REFUSED = "the connection is refused"
    RESET = "the connection is reset before the server reads"
    LOST = "the server acts, and the connection is reset before its answer"
    HUNG = "nothing comes, and nothing is done"
    HUNG_ACTED = "the server acts, and its answer never comes"
    SLOW = "the server takes its time"
    TRUNCATED = "the server acts, and half of its answer comes"
    HTML = "a proxy answers in its place"
    ERROR = "the server fails with 500 and without its own words"
    DENIED = "the server takes the password for wrong"
    ELSEWHERE = "a proxy sends the client elsewhere"
    LOOP = "a proxy sends the client back to where it is"
    WRONG_TYPE = "the answer is of another kind"
    UNKNOWN = "the server tells states that nobody knows"
    LAGS = "a server that lags answers with what it said before"


class Cut(NamedTuple):
    """Where a run is killed.

    :param number: of the call, from 1 on.
    """

    number: int
    moment: Moment


ELSEWHERE = "elsewhere.example"
"""Somebody else, to whom a redirect leads."""

STATES = re.compile(rb"\b(online|running|Running|setup|OK|ONLINE|RUNNING|MONITORED|NOT_RUNNING|ACTIVE)\b")
"""States of all servers, as they stand in their answers."""

NOT_DONE = {Weather.REFUSED: REFUSED, Weather.RESET: LOST}
DONE = {Weather.LOST: LOST, Weather.TRUNCATED: CUT_OFF}
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
INSTEAD = {
    Weather.HTML: Reply(502, PAGE, "", "Bad Gateway"),
    Weather.ERROR: Reply(500, b"", "", "Internal Server Error"),
    Weather.DENIED: Reply(401, b"", "", "Unauthorized"),
    Weather.ELSEWHERE: Reply(302, b"", f"https://{ELSEWHERE}/", "Found"),
    Weather.WRONG_TYPE: Reply(200, b"[[]]", "", "OK"),
}


class Place(FakeTransport):
    """A cluster, and the way to it.

    :ivar sent: how many calls were sent since the last `forget`.
    :ivar acted: whether each of them changed something.
    :ivar cut: where the run that is under way is killed.
    :ivar weather: by the number of a call, what becomes of it.
    :ivar home: of who runs what reaches this place; it is there after a kill, as a disk is.
    :ivar asked: the hosts that were called.
    :ivar met: the weather that calls met since the last `forget`.
    :ivar heard: how many calls got an answer since then.
    """

    def __init__(self, loom: Loom, topology: dict[str, Any]) -> None:
        self.loom = loom
        self.product: str = topology["product"]
        self.provider: str = topology.get("provider", "exaoperation") if self.product == "exasol" else "nuodb"
        whole = {**deepcopy(topology), "users": [{"name": "admin", "password": PASSWORD}]}
        spec = load(whole)[0]
        self.service: Any = PRODUCTS[self.product].serve(spec, Clock("seconds:1", monotonic=loom.monotonic))
        self.cluster = self.service.cluster
        self.hosts = list(spec.listeners)
        self.port = PORTS[self.product]
        self.cluster.urls = {name: f"https://{name}:{self.port}" for name in self.hosts}
        self.sent = 0
        self.acted: list[bool] = []
        self.cut: Optional[Cut] = None
        self.weather: dict[int, Weather] = {}
        self.asked: set[str] = set()
        self.met: list[Weather] = []
        self.heard = 0
        self._said: dict[tuple[str, str, bytes], Reply] = {}
        self._is_over = False
        self.home = TemporaryDirectory(prefix="dbfleet-home-")

    @property
    def urls(self) -> list[str]:
        return [f"https://{name}:{self.port}" for name in self.hosts]

    def forget(self) -> None:
        """What was sent so far."""
        self.sent, self.acted, self.met, self.cut, self._is_over, self.heard = 0, [], [], None, False, 0
        self.cluster.record.clear()

    @property
    def changes(self) -> Counter[str]:
        """The changing calls that the server carried out."""
        return Counter(spoken(row) for row in self.cluster.record.calls() if is_told(row))

    def _carried_out(self) -> int:
        """How many changing calls the server has carried out, with those that only keep a lease or a mark."""
        return sum(map(is_carried_out, self.cluster.record.calls()))

    @property
    def rules(self) -> list[str]:
        return [f"{row['rule']}: {row['object']}: {row['text']}" for row in self.cluster.record.rules]

    def exchange(self, url: str, request: Any, headers: dict[str, str], connect: float, timeout: float) -> Reply:
        if self._is_over:
            self.loom.kill()
        sent = Sent(request.verb, url + request.path, request.path, headers, request.body)
        self.asked.add(urlsplit(sent.url).hostname or "")
        self.sent += 1
        self.acted.append(False)
        number = self.sent
        moment = self.cut.moment if self.cut and number == self.cut.number else None
        if moment is Moment.BEFORE:
            self.loom.kill()
        self._travel()
        before = self._carried_out()
        try:
            reply = self._in_weather(sent, timeout, self.weather.get(number))
        finally:
            self.acted[number - 1] = self._carried_out() > before
            if moment is Moment.ACTED:
                self.loom.kill()
        self.heard += reply not in INSTEAD.values()
        self._is_over |= moment is Moment.ANSWERED
        self._travel()
        return reply

    def _travel(self) -> None:
        self.loom.rest(self.loom.dice.uniform(QUICKEST, SLOWEST) / 2)

    def _in_weather(self, sent: Sent, timeout: float, weather: Optional[Weather]) -> Reply:
        key = (sent.method, sent.url, sent.body or b"")
        if weather is None:
            self._said[key] = reply = self._answered(sent, timeout)
            return reply
        self.met.append(weather)
        if weather in NOT_DONE:
            raise NOT_DONE[weather]
        if weather is Weather.LOOP:
            return Reply(302, b"", sent.url, "Found")
        if weather in INSTEAD:
            return INSTEAD[weather]
        if weather is Weather.HUNG:
            self.loom.rest(timeout)
            raise HUNG
        if weather is Weather.LAGS:
            return self._said.get(key) or self._answered(sent, timeout)
        if weather is Weather.SLOW:
            self.loom.rest(timeout / 3)
        reply = self._answered(sent, timeout)
        if weather is Weather.HUNG_ACTED:
            self.loom.rest(timeout)
            raise HUNG
        if weather in DONE:
            raise DONE[weather]
        if weather is Weather.UNKNOWN:
            return replace(reply, body=STATES.sub(b"PONDERING", reply.body))
        return reply

    def _answered(self, sent: Sent, timeout: float) -> Reply:
        parts = urlsplit(sent.url)
        host = parts.hostname or ""
        if parts.port != self.port or host not in self.hosts or not self._listens(host):
            raise REFUSED
        headers = {key.lower(): str(value) for key, value in sent.headers.items()}
        answer: Answer = self.service.answer(host, Request(sent.method, sent.path_url, headers, sent.body or b""))
        if answer.breakage == "hang":
            self.loom.rest(timeout)
            raise HUNG
        if answer.breakage:
            raise LOST if answer.breakage == "reset" else CUT_OFF
        return Reply(answer.status, answer.body, answer.headers.get("Location", ""), "Reason")

    def _listens(self, host: str) -> bool:
        with self.cluster.lock:
            self.cluster.settle()
        return bool(self.service.listens(host))

    def press(self, path: str, **body: Any) -> None:
        """What somebody does to the cluster itself, as a power button."""
        with self.cluster.lock:
            self.cluster.settle()
            self.service.actions[path](body)

    def ask(self, verb: str, path: str, body: Any) -> None:
        """A call of NuoDB's API by somebody else."""
        headers = {"authorization": basic("admin", PASSWORD), "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        answer = self.service.answer(self.hosts[0], Request(verb, f"/api/1/{path}", headers, content))
        assert answer.status == 200, answer

    def spoil(self, **fault: Any) -> None:
        """A fault of machines, as the admin endpoint takes one."""
        rule = parse(fault, self.service.on_machines)
        with self.cluster.lock:
            self.service.check(rule)
            self.cluster.faults.add(rule)
            if rule.kind == "dies":
                self.cluster.dies(rule)

    def mend(self) -> None:
        """Every fault is gone."""
        with self.cluster.lock:
            self.cluster.faults.remove()
            self.cluster.release()

    def settle(self, rest: float = 0.0) -> None:
        """Lets what is under way end."""
        self.loom.advance(rest)
        with self.cluster.lock:
            self.cluster.settle()

    def state(self) -> dict[str, Any]:
        """What there is, without what moves by itself, and without the numbers that each process gets anew."""
        with self.cluster.lock:
            self.cluster.settle()
            state = deepcopy(self.cluster.state())
        if self.product == "nuodb":
            processes = state.pop("processes").values()
            state["engines"] = Counter(tuple(str(row.get(name)) for name in ENGINE) for row in processes)
        return dict(_still(state))


ENGINE = ("db_name", "engine_type", "server_id", "archive_id", "durable_state", "engine_state")
"""What tells one engine from another."""


def _still(value: Any) -> Any:
    if isinstance(value, Counter):
        return {" ".join(key): count for key, count in value.items()}
    if isinstance(value, dict):
        return {key: _still(row) for key, row in value.items() if key not in MOVING}
    return [_still(row) for row in value] if isinstance(value, (list, tuple)) else value


UNTOLD = ("expectedIncarnation", "labels", "overrideOptions")
"""What a request for a process says besides which one it is."""


def spoken(row: dict[str, Any]) -> str:
    """A changing call in words: what was asked of which object."""
    args = row.get("args")
    if isinstance(args, dict) and isinstance(args.get("body"), dict):
        args = {**args, "body": {name: args["body"][name] for name in sorted(args["body"]) if name not in UNTOLD}}
    return " ".join(str(one) for one in (row["method"], row.get("path"), args) if one)


def is_carried_out(row: dict[str, Any]) -> bool:
    """Whether a recorded call changed anything."""
    return bool(row.get("changing")) and row.get("fault") is None


def is_told(row: dict[str, Any]) -> bool:
    """Whether a recorded call changed the cluster; a lease is kept by each run anew."""
    return is_carried_out(row) and "kvstore" not in str(row.get("path"))

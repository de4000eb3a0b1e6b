# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the two servers is there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    Denied,
    Fault,
    Garbled,
    Unreachable,
    Untrusted,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.cluster import ConfdCluster
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.jobs import ConfdJobs
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.detection import DetectedCluster
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.transport import NoAnswer
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import LOGIN_PAGE, Nodes
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.simulated import Simulated, calls
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import REFUSED, UNTRUSTED


class Eao:
    """An EXAoperation, or nobody."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, []
        self.name, self.url, self.urls, self.api_calls = "exa-unit", "https://n11:443", ["https://n11:443"], 0

    def databases(self) -> Any:
        self.asked.append("databases")
        self.api_calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    nodes = databases

    def answers(self) -> bool:
        return True

    def stop_database(self, name: str) -> None:
        self.asked.append(f"stop {name}")


def auto(eao: Eao, simulated: Simulated) -> DetectedCluster:
    def confd() -> Any:
        jobs = simulated.jobs()
        return ConfdCluster(jobs), jobs.session

    return DetectedCluster(eao, SimpleNamespace(rounds=2), confd)  # type: ignore[arg-type]


def test_exaoperation_is_known_by_its_first_answer():
    eao, simulated = Eao(["DB1"]), Simulated()
    found = auto(eao, simulated)
    assert found.databases() == ["DB1"]
    found.stop_database("DB1")
    assert eao.asked == ["databases", "stop DB1"]
    assert calls(simulated) == []
    assert found.api_calls == 1


@pytest.mark.parametrize("error", [Garbled("HTML"), Unreachable("404"), Fault("unknown method"), Denied("401")])
def test_confd_is_known_by_its_master(error):
    eao, simulated = Eao(error), Simulated()
    found = auto(eao, simulated)
    assert found.databases() == ["DB1"]
    assert found.provider.name == "confd"
    assert found.nodes() == ["n11", "n12", "n13"]
    assert eao.asked == ["databases"]
    assert found.api_calls > 1
    assert found.url == "https://n12:443"


def test_before_anything_is_changed_it_is_known_who_is_there():
    eao = Eao(Garbled("HTML"))
    found = auto(eao, Simulated())
    found.start_database("DB1")
    assert eao.asked == ["databases"]
    assert found.database("DB1").accepts_connections


def test_where_neither_is_there_exaoperations_error_is_told():
    eao = Eao(Unreachable("exa-unit: nobody"))
    found = DetectedCluster(eao, SimpleNamespace(rounds=2), lambda: None)  # type: ignore[arg-type]
    for _attempt in range(2):
        with pytest.raises(Unreachable, match="exa-unit: nobody"):
            found.nodes()
    assert eao.asked == ["databases"] * 4
    eao.answer = ["DB1"]
    assert found.nodes() == ["DB1"]
    assert found.answers()


def unknown(error: Exception, nodes: Nodes, *urls: str) -> tuple[DetectedCluster, Eao]:
    """A cluster at https://n11:443 of which EXAoperation's half says this."""
    eao, session = Eao(error), nodes.session(*(urls or ("n11",)))
    return DetectedCluster(eao, SimpleNamespace(rounds=2), lambda: (ConfdCluster(ConfdJobs(session)), session)), eao  # type: ignore[arg-type]


REFUSED_443 = "exa-unit: getNodeList() at https://n11:443: connection refused"


@pytest.mark.parametrize(
    ("weather", "kind", "says", "hint"),
    [
        (UNTRUSTED, Untrusted, "GET /master at https://n11:20003: the server's certificate is for another", "ca_path"),
        ((503, b""), Unreachable, "GET /master at https://n11:20003: the service is not available", "majority"),
        ((401, b""), Denied, "GET /master at https://n11:20003: the server refused user 'admin'", ""),
        ((500, b""), Unreachable, "GET /master at https://n11:20003: the server answered HTTP 500", ""),
    ],
)
def test_where_neither_is_there_what_confds_port_said_is_told_too(weather, kind, says, hint):
    nodes = Nodes("n11:20003")
    nodes.odd["n11:20003"] = weather
    found, _eao = unknown(Unreachable(REFUSED_443), nodes)
    with pytest.raises(kind) as caught:
        found.databases()
    assert caught.value.message.startswith(f"{REFUSED_443}; exa-unit: {says}")
    assert caught.value.message.count("n11:443") == 1
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("weather", [REFUSED, LOGIN_PAGE, NoAnswer("no connection within 10 s", silent=True)])
def test_what_confds_port_says_everywhere_is_not_told(weather):
    nodes = Nodes("n11:20003")
    nodes.odd["n11:20003"] = weather
    with pytest.raises(Unreachable) as caught:
        unknown(Unreachable(REFUSED_443), nodes)[0].databases()
    assert caught.value.message == REFUSED_443


def test_a_confd_whose_master_cannot_be_reached_is_not_taken_for_exaoperation():
    nodes = Nodes("n11:20003", master="10.0.0.12:20003")
    nodes.odd["10.0.0.12:20003"] = REFUSED
    found, eao = unknown(Garbled("exa-unit: HTML"), nodes)
    with pytest.raises(Unreachable, match=r"^exa-unit: GET /master at https://10.0.0.12:20003: .*as the master, and"):
        found.databases()
    assert eao.asked == ["databases"]


def test_a_password_that_was_refused_is_not_tried_again():
    nodes = Nodes("n11:443")
    nodes.odd["n11:443"] = (401, b"")
    found, eao = unknown(Denied("exa-unit: refused"), nodes)
    with pytest.raises(Denied, match="^exa-unit: refused$"):
        found.databases()
    assert eao.asked == ["databases"]
    assert [one.authorized for one in nodes.sent] == [False, False]


def test_where_exaoperation_said_no_nothing_else_is_told():
    nodes = Nodes("n11:20003")
    nodes.odd["n11:20003"] = UNTRUSTED
    with pytest.raises(Fault, match="^exa-unit: no such thing$"):
        unknown(Fault("exa-unit: no such thing"), nodes)[0].databases()


def test_where_nothing_is_known_whatever_answers_may_be_confds():
    """HTTP 503 may be that of a node without a master, though of EXAoperation it would be a gateway's."""
    session = SimpleNamespace(answers=lambda: "https://n11:20003: HTTP 503", api_calls=2)
    found = DetectedCluster(Eao(Unreachable("503")), SimpleNamespace(rounds=2), lambda: (None, session))  # type: ignore[arg-type]
    assert found.answers() == "https://n11:20003: HTTP 503"
    assert found.api_calls == 2

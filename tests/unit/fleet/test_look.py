# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of each cluster of a fleet."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.modules import exa_cluster_info
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet import look
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.meant import Meant

NODES = {"n11": {"state": "online"}, "n12": {"state": "offline"}}
CLUSTER = {"version": "6.2.1", "nodes": NODES, "services": {"Storaged": "OK"}, "databases": {}}
READ = {"cluster": CLUSTER, "summary": "exa: as it is", "api_calls": 9, "warnings": ["exa: unencrypted"]}


def rows(read: Any, *meant: Meant, timeout: float = 60) -> dict[str, Any]:
    return dict(one for one in look.rows(meant, read, 4, timeout) if one)


def test_a_row_of_each_product() -> None:
    domain = {"version": "4.2", "servers": {}, "databases": {}, "archives": {}, "processes": {}}
    read = {"exa": READ, "nuo": {"domain": domain, "summary": "nuo: as it is", "api_calls": 4}}
    found = rows(
        lambda one: read[one.name], Meant("exa", "exa", {}, "degraded", ignore_nodes=[]), Meant("nuo", "nuodb", {})
    )
    exa, nuo = found["exa"], found["nuo"]
    assert (exa["product"], exa["state"], exa["fails"], exa["version"]) == ("exasol", "degraded", True, "6.2.1")
    assert exa["counts"] == {
        "nodes": 2, "nodes_up": 1, "services": 1, "services_up": 1, "databases": 0, "databases_up": 0,
    }  # fmt: skip
    assert (exa["cluster"], exa["api_calls"]) == (CLUSTER, 9)
    assert nuo["state"] == "degraded"  # nobody leads it
    assert (nuo["fails"], nuo["domain"], nuo["counts"]["servers_up"]) == (False, domain, 0)


def test_a_node_that_need_not_be_online() -> None:
    found = rows(lambda _one: READ, Meant("exa", "exa", {}, "degraded", ignore_nodes=["12"]))
    assert (found["exa"]["state"], found["exa"]["fails"]) == ("up", False)


def test_one_that_fails_and_one_that_is_late() -> None:
    late = threading.Event()

    def read(one: Meant) -> dict[str, Any]:
        if one.name == "late":
            late.wait(30)
        return {"failed": True, "msg": f"{one.name}: HTTP 401", "hint": "mend it"}

    found = rows(read, Meant("wrong", "exa", {}), Meant("late", "nuodb", {}), timeout=1.5)
    late.set()
    assert found["wrong"]["summary"] == "wrong: not read: HTTP 401"
    assert found["late"]["summary"] == "late: unreachable: it did not report its state within 1.5 s [DBF-4004]"
    assert all(row["state"] == "unreachable" and row["fails"] and row["counts"] == {} for row in found.values())


def test_a_warning_of_many_is_said_once() -> None:
    found = {name: {"warnings": [f"{name}: unencrypted", "odd"]} for name in ("a", "b")}
    assert look.warnings(found) == ["a b: unencrypted", "a b: odd"]
    assert found == {"a": {}, "b": {}}


def test_the_total() -> None:
    states = ["up", "down", "up", "unreachable"]
    assert look.total({"state": state} for state in states) == "4 clusters: 1 unreachable, 1 down, 2 up"
    assert look.total([{"state": "up"}]) == "1 cluster: 1 up"
    assert look.total([]) == "0 clusters: none"
    silent = [
        {"state": "unreachable", "summary": f"exa: {kind}: HTTP 401"} for kind in ("refused", "not read", "unreachable")
    ]
    assert look.total([*silent, {"state": "up"}]) == "4 clusters: 1 unreachable, 1 refused, 1 not read, 1 up"


def test_what_reads_a_cluster() -> None:
    """Each problem is its result; nothing is sent."""

    def completed(asked: dict[str, Any], _spec: dict[str, Any]) -> dict[str, Any]:
        if "refused" in asked["api_url"]:
            raise ClusterError("api_url is refused")
        return asked

    def says(**options: Any) -> str:
        return str(look.reader(Meant("exa", "exa", options), completed, 60)()["msg"])

    sick = look.reader(Meant("exa", "exa", {}, problem="exa: no such host"), completed, 60)()
    assert sick["msg"] == "exa: no such host [DBF-7006]"
    assert says(api_url=["refused"]) == "exa: api_url is refused [DBF-7001]"
    assert says(api_url=["n10"], provider="other").startswith("exa: value of provider must be one of")
    assert says(api_url=[]) == "exa: no api_url is given (option api_url, a profile, or EXA_API_URL) [DBF-7002]"


def test_an_answer_is_not_waited_for_longer_than_for_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    monkeypatch.setattr(look, "_read", lambda _module, params, _more: given.append(params["request_timeout"]) or {})
    for timeout in (5, 60):
        look.reader(Meant("exa", "exa", {"api_url": ["n10"]}), lambda asked, _spec: asked, timeout)()
    assert given == [5, 30]


def test_no_password_of_a_cluster_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a warning, and where it stands by mistake for something else."""

    def run(task: Any) -> dict[str, Any]:
        task.warn(f"exa: no {task.params['api_password']}, no {quote(task.params['api_password'])}")
        return dict(READ)

    monkeypatch.setattr(exa_cluster_info, "run", run)
    given = {"api_url": ["n10"], "api_password": "s3 'cret"}

    def read(**more: Any) -> dict[str, Any]:
        return look.reader(Meant("exa", "exa", {**given, **more}), lambda asked, _spec: asked, 60)()

    assert read()["warnings"] == ["exa: no ********, no ********"]
    assert read(provider=given["api_password"])["msg"].endswith("got: ******** [DBF-7001]")

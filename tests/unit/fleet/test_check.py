# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of several hosts by one task: which it takes, what is said of each, what comes of each."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import direct, progress
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.check import Check
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.check import CHECKS
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.conftest import (
    found_out,
    local_tmp,
    roles,
    said,
    stage,
)
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.plays import template_of

__all__ = ["found_out", "local_tmp", "roles", "said", "stage"]  # pytest finds them here

pytestmark = pytest.mark.usefixtures("roles")

GOOD = {"urls": [{"ok": True}], "problems": [], "hints": []}
BAD = {"urls": [{"ok": False}], "problems": ["n11: no route"], "hints": ["Ask Bob"]}
EXASOL = {"cluster": {"nodes": {}}, "summary": "all is well", "denied": []}
NUODB = {"domain": {"servers": {}}, "summary": "all is well", "notes": []}
LOCAL = {"ansible_connection": "local"}


class Fleet:
    """A play of hosts whose modules answer what the test wants."""

    def __init__(self, stage: Any, monkeypatch: pytest.MonkeyPatch, **of: dict[str, Any]) -> None:
        self.hosts = {name.replace("_", "-"): {**LOCAL, **given} for name, given in of.items()}
        made = stage(CHECKS["exasol"], tuple(self.hosts), of=self.hosts)
        fake, self.task_vars = made.action()
        self.task = fake.task
        self.bad: set[str] = set()
        self.gates: dict[str, threading.Event] = {}
        self.action = made.plugin(direct.Direct, self.task, self.task_vars)
        answered = self._answered
        monkeypatch.setattr(
            direct.Direct, "_in_process", lambda action, module, args, _place="": answered(action, module, args)
        )
        self.names = made.play_hosts()
        self.elsewhere: Optional[list[str]] = None

    def _answered(self, action: Any, module: Any, args: dict[str, Any]) -> dict[str, Any]:
        name, host = module.__name__.rpartition(".")[2], args.get("cluster_name", "")
        if host in self.gates:
            assert self.gates[host].wait(30)
        if name.endswith("connection_info"):
            action._shown(SimpleNamespace(text=str), "auto")([f"[{host}] its URL"])
            return {**(BAD if host in self.bad else GOOD), "warnings": ["odd"]}
        return {"exa_cluster_info": EXASOL, "nuodb_domain_info": NUODB}.get(name, {})

    def check(self, most: int = 16) -> dict[str, Any]:
        check = Check(self.action, self.task_vars)
        self.elsewhere = check.take(self.names)
        return dict(one for one in check.rows(most) if one)


@pytest.fixture
def fleet(stage: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda **of: Fleet(stage, monkeypatch, **of)


def test_what_comes_of_each(fleet: Any, said: list[str]) -> None:
    made = fleet(exa_a={"exa_api_url": "n10"}, exa_b={"exa_api_url": "n20"}, nuo_a={"nuodb_api_url": "ap0"})
    made.bad.add("exa-b")
    rows = made.check()
    assert {name: (row["product"], row["fails"], row["problem"]) for name, row in rows.items()} == {
        "exa-a": ("exasol", False, ""),
        "exa-b": ("exasol", True, "n11: no route. Ask Bob [DBF-1010]"),
        "nuo-a": ("nuodb", False, ""),
    }
    assert rows["exa-b"]["stats"] == {"problems": ["n11: no route"], "summary": ""}
    assert list(rows["nuo-a"]["found"])[:2] == ["connection", "info"]
    assert "odd" in rows["exa-a"]["warnings"]
    assert made.elsewhere == []
    assert sorted(said) == [
        "[exa-a] all is well", "[exa-a] its URL", "[exa-b] its URL", "[nuo-a] all is well", "[nuo-a] its URL",
    ]  # fmt: skip
    assert said.index("[exa-a] all is well") == said.index("[exa-a] its URL") + 1


def test_one_that_is_slow_holds_nobody_up(fleet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the only place, and gives it away."""
    monkeypatch.setattr("ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.check.SLOW", 0.05)
    made = fleet(exa_a={"exa_api_url": "n10"}, exa_b={"exa_api_url": "n20"}, exa_c={"exa_api_url": "n30"})
    made.gates["exa-a"] = threading.Event()
    check = Check(made.action, made.task_vars)
    check.take(made.names)
    told = []
    for one in check.rows(1):
        if one:
            told.append(one[0])
        if len(told) == 2:
            made.gates["exa-a"].set()
    assert told == ["exa-b", "exa-c", "exa-a"]


def test_a_host_alone_is_told_of_at_once(fleet: Any, said: list[str]) -> None:
    made = fleet(exa_a={"exa_api_url": "n10"})
    made.gates["exa-a"] = threading.Event()
    check = Check(made.action, made.task_vars)
    check.take(made.names)
    rows = check.rows(16)
    assert next(rows) is None
    made.gates["exa-a"].set()
    while next(rows) is None:
        pass
    assert said == ["[exa-a] its URL", "[exa-a] all is well"]


@pytest.mark.parametrize("place", [progress.OFF, False])
def test_a_host_of_which_nothing_is_to_be_shown(fleet: Any, said: list[str], place: Any) -> None:
    made = fleet(exa_a={"exa_api_url": "n10", "dbfleet_progress": place}, exa_b={"exa_api_url": "n20"})
    made.check()
    assert said == ["[exa-b] its URL", "[exa-b] all is well"]


def test_what_is_refused_of_a_host(fleet: Any) -> None:
    made = fleet(
        exa_a={"exa_api_url": "n10"}, exa_b={"exa_api_url": "https://n10"}, exa_c={"dbfleet_product": "oracle"},
        exa_d={"exa_api_url": template_of("{{ nowhere }}")}, exa_e={"exa_api_url": "n50"},
    )  # fmt: skip
    rows = made.check()
    shared = "share an API endpoint: they are one cluster under several names; target one of them [DBF-7015]"
    assert rows["exa-a"]["problem"] == f"exa-a and exa-b {shared}"
    assert rows["exa-c"]["problem"] == "exa-c: dbfleet_product is oracle: it takes exasol or nuodb [DBF-7006]"
    assert rows["exa-d"]["problem"].startswith("exa_api_url has no value: ")
    assert {name for name, row in rows.items() if not row["fails"]} == {"exa-e"}
    assert all(row["failure"] == "refused" for row in rows.values() if row["fails"])
    assert rows["exa-a"]["stats"]["problems"] == ["the check did not finish"]


def test_a_host_may_have_the_variables_of_another(fleet: Any) -> None:
    other = {"exa_api_url": template_of("{{ hostvars['exa-a'].exa_api_url }}")}
    made = fleet(exa_a={"exa_api_url": "n10"}, exa_b=other)
    assert all("share an API endpoint" in row["problem"] for row in made.check().values())


@pytest.mark.parametrize(
    ("given", "keywords"),
    [
        ({"ansible_connection": "ssh"}, {}),
        ({"ansible_connection": template_of("{{ nowhere }}")}, {}),
        ({"mine": "p"}, {"environment": [{"HTTPS_PROXY": template_of("{{ mine | default('') }}")}]}),
    ],
)
def test_a_host_whose_modules_run_elsewhere(fleet: Any, given: dict[str, Any], keywords: dict[str, Any]) -> None:
    made = fleet(exa_a={"exa_api_url": "n10"}, exa_b={"exa_api_url": "n20", **given})
    for name, value in keywords.items():
        setattr(made.task, name, value)
    assert list(made.check()) == ["exa-a"]
    assert made.elsewhere == ["exa-b"]


@pytest.mark.parametrize("keyword", ["become", "delegate_to", "async_val"])
def test_a_task_whose_modules_run_elsewhere(fleet: Any, keyword: str) -> None:
    made = fleet(exa_a={"exa_api_url": "n10"}, exa_b={"exa_api_url": "n20"})
    setattr(made.task, keyword, 1)
    assert made.check() == {}
    assert made.elsewhere == ["exa-a", "exa-b"]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder for the run of ansible-playbook that isn't there, and plays with a role in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Optional

import pytest
import yaml
from ansible import constants
from ansible.utils.display import Display
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import check, variables
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.definition import Runbook
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.demo import DEMO, OPTIONS
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.plays import Stage, Through, calls_of


@pytest.fixture(autouse=True)
def local_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of one run of ansible-playbook: nothing of it is in pytest's own."""
    folder = tmp_path / "local"
    folder.mkdir()
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(folder))
    return folder


@pytest.fixture(scope="session")
def found_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is the same in all tests about the roles of the collection: how their variables are described."""
    folder = tmp_path_factory.mktemp("found_out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "DEFAULT_LOCAL_TMP", str(folder))
        for product, books in {"exa_": check.EXASOL, "nuodb_": check.NUODB}.items():
            variables.misspelt(books[0].name, product, {})
        for name in (*RUNBOOKS, "check"):
            variables.options_of(name)
    return folder


@pytest.fixture
def roles(local_tmp: Path, found_out: Path) -> None:
    """The roles of the collection are known already, which takes its time."""
    shutil.copytree(found_out, local_tmp, dirs_exist_ok=True)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was shown."""
    lines: list[str] = []
    monkeypatch.setattr(Display, "display", lambda _self, text, **_more: lines.extend(text.split("\n")))
    return lines


@pytest.fixture
def new_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives a role of the test's own variables. There are no other roles then."""

    def make(name: str, **options: dict[str, Any]) -> None:
        monkeypatch.setattr(variables, "ROLES", tmp_path / "roles")
        path = tmp_path / "roles" / name / "meta/argument_specs.yml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump({"argument_specs": {"main": {"options": options}}}), encoding="utf-8")

    return make


@pytest.fixture
def stage(tmp_path: Path, cli: Callable[..., None], said: list[str]) -> Callable[..., Stage]:
    """Makes a play of some hosts with a runbook's role. The variables of all hosts are given by their names."""

    def make(
        book: Runbook,
        hosts: Iterable[str] = ("exa-a",),
        *,
        of: Optional[Mapping[str, Mapping[str, Any]]] = None,
        answers: Optional[dict[str, Any]] = None,
        check: bool = False,
        play: Optional[Mapping[str, Any]] = None,
        **given: Any,
    ) -> Stage:
        all_of = {host: {**given, **(of or {}).get(host, {})} for host in hosts}
        return Stage(tmp_path, book, all_of, said, check, play or {}, answers if answers is not None else {})

    return make


@pytest.fixture
def demo(new_role: Callable[..., None], stage: Callable[..., Stage]) -> Callable[..., Stage]:
    """Makes a play with the runbook of `demo.py`."""
    new_role("exa_demo", **OPTIONS)

    def make(*hosts: str, book: Runbook = DEMO, **more: Any) -> Stage:
        return stage(book, hosts or ("exa-a",), **more)

    return make


@pytest.fixture
def through(stage: Callable[..., Stage], roles: None) -> Callable[..., Through]:
    """Runs one of the collection's runbooks up to the first hook, with modules that answer what the test wants."""

    def go(book: Runbook, answers: dict[str, Any], *hosts: str, check: bool = False, **given: Any) -> Through:
        host = f"{book.product}-a"
        made = stage(book, hosts or (host,), answers=answers, check=check, **{"confirm": host, **given})
        course = made.course()
        return Through(course.first(), calls_of(course.run), made.said, course)

    return go

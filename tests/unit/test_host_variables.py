# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of another host than the task's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.host_variables import HostVariables


class Manager:
    """As ansible-core's, which lists the hosts of the play where it isn't told them."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def get_vars(
        self, play: Any, host: Any, task: Any, _hosts: Optional[list[str]] = None, _hosts_all: Any = None
    ) -> dict[str, Any]:
        self.asked.append({"play": play, "task": task, "hosts": _hosts, "all": _hosts_all})
        return {"exa_api_url": host.name, "ansible_play_hosts_all": _hosts_all or ["listed"]}


class Older:
    def get_vars(self, play: Any, host: Any, task: Any) -> dict[str, Any]:
        return {"exa_api_url": host.name}


TASK = SimpleNamespace(play="play")


def variables(manager: Any, **more: Any) -> HostVariables:
    inventory = SimpleNamespace(get_host=lambda name: SimpleNamespace(name=name) if name in ("a", "b") else None)
    hostvars = SimpleNamespace(_variable_manager=manager, _inventory=inventory)
    of_play = {"ansible_play_hosts_all": ["a", "b"], "ansible_play_hosts": ["b"]}
    return HostVariables(TASK, {"hostvars": hostvars, **of_play}, **more)


def test_of_a_host_with_the_lists_of_the_play() -> None:
    """Which ansible-core does not make anew for it."""
    manager = Manager()
    found = variables(manager).of("b")
    assert found == {"exa_api_url": "b", "ansible_play_hosts_all": ["a", "b"], "ansible_play_hosts": ["b"]}
    assert manager.asked == [{"play": "play", "task": TASK, "hosts": ["b"], "all": ["b"]}]


def test_without_those_of_the_task() -> None:
    manager = Manager()
    variables(manager, whole=False).of("a")
    assert manager.asked[0]["task"] is None


def test_of_a_host_that_is_not_there() -> None:
    assert variables(Manager()).of("c") is None


@pytest.mark.parametrize("manager", [Manager(), Older()])
def test_an_ansible_that_takes_no_lists(manager: Any) -> None:
    found = variables(manager).of("a")
    assert found is not None
    assert (found["exa_api_url"], found["ansible_play_hosts_all"]) == ("a", ["a", "b"])

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that was ended: its module on the far side ends too, sends nothing more, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import Any, Callable

import pytest
from far_side import FarSide, tree
from world import Simulator, Started, cluster, play, spoken, until

LATER = 4.0
"""Seconds in which a module that goes on would look at its cluster several times."""


def everything(run: Started, _bastion: FarSide) -> None:
    """What a closed container ends: ssh too. A connection that ssh keeps open has left the process's tree."""
    for pid in tree(run.process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main_process(run: Started, _bastion: FarSide) -> None:
    os.kill(run.process.pid, signal.SIGKILL)


def all_but_ssh(run: Started, _bastion: FarSide) -> None:
    """C(pkill -9 ansible-playbook): the workers have the same name. So it is for sudo, and what that has started."""
    for pid, command in tree(run.process.pid).items():
        if not command.startswith(("ssh ", "sudo ")) and "-X bastion" not in command:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def ctrl_c(run: Started, _bastion: FarSide) -> None:
    os.killpg(run.process.pid, signal.SIGINT)


def sigterm(run: Started, _bastion: FarSide) -> None:
    os.kill(run.process.pid, signal.SIGTERM)


def connection(_run: Started, bastion: FarSide) -> None:
    bastion.cut()


Way = Callable[[Started, FarSide], None]

ENDS: list[Way] = [everything, main_process, all_but_ssh, ctrl_c, sigterm, connection]
LONG: list[Way] = [everything, ctrl_c, sigterm]
"""What `make bastion` tries, and `make test` doesn't."""


class Restart:
    """A restart over the bastion, whose database does not stop before it may."""

    def __init__(self, simulate: Any, ansible: Any, bastion: FarSide, version: str) -> None:
        self.simulator: Simulator = simulate(cluster(up=True))
        self.simulator.fault("never_stops", object="DB1")
        self.ansible, self.bastion = ansible, bastion
        self.hosts = self.simulator.inventory(**bastion.variables(version))

    def start(self, pipelining: bool, ssh: str = "", **task: Any) -> Started:
        restart = {"dbfleet.cluster.exa_database": {"databases": ["DB1"], "state": "restarted"}}
        plays = [play([{"name": "restart", **restart, **task}])]
        environment = {**self.bastion.environment(pipelining), **({"ANSIBLE_SSH_ARGS": ssh} if ssh else {})}
        return self.ansible.start(plays, self.hosts, environment=environment)

    def wait_until_it_stops(self, run: Started) -> None:
        run.wait_for("the database is told to stop", lambda: self.simulator.calls("stopDatabase"))
        assert self.bastion.modules()

    def ended(self) -> None:
        """The module has ended; when its database has stopped, nobody starts it."""
        until("the module has ended", lambda: not self.bastion.modules(), 60)
        self.simulator.forget()
        self.simulator.mend()
        time.sleep(LATER)
        assert [spoken(row) for row in self.simulator.calls()] == []

    def joined(self, pipelining: bool) -> None:
        """The next run goes on from where things are."""
        self.start(pipelining).finish().ok()
        assert self.simulator.calls("startDatabase")
        assert self.simulator.all_connectable()
        assert self.bastion.left() == []


def kind(way: Way) -> Any:
    return pytest.param(way, id=way.__name__, marks=[pytest.mark.long] if way in LONG else [])


@pytest.mark.parametrize("way", [kind(way) for way in ENDS])
def test_ended(simulate: Any, ansible: Any, bastion: FarSide, newest: str, pipelining: bool, way: Way) -> None:
    restart = Restart(simulate, ansible, bastion, newest)
    run = restart.start(pipelining)
    restart.wait_until_it_stops(run)
    assert bastion.files_sent() == []
    way(run, bastion)
    restart.ended()
    assert bastion.left() == []
    if way is connection:
        assert run.finish().failed().stats["exa-prod"]["unreachable"] == 1
    restart.joined(pipelining)


@pytest.mark.parametrize("way", [kind(everything), main_process], ids=["everything", "main_process"])
def test_ended_without_a_kept_connection(
    simulate: Any, ansible: Any, bastion: FarSide, newest: str, pipelining: bool, way: Way
) -> None:
    restart = Restart(simulate, ansible, bastion, newest)
    run = restart.start(pipelining, ssh="-o ControlMaster=no")
    restart.wait_until_it_stops(run)
    way(run, bastion)
    restart.ended()
    assert bastion.left() == []


def test_ended_as_root(simulate: Any, ansible: Any, bastion: FarSide, newest: str, pipelining: bool) -> None:
    if not bastion.sudo:
        pytest.skip("the user of the far side has no sudo without a password")
    restart = Restart(simulate, ansible, bastion, newest)
    run = restart.start(pipelining, become=True)
    restart.wait_until_it_stops(run)
    assert bastion.files_sent() == []
    all_but_ssh(run, bastion)
    restart.ended()
    assert bastion.left() == []


@pytest.mark.parametrize("way", [main_process, all_but_ssh], ids=["main_process", "all_but_sudo"])
def test_ended_as_root_of_this_machine(
    simulate: Any, ansible: Any, bastion: FarSide, newest: str, pipelining: bool, way: Way
) -> None:
    """With a local connection, a process of its own by sudo alone."""
    if subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode:
        pytest.skip("the user of the tests has no sudo without a password")
    restart = Restart(simulate, ansible, bastion, newest)
    restart.hosts["exa-prod"]["ansible_connection"] = "local"
    run = restart.start(pipelining, become=True)
    restart.wait_until_it_stops(run)
    way(run, bastion)
    restart.ended()


def test_asked_to_end(simulate: Any, ansible: Any, bastion: FarSide, newest: str) -> None:
    """By a signal on the far side, as when the bastion is shut down: the run fails."""
    restart = Restart(simulate, ansible, bastion, newest)
    run = restart.start(pipelining=False)
    restart.wait_until_it_stops(run)
    for pid in bastion.modules():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    restart.ended()
    run.finish().failed()
    assert bastion.left() == []


def test_with_async_it_goes_on(simulate: Any, ansible: Any, bastion: FarSide, newest: str, pipelining: bool) -> None:
    """As its user wants: nobody has to hold the connection."""
    restart = Restart(simulate, ansible, bastion, newest)
    run = restart.start(pipelining, **{"async": 300, "poll": 1})
    restart.wait_until_it_stops(run)
    assert bastion.files_sent() == []
    everything(run, bastion)
    bastion.cut()
    time.sleep(LATER)
    restart.simulator.mend()
    until("the job has ended", lambda: not bastion.modules())
    assert restart.simulator.phases() == {"DB1": "running"}
    assert bastion.files_sent() == []

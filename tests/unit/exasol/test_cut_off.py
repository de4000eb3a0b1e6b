# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every module that changes something of a cluster, on the simulator, without a socket.

The preview tells the steps of the run and sends nothing that changes. A run touches nothing but what it names and
breaks no safety rule, and a second one does nothing. One that is killed at any of its calls is completed by the next.

A scenario: whole modules on simulated clusters of both servers, ended after each call in turn.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from copy import deepcopy
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Optional

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import pace
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import client
from ansible_collections.dbfleet.cluster.tests.unit.exasol.changes import (
    CASES,
    CONFD,
    NUMBERED,
    PASSWORD,
    REFUSED_WHEN_DONE,
    whole,
)
from ansible_collections.dbfleet.cluster.tests.unit.exasol.simulated import SimulatedCluster

MODULES = "ansible_collections.dbfleet.cluster.plugins.modules"
MOVES = ("jobs", "revision", "clock", "cluster_time")


class Killed(Exception):
    """The process ends here."""


class World(SimulatedCluster):
    """A simulated cluster whose client may be killed.

    C(cut) is the number of the changing call at which the run is killed, and whether that was carried out.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, topology: dict[str, Any]) -> None:
        made = whole(topology)
        before, clock = made.pop("before", []), made.pop("clock", "immediate")
        super().__init__(made, clock)
        self.provider = topology.get("provider", "exaoperation")
        self.cut: Optional[tuple[int, bool]] = None
        self.sent = 0
        send = client.Http._send

        def watched(http: Any, url: str, call: Any, *args: Any) -> Any:
            self.sent += bool(call.changing)
            if self.cut and self.sent >= self.cut[0]:
                if call.changing and self.sent == self.cut[0] and self.cut[1]:
                    send(http, url, call, *args)
                raise Killed
            return send(http, url, call, *args)

        monkeypatch.setattr(pace, "FIRST_INTERVAL", 0.01)
        monkeypatch.setattr(client.Http, "_send", watched)
        monkeypatch.setattr(client, "Transport", lambda *_given: self)
        for module, given in before:
            self.run(module, given)
        self.sent = 0

    def run(self, module: str, given: dict[str, Any], check: bool = False) -> dict[str, Any]:
        made = import_module(f"{MODULES}.{module}")
        urls = [f"https://{name}:443" for name in self.hosts]
        known = {"api_url": urls, "api_username": "admin", "api_password": PASSWORD, "provider": self.provider}
        validated = ArgumentSpecValidator(made.SPEC["argument_spec"]).validate({**known, "wait_timeout": 10, **given})
        assert not validated.error_messages
        task: Any = SimpleNamespace(params=validated.validated_parameters, check_mode=check, done=[], timeline=None)
        task.say = task.warn = task.under_way = lambda *_told: None
        return dict(made.run(task))

    def state(self) -> dict[str, Any]:
        """What there is, without what moves by itself."""
        with self.service.cluster.lock:
            state = self.service.cluster.state()
        told = ("bid", "level", "volume", "usable", "dependencies")
        rows = {name: [{key: row[key] for key in told} for row in of] for name, of in state["backups"].items()}
        return deepcopy({**{key: value for key, value in state.items() if key not in MOVES}, "backups": rows})

    def unlike(self, before: dict[str, Any]) -> set[str]:
        """The objects that aren't as they were; of what is no object, what that is."""
        now = self.state()
        parts = {key: value for key, value in now.items() if isinstance(value, dict)}
        found = {key for key in now if key not in parts and now[key] != before[key]}
        for key, part in parts.items():
            found |= {name for name in {*part, *before[key]} if part.get(name) != before[key].get(name)}
        return found


@pytest.mark.parametrize(("topology", "module", "given", "touched", "anew"), CASES)
def test_what_holds_for_every_change(
    monkeypatch: pytest.MonkeyPatch,
    topology: dict[str, Any],
    module: str,
    given: dict[str, Any],
    touched: set[str],
    anew: bool,
) -> None:
    with monkeypatch.context() as patched:
        world = World(patched, topology)
        before = world.state()
        foretold = world.run(module, given, check=True)
        assert (world.sent, world.state()) == (0, before)
        done, goal = world.run(module, given), world.state()
        sent = world.sent
        if world.provider == "confd":  # CONFD-48
            assert [job.name for job in world.service.cluster.jobs.all.values() if not job.collected] == []
        steps = [[(step["object"], step["step"]) for step in result["steps"]] for result in (foretold, done)]
        assert steps[0] == steps[1] != []
        names = touched if world.provider == "confd" else {NUMBERED.get(name, name) for name in touched}
        assert world.unlike(before) <= names
        assert bool(world.unlike(before)) or anew
        assert foretold["diff"]["before"] == done["diff"]["before"] != done["diff"]["after"]
        assert foretold["diff"]["before"] != foretold["diff"]["after"]
        if not anew:
            again = world.run(module, given)
            assert (again["changed"], world.sent, world.state()) == (False, sent, goal)
        assert [row for row in world.service.cluster.record.rules if row["rule"] != "volume-with-backups-removed"] == []
    for cut in range(1, sent + 1):
        for carried_out in (False, True):
            with monkeypatch.context() as patched:
                world = World(patched, topology)
                world.cut = (cut, carried_out)
                with pytest.raises(Killed):
                    world.run(module, given)
                world.cut = None
                with suppress(Refused) if given.get("state") in REFUSED_WHEN_DONE else nullcontext():
                    world.run(module, given)
                assert world.state() == goal, f"killed at call {cut}{' when it was carried out' * carried_out}"


def test_a_database_that_is_being_enlarged_is_awaited_by_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, {**CONFD, "clock": "seconds:1", "timing": {"database_start": 1, "connect": 0.5}})
    config = {"mem_size": "2 GiB", "nodes": ["11", "12", "13"], "num_active_nodes": 3}
    given = {"databases": "DB2", "state": "present", "enlarge": True, "config": config}
    world.run("exa_database", {**given, "wait": False})
    sent = world.sent
    again = world.run("exa_database", given)
    assert (again["changed"], world.sent) == (False, sent)
    assert world.state()["databases"]["DB2"]["connectible"] == "Yes"

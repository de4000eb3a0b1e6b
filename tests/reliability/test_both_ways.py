# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module in-process and as an ordinary one, on two clusters that are alike: all that came of it is the same.

The result, every line, every call in its order and the state of the cluster are compared, down to the last second: both
go by one virtual clock.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.direct import module_of
from ansible_collections.dbfleet.cluster.tests.reliability import scenes
from ansible_collections.dbfleet.cluster.tests.reliability.both_ways import Asked, Seen, Way, run
from ansible_collections.dbfleet.cluster.tests.reliability.loom import Loom
from ansible_collections.dbfleet.cluster.tests.reliability.place import Weather
from ansible_collections.dbfleet.cluster.tests.reliability.scenes import MODULE_SCENES, PLUGIN, Scene
from ansible_collections.dbfleet.cluster.tests.reliability.test_crashpoints import new_place

SEED = 20260302

EXA, CONFD, NUO = scenes.eao(up=True), scenes.confd(), scenes.nuodb(up=True)
OFF, DOWN = scenes.eao(), scenes.nuodb()
TE = {"db_name": "shop", "engine_type": "TE", "server_id": "server0"}
TAKEN = {"state": "taken", "run": "patch-4711", "about": "a patch"}

LOOKS = [
    Scene("exa_connection_info", EXA),
    Scene("exa_connection_info", CONFD),
    Scene("exa_cluster_info", EXA),
    Scene("exa_cluster_info", CONFD, {"gather": "databases, volumes"}),
    Scene("exa_log_info", EXA, {"pattern": "^Boot process finished|accepting connections", "limit": "3"}),
    Scene("exa_job_info", CONFD, {"jobs": ["db_backup_*", "db_restore"]}),
    Scene("exa_job", CONFD, {"job": "db_state", "params": {"db_name": "DB1"}}),
    Scene("exa_job", CONFD, {"job": "db_stop", "params": {"db_name": "DB1"}, "mode": "async"}),
    Scene("exa_job", CONFD, {"method": "system.methodHelp", "args": ["job_start"]}),
    Scene("exa_rolling", CONFD, {"state": "planned"}),
    Scene("exa_rolling", CONFD, {"state": "out", "nodes": ["n13"]}),
    Scene("exa_rolling", CONFD, {"state": "in", "nodes": ["n13"]}),
    Scene("nuodb_connection_info", NUO),
    Scene("nuodb_domain_info", NUO, {"incarnations": "all"}),
    Scene("nuodb_rolling", NUO, {"state": "planned", "databases": "shop"}),
    Scene("nuodb_rolling", NUO, {"state": "out", "servers": "server2"}),
    Scene("nuodb_rolling_restart", NUO, {"state": "planned", "databases": ["shop"]}),
    Scene("nuodb_rolling_restart", NUO, {"state": "done", "databases": ["shop"]}),
    Scene("nuodb_lease", NUO, TAKEN),
    Scene("nuodb_lease", NUO, {**TAKEN, "state": "returned", "lease": {"run": "patch-4711"}}),
    Scene("exa_connection_info", EXA, {"provider": "confd"}),
    Scene("exa_volume", EXA, {"name": "gone", "state": "absent", "confirm": "another"}),
    Scene("nuodb_lease", NUO, {"state": "kept", "run": "x"}),
    Scene("nuodb_lease", NUO, TAKEN, before=(("nuodb_lease", {**TAKEN, "run": "another"}),)),
]
"""What changes nothing, or stands in no table of changes."""

REFUSED = [
    Scene("exa_cluster_info", EXA, {"gather": ["databases", "weather"]}),
    Scene("exa_log_info", EXA, {"pattern": "("}),
    Scene("exa_log_info", EXA, {"log_service": "logservice7"}),
    Scene("exa_storage", EXA, {"state": "stopped"}),  # databases run
    Scene("exa_storage", OFF, {"state": "started"}),  # no node is online
    Scene("exa_node", EXA, {"state": "offline"}),
    Scene("exa_node", EXA, {"nodes": ["n0011", "n0099"]}),
    Scene("exa_node", CONFD, {"nodes": ["n11"], "state": "absent"}),
    Scene("exa_database", EXA, {"databases": ["DB11"], "state": "started"}),
    Scene("exa_database", CONFD, {"databases": ["DB1"], "state": "absent"}),
    Scene("exa_database", OFF, {"databases": ["DB1"], "state": "started"}),
    Scene("exa_plugin", EXA, {"plugin": "No.such", "nodes": ["n0011"], "state": "started"}),
    Scene("exa_plugin", OFF, {"plugin": PLUGIN, "nodes": ["n0011"], "state": "started"}),
    Scene("exa_volume", CONFD, {"name": "v", "size": "2 parsecs", "nodes": ["n11"]}),
    Scene("exa_remote_volume", CONFD, {"name": "S", "vol_type": "floppy", "url": "http://s"}),
    Scene("exa_backup", EXA, {"databases": ["DB1"], "volume": "none"}),
    Scene("exa_backup", CONFD, {"databases": ["DB1"], "state": "restored", "backup_ids": ["9"], "confirm": "DB1"}),
    Scene("exa_backup_schedule", CONFD, {"db_name": "DB7", "schedules": []}),
    Scene("exa_job", CONFD, {"job": "db_strat", "params": {"db_name": "DB1"}}),
    Scene("exa_job", CONFD, {"job": "db_stop", "params": {"name": "DB1"}}),
    Scene("exa_job", EXA, {"job": "db_state"}),
    Scene("exa_job_info", CONFD, {"job_id": "9.9"}),
    Scene("exa_rolling", CONFD, {"state": "out", "nodes": ["n11", "n12"]}),
    Scene("exa_rolling", CONFD, {"state": "out", "nodes": ["n77"]}),
    Scene("nuodb_connection_info", NUO, {"client_cert": "/nowhere/cert.pem"}),
    Scene("nuodb_domain_info", NUO, {"incarnations": "some"}),
    Scene("nuodb_database", NUO, {"databases": ["shoppe"]}),
    Scene("nuodb_database", NUO, {"databases": ["shop"], "state": "absent"}),
    Scene("nuodb_process", DOWN, {"processes": [{"archive_id": 0}]}),  # it would wait for archive 1
    Scene("nuodb_process", NUO, {"processes": [{"db_name": "shop", "engine_type": "SM"}], "state": "stopped"}),
    Scene("nuodb_process", NUO, {"processes": [{**TE, "engine": "TE"}]}),
    Scene("nuodb_server", NUO, {"servers": ["server2"], "state": "absent"}),
    Scene("nuodb_server", NUO, {"state": "neither"}),
    Scene("nuodb_archive", NUO, {"archives": [{"archive_id": 0}], "state": "absent"}),
    Scene("nuodb_storage_group", NUO, {"db_name": "shop", "sg_name": "EAST", "archive_ids": [7]}),
    Scene("nuodb_hotcopy", NUO, {"db_name": "shop"}),
    Scene("nuodb_rolling", NUO, {"state": "out", "servers": ["server7"]}),
    Scene("nuodb_rolling_restart", NUO, {"state": "restarted", "databases": ["shop"]}),
]
"""Unknown objects, guards, options that make no sense."""

SAME = re.compile("0x[0-9a-f]+")
"""Of an object in the simulator."""

CALM: Mapping[int, Weather] = MappingProxyType({})


def named(found: list[Scene]) -> dict[str, Scene]:
    return {f"{number} {one.name} {one.given.get('state', '')}": one for number, one in enumerate(found)}


ALL = {**MODULE_SCENES, **named(LOOKS)}


def of_way(scene: Scene, way: Way, is_check: bool, weather: Mapping[int, Weather], given: Any) -> Any:
    """All that came of it."""
    loom = Loom(SEED)
    with loom.in_use(), patch.object(uuid, "uuid4", lambda: uuid.UUID(int=loom.dice.getrandbits(128))):
        place = new_place(loom, scene)
        place.weather = dict(weather)
        seen = run(place, Asked(scene.name, deepcopy({**scene.given, **given}), is_check), way)
        calls = [{key: row[key] for key in row if key != "n"} for row in place.cluster.record.calls()]
        place.weather = {}
        place.settle(scene.rest)
        return seen, SAME.sub("0x", str(calls)), place.state(), place.rules


def both(scene: Scene, is_check: bool = False, weather: Mapping[int, Weather] = CALM, **given: Any) -> Seen:
    """What came of it, which is the same on both ways.

    :param given: options beside the scene's.
    """
    here, *of_here = of_way(scene, Way.HERE, is_check, weather, given)
    there, *of_there = of_way(scene, Way.THERE, is_check, weather, given)
    assert there.result == here.result
    assert there.lines == here.lines
    assert of_there == of_here
    assert "unexpected error" not in str(here.result.get("msg")), here.result
    return here


def options(scene: Scene) -> dict[str, Any]:
    return dict(module_of(scene.name).SPEC["argument_spec"])


SAMPLE = {scene.name: scene for scene in ALL.values() if scene.given.get("state") not in ("active", "stopped")}
SAMPLE = {**{scene.name: scene for scene in ALL.values()}, **SAMPLE}
"""One of each module; where it can be, one to which a server that is silent isn't simply down."""

TELLING = ("exa_connection_info", "nuodb_connection_info", "nuodb_lease")
"""Modules whose result or warning tells that a server can't be used, and whose caller decides."""

UNLISTED = {
    "fleet_check": "runs on the controller only",
    "fleet_info": "runs on the controller only",
    "maintenance": "runs on the controller only",
    "profile": "writes a file of the controller",
    "rehearsal": "runs on the controller only",
    "runs_info": "reads files of the controller",
    "runbook": "runs on the controller, and its modules as each other",
    "simulator": "starts processes",
    "exa_plan": "asks no server, so it runs on the controller whatever the connection is",
    "nuodb_plan": "asks no server, so it runs on the controller whatever the connection is",
}
"""Modules that aren't here, and why. The real ansible-playbook runs them by both connections."""


@pytest.mark.parametrize("name", ALL)
def test_a_run_and_its_preview(name: str) -> None:
    for is_check in (True, False):
        both(ALL[name], is_check)


@pytest.mark.parametrize("name", named(REFUSED))
def test_what_is_refused(name: str) -> None:
    for is_check in (True, False):
        seen = both(named(REFUSED)[name], is_check)
        assert not seen.is_ok or is_check, seen.result


@pytest.mark.parametrize("name", sorted(SAMPLE))
def test_who_is_not_let_in(name: str) -> None:
    seen = both(SAMPLE[name], api_password="wr0ng w%rd")
    assert not seen.is_ok or name in TELLING, seen.result
    assert "wr0ng" not in str(seen.result)


@pytest.mark.parametrize("name", sorted(SAMPLE))
def test_nobody_answers(name: str) -> None:
    seen = both(SAMPLE[name], weather=dict.fromkeys(range(1, 200), Weather.REFUSED))
    assert not seen.is_ok or name in TELLING, seen.result


@pytest.mark.parametrize("name", sorted(SAMPLE))
def test_options_that_can_t_be_taken(name: str) -> None:
    seen = both(SAMPLE[name], request_timeout="soon", api_url=[], validate_certs="perhaps", stat="x")
    assert not seen.is_ok
    seen = both(SAMPLE[name], api_url="ftp://n0010", request_timeout="20")
    assert not seen.is_ok


@pytest.mark.parametrize("name", [name for name, scene in ALL.items() if "wait" in options(scene)])
def test_no_time_is_left(name: str) -> None:
    """What takes a while times out; the others are as ever."""
    both(ALL[name], wait_timeout="1")


@pytest.mark.parametrize("seed", range(20))
def test_in_bad_weather(seed: int) -> None:
    dice = random.Random(seed)
    for name in dice.sample(sorted(ALL), 4):
        both(ALL[name], weather={dice.randint(1, 25): dice.choice(list(Weather)) for _number in range(4)})


def test_some_time_out() -> None:
    """The test above has what it is for."""
    kinds = [both(ALL[name], wait_timeout=1).result.get("failure") for name in sorted(ALL)[:60:3]]
    assert "timed_out" in kinds, kinds


def test_every_module_is_here() -> None:
    folder = Path(__file__).parents[2] / "plugins/modules"
    there = {path.stem for path in folder.glob("[a-z]*.py")}
    assert there == {*SAMPLE, *UNLISTED}
    assert {scene.name for scene in named(REFUSED).values()} <= set(SAMPLE)

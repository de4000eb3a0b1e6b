# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody may ask of a cluster: every runbook, and every module that changes something, in each of its states."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.tests.reliability.place import Place
from ansible_collections.dbfleet.cluster.tests.reliability.runs import Program, Told
from ansible_collections.dbfleet.cluster.tests.reliability.scenes import PLUGIN
from ansible_collections.dbfleet.cluster.tests.reliability.wanted import WANTED, archives_of
from ansible_collections.dbfleet.cluster.tests.reliability.worlds import World
from ansible_collections.dbfleet.cluster.tests.unit.exasol import changes as exasol
from ansible_collections.dbfleet.cluster.tests.unit.nuodb import changes as domain

DEFAULTS = {
    "exa_database": "started", "exa_node": "online", "exa_storage": "started", "exa_plugin": "started",
    "nuodb_database": "running", "nuodb_process": "running", "nuodb_server": "active", "nuodb_hotcopy": "completed",
}  # fmt: skip
"""The state of a module where none is asked for, if that isn't C(present)."""


@dataclass(frozen=True)
class Order:
    """What somebody runs.

    :ivar program: the runbook or module, with its options.
    :ivar holds: whether what it is for is there.
    :ivar repeats: whether each run does it anew.
    :ivar is_refused_when_done: whether a next run refuses what is done already.
    :ivar allowed: rules that the user lets it break.
    """

    program: Program
    holds: Callable[[Place], bool]
    repeats: bool = False
    is_refused_when_done: bool = False
    allowed: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def state(self) -> str:
        return state_of(self.name, self.program.given)

    def without(self, unseen: Collection[str]) -> Callable[[Place], bool]:
        """Whether what it is for is there, but for settings that the server doesn't show."""
        given, config = self.program.given, self.program.given.get("config")
        if not unseen or not isinstance(config, dict):
            return self.holds
        seen = {name: value for name, value in config.items() if name not in unseen}
        return partial(_holds, self.name, self.state, {**given, "config": seen})

    @property
    def is_of_all(self) -> bool:
        """Whether it is for the whole cluster, so that no database of it is a stranger."""
        return self.name in WHOLE or "all" in str(self.program.given) or self.state in ("online", "offline")


WHOLE = {
    "exa_cold_start", "exa_graceful_shutdown", "exa_storage", "exa_node", "exa_rolling", "exa_job",
    "nuodb_cold_start", "nuodb_graceful_shutdown", "nuodb_recover", "nuodb_server", "nuodb_rolling",
}  # fmt: skip
"""Runbooks and modules that are not for single databases or volumes."""


def state_of(name: str, given: dict[str, Any]) -> str:
    """What is asked for, in a word."""
    for key in ("state", f"{name}_state"):
        if key in given:
            return str(given[key])
    return DEFAULTS.get(name, "present")


REPEATED = {"restarted", "cleared"}
"""States that each run brings about anew."""

ANEW = {
    ("exa_backup", "present"), ("nuodb_rolling_restart", "present"), ("nuodb_lease", "taken"), ("exa_job", "present"),
}  # fmt: skip
"""And what does something anew whatever its state is called."""


def module(name: str, given: dict[str, Any], **more: Any) -> Order:
    state = state_of(name, given)
    holds = partial(_holds, name, state, given)
    anew = state in REPEATED or (name, state) in ANEW
    return Order(Program(name, given), holds, **{"repeats": anew, **more})


def _holds(name: str, state: str, given: dict[str, Any], place: Place) -> bool:
    return WANTED[name][state](place, given)


def runbook(name: str, given: dict[str, Any], shared: Any = None, **more: Any) -> Order:
    """Its variables are given without its name.

    :param shared: variables of all runbooks.
    """
    prefixed = {**{f"{name}_{key}": value for key, value in given.items()}, **(shared or {})}
    state = given.get("state", "present")
    anew = state in REPEATED or (name, state) in ANEW
    looked = {**given, **prefixed}
    return Order(Program(name, prefixed), partial(_holds, name, state, looked), **{"repeats": anew, **more})


# -- Exasol -----------------------------------------------------------------------------------------------------------

ALL_POWER = {"power": "hook"}
"""ConfD can't switch on: somebody else does."""


def _exasol_runbooks(world: World) -> list[Order]:
    kind = world.kind
    servers = world.topology.get("license_servers")
    shared = {"exa_license_servers": servers} if servers else {}
    start = ALL_POWER if kind == "confd" else {}
    stop = {"power": "none"} if kind == "confd" else {"unreachable": "down"}
    return [
        runbook("exa_cold_start", start, shared),
        runbook("exa_graceful_shutdown", stop, shared),
        runbook("exa_database_state", {"databases": ["DB1"], "state": "restarted"}),
        runbook("exa_database_state", {"databases": ["DB2"], "state": "stopped"}),
        runbook("exa_database_state", {"databases": ["DB1", "DB2"], "state": "started"}),
        module("exa_database", {"databases": ["DB1"], "state": "started"}),
        module("exa_database", {"databases": ["DB1", "DB2"], "state": "stopped"}),
    ]


ROLLING = [
    module("exa_rolling", {"nodes": ["13"], "state": state}) for state in ("planned", "out", "in")
] + [module("exa_job", {"job": "master_change", "params": {"nids": [12]}})]

WITH_BACKUPS = frozenset({"volume-with-backups-removed"})
"""A remote volume that is confirmed to go, or to be made anew."""


def _exasol_modules(kind: str, version: str) -> list[Order]:
    label = "exaoperation" if kind == "exaoperation" else "confd62" if version.startswith("6.") else "confd"
    found = []
    for case in exasol.CASES:
        if not case.id.startswith(f"{label}-"):
            continue
        _topology, name, given, _touched, anew = case.values
        found.append(
            module(
                name, given, repeats=anew,
                is_refused_when_done=given.get("state") in exasol.REFUSED_WHEN_DONE,
                allowed=WITH_BACKUPS if name == "exa_remote_volume" else frozenset(),
            )
        )  # fmt: skip
    if kind == "confd" and label != "confd62":
        found += ROLLING
    if kind == "exaoperation":
        found.append(module("exa_plugin", {"plugin": PLUGIN, "nodes": ["n0011"], "state": "stopped"}))
    return found


# -- NuoDB ------------------------------------------------------------------------------------------------------------

BOOKS = ("nuodb_rolling_restart", "nuodb_recover")

LEASE = {"run": "somebody", "about": "a test", "lease_timeout": 20}


class Returned(Program):
    """A lease is given back by who took it."""

    def run(self, place: Place, check: bool = False) -> Told:
        taken = Program(self.name, {**self.given, "state": "taken"}).run(place, check)
        if check or not taken.result.get("lease"):
            return taken
        return Program(self.name, {**self.given, "lease": taken.result.get("lease", {})}).run(place)


def _nobody_has_it(place: Place) -> bool:
    return WANTED["nuodb_lease"]["returned"](place, LEASE)


def _nuodb_runbooks(databases: list[dict[str, Any]]) -> list[Order]:
    first = databases[:1]
    name = first[0]["name"]
    of_first = {"databases": first}
    return [
        runbook("nuodb_cold_start", {"databases": databases}),
        runbook("nuodb_graceful_shutdown", {"servers": False}),
        runbook("nuodb_database_state", {**of_first, "state": "restarted"}),
        runbook("nuodb_database_state", {"databases": [name], "state": "stopped"}),
        runbook("nuodb_database_state", {**of_first, "state": "running"}),
        runbook("nuodb_recover", {"databases": databases}),
        runbook("nuodb_rolling_restart", {"databases": [name]}),
        module("nuodb_database", {**of_first}),
        module("nuodb_database", {"databases": [name], "state": "stopped"}),
        module("nuodb_lease", {**LEASE, "state": "taken"}),
        Order(Returned("nuodb_lease", {**LEASE, "state": "returned"}), _nobody_has_it, repeats=True),
        module("nuodb_server", {"servers": ["all"]}),
        runbook("nuodb_graceful_shutdown", {"servers": True, "unreachable": "down"}),
    ]


BACK = [{"archive_id": 1}, {"db_name": "up", "engine_type": "TE", "server_id": "server1", "count": 1}]


def _nuodb_modules() -> list[Order]:
    found = []
    for name, (which, given, _more, _before) in domain.CASES.items():
        allowed = domain.ASKED_FOR if given.get("state") == "killed" or given.get("allow_non_durable") else ()
        anew = given.get("once") is None if which == "nuodb_hotcopy" else False
        found.append(module(which, given, allowed=frozenset(allowed), repeats=anew or name in domain.REPEATED))
    return [
        *found,
        module("nuodb_rolling", {"servers": ["server1"], "state": "planned"}),
        module("nuodb_rolling", {"servers": ["server1"], "state": "out"}),
        module("nuodb_rolling", {"servers": ["server1"], "state": "in", "processes": BACK}),
    ]


# -- all --------------------------------------------------------------------------------------------------------------


def orders_of(world: World) -> list[Order]:
    """What may be asked of a cluster; the first two bring all of it up, and down."""
    if world.kind == "nuodb":
        return [*_nuodb_runbooks(world.databases), *([] if world.databases[0]["name"] == "shop" else _nuodb_modules())]
    small = "small" in world.title
    more = [] if small else _exasol_modules(world.kind, world.topology.get("version", "8"))
    return [*_exasol_runbooks(world), *more]


def revival(world: World, place: Place) -> tuple[Order, Order]:
    """What brings all up that can be brought up after a night, and down again."""
    state = place.state()
    if world.kind == "nuodb":
        there = [
            one for one in world.databases
            if state["databases"].get(one["name"], {"state": "gone"})["state"] not in ("gone", "TOMBSTONE")
            and archives_of(place, one["name"])
            # A start awaits the history of an archive that was removed and not purged, which never comes (NUODB-76).
            and not [row for row in state["archives"].values() if row["db_name"] == one["name"] and row["removed"]]
        ]  # fmt: skip
        up = runbook("nuodb_cold_start", {"databases": there})
        return up, runbook("nuodb_graceful_shutdown", {"servers": False})
    unjoined = [name for name, row in state["nodes"].items() if row.get("joined") is False]
    first, second = _exasol_runbooks(world)[:2]
    if unjoined:
        first = runbook("exa_cold_start", {**ALL_POWER, "ignore_nodes": unjoined})
    return first, second


def undone(world: World, place: Place) -> list[Order]:
    """What takes suspended nodes and locked volumes back: databases may need them."""
    if world.kind == "nuodb":
        return []
    state = place.state()
    names = [
        name for name, row in state["nodes"].items()
        if row.get("storage_suspended") or (row["state"] == "suspended" and row.get("joined") is not False)
    ]  # fmt: skip
    numbers = [name.lstrip("n0") for name in names]
    locked = [name for name, row in state["volumes"].items() if row["state"] == "LOCKED"]
    is_up = state.get("services", {}).get("Storaged", "OK") == "OK"  # EAO resumes no node while EXAStorage is down
    return [
        *([module("exa_storage", {"state": "started"})] if numbers and not is_up else []),
        *([module("exa_node", {"nodes": numbers, "state": "resumed"})] if numbers else []),
        *([module("exa_volume", {"name": locked, "state": "unlocked"})] if locked else []),
    ]


EVERY = {*RUNBOOKS, *(name for name in WANTED if name not in RUNBOOKS)}

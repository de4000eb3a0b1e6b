# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small clusters, and what is asked of them: at least one scene per runbook and server, and per change of a module.

C(EXCEPTIONS) says where a run that was killed is not completed as the others are, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import NUMBERED
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.tests.reliability.place import Place
from ansible_collections.dbfleet.cluster.tests.reliability.runs import HOST, Chain, Part, Program
from ansible_collections.dbfleet.cluster.tests.unit.exasol import changes as exasol
from ansible_collections.dbfleet.cluster.tests.unit.nuodb import changes as domain

QUICK = {
    "boot": 2, "shutdown": 1, "api": 1, "api_stop": 1, "move": 1, "storage_start": 1, "storage_stop": 1,
    "database_start": 1, "connect": 0.5, "database_stop": 1, "backup": 2, "recovery": 1, "plugin": 0.5, "restore": 1,
}  # fmt: skip
"""Seconds: each call costs a run per moment, and a wait makes calls."""

QUICK_CONFD = {
    **{name: seconds for name, seconds in QUICK.items() if name not in ("api", "storage_stop", "plugin")},
    "quorum_back": 1, "job_schedule": 0.02, "job_execute": 0.02, "job_commit": 0.05,
}  # fmt: skip

PLUGIN = "Administration.vmware-tools"


NUODB = "NuoDB"

SERVERS = {"confd": "Exasol by ConfD", None: "Exasol by EXAoperation"}

MAINTENANCE = "maintenance"
"""The playbook."""


@dataclass(frozen=True)
class Scene:
    """A cluster, and a runbook or module that is run on it.

    :param name: of the runbook or module; of a chain, what it stands for.
    :param given: variables of the runbook, or options of the module.
    :param again: what the run after one that was killed is given besides.
    :param allowed: rules that are broken by what is asked for.
    :param repeats: whether each run does it anew, as a restart.
    :param before: what happened before: modules with their options, calls by others, seconds that passed.
    :param rest: seconds in which what isn't awaited ends.
    :param refused_when_done: whether the next run refuses what is done already.
    :param ends_api: whether nobody is left to ask when it is done.
    :param chain: makes the parts of a chain; of the run after one that was killed, where that is said.
    :param covers: modules of a chain, with their options.
    """

    name: str
    topology: Mapping[str, Any]
    given: Mapping[str, Any] = field(default_factory=dict)
    again: Mapping[str, Any] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    repeats: bool = False
    before: tuple[Any, ...] = ()
    rest: float = 0.0
    refused_when_done: bool = False
    ends_api: bool = False
    chain: Optional[Callable[[bool], list[Part]]] = None
    covers: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def program(self, again: bool = False) -> Program:
        """What is run.

        :param again: whether it comes after one that was killed, or that has done it.
        """
        if self.chain:
            return Chain(self.name, self.chain(again))
        return Program(self.name, {**self.given, **(self.again if again else {})})

    def modules(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The modules that it is about, with their options. Those within a runbook are the runbook's."""
        if self.chain or self.name in RUNBOOKS:
            yield from self.covers
        else:
            yield self.name, self.given

    @property
    def group(self) -> str:
        """The row of the table that it counts for."""
        return f"{self.server}, {'runbooks' if self.name in (*RUNBOOKS, MAINTENANCE) else 'modules'}"

    @property
    def server(self) -> str:
        """Of which product, and by which API."""
        return NUODB if self.topology["product"] == "nuodb" else SERVERS[self.topology.get("provider")]

    def kept(self, state: dict[str, Any]) -> dict[str, Any]:
        """What of a state is compared. Of what each run makes anew, how often it was made doesn't count."""
        if self.repeats and "hotcopies" in state:
            return {
                **state,
                "hotcopies": {name: {row["status"] for row in of} for name, of in state["hotcopies"].items()},
            }
        return state


def eao(up: bool = False, **more: Any) -> dict[str, Any]:
    """A cluster that EXAoperation administers: two nodes, two databases, a plugin."""
    database = {"state": "running" if up else "setup"}
    nodes = ["n0011", "n0012"]
    return {
        "product": "exasol",
        "name": HOST,
        "version": "6.2.1",
        "nodes": {node: {"state": "online" if up else "offline"} for node in nodes},
        "storage_online": up,
        "databases": {"DB1": database, "DB2": database},
        "log_services": ["logservice1"],
        "plugins": [PLUGIN],
        "plugin_nodes": {PLUGIN: dict.fromkeys(["n0010", *nodes], "running")} if up else {},
        "timing": QUICK,
        **more,
    }


def confd(up: bool = True, **more: Any) -> dict[str, Any]:
    """A cluster that ConfD administers: three nodes, two databases."""
    database = {"state": "running" if up else "setup"}
    nodes = ["n11", "n12", "n13"]
    return {
        "product": "exasol",
        "provider": "confd",
        "name": HOST,
        "nodes": {node: {"state": "online"} for node in nodes},
        "databases": {"DB1": database, "DB2": database},
        "settings": {"auto_start": False},
        "timing": QUICK_CONFD,
        **more,
    }


def engine(kind: str, server: int, node: int, **more: Any) -> dict[str, Any]:
    row = {"db_name": "shop", "engine_type": kind, "server_id": f"server{server}", "node_id": node, **more}
    return {"durable_state": "MONITORED", "engine_state": "RUNNING", **row}


def ended(kind: str, server: int, minor: int, **more: Any) -> dict[str, Any]:
    """A process that was shut down an hour before the night."""
    return {
        "db_name": "shop", "engine_type": kind, "server_id": f"server{server}", "node_id": minor,
        "durable_state": "REQUESTED_SHUTDOWN", "engine_state": "SHUTTING_DOWN", "incarnation": [1, minor],
        "exit_code": 0, "reason": f"Gracefully shutdown engine (2026-03-01T01:00:0{minor}.000+0000)", **more,
    }  # fmt: skip


def nuodb(up: bool = False, **more: Any) -> dict[str, Any]:
    """A domain: three servers, a database of two archives and two TEs."""
    archives = {
        str(number): {
            "db_name": "shop", "server_id": f"server{number}", "archive_path": f"/archive/{number}",
            "state": "RUNNING" if up else "NOT_RUNNING",
        }
        for number in (0, 1)
    }  # fmt: skip
    rows = [("SM", 0, {"archive_id": 0}), ("SM", 1, {"archive_id": 1}), ("TE", 0, {}), ("TE", 1, {})]
    there = {str(n): engine(kind, server, n + 1, **own) for n, (kind, server, own) in enumerate(rows)}
    # The TEs go first.
    past = {str(n): ended(kind, server, (n + 2) % 4 + 1, **own) for n, (kind, server, own) in enumerate(rows)}
    return {
        "product": "nuodb",
        "name": HOST,
        "version": "4.2.1-3-abc",
        "servers": {f"server{number}": {"state": "ACTIVE"} for number in range(3)},
        "databases": {"shop": {"incarnation": [1, 0] if up else [1, 4]}},
        "archives": archives,
        "processes": there if up else {},
        "tombstones": {} if up else past,
        "timing": {
            "process_start": 0.2, "archive_history": 0.2, "sm_start": 0.5, "sync": 0.2, "te_start": 0.5,
            "te_shutdown": 0.5, "sm_shutdown": 0.5, "kill": 0.2, "server_start": 1, "server_shutdown": 0.5,
            "election": 0.3, "hotcopy": 1, "storage_group": 0.5,
        },
        **more,
    }  # fmt: skip


RESTART = {"state": "restarted"}

NOTHING: Mapping[str, Any] = MappingProxyType({})


def _prefixed(runbook: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{runbook}_{name}": value for name, value in given.items()}


def scene(name: str, topology: dict[str, Any], given: Mapping[str, Any] = NOTHING, **more: Any) -> Scene:
    """Of a runbook, whose variables are given without its name."""
    again = _prefixed(name, more.pop("again", {}))
    return Scene(name, topology, _prefixed(name, given), again, **more)


CRASHED = nuodb(
    up=True,
    archives={
        "0": {"db_name": "shop", "server_id": "server0", "archive_path": "/archive/0", "state": "RUNNING"},
        "1": {"db_name": "shop", "server_id": "server1", "archive_path": "/archive/1", "state": "NOT_RUNNING"},
    },
    processes={"0": engine("SM", 0, 1, archive_id=0), "2": engine("TE", 0, 3), "3": engine("TE", 1, 4)},
    tombstones={
        "1": ended(
            "SM", 1, 2, archive_id=1, durable_state="MONITORED", engine_state="RUNNING", exit_code=137,
            incarnation=[1, 1], reason="Engine connection to admin process closed (2026-03-01T01:00:00.000+0000)",
        )
    },
)  # fmt: skip

RUNBOOK_SCENES: dict[str, Scene] = {
    "exa_cold_start, EXAoperation": scene("exa_cold_start", eao()),
    "exa_cold_start, EXAoperation, half way": scene(
        "exa_cold_start", eao(nodes={"n0011": {"state": "online"}, "n0012": {"state": "offline"}})
    ),
    "exa_cold_start, ConfD": scene("exa_cold_start", confd(up=False), {"power": "hook"}),
    "exa_graceful_shutdown, EXAoperation": scene(
        "exa_graceful_shutdown", eao(up=True), again={"unreachable": "down"}
    ),
    "exa_graceful_shutdown, ConfD": scene("exa_graceful_shutdown", confd(), {"power": "none"}),
    "exa_database_state restarted, EXAoperation": scene(
        "exa_database_state", eao(up=True), {**RESTART, "databases": ["DB1"]}, repeats=True
    ),
    "exa_database_state restarted, ConfD": scene(
        "exa_database_state", confd(), {**RESTART, "databases": ["all"]}, repeats=True
    ),
    "exa_database_state stopped, ConfD": scene(
        "exa_database_state", confd(), {"state": "stopped", "databases": ["DB1"]}
    ),
    "exa_database_state started, EXAoperation": scene(
        "exa_database_state", eao(up=True, databases={"DB1": {"state": "setup"}, "DB2": {"state": "running"}}),
        {"state": "started", "databases": ["DB1"]},
    ),
    "nuodb_cold_start": scene("nuodb_cold_start", nuodb()),
    "nuodb_graceful_shutdown": scene("nuodb_graceful_shutdown", nuodb(up=True), again={"unreachable": "down"}),
    "nuodb_graceful_shutdown, servers stay": scene("nuodb_graceful_shutdown", nuodb(up=True), {"servers": False}),
    "nuodb_database_state restarted": scene(
        "nuodb_database_state", nuodb(up=True), {**RESTART, "databases": ["shop"]}, repeats=True
    ),
    "nuodb_database_state stopped": scene(
        "nuodb_database_state", nuodb(up=True), {"state": "stopped", "databases": ["shop"]}
    ),
    "nuodb_rolling_restart": scene(
        "nuodb_rolling_restart", nuodb(up=True), {"databases": ["shop"]}, repeats=True
    ),
    "nuodb_recover": scene("nuodb_recover", CRASHED),
    "nuodb_database_state running": scene(
        "nuodb_database_state", nuodb(), {"state": "running", "databases": ["shop"]}
    ),
    "nuodb_rolling_restart, anew": scene(
        "nuodb_rolling_restart", nuodb(up=True), {"databases": ["shop"], "unfinished": "anew"},
        again={"unfinished": "resume"}, repeats=True,
    ),
    "exa_database_state stopped, EXAoperation": scene(
        "exa_database_state", eao(up=True), {"state": "stopped", "databases": ["all"]}
    ),
    "exa_database_state started, ConfD": scene(
        "exa_database_state", confd(up=False), {"state": "started", "databases": ["all"]}
    ),
    "exa_cold_start, EXAoperation, a plugin": Scene(
        "exa_cold_start", eao(), {"exa_plugins": [{"name": PLUGIN}]}, {"exa_cold_start_restart_plugins": True},
        repeats=True,
    ),
    "exa_graceful_shutdown, ConfD, infra": scene(
        "exa_graceful_shutdown", confd(deployment="cloud"), {"power": "infra"}, again={"unreachable": "down"}
    ),
}  # fmt: skip


def _task(key: str, name: str, given: Mapping[str, Any] = NOTHING, **found: Callable[[dict[str, Any]], Any]) -> Part:
    """A module or runbook of a chain.

    :param found: options that come from the results before.
    """

    def made(_place: Place, results: dict[str, Any]) -> Program:
        return Program(name, {**given, **{option: of(results) for option, of in found.items()}})

    return key, made


def _on(place: Place, _found: dict[str, Any]) -> None:
    """Somebody switches on what holds the API, where it is off."""
    for name in place.hosts:
        if not place.service.listens(name):
            place.press("/power", node=name, on=True)


def _maintenance(product: str, down: Mapping[str, Any] = NOTHING, up: Mapping[str, Any] = NOTHING) -> Any:
    """Down, work, up, as the role's tasks: they were cut off, so what was down already is named as such."""

    def parts(again: bool) -> list[Part]:
        off = {"unreachable": "down"} if again else {}
        shutdown, start = f"{product}_graceful_shutdown", f"{product}_cold_start"
        return [
            _task("down", shutdown, _prefixed(shutdown, {**down, **off})),
            ("work", _on),
            _task("up", start, _prefixed(start, up)),
        ]

    return parts


RUNBOOK_SCENES.update({
    "maintenance, EXAoperation": Scene(MAINTENANCE, eao(up=True), repeats=True, chain=_maintenance("exa")),
    "maintenance, ConfD": Scene(
        MAINTENANCE, confd(), repeats=True, chain=_maintenance("exa", {"power": "none"}, {"power": "hook"})
    ),
    "maintenance, NuoDB": Scene(MAINTENANCE, nuodb(up=True), repeats=True, chain=_maintenance("nuodb")),
})  # fmt: skip


SELDOM = (
    "exa_cold_start, EXAoperation, a plugin", "exa_graceful_shutdown, ConfD, infra", "nuodb_rolling_restart, anew",
    "maintenance, EXAoperation", "maintenance, ConfD",
)  # fmt: skip
"""Long ones that are much like others: they are in the complete run alone."""


def _of_exasol() -> dict[str, Scene]:
    found = {}
    for case in exasol.CASES:
        topology, module, given, _touched, anew = case.values
        state = given.get("state", "present")
        refused = state in exasol.REFUSED_WHEN_DONE
        found[f"{module} {state}, {case.id}"] = Scene(
            module,
            _cluster(topology),
            given,
            allowed=WITH_BACKUPS if module == "exa_remote_volume" and "confirm" in given else frozenset(),
            # A new expiry is told, and isn't in what the unit tests compare.
            repeats=anew and not refused and "expire" not in given,
            before=tuple(topology.get("before", ())),
            rest=30.0 if refused else 0.0,
            refused_when_done=refused,
        )
    return found


def _cluster(topology: Mapping[str, Any]) -> dict[str, Any]:
    made = exasol.whole({key: row for key, row in topology.items() if key not in ("before", "clock")})
    quick = QUICK_CONFD if made.get("provider") == "confd" else QUICK
    return {**made, "timing": {**quick, **made.get("timing", {})}}


WITH_BACKUPS = frozenset({"volume-with-backups-removed"})
"""A remote volume that is confirmed to go, or to be made anew."""

BACKUP = ("exa_backup", {"databases": "DB1", "volume": "R", "wait": False})

RUNNING = {exasol.PLUGIN: {"n0011": "running", "n0012": "running"}}


def _rolling(module: str, named: Mapping[str, Any], name: str, **found: Any) -> Any:
    """One machine out and in, as the role's tasks; where they were cut off, its name is said."""

    def parts(again: bool) -> list[Part]:
        cut_off = {"cut_off": name} if again else {}
        return [
            _task("planned", module, {**named, **cut_off, "state": "planned"}),
            _task("out", module, {**named, **cut_off, "state": "out"}),
            _task("in", module, {**named, "state": "in"}, **found),
        ]

    return parts


def _covered(module: str, *states: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    return tuple((module, {"state": state}) for state in states)


def _more_of_exasol() -> dict[str, Scene]:
    """What the cases of the unit tests don't have, for time passes here."""
    eao_, confd_ = {**exasol.EAO, "plugins": [exasol.PLUGIN]}, exasol.CONFD
    user = {
        "job": "user_create",
        "params": {"username": "u", "userid": 4711},
        "unless": {"job": "user_list", "at": "u"},
    }
    found = {
        "exa_plugin stopped": Scene(
            "exa_plugin", _cluster({**eao_, "plugin_nodes": RUNNING}),
            {"plugin": exasol.PLUGIN, "nodes": ["n0011", "n0012"], "state": "stopped"},
        ),
        "exa_rolling, ConfD": Scene(
            "exa_rolling", _cluster(confd_), repeats=True, chain=_rolling("exa_rolling", {"nodes": ["n14"]}, "n14"),
            covers=_covered("exa_rolling", "planned", "out", "in"),
        ),
        "exa_node absent, force": Scene(
            "exa_node", _cluster({**confd_, "databases": {"DB1": {"nodes": [11]}, "DB2": {"nodes": [12, 13]}}}),
            {"nodes": ["13"], "state": "absent", "confirm": ["13"], "force": True},
        ),
        "exa_node offline, use_infra": Scene(
            "exa_node",
            _cluster({**confd_, "deployment": "cloud", "databases": {"DB1": {"nodes": [11]}, "DB2": {"nodes": [12]}}}),
            {"nodes": ["13"], "state": "offline", "use_infra": True},
        ),
        "exa_node online, use_infra": Scene(
            "exa_node",
            _cluster({**confd_, "deployment": "cloud",
                      "nodes": {"n11": {}, "n12": {}, "n13": {"state": "offline"}, "n14": {}}}),
            {"nodes": ["13"], "state": "online", "use_infra": True},
        ),
        "exa_backup_schedule, unseen replace": Scene(
            "exa_backup_schedule", _cluster({**confd_, "version": "6.2.7"}),
            {"db_name": "DB1", "schedules": [exasol.SCHEDULE], "unseen": "replace"}, repeats=True,
        ),
    }  # fmt: skip
    for label, topology in (("ConfD", confd_), ("EXAoperation", eao_)):
        for choice, seconds in (("wait", 4), ("abort_backup", 60)):
            found[f"exa_database stopped, on_operation {choice}, {label}"] = Scene(
                "exa_database", _cluster({**topology, "timing": {"backup": seconds}}),
                {"databases": "DB1", "state": "stopped", "on_operation": choice}, before=(BACKUP,),
            )  # fmt: skip
        found[f"exa_database stopped, force, {label}"] = Scene(
            "exa_database",
            _cluster(topology),
            {"databases": "DB1", "state": "stopped", "force": True},
            allowed=frozenset({"database-stopped-by-force"} if label == "ConfD" else ()),
        )
        found[f"exa_backup, on_operation wait, {label}"] = Scene(
            "exa_backup", _cluster({**topology, "timing": {"backup": 4}}),
            {"databases": "DB1", "volume": "A", "once": True, "expire": "1w", "on_operation": "wait"}, before=(BACKUP,),
        )  # fmt: skip
    for mode in ("auto", "exec", "async"):
        found[f"exa_job {mode}"] = Scene("exa_job", _cluster(confd_), {**user, "mode": mode})
    return found


def _domain(more: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    topology = domain.topology()
    for part, rows in more.items():
        topology[part] = {**topology.get(part, {}), **rows}
    return topology


def _of_nuodb() -> dict[str, Scene]:
    return {
        f"{module}, {name}": Scene(
            module,
            _domain({**more, "timing": {"hotcopy": 60}}),
            given,
            allowed=ASKED_FOR.get(name, frozenset()),
            repeats=name in domain.REPEATED,
            before=tuple(before),
            rest=30.0 if name in domain.UNAWAITED else 0.0,
            ends_api=name == "server, all",
        )
        for name, (module, given, more, before) in domain.CASES.items()
    }


ASKED_FOR = {
    "process, killed": frozenset({"process-killed"}),
    "process, the last": frozenset({"last-sm-stopped-under-tes"}),
}
"""Rules that an option lets the user break."""

LEASE = {"run": "patch-4711", "about": "a patch"}


def _lease(state: str) -> Any:
    def parts(_again: bool) -> list[Part]:
        return [
            _task("taken", domain_lease, {**LEASE, "state": "taken"}),
            _task(state, domain_lease, {**LEASE, "state": state}, lease=lambda found: found["taken"]["lease"]),
        ]

    domain_lease = "nuodb_lease"
    return parts


def _more_of_nuodb() -> dict[str, Scene]:
    active = {"servers": {"server4": {}}}
    server = {"servers": ["server1"]}
    return {
        "nuodb_lease, returned": Scene(
            "nuodb_lease", _domain(), chain=_lease("returned"), covers=_covered("nuodb_lease", "taken", "returned")
        ),
        "nuodb_lease, kept": Scene(
            "nuodb_lease", _domain(), chain=_lease("kept"), covers=_covered("nuodb_lease", "taken", "kept")
        ),
        "nuodb_lease, take_over": Scene(
            "nuodb_lease", _domain(), {**LEASE, "state": "taken", "take_over": True},
            before=(("nuodb_lease", {"run": "other", "about": "another", "state": "taken"}),),
        ),
        "nuodb_rolling": Scene(
            "nuodb_rolling", _domain(active), repeats=True,
            chain=_rolling(
                "nuodb_rolling", server, "server1", processes=lambda found: found["out"]["plan"][0]["processes"]
            ),
            covers=_covered("nuodb_rolling", "planned", "out", "in"),
        ),
        "nuodb_server, evict_local": Scene(
            "nuodb_server", _domain(active), {**server, "state": "stopped", "evict_local": True},
            allowed=frozenset({"server-stopped-under-processes"}),
        ),
        "nuodb_database, stopped, ignore": Scene(
            "nuodb_database", _domain({"timing": {"hotcopy": 60}}),
            {"databases": ["up"], "state": "stopped", "on_hotcopy": "ignore"}, before=tuple(domain.COPYING),
        ),
        "nuodb_hotcopy, journal": Scene(
            "nuodb_hotcopy", _domain(), {"db_name": "up", "default_backup_dir": "/old", "type": "journal"},
            repeats=True, before=tuple(domain.WENT),
        ),
        "nuodb_server, active": Scene("nuodb_server", _domain(active), {"state": "active"}),
    }  # fmt: skip


MODULE_SCENES = {**_of_exasol(), **_more_of_exasol(), **_of_nuodb(), **_more_of_nuodb()}
"""At least one per module that changes something, state and server, and per option that makes other calls."""

SCENES = {**RUNBOOK_SCENES, **MODULE_SCENES}

NEVER_CHANGING = {
    **dict.fromkeys(
        ("exa_cluster_info", "exa_connection_info", "exa_job_info", "exa_log_info", "exa_plan", "nuodb_plan",
         "nuodb_connection_info", "nuodb_domain_info", "fleet_info", "fleet_check"),
        "only reads",
    ),
    "rehearsal": "only reads the cluster, and carries out a runbook on a simulator of its own",
    "runbook": "its runbooks have scenes of their own",
    "maintenance": "it holds the runbooks of the playbook together, and sends nothing that changes a cluster",
    "simulator": "starts a process of this machine",
}  # fmt: skip
"""Modules that send nothing that changes a cluster, and why."""

EAO, CONFD = SERVERS[None], SERVERS["confd"]

NO_CALL = {
    CONFD: {"exa_plugin": ("state",), "exa_storage": ("state",)},
    EAO: {
        "exa_backup_schedule": ("unseen replace",),  # it tells all schedules
        "exa_database": ("enlarge", "state absent", "state present"),
        "exa_job": ("mode",),
        "exa_node": ("force", "state absent", "state present", "use_infra"),
        "exa_remote_volume": ("recreate",),  # there the type can be changed
        "exa_rolling": ("state",),
        "exa_volume": ("state cleared", "state locked", "state unlocked"),
    },
}
"""What a server has no call for, or what is all the same there: by module, options, with their value where that counts.
"""

NO_SCENE = {
    ("exa_backup", "state listed"): "only reads",
    **{("nuodb_rolling_restart", f"state {one}"): "a step of the runbook" for one in ("planned", "restarted", "done")},
}
"""Choices without a scene, and why."""


class Kind(Enum):
    """How a run may differ from what it should be."""

    STAYS = "it was not killed"
    FAILS = "the next run fails"
    TWICE = "done twice"
    STATE = "another state"
    RULE = "a rule is broken"


class Known(NamedTuple):
    """What can't be otherwise at some crash points of a scene.

    :param about: the whole change, rule or message, as a regular expression.
    """

    kind: Kind
    about: str
    why: str


IN_PART = Known(
    Kind.RULE, "archives-started-in-part",
    "each SM is requested by its own call, so the first SM may give up before another run requests the rest; the next "
    "run starts all SMs",
)  # fmt: skip
PLUGIN_STARTS = Known(
    Kind.TWICE, r"callPlugin /cluster1 \['Administration.vmware-tools', 'n001[12]', 'START'\]",
    "EXAoperation shows no state of a plugin between stopped and running",
)  # fmt: skip
KILLED = Known(
    Kind.TWICE, "DELETE processes /api/1/processes/[23].*kill=True.*",
    "the API shows a kill only when the process is gone",
)  # fmt: skip
AP_GOES = Known(
    Kind.TWICE, "POST peers/shutdown /api/1/peers/server[0-3]/shutdown.*",
    "the API shows the shutdown of an AP only when it is complete",
)  # fmt: skip
NOBODY_LEFT = Known(
    Kind.FAILS, r"night: GET \S+ at( https://server[0-4]:8888){5}: connection refused",
    "the last AP took the API with it (runbook: `nuodb_graceful_shutdown_unreachable`)",
)  # fmt: skip
STILL_ANSWERS = Known(
    Kind.FAILS, "night: node_(state|list|get_master) at .*HTTP 503.*the cluster is not down: something still answers.*",
    "while the last machines go down, their API answers with 503, as that of a faulty cluster does; a run succeeds "
    "once they are off",
)  # fmt: skip
FELL_SILENT = Known(
    Kind.FAILS,
    r"night: (getHardwareInformation|getServiceState|GET /master).*connection refused"
    r"(; the cluster is not down: something still answers \(\S+ answered a moment before\))?",
    "the API stops while the run reads the cluster, which looks like a network failure; the run after it succeeds",
)
MACHINE_GOES = Known(
    Kind.STATE, r"\[\"/nodes/n13/state: 'shutting_down', not 'off'\"\]",
    "ConfD shows a machine as offline when it has left the cluster, before it is off; only the job of the killed run "
    "would show the end",
)  # fmt: skip
LOST_TE = Known(
    Kind.STATE, r"\['/engines/shop TE server[01] None MONITORED RUNNING: None, not 1'\]",
    "the domain doesn't know of a TE that was never requested, so the second shutdown finds a database without it; if "
    "`nuodb_databases` names the TEs, it comes back",
)  # fmt: skip


def is_said(known: Known, message: str) -> bool:
    """Whether a failure is this one, whatever its number is."""
    return re.fullmatch(known.about, NUMBERED.sub("", message), re.DOTALL) is not None


EXCEPTIONS: dict[str, tuple[Known, ...]] = {
    "nuodb_cold_start": (IN_PART,),
    "nuodb_database_state restarted": (IN_PART,),
    "nuodb_database_state running": (IN_PART,),
    "maintenance, NuoDB": (IN_PART, LOST_TE),
    "nuodb_database, running": (IN_PART,),
    "nuodb_database, running, two": (IN_PART,),
    "nuodb_database, running, te_early": (IN_PART,),
    "nuodb_process, process, start": (IN_PART,),
    "nuodb_process, process, killed": (KILLED,),
    "nuodb_server, server, stopped": (AP_GOES,),
    "nuodb_server, server, all": (AP_GOES, NOBODY_LEFT),
    "nuodb_server, evict_local": (AP_GOES,),
    "exa_plugin started, exaoperation-exa_plugin-started28": (PLUGIN_STARTS,),
    "exa_node offline, use_infra": (MACHINE_GOES,),
    "exa_graceful_shutdown, ConfD, infra": (STILL_ANSWERS, FELL_SILENT),
    "exa_graceful_shutdown, EXAoperation": (FELL_SILENT,),
    "maintenance, EXAoperation": (FELL_SILENT,),
}
"""By scene. Each occurs, or the complete run fails."""

HAPPENS = {
    Kind.RULE: "a safety rule is broken ({about})",
    Kind.TWICE: "a change is made twice",
    Kind.FAILS: "the next run fails",
    Kind.STATE: "the next run succeeds before everything has its final state, or without a part",
}


def table() -> list[str]:
    """The exceptions as docs/reliability.md has them."""
    scenes: dict[Known, list[str]] = {}
    for name, known in EXCEPTIONS.items():
        for one in known:
            scenes.setdefault(one, []).append(f"`{SCENES[name].name}`")
    return [
        f"| {HAPPENS[one.kind].format(about=one.about)} | {', '.join(dict.fromkeys(names))} | {one.why} |"
        for one, names in scenes.items()
    ]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two operators, two runs on one cluster: the second joins, waits or refuses, and says what it sees.

The second run begins when the first has come to a moment at which the simulator holds it, and is let go when the second
has looked. Which of the two wins may depend on who looks first. What must hold doesn't: no safety rule is broken,
nothing is sent twice, nobody ends well while the cluster isn't as he wants it, and who fails says what he sees.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from functools import partial
from typing import Any, Callable, NamedTuple

import pytest
from domains import all_run, database, domain
from world import cluster, confd, play, until

pytestmark = pytest.mark.waits

UP, DOWN = "exa_cold_start", "exa_graceful_shutdown"
HELD = 3600
"""Cluster seconds for which something goes on until the test lets it end."""
REST = 6.0
"""Seconds without a line, longer than any step that nothing holds; a heartbeat comes after thirty."""


class Moment(NamedTuple):
    """Where the first run is when the second begins.

    :ivar make: the topology of a cluster of that name.
    :ivar reached: asks the simulator.
    :ivar fault: what holds it there, kind and object. Without one, something takes very long.
    """

    make: Callable[[str], dict[str, Any]]
    reached: Callable[[Any, str], bool]
    fault: tuple[str, str] = ("", "")


def eao(**more: Any) -> Callable[[str], dict[str, Any]]:
    return partial(cluster, **more)


def ecd(up: bool = False, databases: int = 1, **timing: Any) -> Callable[[str], dict[str, Any]]:
    """A ConfD cluster of a cloud; down, it has a node that is off."""
    state = {"state": "running" if up else "setup"}

    def make(name: str) -> dict[str, Any]:
        topology = confd(
            name, databases={f"DB{number}": state for number in range(1, databases + 1)}, deployment="cloud",
            settings={"auto_start": False}, timing=timing,
        )  # fmt: skip
        topology["nodes"]["n13"]["state"] = "online" if up else "offline"
        return topology

    return make


def nodes(state: str) -> Callable[[Any, str], bool]:
    return lambda simulator, name: state in {row["state"] for row in simulator.state(name)["nodes"].values()}


def databases(*states: str) -> Callable[[Any, str], bool]:
    return lambda simulator, name: sorted(simulator.phases(name).values()) == sorted(states)


def storage(state: str) -> Callable[[Any, str], bool]:
    return lambda simulator, name: simulator.state(name)["storage_state"] == state


GOING_UP = {
    "eao-nodes": Moment(eao(), nodes("booting"), ("never_boots", "n0012")),
    "eao-storage": Moment(eao(timing={"storage_start": HELD}), storage("starting")),
    "eao-starting": Moment(eao(timing={"database_start": HELD}), databases("startup")),
    "eao-running": Moment(eao(), databases("running"), ("never_connects", "DB1")),
    "confd-nodes": Moment(ecd(), nodes("booting"), ("never_boots", "n13")),
    "confd-starting": Moment(ecd(database_start=HELD), databases("startup")),
    "confd-running": Moment(ecd(), databases("running"), ("never_connects", "DB1")),
}
GOING_DOWN = {
    "eao-stopping": Moment(eao(up=True, timing={"database_stop": HELD}), databases("shutdown")),
    "eao-one-stopped": Moment(eao(up=True, databases=2), databases("setup", "shutdown"), ("never_stops", "DB2")),
    "eao-storage": Moment(eao(up=True, timing={"storage_stop": HELD}), storage("stopping")),
    "eao-nodes": Moment(eao(up=True), nodes("off"), ("never_stops", "n0012")),
    "confd-stopping": Moment(ecd(True, database_stop=HELD), databases("shutdown")),
    "confd-one-stopped": Moment(ecd(True, 2), databases("setup", "shutdown"), ("never_stops", "DB2")),
}
STOP = [
    play([{"dbfleet.cluster.exa_database": {"state": "stopped", "databases": ["all"], "wait_timeout": 60}}]),
]
PAIRS = {
    "two cold starts": (UP, UP, GOING_UP),
    "a shutdown beside a cold start": (UP, DOWN, GOING_UP),
    "databases stopped beside a cold start": (UP, STOP, GOING_UP),
    "two shutdowns": (DOWN, DOWN, GOING_DOWN),
    "a cold start beside a shutdown": (DOWN, UP, GOING_DOWN),
}
SEEN = (
    r"not by this run|was accepted, but \S+ is|EXAStorage not st(art|opp)ed: (DB|n00)|no database started: Storaged|"
    r"not shut down: (DB|n00|Storaged)|HTTP 503|connection refused|unreachable or already down"
)
"""What a run says that finds another one at work: an object and how it is."""


def let_go(simulator: Any, name: str, moment: Moment) -> None:
    if moment.fault[0]:
        simulator.mend(name)
        return
    simulator.admin("/clock", {"clock": "seconds:0.0001"}, cluster=name)
    until(f"{name} goes on", lambda: not moment.reached(simulator, name))
    simulator.admin("/clock", {"clock": "seconds:1"}, cluster=name)


def looked(run: Any, name: str) -> bool:
    """It waits for something of that cluster, was refused, or is through with it."""
    found = rf"\[{name}\].*(: wait for |waiting for|nothing |: ok$|: failed$)|^(ok|changed|fatal): \[{name}\]"
    return run.process.poll() is not None or re.search(found, run.out, re.MULTILINE) is not None


def at_rest(run: Any, names: Any) -> bool:
    """It says nothing new of any of these clusters: each waits for what is held, or is through."""
    silent = bool(run.lines) and time.time() - run.lines[-1][0] > REST
    return run.process.poll() is not None or (silent and all(looked(run, name) for name in names))


def side_by_side(simulator: Any, start: Callable[[Any], Any], pair: tuple[Any, Any, dict[str, Moment]]) -> list[Any]:
    """Two runs of which the second begins where the first is at each cluster's moment. Then all go on."""
    one, other, moments = pair
    first = start(one)
    for name, moment in moments.items():
        first.wait_for(f"{name} is there", partial(moment.reached, simulator, name))
    second = start(other)
    until("the second has looked at each", partial(at_rest, second, moments))
    for name, moment in moments.items():
        let_go(simulator, name, moment)
    return [first.finish(), second.finish()]


def is_up(simulator: Any, name: str) -> bool:
    return set(simulator.phases(name).values()) == {"running"}


@pytest.mark.parametrize("pair", PAIRS)
def test_two_runs_on_exasol_clusters(simulate: Any, ansible: Any, pair: str) -> None:
    one, other, moments = PAIRS[pair]
    simulator = simulate(*(moment.make(name) for name, moment in moments.items()))
    for name, moment in moments.items():
        if moment.fault[0]:
            simulator.fault(moment.fault[0], cluster=name, object=moment.fault[1])
    hosts = simulator.inventory(exa_wait_timeout=90, exa_graceful_shutdown_unreachable="down")
    for name, host in hosts.items():
        power = "infra" if name.startswith("confd") else "exaoperation"
        host.update(exa_cold_start_power=power, exa_graceful_shutdown_power=power)
    runs = side_by_side(simulator, partial(ansible.start, hosts=hosts, variables={"confirm": list(hosts)}), PAIRS[pair])
    for name in moments:
        changes = Counter(simulator.changes(name))
        assert max(changes.values()) == 1, (name, changes)
        ends = [not run.failures(name) for run in runs]
        says = [" ".join(run.failures(name)) for run in runs]
        for ended, said in zip(ends, says):
            assert ended or re.search(SEEN, said), (name, said)
            # of two shutdowns, the slower one may find the whole cluster gone
            assert ended or one != other or "connection refused" in said, (name, said)
        wanted = [is_up(simulator, name) if book == UP else not is_up(simulator, name) for book in (one, other)]
        assert any(ends), (name, says)
        assert any(ended and holds for ended, holds in zip(ends, wanted)), (name, says, changes)
    for run in runs:
        run.said_well()


def domains(up: bool = False, **timing: Any) -> Callable[[str], dict[str, Any]]:
    return lambda name: domain(name, databases={"shop": database(up=up)}, timing=timing)


def engines(kind: str, coming: bool) -> Callable[[Any, str], bool]:
    """Whether one is on its way up, or down."""

    def reached(simulator: Any, name: str) -> bool:
        rows = [row for row in simulator.state(name)["processes"].values() if row["engine_type"] == kind]
        going = [row for row in rows if row["durable_state"] == "REQUESTED_SHUTDOWN"]
        return bool([row for row in rows if row["engine_state"] != "RUNNING"] if coming else going)

    return reached


COMING = {
    "sms": Moment(domains(sm_start=HELD), engines("SM", coming=True)),
    "tes": Moment(domains(te_start=HELD), engines("TE", coming=True)),
}
GOING = {
    "tes": Moment(domains(True, te_shutdown=HELD), engines("TE", coming=False)),
    "sms": Moment(domains(True, sm_shutdown=HELD), engines("SM", coming=False)),
}


def tasks(state: str) -> list[dict[str, Any]]:
    task = {"dbfleet.cluster.nuodb_database": {"state": state, "databases": ["all"], "wait_timeout": 60}}
    return [play([task], "nuodb")]


START, SHUT, RESTART = "nuodb_cold_start", "nuodb_graceful_shutdown", "nuodb_database_state"
ON_DOMAINS = {
    "two cold starts": (START, START, COMING),
    "a shutdown beside a cold start": (START, SHUT, COMING),
    "databases stopped beside a cold start": (START, tasks("stopped"), COMING),
    "two shutdowns": (SHUT, SHUT, GOING),
    "a cold start beside a shutdown": (SHUT, START, GOING),
    "a recovery beside a shutdown": (SHUT, "nuodb_recover", GOING),
    "a restart beside a shutdown": (SHUT, RESTART, GOING),
    "databases started beside a shutdown": (SHUT, tasks("running"), GOING),
}
SEEN_OF_DOMAINS = (
    r"not by this run|is under way: (nothing changed|nothing is recovered)|shutdown database was accepted, but \S+ is"
)


@pytest.mark.parametrize("pair", ON_DOMAINS)
def test_two_runs_on_nuodb_domains(simulate: Any, ansible: Any, pair: str) -> None:
    """The runbooks have a lease, which says who is at work. Tasks have none."""
    one, other, moments = ON_DOMAINS[pair]
    simulator = simulate(*(moment.make(name) for name, moment in moments.items()))
    hosts = simulator.inventory(nuodb_wait_timeout=60, nuodb_database_state_state="restarted")
    variables = {"confirm": list(hosts), "nuodb_database_state_databases": ["all"]}
    runs = side_by_side(simulator, partial(ansible.start, hosts=hosts, variables=variables), ON_DOMAINS[pair])
    for name in moments:
        changes = Counter(simulator.changes(name))
        assert max(changes.values()) == 1, (name, changes)
        says = [" ".join(run.failures(name)) for run in runs]
        for said in says:
            assert not said or re.search(SEEN_OF_DOMAINS, said), (name, said)
        ends = [run.stats[name]["failures"] == 0 for run in runs]
        up = all_run(simulator, name)
        assert any(ends), says
        assert any(ended and (book in (START, tasks("running"))) == up for ended, book in zip(ends, (one, other))), says
        if isinstance(other, str):
            assert ends[0], says
    for run in runs:
        run.said_well()

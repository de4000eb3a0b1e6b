# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Suspends nodes (marks them as offline for good) and resumes them."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any, Callable
from urllib.parse import urlsplit

from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Together, Wait
from ..._errors import ClusterError, Garbled, Refused, Unreachable, Untrusted
from ..._wording import joined, listing
from ..api import capabilities as can
from ..api.addresses import places
from ..api.cluster import Cluster
from ..api.providers import CONFD, NODE, confd_node
from ..api.states import OFFLINE, ONLINE, SUSPENDED, Database
from ..copies import ALLOW, refuse_last_copy
from ..view import ClusterView
from .selection import online_of


class Suspension:
    """Suspends or resumes nodes of one cluster.

    :param allow_last_copy: whether a node may be suspended that has the last good copy of data.
    :param marks: what else the call changes in the configuration: disable, enable.
    :raises Unsupported: if the cluster has no call for it.
    """

    def __init__(self, cluster: ClusterView, allow_last_copy: bool = False, marks: tuple[str, ...] = ()) -> None:
        cluster.require(can.SUSPEND)
        if marks:
            cluster.require(can.JOBS)
        self._cluster = cluster
        self._allow_last_copy = allow_last_copy
        self._marks: dict[str, Any] = dict.fromkeys(marks, True)
        self._together = cluster.provider.tells_nodes_together

    def read(self, node: str) -> str:
        """The state of one node."""
        if self._cluster.node_is_suspended(node):
            return SUSPENDED
        return ONLINE if self._cluster.node_is_online(node) else OFFLINE

    def read_all(self, nodes: list[str]) -> dict[str, str]:
        """The states of several nodes, where one call shows all of them."""
        states = self._cluster.node_states()
        return {node: states.get(node, OFFLINE) for node in nodes}

    def suspended(self, node: str, state: str, _history: History) -> Decision:
        if state == SUSPENDED:
            return Done()
        if state == OFFLINE and not self._together:
            return Fail(
                "off, and EXAoperation suspends the storage only of a node that is online",
                hint="bring it online first (exa_node state=online), or leave it out",
                number="DBF-6206",
            )
        return self._act("suspend_node", partial(self._cluster.suspend_nodes, **self._marks), node)

    def resumed(self, node: str, state: str, _history: History) -> Decision:
        if state != SUSPENDED:
            return Done()
        return self._act("resume_node", partial(self._cluster.resume_nodes, **self._marks), node)

    def _act(self, change: str, call: Callable[[list[str]], None], node: str) -> Act:
        return Act(self._cluster.provider.calls[change], partial(call, [node]), call if self._together else None)

    def stages(self, names: list[str], state: str) -> list[Stage]:
        """The stage for `suspended` or `resumed`."""
        away = state == SUSPENDED

        def guard() -> None:
            overrides = "" if self._allow_last_copy else ALLOW
            refuse_to_take(self._cluster, names, "suspended", remain=True, last_copy=overrides)

        return [
            Stage(
                noun="nodes",
                done=SUSPENDED if away else "resumed",
                names=names,
                read=Together(self.read_all) if self._together else Each(self.read),
                decide=self.suspended if away else self.resumed,
                target=lambda _node, now: SUSPENDED if away else ONLINE if now == SUSPENDED else now,
                guard=guard if away else None,
            )
        ]


NOT_TOLD = "unknown without a quorum"

NOBODY_TELLS = (Unreachable, Garbled, Untrusted)
"""What a read may raise when the quorum is lost."""


def hinted(error: ClusterError) -> ClusterError:
    """Adds to the error of a read what to do if the quorum is lost."""
    error.hint = joined(
        [error.hint, "to suspend dead nodes without a quorum, set without_quorum: true, and name them in confirm"]
    )
    return error


def without_quorum(cluster: Cluster, wanted: list[str], confirm: list[str]) -> list[Stage]:
    """The stage that suspends dead nodes while no server reports nodes, so that the others get their quorum back.

    Source: CONFD-19.

    :param wanted: the nodes to suspend, by names that contain their numbers.
    :param confirm: the same nodes again.
    """
    if cluster.provider.name != CONFD.name:
        raise cluster.unsupported(can.JOBS)
    names = list(dict.fromkeys(map(_by_number, wanted)))

    def states(nodes: list[str]) -> dict[str, str]:
        try:
            told = cluster.node_states()
        except NOBODY_TELLS:
            return dict.fromkeys(nodes, NOT_TOLD)
        return {node: told.get(confd_node(node, list(told)), OFFLINE) for node in nodes}

    def decide(node: str, state: str, history: History) -> Decision:
        if state == SUSPENDED:
            return Done()
        if state == ONLINE:
            return Fail(
                "online, and without a quorum only dead nodes can be suspended", hint="leave it out", number="DBF-6207"
            )
        step = cluster.provider.calls["suspend_node"]
        if step in history.acted and not history.unsure:
            return Wait(f"{state}, and its suspension can take a minute")
        return Act(step, partial(cluster.suspend_without_quorum, [node]), cluster.suspend_without_quorum)

    return [
        Stage(
            noun="nodes",
            done=SUSPENDED,
            names=names,
            read=Together(states),
            decide=decide,
            target=lambda _node, _state: SUSPENDED,
            guard=lambda: refuse_unless_dead(cluster, names, list(map(_by_number, confirm))),
        )
    ]


def _by_number(name: str) -> str:
    """Turns n13, 13 and n0013 into n13. A name without a number stays as it is."""
    found = NODE.fullmatch(name.strip())
    return f"n{int(found.group(1))}" if found else name


def refuse_unless_dead(cluster: Cluster, names: list[str], confirm: list[str]) -> None:
    """Refuses to suspend nodes without a quorum unless they are surely dead.

    :raises Refused: if the nodes aren't confirmed, one of them may be alive, or the quorum isn't lost.
    """
    urls = cluster.heard()
    at, heard = places(cluster.urls), places(urls)
    silent = [place for place in at if place not in heard]
    alive = {_by_number((urlsplit(url).hostname or "").partition(".")[0]) for url in urls}
    with suppress(ClusterError):
        alive.add(_by_number(cluster.master()))
    seen = f"{len(heard)} of {len(at)} nodes in api_url answer"
    what = f"{listing(names)} not suspended without a quorum"
    if set(confirm) != set(names):
        said = f"confirm names {listing(confirm)}, not {listing(names)}" if confirm else "confirm names nothing"
        raise Refused(
            f"{cluster.name}: {what}: {said}; if such a node is alive, it goes on by itself after the others "
            "suspend it, and both parts may change the data",
            hint=f"power these nodes off, then set confirm: [{', '.join(names)}]",
            failed_object=" ".join(names),
            number="DBF-6207",
        )
    up = [name for name in names if name in alive]
    if up:
        raise Refused(
            f"{cluster.name}: {what}: {listing(up)} is alive, because it answers or the others name it as their master",
            hint="name only nodes that are dead; nothing overrides this",
            failed_object=" ".join(up),
            number="DBF-6207",
        )
    if len(silent) < len(names):
        raise Refused(
            f"{cluster.name}: {what}: {seen}, so one of the nodes to suspend may be alive: it would go on by "
            "itself, and both parts may change the data",
            hint="power these nodes off, and name every node of the cluster in api_url; nothing overrides this",
            failed_object=" ".join(names),
            last_state=seen,
            number="DBF-6207",
        )
    if len(heard) * 2 > len(at):
        raise Refused(
            f"{cluster.name}: {what}: {seen}, so the quorum isn't lost, or api_url doesn't name every node",
            hint="wait until the cluster has a master, then suspend the nodes with without_quorum: false; nothing "
            "overrides this",
            failed_object=" ".join(names),
            last_state=seen,
            number="DBF-6207",
        )


def refuse_to_take(
    cluster: ClusterView,
    names: list[str],
    what: str,
    remain: bool,
    back: tuple[str, ...] = (),
    last_copy: str = "",
) -> None:
    """Refuses to take nodes out of the cluster while it needs them. The state is read afresh.

    :param what: what the run does to the nodes, for the message (`suspended`).
    :param remain: whether the nodes still count for the quorum afterwards.
    :param back: nodes that come back before these nodes leave.
    :param last_copy: the hint on how to override the rule of the last copy; empty skips that rule.
    :raises Refused: if a running database needs a node, a node is the master or has the last copy of data, or too few
        nodes would stay online.
    """
    nodes = cluster.nodes()
    online = list(dict.fromkeys([*taking_part(cluster, nodes), *back]))
    taken = [node for node in names if node in online]
    if not taken:
        return
    _refuse_under_database(cluster, taken, what)
    if last_copy:
        refuse_last_copy(cluster, taken, online, what, last_copy, back)
    if cluster.lacks(can.LICENSE_SERVERS):
        _refuse_master(cluster, taken, what)
    left = [node for node in online if node not in taken]
    counted = len(nodes) if remain else len([node for node in nodes if node not in names])
    if len(left) * 2 <= counted:
        raise Refused(
            f"{cluster.name}: {listing(taken)} not {what}: only {len(left)} of {counted} nodes would stay online, "
            "which is no majority, and without a quorum the cluster doesn't work and this can't be undone",
            hint="bring other nodes online first, or name fewer nodes; nothing overrides this",
            failed_object=" ".join(taken),
            last_state={node: ONLINE if node in online else OFFLINE for node in nodes},
            number="DBF-6206",
        )


def taking_part(cluster: ClusterView, nodes: list[str]) -> list[str]:
    """The nodes that are online and not suspended, read afresh."""
    return [node for node, up in online_of(cluster, nodes).items() if up and not _rests(cluster, node)]


def _rests(cluster: ClusterView, node: str) -> bool:
    """Whether a node is suspended, for a provider that may also report a suspended node as online."""
    return not cluster.provider.tells_nodes_together and cluster.node_is_suspended(node)


def _refuse_under_database(cluster: ClusterView, taken: list[str], what: str) -> None:
    up = [db for db in map(cluster.database, cluster.databases()) if not db.is_stopped]
    stand_in = "" if cluster.lacks(can.JOBS) else ", or let a reserve node take over (job db_suspend_nodes, by exa_job)"
    for database in up:
        reasons = needs(cluster, database, taken)
        if reasons:
            raise Refused(
                f"{cluster.name}: {listing(taken)} not {what}: {database.name} is {database.state} and "
                f"{'; '.join(reasons)}: the database would lose what it runs on",
                hint=f"stop the database first (exa_database state=stopped){stand_in}; nothing overrides this",
                failed_object=" ".join(taken),
                last_state={database.name: database.as_dict()},
                number="DBF-6206",
            )


def needs(cluster: ClusterView, database: Database, taken: list[str]) -> list[str]:
    """Why a database needs some of these nodes, as phrases for a message."""
    active = [node for node in cluster.database_nodes(database.name) if node in taken]
    reasons = [f"active on {listing(active)}"] if active else []
    volumes = cluster.volumes()
    for volume in volumes.all():
        held = [node for node in volume.nodes if node in taken]
        if held and database.name in volumes.databases_of(volume):
            reasons.append(f"has data on {listing(held)} (volume {volume.name})")
    return reasons


def _refuse_master(cluster: ClusterView, taken: list[str], what: str) -> None:
    master = cluster.provider.node_name(cluster.master(), cluster.nodes())
    if master in taken:
        raise Refused(
            f"{cluster.name}: {master} not {what}: it is the master, and its running jobs would be cut off",
            hint="make another node the master first (job master_change, by exa_job); nothing overrides this",
            failed_object=master,
            last_state=master,
            number="DBF-6206",
        )

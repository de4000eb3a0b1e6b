# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the service of an EXAoperation plugin is started, stopped and restarted on nodes (EAO-67, EAO-139)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from .._convergence.stage import Act, Decision, Done, Each, History, Stage
from .._convergence.workers import gather
from .._errors import Fault, Refused
from .._foreign import one_line
from .._wording import listing
from .view import ClusterView

RUNS = "running"
RESTS = "not running"


@dataclass
class Plugin:
    """One plugin of one cluster.

    :param running_text: a text in the output of STATUS while its service runs.
    :param servers: license servers. The run doesn't check whether they are online, because EXAoperation runs on one.
    """

    cluster: ClusterView
    name: str
    running_text: str
    servers: Collection[str] = ()
    _doubtful: dict[str, bool] = field(default_factory=dict, init=False)

    def read(self, node: str) -> str:
        status, output = self.cluster.call_plugin(self.name, node, "STATUS", changing=False)
        runs = self.running_text in output
        # A node that has answered once needs no check.
        self._doubtful[node] = self._doubtful.get(node, True) and bool(status) and not runs
        return RUNS if runs else RESTS

    def guard(self) -> None:
        """The rule before a service is started on any node: each is online."""
        doubtful = [node for node, doubt in self._doubtful.items() if doubt and node not in self.servers]
        off = [node for node, up in gather(doubtful, self.cluster.node_is_online).items() if not up]
        if off:
            raise Refused(
                f"{self.cluster.name}: plugin {self.name} not started: {listing(off)} offline, and its service could "
                "not be started there",
                hint="bring them online first (exa_node state=online), or leave them out (ignore_nodes)",
                failed_object=" ".join(off),
                number="DBF-6107",
            )

    def _act(self, node: str, command: str, *then: str) -> Act:
        def call() -> None:
            status, output = self.cluster.call_plugin(self.name, node, command)
            if status:
                text = one_line(output)
                raise Fault(
                    f"{self.cluster.name}: callPlugin {self.name} {command} on {node}: "
                    f"it ended with status {status}: {text}",
                    text=text,
                    number="DBF-5003",
                )

        return Act(command, call, then=then)

    def started(self, node: str, state: str, _history: History) -> Decision:
        return Done() if state == RUNS else self._act(node, "START")

    def stopped(self, node: str, state: str, _history: History) -> Decision:
        return Done() if state == RESTS else self._act(node, "STOP")

    def restarted(self, node: str, state: str, history: History) -> Decision:
        if "START" in history.acted or state == RESTS:
            return self._act(node, "START") if state == RESTS else Done()
        return self._act(node, "STOP", "START")

    def stages(self, nodes: list[str], state: str) -> list[Stage]:
        """The stage for `started`, `stopped` or `restarted`."""
        done = RESTS if state == "stopped" else RUNS
        return [
            Stage(
                noun=f"plugin {self.name}",
                done=done,
                names=nodes,
                read=Each(self.read),
                decide=getattr(self, state),
                target=lambda _n, _s: done,
                guard=None if state == "stopped" else self.guard,
            )
        ]

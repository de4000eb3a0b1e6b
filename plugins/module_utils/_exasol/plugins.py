# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the service of an EXAoperation plugin is started, stopped and restarted on nodes (EAO-67, EAO-139)."""

from __future__ import annotations

from dataclasses import dataclass

from .._convergence.stage import Act, Decision, Done, Each, History, Stage
from .._errors import Fault
from .view import ClusterView

RUNS = "running"
RESTS = "not running"


@dataclass
class Plugin:
    """One plugin of one cluster.

    :param running_text: what its STATUS says when its service runs.
    """

    cluster: ClusterView
    name: str
    running_text: str

    def read(self, node: str) -> str:
        _status, output = self.cluster.call_plugin(self.name, node, "STATUS", changing=False)
        return RUNS if self.running_text in output else RESTS

    def _act(self, node: str, command: str) -> Act:
        def call() -> None:
            status, output = self.cluster.call_plugin(self.name, node, command)
            if status:
                text = " ".join(output.split())
                raise Fault(
                    f"{self.cluster.name}: callPlugin {self.name} {command} on {node}: "
                    f"it ended with status {status}: {text}",
                    text=text,
                )

        return Act(command, call)

    def started(self, node: str, state: str, _history: History) -> Decision:
        return Done() if state == RUNS else self._act(node, "START")

    def stopped(self, node: str, state: str, _history: History) -> Decision:
        return Done() if state == RESTS else self._act(node, "STOP")

    def restarted(self, node: str, state: str, history: History) -> Decision:
        if "START" in history.acted or state == RESTS:
            return self._act(node, "START") if state == RESTS else Done()
        return self._act(node, "STOP")

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
            )
        ]

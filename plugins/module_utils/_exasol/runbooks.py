# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a whole runbook would do to a cluster and what it would refuse, from one report and without a call."""

from __future__ import annotations

from typing import Any

from .. import _preview
from .._converge import Stage
from .._errors import ClusterError
from .._task import Task
from . import nodes, storage
from .assumed import Assumed
from .databases import Databases

COLD_START = "cold_start"
GRACEFUL_SHUTDOWN = "graceful_shutdown"


class Preview(_preview.Preview):
    """See C(_preview).

    :param known: the C(cluster) of exa_cluster_info.
    :raises ClusterError: a part of it is missing.
    """

    def __init__(self, task: Task, known: dict[str, Any]) -> None:
        missing = [part for part in ("master", "nodes", "services", "databases") if part not in known]
        if missing:
            raise ClusterError(
                f"{known.get('name', 'the cluster')}: its report has no {', '.join(missing)}: gather them"
            )
        super().__init__(task, known)
        self.known = {**known}

    def cluster(self) -> Assumed:
        return Assumed(None, self.known)

    def add(self, part: str, stages: list[Stage]) -> None:
        """Previews one part and remembers what it would leave."""
        states = self.run(part, stages)
        if part == "databases":
            self.known["databases"] = {**self.known["databases"], **{name: db.as_dict() for name, db in states.items()}}
        elif part == "storage":
            self.known["services"] = states[storage.NAME]
        else:
            found = {name: {"state": state} for name, state in states.items() if name in self.known["nodes"]}
            self.known["nodes"] = {**self.known["nodes"], **found}


def plan(preview: Preview, runbook: str, choice: dict[str, Any]) -> None:
    """Previews a runbook.

    :param choice: C(databases), C(ignore_nodes), C(license_servers), C(on_operation), C(force), C(power_on).
    """
    servers = nodes.license_server_names(choice["license_servers"])
    view = preview.cluster()
    names = list(preview.known["databases"])
    if names:
        names = nodes.chosen(view, choice["databases"], names, "database")
    ignored = choice["ignore_nodes"]
    every = view.nodes()
    if runbook == COLD_START:
        wanted = [node for node in every if node not in ignored]
        arrival = nodes.Arrival(view, None, 0, preview.warn)
        preview.add("nodes", [nodes.online(wanted, arrival, choice["power_on"], False)])
        preview.add("storage", [storage.started(preview.cluster(), ignored)])
        preview.add("databases", [Databases(preview.cluster()).stage(names, "started")])
        return
    try:
        nodes.refuse_unless_master_is(view, servers)
    except ClusterError as refusal:
        preview.refuse("preflight", refusal)
    preview.add("databases", [Databases(view, choice["on_operation"], choice["force"]).stage(names, "stopped")])
    preview.add("storage", [storage.stopped(preview.cluster())])
    stages = nodes.offline(preview.cluster(), every + servers, servers)
    for stage in stages:  # the whole order is previewed; a guard between the stages is cleared by the stage before
        stage.guard = None
    preview.add("nodes", stages)

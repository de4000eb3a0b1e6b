# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a whole runbook would do to a cluster and what it would refuse, from one report and without a call."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Optional

from .. import _runout
from .._convergence.preview import Preview
from .._convergence.stage import Stage
from .._errors import ClusterError, Refused, Unsupported
from .._task import Task
from .._wording import listing
from . import copies, runout, selection, storage
from .api import capabilities as can
from .api.states import OFFLINE, ONLINE
from .databases.shared_volume import to_start
from .databases.start_stop import Databases
from .nodes import boot, selection as nodes_selection, shutdown
from .view import PreviewedCluster

COLD_START = "cold_start"
GRACEFUL_SHUTDOWN = "graceful_shutdown"
POWER_OFF = "power_off"
"""Not a runbook: shows only whether all nodes may be powered off now, by whatever means."""

API, HOOK, NONE = BY = ("api", "hook", "none")
"""What powers the nodes off at the end of a shutdown: calls of the API, a hook, or nothing."""


class ClusterPreview(Preview):
    """See `Preview`.

    :param known: the `cluster` that exa_cluster_info returned.
    :raises ClusterError: a part of it is missing.
    """

    def __init__(self, task: Task, known: dict[str, Any], use_infra: bool = False) -> None:
        missing = [part for part in ("master", "nodes", "services", "databases") if part not in known]
        if missing:
            raise ClusterError(
                f"{known.get('name', 'the cluster')}: its report lacks {', '.join(missing)}: gather these parts"
            )
        super().__init__(task, known)
        self.known = {**known}
        self._use_infra = use_infra

    def cluster(self) -> PreviewedCluster:
        return PreviewedCluster(None, self.known, self._use_infra)

    def add(self, part: str, stages: list[Stage]) -> None:
        """Previews one part, and remembers the states that it would leave."""
        states = self.run(part, stages)
        if part == "databases":
            self.known["databases"] = {**self.known["databases"], **{name: db.as_dict() for name, db in states.items()}}
        elif part == "storage":
            self.known["services"] = states[storage.NAME]
        else:
            found = {name: {"state": state} for name, state in states.items() if name in self.known["nodes"]}
            self.known["nodes"] = {**self.known["nodes"], **found}


def plan(preview: ClusterPreview, runbook: str, choice: dict[str, Any]) -> None:
    """Previews a runbook.

    :param choice: `databases`, `ignore_nodes`, `license_servers`, `on_operation`, `force`, `power_on`,
        `power_off`, `hooked`, `plugins`, `log_service`.
    """
    asked = {"plugins": (can.PLUGINS, choice["plugins"]), "log_service": (can.LOG, choice["log_service"])}
    for option, (capability, given) in asked.items():
        why = preview.cluster().lacks(capability) if given else None
        if why:
            hint = f"leave exa_{option} out for this cluster"
            preview.refuse("preflight", Unsupported(f"{preview.name}: {option} is given, but {why}", hint=hint))
    if runbook == COLD_START:
        _cold_start(preview, choice)
    elif runbook == POWER_OFF:
        _power_off(preview, choice)
    else:
        _graceful_shutdown(preview, choice)


def plan_off_time(preview: ClusterPreview, choice: dict[str, Any], zone: Optional[tzinfo]) -> list[dict[str, Any]]:
    """Shows what runs out or falls due while the cluster is off.

    :param choice: `off_for`, `runout` and `on_runout`.
    :param zone: the cluster's time zone, if it is known.
    :raises ClusterError: the off time is wrong, or exa_cluster_info has not read what may run out.
    """
    off = _runout.off_time(preview.name, choice["off_for"])
    found = runout.findings(_runout.known(preview.name, choice["runout"]), off, zone)
    return _runout.tell(preview, off, found, choice["on_runout"], "exa_graceful_shutdown")


def _databases(preview: ClusterPreview, wanted: list[str]) -> list[str]:
    names = list(preview.known["databases"])
    return selection.chosen(preview.cluster(), wanted, names, "database") if names else []


def _to_start(preview: ClusterPreview, wanted: list[str]) -> list[str]:
    every = list(preview.known["databases"])
    try:
        return to_start(preview.cluster(), wanted, every, preview.say) if every else []
    except Refused as refusal:
        preview.refuse("databases", refusal)
        return []


def _cold_start(preview: ClusterPreview, choice: dict[str, Any]) -> None:
    view, ignored = preview.cluster(), choice["ignore_nodes"]
    names = _to_start(preview, choice["databases"])
    wanted = nodes_selection.without(view, ignored)
    off = [name for name in wanted if preview.known["nodes"][name]["state"] == OFFLINE]
    if off and not (choice["power_on"] or choice["hooked"]):
        preview.warn(f"{preview.name}: no hook powers {listing(off)} on, so phase nodes waits until somebody does")
    node_boot = boot.NodeBoot(view, None, 0, preview.warn)
    preview.add("nodes", [boot.online(view, wanted, node_boot, choice["power_on"], False)])
    preview.add("storage", [storage.started(preview.cluster(), ignored)])
    preview.add("databases", Databases(preview.cluster()).stages(names, "started"))


def _graceful_shutdown(preview: ClusterPreview, choice: dict[str, Any]) -> None:
    view = preview.cluster()
    servers = nodes_selection.license_servers_of(view, choice["license_servers"])
    names = _databases(preview, choice["databases"])
    if servers and choice["power_off"] != NONE:
        for refuse in (shutdown.refuse_unless_master_is, shutdown.refuse_strange_license_servers):
            try:
                refuse(view, servers)
            except ClusterError as refusal:
                preview.refuse("preflight", refusal)
    _warn_of_single_copies(preview)
    preview.add("databases", Databases(view, choice["on_operation"], choice["force"]).stages(names, "stopped"))
    alone = view.lacks(can.STOP_STORAGE)
    if alone:
        preview.say(f"[{preview.name}] storage: {alone}")
    else:
        preview.add("storage", [storage.stopped(preview.cluster())])
    if choice["power_off"] == NONE:
        preview.say(f"[{preview.name}] nodes: the hosts stay on")
        return
    if choice["power_off"] == HOOK and not choice["hooked"]:
        preview.warn(f"{preview.name}: no hook powers the nodes off, so phase nodes waits until somebody does")
    unsure = [name for name in view.reachability().unseen if preview.known["nodes"][name]["state"] != ONLINE]
    if unsure:
        preview.warn(f"{preview.name}: {listing(unsure)} can't be seen from here: check yourself that they are off")
    try:
        stages = shutdown.offline(preview.cluster(), view.nodes(), servers, choice["power_off"] == API)
        stages += shutdown.offline(preview.cluster(), servers, servers) if servers else []
    except ClusterError as refusal:
        preview.refuse("nodes", refusal)
        return
    for stage in stages:  # the whole order is previewed; a guard between the stages is cleared by the stage before
        stage.guard = None
    preview.add("nodes", stages)


def _warn_of_single_copies(preview: ClusterPreview) -> None:
    """Only warns: a whole shutdown changes no disk, so a missing copy is the same risk before and after it."""
    found, _hint = copies.missing_copies(preview.known)
    if found:
        preview.warn(
            f"{preview.name}: {'; '.join(found)}. The shutdown removes no copy, but if the node with the last copy "
            "doesn't come back, the data is lost. A recovery goes on only when all nodes are up again: don't touch the "
            "disks of the nodes until then"
        )


def _power_off(preview: ClusterPreview, choice: dict[str, Any]) -> None:
    view = preview.cluster()
    servers = nodes_selection.license_servers_of(view, choice["license_servers"])
    preview.idle = "nothing forbids powering the nodes off"
    try:
        first = shutdown.offline(view, view.nodes(), servers, power_off=False)[0]
        if first.guard:
            first.guard()
    except ClusterError as refusal:
        preview.refuse("nodes", refusal)

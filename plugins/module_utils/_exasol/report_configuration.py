# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration in a report, from which a copy of the cluster is made: volumes, backups, settings."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

from .._convergence.workers import gather
from .._secrets import Scrubber, in_url
from .api import capabilities as can
from .api.cluster import Cluster
from .api.states import ONLINE
from .api.volumes import RemoteVolume, Volume

OLD, NEW = "6.2", "8"
"""The versions of ConfD whose parameters have different names (CONFD-55, CONFD-56)."""


def layout(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """The nodes, the data volume and the settings of each database, if the server reports them."""
    found = gather(cluster.databases(), cluster.database_layout)
    return {
        name: {
            **one.settings,
            **({"nodes": [*one.active, *one.failed], "reserve": list(one.reserve)} if one.nodes else {}),
        }
        for name, one in found.items()
    }


def volumes(cluster: Cluster, rows: Callable[[], list[Volume]]) -> dict[str, dict[str, Any]]:
    """The volumes that stay, without values that change by themselves.

    :param rows: reads the volumes that stay.
    """
    cluster.require(can.VOLUMES)
    passing = ("users", "not_online", "size")

    def stays(key: str, value: Any) -> bool:
        return value is not None and key not in passing and (key != "unlock_conditions" or bool(value))

    return {row.name: {key: value for key, value in row.as_dict().items() if stays(key, value)} for row in rows()}


def remote_volumes(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """The remote volumes, without passwords, and how the nodes that are online reach them."""
    cluster.require(can.REMOTE_VOLUMES)
    api = cluster.remote_volumes()
    together = cluster.provider.tells_nodes_together
    online = [node for node, state in cluster.node_states().items() if state == ONLINE] if together else []

    def row(volume: RemoteVolume) -> dict[str, Any]:
        told = {key: value for key, value in volume.as_dict().items() if value is not None}
        told["url"] = Scrubber(in_url(volume.url or "")).text(volume.url or "")
        states = api.states(volume)
        if len(states) == len(online):
            return {**told, "states": dict(zip(online, states))}
        return {**told, "state": next((state for state in states if state.lower() != ONLINE), ONLINE)}

    known = {volume.name: volume for volume in api.all()}
    return gather(list(known), lambda name: row(known[name]))


def backups(cluster: Cluster) -> dict[str, list[dict[str, Any]]]:
    """The backups of each database."""
    cluster.require(can.BACKUPS)
    api = cluster.backups()
    found = gather(cluster.databases(), api.backups)
    return {name: [one.as_dict() for one in rows] for name, rows in found.items()}


def schedules(cluster: Cluster) -> dict[str, Any]:
    """The backup schedules of each database, by name if the server keeps names."""
    cluster.require(can.SCHEDULES)
    api = cluster.backups().schedules()
    found = {name: rows for name, rows in gather(cluster.databases(), api.schedules).items() if rows}
    if api.named:
        return {name: {row.name: row.as_dict() for row in rows} for name, rows in found.items()}
    return {name: [row.as_dict() for row in rows] for name, rows in found.items()}


def settings(cluster: Cluster) -> dict[str, Any]:
    """Which names of parameters ConfD takes, from its help for a job."""
    cluster.require(can.JOBS)
    known = cluster.jobs().help("node_resume").parameters
    return {"parameter_names": OLD if "node_id" in known else NEW}


PARTS = ("layout", "volumes", "remote_volumes", "backups", "schedules", "settings")


def readers(cluster: Cluster, rows: Callable[[], list[Volume]]) -> dict[str, Callable[[], Any]]:
    """The function that reads each part.

    :param rows: reads the volumes that stay.
    """
    return {
        "layout": partial(layout, cluster),
        "volumes": partial(volumes, cluster, rows),
        "remote_volumes": partial(remote_volumes, cluster),
        "backups": partial(backups, cluster),
        "schedules": partial(schedules, cluster),
        "settings": partial(settings, cluster),
    }

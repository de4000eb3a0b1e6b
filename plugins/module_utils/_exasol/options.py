# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Exasol modules make from the options that they share: a spec, a time zone, and the view of the cluster."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Optional
from zoneinfo import ZoneInfo

from .. import _options
from .._errors import ClusterError
from .._task import Task
from .api.cluster import Cluster
from .connection import CONNECTION
from .view import ClusterView, PreviewedCluster


def spec(options: dict[str, Any], waits: bool = False, **relations: Any) -> dict[str, Any]:
    """The keyword arguments of AnsibleModule for an Exasol module. See `_options.merged`."""
    return _options.merged(CONNECTION, options, waits, **relations)


USE_INFRA: dict[str, Any] = {"use_infra": {"type": "bool", "default": False}}
"""The option of modules that power nodes on and off."""


def zone_of(task: Task, of: str = "") -> Optional[tzinfo]:
    """The cluster's time zone; None if the task doesn't give it.

    :param of: the name of the cluster, if no option gives it.
    :raises ClusterError: this machine doesn't know that time zone.
    """
    name = task.params["time_zone"]
    try:
        return ZoneInfo(name) if name else None
    except (LookupError, ValueError, OSError):
        cluster = of or task.params["cluster_name"] or "the cluster"
        raise ClusterError(
            f"{cluster}: time_zone {name!r} is not a time zone that this machine "
            "knows (such as Europe/Berlin; if it knows no time zone at all, pip install tzdata)",
            number="DBF-7008",
        ) from None


def view_of(task: Task, cluster: Cluster) -> ClusterView:
    """The cluster as the steps of this task see it: under check mode, as earlier tasks would have left it."""
    assumed = task.params.get("assume") if task.check_mode else None
    return PreviewedCluster(cluster, assumed) if assumed else cluster

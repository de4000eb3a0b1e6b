# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that Exasol modules share, as values that merge, and the view of the cluster that they ask for."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Optional
from zoneinfo import ZoneInfo

from .. import _options
from .._errors import ClusterError
from .._task import Task
from .._values import first_of
from .api.cluster import Cluster
from .view import ClusterView, PreviewedCluster


def _option(name: str, **more: Any) -> dict[str, Any]:
    return {"fallback": (first_of, [f"EXA_{name.upper()}"]), **more}


CONNECTION: dict[str, Any] = {
    "api_url": _option("api_url", type="list", elements="str"),
    "api_username": _option("api_username", type="str"),
    "api_password": _option("api_password", type="str", no_log=True),
    "provider": _option("provider", type="str", default="auto", choices=["auto", "exaoperation", "confd"]),
    "validate_certs": _option("validate_certs", type="bool", default=True),
    "ca_path": _option("ca_path", type="path"),
    "client_cert": _option("client_cert", type="path"),
    "client_key": _option("client_key", type="path", no_log=False),
    "tls_fingerprint": _option("tls_fingerprint", type="str"),
    "rpc_format": _option("rpc_format", type="str", default="xml", choices=["xml", "json"]),
    "json_rpc_path": _option("json_rpc_path", type="str", default="/json"),
    "time_zone": _option("time_zone", type="str"),
    "request_timeout": _option("request_timeout", type="float", default=30),
    "profile": _option("profile", type="str"),
    "profiles_path": _option("profiles_path", type="path"),
    "cluster_name": {"type": "str"},
}


def spec(options: dict[str, Any], waits: bool = False, **relations: Any) -> dict[str, Any]:
    """The keyword arguments of AnsibleModule for an Exasol module. See `_options.merged`."""
    return _options.merged(CONNECTION, options, waits, **relations)


USE_INFRA: dict[str, Any] = {"use_infra": {"type": "bool", "default": False}}
"""Of modules that power nodes on and off."""


def zone_of(task: Task, of: str = "") -> Optional[tzinfo]:
    """The cluster's time zone, where it is given.

    :param of: what the cluster is called, where no option says it.

    :raises ClusterError: this machine doesn't know it.
    """
    name = task.params["time_zone"]
    try:
        return ZoneInfo(name) if name else None
    except (LookupError, ValueError, OSError):
        cluster = of or task.params["cluster_name"] or "the cluster"
        raise ClusterError(
            f"{cluster}: time_zone {name!r} is not a time zone that this machine "
            "knows (such as Europe/Berlin; where it knows none at all, pip install tzdata)"
        ) from None


def view_of(task: Task, cluster: Cluster) -> ClusterView:
    """The cluster as the steps of this task see it: under check mode, as earlier tasks would have left it."""
    assumed = task.params.get("assume") if task.check_mode else None
    return PreviewedCluster(cluster, assumed) if assumed else cluster

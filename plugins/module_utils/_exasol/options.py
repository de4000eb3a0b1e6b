# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that Exasol modules share, as values that merge, and the cluster that they name."""

from __future__ import annotations

from typing import Any, Optional

from ansible.module_utils.basic import env_fallback

from .. import _options
from .._task import Task
from .assumed import Assumed
from .cluster import Cluster
from .exaoperation import EXAoperation
from .nodes import AnyCluster

WAIT = _options.WAIT
bring = _options.bring


def _option(name: str, **more: Any) -> dict[str, Any]:
    return {"fallback": (env_fallback, [f"EXA_{name.upper()}"]), **more}


CONNECTION: dict[str, Any] = {
    "api_url": _option("api_url", type="list", elements="str"),
    "api_username": _option("api_username", type="str"),
    "api_password": _option("api_password", type="str", no_log=True),
    "provider": _option("provider", type="str", default="auto", choices=["auto", "exaoperation"]),
    "validate_certs": _option("validate_certs", type="bool", default=True),
    "ca_path": _option("ca_path", type="path"),
    "client_cert": _option("client_cert", type="path"),
    "client_key": _option("client_key", type="path", no_log=False),
    "tls_fingerprint": _option("tls_fingerprint", type="str"),
    "request_timeout": _option("request_timeout", type="float", default=30),
    "profile": _option("profile", type="str"),
    "profiles_path": _option("profiles_path", type="path"),
    "cluster_name": {"type": "str"},
}


def spec(options: dict[str, Any], waits: bool = False, **relations: Any) -> dict[str, Any]:
    """The keyword arguments of AnsibleModule for an Exasol module. See C(_options.merged)."""
    return _options.merged(CONNECTION, options, waits, **relations)


def connect(task: Task, only: Optional[list[str]] = None) -> Cluster:
    """The cluster that a task's options name. See C(_options.http_of)."""
    return EXAoperation(_options.http_of(task, "EXA_API_URL", only))


def seen(task: Task, cluster: Cluster) -> AnyCluster:
    """The cluster as the steps of this task see it: under check mode, as earlier tasks would have left it."""
    assumed = task.params.get("assume") if task.check_mode else None
    return Assumed(cluster, assumed) if assumed else cluster

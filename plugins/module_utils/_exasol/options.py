# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that Exasol modules share, as values that merge, and the cluster that they name."""

from __future__ import annotations

from typing import Any, Optional

from ansible.module_utils.basic import env_fallback

from .._converge import Converge, Settings, Stage
from .._errors import ClusterError
from .._http import Http, Trust, normalized
from .._task import Task
from .assumed import Assumed
from .cluster import Cluster
from .exaoperation import EXAoperation
from .nodes import AnyCluster


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

WAIT: dict[str, Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "float", "default": 1800},
    "wait_stable": {"type": "float", "default": 0},
    "heartbeat": {"type": "float", "default": 30, "fallback": (env_fallback, ["DBFLEET_HEARTBEAT"])},
}

ASSUME: dict[str, Any] = {"assume": {"type": "dict"}}


def spec(options: dict[str, Any], waits: bool = False, **relations: Any) -> dict[str, Any]:
    """The keyword arguments of AnsibleModule for an Exasol module.

    :param waits: whether it changes something and waits for it.
    """
    shared = {**CONNECTION, **(WAIT if waits else {}), **(ASSUME if waits else {})}
    return {"argument_spec": {**shared, **options}, "supports_check_mode": True, **relations}


def connect(task: Task, only: Optional[list[str]] = None) -> Cluster:
    """The cluster that a task's options name.

    :param only: these URLs instead of all in C(api_url).
    :raises ClusterError: for options that make no sense. Nothing is sent yet.
    """
    given = task.params
    urls = only or given["api_url"] or []
    name = given["cluster_name"] or (normalized(urls[0]).partition("://")[2] if urls else "the cluster")
    try:
        trust = Trust(
            given["validate_certs"],
            given["ca_path"],
            given["tls_fingerprint"],
            given["client_cert"],
            given["client_key"],
        )
        http = Http(name, urls, given["api_username"], given["api_password"], trust, given["request_timeout"])
    except ClusterError as error:
        raise error.of(name) from None
    if any(url.startswith("http://") for url in http.urls):
        task.warn(f"{name}: api_url is http: the password travels unencrypted")
    elif not trust.validate and not trust.fingerprint:
        task.warn(f"{name}: validate_certs is off: who answers is not checked, and gets the password")
    return EXAoperation(http)


def seen(task: Task, cluster: Cluster) -> AnyCluster:
    """The cluster as the steps of this task see it: under check mode, as earlier tasks would have left it."""
    assumed = task.params.get("assume") if task.check_mode else None
    return Assumed(cluster, assumed) if assumed else cluster


def settings(task: Task) -> Settings:
    """The options of the C(wait) fragment."""
    given = task.params
    return Settings(given["wait"], given["wait_timeout"], given["wait_stable"], given["heartbeat"])


def bring(task: Task, cluster: Cluster, stages: list[Stage]) -> dict[str, Any]:
    """Takes the stages to their end and makes the result of it; C(states) are the objects' states."""
    try:
        result = Converge(task, cluster.name, settings(task)).run(stages)
    except ClusterError as error:
        error.result.pop("states", None)
        error.result["api_calls"] = cluster.api_calls
        raise
    return {**result, "api_calls": cluster.api_calls}

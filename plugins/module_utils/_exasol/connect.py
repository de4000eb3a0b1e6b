# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connects to the cluster that a task names, by EXAoperation or ConfD."""

from __future__ import annotations

from typing import Optional, cast

from .. import _options
from .._connection_check import fingerprint
from .._http.client import normalized
from .._session import facts_of
from .._task import Task
from .api.cluster import Cluster
from .confd.cluster import ConfdCluster
from .confd.codec import codec
from .confd.jobs import ConfdJobs
from .confd.session import Session, is_own
from .connection import candidates
from .detection import DetectedCluster
from .eao.cluster import EaoCluster
from .options import zone_of


def ports(task: Task) -> list[list[str]]:
    """For each URL of the options, the URLs with scheme and port at which the cluster's API may listen."""
    given = task.params["api_url"]
    if task.params["provider"] == "exaoperation":
        return [[normalized(url)] for url in given]
    return [candidates([url]) for url in given]


def given_urls(task: Task) -> list[str]:
    """The URLs of the options, each with the port at which the cluster's API may listen and a server answers.

    :raises ClusterError: the options are wrong.
    """
    cluster = connect(task)
    if task.params["provider"] == "exaoperation":
        return cluster.urls
    found = []
    for several in ports(task):
        timeout = min(task.params["request_timeout"], 10.0)
        open_ports = (url for url in several if len(several) > 1 and fingerprint(url, timeout))
        found.append(next(open_ports, several[0]))
    return list(dict.fromkeys(found))


def connect(task: Task, only: Optional[list[str]] = None) -> Cluster:
    """The cluster that a task's options name. Sends nothing yet.

    :param only: these URLs instead of all in `api_url`.
    :raises ClusterError: the options are wrong.
    """
    provider = task.params["provider"]
    if provider == "confd":
        return _confd(task, only)[0]
    http = _options.http_of(task, "EXA_API_URL", only)
    eao = EaoCluster(http)
    if provider == "exaoperation":
        return eao

    def confd() -> Optional[tuple[Cluster, Session]]:
        plain = any(url.startswith("http://") for url in eao.urls)
        return None if plain else _confd(task, only)

    return cast(Cluster, DetectedCluster(eao, http, confd, facts_of(http)))


def _confd(task: Task, only: Optional[list[str]]) -> tuple[Cluster, Session]:
    given = task.params
    urls = candidates(only or given["api_url"] or [])
    http = _options.http_of(task, "EXA_API_URL", urls, is_own=is_own)
    session = Session(http, codec(given["rpc_format"], given["json_rpc_path"]))
    return ConfdCluster(ConfdJobs(session, zone_of(task)), given.get("use_infra", False)), session

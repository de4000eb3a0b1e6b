# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what may run out while a cluster is off, and finds what does so in a given off time."""

from __future__ import annotations

from datetime import tzinfo
from functools import partial
from typing import Any, Callable, Optional

from .. import _certificates, _runout
from .._convergence.workers import gather
from .._errors import ClusterError
from .._task import Task
from .api.backups import BackupApi
from .api.cluster import Cluster
from .backups import due

PART = "runout"
"""The name of this part in exa_cluster_info."""


def read(task: Task, cluster: Cluster, ports: list[list[str]]) -> dict[str, Any]:
    """License, certificates, schedules and backups, each if it can be read.

    :param ports: for each given URL, the URLs at which the server may listen.
    :returns: `license`, `certificates`, `schedules`, `backups` (by database), and `unread`: one text per failed read.
    """
    unread: list[str] = []
    expires = _runout.tried(unread, "the license", cluster.license_end)
    found: dict[str, Any] = {
        "license": None if expires is None else {"expires": expires},
        "certificates": _certificates.merged(_certificates.of_connection(_shown(task, ports), task.params, unread)),
        "schedules": {},
        "backups": {},
        "unread": unread,
    }
    names = _runout.tried(unread, "the backups and their schedules", cluster.databases) or []
    api = _runout.tried(unread, "the backups and their schedules", cluster.backups) if names else None
    if api is not None:
        found["schedules"] = _by_database(names, "the backup schedules", partial(_schedules, api), unread)
        found["backups"] = _by_database(names, "the backups", partial(_backups, api), unread)
    return found


def _by_database(
    names: list[str], what: str, ask: Callable[[str], list[dict[str, Any]]], unread: list[str]
) -> dict[str, list[dict[str, Any]]]:
    """Reads each database for itself, so that a failure for one doesn't hide the others."""

    def told(name: str) -> tuple[Optional[list[dict[str, Any]]], list[str]]:
        why: list[str] = []
        return _runout.tried(why, f"{what} of {name}", partial(ask, name)), why

    answers = gather(names, told)
    unread += [text for _rows, why in answers.values() for text in why]
    return {name: rows for name, (rows, _why) in answers.items() if rows}


def _schedules(api: BackupApi, name: str) -> list[dict[str, Any]]:
    rows = api.schedules().schedules(name)
    if rows is None:
        raise ClusterError("the server doesn't report them")
    return [row.as_dict() for row in rows]


def _backups(api: BackupApi, name: str) -> list[dict[str, Any]]:
    return [one.as_dict() for one in api.backups(name)]


def _shown(task: Task, ports: list[list[str]]) -> dict[str, Optional[bytes]]:
    given = task.params
    timeout = min(given["request_timeout"], _certificates.PATIENCE)

    def first(url: str) -> tuple[str, Optional[bytes]]:
        for one in by_url[url]:
            der = _certificates.shown(one, timeout, given["client_cert"], given["client_key"])
            if der:
                return one, der
        return url, None

    by_url = {urls[0]: urls for urls in ports if urls[0].startswith("https:")}
    return dict(gather(list(by_url), first).values())


def findings(known: dict[str, Any], off: _runout.OffTime, zone: Optional[tzinfo]) -> list[_runout.Finding]:
    """Everything that runs out or falls due while the cluster is off.

    :param known: what `read` returned.
    """
    time = due.ClusterTime(off, zone)
    return [
        *_runout.licenses(known, off, zone),
        *_runout.certificates(known["certificates"], off),
        *(one for name, rows in known["schedules"].items() for one in due.due(name, rows, time)),
        *(one for name, rows in known["backups"].items() for one in due.expiring(name, rows, time)),
        *_runout.unread(known["unread"]),
    ]

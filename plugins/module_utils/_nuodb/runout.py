# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may expire while a domain is off: it is read here, and judged for the time that the domain is off."""

from __future__ import annotations

from typing import Any

from .. import _certificates, _runout
from .._convergence.workers import gather
from .._task import Task
from .api.domain import Domain

PART = "runout"
"""Its name among the parts that nuodb_domain_info gathers."""


def read(task: Task, domain: Domain) -> dict[str, Any]:
    """License and certificates, each as far as it can be read.

    :returns: `license`, `certificates`, and `unread`: one text per part that could not be read.
    """
    given = task.params
    unread: list[str] = []

    def shown(url: str) -> Any:
        timeout = min(given["request_timeout"], _certificates.PATIENCE)
        return _certificates.shown(url, timeout, given["client_cert"], given["client_key"])

    urls = [url for url in domain.urls if url.startswith("https:")]
    rows = _certificates.of_connection(gather(urls, shown), given, unread)
    told = _runout.tried(unread, "the domain's certificates", domain.certificates) or []
    license_ = _runout.tried(unread, "the license", domain.license)
    return {"license": license_, "certificates": _certificates.merged([*rows, *told]), "unread": unread}


def findings(known: dict[str, Any], off: _runout.OffTime) -> list[_runout.Finding]:
    """What expires while the domain is off.

    :param known: what `read` returned.
    """
    return [
        *_runout.licenses(known, off),
        *_runout.certificates(known["certificates"], off),
        *_runout.unread(known["unread"]),
    ]

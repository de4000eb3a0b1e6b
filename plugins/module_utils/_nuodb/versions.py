# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version of the protocol a database uses, and what prevents a newer one."""

from __future__ import annotations

from typing import Any

from .._errors import Denied, Fault, Garbled, NoSuchObject
from .._wording import listing
from .api.domain import Domain

START_IDS = 1769472
"""7.0, from which on a process has its start ID as its node ID (NUODB-306)."""


def of(domain: Domain, db_name: str) -> dict[str, Any]:
    """What `Domain.versions` returns, or `unread` with the reason if it can't be read."""
    try:
        return domain.versions(db_name)
    except NoSuchObject:
        return {"unread": "the AP is too old to report the versions of databases (it has no databases/{db}/versions)"}
    except (Denied, Fault, Garbled) as error:
        return {"unread": error.message}


def words(told: dict[str, dict[str, Any]]) -> str:
    """The versions, for the line of a domain.

    :param told: what `of` returned, by the names of the databases.
    """
    known = {name: row for name, row in told.items() if "unread" not in row}
    said = [
        f"{name} {row['version']}" + (f" (could be {row['available'][-1]['version']})" if row["available"] else "")
        for name, row in known.items()
    ]
    return f"protocol {listing(said, 20, ', ')}" if said else ""


def notes(told: dict[str, dict[str, Any]]) -> list[str]:
    """What the user should do, one sentence each."""
    return [text for name, row in told.items() for text in _notes(name, row)]


def _notes(name: str, row: dict[str, Any]) -> list[str]:
    if "unread" in row:
        return [f"{name}: its versions can't be read: {row['unread']}"]
    used = {release: one for release, one in row["releases"].items() if one["start_ids"]}
    newest = max(used.values(), key=lambda one: one["version_id"], default=None)
    old = {release: one for release, one in used.items() if newest and one["version_id"] < newest["version_id"]}
    if newest and old:
        said = "; ".join(
            f"{release} (start IDs {listing(one['start_ids'], 20)}) knows {one['version']} at most"
            for release, one in old.items()
        )
        return [
            f"{name}: the upgrade of its protocol from {row['version']} to {newest['version']} waits for processes "
            f"that run too old software: {said}: install the new software there and restart them "
            "(nuodb_rolling_restart)"
        ]
    if not row["available"]:
        return []
    best = max(row["available"], key=lambda one: one["version_id"])
    client = ""
    if row["version_id"] < START_IDS <= best["version_id"]:
        client = " (it needs NuoDB's client 2.6.0 or newer, which distinguishes start IDs from node IDs)"
    return [
        f"{name}: its protocol is {row['version']}, and all of its processes know {best['version']}: nuocmd upgrade "
        f"database-version raises the protocol{client}; after that, software that knows only {row['version']} can't "
        "open its archives any more"
    ]

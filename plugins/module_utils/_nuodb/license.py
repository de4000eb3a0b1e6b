# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the license of a domain allows, and when it ends."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Optional

from .. import _runout
from .._errors import Denied, Fault, Garbled, NoSuchObject
from .._task import Task
from .._wording import listing
from .api.domain import Domain

ENTERPRISE = "ENTERPRISE"
"""The type that several SMs of a database need (NUODB-23); it was seen in upper and lower case (NUODB-22)."""

SOON = 30 * 86400.0
"""A note is made of a license that ends within so many seconds."""


def of(domain: Domain) -> dict[str, Any]:
    """`type` and `expires` of the license, or `unread` with the reason if it can't be read."""
    try:
        return domain.license()
    except NoSuchObject:
        return {"unread": "the AP is too old to report a license (it has no policies/license)"}
    except (Denied, Fault, Garbled) as error:
        return {"unread": error.message}


def allows_several_sms(license_: dict[str, Any]) -> bool:
    """Whether the license allows several SMs of a database; True as well if its type is unknown."""
    return not license_.get("type") or str(license_["type"]).upper() == ENTERPRISE


def words(license_: dict[str, Any]) -> str:
    """The license, for the line of a domain; empty if it wasn't read."""
    if "unread" in license_:
        return ""
    until = f" until {license_['expires']}" if license_.get("expires") else ""
    return f"license {license_.get('type') or 'of unknown type'}{until}"


def several_sms(license_: dict[str, Any], names: list[str]) -> str:
    """A sentence if databases have or get several SMs and the license isn't for that; else empty."""
    if not names or allows_several_sms(license_):
        return ""
    return (
        f"the license is {license_['type']}, and several SMs of a database need an {ENTERPRISE} license, so the server "
        f"may refuse the second SM: {listing(names, 20, ', ')}"
    )


def notes(name: str, license_: dict[str, Any], redundant: list[str], now: Optional[datetime] = None) -> list[str]:
    """What the user should do about the license, one sentence each.

    :param name: of the domain.
    :param redundant: the databases that have several archives.
    """
    if "unread" in license_:
        return [f"the license can't be read: {license_['unread']}"]
    ends = _runout.licenses({"license": license_}, _runout.off_time(name, SOON, now))
    return [*(one.text for one in ends), *filter(None, [several_sms(license_, redundant)])]


def warn_of_second_sm(task: Task, domain: Domain, names: list[str]) -> None:
    """Warns before a database gets a second SM that the license isn't for. A license that can't be read gives none."""
    text = several_sms(of(domain), names) if names else ""
    if text:
        task.say(f"[{domain.name}] {text}")
        task.warn(f"{domain.name}: {text}")

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What expires while a cluster is off: how long it is off, and the findings about licenses and certificates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Callable, Optional, Protocol, TypeVar

from ._errors import ClusterError, Refused
from ._foreign import beginning
from ._options import LONGEST
from ._values import UNITS

WARN, REFUSE = ON_RUNOUT = ("warn", "refuse")
"""What a shutdown does about a license that expires while the cluster is off."""

LICENSE, CERTIFICATE, BACKUP_DUE, BACKUP_EXPIRY, UNREAD = KINDS = (
    "license",
    "certificate",
    "backup_due",
    "backup_expiry",
    "unread",
)
"""The kinds of findings. `UNREAD` is something that could not be checked."""

FOR_EVER = ("", "unlimited", "inf", "never", "none")
"""Words for a license that never expires (CONFD-175). NuoDB has an empty value instead."""

EAST, WEST = timedelta(hours=14), timedelta(hours=12)
"""The most that a local time can be before and after UTC. A time without an offset may be anywhere between."""

SHOWN = "%Y-%m-%d %H:%M"

T = TypeVar("T")


@dataclass(frozen=True)
class OffTime:
    """How long a cluster is going to be off.

    :param begin: the time now, with an offset.
    """

    begin: datetime
    seconds: float

    @property
    def end(self) -> datetime:
        return self.begin + timedelta(seconds=self.seconds)

    @property
    def words(self) -> str:
        """As `3d, until 2026-12-24 18:00 UTC`."""
        return f"{in_words(self.seconds)}, until {utc(self.end)}"


@dataclass(frozen=True)
class Finding:
    """One thing that expires, falls due or could not be checked.

    :param of: the object.
    :param at: when, with an offset, or in the cluster's local time; None if unknown.
    :param text: the sentence, without the cluster's name.
    """

    kind: str
    of: str
    at: Optional[str]
    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "object": self.of, "at": self.at, "text": self.text}


class Teller(Protocol):
    """The preview of a runbook, as far as this file needs it."""

    name: str

    def say(self, *lines: str) -> None:
        """Shows lines of the plan."""

    def warn(self, text: str) -> None:
        """Shows a warning."""

    def refuse(self, part: str, refusal: ClusterError) -> None:
        """Notes that a part of the runbook would be refused, and why."""


def off_time(name: str, seconds: float, now: Optional[datetime] = None) -> OffTime:
    """:raises ClusterError: the number of seconds is not above 0, or too large."""
    if not 0 < seconds <= LONGEST:
        raise ClusterError(f"{name}: off_for is {seconds:g}: it takes a number of seconds above 0, at most {LONGEST:g}")
    return OffTime(now or datetime.now(timezone.utc), seconds)


def known(name: str, read: Optional[dict[str, Any]]) -> dict[str, Any]:
    """What was read for `off_for`.

    :raises ClusterError: it was not read.
    """
    if not read:
        raise ClusterError(
            f"{name}: off_for needs runout, which exa_cluster_info and nuodb_domain_info return with gather=runout"
        )
    return read


def in_words(seconds: float) -> str:
    """A duration as an option takes it: `1d12h`."""
    left, parts = int(seconds), []
    for unit, size in UNITS.items():
        count, left = divmod(left, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"


def utc(moment: datetime) -> str:
    """A moment in UTC, in words."""
    return f"{moment.astimezone(timezone.utc):{SHOWN}} UTC"


def tried(unread_: list[str], what: str, ask: Callable[[], T]) -> Optional[T]:
    """The answer of the server; None if the call fails. The reason then goes to the list of what was not read."""
    try:
        return ask()
    except ClusterError as error:
        unread_.append(f"{what}: {error}")
        return None


def unread(texts: Iterable[str]) -> list[Finding]:
    """Findings for all that could not be checked."""
    return [Finding(UNREAD, "", None, f"not looked at: {text}") for text in texts]


def certificates(rows: list[dict[str, Any]], off: OffTime) -> list[Finding]:
    """The certificates that will have expired when the cluster is back.

    :param rows: as `_certificates.row`.
    """
    found = []
    for one in rows:
        at = datetime.fromisoformat(one["expires"])
        if at <= off.end:
            verb = "has expired" if at <= off.begin else "expires"
            whose = f"the certificate of {one['of']} ({one['subject']})"
            found.append(Finding(CERTIFICATE, one["of"], one["expires"], f"{whose} {verb} at {utc(at)}: renew it"))
    return found


def license_end(told: Optional[str], zone: Optional[tzinfo]) -> Optional[tuple[datetime, datetime]]:
    """When a license expires, at the earliest and at the latest; None if it never does (CONFD-176, NUODB-414).

    :param told: the server's words, a time or a day. No source states whether a license is valid on its last day.
    :param zone: the time zone of a time without an offset; None if unknown.
    :raises ClusterError: the words can't be read.
    """
    text = str(told or "").strip()
    if text.lower() in FOR_EVER:
        return None
    try:
        at = datetime.fromisoformat(text[:-1] + "+00:00" if text[-1] in "zZ" else text)
    except ValueError:
        raise ClusterError(f"{beginning(text, 60)!r} can't be read as a time") from None
    last = at + timedelta(days=1) if len(text) == len("2026-11-05") else at
    if at.tzinfo is not None:
        return at, last
    if zone:
        return at.replace(tzinfo=zone), last.replace(tzinfo=zone)
    return at.replace(tzinfo=timezone.utc) - EAST, last.replace(tzinfo=timezone.utc) + WEST


def licenses(known: dict[str, Any], off: OffTime, zone: Optional[tzinfo] = None) -> list[Finding]:
    """A finding if the license will have expired when the cluster is back.

    :param known: what was read. `license` is `{expires: ...}`, or missing if it was not read.
    """
    if known.get("license") is None:
        return []
    told = known["license"].get("expires")
    try:
        ends = license_end(told, zone)
    except ClusterError as error:
        return unread([f"the end of the license: {error}"])
    if ends is None or ends[0] > off.end:
        return []
    verb = "has expired" if ends[1] <= off.begin else "expires"
    says = f"the license {verb} ({told}), and without a license the databases may not start again"
    return [Finding(LICENSE, "license", str(told), says)]


def tell(preview: Teller, off: OffTime, findings: list[Finding], on_runout: str, prefix: str) -> list[dict[str, Any]]:
    """Shows each finding in a line, and warns of those that expire. Refuses without a license (`on_runout`).

    :param prefix: the beginning of the runbook's variables.
    :returns: the findings as plain data.
    """
    preview.say(f"[{preview.name}] off for {off.words}:" + ("" if findings else " nothing runs out, nothing is due"))
    for one in findings:
        preview.say(f"[{preview.name}] off for {in_words(off.seconds)}: {one.text}")
        if one.kind == LICENSE and on_runout == REFUSE:
            try:
                refuse_without_license(preview.name, one, off, prefix)
            except Refused as refusal:
                preview.refuse("preflight", refusal)
        elif one.kind != UNREAD:
            preview.warn(f"{preview.name}: off for {in_words(off.seconds)}: {one.text}")
    return [one.as_dict() for one in findings]


def refuse_without_license(name: str, finding: Finding, off: OffTime, prefix: str) -> None:
    """:raises Refused: always."""
    raise Refused(
        f"{name}: off for {off.words}: {finding.text}",
        hint=f"install a new license first, or shut down nonetheless with on_runout: {WARN} ({prefix}_on_runout)",
        number="DBF-6163",
    )

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks a connection before a task uses it: each URL, its certificate and the user's role. Read-only.

The certificate is read without a request. The password is sent only to a trusted server.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Callable, Optional

from . import _certificates
from ._errors import ClusterError, Denied, Untrusted, numbered
from ._task import Task


def fingerprint(url: str, timeout: float) -> Optional[str]:
    """The SHA-256 fingerprint of the certificate that a URL shows, or None if none was received."""
    der = _certificates.shown(url, timeout)
    return None if der is None else _certificates.fingerprint(der)


def examine(urls: list[str], role: Callable[[str], Optional[str]], timeout: float) -> Iterator[dict[str, Any]]:
    """Checks each URL by itself: can it be reached, is it trusted, does it accept the user. Yields each result at once.

    A refused password isn't sent to the other URLs, because a server may lock out a user after several failures.

    :param urls: with scheme and port.
    :param role: asks the server at a URL for the role of our user, in words; None if the server doesn't report it.
    :yields: per URL `url`, `tls_fingerprint`, `trusted`, `ok`, `problem`, `hint`, `role`.
    """
    refused = ""
    for url in urls:
        entry: dict[str, Any] = {
            "url": url,
            "tls_fingerprint": fingerprint(url, min(timeout, 10.0)),
            "trusted": None,
            "ok": True,
            "role": None,
        }
        try:
            if refused:
                raise ClusterError(
                    f"{url}: not tried, because {refused} refused the user and the password", number="DBF-2003"
                )
            entry["role"] = role(url)
            entry["trusted"] = True if entry["tls_fingerprint"] else None
        except ClusterError as error:
            entry.update(ok=False, problem=numbered(error.message, error.number), hint=error.hint)
            if isinstance(error, Untrusted):
                entry["trusted"] = False
            if isinstance(error, Denied) and not error.known:
                refused = url
        yield entry


def report(
    task: Task, urls: list[str], role: Callable[[str], Optional[str]], enough: Callable[[str, str], str]
) -> dict[str, Any]:
    """The result of the modules that check a connection. Shows a line for each URL as soon as it is checked.

    :param enough: takes a URL and a role; returns which tasks the role is enough for.
    """
    found = []
    for entry in examine(urls, role, task.params["request_timeout"]):
        found.append(entry)
        task.say(f"[{task.params['cluster_name']}] {words(entry, partial(enough, entry['url']))}")
    bad = [entry for entry in found if not entry["ok"]]
    return {
        "urls": found,
        "problems": [entry["problem"] for entry in bad],
        "hints": list(dict.fromkeys(entry["hint"] for entry in bad if entry["hint"])),
    }


def words(entry: dict[str, Any], enough: Callable[[str], str]) -> str:
    """The result of one URL, in one line.

    :param enough: takes a role; returns which tasks the role is enough for.
    """
    parts = [entry["url"], "ok" if entry["ok"] else "NOT USABLE"]
    if entry["tls_fingerprint"]:
        parts.append(f"certificate sha256:{entry['tls_fingerprint']}")
    if entry["role"]:
        parts.append(f"role {entry['role']}: {enough(entry['role'])}")
    if entry.get("problem"):
        parts.append(entry["problem"])
    return ", ".join(parts)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may use the admin endpoint: clients that know the token, but no page of another site in a browser."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from .http import Request

HEADER = "Simulator-Token"
"""No page of another site can send this header: the browser would ask first, and the endpoint never allows it."""


def refusal(request: Request, port: int, token: str) -> tuple[int, str] | None:
    """The HTTP status and the sentence for a request that may not come in, or None.

    `port` is the endpoint's, on the loopback address.
    """
    own = {f"{host}{place}" for host in ("127.0.0.1", "localhost") for place in _places(port)}
    host = request.headers.get("host", "").lower()
    if host not in own:  # another name that resolves to this address
        return 403, f"The Host header names {host or 'nothing'}, but this is {' or '.join(sorted(own))}."
    foreign = _foreign(request, own)
    if foreign:
        return 403, f"{foreign} comes from another site, but the simulator answers only its own clients."
    given = request.headers.get(HEADER.lower(), "")
    if not hmac.compare_digest(given.encode(), token.encode()):
        what = "isn't this simulator's" if given else "is missing"
        return 403, f"The header {HEADER} {what}; the ready file has it as admin_token."
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.body and kind != "application/json":
        return 415, f"The body's Content-Type must be application/json, not {kind or 'missing'}."
    return None


def _places(port: int) -> list[str]:
    return [f":{port}", *([""] if port == 80 else [])]


def _foreign(request: Request, own: set[str]) -> str:
    """The header that shows another site; empty without one."""
    if request.headers.get("sec-fetch-site", "none").strip().lower() not in ("none", "same-origin"):
        return "Sec-Fetch-Site"
    for name in ("Origin", "Referer"):
        value = request.headers.get(name.lower())
        if value is not None and not _is_own(value, own):
            return name
    return ""


def _is_own(value: str, own: set[str]) -> bool:
    try:
        there = urlsplit(value.strip())
    except ValueError:
        return False
    return there.scheme == "http" and there.netloc.lower() in own

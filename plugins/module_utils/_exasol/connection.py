# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be said of a connection before it is used: each URL, its certificate, the user's role. Read-only.

The certificate is read without sending anything; the password goes only to a server that is trusted.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from typing import Any, Callable, Optional
from urllib.parse import urlsplit

from .._errors import ClusterError
from .._http import normalized
from .cluster import Cluster

ENOUGH = {
    "administrator": "every runbook",
    "master": "every runbook",
    "supervisor": "status and checks, no runbook that changes anything",
}
"""What the roles allow (facts 1.1), by their names in lower case."""


def fingerprint(url: str, timeout: float) -> Optional[str]:
    """The SHA-256 fingerprint of the certificate that a URL shows, or None where it shows none."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        plain = socket.create_connection((parts.hostname, parts.port), timeout=timeout)
        with plain, context.wrap_socket(plain, server_hostname=parts.hostname) as secure:
            return hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()
    except (OSError, ValueError):
        return None


def examine(urls: list[str], connect: Callable[[str], Cluster], timeout: float) -> list[dict[str, Any]]:
    """Each URL by itself: can it be reached, is it trusted, are we let in.

    :param connect: makes a cluster of one URL.
    :returns: per URL C(url), C(tls_fingerprint), C(ok), C(problem), C(hint), C(role).
    """
    found = []
    for url in [normalized(url) for url in urls]:
        entry: dict[str, Any] = {
            "url": url,
            "tls_fingerprint": fingerprint(url, min(timeout, 10.0)),
            "ok": True,
            "role": None,
        }
        try:
            cluster = connect(url)
            cluster.nodes()
            entry["role"] = cluster.login_role()
        except ClusterError as error:
            entry.update(ok=False, problem=error.message, hint=error.hint)
        found.append(entry)
    return found


def words(entry: dict[str, Any]) -> str:
    """One URL in one line."""
    parts = [entry["url"], "ok" if entry["ok"] else "NOT USABLE"]
    if entry["tls_fingerprint"]:
        parts.append(f"certificate sha256:{entry['tls_fingerprint']}")
    if entry["role"]:
        parts.append(f"role {entry['role']}: {ENOUGH.get(entry['role'].lower(), 'not enough for a runbook')}")
    if entry.get("problem"):
        parts.append(entry["problem"])
    return ", ".join(parts)

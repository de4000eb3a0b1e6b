# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that the domain trusts, and data about its own certificate."""

from __future__ import annotations

import datetime
from typing import Any

try:
    from cryptography import x509

    HAS_CRYPTOGRAPHY = True
except ImportError:
    HAS_CRYPTOGRAPHY = False

_EXPIRES = datetime.datetime(2099, 12, 31, 23, 59, 59, tzinfo=datetime.timezone.utc)


def described(pem: str, name: str) -> dict[str, Any]:
    """A certificate as the API describes it; unreadable parts are made up from its name."""
    subject = issuer = f"CN={name}"
    expires, path_length = _EXPIRES, -1
    if HAS_CRYPTOGRAPHY:
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except ValueError:
            pass  # the API accepted it unchecked
        else:
            subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
            expires = certificate.not_valid_after_utc
    return {
        "caPathLength": path_length,
        "certificatePem": pem,
        "expires": int(expires.timestamp() * 1000),
        "expiresTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "issuerName": issuer,
        "subjectName": subject,
    }

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the certificate of a server is checked, and the client certificate for it."""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from ssl import create_default_context
from typing import Any, Optional
from urllib.parse import urlsplit

from .._errors import ClusterError


@dataclass
class Trust:
    """How to check that the server is the right one, and the certificate that we show it.

    :param ca_path: PEM file of the CA (or of the self-signed certificate).
    :param fingerprint: SHA-256 of the server's certificate. Without a CA, it replaces the checks of CA and host name.
    :param hostname: whether the certificate must match the host name too.
    :param optional_hostname: whether the product has an option for that (verify_hostname), so that a hint may name it.
    """

    validate: bool = True
    ca_path: Optional[str] = None
    fingerprint: Optional[str] = None
    client_cert: Optional[str] = None
    client_key: Optional[str] = None
    hostname: bool = True
    optional_hostname: bool = False

    def __post_init__(self) -> None:
        for option in ("ca_path", "client_cert", "client_key"):
            path = getattr(self, option)
            if path and not os.access(path, os.R_OK):
                raise ClusterError(f"{option} names {path}, which is not a readable file", number="DBF-7003")
        if self.client_key and not self.client_cert:
            raise ClusterError("client_key is given without client_cert", number="DBF-7003")
        if self.fingerprint:
            digits = self.fingerprint.lower().replace("sha256:", "").replace(":", "").strip()
            if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
                raise ClusterError(
                    "tls_fingerprint must be the 64 hexadecimal digits of a SHA-256 fingerprint", number="DBF-7003"
                )
            self.fingerprint = digits

    @property
    def asks_a_ca(self) -> bool:
        """Whether a CA must have signed the server's certificate."""
        return self.validate and bool(self.ca_path or not self.fingerprint)


def check_pin(secure: ssl.SSLSocket, trust: Trust) -> None:
    """:raises ssl.SSLError: the server's certificate is not the pinned one."""
    if trust.fingerprint and sha256(secure.getpeercert(binary_form=True) or b"").hexdigest() != trust.fingerprint:
        raise ssl.SSLError("Fingerprints did not match")


def context_of(trust: Trust) -> ssl.SSLContext:
    """The context that all servers with the same trust share. Making it takes as long as a handshake.

    No code may change it later, because other threads use it for connections at the same time.
    """
    asks, ca_path = trust.asks_a_ca, trust.ca_path if trust.asks_a_ca else None
    paths = (ca_path, trust.client_cert, trust.client_key)
    ages = tuple(path and os.stat(path).st_mtime_ns for path in paths)
    return _shared_context(asks, ca_path, trust.client_cert, trust.client_key, trust.hostname, ages)


@lru_cache(maxsize=64)
def _shared_context(
    asks_a_ca: bool,
    ca_path: Optional[str],
    client_cert: Optional[str],
    client_key: Optional[str],
    hostname: bool,
    _ages: tuple[Any, ...],
) -> ssl.SSLContext:
    context = create_default_context(cafile=ca_path) if asks_a_ca else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.13 sets it by default, and then refuses the CAs that nuocmd makes, because they have no keyUsage.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = asks_a_ca and hostname
    context.hostname_checks_common_name = False
    if not asks_a_ca:
        context.verify_mode = ssl.CERT_NONE
    context.post_handshake_auth = True  # some servers ask for the client's certificate after they read the path
    context.set_alpn_protocols(["http/1.1"])
    # urllib3 does it again for each connection, which would damage a context that another thread copies meanwhile.
    context.set_alpn_protocols = _is_set  # type: ignore[method-assign,assignment]
    if client_cert:
        context.load_cert_chain(client_cert, client_key, _no_password)
    return context


def _is_set(_names: Any) -> None:
    pass


def _no_password() -> str:
    """Called instead of OpenSSL's question at the terminal."""
    raise ssl.SSLError("the key is encrypted")


def is_nameless(trust: Trust, url: str, timeout: float) -> bool:
    """Whether a server's certificate names no host and no address. No request is sent.

    OpenSSL reports the same error for such a certificate as for one of another host, and shows neither certificate. So
    a second handshake makes all checks except this one, and reads the certificate.
    """
    parts = urlsplit(url)
    try:
        unnamed = replace(trust, validate=True, fingerprint=None, hostname=False)
        plain = socket.create_connection((parts.hostname or "", parts.port or 443), timeout=timeout)
        with plain, context_of(unnamed).wrap_socket(plain, server_hostname=parts.hostname) as secure:
            names = (secure.getpeercert() or {}).get("subjectAltName", ())
    except (OSError, ValueError):
        return False
    return not any(name[0] in ("DNS", "IP Address") for name in names)


def load_tls() -> None:
    """Makes OpenSSL load its algorithms, so that forked workers have them and need not load them again."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

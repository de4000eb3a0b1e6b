# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of a connection and their expiry: those that servers show, and those in files that the options name."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Mapping
from datetime import timezone
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit

from ._wording import listing

SHOWING = 4
"""How many places of one certificate a result lists. A cluster of many nodes may have one certificate for all."""

PATIENCE = 10.0
"""Most seconds that a URL may take to show its certificate."""

NO_LIBRARY = "the Python library cryptography, which reads certificates, is not installed"


class Unread(Exception):
    """A certificate that can't be read. Its text says why."""


def shown(
    url: str, timeout: float, client_cert: Optional[str] = None, client_key: Optional[str] = None
) -> Optional[bytes]:
    """The certificate (DER) that a URL shows, or None if none was received. No request is sent.

    :param client_cert: our certificate, for a server that ends the handshake without one.
    """
    parts = urlsplit(url)
    if parts.scheme != "https":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        if client_cert:
            context.load_cert_chain(client_cert, client_key)
        plain = socket.create_connection((parts.hostname, parts.port), timeout=timeout)
        with plain, context.wrap_socket(plain, server_hostname=parts.hostname) as secure:
            return secure.getpeercert(binary_form=True) or b""
    except (OSError, ValueError):
        return None


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate (DER), in the form of `tls_fingerprint`."""
    return hashlib.sha256(der).hexdigest()


def fingerprint_of_pem(pem: str) -> str:
    """The fingerprint of a certificate in PEM; empty if the text contains no certificate."""
    try:
        return fingerprint(ssl.PEM_cert_to_DER_cert(pem.strip()))
    except ValueError:
        return ""


def row(of: str, subject: str, expires: str, mark: str) -> dict[str, Any]:
    """A certificate as modules return it.

    :param of: its owner, in words.
    :param expires: when it expires, with an offset.
    :param mark: its fingerprint; empty if unknown.
    """
    return {"of": of, "subject": subject, "expires": expires, "fingerprint": mark}


def merged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each certificate once. The row of a certificate that several owners show lists all of them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in rows:
        found.setdefault(one["fingerprint"] or repr(one), []).append(one)
    return [{**same[0], "of": listing([one["of"] for one in same], SHOWING, ", ")} for same in found.values()]


def of_connection(shown_at: Mapping[str, Optional[bytes]], params: Mapping[str, Any], unread: list[str]) -> list[dict]:
    """The certificates of a connection: the servers', those of their CAs in the file `ca_path`, and the client's.

    :param shown_at: URL -> its certificate (`shown`).
    :param params: the options of the connection.
    :param unread: the function adds each certificate that could not be read, with the reason.
    """
    rows, servers = [], []
    for url, der in shown_at.items():
        try:
            if not der:
                raise Unread("no certificate was received")
            servers.append(_loaded(der))
        except Unread as error:
            unread.append(f"the certificate of {url}: {error}")
        else:
            rows.append(_described(servers[-1], url))
    for option, what in (("client_cert", "the client"), ("ca_path", "the CA")):
        path = params.get(option)
        try:
            several = _in_file(path) if path else []
            chosen = several[:1] if option == "client_cert" else _signers(servers, several)
        except Unread as error:
            unread.append(f"the certificate of {what} in {path}: {error}")
        else:
            rows += [_described(one, f"{what} in {path}") for one in chosen]
    return rows


def _library() -> Any:
    try:
        from cryptography import x509  # here, because the import costs time in each task that reads no certificate
    except ImportError:
        raise Unread(NO_LIBRARY) from None
    return x509


def _loaded(der: bytes) -> Any:
    x509 = _library()
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        raise Unread("it can't be read") from None


def _in_file(path: str) -> list[Any]:
    x509 = _library()
    try:
        return list(x509.load_pem_x509_certificates(Path(path).read_bytes()))
    except OSError as error:
        raise Unread(error.strerror or "it can't be read") from None
    except ValueError:
        raise Unread("the file contains something that is not a readable certificate") from None


def _signers(servers: list[Any], several: list[Any]) -> list[Any]:
    """The certificates that signed those of these servers. A file of all public CAs contains many others.

    If two certificates have the same name, because the CA was renewed, the one that expires later counts.

    :raises Unread: the file has several certificates, and none of them is a signer.
    """
    found: list[Any] = []
    sought = list(servers)
    while sought:
        one = sought.pop()
        named = [other for other in several if other.subject == one.issuer]
        longest = max(named, key=_expires, default=None)
        if longest is not None and longest not in found:
            found.append(longest)
            sought.append(longest)
    if servers and several and not found:
        if len(several) == 1:
            return several
        raise Unread("no certificate in the file has signed the server's certificate directly")
    return found


def _expires(certificate: Any) -> Any:
    if hasattr(certificate, "not_valid_after_utc"):
        return certificate.not_valid_after_utc
    return certificate.not_valid_after.replace(tzinfo=timezone.utc)  # before cryptography 42


def _described(certificate: Any, of: str) -> dict[str, Any]:
    from cryptography.hazmat.primitives.serialization import Encoding

    mark = fingerprint(certificate.public_bytes(Encoding.DER))
    return row(of, certificate.subject.rfc4514_string(), _expires(certificate).isoformat(), mark)

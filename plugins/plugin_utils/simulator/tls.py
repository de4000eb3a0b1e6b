# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small certificate authority that the simulator makes at its start."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    HAS_CRYPTOGRAPHY = True
except ImportError:
    HAS_CRYPTOGRAPHY = False


class TlsError(RuntimeError):
    """TLS can't be offered; the message is one sentence."""


@dataclass
class Trust:
    """The files of both sides; those of a client only if certificates of clients are used."""

    server_path: Path
    ca_path: str
    client_cert: str | None = None
    client_key: str | None = None
    _contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    def context(self, certificates: str) -> ssl.SSLContext:
        """The TLS context of all listeners, with certificates of clients 'demanded', 'accepted' or neither ('')."""
        if certificates not in self._contexts:
            self._contexts[certificates] = self._context(certificates)
        return self._contexts[certificates]

    def remove(self) -> None:
        """The files: nobody needs them any more."""
        for path in (self.server_path, self.ca_path, self.client_cert, self.client_key):
            if path is not None:
                Path(path).unlink(missing_ok=True)

    def _context(self, certificates: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.server_path)
        if certificates:
            context.verify_mode = ssl.CERT_REQUIRED if certificates == "demanded" else ssl.CERT_OPTIONAL
            context.load_verify_locations(self.ca_path)
        return context


def make(directory: Path, binds: list[str], client_certificates: bool = False) -> Trust:
    """Writes ca.pem, server.pem (and client.pem, client-key.pem) into the directory. Raises TlsError.

    client-key.pem also contains the certificate, for clients that take a single file.
    """
    if not HAS_CRYPTOGRAPHY:
        raise TlsError("TLS needs the Python library cryptography, which isn't installed; plain HTTP doesn't need it.")
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("dbfleet simulator CA", authority_key, None, None, [], None)
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = _certificate(
        "localhost", server_key, authority, authority_key, _names(binds), ExtendedKeyUsageOID.SERVER_AUTH
    )
    ca_path, server_path = directory / "ca.pem", directory / "server.pem"
    ca_path.write_bytes(_pem(authority))
    _private(server_path, _pem(server) + _key(server_key))
    trust = Trust(server_path, str(ca_path))
    if client_certificates:
        client_key = ec.generate_private_key(ec.SECP256R1())
        client = _certificate("client", client_key, authority, authority_key, [], ExtendedKeyUsageOID.CLIENT_AUTH)
        cert_path, key_path = directory / "client.pem", directory / "client-key.pem"
        cert_path.write_bytes(_pem(client))
        _private(key_path, _key(client_key) + _pem(client))
        trust.client_cert, trust.client_key = str(cert_path), str(key_path)
    return trust


def _names(binds: list[str]) -> list[Any]:
    addresses = {"127.0.0.1", "::1"}
    hosts = {"localhost", socket.gethostname() or "localhost"}
    for bind in binds:
        try:
            ipaddress.ip_address(bind)
            addresses.add(bind)
        except ValueError:
            hosts.add(bind)
    return [x509.DNSName(host) for host in sorted(hosts)] + [
        x509.IPAddress(ipaddress.ip_address(address)) for address in sorted(addresses)
    ]


def _certificate(
    name: str, key: Any, issuer: Any | None, issuer_key: Any | None, alternatives: list[Any], usage: Any | None
) -> Any:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    authority = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signer = issuer_key or key
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _pem(certificate: Any) -> bytes:
    return bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _key(key: Any) -> bytes:
    return bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)

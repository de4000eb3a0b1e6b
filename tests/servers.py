# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers of raw bytes, and certificates made on the spot: what no simulator shows."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Optional, Union

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Answer = Union[bytes, Iterator[bytes], None]


@dataclass
class Asked:
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


class Server:
    """Answers each request with bytes, in parts where they are an iterator's, or with silence (None)."""

    def __init__(
        self, answer: Callable[[Asked], Answer], context: Optional[ssl.SSLContext] = None, host: str = "127.0.0.1"
    ) -> None:
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._answer = answer
        self._context = context
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port = self._listener.getsockname()[1]
        place = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.url = f"{'https' if context else 'http'}://{place}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                line = stream.readline().decode("latin-1").strip()
                if not line.endswith(("HTTP/1.0", "HTTP/1.1")):  # TLS, or nothing
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" if line else b"")
                    return
                headers = {}
                for raw in iter(stream.readline, b"\r\n"):
                    name, _colon, value = raw.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                asked = Asked(line, headers, stream.read(int(headers.get("content-length", 0))))
                self.asked.append(asked)
                answer = self._answer(asked)
                for part in [answer] if isinstance(answer, bytes) else answer or ():
                    connection.sendall(part)
        except OSError:
            pass

    def close(self) -> None:
        self.over.set()
        self._listener.close()


def http_answer(body: bytes = b"<ok/>", status: str = "200 OK", *headers: str, length: Optional[int] = None) -> bytes:
    """An answer as bytes; a length that isn't the body's makes it a truncated one."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", "Connection: close"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


@pytest.fixture
def reply() -> Callable[..., bytes]:
    """Makes an HTTP answer as bytes."""
    return http_answer


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Makes servers that end with the test."""
    servers: list[Server] = []

    def make(
        answer: Union[bytes, None, Callable[[Asked], Answer]] = b"", context: Any = None, host: str = "127.0.0.1"
    ) -> Server:
        server = Server(answer if callable(answer) else lambda _asked: answer, context, host)
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def serve_v6(serve: Callable[..., Server]) -> Callable[..., Server]:
    """Makes servers at the IPv6 loopback address."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 loopback: {error}")
    return partial(serve, host="::1")


@pytest.fixture
def dead_url() -> str:
    """A URL at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@dataclass
class Identity:
    """A certificate with its key, as files and as a server's TLS context."""

    cert: Path
    key: Path
    fingerprint: str

    def context(self, client_ca: Optional[Path] = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        return context


@dataclass
class Authority:
    """A CA that signs what a test asks for.

    :ivar is_ca: whether its own certificate says so.
    :ivar usage: whether its own certificate has a keyUsage.
    """

    folder: Path
    key: Union[ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey] = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    is_ca: bool = True
    usage: bool = True
    count: int = 0

    def __post_init__(self) -> None:
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "unit test CA")])
        self.ca_path = self.sign("ca", None, ca=True).cert

    def sign(
        self, label: str, host: Optional[str], ca: bool = False, self_signed: bool = False, age: int = 0
    ) -> Identity:
        """A certificate for an address or a name.

        :param age: days since it expired; 0 is one that is valid.
        """
        own = self.key if ca else ec.generate_private_key(ec.SECP256R1())
        subject = self.name if ca else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)])
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=-age if age else 1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if self_signed else self.name)
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - datetime.timedelta(days=30))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca and self.is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key((own if self_signed else self.key).public_key()),
                critical=False,
            )
        )
        if ca and self.is_ca and self.usage:
            usage = dict.fromkeys(
                ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
            )
            builder = builder.add_extension(
                x509.KeyUsage(
                    digital_signature=True, key_cert_sign=True, crl_sign=True, encipher_only=False,
                    decipher_only=False, **usage,
                ),
                critical=True,
            )  # fmt: skip
        if host:
            try:
                alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
            except ValueError:
                alternative = x509.DNSName(host)
            builder = builder.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        made = builder.sign(own if self_signed else self.key, hashes.SHA256())
        cert, key = self.folder / f"{label}.pem", self.folder / f"{label}.key"
        cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return Identity(cert, key, made.fingerprint(hashes.SHA256()).hex())


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def new_authority(tmp_path: Path) -> Callable[..., Authority]:
    """Makes a CA that is odd."""
    return partial(Authority, tmp_path)

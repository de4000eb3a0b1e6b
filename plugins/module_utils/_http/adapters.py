# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections of requests: TLS, pinned fingerprints, answers that are bounded in time and size."""

from __future__ import annotations

import errno
import io
import os
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache, lru_cache
from http.client import HTTPResponse
from typing import Any, Optional
from urllib.parse import urlsplit

from .._errors import ClusterError

try:
    from requests.adapters import HTTPAdapter
    from requests.models import Response
    from requests.structures import CaseInsensitiveDict
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError:  # Http() says so in one sentence; the import itself must not fail
    HTTPAdapter = object  # type: ignore[assignment,misc]


CONNECTIONS = 32
"""Calls to one cluster that are under way at a time, at most."""

LARGEST = 64 * 2**20
"""Bytes that an answer may have: none that is meant comes near."""

CHUNK = 2**16
"""Bytes that are read at a time."""


@dataclass
class Trust:
    """How the server is known to be the right one, and who we are to it.

    :param ca_path: PEM file of the CA (or of the self-signed certificate).
    :param fingerprint: SHA-256 of the server's certificate; replaces the CA and the host name.
    :param hostname: whether the certificate must be for the host's name too.
    :param optional_hostname: whether the product has an option (verify_hostname) for that, which a hint may name.
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
                raise ClusterError(f"{option} names {path}, which is not a readable file")
        if self.client_key and not self.client_cert:
            raise ClusterError("client_key is given without client_cert")
        if self.fingerprint:
            digits = self.fingerprint.lower().replace("sha256:", "").replace(":", "").strip()
            if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
                raise ClusterError("tls_fingerprint must be the 64 hexadecimal digits of a SHA-256 fingerprint")
            self.fingerprint = digits


def _shared_context(trust: Trust) -> ssl.SSLContext:
    """One for all servers that are trusted alike: to make it and to load its files takes as long as a handshake."""
    paths = (trust.ca_path, trust.client_cert, trust.client_key)
    given = (trust.validate, trust.ca_path, trust.fingerprint, trust.client_cert, trust.client_key, trust.hostname)
    return _context_of(given, tuple(path and os.stat(path).st_mtime_ns for path in paths))


@lru_cache(maxsize=64)
def _context_of(given: tuple[Any, ...], _as_old_as: tuple[Any, ...]) -> ssl.SSLContext:
    context: Any = _context(Trust(*given))
    # urllib3 loads them again for each connection.
    context.load_verify_locations = cache(context.load_verify_locations)
    context.load_cert_chain = cache(context.load_cert_chain)
    return context


def _context(trust: Trust) -> ssl.SSLContext:
    context = create_urllib3_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.13 sets it by default, and refuses the CAs that nuocmd makes, for they have no keyUsage.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not trust.validate or not trust.hostname or (trust.fingerprint and not trust.ca_path):
        context.check_hostname = False  # else the context refuses to be told to verify nothing
    if trust.validate and not trust.ca_path:
        context.load_default_certs()
    return context


def is_nameless(trust: Trust, url: str, timeout: float) -> bool:
    """Whether a server's certificate names no host and no address. Nothing is sent to it.

    OpenSSL says the same of such a certificate as of one for another host, and shows neither: a second handshake, with
    all checks but this one, shows it.
    """
    parts = urlsplit(url)
    try:
        context = _context(trust)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        if trust.ca_path:
            context.load_verify_locations(trust.ca_path)
        if trust.client_cert:
            context.load_cert_chain(trust.client_cert, trust.client_key)
        plain = socket.create_connection((parts.hostname or "", parts.port or 443), timeout=timeout)
        with plain, context.wrap_socket(plain, server_hostname=parts.hostname) as secure:
            names = (secure.getpeercert() or {}).get("subjectAltName", ())
    except (OSError, ValueError):
        return False
    return not any(name[0] in ("DNS", "IP Address") for name in names)


def load_tls() -> None:
    """Makes OpenSSL load its algorithms, which a worker that is forked then has: by itself each would load them."""
    if HTTPAdapter is not object:
        create_urllib3_context()


class TooLarge(Exception):
    """An answer has more bytes than `LARGEST`."""


class _Timed(io.RawIOBase):
    """What a socket receives, with its time-out as a deadline for all: by itself that begins anew with each byte.

    :param raw: the socket as a file, unbuffered.
    """

    def __init__(self, sock: socket.socket, raw: Any) -> None:
        self._sock = sock
        self._raw = raw
        timeout = sock.gettimeout()
        self._end = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Optional[int]:
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise socket.timeout("timed out")
            self._sock.settimeout(left)
        count: Optional[int] = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Timed(sock, self.fp.detach()))


def _timed(manager: Any) -> Any:
    """A manager of pools whose connections read answers by `_Response`, those of a proxy's too."""
    if not getattr(manager, "is_timed", False):
        manager.is_timed = True
        pools = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = {scheme: _timed_pool(pool) for scheme, pool in pools.items()}
    return manager


@cache  # a class of its own for each cluster would make every call slower by half
def _timed_pool(pool: Any) -> Any:
    return type(pool.__name__, (pool,), {"ConnectionCls": _timed_connection(pool.ConnectionCls)})


class _Heard:
    """A connection that sends a request in one piece, and on which a server is heard that ends it meanwhile."""

    _pieces: Optional[list[bytes]] = None

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Head and body go into one record of TLS: two would cost both sides twice."""
        self._pieces = []
        try:
            super().request(*args, **kwargs)  # type: ignore[misc]
            pieces, self._pieces = self._pieces, None
            self.send(b"".join(pieces))
        except ssl.SSLEOFError as error:
            # As without TLS: urllib3 then reads what came before the end. In TLS 1.3 that may be the alert which says
            # that the server wants a client certificate.
            raise BrokenPipeError(errno.EPIPE, str(error)) from error
        finally:
            self._pieces = None

    def send(self, data: bytes) -> None:
        if self._pieces is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._pieces.append(data)


def _timed_connection(connection: Any) -> Any:
    return type(connection.__name__, (_Heard, connection), {"response_class": _Response})


class BoundedAdapter(HTTPAdapter):
    """Reads whole answers, in the time that they may take and up to the size that they may have."""

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, **kwargs)
        _timed(self.poolmanager)

    def proxy_manager_for(self, proxy, **kwargs):
        return _timed(super().proxy_manager_for(proxy, **kwargs))

    def build_response(self, req, resp):
        """As requests does it, but for cookies and encodings, which nobody here reads: a tenth of a call's time."""
        answer = Response()
        answer.status_code, answer.reason, answer.headers = resp.status, resp.reason, CaseInsensitiveDict(resp.headers)
        answer.raw, answer.url, answer.request, answer.connection = resp, req.url, req, self
        return answer

    def send(self, *args, **kwargs):
        answer = super().send(*args, **kwargs)
        parts, size = [], 0
        for part in answer.iter_content(CHUNK):
            parts.append(part)
            size += len(part)
            if size > LARGEST:
                answer.close()
                raise TooLarge
        answer._content = b"".join(parts)
        return answer


class PinnedAdapter(BoundedAdapter):
    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._pools: dict[str, Any] = {}
        super().__init__(pool_connections=8, pool_maxsize=CONNECTIONS)

    def _strict(self) -> dict[str, Any]:
        strict = {"ssl_context": _shared_context(self._trust), "assert_fingerprint": self._trust.fingerprint}
        return strict if self._trust.hostname else {**strict, "assert_hostname": False}

    def init_poolmanager(self, *args, **kwargs):
        kwargs.update(self._strict())
        return super().init_poolmanager(*args, **kwargs)

    def proxy_manager_for(self, proxy, **kwargs):
        # The tunnel through a proxy has a pool of its own, which must be as strict.
        kwargs.update(self._strict())
        return super().proxy_manager_for(proxy, **kwargs)

    # All calls to a server go by one pool. To look it up and set it up for each took a tenth of a call's time, and
    # behind a proxy many times that, for the context.

    def get_connection_with_tls_context(self, request, verify, proxies=None, cert=None):
        server = _server(request.url)
        if server not in self._pools:
            pool = super().get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
            self.cert_verify(pool, request.url, verify, cert)
            self._pools[server] = pool
        return self._pools[server]

    def cert_verify(self, conn, url, verify, cert):
        if conn is not self._pools.get(_server(url)):
            super().cert_verify(conn, url, verify, cert)


def _server(url: str) -> str:
    return url[: url.find("/", len("https://"))]

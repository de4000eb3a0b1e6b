# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends a request and returns its answer, within limits of time and size, over open connections of urllib3."""

from __future__ import annotations

import errno
import io
import re
import socket
import ssl
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPResponse
from typing import Any, Optional

from .proxies import proxy_for
from .trust import Trust, check_pin, context_of

try:
    from urllib3 import (
        HTTPConnectionPool,
        HTTPSConnectionPool,
        PoolManager,
        ProxyManager,
        Timeout,
        __version__ as version,
    )
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.exceptions import (
        ConnectTimeoutError,
        HTTPError,
        LocationValueError,
        NewConnectionError,
        ProxyError,
        ReadTimeoutError,
        SSLError,
    )

    MISSING = version.startswith("1.")
except ImportError:  # Http() reports it in one sentence; the import itself must not fail
    HTTPConnection = HTTPSConnection = HTTPConnectionPool = HTTPSConnectionPool = object  # type: ignore[assignment,misc]
    MISSING = True

CONNECTIONS = 32
"""Most open connections to one server. As many calls may be under way at the same time."""

LARGEST = 64 * 2**20
"""Most bytes of an answer. No expected answer is nearly as large."""

CHUNK = 2**16
"""Bytes per read."""

CLOSED = "the connection was closed before the answer"
CUT_OFF = "the answer was cut off"
NO_NAME = "the host name can't be resolved"
NO_PROXY = "the proxy could not be used"
NO_ROUTE = "there is no route to the host"

NOBODY_BEHIND = ("502", "503", "504")
"""The statuses of a proxy that can't reach the server."""

IDLE = 60.0
"""Seconds after which an unused connection is not used again. After a machine slept, or behind a firewall that forgets
connections, the other end may not know it any more, and the first call over it would get no answer."""

AT_REST = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)
"""The clock that goes on while this machine sleeps, on Linux; elsewhere (macOS) the usual monotonic one."""

HUNG_UP = ("EOF occurred", "UNEXPECTED_EOF", "connection has been closed")
"""TLS errors of a server or gateway that goes down or comes up, not of an untrusted one."""


@dataclass(frozen=True)
class Request:
    """The request of a call.

    :param path: the path with its query, quoted.
    :param anonymous: whether to send it without the credentials.
    """

    path: str
    body: Optional[bytes] = None
    verb: str = "POST"
    content_type: str = "text/xml"
    anonymous: bool = False


@dataclass(frozen=True)
class Reply:
    """The unchanged answer of a server.

    :param location: the target of a redirect.
    :param reason: the text after the status.
    """

    status: int
    body: bytes
    location: str = ""
    reason: str = ""


class TooLarge(Exception):
    """The answer has more bytes than `LARGEST`."""


class NoAnswer(Exception):
    """No answer came, or only a part. The text of the exception is the cause.

    :param hung: something accepted the connection and then sent nothing.
    :param silent: nothing accepted the connection.
    :param unsent: no connection was opened, so nothing can have been sent.
    """

    def __init__(self, cause: str, hung: bool = False, silent: bool = False, unsent: bool = False) -> None:
        super().__init__(cause)
        self.hung, self.silent, self.unsent = hung, silent, unsent


class _Timed(io.RawIOBase):
    """The input of a socket, with its time-out as a deadline for all bytes. A plain socket restarts it with each byte.

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


def _now() -> float:
    """The time in seconds, which also passes while the machine sleeps."""
    return time.monotonic() if AT_REST is None else time.clock_gettime(AT_REST)


class _Heard:
    """A connection that sends each request in one piece, and reads what the server sent before closing it."""

    response_class = _Response
    _pieces: Optional[list[bytes]] = None
    _used = float("-inf")

    @property
    def is_connected(self) -> bool:
        """Whether an open connection can be used again. urllib3 asks before it does."""
        return bool(super().is_connected) and _now() - self._used <= IDLE  # type: ignore[misc]

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Sends head and body in one TLS record, because two records cost both sides twice the work."""
        self._pieces, self._used = [], _now()
        try:
            super().request(*args, **kwargs)  # type: ignore[misc]
            pieces, self._pieces = self._pieces, None
            self.send(b"".join(pieces))
        except ssl.SSLEOFError as error:
            # Like the error without TLS: urllib3 then reads what the server sent before the end. In TLS 1.3 that may be
            # the alert that it requires a client certificate.
            raise BrokenPipeError(errno.EPIPE, str(error)) from error
        finally:
            self._pieces = None

    def send(self, data: bytes) -> None:
        if self._pieces is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._pieces.append(data)


class _Connection(_Heard, HTTPConnection):  # type: ignore[misc]
    pass


class _SecureConnection(_Heard, HTTPSConnection):  # type: ignore[misc]
    """:param pinned: has the fingerprint for the certificate; None for a proxy, which only the context checks."""

    def __init__(self, *args: Any, pinned: Optional[Trust] = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pinned = pinned

    def connect(self) -> None:
        super().connect()
        if self._pinned:
            check_pin(self.sock, self._pinned)  # type: ignore[arg-type]


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


@dataclass
class Transport:
    """The connections to the servers of a cluster. Several threads may use it.

    :param proxies: the proxies by scheme, from the environment.
    """

    trust: Trust
    proxies: dict[str, str] = field(default_factory=dict)
    _servers: dict[str, _Server] = field(default_factory=dict)

    def exchange(self, url: str, request: Request, headers: dict[str, str], connect: float, timeout: float) -> Reply:
        """Sends a request once, and returns the answer with any status.

        :param url: the URL of the server, normalized.
        :param headers: in addition to the host and the length of the body.
        :param connect: most seconds to open the connection.
        :param timeout: most seconds for the whole answer.
        :raises NoAnswer, TooLarge: see these classes.
        :raises ssl.SSLError: we don't trust the server, or the server doesn't trust us.
        :raises OSError, ValueError: files of `trust` can't be read.
        """
        return self._server(url).exchange(request, headers, connect, timeout)

    def is_proxied(self, url: str) -> bool:
        """Whether a proxy is between us and a server."""
        return self._server(url).is_proxied

    def _server(self, url: str) -> _Server:
        return self._servers.get(url) or self._servers.setdefault(url, _Server(url, self.trust, self.proxies))


class _Server:
    """The connections to one server, directly or through a proxy."""

    def __init__(self, url: str, trust: Trust, proxies: dict[str, str]) -> None:
        is_secure = url.startswith("https:")
        try:
            proxy = proxy_for(url, proxies)
        except ValueError:
            raise NoAnswer(NO_PROXY, unsent=True) from None
        self.is_proxied = proxy is not None
        strict = _strict(trust) if is_secure else {}
        manager = ProxyManager(proxy.url, proxy_headers=proxy.headers, **strict) if proxy else PoolManager(**strict)
        manager.connection_pool_kw["maxsize"] = CONNECTIONS
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        try:
            self._pool = manager.connection_from_url(url)
        except (LocationValueError, UnicodeError):
            raise NoAnswer(NO_NAME, unsent=True) from None
        if is_secure:
            self._pool.ConnectionCls = partial(_SecureConnection, pinned=trust)  # type: ignore[assignment]
        asked = None if is_secure else proxy
        self._before_path, self._more = (url, asked.headers) if asked else ("", {})

    def exchange(self, request: Request, headers: dict[str, str], connect: float, timeout: float) -> Reply:
        """See `Transport`."""
        with _told(connect, timeout, no_name=NO_PROXY if self.is_proxied else NO_NAME):
            answer = self._pool.request(
                request.verb,
                self._before_path + request.path,
                body=request.body,
                headers={**headers, **self._more},
                timeout=Timeout(connect=connect, read=timeout),
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                enforce_content_length=True,
            )
        parts, size = [], 0
        try:
            with _told(connect, timeout, CUT_OFF):
                for part in answer.stream(CHUNK):
                    parts.append(part)
                    size += len(part)
                    if size > LARGEST:
                        raise TooLarge
        except BaseException:
            answer.close()
            raise
        answer.release_conn()
        return Reply(answer.status, b"".join(parts), answer.headers.get("Location", ""), answer.reason or "")


def _strict(trust: Trust) -> dict[str, Any]:
    """The options of a pool. urllib3 sets them in the context for each connection, so they must equal its values."""
    is_named = trust.asks_a_ca and trust.hostname
    if not trust.asks_a_ca:  # a warning of our own says it once per run
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    return {
        "ssl_context": context_of(trust),
        "cert_reqs": "REQUIRED" if trust.asks_a_ca else "NONE",
        **({} if is_named else {"assert_hostname": False}),
    }


@contextmanager
def _told(connect: float, timeout: float, closed: str = CLOSED, no_name: str = NO_NAME) -> Iterator[None]:
    """Turns errors of urllib3 into `NoAnswer` with the cause in words, and errors of TLS into ssl.SSLError.

    :param closed: the cause if the connection ends.
    :param no_name: the cause if the host name is no valid name.
    """
    try:
        yield
    except ProxyError as error:
        told = re.search(r"Tunnel connection failed: (\d+)", str(error))
        unsent = told is not None or isinstance(error.original_error, (NewConnectionError, ConnectTimeoutError))
        raise NoAnswer(NO_PROXY, silent=told is not None and told[1] in NOBODY_BEHIND, unsent=unsent) from None
    except NewConnectionError as error:
        raise _not_connected(error.__cause__ or error.__context__) from None
    except ConnectTimeoutError:
        raise NoAnswer(f"no connection within {connect:g} s", silent=True, unsent=True) from None
    except (ReadTimeoutError, socket.timeout):
        raise NoAnswer(f"no answer within {timeout:g} s", hung=True) from None
    except SSLError as error:
        if any(word in str(error) for word in HUNG_UP):
            raise NoAnswer(closed) from None
        raise ssl.SSLError(str(error)) from None
    except (LocationValueError, UnicodeError):
        raise NoAnswer(no_name, unsent=True) from None
    except HTTPError:
        raise NoAnswer(closed) from None


def _not_connected(error: Any) -> NoAnswer:
    """Why no connection was opened. Some causes prove nothing of the machine: an unknown name, no route from here."""
    number = getattr(error, "errno", None)
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return NoAnswer(NO_NAME, unsent=True)
    if isinstance(error, ConnectionRefusedError):
        return NoAnswer("connection refused", silent=True, unsent=True)
    if number in (errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH):
        return NoAnswer(NO_ROUTE, silent=number != errno.ENETUNREACH, unsent=True)
    said = str(getattr(error, "strerror", None) or error)
    return NoAnswer(f"no connection ({said[:1].lower()}{said[1:]})", unsent=True)

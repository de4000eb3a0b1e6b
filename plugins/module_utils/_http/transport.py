# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One answer for one request, bounded in time and size, over connections of urllib3 that are kept open."""

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
except ImportError:  # Http() says so in one sentence; the import itself must not fail
    HTTPConnection = HTTPSConnection = HTTPConnectionPool = HTTPSConnectionPool = object  # type: ignore[assignment,misc]
    MISSING = True

CONNECTIONS = 32
"""Connections to one server that are kept open, at most: as many as calls are under way at a time."""

LARGEST = 64 * 2**20
"""Bytes that an answer may have: none that is meant comes near."""

CHUNK = 2**16
"""Bytes that are read at a time."""

CLOSED = "the connection was closed before the answer"
CUT_OFF = "the answer was cut off"
NO_NAME = "the host name can't be resolved"
NO_PROXY = "the proxy could not be used"
NO_ROUTE = "there is no route to the host"

NOBODY_BEHIND = ("502", "503", "504")
"""What a proxy answers where it finds nobody."""

IDLE = 60.0
"""Seconds after which a connection that was not used is left: behind the sleep of a machine or a firewall that forgets,
nobody at its other end may know it any more, and the first call over it would wait for an answer in vain."""

AT_REST = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)
"""The clock that goes on while this machine sleeps: of Linux, else (macOS) the usual one."""

HUNG_UP = ("EOF occurred", "UNEXPECTED_EOF", "connection has been closed")
"""TLS errors that tell of a server or gateway that goes down or comes up, not of one that can't be trusted."""


@dataclass(frozen=True)
class Request:
    """What is sent for a call.

    :param path: with its query, quoted.
    :param anonymous: without the credentials.
    """

    path: str
    body: Optional[bytes] = None
    verb: str = "POST"
    content_type: str = "text/xml"
    anonymous: bool = False


@dataclass(frozen=True)
class Reply:
    """What a server answered in its own words.

    :param location: where it sends us, when it redirects.
    :param reason: the words beside the status.
    """

    status: int
    body: bytes
    location: str = ""
    reason: str = ""


class TooLarge(Exception):
    """An answer has more bytes than `LARGEST`."""


class NoAnswer(Exception):
    """No answer came, or not all of it; its text is the cause.

    :param hung: something took the connection and then said nothing.
    :param silent: nothing took the connection.
    :param unsent: no connection came to stand, so that nothing can have been sent over it.
    """

    def __init__(self, cause: str, hung: bool = False, silent: bool = False, unsent: bool = False) -> None:
        super().__init__(cause)
        self.hung, self.silent, self.unsent = hung, silent, unsent


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


def _now() -> float:
    """Seconds, in which a machine that sleeps grows older too."""
    return time.monotonic() if AT_REST is None else time.clock_gettime(AT_REST)


class _Heard:
    """A connection that sends a request in one piece, and on which a server is heard that ends it meanwhile."""

    response_class = _Response
    _pieces: Optional[list[bytes]] = None
    _used = float("-inf")

    @property
    def is_connected(self) -> bool:
        """Whether the connection can be used again; urllib3 asks it of one that was kept open."""
        return bool(super().is_connected) and _now() - self._used <= IDLE  # type: ignore[misc]

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Head and body go into one record of TLS: two would cost both sides twice."""
        self._pieces, self._used = [], _now()
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


class _Connection(_Heard, HTTPConnection):  # type: ignore[misc]
    pass


class _SecureConnection(_Heard, HTTPSConnection):  # type: ignore[misc]
    """:param pinned: what the server's certificate is held against; None of a proxy, whom the context alone knows."""

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
    """The connections to the servers of a cluster. Threads may share it.

    :param proxies: by scheme, as of the environment.
    """

    trust: Trust
    proxies: dict[str, str] = field(default_factory=dict)
    _servers: dict[str, _Server] = field(default_factory=dict)

    def exchange(self, url: str, request: Request, headers: dict[str, str], connect: float, timeout: float) -> Reply:
        """Sends a request, once, and returns the answer, whatever it is.

        :param url: of the server, normalized.
        :param headers: in addition to those that say where to, and how long the body is.
        :param connect: seconds that the connection may take to stand.
        :param timeout: seconds that the whole answer may take.
        :raises NoAnswer, TooLarge: as they say.
        :raises ssl.SSLError: the server isn't trusted, or doesn't trust us.
        :raises OSError, ValueError: files of `trust` can't be read.
        """
        return self._server(url).exchange(request, headers, connect, timeout)

    def is_proxied(self, url: str) -> bool:
        """Whether a proxy is between us and a server."""
        return self._server(url).is_proxied

    def _server(self, url: str) -> _Server:
        return self._servers.get(url) or self._servers.setdefault(url, _Server(url, self.trust, self.proxies))


class _Server:
    """The way to a server."""

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
    """What urllib3 sets in the context for each connection is what is set there anyway."""
    is_named = trust.asks_a_ca and trust.hostname
    if not trust.asks_a_ca:  # it is said once per run, in our own words
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    return {
        "ssl_context": context_of(trust),
        "cert_reqs": "REQUIRED" if trust.asks_a_ca else "NONE",
        **({} if is_named else {"assert_hostname": False}),
    }


@contextmanager
def _told(connect: float, timeout: float, closed: str = CLOSED, no_name: str = NO_NAME) -> Iterator[None]:
    """What goes wrong, in words.

    :param closed: what is told where the connection ends.
    :param no_name: what is told where a name can't be one.
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
    """Why no connection came to stand. Not every cause is silence of the machine: no name, no way out of this one."""
    number = getattr(error, "errno", None)
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return NoAnswer(NO_NAME, unsent=True)
    if isinstance(error, ConnectionRefusedError):
        return NoAnswer("connection refused", silent=True, unsent=True)
    if number in (errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH):
        return NoAnswer(NO_ROUTE, silent=number != errno.ENETUNREACH, unsent=True)
    said = str(getattr(error, "strerror", None) or error)
    return NoAnswer(f"no connection ({said[:1].lower()}{said[1:]})", unsent=True)

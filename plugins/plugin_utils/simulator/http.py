# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP that can also misbehave: reset, silence, half an answer, a listener that stops listening.

werkzeug reads requests. This code adds the faults that werkzeug can't produce, and lets many servers share few threads.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Callable

from .threads import SOCKETS, THREADS

try:
    from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge
    from werkzeug.serving import WSGIRequestHandler
    from werkzeug.wsgi import get_input_stream

    HAS_WERKZEUG = True
except ImportError:
    WSGIRequestHandler = object  # type: ignore[assignment,misc]
    HAS_WERKZEUG = False

_MOST = 64 * 1024 * 1024
"""The most bytes of a body."""
_PIECE = 65536
_BACKLOG = 512
_HANDSHAKE = 30
_LINGER = 0.1
"""Seconds for which a connection keeps its thread after an answer: the next request mostly comes at once."""
_LINGER_NOTHING = struct.pack("ii", 1, 0)
_REACHED_BY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a client goes, nothing is bound by it


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    certificate: str | None = None
    """The common name of the client's certificate, if the client sent one that the server trusts."""


@dataclass
class Answer:
    """`breakage`: '' (none), 'reset' (cut without an answer), 'hang' (silence), 'short' (too few bytes)."""

    status: int
    headers: dict[str, str]
    body: bytes
    breakage: str = ""


Handler = Callable[[Request], Answer]
Refusal = Callable[[int, str], Answer]


class Listener:
    """An address that accepts connections, or refuses them, always on the same port.

    While the listener is closed, a socket that doesn't listen keeps the port bound: connections are refused, and nobody
    else gets the port. Raises OSError if the port can't be bound or werkzeug is missing.
    """

    def __init__(
        self,
        host: str,
        port: int,
        handler: Handler,
        tls: ssl.SSLContext | None = None,
        after: Callable[[], None] | None = None,
        refused: Refusal | None = None,
    ) -> None:
        """`refused` is the answer to requests that can't be handled: a status and a sentence; by default, HTML."""
        if not HAS_WERKZEUG:
            raise OSError("it needs the Python library werkzeug, which isn't installed")
        self.host, self._handler, self._tls, self._after = host, handler, tls, after
        self._refused = refused
        self._lock = threading.Lock()
        self._server = self._bound(port)
        self.port: int = self._server.server_address[1]
        self.open = False

    @property
    def url(self) -> str:
        host = _REACHED_BY.get(self.host, self.host)
        return f"{'https' if self._tls else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def _bound(self, port: int) -> _Server:
        bound = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((self.host, port))
        except OSError as error:
            bound.close()
            raise OSError(f"{self.host} port {port}: {error.strerror}") from None
        return _Server(bound, self._handler, self._tls, self._after, self._refused)

    def listen(self) -> None:
        with self._lock:
            if not self.open:
                self._server.start()
                self.open = True

    def refuse(self) -> None:
        """Stops listening, and cuts the connections."""
        with self._lock:
            if self.open:
                self.open = False
                self._server.stop()
                self._server = self._bound(self.port)

    def close(self) -> None:
        """Closes the listener for good."""
        with self._lock:
            if self.open:
                self.open = False
                self._server.stop()
            else:
                self._server.socket.close()


class _Server:
    """The server from one listen() to the next refuse(). Attributes that werkzeug reads are public."""

    multithread, multiprocess = True, False
    _server_version = "Werkzeug"

    def __init__(
        self,
        bound: socket.socket,
        handler: Handler,
        tls: ssl.SSLContext | None,
        after: Callable[[], None] | None,
        refused: Refusal | None,
    ) -> None:
        self.socket, self.server_address = bound, bound.getsockname()
        self.handler, self.ssl_context, self.after, self.refused = handler, tls, after, refused
        self.connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        self.socket.listen(_BACKLOG)
        self.socket.setblocking(False)
        SOCKETS.always(self.socket, self._accept)

    def _accept(self) -> None:
        try:
            client, address = self.socket.accept()
            client.setblocking(True)
            if self.ssl_context is not None:
                client = self.ssl_context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        except OSError:  # the client is gone already
            return
        with self._lock:
            self.connections.add(client)
        connection = _Connection(client, address, self)
        SOCKETS.once(client, lambda: THREADS.run(connection.go_on))

    def end(self, client: socket.socket) -> None:
        """Closes a connection. The client can still read what was sent."""
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)
        with self._lock:
            self.connections.discard(client)
        client.close()

    def stop(self) -> None:
        """Stops accepting connections, and cuts those that were accepted, before it returns."""
        SOCKETS.forget(self.socket)
        self.socket.close()
        with self._lock:
            connections = list(self.connections)
        for connection in connections:
            with suppress(OSError):
                # not that of SSLSocket, after which the connection's thread would continue without TLS
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Connection(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.1"  # else answers to unreadable requests have no status line (HTTP/0.9)
    disable_nagle_algorithm = True
    wbufsize = _PIECE  # head and body are sent together
    server: Any  # a _Server
    rfile: Any

    def __init__(self, request: Any, client_address: Any, server: _Server) -> None:
        # not that of the base class, which serves the connection until its end
        self.request, self.client_address, self.server = request, client_address, server
        self._is_set_up = False

    def go_on(self) -> None:
        """Answers requests until none has come for a while; then the connection waits without a thread."""
        try:
            if not self._is_set_up:
                self.setup()
                self._is_set_up = True
            while True:
                self.handle_one_request()
                if self.close_connection:
                    break
                if not self._has_more():
                    SOCKETS.once(self.request, lambda: THREADS.run(self.go_on))
                    return
        except OSError:
            pass  # the client is gone, or doesn't use TLS
        except Exception:
            traceback.print_exc()
        if self._is_set_up:
            with suppress(OSError):
                self.finish()
        self.server.end(self.request)

    def _has_more(self) -> bool:
        """Whether the next request has begun to arrive, or does so soon."""
        self.connection.settimeout(0)
        try:
            if self.rfile.peek(1):
                return True
        except ssl.SSLWantReadError:
            pass
        finally:
            self.connection.settimeout(None)
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        return bool(poll.poll(_LINGER * 1000))

    def setup(self) -> None:
        if self.server.ssl_context is not None:
            self.request.settimeout(_HANDSHAKE)
            self.request.do_handshake()
            self.request.settimeout(None)
        super().setup()

    def log(self, type: str, message: str, *args: Any) -> None:
        """Does nothing: calls are recorded where they are parsed."""

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Does nothing: werkzeug's method would read the path, which may be missing."""

    def handle_expect_100(self) -> bool:
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def run_wsgi(self) -> None:
        """Answers one request. werkzeug's method closes the connection each time, and can't send bad answers."""
        try:
            body = self._body()
        except (HTTPException, ValueError) as error:
            self.send_error(getattr(error, "code", 400))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            answer = self.server.handler(Request(self.command, self.path, headers, body, self._certificate()))
        except Exception:  # an error of the simulator, but the client gets an answer
            traceback.print_exc()
            self.send_error(500)
            return
        try:
            self._send(answer)
        finally:
            if self.server.after is not None:
                self.server.after()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Sends the listener's answer; no further request is read."""
        self.close_connection = True
        if self.server.refused is None:
            super().send_error(code, message, explain)
            return
        self.request_version = "HTTP/1.1"  # the unreadable request may have no version
        phrase = message or self.responses.get(code, ("refused",))[0]
        self._send(self.server.refused(code, f"The request can't be handled: {phrase.rstrip('.')}."))

    def _certificate(self) -> str | None:
        shown: Any = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        names = [value for part in (shown or {}).get("subject", ()) for key, value in part if key == "commonName"]
        return names[0] if names else None

    def _body(self) -> bytes:
        environ = self.make_environ()
        # werkzeug is lenient: it takes a wrong length as 0, and a line that is not a header ends the head
        length = environ.get("CONTENT_LENGTH", "0")
        if not length.isdecimal() or self.headers.get_payload():
            raise BadRequest
        if len(length) > len(str(_MOST)):  # it may have more digits than Python reads as an integer
            raise RequestEntityTooLarge
        return get_input_stream(environ, max_content_length=_MOST).read()

    def _send(self, answer: Answer) -> None:
        if answer.breakage == "reset":
            self._reset()
        elif answer.breakage == "hang":
            self.close_connection = True
            while self.rfile.read(_PIECE):
                pass
        else:
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            if self.close_connection or answer.breakage:
                self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body[: len(answer.body) // 2] if answer.breakage else answer.body)
            self.wfile.flush()

    def _reset(self) -> None:
        """Closes a connection with a RST."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
            socket.close(self.connection.detach())

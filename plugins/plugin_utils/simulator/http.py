# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 on a socket that can also misbehave: reset, silence, half an answer, a listener that stops listening.

http.server and werkzeug either close each connection or hide the socket; faults and a thousand calls a second need it.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Callable, cast

_MAX_LINE = 65536
_MAX_BODY = 64 * 1024 * 1024
_LINGER_NOTHING = struct.pack("ii", 1, 0)
_BACKLOG = 512
_REACHED_BY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a client goes, nothing is bound by it


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """`breakage`: '' (none), 'reset' (cut without an answer), 'hang' (silence), 'short' (too few bytes)."""

    status: int
    headers: dict[str, str]
    body: bytes
    breakage: str = ""


Handler = Callable[[Request], Answer]


class _BadRequest(Exception):
    pass


class Listener:
    """One address that accepts connections, or refuses them, always on the same port.

    While it is closed the port stays bound by a socket that doesn't listen, so connections are refused and nobody
    else gets the port.
    """

    def __init__(
        self,
        host: str,
        port: int,
        handler: Handler,
        tls: ssl.SSLContext | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        self.host, self._handler, self._tls, self._after = host, handler, tls, after
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._lock = threading.Lock()
        self._connections: set[_Connection] = set()
        self._socket = self._bound(port)
        self.port: int = self._socket.getsockname()[1]
        self.open = False

    @property
    def url(self) -> str:
        host = _REACHED_BY.get(self.host, self.host)
        return f"{'https' if self._tls else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def _bound(self, port: int) -> socket.socket:
        for attempt in range(50):
            new = socket.socket(self._family, socket.SOCK_STREAM)
            new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                new.bind((self.host, port))
                return new
            except OSError:
                new.close()
                if attempt == 49 or port == 0:
                    raise
                time.sleep(0.02)
        raise OSError("unreachable")

    def listen(self) -> None:
        with self._lock:
            if self.open:
                return
            self._socket.listen(_BACKLOG)
            self.open = True
            threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def refuse(self) -> None:
        """Stop listening and cut what is connected."""
        with self._lock:
            if not self.open:
                return
            self.open = False
            self._close_socket()
            self._socket = self._bound(self.port)
            connections = list(self._connections)
        for connection in connections:
            connection.cut()

    def close(self) -> None:
        """For good."""
        with self._lock:
            self.open = False
            self._close_socket()
            connections = list(self._connections)
        for connection in connections:
            connection.cut()

    def _close_socket(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        self._socket.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _address = listening.accept()
            except OSError:
                if not self.open or listening is not self._socket:
                    return
                continue
            connection = _Connection(client, self)
            with self._lock:
                current = self.open and listening is self._socket
                if current:
                    self._connections.add(connection)
            if current:
                threading.Thread(target=connection.run, daemon=True).start()
            else:
                connection.reset()

    def gone(self, connection: _Connection) -> None:
        with self._lock:
            self._connections.discard(connection)

    def secured(self, client: socket.socket) -> socket.socket:
        return client if self._tls is None else self._tls.wrap_socket(client, server_side=True)

    def answer(self, request: Request) -> Answer:
        return self._handler(request)

    def answered(self) -> None:
        if self._after is not None:
            self._after()


class _Connection:
    def __init__(self, client: socket.socket, listener: Listener) -> None:
        self._socket, self._listener = client, listener
        self._cut = False

    def run(self) -> None:
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.settimeout(30)
            self._socket = self._listener.secured(self._socket)
            self._socket.settimeout(None)
            self._serve()
        except (OSError, ValueError):
            pass  # the client went away, or spoke no TLS
        finally:
            self._listener.gone(self)
            with suppress(OSError):
                self._socket.close()

    def _serve(self) -> None:
        with cast(BinaryIO, self._socket.makefile("rb", buffering=_MAX_LINE)) as stream:
            while not self._cut:
                try:
                    request = self._read(stream)
                except _BadRequest:
                    self._socket.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return
                if request is None:
                    return
                answer = self._listener.answer(request)
                keep = request.headers.get("connection", "").lower() != "close"
                try:
                    if not self._send(answer, keep) or not keep:
                        return
                finally:
                    self._listener.answered()

    def _read(self, stream: BinaryIO) -> Request | None:
        line = stream.readline(_MAX_LINE)
        while line in (b"\r\n", b"\n"):
            line = stream.readline(_MAX_LINE)
        if not line:
            return None
        parts = line.decode("latin-1").split()
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise _BadRequest
        headers: dict[str, str] = {}
        while True:
            row = stream.readline(_MAX_LINE)
            if row in (b"\r\n", b"\n"):
                break
            name, colon, value = row.decode("latin-1").partition(":")
            if not colon:
                raise _BadRequest
            headers[name.strip().lower()] = value.strip()
        if parts[2] == "HTTP/1.0" and headers.get("connection", "").lower() != "keep-alive":
            headers["connection"] = "close"
        if headers.get("expect", "").lower() == "100-continue":
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks(stream)
        else:
            text = headers.get("content-length", "0")
            if not text.isdigit() or int(text) > _MAX_BODY:
                raise _BadRequest
            body = stream.read(int(text))
            if len(body) < int(text):
                return None
        return Request(parts[0], parts[1], headers, body)

    def _chunks(self, stream: BinaryIO) -> bytes:
        rows = []
        total = 0
        while True:
            try:
                size = int(stream.readline(_MAX_LINE).split(b";")[0], 16)
            except ValueError:
                raise _BadRequest from None
            total += size
            if size < 0 or total > _MAX_BODY:
                raise _BadRequest
            rows.append(stream.read(size))
            stream.readline(_MAX_LINE)
            if size == 0:
                return b"".join(rows)

    def _send(self, answer: Answer, keep: bool) -> bool:
        """Whether the connection may be used again."""
        if answer.breakage == "reset" or self._cut:
            self.reset()
            return False
        if answer.breakage == "hang":
            self._wait_for_the_client()
            return False
        reason = http.client.responses.get(answer.status, "Unknown")
        rows = [f"HTTP/1.1 {answer.status} {reason}"]
        rows += [f"{name}: {value}" for name, value in answer.headers.items()]
        rows.append(f"Content-Length: {len(answer.body)}")
        if not keep or answer.breakage:
            rows.append("Connection: close")
        head = "\r\n".join(rows).encode("latin-1") + b"\r\n\r\n"
        if answer.breakage == "short":
            self._socket.sendall(head + answer.body[: len(answer.body) // 2])
            return False
        self._socket.sendall(head + answer.body)
        return True

    def _wait_for_the_client(self) -> None:
        while not self._cut:
            readable = select.select([self._socket], [], [], 0.2)[0]
            if readable and not self._socket.recv(_MAX_LINE):
                return

    def reset(self) -> None:
        """Close with a RST."""
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOTHING)
            socket.close(self._socket.detach())

    def cut(self) -> None:
        """End it from another thread, whatever it is doing."""
        self._cut = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cluster over HTTP: authentication, time-outs, fail-over, retries of reads.

A changing call is sent once, to the URL that answered last. It is neither retried nor failed over. If its answer is
lost, it raises `AnswerLost`, and the caller reads the state. If it certainly was not sent, it raises `NotSent`.
"""

from __future__ import annotations

import copy
import ipaddress
import re
import ssl
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Callable, Optional, TypeVar
from urllib.parse import urlsplit

from .._errors import AnswerLost, ClusterError, Denied, Garbled, NotSent, Unreachable, Untrusted
from .._foreign import one_line
from .proxies import basic, proxies_of_environment
from .tls import CLIENT_HINT, PROXY_PAGES, distrust
from .transport import LARGEST, MISSING, NoAnswer, Reply, Request, TooLarge, Transport
from .trust import Trust, is_nameless

T = TypeVar("T")

READ_ROUNDS = 2
"""How many times a read tries all URLs."""

PAUSE = 0.5
"""Seconds between two rounds."""

CONNECT = 10.0
"""Most seconds to open a connection."""

ELSEWHERE = (
    "the server at this URL does not have this API: check whether api_url, or the profile, names another product's "
    "server or another port"
)
"""The hint if an HTTP server answers that is not this API."""

GATEWAY = (501, 502, 504)
"""The statuses of a proxy, or of EXAoperation's own gateway, if the service behind it does not run."""

REASON = 100
"""Most characters of the text after a status, or of a host to which an answer redirects."""

LOOK = 0.5
"""The share of the usual time-out for a request that only finds out whether a machine answers."""


def plain_host(host: str) -> str:
    """A host in the form for comparisons. An IPv6 address has many spellings; this is the shortest."""
    text = host.strip().lower()
    if ":" not in text:
        return text
    try:
        return str(ipaddress.IPv6Address(text.strip("[]")))
    except ValueError:
        return text


def normalized(url: str, port: Optional[int] = None) -> str:
    """``https://host:port``, made from a URL, a bare host name or an address.

    An IPv6 address without brackets has no port.

    :param port: the port if the URL has none. Without it, the default port of the scheme.
    :raises ClusterError: another scheme, no host, an address with a zone, or credentials in the URL (the message does
        not repeat them).
    """
    text = str(url).strip()
    if "@" in text:
        raise ClusterError(
            "api_url contains credentials: put them in api_username and api_password, or in a profile",
            number="DBF-7002",
        )
    scheme, _separator, rest = text.partition("://") if "://" in text else ("https", "", text)
    place = re.split("[/?#]", rest, maxsplit=1)[0]
    if place.count(":") > 1 and not place.startswith("["):
        place = f"[{place}]"
    bracketed = place.startswith("[")
    if bracketed and "%" in place:
        raise ClusterError(
            f"api_url {text!r} is an address with a zone, which is valid on one machine only",
            hint="give the host's name, or an address of it that isn't link-local",
            number="DBF-7002",
        )
    try:
        parts = urlsplit(f"{scheme}://{place}")
        written, host = parts.port, plain_host(parts.hostname or "")
        if bracketed and not (ipaddress.IPv6Address(host) and re.fullmatch(r"\[[^]]*\](:\d*)?", place)):
            host = ""
    except ValueError:
        written, host, parts = None, "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        hint = "an IPv6 address with a port is written as [2001:db8::10]:443" if bracketed else None
        raise ClusterError(f"api_url {text!r} is not an http or https URL", hint=hint, number="DBF-7002")
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{written or port or (443 if parts.scheme == 'https' else 80)}"


@dataclass(frozen=True)
class Call:
    """A call in the vendor's words, and whether it changes anything.

    :param patience: factor for the time-out, for a call whose answer comes only when its work is done.
    """

    method: str
    target: str = ""
    changing: bool = False
    patience: float = 1.0

    def __str__(self) -> str:
        return f"{self.method} of {self.target}" if self.target else self.method


class Changes:
    """Counts the changing calls of all modules that share a connection.

    :ivar count: goes up when a call begins, and again when it ends.
    :ivar under_way: how many calls have no answer yet.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0
        self.under_way = 0

    def __enter__(self) -> None:
        with self._lock:
            self.count += 1
            self.under_way += 1

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self.count += 1
            self.under_way -= 1


def _only_200(_status: int, _body: bytes) -> bool:
    return False


@dataclass
class Http:
    """A cluster's API over HTTP.

    :param cluster: the name of the cluster in messages.
    :param urls: all URLs of the cluster. The first that answers is used.
    :param timeout: most seconds per answer.
    :param port: the port of URLs without one.
    :param rounds: how many times a read asks all URLs before it fails.
    :param is_own: takes status and body of an answer without status 200; whether the server sent it, not a proxy.
    :param changes: counts the changing calls of all modules that share the connection.
    :raises ClusterError: an option has an unusable value.
    """

    cluster: str
    urls: list[str]
    username: Optional[str] = None
    password: Optional[str] = None
    trust: Trust = field(default_factory=Trust)
    timeout: float = 30.0
    port: Optional[int] = None
    rounds: int = field(default_factory=lambda: READ_ROUNDS)
    is_own: Callable[[int, bytes], bool] = _only_200
    changes: Changes = field(default_factory=Changes, repr=False, compare=False)

    def __post_init__(self) -> None:
        if MISSING:
            raise ClusterError(
                "the Python library 'urllib3', 2.0 or newer, is missing where this task runs",
                hint="install it there: pip install 'urllib3>=2'; or set ansible_python_interpreter to a Python "
                "that has it",
                number="DBF-7004",
            )
        self.urls = list(dict.fromkeys(normalized(url, self.port) for url in self.urls or []))
        if not self.urls:
            raise ClusterError(f"{self.cluster}: no api_url is given", number="DBF-7002")
        self._current = 0
        self._is_let_in = False
        self._logging_in = threading.Lock()
        self._counting = threading.Lock()
        self.calls = 0
        self._was_read = False
        self._transport = Transport(self.trust, proxies_of_environment())
        self._authorization = {"Authorization": basic(self.username, self.password or "")} if self.username else {}

    def again(self) -> Http:
        """The same API for another module. It begins at the URL that answered last, with the open connections.

        It counts only its own calls, even if a thread of the module before still sends some.
        """
        other = copy.copy(self)
        other._counting, other.calls, other._was_read = threading.Lock(), 0, False
        return other

    @property
    def url(self) -> str:
        """The URL that answered last."""
        return self.urls[self._current]

    def use(self, url: str) -> None:
        """Uses this URL first from now on, and the others if it doesn't answer a read."""
        self._current = self.urls.index(url)

    def post(self, call: Call, path: str, body: bytes) -> bytes:
        """Sends a call by POST and returns the body of its answer. See `send`."""
        return self.send(call, Request(path, body)).body

    def send(self, call: Call, request: Request) -> Reply:
        """Sends a call and returns the server's answer.

        :raises AnswerLost: a changing call got no answer; `NotSent` if it certainly was not sent.
        :raises Unreachable, Untrusted, Denied, Garbled: see these classes.
        """
        if call.changing:
            return self.ask(self.url, call, request)
        return self.fetch(call, request, lambda reply, _url: reply)

    def ask(self, url: str, call: Call, request: Request, connect: float = CONNECT) -> Reply:
        """Sends a call once, to one server: one of `urls`, or another one that the caller trusts in the same way.

        :param url: normalized.
        :param connect: most seconds to open the connection.
        :raises ClusterError: as `send` does.
        """
        try:
            reply = self._send(url, call, request, connect)
            self._was_read = True
            return reply
        except (Unreachable, Garbled) as error:
            if not call.changing:
                self._remember(error)
                raise
            about = call.target or None
            if error.unsent:
                raise NotSent(f"{error.message}; the call was not sent", failed_object=about) from None
            raise AnswerLost(f"{error.message}; the server may have carried it out", failed_object=about) from None

    def fetch(self, call: Call, request: Request, read: Callable[[Reply, str], T]) -> T:
        """Asks all URLs, several times, until one gives a readable answer.

        :param read: takes an answer and its URL, and returns the result. It raises Garbled if the answer can't be read,
            because a proxy sent it, or because it was cut off.
        """
        failures: dict[str, ClusterError] = {}
        for attempt in range(self.rounds):
            if attempt:
                time.sleep(PAUSE)
            first = self._current
            for offset in range(len(self.urls)):
                index = (first + offset) % len(self.urls)
                try:
                    reply = self._send(self.urls[index], call, request)
                    found = read(reply, self.urls[index])
                    self._current = index
                    self._was_read = True
                    return found
                except (Unreachable, Untrusted, Garbled) as error:
                    failures[self.urls[index]] = error
            if all(isinstance(error, Untrusted) for error in failures.values()):
                break
        errors = list(failures.values())
        worst = next((error for error in errors if isinstance(error, Untrusted)), errors[-1])
        worst.message = _of_all({url: error.message for url, error in failures.items()})
        self._remember(worst)
        raise worst

    def _remember(self, error: ClusterError) -> None:
        """Notes in the error that this API answered the task before, so that nobody takes the cluster for down."""
        if isinstance(error, Unreachable) and self._was_read:
            error.before = f"{self.url} answered a moment before"

    def answers(self, path: str = "/", anonymous: bool = False) -> bool:
        """Whether a server answers at any URL, with any answer. The error of a proxy without a server is no answer."""
        for url in self.urls:
            try:
                self._send(url, Call("a look whether it answers"), Request(path, verb="GET", anonymous=anonymous))
            except Unreachable as error:
                if error.hung:
                    return True  # the machine that accepted the connection is still on
                continue
            except ClusterError:
                return True
            return True
        return False

    def sign_of_life(self, url: str, path: str) -> str:
        """The sign of life of the machine at a URL, in words; empty if nothing accepted the connection. No credentials.

        Without a gateway before the machine, every answer comes from the machine itself, and so does a connection that
        was accepted and closed. A failure that proves nothing, such as an unknown host name, doesn't count as silence.
        """
        call = Call("a look whether it answers", patience=LOOK)
        try:
            self._send(url, call, Request(path, verb="GET", anonymous=True))
        except ClusterError as error:
            if isinstance(error, Unreachable) and error.silent:
                return ""
            return f"{url}: {error.message.rpartition(f' at {url}: ')[2]}"
        return f"{url} answers"

    def _send(self, url: str, call: Call, request: Request, connect: float = CONNECT) -> Reply:
        with self.changes if call.changing else nullcontext():
            reply = self._exchanged(url, call, request, connect)
            if reply.status == 401 and not (call.changing or request.anonymous):
                reply = self._let_in_again(url, call, request, connect) or reply
        accepted = self._accepted(reply, f"{self.cluster}: {call} at {url}")
        self._is_let_in |= reply.status == 200 and not request.anonymous
        return accepted

    def _let_in_again(self, url: str, call: Call, request: Request, connect: float) -> Optional[Reply]:
        """Sends a refused read once more, a moment later, if this server has accepted our user before.

        A server that restarts, or its directory service, may know no users for a moment. Only one thread at a time does
        this, and never again after a second refusal, because a server locks out a user after several failures.

        :returns: the second answer; None if there was no second try.
        """
        with self._logging_in:
            if not self._is_let_in:
                return None
            time.sleep(PAUSE)
            reply = self._exchanged(url, call, request, connect)
            self._is_let_in = reply.status != 401
            return reply

    def _exchanged(self, url: str, call: Call, request: Request, connect: float) -> Reply:
        timeout, connect = call.patience * self.timeout, min(self.timeout, connect)
        where = f"{self.cluster}: {call} at {url}"
        with self._counting:
            self.calls += 1
        try:
            reply = self._transport.exchange(url, request, self._headers(request), connect, timeout)
        except TooLarge:
            raise Garbled(f"{where}: the answer is larger than {LARGEST // 2**20} MiB") from None
        except NoAnswer as error:
            lost = Unreachable(f"{where}: {error}", error.hung, error.silent)
            lost.unsent = call.changing and error.unsent
            lost.fleeting = not (error.hung or error.silent or error.unsent)
            raise lost from None
        except ssl.SSLError as error:
            cause, hint = distrust(error, self.trust, lambda: self._is_nameless(url, connect))
            raise Untrusted(f"{where}: {cause}", hint=hint) from None
        except (OSError, ValueError) as error:  # such as a missing or unusable file
            raise Untrusted(f"{where}: the TLS connection can't be prepared: {error}", number="DBF-1102") from None
        return reply

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"User-Agent": "dbfleet.cluster", "Accept-Encoding": "identity"}
        if request.body is not None or request.verb == "GET":
            headers["Content-Type"] = request.content_type
        return headers if request.anonymous else {**headers, **self._authorization}

    def _is_nameless(self, url: str, connect: float) -> bool:
        return self.trust.asks_a_ca and not self._transport.is_proxied(url) and is_nameless(self.trust, url, connect)

    def unknown_user(self, where: str, why: str = "") -> Denied:
        """Of a server that doesn't let the user in.

        :param why: as it says.
        """
        whom = f"user {self.username!r} and its password" if self.username else "a call without a user"
        said = f": {why}" if why else ""
        return Denied(f"{where}: the server refused {whom} (HTTP 401){said}", known=False, number="DBF-2001")

    def _accepted(self, reply: Reply, where: str) -> Reply:
        status, said = reply.status, f"HTTP {reply.status} {one_line(reply.reason, REASON)}".rstrip()
        page = next((page for page in PROXY_PAGES if status == 400 and page in reply.body), None)
        if page:
            raise Untrusted(f"{where}: {PROXY_PAGES[page]} (HTTP 400)", hint=CLIENT_HINT, number="DBF-1103")
        if status == 200 or self.is_own(status, reply.body):
            return reply
        if status == 401:
            raise self.unknown_user(where)
        if status == 403:
            raise Denied(f"{where}: user {self.username!r} may not do this (HTTP 403)")
        if status == 503:  # from a server without a quorum, or from a gateway
            raise Unreachable(f"{where}: the service is not available ({said})", number="DBF-1002")
        if status in GATEWAY:
            raise Unreachable(f"{where}: a gateway answered {said}", number="DBF-1002")
        if 300 <= status < 400:
            try:
                host = one_line(urlsplit(reply.location).netloc.rpartition("@")[2], REASON)
            except ValueError:
                host = ""
            raise Garbled(
                f"{where}: the server redirects to {host or 'another place'} (HTTP {status})", number="DBF-1005"
            )
        hint = ELSEWHERE if status == 404 else None
        raise Garbled(f"{where}: the server answered {said}", hint=hint, number="DBF-1005")


def _of_all(messages: dict[str, str]) -> str:
    """The failures at several URLs in one sentence. URLs with the same failure are listed together."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for url, message in messages.items():
        call, _at, cause = message.partition(f" at {url}: ")
        alike.setdefault((call, cause.replace(url, "")), []).append(url)
    told = {urls[-1]: urls for urls in alike.values()}
    return "; ".join(
        messages[last].replace(f" at {last}: ", f" at {' '.join(urls)}: ", 1) for last, urls in told.items()
    )

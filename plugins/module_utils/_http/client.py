# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cluster over HTTP: authentication, time-outs, fail-over, retries of reads.

A changing call is sent once, to the URL that answered last. It is neither retried nor failed over: when its answer
is lost, `AnswerLost` says so and the caller reads the state. `NotSent` says that it never left.
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
"""How often all URLs are tried for a read."""

PAUSE = 0.5
"""Seconds between two rounds."""

CONNECT = 10.0
"""Seconds that a connection may take to stand, at most."""

ELSEWHERE = (
    "the server at this URL does not have this API: check whether api_url, or the profile, names another product's "
    "server or another port"
)
"""What to do where something answers that speaks HTTP and not this API."""

GATEWAY = (501, 502, 504)
"""What a proxy or EXAoperation's own gateway answers when the service behind it is away."""

REASON = 100
"""Characters of the words that stand behind a status, or of the place that an answer names."""

LOOK = 0.5
"""How much of the time of another answer one may take that only shows that somebody is there."""


def plain_host(host: str) -> str:
    """A host as hosts are compared: of an IPv6 address, which can be written in many ways, the shortest."""
    text = host.strip().lower()
    if ":" not in text:
        return text
    try:
        return str(ipaddress.IPv6Address(text.strip("[]")))
    except ValueError:
        return text


def normalized(url: str, port: Optional[int] = None) -> str:
    """``https://host:port`` of what was written as a URL, or as a bare host name or address.

    An IPv6 address without brackets has no port.

    :param port: where none is written; the scheme's own where nothing is said.
    :raises ClusterError: for another scheme, no host, an address with a zone, or credentials in the URL (which aren't
        repeated).
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
    """What is asked for, in the words of the vendor, and whether it changes anything.

    :param patience: how many times as long as others its answer may take, where it comes only when the work is done.
    """

    method: str
    target: str = ""
    changing: bool = False
    patience: float = 1.0

    def __str__(self) -> str:
        return f"{self.method} of {self.target}" if self.target else self.method


class Changes:
    """The changing calls of all who share a connection.

    :ivar count: how many began, and how many ended: it differs after each.
    :ivar under_way: how many have no answer yet.
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

    :param cluster: the name that messages call the cluster by.
    :param urls: all its URLs; the first that answers is used.
    :param timeout: seconds that one answer may take.
    :param port: of URLs that name none.
    :param rounds: how often a read asks all URLs before it fails.
    :param is_own: whether an answer of another status than 200 (status, body) is the server's own, not a proxy's.
    :param changes: the changing calls, of those with whom the connection is shared too.
    :raises ClusterError: for options that make no sense.
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
        """The same for another module: it begins at the URL that answered last, with the connections that are open.

        It counts its own calls alone, whatever a thread of the module before may still send.
        """
        other = copy.copy(self)
        other._counting, other.calls, other._was_read = threading.Lock(), 0, False
        return other

    @property
    def url(self) -> str:
        """The URL that answered last."""
        return self.urls[self._current]

    def use(self, url: str) -> None:
        """Asks this URL from now on; the others when it doesn't answer a read."""
        self._current = self.urls.index(url)

    def post(self, call: Call, path: str, body: bytes) -> bytes:
        """Sends a call by POST and returns the body of its answer. See `send`."""
        return self.send(call, Request(path, body)).body

    def send(self, call: Call, request: Request) -> Reply:
        """Sends a call and returns the server's answer.

        :raises AnswerLost: a changing call whose answer did not come; `NotSent` where it surely wasn't sent.
        :raises Unreachable, Untrusted, Denied, Garbled: as they say.
        """
        if call.changing:
            return self.ask(self.url, call, request)
        return self.fetch(call, request, lambda reply, _url: reply)

    def ask(self, url: str, call: Call, request: Request, connect: float = CONNECT) -> Reply:
        """Sends a call to one server, once, whether it is one of `urls` or another that the caller trusts as much.

        :param url: normalized.
        :param connect: seconds that the connection may take to stand.
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
        """Asks all URLs, several times, until one of them gives an answer that can be read.

        :param read: makes something of an answer of this URL; it raises Garbled where that can't be read, as one of a
            proxy that stands in, or one that was cut off.
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
        """An API that has answered this task is not one that is down already."""
        if isinstance(error, Unreachable) and self._was_read:
            error.before = f"{self.url} answered a moment before"

    def answers(self, path: str = "/", anonymous: bool = False) -> bool:
        """Whether a server speaks at any URL, whatever it says. A proxy that finds nobody behind it is silence."""
        for url in self.urls:
            try:
                self._send(url, Call("a look whether it answers"), Request(path, verb="GET", anonymous=anonymous))
            except Unreachable as error:
                if error.hung:
                    return True  # whatever took the connection is still on
                continue
            except ClusterError:
                return True
            return True
        return False

    def sign_of_life(self, url: str, path: str) -> str:
        """What is heard of the machine at a URL, asked without credentials; empty where nothing took the connection.

        Where there is no gateway before a machine, whatever is answered is its own, and so is a connection that it took
        and closed. What says nothing of the machine, as a name that can't be resolved, is no silence either.
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
        """What a server answers a moment later that has known us before; None where it was asked in vain.

        One that restarts, or a directory behind it, may know nobody for a moment. By one thread at a time, and never
        again once it was in vain: who sends a wrong password too often is locked out.
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
        except (OSError, ValueError) as error:  # a file that is gone or none, say
            raise Untrusted(f"{where}: the TLS connection can't be prepared: {error}", number="DBF-1102") from None
        return reply

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"User-Agent": "dbfleet.cluster", "Accept-Encoding": "identity"}
        if request.body is not None or request.verb == "GET":
            headers["Content-Type"] = request.content_type
        return headers if request.anonymous else {**headers, **self._authorization}

    def _is_nameless(self, url: str, connect: float) -> bool:
        return self.trust.asks_a_ca and not self._transport.is_proxied(url) and is_nameless(self.trust, url, connect)

    def _accepted(self, reply: Reply, where: str) -> Reply:
        status, said = reply.status, f"HTTP {reply.status} {one_line(reply.reason, REASON)}".rstrip()
        page = next((page for page in PROXY_PAGES if status == 400 and page in reply.body), None)
        if page:
            raise Untrusted(f"{where}: {PROXY_PAGES[page]} (HTTP 400)", hint=CLIENT_HINT, number="DBF-1103")
        if status == 200 or self.is_own(status, reply.body):
            return reply
        if status == 401:
            raise Denied(
                f"{where}: the server refused user {self.username!r} and its password (HTTP 401)",
                known=False,
                number="DBF-2001",
            )
        if status == 403:
            raise Denied(f"{where}: user {self.username!r} may not do this (HTTP 403)")
        if status == 503:  # of the server itself without a quorum, or of a gateway
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
    """What was heard at several URLs, in one sentence for all where it is the same."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for url, message in messages.items():
        call, _at, cause = message.partition(f" at {url}: ")
        alike.setdefault((call, cause.replace(url, "")), []).append(url)
    told = {urls[-1]: urls for urls in alike.values()}
    return "; ".join(
        messages[last].replace(f" at {last}: ", f" at {' '.join(urls)}: ", 1) for last, urls in told.items()
    )

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to a ConfD cluster's master (CONFD-9, CONFD-10, CONFD-13).

Any node answers, and all but the master redirect calls to the master. Credentials are sent only to nodes that `api_url`
or the cluster itself names.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Optional, TypeVar
from urllib.parse import urlsplit

from ..._convergence.workers import gather
from ..._errors import AnswerLost, ClusterError, Denied, Fault, Garbled, NotSent, Unreachable, Untrusted
from ..._http import client
from ..._http.client import Call, Http, Reply, Request, plain_host
from ..._session import facts_of
from ..._wording import joined
from .codec import Codec, Said, Unreadable, Unspeakable, Xml
from .node_addresses import MOVED, address_of, host_of, port_of, redirect_of, url_at, urls_at

T = TypeVar("T")

REDIRECTS = (301, 302, 303, 307, 308)
"""The documents show 302 (CONFD-13). The others mean the same to a client that keeps method and body."""

FLEETING = 4
"""How often the run asks a master whose answers are cut off or can't be read: there is no other master to ask."""

NO_SUCH_PATH = (404, 405)

HOPS = 4
"""How many redirects of a call are followed before it counts as going round in circles."""

CONNECT = 5.0
"""Seconds for a connection to a node in the search. An address of an inner network never answers."""

SEARCH = 0.5
"""Share of the usual time-out that an answer in the search may take."""

ELSEWHERE = 30.0
"""Seconds between two searches at addresses that the cluster has named: a search takes a while if all are off."""

SEEKING = "ConfD does nothing without a master: check that a majority of the nodes are online and reach each other"


def is_own(status: int, _body: bytes) -> bool:
    """Whether the session handles this HTTP status itself instead of treating it as a failure."""
    return status in REDIRECTS or status in NO_SUCH_PATH


class _NotCarriedOut(Exception):
    """A node redirected the call, and the redirect can't be followed. No node has carried the call out."""

    def __init__(self, error: ClusterError) -> None:
        super().__init__(error.message)
        self.error = error


def _elsewhere(message: str, hint: Optional[str] = None) -> _NotCarriedOut:
    return _NotCarriedOut(Garbled(message, hint=hint, number="DBF-1005"))


class Session:
    """Calls of one ConfD cluster.

    Every method may raise `ClusterError`: `Unreachable`, `Untrusted` and `Garbled` if a read got no usable answer,
    `Denied` and `Fault` if the server refused, and `AnswerLost` for changing calls.

    :param http: its URLs are the `candidates()` of api_url, its `is_own` is `is_own` of this file.
    :ivar met: whether a ConfD has answered.
    :ivar wary: set if the credentials were refused already: the search for the master then sends none.
    :raises ClusterError: a URL isn't https.
    """

    def __init__(self, http: Http, codec: Optional[Codec] = None) -> None:
        self.name = http.cluster
        plain = [url for url in http.urls if not url.startswith("https://")]
        if plain:
            says = "is not https, but ConfD accepts only https"
            raise ClusterError(f"{self.name}: api_url {plain[0]} {says}", number="DBF-7002")
        self._http = http
        self._codec = codec or Xml()
        self._told: dict[str, Any] = facts_of(http).setdefault("confd", {"hosts": [], "port": None})
        self._nodes = {*map(host_of, http.urls), *self._told["hosts"]}
        self._master: Optional[str] = None
        self._path: Optional[str] = None
        self._port: Optional[int] = self._told["port"]
        self._spoke: Optional[str] = None
        self.met = False
        self.wary = False
        self._watched: list[str] = []
        self._searched = float("-inf")
        self._seeking = threading.RLock()

    @property
    def api_calls(self) -> int:
        return self._http.calls

    @property
    def url(self) -> str:
        """The master's URL, or the first URL while the master isn't known."""
        return self._master or self._http.urls[0]

    @property
    def urls(self) -> list[str]:
        return self._http.urls

    @property
    def timeout(self) -> float:
        """Seconds that one answer may take."""
        return self._http.timeout

    def answers(self) -> str:
        """The sign of life at api_url or at a watched URL; empty if all are silent.

        There is no gateway before ConfD: HTTP 503 comes from a node without a master or a quorum.
        """
        return next(iter(self._signs([*self.urls, *self._watched]).values()), "")

    def heard(self) -> list[str]:
        """The URLs of api_url that give any sign of life."""
        return list(self._signs(self.urls))

    def _signs(self, urls: list[str]) -> dict[str, str]:
        signs = gather(urls, lambda url: self._http.sign_of_life(url, "/is_master"))
        return {url: sign for url, sign in signs.items() if sign}

    def watch(self, urls: Iterable[str]) -> None:
        """Adds URLs of nodes that must be silent too before the cluster counts as off."""
        self._watched = [url for url in urls if url not in self.urls]

    def trust(self, hosts: Iterable[str]) -> None:
        """Trusts nodes that the cluster named: follows redirects to them, and asks them if api_url is silent."""
        found = [plain_host(str(host)) for host in hosts if host]
        self._nodes.update(found)
        self._told["hosts"] += [host for host in found if host not in self._told["hosts"]]

    # -- calls

    def read(self, method: str, *args: Any, of: str = "", patience: float = 1.0, says: str = "") -> Any:
        """A call that changes nothing. If the master is lost, the session looks for it and asks again.

        :param of: the object, as messages name it.
        :param patience: see `Call`.
        :param says: the name of the call in messages, if it isn't the method.
        """
        call = Call(says or method, of, patience=patience)
        body = self._coded(call, method, args)
        return self._asked(lambda url: self._value(*self._sent(url, call, body), call))

    def _asked(self, ask: Callable[[str], T]) -> T:
        """The answer of a master to a question that changes nothing."""
        lost = ClusterError("")
        for attempt in range(FLEETING):
            if attempt >= client.READ_ROUNDS and not lost.fleeting:
                break
            if attempt:
                time.sleep(client.PAUSE)
            try:
                url = self.master()
            except ClusterError:
                if isinstance(lost, Garbled):
                    break
                raise
            try:
                return ask(url)
            except (Unreachable, Untrusted, Garbled) as error:
                lost = error
            except _NotCarriedOut as found:
                lost = found.error
            self._forget(url)
        if "HTTP 503" in lost.message:  # from ConfD itself, because there is no proxy before it
            lost.hint = lost.hint or SEEKING
        raise lost

    def change(self, method: str, *args: Any, of: str = "", patience: float = 1.0, says: str = "") -> Any:
        """A call that changes something. It is carried out once at most: a node that redirects it has not done it.

        :param of: this and the others as in `read`.
        """
        call = Call(says or method, of, changing=True, patience=patience)
        body = self._coded(call, method, args)
        lost = ClusterError("")
        for attempt in range(client.READ_ROUNDS):
            if attempt:
                time.sleep(client.PAUSE)
            try:
                url = self._ready()
            except ClusterError as error:
                if isinstance(lost, NotSent):
                    break
                error.message += f"; {call} was not sent"
                error.unsent = True
                raise
            try:
                return self._value(*self._sent(url, call, body), call)
            except _NotCarriedOut as found:
                lost = found.error
            except NotSent as error:  # another node may be the master by now
                lost = error
            except Garbled as error:  # nothing answers at our paths: any other answer counts as lost
                lost = error
            except (AnswerLost, Untrusted):
                self._forget(url)
                raise
            self._forget(url)
        lost.message += "" if isinstance(lost, NotSent) else "; nothing was carried out"
        lost.unsent = True
        raise lost

    def change_without_master(self, method: str, *args: Any, of: str = "", says: str = "") -> Any:
        """A call that does no harm if it is carried out twice, for a cluster that may have no master.

        Asks the master first, if a node names one, and then each node that gives a sign of life, until one accepts.

        :param of: this and the others as in `read`.
        """
        call = Call(says or method, of, changing=True)
        body = self._coded(call, method, args)
        named = []
        with suppress(ClusterError):
            named = [self.master()]
        lost: ClusterError = Unreachable(f"{self.name}: {call}: no node answers")
        for url in dict.fromkeys([*named, *self.heard()]):
            try:
                return self._value(*self._sent(url, call, body), call)
            except _NotCarriedOut as found:
                lost = found.error
            except (AnswerLost, Garbled, Untrusted) as error:
                lost = error
            self._forget(url)
        raise lost

    def _ready(self) -> str:
        """The URL of a master that has answered at a known path, because a changing call must not try out paths."""
        if self._spoke is None or self._spoke != self.master():
            with suppress(Fault):
                self.read("system.listMethods")
        return self.master()

    def refuse_unspeakable(self, says: str, given: Any) -> None:
        """:raises ClusterError: the format of calls can't write `given`; the message names `says`."""
        self._coded(Call(says), "", (given,))

    def _coded(self, call: Call, method: str, args: tuple[Any, ...]) -> bytes:
        try:
            return self._codec.dumps(method, args)
        except Unspeakable as error:
            raise ClusterError(f"{self.name}: {call} can't be sent: {error}") from None

    def _sent(self, url: str, call: Call, body: bytes) -> tuple[Reply, str]:
        """The answer of the node that doesn't redirect the call, and that node.

        :raises _NotCarriedOut: every node redirects it.
        """
        for _hop in range(HOPS):
            reply = self._sent_to(url, call, body)
            if reply.status not in REDIRECTS:
                self._master = self._spoke = url
                return reply, url
            following = self._target(url, call, reply)
            if following != self._master:
                self._proven(following, call)
            url = following
        raise _NotCarriedOut(
            Unreachable(
                f"{self.name}: {call} at {url}: each node redirects it to another node", hint=SEEKING, number="DBF-1003"
            )
        )

    def _sent_to(self, url: str, call: Call, body: bytes) -> Reply:
        paths = (self._path,) if self._path else self._codec.paths
        for path in paths:
            reply = self._http.ask(url, call, Request(path, body, content_type=self._codec.content_type))
            if reply.status not in NO_SUCH_PATH:
                if reply.status not in REDIRECTS:
                    self._path = path
                return reply
        self._path = None
        where = f"{self.name}: {call} at {url}: nothing answers to {self._codec.name} at {' or '.join(paths)}"
        raise Garbled(f"{where} (HTTP {reply.status})")

    def _target(self, url: str, call: Call, reply: Reply) -> str:
        """The target of a redirect, as a URL without the path, because the path stays ours.

        :raises _NotCarriedOut: the target isn't a node that may get the credentials.
        """
        where = f"{self.name}: {call} at {url}"
        found = redirect_of(reply)
        if not found:
            raise _elsewhere(f"{where}: the node redirects, but names no target (HTTP {reply.status})")
        scheme = urlsplit(reply.location).scheme
        if scheme not in ("https", ""):
            raise _elsewhere(f"{where}: the node redirects to {scheme}, but ConfD accepts only https")
        host = host_of(found)
        if host not in self._nodes:
            with suppress(ClusterError):
                self._named_by(url)  # the master may have moved since
        if host not in self._nodes:
            stranger = "which neither api_url nor the cluster names, so nothing was sent there"
            hint = f"if {host} is a node of the cluster, add it to api_url"
            raise _elsewhere(f"{where}: the node redirects to {host}, {stranger}", hint=hint)
        return found

    def _proven(self, url: str, call: Call) -> None:
        """Makes sure that a node is there before the call is sent. Otherwise its answer would seem to be lost.

        :raises _NotCarriedOut: no node is there.
        """
        try:
            self._look(url)
        except ClusterError as error:
            error.message = f"{self.name}: {call} was redirected to {url}: {error.message[len(self.name) + 2 :]}"
            raise _NotCarriedOut(error) from None

    def _value(self, reply: Reply, url: str, call: Call) -> Any:
        where = f"{self.name}: {call} at {url}"
        try:
            return self._codec.loads(reply.body)
        except Said as fault:
            raise Fault(f"{where}: the server refused: {fault.text}", text=fault.text) from None
        except Unreadable as error:
            if call.changing:
                raise AnswerLost(
                    f"{where}: {error}; the server may have carried it out", failed_object=call.target or None
                ) from None
            raise Garbled(f"{where}: {error}") from None

    # -- the master

    def master(self) -> str:
        """The URL of the master. Looks for it if it isn't known.

        :raises Unreachable, Untrusted, Garbled, Denied: no master is found.
        """
        with self._seeking:
            if self._master is None:
                self._master = self._found()
            return self._master

    def master_name(self) -> str:
        """The host name of the master, as the cluster names it."""

        def ask(url: str) -> str:
            found, _port_too = address_of(self._http.ask(url, Call("GET /master"), _get("/master?info_type=name")))
            if not found:
                raise Garbled(f"{self.name}: GET /master at {url}: the answer is not a node name")
            return found

        return self._asked(ask)

    def _forget(self, url: str) -> None:
        """Forgets the master, unless another thread has found a new one since."""
        with self._seeking:
            if self._master == url:
                self._master = self._spoke = None

    def _found(self) -> str:
        for _again in range(client.READ_ROUNDS - 1):
            try:
                return self._found_at_once()
            except ClusterError as error:
                if not error.fleeting:
                    raise
            time.sleep(client.PAUSE)
        return self._found_at_once()

    def _found_at_once(self) -> str:
        failures: list[ClusterError] = []
        urls = sorted(self._http.urls, key=lambda url: port_of(url) != self._port)
        is_due = time.monotonic() - self._searched > ELSEWHERE
        others = urls_at(self._told["hosts"], self._port, self._http.urls) if is_due else []
        while urls or others:
            if not urls:
                if not all(isinstance(error, Unreachable) for error in failures):
                    break
                self._searched = time.monotonic()
                urls, others = [url for url, there in gather(others, self.is_node).items() if there], []
                continue
            url = urls.pop(0)
            try:
                named = self._named_by(url)
            except ClusterError as error:
                failures.append(error)
                continue
            found = self._reached(url, named, [other for other in self._http.urls if other != url])
            self._port = self._told["port"] = port_of(found)
            return found
        failures = failures[: len(self._http.urls)] or failures  # the user doesn't know URLs outside of api_url
        kinds = (Denied, Untrusted, Unreachable, ClusterError)
        worst = next(error for kind in kinds for error in failures if isinstance(error, kind))
        worst.message = "; ".join(dict.fromkeys(error.message for error in failures))
        worst.fleeting = any(error.fleeting for error in failures)
        worst.hint = worst.hint or joined(error.hint for error in failures)
        if all(isinstance(error, Unreachable) and error.silent for error in failures):
            worst.hint = worst.hint or MOVED
        raise worst

    def _named_by(self, url: str) -> str:
        """The URL of the node that `url` names as the master. It is trusted from now on."""
        found, port = self._named(url)
        self.trust([found])
        return url_at(found, port or port_of(url))

    def _named(self, url: str) -> tuple[str, Optional[int]]:
        """The master's address, and its port if the node names it."""
        call = Call("GET /master", patience=SEARCH)
        try:
            reply = self._http.ask(url, call, _get("/master"), CONNECT)
        except Denied:  # the documents show it without credentials (CONFD-9), so the first try sends none
            if self.wary or url not in self._http.urls:
                raise
            reply = self._http.ask(url, call, Request("/master", verb="GET"), CONNECT)
        found, port = address_of(reply)
        if reply.status in REDIRECTS:  # a web page may redirect too, so only a known node is believed
            found = host_of(redirect_of(reply))
            found = found if found in self._nodes else ""
        # Any page may be a single word. A name has a dot, or is that of a node.
        if not found or not re.search(r"[.:]|^n\d+$", found) and found not in self._nodes:
            says = "no ConfD answered (the answer names no node)"
            raise Garbled(f"{self.name}: {call} at {url}: {says}", number="DBF-1005")
        self.met = True
        return found, port

    def _reached(self, url: str, named: str, others: list[str]) -> str:
        """The URL at which the master answers. The address that a node named may belong to an inner network."""
        own = next(
            (given for given in [named, url, *others] if given in self.urls and host_of(given) == host_of(named)), None
        )
        if own:
            return own
        if self._is_master(url) and self._takes_calls(url):
            return url
        try:
            self._look(named)
            return named
        except ClusterError as error:
            cause = error
        nodes = [other for other in others if self.is_node(other)]  # not another service at one of the ports
        nodes.sort(key=lambda other: not self._is_master(other))
        found = next((other for other in [*nodes, url] if self._takes_calls(other)), None)
        if found:
            return found
        cause.message += f" ({url} names it as the master, and no URL in api_url leads to the master)"
        cause.hint = cause.hint or SEEKING
        raise cause

    def _look(self, url: str) -> None:
        """Makes sure that a node of this cluster answers. Here, an inner address may belong to another machine."""
        if self._named(url)[0] not in self._nodes:
            raise Garbled(
                f"{self.name}: GET /master at {url}: it names a node unknown to this cluster",
                number="DBF-1003",
            )

    def is_node(self, url: str) -> bool:
        """Whether a node of this cluster answers and knows a master."""
        try:
            self._look(url)
        except ClusterError:
            return False
        return True

    def _is_master(self, url: str) -> bool:
        """Whether a node says that it is the master. The answer may mean only that it is up (CONFD-10)."""
        try:
            reply = self._http.ask(url, Call("GET /is_master", patience=SEARCH), _get("/is_master"), CONNECT)
        except ClusterError:
            return False
        # It is a guess that another node answers with another status (CONFD-11). The body may differ too (CONFD-12).
        return reply.status == 200 and reply.body.strip().lower() not in (b"false", b"no", b"0")

    def _takes_calls(self, url: str) -> bool:
        """Whether a node carries out calls instead of redirecting them.

        :raises Denied: it refuses the password, which is then not tried at another node.
        """
        try:
            reply = self._sent_to(url, Call("system.listMethods"), self._codec.dumps("system.listMethods", ()))
            self._codec.loads(reply.body)
        except Said:
            return True
        except Denied:
            raise
        except (ClusterError, Unreadable):
            return False
        return reply.status == 200


def _get(path: str) -> Request:
    return Request(path, verb="GET", anonymous=True)

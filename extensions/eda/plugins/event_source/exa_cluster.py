# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source of ansible-rulebook: what is wrong in an Exasol cluster, as ConfD or EXAoperation tell it."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
import xmlrpc.client
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

DOCUMENTATION = r"""
---
short_description: Report the faults of an Exasol cluster
description:
  - Polls ConfD or EXAoperation. For each fault, it sends an event when the fault begins, repeated events while it
    lasts, and an event when it is over.
  - It never ends by itself. An API that doesn't answer also causes an event.
  - An event has C(dbfleet) with C(cluster), C(object), C(kind), C(change) (C(new), C(lasts), C(over)), C(text),
    C(since), C(seconds) and C(source); C(meta.hosts) is the cluster.
  - Only with ConfD there are events for nodes, because EXAoperation needs a separate call per node.
options:
  cluster:
    description: The inventory host of the cluster.
    type: str
    required: true
  provider:
    description: The server at O(api_url).
    type: str
    choices: [confd, exaoperation]
    required: true
  api_url:
    description: URLs of nodes, with the port if it isn't 443. The first that answers is used, with ConfD the master.
    type: list
    elements: str
    required: true
  api_username:
    description: The user. It needs only the right to read.
    type: str
    required: true
  api_password:
    description: Its password.
    type: str
  databases:
    description: Databases that should be up. The default is those that were up at an earlier poll of this source.
    type: list
    elements: str
  validate_certs:
    description: Whether the certificate of the server is checked.
    type: bool
    default: true
  ca_path:
    description: A file of CA certificates, if those of the system aren't enough.
    type: str
  client_cert:
    description: A file with a client certificate, and its key unless O(client_key) has the key.
    type: str
  client_key:
    description: A file with the key of the client certificate.
    type: str
  delay:
    description: Seconds between two polls.
    type: float
    default: 30
  after:
    description: Seconds that a fault must last before an event. A restart passes through such states.
    type: float
    default: 60
  repeat:
    description: Seconds between events while a fault lasts.
    type: float
    default: 900
  request_timeout:
    description: Most seconds per answer.
    type: float
    default: 30
"""

EXAMPLES = r"""
- dbfleet.cluster.exa_cluster:
    cluster: exa-prod
    provider: confd
    api_url: [https://n0011.example.com:20003, https://n0012.example.com:20003]
    api_username: watcher
    api_password: "{{ exa_api_password }}"
    ca_path: /etc/dbfleet/exasol-ca.pem
"""

logger = logging.getLogger(__name__)

ARGUMENTS = (
    *("cluster", "api_url", "api_username", "api_password", "validate_certs", "ca_path", "client_cert", "client_key"),
    *("delay", "after", "repeat", "request_timeout"),
)
OF_ANSIBLE_RULEBOOK = ("feedback_queue", "eda_feedback_queue")
"""What ansible-rulebook may add."""

SECONDS = {"delay": 30.0, "after": 60.0, "repeat": 900.0, "request_timeout": 30.0}

UNREACHABLE, DENIED, MISCONFIGURED = UNREADABLE = ("unreachable", "denied", "misconfigured")
"""Kinds of events that tell that nothing could be read."""

KINDS = ("database_down", "node_offline", "service_down")
"""Kinds of events that tell what is wrong."""

CONFD, EXAOPERATION = PROVIDERS = ("confd", "exaoperation")

REDIRECTS = (301, 302, 303, 307, 308)
HOPS = 4

WELL = ("online", "suspended", "deactivated")
"""What ConfD says of a node that is on, or off for good."""


# -- the same text in both sources: an event source can import nothing of the collection, and a test compares them


class Trouble(Exception):
    """Why nothing could be read.

    :param kind: of the event.
    :param text: a sentence.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = kind, text


class Troubles:
    """What is wrong, since when, and who was told.

    :param clock: seconds that only go forward.
    """

    def __init__(
        self, source: str, cluster: str, after: float, repeat: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source, self._cluster, self._after, self._repeat, self._clock = source, cluster, after, repeat, clock
        self._known: dict[tuple[str, str], dict[str, Any]] = {}

    def events(self, found: dict[tuple[str, str], str], is_complete: bool = True) -> list[dict[str, Any]]:
        """What is to be told now.

        :param found: what is wrong now: a sentence per kind and object.
        :param is_complete: whether all could be read. Else nobody knows whether what was wrong before is over.
        """
        now, told = self._clock(), []
        for key in [key for key in self._known if key not in found and (is_complete or key[0] in UNREADABLE)]:
            row = self._known.pop(key)
            if row["told"] is not None:
                told.append(self._event(key, "over", {**row, "text": f"over: {row['text']}"}))
        for key, text in found.items():
            row = self._known.setdefault(key, {"began": now, "told": None, "since": _stamp()})
            row["text"] = text
            is_new = row["told"] is None
            if now - row["began"] < (self._after if key[0] != MISCONFIGURED else 0):
                continue
            if is_new or now - row["told"] >= self._repeat:
                row["told"] = now
                told.append(self._event(key, "new" if is_new else "lasts", row))
        return told

    def _event(self, key: tuple[str, str], change: str, row: dict[str, Any]) -> dict[str, Any]:
        about = {"source": self._source, "cluster": self._cluster, "kind": key[0], "object": key[1], "change": change}
        more = {"text": row["text"], "since": row["since"], "seconds": round(self._clock() - row["began"], 1)}
        return {"dbfleet": {**about, **more}, "meta": {"hosts": self._cluster}}


def _stamp() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Options:
    """The arguments of the source, in their types.

    :raises Trouble: one is missing, unknown or unfit.
    """

    def __init__(self, args: dict[str, Any], more: tuple[str, ...] = ()) -> None:
        self.cluster = str(args.get("cluster") or "unknown")
        unknown = sorted(set(args) - {*ARGUMENTS, *more, *OF_ANSIBLE_RULEBOOK})
        if unknown:
            raise self._wrong(f"there is no argument {unknown[0]}")
        self.urls = _urls(args.get("api_url"), self._wrong)
        if not args.get("cluster"):
            raise self._wrong("cluster is missing: the inventory host that a rulebook recovers")
        self.username, self.password = (str(args.get(name) or "") for name in ("api_username", "api_password"))
        self.ca_path, self.client_cert, self.client_key = (
            str(args.get(name) or "") for name in ("ca_path", "client_cert", "client_key")
        )
        self.validate_certs = self._boolean("validate_certs", args.get("validate_certs", True))
        self.delay, self.after, self.repeat, self.request_timeout = (
            self._seconds(name, args.get(name), default) for name, default in SECONDS.items()
        )
        if not self.username and not self.client_cert:
            raise self._wrong("api_username is missing")

    def _wrong(self, text: str) -> Trouble:
        return Trouble(MISCONFIGURED, f"{self.cluster}: {text}")

    def _boolean(self, name: str, value: Any) -> bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if str(value).lower() not in words:
            raise self._wrong(f"{name} is neither true nor false")
        return words[str(value).lower()]

    def _seconds(self, name: str, value: Any, default: float) -> float:
        try:
            found = default if value in (None, "") else float(value)
        except (TypeError, ValueError):
            found = -1.0
        if not 0 < found < float("inf") and not (name == "after" and found == 0):
            raise self._wrong(f"{name} is not a number of seconds above 0")
        return found

    def tls(self) -> Any:
        """What aiohttp takes as C(ssl): read anew for each look, for certificates are renewed."""
        try:
            context = ssl.create_default_context(cafile=self.ca_path or None)
        except (OSError, ssl.SSLError):
            raise self._wrong(f"ca_path {self.ca_path} can't be read as a file of certificates") from None
        # Python 3.13 sets it by default, and refuses CAs without keyUsage, as NuoDB's own tools make them.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if not self.validate_certs:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self.client_cert:
            try:
                context.load_cert_chain(self.client_cert, self.client_key or None)
            except (OSError, ssl.SSLError):
                raise self._wrong(f"client_cert {self.client_cert} can't be read with its key") from None
        return context

    def session(self) -> aiohttp.ClientSession:
        said = b64encode(f"{self.username}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {said}"} if self.username else {}
        limit = aiohttp.ClientTimeout(total=self.request_timeout)
        return aiohttp.ClientSession(headers=headers, timeout=limit, connector=aiohttp.TCPConnector(ssl=self.tls()))


def _urls(given: Any, wrong: Callable[[str], Trouble]) -> list[str]:
    listed = given if isinstance(given, list) else str(given or "").replace(",", " ").split()
    urls = [str(one).strip().rstrip("/") for one in listed]
    if not urls:
        raise wrong("api_url is missing")
    for url in urls:
        try:
            parts = urlsplit(url)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            fits = False
        if not fits:
            raise wrong("api_url has something that is no URL such as https://host:port")
        if "@" in parts.netloc:  # such a URL would be shown
            raise wrong("api_url contains a user or a password: give them by api_username and api_password")
    return urls


def why_not(error: Exception, seconds: float) -> str:
    """Why a URL gave no answer, without the words of a library."""
    if isinstance(error, asyncio.TimeoutError):
        return f"no answer within {seconds:g} s"
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError)):
        return "no TLS connection comes to stand: is the certificate of a CA in ca_path, and made for this name?"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "no connection comes to stand"
    if isinstance(error, (aiohttp.ClientError, OSError)):
        return "the connection broke off"
    return "the answer has an unknown form"


async def watch(queue: Any, args: dict[str, Any], source: str, looker: Callable[[dict[str, Any]], Any]) -> None:
    """Looks again and again, and tells. It never returns and never raises: that would end ansible-rulebook.

    :param looker: makes what looks: its `options`, and its `look()`.
    """
    cluster, delay = str(args.get("cluster") or "unknown"), SECONDS["delay"]
    troubles, look = Troubles(source, cluster, SECONDS["after"], SECONDS["repeat"]), None
    try:
        maker = looker(args)
        look, delay = maker.look, maker.options.delay
        troubles = Troubles(source, cluster, maker.options.after, maker.options.repeat)
        wrong = None
    except Trouble as error:
        wrong = error
    except Exception:  # what nobody thought of must not end all rulesets either
        wrong = Trouble(MISCONFIGURED, f"{cluster}: the arguments of the source can't be understood")
    while True:
        try:
            if wrong or look is None:
                raise wrong or Trouble(MISCONFIGURED, f"{cluster}: the source has no arguments")
            events = troubles.events(await look())
        except Trouble as error:
            text = error.text if error.text.startswith(f"{cluster}: ") else f"{cluster}: {error.text}"
            events = troubles.events({(error.kind, cluster): text}, is_complete=False)
        except Exception:
            text = f"{cluster}: an answer has an unknown form"
            events = troubles.events({(UNREACHABLE, cluster): text}, is_complete=False)
        for event in events:
            logger.info("%s %s", event["dbfleet"]["change"], event["dbfleet"]["text"])
            await queue.put(event)
        await asyncio.sleep(delay)


# -- the end of the same text


class Server:
    """XML-RPC at any of the URLs, of which one is used for a whole look."""

    def __init__(self, options: Options, session: aiohttp.ClientSession, paths: tuple[str, ...]) -> None:
        self._options, self._session, self._paths = options, session, paths
        self._url = ""
        self._hosts = {urlsplit(url).hostname for url in options.urls}

    async def call(self, method: str, *args: Any, under: str = "") -> Any:
        """What a method answers.

        :param under: the object whose method it is, below the path.
        :raises Trouble: no URL gives an answer.
        """
        body = xmlrpc.client.dumps(args, method, allow_none=True).encode()
        said, kind = [], UNREACHABLE
        for url in [self._url] if self._url else self._options.urls:
            try:
                found = await self._asked(url, body, under)
            except Trouble as error:
                kind = error.kind if error.kind != UNREACHABLE else kind
                said.append(error.text)
            except xmlrpc.client.Fault:
                raise Trouble(UNREACHABLE, f"{url}: the server refuses {method}") from None
            except Exception as error:
                said.append(f"{url}: {why_not(error, self._options.request_timeout)}")
            else:
                return found
        raise Trouble(kind, "; ".join(said))

    async def _asked(self, url: str, body: bytes, under: str) -> Any:
        for _hop in range(HOPS):
            for path in self._paths:
                async with self._session.post(
                    f"{url}{path}{under}", data=body, headers={"Content-Type": "text/xml"}, allow_redirects=False
                ) as answer:
                    text, status = await answer.read(), answer.status
                    location = urlsplit(answer.headers.get("Location", ""))
                if status not in (404, 405):
                    break
            if status in REDIRECTS:
                url = self._following(url, location)
                continue
            if status in (401, 403):
                raise Trouble(DENIED, f"{url}: the user may not read the cluster (HTTP {status})")
            if status != 200:
                raise Trouble(UNREACHABLE, f"{url}: it can't answer now (HTTP {status})")
            (value,), _method = xmlrpc.client.loads(text, use_builtin_types=True)
            self._url = url
            return value
        raise Trouble(UNREACHABLE, f"{url}: each node sends the call on to another")

    def _following(self, url: str, location: Any) -> str:
        """:raises Trouble: it is a node that may not get the password."""
        if location.scheme != "https" or location.hostname not in self._hosts:
            raise Trouble(UNREACHABLE, f"{url}: the node sends the call on to one that api_url doesn't name")
        return f"https://{location.netloc.rpartition('@')[2]}"


class Cluster:
    """A cluster, and which of its databases were up."""

    def __init__(self, args: dict[str, Any]) -> None:
        self.options = Options(args, more=("provider", "databases"))
        self._provider = str(args.get("provider") or "")
        if self._provider not in PROVIDERS:
            raise Trouble(MISCONFIGURED, f"{self._of}: provider is neither confd nor exaoperation")
        if self._provider == CONFD and not all(url.startswith("https://") for url in self.options.urls):
            raise Trouble(MISCONFIGURED, f"{self._of}: ConfD speaks https alone")
        given = args.get("databases") or []
        named = given if isinstance(given, list) else str(given).replace(",", " ").split()
        self._wanted = {str(name) for name in named}
        self._named = bool(self._wanted)

    @property
    def _of(self) -> str:
        return self.options.cluster

    async def look(self) -> dict[tuple[str, str], str]:
        """What is wrong: a sentence per kind and object.

        :raises Trouble: nothing can be read.
        """
        async with self.options.session() as session:
            if self._provider == CONFD:
                return await self._confd(Server(self.options, session, ("/", "/rpc2", "/RPC2")))
            return await self._exaoperation(Server(self.options, session, ("/cluster1",)))

    async def _confd(self, server: Server) -> dict[tuple[str, str], str]:
        async def job(name: str, **params: str) -> Any:
            answer = await server.call("job_exec", name, *([{"params": params}] if params else []))
            if answer["result_code"] != 0:
                raise Trouble(UNREACHABLE, f"the job {name} fails")
            return answer["result_output"]

        rows, words = await job("node_list"), await job("node_state")
        names = {str(number): str(row.get("name") or f"n{number}") for number, row in rows.items()}
        states = {names[key]: str(words.get(key, "offline")).lower() for key in names}
        found = {
            ("node_offline", name): f"{self._of}: node {name} is {state}"
            for name, state in states.items()
            if state not in WELL
        }
        for name in await job("db_list"):
            info = await job("db_info", db_name=name)
            found.update(self._database(str(name), str(info["state"]), str(info.get("connectible", "No"))))
        return found

    async def _exaoperation(self, server: Server) -> dict[tuple[str, str], str]:
        found = {
            ("service_down", str(pair[0])): f"{self._of}: service {pair[0]} is {pair[1]!s}"
            for pair in await server.call("getServiceState")
            if str(pair[1]) != "OK"
        }
        for name in await server.call("getDatabaseList"):
            under = f"/db_{quote(str(name), safe='')}"
            state = str(await server.call("getDatabaseState", under=under))
            runs = state.lower() == "running"
            connects = await server.call("getDatabaseConnectionState", under=under) if runs else "No"
            found.update(self._database(str(name), state, str(connects)))
        return found

    def _database(self, name: str, state: str, connectible: str) -> dict[tuple[str, str], str]:
        if connectible.lower() == "yes":
            if not self._named:
                self._wanted.add(name)
            return {}
        says = f"{self._of}: database {name} accepts no connections ({state})"
        return {("database_down", name): says} if name in self._wanted else {}


async def main(queue: Any, args: dict[str, Any]) -> None:
    """What ansible-rulebook calls."""
    await watch(queue, args, "exa_cluster", Cluster)

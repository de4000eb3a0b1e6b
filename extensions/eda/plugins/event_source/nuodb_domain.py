# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source of ansible-rulebook: what is wrong in a NuoDB domain.

It tells what it sees, and decides nothing: whether something is to be brought back is up to nuodb_recover.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

DOCUMENTATION = r"""
---
short_description: Report the faults of a NuoDB domain
description:
  - Polls the Admin REST API of a domain. For each fault, it sends an event when the fault begins, repeated events while
    it lasts, and an event when it is over.
  - It never ends by itself. An API that doesn't answer also causes an event.
  - An event has C(dbfleet) with C(cluster), C(object), C(kind), C(change) (C(new), C(lasts), C(over)), C(text),
    C(since), C(seconds) and C(source); C(meta.hosts) is the cluster.
options:
  cluster:
    description: The inventory host of the domain.
    type: str
    required: true
  api_url:
    description: URLs of admin processes. The first that is connected to a majority is used.
    type: list
    elements: str
    required: true
  api_username:
    description: The user of the Admin REST API. It needs only the right to read.
    type: str
  api_password:
    description: Its password.
    type: str
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
    default: 10
  after:
    description: Seconds that a fault must last before an event. Each start passes through such states.
    type: float
    default: 30
  repeat:
    description: Seconds between events while a fault lasts, so that a failed recovery is started again.
    type: float
    default: 300
  request_timeout:
    description: Most seconds per answer.
    type: float
    default: 10
"""

EXAMPLES = r"""
- dbfleet.cluster.nuodb_domain:
    cluster: nuo-prod
    api_url: [https://server0.example.com:8888, https://server1.example.com:8888]
    api_username: watcher
    api_password: "{{ nuodb_api_password }}"
    ca_path: /etc/nuodb/keys/ca.cert
"""

logger = logging.getLogger(__name__)

ARGUMENTS = (
    *("cluster", "api_url", "api_username", "api_password", "validate_certs", "ca_path", "client_cert", "client_key"),
    *("delay", "after", "repeat", "request_timeout"),
)
OF_ANSIBLE_RULEBOOK = ("feedback_queue", "eda_feedback_queue")
"""What ansible-rulebook may add."""

SECONDS = {"delay": 10.0, "after": 30.0, "repeat": 300.0, "request_timeout": 10.0}

UNREACHABLE, DENIED, MISCONFIGURED = UNREADABLE = ("unreachable", "denied", "misconfigured")
"""Kinds of events that tell that nothing could be read."""

KINDS = ("archive_down", "te_lost", "no_te", "half_started", "database_down", "server_down", "process_silent")
"""Kinds of events that tell what is wrong."""

UP = ("RUNNING", "AWAITING_ARCHIVE_HISTORIES_INC")
COMING = ("AWAITING_ARCHIVE_HISTORIES_MSG", "REQUESTED", "STARTED")
NOT_RUNNING = "NOT_RUNNING"
"""States of a database."""

UNHEARD = 20_000
"""Milliseconds without a message after which nuocmd calls a process unreachable."""

PAGE, PAGES = 100, 1000


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


class Domain:
    """A domain, and what of it must be remembered from look to look."""

    def __init__(self, args: dict[str, Any]) -> None:
        self.options = Options(args)
        self._tes: dict[str, set[str]] = {}
        self._died: set[str] = set()
        self._judged: dict[str, tuple[Any, str]] = {}
        self._session: Any = None
        self._url = self.options.urls[0]

    async def look(self) -> dict[tuple[str, str], str]:
        """What is wrong: a sentence per kind and object.

        :raises Trouble: nothing can be read.
        """
        async with self.options.session() as self._session:
            servers = await self._servers()
            found = {
                ("server_down", _name(row["id"])): f"{self._of}: server {_name(row['id'])} is {_words(row)}"
                for row in servers
                if not row.get("isEvicted") and _words(row) != "ACTIVE:Connected"
            }
            databases = await self._list("databases", orderBy="name")
            archives = await self._list("archives", orderBy="id", removed="False")
            processes = await self._list("processes", orderBy="startId")
            for process in processes:
                if process.get("durableState") == "MONITORED" and int(process.get("lastHeardFrom") or 0) > UNHEARD:
                    key = f"{process.get('dbName')}/{process['startId']}"
                    found["process_silent", key] = f"{self._of}: process {process['startId']} of {key} is not heard"
            for database in databases:
                name = _name(database["name"])
                mine = [[row for row in rows if row.get("dbName") == name] for rows in (archives, processes)]
                found.update(await self._database(name, database, *mine))
            return found

    @property
    def _of(self) -> str:
        return self.options.cluster

    async def _database(
        self, name: str, row: dict[str, Any], archives: list[dict[str, Any]], processes: list[dict[str, Any]]
    ) -> dict[tuple[str, str], str]:
        state = row.get("state")
        if state in UP:
            served = {str(process.get("archiveId")) for process in processes}
            idle = [str(archive["id"]) for archive in archives if str(archive["id"]) not in served]
            found = {
                ("archive_down", f"{name}/{archive}"): f"{self._of}: {name} runs, but archive {archive} has no SM"
                for archive in idle
            }
            tes = [process for process in processes if _type(process) == "TE"]
            return {**found, **await self._transactions(name, tes)}
        self._tes.pop(name, None)
        if state in COMING:
            return {("half_started", name): f"{self._of}: {name} is being started, and does not come up ({state})"}
        if state == NOT_RUNNING:
            why = await self._why_down(name, row.get("incarnation"))
            return {("database_down", name): f"{self._of}: {name} is down: {why}"} if why else {}
        return {}

    async def _transactions(self, name: str, tes: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
        """A domain doesn't remember TEs: those that ran at an earlier look, and were not asked to go, are missed."""
        leaving = {_name(te["startId"]) for te in tes if te.get("durableState") == "REQUESTED_SHUTDOWN"}
        there = {_name(te["startId"]) for te in tes} - leaving
        wanted = self._tes.setdefault(name, set())
        wanted -= leaving
        for start_id in sorted(wanted - there - self._died):
            if await self._went_on_request(start_id):
                wanted.discard(start_id)
            else:
                self._died.add(start_id)
        if len(there) >= len(wanted):
            wanted.clear()
            wanted |= there
            self._died -= there
        if not there:
            return {("no_te", name): f"{self._of}: {name} has no TE: nobody can use it"}
        if len(there) < len(wanted):
            return {("te_lost", name): f"{self._of}: {name} has {len(there)} of {len(wanted)} TEs"}
        return {}

    async def _went_on_request(self, start_id: str) -> bool:
        _status, stone = await self._get(self._url, f"processes/{quote(start_id, safe='')}", may_be_gone=True)
        return isinstance(stone, dict) and _is_graceful(stone)

    async def _why_down(self, name: str, incarnation: Any) -> str:
        """Why a database is down that nobody shut down; nothing where somebody did, or where it never ran.

        Asked once per incarnation: tombstones of years are many.
        """
        if name not in self._judged or self._judged[name][0] != incarnation:
            query = {"filterBy": "process.dbName", "process.dbName": re.escape(name), "orderBy": "process.startId"}
            stones = await self._list("processes/exited", **query)
            mine = [one for one in stones if one["process"].get("dbName") == name and _type(one["process"]) != "TE"]
            last = max(mine, key=_when, default=None)
            why = "" if last is None or _is_graceful(last) else "its last SM ended, and nobody had asked it to"
            self._judged[name] = (incarnation, why)
        return self._judged[name][1]

    # -- the Admin REST API

    async def _servers(self) -> list[dict[str, Any]]:
        """As an AP sees them that is in touch with a majority: one that is cut off tells what it knew before.

        :raises Trouble: there is none.
        """
        said, kind, limit = [], UNREACHABLE, self.options.request_timeout
        for url in self.options.urls:
            self._url = url
            try:
                servers = await self._list("peers", orderBy="id")
                if _has_quorum(servers):
                    return servers
                said.append(f"{url}: the AP is not in touch with a majority of the servers")
            except Trouble as error:
                kind = error.kind if error.kind != UNREACHABLE else kind
                said.append(error.text)
            except Exception as error:
                said.append(f"{url}: {why_not(error, limit)}")
        raise Trouble(kind, f"{self._of}: {'; '.join(said)}")

    async def _list(self, path: str, **query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for _page in range(PAGES):
            asked = urlencode({**query, "offset": len(rows), "limit": PAGE})
            page = (await self._get(self._url, f"{path}?{asked}"))[1]
            rows += page["data"]
            if not page.get("hasNext") or not page["data"]:
                break
        return rows

    async def _get(self, url: str, path: str, may_be_gone: bool = False) -> tuple[int, Any]:
        async with self._session.get(f"{url}/api/1/{path}", allow_redirects=False) as answer:
            body = await answer.read()
            if answer.status in (401, 403):
                raise Trouble(DENIED, f"{url}: the user may not read the domain (HTTP {answer.status})")
            if answer.status != 200 and not (may_be_gone and 400 <= answer.status < 500):
                raise Trouble(UNREACHABLE, f"{url}: it can't answer now (HTTP {answer.status})")
            return answer.status, json.loads(body)


def _name(value: Any) -> str:
    return str(value)


def _type(process: dict[str, Any]) -> str:
    return str(process.get("type") or (process.get("options") or {}).get("engine-type") or "")


def _words(server: dict[str, Any]) -> str:
    connected = str((server.get("connectedState") or {}).get("state") or "unknown")
    state = str((server.get("localRoleInfo") or {}).get("lifeCycle") or "unknown")
    return f"{state}:{connected}" if connected == "Connected" else connected


def _has_quorum(servers: list[dict[str, Any]]) -> bool:
    voters = [one for one in servers if not one.get("isEvicted") and not one.get("isPassive")]
    connected = [one for one in voters if (one.get("connectedState") or {}).get("state") == "Connected"]
    local = [one for one in servers if one.get("isLocal")]
    leads = bool(local) and bool((local[0].get("localRoleInfo") or {}).get("leaderServerId"))
    return leads and 2 * len(connected) > len(voters)


def _is_graceful(stone: dict[str, Any]) -> bool:
    process = stone.get("process") or {}
    return process.get("durableState") == "REQUESTED_SHUTDOWN" and stone.get("exitCode") == 0


def _when(stone: dict[str, Any]) -> tuple[int, int]:
    found = stone.get("databaseIncarnation") or {}
    return int(found.get("major") or 0), int(found.get("minor") or 0)


async def main(queue: Any, args: dict[str, Any]) -> None:
    """What ansible-rulebook calls."""
    await watch(queue, args, "nuodb_domain", Domain)

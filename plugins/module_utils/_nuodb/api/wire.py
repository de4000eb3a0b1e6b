# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls of the Admin REST API, the objects made of their answers, and lists read page by page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, Callable, Optional, TypeVar
from urllib.parse import quote, urlencode

from ..._errors import AnswerLost, ClusterError, Denied, Fault, Garbled, NoSuchObject, Unreachable
from ..._foreign import beginning, one_line
from ..._http.client import ELSEWHERE, Call, Http, Reply, Request
from ..._json import TooDeep, value_of
from ..._session import Readings
from .shared_lists import SharedLists

API = "/api/1/"

PAGE = 100
"""Objects per request: as many as nuocmd asks for if the server sends no `maxLimit` (NUODB-136, NUODB-135)."""

PAGES = 1000
"""The most pages of a list: a server that always has a next page must not keep the run for ever."""

NOT_COMMITTED = "Raft command was not applied"
"""The text of an AP, with HTTP 500, that could not commit at once: an election may be under way (NUODB-418)."""

T = TypeVar("T")


def is_own(status: int, body: bytes) -> bool:
    """Whether an answer comes from the AP itself: a success, or an error in one of the documented forms (NUODB-119)."""
    if 200 <= status < 300:
        return True
    if status < 400:
        return False
    found = json_of(body)
    return isinstance(found, dict) and "code" in found and ("messages" in found or "message" in found)


def json_of(body: bytes) -> Any:
    """The JSON of an answer as data; None if it is no JSON."""
    try:
        return value_of(body)
    except ValueError:
        return None


class Wire:
    """The calls of one NuoDB domain, through any of its APs.

    :param http: its URLs are those of the APs.
    :param readings: what the modules of a `shared_session` hand on to each other.
    """

    def __init__(self, http: Http, readings: Optional[Readings] = None) -> None:
        self._http = http
        self._shared = SharedLists(readings, lambda: http.url)

    @property
    def name(self) -> str:
        return self._http.cluster

    @property
    def api_calls(self) -> int:
        return self._http.calls

    @property
    def url(self) -> str:
        return self._http.url

    @property
    def urls(self) -> list[str]:
        return self._http.urls

    def _ask(
        self,
        verb: str,
        path: str,
        body: Any = None,
        of: str = "",
        changing: bool = False,
        seconds: Optional[float] = None,
        url: Optional[str] = None,
        **query: Any,
    ) -> Any:
        """Sends one call and returns its answer as data; None if the answer is empty.

        :param seconds: the longest time for the answer, if it is less than usual.
        :param url: the AP that must get the call; None for any AP.
        """
        call = call_of(verb, path, of, changing)

        def read(reply: Reply, url: str) -> Any:
            if reply.status >= 400:
                raise self._refusal(reply, call, url)
            return self._data(reply, call, url)

        try:
            return self._send(verb, path, body, of, changing, query, read, seconds, url)
        except Garbled as error:
            if changing:  # something answered, but nobody knows whether it was the AP
                raise AnswerLost(f"{error.message}; the server may have carried it out", failed_object=of or None)
            raise

    def _send(
        self,
        verb: str,
        path: str,
        body: Any,
        of: str,
        changing: bool,
        query: dict[str, Any],
        read: Callable[[Reply, str], T],
        seconds: Optional[float] = None,
        url: Optional[str] = None,
    ) -> T:
        given = {key: value for key, value in query.items() if value is not None}
        asked = urlencode(given, doseq=True, errors="surrogatepass")
        target = f"{API}{path}?{asked}" if given else f"{API}{path}"
        coded = None if body is None else json.dumps(body).encode()
        call, request = call_of(verb, path, of, changing), Request(target, coded, verb, "application/json")
        if seconds is not None:
            call = replace(call, patience=min(1.0, seconds / max(self._http.timeout, 0.001)))
        if url is not None:
            return read(self._http.ask(url, call, request), url)
        return read(self._http.send(call, request), self.url) if changing else self._http.fetch(call, request, read)

    def _data(self, reply: Reply, call: Call, url: str) -> Any:
        if not reply.body.strip():
            return None
        try:
            return value_of(reply.body)
        except TooDeep as error:
            raise Garbled(f"{self.name}: {call} at {url}: {error}") from None
        except ValueError:
            said = f"{self.name}: {call} at {url}: the answer is not JSON: {_beginning(reply.body)}"
            raise Garbled(said, hint=ELSEWHERE, number="DBF-1005") from None

    def _refusal(self, reply: Reply, call: Call, url: str) -> ClusterError:
        data = json_of(reply.body)
        messages = data.get("messages") or []
        text = ": ".join(str(part) for part in messages) if isinstance(messages, list) else str(messages)
        if not text:
            text = ": ".join(str(data[key]) for key in ("message", "details") if data.get(key))
        is_uncommitted = NOT_COMMITTED in text
        text, where = one_line(text), f"{self.name}: {call} at {url}"
        if reply.status == 500 and is_uncommitted and not call.changing:
            return Unreachable(f"{where}: {text} (HTTP {reply.status})", hung=True, number="DBF-1002")
        if reply.status == 401:  # of whoever isn't let in at all (NUODB-115)
            return self._http.unknown_user(where, text)
        if reply.status == 403:
            return Denied(f"{where}: {text or 'not allowed'} (HTTP {reply.status})")
        kind = NoSuchObject if reply.status == 404 else Fault
        return kind(
            f"{where}: {text or 'no reason given'} (HTTP {reply.status})", text, failed_object=call.target or None
        )

    def _list(
        self,
        path: str,
        order_by: str,
        make: Callable[[dict[str, Any]], T],
        filters: Optional[dict[str, Any]] = None,
        **more: Any,
    ) -> list[T]:
        """All pages of a list (NUODB-133, NUODB-134).

        :param filters: field -> the values that it may have.
        """
        wanted = {field: [str(value) for value in values] for field, values in (filters or {}).items() if values}
        query: dict[str, Any] = {**more, "orderBy": order_by or None}
        if wanted:
            query["filterBy"] = list(wanted)
            query.update({field: "|".join(re.escape(value) for value in values) for field, values in wanted.items()})
        # The filter is a regular expression, and whether the whole value must match is not known (NUODB-59).
        rows = self._shared.rows((path, *more.items()), wanted, lambda: self._pages(path, query))
        kept = [row for row in rows if all(str(_at(row, field)) in values for field, values in wanted.items())]
        return [self._made(make, row, "GET", path) for row in kept]

    def _pages(self, path: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        limit = PAGE
        for _page in range(PAGES):
            page = self._ask("GET", path, offset=len(rows), limit=limit, **query)
            found = page.get("data") if isinstance(page, dict) else None
            if not isinstance(found, list):
                raise self._incomplete("GET", path)
            rows += found
            if not page.get("hasNext") or not found:
                break
            limit = self._made(lambda most: max(1, int(most or PAGE)), page.get("maxLimit"), "GET", path)
        else:
            raise Garbled(f"{self.name}: GET {path} at {self.url}: the list has no end after {PAGES} pages")
        return rows

    def _made(self, make: Callable[[Any], T], row: Any, verb: str, path: str, of: Optional[str] = None) -> T:
        """The object that `make` reads from an answer.

        :param of: the object that the call changed; None if it changed nothing.
        """
        try:
            return make(row)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            error = self._incomplete(verb, path)
        if of is None:
            raise error
        raise AnswerLost(f"{error.message}; the server may have carried it out", failed_object=of)

    def _incomplete(self, verb: str, path: str) -> Garbled:
        return Garbled(f"{self.name}: {verb} {path} at {self.url}: the answer lacks what the Admin REST API promises")


def call_of(verb: str, path: str, of: str, changing: bool) -> Call:
    """A call as messages name it: the object stands beside its path, not in it."""
    resource = path.replace(f"/{quoted(of)}", "") if of else path
    return Call(f"{verb} {resource}", of, changing)


def quoted(part: str) -> str:
    """A part of a path, percent-encoded. Half of a surrogate pair is kept: without it, it would be another name."""
    return quote(str(part), safe="", errors="surrogatepass")


def _at(row: Any, field: str) -> Any:
    """The value at a dotted path."""
    for key in field.split("."):
        row = row.get(key) if isinstance(row, dict) else None
    return row


def _beginning(body: bytes) -> str:
    return repr(beginning(" ".join(body[:600].decode("utf-8", "replace").split()), 60))

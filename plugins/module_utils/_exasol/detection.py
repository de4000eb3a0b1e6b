# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster whose provider isn't known yet: with `provider: auto`, the first question finds it out.

EXAoperation is tried first, with the wanted call itself, so that the detection costs no extra call. If that fails,
the run asks for the master of ConfD. Only ConfD answers that question, and it needs no credentials.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Optional

from .._errors import ClusterError, Denied, Fault, Untrusted
from .._http import client
from .._http.client import Http
from .._wording import joined
from .api.cluster import Cluster
from .api.providers import CONFD, EAO
from .confd.session import SEEKING, Session

QUESTIONS = ("nodes", "services", "databases", "database", "database_summary", "master", "log_entries", "rights")
"""Reads whose answer shows that the server is EXAoperation."""

PROVIDER = "provider"

NOBODY = re.compile(
    "connection refused|no ConfD answered|no connection within|no route to the host|can't be resolved|was closed before"
)
"""Errors of a port at which no ConfD listens."""


class DetectedCluster:
    """Has the interface of `Cluster`.

    :param eao: the cluster, if its provider is EXAoperation.
    :param http: its connection.
    :param confd: makes the cluster and the session for ConfD; it returns None if ConfD can't have these URLs.
    :param facts: the facts of the session, with the provider once it is known.
    """

    def __init__(
        self,
        eao: Cluster,
        http: Http,
        confd: Callable[[], Optional[tuple[Cluster, Session]]],
        facts: Optional[dict[str, Any]] = None,
    ) -> None:
        self._eao = eao
        self._http = http
        self._confd = confd
        self._facts = {} if facts is None else facts
        self._known: Optional[Cluster] = None
        if self._facts.get(PROVIDER) == EAO.name:
            self._known = eao
        elif self._facts.get(PROVIDER) == CONFD.name:
            found = confd()
            self._known = found and found[0]
        self._asked = 0
        self.name = eao.name

    @property
    def api_calls(self) -> int:
        """How many calls were made so far, with those of the detection."""
        known = self._known
        spent = 0 if known in (None, self._eao) else self._eao.api_calls
        return self._asked + spent + (known or self._eao).api_calls

    @property
    def url(self) -> str:
        """The URL that answered last."""
        return (self._known or self._eao).url

    @property
    def urls(self) -> list[str]:
        """All its URLs, with scheme and port."""
        return (self._known or self._eao).urls

    def answers(self) -> str:
        """The sign of life. Asks ConfD too while the provider isn't known: any answer shows that its node is on."""
        if self._known is not None:
            return self._known.answers()
        found = self._confd()
        if found is None:
            return self._eao.answers()
        _cluster, session = found
        heard = session.answers()
        self._asked += session.api_calls
        return heard

    def collect(self, seconds: float) -> list[str]:
        """As `Cluster.collect`. While the provider isn't known, no job was begun."""
        return self._known.collect(seconds) if self._known is not None else []

    def __getattr__(self, name: str) -> Any:
        if self._known is not None:
            return getattr(self._known, name)
        if name in QUESTIONS:
            return partial(self._first, name)
        self._first("databases")
        return getattr(self._known, name)

    def _first(self, question: str, *args: Any) -> Any:
        rounds, self._http.rounds = self._http.rounds, 1
        try:
            answer = getattr(self._eao, question)(*args)
        except ClusterError as error:
            said = self._looked(error)
            if self._known is not None:
                return getattr(self._known, question)(*args)
            if isinstance(error, Denied):  # no second try: too many wrong passwords lock a user out
                raise self._both(error, said) from None
            time.sleep(client.PAUSE)
            try:
                answer = getattr(self._eao, question)(*args)
            except ClusterError as again:
                raise self._both(again, said) from None
        finally:
            self._http.rounds = rounds
        self._known, self._facts[PROVIDER] = self._eao, EAO.name
        return answer

    def _looked(self, error: ClusterError) -> Optional[ClusterError]:
        """Finds out whether the server is ConfD. Returns the error if the question for the master failed, else None.

        :param error: the error of EXAoperation's call.
        :raises ClusterError: the server is ConfD, and its master can't be reached.
        """
        found = self._confd()
        if found is None:
            return None
        cluster, session = found
        session.wary = isinstance(error, Denied)
        try:
            session.master()
        except ClusterError as said:
            self._asked += session.api_calls
            if session.met:
                raise
            return said
        self._known, self._facts[PROVIDER] = cluster, CONFD.name
        return None

    def _both(self, error: ClusterError, said: Optional[ClusterError]) -> ClusterError:
        """The error of EXAoperation's call, with that of ConfD's ports if it adds something."""
        if said is None or isinstance(error, Fault):
            return error
        parts = [part for part in said.message.split("; ") if not NOBODY.search(part)]
        parts = [part for part in parts if not any(f" at {url}: " in part for url in self._eao.urls)]
        if not parts:
            return error
        no_master = any("HTTP 503" in part for part in parts)
        told = said if no_master or isinstance(said, (Denied, Untrusted)) else error
        told.message = "; ".join([error.message, *parts])
        told.hint = joined([error.hint, said.hint, SEEKING if no_master else None])
        return told

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster whose provider isn't known yet: `provider: auto` asks it, when it is asked something for the first time.

EXAoperation is tried first, by the very call that is wanted, so that knowing costs nothing there. Where that fails, it
is asked whether ConfD answers: who is the master is told without credentials, and by ConfD alone.
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
"""Reads that EXAoperation can be known by."""

PROVIDER = "provider"

NOBODY = re.compile(
    "connection refused|no ConfD answered|no connection within|no route to the host|can't be resolved|was closed before"
)
"""What is said of a port at which ConfD doesn't listen."""


class DetectedCluster:
    """Speaks `Cluster`.

    :param exaoperation: the cluster, if it is one.
    :param http: its connection.
    :param confd: makes the same of ConfD, and its session; None where the URLs can't be ConfD's.
    :param facts: of the session: the provider, once it is known.
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
        """How many calls were made so far, those that found it out too."""
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
        """What is still heard, by ConfD too where it isn't known who was there: whatever it answers, its node is on."""
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
        """As `Cluster` does; where nobody is known yet, nothing was begun."""
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
            if isinstance(error, Denied):  # for good: who tries a wrong password too often is locked out
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
        """Finds out whether ConfD is there; what it said instead of naming its master.

        :param error: what EXAoperation's half has failed with.
        :raises ClusterError: ConfD is there, and its master can't be reached.
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
        """What EXAoperation's half has failed with, and what was heard at ConfD's own port, where that tells more."""
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

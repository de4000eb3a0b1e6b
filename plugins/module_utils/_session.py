# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules share that run one after another in one process: open connections, and what was just read.

Outside of `shared_session` nothing is shared: a connection is new, and nothing is known before it is asked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from ._http.client import Changes, Http

FRESH = 2.0
"""Seconds for which a reading may be handed on. The next module begins some milliseconds after the last look of the one
before: what is older comes from before a wait, and another may have changed the cluster since."""


@dataclass(frozen=True)
class Mark:
    """The moment in which a reading began.

    :param changes: how far the changing calls were by then.
    """

    began: float
    changes: int


@dataclass(frozen=True)
class Kept:
    """A reading, or what else a module knew at its end."""

    value: Any
    mark: Mark


class Readings:
    """What was read over one connection. What is taken from it is young, and older than no changing call of ours.

    :param changes: the changing calls of all who share the connection.
    :param clock: monotonic.
    """

    def __init__(self, changes: Changes, clock: Callable[[], float]) -> None:
        self._changes = changes
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[Hashable, Kept] = {}
        self._over = False

    def mark(self) -> Mark:
        """To be taken before a reading is asked for: what changes while its answer is on its way may not be in it."""
        return Mark(self._clock(), self._changes.count)

    def keep(self, key: Hashable, value: Any, mark: Mark) -> None:
        """Hands a reading on to the modules that begin after this."""
        with self._lock:  # a look that hung may end after a later one
            before = self._kept.get(key)
            if before is None or before.mark.began <= mark.began:
                self._kept.pop(key, None)  # the last that came stands last
                self._kept[key] = Kept(value, mark)

    def handed_on(self) -> dict[Hashable, Kept]:
        """What was kept up to now. A module takes it at its beginning, so that its own readings are not in it."""
        with self._lock:
            return dict(self._kept)

    def is_good(self, kept: Kept) -> bool:
        """Whether a reading still tells how things are, as far as we know."""
        unchanged = self._changes.count == kept.mark.changes and not self._changes.under_way
        return not self._over and unchanged and self._clock() - kept.mark.began < FRESH

    def forget(self) -> None:
        """Nothing of it is good from now on, whoever has taken it."""
        with self._lock:
            self._over = True
            self._kept.clear()


@dataclass
class _Connection:
    http: Http
    readings: Readings
    facts: dict[str, Any] = field(default_factory=dict)


class SharedSession:
    """What is shared in one `shared_session`.

    :ivar followed: whether, within this session, a module follows that looks afresh at all that the next run is about.
        A run may then leave out the calls that would only tell how it ended. The caller sets it for each run.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.followed = False
        self._clock = clock
        self._connections: dict[Hashable, _Connection] = {}

    def http(self, key: Hashable, make: Callable[[], Http]) -> Http:
        """A connection for the module that begins now: its calls are its own, the open connections are shared."""
        there = self._connections.get(key)
        if there is None:
            http = make()
            self._connections[key] = _Connection(http, Readings(http.changes, self._clock))
            return http
        there.http = there.http.again()
        return there.http

    def readings(self, http: Http) -> Optional[Readings]:
        """What is handed on over this connection."""
        found = [one.readings for one in self._connections.values() if one.http is http]
        return found[0] if found else None

    def facts(self, http: Http) -> dict[str, Any]:
        """What was found out of the server and holds for the whole session; filled by who finds it out."""
        return next((one.facts for one in self._connections.values() if one.http is http), {})

    def end(self) -> None:
        """Forgets all."""
        for one in self._connections.values():
            one.readings.forget()
        self._connections.clear()


_CURRENT: ContextVar[Optional[SharedSession]] = ContextVar("shared_session", default=None)


@contextmanager
def shared_session(clock: Callable[[], float] = time.monotonic) -> Iterator[SharedSession]:
    """Modules that run within it, one after another, share connections and readings. Anything of the user's between
    two of them, as a hook, must end it.

    :param clock: monotonic.
    """
    session = SharedSession(clock)
    token = _CURRENT.set(session)
    try:
        yield session
    finally:
        _CURRENT.reset(token)
        session.end()


def http_for(key: Callable[[], Hashable], make: Callable[[], Http]) -> Http:
    """A connection: a new one, or within a `shared_session` one that shares what is open already.

    :param key: all that the connection is made of. Equal keys are equal connections.
    """
    session = _CURRENT.get()
    return session.http(key(), make) if session else make()


def readings_of(http: Http) -> Optional[Readings]:
    """What is handed on over this connection, None outside of a `shared_session`."""
    session = _CURRENT.get()
    return session.readings(http) if session else None


def facts_of(http: Http) -> dict[str, Any]:
    """See `SharedSession.facts`; outside of a `shared_session` nothing is handed on."""
    session = _CURRENT.get()
    return session.facts(http) if session else {}


def is_followed() -> bool:
    """See `SharedSession.followed`."""
    session = _CURRENT.get()
    return session is not None and session.followed

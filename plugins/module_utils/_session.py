# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules in one process share with those that run after them: open connections, and what was just read.

Outside of `shared_session` nothing is shared: each connection is new, and each module reads everything itself.
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
"""Seconds for which the next module may use a reading. That module begins some milliseconds after the last look of the
module before. An older reading comes from before a wait, so somebody may have changed the cluster since."""


@dataclass(frozen=True)
class Mark:
    """The moment at which a reading began.

    :param changes: the count of changing calls at that moment.
    """

    began: float
    changes: int


@dataclass(frozen=True)
class Kept:
    """A reading, or another value that a module knew at its end."""

    value: Any
    mark: Mark


class Readings:
    """What was read over one connection. A value is used only while it is young, and if no change of ours followed.

    :param changes: the changing calls of all modules that share the connection.
    :param clock: monotonic.
    """

    def __init__(self, changes: Changes, clock: Callable[[], float]) -> None:
        self._changes = changes
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[Hashable, Kept] = {}
        self._over = False

    def mark(self) -> Mark:
        """Must be taken before the reading is requested, because the answer may lack changes that happen meanwhile."""
        return Mark(self._clock(), self._changes.count)

    def keep(self, key: Hashable, value: Any, mark: Mark) -> None:
        """Keeps a reading for the modules that begin after this."""
        with self._lock:  # a look that hung may end after one that began later
            before = self._kept.get(key)
            if before is None or before.mark.began <= mark.began:
                self._kept.pop(key, None)  # so that the newest is the last of the dictionary
                self._kept[key] = Kept(value, mark)

    def handed_on(self) -> dict[Hashable, Kept]:
        """What was kept up to now. A module takes it when it begins, so that it contains none of its own readings."""
        with self._lock:
            return dict(self._kept)

    def is_good(self, kept: Kept) -> bool:
        """Whether a reading is still valid, as far as we know."""
        unchanged = self._changes.count == kept.mark.changes and not self._changes.under_way
        return not self._over and unchanged and self._clock() - kept.mark.began < FRESH

    def forget(self) -> None:
        """Makes all readings invalid, also those that a module has already taken."""
        with self._lock:
            self._over = True
            self._kept.clear()


@dataclass
class _Connection:
    http: Http
    readings: Readings
    facts: dict[str, Any] = field(default_factory=dict)


class SharedSession:
    """What modules share within one `shared_session`.

    :ivar followed: whether another module of this session follows and reads the same objects afresh. The next run may
        then leave out the calls that only report its own end. The caller sets it for each run.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.followed = False
        self._clock = clock
        self._connections: dict[Hashable, _Connection] = {}

    def http(self, key: Hashable, make: Callable[[], Http]) -> Http:
        """A connection for the module that begins now. It counts its own calls, and shares the open connections."""
        there = self._connections.get(key)
        if there is None:
            http = make()
            self._connections[key] = _Connection(http, Readings(http.changes, self._clock))
            return http
        there.http = there.http.again()
        return there.http

    def readings(self, http: Http) -> Optional[Readings]:
        """The readings of this connection; None if the session doesn't have it."""
        found = [one.readings for one in self._connections.values() if one.http is http]
        return found[0] if found else None

    def facts(self, http: Http) -> dict[str, Any]:
        """Facts about the server that are valid for the whole session. The code that finds a fact adds it."""
        return next((one.facts for one in self._connections.values() if one.http is http), {})

    def end(self) -> None:
        """Forgets all readings and connections."""
        for one in self._connections.values():
            one.readings.forget()
        self._connections.clear()


_CURRENT: ContextVar[Optional[SharedSession]] = ContextVar("shared_session", default=None)


@contextmanager
def shared_session(clock: Callable[[], float] = time.monotonic) -> Iterator[SharedSession]:
    """Modules that run one after another within it share connections and readings. The caller must end it before code
    of the user runs between two modules, such as a hook.

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
    """A new connection, or within a `shared_session` one that shares the open connections of an equal key.

    :param key: everything that the connection depends on.
    """
    session = _CURRENT.get()
    return session.http(key(), make) if session else make()


def readings_of(http: Http) -> Optional[Readings]:
    """The readings of this connection; None outside of a `shared_session`."""
    session = _CURRENT.get()
    return session.readings(http) if session else None


def facts_of(http: Http) -> dict[str, Any]:
    """See `SharedSession.facts`. Outside of a `shared_session`, an empty dictionary that nobody keeps."""
    session = _CURRENT.get()
    return session.facts(http) if session else {}


def is_followed() -> bool:
    """See `SharedSession.followed`."""
    session = _CURRENT.get()
    return session is not None and session.followed

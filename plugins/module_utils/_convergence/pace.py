# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The times of a wait: when to look again, when to show a line and which one, when to stop. It makes no call.

The clock is monotonic and can be replaced, so that tests need no time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Callable, Optional

from .._wording import clock_text, listing

FIRST_INTERVAL = 0.2
"""Seconds between the first looks."""

LAST_INTERVAL = 10.0
"""Most seconds between looks."""

TURN = LAST_INTERVAL + 2.0
"""Seconds that a state must last before this run changes it back, if somebody else brought the object there. If that
was another run that still works, it has looked and begun its next step by then, which our guard finds."""

SHARE = 0.04
"""The pause between looks is 4 % of the time waited so far, so a change is seen late by at most that share."""


LAST_LOOK = 1.0
"""Seconds before the deadline at which one more look is made, so that a change since the last look still counts."""

STOOD_STILL = 10.0
"""If a rest is longer than planned by so many seconds, this process or its machine was stopped meanwhile."""

AWAKE = 30.0
"""Fewest seconds left after such a stop: the last look is old, so there must be time for another one."""


@dataclass(frozen=True)
class PollInterval:
    """How often to look.

    :param first: seconds between the first looks.
    :param share: the pause, as a share of the time waited so far.
    :param last: most seconds between looks.
    """

    first: float = field(default_factory=lambda: FIRST_INTERVAL)
    share: float = SHARE
    last: float = LAST_INTERVAL


@dataclass
class Pace:
    """The times of one wait.

    :param timeout: seconds after which the wait fails.
    :param stable: seconds for which the wanted state must last.
    :param heartbeat: most seconds between lines.
    :param poll: how often to look.
    """

    timeout: float
    stable: float = 0.0
    heartbeat: float = 30.0
    poll: PollInterval = field(default_factory=PollInterval)
    clock: Callable[[], float] = time.monotonic
    started: float = field(init=False)
    _spoke: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self._spoke = self.clock()

    def elapsed(self) -> float:
        return self.clock() - self.started

    def left(self) -> float:
        """Seconds until the deadline; negative when it has passed."""
        return self.timeout - self.elapsed()

    def extend(self, seconds: float) -> None:
        """Moves the deadline, so that at least so many seconds are left."""
        self.timeout = max(self.timeout, round(self.elapsed() + seconds))

    def rested(self, before: float, planned: float) -> bool:
        """Whether this process stood still during a rest (a laptop or virtual machine that sleeps, SIGSTOP).

        If so, it moves the deadline (`AWAKE`).

        :param before: the clock at the beginning of the rest.
        :param planned: seconds that the rest should have taken.
        """
        if self.clock() - before <= planned + STOOD_STILL:
            return False
        self.extend(AWAKE)
        return True

    def interval(self, cost: float = 0.0) -> float:
        """Seconds until the next look.

        :param cost: seconds that the last look took. The pause is at least as long, so that looks take at most half of
            the time.
        """
        usual = max(self.poll.first, cost, min(self.elapsed() * self.poll.share, self.poll.last))
        left = self.left()
        return max(cost, left - LAST_LOOK) if usual >= left > LAST_LOOK else usual

    def line_shown(self) -> None:
        self._spoke = self.clock()

    def until_heartbeat(self) -> float:
        """Seconds until a line is due although nothing changed. A heartbeat of 0 switches these lines off."""
        if self.heartbeat <= 0:
            return float("inf")
        return self.heartbeat - (self.clock() - self._spoke)


def progress(noun: str, pace: Pace, ready: int, waiting: dict[str, str], done: str, aside: Optional[str] = None) -> str:
    """One progress line.

    :param waiting: name -> state in words, of the objects that haven't reached the end state.
    :param done: the end state of the others, in a word (`online`).
    """
    groups: dict[str, list[str]] = {}
    for name, state in waiting.items():
        groups.setdefault(state, []).append(name)
    wanting = ", ".join(f"{listing(names)} ({state})" for state, names in groups.items())
    parts = [f"{ready}/{ready + len(waiting)} {done}", f"waiting for {wanting}" if waiting else "", aside or ""]
    left = f"times out in {clock_text(pace.left())}" if waiting else ""
    return f"{noun}: {clock_text(pace.elapsed())}  " + ", ".join(part for part in [*parts, left] if part)

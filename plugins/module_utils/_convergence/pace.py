# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits as data: when to look again, when to speak and how, when to stop. Knows no cluster and makes no call.

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
"""Seconds between looks, at most."""

TURN = LAST_INTERVAL + 2.0
"""Seconds that a state must stay unchanged to which somebody else has brought an object, before it is taken back the
other way: another run that isn't over has looked by then, and begun with its next step, which our guard finds."""

SHARE = 0.04
"""A look every 4 % of the time waited so far: what is seen late is at most that share of the wait."""


LAST_LOOK = 1.0
"""Seconds before the deadline at which is looked once more: what came between two looks has come in time."""

STOOD_STILL = 10.0
"""Seconds by which a rest is longer than it was meant to be where this process, or its machine, was stopped."""

AWAKE = 30.0
"""Seconds that are left after that, at least: what was seen before is old, so there must be time to look once more."""


@dataclass(frozen=True)
class PollInterval:
    """How often is looked.

    :param first: seconds between the first looks.
    :param share: a look every so much of the time waited so far.
    :param last: seconds between looks, at most.
    """

    first: float = field(default_factory=lambda: FIRST_INTERVAL)
    share: float = SHARE
    last: float = LAST_INTERVAL


@dataclass
class Pace:
    """The times of one wait.

    :param timeout: seconds until it has failed.
    :param stable: seconds that what is wanted must hold.
    :param heartbeat: seconds of silence, at most.
    :param rhythm: how often is looked.
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
        """So much is left at least."""
        self.timeout = max(self.timeout, round(self.elapsed() + seconds))

    def rested(self, before: float, planned: float) -> bool:
        """Whether this process stood still in a rest (a laptop or virtual machine that sleeps, SIGSTOP).

        :param before: what the clock showed when it began.
        :param planned: seconds that it was to take.
        """
        if self.clock() - before <= planned + STOOD_STILL:
            return False
        self.extend(AWAKE)
        return True

    def interval(self, cost: float = 0.0) -> float:
        """Seconds until the next look.

        :param cost: how long the last look took: a cluster is asked no more than half of the time.
        """
        usual = max(self.poll.first, cost, min(self.elapsed() * self.poll.share, self.poll.last))
        left = self.left()
        return max(cost, left - LAST_LOOK) if usual >= left > LAST_LOOK else usual

    def line_shown(self) -> None:
        self._spoke = self.clock()

    def until_heartbeat(self) -> float:
        """Seconds until a line is due although nothing changed; a heartbeat of 0 is none."""
        if self.heartbeat <= 0:
            return float("inf")
        return self.heartbeat - (self.clock() - self._spoke)


def progress(noun: str, pace: Pace, ready: int, waiting: dict[str, str], done: str, aside: Optional[str] = None) -> str:
    """One progress line.

    :param waiting: name -> its state in words, of what isn't there yet.
    :param done: what the others are by now (`online`).
    """
    groups: dict[str, list[str]] = {}
    for name, state in waiting.items():
        groups.setdefault(state, []).append(name)
    wanting = ", ".join(f"{listing(names)} ({state})" for state, names in groups.items())
    parts = [f"{ready}/{ready + len(waiting)} {done}", f"waiting for {wanting}" if waiting else "", aside or ""]
    left = f"times out in {clock_text(pace.left())}" if waiting else ""
    return f"{noun}: {clock_text(pace.elapsed())}  " + ", ".join(part for part in [*parts, left] if part)

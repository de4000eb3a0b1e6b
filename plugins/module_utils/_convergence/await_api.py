# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until the API answers, before there are objects to wait for."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from typing import Callable, Optional

from .._errors import Fault, Garbled, TimedOut, Unreachable
from .._task import Task
from .._timeline import THERE, WAITS
from .._wording import clock_text
from .pace import Pace
from .workers import Pool


@dataclass
class AwaitedApi:
    """The API that a task waits for.

    :param cluster: the name of the cluster in messages.
    :param ask: asks once; returns what is still missing, or an empty text if the API is ready.
    :param url: returns the URL that answered last.
    :ivar hint: the next step that the last failure named.
    """

    cluster: str
    ask: Callable[[], str]
    url: Callable[[], str]
    hint: Optional[str] = None


def await_api(task: Task, api: AwaitedApi, timeout: float, heartbeat: float) -> None:
    """Waits until the API is ready.

    A wrong password or certificate ends the wait at once, because waiting can't correct them.

    :param timeout: most seconds; 0 means that nothing is asked.
    :raises TimedOut: it names the last cause.
    """
    if timeout <= 0:
        return
    pace, pool, cause = Pace(timeout, heartbeat=heartbeat), Pool(), ""
    try:
        while True:
            now = _attempt(task, api, pool, pace, cause)
            if task.timeline:
                task.timeline.saw("API", api.cluster, WAITS if now else THERE, now or "answers")
            if not now:
                if cause:
                    task.say(f"[{api.cluster}] api: {clock_text(pace.elapsed())}  answers at {api.url()}")
                return
            if now != cause:
                _say_waiting(task, api, pace, now)
            cause = now
            _rest(pace)
    finally:
        pool.close()


def _attempt(task: Task, api: AwaitedApi, pool: Pool, pace: Pace, cause: str) -> str:
    """Asks once, and shows heartbeats while no answer comes.

    :returns: why the API is not ready yet, or an empty text.
    """
    pool.submit(None, api.ask)
    while True:
        if pace.left() <= 0:
            words = cause or f"{api.cluster}: no answer at {api.url()}"
            text = f"{words}; the wait timed out after {pace.timeout:g} s"
            raise TimedOut(text, hint=api.hint, failed_object=api.cluster, last_state="no answer", number="DBF-4002")
        before, rest = pace.clock(), max(0.0, min(pace.until_heartbeat(), pace.left()))
        try:
            _tag, missing, error = pool.answers.get(timeout=rest)
        except queue.Empty:
            pace.rested(before, rest)
            if pace.left() > 0:
                _say_waiting(task, api, pace, cause or "no answer yet")
            continue
        if isinstance(error, (Unreachable, Garbled, Fault)):
            api.hint = error.hint
            return error.message
        if error:
            raise error
        return missing


def _rest(pace: Pace) -> None:
    before, seconds = pace.clock(), max(0.0, min(pace.interval(), pace.left()))
    time.sleep(seconds)
    pace.rested(before, seconds)


def _say_waiting(task: Task, api: AwaitedApi, pace: Pace, cause: str) -> None:
    pace.line_shown()
    task.say(
        f"[{api.cluster}] api: {clock_text(pace.elapsed())}  waiting, times out in {clock_text(pace.left())}: {cause}"
    )

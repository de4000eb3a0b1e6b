# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of ansible-playbook where it would say nothing, or exit with 0, and must not."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Callable

from ansible import constants

from . import progress

EXIT = 2
"""Of ansible-playbook where a host has failed."""

GRACE = 3.0
"""Seconds that SIGTERM leaves for words: an output that nobody reads must not keep a process alive."""

WORKERS_END = 1.0
"""Seconds in which workers end that were told to."""


def say(lines: Iterable[str]) -> None:
    """Says something, and leaves the end to others. For functions that C(atexit) calls."""
    for line in lines:
        progress.show(line)


def leave(lines: Iterable[str]) -> None:
    """Says something, and ends this process as one that failed. For functions that C(atexit) calls."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who presses Ctrl-C twice reads the end nonetheless
    _say_at_last(lines)
    os._exit(EXIT)


def _say_at_last(lines: Iterable[str]) -> None:
    for line in lines:
        try:
            progress.show(line)
        except RuntimeError:  # a signal came in the middle of a write to the same stream
            os.write(2, f"{line}\n".encode())
    shutil.rmtree(constants.DEFAULT_LOCAL_TMP, ignore_errors=True)  # what an end without atexit leaves out
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, RuntimeError):
            stream.flush()


def before_sigterm(words: Callable[[], list[str]]) -> None:
    """Has something said when SIGTERM comes, which then ends this process as it would have.

    Neither ansible-core's own handler (2.19 and later) nor the default action comes to C(atexit).

    :param words: the lines, none where nothing is to be said. It is asked again when the workers have ended, so that no
        step follows the words.
    """
    if threading.current_thread() is not threading.main_thread():  # it may not install a handler
        return
    before: Any = signal.getsignal(signal.SIGTERM)
    if before in (None, signal.SIG_IGN):  # not Python's to call, or not to end this process
        return
    main, is_ending = os.getpid(), False

    def end(number: int, frame: Any) -> None:
        nonlocal is_ending
        if is_ending:  # C(timeout) sends it twice, to the process and to its group
            return
        is_ending = True
        try:
            if os.getpid() == main and words():
                signal.signal(signal.SIGALRM, lambda _number, _frame: _go_on_to(before, number, frame))
                signal.setitimer(signal.ITIMER_REAL, GRACE)
                _end_workers()
                _say_at_last(words())
        finally:
            _go_on_to(before, number, frame)

    def restore() -> None:
        if signal.getsignal(signal.SIGTERM) is end:
            signal.signal(signal.SIGTERM, before)

    signal.signal(signal.SIGTERM, end)
    os.register_at_fork(after_in_child=restore)


def _go_on_to(before: Any, number: int, frame: Any) -> None:
    """Does what a signal would have done without us."""
    if callable(before):
        try:
            before(number, frame)
            return
        except Exception:  # ansible-core's own fails between two tasks, at the object of a worker that it has closed
            before = signal.SIG_DFL
    signal.signal(number, before)
    os.kill(os.getpid(), number)


def _end_workers() -> None:
    """As ansible-core does at Ctrl-C. A worker ends when its parent is gone, but up to then it might take a step."""
    until = time.monotonic() + WORKERS_END
    workers = multiprocessing.active_children()
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of ansible-playbook in cases in which it would wrongly show nothing, or exit with 0."""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import os
import select
import shutil
import signal
import stat
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Callable, Union

from ansible import constants

from ..module_utils._foreign import visible
from . import progress

EXIT = 2
"""The exit code of ansible-playbook if a host has failed."""

GRACE = 3.0
"""Seconds for the last lines after SIGTERM: an output that nobody reads must not keep a process alive."""

WORKERS_END = 1.0
"""Seconds in which workers end after SIGTERM."""

KILLED = 0.5
"""Seconds in which a killed worker ends."""

Line = Union[str, progress.Line]

Words = Callable[[], "tuple[list[Line], bool]"]
"""A function that returns the lines for the end, and whether all is well."""

UNREAD = b"nobody reads the output of this run any more, so it ends as it would by SIGTERM\n"
"""What a run whose reader is gone writes to standard error."""

_WORDS: list[Words] = []

_watched: list[threading.Thread] = []

_unread = threading.Event()
"""Whether the reader of the output is gone."""


def at_the_end(words: Words) -> None:
    """Shows lines when ansible-playbook ends, after those registered earlier, and makes it fail unless all is well."""
    if not _WORDS:
        atexit.register(end_loudly, os.getpid())
        before_sigterm(lambda: _all_words()[0])
        end_when_unread()
    _WORDS.append(words)


def end_when_unread() -> None:
    """From now on, ends this process by SIGTERM when the reader of its output is gone: C(head), a lost connection.

    ansible-core stops reading results at the first output that fails, and would then wait forever.
    """
    with suppress(OSError, ValueError, AttributeError):  # there is no output, or it is no file
        output = sys.stdout.fileno()
        mode = os.fstat(output).st_mode
        if (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)) and not _watched:
            _watched.append(threading.Thread(target=_end_when_unread, args=(output, os.getpid()), daemon=True))
            _watched[0].start()


def _end_when_unread(output: int, main: int) -> None:
    reader = select.poll()
    reader.register(output, 0)  # POLLERR and POLLHUP come unasked
    if any(event & (select.POLLERR | select.POLLHUP) for _output, event in reader.poll()):
        _unread.set()
        with suppress(OSError):  # the same program may have read it
            os.write(sys.stderr.fileno(), UNREAD)
        os.kill(main, signal.SIGTERM)


def end_loudly(main: int) -> None:
    """Shows all lines, and ends ansible-playbook with a failure unless all is well.

    :param main: the process that shows the lines; a worker only inherits the registration.
    """
    if os.getpid() != main:
        return
    lines, is_well = _all_words()
    if not is_well:
        leave(lines)
    for line in lines:
        _show(line)


def _all_words() -> tuple[list[Line], bool]:
    found = [words() for words in _WORDS]
    return [line for lines, _is_well in found for line in lines], all(is_well for _lines, is_well in found)


def leave(lines: Iterable[Line]) -> None:
    """Shows lines, and ends this process with a failure. For functions that C(atexit) calls."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a user who presses Ctrl-C twice must still see these lines
    _say_at_last(lines)
    os._exit(EXIT)


def _show(line: Line) -> None:
    text, colour = (line, None) if isinstance(line, str) else line
    progress.show(text, colour=colour)


def _say_at_last(lines: Iterable[Line]) -> None:
    is_unread = _unread.is_set()
    stream = sys.stderr if is_unread or progress.is_aside() else sys.stdout
    directly = is_unread or _is_writing(stream)
    for line in lines:
        with suppress(RuntimeError):  # the stream is in use after all
            if not directly:
                _show(line)
                continue
        with suppress(OSError):  # of this stream, too, the reader may be gone
            os.write(stream.fileno(), f"{visible(line if isinstance(line, str) else line[0])}\n".encode())
    shutil.rmtree(constants.DEFAULT_LOCAL_TMP, ignore_errors=True)  # an end without atexit skips these steps
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, RuntimeError):
            stream.flush()


def _is_writing(stream: Any) -> bool:
    """Whether a signal interrupted a write to a stream. Another write would be lost then."""
    try:
        stream.buffer.flush()
    except RuntimeError:
        return True
    except (AttributeError, OSError, ValueError):
        pass
    return False


def before_sigterm(words: Callable[[], list[Line]]) -> None:
    """Shows lines when SIGTERM comes, which then ends this process as before.

    Neither ansible-core's own handler (2.19 and later) nor the default action runs C(atexit).

    :param words: returns the lines, or no lines. It is called again after the workers have ended, so that no step
        follows the lines.
    """
    if threading.current_thread() is not threading.main_thread():  # this thread may not install a handler
        return
    before: Any = signal.getsignal(signal.SIGTERM)
    if before in (None, signal.SIG_IGN):  # Python can't call this handler, or the signal doesn't end this process
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
    """Does what the signal would have done without our handler."""
    if callable(before):
        try:
            before(number, frame)
            return
        except Exception:  # ansible-core's own handler fails between two tasks, on a worker that it has closed
            before = signal.SIG_DFL
    signal.signal(number, before)
    os.kill(os.getpid(), number)


def _end_workers() -> None:
    """Ends the workers as ansible-core does at Ctrl-C. A worker whose parent is gone might still take a step."""
    until = time.monotonic() + WORKERS_END
    workers = multiprocessing.active_children()
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
    # Python loses a signal that comes just when it makes a worker.
    for worker in multiprocessing.active_children():
        worker.kill()
        worker.join(KILLED)

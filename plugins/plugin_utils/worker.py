# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A worker of ansible-playbook, and the end of both."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import parent_process
from pathlib import Path

ORPHAN_CHECK = 0.5
"""Seconds between two looks whether ansible-playbook is still there."""

PR_SET_PDEATHSIG = 1
"""Of prctl(2): the signal that a process gets when the one that made it ends."""

LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
"""Loaded by ansible-playbook itself, for all its workers."""


def playbook_pid() -> int:
    """The process that this worker belongs to, ansible-playbook, whether it is still there or not.

    Whoever asks for its parent learns of another one where ansible-playbook was killed before.
    """
    made_by = parent_process()
    return made_by.pid if made_by and made_by.pid else os.getppid()


def descendants(pid: int) -> list[int]:
    """The programs that a process has started, and what those have started; none where there is no C(/proc)."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text(errors="replace").rpartition(")")[2].split()[1])
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


@contextmanager
def ends_with_parent(programs: bool = False) -> Iterator[None]:
    """Ends this worker when its ansible-playbook is gone.

    ansible-core gives a worker a session of its own, so what kills ansible-playbook (SIGKILL, a closed container) does
    not reach it: alone, it would go on with its steps beside the run that is started next.

    :param programs: those that it has started (ssh, sudo) end with it, for at the other end of theirs a module works.
        A connection that ssh keeps open for others is not one of them.
    """
    parent, over = playbook_pid(), threading.Event()

    def look() -> None:
        if os.getppid() != parent:
            for pid in descendants(os.getpid()) if programs else ():
                with suppress(OSError):  # sudo is another user's; its module learns of it by itself
                    os.kill(pid, signal.SIGKILL)
            os._exit(1)

    def watch() -> None:
        while not over.wait(ORPHAN_CHECK):
            look()

    if LIBC and parent_process():
        # At once: within half a second a worker could take a lease, or stop a database, in the name of nobody. But a
        # worker that is killed can't end its programs.
        LIBC.prctl(PR_SET_PDEATHSIG, 0 if programs else signal.SIGKILL)
    look()
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workers of ansible-playbook, and how they end."""

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
"""Seconds between two checks whether ansible-playbook still runs."""

PR_SET_PDEATHSIG = 1
"""The option of prctl(2) that sets the signal for the end of the parent process."""

LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
"""The C library, which ansible-playbook itself loads for all its workers."""


def playbook_pid() -> int:
    """The process id of the ansible-playbook to which this worker belongs, even if that process is gone.

    The parent of a worker is another process after ansible-playbook was killed.
    """
    made_by = parent_process()
    return made_by.pid if made_by and made_by.pid else os.getppid()


def descendants(pid: int) -> list[int]:
    """The programs that a process has started, and their programs in turn; none without C(/proc)."""
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
    not reach it: the worker would continue its steps alone, beside the next run.

    :param programs: whether the programs that the worker started (ssh, sudo) end with it, because a module works at
        their other end. A connection that ssh keeps open for other tasks is not one of them.
    """
    parent, over = playbook_pid(), threading.Event()

    def look() -> None:
        if os.getppid() != parent:
            for pid in descendants(os.getpid()) if programs else ():
                with suppress(OSError):  # sudo belongs to another user; its module notices the end by itself
                    os.kill(pid, signal.SIGKILL)
            os._exit(1)

    def watch() -> None:
        while not over.wait(ORPHAN_CHECK):
            look()

    if LIBC and parent_process():
        # At once: within half a second, a worker without its run could take a lease, or stop a database. But a
        # worker that is killed can't end its programs.
        LIBC.prctl(PR_SET_PDEATHSIG, 0 if programs else signal.SIGKILL)
    look()
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's folder: its owner, and what is removed when its process ends, or was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "dbfleet-simulator-"
_OWNER = "owner"
"""A file in a folder that the simulator made. Its process has a lock on it, which ends with the process in any case.
A process id is not enough: another process, or one in another container, may have the same id."""


@contextmanager
def of_certificates(given: str | None) -> Iterator[Path]:
    """The folder for the certificates: the given one, which is kept, or a temporary one. Raises OSError."""
    if given:
        directory = Path(given)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield directory
        return
    clear_orphans()
    own = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = None
    try:
        lock = _owned(own)
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _owned(own: Path) -> int:
    """A temporary folder. It is locked before it gets its name, so that nobody takes it for an orphan."""
    made = own / f".{_OWNER}"
    lock = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    made.rename(own / _OWNER)
    return lock


def clear_orphans() -> None:
    """Removes the temporary folders of this user's simulators that have certainly ended: no process has their lock.

    A folder without that file may belong to something else, and is kept.
    """
    for found in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            about = found.lstat()
            if stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid():
                _clear(found)


def _clear(found: Path) -> None:
    lock = os.open(found / _OWNER, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises OSError if a process has the lock
        shutil.rmtree(found, ignore_errors=True)
    finally:
        os.close(lock)

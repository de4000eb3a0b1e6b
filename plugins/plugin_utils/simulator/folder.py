# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's folder: whose it is, and what is removed when its process ends, or ended without a word."""

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
"""A file in a folder of the simulator's own. Its process holds a lock on it, which goes when the process ends, however
that ends. The number of a process would say less: it may be another's by now, or of another container."""


@contextmanager
def of_certificates(given: str | None) -> Iterator[Path]:
    """Where the certificates go: the given folder, which stays, or a temporary one, which goes. Raises OSError."""
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
    """Locked before it has its name: nobody takes a folder that has just been made for one that was left."""
    made = own / f".{_OWNER}"
    lock = os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    made.rename(own / _OWNER)
    return lock


def clear_orphans() -> None:
    """Remove the temporary folders of this user's simulators that have ended certainly: nobody holds their lock.

    A folder without that file may be anything, and stays.
    """
    for found in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            about = found.lstat()
            if stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid():
                _clear(found)


def _clear(found: Path) -> None:
    lock = os.open(found / _OWNER, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises OSError where somebody has it
        shutil.rmtree(found, ignore_errors=True)
    finally:
        os.close(lock)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that this collection leaves: their names, and how to replace them so that readers see the old or new file."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Union
from urllib.parse import quote

LARGEST = 50_000_000
"""The largest file that is read, in bytes."""

NOT_REGULAR = "it is not a regular file"
"""The reason to refuse a pipe or a device."""


def name_for(cluster: str) -> str:
    """A cluster's name as the name of a file or folder, changed so that the path can't leave the given folder."""
    return quote(cluster, safe="").replace(".", "%2E")


def state_folder() -> str:
    """The folder for files if the user names none."""
    return os.path.join(os.path.expanduser(os.environ.get("XDG_STATE_HOME") or "~/.local/state"), "dbfleet")


def text_of(path: Union[str, Path], largest: int = LARGEST) -> str:
    """The text of a file that the user has named. A pipe or a device is refused: reading it might never end.

    :param largest: the largest file that is read, in bytes.
    :raises OSError: the file can't be read; C(strerror) is the reason.
    """
    _refuse_null(path)
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, NOT_REGULAR)
        data = file.read(largest + 1)
    if len(data) > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise OSError(errno.EILSEQ, "it is not UTF-8 text") from None


def replace(path: Union[str, Path], content: Union[str, bytes], mode: int = 0o600, lasting: bool = False) -> None:
    """Writes a file in an existing folder.

    A pipe or a device is refused, because it would be gone.

    :param content: the contents. A text is written as UTF-8, and characters that UTF-8 lacks as escapes of Python.
    :param mode: the permissions of the file.
    :param lasting: whether to wait until the file is on the disk.
    :raises OSError: the file can't be written. An earlier file is unchanged.
    """
    _refuse_null(path)
    target = os.path.realpath(path)
    with suppress(FileNotFoundError):
        mode_there = os.stat(target).st_mode
        # root would replace /dev/null for the whole machine.
        if not (stat.S_ISREG(mode_there) or stat.S_ISDIR(mode_there)):
            raise OSError(errno.EINVAL, NOT_REGULAR)
    folder, name = os.path.split(target)
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    handle, draft = mkstemp(prefix=f".{name[:200]}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        os.replace(draft, os.path.join(folder, name))
    except OSError:
        with suppress(OSError):
            os.unlink(draft)
        raise


def _refuse_null(path: Union[str, Path]) -> None:
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "its name has a null character")

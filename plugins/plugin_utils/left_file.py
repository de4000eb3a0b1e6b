# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that this collection leaves: their names, and that whoever reads one meanwhile reads the old or the new one."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Union
from urllib.parse import quote


def name_for(cluster: str) -> str:
    """A cluster's name as the name of a file or a folder: whatever it is called, it stays below the given folder."""
    return quote(cluster, safe="").replace(".", "%2E")


def state_folder() -> str:
    """Where files stay that nobody has named a folder for."""
    return os.path.join(os.path.expanduser(os.environ.get("XDG_STATE_HOME") or "~/.local/state"), "dbfleet")


def text_of(path: Union[str, Path], largest: int) -> str:
    """The text of a file that somebody has named: a pipe or a device would keep the reader for ever.

    :param largest: bytes of a file that is read.
    :raises OSError: it can't be read; C(strerror) says why.
    """
    _refuse_null(path)
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        data = file.read(largest + 1)
    if len(data) > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise OSError(errno.EILSEQ, "it is no text in UTF-8") from None


def replace(path: Union[str, Path], content: Union[str, bytes], mode: int = 0o600, lasting: bool = False) -> None:
    """Writes a file in a folder that is there.

    :param content: a text is written as UTF-8; what that can't have, as an escape of Python's.
    :param mode: who may read and write it.
    :param lasting: wait until the disk has it.
    :raises OSError: it can't be written. What was there is still there.
    """
    _refuse_null(path)
    folder, name = os.path.split(os.path.realpath(path))
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

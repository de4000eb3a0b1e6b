# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions that only the first worker of a run of ansible-playbook answers, for all of them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable
from typing import Any, Callable

from ansible import constants


def path_of(kind: str, *key: str) -> str:
    """A file of this run, in the folder that ansible-playbook makes for itself and removes at its end."""
    digest = hashlib.sha256("\0".join(key).encode()).hexdigest()[:24]
    return os.path.join(constants.DEFAULT_LOCAL_TMP, f"dbfleet-{kind}-{digest}")


def once(kind: str, key: Iterable[str], find_out: Callable[[], Any]) -> Any:
    """The result of C(find_out), as JSON data. The other workers wait for the first; if it fails, the next one tries.

    Callers must not change the result: all code of this process shares it.
    """
    path = path_of(kind, *key)
    if path not in _known:
        _known[path] = _once(path, find_out)
    return _known[path]


_known: dict[str, Any] = {}
"""The results by their file, which belongs to one run of ansible-playbook."""


def _once(path: str, find_out: Callable[[], Any]) -> Any:
    with open(path, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        if not text:
            text = json.dumps(find_out())
            file.write(text)
    return json.loads(text)


def claimed_by(kind: str, key: Iterable[str], name: str) -> str:
    """The name of the first worker that asked for this key."""
    return str(once(kind, key, lambda: name))

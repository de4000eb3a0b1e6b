# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domain that a task names."""

from __future__ import annotations

from typing import Optional

from .. import _options, _session
from .._task import Task
from .api.domain import Domain
from .api.wire import is_own
from .connection import PORT


def connect(task: Task, only: Optional[list[str]] = None) -> Domain:
    """The domain that a task's options name. See `_options.http_of`."""
    given = task.params
    if given["client_key"] and not given["client_cert"]:  # nuocmd's one file with both (NUODB-107)
        task.params = given = {**given, "client_cert": given["client_key"], "client_key": None}
    http = _options.http_of(task, "NUODB_API_URL", only, PORT, is_own)
    return Domain(http, _session.readings_of(http))

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls as JSON, and jobs that they name."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

STATE = ("job_exec", "db_state", {"params": {"db_name": "DB1"}})


def body(*arguments: Any) -> bytes:
    method, *rest = arguments
    return xmlrpc.client.dumps(tuple(rest), method).encode()

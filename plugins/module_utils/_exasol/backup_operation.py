# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An operation that runs on a database, as far as backups have to know of it."""

from __future__ import annotations

from typing import Optional

from .backup_api import BACKUP, Progress
from .cluster import Database

WAIT_HINT = "wait for its end (on_operation: wait)"


def is_backup(operation: str) -> bool:
    return BACKUP in operation.lower()


def busy_words(database: Database, progress: Optional[Progress]) -> str:
    """An operation for people."""
    return f"operation {database.operation}" + (f", {progress.percent} %" if progress and not progress.is_over else "")

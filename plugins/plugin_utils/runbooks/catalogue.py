# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All runbooks."""

from __future__ import annotations

from . import check
from .exasol import (
    cold_start as exa_cold_start,
    database_state as exa_database_state,
    graceful_shutdown as exa_graceful_shutdown,
)
from .nuodb import (
    cold_start as nuodb_cold_start,
    database_state as nuodb_database_state,
    graceful_shutdown as nuodb_graceful_shutdown,
    recover as nuodb_recover,
    rolling_restart as nuodb_rolling_restart,
)

RUNBOOKS = {
    module.RUNBOOK.name: module.RUNBOOK
    for module in (
        exa_cold_start,
        exa_graceful_shutdown,
        exa_database_state,
        nuodb_cold_start,
        nuodb_graceful_shutdown,
        nuodb_database_state,
        nuodb_rolling_restart,
        nuodb_recover,
    )
}
"""The runbooks that change something, by name."""

ALL = {**RUNBOOKS, **{f"check_{product}": book for product, book in check.CHECKS.items()}}
"""All runbooks, by the name that the task of the role uses."""

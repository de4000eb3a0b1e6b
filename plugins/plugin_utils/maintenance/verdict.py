# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a cluster is in the same state as before its maintenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._exasol import report as exasol
from ...module_utils._nuodb import report as nuodb
from ..fleet.condition import UNREACHABLE, UP

REPORTS = {"exasol": ("cluster", exasol.lost), "nuodb": ("domain", nuodb.lost)}
"""By the product: the key of the cluster in a look, and the function that compares two looks."""


def why(row: Mapping[str, Any]) -> str:
    """What is wrong with a cluster that isn't up, in one sentence that includes why the cluster doesn't answer.

    :param row: the row of a look.
    """
    return str(row["summary"] if row["state"] == UNREACHABLE else row["problem"])


def of(host: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What is wrong with a cluster, in one sentence; an empty text if it is in its earlier state.

    :param before: the row of the look at the start.
    :param now: the row of the look at the end.
    """
    if now["state"] != UP:
        return why(now)
    noun, lost = REPORTS[now["product"]]
    gone = lost(before[noun], now[noun]) if noun in before and noun in now else []
    return f"{host}: up before the maintenance, not up now: {'; '.join(gone)}" if gone else ""

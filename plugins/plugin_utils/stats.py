# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds to the stats of ansible-playbook, as C(set_stats) does: for AWX, and for later plays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def of_hosts(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The stats as a part of a task's result. Their keys are hosts, so that ansible-core merges hosts and plays.

    :param rows: the stats of each host.
    """
    return {"ansible_stats": {"data": {"dbfleet": dict(rows)}, "per_host": False, "aggregate": True}}

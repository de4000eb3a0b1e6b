# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task leaves in the stats of ansible-playbook, as C(set_stats) would: for AWX, and for plays that follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def of_hosts(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A part of a task's result. It is keyed by the host, so that it merges over hosts and plays.

    :param rows: by the host.
    """
    return {"ansible_stats": {"data": {"dbfleet": dict(rows)}, "per_host": False, "aggregate": True}}

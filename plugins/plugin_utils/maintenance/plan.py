# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a maintenance: the clusters in waves, and their states before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..fleet.condition import UP
from ..fleet.meant import Meant
from ..progress import BAD, GOOD, NOTED, WIDTH, Line
from ..table import drawn
from .settings import Settings

HEADINGS = ("WAVE", "CLUSTER", "STATE", "WHAT")


@dataclass
class Plan:
    """The clusters of a run.

    :param clusters: the connection of each cluster.
    :param settings: the variables of each cluster.
    :param accepted: the clusters that the maintenance may begin although they aren't up.
    """

    clusters: dict[str, Meant]
    settings: dict[str, Settings]
    waves: list[list[str]]
    accepted: set[str]

    def number_of(self, host: str) -> int:
        """The number of a cluster's wave."""
        return next(number for number, wave in enumerate(self.waves, 1) if host in wave)

    def is_sick(self, host: str, row: Mapping[str, Any]) -> bool:
        """Whether the maintenance may not begin a cluster. A cluster that can't be read counts as sick."""
        return row["state"] != UP and host not in self.accepted


def lines_of(plan: Plan, rows: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """The plan in words.

    :param rows: the rows of a look at all clusters.
    """
    of_run = next(iter(plan.settings.values())).values
    count, number = len(plan.clusters), len(plan.waves)
    most = int(of_run["max_failures"])
    if number == 1:
        follows = ""
    elif most:
        follows = f"; the next wave begins when no more than {most} of the clusters before it are sick"
    else:
        follows = "; the next wave begins when every cluster before it is healthy"
    how = (
        f"maintenance: {count} cluster{'' if count == 1 else 's'} in {number} wave{'' if number == 1 else 's'}{follows}"
    )
    table = [
        (
            [
                str(plan.number_of(host)),
                host,
                _state(plan, host, rows[host]),
                rows[host]["summary"].removeprefix(f"{host}: "),
            ],
            GOOD if rows[host]["state"] == UP else BAD if plan.is_sick(host, rows[host]) else NOTED,
        )
        for wave in plan.waves
        for host in wave
    ]
    return [(how, None), *drawn(HEADINGS, table, WIDTH)]


def _state(plan: Plan, host: str, row: Mapping[str, Any]) -> str:
    return f"{row['state']} (accepted)" if row["state"] != UP and not plan.is_sick(host, row) else str(row["state"])

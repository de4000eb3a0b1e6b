# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases that share a data volume, such as a copy for another site. Only one of them may run at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from ..._convergence.workers import gather
from ..._errors import Refused
from ..._wording import listing
from ..api.states import Database
from ..selection import chosen
from ..view import ClusterView


def to_start(cluster: ClusterView, wanted: list[str], every: list[str], say: Callable[[str], None]) -> list[str]:
    """The databases to start.

    If the task asks for all databases, a stopped one stays down while another one runs on its data volume.

    :param wanted: names, or `all`.
    :param every: all databases of the cluster.
    :param say: prints a line about databases that stay down.
    :raises Refused: if two databases would run on one data volume, or the task doesn't say which of them to start.
    """
    names = chosen(cluster, wanted, every, "database")
    if len(every) < 2:
        return names
    rows = gather(every, cluster.database_summary)
    left_out = set()
    for volume, together in _by_volume(rows).items():
        up = [name for name in together if not rows[name].is_stopped]
        down = [name for name in together if name in names and name not in up]
        if not down or (not up and len(down) == 1):
            continue
        if "all" not in wanted or not up:
            raise _refused(cluster.name, volume, up, down, {name: rows[name].as_dict() for name in together})
        left_out |= set(down)
        say(
            f"[{cluster.name}] databases: {listing(down)} stays down: its data volume {volume} is in use by "
            f"{listing(up)}"
        )
    return [name for name in names if name not in left_out]


def _by_volume(rows: Mapping[str, Database]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, row in rows.items():
        if row.data_volume_name:
            found.setdefault(row.data_volume_name, []).append(name)
    return {volume: names for volume, names in found.items() if len(names) > 1}


def _refused(
    cluster: str, volume: str, up: list[str], down: list[str], states: Mapping[str, Mapping[str, str]]
) -> Refused:
    about = f"{listing(up)} runs on it" if up else "the task doesn't say which of them to start"
    return Refused(
        f"{cluster}: {listing(down)} not started: {'it is' if len(down) == 1 else 'they are'} on data volume {volume}"
        f"{'' if up else ' together'}, and {about}: two databases that run on one data volume damage it",
        hint=f"stop {listing(up)} first (exa_database_state)"
        if up
        else "name the database to start in exa_cold_start_databases (databases)",
        failed_object=" ".join(down),
        last_state=dict(states),
        number="DBF-6104",
    )

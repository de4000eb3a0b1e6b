# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes that aren't whole: as a report has them, in words, what to do about them, and what a node may take away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._errors import Refused
from .._wording import joined, listing
from .api import capabilities as can
from .api.cluster import Cluster
from .api.states import NOT_RUNNING, STORAGED, Database
from .api.volumes import ARCHIVE, DEGRADED, LOCKED, ONLINE, RECOVERING, TEMPORARY, Volume
from .view import ClusterView

PART = "volume_states"
"""Of a report of a cluster (report.py)."""

ALLOW = "to accept that, set allow_last_copy: true of exa_node"

Rows = Mapping[str, Mapping[str, Any]]
"""As `states` returns them."""


def staying(cluster: Cluster) -> list[Volume]:
    """The volumes, without those that come and go with their database."""
    return [row for row in cluster.volumes().all() if TEMPORARY not in (row.labels or ())]


def states(
    cluster: Cluster, services: Mapping[str, str], volumes: Callable[[], list[Volume]]
) -> dict[str, dict[str, Any]]:
    """How each volume is that stays; none where EXAStorage is down, for nobody tells of them then.

    :param services: as far as they are known.
    :param volumes: reads the volumes that stay.
    """
    if services.get(STORAGED) == NOT_RUNNING or cluster.lacks(can.VOLUMES):
        return {}
    return {row.name: state_of(row) for row in volumes()}


def state_of(row: Volume) -> dict[str, Any]:
    return {
        "type": row.type,
        "state": row.state,
        "redundancy": row.redundancy,
        "not_online": list(row.away),
    }


def hurt(rows: Rows) -> dict[str, Mapping[str, Any]]:
    """Those of the volumes that aren't whole. Of one whose state isn't told nothing is said."""
    return {name: row for name, row in rows.items() if row["not_online"] or row["state"].upper() not in ("", ONLINE)}


def hurt_beside(rows: Rows, spared: set[str]) -> dict[str, Mapping[str, Any]]:
    """As `hurt`, without those that only miss nodes that need not be online.

    :param spared: names of nodes.
    """
    found = hurt(rows)
    missing = {name: {text.split(" ")[0] for text in row["not_online"]} for name, row in found.items()}
    return {
        name: row
        for name, row in found.items()
        if not missing[name] or missing[name] - spared or row["state"].upper() == LOCKED
    }


def words(rows: Rows) -> str:
    """`DataVolume1 DEGRADED (n12 OFFLINE)`."""
    said = [
        f"{name} {row['state']}" + (f" ({listing(row['not_online'], 4, ', ')})" if row["not_online"] else "")
        for name, row in rows.items()
    ]
    return listing(said, between=", ")


def hints(rows: Rows) -> str:
    """What to do about volumes that aren't whole."""
    by_state: dict[str, list[str]] = {}
    for name, row in rows.items():
        kind = ARCHIVE if row["type"] == ARCHIVE and row["state"].upper() == DEGRADED else row["state"].upper()
        by_state.setdefault(kind, []).append(name)
    said = {
        RECOVERING: "{}: wait until the recovery ends",
        DEGRADED: "{}: bring its nodes back, or wait until EXAStorage has moved the volume (volume_move_delay)",
        ARCHIVE: "{}: an archive volume has no volume_move_delay and stays DEGRADED until its nodes are back, or you "
        "move it to another node (option nodes of exa_volume, which calls st_volume_move_node)",
        LOCKED: "{}: find out why it is locked (exa_volume state=unlocked shows the reason, and changes nothing if "
        "EXAStorage has locked it)",
    }
    return joined(said[kind].format(listing(names)) for kind, names in by_state.items() if kind in said) or (
        "bring its nodes back"
    )


def last_copies(row: Volume, taken: set[str], online: set[str]) -> list[str]:
    """The segments that no node but these can read, as far as the server tells where they are.

    A volume that never had a second copy isn't meant: whoever takes one of its nodes knows that it goes.

    :param taken: names of nodes.
    :param online: of those that take part now.
    """
    if row.redundancy == 1:
        return []
    # EXAoperation tells no states of segments: which copy a recovery makes isn't known.
    unsure = row.is_recovering and not row.away
    found = []
    for index, nodes in sorted(row.copies.items()):
        holders = [node for node in nodes if node in online]
        if any(node in taken for node in holders) and (unsure or set(holders) <= taken):
            found.append(f"segment {index} on {listing(sorted(set(holders) & taken))}")
    return found


def refuse_last_copy(
    cluster: ClusterView, names: list[str], online: list[str], what: str, overrides: str, back: tuple[str, ...] = ()
) -> None:
    """The rule before nodes are taken from EXAStorage while it runs; read afresh.

    :param names: the nodes.
    :param online: those that take part now.
    :param what: what would be done to them.
    :param overrides: what overrides it, for the hint.
    :param back: nodes that come back before; of a volume on one of them nothing can be said yet.
    :raises Refused: they hold what no other node has now.
    """
    if cluster.lacks(can.VOLUMES):
        return
    taken = set(names)
    found = [row for row in cluster.volumes().all() if not any(node in row.nodes for node in back)]
    losing = {row.name: (row, lost) for row in found for lost in [last_copies(row, taken, set(online))] if lost}
    if losing:
        rows = {name: state_of(row) for name, (row, _lost) in losing.items()}
        lost_of = {name: listing(lost, 4, ", ") for name, (_row, lost) in losing.items()}
        said = [f"volume {words({name: rows[name]})}: {lost}" for name, lost in lost_of.items()]
        raise Refused(
            f"{cluster.name}: {listing(names)} not {what}: {'; '.join(said)}, and no other node has a copy now, so the "
            "last copy would be gone and EXAStorage would lock the volume",
            hint=joined([hints(rows) if hurt(rows) else "leave one of these nodes out", overrides]),
            failed_object=" ".join(names),
            last_state=rows,
            number="DBF-6305",
        )


def missing_copies(found: dict[str, Any], ignore_nodes: Iterable[str] = ()) -> tuple[list[str], str]:
    """Which data of a cluster has fewer copies than it should have, and what to do about it.

    The vendor watches the info of a database: where it isn't empty, something is to be done (EXA-60). What it says of
    one that is stopped isn't known (EXA-61).

    :param found: what `report.of` returned.
    :param ignore_nodes: as those of `report.lacking`.
    """
    spared = {number(name) for name in ignore_nodes}
    names = {name for name in found.get("nodes") or {} if number(name) in spared}
    hurt = hurt_beside(found.get(PART) or {}, names)
    databases = {
        name: db for name, db in (found.get("databases") or {}).items() if not Database.of(name, db).is_stopped
    }
    says = [f"{name} reports: {db['info']}" for name, db in databases.items() if db.get("info")]
    # Where only nodes are missing that need not be online, a database says no more than that.
    told = says if hurt or not names else []
    hint = hints(hurt) if hurt else "check its volumes (exa_cluster_info) and its nodes" if told else ""
    return [f"volumes {words(hurt)}"] * bool(hurt) + told, hint


def number(node: str) -> str:
    """What n0011, n11 and 11 have in common."""
    return node.lower().removeprefix("n").lstrip("0") or node

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes with missing copies: as a report shows them, in words, what to do, and which nodes have the last copy."""

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
"""The part of a cluster's report (report.py)."""

ALLOW = "to accept that, set allow_last_copy: true of exa_node"

Rows = Mapping[str, Mapping[str, Any]]
"""The rows that `states` returns."""


def staying(cluster: Cluster) -> list[Volume]:
    """The volumes without the temporary ones, which come and go with their database."""
    return [row for row in cluster.volumes().all() if TEMPORARY not in (row.labels or ())]


def states(
    cluster: Cluster, services: Mapping[str, str], volumes: Callable[[], list[Volume]]
) -> dict[str, dict[str, Any]]:
    """The state of each volume that stays; empty while EXAStorage is down, because the server lists no volumes then.

    :param services: the services, if they are known.
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
    """The volumes with missing copies or another state than ONLINE. A volume without a state doesn't count."""
    return {name: row for name, row in rows.items() if row["not_online"] or row["state"].upper() not in ("", ONLINE)}


def hurt_beside(rows: Rows, spared: set[str]) -> dict[str, Mapping[str, Any]]:
    """As `hurt`, but without volumes that miss only nodes that need not be online.

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
    """What to do about the volumes that `hurt` returns."""
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
    """The segments that only these nodes can read, if the server reports where the segments are.

    A volume with redundancy 1 never had a second copy: the user who takes one of its nodes knows that.

    :param taken: names of the nodes.
    :param online: names of the nodes that take part now.
    """
    if row.redundancy == 1:
        return []
    # EXAoperation shows no states of segments, so it isn't known which copy a recovery is making.
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
    """The rule before nodes are taken from EXAStorage while it runs. Reads the volumes again.

    :param names: the nodes.
    :param online: the nodes that take part now.
    :param what: what would be done to them.
    :param overrides: how to override the refusal, for the hint.
    :param back: nodes that come back before that. Volumes on them are left out, because their state will change.
    :raises Refused: the nodes have data of which no other node has a copy now.
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

    The vendor watches the info of a database: unless it is empty, somebody must act (EXA-60). What it shows for a
    stopped database isn't known (EXA-61).

    :param found: what `report.of` returned.
    :param ignore_nodes: as in `report.lacking`.
    """
    spared = {number(name) for name in ignore_nodes}
    names = {name for name in found.get("nodes") or {} if number(name) in spared}
    hurt = hurt_beside(found.get(PART) or {}, names)
    databases = {
        name: db for name, db in (found.get("databases") or {}).items() if not Database.of(name, db).is_stopped
    }
    says = [f"{name} reports: {db['info']}" for name, db in databases.items() if db.get("info")]
    # If only nodes are missing that need not be online, the info of a database says nothing else.
    told = says if hurt or not names else []
    hint = hints(hurt) if hurt else "check its volumes (exa_cluster_info) and its nodes" if told else ""
    return [f"volumes {words(hurt)}"] * bool(hurt) + told, hint


def number(node: str) -> str:
    """The number that n0011, n11 and 11 share."""
    return node.lower().removeprefix("n").lstrip("0") or node

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the task wants of volumes, and which of that an existing volume can't become."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ..._errors import ClusterError
from ..._options import refuse_unknown, refuse_unprintable
from ..._wording import listing
from ..api import capabilities as can
from ..api.sizes import LARGEST, size_of
from ..api.volumes import Volume
from ..view import ClusterView

SETTINGS = {
    "priority": None,
    "shared": can.VOLUME_OWNER,
    "permissions": can.VOLUME_OWNER,
    "owner": can.VOLUME_OWNER,
    "allowed_users": can.VOLUME_USERS,
    "readonly_users": can.VOLUME_USERS,
}
"""Settings that one call sets -> the capability that each needs; None if every provider has it."""

SAID = (
    "type", "size", "disk", "nodes", "num_master_nodes", "redundancy", *SETTINGS, "labels", "absent_labels",
    "exact_labels", "app_io", "int_io", "allow_shrink", "num_bytes", "ignore_unlock_conditions",
)  # fmt: skip
"""The options that describe a volume."""

MEANS: dict[str, tuple[str, ...]] = {
    "locked": (),
    "unlocked": ("ignore_unlock_conditions",),
    "cleared": ("nodes", "num_bytes"),
}
"""State -> the options of `SAID` that have an effect with it. States that aren't listed allow all of them."""

WITH_DEFAULT = ("labels", "absent_labels", "exact_labels", "allow_shrink", "num_bytes", "ignore_unlock_conditions")


@dataclass(frozen=True)
class WantedVolume:
    """The options of the task. An option that isn't given is None.

    :param settings: the settings of `SETTINGS` that are given.
    :param confirm: the names of the volumes whose data may be deleted.
    """

    names: tuple[str, ...]
    state: str
    type: Optional[str] = None
    size: Optional[int] = None
    disk: Optional[str] = None
    nodes: Optional[tuple[str, ...]] = None
    masters: Optional[int] = None
    redundancy: Optional[int] = None
    labels: tuple[str, ...] = ()
    absent_labels: tuple[str, ...] = ()
    exact_labels: bool = False
    app_io: Optional[bool] = None
    int_io: Optional[bool] = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    num_bytes: int = 0
    allow_shrink: bool = False
    confirm: tuple[str, ...] = ()
    ignore_unlock_conditions: bool = False

    @property
    def io(self) -> dict[str, bool]:
        """The I/O options that are given."""
        given = {"app_io": self.app_io, "int_io": self.int_io}
        return {name: value for name, value in given.items() if value is not None}


def wanted_of(cluster: ClusterView, given: dict[str, Any]) -> WantedVolume:
    """Checks the options.

    :raises ClusterError: if an option has a wrong value, or two options don't go together.
    """

    def refuse(why: str) -> ClusterError:
        return ClusterError(f"{cluster.name}: {why}")

    names = tuple(dict.fromkeys(str(name).strip() for name in given["name"]))
    if not names or not all(names):
        raise refuse("name is empty: give the name of each volume")
    for name in names if given["state"] == "present" else ():
        refuse_unprintable(f"{cluster.name}: volume", name)
    said = [name for name in SAID if (given[name] if name in WITH_DEFAULT else given[name] is not None)]
    unasked = [name for name in said if name not in MEANS.get(given["state"], SAID)]
    if unasked:
        have = "has" if len(unasked) == 1 else "have"
        raise refuse(f"{' and '.join(unasked)} {have} no effect with state={given['state']}: leave it out")
    size = None if given["size"] is None else size_of(given["size"])
    if given["size"] is not None and not size:
        raise refuse(f"size: {given['size']!r} is not a size with its unit, such as 10 GiB")
    settings = {name: given[name] for name in SETTINGS if given[name] is not None}
    if not re.fullmatch(r"([r-][w-][x-]){3}", settings.get("permissions", "---------")):
        raise refuse(f"permissions: {settings['permissions']!r} is not of the form rwx------")
    if len(settings.get("owner", (0, 0))) != 2:
        raise refuse("owner must be two ids: that of a user and that of a group")
    for name, least, most in (("priority", 0, 20), ("redundancy", 1, 99), ("num_master_nodes", 1, 9999)):
        if given[name] is not None and (isinstance(given[name], bool) or not least <= given[name] <= most):
            raise refuse(f"{name} must be from {least} to {most}, not {given[name]}")
    if given["num_bytes"] < 0 or isinstance(given["num_bytes"], bool):
        raise refuse("num_bytes must be 0, for all bytes, or more")
    if given["num_bytes"] > LARGEST and given.get("rpc_format") != "json":
        raise refuse(f"num_bytes: {given['num_bytes']} is more than XML-RPC can write ({LARGEST}); 0 clears all")
    if given["nodes"] == []:  # the server would clear the segments of all nodes
        raise refuse("nodes is empty: name the nodes, or leave it out")
    if not all(label.strip() for label in (*given["labels"], *given["absent_labels"])):
        raise refuse("a label is empty")
    both = [label for label in given["labels"] if label in given["absent_labels"]]
    if both:
        raise refuse(f"label {both[0]!r} is in labels and in absent_labels")
    return WantedVolume(
        names,
        given["state"],
        given["type"],
        size,
        given["disk"],
        _nodes(cluster, given["nodes"]),
        given["num_master_nodes"],
        given["redundancy"],
        tuple(dict.fromkeys(given["labels"])),
        tuple(dict.fromkeys(given["absent_labels"])),
        given["exact_labels"],
        given["app_io"],
        given["int_io"],
        {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()},
        given["num_bytes"],
        given["allow_shrink"],
        tuple(given["confirm"]),
        given["ignore_unlock_conditions"],
    )


def _nodes(cluster: ClusterView, given: Optional[list[str]]) -> Optional[tuple[str, ...]]:
    """The given nodes, spelt as the cluster spells them."""
    if given is None:
        return None
    known = cluster.nodes()
    if "all" in given:
        return tuple(known)
    names = [cluster.provider.node_name(name, known) for name in given]
    refuse_unknown(cluster.name, "node", names, known)
    return tuple(dict.fromkeys(names))


def made_otherwise(wanted: WantedVolume, row: Volume) -> Optional[str]:
    """Which fixed property of the volume differs from the wanted one, as a sentence; None if none differs."""
    added = len(missing(row, wanted.nodes)) - len(extra(row, wanted.nodes))
    for what, is_, should in (
        ("type", row.type, wanted.type),
        ("disk", row.disk, wanted.disk),
        ("num_master_nodes", row.masters + max(0, added), wanted.masters),
    ):
        if should is not None and is_ != should:
            return f"its {what} is {is_}, not {should}, and no call can change that"
    return None


def cannot_become(wanted: WantedVolume, row: Volume) -> Optional[str]:
    """Why the volume can't become what the task wants, as a sentence; None if it can."""
    added = len(missing(row, wanted.nodes)) - len(extra(row, wanted.nodes))
    other = made_otherwise(wanted, row)
    if other:
        return other
    given = [*wanted.settings, *wanted.io]
    untold = [name for name in given if getattr(row, name) is None]
    if row.labels is None and (wanted.labels or wanted.absent_labels or wanted.exact_labels):
        untold.append("labels")
    if untold:
        return f"this run can't compare its {listing(untold)}, because the server doesn't report that"
    nodes = len(row.nodes) + max(0, added)
    if wanted.redundancy is not None and wanted.redundancy > nodes:
        return f"redundancy {wanted.redundancy} needs at least as many nodes, and the volume is on only {nodes}"
    return None


def extra(row: Volume, nodes: Optional[tuple[str, ...]]) -> list[str]:
    """The nodes that the volume is on and shouldn't be on."""
    return [] if nodes is None else [node for node in row.nodes if node not in nodes]


def missing(row: Volume, nodes: Optional[tuple[str, ...]]) -> list[str]:
    """The nodes that the volume should be on and isn't on."""
    return [node for node in nodes or () if node not in row.nodes]

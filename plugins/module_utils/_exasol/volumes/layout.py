# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of a volume's nodes, redundancy and size: it is created, moved, spread to more nodes or resized."""

from __future__ import annotations

from typing import Callable, Optional

from ..._convergence.stage import Fail
from ..._wording import listing, near
from ..api import capabilities as can
from ..api.sizes import VISIBLE, size_text
from ..api.volumes import DATA, NAME_LABEL, RECOVERING, Volume, VolumeApi
from .change import Change, Row, locked, state_words, there
from .wanted import WantedVolume, extra, missing


def create(api: VolumeApi, wanted: WantedVolume, seen: Callable[[], list[Volume]]) -> Change:
    """The change that creates the volume.

    :param seen: returns all volumes as they were read last.
    """

    def target(name: str, row: Row) -> Row:
        nodes = wanted.nodes or ()
        return row or Volume(
            None,
            name,
            wanted.type or DATA,
            size=wanted.size,
            redundancy=wanted.redundancy or 1,
            nodes=nodes,
            masters=wanted.masters or len(nodes) or 1,
            disk=wanted.disk,
            labels=(f"{NAME_LABEL}{name}",),
            app_io=True,
            int_io=True,
            **wanted.settings,
        )

    def forbidden(name: str, _row: Row) -> Optional[Fail]:
        given = {**wanted.settings, "disk": wanted.disk, "nodes": wanted.nodes, "size": wanted.size}
        given["redundancy"] = wanted.redundancy
        lacking = [option for option in api.needs if given.get(option) in (None, ())]
        if lacking:
            known = near(name, [row.name for row in seen()])
            return Fail(f"there is no such volume{known}; to create it, give {listing(lacking)}", number="DBF-6314")
        if api.names_are_labels and any(row.labels is None for row in seen()):
            return Fail(
                "a label keeps a volume's name, and this server doesn't report labels: the next run would create "
                "another volume",
                hint="create it in EXAoperation, then name it here by its number",
                number="DBF-6314",
            )
        nodes, masters = wanted.nodes or (), wanted.masters or len(wanted.nodes or ())
        if masters > len(nodes) or (wanted.redundancy or 1) > len(nodes):
            return Fail(
                f"{len(nodes)} nodes are too few for redundancy {wanted.redundancy} and {masters} master nodes",
                number="DBF-6314",
            )
        return _uneven(wanted.size or 0, 0, api.grain)

    return Change(
        "create",
        "there",
        lambda row: row is None,
        lambda row: row.state,
        target,
        lambda name, _row: api.create(there(target(name, None))),
        forbidden,
        onto=lambda _row: list(wanted.nodes or ()),
    )


def _uneven(size: int, now: int, grain: int) -> Optional[Fail]:
    """The refusal of a size that isn't a whole number of blocks away from the current one; None if it is."""
    rest = (size - now) % grain
    if not rest:
        return None
    around = [size_text(near_one) for near_one in (size - rest, size - rest + grain) if near_one > 0]
    return Fail(
        f"a size of {size_text(size)} is not possible, because sizes change in steps of {size_text(grain)}",
        hint=f"the nearest sizes are {' and '.join(around)}",
        number="DBF-6314",
    )


def move(api: VolumeApi, nodes: tuple[str, ...]) -> Change:
    """The change that moves segments from nodes that the task doesn't name to nodes that it names."""

    def pairs(row: Volume) -> list[tuple[str, str]]:
        return list(zip(extra(row, nodes), missing(row, nodes)))

    def target(_name: str, row: Row) -> Row:
        by_source = dict(pairs(there(row)))
        return there(row).with_(nodes=tuple(by_source.get(node, node) for node in there(row).nodes))

    def forbidden(_name: str, row: Row) -> Optional[Fail]:
        leaving, coming = extra(there(row), nodes), missing(there(row), nodes)
        if len(leaving) > len(coming):
            return Fail(
                f"it is on {listing(leaving)} too, and a volume can't get fewer nodes: {len(leaving)} would "
                f"leave and {len(coming)} would come",
                hint="name all nodes of the volume in nodes; segments can only move from one node to another",
                number="DBF-6309",
            )
        return _only_copy(there(row), leaving) or locked(row)

    return Change(
        "move",
        listing(list(nodes), 20),
        lambda row: row is not None and bool(extra(row, nodes)),
        lambda row: listing(list(row.nodes), 20),
        target,
        lambda _name, row: api.move_nodes(there(row), pairs(there(row))),
        forbidden,
        moves_data=True,
        onto=lambda row: missing(there(row), nodes),
    )


def _only_copy(row: Volume, leaving: list[str]) -> Optional[Fail]:
    """The refusal to move segments while their only copy is on a node that can't be read; None if they can move."""
    away = {text.split(" ")[0] for text in row.away if RECOVERING not in text.upper()}
    dead = [node for node in leaving if node in away]
    if not row.lacks_data and not (dead and row.redundancy == 1):
        return None
    return Fail(
        f"its segments aren't moved while it is {state_words(row)}: data that no other node has would be left behind",
        hint="bring the nodes back first (exa_node state=online or resumed); nothing overrides this",
        number="DBF-6310",
    )


def append(api: VolumeApi, nodes: tuple[str, ...]) -> Change:
    """The change that spreads the volume to more nodes. Its size grows with them."""

    def target(_name: str, row: Row) -> Row:
        known, more = there(row), missing(there(row), nodes)
        masters = known.masters + len(more)
        size = known.size and known.size * masters // known.masters
        return known.with_(nodes=(*known.nodes, *more), masters=masters, size=size)

    def forbidden(_name: str, row: Row) -> Optional[Fail]:
        more, copies = len(missing(there(row), nodes)), there(row).redundancy
        if more < copies:
            return Fail(
                f"{more} more node is too few: with redundancy {copies}, EXAStorage adds {copies} nodes at a time",
                hint="lower the redundancy first, or append more nodes",
                number="DBF-6309",
            )
        return locked(row)

    return Change(
        "append",
        listing(list(nodes), 20),
        lambda row: row is not None and bool(missing(row, nodes)) and not extra(row, nodes),
        lambda row: listing(list(row.nodes), 20),
        target,
        lambda _name, row: api.append_nodes(there(row), missing(there(row), nodes)),
        forbidden,
        moves_data=True,
        onto=lambda row: missing(there(row), nodes),
    )


def raise_redundancy(api: VolumeApi, redundancy: int) -> Change:
    """The change that adds copies of the data."""

    def unreadable(row: Volume) -> Optional[Fail]:
        if not row.lacks_data:
            return None
        return Fail(
            f"its redundancy isn't raised while it is {state_words(row)}: no node can read the data to copy",
            hint="bring the nodes back first (exa_node state=online or resumed); nothing overrides this",
            number="DBF-6306",
        )

    return _redundancy(api, "raise", redundancy, lambda row: row.redundancy < redundancy, unreadable)


def lower_redundancy(api: VolumeApi, redundancy: int) -> Change:
    """The change that removes copies of the data."""

    def degraded(row: Volume) -> Optional[Fail]:
        if row.is_whole:
            return None
        return Fail(
            f"its redundancy isn't lowered while it is {state_words(row)}: the last copy of data could be lost",
            hint="bring the nodes back and wait until all segments are ONLINE; nothing overrides this",
            number="DBF-6308",
        )

    return _redundancy(api, "lower", redundancy, lambda row: row.redundancy > redundancy, degraded)


def _redundancy(
    api: VolumeApi, key: str, to: int, needed: Callable[[Volume], bool], why: Callable[[Volume], Optional[Fail]]
) -> Change:
    return Change(
        key,
        f"redundancy {to}",
        lambda row: row is not None and needed(row),
        lambda row: f"redundancy {row.redundancy}",
        lambda _name, row: there(row).with_(redundancy=to),
        lambda _name, row: api.set_redundancy(there(row), to),
        lambda _name, row: why(there(row)) or locked(row),
        moves_data=True,
    )


def resize(api: VolumeApi, wanted: WantedVolume, size: int, key: str) -> Change:
    """The change of the size, rounded down to whole blocks as the server does when it creates a volume.

    :param size: the wanted size in bytes.
    :param key: `enlarge` or `shrink`: the only direction that this change takes.
    """

    def needed(row: Row) -> bool:
        if row is None or row.has_size(size):
            return False
        return row.size is None or (row.size < size) == (key == "enlarge")

    def forbidden(_name: str, row: Row) -> Optional[Fail]:
        known = there(row)
        if known.size is None:
            return Fail("the server reports no size that can be read", number="DBF-6314")
        if key == "shrink" and not wanted.allow_shrink:
            return Fail(
                f"its size is {size_text(known.size)} and would shrink to {size_text(size)}, and shrinking can lose "
                "data",
                hint="to allow this, set allow_shrink: true",
                number="DBF-6307",
            )
        return (_uneven(size, known.size, known.grain) if known.grain >= VISIBLE else None) or locked(row)

    def reached(row: Row) -> int:
        known = there(row)
        return size - (size - (known.size or 0)) % known.grain

    return Change(
        key,
        size_text(size),
        needed,
        lambda row: size_text(row.size),
        lambda _name, row: there(row).with_(size=reached(row)),
        lambda _name, row: api.resize(there(row), reached(row)),
        forbidden,
        moves_data=True,
        risk="data in use could be lost" if key == "shrink" else "",
        capability=can.VOLUME_SHRINK if key == "shrink" else None,
    )

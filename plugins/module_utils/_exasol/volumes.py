# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How volumes of EXAStorage become what is wanted, one change after another, and what may not be done to them when.

All changes are planned before the first, each on what the one before it would leave, so that what can't be reached is
refused while nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Optional, Protocol, TypeVar

from .._converge import Act, Decision, Done, Fail, History, Join, Stage
from .._errors import ClusterError, NoSuchObject, Refused, near
from .._options import refuse_unknown
from .._wait import listing
from . import capabilities as can
from .assumed import AnyCluster
from .cluster import IDLE
from .nodes import offline_nodes
from .volume_api import DATA, LOCKED, MANAGED, NAME_LABEL, NUMBERED, ONLINE, Volume, VolumeApi, size_of, size_text

SETTINGS = {
    "priority": None,
    "shared": can.VOLUME_OWNER,
    "permissions": can.VOLUME_OWNER,
    "owner": can.VOLUME_OWNER,
    "allowed_users": can.VOLUME_USERS,
    "readonly_users": can.VOLUME_USERS,
}
"""What is simply set -> the capability that it takes."""

Row = Optional[Volume]


@dataclass(frozen=True)
class Wanted:
    """What the options say of the volumes. What they don't say is None.

    :param settings: of C(SETTINGS), those that are given.
    :param confirm: the names of the volumes whose data may go.
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


def wanted_of(cluster: AnyCluster, given: dict[str, Any]) -> Wanted:
    """The options, checked.

    :raises ClusterError: they make no sense.
    """

    def refuse(why: str) -> ClusterError:
        return ClusterError(f"{cluster.name}: {why}")

    names = tuple(dict.fromkeys(str(name).strip() for name in given["name"]))
    if not names or not all(names):
        raise refuse("no volume is named (name)")
    size = None if given["size"] is None else size_of(given["size"])
    if given["size"] is not None and not size:
        raise refuse(f"size: {given['size']!r} is not a size with its unit, such as 10 GiB")
    settings = {name: given[name] for name in SETTINGS if given[name] is not None}
    if not re.fullmatch(r"([r-][w-][x-]){3}", settings.get("permissions", "---------")):
        raise refuse(f"permissions: {settings['permissions']!r} is not of the form rwx------")
    if len(settings.get("owner", (0, 0))) != 2:
        raise refuse("owner is the id of a user and that of a group")
    for name, least, most in (("priority", 0, 20), ("redundancy", 1, 99), ("num_master_nodes", 1, 9999)):
        if given[name] is not None and not least <= given[name] <= most:
            raise refuse(f"{name} is from {least} to {most}, and {given[name]} is wanted")
    if given["num_bytes"] < 0:
        raise refuse("num_bytes can't be less than 0, which is all")
    both = [label for label in given["labels"] if label in given["absent_labels"]]
    if both:
        raise refuse(f"label {both[0]!r} is in labels and in absent_labels")
    return Wanted(
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
    )


def _nodes(cluster: AnyCluster, given: Optional[list[str]]) -> Optional[tuple[str, ...]]:
    """Nodes as the cluster names them."""
    if given is None:
        return None
    known = cluster.nodes()
    if "all" in given:
        return tuple(known)
    names = [cluster.provider.node_name(name, known) for name in given]
    refuse_unknown(cluster.name, "node", names, known)
    return tuple(dict.fromkeys(names))


class Numbered(Protocol):
    """A volume, or a remote one."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """What else it is called."""


AnyVolume = TypeVar("AnyVolume", bound=Numbered)


def found_in(cluster: str, volumes: Iterable[AnyVolume], name: str) -> Optional[AnyVolume]:
    """The volume of that name, else of that number.

    :raises ClusterError: several are meant.
    """
    rows = list(volumes)
    for fits in (lambda row: row.name == name, lambda row: name in row.numbers):
        found = [row for row in rows if fits(row)]
        if len(found) > 1:
            also = listing([row.numbers[1] if len(row.numbers) > 1 else row.name for row in found])
            raise ClusterError(f"{cluster}: several volumes are called {name}: {also}", failed_object=name)
        if found:
            return found[0]
    return None


@dataclass(frozen=True)
class Change:
    """One thing that may have to be done to a volume.

    :param key: in C(VolumeApi.calls).
    :param done: what it is then, in words.
    :param needed: whether it has to be done; decided on what was seen last.
    :param forbidden: why it can't be.
    :param moves_data: whether EXAStorage must be at rest for it, and works in the background after it.
    :param risk: what it would do to a database that uses the volume; empty where it does nothing to it.
    :param onto: the nodes that must be online for it.
    :param capability: what the API must be able to do for it.
    """

    key: str
    done: str
    needed: Callable[[Row], bool]
    words: Callable[[Volume], str]
    target: Callable[[str, Row], Row]
    call: Callable[[str, Row], Any]
    forbidden: Callable[[str, Row], Optional[Fail]] = lambda _name, _volume: None
    moves_data: bool = False
    risk: str = ""
    onto: Callable[[Row], list[str]] = lambda _volume: []
    capability: Optional[str] = None


class Volumes:
    """The volumes of one task."""

    def __init__(self, cluster: AnyCluster, wanted: Wanted) -> None:
        self._cluster = cluster
        self._wanted = wanted
        self._api: VolumeApi = cluster.volumes()
        self._cleared: set[Optional[int]] = set()
        self.before = self._look(list(wanted.names))
        """The volumes as they were found, by the names that they were asked for by."""
        self.after: dict[str, Row] = dict(self.before)
        """As they would be when all is done."""
        self._titles = {name: row.name if row else name for name, row in self.before.items()}
        self._check_names()

    def _look(self, names: list[str]) -> dict[str, Row]:
        self._seen = self._api.all()
        return {name: found_in(self._cluster.name, self._seen, name) for name in names}

    def _check_names(self) -> None:
        cluster, ids = self._cluster.name, [row.id for row in self.before.values() if row]
        if len(set(ids)) < len(ids):
            raise ClusterError(f"{cluster}: one volume is named twice, by name and by number")
        missing = [name for name, row in self.before.items() if row is None]
        known = [row.name for row in self._seen]
        if self._wanted.state in ("present", "absent"):
            # A number that isn't there can't be had; a volume that is gone, or never was, is absent.
            missing = [name for name in missing if NUMBERED.fullmatch(name) and self._wanted.state == "present"]
        if missing:
            said = ", ".join(f"{name}{near(name, known)}" for name in missing)
            why = "; numbers are given by the cluster" if self._wanted.state == "present" else ""
            raise NoSuchObject(
                f"{cluster}: there is no volume {said}; there are: {listing(known, 20) or 'none'}{why}",
                failed_object=" ".join(missing),
            )

    # -- what is to be done

    def _changes(self) -> list[Change]:
        if self._wanted.state == "present":
            for name in self._wanted.settings:
                self._require(SETTINGS[name])
            return self._present()
        return [{"locked": self._lock, "unlocked": self._unlock, "cleared": self._clear, "absent": self._delete}[
            self._wanted.state
        ]()]  # fmt: skip

    def _require(self, capability: Optional[str]) -> None:
        if capability:
            self._cluster.require(capability)

    def _lock(self) -> Change:
        return Change(
            "lock",
            LOCKED,
            lambda row: row is not None and not row.is_locked,
            lambda row: row.state,
            lambda _name, row: row and row.with_(state=LOCKED),
            lambda _name, row: self._api.lock(there(row)),
            risk="it would be closed under it",
            capability=can.VOLUME_LOCK,
        )

    def _unlock(self) -> Change:
        return Change(
            "unlock",
            "unlocked",
            lambda row: row is not None and row.is_locked,
            lambda row: row.state,
            lambda _name, row: row and row.with_(state=ONLINE),
            lambda _name, row: self._api.unlock(there(row)),
            capability=can.VOLUME_LOCK,
        )

    def _clear(self) -> Change:
        nodes = list(self._wanted.nodes or ())

        def call(_name: str, row: Row) -> None:
            self._api.clear(there(row), self._wanted.num_bytes, nodes)
            self._cleared.add(there(row).id)

        def forbidden(name: str, row: Row) -> Optional[Fail]:
            strange = [node for node in nodes if row and node not in row.nodes]
            if strange:
                return Fail(f"it isn't on {listing(strange)}, it is on {listing(list(there(row).nodes), 20)}")
            return self._unconfirmed(name, row, "overwrites its data with zeroes") or self._locked(row)

        return Change(
            "clear",
            "cleared",
            lambda row: row is not None and row.id not in self._cleared,
            lambda row: "cleared" if row.id in self._cleared else "written",
            lambda _name, row: row,
            call,
            forbidden,
            risk="its data would be gone",
            capability=can.VOLUME_CLEAR,
        )

    def _delete(self) -> Change:
        return Change(
            "delete",
            "gone",
            lambda row: row is not None,
            lambda row: row.state,
            lambda _name, _row: None,
            lambda _name, row: self._api.delete(there(row)),
            lambda name, row: self._unconfirmed(name, row, "deletes it with all data"),
            risk="its data would be gone",
        )

    def _present(self) -> list[Change]:
        wanted = self._wanted
        changes = [self._create(), *self._io(True)]
        if wanted.redundancy is not None:
            changes.append(self._lower(wanted.redundancy))
        if wanted.nodes is not None:
            changes += [self._move(wanted.nodes), self._append(wanted.nodes)]
        if wanted.redundancy is not None:
            changes.append(self._raise(wanted.redundancy))
        if wanted.size is not None:
            changes += [self._resize(wanted.size, "enlarge"), self._resize(wanted.size, "shrink")]
        changes += [self._setting(name, value) for name, value in wanted.settings.items()]
        return [*changes, *self._labels(), *self._io(False)]

    def _create(self) -> Change:
        wanted = self._wanted

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
            lacking = [option for option in self._api.needs if given.get(option) in (None, ())]
            if lacking:
                known = near(name, [row.name for row in self._seen])
                return Fail(f"there is no such volume{known}, and to create it {listing(lacking)} must be given")
            if self._api.names_are_labels and any(row.labels is None for row in self._seen):
                return Fail(
                    "a volume's name is kept as a label, and this server doesn't tell labels: the next run would "
                    "create another one",
                    hint="create it in EXAoperation, and name it by its number",
                )
            nodes, masters = wanted.nodes or (), wanted.masters or len(wanted.nodes or ())
            if masters > len(nodes) or (wanted.redundancy or 1) > len(nodes):
                return Fail(
                    f"{len(nodes)} nodes are too few for redundancy {wanted.redundancy} and {masters} master nodes"
                )
            return self._uneven(wanted.size or 0, 0, self._api.grain)

        return Change(
            "create",
            "there",
            lambda row: row is None,
            lambda row: row.state,
            target,
            lambda name, _row: self._api.create(there(target(name, None))),
            forbidden,
            onto=lambda _row: list(wanted.nodes or ()),
        )

    @staticmethod
    def _uneven(size: int, now: int, grain: int) -> Optional[Fail]:
        """A size that can't be had exactly."""
        rest = (size - now) % grain
        if not rest:
            return None
        around = [size_text(near_one) for near_one in (size - rest, size - rest + grain) if near_one > 0]
        return Fail(
            f"a size of {size_text(size)} can't be had exactly, for it changes by {size_text(grain)} at a time",
            hint=f"the nearest sizes are {' and '.join(around)}",
        )

    def _unlike(self, row: Volume) -> Optional[str]:
        """What it is and can't become."""
        wanted = self._wanted
        added = len(_missing(row, wanted.nodes)) - len(_extra(row, wanted.nodes))
        for what, is_, should in (
            ("type", row.type, wanted.type),
            ("disk", row.disk, wanted.disk),
            ("num_master_nodes", row.masters + max(0, added), wanted.masters),
        ):
            if should is not None and is_ != should:
                return f"its {what} is {is_}, {should} is wanted, and no call changes that"
        given = [*wanted.settings, *self._given_io()]
        untold = [name for name in given if getattr(row, name) is None]
        if row.labels is None and (wanted.labels or wanted.absent_labels or wanted.exact_labels):
            untold.append("labels")
        if untold:
            return f"the server doesn't tell its {listing(untold)}, which can't be compared with what is wanted"
        nodes = len(row.nodes) + max(0, added)
        if wanted.redundancy is not None and wanted.redundancy > nodes:
            return f"redundancy {wanted.redundancy} needs as many nodes, and it is on {nodes}"
        return None

    @staticmethod
    def _locked(row: Row) -> Optional[Fail]:
        if row is not None and row.is_locked:
            return Fail(
                "it is locked, and its data can't be changed then", hint="exa_volume state=unlocked comes first"
            )
        return None

    def _unconfirmed(self, name: str, row: Row, what: str) -> Optional[Fail]:
        if row is None or {name, row.name} & set(self._wanted.confirm):
            return None
        return Fail(f"that {what}, and confirm doesn't name it", hint=f"confirm: [{name}] says that it is meant")

    def _move(self, nodes: tuple[str, ...]) -> Change:
        def pairs(row: Volume) -> list[tuple[str, str]]:
            return list(zip(_extra(row, nodes), _missing(row, nodes)))

        def target(_name: str, row: Row) -> Row:
            by_source = dict(pairs(there(row)))
            return there(row).with_(nodes=tuple(by_source.get(node, node) for node in there(row).nodes))

        def forbidden(_name: str, row: Row) -> Optional[Fail]:
            leaving, coming = _extra(there(row), nodes), _missing(there(row), nodes)
            if len(leaving) > len(coming):
                return Fail(
                    f"it is on {listing(leaving)} too, and a node can't be taken from a volume: {len(leaving)} would "
                    f"leave and {len(coming)} come",
                    hint="nodes names all nodes of the volume; its segments on a node can only be moved to another one",
                )
            return self._locked(row)

        return Change(
            "move",
            listing(list(nodes), 20),
            lambda row: row is not None and bool(_extra(row, nodes)),
            lambda row: listing(list(row.nodes), 20),
            target,
            lambda _name, row: self._api.move_nodes(there(row), pairs(there(row))),
            forbidden,
            moves_data=True,
            onto=lambda row: _missing(there(row), nodes),
        )

    def _append(self, nodes: tuple[str, ...]) -> Change:
        def target(_name: str, row: Row) -> Row:
            known, more = there(row), _missing(there(row), nodes)
            masters = known.masters + len(more)
            size = known.size and known.size * masters // known.masters
            return known.with_(nodes=(*known.nodes, *more), masters=masters, size=size)

        def forbidden(_name: str, row: Row) -> Optional[Fail]:
            more, copies = len(_missing(there(row), nodes)), there(row).redundancy
            if more < copies:
                return Fail(
                    f"{more} more node is too few: with redundancy {copies}, EXAStorage takes {copies} at a time",
                    hint="lower the redundancy first, or append more nodes",
                )
            return self._locked(row)

        return Change(
            "append",
            listing(list(nodes), 20),
            lambda row: row is not None and bool(_missing(row, nodes)) and not _extra(row, nodes),
            lambda row: listing(list(row.nodes), 20),
            target,
            lambda _name, row: self._api.append_nodes(there(row), _missing(there(row), nodes)),
            forbidden,
            moves_data=True,
            onto=lambda row: _missing(there(row), nodes),
        )

    def _raise(self, redundancy: int) -> Change:
        return self._redundancy("raise", redundancy, lambda row: row.redundancy < redundancy, lambda _row: None)

    def _lower(self, redundancy: int) -> Change:
        def degraded(row: Volume) -> Optional[Fail]:
            if row.is_whole:
                return None
            return Fail(
                f"its redundancy isn't lowered while it is {state_words(row)}: the last copy of data could go",
                hint="bring the nodes back and wait until all segments are ONLINE; nothing overrides this",
            )

        return self._redundancy("lower", redundancy, lambda row: row.redundancy > redundancy, degraded)

    def _redundancy(
        self, key: str, to: int, needed: Callable[[Volume], bool], why: Callable[[Volume], Optional[Fail]]
    ) -> Change:
        return Change(
            key,
            f"redundancy {to}",
            lambda row: row is not None and needed(row),
            lambda row: f"redundancy {row.redundancy}",
            lambda _name, row: there(row).with_(redundancy=to),
            lambda _name, row: self._api.set_redundancy(there(row), to),
            lambda _name, row: why(there(row)) or self._locked(row),
            moves_data=True,
        )

    def _resize(self, size: int, key: str) -> Change:
        def needed(row: Row) -> bool:
            if row is None or row.has_size(size):
                return False
            return row.size is None or (row.size < size) == (key == "enlarge")

        def forbidden(_name: str, row: Row) -> Optional[Fail]:
            known = there(row)
            if known.size is None:
                return Fail("its size can't be read from what the server tells of it")
            if key == "shrink" and not self._wanted.allow_shrink:
                return Fail(
                    f"it has {size_text(known.size)} and would be made smaller, to {size_text(size)}, by which data "
                    "can be lost",
                    hint="allow_shrink: true says that this is meant",
                )
            return self._uneven(size, known.size, known.grain) or self._locked(row)

        return Change(
            key,
            size_text(size),
            needed,
            lambda row: size_text(row.size),
            lambda _name, row: there(row).with_(size=size),
            lambda _name, row: self._api.resize(there(row), size),
            forbidden,
            moves_data=True,
            risk="data could be taken from under it" if key == "shrink" else "",
            capability=can.VOLUME_SHRINK if key == "shrink" else None,
        )

    def _setting(self, name: str, value: Any) -> Change:
        def is_so(row: Volume) -> bool:
            now = getattr(row, name)
            by_name = name in ("allowed_users", "readonly_users")
            return set(now or ()) == set(value) if by_name else now == value

        def shown(what: Any) -> str:
            return f"{name} {listing([str(one) for one in what]) or 'none' if isinstance(what, tuple) else what}"

        return Change(
            name,
            shown(value),
            lambda row: row is not None and not is_so(row),
            lambda row: shown(getattr(row, name)),
            lambda _name, row: there(row).with_(**{name: value}),
            lambda _name, row: self._api.assign(there(row), name, value),
        )

    def _labels(self) -> list[Change]:
        wanted = self._wanted

        def more(row: Volume) -> list[str]:
            return [label for label in wanted.labels if label not in (row.labels or ())]

        def less(row: Volume) -> list[str]:
            return [
                label
                for label in row.labels or ()
                if label in wanted.absent_labels
                or (wanted.exact_labels and label not in wanted.labels and not MANAGED.match(label))
            ]

        def change(key: str, done: str, which: Callable[[Volume], list[str]]) -> Change:
            add, remove = (which, _nothing) if which is more else (_nothing, which)

            def target(_name: str, row: Row) -> Row:
                kept = [label for label in there(row).labels or () if label not in remove(there(row))]
                return there(row).with_(labels=(*kept, *add(there(row))))

            return Change(
                key,
                done,
                lambda row: row is not None and bool(which(row)),
                lambda row: listing(list(row.labels or ()), 20) or "no labels",
                target,
                lambda _name, row: self._api.set_labels(there(row), add(there(row)), remove(there(row))),
            )

        return [change("add_labels", "labelled", more), change("remove_labels", "without labels", less)]

    def _io(self, on: bool) -> list[Change]:
        """What is switched on comes before all else, for no job works without it, and what is off after it."""
        wanted = {name: value for name, value in self._given_io().items() if value is on}
        if not wanted:
            return []

        def flags(row: Volume) -> dict[str, Optional[bool]]:
            return {"app_io": row.app_io, "int_io": row.int_io, **wanted}

        def words(io: Mapping[str, Optional[bool]]) -> str:
            return ", ".join(f"{name} {'on' if io[name] else 'off'}" for name in io)

        return [
            Change(
                "io",
                words(wanted),
                lambda row: row is not None and any(getattr(row, name) != value for name, value in wanted.items()),
                lambda row: words({"app_io": row.app_io, "int_io": row.int_io}),
                lambda _name, row: there(row).with_(**wanted),
                lambda _name, row: self._api.set_io(there(row), **{k: bool(v) for k, v in flags(there(row)).items()}),
                risk="" if on else "it would hang",
            )
        ]

    def _given_io(self) -> dict[str, bool]:
        given = {"app_io": self._wanted.app_io, "int_io": self._wanted.int_io}
        return {name: value for name, value in given.items() if value is not None}

    # -- as stages

    def stages(self) -> list[Stage]:
        """Those that have something to do, and what can't be done.

        :raises ClusterError: the API can't do one of them.
        """
        planned: list[tuple[Change, dict[str, Row]]] = []
        problems = {name: self._unlike(row) for name, row in self.before.items() if row} if self._is_present else {}
        for change in self._changes():
            rows = {name: row for name, row in self.after.items() if change.needed(row)}
            if not rows:
                continue
            self._require(change.capability)
            planned.append((change, rows))
            for name, row in rows.items():
                if change.forbidden(name, row) is None:  # what can't be done is told, and leads nowhere
                    self.after[name] = change.target(name, row)
        stages = [self._stage(change, rows) for change, rows in planned]
        if stages:
            stages[0].guard = partial(self._guard, planned)
        stages += self._at_rest(planned)
        failing = {name: why for name, why in problems.items() if why}
        return [self._unlike_stage(failing), *stages] if failing else stages

    @property
    def _is_present(self) -> bool:
        return self._wanted.state == "present"

    def _unlike_stage(self, problems: dict[str, str]) -> Stage:
        def unlike(name: str, _row: Row, _history: History) -> Decision:
            return Fail(problems[name])

        rows = {name: self.before[name] for name in problems}
        return Stage("volumes", "there", list(rows), rows.__getitem__, unlike, state_words)

    def _reader(self, planned: dict[str, Row]) -> Callable[[list[str]], dict[str, Row]]:
        """First as planned, then as it is."""
        told: list[bool] = []

        def read(names: list[str]) -> dict[str, Row]:
            if not told:
                told.append(True)
                return {name: planned[name] for name in names}
            return self._look(names)

        return read

    def _stage(self, change: Change, rows: dict[str, Row]) -> Stage:
        step = self._api.calls.get(change.key, change.key)

        def decide(name: str, row: Row, _history: History) -> Decision:
            if not change.needed(row):
                return Done()
            if change.moves_data and row is not None and row.is_recovering and not row.is_locked:
                return Join(state_words(row), then=step)
            return change.forbidden(name, row) or Act(step, partial(change.call, name, row))

        return Stage(
            "volumes",
            change.done,
            list(rows),
            None,
            decide,
            lambda row: change.words(row) if row else "not there",
            target=change.target,
            guard=partial(self._guard, [(change, rows)]),
            causes=lambda name: self._api.error_of(self._titles[name]),
            follow=lambda: self._api.news([self._titles[name] for name in rows]),
            read_all=self._reader(rows),
        )

    def _at_rest(self, planned: list[tuple[Change, dict[str, Row]]]) -> list[Stage]:
        """The segments ONLINE, where data was moved or is on its way."""
        moved = {name for change, rows in planned for name in rows if change.moves_data}
        rows: dict[str, Row] = {
            name: row
            for name, row in self.after.items()
            if row and self._is_present and (name in moved or (row.is_recovering and not row.is_locked))
        }
        if not rows:
            return []

        def decide(name: str, row: Row, _history: History) -> Decision:
            at_rest = row is None or row.is_whole or row.is_locked or (name not in moved and not row.is_recovering)
            return Done() if at_rest else Join(state_words(row))

        return [
            Stage(
                "segments",
                ONLINE,
                list(rows),
                None,
                decide,
                state_words,
                lambda _name, row: row and row.with_(state=ONLINE, away=()),
                causes=lambda name: self._api.error_of(self._titles[name]),
                follow=lambda: self._api.news([self._titles[name] for name in rows]),
                read_all=self._reader(rows),
            )
        ]

    # -- what must hold before

    def _guard(self, planned: list[tuple[Change, dict[str, Row]]]) -> None:
        self._refuse_onto_nodes_that_are_off(
            {node for c, rows in planned for row in rows.values() for node in c.onto(row)}
        )
        for change, rows in planned:
            if change.risk:
                for name, row in rows.items():
                    self._refuse_under_a_database(change, name, there(row))

    def _refuse_onto_nodes_that_are_off(self, nodes: Iterable[str]) -> None:
        off = offline_nodes(self._cluster, sorted(nodes))
        if off:
            raise Refused(
                f"{self._cluster.name}: no volume changed: {listing(off)} not online, and segments can only come "
                "to nodes that are",
                hint="bring them online (exa_node state=online), or name other nodes",
                failed_object=" ".join(off),
            )

    def _refuse_under_a_database(self, change: Change, name: str, row: Volume) -> None:
        """The rule before data, or the way to it, is taken away."""
        owners = self._api.databases_of(row)
        found = {owner: self._cluster.database(owner) for owner in owners}
        busy = {owner: db for owner, db in found.items() if not db.is_stopped or db.operation != IDLE}
        step = self._api.calls.get(change.key, change.key)
        says = [f"database {owner} uses it ({db.state})" for owner, db in busy.items()]
        hint = "stop the database first (exa_database state=stopped); nothing overrides this"
        if not says and change.key == "delete" and owners:
            says = [f"database {owner} keeps its data on it" for owner in owners]
            hint = "delete the database first (exa_database state=absent); nothing overrides this"
        if not says and not owners and row.users:
            says = [f"{row.users} have it open"]
            hint = "end what uses it (st_volume_info of exa_job tells of it); nothing overrides this"
        if says:
            raise Refused(
                f"{self._cluster.name}: {name}: no {step}: {', '.join(says)}, and {change.risk}",
                hint=hint,
                failed_object=name,
                last_state={owner: db.as_dict() for owner, db in busy.items()} or row.as_dict(),
            )

    # -- what is returned

    def rows(self, preview: bool, changed: bool) -> dict[str, Any]:
        """The volumes as they are now, or would be."""
        found = self.after if preview else self._look(list(self._wanted.names)) if changed else self.before
        self.after = found
        return {name: row.as_dict() if row else None for name, row in found.items()}

    def diff(self, touched: Iterable[str]) -> dict[str, Any]:
        """What is other than before, of the volumes to which something was done."""
        sides: dict[str, dict[str, Any]] = {"before": {}, "after": {}}
        for name in dict.fromkeys(touched):
            old, new = (shown(row) if row else None for row in (self.before[name], self.after[name]))
            if self._wanted.state == "cleared":
                old, new = {"data": "written"}, {"data": "cleared"}
            elif old and new:
                differing = [key for key in old if old[key] != new[key]]
                old, new = ({key: side[key] for key in differing} for side in (old, new))
            sides["before"][name], sides["after"][name] = old, new
        return sides


def shown(row: Volume) -> dict[str, Any]:
    """What is compared of a volume: not what changes by itself."""
    kept = {
        key: value for key, value in row.as_dict().items() if key not in ("id", "not_online", "users", "size_bytes")
    }
    return {**kept, "state": LOCKED if row.is_locked else "not locked"}


def there(row: Row) -> Volume:
    """A volume that has been looked at."""
    if row is None:
        raise ClusterError("a volume is gone that was there a moment ago")
    return row


def state_words(row: Row) -> str:
    """A volume's state for people, with the segments that aren't online."""
    if row is None:
        return "not there"
    return (row.state or "of unknown state") + (f" ({listing(list(row.away), 6, ', ')})" if row.away else "")


def _extra(row: Volume, nodes: Optional[tuple[str, ...]]) -> list[str]:
    return [] if nodes is None else [node for node in row.nodes if node not in nodes]


def _missing(row: Volume, nodes: Optional[tuple[str, ...]]) -> list[str]:
    return [node for node in nodes or () if node not in row.nodes]


def _nothing(_row: Volume) -> list[str]:
    return []

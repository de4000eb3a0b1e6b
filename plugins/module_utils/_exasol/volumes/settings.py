# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of a volume's settings, labels and I/O status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from ..._convergence.stage import Fail
from ..._wording import listing
from ..api.volumes import MANAGED, NAME_LABEL, Volume, VolumeApi, name_in
from .change import Change, Row, there
from .wanted import WantedVolume


def setting(api: VolumeApi, name: str, value: Any) -> Change:
    """The change that gives one of `SETTINGS` a value."""

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
        lambda _name, row: api.assign(there(row), name, value),
    )


def labels(api: VolumeApi, wanted: WantedVolume) -> list[Change]:
    """The changes that add wanted labels and remove others. The label by which the task names the volume stays."""

    def names_it(label: str, row: Volume) -> bool:
        if label.startswith(NAME_LABEL):
            return label[len(NAME_LABEL) :] in wanted.names
        return api.names_are_labels and label in wanted.names and name_in(row.labels) != label

    def forbidden(_name: str, row: Row) -> Optional[Fail]:
        lost = [
            label
            for label in wanted.absent_labels
            if label in (there(row).labels or ()) and names_it(label, there(row))
        ]
        if not lost:
            return None
        return Fail(
            f"the label {lost[0]} is its name, and without that label the next run would create another volume",
            hint=f"to remove the label, name the volume by its number ({there(row).numbers[1]})",
            number="DBF-6315",
        )

    def more(row: Volume) -> list[str]:
        return [label for label in wanted.labels if label not in (row.labels or ())]

    def less(row: Volume) -> list[str]:
        return [
            label
            for label in row.labels or ()
            if label in wanted.absent_labels
            or (
                wanted.exact_labels
                and label not in wanted.labels
                and not MANAGED.match(label)
                and not names_it(label, row)
            )
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
            lambda _name, row: api.set_labels(there(row), add(there(row)), remove(there(row))),
            forbidden,
        )

    return [change("add_labels", "labelled", more), change("remove_labels", "without labels", less)]


def io(api: VolumeApi, wanted: WantedVolume, on: bool) -> list[Change]:
    """The change that switches the given I/O on, or the one that switches it off.

    I/O is switched on before all other changes, because no job works without it, and off after them.
    """
    given = {name: value for name, value in wanted.io.items() if value is on}
    if not given:
        return []

    def flags(row: Volume) -> dict[str, Optional[bool]]:
        return {"app_io": row.app_io, "int_io": row.int_io, **given}

    def words(known: Mapping[str, Optional[bool]]) -> str:
        return ", ".join(f"{name} {'on' if known[name] else 'off'}" for name in known)

    return [
        Change(
            "io",
            words(given),
            lambda row: row is not None and any(getattr(row, name) != value for name, value in given.items()),
            lambda row: words({"app_io": row.app_io, "int_io": row.int_io}),
            lambda _name, row: there(row).with_(**given),
            lambda _name, row: api.set_io(there(row), **{k: bool(v) for k, v in flags(there(row)).items()}),
            risk="" if on else "its users would hang",
        )
    ]


def _nothing(_row: Volume) -> list[str]:
    return []

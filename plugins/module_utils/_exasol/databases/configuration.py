# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wanted configuration of a database, and how it differs from the one that the server shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ..._errors import ClusterError
from ..api.databases import DatabaseConfigState
from ..api.sizes import in_bytes

WRITE_ONLY = ("default_sys_passwd_hash", "additional_sys_passwd_hashes", "initial_sql")
"""Parameters that count only when a database is created. The server never shows them, so they aren't compared."""

FIXED = ("db_uuid", "master_database", "snapshot_sync_volume")
"""Parameters that db_create has and db_configure doesn't have."""

VOLUME = ("data_volume_name", "data_volume_id")
"""Parameters that name the data volume. They aren't changed once a database has one: its data would stay behind."""

LATER = ("max_system_heap_memory",)
"""Parameters that db_configure has and db_create doesn't have."""

PLACES = ("nodes", "num_active_nodes")
"""Parameters that jobs of their own change."""

UNSET = {"auto_start": True, "enable_auditing": True, "port": 8563, "volume_quota": 0}
"""Parameter -> its default (the descriptions of db_create in version 8). Other parameters have no default."""

BYTES = 1_000_000
"""A quota without a unit counts in bytes from this number on: EXAConf keeps bytes, and db_info may show those."""


def words_of(value: Any) -> list[str]:
    """Splits a text, or the texts of a list, into a database's start parameters."""
    if value is None:
        return []
    if isinstance(value, str):
        return value.split()
    if isinstance(value, (list, tuple)):
        return [word for one in value for word in str(one).split()]
    raise ClusterError(f"config: {value!r} is neither a text nor a list of a database's parameters")


def listed(value: Any) -> list[str]:
    """The items of a list, or of a text that separates them by commas."""
    items = value.split(",") if isinstance(value, str) else value if isinstance(value, (list, tuple)) else [value]
    return [text for text in (str(item).strip() for item in items if item is not None) if text]


def _size(unit: str) -> Callable[[Any], Any]:
    def known(value: Any) -> Any:
        size = in_bytes(value, unit)
        return str(value).strip().lower() if size is None else size

    return known


def _quota(value: Any) -> Any:
    text = str(value).strip()
    return int(text) if text.isdecimal() and int(text) >= BYTES else _size("GiB")(text)


def _flag(value: Any) -> Any:
    text = str(value).strip().lower()
    return True if text in ("true", "yes", "on", "1") else False if text in ("false", "no", "off", "0") else text


def _number(value: Any) -> Any:
    text = str(value).strip()
    return int(text) if re.fullmatch(r"\d{1,18}", text) else text


def _owner(value: Any) -> Any:
    return [_number(one) for one in (re.split(r"[:,]", value) if isinstance(value, str) else value)]


def _disk(value: Any) -> Any:
    return [(disk.strip(), _size("B")(size)) for disk, _colon, size in (one.partition(":") for one in listed(value))]


COMPARED_AS: dict[str, Callable[[Any], Any]] = {
    "mem_size": _size("MiB"),
    "max_system_heap_memory": _size("MiB"),
    "volume_quota": _quota,
    "cache_volume_disk": _disk,
    "port": _number,
    "data_volume_id": _number,
    "volume_move_delay": _number,
    "auto_start": _flag,
    "enable_auditing": _flag,
    "interfaces": lambda value: sorted(set(listed(value))),
    "ldap_server": listed,
    "jdbc_urls": listed,
    "params": lambda value: Counter(words_of(value)),
    "owner": _owner,
}
"""Option -> a function; two values are the same if its results are. Other options are compared as texts."""


def same(name: str, one: Any, other: Any) -> Optional[bool]:
    """Whether two values of an option mean the same; None if that can't be known."""
    read = COMPARED_AS.get(name, lambda value: str(value).strip())
    left, right = read(one), read(other)
    if name == "owner" and [isinstance(part, int) for part in left] != [isinstance(part, int) for part in right]:
        return None  # one owner is given by ids, the other by names
    return bool(left == right)


def is_nothing(name: str, value: Any) -> bool:
    """Whether a value is the same as no value: the default, or empty."""
    if name in UNSET:
        return same(name, value, UNSET[name]) is True
    return value in ("", [], (), {}) or (name == "max_system_heap_memory" and str(value).lower() == "default")


@dataclass(frozen=True)
class WantedDatabase:
    """The wanted configuration of a database.

    :param values: parameter of db_create or db_configure -> value.
    :param nodes: all of its nodes, as the cluster spells them; None if the task doesn't name nodes.
    :param number: how many of them are active.
    :param added: start parameters that it must have.
    :param deleted: start parameters that it must not have; `-one` also means `-one=1`.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    nodes: Optional[tuple[str, ...]] = None
    number: Optional[int] = None
    added: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    def creation(self) -> dict[str, Any]:
        """The parameters that db_create gets."""
        given = {key: value for key, value in self.values.items() if key not in LATER}
        params = self.params(words_of(given.get("params")))
        if params:
            given["params"] = params
        if self.nodes is not None:
            given["nodes"] = list(self.nodes)
        return given if self.number is None else {**given, "num_active_nodes": self.number}

    def params(self, there: list[str]) -> list[str]:
        """The start parameters that it should have, made from those that it has."""
        kept = [word for word in there if word not in self.deleted and word.partition("=")[0] not in self.deleted]
        return kept + [word for word in self.added if word not in kept]


@dataclass(frozen=True)
class Difference:
    """How a database differs from the wanted configuration.

    :param values: parameter -> the value to set.
    :param fixed: parameters that differ and can't be changed.
    :param not_shown: wanted parameters that the server doesn't show.
    """

    values: dict[str, Any] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    not_shown: tuple[str, ...] = ()


def difference(wanted: WantedDatabase, there: DatabaseConfigState) -> Difference:
    """How the settings of a database differ from the wanted ones. `DatabaseNodes` compares the nodes."""
    values: dict[str, Any] = {}
    fixed, unseen = [], []
    for name, value in wanted.values.items():
        if name in WRITE_ONLY:
            continue
        equal = _holds(name, value, there)
        if equal is None:
            unseen.append(name)
        elif not equal and (name in FIXED or (name in VOLUME and name in there.settings)):
            fixed.append(name)
        elif not equal:
            values[name] = value
    if wanted.added or wanted.deleted:
        known = "params" in there.settings or there.complete
        base = words_of(wanted.values["params"] if "params" in wanted.values else there.settings.get("params"))
        after = wanted.params(base)
        if not known:
            unseen += [f"params_{kind}" for kind, words in _parts(wanted) if words]
            values.pop("params", None)
        elif Counter(after) != Counter(words_of(there.settings.get("params"))):
            values["params"] = after
        else:
            values.pop("params", None)
    return Difference(values, tuple(fixed), tuple(unseen))


def _parts(wanted: WantedDatabase) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("add", wanted.added), ("delete", wanted.deleted)


def _holds(name: str, value: Any, there: DatabaseConfigState) -> Optional[bool]:
    """Whether a setting is as wanted; None if the server doesn't show it."""
    if name in there.settings:
        return same(name, value, there.settings[name])
    if name == "data_volume_id" and "data_volume_name" in there.settings:
        return None  # the server shows the volume's name, but its number is unknown
    return is_nothing(name, value) if there.complete else None


def values_not_shown(wanted: WantedDatabase, names: tuple[str, ...]) -> dict[str, Any]:
    """The values to send of settings that the server doesn't show, for `on_unseen: send`."""
    values = {name: wanted.values[name] for name in names if name in wanted.values and name not in FIXED + VOLUME}
    if "params" in values:  # the task gives all parameters
        return {**values, "params": wanted.params(words_of(values["params"]))}
    return {**values, **{f"params_{kind}": list(words) for kind, words in _parts(wanted) if f"params_{kind}" in names}}

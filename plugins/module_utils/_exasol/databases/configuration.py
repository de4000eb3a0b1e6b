# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of a database's configuration, held against what the server shows of it."""

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
"""Used when a database is created, and never shown or compared."""

FIXED = ("db_uuid", "master_database", "snapshot_sync_volume")
"""Parameters that db_create has and db_configure hasn't."""

VOLUME = ("data_volume_name", "data_volume_id")
"""What a database that has a volume isn't given another one by: its data would stay behind."""

LATER = ("max_system_heap_memory",)
"""Parameters that db_configure has and db_create hasn't."""

PLACES = ("nodes", "num_active_nodes")
"""Changed by jobs of their own."""

UNSET = {"auto_start": True, "enable_auditing": True, "port": 8563, "volume_quota": 0}
"""What holds where nothing is set (the descriptions of db_create in version 8); else nothing."""

BYTES = 1_000_000
"""A quota of so many GiB or more is in bytes: EXAConf keeps it so, and db_info may show it as it is."""


def words_of(value: Any) -> list[str]:
    """The parameters of a database, of a text or a list."""
    if value is None:
        return []
    if isinstance(value, str):
        return value.split()
    if isinstance(value, (list, tuple)):
        return [word for one in value for word in str(one).split()]
    raise ClusterError(f"config: {value!r} is neither a text nor a list of a database's parameters")


def listed(value: Any) -> list[str]:
    """The items of a list, or of a text with commas."""
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
"""Two values are the same where these are; of anything else the texts."""


def same(name: str, one: Any, other: Any) -> Optional[bool]:
    """Whether two values of an option mean the same; None where that can't be told."""
    read = COMPARED_AS.get(name, lambda value: str(value).strip())
    left, right = read(one), read(other)
    if name == "owner" and [isinstance(part, int) for part in left] != [isinstance(part, int) for part in right]:
        return None  # ids here, names there
    return bool(left == right)


def is_nothing(name: str, value: Any) -> bool:
    """Whether a value is what holds where nothing is set."""
    if name in UNSET:
        return same(name, value, UNSET[name]) is True
    return value in ("", [], (), {}) or (name == "max_system_heap_memory" and str(value).lower() == "default")


@dataclass(frozen=True)
class WantedDatabase:
    """A database as it should be.

    :param values: by the names of db_create's parameters; those of db_configure only too.
    :param nodes: all of its nodes, as the cluster spells them; None where nothing is said.
    :param number: how many of them are active.
    :param added: start parameters that must be among those that it has.
    :param deleted: start parameters that must not; `-one` stands for `-one=1` too.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    nodes: Optional[tuple[str, ...]] = None
    number: Optional[int] = None
    added: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    def creation(self) -> dict[str, Any]:
        """What is given when it is created."""
        given = {key: value for key, value in self.values.items() if key not in LATER}
        params = self.params(words_of(given.get("params")))
        if params:
            given["params"] = params
        if self.nodes is not None:
            given["nodes"] = list(self.nodes)
        return given if self.number is None else {**given, "num_active_nodes": self.number}

    def params(self, there: list[str]) -> list[str]:
        """The start parameters, of those that are there."""
        kept = [word for word in there if word not in self.deleted and word.partition("=")[0] not in self.deleted]
        return kept + [word for word in self.added if word not in kept]


@dataclass(frozen=True)
class Difference:
    """What is between a database and what is wanted of it.

    :param values: to be configured.
    :param fixed: what differs, and isn't changed.
    :param unseen: what is wanted, and the server doesn't show.
    """

    values: dict[str, Any] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    not_shown: tuple[str, ...] = ()


def difference(wanted: WantedDatabase, there: DatabaseConfigState) -> Difference:
    """What differs of the settings; nodes are another matter."""
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
    """Whether a setting is as wanted; None where the server doesn't tell."""
    if name in there.settings:
        return same(name, value, there.settings[name])
    if name == "data_volume_id" and "data_volume_name" in there.settings:
        return None  # it has a volume, whose number couldn't be found
    return is_nothing(name, value) if there.complete else None


def values_not_shown(wanted: WantedDatabase, names: tuple[str, ...]) -> dict[str, Any]:
    """What is sent of settings that the server doesn't show, where it should be."""
    values = {name: wanted.values[name] for name in names if name in wanted.values and name not in FIXED + VOLUME}
    if "params" in values:  # all of them are known then
        return {**values, "params": wanted.params(words_of(values["params"]))}
    return {**values, **{f"params_{kind}": list(words) for kind, words in _parts(wanted) if f"params_{kind}" in names}}

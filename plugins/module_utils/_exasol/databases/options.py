# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options for databases that are created, configured or deleted, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..._errors import ClusterError, Denied
from ..._options import refuse_unknown, refuse_unprintable
from ..._wording import listing
from ..api.sizes import in_bytes
from ..view import ClusterView
from .configuration import WantedDatabase, words_of

WARN = "warn"
SEND = "send"
ON_UNSEEN = (WARN, SEND)
"""What to do about settings that the server doesn't show: warn, or send them without a comparison."""

CONFIG: dict[str, Any] = {
    "version": {"type": "str"},
    "data_volume_name": {"type": "str"},
    "data_volume_id": {"type": "int"},
    "mem_size": {"type": "str"},
    "nodes": {"type": "list", "elements": "str"},
    "num_active_nodes": {"type": "int"},
    "port": {"type": "int"},
    "auto_start": {"type": "bool"},
    "enable_auditing": {"type": "bool"},
    "interfaces": {"type": "list", "elements": "str"},
    "jdbc_urls": {"type": "list", "elements": "str"},
    "oracle_url": {"type": "str"},
    "ldap_server": {"type": "list", "elements": "str"},
    "owner": {"type": "list", "elements": "str"},
    "params": {"type": "raw"},
    "params_add": {"type": "raw"},
    "params_delete": {"type": "raw"},
    "volume_quota": {"type": "str"},
    "volume_move_delay": {"type": "int"},
    "max_system_heap_memory": {"type": "str"},
    "cache_volume_disk": {"type": "str"},
    "cloud_data_volume_name": {"type": "str"},
    "cloud_data_storage": {"type": "str"},
    "master_database": {"type": "str"},
    "snapshot_sync_volume": {"type": "str"},
    "db_uuid": {"type": "str"},
    "initial_sql": {"type": "str"},
    "default_sys_passwd_hash": {"type": "str", "no_log": True},
    "additional_sys_passwd_hashes": {"type": "list", "elements": "str", "no_log": True},
}
"""The suboptions of `config`, by the names of db_create's parameters."""

SIZES = {"mem_size": ("MiB", 1), "max_system_heap_memory": ("MiB", 1), "volume_quota": ("GiB", 0)}
"""Sizes of `config` -> the unit of a number without a unit, and the least bytes. A quota of 0 means no quota."""


def named(cluster: ClusterView, databases: list[str], state: str) -> list[str]:
    """The names that the options give.

    :raises ClusterError: if there are none, one is empty, or `all` is among them.
    """
    if not databases:
        raise ClusterError(f"{cluster.name}: databases is empty: name the database")
    if "all" in databases:
        raise ClusterError(f"{cluster.name}: state={state} takes the names of databases, not all")
    if not all(name.strip() for name in databases):
        raise ClusterError(f"{cluster.name}: databases: a name is empty")
    return list(dict.fromkeys(databases))


def one(cluster: ClusterView, databases: list[str]) -> str:
    """The name of the only database that the options give.

    :raises ClusterError: if there is none, there are several, or it is `all`.
    """
    names = named(cluster, databases, "present")
    if len(names) > 1:
        raise ClusterError(
            f"{cluster.name}: state=present takes one database, not {listing(names)}: each has a port and a volume of "
            "its own"
        )
    refuse_unprintable(f"{cluster.name}: database", names[0])
    return names[0]


def wanted_of(cluster: ClusterView, given: Mapping[str, Any]) -> WantedDatabase:
    """Checks the option `config`.

    :raises ClusterError: if a value is wrong, or a node doesn't exist.
    """
    values = {name: value for name, value in given.items() if value is not None}
    number, nodes = values.pop("num_active_nodes", None), values.pop("nodes", None)
    try:
        added, deleted = (tuple(words_of(values.pop(f"params_{kind}", None))) for kind in ("add", "delete"))
        if "params" in values:
            values["params"] = words_of(values["params"])
    except ClusterError as error:
        raise error.of(cluster.name) from None
    if "owner" in values:
        values["owner"] = [int(part) if part.isdecimal() else part for part in map(str, values["owner"])]
        if len(values["owner"]) != 2:
            raise ClusterError(f"{cluster.name}: config: owner must be a list of two, user and group")
    _refuse_odd(cluster, values)
    names = None if nodes is None else _nodes(cluster, nodes)
    if names is not None and number is not None and not 0 < number <= len(names):
        raise ClusterError(
            f"{cluster.name}: config: num_active_nodes is {number}, but must be from 1 to {len(names)}, the number of "
            "nodes"
        )
    return WantedDatabase(values, names, number, added, deleted)


def _refuse_odd(cluster: ClusterView, values: Mapping[str, Any]) -> None:
    """Refuses wrong values here: a server may accept them, and a preview doesn't ask the server."""
    for name, (unit, least) in SIZES.items():
        text = str(values.get(name, f"{least} B")).strip()
        size = least if name == "max_system_heap_memory" and text.lower() == "default" else in_bytes(text, unit)
        if size is None or size < least:
            raise ClusterError(f"{cluster.name}: config: {name} must be a size such as 64 GiB, not {text!r}")
    if not 0 < values.get("port", 1) < 65536:
        raise ClusterError(f"{cluster.name}: config: port is {values['port']}, but must be from 1 to 65535")
    if values.get("volume_move_delay", 0) < 0:
        raise ClusterError(
            f"{cluster.name}: config: volume_move_delay is {values['volume_move_delay']}, but must be 0 or more"
        )


def _nodes(cluster: ClusterView, nodes: list[Any]) -> tuple[str, ...]:
    try:
        known = cluster.nodes()
    except Denied:  # a user who only administers databases has no right to list nodes
        return tuple(dict.fromkeys(re.sub(r"^n?0*(?=\d+$)", "n", str(node).strip()) for node in nodes))
    names = list(dict.fromkeys(cluster.provider.node_name(node, known) for node in nodes))
    refuse_unknown(cluster.name, "node", names, known)
    return tuple(names)

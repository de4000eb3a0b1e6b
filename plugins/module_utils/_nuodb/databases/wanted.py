# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Which databases a task acts on, and which TEs each should have: the option `databases`, checked."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Optional

from ..._errors import ClusterError, Refused
from ..._options import refuse_unknown
from ..._values import is_nothing
from ..._wording import listing, near
from ..api.objects import SM, TE, is_request
from ..view import Snapshot
from . import tombstones

KEYS = ("name", "te_server_ids", "te_count", "start_plan")

SAY_WHERE = (
    "say where its TEs should run: te_server_ids, te_count or start_plan in its entry of databases "
    "(in the inventory: nuodb_databases)"
)


@dataclass(frozen=True)
class WantedDatabase:
    """A database that should run.

    :param te_server_ids: one server ID for each TE; None if it was not given.
    :param te_count: how many TEs there should be, on any servers.
    :param start_plan: the requests of a saved start plan.
    """

    db_name: str
    te_server_ids: Optional[list[str]] = None
    te_count: Optional[int] = None
    start_plan: Optional[list[dict[str, Any]]] = None


def named(cluster: str, given: list[Any]) -> list[WantedDatabase]:
    """The entries of the option, whether the databases exist or not.

    :raises ClusterError: there is no entry, or a malformed one.
    """
    entries = [_entry(cluster, one) for one in given]
    if not entries:
        raise ClusterError(f"{cluster}: no database is named: give names, or all")
    return entries


def chosen(cluster: str, given: list[Any], snapshot: Snapshot) -> list[WantedDatabase]:
    """The databases that an option names.

    :param given: names, or mappings with `name`; `all` are all that exist.
    :raises ClusterError: there is no entry, a malformed one, or an unknown database.
    """
    entries = named(cluster, given)
    own = {entry.db_name: entry for entry in entries if entry.db_name != "all"}
    refuse_unknown(cluster, "database", own, snapshot.databases)
    if "all" not in [entry.db_name for entry in entries]:
        return list(own.values())
    default = next(entry for entry in entries if entry.db_name == "all")
    return [
        own.get(name, WantedDatabase(name, default.te_server_ids, default.te_count, default.start_plan))
        for name in snapshot.databases
    ]


def _entry(cluster: str, given: Any) -> WantedDatabase:
    if isinstance(given, str):
        return WantedDatabase(given)
    if isinstance(given, dict):
        given = {key: value for key, value in given.items() if key == "name" or not is_nothing(value)}
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise ClusterError(f"{cluster}: databases: {given!r} is neither a name nor a mapping with a name")
    unknown = [str(key) for key in given if key not in KEYS]
    if unknown:
        raise ClusterError(
            f"{cluster}: databases: {given['name']}: there is no key {unknown[0]}{near(unknown[0], list(KEYS))}"
        )
    name = given["name"]
    said = [key for key in KEYS[1:] if given.get(key) is not None]
    if len(said) > 1:
        raise ClusterError(
            f"{cluster}: databases: {name}: {' and '.join(said)} can't be given together: each sets which TEs there "
            "should be"
        )
    return WantedDatabase(name, _servers(cluster, given), _count(cluster, given), _plan(cluster, given))


def _servers(cluster: str, given: dict[str, Any]) -> Optional[list[str]]:
    servers = given.get("te_server_ids")
    if servers is None or (isinstance(servers, list) and all(isinstance(one, str) for one in servers)):
        return servers
    raise ClusterError(f"{cluster}: databases: {given['name']}: te_server_ids is not a list of server IDs")


def _count(cluster: str, given: dict[str, Any]) -> Optional[int]:
    count = given.get("te_count")
    if count is None:
        return None
    if isinstance(count, bool) or not str(count).isdecimal():
        raise ClusterError(f"{cluster}: databases: {given['name']}: te_count is not a number of TEs")
    return int(count)


def _plan(cluster: str, given: dict[str, Any]) -> Optional[list[dict[str, Any]]]:
    plan, name = given.get("start_plan"), given["name"]
    if plan is None:
        return None
    if isinstance(plan, str):
        try:
            with open(plan, encoding="utf-8") as file:
                plan = json.load(file)
        except OSError as error:
            raise ClusterError(
                f"{cluster}: databases: {name}: start_plan {plan}: {error.strerror}", number="DBF-7013"
            ) from None
        except ValueError:
            raise ClusterError(
                f"{cluster}: databases: {name}: start_plan {plan} is not JSON", number="DBF-7013"
            ) from None
    rows = plan.get("processes") if isinstance(plan, dict) else plan
    if not isinstance(rows, list) or not all(is_request(row) for row in rows):
        raise ClusterError(
            f"{cluster}: databases: {name}: start_plan is not a start plan (as nuocmd get startplan writes it)",
            number="DBF-7013",
        )
    others = sorted({str(row.get("dbName")) for row in rows} - {name})
    if others:
        raise ClusterError(
            f"{cluster}: databases: {name}: start_plan belongs to database {', '.join(others)}", number="DBF-7013"
        )
    return rows


def need_tombstones(wanted: list[WantedDatabase]) -> bool:
    """Whether the option leaves out the TEs of one of these databases, so that its tombstones decide which to start."""
    return any(one.te_server_ids is None and one.te_count is None and one.start_plan is None for one in wanted)


def te_servers(wanted: WantedDatabase, snapshot: Snapshot) -> Optional[list[str]]:
    """Where the TEs of a database should run, with one server ID for each.

    :returns: server IDs, or None if neither the option nor the tombstones show them.
    """
    if wanted.te_server_ids is not None:
        return wanted.te_server_ids
    if wanted.start_plan is not None:
        return [row["host"] for row in wanted.start_plan if row.get("engineType") == TE]
    if wanted.te_count is not None:
        return _placed(wanted.db_name, wanted.te_count, snapshot)
    return tombstones.te_servers_of_last_run(snapshot, wanted.db_name)


def doubt(wanted: WantedDatabase, snapshot: Snapshot) -> str:
    """A sentence about the TEs of a database that its tombstones leave in doubt; empty if there are none."""
    left_open = _left_open(wanted, snapshot)
    if not left_open:
        return ""
    kept = listing(te_servers(wanted, snapshot) or [], 20, ", ")
    return f"{left_open}. A start keeps the TEs of the last one (on {kept}); {SAY_WHERE}"


def refuse_doubt(cluster: str, databases: list[WantedDatabase], snapshot: Snapshot) -> None:
    """:raises Refused: the tombstones leave open which TEs one of these databases should have."""
    left_open = {one.db_name: _left_open(one, snapshot) for one in databases}
    names = [name for name, text in left_open.items() if text]
    if names:
        raise Refused(
            f"{cluster}: {'; '.join(left_open[name] for name in names)}: it could keep too few TEs for ever",
            hint=SAY_WHERE,
            failed_object=" ".join(names),
            number="DBF-6505",
        )


def refuse_too_few(cluster: str, databases: list[WantedDatabase], snapshot: Snapshot) -> None:
    """:raises Refused: te_count asks for more TEs than there are, and no active server can take another one."""
    for one in databases:
        there = len(te_servers(one, snapshot) or []) if one.te_count is not None else 0
        if one.te_count is not None and there < one.te_count:
            raise Refused(
                f"{cluster}: {one.db_name}: te_count is {one.te_count}, but it has {there}, and no active server "
                "could take another TE",
                hint="look at the servers (nuodb_domain_info), and run the task again when they are active",
                failed_object=one.db_name,
                last_state={server.server_id: server.words for server in snapshot.servers.values()},
                number="DBF-6506",
            )


def _left_open(wanted: WantedDatabase, snapshot: Snapshot) -> str:
    left_out = tombstones.te_servers_left_out(snapshot, wanted.db_name) if need_tombstones([wanted]) else []
    if not left_out:
        return ""
    return (
        f"{wanted.db_name}: its last incarnation began without TEs that an earlier one had (on "
        f"{listing(left_out, 20, ', ')}): either its start was cut off, or somebody wanted fewer TEs, and the "
        "tombstones don't show which"
    )


def _placed(db_name: str, count: int, snapshot: Snapshot) -> list[str]:
    """The servers of the present TEs, and of further ones where the fewest TEs run, servers without an SM first."""
    there = [
        process.server_id
        for process in snapshot.processes_of(db_name)
        if process.engine_type == TE and not process.is_leaving and snapshot.is_connected(process.server_id)
    ]
    storage = {archive.server_id for archive in snapshot.archives_of(db_name)}
    load = Counter(there)
    able = [server.server_id for server in snapshot.servers.values() if server.is_active]
    while len(there) < count and able:
        best = min(able, key=lambda server: (load[server], server in storage, server))
        load[best] += 1
        there.append(best)
    return there


def plan_archives(plan: list[dict[str, Any]]) -> list[int]:
    """The archives for whose SMs a start plan asks."""
    return [
        int(row["archiveId"]) for row in plan if row.get("engineType", SM) != TE and row.get("archiveId") is not None
    ]

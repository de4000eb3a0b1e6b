# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""One report of a whole domain, and the wait for an AP that answers."""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable, Optional

from .._convergence import await_api as _await
from .._convergence.workers import gather
from .._errors import Fault
from .._task import Task
from .._wording import listing
from . import external, license as licenses, serving, versions
from .api.domain import Domain
from .api.objects import NOT_RUNNING, RUNNING, TE, Database, Server, Tombstone, as_plain, each_once
from .view import Snapshot, of_report

PARTS = (
    "servers",
    "databases",
    "archives",
    "removed_archives",
    "processes",
    "tombstones",
    "start_plans",
    "storage_groups",
    "hotcopies",
    "kubernetes",
    "license",
    "versions",
)
ALONE = ("servers", "removed_archives", "archives", "processes", "kubernetes", "license")
"""Parts that are read without a look at the databases."""

DEFAULT_PARTS = ("servers", "databases", "archives", "processes", "tombstones")


def await_api(task: Task, domain: Domain, timeout: float, heartbeat: float) -> dict[str, Server]:
    """Waits until an AP answers and names its servers. See `_await`.

    :returns: the servers that it named; empty if nothing was asked.
    """
    found: dict[str, Server] = {}

    def ask() -> str:
        found.clear()
        found.update(domain.servers())
        return "" if found else f"{domain.name}: the API answers, but names no servers"

    _await.await_api(task, _await.AwaitedApi(domain.name, ask, lambda: domain.url), timeout, heartbeat)
    return found


class ReportScope:
    """Which databases and servers a report is about; all if none is named."""

    def __init__(self, db_names: list[str], server_ids: list[str]) -> None:
        self.db_names, self.server_ids = db_names, server_ids

    def filters(self) -> dict[str, list[str]]:
        return {"dbName": self.db_names, "host": self.server_ids}

    def has(self, db_name: str) -> bool:
        return not self.db_names or db_name in self.db_names


def of(domain: Domain, parts: list[str], selection: ReportScope, every_incarnation: bool) -> dict[str, Any]:
    """The domain as plain data: one call per part, and one per database for parts that the API has only per database.

    :param every_incarnation: tombstones of past incarnations too, not only of the present ones.
    """
    servers = domain.servers()
    local = next((server for server in servers.values() if server.local), None)
    found: dict[str, Any] = {"product": "nuodb", "name": domain.name, "version": local.version if local else None}
    kept = {key: one for key, one in servers.items() if not selection.server_ids or key in selection.server_ids}
    snapshot = Snapshot(servers=kept)
    if "kubernetes" in parts:
        found["kubernetes"] = domain.in_kubernetes()
    if any(part not in ALONE for part in parts):
        every = domain.databases()
        snapshot.databases = {name: one for name, one in every.items() if selection.has(name)}
    # A database that isn't running has no processes: that is what the state means (NUODB-314).
    all_down = snapshot.databases and all(one.state == NOT_RUNNING for one in snapshot.databases.values())
    for part in ("archives", "processes"):
        if part in parts and not (part == "processes" and all_down):
            setattr(snapshot, part, getattr(domain, part)(**selection.filters()))
    plain = snapshot.as_plain()
    found.update({part: plain[part] for part in ("servers", "databases", "archives", "processes") if part in parts})
    if "removed_archives" in parts:
        removed = domain.archives(removed=True, **selection.filters())
        found["removed_archives"] = {str(key): as_plain(archive) for key, archive in removed.items()}
    if "tombstones" in parts:
        found["tombstones"] = _tombstones(domain.tombstones(**selection.filters()), snapshot, every_incarnation)
    if "license" in parts:
        found["license"] = licenses.of(domain)
    return {**found, **_of_databases(domain, parts, list(snapshot.databases))}


def notes(found: dict[str, Any]) -> list[str]:
    """What the user should do about license and versions, one sentence each, if these parts were gathered.

    :param found: what `of` returned.
    """
    archives = Counter(one.db_name for one in of_report(found).archives.values() if not one.removed)
    redundant = sorted(name for name, count in archives.items() if count > 1)
    of_license = licenses.notes(str(found.get("name")), found["license"], redundant) if "license" in found else []
    return [*of_license, *versions.notes(found.get("versions") or {})]


def _tombstones(stones: list[Tombstone], snapshot: Snapshot, every: bool) -> dict[str, Any]:
    present = {name: database.incarnation[0] for name, database in snapshot.databases.items()}
    kept = [stone for stone in stones if every or stone.incarnation[0] == present.get(stone.process.db_name)]
    return {stone.process.start_id: stone.as_dict() for stone in kept}


def _of_databases(domain: Domain, parts: list[str], names: list[str]) -> dict[str, Any]:
    readers: dict[str, Callable[[str], Any]] = {
        "start_plans": lambda name: domain.start_plan(name, []),
        "storage_groups": lambda name: serving.groups(domain, name),
        "hotcopies": lambda name: _hotcopies(domain, name),
        "versions": lambda name: versions.of(domain, name),
    }
    return {part: gather(names, readers[part]) for part in readers if part in parts}


def _hotcopies(domain: Domain, db_name: str) -> list[dict[str, Any]]:
    """The hot copies that the SMs report; none if no SM of the database can answer."""
    try:
        return each_once(domain.hotcopies(db_name))
    except Fault:
        return []


def summary(found: dict[str, Any]) -> str:
    """A domain in one line.

    :param found: what `of` returned.
    """
    snapshot = of_report(found)
    active = [server for server in snapshot.servers.values() if server.is_active]
    away = [server.server_id for server in snapshot.servers.values() if not server.is_active]
    leader = _leader(snapshot)
    up = [database for database in snapshot.databases.values() if database.is_up]
    others = [f"{one.db_name} {one.state}" for one in snapshot.databases.values() if one.state != "RUNNING"]
    running = [process for process in snapshot.processes.values() if process.is_running]
    kinds = Counter(TE if process.engine_type == TE else "SM" for process in running)
    idle, pods = _idle(snapshot), external.databases(snapshot)
    parts = []
    if "servers" in found:
        parts += [
            f"servers {len(active)}/{len(snapshot.servers)} active" + (f" (not: {listing(away)})" if away else "")
        ]
        parts += [f"leader {leader}" if leader else "no leader"]
    if "databases" in found:
        says = f" ({listing(others, between=', ')})" if others else ""
        parts += [f"databases {len(up)}/{len(snapshot.databases)} up{says}"]
    parts += [
        f"archives not running: {listing(idle)}" if idle else "",
        f"{kinds['SM']} SM, {kinds[TE]} TE running" if "processes" in found else "",
        f"started from outside the domain (Kubernetes): {listing(pods, between=', ')}" if pods else "",
        f"NuoDB {found['version']}" if found.get("version") else "",
        licenses.words(found.get("license") or {"unread": ""}),
        versions.words(found.get("versions") or {}),
    ]
    return f"{found.get('name')}: " + ("; ".join(part for part in parts if part) or "nothing was gathered")


def lacking(found: dict[str, Any]) -> list[str]:
    """What is not up in a domain, in words.

    :param found: what `of` returned, with servers, databases, archives and processes.
    """
    snapshot = of_report(found)
    away = [server.server_id for server in snapshot.servers.values() if not server.is_active]
    shut = [f"{one.db_name} {one.state}" for one in snapshot.databases.values() if one.state != RUNNING]
    deaf = [one.db_name for one in snapshot.databases.values() if one.is_up and not _accepts(snapshot, one)]
    idle = _idle(snapshot)
    return [
        *([f"servers not active: {listing(away)}"] if away else []),
        *(["no leader"] if "servers" in found and not _leader(snapshot) else []),
        *([f"databases {listing(shut, between=', ')}"] if shut else []),
        *([f"databases without a running TE: {listing(deaf)}"] if deaf else []),
        *([f"archives not running: {listing(idle)}"] if idle else []),
    ]


def is_down(found: dict[str, Any]) -> bool:
    """Whether a domain has databases of which none accepts connections."""
    snapshot = of_report(found)
    return bool(snapshot.databases) and not any(_accepts(snapshot, one) for one in snapshot.databases.values())


def counts(found: dict[str, Any]) -> dict[str, int]:
    """How many objects of each kind a domain has, and how many of them are up.

    :param found: what `of` returned, with servers, databases, archives and processes.
    """
    snapshot = of_report(found)
    processes = snapshot.processes.values()
    return {
        "servers": len(snapshot.servers),
        "servers_up": sum(one.is_active for one in snapshot.servers.values()),
        "databases": len(snapshot.databases),
        "databases_up": sum(_accepts(snapshot, one) for one in snapshot.databases.values()),
        "archives": sum(not one.removed for one in snapshot.archives.values()),
        "archives_up": sum(one.state == RUNNING and not one.removed for one in snapshot.archives.values()),
        "processes": len(processes),
        "processes_up": sum(one.is_running for one in processes),
    }


def lost(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What was up and isn't any more, in words.

    :param before: what `of` returned then, with servers, databases, archives and processes.
    :param now: what it returned later, with the same.
    """
    then, later = of_report(before), of_report(now)
    away = {name for name, one in then.servers.items() if one.is_active} - {
        name for name, one in later.servers.items() if one.is_active
    }
    shut = {name for name, one in then.databases.items() if _accepts(then, one)} - {
        name for name, one in later.databases.items() if _accepts(later, one)
    }
    idle = _running_archives(then) - _running_archives(later)
    return [
        *([f"servers not active: {listing(sorted(away))}"] if away else []),
        *([f"databases that accept no connections: {listing(sorted(shut))}"] if shut else []),
        *([f"archives not running: {listing(sorted(map(str, idle)))}"] if idle else []),
        *_lost_tes(then, later, shut),
    ]


def _lost_tes(then: Snapshot, later: Snapshot, shut: set[str]) -> list[str]:
    """Databases with fewer TEs. A TE that came up on another server instead is not missing."""
    found = []
    for name in sorted(set(then.databases) - shut):
        had, has = _tes(then, name), _tes(later, name)
        before, now = sum(had.values()), sum(has.values())
        if now < before:
            lacking = sorted((had - has).elements())
            found.append(f"{name} has {now} of {before} TEs (missing on {listing(lacking)})")
    return found


def _tes(snapshot: Snapshot, db_name: str) -> Counter[str]:
    return Counter(
        process.server_id
        for process in snapshot.processes_of(db_name)
        if process.engine_type == TE and process.is_running
    )


def _running_archives(snapshot: Snapshot) -> set[int]:
    return {one.archive_id for one in snapshot.archives.values() if one.state == RUNNING and not one.removed}


def _accepts(snapshot: Snapshot, database: Database) -> bool:
    """Whether a database accepts connections: it is up, and a TE of it runs."""
    return database.is_up and any(
        process.engine_type == TE and process.is_running for process in snapshot.processes_of(database.db_name)
    )


def _leader(snapshot: Snapshot) -> Optional[str]:
    """The leader, as the AP that answered knows it."""
    told_by = [server for server in snapshot.servers.values() if server.local] or list(snapshot.servers.values())
    return next((server.leader for server in told_by if server.leader), None)


def _idle(snapshot: Snapshot) -> list[str]:
    """The archives that don't run."""
    return [str(one.archive_id) for one in snapshot.archives.values() if one.state != RUNNING and not one.removed]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what was asked for is there, by the state of the simulator alone: nothing of the client has a say in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any, Callable

from ansible_collections.dbfleet.cluster.tests.reliability.place import Place

Given = dict[str, Any]
Holds = Callable[[Place, Given], bool]


def names_in(value: Any) -> list[str]:
    """The names of an option that takes one object or several, each a name or a mapping with one."""
    rows = value if isinstance(value, list) else [value]
    return [str(row["name"] if isinstance(row, dict) else row) for row in rows]


def number_of(node: Any) -> int:
    return int(str(node).lstrip("n"))


def gib(size: Any) -> float:
    return float(str(size).partition(" ")[0])


# -- Exasol -----------------------------------------------------------------------------------------------------------


def is_up(row: dict[str, Any]) -> bool:
    return bool(row["state"] == "running" and row["connectible"] == "Yes")


def is_down(row: dict[str, Any]) -> bool:
    return str(row["state"]) in ("setup", "none")


def _databases(place: Place, given: Given, holds: Callable[[dict[str, Any]], bool]) -> bool:
    rows = place.state()["databases"]
    names = names_in(given["databases"])
    names = list(rows) if names == ["all"] else names
    return all(name in rows and holds(rows[name]) for name in names)


def _database_present(place: Place, given: Given) -> bool:
    config = given["config"]
    row = place.state()["databases"].get(given["databases"])
    return (
        row is not None
        and ("mem_size" not in config or gib(row["mem_size"]) == gib(config["mem_size"]))
        and {number_of(node) for node in [*row["nodes"], *row["reserve"]]} >= {*map(number_of, config["nodes"])}
    )


def _absent(part: str, option: str, place: Place, given: Given) -> bool:
    return not {*names_in(given[option])} & {*place.state()[part]}


def by_name(rows: dict[str, Any], name: str) -> dict[str, Any]:
    """A volume, which EXAoperation tells by a label. Empty: there is none."""
    own = rows.get(name) or next((row for row in rows.values() if f"#Name#{name}" in row.get("labels", ())), None)
    return dict(own or {})


PLAIN = {
    "redundancy": "redundancy", "priority": "priority", "app_io": "app_io_enabled", "int_io": "int_io_enabled",
    "permissions": "permissions",
}  # fmt: skip
"""Options of a volume that its state shows as they are given, and what it calls them."""


def _volume(row: dict[str, Any], given: Given) -> bool:
    nodes = row.get("volume_nodes") or row.get("nodes") or []
    return (
        bool(row)
        and all(row[PLAIN[name]] == value for name, value in given.items() if name in PLAIN)
        and ("size" not in given or gib(row["size"]) == gib(given["size"]))
        and ("nodes" not in given or {*map(number_of, nodes)} == {*map(number_of, given["nodes"])})
        and {*given.get("labels", ())} <= {*row["labels"]}
        and ("allowed_users" not in given or row["allowed_users"] == given["allowed_users"])
    )


def _volumes(place: Place, given: Given, holds: Callable[[dict[str, Any], Given], bool]) -> bool:
    rows = place.state()["volumes"]
    return all(holds(by_name(rows, name), given) for name in names_in(given["name"]))


def _cleared(place: Place, _given: Given) -> bool:
    """The blocks of a volume can't be seen, what was asked of the server can."""
    return any("clear_data" in call for call in place.changes)


def _remote_volume(place: Place, given: Given) -> bool:
    row = by_name(place.state()["remote_volumes"], given["name"])
    return (
        bool(row) and ("url" not in given or row["url"] == given["url"])
        and {*given.get("labels", ())} <= {*row.get("labels", ())}
    )  # fmt: skip


def _no_remote_volume(place: Place, given: Given) -> bool:
    return not by_name(place.state()["remote_volumes"], given["name"])


GONE = {"state": "gone", "connectible": "No", "operation": "gone"}


def _database(place: Place, given: Given) -> dict[str, Any]:
    return dict(place.state()["databases"].get(given["databases"], GONE))


def _backups(place: Place, given: Given) -> list[dict[str, Any]]:
    return list(place.state()["backups"].get(given["databases"], ()))


def _backup(place: Place, given: Given) -> bool:
    rows = _backups(place, given)
    if "backup_ids" in given:
        own = [row for row in rows if str(row["bid"]) in given["backup_ids"]]
        return bool(own) and all(row["expire"].startswith(given["expire"][:16]) for row in own)
    return any(row["usable"] for row in rows) and _no_operation(place, given)


def _no_backup(place: Place, given: Given) -> bool:
    rows = _backups(place, given)
    if "older_than" in given:
        return not [row for row in rows if row["timestamp"] < "2026-02-28 00:00"]
    return not [row for row in rows if str(row["bid"]) in given["backup_ids"]]


def _pruned(place: Place, given: Given) -> bool:
    return all(row["usable"] for row in _backups(place, given))


def _restored(place: Place, given: Given) -> bool:
    return is_up(_database(place, given)) and _no_operation(place, given)


def _no_operation(place: Place, given: Given) -> bool:
    return bool(_database(place, given)["operation"] == "None")


def _schedules(place: Place, given: Given) -> list[dict[str, Any]]:
    rows = place.state()["schedules"].get(given["db_name"]) or {}
    return [{"name": name, **row} for name, row in rows.items()] if isinstance(rows, dict) else list(rows)


def _has(row: dict[str, Any], name: str, value: Any, volumes: dict[str, Any]) -> bool:
    if name == "volume":
        return row[name] == value or f"#Name#{value}" in volumes.get(row[name], {}).get("labels", ())
    if name in ("name", "expire"):  # EXAoperation's have no name; and a server may tell seconds
        return True
    return str(row.get(name, True if name == "enabled" else None)) == str(value)


def _scheduled(place: Place, given: Given) -> bool:
    state = place.state()
    volumes = {**state["volumes"], **state["remote_volumes"]}
    there = _schedules(place, given)
    return all(
        any(all(_has(row, name, value, volumes) for name, value in one.items()) for row in there)
        for one in given["schedules"]
    )


def _not_scheduled(place: Place, given: Given) -> bool:
    state = place.state()
    volumes = {**state["volumes"], **state["remote_volumes"]}
    there = _schedules(place, given)
    if place.provider == "confd":
        return not {row["name"] for row in there} & {one["name"] for one in given["schedules"]}
    return not any(
        all(_has(row, name, value, volumes) for name, value in one.items())
        for row in there for one in given["schedules"]
    )  # fmt: skip


def _nodes(place: Place, given: Given) -> list[dict[str, Any]]:
    rows = {number_of(name): row for name, row in place.state()["nodes"].items()}
    return [rows.get(number_of(node), {"state": "absent"}) for node in given["nodes"]]


def _in_state(*states: str) -> Holds:
    return lambda place, given: all(row["state"] in states for row in _nodes(place, given))


def _suspended(place: Place, given: Given) -> bool:
    return all(row["state"] == "suspended" or row.get("storage_suspended", False) for row in _nodes(place, given))


def _resumed(place: Place, given: Given) -> bool:
    rows = _nodes(place, given)
    return all(row["state"] not in ("suspended", "absent") and not row.get("storage_suspended") for row in rows)


def _in_again(place: Place, given: Given) -> bool:
    return _resumed(place, given) and all(row["state"] == "online" for row in _nodes(place, given))


def _added(place: Place, given: Given) -> bool:
    nets = {row.get("private_net") for row in place.state()["nodes"].values()}
    return {one["priv_net"] for one in given["nodes"]} <= nets


def _all_well(place: Place, _given: Given) -> bool:
    """What a plan to take nodes out promises of those that stay."""
    state = place.state()
    return all(row["state"] == "online" for row in state["nodes"].values()) and all(
        row["state"] == "ONLINE" for row in state["volumes"].values()
    )


def _plugin(place: Place, given: Given) -> bool:
    rows = place.state()["plugin_nodes"].get(given["plugin"], {})
    wanted = "running" if given["state"] != "stopped" else "stopped"
    return all(rows.get(node, "stopped") == wanted for node in given["nodes"])


def exa_is_up(place: Place, given: Given) -> bool:
    """After a cold start."""
    state = place.state()
    left_out = {*given.get("exa_cold_start_ignore_nodes", ())}
    nodes = [row["state"] for name, row in state["nodes"].items() if name not in left_out]
    return bool(
        {*nodes} == {"online"} and state["storage_online"] and all(map(is_up, state["databases"].values()))
    )


def exa_is_off(place: Place, given: Given) -> bool:
    """After a graceful shutdown, which ConfD's nodes survive where nobody takes their power."""
    state = place.state()
    databases = all(row["state"] not in ("running", "startup", "shutdown") for row in state["databases"].values())
    nodes = {row["state"] for row in [*state["nodes"].values(), *state.get("machines", {}).values()]}
    return databases and (given.get("exa_graceful_shutdown_power") == "none" or not nodes & {"online", "booting"})


def _job(place: Place, given: Given) -> bool:
    """The master is another: that is what the storm runs a job for."""
    return number_of(place.cluster.state()["master"]) == given["params"]["nids"][0]


# -- NuoDB ------------------------------------------------------------------------------------------------------------


def running_engines(place: Place) -> Counter[tuple[str, str, str, str]]:
    """Database, type, server and archive of each engine that runs."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    for text, count in place.state()["engines"].items():
        name, kind, server, archive, durable, state = text.split(" ", 5)
        if (durable, state) == ("MONITORED", "RUNNING"):
            found[name, kind, server, archive] += count
    return found


def engines_of(place: Place, name: str) -> list[str]:
    """All of a database, in any state."""
    return [text for text in place.state()["engines"] if text.startswith(f"{name} ")]


def archives_of(place: Place, name: str) -> dict[str, dict[str, Any]]:
    rows = place.state()["archives"]
    return {number: row for number, row in rows.items() if row["db_name"] == name and not row["removed"]}


def _runs(place: Place, one: Any, only: Iterable[str] = ("SM", "TE")) -> bool:
    given = one if isinstance(one, dict) else {"name": one}
    name, there = given["name"], running_engines(place)
    row = place.state()["databases"].get(name)
    tes = Counter({server: n for (owner, kind, server, _a), n in there.items() if (owner, kind) == (name, "TE")})
    wanted = Counter(given.get("te_server_ids", ()))
    return (
        row is not None
        and row["state"] == "RUNNING"
        and all(there[name, "SM", one["server_id"], number] for number, one in archives_of(place, name).items())
        and ("TE" not in only or (wanted <= tes and sum(tes.values()) >= given.get("te_count", 1)))
    )


def nuodb_runs(place: Place, given: Given) -> bool:
    only = given.get("engine_types", ("SM", "TE"))
    return all(_runs(place, one, only) for one in given["databases"])


def nuodb_is_down(place: Place, given: Given) -> bool:
    rows = place.state()["databases"]
    names = names_in(given.get("databases", list(rows)))
    names = list(rows) if names == ["all"] else names
    return all(
        not engines_of(place, name) and rows.get(name, {"state": "gone"})["state"] != "RUNNING" for name in names
    )


def nuodb_is_off(place: Place, given: Given) -> bool:
    servers = {row["state"] for row in place.state()["servers"].values()}
    return nuodb_is_down(place, {}) and (
        not given["nuodb_graceful_shutdown_servers"] or servers == {"stopped"}
    )


def nuodb_is_whole_or_down(place: Place, given: Given) -> bool:
    """After a recovery, which starts nothing that was shut down on purpose."""
    return all(
        _runs(place, one) or nuodb_is_down(place, {"databases": [one]}) for one in given["databases"]
    )


def _nuodb_present(place: Place, given: Given) -> bool:
    rows = place.state()["databases"]
    options = {name: str(value) for name, value in given.get("default_options", {}).items()}
    return all(
        name in rows and rows[name]["state"] != "TOMBSTONE" and options.items() <= rows[name]["default_options"].items()
        for name in given["databases"]
    )


def _nuodb_absent(place: Place, given: Given) -> bool:
    rows = place.state()["databases"]
    gone = ("gone",) if given.get("purge") else ("gone", "TOMBSTONE")
    return all(rows.get(name, {"state": "gone"})["state"] in gone for name in given["databases"])


def _archive(place: Place, one: Given, name: str) -> dict[str, Any]:
    """One that is wanted. Empty: there is none."""
    rows = place.state()["archives"]
    if "archive_id" in one:
        return dict(rows.get(str(one["archive_id"]), {}))
    own = [
        row for row in rows.values()
        if (row["server_id"], row["archive_path"]) == (one["server_id"], one["archive_path"])
        and (not name or row["db_name"] == name)
    ]  # fmt: skip
    return dict(min(own, key=lambda row: bool(row["removed"]), default={}))


def _archives(place: Place, given: Given) -> bool:
    wanted = [(one, one.get("db_name", given["db_name"])) for one in given["archives"]]
    there = [(_archive(place, one, name), name) for one, name in wanted]
    return all(row and not row["removed"] and row["db_name"] == name for row, name in there)


def _no_archives(place: Place, given: Given) -> bool:
    there = [_archive(place, one, "") for one in given["archives"]]
    purged = given["state"] == "purged"
    return all(not row or (row["removed"] and not purged) for row in there)


def _matching(place: Place, one: Given) -> int:
    """How many engines that run are of one kind that an option names."""
    wanted = (one.get("db_name"), one.get("engine_type"), one.get("server_id"), str(one.get("archive_id")))
    return sum(
        count for engine, count in running_engines(place).items()
        if all(want in (None, "None", own) for want, own in zip(wanted, engine))
    )  # fmt: skip


def _processes(place: Place, given: Given) -> bool:
    for one in given["processes"]:
        there, wanted = _matching(place, one), one.get("count", 1)
        if there < wanted or (given.get("exact") and there != wanted):
            return False
    return True


def _no_processes(place: Place, given: Given) -> bool:
    alive = place.cluster.state()["processes"]
    named = {one["start_id"] for one in given["processes"] if "start_id" in one}
    others = [one for one in given["processes"] if "start_id" not in one]
    return not named & {*alive} and not any(_matching(place, one) for one in others)


def _servers(place: Place, given: Given) -> dict[str, str]:
    rows = place.state()["servers"]
    names = list(rows) if given["servers"] == ["all"] else given["servers"]
    return {name: rows.get(name, {"state": "absent"})["state"] for name in names}


def _servers_in(*states: str) -> Holds:
    return lambda place, given: {*_servers(place, given).values()} <= {*states}


def _group(place: Place, given: Given) -> dict[str, str]:
    groups = place.state()["storage_groups"].get(given["db_name"], {})
    own = next((row for name, row in groups.items() if name.upper() == given["sg_name"].upper()), {})
    return dict(own.get("archive_states", {}))


def _in_group(place: Place, given: Given) -> bool:
    return all(_group(place, given).get(str(number)) == "ADDED" for number in given["archive_ids"])


def _not_in_group(place: Place, given: Given) -> bool:
    there = _group(place, given)
    return not any(str(number) in there for number in given["archive_ids"]) if "archive_ids" in given else not there


def _copied(place: Place, given: Given) -> bool:
    rows = place.state()["hotcopies"].get(given["db_name"], [])
    return bool(rows) and not [row for row in rows if row["status"] == "running"] and any(
        row["status"] == "completed" for row in rows
    )


def _not_copying(place: Place, given: Given) -> bool:
    return not [row for row in place.state()["hotcopies"].get(given["db_name"], []) if row["status"] == "running"]


def _servers_well(place: Place, _given: Given) -> bool:
    """What a plan to take servers out, or processes, promises of those that stay."""
    state = place.state()
    return {row["state"] for row in state["servers"].values()} == {"ACTIVE"} and all(
        _runs(place, name) for name, row in state["databases"].items() if row["state"] == "RUNNING"
    )


def _emptied(place: Place, given: Given) -> bool:
    return not [text for text in place.state()["engines"] if text.split(" ")[2] in given["servers"]]


def _leased(place: Place, given: Given) -> bool:
    return any(given["run"] in str(value) for value in place.cluster.state()["values"].values())


def _not_leased(place: Place, given: Given) -> bool:
    return not _leased(place, given)


# -- all --------------------------------------------------------------------------------------------------------------

UP, DOWN = partial(_databases, holds=is_up), partial(_databases, holds=is_down)

WANTED: dict[str, dict[str, Holds]] = {
    "exa_database": {
        "started": UP, "restarted": UP, "stopped": DOWN, "present": _database_present,
        "absent": partial(_absent, "databases", "databases"),
    },
    "exa_volume": {
        "present": partial(_volumes, holds=_volume),
        "absent": partial(_volumes, holds=lambda row, _given: not row),
        "locked": partial(_volumes, holds=lambda row, _given: bool(row) and row["state"] == "LOCKED"),
        "unlocked": partial(_volumes, holds=lambda row, _given: bool(row) and row["state"] != "LOCKED"),
        "cleared": _cleared,
    },
    "exa_remote_volume": {"present": _remote_volume, "absent": _no_remote_volume},
    "exa_backup": {
        "present": _backup, "absent": _no_backup, "pruned": _pruned, "restored": _restored, "aborted": _no_operation,
    },
    "exa_backup_schedule": {"present": _scheduled, "absent": _not_scheduled},
    "exa_node": {
        "online": _in_state("online"), "offline": _in_state("off", "offline"), "suspended": _suspended,
        "resumed": _resumed, "present": _added, "absent": _in_state("absent"),
    },
    "exa_rolling": {"planned": _all_well, "out": _suspended, "in": _in_again},
    "exa_storage": {
        "started": lambda place, _given: bool(place.state()["storage_online"]),
        "stopped": lambda place, _given: not place.state()["storage_online"],
    },
    "exa_plugin": {"started": _plugin, "stopped": _plugin, "restarted": _plugin},
    "exa_job": {"present": _job},
    "exa_cold_start": {"present": exa_is_up},
    "exa_graceful_shutdown": {"present": exa_is_off},
    "exa_database_state": {"started": UP, "restarted": UP, "stopped": DOWN},
    "nuodb_database": {
        "running": nuodb_runs, "stopped": nuodb_is_down, "present": _nuodb_present, "absent": _nuodb_absent,
    },
    "nuodb_archive": {"present": _archives, "absent": _no_archives, "purged": _no_archives},
    "nuodb_process": {
        "running": _processes, "stopped": _no_processes, "killed": _no_processes, "evicted": _no_processes,
    },
    "nuodb_server": {
        "active": _servers_in("ACTIVE"), "stopped": _servers_in("stopped"), "absent": _servers_in("absent"),
    },
    "nuodb_storage_group": {"present": _in_group, "absent": _not_in_group},
    "nuodb_hotcopy": {"completed": _copied, "cancelled": _not_copying},
    "nuodb_rolling": {"planned": _servers_well, "out": _emptied, "in": _servers_well},
    "nuodb_rolling_restart": {
        "present": nuodb_runs, "planned": nuodb_runs, "restarted": nuodb_runs, "done": nuodb_runs,
    },
    "nuodb_lease": {"taken": _leased, "returned": _not_leased, "kept": _leased},
    "nuodb_cold_start": {"present": nuodb_runs},
    "nuodb_graceful_shutdown": {"present": nuodb_is_off},
    "nuodb_database_state": {"running": nuodb_runs, "restarted": nuodb_runs, "stopped": nuodb_is_down},
    "nuodb_recover": {"present": nuodb_is_whole_or_down},
}  # fmt: skip
"""By module or runbook and the state that is asked for; C(present) where there is one alone."""

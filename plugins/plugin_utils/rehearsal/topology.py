# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The topology of the copy: from the real cluster or from a file, in the state that the rehearsal begins with."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.module_utils.common.yaml import yaml_load

from ...module_utils._errors import ClusterError
from ...module_utils._wording import listing
from .. import left_file

AUTO, NOW, DOWN = ("auto", "now", "down")
"""The state of the copy at the beginning: the one that the runbook is for, as the cluster is now, or everything off."""

FOR_COLD = ("exa_cold_start", "nuodb_cold_start")
"""Runbooks for a cluster that is off."""

KIND = {"exa": "cluster", "nuodb": "domain"}
"""The key of the cluster in the result of the product's module."""

PARTS = ("nodes", "machines", "databases", "servers", "archives", "processes", "tombstones")
"""The parts of a topology that are mappings of objects by their names."""

MAPPINGS = ("settings", "timing")

OF_RUNNING = ("connectible", "operation", "operation_time", "info")
"""Settings that an Exasol database has only while it is up."""
LEADER_TIMEOUT = 10000
"""Real milliseconds of a leader assignment: in a faster clock they would be over before two requests are sent."""

Row = dict[str, Any]


def state_of(runbook: str, wanted: str) -> str:
    """The state of the copy at the beginning."""
    return (DOWN if runbook in FOR_COLD else NOW) if wanted == AUTO else wanted


def of_file(path: str, host: str, product: str) -> Row:
    """The cluster in a file: a topology, or the registered result of a module.

    :raises ClusterError: the file can't be read, or doesn't contain this cluster.
    """
    try:
        text = left_file.text_of(os.path.expanduser(path))
    except OSError as error:
        raise ClusterError(
            f"{host}: the topology {path} can't be read: {error.strerror}",
            hint="rehearse_save writes such a file, in a run without --check",
        ) from None
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else yaml_load(text)
    except Exception as error:  # a YAML library has many, and each says where it stumbled
        said = " ".join(str(error).split())
        raise ClusterError(f"{host}: the topology {path} is neither YAML nor JSON: {said[:200]}") from None
    return chosen(data, path, host, product)


def chosen(data: Any, path: str, host: str, product: str) -> Row:
    """The cluster of this host among the clusters of a file.

    :raises ClusterError: no cluster is of this product, or of several none has the host's name.
    """
    fitting = [row for row in _rows(data) if _product_of(row) == product]
    named = [row for row in fitting if row.get("name") == host]
    if len(named or fitting) == 1:
        row = (named or fitting)[0]
        wrong = _misshaped(row)
        if wrong:
            raise ClusterError(f"{host}: the topology {path} can't be copied: {wrong}")
        return row
    if fitting:
        names = listing([str(row.get("name")) for row in fitting])
        raise ClusterError(f"{host}: the topology {path} has several clusters ({names}), and none is called {host}")
    noun = {"exa": "an Exasol cluster", "nuodb": "a NuoDB domain"}[product]
    raise ClusterError(f"{host}: the topology {path} doesn't have {noun}, which this runbook is for")


def _misshaped(row: Row) -> str:
    """What is wrong with the data of a cluster in a file, in words; empty if nothing is."""
    for part in PARTS:
        things = row.get(part) or {}
        names = things if isinstance(things, list) else []
        rows = things.values() if isinstance(things, dict) else ()
        if not isinstance(things, (dict, list)) or not all(isinstance(one, (str, int)) for one in names):
            return f"{part} must be a mapping, or a list of names"
        if not all(one is None or isinstance(one, (dict, str)) for one in rows):
            return f"each of {part} must be a mapping, or a state"
        if not all(isinstance(one.get("db_name", ""), str) for one in rows if isinstance(one, dict)):
            return f"db_name of {part} must be a text"
    wrong = [name for name in MAPPINGS if not isinstance(row.get(name) or {}, dict)]
    if wrong:
        return f"{wrong[0]} must be a mapping"
    if not isinstance(row.get("license_servers") or [], list):
        return "license_servers must be a list"
    services = row.get("services") or {}
    if not isinstance(services, dict):
        return "services must be a mapping"
    for name, one in objects(row.get("databases")).items():
        found = one.get("incarnation") or [1, 1]
        if not isinstance(found, list) or [type(number) for number in found] != [int, int]:
            return f"incarnation of database {name} must be two whole numbers"
    return ""


def _rows(data: Any) -> list[Row]:
    if isinstance(data, dict) and isinstance(data.get("clusters"), (list, dict)):
        inner = data["clusters"]
        data = [{"name": name, **(row or {})} for name, row in inner.items()] if isinstance(inner, dict) else inner
    rows = [row for row in (data if isinstance(data, list) else [data]) if isinstance(row, dict)]
    found = [next((row[kind] for kind in KIND.values() if isinstance(row.get(kind), dict)), row) for row in rows]
    return [row for row in found if {"nodes", "databases", "servers"} & row.keys()]


def _product_of(row: Row) -> str:
    named = row.get("product") or ("nuodb" if "servers" in row and "nodes" not in row else "exasol")
    return "nuodb" if named == "nuodb" else "exa"


def shaped(product: str, row: Row, name: str, state: str, scale: float, timing: Row, texts: dict[str, str]) -> Row:
    """The topology that the simulator gets.

    :param name: of the copy.
    :param scale: seconds of this machine per second of the cluster.
    :param timing: how long things last on the real cluster.
    :param texts: the status text of each plugin that runs.
    """
    found = {**row, "name": name, "product": "nuodb" if product == "nuodb" else "exasol"}
    settings: Row = {}
    if product == "nuodb":
        settings["leaderAssignmentTimeout"] = max(LEADER_TIMEOUT, int(LEADER_TIMEOUT / scale))
    elif row.get("provider") == "confd":
        settings["master_answer"] = "{host}:{port}"  # all nodes of the copy have one address
    elif texts:
        found["plugin_status"] = {plugin: {"running": text} for plugin, text in texts.items()}
    if state == DOWN:
        found = _domain_down(found) if product == "nuodb" else _cluster_down(found)
    given = found.get("settings") or {}
    return {**found, "settings": {**settings, **given}, "timing": {**(found.get("timing") or {}), **timing}}


def objects(value: Any) -> dict[str, Row]:
    """Objects by their names, from a mapping or a list of names. A text alone is the state, as for the simulator."""
    rows = dict.fromkeys(value) if isinstance(value, list) else dict(value or {})
    return {str(name): {"state": row} if isinstance(row, str) else dict(row or {}) for name, row in rows.items()}


def _cluster_down(row: Row) -> Row:
    found = {key: value for key, value in row.items() if key not in ("volume_states", "sight", "plugin_nodes")}
    found["nodes"] = {name: {**one, "state": "offline"} for name, one in objects(row.get("nodes")).items()}
    found["databases"] = {
        name: {**{key: value for key, value in one.items() if key not in OF_RUNNING}, "state": "setup"}
        for name, one in objects(row.get("databases")).items()
    }
    if row.get("provider") == "confd":
        return found
    servers = list(map(str, row.get("license_servers") or ["n0010"]))
    machines = objects(row.get("machines"))
    found["machines"] = {name: {**machines.get(name, {}), "state": "offline"} for name in servers}
    services = {**dict.fromkeys(row.get("services") or (), "OK"), "Storaged": "not running"}
    return {**found, "master": servers[0], "services": services, "storage_online": False}


def _domain_down(row: Row) -> Row:
    """As a graceful shutdown would leave it: each process with its tombstone."""
    found = {key: value for key, value in row.items() if key != "leader"}
    found["servers"] = {
        name: {**{key: value for key, value in one.items() if key not in ("connected", "role")}, "state": "stopped"}
        for name, one in objects(row.get("servers")).items()
    }
    found["archives"] = {
        name: {**one, "state": "NOT_RUNNING"} if one.get("state") == "RUNNING" else one
        for name, one in objects(row.get("archives")).items()
    }
    databases, stones = objects(row.get("databases")), objects(row.get("tombstones"))
    processes = objects(row.get("processes")).items()
    stamp = time.strftime("(%Y-%m-%dT%H:%M:%S.000+0000)", time.gmtime())
    # TEs go first
    for start_id, one in sorted(processes, key=lambda item: (item[1].get("engine_type") != "TE", item[0])):
        database = databases.setdefault(str(one.get("db_name")), {})
        major, minor = [int(number) for number in database.get("incarnation") or [1, 1]]
        database["incarnation"] = [major, minor + 1]
        stones[start_id] = {
            **{key: value for key, value in one.items() if key != "last_heard_from"},
            "durable_state": "REQUESTED_SHUTDOWN",
            "engine_state": "SHUTTING_DOWN",
            "incarnation": [major, minor + 1],
            "exit_code": 0,
            "reason": f"{stamp} Gracefully shutdown engine",
        }
    found["databases"] = {
        name: {key: value for key, value in one.items() if key != "state" or value == "TOMBSTONE"}
        for name, one in databases.items()
    }
    return {**found, "tombstones": stones, "processes": {}}


def summary(product: str, row: Row) -> str:
    """A summary of the copy, in words."""
    parts = ("servers", "archives", "databases") if product == "nuodb" else ("nodes", "databases")
    counts = [(len(objects(row.get(part))), part) for part in parts]
    said = ", ".join(f"{count} {part if count != 1 else part[:-1]}" for count, part in counts)
    software = "NuoDB" if product == "nuodb" else "ConfD" if row.get("provider") == "confd" else "EXAoperation"
    version = row.get("version")
    return f"{said}, {software}{f' {version}' if version else ''}"


def machines_of(product: str, row: Row) -> list[str]:
    """The machines that are switched on before a cold start."""
    if product == "nuodb":
        return list(objects(row.get("servers")))
    if row.get("provider") == "confd":
        return list(objects(row.get("nodes")))
    return list(map(str, row.get("license_servers") or ["n0010"]))

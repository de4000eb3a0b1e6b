# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that exited, and processes in the form of a topology."""

from __future__ import annotations

import time
from typing import Any


class Tombstone:
    """The remains of a process that exited."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row

    @property
    def start_id(self) -> str:
        return str(self.row["process"]["startId"])

    @property
    def db_name(self) -> str:
        return str(self.row["process"]["dbName"])

    def summary(self) -> dict[str, Any]:
        """The object in the form of a topology."""
        incarnation = self.row["databaseIncarnation"]
        return {
            **summary(self.row["process"]),
            "incarnation": [incarnation["major"], incarnation["minor"]],
            "exit_code": self.row.get("exitCode"),
            "reason": self.row["reason"],
        }


def summary(row: dict[str, Any]) -> dict[str, Any]:
    """A process of the API in the form of a topology."""
    port = row.get("port")
    return {
        "start_id": row["startId"],
        "db_name": row["dbName"],
        "engine_type": row["type"],
        "server_id": row["host"],
        "archive_id": row.get("archiveId"),
        "durable_state": row["durableState"],
        "engine_state": row.get("state", "UNKNOWN"),
        "node_id": row.get("nodeId"),
        "pid": row.get("pid"),
        "address": None if port is None else f"{row['address']}:{port}",
        "labels": dict(row.get("labels") or {}),
        "version": row.get("version"),
        "last_heard_from": row.get("lastHeardFrom"),
        "external": bool(row.get("isExternalStartup")),
    }


def buried(start_id: str, options: dict[str, Any]) -> Tombstone:
    """A tombstone from a topology's row."""
    host, _colon, port = str(options.get("address") or "").rpartition(":")
    process: dict[str, Any] = {
        "startId": start_id,
        "dbName": str(options.get("db_name", "")),
        "type": str(options.get("engine_type", "TE")),
        "host": str(options.get("server_id", "")),
        "durableState": str(options.get("durable_state", "MONITORED")),
        "state": str(options.get("engine_state", "UNKNOWN")),
        "labels": dict(options.get("labels") or {}),
        "options": {},
        "isExternalStartup": bool(options.get("external")),
        "regionId": 0,
        "regionName": "Default",
    }
    if host:
        process.update(address=host, hostname=host, port=int(port))
    for name, key in (("archive_id", "archiveId"), ("node_id", "nodeId"), ("pid", "pid"), ("version", "version")):
        if options.get(name) is not None:
            process[key] = options[name]
    row: dict[str, Any] = {
        "databaseIncarnation": {"major": options["incarnation"][0], "minor": options["incarnation"][1]},
        "hasDisconnected": True,
        "process": process,
        "reason": str(options.get("reason", "")),
    }
    if options.get("exit_code") is not None:
        row["exitCode"] = int(options["exit_code"])
    return Tombstone(row)


def stamp(seconds: float) -> str:
    """(2019-05-16T02:24:26.401+0000), as in the reasons of real tombstones (NUODB-333)."""
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"({text}.{int(seconds * 1000) % 1000:03d}+0000)"

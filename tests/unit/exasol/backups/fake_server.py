# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server with backups that answers as it likes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import NoSuchObject, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.backups import ArchiveVolume, Backup
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.databases import DatabaseConfigState
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.catalogue import Catalogue
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.restore import (
    RestoreDatabases,
    WantedRestore,
)

BERLIN = ZoneInfo("Europe/Berlin")
UP = {"state": "running", "connectible": "Yes"}


def backup(bid: int, level: int = 0, **more: Any) -> Backup:
    known = {"volume": "A", "volume_id": 10001, "files": f"DB1/id_{bid}", "usable": True}
    return Backup(**{"id": f"id {bid}", "bid": bid, "level": level, "system": "DB1", **known,
                     "timestamp": "2026-05-01 10:00", **more})  # fmt: skip


class Server:
    """A cluster with its backups: it does what it is told at once, or what a test puts in its place."""

    name = "exa-unit"
    remote_is_blocking = False
    calls = {"start": "start", "expire": "expire", "delete": "delete", "prune": "prune", "restore": "restore"}

    def __init__(self, *rows: Backup, **state: Any) -> None:
        self.rows = list(rows)
        self.state = {**UP, **state}
        self.progressing: Any = None
        self.trouble_of: dict[str, str] = {}
        self.unclear = ""
        self.sent: list[tuple[Any, ...]] = []
        self.does: dict[str, Any] = {}
        self.provider = SimpleNamespace(calls={"abort_backup": "abort"})
        self.plans: Any = []
        self.layouts = {"DB1": "Data1"}
        self.states: dict[str, Any] = {}

    # the cluster

    def database(self, name: str) -> Database:
        return Database(name, **self.states.get(name, self.state))

    def databases(self) -> list[str]:
        return list(self.layouts)

    def database_layout(self, name: str) -> DatabaseConfigState:
        return DatabaseConfigState(self.database(name), settings={"data_volume_name": self.layouts[name]})

    def database_errors(self, _name: str) -> str:
        return ""

    def news(self, _names: list[str]) -> list[str]:
        return []

    def abort_backup(self, name: str) -> None:
        self._do("abort", name)

    # its backups

    def _do(self, call: str, *args: Any) -> None:
        self.sent.append((call, *args))
        done = self.does.get(call)
        if done:
            done(*args)

    def volume(self, which: str, clearly: bool = False) -> ArchiveVolume:
        if clearly and which == self.unclear:
            raise Refused(f"exa-unit: {which} is the name of one volume and also means B")
        known = ("A", "B", "r0005")
        if which not in known:
            raise NoSuchObject(f"exa-unit: there is no archive volume {which}")
        return ArchiveVolume(which, 10001 + known.index(which), self.trouble_of.get(which, ""))

    def backups(self, _name: str, _foreign: bool = False) -> list[Backup]:
        return list(self.rows)

    def progress(self, _name: str) -> Any:
        return self.progressing

    def check_start(self, *_args: Any) -> None:
        """Every start is possible."""

    def check_expiry(self, *_args: Any) -> None:
        """Every expiry is possible."""

    def start(self, *args: Any) -> None:
        self._do("start", *args)

    def change_expiry(self, *args: Any) -> None:
        self._do("expire", *args)

    def delete(self, *args: Any) -> None:
        self._do("delete", *args)

    def delete_unusable(self, *args: Any) -> None:
        self._do("prune", *args)

    def restore(self, *args: Any) -> None:
        self._do("restore", *args)

    def trouble(self, _name: str) -> str:
        return ""

    def schedules(self) -> Any:
        return self.plans


DOWN = {"state": "setup", "connectible": "No"}


def restoring(server: Server, **wanted: Any) -> Any:
    return RestoreDatabases(
        server, Catalogue(server, ["DB1"]), WantedRestore(**{"backup_id": "1", "confirm": ["DB1"], **wanted})
    )

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of databases, by the jobs of ConfD. Source: docs/sources/confd.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Optional

from ..._errors import ClusterError, Denied, NoSuchObject
from ..api.databases import DatabaseConfigApi, DatabaseConfigState, DataVolume
from ..api.sizes import GIB, in_bytes, size_text
from .answers import database_of, is_database, is_names, is_rows, node_named
from .jobs import ConfdJobs
from .jobs_under_way import JobsUnderWay

SHOWN_AS = {
    "data_volume": "data_volume_name",
    "ldap_servers": "ldap_server",
    "jdbc_url": "jdbc_urls",
    "oracle_urls": "oracle_url",
}
"""Parameters of jobs that have another name in EXAConf (exasol/docker-db, libexadt)."""

OWN = ("name", "nodes", "num_active_nodes", "backups")
"""Keys in db_info's config that aren't settings."""

JOINED = {"interfaces": ",", "ldap_server": ",", "additional_sys_passwd_hashes": ";", "params": " "}
"""Parameters that take a list as one text, with the separator (the descriptions of db_create)."""

SIZES = ("mem_size", "max_system_heap_memory")

SECRET = ("default_sys_passwd_hash", "additional_sys_passwd_hashes")

NOTHING = ("", "none")
"""Values that stand for no volume, in lower case."""


class ConfdDatabaseConfig(DatabaseConfigApi):
    """Uses db_info, db_create, db_configure and the like."""

    calls = {
        "create": "db_create",
        "configure": "db_configure",
        "delete": "db_delete",
        "add_reserve": "db_add_reserve_nodes",
        "remove_reserve": "db_remove_reserve_nodes",
        "enlarge": "db_enlarge",
    }

    def __init__(self, jobs: ConfdJobs, work: JobsUnderWay, node_ids: Callable[[list[str]], list[int]]) -> None:
        self._jobs = jobs
        self._work = work
        self._node_ids = node_ids

    def read(self, name: str) -> Optional[DatabaseConfigState]:
        if name not in self._jobs.read("db_list", fits=is_names):
            return None
        try:
            return configured(name, self._jobs.read("db_info", {"db_name": name}, of=name, fits=is_database))
        except NoSuchObject:  # it was deleted in between
            return None

    def volumes(self) -> list[DataVolume]:
        rows = self._jobs.read("st_volume_list", fits=is_rows)
        return [_volume(row) for row in rows if str(row.get("id", "")).isdigit()]

    def check(self, change: str, name: str, values: Mapping[str, Any]) -> None:
        self._jobs.parameters(self.calls[change], self._given(change, name, values), of=name)

    def takes(self, change: str, option: str) -> bool:
        return option in self._jobs.help(self.calls[change]).parameters

    def create(self, name: str, values: Mapping[str, Any]) -> None:
        self._jobs.execute("db_create", self._given("create", name, values), of=name)

    def configure(self, name: str, values: Mapping[str, Any]) -> None:
        self._jobs.execute("db_configure", self._given("configure", name, values), of=name)

    def delete(self, name: str) -> None:
        self._jobs.execute("db_delete", {"db_name": name}, of=name)

    def add_reserve(self, name: str, nodes: list[str]) -> None:
        self._reserve("add_reserve", name, nodes)

    def remove_reserve(self, name: str, nodes: list[str]) -> None:
        self._reserve("remove_reserve", name, nodes)

    def _reserve(self, change: str, name: str, nodes: list[str]) -> None:
        self._jobs.execute(self.calls[change], {"db_name": name, "node_list": self._ids(nodes)}, of=name)

    def enlarge(self, name: str, number: int) -> None:
        self._work.submit("db_enlarge", {"db_name": name, "num_new_nodes": number}, of=name)

    def _given(self, change: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values as the job takes them."""
        given: dict[str, Any] = {"db_name": name}
        for key, value in values.items():
            if key == "nodes":
                given[key] = self._ids(list(value))
            elif key == "volume_quota":
                given[key] = self._quota(self.calls[change], value)
            elif key in SIZES and str(value).strip().isdecimal():
                given[key] = f"{value} MiB"
            elif key in JOINED and isinstance(value, (list, tuple)):
                given[key] = JOINED[key].join(str(one) for one in value)
            else:
                given[key] = value
        return given

    def _ids(self, nodes: list[str]) -> list[int]:
        try:
            return self._node_ids(nodes)
        except Denied:  # a user who only administers databases may not read nodes; n11 is 11 unless renamed
            numbers = [re.fullmatch(r"n?0*(\d+)", node) for node in nodes]
            if not all(numbers):
                raise
            return [int(number.group(1)) for number in numbers if number]

    def _quota(self, job: str, value: Any) -> Any:
        """GiB as a number or as a text with its unit: version 8 takes a number in db_create, a text in db_configure."""
        size = in_bytes(value, "GiB")
        parameter = self._jobs.help(job).parameters.get("volume_quota")
        if size is None or parameter is None or parameter.kinds == ("str",):
            return value if size is None else size_text(size)
        if size % GIB:
            raise ClusterError(
                f"{self._jobs.name}: job {job} takes volume_quota in whole GiB, not {value}", number="DBF-7010"
            )
        return size // GIB


def _volume(row: Mapping[str, Any]) -> DataVolume:
    labels = [str(label) for label in row.get("labels") or []]
    found = [re.fullmatch(r"pub:(.+)_persistent", label) for label in labels]
    return DataVolume(int(row["id"]), str(row.get("name") or ""), tuple(one.group(1) for one in found if one))


def data_volume(info: Mapping[str, Any]) -> str:
    """The data volume from the output of db_info; empty if there is none."""
    told = info.get("persistent volume")
    volume = "" if told is None else str(told)  # the number 0 is a volume too
    return "" if volume.lower() in NOTHING else volume


def configured(name: str, info: Mapping[str, Any]) -> DatabaseConfigState:
    """The configuration in the output of db_info. Only version 8 has `config`.

    Version 6.2 shows nodes, volume, quota, and the port in the connection string.
    """
    database = database_of(name, info)
    told = info.get("config")
    config = told if isinstance(told, dict) else {}
    settings = {SHOWN_AS.get(str(key), str(key)): value for key, value in config.items() if key not in OWN}
    settings = {key: value for key, value in settings.items() if key not in SECRET and value is not None}
    volume = data_volume(info)
    if volume:
        settings["data_volume_name"] = volume
    if info.get("quota") is not None:
        settings.setdefault("volume_quota", info["quota"])
    port = re.search(r":(\d{1,5})$", database.connection_string)
    if port:
        settings.setdefault("port", int(port.group(1)))
    nodes = info.get("nodes")
    lists = nodes if isinstance(nodes, dict) else {}
    active, failed, reserve = (tuple(map(node_named, lists.get(key) or ())) for key in ("active", "failed", "reserve"))
    number: Any = config.get("num_active_nodes")
    if number is None and active and not failed:
        number = len(active)  # with failed nodes, `active` may be from before or after reserve nodes took over
    told_number = int(number) if str(number).isdigit() else None
    return DatabaseConfigState(database, active, failed, reserve, told_number, settings, bool(config))

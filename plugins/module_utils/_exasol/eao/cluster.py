# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Exasol cluster by EXAoperation XML-RPC (versions 4.2, 5.0, 6.x, 7.x). Source: docs/sources/eao.md."""

from __future__ import annotations

from typing import Any, Optional

from ..._errors import ClusterError, Fault, Garbled, NoSuchObject
from ..._foreign import one_line
from ..._http.client import Http
from ..api.backups import BackupApi
from ..api.cluster import Cluster
from ..api.databases import DatabaseConfigState
from ..api.providers import EAO, eao_node
from ..api.states import (
    BOOTING,
    LEAVING,
    OFFLINE,
    ONLINE,
    RUNNING,
    UNKNOWN,
    Database,
    connectible,
    info_text,
    power_by,
)
from ..api.volumes import RemoteVolumeApi, VolumeApi
from .backups import EaoBackups
from .connection import EaoConnection
from .volumes import EaoRemoteVolumes, EaoVolumes

UNTIL_DONE = 20.0
"""How many times `request_timeout` a call may take that seems to answer only when its work is done (EAO-81).

A time-out looks like a lost answer, and a call whose answer was lost is sent again if nothing changes.
"""


class EaoCluster(Cluster):
    """The provider `exaoperation`.

    :param http: its `cluster` is the cluster's name.
    """

    provider = EAO

    def __init__(self, http: Http) -> None:
        self._eao = EaoConnection(http)
        self.name = http.cluster
        self._has_summary = True

    @property
    def api_calls(self) -> int:
        return self._eao.api_calls

    @property
    def url(self) -> str:
        return self._eao.url

    @property
    def urls(self) -> list[str]:
        return self._eao.urls

    # -- reads

    def nodes(self) -> list[str]:
        return self._machines("getNodeList")

    def _machines(self, method: str) -> list[str]:
        """The nodes that a method lists by name or number."""
        return [self._node(one) if isinstance(one, int) else one for one in self._eao.names(method)]

    def _node(self, number: int) -> str:
        try:
            return eao_node(number)
        except ClusterError as error:
            raise error.of(self.name) from None

    def node_is_online(self, node: str) -> bool:
        try:
            return "dmidecode" in str(self._eao.read("getHardwareInformation", node))
        except NoSuchObject:
            raise
        except Fault:  # the server may answer a fault for a node that is off (EAO-53)
            return False

    def node_status(self, node: str) -> str:
        return self.node_told(node) or ""

    def node_told(self, node: str) -> Optional[str]:
        try:
            state = self._eao.read("getNodeState", node)
        except NoSuchObject:  # the server has no such call, or knows no such node
            return ""
        except Fault:  # the call may fail while a node boots (EAO-122)
            return None
        return str(state.get("status") or "") if isinstance(state, dict) else ""

    def seen_online(self) -> Optional[frozenset[str]]:
        try:
            return frozenset(self._machines("getPossibleEXAoperationNodes"))
        except ClusterError:
            return None

    def services(self) -> dict[str, str]:
        value = self._eao.read("getServiceState")
        pairs = isinstance(value, list) and all(isinstance(pair, list) and len(pair) >= 2 for pair in value)
        self._eao.expect(bool(pairs) and bool(value), "getServiceState", value)
        return {str(pair[0]): str(pair[1]) for pair in value}

    def databases(self) -> list[str]:
        return self._eao.databases()

    def database(self, name: str) -> Database:
        of = f"db_{name}"
        found = Database(name, self._eao.text("getDatabaseState", of=of))
        found = found.with_(operation=self._eao.text("getDatabaseOperation", of=of))
        if found.phase != "running":
            return found
        found = found.with_(connectible=connectible(self._eao.text("getDatabaseConnectionState", of=of)))
        if not found.accepts_connections:
            return found
        return found.with_(connection_string=self._eao.text("getDatabaseConnectionString", of=of))

    def database_summary(self, name: str) -> Database:
        if not self._has_summary:
            return self.database(name)
        try:
            info = self._eao.read("getDatabaseInfo", of=f"db_{name}")
        except NoSuchObject:  # older than 6.0, or the database is gone, which the other calls show
            self._has_summary = False
            return self.database(name)
        self._eao.expect(isinstance(info, dict) and isinstance(info.get("state"), str), "getDatabaseInfo", info)
        return Database(
            name,
            str(info["state"]),
            connectible(info.get("connectible")),
            str(info.get("operation", "None")),
            str(info.get("connection string", "")),
            _data_volume(info),
            info_text(info.get("info")),
        )

    def database_layout(self, name: str) -> DatabaseConfigState:
        try:
            info = self._eao.read("getDatabaseInfo", of=f"db_{name}")
        except NoSuchObject:  # older than 6.0
            return DatabaseConfigState(Database(name, ""))
        self._eao.expect(isinstance(info, dict), "getDatabaseInfo", info)
        nodes = info["nodes"] if isinstance(info.get("nodes"), dict) else {}
        active, failed, reserve = (tuple(map(str, nodes.get(key) or ())) for key in ("active", "failed", "reserve"))
        volume = _data_volume(info)
        settings = {"data_volume_name": volume} if volume else {}
        return DatabaseConfigState(
            Database(name, str(info.get("state", ""))), active, failed, reserve, settings=settings
        )

    def database_errors(self, name: str) -> str:
        try:
            value = self._eao.read("getCurrentErrors", of=f"db_{name}")
        except Fault:
            return ""
        texts = [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value or "")]
        return one_line("; ".join(one_line(text) for text in texts if text.strip() and text != "None"))

    def master(self) -> str:
        try:
            return self._eao.text("getEXAoperationMaster")
        except NoSuchObject:  # 4.2 has a number instead (EAO-61)
            number = self._eao.read("getCurrentLicenseServer")
            self._eao.expect(
                isinstance(number, int) and not isinstance(number, bool), "getCurrentLicenseServer", number
            )
            return self._node(number)

    def version(self) -> Optional[str]:
        try:
            return self._eao.text("getEXASuiteVersion")
        except Fault:
            return None

    def login_role(self) -> Optional[str]:
        try:
            return self._eao.text("getLoginRole")
        except Fault:
            return None

    def log_services(self) -> list[str]:
        try:
            value = self._eao.read("getAllLogServices")
        except Fault:
            return []
        self._eao.expect(value is None or isinstance(value, list), "getAllLogServices", value)
        names = [item.get("name") if isinstance(item, dict) else item for item in value or []]
        return [str(name) for name in names if name]

    def log_entries(self, service: str) -> list[dict[str, Any]]:
        # logEntriesTagged is shorter but returns each message only once: a lost answer would lose messages.
        value = self._eao.read("logEntries", of=service)
        self._eao.expect(
            isinstance(value, list) and len(value) == 3 and isinstance(value[2], list), "logEntries", value
        )
        return [entry for entry in reversed(value[2]) if isinstance(entry, dict)]

    def plugins(self) -> list[str]:
        try:
            value = self._eao.read("showPluginList")
        except Fault:
            return []
        self._eao.expect(value is None or isinstance(value, list), "showPluginList", value)
        return [str(name) for name in value or []]

    def license_server_states(self, names: list[str]) -> dict[str, str]:
        nodes, master = self.nodes(), self.master()
        try:
            told = self._machines("getEXAoperationNodes")
        except (Fault, Garbled):  # its answer isn't documented for every version (EAO-72)
            told = None
        holders = [name for name in told or [] if name not in nodes]
        found = {}
        for name in dict.fromkeys([*names, *holders]):
            known = told is None or name in holders
            found[name] = ONLINE if name == master else self._license_server_state(name, known)
        return found

    def _license_server_state(self, name: str, known: bool) -> str:
        status = self.node_status(name)
        if status.lower() == RUNNING or self.node_is_online(name):
            return ONLINE
        if power_by(status) in (BOOTING, LEAVING):
            return power_by(status)
        return OFFLINE if known or status else UNKNOWN

    def answers(self) -> str:
        return " ".join(self.urls) if self._eao.answers() else ""

    # -- parts

    def backups(self) -> BackupApi:
        return EaoBackups(self._eao)

    def volumes(self) -> VolumeApi:
        return EaoVolumes(self._eao)

    def remote_volumes(self) -> RemoteVolumeApi:
        return EaoRemoteVolumes(self._eao)

    # -- changes

    def start_nodes(self, nodes: list[str]) -> None:
        for node in nodes:
            self._eao.change("startupNode", node)

    def stop_nodes(self, nodes: list[str]) -> None:
        for node in nodes:
            self._eao.change("shutdownNode", node)

    def suspend_nodes(self, nodes: list[str], disable: bool = False) -> None:
        for node in nodes:
            self._eao.change("suspendNode", of=f"storage/{node}")

    def resume_nodes(self, nodes: list[str], enable: bool = False) -> None:
        for node in nodes:
            self._eao.change("resumeNode", of=f"storage/{node}")

    def node_is_suspended(self, node: str) -> bool:
        value = self._eao.read("nodeIsSuspended", of=f"storage/{node}")
        self._eao.expect(isinstance(value, bool), "nodeIsSuspended", value)
        return value

    def start_storage(self, ignored_nodes: list[str]) -> None:
        answer = self._eao.change(
            "startEXAStorage", *([ignored_nodes] if ignored_nodes else []), of="storage", patience=UNTIL_DONE
        )
        if answer != "OK":
            text = one_line(answer)
            raise Fault(
                f"{self.name}: startEXAStorage of storage at {self._eao.url}: it answered {text!r}, not 'OK'",
                text=text,
            )

    def stop_storage(self) -> None:
        self._eao.change("stopEXAStorage", of="storage", patience=UNTIL_DONE)

    def start_database(self, name: str) -> None:
        self._eao.change("startDatabase", of=f"db_{name}")

    def stop_database(self, name: str) -> None:
        self._eao.change("stopDatabase", of=f"db_{name}")

    def force_stop_database(self, name: str) -> None:
        self._eao.change("forceShutdownDatabase", of=f"db_{name}")

    def abort_backup(self, name: str) -> None:
        self._eao.change("abortBackup", of=f"db_{name}")

    def call_plugin(self, plugin: str, node: str, command: str, changing: bool = True) -> tuple[int, str]:
        value = (self._eao.change if changing else self._eao.read)("callPlugin", plugin, node, command)
        answered = isinstance(value, list) and len(value) >= 2 and isinstance(value[0], int)
        self._eao.expect(answered, "callPlugin", value)
        return value[0], str(value[1]).strip()


def _data_volume(info: dict[str, Any]) -> str:
    volume = str(info.get("persistent volume") or "None")
    return "" if volume == "None" else volume

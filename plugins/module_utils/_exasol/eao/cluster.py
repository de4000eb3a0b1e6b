# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Exasol cluster, spoken in EXAoperation XML-RPC (facts/exasol_api.md part 1; versions 4.2, 5.0, 6.x, 7.x)."""

from __future__ import annotations

import xmlrpc.client
from dataclasses import replace
from typing import Any, Optional
from urllib.parse import quote_plus
from xml.parsers.expat import ExpatError

from ..._errors import AnswerLost, ClusterError, Denied, Fault, Garbled, NoSuchObject, Unsupported
from ..._http.client import Call, Http
from ..._secrets import beginning
from ..api import capabilities as can
from ..api.backups import BackupApi
from ..api.cluster import Cluster
from ..api.databases import Configured, DatabaseConfigApi
from ..api.nodes import NodeConfigApi
from ..api.providers import EXAOPERATION, exaoperation_node
from ..api.states import Database
from ..api.volumes import RemoteVolumeApi, VolumeApi
from ..confd.jobs import Jobs
from .backups import EXAoperationBackups
from .volumes import EXAoperationRemoteVolumes, EXAoperationVolumes

ROOT = "/cluster1"

UNTIL_DONE = 20.0
"""Times C(request_timeout) for calls that seem to answer only when their work is done (facts 1.6).

A time-out looks like a loss, and a lost call is sent again when nothing changes.
"""


class EXAoperation(Cluster):
    """The provider C(exaoperation).

    :param http: the connection; its C(cluster) is the cluster's name.
    """

    provider = EXAOPERATION

    def __init__(self, http: Http) -> None:
        self._http = http
        self.name = http.cluster
        self._has_summary = True

    @property
    def api_calls(self) -> int:
        return self._http.calls

    @property
    def url(self) -> str:
        return self._http.url

    @property
    def urls(self) -> list[str]:
        return self._http.urls

    # -- the wire

    def read(self, method: str, *args: Any, of: str = "") -> Any:
        return self._call(Call(method, of), args)

    def change(self, method: str, *args: Any, of: str = "", patience: float = 1.0) -> Any:
        return self._call(Call(method, of, changing=True, patience=patience), args)

    def _call(self, call: Call, args: tuple[Any, ...]) -> Any:
        body = xmlrpc.client.dumps(args, call.method, allow_none=True).encode()
        path = f"{ROOT}/{_quoted(call.target)}" if call.target else ROOT
        subject = call if call.target else replace(call, method=f"{call.method}({', '.join(map(_shown, args))})")
        answer = self._http.post(subject, path, body)
        where = f"{self.name}: {subject} at {self._http.url}"
        try:
            (value,), _method = xmlrpc.client.loads(answer, use_builtin_types=True)
        except xmlrpc.client.Fault as fault:
            raise self._said_no(where, str(fault.faultString), call) from None
        except (ExpatError, xmlrpc.client.Error, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            raise self._garbled(where, answer, call) from None
        return value

    def _garbled(self, where: str, answer: bytes, call: Call) -> ClusterError:
        head = answer[:512].lstrip().lower()
        if head.startswith((b"<!doctype html", b"<html")):
            cause = "the answer is an HTML page, not XML-RPC (a proxy's, or another service's)"
        elif head.startswith(b"<?xml") or head.startswith(b"<methodresponse"):
            cause = "the XML of the answer is broken or incomplete"
        else:
            cause = "the answer is not XML-RPC"
        if call.changing:
            return AnswerLost(f"{where}: {cause}; whether it was carried out is not known")
        return Garbled(f"{where}: {cause}")

    def _said_no(self, where: str, text: str, call: Call) -> ClusterError:
        words = " ".join(text.split())
        if "unauthorized" in words.lower() or "forbidden" in words.lower():
            return Denied(f"{where}: the user may not do this ({words})")
        if "NotFound: Object" in words:
            what = f"there is no object {call.target}" if call.target else "there is no such object"
            return NoSuchObject(f"{where}: {what} or it has no call {call.method} ({words})", text=words)
        return Fault(f"{where}: the server refused: {words}", text=words)

    def expect(self, condition: bool, method: str, value: Any) -> None:
        if not condition:
            where = f"{self.name}: {method} at {self._http.url}"
            raise Garbled(f"{where}: the answer has an unknown form ({beginning(str(value), 80)!r})")

    # -- reads

    def _text(self, method: str, *args: Any, of: str = "") -> str:
        """What must be a text: a nil, say, would read like the state 'none' or the operation 'None'."""
        value = self.read(method, *args, of=of)
        self.expect(isinstance(value, str), method, value)
        return value

    def _names(self, method: str) -> list[Any]:
        value = self.read(method)
        named = isinstance(value, list) and all(type(item) in (str, int) for item in value)
        self.expect(named, method, value)
        return value

    def nodes(self) -> list[str]:
        return [self._node(node) if isinstance(node, int) else node for node in self._names("getNodeList")]

    def _node(self, number: int) -> str:
        try:
            return exaoperation_node(number)
        except ClusterError as error:
            raise error.of(self.name) from None

    def node_is_online(self, node: str) -> bool:
        try:
            return "dmidecode" in str(self.read("getHardwareInformation", node))
        except NoSuchObject:
            raise
        except Fault:  # a node that is away may be told by a fault (facts 1.5)
            return False

    def node_status(self, node: str) -> str:
        try:
            state = self.read("getNodeState", node)
        except Fault:  # it can raise while a node boots (facts 1.8)
            return ""
        return str(state.get("status") or "") if isinstance(state, dict) else ""

    def services(self) -> dict[str, str]:
        value = self.read("getServiceState")
        pairs = isinstance(value, list) and all(isinstance(pair, list) and len(pair) >= 2 for pair in value)
        self.expect(bool(pairs) and bool(value), "getServiceState", value)
        return {str(pair[0]): str(pair[1]) for pair in value}

    def databases(self) -> list[str]:
        return [str(name) for name in self._names("getDatabaseList")]

    def database(self, name: str) -> Database:
        of = f"db_{name}"
        found = Database(name, self._text("getDatabaseState", of=of))
        found = found.with_(operation=self._text("getDatabaseOperation", of=of))
        if found.phase != "running":
            return found
        found = found.with_(connectible=self._text("getDatabaseConnectionState", of=of))
        if not found.accepts_connections:
            return found
        return found.with_(connection_string=self._text("getDatabaseConnectionString", of=of))

    def database_summary(self, name: str) -> Database:
        if not self._has_summary:
            return self.database(name)
        try:
            info = self.read("getDatabaseInfo", of=f"db_{name}")
        except NoSuchObject:  # older than 6.0, or the database is gone, which the other calls tell
            self._has_summary = False
            return self.database(name)
        self.expect(isinstance(info, dict) and isinstance(info.get("state"), str), "getDatabaseInfo", info)
        return Database(
            name,
            str(info["state"]),
            str(info.get("connectible", "No")),
            str(info.get("operation", "None")),
            str(info.get("connection string", "")),
        )

    def database_layout(self, name: str) -> Configured:
        try:
            info = self.read("getDatabaseInfo", of=f"db_{name}")
        except NoSuchObject:  # older than 6.0
            return Configured(Database(name, ""))
        self.expect(isinstance(info, dict), "getDatabaseInfo", info)
        nodes = info["nodes"] if isinstance(info.get("nodes"), dict) else {}
        active, failed, reserve = (tuple(map(str, nodes.get(key) or ())) for key in ("active", "failed", "reserve"))
        volume = str(info.get("persistent volume") or "None")
        settings = {} if volume == "None" else {"data_volume_name": volume}
        return Configured(Database(name, str(info.get("state", ""))), active, failed, reserve, settings=settings)

    def database_errors(self, name: str) -> str:
        try:
            value = self.read("getCurrentErrors", of=f"db_{name}")
        except Fault:
            return ""
        texts = [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value or "")]
        return "; ".join(" ".join(text.split()) for text in texts if text.strip() and text != "None")

    def master(self) -> str:
        try:
            return self._text("getEXAoperationMaster")
        except NoSuchObject:  # 4.2 has a number instead (SOL-80)
            number = self.read("getCurrentLicenseServer")
            self.expect(isinstance(number, int) and not isinstance(number, bool), "getCurrentLicenseServer", number)
            return self._node(number)

    def version(self) -> Optional[str]:
        try:
            return self._text("getEXASuiteVersion")
        except Fault:
            return None

    def login_role(self) -> Optional[str]:
        try:
            return self._text("getLoginRole")
        except Fault:
            return None

    def log_services(self) -> list[str]:
        try:
            value = self.read("getAllLogServices")
        except Fault:
            return []
        self.expect(value is None or isinstance(value, list), "getAllLogServices", value)
        names = [item.get("name") if isinstance(item, dict) else item for item in value or []]
        return [str(name) for name in names if name]

    def log_entries(self, service: str) -> list[dict[str, Any]]:
        # logEntriesTagged would be shorter, but forgets what it has told once: a lost answer would lose messages.
        value = self.read("logEntries", of=service)
        self.expect(isinstance(value, list) and len(value) == 3 and isinstance(value[2], list), "logEntries", value)
        return [entry for entry in reversed(value[2]) if isinstance(entry, dict)]

    def plugins(self) -> list[str]:
        try:
            value = self.read("showPluginList")
        except Fault:
            return []
        self.expect(value is None or isinstance(value, list), "showPluginList", value)
        return [str(name) for name in value or []]

    def answers(self) -> str:
        return " ".join(self.urls) if self._http.answers(ROOT) else ""

    # -- parts

    def jobs(self) -> Jobs:
        raise self._unsupported(can.JOBS)

    def database_config(self) -> DatabaseConfigApi:
        raise self._unsupported(can.DATABASE_CONFIG)

    def node_config(self) -> NodeConfigApi:
        raise self._unsupported(can.NODE_CONFIG)

    def _unsupported(self, capability: str) -> Unsupported:
        return Unsupported(f"{self.name}: {self.lacks(capability)}", failed_object=capability)

    def backups(self) -> BackupApi:
        return EXAoperationBackups(self)

    def volumes(self) -> VolumeApi:
        return EXAoperationVolumes(self)

    def remote_volumes(self) -> RemoteVolumeApi:
        return EXAoperationRemoteVolumes(self)

    # -- changes

    def start_nodes(self, nodes: list[str]) -> None:
        for node in nodes:
            self.change("startupNode", node)

    def stop_nodes(self, nodes: list[str]) -> None:
        for node in nodes:
            self.change("shutdownNode", node)

    def suspend_nodes(self, nodes: list[str]) -> None:
        for node in nodes:
            self.change("suspendNode", of=f"storage/{node}")

    def resume_nodes(self, nodes: list[str]) -> None:
        for node in nodes:
            self.change("resumeNode", of=f"storage/{node}")

    def node_is_suspended(self, node: str) -> bool:
        value = self.read("nodeIsSuspended", of=f"storage/{node}")
        self.expect(isinstance(value, bool), "nodeIsSuspended", value)
        return value

    def start_storage(self, ignored_nodes: list[str]) -> None:
        answer = self.change(
            "startEXAStorage", *([ignored_nodes] if ignored_nodes else []), of="storage", patience=UNTIL_DONE
        )
        if answer != "OK":
            text = " ".join(str(answer).split())
            raise Fault(
                f"{self.name}: startEXAStorage of storage at {self._http.url}: it answered {text!r}, not 'OK'",
                text=text,
            )

    def stop_storage(self) -> None:
        self.change("stopEXAStorage", of="storage", patience=UNTIL_DONE)

    def start_database(self, name: str) -> None:
        self.change("startDatabase", of=f"db_{name}")

    def stop_database(self, name: str) -> None:
        self.change("stopDatabase", of=f"db_{name}")

    def force_stop_database(self, name: str) -> None:
        self.change("forceShutdownDatabase", of=f"db_{name}")

    def abort_backup(self, name: str) -> None:
        self.change("abortBackup", of=f"db_{name}")

    def call_plugin(self, plugin: str, node: str, command: str, changing: bool = True) -> tuple[int, str]:
        value = (self.change if changing else self.read)("callPlugin", plugin, node, command)
        answered = isinstance(value, list) and len(value) >= 2 and isinstance(value[0], int)
        self.expect(answered, "callPlugin", value)
        return value[0], str(value[1]).strip()


def _quoted(target: str) -> str:
    """An object's path; only databases may have a slash in their name."""
    return quote_plus(target, safe="" if target.startswith("db_") else "/")


def _shown(argument: Any) -> str:
    """An argument for a sentence; of options only the names, for one may be a password."""
    return f"{{{', '.join(argument)}}}" if isinstance(argument, dict) else str(argument)

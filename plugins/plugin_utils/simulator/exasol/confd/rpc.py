# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP of the ConfDs: the question for the master, the redirect to it, and RPC in XML or JSON."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ...faults import Fault as Injected
from ...http import Answer, Request
from .catalogue import JOBS
from .cluster import ConfdCluster
from .codecs import Json, Unreadable, Xml
from .methods import Asked, Fault, Methods, NoMethod
from .topology import node_of
from .users import User

TEXT = {"Content-Type": "text/plain;charset=utf-8"}
HTML = {"Content-Type": "text/html;charset=utf-8"}
PATHS = ("/", "/rpc2", "/RPC2")
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"
_NODES = ("nid", "nids", "node_id", "node_ids", "nodes", "node_list", "src_nodes", "dst_nodes")
_HANG = Answer(0, {}, b"", breakage="hang")


class Rpc:
    """The listeners of one cluster; each knows which node it is."""

    def __init__(self, cluster: ConfdCluster) -> None:
        self.cluster = cluster
        self.methods = Methods(cluster)

    def answer(self, machine: str, request: Request) -> Answer:
        url = urlsplit(request.path)
        path = url.path or "/"
        if request.method in ("GET", "HEAD") and path in ("/master", "/is_master"):
            return self._about_master(machine, path, url.query)
        codec: Any = Xml if path in PATHS else Json if path == self.cluster.settings["json_path"] else None
        if codec is None:
            return Answer(404, TEXT, b"Not Found")
        if request.method != "POST":
            return Answer(501, TEXT, b"Unsupported method")
        try:
            calls, batch = codec.read(request.body)
        except Unreadable:
            return Answer(400, TEXT, b"Bad Request")
        if not batch:
            return self._call(machine, path, request, calls[0])
        bodies = []
        for rpc in calls:
            answer = self._call(machine, path, request, rpc)
            if answer.status != 200 or answer.breakage:
                return answer
            bodies.append(answer.body)
        return Answer(200, {"Content-Type": codec.content_type}, codec.joined(bodies))

    # -- the master ----------------------------------------------------------------------------------------

    def _about_master(self, machine: str, path: str, query: str) -> Answer:
        cluster = self.cluster
        number = cluster.record.begin()
        fault = cluster.faults.on_call(path[1:], (machine,))
        if fault is not None and fault.delay:
            time.sleep(fault.delay)
        with cluster.lock:
            cluster.settle()
            answer = self._is_master(machine) if path == "/is_master" else self._master(query)
        if fault is not None:
            answer = _instead(fault, answer, Answer(200, TEXT, str(fault.value).encode()))
        told = answer.body.decode(errors="replace")
        cluster.record.call(
            number, user="", path=path, method=path[1:], args=[], node=machine, changing=False, result=told,
            fault_injected=None if fault is None else fault.kind,
        )  # fmt: skip
        return answer

    def _is_master(self, machine: str) -> Answer:
        daemon, settings = self.cluster.administration, self.cluster.settings
        if daemon.running and daemon.master == machine:
            return Answer(200, TEXT, str(settings["is_master_body"]).encode())
        return Answer(int(settings["is_master_status"]), TEXT, b"False")

    def _master(self, query: str) -> Answer:
        daemon = self.cluster.administration
        if not daemon.running:
            return Answer(503, TEXT, b"There is no master")
        if parse_qs(query).get("info_type") == ["name"]:
            return Answer(200, TEXT, self.cluster.machines[daemon.master].described["name"].encode())
        return Answer(200, TEXT, self._filled("master_answer", "").encode())

    def _filled(self, setting: str, path: str) -> str:
        """The text of a setting, with the data of the master filled in."""
        node = self.cluster.machines[self.cluster.administration.master]
        url = self.cluster.urls.get(node.name) or f"https://{node.address}:443"
        there = urlsplit(url)
        known = {
            "url": url, "host": there.hostname or "", "port": str(there.port), "address": node.address,
            "name": node.described["name"], "path": path,
        }  # fmt: skip
        text = str(self.cluster.settings[setting])
        for name, value in known.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    # -- RPC -------------------------------------------------------------------------------------------------

    def _call(self, machine: str, path: str, request: Request, rpc: Any) -> Answer:
        cluster = self.cluster
        with cluster.lock:
            cluster.settle()
            user = cluster.users.of_header(request.headers.get("authorization", ""))
            asked = Asked(rpc.method, rpc.arguments, user or User("", "", -1), machine, 0)
            elsewhere = self._elsewhere(machine, path, self.methods.is_suspension(asked))
        if user is None and elsewhere is None:
            return _unauthorized()
        number = cluster.record.begin()
        asked.call_n = number
        fault = cluster.faults.on_call((asked.method, asked.job), _names(machine, asked))
        if fault is not None and fault.delay:
            time.sleep(fault.delay)
        entry: dict[str, Any] = {}
        if fault is not None and fault.kind not in ("slow", "reset_after", "truncate"):
            answer = self._injected(fault, asked, rpc, entry)
        elif elsewhere is not None:
            answer = elsewhere
            entry["fault"] = f"{answer.status} {answer.headers.get('Location', '')}".strip()
        else:
            answer = self._carry_out(asked, rpc, entry)
        if fault is not None:
            answer = _instead(fault, answer, answer)
        kind = JOBS.get(asked.job)
        cluster.record.call(
            number, user=asked.user.name, path=path, node=machine, method=asked.method, job=asked.job or None,
            args=list(asked.arguments), changing=kind is not None and kind.changing and elsewhere is None,
            fault_injected=None if fault is None else fault.kind, **entry,
        )  # fmt: skip
        return answer

    def _elsewhere(self, machine: str, path: str, suspends: bool) -> Answer | None:
        """The answer of a node that isn't the master, or is without a majority.

        :param suspends: whether the call is about a node_suspend, which needs no majority (CONFD-19).
        """
        cluster, settings = self.cluster, self.cluster.settings
        daemon = cluster.administration
        taken = suspends and settings["suspend_without_quorum"]
        if not cluster.quorum() and settings["quorum_lost"] != "answer" and not taken:
            return _HANG if settings["quorum_lost"] == "hang" else Answer(503, TEXT, b"Quorum lost")
        if not daemon.running:
            return _HANG if settings["no_master"] == "hang" else Answer(503, TEXT, b"There is no master")
        if daemon.master == machine:
            return None
        return Answer(302, {**TEXT, "Location": self._filled("redirect_location", path)}, b"")

    def _carry_out(self, asked: Asked, rpc: Any, entry: dict[str, Any]) -> Answer:
        headers = {"Content-Type": rpc.content_type}
        try:
            if rpc.refused is not None:
                raise Fault(*rpc.refused)
            with self.cluster.lock:
                value = self.methods.call(asked)
        except Fault as fault:
            entry["fault"] = str(fault)
            code = rpc.no_method if isinstance(fault, NoMethod) else fault.code
            return Answer(200, headers, rpc.fault(str(fault), code))
        entry["result"] = value
        return Answer(200, headers, rpc.result(value))

    def _injected(self, fault: Injected, asked: Asked, rpc: Any, entry: dict[str, Any]) -> Answer:
        """The answer of a fault in ConfD's form, if ConfD has such an answer."""
        headers = {"Content-Type": rpc.content_type}
        entry["fault"] = f"(injected: {fault.kind})"
        if fault.kind == "wrong_state":
            value = fault.value
            if asked.method == "job_exec" and not (isinstance(value, dict) and "result_code" in value):
                value = {**_outcome(0, "OK", "Success"), "result_output": value}
            entry["result"] = value
            return Answer(200, headers, rpc.result(value))
        if fault.kind == "fault":
            text = fault.text or "internal error"
            entry["fault"] = text
            if asked.method in ("job_exec", "job_result"):
                return Answer(200, headers, rpc.result(_outcome(fault.status or 1, "ERROR", text)))
            return Answer(200, headers, rpc.fault(text, fault.status or 1))
        return Answer(200, headers, b"")


def _outcome(code: int, name: str, text: str) -> dict[str, Any]:
    return {"result_code": code, "result_name": name, "result_desc": text, "result_jobid": "0.0"}


def _instead(fault: Injected, answer: Answer, own: Answer) -> Answer:
    """The answer that the fault has changed; `own` if the fault's answer is one of ConfD."""
    if fault.kind in ("reset", "refuse", "reset_after"):
        return Answer(0, {}, b"", breakage="reset")
    if fault.kind == "hang":
        return _HANG
    if fault.kind == "html":
        return Answer(fault.status or 502, HTML, fault.text.encode() or _PAGE)
    if fault.kind == "unauthorized":
        return _unauthorized()
    if fault.kind == "server_error":
        return Answer(500, TEXT, (fault.text or "Server error").encode())
    if fault.kind == "truncate":
        short = fault.variant == "short"
        body = answer.body if short else answer.body[: len(answer.body) // 2]
        return Answer(answer.status, answer.headers, body, breakage="short" if short else "")
    return own if fault.kind in ("fault", "wrong_state") else answer


def _unauthorized() -> Answer:
    return Answer(401, {**TEXT, "WWW-Authenticate": 'Basic realm="ConfD"'}, b"Unauthorized")


def _names(machine: str, asked: Asked) -> tuple[str, ...]:
    """The names that a fault's `object` may have: the asked node, and names in the parameters."""
    names = [machine]
    for name, value in asked.params.items():
        for one in value if isinstance(value, list) else [value]:
            if name in _NODES and (node := node_of(one)) is not None:
                names.append(node)
            elif isinstance(one, (str, int)):
                names.append(str(one))
    return tuple(names)

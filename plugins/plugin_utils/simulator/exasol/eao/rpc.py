# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EAO XML-RPC: a request's bytes become a call on an object, its result or fault becomes the answer's bytes."""

from __future__ import annotations

import base64
import hmac
import re
import time
import xmlrpc.client
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from ...bodies import of_call
from ...faults import Fault
from ...http import Answer, Request
from ..common.topology import node_name
from .calls_on_cluster import NodeCluster
from .cluster import Cluster, UsageError
from .resource import Blocked, Call, Caller, Resource, WrongArguments
from .topology import ROLES

XML = {"Content-Type": "text/xml;charset=utf-8"}
HTML = {"Content-Type": "text/html;charset=utf-8"}
PREFIX = "Unexpected Zope exception: "
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"
_HOME = b"<html><head><title>EXAoperation</title></head><body>EXAoperation</body></html>\n"
_FOLDER = "<zope.site.folder.Folder object at 0x7f0000000000>"
_VOLUME = re.compile(r"^([vr]\d{4}|remote\d+)$")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Unauthorized(Exception):
    """The caller's role doesn't allow the call, and the setting requires a 401."""


class ZopeError(Exception):
    """An exception of the server's framework; its text is the whole text of the fault."""


@dataclass
class _Outcome:
    result: Any = None
    fault: str | None = None


class Rpc:
    """The API of one cluster, the same on each of its listeners."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.root = NodeCluster(cluster)
        self.users = {user.name: user for user in cluster.spec.users}
        self._known_headers: dict[str, Caller] = {}

    def answer(self, request: Request) -> Answer:
        """The answer to one HTTP request."""
        caller = self._caller(request.headers.get("authorization", ""))
        if caller is None:
            return _unauthorized()
        if request.method != "POST":
            return Answer(200, HTML, _HOME)
        try:
            arguments, method = of_call(request.body)
        except ValueError:
            return _fault(f"{PREFIX}ExpatError: not well-formed (invalid token)")
        if not method:
            return _fault(f"{PREFIX}NotFound: Object: {self.root.zope_repr()}, name: u''")
        return self._call(request.path, method, arguments, caller)

    def _caller(self, header: str) -> Caller | None:
        known = self._known_headers.get(header)
        if known is not None:
            return known
        scheme, _blank, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            login, _colon, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except ValueError:  # no base64, or no UTF-8 in it
            return None
        user = self.users.get(login)
        if user is None or not hmac.compare_digest(user.password.encode(), password.encode()):
            return None
        caller = self._known_headers[header] = Caller(login, user.role)
        return caller

    def _call(self, path: str, method: str, arguments: tuple[Any, ...], caller: Caller) -> Answer:
        cluster = self.cluster
        number = cluster.record.begin()
        steps = [unquote_plus(step) for step in path.partition("?")[0].split("/") if step]
        *dotted, name = method.split(".")
        names = _names([*steps, *dotted], arguments)
        fault = cluster.faults.on_call(name, names)
        if fault is not None and fault.delay:
            time.sleep(fault.delay)
        outcome, answer = _Outcome(), None
        which: Call | None = None
        if fault is None or fault.kind in ("slow", "reset_after", "truncate"):
            try:
                which, outcome.result = self._carry_out(steps, dotted, name, arguments, caller, number)
            except Unauthorized:
                outcome.fault, answer = "401 Unauthorized", _unauthorized()
            except UsageError as error:
                outcome.fault = str(error)
            except ZopeError as error:
                outcome.fault = str(error)
        else:
            answer = self._instead(fault, outcome)
        if answer is None:
            answer = _fault(outcome.fault) if outcome.fault is not None else _result(outcome.result)
            if fault is not None:
                answer = _broken(fault, answer)
        entry: dict[str, Any] = {"fault": outcome.fault} if outcome.fault is not None else {"result": outcome.result}
        cluster.record.call(
            number,
            user=caller.login,
            path=path,
            method=method,
            args=list(arguments),
            changing=self._changing(which, name, arguments),
            fault_injected=None if fault is None else fault.kind,
            **entry,
        )
        return answer

    def _changing(self, which: Call | None, name: str, arguments: tuple[Any, ...]) -> bool:
        """Whether the call changes something. STATUS of a plugin doesn't."""
        if name == "callPlugin":
            return len(arguments) < 3 or arguments[2] != "STATUS"
        if which is not None:
            return which.changing
        return name in _CHANGING

    def _carry_out(
        self, steps: list[str], dotted: list[str], name: str, arguments: tuple[Any, ...], caller: Caller, number: int
    ) -> tuple[Call, Any]:
        cluster = self.cluster
        with cluster.lock:
            cluster.settle()
            target, which = self._traverse([*steps, *dotted], name)
            self._check_role(which, caller)
            cluster.current_call = number
            try:
                result = target.invoke(which, arguments, caller)
                cluster.settle()
            except WrongArguments as error:
                raise ZopeError(f"{PREFIX}TypeError: {error}") from None
            except (TypeError, ValueError, AttributeError, OverflowError) as error:
                raise ZopeError(f"{PREFIX}{type(error).__name__}: {error}") from None
            finally:
                cluster.current_call = None
            if isinstance(result, Blocked):
                cluster.wait_for(result.done)
                result = result.result()
        return which, result

    def _traverse(self, steps: list[str], name: str) -> tuple[Resource, Call]:
        if not steps or steps[0] != "cluster1":
            raise ZopeError(_not_found(_FOLDER, steps[0] if steps else name))
        target: Resource = self.root
        for step in steps[1:]:
            child = target.child(step)
            if child is None:
                raise ZopeError(_not_found(target.zope_repr(), step))
            target = child
        which = target.offers(name)
        if which is None:
            raise ZopeError(_not_found(target.zope_repr(), name))
        return target, which

    def _check_role(self, which: Call, caller: Caller) -> None:
        if ROLES.index(caller.role) >= ROLES.index(which.role):
            return
        kind = self.cluster.settings["forbidden"]
        if kind == "401":
            raise Unauthorized
        text = f"role {caller.role} may not call {which.name}"
        raise ZopeError(text if kind == "usage_error" else f"{PREFIX}Unauthorized: {text}")

    def _instead(self, fault: Fault, outcome: _Outcome) -> Answer:
        """The answer of a fault that prevents the call."""
        outcome.fault = f"(injected: {fault.kind})"
        if fault.kind in ("reset", "refuse"):
            return Answer(0, {}, b"", breakage="reset")
        if fault.kind == "hang":
            return Answer(0, {}, b"", breakage="hang")
        if fault.kind == "html":
            return Answer(fault.status or 502, HTML, fault.text.encode() or _PAGE)
        if fault.kind == "unauthorized":
            return _unauthorized()
        if fault.kind == "server_error":
            return Answer(500, {"Content-Type": "text/plain;charset=utf-8"}, (fault.text or "Server error").encode())
        if fault.kind == "fault":
            outcome.fault = fault.text or f"{PREFIX}RuntimeError: injected"
            return _fault(outcome.fault)
        outcome.fault, outcome.result = None, fault.value
        return _result(fault.value)


def _broken(fault: Fault, answer: Answer) -> Answer:
    if fault.kind == "reset_after":
        answer.breakage = "reset"
    elif fault.kind == "truncate" and fault.variant == "short":
        answer.breakage = "short"
    elif fault.kind == "truncate":
        answer.body = answer.body[: len(answer.body) // 2]
    return answer


def _names(steps: list[str], arguments: tuple[Any, ...]) -> tuple[str, ...]:
    """The names that a fault's `object` may have: the object, its database, or a node or volume of the arguments."""
    name = steps[-1] if steps else ""
    rows = [name, name.removeprefix("db_")]
    for value in arguments[:2]:
        node = node_name(value)
        if node is not None:
            rows.append(node)
        elif isinstance(value, str) and _VOLUME.match(value):
            rows.append(value)
    return tuple(rows)


def _not_found(where: str, name: str) -> str:
    """The text with the name in Python 2's notation, as the server's framework gives it."""
    shown = ascii(name)
    return f"{PREFIX}NotFound: Object: {where}, name: u{shown}"


def _unauthorized() -> Answer:
    headers = {**HTML, "WWW-Authenticate": 'basic realm="EXAoperation"'}
    return Answer(401, headers, b"<html><body>Unauthorized</body></html>\n")


def _fault(text: str) -> Answer:
    fault = xmlrpc.client.Fault(-1, _CONTROL.sub("?", text))
    return Answer(200, XML, xmlrpc.client.dumps(fault, methodresponse=True, allow_none=True).encode("utf-8"))


def _result(value: Any) -> Answer:
    try:
        body = xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True)
    except OverflowError as error:  # the call may have changed its own arguments
        return _fault(f"{PREFIX}OverflowError: {error}")
    return Answer(200, XML, body.encode("utf-8"))


def _changing_names() -> frozenset[str]:
    from . import (
        calls_on_cluster,
        calls_on_databases,
        calls_on_storage,
    )

    classes = (
        calls_on_cluster.NodeCluster,
        calls_on_cluster.Node,
        calls_on_databases.DatabaseObject,
        calls_on_storage.StorageObject,
        calls_on_storage.StorageVolumeObject,
        calls_on_storage.StorageVolumeNodeObject,
        calls_on_storage.StorageNodeObject,
        calls_on_storage.RemoteVolumeObject,
    )
    return frozenset(call.name for one in classes for call in one.calls.values() if call.changing)


_CHANGING = _changing_names()

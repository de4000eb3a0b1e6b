# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and roles: the caller of a request, and what the roles of a user allow."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .domain import Domain


class Asked(Protocol):
    """The parts of a call that roles check."""

    method: str
    path: str
    parameters: dict[str, str]
    query: dict[str, list[str]]
    body: Any


@dataclass
class Caller:
    """`roles` None: everything is allowed."""

    name: str
    roles: list[str] | None


@dataclass
class Account:
    name: str
    roles: list[str] | None
    salt: bytes = b""
    digest: bytes = b""
    certificate: str | None = None

    def set_password(self, password: str) -> None:
        self.salt = os.urandom(8)
        self.digest = self._digest(password)

    def knows(self, password: str) -> bool:
        return bool(self.digest) and hmac.compare_digest(self.digest, self._digest(password))

    def _digest(self, password: str) -> bytes:
        return hashlib.sha256(self.salt + password.encode()).digest()

    def row(self) -> dict[str, Any]:
        """The object as the API shows it."""
        return {"name": self.name, "roles": list(self.roles or [])}


@dataclass
class Role:
    name: str
    sub_roles: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """The object as the API shows it."""
        return {"name": self.name, "subRoles": list(self.sub_roles), "authorizedRequests": list(self.requests)}


class Policies:
    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.users: dict[str, Account] = {}
        for user in domain.spec.users:
            account = self.users[user.name] = Account(user.name, user.roles)
            account.set_password(user.password)
        self.owner = domain.spec.users[0].name
        """The first user, who may do everything."""
        self.roles: dict[str, Role] = {}
        for row in domain.spec.roles:
            role = Role(
                str(row.get("name")), list(row.get("subRoles") or []), list(row.get("authorizedRequests") or [])
            )
            self.roles[role.name] = role

    def caller(self, header: str, certificate: str | None) -> Caller | None:
        """The caller, by password or by certificate; None if it is no known user."""
        kind = self.domain.spec.authentication
        if kind == "none":
            return Caller("", None)
        if header and kind != "certificate":
            account = self._by_password(header)
        elif certificate is not None:
            # the certificate that the simulator makes belongs to the first user
            account = self.users.get(certificate) or self.users.get(self.owner)
        else:
            account = None
        if account is None:
            return None
        return Caller(account.name, None if account.name == self.owner else account.roles)

    def _by_password(self, header: str) -> Account | None:
        scheme, _blank, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, _colon, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except ValueError:  # no base64, or no UTF-8 in it
            return None
        account = self.users.get(name)
        return account if account is not None and account.knows(password) else None

    def authorise(self, caller: Caller, call: Asked) -> None:
        """Raises Refused if no role of the caller allows the call."""
        if caller.roles is None or any(self._allows(request, call) for request in self._requests(caller.roles)):
            return
        raise self.domain.refuse("forbidden", user=caller.name, method=call.method, path=call.path)

    def _requests(self, names: list[str]) -> list[dict[str, Any]]:
        """The requests that roles and their sub-roles allow."""
        rows: list[dict[str, Any]] = []
        seen: set[str] = set()
        left = list(names)
        while left:
            role = self.roles.get(left.pop())
            if role is not None and role.name not in seen:
                seen.add(role.name)
                rows += role.requests
                left += role.sub_roles
        return rows

    def _allows(self, request: dict[str, Any], call: Asked) -> bool:
        if str(request.get("method", "*")).upper() not in ("*", call.method):
            return False
        pattern = str(request.get("url", ""))
        urls = [pattern]
        if self.domain.settings["glob_matches_parent"] and pattern.endswith("/*"):
            urls.append(pattern[:-2])
        if not any(fnmatch.fnmatchcase(call.path, url) for url in urls):
            return False
        body = call.body if isinstance(call.body, dict) else {}
        query = {key: values[-1] for key, values in call.query.items()}
        return all(
            _constrained(request.get(key), values)
            for key, values in (
                ("queryParamConstraints", query),
                ("pathParamConstraints", call.parameters),
                ("payloadParamConstraints", body),
            )
        )


def _constrained(constraints: Any, values: dict[str, Any]) -> bool:
    return all(
        name in values and fnmatch.fnmatchcase(str(values[name]), str(pattern))
        for name, pattern in (constraints or {}).items()
    )

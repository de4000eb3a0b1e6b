# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users, groups, and who may run a job."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .catalogue import JOBS, JobType

if TYPE_CHECKING:
    from .topology import ConfdSpec

BUILT_IN = {"root": 0, "exausers": 500, "exaadm": 502, "exadbadm": 503, "exastoradm": 504, "exabfsadm": 505}


@dataclass
class User:
    name: str
    password: str
    uid: int
    groups: list[str] = field(default_factory=list)
    login_enabled: bool = True

    def may(self, job: JobType) -> bool:
        return self.name in job.users or any(group in job.groups for group in self.groups)


class Users:
    def __init__(self, spec: ConfdSpec) -> None:
        self.all = {row.name: User(row.name, row.password, row.uid, list(row.groups)) for row in spec.users}
        self.groups: dict[str, int] = dict(BUILT_IN)
        for name, row in spec.groups.items():
            self.groups[name] = int(row.get("gid", max(self.groups.values()) + 1))
        self._token = spec.authentication_token

    def of_header(self, header: str) -> User | None:
        """The user of an Authorization header; None if the header is wrong."""
        scheme, _blank, rest = header.partition(" ")
        if scheme.lower() == "bearer":
            right = bool(self._token) and hmac.compare_digest(self._token.encode(), rest.encode())
            return User("root", "", 0, ["root"]) if right else None
        if scheme.lower() != "basic":
            return None
        try:
            login, _colon, password = base64.b64decode(rest, validate=True).decode("utf-8").partition(":")
        except ValueError:  # no base64, or no UTF-8 in it
            return None
        user = self.all.get(login)
        if user is None or not user.login_enabled:
            return None
        return user if hmac.compare_digest(user.password.encode(), password.encode()) else None

    def members(self, group: str) -> list[str]:
        return sorted(user.name for user in self.all.values() if group in user.groups)

    def administrators(self) -> list[User]:
        """The users who may change users, and so undo changes of them."""
        return [user for user in self.all.values() if user.login_enabled and user.may(JOBS["user_modify"])]

    def rows(self) -> list[dict[str, Any]]:
        return [{"name": user.name, "uid": user.uid, "groups": list(user.groups)} for user in self.all.values()]

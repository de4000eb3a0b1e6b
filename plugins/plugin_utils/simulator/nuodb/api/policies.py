# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls on users, roles and the license."""

from __future__ import annotations

from typing import Any

from ..policies import Account, Role
from .paging import page
from .routes import Call, route


@route("GET", "policies/users")
def users(call: Call) -> Any:
    return page([one.row() for one in call.domain.policies.users.values()], call.query, call.domain.settings)


def _user(call: Call) -> Account:
    name = call.parameters["name"]
    account = call.domain.policies.users.get(name)
    if account is None:
        raise call.domain.refuse("unknown_user", name=name)
    return account


def _known_roles(call: Call, names: list[str]) -> list[str]:
    for name in names:
        if name not in call.domain.policies.roles:
            raise call.domain.refuse("unknown_role", name=name)
    return names


@route("GET", "policies/users/{name}")
def user(call: Call) -> Any:
    return _user(call).row()


@route("PUT", "policies/users/{name}")
def create_user(call: Call) -> Any:
    policies, name = call.domain.policies, call.parameters["name"]
    if name in policies.users:
        raise call.domain.refuse("user_exists", name=name)
    account = Account(name, _known_roles(call, call.texts("roles")))
    _credentials(call, account, "password", "certificatePem")
    policies.users[name] = account
    return account.row()


def _credentials(call: Call, account: Account, password: str, certificate: str) -> None:
    if call.body.get(password) is not None:
        account.set_password(str(call.body[password]))
    if call.body.get(certificate) is not None:
        account.certificate = str(call.body[certificate])


@route("DELETE", "policies/users/{name}")
def delete_user(call: Call) -> None:
    del call.domain.policies.users[_user(call).name]


@route("POST", "policies/users/{name}/roles")
def user_roles(call: Call) -> Any:
    account = _user(call)
    added = _known_roles(call, call.texts("rolesToAdd"))
    account.roles = _changed(account.roles or [], added, call.texts("rolesToRemove"))
    return account.row()


@route("POST", "policies/users/{name}/credentials")
def user_credentials(call: Call) -> Any:
    account = _user(call)
    _credentials(call, account, "newPassword", "newCertificatePem")
    return account.row()


@route("GET", "policies/roles")
def roles(call: Call) -> Any:
    return page([one.row() for one in call.domain.policies.roles.values()], call.query, call.domain.settings)


def _role(call: Call) -> Role:
    name = call.parameters["name"]
    role = call.domain.policies.roles.get(name)
    if role is None:
        raise call.domain.refuse("unknown_role", name=name)
    return role


def _requests(call: Call, name: str) -> list[Any]:
    rows = [] if call.body.get(name) is None else call.body[name]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise call.bad(name, rows)
    return rows


def _changed(rows: list[Any], added: list[Any], removed: list[Any]) -> list[Any]:
    kept = [one for one in rows if one not in removed]
    for one in added:
        if one not in kept:
            kept.append(one)
    return kept


@route("GET", "policies/roles/{name}")
def role(call: Call) -> Any:
    return _role(call).row()


@route("PUT", "policies/roles/{name}")
def create_role(call: Call) -> Any:
    name = call.parameters["name"]
    if name in call.domain.policies.roles:
        raise call.domain.refuse("role_exists", name=name)
    new = Role(name, _known_roles(call, call.texts("subRoles")), _requests(call, "authorizedRequests"))
    call.domain.policies.roles[name] = new
    return new.row()


@route("POST", "policies/roles/{name}")
def change_role(call: Call) -> Any:
    one = _role(call)
    added = _known_roles(call, call.texts("subRolesToAdd"))
    one.sub_roles = _changed(one.sub_roles, added, call.texts("subRolesToRemove"))
    one.requests = _changed(one.requests, _requests(call, "policiesToAdd"), _requests(call, "policiesToRemove"))
    return one.row()


@route("DELETE", "policies/roles/{name}")
def delete_role(call: Call) -> None:
    policies, name = call.domain.policies, _role(call).name
    users_of = [one for one in policies.users.values() if name in (one.roles or [])]
    if users_of or any(name in one.sub_roles for one in policies.roles.values()):
        raise call.domain.refuse("role_in_use", name=name)
    del policies.roles[name]


@route("GET", "policies/license")
def effective_license(call: Call) -> Any:
    return call.domain.license.row()


@route("POST", "policies/license", changing=lambda call: call.flag("update"))
def set_license(call: Call) -> Any:
    """Checks a license, and sets it with update=true."""
    encoded = str(call.need("encodedLicense"))
    if "-----BEGIN" not in encoded:
        raise call.domain.refuse("bad_license")
    if call.flag("update"):
        call.domain.license.encoded = encoded
    return call.domain.license.decoded()

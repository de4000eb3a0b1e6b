# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of users and groups, and of the configuration as a whole."""

from __future__ import annotations

from typing import Any

from ..catalogue import NODE_RIGHTS, Call, given, job, may
from ..users import BUILT_IN, User

_RIGHTS = ("root", "exaadm")
_USER = given("username", "str", "Name of a user.")
_GROUP = given("group_name", "str", "Name of a group.")


def _user_of(call: Call) -> User:
    found = call.cluster.users.all.get(call["username"])
    if found is None:
        raise call.refuse("unknown_user", name=call["username"])
    return found


def _group_of(call: Call, name: str) -> str:
    if name not in call.cluster.users.groups:
        raise call.refuse("unknown_group", name=name)
    return name


@job("All users.", _RIGHTS)
def user_list(call: Call) -> Any:
    return {user.name: {"id": user.uid, "groups": list(user.groups)} for user in call.cluster.users.all.values()}


@job("One user.", _RIGHTS, _USER)
def user_info(call: Call) -> Any:
    user = _user_of(call)
    return {"name": user.name, "id": user.uid, "groups": list(user.groups), "login_enabled": user.login_enabled}


@job(
    "Add a user.",
    _RIGHTS,
    _USER,
    may("password", "str", "Password."),
    may("userid", "int", "Id."),
    may("groups", "list", "Groups."),
    may("login_enabled", "bool", "Whether the user may log in."),
    configures=True,
)
def user_create(call: Call) -> Any:
    users, name = call.cluster.users, call["username"]
    if name in users.all:
        raise call.refuse("user_exists", name=name)
    groups = [_group_of(call, str(one)) for one in call.get("groups") or ["exausers"]]
    uid = call.get("userid") or max([user.uid for user in users.all.values()] + [999]) + 1
    password = call.get("password") or ""
    login = bool(password) and bool(call.get("login_enabled", True))
    users.all[name] = User(name, password, uid, groups, login)
    call.cluster.record.keep_secret(password)
    return uid


@job(
    "Change a user.",
    _RIGHTS,
    _USER,
    may("add_groups", "list", "Groups that are added."),
    may("delete_groups", "list", "Groups that are taken away."),
    may("login_enabled", "bool", "Whether the user may log in."),
    configures=True,
)
def user_modify(call: Call) -> Any:
    user, users = _user_of(call), call.cluster.users
    added = [_group_of(call, str(one)) for one in call.get("add_groups") or []]
    gone = call.get("delete_groups") or []
    before = user.groups, user.login_enabled
    user.groups = [one for one in dict.fromkeys([*user.groups, *added]) if one not in gone]
    user.login_enabled = call.get("login_enabled", user.login_enabled)
    if not users.administrators():
        user.groups, user.login_enabled = before
        raise call.refuse("last_administrator", name=user.name)


@job("Set the password of a user.", _RIGHTS, _USER, given("password", "str", "The new one."), configures=True)
def user_passwd(call: Call) -> Any:
    user = _user_of(call)
    call.cluster.record.keep_secret(call["password"])
    user.password = call["password"]


@job("Delete a user.", _RIGHTS, _USER, configures=True)
def user_delete(call: Call) -> Any:
    user, users = _user_of(call), call.cluster.users
    if users.administrators() == [user]:
        raise call.refuse("last_administrator", name=user.name)
    del users.all[user.name]


@job("All groups.", _RIGHTS)
def group_list(call: Call) -> Any:
    users = call.cluster.users
    return {name: {"id": gid, "members": users.members(name)} for name, gid in users.groups.items()}


@job("One group.", _RIGHTS, _GROUP)
def group_info(call: Call) -> Any:
    users, name = call.cluster.users, _group_of(call, call["group_name"])
    return {"name": name, "id": users.groups[name], "members": users.members(name)}


@job("Add a group.", _RIGHTS, _GROUP, may("groupid", "int", "Id."), configures=True)
def group_create(call: Call) -> Any:
    groups, name = call.cluster.users.groups, call["group_name"]
    if name in groups:
        raise call.refuse("group_exists", name=name)
    groups[name] = call.get("groupid") or max(groups.values()) + 1
    return groups[name]


@job("Delete a group.", _RIGHTS, _GROUP, configures=True)
def group_delete(call: Call) -> Any:
    users, name = call.cluster.users, _group_of(call, call["group_name"])
    if name in BUILT_IN:
        raise call.refuse("built_in_group", name=name)
    del users.groups[name]
    for user in users.all.values():
        user.groups = [one for one in user.groups if one != name]


LICENSE = {
    "Contract": {
        "comment": "",
        "company_name": "Simulated",
        "distributor": "Exasol",
        "distributor_id": 1,
        "expiration_date": "Unlimited",
        "license_id": 1,
    },
    "Exasol_DB_license": {"schema_version": 1},
    "Limits": {
        "max_db_mem_size_in_gb": "Unlimited",
        "max_db_raw_data_size_in_gb": "Unlimited",
        "max_nodes_per_cluster": "Unlimited",
        "max_num_clusters": "Unlimited",
    },
}
"""As Exasol 8 shows it (CONFD-175)."""


@job("What the license allows.", (*NODE_RIGHTS, "exadbadm"))
def license_info(call: Call) -> Any:
    return call.cluster.spec.license or LICENSE


@job("The configuration, or sections of it.", NODE_RIGHTS, may("sections", "list", "Names of sections."))
def settings_list(call: Call) -> Any:
    cluster = call.cluster
    sections = {
        "Global": {"ClusterName": cluster.spec.name, "Revision": cluster.revision, **cluster.general},
        "Groups": dict(cluster.users.groups),
    }
    wanted = call.get("sections") or list(sections)
    for name in wanted:
        if not isinstance(name, str) or name not in sections:
            raise call.refuse("bad_value", name="sections", value=name)
    return {name: sections[name] for name in wanted}


@job(
    "Change general settings.",
    NODE_RIGHTS,
    given("changes", "dict", "New values by section, of which there is 'Global'."),
    configures=True,
)
def general_settings(call: Call) -> Any:
    changes = call["changes"]
    if set(changes) - {"Global"} or not isinstance(changes.get("Global", {}), dict):
        raise call.refuse("bad_value", name="changes", value=", ".join(changes))
    call.cluster.general.update(changes.get("Global", {}))

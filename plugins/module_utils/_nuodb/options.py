# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The options that NuoDB modules share, as values that merge, and the view of the domain that they ask for."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleFallbackNotFound

from .. import _options
from .._task import Task
from .._values import first_of, is_nothing
from .api.domain import Domain
from .api.objects import as_plain
from .view import DomainView, Snapshot

CHANGING = ("databases", "archives", "processes")
"""The parts of a domain that change together with its databases."""


def part_of(part: str, separator: str, own: str, shared: str) -> str:
    """The variable of our own, else a part (`first` or `second`) of one of nuocmd's that holds two things."""
    if not is_nothing(os.environ.get(own)):
        return os.environ[own]
    first, _separator, second = os.environ.get(shared, "").partition(separator)
    found = first if part == "first" else second
    if is_nothing(found):
        raise AnsibleFallbackNotFound
    return found


def _option(name: str, *others: str, **more: Any) -> dict[str, Any]:
    return {"fallback": (first_of, [f"NUODB_{name.upper()}", *others]), **more}


def _creds(part: str, name: str) -> tuple[Any, list[str]]:
    return partial(part_of, part, ":"), [name, "NUOCMD_BASIC_CREDS"]


def _key(part: str, name: str) -> tuple[Any, list[str]]:
    return partial(part_of, part, ","), [name, "NUOCMD_CLIENT_KEY"]


CONNECTION: dict[str, Any] = {
    "api_url": _option("api_url", "NUOCMD_API_SERVER", type="list", elements="str"),
    "api_username": {"type": "str", "fallback": _creds("first", "NUODB_API_USERNAME")},
    "api_password": {"type": "str", "no_log": True, "fallback": _creds("second", "NUODB_API_PASSWORD")},
    "validate_certs": _option("validate_certs", type="bool", default=True),
    "verify_hostname": _option("verify_hostname", type="bool", default=True),
    "ca_path": _option("ca_path", "NUOCMD_VERIFY_SERVER", type="path"),
    "client_cert": {"type": "path", "fallback": _key("first", "NUODB_CLIENT_CERT")},
    "client_key": {"type": "path", "no_log": False, "fallback": _key("second", "NUODB_CLIENT_KEY")},
    "tls_fingerprint": _option("tls_fingerprint", type="str"),
    "request_timeout": _option("request_timeout", type="float", default=30),
    "profile": _option("profile", type="str"),
    "profiles_path": _option("profiles_path", type="path"),
    "cluster_name": {"type": "str"},
}


def spec(options: dict[str, Any], waits: bool = False, **relations: Any) -> dict[str, Any]:
    """The keyword arguments of AnsibleModule for a NuoDB module. See `_options.merged`."""
    return _options.merged(CONNECTION, options, waits, **relations)


def view_of(task: Task, domain: Domain) -> DomainView:
    """The domain as the steps of this task see it: under check mode, as earlier tasks would have left it."""
    return DomainView(domain, task.params.get("assume") if task.check_mode else None)


def told(result: dict[str, Any], after: Snapshot, db_names: list[str], view: DomainView) -> dict[str, Any]:
    """What a module returns of databases.

    :param result: what `bring` returned.
    :param after: their parts of the domain at the end, or as predicted.
    """
    plain = after.as_plain()
    mine = {part: {k: row for k, row in plain[part].items() if row["db_name"] in db_names} for part in CHANGING}
    kept = {key: value for key, value in result.items() if key != "states"}
    predicted = {part: plain[part] for part in CHANGING}
    predicted["tombstones"] = {stone.process.start_id: stone.as_dict() for stone in after.tombstones}
    return {**kept, **mine, "predicted": predicted, "api_calls": view.domain.api_calls}


def told_of_processes(result: dict[str, Any], seen: Snapshot, db_names: list[str], view: DomainView) -> dict[str, Any]:
    """What a module returns of databases where another looks at them right after: their processes, which it has seen.

    :param result: what `bring` returned.
    """
    kept = {key: value for key, value in result.items() if key != "states"}
    mine = {key: as_plain(one) for key, one in seen.processes.items() if one.db_name in db_names}
    return {**kept, "processes": mine, "predicted": {}, "api_calls": view.domain.api_calls}

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster and its objects as hosts of an inventory: their variables and groups.

No group has both clusters and objects, so that a runbook that targets a group finds clusters alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils._foreign import in_json
from ..products import GROUPS
from .look import NOUNS, Row
from .source import Listed

KINDS = {"exa": ("nodes",), "nuodb": ("servers", "processes")}
"""The objects that become hosts if the source asks for them."""

LONGEST = 200
"""The most characters of a server's name that the name of a host or group contains."""

CONNECTED = "Connected"


@dataclass
class Host:
    """A host of the inventory."""

    name: str
    variables: dict[str, Any]
    groups: list[str] = field(default_factory=list)


def of_cluster(product: str, one: Listed, row: Row) -> Host:
    """A cluster as a host that the runbooks can use unchanged.

    :param product: the prefix of the product's variables.
    :param row: the state that was read from the cluster.
    """
    called, noun, _counted = NOUNS[product]
    told = {
        "object": "cluster",
        "product": called,
        "state": row["state"],
        "summary": row["summary"],
        "version": row["version"],
        "counts": row["counts"],
        **FACTS[product](row.get(noun) or {}),
    }
    variables = {
        "ansible_connection": "local",
        **one.vars,
        **{f"{product}_{name}": value for name, value in one.options.items()},
        **_variables(told),
    }
    if one.region:
        variables["dbfleet_region"] = one.region
    by = [told["version"], told.get("provider")]
    groups = [GROUPS[product], called, row["state"], *(_group(called, value) for value in by if value)]
    return Host(one.name, variables, groups + ([_group("region", one.region)] if one.region else []))


def of_objects(product: str, cluster: str, row: Row, kinds: Iterable[str]) -> Iterator[Host]:
    """Objects of a cluster as hosts. They have no connection, so that no runbook takes an object for a cluster.

    :param cluster: the name of the cluster's host.
    :param kinds: the kinds of objects.
    """
    found = row.get(NOUNS[product][1]) or {}
    for kind in kinds:
        for told, name, groups in OBJECTS[kind](found):
            variables = _variables({"cluster": cluster, "object": kind_of(kind), **told})
            address = variables.pop("dbfleet_address", "")
            if address:
                variables["ansible_host"] = address
            yield Host(f"{cluster}-{_in_name(name)}", variables, groups)


def kind_of(kind: str) -> str:
    """The singular of a kind: ``node`` for nodes, ``process`` for processes."""
    return kind.removesuffix("es") if kind == "processes" else kind.removesuffix("s")


def _variables(told: Mapping[str, Any]) -> dict[str, Any]:
    return {f"dbfleet_{name}": harmless(value) for name, value in told.items()}


def harmless(value: Any) -> Any:
    """A server's value, changed so that AWX or an older ansible-core can't take it for a template."""
    if isinstance(value, str):
        return in_json(re.sub(r"^#(?=jinja2:)|\{(?=[{%#])", lambda sign: f"{sign[0]} ", value))
    if isinstance(value, Mapping):
        return {harmless(key): harmless(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [harmless(item) for item in value]
    return value


def _group(*parts: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", "_".join(parts)[:LONGEST])


def _in_name(text: str) -> str:
    return re.sub(r"[^\w.-]", "_", text[:LONGEST])


# -- Exasol


def _states(found: Mapping[str, Any], part: str) -> dict[str, str]:
    return {name: one["state"] for name, one in (found.get(part) or {}).items()}


def _of_exasol(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "provider": found.get("provider") or "",
        "master": found.get("master") or "",
        "nodes": _states(found, "nodes"),
        "services": dict(found.get("services") or {}),
        "databases": _states(found, "databases"),
    }


Objects = Iterator[tuple[dict[str, Any], str, list[str]]]
"""Each object: its variables, its name within the cluster, and its groups."""


def _nodes(found: Mapping[str, Any]) -> Objects:
    for name, state in _states(found, "nodes").items():
        yield {"object_name": name, "object_state": state}, name, ["exa_nodes", _group("exa_nodes", state)]


# -- NuoDB


def _of_nuodb(found: Mapping[str, Any]) -> dict[str, Any]:
    servers = (found.get("servers") or {}).values()
    told_by = [one for one in servers if one["local"]] or list(servers)
    return {
        "leader": next((one["leader"] for one in told_by if one["leader"]), ""),
        "servers": {one["server_id"]: _server_state(one) for one in servers},
        "databases": _states(found, "databases"),
        "archives": _states(found, "archives"),
    }


def _server_state(one: Mapping[str, Any]) -> str:
    if one["evicted"]:
        return "Evicted"
    return str(one["state"] if one["connected"] == CONNECTED else one["connected"])


def _servers(found: Mapping[str, Any]) -> Objects:
    for name, one in (found.get("servers") or {}).items():
        state = _server_state(one)
        groups = ["nuodb_servers", *(_group("nuodb_servers", word.lower()) for word in (state, one["role"]) if word)]
        told = {"object_role": one["role"], "object_version": one["version"] or "", "address": _host(one["address"])}
        yield {"object_name": name, "object_state": state, **told, **_labels(one)}, name, groups + _region(one)


def _processes(found: Mapping[str, Any]) -> Objects:
    servers = found.get("servers") or {}
    for start_id, one in (found.get("processes") or {}).items():
        server = servers.get(one["server_id"]) or {}
        labelled = {"labels": {**(server.get("labels") or {}), **(one["labels"] or {})}}
        role = one["engine_type"] if one["engine_type"] == "TE" else "SM"
        told = {
            "object_name": start_id,
            "object_state": f"{one['durable_state']}:{one['engine_state']}",
            "object_role": role,
            "object_version": one["version"] or "",
            "database": one["db_name"],
            "server": one["server_id"],
            "address": _host(server.get("address") or one["address"] or ""),
            **_labels(labelled),
        }
        groups = ["nuodb_processes", _group("nuodb", role.lower()), *_region(labelled)]
        yield told, f"{one['db_name']}-{role.lower()}-{start_id}", groups


def _labels(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"object_labels": dict(one["labels"]), "object_region": one["labels"].get("region", "")}


def _region(one: Mapping[str, Any]) -> list[str]:
    region = one["labels"].get("region")
    return [_group("nuodb_region", str(region))] if region else []


def _host(address: str) -> str:
    """The host in an address such as `server0:48005` or `[2001:db8::1]:48005`."""
    return address.rpartition(":")[0].strip("[]")


FACTS = {"exa": _of_exasol, "nuodb": _of_nuodb}
"""The variables of a cluster, by the prefix of its product. They exist even if the cluster was not read."""

OBJECTS = {"nodes": _nodes, "servers": _servers, "processes": _processes}

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts that a saved plan depends on: states of a cluster's objects, without values that change by themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .definition import is_unreachable

if TYPE_CHECKING:
    from .run import Run

KEY = "observed"
"""The key of the result of the reading."""

Fact = dict[str, str]
"""C(object) in words, C(is) its state, C(kind) and C(of): the object whose steps move it."""

FIRST = ("node", "server")
"""Kinds of objects that other objects need: a step of one of these may change the others, too."""


def observe(run: Run) -> None:
    """Reads the cluster without output. A cluster that doesn't answer is reported later."""
    if run.book.product == "exa":
        run.module(
            KEY,
            "exa_cluster_info",
            "What the plan rests on",
            tolerate=is_unreachable,
            foresees=True,
            license_servers=run.shared("license_servers"),
            gather=["nodes", "services", "databases", "version"],
            on_denied="leave_out",
        )
    else:
        run.module(
            KEY,
            "nuodb_domain_info",
            "What the plan rests on",
            tolerate=is_unreachable,
            foresees=True,
            gather=["servers", "databases", "archives", "processes"],
        )


def of(found: Mapping[str, Any], names: Collection[str]) -> list[Fact]:
    """The facts of a reading; empty if nothing answered.

    :param names: the databases that the plan is about; empty for all.
    """
    if "domain" in found:
        return list(_of_domain(found["domain"], names))
    if "cluster" in found:
        return [*_of_cluster(found["cluster"], names), *_denied(found.get("denied") or {})]
    return []


def identity(found: Mapping[str, Any]) -> list[str]:
    """The identity of a cluster, whatever its URL: the UUIDs that the server reports, or the names of its objects."""
    if "domain" in found:
        return sorted({*found["domain"].get("servers", {}), *found["domain"].get("databases", {})})
    seen = found.get("cluster") or {}
    uuids = [one for one in found.get("identity") or [] if "://" not in one]
    return sorted(uuids or {*seen.get("nodes", {}), *seen.get("databases", {})})


def _fact(kind: str, name: str, state: str, of: str = "", more: str = "") -> Fact:
    return {"object": f"{kind} {name}".strip() + more, "is": state, "kind": kind, "of": of or name}


def _of_cluster(seen: Mapping[str, Any], names: Collection[str]) -> Iterator[Fact]:
    yield _fact("version", "", " ".join(filter(None, [seen["provider"], seen.get("version") or ""])))
    for name, node in (seen.get("nodes") or {}).items():
        yield _fact("node", name, str(node["state"]))
    for name, state in (seen.get("services") or {}).items():
        yield _fact("service", name, str(state))
    for name, row in (seen.get("databases") or {}).items():
        if not names or name in names:
            yield _fact("database", name, _database(row))


def _database(row: Mapping[str, Any]) -> str:
    connects = {"Yes": "connectable", "No": "not connectable"}.get(row["connectible"], row["connectible"])
    busy = str(row.get("operation") or "None")
    return ", ".join([str(row["state"]), str(connects), *([f"operation {busy}"] if busy != "None" else [])])


def _denied(denied: Mapping[str, str]) -> Iterator[Fact]:
    for part in denied:
        yield _fact(part, "", "not shown to this user")


def _of_domain(seen: Mapping[str, Any], names: Collection[str]) -> Iterator[Fact]:
    """The facts of a domain, without start IDs, incarnations and the leader: these change by themselves."""
    for name, row in (seen.get("servers") or {}).items():
        state = "evicted" if row.get("evicted") else f"{row.get('state')}, {row.get('connected')}"
        yield _fact("server", name, ", ".join(filter(None, [state, row.get("version")])))
    for name, row in (seen.get("databases") or {}).items():
        if not names or name in names:
            yield _fact("database", name, str(row["state"]))
    for number, row in (seen.get("archives") or {}).items():
        if (not names or row["db_name"] in names) and not row.get("removed"):
            where = f" of {row['db_name']} on {row.get('server_id') or 'no server'}"
            yield _fact("archive", str(number), str(row["state"]), row["db_name"], where)
    rows = [row for row in (seen.get("processes") or {}).values() if not names or row["db_name"] in names]
    states: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        archive = "" if row.get("archive_id") is None else f" of archive {row['archive_id']}"
        kind = "SM" if archive or row["engine_type"] != "TE" else "TE"
        key = (row["db_name"], kind, f"{archive} of {row['db_name']} on {row['server_id']}")
        states.setdefault(key, []).append(f"{row['durable_state']}:{row['engine_state']}")
    for (database, kind, where), found in sorted(states.items()):
        yield _fact(kind, "", ", ".join(sorted(found)), database, where)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults of a rehearsal: those that the user chose, and random ones that the runbook is sure to meet."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from typing import Any

from ...module_utils._errors import ClusterError
from ...module_utils._values import listed
from ...module_utils._wording import listing, near
from ..products import DOWN
from .topology import Row, objects

RANDOM = "random"

LARGEST_SEED = 9999

ONCE = {"max_count": 1}
"""A call fails once: the client or the next run gets through."""

OF_CALLS: dict[str, Row] = {
    **dict.fromkeys(
        ("reset", "reset_after", "hang", "truncate", "html", "unauthorized", "server_error", "fault"), ONCE
    ),
    "refuse": {**ONCE, "seconds": 3},
    "slow": {**ONCE, "delay": 2},
}
"""Further settings of a fault of a call that is chosen by its name alone."""

WRONG_STATE = "wrong_state"

_OF_EXASOL = ("never_boots", "never_stops", "fails_to_start", "never_connects", "fails_backup", "dies")

OF_MACHINES = {
    "exaoperation": (*_OF_EXASOL, "service_sick"),
    "confd": (*_OF_EXASOL, "job_stays"),
    "nuodb": ("never_starts", "stays", "loses_history", "fails_hotcopy", "dies"),
}
"""Kinds of faults of machines, databases and processes, by the server."""

START, STOP = "start", "stop"

CALLS = {
    START: {"exaoperation": "startDatabase", "confd": "db_start", "nuodb": "POST processes"},
    STOP: {"exaoperation": "stopDatabase", "confd": "db_stop", "nuodb": "POST databases/shutdown"},
}
"""The call by which a runbook starts or stops databases, by the server."""

OF_DATABASES = ("cold_start", "graceful_shutdown", "database_state")
"""Ends of the names of runbooks that make these calls."""

BROKEN_CALLS = ("reset", "reset_after", "server_error")


def parsed(given: Iterable[Any], host: str) -> tuple[list[Row], int]:
    """The chosen faults, and the number of random ones.

    :param given: mappings as the simulator takes them, C(kind), C(kind:object), C(kind:method), C(random), C(random:2).
    :raises ClusterError: an entry is not a fault.
    """
    rows, count = [], 0
    for one in given:
        of_text = one if isinstance(one, str) else ""
        kind, _colon, about = (part.strip() for part in of_text.partition(":"))
        found = one.get("kind") if isinstance(one, dict) else kind
        if not isinstance(found, str) or not found:
            raise ClusterError(f"{host}: a fault of rehearse_faults needs a kind, which must be a text: {one}")
        if isinstance(one, dict):
            rows.append(_sane({str(key): value for key, value in one.items()}, host))
        elif kind != RANDOM:
            rows.append(_sane(_named(kind, about), host))
        elif about and not about.isdecimal():
            raise ClusterError(f"{host}: rehearse_faults has {one}: the number of random faults must be a whole number")
        else:
            count += int(about or 1)
    return rows, count


def _named(kind: str, about: str) -> Row:
    if kind in OF_CALLS:
        return {"kind": kind, "method": about, **OF_CALLS[kind]}
    return {"kind": kind, "object": about} if about else {"kind": kind}


def _sane(row: Row, host: str) -> Row:
    is_of_calls = row["kind"] in OF_CALLS or row["kind"] == WRONG_STATE
    if is_of_calls and str(row.get("method") or "*") == "*" and "object" not in row:
        raise ClusterError(
            f"{host}: the fault {row['kind']} names no call",
            hint=f"say which, as {row['kind']}:startDatabase; docs/simulator lists the calls",
        )
    return row


def server_of(row: Row) -> str:
    """The kind of server of a copy."""
    return "nuodb" if "servers" in row else "confd" if row.get("provider") == "confd" else "exaoperation"


def refuse_odd(rows: Iterable[Row], row: Row, host: str) -> None:
    """Refuses faults that the copy can't have.

    :param row: the copy.
    :raises ClusterError: there is no such fault, or no such object.
    """
    kinds = [*OF_CALLS, WRONG_STATE, *OF_MACHINES[server_of(row)]]
    databases = list(objects(row.get("databases")))
    every = [*objects(row.get("nodes")), *objects(row.get("machines")), *listed(row.get("license_servers"))]
    machines = list(dict.fromkeys(every))
    known = {"never_boots": machines, "never_stops": [*machines, *databases, "storage"], "never_connects": databases}
    for one in rows:
        if one["kind"] not in kinds:
            raise ClusterError(
                f"{host}: there is no fault {one['kind']}{near(one['kind'], kinds)} on this copy; there are: "
                f"{', '.join(kinds)}"
            )
        fitting, named = known.get(one["kind"], []), one.get("object", "*")
        if fitting and named not in (*fitting, "*"):
            raise ClusterError(
                f"{host}: the fault {said(one)} names an object that the copy doesn't have{near(str(named), fitting)}; "
                f"the copy has: {listing(fitting)}"
            )


def candidates(runbook: str, values: Row, row: Row) -> list[Row]:
    """The faults that this runbook is sure to meet on this copy, always in the same order.

    :param values: the host's variables of the runbook.
    :param row: the copy.
    """
    server = server_of(row)
    found = (_of_domain if server == "nuodb" else _of_cluster)(runbook, values, row)
    if found and runbook.endswith(OF_DATABASES):  # else there is nothing to do, and no call
        call = CALLS[STOP if _is_stop(runbook, values) else START][server]
        found += [{"kind": kind, "method": call, **ONCE} for kind in BROKEN_CALLS]
    return found


def _is_stop(runbook: str, values: Row) -> bool:
    return runbook.endswith("_graceful_shutdown") or values.get(f"{runbook}_state") in DOWN


def _of_cluster(runbook: str, values: Row, row: Row) -> list[Row]:
    databases = objects(row.get("databases"))
    wanted = _named_of(values.get(f"{runbook}_databases"), databases)
    if _is_stop(runbook, values):
        up = [name for name in wanted if databases[name].get("state") == "running"]
        again = up if values.get(f"{runbook}_state") == "restarted" else []
        return [{"kind": "never_stops", "object": name} for name in up] + _starting(again)
    down = [name for name in wanted if databases[name].get("state", "setup") == "setup"]
    found = _starting(down)
    if runbook != "exa_cold_start" or not found:
        return found
    ignored = set(map(str, listed(values.get("exa_cold_start_ignore_nodes"))))
    nodes = objects(row.get("nodes"))
    off = [name for name, one in nodes.items() if one.get("state") == "offline" and name not in ignored]
    return [{"kind": "never_boots", "object": name} for name in off] + found


def _starting(names: Iterable[str]) -> list[Row]:
    return [{"kind": kind, "object": name} for name in names for kind in ("fails_to_start", "never_connects")]


def _of_domain(runbook: str, values: Row, row: Row) -> list[Row]:
    databases = objects(row.get("databases"))
    wanted = set(_named_of(values.get(f"{runbook}_databases") or values.get("nuodb_databases"), databases))
    mine = {start_id: one for start_id, one in objects(row.get("processes")).items() if one.get("db_name") in wanted}
    if runbook == "nuodb_recover":
        return [{"kind": "dies", "object": start_id, "exit_code": 137} for start_id in mine]
    if runbook == "nuodb_rolling_restart":
        ids = [str(one["archive_id"]) for one in mine.values() if one.get("archive_id") is not None]
        return [{"kind": "never_starts", "object": number, **ONCE} for number in ids]
    if _is_stop(runbook, values):
        up = sorted({str(one["db_name"]) for one in mine.values()})
        return [{"kind": "stays", "object": name, "state": "REQUESTED_SHUTDOWN"} for name in up]
    off = [
        number
        for number, one in objects(row.get("archives")).items()
        if one.get("db_name") in wanted and one.get("state") != "RUNNING" and one.get("server_id")
        if not one.get("removed")
    ]
    kinds: tuple[Row, ...] = ({"kind": "never_starts", **ONCE}, {"kind": "loses_history"})
    return [{**kind, "object": number} for number in off for kind in kinds]


def _named_of(given: Any, known: Collection[str]) -> list[str]:
    """The databases that a variable names."""
    names = [str(one.get("name") if isinstance(one, dict) else one) for one in listed(given)]
    return sorted(known) if not names or names == ["all"] else [name for name in names if name in known]


def drawn(chosen: Iterable[Row], count: int, among: list[Row], seed: int, host: str) -> list[Row]:
    """All faults of the rehearsal. The same seed, runbook and copy give the same faults.

    What was chosen without its object gets one that fits.

    :raises ClusterError: fewer random faults are possible than the user wants.
    """
    lots, left, found = random.Random(seed), list(among), []  # noqa: S311 - no secret
    for row in chosen:
        fitting = [one for one in left if one["kind"] == row["kind"] and "object" in one]
        if "object" not in row and "method" not in row and fitting:
            one = lots.choice(fitting)
            left.remove(one)
            row = {**one, **row}
        found.append(row)
    # A call that fails once is answered the next time, so a second fault of it would meet nobody.
    met, apart = {one["method"] for one in found if "method" in one}, []
    for one in lots.sample(left, len(left)):
        if one.get("method") not in met:
            apart.append(one)
            met |= {one["method"]} if "method" in one else set()
    if count > len(apart):
        possible = f"only {len(apart)} {'is' if len(apart) == 1 else 'are'} possible" if apart else "none is possible"
        raise ClusterError(
            f"{host}: {count} random fault{'s are' if count > 1 else ' is'} wanted, and {possible}: this runbook "
            "would have little or nothing to do on the copy",
            hint="see rehearse_state, or choose the faults in rehearse_faults",
        )
    return found + apart[:count]


def said(row: Row) -> str:
    """A fault as the user can write it in rehearse_faults."""
    about = [str(row[name]) for name in ("method", "object") if row.get(name) not in (None, "", "*")]
    more = f" ({row['state']})" if row.get("state") else ""
    return f"{row['kind']}{':' if about else ''}{' '.join(about)}{more}"

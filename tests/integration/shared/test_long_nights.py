# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wait over real connections, thousands of calls long: both sides have as many of them open at its end as before."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import pace
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import client, transport
from ansible_collections.dbfleet.cluster.tests.reliability.runs import carried_out
from domains import database, domain
from world import PREFIXES, Simulator, cluster, until

QUICK = 0.002
"""Seconds between two looks, and between two rounds of one that failed."""

DOWN = {"DB1": {"state": "setup"}, "DB2": {"state": "setup"}}

CALLS = 600
"""After so many the first look is taken, and the last after five times as many."""

ROOM = 3
"""Descriptors that may be there just now, as those of a thread that begins."""


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def levels(simulator: Simulator) -> tuple[int, int]:
    """Descriptors of this process, which is the client, and of the simulator."""
    return descriptors(os.getpid()), descriptors(simulator.process.pid)


def begun(simulator: Simulator, module: str, product: str, given: dict[str, Any]) -> tuple[Any, list[Any]]:
    """A module in a thread of its own, and what is to be its result."""
    prefix = f"{PREFIXES[product]}_"
    known = {key[len(prefix) :]: value for key, value in simulator.variables(simulator.names[0]).items()}
    results: list[Any] = []
    work = threading.Thread(
        target=lambda: results.append(carried_out(module, {**known, "cluster_name": "night", **given}, False, []))
    )
    work.start()
    return work, results


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this machine doesn't tell what is open")
@pytest.mark.parametrize("product", ["exasol", "nuodb"])
def test_what_is_open_stays_level(simulate: Any, monkeypatch: pytest.MonkeyPatch, product: str) -> None:
    monkeypatch.setattr(pace.Pace, "interval", lambda _pace, cost=0.0: max(cost, QUICK))
    monkeypatch.setattr(client, "PAUSE", QUICK)
    if product == "exasol":
        simulator = simulate(cluster(up=True, databases=DOWN, timing={"database_start": 3600}))
        module, given = "exa_database", {"databases": ["all"], "provider": "exaoperation"}
    else:
        simulator = simulate(domain(databases={"shop": database(up=True)}, timing={"hotcopy": 3600}))
        module, given = "nuodb_hotcopy", {"db_name": "shop", "default_backup_dir": "/b", "once": True}
    for kind in ("reset", "truncate", "html"):
        method = "getDatabaseState" if product == "exasol" else "GET databases/hotCopyStatus"
        simulator.fault(kind, method=method, probability=0.02)
    sent: list[str] = []
    exchange = transport.Transport.exchange

    def counted(self: Any, url: str, *more: Any) -> Any:
        sent.append(url)
        return exchange(self, url, *more)

    monkeypatch.setattr(transport.Transport, "exchange", counted)
    work, results = begun(simulator, module, product, given)

    def has_made(calls: int) -> bool:
        assert work.is_alive(), results
        return len(sent) > calls

    until("it is well under way", lambda: has_made(CALLS))
    first = levels(simulator)
    until("it has gone on for long", lambda: has_made(5 * CALLS))
    last = levels(simulator)
    simulator.mend()
    simulator.clock("immediate")
    work.join(120)
    assert results, "it goes on and on"
    assert not results[0].get("failed"), results
    assert [after - before for before, after in zip(first, last) if after - before > ROOM] == [], (first, last)

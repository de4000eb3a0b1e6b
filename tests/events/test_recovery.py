# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-rulebook recovers what failed, fights no maintenance, and outlives a domain that vanishes."""

from __future__ import annotations

import json
import time
from typing import Any

from domains import all_run, connection, database, die, domain, running, start_ids
from world import cluster

UP = {"shop": database(up=True)}
KEY = "dbfleet.cluster/lease"


def watching(simulator: Any, **more: Any) -> dict[str, Any]:
    ready = simulator.ready["clusters"][simulator.names[0]]
    host = simulator.inventory()[simulator.names[0]]
    prefix = "nuodb" if "nuodb_api_url" in host else "exa"
    user = {name: host[f"{prefix}_{name}"] for name in ("api_username", "api_password")}
    quick = {"delay": 0.5, "after": 1, "repeat": 15}
    where = {"cluster": simulator.names[0], "api_url": ready["api_url"], "ca_path": ready["ca_path"]}
    return {**where, **user, **quick, **more}


def test_what_fails_is_recovered_and_a_shutdown_is_not_fought(simulate: Any, ansible: Any, rulebook: Any) -> None:
    """A killed SM, a domain that lost all TEs, a shutdown, a domain that vanishes, a half-started database."""
    simulator = simulate(domain(databases=UP), broken=["archives-started-in-part"])
    hosts = simulator.inventory()
    given = watching(simulator)
    events = rulebook(hosts, "nuodb_recover", **given)

    def texts(*words: str) -> list[str]:
        return [text for text in events.told.texts if all(word in text for word in words)]

    def kill(engine_type: str, server: str) -> None:
        die(simulator, start_ids(simulator, engine_type=engine_type, server_id=server)[0])

    def recovery_is_over() -> None:
        """What it brought back runs, and is told of, before its run has ended and given the lease back."""
        events.until("the recovery is over", lambda: connection(simulator).get_value(KEY) == "returned")

    kill("SM", "server1")
    events.until("a killed SM is told of", lambda: texts("new: nuo-prod: shop runs, but archive 1 has no SM"))
    events.until("a killed SM is back", lambda: all_run(simulator))
    events.until("that is told, though the first message was refused", lambda: texts("over: over:", "archive 1"))

    for server in ("server0", "server1"):
        kill("TE", server)
    events.until("that nobody can use the database is told", lambda: texts("new: nuo-prod: shop has no TE"))
    events.until("the TEs are back", lambda: all_run(simulator))
    events.until("that is told", lambda: texts("over: over:", "has no TE"))
    recovery_is_over()

    # Somebody else's maintenance: its lease, and a TE that goes for it.
    row = {"run": "theirs", "about": "patching", "by": "ben@two", "process": "", "kept": False, "since": 1}
    connection(simulator).set_value(KEY, json.dumps({**row, "until": 9999999999}), "returned", False)
    kill("SM", "server0")
    simulator.forget()
    events.until("it is told", lambda: texts("new: nuo-prod: shop runs, but archive 0 has no SM"))
    events.until("the recovery leaves it alone", lambda: "maintenance by ben@two" in events.out)
    events.until("it is told again while it lasts", lambda: texts("lasts: nuo-prod", "archive 0 has no SM"))
    assert simulator.changes() == []
    held = json.loads(connection(simulator).get_value(KEY))
    connection(simulator).set_value(KEY, "returned", json.dumps(row | {"until": 9999999999}), False)
    assert held["run"] == "theirs"
    events.until("when the maintenance is over, the next event brings it back", lambda: all_run(simulator))
    recovery_is_over()

    # A domain that vanishes for a minute, and comes back with something to be recovered.
    simulator.fault("refuse")
    events.until("silence is told", lambda: texts("new: nuo-prod: ", "no connection comes to stand"))
    time.sleep(60)
    assert texts("lasts: nuo-prod: ", "no connection comes to stand")
    kill("SM", "server1")
    simulator.mend()
    events.until("its end is told", lambda: texts("over: over: nuo-prod: ", "no connection comes to stand"))
    events.until("what died meanwhile is back", lambda: all_run(simulator))

    # A recovery that has not ended yet would be in the way of a shutdown, and says so.
    recovery_is_over()

    # One SM alone waits for the history of the other archive.
    down = {"confirm": "nuo-prod"}
    ansible.run("nuodb_graceful_shutdown", hosts, variables=down).ok()
    assert running(simulator) == []
    simulator.forget()
    assert connection(simulator).start_process("shop", "server0", "SM", 0)
    events.until("a half-started database is told of", lambda: texts("new: nuo-prod: shop is being started"))
    events.until("a half-started database runs", lambda: all_run(simulator))

    shown = events.out
    assert given["api_password"] not in shown
    assert "Traceback" not in shown
    assert events.process.poll() is None


def test_an_exasol_database_is_started_where_somebody_wants_that(simulate: Any, rulebook: Any) -> None:
    simulator = simulate(cluster("exa-prod", nodes=1, databases=1, up=True))
    given = watching(simulator, provider="exaoperation", databases=["DB1"], recover=True)
    events = rulebook(simulator.inventory(), "exa_recover", **given)
    events.until("its source looks", lambda: simulator.calls("getServiceState"))
    simulator.fault("dies", object="DB1")
    events.until("it is told", lambda: [text for text in events.told.texts if "DB1 accepts no connections" in text])
    events.until("it is started", lambda: simulator.changes() and simulator.all_connectable("exa-prod"))
    assert [call.split()[0] for call in simulator.changes()] == ["startDatabase"]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""How fast, and with how many calls, the real ansible-playbook takes simulated NuoDB domains up, beside nuocmd.

Exits with 1 when a limit is broken. docs/benchmarks.md says what each figure means.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

from rig import Simulator, Table, play, playbook, simulators

LIMIT = 1.15
SERVERS = 3
TES = 2
SMALL = {"process_start": 1.0, "archive_history": 1.0, "sync": 5.0, "te_start": 5.0}
"""Cluster seconds of all but the start of the first SM."""


def domain(databases: int, archives: int, seconds: float, name: str = "bench", up: bool = False) -> dict[str, Any]:
    """A domain whose servers are up and whose databases are down, or up. The slowest takes so many cluster seconds."""
    servers = [f"server{number}" for number in range(SERVERS)]
    slowest = seconds - SMALL["process_start"] * 2 - SMALL["archive_history"] - SMALL["te_start"]
    names = [f"db{number:02d}" for number in range(databases)]
    state = "RUNNING" if up else "NOT_RUNNING"
    rows: dict[str, Any] = {}
    running: list[dict[str, Any]] = []
    for number, (database, archive) in enumerate(product(names, range(archives))):
        server = servers[archive % SERVERS]
        place = {"server_id": server, "archive_path": f"/archives/{database}/{archive}"}
        rows[str(number)] = {"archive_id": number, "db_name": database, "state": state, **place}
        running.append({"db_name": database, "engine_type": "SM", "server_id": server, "archive_id": number})
    running += [{"db_name": one, "engine_type": "TE", "server_id": te} for one, te in product(names, te_servers())]
    return {
        "product": "nuodb",
        "name": name,
        "version": "7.0.2",
        "servers": {server: {"server_id": server} for server in servers},
        "databases": {
            database: {
                "db_name": database,
                "state": state,
                "incarnation": [1, 4],
                "sm_start": slowest * (1 - 0.4 * number / databases),
            }
            for number, database in enumerate(names)
        },
        "archives": rows,
        "processes": {str(number): one for number, one in enumerate(running)} if up else {},
        "timing": SMALL,
    }


def te_servers() -> list[str]:
    return [f"server{number}" for number in range(TES)]


def wanted(databases: int) -> list[dict[str, Any]]:
    return [{"name": f"db{number:02d}", "te_server_ids": te_servers()} for number in range(databases)]


def task(folder: Path, databases: int) -> str:
    """A play with one task: all databases running."""
    path = folder / "start.json"
    tasks = [{"name": "start", "dbfleet.cluster.nuodb_database": {"databases": wanted(databases)}}]
    options = ("api_url", "api_username", "api_password", "ca_path")
    connection = {option: f"{{{{ nuodb_{option} }}}}" for option in options}
    path.write_text(json.dumps(play(tasks, module_defaults={"group/dbfleet.cluster.nuodb": connection})))
    return str(path)


def nuocmd(one: Simulator, databases: int, archives: int) -> tuple[float, int]:
    """Seconds and calls of nuocmd's own commands: every database started, then each checked."""
    ready = one.ready["clusters"]["bench"]
    environment = {
        **os.environ,
        "NUOCMD_API_SERVER": ready["api_url"][0],
        "NUOCMD_BASIC_CREDS": f"{ready['username']}:{ready['password']}",
        "NUOCMD_VERIFY_SERVER": ready["ca_path"],
    }
    began = time.perf_counter()
    for name in [row["name"] for row in wanted(databases)]:
        run = [sys.executable, "-m", "pynuoadmin.nuocmd", "start", "database", "--db-name", name]
        subprocess.run([*run, "--te-server-ids", *te_servers()], env=environment, check=True, stdout=subprocess.DEVNULL)
    for name in [row["name"] for row in wanted(databases)]:
        run = [sys.executable, "-m", "pynuoadmin.nuocmd", "check", "database", "--db-name", name, "--check-running"]
        subprocess.run([*run, "--num-processes", str(archives + TES), "--timeout", "600"], env=environment, check=True)
    return time.perf_counter() - began, len(one.calls("bench"))


def cold_start(given: argparse.Namespace) -> bool:
    """Wall time and API calls of the start of all databases, by one task and by the whole runbook, beside nuocmd."""
    table = Table(
        f"Cold start of D databases with A archives each ({TES} TEs each, {SERVERS} servers); limits: seconds at most "
        f"{LIMIT} x the slowest database, calls at most nuocmd's",
        "D x A", "own", "by", "seconds", "/own", "calls", "nuocmd s", "its calls", "verdict", "load",
    )  # fmt: skip
    for databases, archives in product(given.databases, given.archives):
        cluster = domain(databases, archives, given.seconds)
        own = given.seconds * given.scale
        with simulators([cluster], given.scale) as served:
            beside, their_calls = nuocmd(served["bench"], databases, archives)
            served["bench"].check("bench")
        for by in ("task", "runbook"):
            with simulators([cluster], given.scale) as served, tempfile.TemporaryDirectory() as folder:
                one = served["bench"]
                variables = {**one.variables("bench"), "nuodb_databases": wanted(databases)}
                name = task(Path(folder), databases) if by == "task" else "dbfleet.cluster.nuodb_cold_start"
                run = playbook(name, {"bench": variables})
                one.check("bench")
                calls = len(one.calls("bench"))
            kept = run.seconds / own <= LIMIT and calls <= their_calls
            size = f"{databases} x {archives}"
            table.row(size, own, by, run.seconds, run.seconds / own, calls, beside, their_calls, kept=kept)
    return table.kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--databases", type=int, nargs="+", default=[1, 4, 16], help="how many databases")
    add("--archives", type=int, nargs="+", default=[1, 3], help="archives of each")
    add("--seconds", type=float, default=60.0, help="cluster seconds that the slowest database takes (default 60)")
    add("--scale", type=float, default=1.0, help="seconds of a cluster second (default 1)")
    given = parser.parse_args()
    return 0 if cold_start(given) else 1


if __name__ == "__main__":
    sys.exit(main())

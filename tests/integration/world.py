# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulators as processes, ansible-playbook as a process, and what came of it."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Optional

import yaml
from ansible_collections.dbfleet.cluster.tests.admin import ask, hook, press

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COLLECTIONS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)[0] or str(ROOT / ".venv/collections")

FORKS = multiprocessing.get_context("forkserver")
"""Simulators are forks of one process that has imported what they need: that takes longer than to start one."""
FORKS.set_forkserver_preload(["world", "ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.cli"])

QUICK = {
    "boot": 0.4, "shutdown": 0.2, "api": 0.3, "api_stop": 0.3, "move": 0.2, "storage_start": 0.3, "storage_stop": 0.2,
    "database_start": 0.3, "connect": 0.1, "database_stop": 0.2, "backup": 0.5, "recovery": 0.3, "plugin": 0.1,
}  # fmt: skip
"""Cluster seconds, for the clock seconds:1: long enough to be seen on the way, short enough for a suite."""

PATIENCE = 120.0
"""Seconds after which a test gives up waiting for something; never part of what is asserted."""

PLUGIN = "Administration.vmware-tools"

PREFIXES = {"exasol": "exa", "nuodb": "nuodb"}
"""Of the inventory variables of a product."""

GROUPS = {"exasol": "exa_clusters", "nuodb": "nuodb_domains"}
"""The inventory group of a product's clusters."""


def until(what: str, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value of a condition. Fails the test when it doesn't come."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds:g} s still not: {what}")
        time.sleep(0.02)


def cluster(
    name: str = "exa-prod", nodes: int = 2, databases: Any = 1, up: bool = False, **more: Any
) -> dict[str, Any]:
    """A topology: all off but the license server, or all up. C(more) adds to it or replaces parts of it.

    :param databases: how many, or what each is.
    """
    if isinstance(databases, int):
        state = {"state": "running" if up else "setup"}
        databases = {f"DB{number}": state for number in range(1, databases + 1)}
    timing = {**QUICK, **more.pop("timing", {})}
    names = [f"n{number:04d}" for number in range(11, 11 + nodes)]
    return {
        "name": name,
        "version": "6.2.1",
        "nodes": {node: {"state": "online" if up else "offline"} for node in names},
        "storage_online": up,
        "databases": databases,
        "log_services": ["logservice1"],
        "plugins": [PLUGIN],
        "timing": timing,
        **more,
    }


QUICK_CONFD = {
    "boot": 0.4, "shutdown": 0.2, "api_stop": 0.3, "move": 0.3, "storage_start": 0.3, "database_start": 0.3,
    "connect": 0.1, "database_stop": 0.2, "backup": 0.5, "restore": 0.5, "recovery": 0.3, "quorum_back": 0.3,
    "job_schedule": 0.02, "job_execute": 0.02, "job_commit": 0.05,
}  # fmt: skip
"""The same of a cluster that ConfD administers."""


_given_ports: set[int] = set()


def free_port(address: str) -> int:
    """A port that nobody listens at, and that was given to no other topology of this process."""
    while True:
        with socket.create_server((address, 0)) as listener:
            port = int(listener.getsockname()[1])
        if port not in _given_ports:
            _given_ports.add(port)
            return port


def confd(name: str = "exa-confd", nodes: int = 3, databases: Any = 1, up: bool = True, **more: Any) -> dict[str, Any]:
    """A topology as C(cluster) makes it, of a cluster that ConfD administers; its nodes have addresses of their own.

    :param up: whether nodes and databases are.
    """
    names = [f"n{number}" for number in range(11, 11 + nodes)]
    if isinstance(databases, int):
        state = {"state": "running" if up else "setup"}
        databases = {f"DB{number}": state for number in range(1, databases + 1)}
    timing = {**QUICK_CONFD, **more.pop("timing", {})}
    try:  # GET /master tells an address alone, so all nodes listen at one port
        port = free_port("127.0.0.11")
        reach = {"addresses": {node: f"127.0.0.{node[1:]}" for node in names}, "ports": dict.fromkeys(names, port)}
    except OSError:  # a machine without other loopback addresses
        more["settings"] = {"master_answer": "{host}:{port}", **more.get("settings", {})}
        reach = {}
    return {
        "product": "exasol",
        "provider": "confd",
        "name": name,
        "nodes": {node: {"state": "online" if up else "offline"} for node in names},
        "databases": databases,
        "timing": timing,
        **reach,
        **more,
    }


def simulating(log: Path, *arguments: str) -> None:
    """Is the simulator's process."""
    from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator import cli

    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    sys.exit(cli.main([*arguments, "--starter", str(os.getppid())]))


class Simulator:
    """A simulator's process with one or more clusters."""

    def __init__(self, folder: Path, clusters: list[dict[str, Any]], clock: str = "seconds:1", *arguments: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "topology.json").write_text(json.dumps({"clusters": clusters}))
        self.names = [one["name"] for one in clusters]
        self.topologies = {one["name"]: one for one in clusters}
        self._log = folder / "simulator.log"
        ready = folder / "ready.json"
        command = ["--topology", str(folder / "topology.json"), "--clock", clock, "--directory", str(folder)]
        command += ["--ready-file", str(ready), "--quiet", *arguments]
        self.process = FORKS.Process(target=simulating, args=(self._log, *command), daemon=True)
        self.process.start()
        until("the simulator is ready", lambda: ready.exists() or not self.process.is_alive())
        assert ready.exists(), self._log.read_text()
        self.ready = json.loads(ready.read_text())

    def admin(self, path: str, body: Any = None, method: Optional[str] = None, cluster: Optional[str] = None) -> Any:
        """One request to the admin endpoint; a body makes it a POST."""
        return ask(self.ready, f"{path}{'&' if '?' in path else '?'}cluster={cluster or self.names[0]}", body, method)

    def state(self, cluster: Optional[str] = None) -> dict[str, Any]:
        return self.admin("/state", cluster=cluster)

    def calls(self, *methods: str, cluster: Optional[str] = None, changing: bool = False) -> list[dict[str, Any]]:
        """The recorded calls, of these methods where any are named."""
        rows = self.admin("/calls", cluster=cluster)
        return [row for row in rows if (not methods or row["method"] in methods) and (row["changing"] or not changing)]

    def changes(self, cluster: Optional[str] = None) -> list[str]:
        """The changing calls as C(method object), in order, without those of the lease of a NuoDB domain."""
        return [spoken(row) for row in self.calls(cluster=cluster, changing=True) if row["method"] != "PUT kvstore"]

    def forget(self) -> None:
        """Empties the record of calls of every cluster."""
        for name in self.names:
            self.admin("/calls", method="DELETE", cluster=name)

    def rules(self, cluster: Optional[str] = None) -> list[dict[str, Any]]:
        return self.admin("/rules", cluster=cluster)

    def fault(self, kind: str, cluster: Optional[str] = None, **rule: Any) -> int:
        return self.admin("/faults", {"kind": kind, **rule}, cluster=cluster)["id"]

    def mend(self, cluster: Optional[str] = None) -> None:
        """Removes every fault, of all clusters unless one is named."""
        for name in [cluster] if cluster else self.names:
            self.admin("/faults", method="DELETE", cluster=name)

    def power(self, node: str, on: bool, cluster: Optional[str] = None) -> None:
        self.admin("/power", {"node": node, "on": on}, cluster=cluster)

    def clock(self, text: str) -> None:
        for name in self.names:
            self.admin("/clock", {"clock": text}, cluster=name)

    def phases(self, cluster: Optional[str] = None) -> dict[str, str]:
        """The states of the databases."""
        return {name: row["state"] for name, row in self.state(cluster)["databases"].items()}

    def all_connectable(self, cluster: Optional[str] = None) -> bool:
        return all(row["connectible"] == "Yes" for row in self.state(cluster)["databases"].values())

    def variables(self, name: str) -> dict[str, Any]:
        """Inventory variables that reach a cluster."""
        one, prefix = self.ready["clusters"][name], PREFIXES[self.topologies[name].get("product", "exasol")]
        given = {
            "api_url": one["api_url"],
            "api_username": one["username"],
            "api_password": one["password"],
            "ca_path": one["ca_path"],
        }
        return {f"{prefix}_{option}": value for option, value in given.items()}

    def inventory(self, **more: Any) -> dict[str, dict[str, Any]]:
        """Every cluster as a host, with C(more) variables for each."""
        return {name: {**self.variables(name), **more} for name in self.names}

    def hook(self) -> dict[str, str]:
        """Inventory variables for hooks that press the simulator's buttons."""
        return hook(self.ready)

    def stop(self) -> None:
        if self.process.is_alive():
            with suppress(OSError):
                self.admin("/stop", {})
            self.process.join(10)
            if self.process.is_alive():
                self.process.kill()
                self.process.join()


def spoken(row: dict[str, Any]) -> str:
    """A recorded call as C(startupNode n0011), C(startDatabase db_DB1), C(db_start DB1), C(POST processes shop SM)."""
    if " " in row["method"]:
        return asked(row)
    if row.get("job"):
        options = row["args"][1] if len(row["args"]) > 1 else {}
        return " ".join([row["job"], *filter(None, [options.get("params", {}).get("db_name")])])
    step = row["path"].rstrip("/").rpartition("/")[2]
    words = [row["method"]] + ([] if step == "cluster1" else [step]) + [str(value) for value in row["args"]]
    return " ".join(words)


def asked(row: dict[str, Any]) -> str:
    """A recorded call of a REST API: verb and path, the IDs of the path, and what a new process is for."""
    given = row["args"]
    body, query = given.get("body") or {}, given.get("query") or {}
    names = [str(value) for key, value in given.items() if key not in ("body", "query")]
    if row["method"] == "POST processes":
        names += [body["dbName"], body["engineType"], str(body.get("archiveId", body.get("host")))]
    flags = [key for key, value in query.items() if value in ("true", "True")]
    return " ".join([row["method"], *names, *flags])


def product_of(variables: dict[str, Any]) -> str:
    """What an inventory host is, by its variables."""
    return "nuodb" if any(name.startswith("nuodb_") for name in variables) else "exasol"


class Run:
    """A finished run of ansible-playbook."""

    def __init__(self, rc: int, out: str, rows: list[dict[str, Any]]) -> None:
        self.rc, self.out, self.rows = rc, out, rows

    @property
    def stats(self) -> dict[str, dict[str, int]]:
        return next((row["hosts"] for row in self.rows if row["what"] == "stats"), {})

    @property
    def custom(self) -> dict[str, Any]:
        """What the runbooks put into set_stats, by host."""
        return (
            next((row["custom"] for row in self.rows if row["what"] == "stats"), {}).get("_run", {}).get("dbfleet", {})
        )

    def changed(self) -> int:
        return sum(row["changed"] for row in self.stats.values())

    def of(self, task: str, host: Optional[str] = None) -> list[dict[str, Any]]:
        """The results of a task, by its name, else by a part of it or by its action. A runbook's modules count."""
        rows = [row for row in self.tasks() if row["what"] in ("ok", "failed") and host in (None, row["host"])]
        exact = [row for row in rows if row["task"] == task]
        found = [row for row in rows if task in row["task"] or row["action"].endswith(f".{task}")]
        return [row["result"] for row in exact or found]

    def tasks(self) -> list[dict[str, Any]]:
        """The rows of all tasks, and of each module that a runbook's task has called, where it was called."""
        rows: list[dict[str, Any]] = []
        for row in self.rows:
            result, own = row.get("result", {}), row.get("host")
            fleet = result.get("fleet", {own: result})  # a task may be for many hosts
            for host, of_host in fleet.items():
                if not isinstance(of_host, dict):  # a task of the test's own, whose result has that word
                    continue
                known = [one["result"] for one in rows if one["what"] != "stats" and one["host"] == host]
                for found in of_host.get("found", {}).values():
                    what = "failed" if found.get("failed") else "ok"
                    called = {"what": what, "host": host, "task": found["task"], "result": found}
                    rows += [] if found in known else [{**called, "action": f"dbfleet.cluster.{found['module']}"}]
            rows.append(row)
        return rows

    def one(self, task: str, host: Optional[str] = None) -> dict[str, Any]:
        found = self.of(task, host)
        assert found, f"no result of {task}:\n{self.out}"
        return found[-1]

    def went(self, task: str, host: str) -> str:
        """How a task ended: ok, failed or skipped."""
        found = [
            row["what"] for row in self.tasks() if row["what"] != "stats" and (row["task"], row["host"]) == (task, host)
        ]
        assert found, f"no {task} on {host}:\n{self.out}"
        return found[-1]

    def failures(self, host: Optional[str] = None) -> list[str]:
        """The causes of failed tasks; a runbook's failure at the end has none of its own."""
        rows = [row for row in self.rows if row["what"] in ("failed", "unreachable") and host in (None, row["host"])]
        told = [str(row["result"].get("cause") or row["result"].get("msg")) for row in rows]
        return [text for text in told if not text.endswith("its end table says why, and which command resumes it")]

    def ok(self) -> Run:
        assert self.rc == 0, self.out
        return self

    def failed(self) -> Run:
        assert self.rc != 0, self.out
        self.said_well()
        return self

    def said_well(self) -> None:
        """No traceback, and each cause in one line."""
        assert "Traceback" not in self.out, self.out
        assert "unexpected error" not in self.out, self.out
        for message in self.failures():
            assert "\n" not in message.strip(), message

    def lines(self, pattern: str) -> list[str]:
        return [line for line in self.out.splitlines() if re.search(pattern, line)]


class Started:
    """A run of ansible-playbook under way."""

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        cwd: Path,
        dump: Path,
        terminal: bool = False,
        answers: str = "",
    ) -> None:
        """:param answers: what is typed, a line for each question."""
        self._dump = dump
        self.lines: list[tuple[float, str]] = []
        self._is_left = False
        ours, theirs = pty.openpty() if terminal else os.pipe()
        if terminal:
            columns = int(environment.get("COLUMNS") or 0)
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            env=environment,
            cwd=cwd,
            stdin=subprocess.PIPE if answers else subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        if self.process.stdin:
            with self.process.stdin as typed:
                typed.write(answers.encode())
        os.close(theirs)
        self._output = os.fdopen(ours, encoding="utf-8", errors="replace")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError), self._output:  # a terminal whose last writer has gone ends with an error
            for line in self._output:
                self.lines.append((time.time(), line.rstrip("\r\n")))
                if self._is_left:
                    return

    @property
    def out(self) -> str:
        return "\n".join(line for _when, line in list(self.lines))

    def wait_line(self, pattern: str, seconds: float = PATIENCE) -> tuple[float, str]:
        """The first line that matches, with the moment in which it was read. It must come while the run goes on."""

        def find() -> Optional[tuple[float, str]]:
            found = next((pair for pair in list(self.lines) if re.search(pattern, pair[1])), None)
            assert found or self.process.poll() is None, f"ended without a line like {pattern}:\n{self.out}"
            return found

        try:
            return until(f"a line like {pattern}", find, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.out}") from None

    def wait_for(self, what: str, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """As C(until), but the run must go on meanwhile."""

        def check() -> Any:
            value = condition()
            assert value or self.process.poll() is None, f"ended before: {what}\n{self.out}"
            return value

        try:
            return until(what, check, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.out}") from None

    def leave(self) -> None:
        """Reads one more line and no further, as C(head) or a connection that is lost."""
        self._is_left = True

    def kill(self) -> None:
        """SIGKILL to the whole process group, as a closed terminal's last word or the out-of-memory killer would."""
        assert self.process.poll() is None, f"it has ended already:\n{self.out}"
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, number: int, times: int = 1) -> Run:
        """A signal that asks it to end: SIGINT to the process group as a terminal sends it, another to it alone."""
        assert self.process.poll() is None, f"it has ended already:\n{self.out}"
        for _time in range(times):
            (os.killpg if number == signal.SIGINT else os.kill)(self.process.pid, number)
        return self.finish()

    def finish(self, seconds: float = 180.0) -> Run:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it didn't end in {seconds:g} s:\n{self.out}") from None
        self._reader.join(10)
        return Run(self.process.returncode, self.out, read_rows(self._dump))


def read_rows(dump: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in dump.read_text().splitlines()] if dump.exists() else []


class Ansible:
    """Runs playbooks in a folder of its own, with nothing of the user's configuration."""

    def __init__(self, folder: Path, shared: Path) -> None:
        self.folder, self._shared = folder, shared
        self._count = 0
        self._started: list[Started] = []

    def end(self) -> None:
        """Ends what a failed test left running."""
        for run in self._started:
            if run.process.poll() is None:
                run.kill()

    def environment(self, **more: str) -> dict[str, str]:
        """What the processes see; C(more) is added."""
        own = (
            "ANSIBLE_",
            "EXA_",
            "NUODB_",
            "NUOCMD_",
            "DBFLEET_",
            "PYTHONUNBUFFERED",
        )  # unbuffered, nothing would show who flushes
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        return {
            **kept,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            "PYTHONPATH": COLLECTIONS,
            "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
            "ANSIBLE_HOME": str(self._shared),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "ANSIBLE_LOCAL_TEMP": str(self._shared / "tmp"),
            "ANSIBLE_REMOTE_TEMP": str(self._shared / "remote"),
            "ANSIBLE_ASYNC_DIR": str(self._shared / "async"),
            "ANSIBLE_CONFIG": str(self._shared / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "dump",
            "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "connection_plugins"),
            "ANSIBLE_FORKS": "20",
            "LC_ALL": "C.UTF-8",
            **more,
        }

    def write_inventory(self, hosts: dict[str, dict[str, Any]]) -> Path:
        shared = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        data = {
            group: {"hosts": {name: row for name, row in hosts.items() if product_of(row) == product}, "vars": shared}
            for product, group in GROUPS.items()
        }
        data = {group: rows for group, rows in data.items() if rows["hosts"] or not hosts}
        path = self.folder / f"inventory{self._count}.yml"
        path.write_text(yaml.safe_dump(data, allow_unicode=True))
        return path

    def start(
        self,
        playbook: Any,
        hosts: dict[str, dict[str, Any]],
        *arguments: str,
        variables: Optional[dict[str, Any]] = None,
        environment: Optional[dict[str, str]] = None,
        terminal: bool = False,
        answers: str = "",
        target: str = "all",
    ) -> Started:
        """Starts a playbook: a name of the collection's, or a list of tasks or plays of the test's own.

        :param target: of a playbook that wants one, where variables and arguments say none; empty for no target.
        """
        self._count += 1
        inventory = self.write_inventory(hosts)
        if isinstance(playbook, str):
            path, wants = f"dbfleet.cluster.{playbook}", True
        else:
            product = product_of(next(iter(hosts.values()), {}))
            plays = playbook if "hosts" in playbook[0] else [play(playbook, product)]
            path = str(self.folder / f"playbook{self._count}.yml")
            Path(path).write_text(yaml.safe_dump(plays, sort_keys=False))
            wants = any("target" in str(one.get("hosts")) for one in plays)
        said = "target" in (variables or {}) or any(word.startswith("target=") for word in arguments)
        if wants and target and not said:
            arguments = ("-e", f"target={target}", *arguments)
        dump = self.folder / f"dump{self._count}.jsonl"
        command = [sys.executable, "-m", "ansible", "playbook", "-i", str(inventory), path]
        if variables:
            extra = self.folder / f"variables{self._count}.json"
            extra.write_text(json.dumps(variables))
            command += ["-e", f"@{extra}"]
        more = {"DBFLEET_DUMP": str(dump), **(environment or {})}
        run = Started([*command, *arguments], self.environment(**more), self.folder, dump, terminal, answers)
        self._started.append(run)
        return run

    def run(self, *args: Any, **kwargs: Any) -> Run:
        return self.start(*args, **kwargs).finish()


def play(tasks: list[dict[str, Any]], product: str = "exasol", **more: Any) -> dict[str, Any]:
    """A play over all clusters of a product whose modules know the way to them from the inventory."""
    options = (
        "api_url",
        "api_username",
        "api_password",
        "ca_path",
        *(("client_cert", "client_key") if product == "nuodb" else ()),
        "validate_certs",
        "tls_fingerprint",
        "request_timeout",
        "profile",
        "profiles_path",
        *(("provider",) if product == "exasol" else ()),
    )
    defaults = {name: f"{{{{ {PREFIXES[product]}_{name} | default(omit) }}}}" for name in options}
    return {
        "hosts": GROUPS[product],
        "gather_facts": False,
        "module_defaults": {f"group/dbfleet.cluster.{product}": defaults},
        "tasks": tasks,
        **more,
    }


def power_hook(folder: Path, name: str, nodes: Any, on: bool = True) -> str:
    """A task file that presses the power button of machines, as one for Redfish or IPMI would."""
    path = folder / f"{name}.yml"
    task = {
        "name": "Press the power button",
        "ansible.builtin.uri": press("/power", {"node": "{{ item }}", "on": on}),
        "loop": nodes,
        "changed_when": False,
    }
    path.write_text(yaml.safe_dump([task]))
    return str(path)


def in_order(rows: list[str], *wanted: Iterable[str]) -> None:
    """Every row of one group stands before every row of the next."""
    place = -1
    for group in wanted:
        places = [index for index, row in enumerate(rows) if row in set(group)]
        assert len(places) >= len(set(group)), f"{sorted(group)} not all in {rows}"
        assert min(places) > place, f"{sorted(group)} too early in {rows}"
        place = max(places)


def killed(simulator: Simulator, run: Started) -> None:
    """SIGKILL to the process group. Workers have sessions of their own, yet must not go on alone."""
    run.kill()
    nobody_is_left(simulator)


def nobody_is_left(simulator: Simulator) -> None:
    """No worker of a run that was ended asks or changes anything."""
    time.sleep(1.2)  # a worker looks every half second whether it is alone
    simulator.forget()
    time.sleep(0.6)
    late = [spoken(row) for row in simulator.calls()]
    assert late == [], f"a worker goes on without its ansible-playbook: {late}"


VARYING = {
    "seconds", "api_calls", "strtime", "api_url", "url", "urls", "fingerprint", "_ansible_no_log", "warnings",
    "exception", "ansible_facts", "expires", "not_after", "deprecations", "pid", "last_heard_from", "reason",
}  # fmt: skip
"""What differs from run to run, whichever the way."""


def plain(value: Any, ports: list[str]) -> Any:
    """A result without what varies."""
    if isinstance(value, dict):
        return {key: plain(item, ports) for key, item in value.items() if key not in VARYING}
    if isinstance(value, list):
        items = [plain(item, ports) for item in value]
        # Messages of things that happen side by side come in any order.
        return sorted(items, key=str) if items and isinstance(items[0], dict) and "message" in items[0] else items
    if isinstance(value, str):
        for port in ports:
            value = value.replace(port, "PORT")
    return value

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator started by its command line, and a console for other people's snippets, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable
from urllib.parse import quote, urlsplit

import pytest
from ansible_collections.dbfleet.cluster.tests.admin import ask

# helpers beside this file are imported by their names
sys.path.insert(0, str(Path(__file__).resolve().parent))

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = "ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator"
PASSWORD = "s3cret \"'@%&/:+"  # all that a URL, a shell or an XML text could stumble over


class Simulation:
    """A running simulator as its user sees it."""

    def __init__(self, process: subprocess.Popen[bytes], ready: dict[str, Any]) -> None:
        self.process, self.ready = process, ready
        self.cluster = next(iter(ready["clusters"].values()))

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        return ask(self.ready, path, body, method)

    def state(self) -> dict[str, Any]:
        return self.admin("GET", "/state")

    def wait(self, done: Callable[[dict[str, Any]], bool], seconds: float = 120) -> dict[str, Any]:
        """The state, once it is as wanted."""
        deadline = time.monotonic() + seconds
        while not done(state := self.state()):
            assert time.monotonic() < deadline, f"never came: {state}"
            time.sleep(0.01)
        return state

    def methods(self, changing: bool | None = None) -> list[str]:
        rows = self.admin("GET", "/calls")
        return [row["method"] for row in rows if changing is None or row["changing"] is changing]

    def broken_rules(self) -> list[str]:
        return [row["rule"] for row in self.admin("GET", "/rules")]

    def url(self, path: str = "") -> str:
        """With the credentials in it, as the vendor's scripts write it."""
        parts = urlsplit(self.cluster["api_url"][0])
        credentials = f"{quote(self.cluster['username'])}:{quote(self.cluster['password'], safe='')}"
        return f"{parts.scheme}://{credentials}@{parts.netloc}{path}"


@pytest.fixture
def simulate(tmp_path: Path) -> Iterator[Callable[..., Simulation]]:
    running: list[subprocess.Popen[bytes]] = []

    def start(topology: dict[str, Any], clock: str = "seconds:0.001") -> Simulation:
        home = tmp_path / f"simulator{len(running)}"
        home.mkdir()
        users = [{"name": "admin", "password": PASSWORD, "role": "Administrator"}]
        (home / "topology.json").write_text(json.dumps({"users": users, **topology}))
        command = [sys.executable, "-m", PROGRAM, "--topology", str(home / "topology.json"), "--clock", clock]
        command += ["--directory", str(home), "--ready-file", str(home / "ready.json"), "--quiet"]
        command += ["--starter", str(os.getpid())]
        environment = {**os.environ, "PYTHONPATH": str(_collections())}
        process = subprocess.Popen(command, env=environment, stderr=(home / "stderr").open("wb"))
        running.append(process)
        deadline = time.monotonic() + 120
        while not (home / "ready.json").exists():
            assert process.poll() is None, (home / "stderr").read_text()
            assert time.monotonic() < deadline, "the simulator never got ready"
            time.sleep(0.01)
        return Simulation(process, json.loads((home / "ready.json").read_text()))

    yield start
    for process in running:
        process.terminate()
        assert process.wait(timeout=60) == 0


def _collections() -> Path:
    import ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator as package

    return Path(next(iter(package.__path__))).parents[5]


_CONSOLE = r"""
import ast, contextlib, io, json, sys, traceback
names = {"__name__": "__main__"}
for line in sys.stdin:
    out, failure = io.StringIO(), None
    with contextlib.redirect_stdout(out):
        try:
            tree = ast.parse(json.loads(line))
            for statement in tree.body:
                interactive = ast.Interactive([statement])
                exec(compile(interactive, "snippet", "single"), names)
        except BaseException as error:
            failure = type(error).__name__ + ": " + str(error)
    print(json.dumps({"out": out.getvalue(), "failure": failure}), flush=True)
"""


class Console:
    """Python as one types it: a bare expression's value is printed. It knows nothing but the standard library."""

    def __init__(self, ca_path: str) -> None:
        environment = {"PATH": os.environ["PATH"], "SSL_CERT_FILE": ca_path}
        command = [sys.executable, "-I", "-c", _CONSOLE]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )

    def run(self, snippet: str, seconds: float = 20) -> str:
        """What the snippet prints. A snippet that loops for ever is ended: the vendor's loops catch everything."""
        answer = self.begin(snippet)
        return answer(seconds)

    def begin(self, snippet: str) -> Callable[[float], str]:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(snippet) + "\n")
        stdin.flush()

        def finish(seconds: float) -> str:
            timer = threading.Timer(seconds, self.process.kill)
            timer.start()
            line = stdout.readline()
            timer.cancel()
            assert line, f"the snippet didn't end within {seconds} seconds"
            row = json.loads(line)
            assert row["failure"] is None, row
            return str(row["out"])

        return finish


@pytest.fixture
def console() -> Iterator[Callable[[Simulation], Console]]:
    open_ones: list[Console] = []

    def start(simulation: Simulation) -> Console:
        open_ones.append(Console(simulation.cluster["ca_path"]))
        return open_ones[-1]

    yield start
    for one in open_ones:
        one.process.kill()
        one.process.wait()

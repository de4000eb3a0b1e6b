# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulated domains, and ansible-rulebook with the collection's own rulebooks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from conftest import ansible, simulate
from world import ROOT, Ansible, until

__all__ = ["ansible", "simulate"]
"""Fixtures that stand elsewhere."""

PATIENCE = 120.0
"""Seconds after which a test gives up; never part of what is asserted."""


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and what those started."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in rows if its_parent == parent]
    return found[1:]


class Told:
    """A web hook that keeps what it was told, and refuses the first message."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        told = self.texts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
                self.send_response(500 if len(told) == 1 else 200)
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Rulebook:
    """ansible-rulebook at work.

    :ivar told: what the web hook of the example was told.
    """

    def __init__(self, runner: Ansible, hosts: dict[str, dict[str, Any]], rulebook: str, given: dict[str, Any]) -> None:
        folder = runner.folder / "rulebook"
        # A folder, for of a file ansible-rulebook loses the group_vars beside it.
        (folder / "inventory").mkdir(parents=True)
        runner.write_inventory(hosts).rename(folder / "inventory/hosts.yml")
        variables = folder / "vars.yml"
        notify = str(ROOT / "docs/examples/events/notify.yml")
        variables.write_text(yaml.safe_dump({"notify": notify, **given}))
        variables.chmod(0o600)
        self.told = Told()
        self.log = folder / "log"
        java = {name: os.environ[name] for name in ("JAVA_HOME",) if name in os.environ}
        environment = runner.environment(NOTIFY_URL=self.told.url, TMPDIR=str(folder), **java)
        del environment["ANSIBLE_CALLBACKS_ENABLED"], environment["ANSIBLE_CALLBACK_PLUGINS"]
        command = [str(Path(sys.executable).parent / "ansible-rulebook"), "--rulebook", f"dbfleet.cluster.{rulebook}"]
        command += ["--inventory", str(folder / "inventory"), "--vars", str(variables), "--shutdown-delay", "600"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, cwd=folder, start_new_session=True
            )

    @property
    def out(self) -> str:
        return self.log.read_text(errors="replace")

    def until(self, what: str, done: Callable[[], Any]) -> Any:
        """Waits, and fails where ansible-rulebook ends."""

        def look() -> Any:
            assert self.process.poll() is None, self.out
            return done()

        try:
            return until(what, look, PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.out[-8000:]}") from None

    def end(self) -> None:
        self.told.server.shutdown()
        # Its playbooks have sessions of their own, and would stay behind as orphans.
        children = descendants(self.process.pid)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def rulebook(ansible: Ansible) -> Iterator[Callable[..., Rulebook]]:
    """Starts ansible-rulebook."""
    running: list[Rulebook] = []

    def start(hosts: dict[str, dict[str, Any]], name: str, **given: Any) -> Rulebook:
        running.append(Rulebook(ansible, hosts, name, given))
        return running[-1]

    yield start
    for one in running:
        one.end()

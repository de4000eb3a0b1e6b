# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module that starts the simulator and stops it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.modules import simulator
from ansible_collections.dbfleet.cluster.tests.unit.simulator.programs import PASSWORD, TOPOLOGY


class Task:
    def __init__(self, check_mode: bool = False, **params: Any) -> None:
        defaults = {name: option.get("default") for name, option in simulator.SPEC["argument_spec"].items()}
        self.params = {**defaults, "topology": TOPOLOGY, "tls": False, **params}
        self.check_mode = check_mode


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path)
    for home in tmp_path.iterdir():
        if (home / "ready.json").exists():
            simulator.run(Task(directory=str(tmp_path), name=home.name, state="stopped"))


def test_module_starts_once_and_stops_once(directory: str) -> None:
    assert simulator.run(Task(directory=directory, check_mode=True))["changed"] is True
    assert os.listdir(directory) == []
    first = simulator.run(Task(directory=directory, clock="immediate"))
    assert first["changed"] is True
    assert first["environment"]["EXA_API_PASSWORD"] == first["password"] == PASSWORD
    assert first["diff"] == {"before": {"state": "stopped"}, "after": {"state": "started"}}
    again = simulator.run(Task(directory=directory))
    assert (again["changed"], again["pid"], again["api_url"]) == (False, first["pid"], first["api_url"])
    assert simulator.run(Task(directory=directory, topology=None))["changed"] is False

    for check_mode, changed in ((True, True), (False, True), (False, False)):
        row = simulator.run(Task(directory=directory, clock="polls:2", check_mode=check_mode))
        assert row["changed"] is changed
    assert simulator.asked(first, "/about")["clock"] == "polls:2"

    with pytest.raises(ClusterError, match="runs already, with another topology") as caught:
        simulator.run(Task(directory=directory, topology={"name": "other"}))
    assert "stop it first" in str(caught.value.hint)

    log = Path(first["log_path"]).read_text()
    assert log == ""
    assert Path(directory, "default").stat().st_mode & 0o077 == 0
    assert first["environment"]["DBFLEET_SIMULATOR_TOKEN"] == first["admin_token"]
    assert first["admin_token"] not in json.dumps(first["clusters"])
    for check_mode in (True, False):
        assert simulator.run(Task(directory=directory, state="stopped", check_mode=check_mode))["changed"] is True
    with pytest.raises(OSError, match="."):
        simulator.asked(first, "/about")
    assert os.listdir(directory) == []
    assert simulator.run(Task(directory=directory, state="stopped"))["changed"] is False


def test_module_ends_with_the_process_that_started_it_where_that_is_wanted(directory: str) -> None:
    program = (
        "import sys; from ansible_collections.dbfleet.cluster.tests.unit.modules.test_simulator import Task, simulator;"
        "print(simulator.run(Task(directory=sys.argv[1], ends_with_task=True))['pid'], flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", program, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment,
    ) as starter:  # fmt: skip
        assert starter.stdout
        assert starter.stdout.readline()
        assert (Path(directory) / "default/ready.json").exists()
        starter.kill()
    deadline = time.monotonic() + 30
    while (Path(directory) / "default/ready.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_module_takes_a_stale_ready_file_for_stopped(directory: str) -> None:
    home = Path(directory) / "default"
    home.mkdir()
    (home / "ready.json").write_text(json.dumps({"pid": 1, "admin_url": "http://127.0.0.1:9", "clusters": {}}))
    assert simulator.run(Task(directory=directory, state="stopped"))["changed"] is False
    assert simulator.run(Task(directory=directory))["changed"] is True


def test_module_says_why_it_cannot(directory: str, tmp_path: Path) -> None:
    for task, words in (
        (Task(directory=directory, topology=None), "needs a topology"),
        (Task(directory=directory, topology={"name": "x", "odd": 1}), "unknown key odd"),
        (Task(directory=directory, topology=None, topology_file="/nowhere"), "/nowhere: No such file"),
        (Task(directory=directory, name="../x"), "the name may contain"),
        (Task(directory=directory, collections_path="/nowhere"), "own files aren't found"),
        (Task(directory=directory, clock="odd"), "The clock 'odd'"),
    ):
        with pytest.raises(ClusterError, match=words):
            simulator.run(task)
    file = tmp_path / "t.yml"
    file.write_text("name: from-a-file\nnodes: [n0011]\n")
    started = simulator.run(Task(directory=directory, topology=None, topology_file=str(file)))
    assert list(started["clusters"]) == ["from-a-file"]
    file.unlink()


def test_module_ends_what_does_not_get_ready(directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def launch(*_arguments: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

    begun = time.monotonic()
    monkeypatch.setattr(simulator, "_launch", launch)
    with pytest.raises(ClusterError, match="was not ready after 0 seconds"):
        simulator.run(Task(directory=directory, startup_timeout=0))
    assert time.monotonic() - begun < 5


def test_module_keeps_what_somebody_has_put_into_its_folder(directory: str) -> None:
    home = Path(directory) / "default"
    home.mkdir(mode=0o755)
    (home / "notes").write_text("ours")
    simulator.run(Task(directory=directory))
    assert home.stat().st_mode & 0o077 == 0
    simulator.run(Task(directory=directory, state="stopped"))
    assert os.listdir(home) == ["notes"]


def test_module_finds_one_of_a_release_without_a_token(directory: str) -> None:
    """It is told from one that is gone: both would serve the same name otherwise."""

    class Old(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"pid": 1}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Old)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = Path(directory) / "default"
    home.mkdir()
    ready = {"pid": 1, "admin_url": f"http://127.0.0.1:{server.server_port}", "clusters": {}}
    (home / "ready.json").write_text(json.dumps(ready))
    assert simulator._running(str(home)) == ready
    (home / "ready.json").unlink()
    server.shutdown()
    server.server_close()

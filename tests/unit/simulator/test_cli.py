# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.plugins.modules import simulator
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator import cli
from ansible_collections.dbfleet.cluster.tests.unit.simulator.programs import PASSWORD, TOPOLOGY


def collections() -> Path:
    import ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator as package

    return Path(next(iter(package.__path__))).parents[5]


def start(tmp_path: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    (tmp_path / "t.json").write_text(json.dumps(TOPOLOGY))
    command = [sys.executable, "-m", simulator.PROGRAM, "--topology", str(tmp_path / "t.json"), *arguments]
    (tmp_path / "temporary").mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(collections()), "TMPDIR": str(tmp_path / "temporary"), **more}
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_how_to_reach_it_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    ready = tmp_path / "ready.json"
    process = start(tmp_path, "--no-tls", "--ready-file", str(ready), "--directory", str(tmp_path))
    assert process.stdout is not None
    lines = [process.stdout.readline() for _turn in range(5)]
    # a shell reads the password as it is
    shell = subprocess.run(
        ["sh", "-c", "".join(lines) + 'printf %s "$EXA_API_PASSWORD"'], capture_output=True, text=True, check=True
    )
    assert shell.stdout == PASSWORD
    data = json.loads(ready.read_text())
    assert data["pid"] == process.pid
    assert data["clusters"]["exa-program"]["password"] == PASSWORD
    assert ready.stat().st_mode & 0o077 == 0
    assert lines[-1] == f"export DBFLEET_SIMULATOR_TOKEN={data['admin_token']}\n"
    assert simulator.asked(data, "/about")["pid"] == process.pid
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")
    assert not ready.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--clock", "odd"], "The clock 'odd'"),
        (["--topology", "/nowhere"], "can't be read"),
        (["--no-tls", "--bind", "192.0.2.1"], "can't be started: 192.0.2.1 port 0: Cannot assign requested address"),
    ],
)
def test_a_start_that_fails_says_why_in_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    process = start(tmp_path, *arguments)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert words in err
    assert len(err.splitlines()) == 1
    assert left(tmp_path) == []


def left(tmp_path: Path) -> list[Path]:
    """What simulators have in the folder of temporary files."""
    return sorted((tmp_path / "temporary").iterdir())


def answers(process: subprocess.Popen[str]) -> None:
    """Once it says how to reach it."""
    assert process.stdout is not None
    assert process.stdout.readline().startswith("export EXA_API_URL=https://")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_no_folder_behind(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path)
    answers(process)
    (folder,) = left(tmp_path)
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "ca.pem").exists()
    process.send_signal(number)
    process.communicate(timeout=10)
    assert (process.returncode, left(tmp_path)) == (0, [])


def test_what_a_killed_one_leaves_goes_when_the_next_one_starts(tmp_path: Path) -> None:
    killed, running = start(tmp_path), start(tmp_path)
    answers(killed)
    answers(running)
    assert len(left(tmp_path)) == 2
    killed.kill()
    killed.communicate(timeout=10)
    assert len(left(tmp_path)) == 2
    last = start(tmp_path)
    answers(last)
    assert len(left(tmp_path)) == 2  # the one that runs keeps its own
    for one in (running, last):
        one.terminate()
        one.communicate(timeout=10)
    assert left(tmp_path) == []


def test_it_ends_with_its_starter_where_one_is_named(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    (tmp_path / "t.json").write_text(json.dumps(TOPOLOGY))
    (tmp_path / "temporary").mkdir()
    program = (
        "import os, subprocess, sys, time\n"
        "command = [sys.executable, '-m', *sys.argv[1:], '--starter', str(os.getpid())]\n"
        "subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program, simulator.PROGRAM, "--topology", str(tmp_path / "t.json")]
    environment = {**os.environ, "PYTHONPATH": str(collections()), "TMPDIR": str(tmp_path / "temporary")}
    with subprocess.Popen([*command, "--ready-file", str(ready)], env=environment) as starter:
        eventually(ready.exists)
        time.sleep(1.2)  # it has looked for its starter twice
        assert ready.exists()
        starter.kill()
    eventually(lambda: not ready.exists() and left(tmp_path) == [])


def eventually(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_exports_name_only_what_there_is() -> None:
    cluster = {"environment": {"EXA_API_URL": "http://a,http://b", "EXA_API_PASSWORD": "a'b"}}
    lines = cli.exports({"admin_url": "http://c", "admin_token": "t", "clusters": {"x": cluster}})
    assert lines[0] == "export EXA_API_URL=http://a,http://b"
    assert not any("EXA_CA_PATH" in line for line in lines)


def test_of_several_clusters_the_exports_of_all_are_there_and_those_of_the_first_in_force() -> None:
    clusters = {name: {"environment": {"EXA_API_URL": f"http://{name}"}} for name in ("a", "b")}
    assert cli.exports({"admin_url": "http://c", "admin_token": "t", "clusters": clusters}) == [
        "# a", "export EXA_API_URL=http://a", "export DBFLEET_SIMULATOR=http://c", "export DBFLEET_SIMULATOR_TOKEN=t",
        "# b", "# export EXA_API_URL=http://b", "# export DBFLEET_SIMULATOR=http://c",
        "# export DBFLEET_SIMULATOR_TOKEN=t",
    ]  # fmt: skip


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(tmp_path, "--admin-port", str(port))
        _out, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert err == f"The simulator can't be started: 127.0.0.1 port {port}: Address already in use.\n"


def test_the_name_of_a_cluster_is_no_command_for_the_shell_that_reads_the_exports() -> None:
    clusters = {name: {"environment": {"EXA_API_URL": "https://a"}} for name in ("a\ntouch forged", "b\x1b[2J")}
    lines = cli.exports({"admin_url": "http://127.0.0.1:1", "admin_token": "t", "clusters": clusters})
    assert [line for line in lines if "\n" in line or not line.startswith(("#", "export "))] == []
    assert lines[0] == r"# a\ntouch forged"
    assert r"# b\x1b[2J" in lines


def test_why_it_can_t_be_started_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "topology.yml"
    path.write_text(json.dumps({"name": "a\n\x1b[2Jforged", "product": "exasol", "nodes": {"n0011": 7}}))
    assert cli.main(["--topology", str(path)]) == 2
    told = capsys.readouterr().err
    assert r"a\n\x1b[2Jforged" in told
    assert told.count("\n") == 1

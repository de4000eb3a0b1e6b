# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An ordinary module ends with its controller, whatever tells it, and nothing else ends it."""

from __future__ import annotations

import json
import os
import pty
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils import _far_side as far_side

MODULE = """
import json, sys, time
from ansible_collections.dbfleet.cluster.plugins.module_utils import _far_side
_far_side.BEAT = float(sys.argv[1])
with _far_side.ends_with_controller(sys.argv[3:]):
    print("began", file=sys.stderr, flush=True)
    time.sleep(float(sys.argv[2]))
print(json.dumps({"text": "x" * 300000}))
"""

FOR_EVER = 600.0
"""Longer than a test waits for the end of a module."""

LIMIT = 60.0


@pytest.fixture
def module() -> Iterator[Any]:
    """Starts a module; it says on standard error that its work has begun."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*folders: Path, beat: float = FOR_EVER, seconds: float = FOR_EVER, **given: Any) -> Any:
        command = [sys.executable, "-c", MODULE, str(beat), str(seconds), *map(str, folders)]
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **given}
        running.append(subprocess.Popen(command, stderr=subprocess.PIPE, env=ENVIRONMENT, **given))
        said = running[-1].stderr.readline()  # type: ignore[union-attr]
        assert said == b"began\n", said + running[-1].stderr.read()  # type: ignore[union-attr]
        return running[-1]

    yield start
    for one in running:
        if one.poll() is None:
            one.kill()
        one.wait()
        for stream in filter(None, (one.stdin, one.stdout, one.stderr)):
            with suppress(OSError):
                stream.close()


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As ansible-core makes one for a module that travels as a file."""
    path = tmp_path / "ansible-tmp"
    path.mkdir()
    (path / "AnsiballZ_exa_node.py").write_text("a password")
    return path


def test_it_ends_when_nobody_holds_the_other_end_of_its_output(module: Any, folder: Path) -> None:
    one = module(folder)
    one.stdout.close()
    assert one.wait(LIMIT) == 1
    assert not folder.exists()


def test_it_ends_when_its_terminal_is_closed(module: Any, folder: Path) -> None:
    """One whose terminal tells no process of it by a signal."""
    ours, theirs = pty.openpty()
    one = module(folder, stdin=theirs, stdout=theirs)
    os.close(theirs)
    os.close(ours)
    assert one.wait(LIMIT) == 1
    assert not folder.exists()


@pytest.mark.parametrize("number", far_side.ENDS)
def test_it_ends_by_a_signal(module: Any, folder: Path, number: signal.Signals) -> None:
    one = module(folder)
    one.send_signal(number)
    assert one.wait(LIMIT) == 1
    assert not folder.exists()


def test_a_program_between_that_has_outlived_its_own_reader_learns_of_it(module: Any) -> None:
    """As ssh does after its ansible-playbook was killed: it looks at its output only when it writes."""
    between = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    one = module(beat=0.2, stdout=between.stdin)
    between.stdin.close()  # type: ignore[union-attr]
    between.stdout.close()  # type: ignore[union-attr]
    assert one.wait(LIMIT) == 1
    between.wait(LIMIT)


@pytest.mark.parametrize("source", [subprocess.DEVNULL, subprocess.PIPE])
def test_standard_input_at_its_end_ends_nothing(module: Any, source: int) -> None:
    """A pipelined module came by it."""
    one = module(beat=0.02, seconds=1, stdin=source)
    if one.stdin:
        one.stdin.close()
    said = one.stdout.read()
    assert one.wait(LIMIT) == 0
    assert json.loads(said) == {"text": "x" * 300000}
    assert said.startswith(b"\n\n")
    assert b"\n" not in said.strip()


def test_a_file_is_nobody_who_could_go(module: Any, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        assert module(beat=0.02, seconds=0.3, stdout=out).wait(LIMIT) == 0
    assert (tmp_path / "out").read_text().startswith("{")
    assert module(beat=0.02, seconds=0.3, stdout=subprocess.DEVNULL).wait(LIMIT) == 0


def test_the_signals_are_as_before_when_its_work_is_done() -> None:
    before = [signal.getsignal(number) for number in far_side.ENDS]
    with far_side.ends_with_controller():
        assert [signal.getsignal(number) for number in far_side.ENDS] != before
    assert [signal.getsignal(number) for number in far_side.ENDS] == before
    assert signal.set_wakeup_fd(-1) == -1


# -- files


def sent(folder: Path, name: str) -> str:
    path = folder / f"{far_side.SENT}{name}.pem"
    path.write_text(name)
    path.chmod(stat.S_IRUSR)
    return str(path)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files have no second name here")
def test_files_that_were_sent_along_are_removed_at_once(tmp_path: Path) -> None:
    given = {"client_cert": sent(tmp_path, "client_cert"), "client_key": sent(tmp_path, "client_key"), "ca_path": None}
    found = far_side.taken(given)
    assert list(tmp_path.iterdir()) == []
    for name in ("client_cert", "client_key"):
        assert [Path(found[name]).read_text() for _time in range(2)] == [name, name]
    assert found["ca_path"] is None
    assert given["client_key"].startswith(str(tmp_path))


def test_a_file_of_the_far_side_stays(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("ca")
    given = {"ca_path": str(path), "client_key": "/of/there.pem", "other": 1}
    assert far_side.taken(given) == given
    assert path.exists()


def test_a_file_that_cannot_be_removed_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent by one ordinary user, used by another."""

    def refuse(_path: str) -> None:
        raise PermissionError

    monkeypatch.setattr(far_side.os, "unlink", refuse)
    given = {"client_key": sent(tmp_path, "client_key")}
    assert far_side.taken(given) == given
    gone = {"client_key": str(tmp_path / f"{far_side.SENT}ca_path.pem")}
    assert far_side.taken(gone) == gone


@pytest.mark.parametrize(
    ("keeps", "folder", "found"), [(False, "/there", ["/there"]), (True, "/there", []), (False, None, [])]
)
def test_the_folder_of_a_module(keeps: bool, folder: Any, found: list[str]) -> None:
    """It is none where the module was pipelined, and stays where the user wants so."""
    assert far_side.of_ansible(SimpleNamespace(_keep_remote_files=keeps, _tmpdir=folder)) == found


def test_its_unpacked_code_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = "/tmp/ansible_exa_node_payload_x/ansible_exa_node_payload.zip/ansible_collections/dbfleet/far_side.py"
    monkeypatch.setattr(far_side, "__file__", packed)
    assert far_side.of_ansible(SimpleNamespace()) == ["/tmp/ansible_exa_node_payload_x"]

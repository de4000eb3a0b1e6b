# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGTERM: what is said before it ends a process, which it does as it would have; in processes of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BEGINNING = """
import multiprocessing, os, signal, sys, threading, time
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import last_words

def wait():
    print("ready", flush=True)
    while True:
        time.sleep(60)
"""


def started(tmp_path: Path, code: str, **more: Any) -> subprocess.Popen[str]:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    environment = {**os.environ, "ANSIBLE_LOCAL_TEMP": str(tmp_path)}
    return subprocess.Popen([sys.executable, "-c", BEGINNING + code], text=True, env=environment, **streams)


def ended(process: subprocess.Popen[str], times: int = 1) -> tuple[int, list[str]]:
    """The exit code after SIGTERM, and what was said behind the line "ready"."""
    assert process.stdout
    assert process.stderr
    with process:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        for _time in range(times):
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=300)
    assert err == ""
    return process.returncode, out.splitlines()


@pytest.fixture(params=["1", ""], autouse=True)
def _buffered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable, the signal may come while the stream is still about the line before."""
    monkeypatch.setenv("PYTHONUNBUFFERED", request.param)


WORDS = 'last_words.before_sigterm(lambda: ["in phase api", "resume: it"])\n'


@pytest.mark.parametrize("times", [1, 2])
def test_it_speaks_and_ends_by_the_signal(tmp_path: Path, times: int) -> None:
    assert ended(started(tmp_path, WORDS + "wait()"), times) == (-signal.SIGTERM, ["in phase api", "resume: it"])
    assert list(tmp_path.iterdir()) == []


def test_with_nothing_to_say_it_leaves_all_as_it_is(tmp_path: Path) -> None:
    code = """
last_words.before_sigterm(lambda: [])
last_words._end_workers = lambda: print("workers")
wait()
"""
    assert ended(started(tmp_path, code)) == (-signal.SIGTERM, [])


def test_the_handler_that_was_there_before_goes_on(tmp_path: Path) -> None:
    code = (
        """
signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(number + 100))
"""
        + WORDS
    )
    assert ended(started(tmp_path, code + "wait()")) == (115, ["in phase api", "resume: it"])


def test_where_that_one_fails_the_signal_ends_the_process(tmp_path: Path) -> None:
    code = (
        """
def broken(number, _frame):
    raise ValueError("process object is closed")
signal.signal(signal.SIGTERM, broken)
"""
        + WORDS
    )
    assert ended(started(tmp_path, code + "wait()")) == (-signal.SIGTERM, ["in phase api", "resume: it"])


def test_words_that_fail_end_the_process_nonetheless(tmp_path: Path) -> None:
    code = "last_words.before_sigterm(lambda: 1 / 0)\nwait()"
    assert ended(started(tmp_path, code)) == (-signal.SIGTERM, [])


def test_the_workers_have_ended_before_it_speaks(tmp_path: Path) -> None:
    code = """
worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
last_words.before_sigterm(lambda: [f"alive: {worker.is_alive()}"])
worker.start()
wait()
"""
    assert ended(started(tmp_path, code)) == (-signal.SIGTERM, ["alive: False"])


def test_a_worker_that_does_not_hear_of_it_is_killed(tmp_path: Path) -> None:
    """As one that was just being made when the signal came."""
    code = """
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    heard.set()
    time.sleep(60)

context = multiprocessing.get_context("fork")
heard, worker = context.Event(), None
last_words.before_sigterm(lambda: [f"alive: {worker.is_alive()}"])
worker = context.Process(target=deaf)
worker.start()
heard.wait()
wait()
"""
    assert ended(started(tmp_path, code)) == (-signal.SIGTERM, ["alive: False"])


def test_a_forked_process_has_what_was_there_before(tmp_path: Path) -> None:
    code = (
        WORDS
        + """
child = os.fork()
if not child:
    os._exit(0 if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL else 1)
print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
own = lambda number, _frame: os._exit(9)
signal.signal(signal.SIGTERM, own)
child = os.fork()
if not child:
    os._exit(0 if signal.getsignal(signal.SIGTERM) is own else 1)
print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
    )
    with started(tmp_path, code) as process:
        assert process.communicate(timeout=300) == ("child 0\nchild 0\n", "")


@pytest.mark.parametrize("way", ["a thread", "ignored"])
def test_it_installs_nothing_where_it_may_not_or_nothing_would_end(tmp_path: Path, way: str) -> None:
    code = {
        "a thread": "thread = threading.Thread(target=last_words.before_sigterm, args=(lambda: ['no'],))\n"
        "thread.start()\nthread.join()\n",
        "ignored": "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WORDS,
    }[way]
    with started(tmp_path, code + "print(signal.getsignal(signal.SIGTERM).name)") as process:
        expected = "SIG_DFL" if way == "a thread" else "SIG_IGN"
        assert process.communicate(timeout=300) == (f"{expected}\n", "")


def test_in_the_middle_of_a_write_it_speaks_on_standard_error(tmp_path: Path) -> None:
    code = (
        """
def show(_line, **_more):
    raise RuntimeError("reentrant call inside <_io.BufferedWriter>")
last_words.progress.show = show
"""
        + WORDS
    )
    with started(tmp_path, code + "wait()") as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=300) == ("in phase api\nresume: it\n", "")
        assert process.returncode == -signal.SIGTERM


def test_it_ends_though_nobody_reads_its_output(tmp_path: Path) -> None:
    code = """
last_words.GRACE = 0.2
os.set_blocking(1, False)
try:
    while True:
        os.write(1, b"x" * 65536)
except BlockingIOError:
    os.set_blocking(1, True)
print("ready", file=sys.stderr, flush=True)
while True:
    time.sleep(60)
"""
    with started(tmp_path, WORDS + code) as process:
        assert process.stderr
        assert process.stdout
        assert process.stderr.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == -signal.SIGTERM
        assert process.stderr.read() == ""
        assert set(process.stdout.read()) == {"x"}


@pytest.mark.parametrize(("is_well", "code"), [("True", 0), ("False", 2)])
def test_what_is_said_at_the_end_by_all(tmp_path: Path, is_well: str, code: int) -> None:
    """In the order of registration, and failing where one of them isn't well; a worker says nothing."""
    words = f"""
last_words.at_the_end(lambda: (["one"], {is_well}))
last_words.at_the_end(lambda: ([("two", None)], True))
last_words.end_loudly(os.getpid() + 1)
"""
    with started(tmp_path, words) as process:
        assert process.communicate(timeout=300) == ("one\ntwo\n", "")
        assert process.returncode == code


def test_all_of_it_is_said_before_sigterm(tmp_path: Path) -> None:
    words = """
last_words.at_the_end(lambda: (["one"], True))
last_words.at_the_end(lambda: ([("two", None)], False))
"""
    assert ended(started(tmp_path, words + "wait()")) == (-signal.SIGTERM, ["one", "two"])


UNREAD = "nobody reads the output of this run any more, so it ends as it would by SIGTERM"


def unread(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """The exit code once the reader of the output is gone, and the lines on standard error."""
    assert process.stdout
    assert process.stderr
    with process:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        process.stdout.close()
        lines = process.stderr.read().splitlines()
        return process.wait(300), lines


def test_a_run_whose_reader_is_gone_speaks_on_standard_error_and_ends(tmp_path: Path) -> None:
    code = WORDS + "last_words.end_when_unread()\nlast_words.end_when_unread()\nwait()"
    assert unread(started(tmp_path, code)) == (-signal.SIGTERM, [UNREAD, "in phase api", "resume: it"])
    assert list(tmp_path.iterdir()) == []


def test_a_run_with_nothing_to_say_ends_too(tmp_path: Path) -> None:
    assert unread(started(tmp_path, "last_words.end_when_unread()\nwait()")) == (-signal.SIGTERM, [UNREAD])


def test_a_run_whose_output_is_read_by_nobody_at_all_ends_too(tmp_path: Path) -> None:
    """As behind `2>&1 | head`."""
    ours, theirs = os.pipe()
    code = WORDS + "last_words.end_when_unread()\nwait()"
    process = started(tmp_path, code, stdout=theirs, stderr=theirs)
    os.close(theirs)
    with os.fdopen(ours) as output:
        assert output.readline() == "ready\n"
    assert process.wait(300) == -signal.SIGTERM


def test_an_output_that_is_a_file_is_not_watched(tmp_path: Path) -> None:
    code = "last_words.end_when_unread()\nprint(len(last_words._watched), file=sys.stderr)"
    with (tmp_path / "out").open("w") as out:
        process = started(tmp_path, code, stdout=out)
    assert process.communicate(timeout=300)[1] == "0\n"

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A worker ends with its ansible-playbook, whenever that was killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import time
from contextlib import suppress
from multiprocessing.process import parent_process
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import worker

FORK = multiprocessing.get_context("fork")


def _work(told: Any, alone_before: bool) -> None:
    """Goes on for longer than anybody waits, unless it is ended. What it sends says how far it came."""
    made_by = parent_process().pid
    if alone_before:
        os.kill(made_by, signal.SIGKILL)
        while os.getppid() == made_by:
            time.sleep(0.01)
    with worker.ends_with_parent():
        told.send("began")
        if not alone_before:
            os.kill(made_by, signal.SIGKILL)
        time.sleep(60)


def _play(told: Any, alone_before: bool) -> None:
    FORK.Process(target=_work, args=(told, alone_before)).start()
    time.sleep(60)


@pytest.mark.parametrize(("alone_before", "came_to"), [(True, []), (False, ["began"])])
def test_a_worker_ends_with_its_ansible_playbook(alone_before: bool, came_to: list[str]) -> None:
    """Killed between two modules of one runbook too, when nothing watches."""
    ours, theirs = FORK.Pipe(duplex=False)
    playbook = FORK.Process(target=_play, args=(theirs, alone_before))
    playbook.start()
    theirs.close()
    heard: list[str] = []
    with suppress(EOFError):  # which comes when both are gone
        while ours.poll(40):
            heard.append(ours.recv())
        heard.append("goes on")
    playbook.join()
    assert heard == came_to


@pytest.mark.skipif(not worker.LIBC, reason="only Linux tells a process of the end of the one that made it")
def test_it_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at the next look: until then it could take a lease in the name of nobody."""
    monkeypatch.setattr(worker, "ORPHAN_CHECK", 3600.0)
    test_a_worker_ends_with_its_ansible_playbook(False, ["began"])


def _work_with_a_program(told: Any) -> None:
    """It waits for its program, as for ssh, which has started another one."""
    with worker.ends_with_parent(programs=True):
        program = subprocess.Popen(["sh", "-c", "sleep 60 & wait"], pass_fds=[told.fileno()])
        while len(worker.descendants(os.getpid())) < 2:
            time.sleep(0.01)
        told.send(len(worker.descendants(os.getpid())))
        os.kill(parent_process().pid, signal.SIGKILL)
        program.wait()
        time.sleep(60)


def _play_with_a_program(told: Any) -> None:
    FORK.Process(target=_work_with_a_program, args=(told,)).start()
    time.sleep(60)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells who started whom")
def test_its_programs_end_too() -> None:
    """Or the module at the other end of ssh would go on."""
    ours, theirs = FORK.Pipe(duplex=False)
    playbook = FORK.Process(target=_play_with_a_program, args=(theirs,))
    playbook.start()
    theirs.close()
    assert ours.recv() == 2
    assert ours.poll(40)
    with pytest.raises(EOFError):  # it comes when all who hold the other end are gone
        ours.recv()
    playbook.join()


def test_a_worker_is_of_the_process_that_made_it() -> None:
    ours, theirs = FORK.Pipe(duplex=False)
    child = FORK.Process(target=lambda: theirs.send(worker.playbook_pid()))
    child.start()
    assert ours.recv() == os.getpid()
    child.join()
    assert worker.playbook_pid() in (os.getppid(), getattr(parent_process(), "pid", None))

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An ordinary module on another machine: it ends with its controller, and leaves no file there that was sent along."""

from __future__ import annotations

import os
import select
import shutil
import signal
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

BEAT = 1.0
"""Seconds between two signs of life."""

STDOUT = 1

ENDS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
"""Signals that end a module: a closed terminal (ssh -tt) sends the first, a person or program the others."""

FILES = ("ca_path", "client_cert", "client_key")
"""Options that name files. The controller sends these files along if a module runs elsewhere."""

SENT = "dbfleet-sent-"
"""The beginning of the name of each file that was sent along."""

OVER = b"\0"


def taken(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters, with each file that was sent along opened and removed. Its option then names the open file.

    The files are removed at once, so that no end of this process leaves a private key behind, not even SIGKILL. If a
    file can't be reached without its name, or belongs to another user, only the controller removes it.
    """
    found = dict(params)
    for name in FILES:
        path = str(params.get(name) or "")
        if os.path.basename(path).startswith(SENT):
            found[name] = _held(path)
    return found


def _held(path: str) -> str:
    try:
        again = f"/proc/self/fd/{os.open(path, os.O_RDONLY)}"
        if not os.path.samefile(again, path):
            return path
        os.unlink(path)
    except OSError:
        return path
    return again


def of_ansible(module: Any) -> list[str]:
    """The folders that ansible-core made for a module. Without pipelining, one contains its arguments and passwords."""
    package = __file__.partition(".zip" + os.sep)
    own = os.path.dirname(package[0]) if package[1] else ""
    sent = "" if getattr(module, "_keep_remote_files", False) else getattr(module, "_tmpdir", None)
    return [folder for folder in (own, sent) if folder]


@contextmanager
def ends_with_controller(folders: Sequence[str] = ()) -> Iterator[None]:
    """Ends this process when its controller has ended, so that it doesn't work at the same time as the next run.

    It watches standard output, which is a pipe, a socket or a terminal: no process has the other end open then. With
    async, ansible-core's wrapper on this machine has it open, so such a module goes on.

    :param folders: it removes these when it ends this process.
    """
    watch = _Watch(folders)
    before = {number: signal.getsignal(number) for number in ENDS}
    wakeup = signal.set_wakeup_fd(watch.bell)
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, lambda *_given: None)
    watch.start()
    try:
        yield
    finally:
        watch.over()
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


class _Watch:
    """A thread that notices the end of the controller, while the other threads wait for a server.

    :ivar bell: the end of a pipe to which Python writes each signal at once, whatever the main thread waits for.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders
        self._heard, self.bell = os.pipe()
        os.set_blocking(self.bell, False)
        self._poll = select.poll()
        self._poll.register(self._heard, select.POLLIN)
        self._beats = self._has_reader()
        if self._beats:
            self._poll.register(STDOUT, 0)  # no events are asked for: poll always reports a closed other end
        self._quiet = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @staticmethod
    def _has_reader() -> bool:
        try:
            mode = os.fstat(STDOUT).st_mode
        except OSError:
            return False
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(STDOUT)

    def start(self) -> None:
        self._thread.start()

    def over(self) -> None:
        """Ends the thread. From now on it writes no signs of life, because they would garble the result."""
        with self._quiet:
            self._beats = False
        os.write(self.bell, OVER)
        self._thread.join()
        os.close(self._heard)
        os.close(self.bell)

    def _run(self) -> None:
        while True:
            events = dict(self._poll.poll(BEAT * 1000))
            if self._heard in events:
                told = os.read(self._heard, 64)
                if OVER in told:
                    return
                if set(told) & set(ENDS):
                    self._end()
            elif events:
                self._end()
            else:
                self._beat()

    def _beat(self) -> None:
        """Writes an empty line, which ansible-core skips before a result.

        If a program of the connection has outlived its ansible-playbook, this line fails there, because nobody reads
        it, and the program closes the connection. Without the line, it would wait for the module's result.
        """
        with self._quiet:
            if not self._beats:
                return
            try:
                os.write(STDOUT, b"\n")
            except BlockingIOError:
                pass
            except OSError:
                self._end()

    def _end(self) -> None:
        for folder in self._folders:
            with suppress(OSError):
                shutil.rmtree(folder)
        os._exit(1)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An ordinary module, far from the controller: it ends with its controller, and keeps no file that was sent along."""

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
"""A terminal that is closed (ssh -tt), and whoever asks a module to end."""

FILES = ("ca_path", "client_cert", "client_key")
"""Options that name files, which are sent along where a module runs elsewhere."""

SENT = "dbfleet-sent-"
"""What the name of a file that was sent along begins with."""

OVER = b"\0"


def taken(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters, whose files that were sent along are open by now, and removed.

    Removed at once: then nothing that ends this process leaves a private key behind, SIGKILL neither. A file that
    can't be reached without its name, or belongs to another user, is removed by the controller alone.
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
    """The folders that ansible-core has made for a module. One has its arguments, with passwords, unless pipelined."""
    package = __file__.partition(".zip" + os.sep)
    own = os.path.dirname(package[0]) if package[1] else ""
    sent = "" if getattr(module, "_keep_remote_files", False) else getattr(module, "_tmpdir", None)
    return [folder for folder in (own, sent) if folder]


@contextmanager
def ends_with_controller(folders: Sequence[str] = ()) -> Iterator[None]:
    """Ends this process when its controller is gone, whose run would be beside the next one.

    Standard output tells: nobody holds its other end then. It is a pipe, a socket or a terminal; with async its other
    end is held by ansible-core's wrapper on this machine, so such a module goes on.

    :param folders: removed where this process is ended.
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
    """A thread that sees the end, while the others wait for a server.

    :ivar bell: where a signal is heard at once, whatever the main thread is waiting for.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders
        self._heard, self.bell = os.pipe()
        os.set_blocking(self.bell, False)
        self._poll = select.poll()
        self._poll.register(self._heard, select.POLLIN)
        self._beats = self._has_reader()
        if self._beats:
            self._poll.register(STDOUT, 0)  # without a word of its own: an end that is gone is always told
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
        """From now on nothing more is written: a result must not be garbled."""
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
        """An empty line, which ansible-core skips before a result.

        A program of the connection that has outlived its ansible-playbook learns by it that nobody listens any more,
        and closes the connection. Without a word from here, it would wait for the module's result.
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

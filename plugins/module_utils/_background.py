# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program of this collection, in a process that outlives the task that started it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Optional


def detached(command: list[str], directory: str, environment: dict[str, str], log: str) -> subprocess.Popen[bytes]:
    """Starts a program in a session of its own, without a shell; its output goes to the file `log`.

    :param directory: where it runs.
    :raises OSError: the program or the log can't be opened.
    """
    with open(log, "wb") as output:
        # Our own program and arguments, no shell. run_command, which ansible-test wants, waits for the program's end.
        return subprocess.Popen(  # noqa: S603  # pylint: disable=ansible-bad-function
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory,
            env=environment,
            start_new_session=True,
        )


def collections_root(module: str, program: str, given: Optional[str]) -> Optional[str]:
    """The folder that contains `ansible_collections` with this program: the given one, else the first usual place.

    :param module: the `__file__` of the module. It is within a zip if the module runs as an ordinary one.
    :param program: dotted name of a package of this collection.
    :returns: None if no place has the program.
    """
    here = os.path.abspath(module).split(f"{os.sep}ansible_collections{os.sep}")[0]
    usual = [here, *sys.path, *os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)]
    usual += ["~/.ansible/collections", "/usr/share/ansible/collections"]
    for place in [given] if given else usual:
        root = os.path.expanduser(place)
        if root and os.path.isfile(os.path.join(root, *program.split("."), "__main__.py")):
            return root
    return None

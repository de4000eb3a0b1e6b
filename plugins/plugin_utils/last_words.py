# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of ansible-playbook where it would exit with 0, and must not."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress

from ansible import constants

from . import progress

EXIT = 2
"""Of ansible-playbook where a host has failed."""


def leave(lines: Iterable[str]) -> None:
    """Says something, and ends this process as one that failed. For functions that C(atexit) calls."""
    for line in lines:
        progress.show(line)
    shutil.rmtree(constants.DEFAULT_LOCAL_TMP, ignore_errors=True)  # what os._exit leaves out
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(EXIT)

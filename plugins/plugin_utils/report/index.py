# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The index of a folder of reports: written once, when ansible-playbook ends."""

from __future__ import annotations

import glob
import json
import os
from contextlib import suppress
from pathlib import Path

from ansible import constants

from .. import progress
from ..last_words import Line
from . import page, record

KIND = "reports"

NAME = "index.html"

MOST = 2000
"""The most records in an index: those of this run, and the newest of earlier runs."""


def announce(folder: str, name: str, place: str) -> None:
    """Notes a new record in this folder, so that the index of the folder is written when ansible-playbook ends.

    :param name: the name of the record.
    :param place: where the progress of its run is shown.
    """
    path = os.path.join(constants.DEFAULT_LOCAL_TMP, f"dbfleet-{KIND}-{name}")
    with open(path, "w", encoding="utf-8") as file:
        json.dump([folder, place], file)


def write(folder: Path) -> Path:
    """:raises OSError: the index can't be written."""
    names = record.everywhere(folder)
    read = ((one.path, record.read(one.path)) for one in names[:MOST])
    rows = [(path.relative_to(folder).with_suffix(".html").as_posix(), row) for path, row in read if row]
    path = folder / NAME
    record.replace(path, page.of_all(rows, max(0, len(names) - MOST)))
    return path


def words() -> tuple[list[Line], bool]:
    """At the end of ansible-playbook: writes the index of each folder, and shows its path."""
    folders: dict[str, list[str]] = {}
    for path in glob.glob(os.path.join(glob.escape(constants.DEFAULT_LOCAL_TMP), f"dbfleet-{KIND}-*")):
        with suppress(OSError, ValueError), open(path, encoding="utf-8") as file:
            folder, place = json.load(file)
            folders.setdefault(folder, []).append(place)
    lines: list[Line] = []
    for folder, places in sorted(folders.items()):
        try:
            written = write(Path(folder))
        except OSError as error:
            lines.append(f"reports: the index of {folder} can't be written: {error.strerror}")
            continue
        except Exception as error:  # ansible-playbook ends here, and must still show other lines
            what = f"{type(error).__name__}: {error}"
            lines.append(f"reports: the index of {folder} can't be made, please report it: {what}")
            continue
        if any(place != progress.OFF for place in places):
            lines.append(f"reports: {written} ({len(places)} of this run)")
    return lines, True

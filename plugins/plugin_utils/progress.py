# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows progress lines beside the output of ansible-playbook, and never in output that a program reads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Callable, Optional, Union

from ansible import constants
from ansible.utils.color import stringc
from ansible.utils.display import Display

from ..module_utils._foreign import shown, visible
from ..module_utils._values import is_nothing

VARIABLE = "dbfleet_progress"
AUTO, STDOUT, STDERR, OFF = PLACES = ("auto", "stdout", "stderr", "off")

MACHINE_READABLE = ("json", "jsonl")
"""The last parts of the names of stdout callbacks for programs: C(ansible.posix.json), C(ansible.posix.jsonl)."""

GOOD, NOTED, BAD = (str(one) for one in (constants.COLOR_OK, constants.COLOR_CHANGED, constants.COLOR_ERROR))
"""Colours in ansible-core's words: for good, notable and bad results."""

FAINT = "dark gray"
"""The colour of lines that only show that work continues."""

HOST = r"\[[^\]]+\] "

WHOLE = re.compile(rf"{HOST}resume: |goes on: ")
"""Matches lines that users copy from the terminal."""

Line = tuple[str, Optional[str]]
"""A line and its colour, if the output has colours."""

dress: Optional[Callable[[Line], Line]] = None
"""Changes the look of each line, if a stdout callback has set it."""

RUNNER = "awx_display"
"""The stdout callback of ansible-runner. Its terminal is a file, and its width means nothing."""


def _width() -> Optional[int]:
    columns = 0
    if constants.DEFAULT_STDOUT_CALLBACK != RUNNER:
        with suppress(OSError):
            columns = os.get_terminal_size(1).columns
    return columns or None


WIDTH = _width()
"""The columns of the terminal; None if standard output isn't a terminal. Workers can't find it out by themselves."""


def _given(task_vars: Mapping[str, Any]) -> str:
    value = task_vars.get(VARIABLE)
    if value is False:  # how YAML reads an unquoted off
        return OFF
    return AUTO if is_nothing(value) else str(value).strip().lower()


def place_of(task_vars: Mapping[str, Any]) -> str:
    """The place that a host's variables name; C(auto) if the value is wrong."""
    given = _given(task_vars)
    return given if given in PLACES else AUTO


def problems(task_vars: Mapping[str, Any]) -> list[str]:
    """Sentences about a wrong value of the variable."""
    given = _given(task_vars)
    return [] if given in PLACES else [f"{VARIABLE} is {given!r}, and must be one of {', '.join(PLACES)}"]


def show(text: Union[str, Iterable[str]], place: str = AUTO, colour: Optional[str] = None) -> None:
    """Shows one or more lines at once, see C(show_lines).

    :param colour: the colour of all lines, in ansible-core's words, if the output has colours.
    """
    show_lines([(line, colour) for line in ([text] if isinstance(text, str) else text)], place)


def show_lines(lines: Iterable[Line], place: str = AUTO, whole: bool = False) -> None:
    """Shows lines of several colours at once, so that no line of another process comes between them.

    Each line stays one line, and a terminal shows its characters literally; all output of this collection passes here.
    So a text of several lines must be given as several, and a line break within a line comes from a server.

    :param place: with C(auto), standard output, or standard error if the stdout callback writes for a program.
    :param whole: whether a program reads the lines, so that they must not be cut.
    """
    if place == OFF:
        return
    lines = [(visible(text) if whole or WHOLE.match(text) else shown(text), colour) for text, colour in lines]
    lines = list(map(dress, lines) if dress else lines)
    plain = "\n".join(text for text, _colour in lines)
    coloured = "\n".join(stringc(text, colour) if colour else text for text, colour in lines)
    if coloured == plain:
        Display().display(plain, stderr=is_aside(place))
        return
    Display().display(coloured, stderr=is_aside(place), screen_only=True)
    if constants.DEFAULT_LOG_PATH:
        Display().display(plain, log_only=True)


def is_aside(place: str = AUTO) -> bool:
    """Whether lines go to standard error."""
    callback = str(constants.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2]
    return place == STDERR or (place == AUTO and callback in MACHINE_READABLE)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where progress lines go: beside the output of ansible-playbook, and never into output that a program reads."""

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
"""Last words of the names of stdout callbacks whose output is parsed: C(ansible.posix.json), C(ansible.posix.jsonl)."""

GOOD, NOTED, BAD = (str(one) for one in (constants.COLOR_OK, constants.COLOR_CHANGED, constants.COLOR_ERROR))
"""Colours in ansible-core's words: of what is well, of what is of interest, of what is bad."""

FAINT = "dark gray"
"""Of what only says that it goes on."""

HOST = r"\[[^\]]+\] "

WHOLE = re.compile(rf"{HOST}resume: |goes on: ")
"""What is copied from the terminal."""

Line = tuple[str, Optional[str]]
"""A line and its colour, where the output has colours."""

dress: Optional[Callable[[Line], Line]] = None
"""How each line is to look, where a stdout callback says so."""

RUNNER = "awx_display"
"""The stdout callback of ansible-runner. Its terminal is a file, with a width that nobody sees."""


def _width() -> Optional[int]:
    columns = 0
    if constants.DEFAULT_STDOUT_CALLBACK != RUNNER:
        with suppress(OSError):
            columns = os.get_terminal_size(1).columns
    return columns or None


WIDTH = _width()
"""Columns of the terminal that standard output is; None where it is none. A worker has no standard output to ask."""


def _given(task_vars: Mapping[str, Any]) -> str:
    value = task_vars.get(VARIABLE)
    if value is False:  # how YAML reads an unquoted off
        return OFF
    return AUTO if is_nothing(value) else str(value).strip().lower()


def place_of(task_vars: Mapping[str, Any]) -> str:
    """The place that a host's variables name; C(auto) where that is none."""
    given = _given(task_vars)
    return given if given in PLACES else AUTO


def problems(task_vars: Mapping[str, Any]) -> list[str]:
    """What is wrong with the variable."""
    given = _given(task_vars)
    return [] if given in PLACES else [f"{VARIABLE} is {given!r}, and must be one of {', '.join(PLACES)}"]


def show(text: Union[str, Iterable[str]], place: str = AUTO, colour: Optional[str] = None) -> None:
    """Shows a line, or several, at once, see C(show_lines).

    :param colour: of all, in ansible-core's word, where the output has colours.
    """
    show_lines([(line, colour) for line in ([text] if isinstance(text, str) else text)], place)


def show_lines(lines: Iterable[Line], place: str = AUTO, whole: bool = False) -> None:
    """Shows lines of several colours at once, so that no line of another process comes between them.

    Whatever a line holds, it stays one line, and a terminal shows it as it stands; nothing of ours gets there by
    another way. So a text of several lines comes as several, and a line break within one is somebody else's.

    :param place: with C(auto), standard output, or standard error where the stdout callback writes for a program.
    :param whole: whether a program reads them, so that none may be cut.
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

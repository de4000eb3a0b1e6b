# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where progress lines go: beside the output of ansible-playbook, and never into output that a program reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ansible import constants
from ansible.utils.display import Display

from ..module_utils._values import is_nothing

VARIABLE = "dbfleet_progress"
AUTO, STDOUT, STDERR, OFF = PLACES = ("auto", "stdout", "stderr", "off")

MACHINE_READABLE = ("json", "jsonl")
"""Last words of the names of stdout callbacks whose output is parsed: C(ansible.posix.json), C(ansible.posix.jsonl)."""


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


def show(text: str, place: str = AUTO, colour: Optional[str] = None) -> None:
    """Shows lines at once.

    :param colour: in ansible-core's word, where the output has colours.
    :param place: with C(auto), standard output, or standard error where the stdout callback writes for a program.
    """
    if place == OFF:
        return
    callback = str(constants.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2]
    Display().display(text, color=colour, stderr=place == STDERR or (place == AUTO and callback in MACHINE_READABLE))

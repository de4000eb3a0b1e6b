# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refusals of ConfD: the code, name and text of an error result."""

from __future__ import annotations

from typing import Any

from ...cluster import UsageError


class Refused(UsageError):
    """An error result of a job."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(text)
        self.code, self.name = code, name


def refusal(settings: dict[str, Any], which: str, /, **values: Any) -> Refused:
    """The refusal of that name, with the text of the settings."""
    code, name, text = str(settings[which]).split(" ", 2)
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", str(value))
    return Refused(int(code), name, text)


def as_refused(settings: dict[str, Any], error: UsageError) -> Refused:
    """A refusal of machines and databases, in the form of an error result of the settings."""
    return error if isinstance(error, Refused) else refusal(settings, "failed", text=error)

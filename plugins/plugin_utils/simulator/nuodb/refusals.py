# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals of the API: a status, a text, and further contents of the JSON."""

from __future__ import annotations

from typing import Any

from ..cluster import UsageError


class Refused(UsageError):
    """An error answer of the API. `extra` joins its JSON."""

    def __init__(self, status: int, text: str, extra: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.status, self.extra = status, extra or {}


def refusal(settings: dict[str, Any], which: str, extra: dict[str, Any] | None = None, /, **values: Any) -> Refused:
    """The refusal of that name, with the text of the settings."""
    status, _blank, text = str(settings[which]).partition(" ")
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", str(value))
    return Refused(int(status), text, extra)

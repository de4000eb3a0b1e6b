# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of named settings with defaults and meanings. Each product has its own table; the code is the same."""

from __future__ import annotations

from typing import Any

Table = dict[str, tuple[Any, str]]


class SettingsError(ValueError):
    """A name that isn't a setting; the message is one sentence."""


def merged(table: Table, given: Any, noun: str) -> dict[str, Any]:
    """The defaults of a table, updated with the given values. Raises SettingsError."""
    values = {name: row[0] for name, row in table.items()}
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise SettingsError(f"{noun} must be a mapping of names and values.")
    unknown = sorted(str(name) for name in given if name not in table)
    if unknown:
        raise SettingsError(f"{noun} has no {', '.join(unknown)}; there are {', '.join(sorted(table))}.")
    for name, value in given.items():
        default = values[name]
        if isinstance(default, bool):
            fits = isinstance(value, bool)
        elif isinstance(default, (int, float)):
            fits = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
        else:
            fits = value is None or isinstance(value, str)
        if not fits:
            raise SettingsError(f"{noun}: {name} can't be {value!r}.")
        values[name] = value
    return values


def shown(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """A table with the present values, for /about."""
    return {
        name: {"value": values[name], "default": default, "meaning": meaning}
        for name, (default, meaning) in table.items()
    }

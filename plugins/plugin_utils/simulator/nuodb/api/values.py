# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key-value store."""

from __future__ import annotations

from typing import Any

from .routes import Call, route


@route("GET", "kvstore/{key}")
def value(call: Call) -> Any:
    key = call.parameters["key"]
    return {"key": key, "value": call.domain.values.get(key)}


@route("PUT", "kvstore/{key}")
def set_value(call: Call) -> None:
    """Compares and sets a value in one step."""
    values, key, body = call.domain.values, call.parameters["key"], call.body
    new, expected = body.get("newValue"), body.get("expectedValue")
    conflict = key in values if body.get("expectedAbsent") is True else expected not in (None, values.get(key))
    if conflict:
        raise call.domain.refuse("kv_conflict", name=key)
    if new is None:
        values.pop(key, None)
    else:
        values[key] = str(new)

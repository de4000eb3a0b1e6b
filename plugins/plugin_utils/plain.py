# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of ansible-core as plain data, without its marks."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """Plain JSON types, as they would reach a remote module: xmlrpc.client marshals by exact type."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return str.__str__(value if isinstance(value, str) else str(value))  # a decrypted value is tagged too

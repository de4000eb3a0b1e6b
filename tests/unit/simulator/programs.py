# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator as a program of its own."""

from __future__ import annotations

from typing import Any

PASSWORD = "p w'\"@%&:/+"
TOPOLOGY: dict[str, Any] = {
    "name": "exa-program",
    "nodes": ["n0011"],
    "users": [{"name": "admin", "password": PASSWORD}],
}

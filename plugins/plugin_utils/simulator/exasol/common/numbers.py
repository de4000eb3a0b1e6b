# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The integers of XML-RPC, which have 32 bits: larger ones are refused before an answer would contain them."""

from __future__ import annotations

import re
from typing import Any

from ...checks import TopologyError
from ...faults import Fault, FaultError
from .sizes import GIB, size_of

LARGEST = 2**31 - 1
_PARTS = ("nodes", "machines", "databases", "volumes", "remote_volumes", "backups", "schedules")
_SIZES = re.compile("size|used|usage|quota|bytes|mem")
"""Keys of sizes, which are in GiB or texts."""

_NUMBERS = (
    "id", "vid", "bid", "volume_id", "remote_volume_id", "level", "priority", "redundancy", "num_master_nodes", "owner",
    "group",
)  # fmt: skip
"""Keys whose texts are read as numbers."""


def fits(number: int) -> bool:
    return -LARGEST - 1 <= number <= LARGEST


def too_large(value: Any) -> int | None:
    """The first integer of some data that doesn't fit."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, (list, tuple)):
        return next((found for found in map(too_large, value) if found is not None), None)
    return value if isinstance(value, int) and not fits(value) else None


def check_answer(fault: Fault) -> None:
    """Raises FaultError for an answer with integers that the server could not send."""
    number = too_large(fault.value)
    if number is not None:
        raise FaultError(f"The value of {fault.kind} has {number}, and an integer of XML-RPC has 32 bits.")


def check_code(fault: Fault) -> None:
    """Raises FaultError for a fault's code that the server could not send."""
    if fault.status is not None and not fits(fault.status):
        raise FaultError(f"The status of {fault.kind} is {fault.status}, and an integer of XML-RPC has 32 bits.")


def check_topology(cluster: str, row: dict[str, Any]) -> None:
    """Raises TopologyError for a value that would be sent as an integer, and is too large."""
    for name in [*(row.get("license_servers") or ()), *(row.get("nodes") or ())]:
        number = str(name)[1:]
        if number.isdigit() and not fits(int(number)):
            raise TopologyError(f"Cluster {cluster}: {name} has a number that no integer of XML-RPC has: 32 bits.")
    for part in _PARTS:
        found = _too_large(row.get(part), "")
        if found:
            key, number = found
            raise TopologyError(f"Cluster {cluster}: {part}: {key} is {number}, and an integer of XML-RPC has 32 bits.")


def _too_large(value: Any, key: str) -> tuple[str, Any] | None:
    if isinstance(value, (dict, list, tuple)):
        rows = value.items() if isinstance(value, dict) else ((key, one) for one in value)
        return next((found for found in (_too_large(one, str(name)) for name, one in rows) if found), None)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    if _SIZES.search(key):
        number = (size_of(value) or 0) // GIB
    elif isinstance(value, str):
        first = value.split(" ", maxsplit=1)[0]  # the number of a backup begins with its volume's number
        number = int(first) if key in _NUMBERS and first.isdigit() else 0
    else:
        number = value
    return None if fits(number) else (key, value)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of EXAStorage volumes."""

from __future__ import annotations

from typing import Any

from .catalogue import NEW, STORAGE_RIGHTS, Call, given, job, may
from .volumes import Volume

VID = given("vid", "int", "Id of a volume.")
VNAME = may("vname", "str", "Name of a volume.", only=(NEW,), instead_of="vid")


def volume_of(call: Call) -> Volume:
    """By id, else by name."""
    cluster = call.cluster
    if cluster.storage.state != "online":
        raise call.refuse("storage_offline")
    number, name = call.get("vid"), call.get("vname")
    found = cluster.volumes.all.get(number) if number is not None else cluster.volumes.named(str(name))
    if found is None:
        raise call.refuse("unknown_volume", name=name if number is None else number)
    return found


@job("All volumes.", STORAGE_RIGHTS)
def st_volume_list(call: Call) -> Any:
    if call.cluster.storage.state != "online":
        raise call.refuse("storage_offline")
    call.cluster.clock.read("storage")
    return [volume.row(info=False) for _number, volume in sorted(call.cluster.volumes.all.items())]


@job(
    "One volume.",
    STORAGE_RIGHTS,
    given("vid", "int|str", "Id of a volume; 'all_volumes' is each."),
    VNAME,
)
def st_volume_info(call: Call) -> Any:
    if call.get("vid") == "all_volumes":
        return [volume.row(info=True) for _number, volume in sorted(call.cluster.volumes.all.items())]
    call.cluster.clock.read("storage")
    number = call.get("vid")
    if isinstance(number, str) and number.isdigit():
        call.params["vid"] = int(number)
    return volume_of(call).row(info=True)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases as EXAoperation administers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..common import volumes
from ..common.backups import TIMES
from ..common.databases import Database
from ..common.sizes import gib, size_text

if TYPE_CHECKING:
    from .cluster import Cluster


class ManagedDatabase(Database):
    cluster: Cluster

    def __init__(self, cluster: Cluster, name: str, options: dict[str, Any], index: int) -> None:
        wanted = options.get("volume") or options.get("data_volume_name") or f"v{index:04d}"
        volume = cluster.volumes.known(wanted)
        if volume is None:
            raise LookupError(f"the cluster has not made volume {wanted}")
        super().__init__(cluster, name, {"used": "1.5 GiB", **options}, index, volume.id)
        rows = cluster.spec.schedules.get(name) or []
        self.schedules: list[dict[str, Any]] = [
            {"volume": "", "level": 0, "expire": "", **TIMES, "enabled": True, **dict(row or {})}
            for row in (rows.values() if isinstance(rows, dict) else rows)
        ]
        for row in self.schedules:
            row["volume"] = cluster.archive_name(str(row["volume"]))

    def usage(self, volume: volumes.Volume | None, used: int) -> Any:
        """The usage in the form of getDatabaseInfo."""
        if volume is None or not self.up:
            return 0
        if self.cluster.settings["usage_form"] == "number":
            return gib(used)
        share = size_text(volume.size // max(1, len(self.active)))
        return [
            {"host": f"n{int(one[1:])}", "size": share, "used": size_text(used), "volume id": str(volume.id)}
            for one in self.active
        ]

    def topology(self) -> dict[str, Any]:
        return {
            **self.summary(),
            "nodes": list(self.active),
            "reserve": list(self.reserve),
            "volume": self.volume,
            "used": size_text(self.used),
        }

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EXAStorage of a ConfD cluster. Nobody starts it: it runs while a majority of the nodes is online."""

from __future__ import annotations

from ..common.storage import KEY, Storage


class OwnStorage(Storage):
    def enough(self) -> bool:
        return bool(self.cluster.quorum())  # type: ignore[attr-defined]

    def follow(self) -> None:
        """Reacts to a node that came online."""
        if self.state == "offline" and self.enough():
            self.state = "starting"
            self.failed_with = ""
            self._timer = self.cluster.clock.after(self.cluster.timing["storage_start"], self._started, KEY)
            self.cluster.wake()

    def _started(self) -> None:
        super()._started()
        if self.state == "online":
            self.cluster.storage_came()  # type: ignore[attr-defined]

    def node_lost(self, name: str, why: str) -> None:
        super().node_lost(name, why)
        if self.state != "offline" and not self.cluster.quorum(without=name):  # type: ignore[attr-defined]
            self.crash("only a minority of the nodes is online")

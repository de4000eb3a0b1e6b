# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remote volumes as ConfD's jobs show them."""

from __future__ import annotations

from typing import Any

from ..common import remote_volumes


class RemoteVolume(remote_volumes.RemoteVolume):
    def info(self) -> dict[str, Any]:
        row = {"name": self.name, "owner": self.owner, "type": self.type, "url": self.url, "vid": str(self.id)}
        for key in ("username", "labels", "options", "allowed_users"):
            if getattr(self, key):
                row[key] = getattr(self, key)
        return row


class RemoteVolumes(remote_volumes.RemoteVolumes):
    volume = RemoteVolume

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The safety rules of a ConfD cluster, which a client must not break even if the server allows it."""

from __future__ import annotations

from ..common.rules import RULES as SHARED

RULES = {
    "node-off-under-database": "A node was taken from a database that was up, starting or stopping.",
    "node-off-under-volume": "A node with the only copy of data of a database that was up was taken away.",
    "quorum-lost-under-database": "A node was taken away, so the quorum was lost while a database was up.",
    "node-start-repeated": "A client tried to start a node again while it was booting or running.",
    "node-stop-repeated": "A client tried to shut down a node again while it was shutting down.",
    "database-started-with-sick-service": "A client tried to start a database while the storage was not online.",
    "database-start-repeated": "A client tried to start a database again while it was starting or running.",
    "database-stop-repeated": "A client tried to stop a database again while it was stopping.",
    "database-stopped-during-operation": "A client tried to stop a database while an operation ran.",
    "database-stopped-by-force": "A running database was stopped by force before anybody tried an orderly stop.",
    "volume-changed-under-database": SHARED["volume-changed-under-database"],
    "redundancy-lowered-while-degraded": SHARED["redundancy-lowered-while-degraded"],
    "only-copy-left-behind": SHARED["only-copy-left-behind"],
    "volume-deleted-under-data": SHARED["volume-deleted-under-data"],
    "volume-with-backups-removed": SHARED["volume-with-backups-removed"],
    "restored-into-used-volume": SHARED["restored-into-used-volume"],
    "backup-base-deleted": SHARED["backup-base-deleted"],
    "backup-expired-at-once": SHARED["backup-expired-at-once"],
    "host-services-out-of-order": "c4 of a host was stopped before c4_cloud_command, or started after it.",
    "changed-while-master-moved": "A job that changes something was submitted while the master changed.",
}

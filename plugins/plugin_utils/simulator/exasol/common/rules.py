# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The safety rules that are watched: what a client must never do to a cluster, whether the server lets it or not."""

from __future__ import annotations

RULES = {
    "storage-stopped-under-database": "EXAStorage was to be stopped while a database was up or on its way.",
    "storage-started-without-node": "EXAStorage was to be started while a node that wasn't ignored was not online.",
    "storage-start-repeated": "EXAStorage was to be started again while it was starting or running.",
    "storage-stop-repeated": "EXAStorage was to be stopped again while it was stopping.",
    "node-off-under-storage": "A node was switched off while EXAStorage was running.",
    "node-start-repeated": "A node was to be started again although it was seen to be booting or running.",
    "node-stop-repeated": "A machine was to be shut down again while it was shutting down.",
    "license-server-off-before-nodes": "A license server was switched off while nodes were running or booting.",
    "license-server-off-under-storage": "A license server was switched off while EXAStorage was running.",
    "exaoperation-off-before-license-server": "The holder of EXAoperation was switched off before a license server.",
    "database-started-with-sick-service": "A database was to be started while a cluster service was not OK.",
    "database-start-repeated": "A database was to be started again while it was starting or running.",
    "database-stop-repeated": "A database was to be stopped again while it was stopping.",
    "database-stopped-during-operation": "A database was to be stopped while an operation ran.",
    "volume-changed-under-database": "Data of a volume was to be taken away while a database used it.",
    "redundancy-lowered-while-degraded": "A volume's redundancy was lowered while segments of it were not online.",
    "storage-node-suspended-under-database": "A storage node was to be suspended while a database used a volume on it.",
    "only-copy-left-behind": "Segments were to be moved from a node that was not online and alone had them.",
    "volume-deleted-under-data": "A volume was to be deleted that a stopped database keeps its data on.",
    "volume-with-backups-removed": "A volume was removed on which there were backups.",
    "restored-into-used-volume": "A database was to be restored while another one was up on its data volume.",
    "backup-base-deleted": "A backup was to be deleted while others depended on it.",
    "backup-expired-at-once": "A backup was given an expiry that is in the past.",
}

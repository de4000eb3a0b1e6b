# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The safety rules: what a client must never do to a cluster, even if the server allows it."""

from __future__ import annotations

RULES = {
    "storage-stopped-under-database": "A client tried to stop EXAStorage while a database was not fully down.",
    "storage-started-without-node": "A client tried to start EXAStorage while a node was not online and not ignored.",
    "storage-start-repeated": "A client tried to start EXAStorage again while it was starting or running.",
    "storage-stop-repeated": "A client tried to stop EXAStorage again while it was stopping.",
    "node-off-under-storage": "A node was switched off while EXAStorage was running.",
    "node-start-repeated": "A client tried to start a node again although it could see it booting or running.",
    "node-stop-repeated": "A client tried to shut down a machine again while it was shutting down.",
    "license-server-off-before-nodes": "A license server was switched off while nodes were running or booting.",
    "license-server-off-under-storage": "A license server was switched off while EXAStorage was running.",
    "exaoperation-off-before-license-server": "The EXAoperation machine was switched off before a license server.",
    "database-started-with-sick-service": "A client tried to start a database while a cluster service was not OK.",
    "database-start-repeated": "A client tried to start a database again while it was starting or running.",
    "database-stop-repeated": "A client tried to stop a database again while it was stopping.",
    "database-stopped-during-operation": "A client tried to stop a database while an operation ran.",
    "volume-changed-under-database": "A client tried to remove data of a volume while a database used it.",
    "redundancy-lowered-while-degraded": "A volume's redundancy was lowered while some segments were not online.",
    "storage-node-suspended-under-database": "A client tried to suspend a storage node while a database used it.",
    "only-copy-left-behind": "A client tried to move segments off a node that was down and had their only copy.",
    "volume-deleted-under-data": "A client tried to delete a volume that has the data of a stopped database.",
    "volume-with-backups-removed": "A volume that contained backups was removed.",
    "restored-into-used-volume": "A client tried to restore a database while another one used its data volume.",
    "backup-base-deleted": "A client tried to delete a backup while others depended on it.",
    "backup-expired-at-once": "A client gave a backup an expiry in the past.",
}

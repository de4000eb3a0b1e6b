# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unknown behaviour of Exasol (docs/sources): each a named setting with its default and meaning."""

from __future__ import annotations

from typing import Any

TIMING: dict[str, tuple[float, str]] = {
    "boot": (300, "a node from power-on to online"),
    "shutdown": (60, "a machine from the request to switched off"),
    "api": (30, "a license server from power-on to an EXAoperation that answers"),
    "api_stop": (5, "how long EXAoperation still answers on a machine that shuts down"),
    "move": (60, "EXAoperation moves to another machine"),
    "storage_start": (60, "EXAStorage from the call to all services OK"),
    "storage_stop": (30, "EXAStorage from the call to 'not running'"),
    "database_start": (120, "a database from the call to 'running'"),
    "connect": (20, "a running database until it is connectible"),
    "database_stop": (60, "a database from the call to 'setup'"),
    "backup": (120, "a backup"),
    "restore": (180, "a restore"),
    "recovery": (60, "a volume's segments on a node that came back, moved ones and new copies, until they are ONLINE"),
    "plugin": (1, "a plugin's service from the call until its STATUS shows that it runs"),
}

BEHAVIOUR: dict[str, tuple[Any, str]] = {
    "database_starting": ("startup", "getDatabaseState while a database starts"),
    "database_stopping": ("shutdown", "getDatabaseState while a database stops"),
    "running_in_startup": (True, "runningDatabase while a database starts (while it stops it is always true)"),
    "storage_start_blocks": (True, "startEXAStorage answers only when the service is up"),
    "storage_stop_blocks": (False, "stopEXAStorage answers only when the service is down"),
    "storage_stop_returns": ("OK", "the return value of stopEXAStorage: 'OK' or null"),
    "storage_starting": ("starting", "Storaged while EXAStorage starts"),
    "storage_stopping": ("stopping", "Storaged while EXAStorage stops"),
    "storage_stopped": ("not running", "Storaged while EXAStorage is down (this one is documented)"),
    "storage_degraded": ("degraded", "Storaged while EXAStorage runs and one of its nodes doesn't"),
    "storage_start_when_online": ("refuse", "startEXAStorage of a running EXAStorage: refuse or ok"),
    "storage_start_without_node": (
        "allow",
        "startEXAStorage while a node (not an ignored one) is offline: allow or refuse",
    ),
    "storage_stop_under_database": ("allow", "stopEXAStorage under a database: allow (the database dies) or refuse"),
    "database_stop_during_operation": ("refuse", "stopDatabase while an operation runs: refuse or allow"),
    "node_running": ("Running", "getNodeState of an online node (this one is documented)"),
    "node_off": ("Unknown", "getNodeState of a node that is off"),
    "node_booting": ("Booting", "getNodeState of a node that boots; with 'fault' the call fails"),
    "node_stopping": ("Shutting down", "getNodeState of a node that shuts down"),
    "node_suspended": ("Suspended", "getNodeState of a node whose cluster services are stopped"),
    "hardware_offline": (
        "No inventory: {node} does not answer.",
        "getHardwareInformation of a node that isn't online; with 'fault' the call fails",
    ),
    "forbidden": ("fault", "the answer to a user without the needed role: fault, usage_error or 401"),
    "exaoperation_moves": (True, "EXAoperation moves when its machine shuts down and another one can hold it"),
    "exaoperation_returns": (False, "EXAoperation moves back to the first license server when that comes up"),
    "suite_version_call": (True, "the server has getEXASuiteVersion"),
    "volume_list": ("list", "getVolumeList: a list of names, or a dict of names and descriptions"),
    "volume_info_more": (True, "getVolumeInfo returns more fields than the ones that a public script reads"),
    "volume_edit_in_use": (
        "refuse",
        "editStorageVolume of nodes or redundancy of a volume that a database uses: refuse or allow",
    ),
    "edit_needs_all": (True, "editStorageVolume and editRemoteVolume need every key that isn't optional"),
    "redundancy_type": ("REDUNDANT", "type of a segment that isn't a master segment"),
    "degraded_state": ("DEGRADED", "state of a volume with some segments that are not online"),
    "lost_state": (
        "OFFLINE",
        "state of a volume that was unlocked although a missing segment isn't back",
    ),
    "storage_suspend_in_use": (
        "refuse",
        "suspendNode of a storage node with a volume of a running database: refuse or allow (without its data it dies)",
    ),
    "add_remote_returns": ("object", "addRemoteVolume returns the object's name (remote1) or the volume's (r0001)"),
    "remote_restore": (
        "any",
        "restores from a remote archive volume: any, or only blocking (documented for 7.0 and 8)",
    ),
    "remote_volume_id": ("int", "getVolumeId of a remote volume: int (10001) or name (r0001)"),
    "remote_state": ("word", "state of a remote volume: one word for all nodes, or a list with one word per node"),
    "archive_volumes": ("names", "getAllArchiveVolumes: names, or rows with name, id and type"),
    "usage_form": (
        "number",
        "usage in getDatabaseInfo while the database is up: number (GiB), or a list as in ConfD",
    ),
    "database_info": (
        "told",
        "info in getDatabaseInfo if segments of the data volume are not online: told as ConfD does, or nothing",
    ),
    "schedule_form": ("dict", "a backup schedule's definition: dict, or list (the values in the same order)"),
    "backup_expiry_removal": (True, "expired backups are removed when the next backup ends"),
    "delete_backup_base": (
        "allow",
        "the deletion of a backup on which others depend: allow (they become unusable) or refuse",
    ),
    "volume_delete_under_data": (
        "refuse",
        "the deletion of a volume with the data of a stopped database: refuse or allow",
    ),
    "move_only_copy": (
        "refuse",
        "the move of segments off an offline node with their only copy: refuse, or allow (they wait for the node)",
    ),
    "unreachable_backups": ("unusable", "backups on a volume that is gone or can't be reached: unusable or usable"),
    "dependencies_separator": (", ", "the text between the backup ids in a backup's dependencies"),
    "expire_m_seconds": (2592000, "seconds per month, the m in an expiry like '1m 2w'"),
    "next_schedules_days": (7, "days that getNextSchedules looks ahead"),
    "log_limit": (5000, "number of log entries kept"),
    "seed": (0, "seed of the random numbers for the faults' probability"),
}

# the texts of refusals; only the text of unknown_volume was seen (EAO-22)
REFUSALS: dict[str, tuple[str, str]] = {
    "bad_value": ("Parameter {name} can not be {value}", "an invalid value"),
    "missing_field": ("Required field {name} is missing", "a missing key of a dict"),
    "unknown_field": ("Unknown field {name}", "an unknown key of a dict"),
    "database_not_offline": ("Database {name} is not offline", "a restore of a database that is up"),
    "database_not_running": ("Database {name} is not running", "a backup of a database that is down"),
    "database_busy": ("Database {name} is busy with operation {operation}", "a backup of a busy database"),
    "no_backup": ("No backup of database {name} is running", "abortBackup"),
    "unknown_backup": ("Backup {name} could not be found", "an unknown backup"),
    "unusable_backup": ("Backup {name} is not usable", "restoreDatabase"),
    "restore_remote": (
        "Restore type {kind} is not supported for remote volume {name}",
        "a restore that isn't blocking, see remote_restore",
    ),
    "restore_expiring": (
        "Backup {name} has an expiration date",
        "restore with virtual access of a backup that expires",
    ),
    "no_base": ("Database {name} has no usable backup of a lower level on volume {volume}", "backupDatabase"),
    "base_needed": ("Backup {name} is needed by other backups", "see delete_backup_base"),
    "unknown_volume": ("Volume could not be found", "a volume that isn't known (this one is documented)"),
    "volume_in_use": ("Volume {name} is in use", "removal or change of a volume in use"),
    "volume_locked": ("Volume {name} is locked", "work on a locked volume"),
    "volume_io": ("I/O of volume {name} is disabled", "work on a volume whose I/O is off"),
    "volume_offline": (
        "Volume {name} is not online",
        "backup on a volume whose data isn't available, or a move of such a volume",
    ),
    "volume_space": ("Volume {name} can not be changed: {why}", "sizes, nodes and redundancies that don't fit"),
    "remote_problem": ("Remote volume {name} is not online", "a backup to a remote volume that isn't online"),
    "storage_offline": ("EXAStorage is not online", "work on volumes while the storage is down"),
    "node_not_online": ("Node {name} is not online", "a call that needs an online node"),
    "node_suspended_already": ("Storage node {name} is suspended already", "suspendNode"),
    "node_not_suspended": ("Storage node {name} is not suspended", "resumeNode"),
    "node_in_use": ("Node {name} is used by {what}", "suspendNode (see storage_suspend_in_use), deleteSubObject"),
    "node_exists": ("Node {name} exists already", "addNode"),
    "node_not_off": ("Node {name} is not switched off", "deleteSubObject"),
}

SETTINGS: dict[str, tuple[Any, str]] = {**BEHAVIOUR, **REFUSALS}

CHOICES = {
    "volume_list": ("list", "dict"),
    "volume_edit_in_use": ("refuse", "allow"),
    "storage_suspend_in_use": ("refuse", "allow"),
    "add_remote_returns": ("object", "volume"),
    "remote_restore": ("any", "blocking"),
    "remote_volume_id": ("int", "name"),
    "remote_state": ("word", "list"),
    "archive_volumes": ("names", "rows"),
    "usage_form": ("number", "list"),
    "schedule_form": ("dict", "list"),
    "database_info": ("told", "nothing"),
    "delete_backup_base": ("allow", "refuse"),
    "volume_delete_under_data": ("refuse", "allow"),
    "move_only_copy": ("refuse", "allow"),
    "unreachable_backups": ("unusable", "usable"),
}

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ConfD jobs that documents name, and which of them only read. Source: docs/sources/confd.md.

A cluster may have other jobs too: its job_list shows which jobs it has.
"""

from __future__ import annotations

from typing import Optional

READING: dict[str, tuple[str, ...]] = {
    "databases": ("db_info", "db_list", "db_state"),
    "backups": ("db_backup_list", "db_backup_progress", "db_snapshot_backup_list"),
    "nodes": ("node_info", "node_list", "node_state", "node_wait_offline", "node_wait_ready"),
    "volumes": ("object_volume_info", "object_volume_list", "st_volume_info", "st_volume_list"),
    "remote volumes": (
        "remote_volume_info", "remote_volume_list", "remote_volume_list_details", "remote_volume_state",
    ),
    "storage nodes and devices": (
        "st_device_info", "st_get_partition_id", "st_node_get_link_speed", "st_node_list",
    ),
    "users and groups": ("group_info", "group_list", "user_info", "user_list"),
    "BucketFS": ("bucketfs_info", "bucketfs_list"),
    "infrastructure": ("infra_deployment_metadata_get", "infra_overview_get"),
    "system": (
        "conn_get_remote_nid", "license_download", "license_info", "plugin_info", "plugin_list", "settings_list",
    ),
}  # fmt: skip
"""These jobs run in check mode too, so the table has only jobs that are sure to change nothing. With a tag, log_collect
remembers how far it has read (CONFD-170). No document says what license_run_check does about a limit (CONFD-169)."""

CHANGING: dict[str, tuple[str, ...]] = {
    "databases": (
        "db_add_reserve_nodes", "db_configure", "db_configure_kerberos", "db_create", "db_delete", "db_enlarge",
        "db_remove_reserve_nodes", "db_reset", "db_restart", "db_resume_nodes", "db_start", "db_stop",
        "db_suspend_nodes",
    ),
    "backups": (
        "db_backup_abort", "db_backup_add_schedule", "db_backup_change_expiration", "db_backup_delete_unusable",
        "db_backup_modify_schedule", "db_backup_remove_schedule", "db_backup_start", "db_backups_delete", "db_restore",
        "db_snapshot_backup_add_schedule", "db_snapshot_backup_modify_schedule", "db_snapshot_backup_remove_schedule",
        "db_snapshot_backup_start", "db_snapshot_backups_delete",
    ),
    "nodes": (
        "master_change", "node_add", "node_add_batch", "node_clone_batch", "node_ip_batch", "node_remove",
        "node_resume", "node_suspend", "nodes_terminate",
    ),
    "volumes": (
        "object_volume_add", "object_volume_remove", "st_volume_add_label", "st_volume_append_node",
        "st_volume_change_owner", "st_volume_change_permissions", "st_volume_clear_data", "st_volume_create",
        "st_volume_decrease_redundancy", "st_volume_delete", "st_volume_enlarge", "st_volume_increase_redundancy",
        "st_volume_lock", "st_volume_move_node", "st_volume_remove_label", "st_volume_set_forced_red_level",
        "st_volume_set_io_status", "st_volume_set_ports", "st_volume_set_priority", "st_volume_set_shared",
        "st_volume_shrink", "st_volume_unlock",
    ),
    "remote volumes": ("remote_volume_add", "remote_volume_remove"),
    "storage nodes and devices": (
        "st_device_add", "st_device_clear_errors", "st_device_disable", "st_device_enable", "st_device_enlarge",
        "st_device_modify", "st_device_remove", "st_node_force_bg_recovery_limit_calibration", "st_node_restore",
        "st_node_resume", "st_node_set_bg_recovery", "st_node_set_bg_recovery_limit",
        "st_node_set_space_warn_threshold", "st_node_stop_restore", "st_node_suspend",
    ),
    "users and groups": (
        "group_create", "group_delete", "user_create", "user_delete", "user_modify", "user_passwd",
    ),
    "BucketFS": (
        "bucket_add", "bucket_delete", "bucket_modify", "bucketfs_add", "bucketfs_delete", "bucketfs_modify",
    ),
    "infrastructure": (
        "infra_db_scale", "infra_db_start", "infra_db_stop", "infra_firewall_update", "infra_instances_add",
        "infra_instances_remove", "infra_instances_start", "infra_instances_stop", "infra_instances_update",
        "infra_resources_update", "infra_worker_db_add", "infra_worker_db_remove",
    ),
    "system": (
        "affinity_reset", "cert_update", "debug_collect", "dlhc_config_add", "general_settings", "license_run_check",
        "license_upload", "log_collect", "monitoring_start", "monitoring_stop", "plugin_add", "plugin_remove",
        "update_system",
    ),
}  # fmt: skip

READING_PERHAPS = ("debug_collect", "license_run_check", "log_collect")
"""Jobs in CHANGING that a user may call reading, for the reasons at READING."""

WAITING = ("node_wait_offline", "node_wait_ready")
"""Jobs that only read, but take as long as the nodes need."""

READING_METHODS = (
    "job_desc", "job_finished", "job_help", "job_info", "job_list", "job_result", "job_wait", "system.listMethods",
    "system.methodHelp", "system.methodSignature",
)  # fmt: skip

_READING = frozenset(name for names in READING.values() for name in names)
_CHANGING = frozenset(name for names in CHANGING.values() for name in names)


def changes(job: str) -> Optional[bool]:
    """Whether a job changes something; None if no document says so."""
    if job in _READING:
        return False
    return True if job in _CHANGING else None

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unknown behaviour of ConfD (docs/sources): each a named setting with its default and meaning."""

from __future__ import annotations

from typing import Any

from ..common.settings import SETTINGS as SHARED, TIMING as SHARED_TIMING

_TIMES = (
    "boot", "shutdown", "storage_start", "database_start", "connect", "database_stop", "backup", "restore", "recovery",
    "move",
)  # fmt: skip

TIMING: dict[str, tuple[float, str]] = {
    **{name: SHARED_TIMING[name] for name in _TIMES},
    "api_stop": (5, "how long ConfD still answers on a node that shuts down"),
    "move": (20, "how long the cluster has no master after the old one went, or during a change of master"),
    "quorum_back": (60, "a suspension without a quorum until it is visible and counts"),
    "job_schedule": (0.05, "a job from submitted to scheduled"),
    "job_execute": (0.1, "a job from scheduled to executed"),
    "job_commit": (0.3, "a job that changes EXAConf from finished to committed"),
}

BEHAVIOUR: dict[str, tuple[Any, str]] = {
    "parameter_names": ("", "names and forms of the jobs' parameters: 6.2 or 8; '' follows the cluster's version"),
    "json_path": ("/json", "path of the JSON-RPC 2.0 endpoint; '' for none"),
    "master_answer": (
        "{host}",
        "the body of GET /master: {host} and {port} of the master's listener, {address} of node_list, {name}",
    ),
    "redirect_location": (
        "{url}/",
        "the Location of a 302: {url}, {host} and {port} of the master's listener, {address} of node_list, {path}",
    ),
    "is_master_status": (503, "the HTTP status of GET /is_master on a node that isn't the master"),
    "is_master_body": ("True", "the body of GET /is_master on the master"),
    "no_master": ("error", "an RPC while there is no master: error (503) or hang"),
    "quorum_lost": ("error", "an RPC while only a minority of the nodes is online: error (503), hang or answer"),
    "master_dies_job": ("fail", "jobs under way when the master is lost: fail or forget"),
    "node_add_state": ("", "an added node is offline or suspended; '' is offline with 6.2's names, else suspended"),
    "empty_lists": ("list", "an empty list within an output: list or nil"),
    "volume_id": ("text", "the volume id of db_info's usage: text or, as in 7.0.7, number"),
    "suspend_without_quorum": (True, "node_suspend is accepted while only a minority of the nodes is online"),
    "connectible_without_quorum": (True, "a database that ran when the quorum was lost still shows as connectible"),
    "suspended_counts": (False, "suspended nodes count as online for the majority"),
    "suspended_answers": (True, "a suspended node's ConfD still answers (with a redirect)"),
    "node_suspended_word": ("", "node_state of a suspended node; '' is deactivated with 6.2's names, else suspended"),
    "rpc_errors": ("result", "an unknown job, bad parameters or missing rights: an error result or a fault"),
    "unknown_parameter": ("refuse", "a parameter that the job doesn't have: refuse or ignore"),
    "check_types": (True, "a parameter of another type is refused"),
    "database_starting": ("startup", "db_state while a database starts; newer servers may say starting"),
    "database_stopping": ("shutdown", "db_state while a database stops; newer servers may say stopping"),
    "db_start_waits": (True, "db_start is finished only when the database runs"),
    "db_stop_waits": (True, "db_stop is finished only when the database is down"),
    "start_timeout": ("leave", "after the timeout of db_start: leave the database starting, or abort its start"),
    "restore_waits": (True, "db_restore is finished only when the database runs"),
    "auto_start": (True, "databases without an auto_start parameter start when the storage comes online (6.2: never)"),
    "database_stop_during_operation": SHARED["database_stop_during_operation"],
    "infra_on_hosts": ("refuse", "the infra jobs of a host deployment, except infra_overview_get: refuse or allow"),
    "infra_on_hosts_listed": (True, "job_list of a host deployment names the infra jobs"),
    "infra_waits": (True, "infra_instances_start and _stop are finished only when the nodes are online or off"),
    "node_wait_timeout": (600, "seconds that node_wait_ready and node_wait_offline wait without a parameter for it"),
    "expire_m_seconds": SHARED["expire_m_seconds"],
    "schedule_expire": ("seconds", "the expiry of a schedule as db_info shows it: seconds, or as given"),
    "job_wait_timeout": (60, "seconds that job_wait waits without a parameter for it"),
    "early_result": ("error", "job_result of a job that isn't done: error or wait"),
    "first_job": (1, "the number of a node's first job"),
    "job_history": (1000, "number of jobs remembered"),
    "backup_expiry_removal": SHARED["backup_expiry_removal"],
    "delete_backup_base": SHARED["delete_backup_base"],
    "volume_delete_under_data": SHARED["volume_delete_under_data"],
    "move_only_copy": SHARED["move_only_copy"],
    "unreachable_backups": SHARED["unreachable_backups"],
    "remote_restore": ("blocking", "restores from a remote archive volume: only blocking (documented), or any"),
    "dependencies_separator": SHARED["dependencies_separator"],
    "modify_schedule_offline": ("refuse", "db_backup_modify_schedule of a database that is down: refuse or allow"),
    "schedules_in_db_info": (True, "db_info shows the backup schedules, as config / backups"),
    "untold_methods": ("true", "subscribe, unsubscribe, user_init, user_login, user_state: true or fault"),
    "redundancy_type": SHARED["redundancy_type"],
    "degraded_state": SHARED["degraded_state"],
    "lost_state": SHARED["lost_state"],
    "storage_stopped": SHARED["storage_stopped"],
    "log_limit": SHARED["log_limit"],
    "seed": SHARED["seed"],
}

# refusals: code, name and text of the error result
REFUSALS: dict[str, tuple[str, str]] = {
    "failed": ("1 ERROR {text}", "any refusal of a node, the storage or a database"),
    "internal_error": ("1 ERROR internal error", "an error of the simulator itself; its log has the traceback"),
    "unknown_job": ("2 EUNKNOWN Job {name} does not exist", "an unknown job"),
    "unknown_parameter_text": ("3 EPARAM Job {job}: unknown parameter {name}", "see unknown_parameter"),
    "missing_parameter": ("3 EPARAM Job {job}: mandatory parameter {name} is missing", "a missing parameter"),
    "wrong_type": ("3 EPARAM Job {job}: parameter {name} must be of type {kind}", "see check_types"),
    "bad_value": ("3 EPARAM Parameter {name} can not be {value}", "an invalid value"),
    "permission": ("4 EPERM User {user} is not allowed to run job {job}", "no right to run a job"),
    "unknown_job_id": ("5 ENOENT Job {name} could not be found", "an unknown job id"),
    "not_finished": ("6 EAGAIN Job {name} is not finished yet", "see early_result"),
    "interrupted": ("7 EINTR Job was interrupted: the master node {name} is gone", "see master_dies_job"),
    "timed_out": ("8 ETIMEDOUT Database {name} is not running after {seconds} seconds", "see start_timeout"),
    "not_down": ("8 ETIMEDOUT {name} is not down after {seconds} seconds", "db_stop, infra_instances_stop"),
    "unknown_database": ("5 ENOENT Database {name} could not be found", "an unknown database"),
    "database_exists": ("9 EEXIST Database {name} exists already", "db_create"),
    "database_not_offline": ("10 ESTATE Database {name} is not offline", "a job that needs a stopped database"),
    "database_not_running": ("10 ESTATE Database {name} is not running", "a job that needs a running database"),
    "database_busy": ("10 EBUSY Database {name} is busy with operation {operation}", "a backup of a busy database"),
    "no_backup": ("10 ESTATE No backup of database {name} is running", "db_backup_abort"),
    "unknown_backup": ("5 ENOENT Backup {name} could not be found", "an unknown backup"),
    "unusable_backup": ("10 ESTATE Backup {name} is not usable", "db_restore"),
    "restore_remote": (
        "13 ENOTSUP Restore type {kind} is not supported for remote volume {name}",
        "a restore that isn't blocking, see remote_restore",
    ),
    "restore_expiring": (
        "10 ESTATE Backup {name} has an expiration date",
        "restore with virtual access of a backup that expires",
    ),
    "no_base": (
        "10 ESTATE Database {name} has no usable backup of a lower level on volume {volume}",
        "db_backup_start",
    ),
    "base_needed": ("10 EBUSY Backup {name} is needed by other backups", "see delete_backup_base"),
    "unknown_schedule": ("5 ENOENT Backup schedule {name} could not be found", "an unknown schedule"),
    "schedule_exists": ("9 EEXIST Backup schedule {name} exists already", "db_backup_add_schedule"),
    "unknown_volume": ("5 ENOENT Volume {name} could not be found", "a volume that isn't known"),
    "volume_exists": ("9 EEXIST Volume {name} exists already", "st_volume_create, remote_volume_add"),
    "volume_in_use": (
        "10 EBUSY Volume {name} is in use",
        "delete, shrink or clear of a volume that a database has open",
    ),
    "volume_locked": ("10 STE_LOCKED Volume {name} is locked", "work on a locked volume"),
    "volume_io": ("10 STE_AGAIN I/O of volume {name} is disabled", "work on a volume whose I/O is off"),
    "volume_unlocked": ("10 ESTATE Volume {name} is not locked", "st_volume_unlock"),
    "volume_offline": (
        "12 ESTATE Volume {name} is not online",
        "backup on a volume whose data isn't available, or a move of such a volume",
    ),
    "volume_space": ("11 ENOSPC Volume {name} can not be changed: {why}", "sizes and redundancies that don't fit"),
    "remote_problem": ("12 ECONN Remote volume {name} is not online", "a backup to a remote volume that isn't online"),
    "storage_offline": (
        "12 STE_MINORITY only minority of nodes are online",
        "work on volumes while the storage is down",
    ),
    "unknown_node": ("5 ENOENT Node {name} could not be found", "an unknown node"),
    "node_exists": ("9 EEXIST Node {name} exists already", "node_add"),
    "node_in_use": ("10 EBUSY Node {name} is used by {what}", "node_remove without force"),
    "node_suspended": ("10 ESTATE Node {name} is suspended", "node_remove, and suspending twice"),
    "node_not_suspended": ("10 ESTATE Node {name} is not suspended", "node_resume"),
    "node_not_online": ("10 ESTATE Node {name} is not online", "a call that needs an online node"),
    "no_deployment": ("13 ENOTSUP Job {job} is not supported on this deployment", "infra jobs that may not be used"),
    "unknown_user": ("5 ENOENT User {name} could not be found", "an unknown user"),
    "user_exists": ("9 EEXIST User {name} exists already", "user_create"),
    "unknown_group": ("5 ENOENT Group {name} could not be found", "an unknown group"),
    "last_administrator": ("10 EBUSY User {name} is the last one who may change users", "user_delete, user_modify"),
    "built_in_group": ("10 EBUSY Group {name} can not be deleted", "group_delete of a group that every cluster has"),
    "group_exists": ("9 EEXIST Group {name} exists already", "group_create"),
}

SETTINGS: dict[str, tuple[Any, str]] = {**BEHAVIOUR, **REFUSALS}

CHOICES = {
    "node_add_state": ("", "offline", "suspended"),
    "parameter_names": ("", "6.2", "8"),
    "no_master": ("error", "hang"),
    "quorum_lost": ("error", "hang", "answer"),
    "master_dies_job": ("fail", "forget"),
    "rpc_errors": ("result", "fault"),
    "unknown_parameter": ("refuse", "ignore"),
    "start_timeout": ("leave", "abort"),
    "infra_on_hosts": ("refuse", "allow"),
    "empty_lists": ("list", "nil"),
    "volume_id": ("text", "number"),
    "database_stop_during_operation": ("refuse", "allow"),
    "schedule_expire": ("seconds", "given"),
    "early_result": ("error", "wait"),
    "delete_backup_base": ("allow", "refuse"),
    "volume_delete_under_data": ("refuse", "allow"),
    "move_only_copy": ("refuse", "allow"),
    "unreachable_backups": ("unusable", "usable"),
    "modify_schedule_offline": ("refuse", "allow"),
    "remote_restore": ("blocking", "any"),
    "untold_methods": ("true", "fault"),
}

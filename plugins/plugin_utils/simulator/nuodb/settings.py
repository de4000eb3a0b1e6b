# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unknown behaviour of NuoDB, as named settings (docs/sources/nuodb.md, "What no source tells").

The setting of a refusal contains the HTTP status and the text; the names in braces are replaced.
"""

from __future__ import annotations

import re
from typing import Any

TIMING: dict[str, tuple[float, str]] = {
    "process_start": (1, "a process from REQUESTED over STARTED to an engine that is forked"),
    "archive_history": (1, "an archive's history from the request to its arrival"),
    "sm_start": (20, "the first SM of an incarnation from CONFIGURED to MONITORED:RUNNING"),
    "sync": (5, "a further SM from SYNCING to RUNNING"),
    "te_start": (5, "a TE from joining a running database to MONITORED:RUNNING"),
    "te_shutdown": (2, "a TE from REQUESTED_SHUTDOWN to its exit"),
    "sm_shutdown": (3, "an SM from REQUESTED_SHUTDOWN to its exit"),
    "kill": (0.2, "a process from its kill through the API to its exit"),
    "server_start": (5, "an AP from the start of its service to ACTIVE"),
    "server_shutdown": (1, "an AP from the request to the end of its service"),
    "election": (2, "how long the servers have no leader after the old one went"),
    "hotcopy": (20, "a hot copy, all its stages"),
    "pod_restart": (2, "a pod from the exit of its process to its next start; see kubernetes"),
    "storage_group": (1, "how long it takes to add a storage group to an archive, or to remove it"),
}

BEHAVIOUR: dict[str, tuple[Any, str]] = {
    "offline_group_exit": (
        1,
        "exit code of an SM that would join a database with running TEs while its storage group is offline",
    ),
    "leaderAssignmentTimeout": (
        10000,
        "milliseconds (of cluster time) that an SM waits for archive histories and a TE for an entry node",
    ),
    "entry_timeout_during_sm_start": (False, "the time-out for the entry node also runs while the first SM starts"),
    "removed_archives_awaited": (True, "leader assignment also waits for a removed archive that isn't purged"),
    "tombstone_incarnation": ("after", "a tombstone has the incarnation after or before the exit was counted"),
    "recreated_incarnation": ("continue", "a tombstoned name that is created again: continue or reset"),
    "restored_archive": (
        "NOT_RUNNING",
        "state of an archive that is created with restored=true: NOT_RUNNING or PROVISIONED",
    ),
    "start_on_stopped_server": ("accept", "a start requested on a server that isn't connected: accept or refuse"),
    "start_while_stopping": ("refuse", "a start requested while the database shuts down: refuse or accept"),
    "shutdown_repeated": ("accept", "another shutdown of a database that is already shutting down: accept or refuse"),
    "cancelled_tombstone": (True, "a process that is cancelled while it is REQUESTED leaves a tombstone"),
    "delete_last_archive": ("refuse", "the deletion of the last archive of a database: refuse or allow"),
    "delete_used_storage_group": ("allow", "the deletion of a storage group that archives have: allow or refuse"),
    "archive_path": (
        "given",
        "the path of an archive as the API returns it: as given, or bare (without lsa: or file: before it)",
    ),
    "incremental_needs_full": (True, "an incremental or journal hot copy needs a full one in its backup set"),
    "hotcopy_told_by": (
        "every",
        "the SMs that report a hot copy of several archives: every one that takes part, or only its coordinator",
    ),
    "database_versions": ("1769472=7.0,1835008=8.0", "version ids and names of databases, the one in use first"),
    "simple_hotcopy_path": (
        "incomplete",
        "the directory that a simple hot copy reports while it is made: incomplete (with that ending) or given",
    ),
    "release_versions": (
        "",
        "the newest of database_versions that a release of the software knows, as 4.1.3-2=1376256; one that isn't "
        "named knows all",
    ),
    "versions_call": (True, "the server returns the versions of a database; if false, it is too old and answers 404"),
    "several_sms_unlicensed": (
        "refuse",
        "a second SM of a database if the license is not of type ENTERPRISE: refuse or allow",
    ),
    "delete_running_archive": ("refuse", "the deletion of an archive whose SM runs: refuse or allow"),
    "recovery_progress": (False, "an SM that recovers its archive reports its progress"),
    "awaiting_histories": (
        "STARTED",
        "durable state of SMs whose histories are awaited: STARTED (as in NuoDB 4.0) or TRACKED (as in newer versions)",
    ),
    "node_id_is_start_id": (False, "the node id is the start id and known from the request on (since protocol 7.0)"),
    "unjoined_tells_shutdown": (
        False,
        "a process that gets a shutdown request before it has joined becomes SHUTTING_DOWN",
    ),
    "engines_survive_server": (True, "engines keep running when their AP is gone"),
    "no_leader": ("error", "a call that changes something, to a server that knows no leader: error or hang"),
    "shutdown_without_leader": (
        "accept",
        "a server that knows no leader is asked to shut itself down: accept or refuse",
    ),
    "start_id_order": ("number", "start ids are sorted as number or as text"),
    "multi_field_order": (True, "the server sorts by several fields"),
    "filter_match": ("full", "a filter's regular expression matches the full value or a part of it"),
    "glob_matches_parent": (True, "an authorized url /x/* also allows /x"),
    "unauthorized_body": ("json", "the body of a 401: json, html or empty"),
    "error_form": ("messages", "errors contain code and messages, or (message) code and message"),
    "empty_status": (200, "the HTTP status of an answer without a body: 200 or 204"),
    "max_limit": (100, "the most rows per page"),
    "kubernetes": (
        False,
        "Kubernetes manages the domain: its pods restart APs and external processes when they exit",
    ),
    "start_of_external_archive": ("refuse", "POST processes for an archive without a host: refuse or accept"),
    "license_type": ("Enterprise", "the domain's license as diagnostics/log returns it"),
    "seed": (0, "seed of the random numbers for the faults' probability"),
}

REFUSALS: dict[str, tuple[Any, str]] = {
    "unauthorized": ("401 Authentication required", "no or wrong credentials"),
    "forbidden": ("403 User {user} is not authorized to {method} {path}", "the user's roles don't allow it"),
    "no_route": ("404 HTTP 404 Not Found", "a path that the server doesn't have"),
    "no_method": ("405 HTTP 405 Method Not Allowed", "a path that doesn't take the method"),
    "bad_body": ("400 Unable to parse the request body", "a body that isn't JSON, or no mapping"),
    "missing_field": ("400 Missing required field: {name}", "a missing field"),
    "bad_value": ("400 Invalid value for {name}: {value}", "an invalid value"),
    "no_leader_text": (
        "503 No leader available to process the request",
        "a call that changes something, without a leader",
    ),
    "request_timeout": ("408 Request timed out", "a call that changes something and hung because there was no leader"),
    "unknown_server": ("404 Server not found: serverId={name}", "an unknown server"),
    "server_not_connected": ("409 Server is not connected: serverId={name}", "see start_on_stopped_server"),
    "unknown_database": ("404 Database not found: dbName={name}", "an unknown database"),
    "database_exists": ("409 Database already exists: dbName={name}", "create database"),
    "database_running": ("409 Database is running: dbName={name}", "delete of a database that isn't NOT_RUNNING"),
    "database_not_running": ("409 Database is not running: dbName={name}", "shutdown of a database that is down"),
    "database_stopping": ("409 Database is shutting down: dbName={name}", "see start_while_stopping"),
    "capture_not_running": ("409 Database is not in the RUNNING state: dbName={name}", "capture with checkState"),
    "unknown_archive": ("404 Archive not found: archiveId={name}", "an unknown archive"),
    "archive_in_use": ("409 Archive already has a process: archiveId={name}, startId={start_id}", "start process"),
    "archive_mismatch": ("400 Archive does not belong to the request: archiveId={name}", "start process"),
    "archive_external": ("400 Archive has no host: archiveId={name}", "see start_of_external_archive"),
    "archive_exists": ("409 Archive already exists: archiveId={name}", "same server and path, or not a removed one"),
    "archive_running": ("409 Archive is running: archiveId={name}", "delete of an archive whose SM runs"),
    "last_archive": ("409 Archive is the last one of the database: archiveId={name}", "see delete_last_archive"),
    "unknown_process": ("404 Process not found: startId={name}", "a start id that never was"),
    "process_exited": ("404 Process has exited: startId={name}", "a start id of the past; the tombstone is added"),
    "wrong_incarnation": (
        "409 Unexpected incarnation for database {name}: expected={expected}, actual={actual}",
        "start process",
    ),
    "license_sm": ("403 License does not allow several SMs: type={name}", "see several_sms_unlicensed"),
    "unknown_storage_group": ("404 Storage group not found: sgName={name}", "an unknown storage group"),
    "storage_group_in_use": ("409 Storage group is served by archives: sgName={name}", "delete storage-group"),
    "storage_group_not_ready": ("409 Archive has no running SM: archiveId={name}", "storage group of an archive"),
    "hotcopy_no_location": (
        "400 Failure while performing hot-copy: No archives specified for hot-copy and no default backup location",
        "hotcopy",
    ),
    "hotcopy_no_sm": (
        "409 Failure while performing hot-copy: No RUNNING SMs found for database dbName={name}",
        "hotcopy",
    ),
    "hotcopy_busy": (
        "409 Failure while performing hot-copy: Error while sending engine request: "
        "Only one full hot copy at a time allowed",
        "hotcopy",
    ),
    "hotcopy_no_full": (
        "409 Failure while performing hot-copy: Error while sending engine request: "
        "No completed full hot copy in backup set {name}",
        "an incremental hot copy into a backup set without a completed full one",
    ),
    "hotcopy_no_base": (
        "409 Failure while performing hot-copy: Error while sending engine request: "
        "Full or incremental hot copy must be completed before journal hot copy",
        "a journal hot copy into a backup set without a completed full one",
    ),
    "hotcopy_partial": (
        "409 Failure while performing hot-copy: Storage groups are not covered: {name}",
        "hotcopy of archives that don't hold all storage groups",
    ),
    "unknown_hotcopy": ("404 Hot copy not found: hotCopyId={name}", "hotcopy-status, cancel"),
    "kv_conflict": ("409 Unexpected current value for key: {name}", "set value"),
    "user_exists": ("409 User already exists: name={name}", "create user"),
    "role_exists": ("409 Role already exists: name={name}", "create role"),
    "unknown_certificate": ("404 Trusted certificate not found: alias={name}", "remove trusted-certificate"),
    "unknown_user": ("404 User not found: name={name}", "users"),
    "unknown_role": ("404 Role not found: name={name}", "roles"),
    "role_in_use": ("409 Role is in use: name={name}", "delete role"),
    "unknown_policy": ("404 Load balancer policy not found: policyName={name}", "load balancers"),
    "unknown_region": ("404 Region not found: id={name}", "regions"),
    "region_exists": ("409 Region already exists: name={name}", "regions"),
    "region_in_use": ("409 Region is in use: id={name}", "regions"),
    "no_kubernetes": ("404 Not running under Kubernetes", "diagnostics/kube outside Kubernetes"),
    "bad_license": ("400 Unable to decode license", "set license"),
    "bad_version": ("400 Version is not available: {name}", "upgrade database-version"),
    "wrong_storage_password": ("400 Current storage password is not correct", "data encryption"),
    "order_by": ("400 Unable to get all fields to order by", "see multi_field_order"),
}

SETTINGS = {**BEHAVIOUR, **REFUSALS}

_REFUSAL = re.compile(r"^[45]\d\d \S")

CHOICES = {
    "tombstone_incarnation": ("after", "before"),
    "recreated_incarnation": ("continue", "reset"),
    "restored_archive": ("NOT_RUNNING", "PROVISIONED"),
    "start_on_stopped_server": ("accept", "refuse"),
    "start_while_stopping": ("refuse", "accept"),
    "awaiting_histories": ("STARTED", "TRACKED"),
    "start_of_external_archive": ("refuse", "accept"),
    "shutdown_repeated": ("accept", "refuse"),
    "simple_hotcopy_path": ("incomplete", "given"),
    "several_sms_unlicensed": ("refuse", "allow"),
    "delete_last_archive": ("refuse", "allow"),
    "delete_running_archive": ("refuse", "allow"),
    "delete_used_storage_group": ("refuse", "allow"),
    "archive_path": ("given", "bare"),
    "hotcopy_told_by": ("every", "coordinator"),
    "no_leader": ("error", "hang"),
    "shutdown_without_leader": ("accept", "refuse"),
    "start_id_order": ("number", "text"),
    "filter_match": ("full", "part"),
    "unauthorized_body": ("json", "html", "empty"),
    "error_form": ("messages", "message"),
    "empty_status": (200, 204),
}


def wrong(settings: dict[str, Any]) -> str | None:
    """The first setting whose value can't be understood."""
    for name, choices in CHOICES.items():
        if settings[name] not in choices:
            return f"{name} must be one of {', '.join(map(str, choices))}, not {settings[name]!r}"
    for name in REFUSALS:
        if not _REFUSAL.match(str(settings[name])):
            return f"{name} must be an HTTP status from 400 on and a text, unlike {settings[name]!r}"
    return None

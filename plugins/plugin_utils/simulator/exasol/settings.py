# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no source tells of Exasol for certain: each a named setting with its default and meaning."""

from __future__ import annotations

from typing import Any

TIMING: dict[str, tuple[float, str]] = {
    "boot": (300, "a node from power-on to online"),
    "shutdown": (60, "a machine from the request to switched off"),
    "api": (30, "a license server from power-on to an EXAoperation that answers"),
    "api_stop": (5, "EXAoperation still answers so long on a machine that shuts down"),
    "move": (60, "EXAoperation moves to another machine"),
    "storage_start": (60, "EXAStorage from the call to all services OK"),
    "storage_stop": (30, "EXAStorage from the call to 'not running'"),
    "database_start": (120, "a database from the call to 'running'"),
    "connect": (20, "a running database until it is connectible"),
    "database_stop": (60, "a database from the call to 'setup'"),
    "backup": (120, "a backup"),
    "plugin": (1, "a plugin's service until its STATUS says that it runs"),
}

SETTINGS: dict[str, tuple[Any, str]] = {
    "database_starting": ("startup", "getDatabaseState while a database starts"),
    "database_stopping": ("shutdown", "getDatabaseState while a database stops"),
    "running_in_startup": (True, "runningDatabase while a database starts (while it stops it is always true)"),
    "storage_start_blocks": (True, "startEXAStorage answers only when the service is up"),
    "storage_stop_blocks": (False, "stopEXAStorage answers only when the service is down"),
    "storage_stop_returns": ("OK", "what stopEXAStorage returns: 'OK' or null"),
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
    "node_booting": ("Booting", "getNodeState of a node that boots; 'fault' makes the call fail meanwhile"),
    "node_stopping": ("Shutting down", "getNodeState of a node that shuts down"),
    "node_suspended": ("Suspended", "getNodeState of a node whose cluster services are stopped"),
    "hardware_offline": (
        "No inventory: {node} does not answer.",
        "getHardwareInformation of a node that isn't online; 'fault' makes the call fail",
    ),
    "forbidden": ("fault", "the answer to a role that may not do it: fault, usage_error or 401"),
    "exaoperation_moves": (True, "EXAoperation moves when its machine shuts down and another one can hold it"),
    "exaoperation_returns": (False, "EXAoperation goes back to the first license server when that comes up"),
    "suite_version_call": (True, "the server has getEXASuiteVersion"),
    "log_limit": (5000, "log entries kept"),
    "seed": (0, "seed of the faults' draw of lots"),
}

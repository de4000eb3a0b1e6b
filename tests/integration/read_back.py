# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second reader of what modules did: pynuoadmin, the vendor's own library, in the words of the modules.

As a program it prints the domain that nuocmd's own environment variables name, as JSON.
"""

from __future__ import annotations

import json
import os

from pynuoadmin.nuodb_mgmt import AdminConnection


def domain_of(admin):
    """The domain as pynuoadmin reads it, in the words of the modules."""
    databases = [row for row in admin.get_databases() if row.state != "TOMBSTONE"]
    return {
        "servers": {
            row.id: {"server_id": row.id, "address": row.address, "connected": row.connected_state}
            for row in admin.get_servers()
        },
        "databases": {
            row.name: {
                "db_name": row.name,
                "state": row.state,
                "incarnation": [row.get("incarnation")["major"], row.get("incarnation")["minor"]],
            }
            for row in databases
        },
        "archives": {
            str(row.id): {
                "archive_id": int(row.id),
                "db_name": row.db_name,
                "server_id": row.server_id,
                "archive_path": row.archive_path,
                "state": row.state,
            }
            for row in admin.get_archives()
        },
        "processes": {
            row.start_id: {
                "start_id": row.start_id,
                "db_name": row.db_name,
                "engine_type": row.engine_type,
                "server_id": row.server_id,
                "durable_state": row.durable_state,
                "engine_state": row.engine_state,
                "node_id": row.get("nodeId"),
                "pid": row.get("pid"),
            }
            for row in admin.get_processes()
        },
        "tombstones": {
            row["process"]["startId"]: {"exit_code": row.get("exitCode"), "reason": row["reason"]}
            for row in admin.get_exited_processes()
        },
        "storage_groups": {
            row.name: {
                "db_name": database.name,
                "archives": {str(key): state for key, state in row.archive_states.items()},
            }
            for database in databases
            for row in admin.get_storage_groups(database.name)
        },
        "hotcopies": {
            row.id: row.status
            for database in databases
            for rows in admin.get_hotcopy_statuses(database.name).hotcopy_statuses.values()
            for row in rows
        },
    }


if __name__ == "__main__":
    user, _colon, password = os.environ["NUOCMD_BASIC_CREDS"].partition(":")
    server, ca_path = os.environ["NUOCMD_API_SERVER"], os.environ["NUOCMD_VERIFY_SERVER"]
    print(json.dumps(domain_of(AdminConnection(server, verify=ca_path, basic_creds=(user, password)))))

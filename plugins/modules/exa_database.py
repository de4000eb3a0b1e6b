#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_database
short_description: Start, stop or restart the databases of an Exasol cluster
version_added: 0.1.0
description:
  - Starts databases and waits until each accepts connections, or stops them and waits until each is in state C(setup).
  - All are fired together and then awaited together. A database that is starting or stopping already is joined.
options:
  databases:
    description:
      - The databases by name, or V(all).
    type: list
    elements: str
    required: true
  state:
    description:
      - What the databases should be. V(started) is refused unless every cluster service is C(OK); nothing overrides
        that.
      - A database that is found starting is started, not restarted, by V(restarted).
    type: str
    choices: [started, stopped, restarted]
    default: started
  on_operation:
    description:
      - What to do about a database that has an operation running (a backup, a restore) and should stop.
      - V(refuse) changes nothing. V(wait) waits for its end, within O(wait_timeout). V(abort_backup) aborts it if it
        is a backup.
    type: str
    choices: [refuse, wait, abort_backup]
    default: refuse
  force:
    description:
      - Stop with C(forceShutdownDatabase), whatever the database is doing. Sessions are cut and running operations
        are lost.
    type: bool
    default: false
  log_service:
    description:
      - A log service (C(logservice1)) whose messages about the databases are shown while waiting.
    type: str
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: All databases accept connections
  dbfleet.cluster.exa_database:
    databases: [all]
    state: started

- name: DB1 is stopped, after its backup
  dbfleet.cluster.exa_database:
    databases: [DB1]
    state: stopped
    on_operation: wait
    wait_timeout: 7200
"""

RETURN = r"""
databases:
  description: The databases at the end. Under check mode, as predicted.
  returned: success
  type: dict
  sample:
    DB1: {state: running, connectible: "Yes", operation: "None", connection_string: "10.50.1.11..14:2568"}
predicted:
  description: What the databases are after this task, or would be; for O(assume) of later tasks.
  returned: success
  type: dict
  sample: {databases: {DB1: {state: running, connectible: "Yes", operation: "None", connection_string: ""}}}
joined:
  description: Whether something was under way that was waited for, begun by this task or before it.
  returned: always
  type: bool
  sample: false
steps:
  description: What was done, or would be.
  returned: always
  type: list
  elements: dict
  sample: [{object: DB1, step: startDatabase, from: setup, to: connectable, seconds: 95.1}]
api_calls:
  description: How many calls were made.
  returned: always
  type: int
  sample: 12
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases import Databases
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.log import Log
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes import chosen
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "databases": {"type": "list", "elements": "str", "required": True},
        "state": {"type": "str", "choices": ["started", "stopped", "restarted"], "default": "started"},
        "on_operation": {"type": "str", "choices": ["refuse", "wait", "abort_backup"], "default": "refuse"},
        "force": {"type": "bool", "default": False},
        "log_service": {"type": "str"},
    },
    waits=True,
)


def run(task):
    """Databases as they should be."""
    given = task.params
    steps = given["state"] == "restarted" or (given["state"] == "stopped" and given["on_operation"] != "refuse")
    if steps and not given["wait"]:
        raise ClusterError(f"{given['cluster_name']}: wait=false would leave a {given['state']} database half way")
    cluster = options.connect(task)
    view = options.seen(task, cluster)
    names = chosen(view, given["databases"], view.databases(), "database")
    log = Log(cluster, given["log_service"]) if given["log_service"] and not task.check_mode else None
    stage = Databases(view, given["on_operation"], given["force"], log).stage(names, given["state"])
    result = options.bring(task, cluster, [stage])
    databases = {name: database.as_dict() for name, database in result.pop("states").items()}
    for name, database in databases.items():
        if database["connection_string"] and result["changed"] and not task.check_mode:
            task.say(f"[{cluster.name}] databases: {name} accepts connections at {database['connection_string']}")
    return {**result, "databases": databases, "predicted": {"databases": databases}}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

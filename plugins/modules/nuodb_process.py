#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_process
short_description: Start, shut down, kill and evict single SMs and TEs of NuoDB databases
version_added: 1.0.0
description:
  - With O(state=running), starts the SM of an archive or a number of TEs on a server. To start or stop whole databases
    use M(dbfleet.cluster.nuodb_database).
  - With O(state=stopped), requests the shutdown of processes. Their tombstones must prove that they stopped gracefully.
    A process that hasn't joined its database has served nothing and needs no such proof.
  - With O(state=killed), kills processes (C(kill -9)). With O(state=evicted), removes processes from the domain's
    state; use this for processes that were lost with their machine.
options:
  processes:
    description:
      - The processes. Each entry names a start ID, an archive, or a database.
    type: list
    elements: dict
    required: true
    suboptions:
      start_id:
        description: The start ID of a process.
        type: str
      archive_id:
        description: The ID of an archive, to select its SM.
        type: int
      db_name:
        description: A database, to select its processes.
        type: str
      engine_type:
        description: With RV(ignore:db_name), only processes of this type.
        type: str
        choices: [SM, TE]
      server_id:
        description: With RV(ignore:db_name), only processes on this server.
        type: str
      count:
        description: With O(state=running), the number of TEs that the database should have there. The default is V(1).
        type: int
  state:
    description:
      - The state that the processes should have.
    type: str
    choices: [running, stopped, killed, evicted]
    default: running
  exact:
    description:
      - With O(state=running), whether to shut down TEs if there are more than C(count), the newest first.
    type: bool
    default: false
  allow_partial:
    description:
      - With O(state=running), allow to request processes of a database that is down, although the SMs of some of its
        archives are not requested, or it has no archive. The processes wait for the others and time out.
    type: bool
    default: false
  allow_non_durable:
    description:
      - Allow to stop the last SM of a running database. The database becomes non-durable and loses all of its TEs.
    type: bool
    default: false
  evict_alive:
    description:
      - With O(state=evicted), allow to evict a process although it answers.
    type: bool
    default: false
  allow_offline_group:
    description:
      - Allow to stop the last SM of a storage group although TEs run. The data of the group can't be read then, and its
        SMs can come back only after all TEs of the database have stopped.
    type: bool
    default: false
  allow_restart:
    description:
      - With O(state=stopped) and O(state=killed), allow to stop a process although something outside the domain starts
        it again, as Kubernetes' pods do. The process is then restarted, and the task waits until its replacement runs.
        To stop such a process permanently, scale down its StatefulSet or Deployment.
    type: bool
    default: false
extends_documentation_fragment:
  - dbfleet.cluster.nuodb
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Run exactly two TEs of test on server1
  dbfleet.cluster.nuodb_process:
    processes:
      - db_name: test
        engine_type: TE
        server_id: server1
        count: 2
    exact: true

- name: Stop the SM of archive 3, to check its disk
  dbfleet.cluster.nuodb_process:
    processes:
      - archive_id: 3
    state: stopped

- name: Restart the SM of archive 3, which a pod of Kubernetes starts again
  dbfleet.cluster.nuodb_process:
    processes:
      - archive_id: 3
    state: stopped
    allow_restart: true

- name: Evict all processes of server7, whose machine is lost
  dbfleet.cluster.nuodb_process:
    processes:
      - db_name: test
        server_id: server7
    state: evicted
"""

RETURN = r"""
processes:
  description: The selected processes in their last state, by start ID, without those that have ended.
  returned: success
  type: dict
joined:
  description:
    - Whether an operation was already under way when the task began. The task waits for it as if it had started it
      itself. V(false) in check mode.
  returned: success
  type: bool
steps:
  description:
    - The steps that the task made, or would make in check mode. Each step has its C(object), its name in C(step), the
      state C(from) which it starts, and the state C(to) which it leads. C(seconds) is its duration, V(0) if that isn't
      known.
    - A step that the server refused, or that was never sent, has C(refused) and is no change.
  returned: always
  type: list
  elements: dict
  sample: [{object: "test:TE@server1/4", step: shutdown, from: "MONITORED:RUNNING", to: gone, seconds: 2.1}]
predicted:
  description:
    - The databases, archives and processes after this task (in check mode, as predicted), for O(assume) of later tasks.
  returned: success
  type: dict
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 11
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import license, options
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import SM, TE
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases import start
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.processes import end, selection
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

ENTRY = {
    "start_id": {"type": "str"},
    "archive_id": {"type": "int"},
    "db_name": {"type": "str"},
    "engine_type": {"type": "str", "choices": [SM, TE]},
    "server_id": {"type": "str"},
    "count": {"type": "int"},
}

SPEC = options.spec(
    {
        "processes": {"type": "list", "elements": "dict", "required": True, "options": ENTRY},
        "state": {"type": "str", "choices": ["running", "stopped", "killed", "evicted"], "default": "running"},
        "exact": {"type": "bool", "default": False},
        "allow_partial": {"type": "bool", "default": False},
        "allow_non_durable": {"type": "bool", "default": False},
        "evict_alive": {"type": "bool", "default": False},
        "allow_restart": {"type": "bool", "default": False},
        "allow_offline_group": {"type": "bool", "default": False},
    },
    waits=True,
)


def run(task):
    """Brings the processes to the wanted state."""
    given, view = task.params, options.view_of(task, connect(task))
    meant, snapshot = selection.entries(view.name, given["processes"], given["state"]), view.look()
    if given["state"] == "running":
        slots = selection.slots(view, snapshot, meant, given["allow_partial"])
        gone = selection.surplus(snapshot, meant) if given["exact"] else []
        license.warn_of_second_sm(task, view.domain, selection.redundant(snapshot, slots))
        stages = start.start_of_slots(view, snapshot, slots).stages(given["wait"])
    else:
        slots, gone, stages = [], selection.chosen(view, snapshot, meant), []
    kind = "stopped" if given["state"] == "running" else given["state"]
    allowed = [given[name] for name in ("allow_non_durable", "evict_alive", "allow_restart", "allow_offline_group")]
    leaving = end.EndProcesses(view, gone, kind, *allowed)
    result = bring(task, view.domain, [*stages, *(leaving.stages() if gone else [])])
    after = view.look(*options.CHANGING)
    if task.check_mode:
        after = end.without(start.predicted(snapshot, slots), leaving.lost)
    after_all = options.told(result, after, list(snapshot.databases), view)
    mine = {key: one for key, one in after.processes.items() if any(entry.is_for(one) for entry in meant)}
    return {**after_all, "processes": {key: after_all["processes"][key] for key in mine}}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

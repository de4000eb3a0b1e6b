#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_rolling_restart
short_description: Restart the processes of NuoDB databases one by one, while the databases run
version_added: 1.0.0
description:
  - With O(state=planned), shows the processes to restart and their order, and fails with every problem that prevents
    the restart of any of them. It changes nothing.
  - With O(state=restarted), shuts one process down gracefully and starts it again at its place. The task ends when the
    process is C(MONITORED:RUNNING), for an SM also in sync, and fails unless the whole database is then healthy.
  - With O(state=done), fails unless every process was restarted and the databases are healthy, and removes the mark in
    the key-value store.
  - The processes of a database are restarted from the highest start ID to the lowest.
  - O(state=planned) and O(state=restarted) are refused in these cases. A server, an SM or a TE is missing or out of
    sync. A database has no other running SM or no other running TE. A storage group is on no other archive that runs. A
    hot copy runs. Only the named databases are checked.
  - The API doesn't show when a process began. Before the first process is shut down, the task stores a mark in the
    key-value store of the domain, at C(dbfleet.cluster/rolling_restart/<database>). The mark contains the highest start
    ID of the database and the next process. So a run after a killed one restarts only the processes that have not been
    restarted, and starts the one that was shut down. The mark is invalid after the whole database was started again.
  - A process is started with its earlier labels and options, as the domain's capture shows them, and with those of its
    database. If several TEs of a database run on one server, and nothing shows which of them has which options, the
    task is refused.
options:
  databases:
    description:
      - The databases to restart, as O(dbfleet.cluster.nuodb_database#module:databases).
    type: list
    elements: raw
    required: true
  state:
    description:
      - What to do.
    type: str
    choices: [planned, restarted, done]
    required: true
  process:
    description:
      - With O(state=restarted), one element of the RV(plan) that O(state=planned) returned.
    type: dict
  up_to:
    description:
      - Processes with a higher start ID aren't restarted, because they were started later. With this option, the task
        doesn't use the key-value store, so first start any process that an earlier run has shut down.
    type: int
  unfinished:
    description:
      - What to do if an earlier run did not complete. V(resume) continues it; V(anew) restarts all processes again,
        also those that the earlier run has restarted.
    type: str
    choices: [resume, anew]
    default: resume
  ignore_archives:
    description:
      - Archives (by ID) that stay down.
    type: list
    elements: int
    default: []
  allow_last_te:
    description:
      - Allow the restart of the only TE of a database, so that nobody can use the database meanwhile.
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
- name: Plan the restart
  dbfleet.cluster.nuodb_rolling_restart:
    databases: [shop]
    state: planned
  register: example_plan

- name: Restart one process after another
  dbfleet.cluster.nuodb_rolling_restart:
    databases: [shop]
    state: restarted
    process: "{{ item }}"
    wait_timeout: 7200
  loop: "{{ example_plan.plan }}"
  loop_control:
    label: "{{ item.name }}"

- name: Check that all are restarted and the database is healthy
  dbfleet.cluster.nuodb_rolling_restart:
    databases: [shop]
    state: done
"""

RETURN = r"""
plan:
  description:
    - The remaining processes, in their order. With O(state=restarted), the restarted process.
    - C(start_id) is null for a process that an earlier run has shut down. You can use C(process) as an entry of
      O(dbfleet.cluster.nuodb_process#module:processes). C(up_to) is the highest start ID at the beginning.
  returned: success
  type: list
  elements: dict
  sample:
    - name: "shop:TE@server1/5"
      db_name: shop
      start_id: "5"
      process: {db_name: shop, engine_type: TE, server_id: server1, count: 1}
      up_to: 5
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
  sample: [{object: "shop:TE@server1/5", step: shutdown, from: MONITORED:RUNNING, to: gone, seconds: 2.1}]
predicted:
  description:
    - The databases, archives and processes after this task (in check mode, as predicted), for O(assume) of later tasks.
  returned: success
  type: dict
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 12
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import options, rolling_restart
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "databases": {"type": "list", "elements": "raw", "required": True},
        "state": {"type": "str", "choices": ["planned", "restarted", "done"], "required": True},
        "process": {"type": "dict"},
        "up_to": {"type": "int"},
        "unfinished": {"type": "str", "choices": ["resume", "anew"], "default": "resume"},
        "ignore_archives": {"type": "list", "elements": "int", "default": []},
        "allow_last_te": {"type": "bool", "default": False},
    },
    waits=True,
    required_if=[("state", "restarted", ["process"])],
)


def run(task):
    """Plans a rolling restart, restarts one process, or checks that all were restarted."""
    given, view = task.params, options.view_of(task, connect(task))
    if not given["wait"]:
        raise ClusterError(f"{view.name}: a rolling restart waits for each process: don't set wait=false")
    return {"planned": _planned, "restarted": _restarted, "done": _done}[given["state"]](task, view)


def _restart(task, view):
    given = task.params
    choice = rolling_restart.RestartChoice(
        given["databases"],
        given["up_to"],
        given["unfinished"] == "anew" and given["state"] == "planned",
        tuple(given["ignore_archives"]),
        given["allow_last_te"],
    )
    return rolling_restart.RollingRestart(view, choice)


def _told(view, result, rows, after):
    found = options.told(result, after, [], view)
    kept = {key: found[key] for key in found if key not in options.CHANGING}
    return {**kept, "plan": [row.as_dict() for row in rows]}


def _nothing():
    return {"changed": False, "joined": False, "steps": []}


def _planned(task, view):
    work = _restart(task, view)
    rows = work.rows()
    work.refuse(rows)
    for row in rows:
        work.checked(row)
    task.say(*work.told(rows))
    return _told(view, _nothing(), rows, work.seen)


def _row(task, view):
    try:
        return rolling_restart.Row.of(task.params["process"])
    except (KeyError, TypeError, ValueError):
        raise ClusterError(f"{view.name}: process is not an element of the plan that state=planned returned") from None


def _restarted(task, view):
    row, work, results = _row(task, view), _restart(task, view), []
    row = work.checked(row)
    if row.start_id is not None:
        work.refuse([row])
        if not task.check_mode:
            work.keep(row)
        results.append(bring(task, view.domain, work.leaving(row)))
    before = work.without(row) if task.check_mode else view.look()
    results.append(bring(task, view.domain, work.coming(row, before)))
    after = work.seen
    if not task.check_mode:
        after_all = _restart(task, view)
        after_all.fail_unless_well(f"{row.name} is back")
        after = after_all.seen
    whole = {
        **results[-1],
        "changed": any(result["changed"] for result in results),
        "joined": any(result["joined"] for result in results),
        "steps": [step for result in results for step in result["steps"]],
    }
    return _told(view, whole, [row], after)


def _done(task, view):
    work = _restart(task, view)
    if not task.check_mode:
        work.fail_unless_done()
        work.end()
    return _told(view, _nothing(), [], work.seen)


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

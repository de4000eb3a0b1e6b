#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_database
short_description: Start, shut down, create and delete NuoDB databases
version_added: 1.0.0
description:
  - With O(state=running), starts the SMs of all archives of each database, and the TEs that it should have. The SMs are
    requested together, by the domain's own start plan and for the expected incarnation. If a start is already under
    way, the task waits for it.
  - TEs are requested when an SM of each storage group that is being started has joined.
  - With O(state=stopped), shuts the databases down, TEs first. The tombstones of the processes must prove that each
    process stopped gracefully.
  - If a process exits during the wait, the task ends at once, with the reason and exit code of the process. If an SM
    recovers its journal, the task shows the progress, and waits as long as the recovery advances.
  - If something outside the domain starts a database, as Kubernetes' pods do, the task refuses to stop or start its
    processes. Scale its StatefulSets and Deployments instead.
options:
  databases:
    description:
      - The databases, by name; V(all) means all existing databases.
      - Instead of a name, give a mapping with C(name) and one of C(te_server_ids) (server IDs, one per TE), C(te_count)
        (the number of TEs, placed on the servers with the fewest) or C(start_plan) (a file on the
        controller that C(nuocmd get startplan) wrote, or its content).
      - If the TEs aren't given, the TEs of the last incarnation in which the database ran are started, as its
        tombstones show them. An incarnation that ended without a TE doesn't count. If the tombstones don't show the
        TEs, the start is refused. If that incarnation had one TE fewer than the one before, and nobody shut that TE
        down while it ran, a warning names its server (see O(require_known_tes)).
    type: list
    elements: raw
    required: true
  state:
    description:
      - The state that the databases should have. V(present) and V(absent) create and delete the database object, and
        start nothing.
    type: str
    choices: [running, stopped, present, absent]
    default: running
  engine_types:
    description:
      - With O(state=running), the types of processes to start and to wait for.
    type: list
    elements: str
    choices: [SM, TE]
    default: [SM, TE]
  te_early:
    description:
      - With O(engine_types=SM), the TEs of a database are also requested as soon as one of its SMs runs. The task
        doesn't wait for them, so that one slow database doesn't delay the others.
    type: bool
    default: false
  ignore_archives:
    description:
      - With O(state=running), archives (by ID) that stay down while their database runs, or that were never used. A
        database that is down starts only with all archives that have data. If an archive is permanently lost, purge it
        with M(dbfleet.cluster.nuodb_archive).
    type: list
    elements: int
    default: []
  stop_tes:
    description:
      - With O(state=running), whether TEs may be stopped if a storage group is offline. None of its SMs can join while
        TEs run. The TEs are shut down, the SMs start, then the TEs start again; nobody can use the database meanwhile.
      - The TEs of the database must be given in O(databases), and O(engine_types) must contain both types.
    type: bool
    default: false
  on_hotcopy:
    description:
      - With O(state=stopped), what to do about a running hot copy. V(ignore) doesn't look for hot copies, for SMs that
        don't answer or AP versions that don't show hot copies; the shutdown then breaks off a running hot copy.
    type: str
    choices: [refuse, wait, cancel, ignore]
    default: refuse
  require_graceful:
    description:
      - With O(state=stopped), fail unless each process left a tombstone with exit code 0 after its shutdown was
        requested.
    type: bool
    default: true
  require_known_tes:
    description:
      - With O(state=running), if the tombstones don't show for certain which TEs a database should have, fail and start
        nothing, instead of a warning.
    type: bool
    default: false
  dba_user:
    description:
      - With O(state=present), the name of the DBA of a new database.
    type: str
  dba_password:
    description:
      - With O(state=present), the DBA's password.
    type: str
  default_options:
    description:
      - With O(state=present), options of all processes of the databases (such as C(mem)). Other options that are
        already set stay unchanged.
    type: dict
  purge:
    description:
      - With O(state=absent), also delete the history of the databases and their archive objects, even of databases that
        were deleted before.
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
- name: Start every database with the TEs that it had before
  dbfleet.cluster.nuodb_database:
    databases: [all]

- name: Start one with TEs on two servers, and one with three TEs on any servers
  dbfleet.cluster.nuodb_database:
    databases:
      - name: test
        te_server_ids: [server0, server1]
      - name: sales
        te_count: 3

- name: Shut one down, after its hot copy
  dbfleet.cluster.nuodb_database:
    databases: [sales]
    state: stopped
    on_hotcopy: wait
"""

RETURN = r"""
databases:
  description: The databases at the end, by name. In check mode, as predicted.
  returned: success
  type: dict
  sample: {test: {db_name: test, state: RUNNING, incarnation: [2, 0], default_options: {}}}
archives:
  description: Their archives, by archive ID.
  returned: success
  type: dict
processes:
  description: Their processes, by start ID.
  returned: success
  type: dict
te_servers:
  description: By database, the server IDs of the TEs that it should have, one per TE; null if nothing shows them.
  returned: with O(state=running)
  type: dict
  sample: {test: [server0, server1]}
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
  sample: [{object: "test:archive0@server0", step: start SM, from: not running, to: running, seconds: 21.4}]
predicted:
  description:
    - The databases, archives and processes after this task (in check mode, as predicted), for O(assume) of later tasks.
  returned: success
  type: dict
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 24
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Failed
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import SM, TE
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases import (
    continued,
    existence,
    shutdown,
    start,
    wanted,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._session import is_followed
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "databases": {"type": "list", "elements": "raw", "required": True},
        "state": {"type": "str", "choices": ["running", "stopped", "present", "absent"], "default": "running"},
        "engine_types": {"type": "list", "elements": "str", "choices": [SM, TE], "default": [SM, TE]},
        "te_early": {"type": "bool", "default": False},
        "ignore_archives": {"type": "list", "elements": "int", "default": []},
        "stop_tes": {"type": "bool", "default": False},
        "on_hotcopy": {"type": "str", "choices": list(shutdown.ON_HOTCOPY), "default": "refuse"},
        "require_graceful": {"type": "bool", "default": True},
        "require_known_tes": {"type": "bool", "default": False},
        "dba_user": {"type": "str"},
        "dba_password": {"type": "str", "no_log": True},
        "default_options": {"type": "dict"},
        "purge": {"type": "bool", "default": False},
    },
    waits=True,
    required_together=[["dba_user", "dba_password"]],
)


def run(task):
    """Brings the databases to the wanted state."""
    view = options.view_of(task, connect(task))
    return {"running": _running, "stopped": _stopped}.get(task.params["state"], _objects)(task, view)


def _running(task, view):
    given = task.params
    ignored = tuple(given["ignore_archives"])
    choice = start.StartChoice(given["engine_types"], given["te_early"], ignored, given["stop_tes"])
    before = None if task.check_mode else continued.continued(view, given["databases"], choice)
    meant, snapshot, work = before or _begun(task, view, choice)
    names = [one.db_name for one in meant]
    servers = {"te_servers": {one.db_name: wanted.te_servers(one, snapshot) for one in meant}}
    if TE in choice.engine_types or choice.te_early:
        wanted.refuse_too_few(view.name, meant, snapshot)
    if work.leaving:
        task.say(f"[{view.name}] {start.TES_STOP}")
    result = bring(task, view.domain, start.stages(view, work, given["wait"]))
    if given["wait"] and not task.check_mode and is_followed():
        continued.leave(view, given["databases"], choice, (meant, snapshot, work))
        return {**options.told_of_processes(result, work.seen, names, view), **servers}
    if task.check_mode:
        after = start.outcome(snapshot, work)
    else:
        after = work.outcome(names, None if before or result["steps"] else snapshot)
    down = [name for name in names if not after.databases[name].is_up]
    if given["wait"] and down:
        says = ", ".join(f"{name} is {after.databases[name].state}" for name in down)
        error = Failed(f"{view.name}: the processes run, but {says}", failed_object=" ".join(down), number="DBF-5009")
        error.result = {key: value for key, value in result.items() if key != "states"}  # they are no plain data
        raise error
    return {**options.told(result, after, names, view), **servers}


def _begun(task, view, choice):
    given = task.params["databases"]
    meant, snapshot = start.survey(view, given, whole=task.check_mode, first=not task.check_mode)
    ending = start.ending(view, snapshot, meant)
    if ending:
        bring(task, view.domain, [ending])
        meant, snapshot = start.survey(view, given, whole=task.check_mode, first=False)
        snapshot = shutdown.predicted(snapshot, ending.names) if task.check_mode else snapshot
    work = start.start_of_databases(view, snapshot, meant, choice)
    if TE in choice.engine_types or choice.te_early:
        if task.params["require_known_tes"]:
            wanted.refuse_doubt(view.name, meant, snapshot)
        _warn(task, view, [wanted.doubt(one, snapshot) for one in meant], TE in choice.engine_types)
    return meant, snapshot, work


def _warn(task, view, doubts, at_once):
    """Warns of TEs if it is unknown whether they should run."""
    for text in filter(None, doubts):
        task.warn(f"{view.name}: {text}")
        if at_once and not task.check_mode:
            task.say(f"[{view.name}] {text}")


def _stopped(task, view):
    given = task.params
    if not given["wait"] and given["on_hotcopy"] in ("wait", "cancel"):
        raise ClusterError(
            f"{view.name}: on_hotcopy={given['on_hotcopy']} takes several steps, and each waits for the one before: "
            "don't set wait=false"
        )
    snapshot = view.look(*options.CHANGING) if task.check_mode else view.look("databases")
    names = [one.db_name for one in wanted.chosen(view.name, given["databases"], snapshot)]
    stages = shutdown.ShutDownDatabases(view, given["on_hotcopy"], given["require_graceful"]).stages(names)
    result = bring(task, view.domain, stages)
    after = shutdown.predicted(snapshot, names) if task.check_mode else view.look(*options.CHANGING, db_names=names)
    return options.told(result, after, names, view)


def _objects(task, view):
    given = task.params
    names = [one.db_name for one in wanted.named(view.name, given["databases"])]
    if "all" in names:
        raise ClusterError(f"{view.name}: state={given['state']} takes the names of databases, not the word all")
    empty = [str(key) for key, value in (given["default_options"] or {}).items() if value is None]
    if empty:
        raise ClusterError(
            f"{view.name}: default_options: {empty[0]} has no value: give one, because no option can be removed"
        )
    defaults = {str(key): str(value) for key, value in (given["default_options"] or {}).items()}
    body = {"databaseDbaUser": given["dba_user"], "databaseDbaPassword": given["dba_password"]}
    body.update({"defaultOptions": defaults} if defaults else {})
    purge = given["state"] == "absent" and given["purge"]
    work = existence.DatabaseObjects(view, body if given["dba_user"] else None, defaults, purge)
    result = bring(task, view.domain, work.stages(names, given["state"]))
    after = view.look(*options.CHANGING, db_names=names)
    if task.check_mode:
        after = existence.with_objects(after, result["states"], purge)
    return options.told(result, after, names, view)


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_rolling
short_description: Take the servers of a NuoDB domain out and back, one by one, while its databases run
version_added: 1.0.0
description:
  - With O(state=planned), shows the order in which servers can be taken out, and fails with every problem that prevents
    it for any of them. It changes nothing.
  - With O(state=out), shuts down the TEs of all databases on one server, then the SMs there. After that you may stop
    its machine and its AP.
  - With O(state=in), waits until the AP is active, starts the SMs, waits until each runs and is in sync, then starts
    the TEs. The task fails unless the whole domain is healthy at its end.
  - O(state=planned) and O(state=out) are refused in these cases. A server, an SM or a TE of the domain is missing. The
    other APs would be no majority. A database has no other running SM or no other TE. A storage group is on no other
    archive that runs. A hot copy runs. Kubernetes' pods would restart the stopped processes.
  - If a run ends while a server is out, that server stays without processes. Name it in O(cut_off). It is then first in
    the order, and the processes that were shut down there in the present incarnation come back.
options:
  servers:
    description:
      - The servers, by server ID, in their order. With O(state=planned), the default is all servers with processes, the
        one with the leader last. With the other states, name exactly one.
    type: list
    elements: str
    default: []
  state:
    description:
      - What to do with them.
    type: str
    choices: [planned, out, in]
    required: true
  cut_off:
    description:
      - The server that was out when an earlier run ended.
    type: str
  databases:
    description:
      - The TEs that databases should have, as O(dbfleet.cluster.nuodb_database#module:databases). The task always acts
        on all databases of the domain, named or not.
      - If a database isn't named and one of its TEs was shut down on request without a replacement, the task is
        refused, because the TE may be down on purpose.
    type: list
    elements: raw
    default: [all]
  ignore_archives:
    description:
      - Archives (by ID) that stay down.
    type: list
    elements: int
    default: []
  allow_last_te:
    description:
      - Allow to take a server out although a database has TEs only there, so that nobody can use it meanwhile.
    type: bool
    default: false
  processes:
    description:
      - With O(state=in), the processes of the server, as O(state=out) returned them.
    type: list
    elements: dict
    default: []
  api_timeout:
    description:
      - With O(state=in), seconds to wait until the API answers at all. The default is O(wait_timeout).
    type: float
extends_documentation_fragment:
  - dbfleet.cluster.nuodb
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Take server1 out
  dbfleet.cluster.nuodb_rolling:
    servers: [server1]
    state: out
  register: example_out

- name: Here its machine is patched

- name: Bring server1 back
  dbfleet.cluster.nuodb_rolling:
    servers: [server1]
    state: in
    processes: "{{ example_out.plan[0].processes }}"
    wait_timeout: 7200
"""

RETURN = r"""
plan:
  description:
    - The servers in their order, each with the address of its machine and its processes.
    - You can use C(processes) as O(processes), and as O(dbfleet.cluster.nuodb_process#module:processes).
  returned: success
  type: list
  elements: dict
  sample:
    - name: server1
      address: 10.0.0.11
      processes:
        - archive_id: 1
        - {db_name: shop, engine_type: TE, server_id: server1, count: 1}
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
  sample: 9
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import options, report, rolling, servers
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.databases import start
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.processes import end, selection
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.view import Snapshot
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "servers": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": ["planned", "out", "in"], "required": True},
        "cut_off": {"type": "str"},
        "databases": {"type": "list", "elements": "raw", "default": ["all"]},
        "ignore_archives": {"type": "list", "elements": "int", "default": []},
        "allow_last_te": {"type": "bool", "default": False},
        "processes": {"type": "list", "elements": "dict", "default": []},
        "api_timeout": {"type": "float"},
    },
    waits=True,
)


def run(task):
    """Plans rolling work, takes a server out, or takes it back in."""
    given, view = task.params, options.view_of(task, connect(task))
    if given["state"] != "planned" and (len(given["servers"]) != 1 or not given["wait"]):
        raise ClusterError(f"{view.name}: state={given['state']} takes exactly one server, and needs wait=true")
    return {"planned": _planned, "out": _out, "in": _in}[given["state"]](task, view)


def _rolling(task, view):
    given = task.params
    choice = rolling.RollingChoice(
        given["databases"], given["cut_off"] or None, tuple(given["ignore_archives"]), given["allow_last_te"]
    )
    return rolling.Rolling(view, choice)


def _told(view, result, seen, rows, after):
    """:param rows: the servers by name, each with the processes that belong on it."""
    plan = [{"name": name, "address": seen.servers[name].host, "processes": rows[name]} for name in rows]
    found = options.told(result, after, [], view)
    return {**{key: found[key] for key in found if key not in options.CHANGING}, "plan": plan}


def _planned(task, view):
    work = _rolling(task, view)
    names = work.order(task.params["servers"])
    if not names:
        raise ClusterError(f"{view.name}: no server has a process, so there is no server to take out")
    work.refuse(names)
    task.say(f"[{view.name}] servers: one after another: {' '.join(names)}")
    result = {"changed": False, "joined": False, "steps": []}
    return _told(view, result, work.seen, {name: work.belongs_on(name) for name in names}, work.seen)


def _out(task, view):
    work = _rolling(task, view)
    (name,) = servers.chosen(view.name, task.params["servers"], work.seen)
    work.refuse([name])
    result = bring(task, view.domain, work.leaving(name))
    gone = work.processes_on(name)
    after = end.without(work.seen, gone) if task.check_mode else view.look(*options.CHANGING)
    return _told(view, result, work.seen, {name: work.belongs_on(name)}, after)


def _in(task, view):
    given = task.params
    timeout = given["wait_timeout"] if given["api_timeout"] is None else given["api_timeout"]
    named = {} if task.check_mode else report.await_api(task, view.domain, timeout, given["heartbeat"])
    snapshot = Snapshot(servers=named) if named else view.look("servers")
    (name,) = servers.chosen(view.name, given["servers"], snapshot)
    came = bring(task, view.domain, servers.AwaitServers(view, [name], servers.EACH, snapshot).stages())
    snapshot = view.look()
    wanted = selection.entries(view.name, given["processes"], selection.RUNNING)
    slots = selection.slots(view, snapshot, wanted, allow_partial=False)
    # Not all processes at once: the TEs start when the SMs are in sync.
    result = bring(task, view.domain, start.start_of_slots(view, snapshot, slots).stages(wait=False))
    result["joined"] = result["joined"] or came["joined"]
    if not task.check_mode:
        work = _rolling(task, view)
        work.fail_unless_well(name)
    after = start.predicted(snapshot, slots) if task.check_mode else work.seen
    return _told(view, result, snapshot, {name: given["processes"]}, after)


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_rolling
short_description: Suspend and resume the nodes of an Exasol cluster, one by one
version_added: 1.0.0
description:
  - With O(state=planned), the task returns the order in which nodes can be taken out, and reports all refusals at once.
    It changes nothing.
  - With O(state=out), the task suspends a node (C(node_suspend)). You may then stop its machine.
  - With O(state=in), the task resumes the node (C(node_resume)). It waits until the node is online, then until every
    service is C(OK), then until each volume is C(ONLINE) with all of its copies. It fails unless the whole cluster is
    healthy at the end.
  - O(state=planned) and O(state=out) are refused if a node, a service or a volume isn't healthy, if a volume has no
    second copy of the data on the node, and while an operation runs. As with M(dbfleet.cluster.exa_node), they are also
    refused for a node that a running database needs, for the master, and if no majority would be left.
  - So the active nodes of a running database, and the nodes that store its data, are always refused. No call takes such
    a node away without restarting the database on other nodes. You can take out reserve nodes and unused nodes, and all
    other nodes while their databases are stopped.
  - Clusters of EXAoperation are refused. Their nodes can be switched off only when EXAStorage isn't running, so shut
    the whole cluster down for the work.
  - A run that was interrupted while a node was out leaves that node suspended or off. Name it in O(cut_off); it is then
    the first in the order.
options:
  nodes:
    description:
      - The nodes by name or number, in their order. With O(state=planned), the default is all nodes on which a database
        is active. Otherwise name exactly one node.
    type: list
    elements: str
    default: []
  state:
    description:
      - What to do with the nodes.
    type: str
    choices: [planned, out, in]
    required: true
  cut_off:
    description:
      - The node at which an earlier run was interrupted.
    type: str
  ignore_nodes:
    description:
      - Nodes that may be off, with the volumes on them.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Suspend the reserve node
  dbfleet.cluster.exa_rolling:
    nodes: [n14]
    state: out

# Patch its machine here.

- name: Resume the node
  dbfleet.cluster.exa_rolling:
    nodes: [n14]
    state: in
    wait_timeout: 7200
"""

RETURN = r"""
plan:
  description:
    - The nodes in their order, each with the address of its machine, or with its name if the server reports no address.
  returned: success
  type: list
  elements: dict
  sample: [{name: n14, address: 10.0.0.14}]
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
    - C(step) is the name of the server's call or job.
  returned: always
  type: list
  elements: dict
  sample: [{object: n14, step: node_suspend, from: online, to: suspended, seconds: 3.2}]
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 24
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options, rolling
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes import boot
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "nodes": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": ["planned", "out", "in"], "required": True},
        "cut_off": {"type": "str"},
        "ignore_nodes": {"type": "list", "elements": "str", "default": []},
    },
    waits=True,
)

PARTS = ("before", "after")
NOTHING = {"changed": False, "joined": False, "steps": []}


def run(task):
    """Plans rolling work, takes a node out, or takes it back in."""
    given, cluster = task.params, connect(task)
    if given["state"] != "planned" and (len(given["nodes"]) != 1 or not given["wait"]):
        raise ClusterError(f"{cluster.name}: state={given['state']} takes exactly one node, and needs wait=true")
    choice = rolling.RollingChoice(given["nodes"], given["cut_off"] or None, tuple(given["ignore_nodes"]))
    work = rolling.Rolling(cluster, choice)
    result, names = {"planned": _planned, "out": _out, "in": _in}[given["state"]](task, cluster, work)
    addresses = work.addresses(names)
    plan = [{"name": name, "address": addresses[name]} for name in names]
    kept = {key: value for key, value in result.items() if key != "states"}
    return {**kept, "plan": plan, "api_calls": cluster.api_calls}


def _planned(task, cluster, work):
    names = work.order()
    work.refuse(names)
    task.say(f"[{cluster.name}] nodes: one after another: {' '.join(names)}")
    return NOTHING, names


def _out(task, cluster, work):
    names = work.named
    work.refuse(names)
    return bring(task, cluster, work.suspended(names[0])), names


def _in(task, cluster, work):
    (name,) = work.named
    if task.check_mode:
        return bring(task, cluster, work.would_be_resumed(name)), [name]
    node_boot = boot.NodeBoot(cluster, None, 0.0, task.warn)
    online = [boot.online(cluster, [name], node_boot, power_on=False, again=False)]
    # A suspended node doesn't come online, and a node that comes up is resumed by itself.
    found = [bring(task, cluster, stages) for stages in (work.resumed(name), online)]
    found.append(bring(task, cluster, work.whole()))
    work.fail_unless_well(name)
    return {
        "changed": any(one["changed"] for one in found),
        "joined": any(one["joined"] for one in found),
        "steps": [step for one in found for step in one["steps"]],
        "diff": {part: {key: row for one in found for key, row in one["diff"][part].items()} for part in PARTS},
    }, [name]


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

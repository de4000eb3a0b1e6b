#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_server
short_description: Wait for, shut down and remove the admin processes (APs) of a NuoDB domain
version_added: 1.0.0
description:
  - With O(state=active), waits until the APs have a quorum with one leader and are connected. The API can't start an
    AP; start its service on its host.
  - With O(state=stopped), shuts APs down, the leader last. The task is refused for an AP with database processes, if
    the remaining APs would be no majority, and under Kubernetes, because the pod starts the AP again. The last AP
    counts as down when no URL answers.
  - With O(state=absent), removes permanently lost servers from the membership.
options:
  servers:
    description:
      - The servers, by server ID; V(all) means all members.
    type: list
    elements: str
    default: [all]
  state:
    description:
      - The state that the servers should have.
    type: str
    choices: [active, stopped, absent]
    default: active
  require:
    description:
      - With O(state=active), whether all of the servers must be active and connected, or only a quorum of them.
    type: str
    choices: [all, quorum]
    default: all
  api_timeout:
    description:
      - With O(state=active), seconds to wait until the API answers at all. The default is O(wait_timeout).
    type: float
  evict_local:
    description:
      - With O(state=stopped), allow to shut down an AP although database processes run on its server; they are evicted.
    type: bool
    default: false
  allow_offline_group:
    description:
      - With O(evict_local=true) and O(remove_state=true), allow to remove the last SM of a storage group although TEs
        run elsewhere. Its SMs can come back only after all TEs of the database have stopped. A silent SM doesn't count
        as running.
    type: bool
    default: false
  remove_state:
    description:
      - With O(state=absent), also remove the server's archive objects and evict its processes.
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
- name: Wait for the APs after the start of their services
  dbfleet.cluster.nuodb_server:
    wait_timeout: 600

- name: Shut all APs down, after all databases
  dbfleet.cluster.nuodb_server:
    state: stopped

- name: Remove a server whose machine and archives are lost
  dbfleet.cluster.nuodb_server:
    servers: [server7]
    state: absent
    remove_state: true
"""

RETURN = r"""
servers:
  description: The servers in their last state, by server ID. Empty if the whole domain was shut down.
  returned: success
  type: dict
  sample:
    server0: {server_id: server0, address: "server0:48005", role: LEADER, leader: server0, state: ACTIVE,
              connected: Connected}
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
  sample: [{object: server1, step: shutdown server, from: active, to: stopped, seconds: 4.2}]
predicted:
  description: The servers after this task (in check mode, as predicted), for O(assume) of later tasks.
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
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import options, report, servers
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.view import Snapshot
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "servers": {"type": "list", "elements": "str", "default": ["all"]},
        "state": {"type": "str", "choices": ["active", "stopped", "absent"], "default": "active"},
        "require": {"type": "str", "choices": ["all", "quorum"], "default": "all"},
        "api_timeout": {"type": "float"},
        "evict_local": {"type": "bool", "default": False},
        "allow_offline_group": {"type": "bool", "default": False},
        "remove_state": {"type": "bool", "default": False},
    },
    waits=True,
)


def run(task):
    """Brings the APs to the wanted state."""
    given = task.params
    view = options.view_of(task, connect(task))
    timeout = given["wait_timeout"] if given["api_timeout"] is None else given["api_timeout"]
    named, awaited = {}, None
    if given["state"] == "active" and given["wait"] and not task.check_mode:
        named = report.await_api(task, view.domain, timeout, given["heartbeat"])
    snapshot = Snapshot(servers=named) if named else view.look("servers")
    if given["state"] == "active":
        names = servers.chosen(view.name, given["servers"], snapshot)
        awaited = servers.AwaitServers(view, names, given["require"], snapshot)
        stages = awaited.stages()
        names = names if given["require"] == "all" else []
    elif given["state"] == "stopped":
        names = servers.chosen(view.name, given["servers"], snapshot)
        stages = servers.StopServers(view, names, snapshot, given["evict_local"], given["allow_offline_group"]).stages()
    else:
        if "all" in given["servers"]:
            raise ClusterError(f"{view.name}: state=absent takes the IDs of servers, not the word all")
        names = given["servers"]
        stages = servers.RemoveServers(view, given["remove_state"], given["allow_offline_group"]).stages(names)
    result = bring(task, view.domain, stages)
    result.pop("states")
    after = servers.after(view, names, given["state"], task.check_mode, awaited.seen if awaited else None)
    predicted = {"servers": after}
    if task.check_mode and given["state"] == "absent" and given["remove_state"]:
        predicted.update(servers.without_state(view, names))
    return {**result, "servers": after, "predicted": predicted, "api_calls": view.domain.api_calls}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_node
short_description: Power, suspend, add and remove the nodes of an Exasol cluster
version_added: 1.0.0
description:
  - Powers nodes on with C(startupNode) and waits until the hardware inventory of each is available and, with
    O(log_service), until each has reported the end of its boot process.
  - Shuts nodes down with C(shutdownNode) and waits until they are off. License servers are shut down last, and the one
    that runs EXAoperation at the very end. The connection then drops; the task succeeds only if no O(api_url) answers
    any more.
  - If C(getNodeState) reports that a node of EXAoperation boots, or if that call fails, the node doesn't count as off.
    O(state=offline) waits until it is online, and then shuts it down.
  - C(node_state) reports the nodes of a ConfD cluster. When all of its nodes are shut down, they count as off when no
    O(api_url) answers any more, nor any other node that the cluster names and that answered before. Any HTTP answer,
    and an accepted connection, counts as an answer.
  - The task acts on all nodes in parallel and waits for all of them.
  - Suspends nodes, which marks them as permanently offline, and resumes them. With ConfD these are C(node_suspend) and
    C(node_resume), with EXAoperation C(suspendNode) and C(resumeNode) of the storage nodes.
  - Adds nodes to the configuration of a cluster and removes them from it. Only ConfD has calls for that; with
    EXAoperation the task fails and reports that.
options:
  nodes:
    description:
      - The nodes by name or number. V(all) means all except the license servers; O(state=present) and O(state=absent)
        don't accept it.
      - With O(state=present), each may be a mapping with one or more of C(name), C(nid) (its number), C(priv_net) and
        C(pub_net) (addresses with a mask, as V(10.10.10.14/24)), C(space_warn_threshold) (percent), C(bg_rec_limit)
        (MiB per second), C(offline) (whether to add it as offline instead of suspended) and C(no_partition_extend). A
        new node requires C(priv_net). The task identifies a node by C(nid), else by C(name), else by C(priv_net).
      - An existing node can't be changed, so the task refuses if something differs. C(offline) and
        C(no_partition_extend) apply only to a new node.
    type: list
    elements: raw
    default: [all]
  ignore_nodes:
    description:
      - Nodes that V(all) leaves out.
    type: list
    elements: str
    default: []
  state:
    description:
      - The state to reach.
      - V(offline) is refused while EXAStorage runs; with ConfD, where EXAStorage ends with its nodes, it is refused
        while a database is up. Nothing overrides that. It is also refused for all nodes of a ConfD cluster if the task
        could not see one of them going off.
      - V(suspended) is refused for an online node if a running database needs it, if it is the master, or if no
        majority of the nodes would be left online; nothing overrides that. Without a quorum see O(without_quorum). With
        EXAoperation it is also refused if one of the nodes is off. V(resumed) doesn't wait until the node is online.
      - V(present) adds nodes to the configuration. V(absent) removes the nodes that O(confirm) names, under the same
        rules as V(suspended). It is refused while a node is suspended, and, without O(force), while a volume or a
        database uses it.
    type: str
    choices: [online, offline, suspended, resumed, present, absent]
    default: online
  force:
    description:
      - With O(state=absent), also remove a node that a volume or a database uses. They lose the data that they have
        there. It doesn't override the rule for a running database.
    type: bool
    default: false
  without_quorum:
    description:
      - With O(state=suspended), suspend nodes of a ConfD cluster that has lost its quorum, when no node reports the
        state of nodes any more. This gives the quorum back to the other nodes. If the cluster reports its nodes, the
        option has no effect, and the rules of O(state=suspended) apply.
      - Suspend only dead nodes in this way. A node that is alive continues by itself, and both parts may change the
        data. So O(confirm) must name the nodes again, each by its number (V(n13)), and O(api_url) must name every node
        of the cluster. At most half of these URLs may answer, and at least as many as there are nodes to suspend must
        not answer. The task recognizes a node that answers by the host in its URL (V(n13.example.com)), and by being
        the master; otherwise only you can know it.
      - The server may need a minute to show the new state.
    type: bool
    default: false
  disable:
    description:
      - With O(state=suspended), also mark the nodes of a ConfD cluster as disabled in its configuration (C(disable) of
        C(node_suspend)). No job shows whether a node is disabled, so it applies only to nodes that this task suspends.
    type: bool
    default: false
  enable:
    description:
      - With O(state=resumed), also mark the nodes of a ConfD cluster as enabled in its configuration (C(enable) of
        C(node_resume)). It applies only to nodes that this task resumes.
    type: bool
    default: false
  allow_last_copy:
    description:
      - With O(state=suspended), and with O(state=offline) of some nodes of a ConfD cluster, the task refuses nodes with
        segments of which no other node has a good copy, for example while a volume is C(DEGRADED) or C(RECOVERING).
        V(true) allows it. The volume is then C(LOCKED) until the nodes are back; the data on their disks remains.
      - The rule doesn't apply to a volume with redundancy 1, because it never has another copy.
    type: bool
    default: false
  confirm:
    description:
      - With O(state=absent), the names of the nodes to remove, again. With O(without_quorum), the names of the dead
        nodes.
    type: list
    elements: str
    default: []
  license_servers:
    description:
      - The cluster's license servers, because the API doesn't list them. A ConfD cluster has none.
      - With O(state=offline), the license servers in O(nodes) are shut down last. The task is refused if you name a
        machine here that the cluster doesn't know, or if a machine that can run EXAoperation is online and isn't named.
    type: list
    elements: str
    default: [n0010]
  power_on:
    description:
      - Whether the task powers nodes on by a call. C(startupNode) needs a management card that EXAoperation knows; for
        ConfD see O(use_infra).
      - With V(false) the task only waits until something else powers them on.
    type: bool
    default: true
  power_off:
    description:
      - Whether the task shuts nodes down by a call; for ConfD see O(use_infra).
      - With V(false) the task only waits until something else powers them off. You must then make sure that no database
        and no EXAStorage runs any more; M(dbfleet.cluster.exa_plan) checks that with
        O(dbfleet.cluster.exa_plan#module:runbook=power_off).
    type: bool
    default: true
  use_infra:
    description:
      - Power nodes on and off with the jobs C(infra_instances_start) and C(infra_instances_stop) of a ConfD cluster, if
        its deployment allows them. The task checks that before it changes anything. ConfD has no other job for that.
    type: bool
    default: false
  unreachable:
    description:
      - What to do if nothing reports the nodes, with O(state=offline) and O(power_off=false).
      - V(down) is for a cluster whose API ends with its nodes (ConfD), when something else has just powered all of them
        off. They then count as off when no O(api_url) answers. Name the nodes in O(nodes), and give as many URLs.
    type: str
    choices: [fail, down]
    default: fail
  startup_again:
    description:
      - Send C(startupNode) once also to nodes that seem to be booting. Use it for nodes that failed while they booted.
    type: bool
    default: false
  log_service:
    description:
      - The log service (C(logservice1)) that shows the end of each boot process. Without it, the task uses only the
        hardware inventory.
    type: str
  boot_message_timeout:
    description:
      - Seconds to wait for the message of a node that is online by its hardware inventory. After that, the task warns
        and continues.
    type: float
    default: 120
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Power all nodes on
  dbfleet.cluster.exa_node:
    nodes: [all]
    state: online
    log_service: logservice1

- name: Shut two nodes down (EXAStorage must be stopped)
  dbfleet.cluster.exa_node:
    nodes: [n0012, n0013]
    state: offline

- name: Shut the license server down, after all nodes
  dbfleet.cluster.exa_node:
    nodes: [n0010]
    license_servers: [n0010]
    state: offline

- name: Suspend a node for repair, and resume it afterwards
  dbfleet.cluster.exa_node:
    nodes: [n14]
    state: "{{ 'suspended' if under_repair else 'resumed' }}"

- name: Suspend the dead half of the nodes, so that the others get the quorum back
  dbfleet.cluster.exa_node:
    nodes: [n13, n14]
    state: suspended
    without_quorum: true
    confirm: [n13, n14]

- name: Add a fifth node
  dbfleet.cluster.exa_node:
    nodes:
      - nid: 15
        priv_net: 10.10.10.15/24
    state: present

- name: Remove the node
  dbfleet.cluster.exa_node:
    nodes: [n15]
    state: absent
    confirm: [n15]
"""

RETURN = r"""
nodes:
  description:
    - The nodes and their states after the task. Under check mode, as predicted. With O(state=present), their
      configuration; with O(state=absent), none.
  returned: success
  type: dict
  sample: {n0011: {state: online}}
predicted:
  description:
    - The nodes after this task (in check mode, as predicted), for O(assume) of later tasks.
    - Empty if no later task's preview depends on it, as with O(state=present) and O(state=absent).
  returned: success
  type: dict
  sample: {nodes: {n0011: {state: online}}}
joined:
  description:
    - Whether an operation was already under way when the task began. The task waits for it as if it had started it
      itself. V(false) in check mode.
  returned: always
  type: bool
  sample: false
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
  sample: [{object: n0011, step: startupNode, from: offline, to: online, seconds: 812.5}]
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 24
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.log import Log
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes import (
    boot,
    membership,
    selection,
    shutdown,
    suspension,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "nodes": {"type": "list", "elements": "raw", "default": ["all"]},
        "ignore_nodes": {"type": "list", "elements": "str", "default": []},
        "state": {
            "type": "str",
            "choices": ["online", "offline", "suspended", "resumed", "present", "absent"],
            "default": "online",
        },
        "force": {"type": "bool", "default": False},
        "without_quorum": {"type": "bool", "default": False},
        "disable": {"type": "bool", "default": False},
        "enable": {"type": "bool", "default": False},
        "allow_last_copy": {"type": "bool", "default": False},
        "confirm": {"type": "list", "elements": "str", "default": []},
        "license_servers": {"type": "list", "elements": "str", "default": ["n0010"]},
        "power_on": {"type": "bool", "default": True},
        "power_off": {"type": "bool", "default": True},
        **options.USE_INFRA,
        "unreachable": {"type": "str", "choices": ["fail", "down"], "default": "fail"},
        "startup_again": {"type": "bool", "default": False},
        "log_service": {"type": "str"},
        "boot_message_timeout": {"type": "float", "default": 120},
    },
    waits=True,
)


MARKS = {"disable": "suspended", "enable": "resumed"}
"""Options that also mark the nodes in the configuration, and the state that each belongs to."""


def run(task):
    """Brings the nodes to the wanted state."""
    for mark, state in MARKS.items():
        if task.params[mark] and task.params["state"] != state:
            raise ClusterError(f"{mark} goes with state={state}, and state is {task.params['state']}")
    cluster = connect(task)
    work = {"suspended": _suspended, "resumed": _suspended, "present": _present, "absent": _absent}
    return work.get(task.params["state"], _powered)(task, cluster)


def _powered(task, cluster):
    given = task.params
    view = options.view_of(task, cluster)
    servers = selection.license_servers_of(view, given["license_servers"])
    try:
        names = _chosen(task, view, tuple(servers))
    except shutdown.NOBODY_TELLS:
        if (given["state"], given["power_off"], given["unreachable"]) != ("offline", False, "down"):
            raise
        return _brought(task, cluster, shutdown.already_off(cluster, membership.texts(view, given["nodes"], "offline")))
    if given["state"] == "offline":
        stages = shutdown.offline(view, names, servers, given["power_off"], given["allow_last_copy"])
    else:
        log = Log(cluster, given["log_service"]) if given["log_service"] else None
        node_boot = boot.NodeBoot(view, log, given["boot_message_timeout"], task.warn)
        stages = [boot.online(view, names, node_boot, given["power_on"], given["startup_again"])]
    return _brought(task, cluster, stages)


def _brought(task, cluster, stages):
    result = bring(task, cluster, stages)
    found = {name: {"state": state} for name, state in result.pop("states").items()}
    return {**result, "nodes": found, "predicted": {"nodes": found}}


def _chosen(task, view, others=()):
    given = task.params
    wanted = membership.texts(view, given["nodes"], given["state"])
    return selection.chosen_nodes(view, wanted, selection.without(view, given["ignore_nodes"]), others)


def _suspended(task, cluster):
    view, given = options.view_of(task, cluster), task.params
    try:
        names = _chosen(task, view)
    except suspension.NOBODY_TELLS as error:
        if given["state"] != "suspended":
            raise
        if not given["without_quorum"]:
            raise suspension.hinted(error) from None
        names = membership.named(cluster, membership.texts(cluster, given["nodes"], "suspended"), "suspended")
        return _brought(task, cluster, suspension.without_quorum(cluster, names, given["confirm"]))
    marks = tuple(mark for mark in MARKS if given[mark])
    if marks and given["without_quorum"]:
        raise ClusterError("disable and without_quorum don't go together: without a quorum nothing can be configured")
    work = suspension.Suspension(view, given["allow_last_copy"], marks)
    result = _brought(task, cluster, work.stages(names, given["state"]))
    # If the API doesn't report all nodes in one call, a suspended node is still up: only its storage is suspended.
    return result if view.provider.tells_nodes_together else {**result, "predicted": {}}


def _present(task, cluster):
    rows = membership.named(cluster, task.params["nodes"], "present")
    stages = membership.NodesPresent(cluster, membership.wanted_of(cluster, rows), task.warn).stages()
    result = bring(task, cluster, stages)
    found = {row.name: row.as_dict() for row in result.pop("states").values() if row}
    return {**result, "nodes": found, "predicted": {}}


def _absent(task, cluster):
    given = task.params
    names = membership.named(cluster, membership.texts(cluster, given["nodes"], "absent"), "absent")
    work = membership.NodesAbsent(cluster, names, given["confirm"], given["force"])
    result = bring(task, cluster, work.stages())
    found = {name: member.as_dict() for name, member in result.pop("states").items() if member.row}
    return {**result, "nodes": found, "predicted": {}}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

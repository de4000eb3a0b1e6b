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
  - Brings nodes online with C(startupNode) and waits until the hardware inventory of each is there and, with
    O(log_service),
    until each reported the end of its boot process.
  - Shuts nodes down with C(shutdownNode) and waits until they are gone. License servers go last, and the one that holds
    EXAoperation at the very end; the connection that drops then is success only if every O(api_url) stays silent.
  - A node of EXAoperation that boots, by the word of C(getNodeState) or because that call fails, doesn't count as off.
    O(state=offline) waits until it is online, and then shuts it down.
  - The nodes of a ConfD cluster are told by C(node_state); once all are to go, they are gone when every O(api_url) is
    silent, and every other node that the cluster names and that answers here. An answer of any kind is no silence, nor
    is a connection that is taken.
  - All nodes are fired together and then awaited together.
  - Suspends nodes, by which they are marked as offline for good, and takes them back. With ConfD that is
    C(node_suspend) and C(node_resume), with EXAoperation C(suspendNode) and C(resumeNode) of the storage nodes.
  - Adds nodes to the configuration of a cluster and removes them from it. Only ConfD has calls for that; EXAoperation
    says so.
options:
  nodes:
    description:
      - The nodes by name or number. V(all) are all but the license servers; O(state=present) and O(state=absent) don't
        take it.
      - With O(state=present), each may be a mapping with one or more of C(name), C(nid) (its number), C(priv_net) and
        C(pub_net) (addresses with a mask, as V(10.10.10.14/24)), C(space_warn_threshold) (percent), C(bg_rec_limit)
        (MiB a second), C(offline) (whether it is added as offline instead of suspended) and C(no_partition_extend).
        One that isn't there needs C(priv_net). It is known by C(nid), else by C(name), else by C(priv_net).
      - What differs in a node that is there can't be changed, and is refused. C(offline) and C(no_partition_extend)
        count only when it is added.
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
      - What the nodes should be.
      - V(offline) is refused while EXAStorage runs (with ConfD, where it ends with its nodes, while a database is up);
        nothing overrides that. All nodes of a ConfD cluster are refused, too, where one of them could not be seen from
        here to be off.
      - V(suspended) is refused where a node is online and a database that is up needs it, where it is the master, and
        where no majority of the nodes would be left online; nothing overrides that. Without a quorum see
        O(without_quorum). With EXAoperation it is refused
        where one of the nodes is off, too. V(resumed) doesn't wait until the node is online.
      - V(present) adds nodes to the configuration. V(absent) removes those that O(confirm) names, under the same rules
        as V(suspended), and not while they are suspended, nor (see O(force)) while a volume or a database has them.
    type: str
    choices: [online, offline, suspended, resumed, present, absent]
    default: online
  force:
    description:
      - With O(state=absent), remove also a node that a volume or a database has. What they have there is lost. A
        database that is up isn't overridden.
    type: bool
    default: false
  without_quorum:
    description:
      - With O(state=suspended), suspend nodes of a ConfD cluster that has lost its quorum, where nothing tells of nodes
        any more. The others get the quorum back by it. Where nodes are told of, it means nothing, and the rules are
        those of O(state=suspended).
      - Only nodes that are dead may be suspended so. A node that is alive goes on by itself, and both parts may change
        the data. So O(confirm) names them again, each by its number (V(n13)), and O(api_url) names every node of the
        cluster. At most half of these may answer, and as many as are to be suspended must be silent. A node that
        answers is known by the host of its URL (V(n13.example.com)), and by being the master; else it is you who
        knows it.
      - It can take a minute until the server shows it.
    type: bool
    default: false
  disable:
    description:
      - With O(state=suspended), mark the nodes of a ConfD cluster as disabled in its configuration too (C(disable) of
        C(node_suspend)). No job tells whether one is, so it holds for nodes that this task suspends.
    type: bool
    default: false
  enable:
    description:
      - With O(state=resumed), mark the nodes of a ConfD cluster as enabled in its configuration too (C(enable) of
        C(node_resume)). It holds for nodes that this task resumes.
    type: bool
    default: false
  allow_last_copy:
    description:
      - With O(state=suspended), and with O(state=offline) of some nodes of a ConfD cluster, nodes are refused that
        have segments of a volume of which no other node has a good copy now, as while the volume is C(DEGRADED) or
        C(RECOVERING). V(true) says that this is known. The volume is C(LOCKED) then until the nodes are back; what is
        on their disks stays there.
      - A volume with redundancy 1 isn't meant, for it never has another copy.
    type: bool
    default: false
  confirm:
    description:
      - With O(state=absent), the names of the nodes again that may go. With O(without_quorum), those that are dead.
    type: list
    elements: str
    default: []
  license_servers:
    description:
      - The cluster's license servers, because the API doesn't list them. A ConfD cluster has none.
      - With O(state=offline), those of them that are named in O(nodes) go last. The task is refused where a machine is
        named here that the cluster doesn't know, or where one that can hold EXAoperation is online and isn't named.
    type: list
    elements: str
    default: [n0010]
  power_on:
    description:
      - Whether nodes are powered on by a call. C(startupNode) needs a management card that EXAoperation knows; for
        ConfD see O(use_infra).
      - V(false) only waits, where something else powers them on.
    type: bool
    default: true
  power_off:
    description:
      - Whether nodes are shut down by a call; for ConfD see O(use_infra).
      - V(false) only waits, where something else powers them off. What that is must make sure itself that no database
        and no EXAStorage runs any more; M(dbfleet.cluster.exa_plan) tells, with
        O(dbfleet.cluster.exa_plan#module:runbook=power_off).
    type: bool
    default: true
  use_infra:
    description:
      - Let the jobs C(infra_instances_start) and C(infra_instances_stop) of a ConfD cluster power nodes on and off,
        where its deployment allows them, which is asked before anything is changed. ConfD has no other job for that.
    type: bool
    default: false
  unreachable:
    description:
      - What it means that nothing tells of nodes, with O(state=offline) and O(power_off=false).
      - V(down) is for a cluster whose API ends with its nodes (ConfD), where something else has just powered all of
        them off. They are down then when every O(api_url) is silent. It needs the names of the nodes in O(nodes), and
        as many URLs.
    type: str
    choices: [fail, down]
    default: fail
  startup_again:
    description:
      - Send C(startupNode) once to nodes that seem to be booting, too. For nodes that died while they booted.
    type: bool
    default: false
  log_service:
    description:
      - The log service (C(logservice1)) that shows the end of each boot process. Without it, the hardware inventory
        decides.
    type: str
  boot_message_timeout:
    description:
      - Seconds to wait for the message of a node that is online by its hardware inventory; then it is warned of and
        done without.
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
- name: Every node is online
  dbfleet.cluster.exa_node:
    nodes: [all]
    state: online
    log_service: logservice1

- name: Two nodes are off (EXAStorage must be stopped)
  dbfleet.cluster.exa_node:
    nodes: [n0012, n0013]
    state: offline

- name: The license server is off, after all nodes
  dbfleet.cluster.exa_node:
    nodes: [n0010]
    license_servers: [n0010]
    state: offline

- name: A node is under repair, and takes part again
  dbfleet.cluster.exa_node:
    nodes: [n14]
    state: "{{ 'suspended' if under_repair else 'resumed' }}"

- name: Half of the nodes are dead for good, and the others have no quorum without them
  dbfleet.cluster.exa_node:
    nodes: [n13, n14]
    state: suspended
    without_quorum: true
    confirm: [n13, n14]

- name: A fifth node
  dbfleet.cluster.exa_node:
    nodes:
      - nid: 15
        priv_net: 10.10.10.15/24
    state: present

- name: It isn't needed any more
  dbfleet.cluster.exa_node:
    nodes: [n15]
    state: absent
    confirm: [n15]
"""

RETURN = r"""
nodes:
  description:
    - The nodes and their states at the end. Under check mode, as predicted. With O(state=present), what is configured
      of them; with O(state=absent), none.
  returned: success
  type: dict
  sample: {n0011: {state: online}}
predicted:
  description:
    - The nodes after this task (in check mode, as predicted), for O(assume) of later tasks.
    - Empty where no later task's preview depends on it, as with O(state=present) and O(state=absent).
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
"""What marks nodes in the configuration too, and the state that it goes with."""


def run(task):
    """Nodes as they should be."""
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
    # Where nodes aren't told of together, a suspended one is up nonetheless: its storage is what rests.
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

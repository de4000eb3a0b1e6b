#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_node
short_description: Bring the nodes of an Exasol cluster online, or shut them down
version_added: 0.1.0
description:
  - Brings nodes online with C(startupNode) and waits until the hardware inventory of each is there and, with
    O(log_service),
    until each reported the end of its boot process.
  - Shuts nodes down with C(shutdownNode) and waits until they are gone. License servers go last, and the one that holds
    EXAoperation at the very end; the connection that drops then is success only if every O(api_url) stays silent.
  - The nodes of a ConfD cluster are told by C(node_state); once all are to go, they are gone when every O(api_url) is
    silent.
  - All nodes are fired together and then awaited together.
options:
  nodes:
    description:
      - The nodes by name. V(all) are all but the license servers.
    type: list
    elements: str
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
        nothing overrides that.
    type: str
    choices: [online, offline]
    default: online
  license_servers:
    description:
      - The cluster's license servers. With O(state=offline), those of them that are named in O(nodes) go last.
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
        where its deployment has them. ConfD has no other job for that.
    type: bool
    default: false
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
"""

RETURN = r"""
nodes:
  description: The nodes and their states at the end. Under check mode, before.
  returned: success
  type: dict
  sample: {n0011: {state: online}}
predicted:
  description: What the nodes are after this task, or would be; for O(assume) of later tasks.
  returned: success
  type: dict
  sample: {nodes: {n0011: {state: online}}}
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
  sample: [{object: n0011, step: startupNode, from: offline, to: online, seconds: 812.5}]
api_calls:
  description: How many calls were made.
  returned: always
  type: int
  sample: 24
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import nodes, options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.log import Log
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "nodes": {"type": "list", "elements": "str", "default": ["all"]},
        "ignore_nodes": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": ["online", "offline"], "default": "online"},
        "license_servers": {"type": "list", "elements": "str", "default": ["n0010"]},
        "power_on": {"type": "bool", "default": True},
        "power_off": {"type": "bool", "default": True},
        **options.USE_INFRA,
        "startup_again": {"type": "bool", "default": False},
        "log_service": {"type": "str"},
        "boot_message_timeout": {"type": "float", "default": 120},
    },
    waits=True,
)


def run(task):
    """Nodes as they should be."""
    given = task.params
    cluster = options.connect(task)
    view = options.seen(task, cluster)
    known = nodes.without(view, given["ignore_nodes"])
    servers = nodes.license_servers_of(view, given["license_servers"])
    names = nodes.chosen(view, given["nodes"], known, "node", tuple(servers))
    if given["state"] == "offline":
        stages = nodes.offline(view, names, servers, given["power_off"])
    else:
        log = Log(cluster, given["log_service"]) if given["log_service"] else None
        arrival = nodes.Arrival(view, log, given["boot_message_timeout"], task.warn)
        stages = [nodes.online(view, names, arrival, given["power_on"], given["startup_again"])]
    result = options.bring(task, cluster, stages)
    found = {name: {"state": state} for name, state in result.pop("states").items()}
    return {**result, "nodes": found, "predicted": {"nodes": found}}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

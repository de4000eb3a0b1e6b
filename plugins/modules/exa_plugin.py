#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_plugin
short_description: Start, stop or restart the service of an EXAoperation plugin on nodes
version_added: 1.0.0
description:
  - Calls the plugin's C(START) and C(STOP), if its C(STATUS) shows that this is needed.
options:
  plugin:
    description:
      - Name of the plugin.
    type: str
    required: true
  nodes:
    description:
      - The nodes by name. V(all) means all except the license servers, which you can name.
    type: list
    elements: str
    default: [all]
  ignore_nodes:
    description:
      - Nodes that V(all) leaves out.
    type: list
    elements: str
    default: []
  license_servers:
    description:
      - The cluster's license servers, because the API doesn't list them. A ConfD cluster has none.
      - You may name them in O(nodes).
    type: list
    elements: str
    default: [n0010]
  state:
    description:
      - The state to reach. V(restarted) stops the service if it runs, then starts it.
    type: str
    choices: [started, stopped, restarted]
    default: started
  running_text:
    description:
      - The text in the answer to C(STATUS) that shows that the service runs.
    type: str
    default: is running
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Start the VMware tools on every node
  dbfleet.cluster.exa_plugin:
    plugin: Administration.vmware-tools
    running_text: vmtoolsd is running

- name: Restart them on the license server, so that they run in the right PID namespace
  dbfleet.cluster.exa_plugin:
    plugin: Administration.vmware-tools
    nodes: [n0010]
    running_text: vmtoolsd is running
    state: restarted
"""

RETURN = r"""
plugin:
  description: The nodes and the state of the service there after the task. Under check mode, as predicted.
  returned: success
  type: dict
  sample: {n0010: running}
predicted:
  description:
    - The nodes and the states of the service there after this task (in check mode, as predicted), for O(assume) of
      later tasks.
  returned: success
  type: dict
  sample: {plugins: {Administration.vmware-tools: {n0010: running}}}
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
  returned: always
  type: list
  elements: dict
  sample: [{object: n0010, step: START, from: not running, to: running, seconds: 1.1}]
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 12
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api import capabilities as can
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes import (
    selection,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.plugins import Plugin
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "plugin": {"type": "str", "required": True},
        "nodes": {"type": "list", "elements": "str", "default": ["all"]},
        "ignore_nodes": {"type": "list", "elements": "str", "default": []},
        "license_servers": {"type": "list", "elements": "str", "default": ["n0010"]},
        "state": {"type": "str", "choices": ["started", "stopped", "restarted"], "default": "started"},
        "running_text": {"type": "str", "default": "is running"},
    },
    waits=True,
)


def run(task):
    """Brings a plugin's service to the wanted state."""
    given = task.params
    cluster = connect(task)
    view = options.view_of(task, cluster)
    known = selection.without(cluster, given["ignore_nodes"])
    cluster.require(can.PLUGINS)
    servers = selection.license_servers_of(cluster, given["license_servers"])
    names = selection.chosen_nodes(cluster, given["nodes"], known, tuple(servers))
    stages = Plugin(view, given["plugin"], given["running_text"], servers).stages(names, given["state"])
    result = bring(task, cluster, stages)
    found = result.pop("states")
    return {**result, "plugin": found, "predicted": {"plugins": {given["plugin"]: found}}}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

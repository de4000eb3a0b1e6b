#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_storage
short_description: Start or stop EXAStorage of an Exasol cluster
version_added: 1.0.0
description:
  - Starts EXAStorage when every node is online, and waits until every cluster service is C(OK).
  - With ConfD, EXAStorage starts by itself; the task waits for that.
  - Stops EXAStorage when every database is stopped, and waits until C(Storaged) is C(not running).
options:
  state:
    description:
      - The state to reach.
      - V(stopped) is refused unless every database is stopped and has no running operation; nothing overrides that.
    type: str
    choices: [started, stopped]
    default: started
  ignore_nodes:
    description:
      - Nodes that may be missing when EXAStorage starts. The task passes them to C(startEXAStorage).
      - The task is refused if any other node isn't online.
    type: list
    elements: str
    default: []
  unsupported:
    description:
      - What to do if no call can stop EXAStorage, because it ends with its nodes (ConfD).
      - V(fail) fails. V(say) prints this, changes nothing and returns the reason as RV(unsupported).
    type: str
    choices: [fail, say]
    default: fail
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Start EXAStorage and all services
  dbfleet.cluster.exa_storage:
    state: started

- name: Start EXAStorage although a node is broken
  dbfleet.cluster.exa_storage:
    state: started
    ignore_nodes: [n0014]

- name: Stop EXAStorage
  dbfleet.cluster.exa_storage:
    state: stopped
"""

RETURN = r"""
services:
  description: The cluster services and their states after the task. Under check mode, as predicted.
  returned: success
  type: dict
  sample: {Loggingd: OK, Lockd: OK, Storaged: OK, DWAd: OK}
predicted:
  description:
    - The services and their states after this task (in check mode, as predicted), for O(assume) of later tasks.
  returned: success
  type: dict
  sample: {services: {Storaged: OK}}
unsupported:
  description: Why nothing was stopped.
  returned: where nothing can stop EXAStorage
  type: str
  sample: "ConfD has no job that stops EXAStorage: it ends with its nodes"
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
  sample: [{object: EXAStorage, step: startEXAStorage, from: Storaged not running, to: OK, seconds: 61.2}]
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 12
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options, storage
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api import capabilities as can
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
        "ignore_nodes": {"type": "list", "elements": "str", "default": []},
        "unsupported": {"type": "str", "choices": ["fail", "say"], "default": "fail"},
    },
    waits=True,
)


def run(task):
    """Brings EXAStorage to the wanted state."""
    cluster = connect(task)
    view = options.view_of(task, cluster)
    up = task.params["state"] == "started"
    alone = None if up or task.params["unsupported"] == "fail" else view.lacks(can.STOP_STORAGE)
    if alone:
        task.say(f"[{cluster.name}] services: {alone}")
        return {"unsupported": alone, "joined": False, "steps": [], "predicted": {}, "api_calls": cluster.api_calls}
    stage = storage.started(view, task.params["ignore_nodes"]) if up else storage.stopped(view)
    result = bring(task, cluster, [stage])
    services = result.pop("states")[storage.NAME]
    return {**result, "services": services, "predicted": {"services": services}}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

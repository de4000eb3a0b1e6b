#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_plan
short_description: Show what a runbook would do to an Exasol cluster, and what it would refuse
version_added: 1.0.0
description:
  - Shows the steps of a cold start or a graceful shutdown in order, and all refusals at once.
  - V(power_off) shows the reasons against powering off all nodes by other means.
  - It makes no call. It uses the result of M(dbfleet.cluster.exa_cluster_info).
options:
  cluster:
    description:
      - The C(cluster) in the result of M(dbfleet.cluster.exa_cluster_info), with its nodes, services and databases.
    type: dict
    required: true
  runbook:
    description:
      - The runbook.
    type: str
    choices: [cold_start, graceful_shutdown, power_off]
    required: true
  refuse:
    description:
      - Whether to fail if the runbook would refuse something.
    type: bool
    default: false
  databases:
    description:
      - The databases that the runbook acts on, or V(all).
    type: list
    elements: str
    default: [all]
  ignore_nodes:
    description:
      - Nodes that the runbook doesn't start or wait for. It starts EXAStorage without them; ConfD starts EXAStorage by
        itself.
    type: list
    elements: str
    default: []
  license_servers:
    description:
      - The cluster's license servers, because the API doesn't list them. A ConfD cluster has none.
    type: list
    elements: str
    default: [n0010]
  on_operation:
    description:
      - What the shutdown does with a database that has a running operation.
    type: str
    choices: [refuse, wait, abort_backup]
    default: refuse
  force:
    description:
      - Whether the shutdown stops databases by force (C(forceShutdownDatabase), C(db_stop) with C(force)).
    type: bool
    default: false
  power_on:
    description:
      - Whether the cold start powers nodes on by calls of the API.
    type: bool
    default: true
  power_off:
    description:
      - What powers the nodes off at the end of the shutdown. V(api) means calls of the API. V(hook) means something
        else, and the runbook waits for it. With V(none) the hosts stay on.
    type: str
    choices: [api, hook, none]
    default: api
  hooked:
    description:
      - Whether a hook powers the nodes on or off, for O(power_on=false) and O(power_off=hook). If there is none, a
        warning names what the runbook would wait for.
    type: bool
    default: true
  plugins:
    description:
      - The plugins whose services the cold start would start. Refused if the cluster has no call for them.
    type: list
    elements: str
    default: []
  log_service:
    description:
      - The log service that the runbook would follow. Refused if the cluster has none.
    type: str
  use_infra:
    description:
      - Whether the runbook may use the jobs C(infra_instances_start) and C(infra_instances_stop) of a ConfD deployment.
        It needs C(infra) among the parts that M(dbfleet.cluster.exa_cluster_info) gathered.
    type: bool
    default: false
  off_for:
    description:
      - How long the cluster is going to be off after V(graceful_shutdown), from now on, as V(3d), V(1h30m) or seconds.
        Each item that expires or falls due in that time gets a line and a warning. It needs O(runout).
    type: float
  runout:
    description:
      - The C(runout) in the result of M(dbfleet.cluster.exa_cluster_info).
    type: dict
  on_runout:
    description:
      - What to do if a license ends within O(off_for). V(refuse) refuses the shutdown, because the databases may not
        start again; V(warn) only warns.
    type: str
    choices: [refuse, warn]
    default: refuse
  time_zone:
    description:
      - The cluster's time zone (V(Europe/Berlin)), which applies to its schedules and the expiry of its backups. If it
        isn't set, the task uses this machine's time zone, and each sentence that depends on it says so.
    type: str
extends_documentation_fragment:
  - dbfleet.cluster.attributes
  - dbfleet.cluster.attributes.info
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Read the cluster
  dbfleet.cluster.exa_cluster_info:
  register: exa

- name: Check whether it could be shut down now
  dbfleet.cluster.exa_plan:
    cluster: "{{ exa.cluster }}"
    runbook: graceful_shutdown
    refuse: true
"""

RETURN = r"""
steps:
  description: The steps that the runbook would make, in order. Each names its C(part) of the runbook.
  returned: success
  type: list
  elements: dict
  sample: [{part: databases, object: DB1, step: stopDatabase, from: running, to: setup, seconds: 0.0}]
refusals:
  description: The refusals of the runbook, with their reasons.
  returned: always
  type: list
  elements: dict
  sample: [{part: databases, why: "exa-prod: DB1: operation Backup is running", hint: wait for its end}]
runs_out:
  description:
    - The items that expire or fall due within O(off_for), with one sentence each in C(text), and those that could not
      be checked (C(unread)). C(kind) is C(license), C(certificate), C(backup_due), C(backup_expiry) or C(unread).
  returned: when O(off_for) is given
  type: list
  elements: dict
  sample:
    - kind: backup_due
      object: DB1
      at: "2026-12-06T01:00:00+01:00"
      text: "DB1: backup schedule weekly (level 0 to RemoteVolume1 at 0 1 * * 0, kept 4w) falls due once, at 2026-12-06
        01:00"
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils import _runout
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options, runbooks
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = {
    "argument_spec": {
        "cluster": {"type": "dict", "required": True},
        "runbook": {"type": "str", "choices": ["cold_start", "graceful_shutdown", "power_off"], "required": True},
        "refuse": {"type": "bool", "default": False},
        "databases": {"type": "list", "elements": "str", "default": ["all"]},
        "ignore_nodes": {"type": "list", "elements": "str", "default": []},
        "license_servers": {"type": "list", "elements": "str", "default": ["n0010"]},
        "on_operation": {"type": "str", "choices": ["refuse", "wait", "abort_backup"], "default": "refuse"},
        "force": {"type": "bool", "default": False},
        "power_on": {"type": "bool", "default": True},
        "power_off": {"type": "str", "choices": list(runbooks.BY), "default": runbooks.API},
        "hooked": {"type": "bool", "default": True},
        "plugins": {"type": "list", "elements": "str", "default": []},
        "log_service": {"type": "str"},
        "use_infra": {"type": "bool", "default": False},
        "off_for": {"type": "float"},
        "runout": {"type": "dict"},
        "on_runout": {"type": "str", "choices": list(_runout.ON_RUNOUT), "default": _runout.REFUSE},
        "time_zone": {"type": "str"},
    },
    "supports_check_mode": True,
}


def run(task):
    """Returns the steps and refusals of a runbook."""
    preview = runbooks.ClusterPreview(task, task.params["cluster"], task.params["use_infra"])
    preview.say(f"[{preview.name}] plan of {task.params['runbook'].replace('_', ' ')}:")
    told = {}
    if task.params["off_for"]:
        told["runs_out"] = runbooks.plan_off_time(preview, task.params, options.zone_of(task, preview.name))
    runbooks.plan(preview, task.params["runbook"], task.params)
    return {**told, **preview.told(task.params["refuse"])}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

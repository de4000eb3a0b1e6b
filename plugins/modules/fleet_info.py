#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_info
short_description: Read the states of all clusters of a fleet side by side in one process
version_added: 1.0.0
description:
  - Reads Exasol clusters and NuoDB domains side by side, as M(dbfleet.cluster.exa_cluster_info) and
    M(dbfleet.cluster.nuodb_domain_info) do, and gives the state of each in one word. It changes nothing.
  - It runs on the controller, once for all clusters (C(run_once)). A cluster that can't be reached is also in the
    result, with the cause.
  - The table is shown while the answers come. Clusters that need attention come first.
options:
  hosts:
    description:
      - Inventory hosts. Each stands for a cluster through its variables (C(exa_api_url), C(nuodb_profile) and similar,
        as for the runbooks).
      - Without this option and O(clusters), all hosts of the play. Without C(run_once), or with a strategy that does
        not support it (C(free), C(host_pinned)), only the host of the task.
    type: list
    elements: str
  clusters:
    description:
      - Clusters without an inventory host, each by a profile.
    type: list
    elements: dict
    suboptions:
      profile:
        description:
          - The connection, in the file of profiles.
        type: str
        required: true
      name:
        description:
          - The name of the cluster in the result. The default is the profile's name.
        type: str
      product:
        description:
          - The product of the cluster.
        type: str
        choices: [exasol, nuodb]
        default: exasol
      profiles_path:
        description:
          - The file of profiles. The default is C(~/.config/dbfleet/profiles.yml).
        type: path
      license_servers:
        description:
          - The license servers of an Exasol cluster.
        type: list
        elements: str
      ignore_nodes:
        description:
          - Nodes of an Exasol cluster that may be offline.
        type: list
        elements: str
        default: []
  details:
    description:
      - Whether the result contains the objects of each cluster. With C(-v) and with O(output=json) it always does.
    type: bool
    default: false
  fail_on:
    description:
      - The state from which a cluster is in RV(failing). A host's variable C(fail_on) takes precedence.
    type: str
    choices: [unreachable, down, degraded]
    default: unreachable
  look_timeout:
    description:
      - Most seconds per cluster. A cluster that takes longer counts as unreachable; it doesn't delay the others.
    type: float
    default: 60
  side_by_side:
    description:
      - Clusters read at the same time.
    type: int
    default: 16
  output:
    description:
      - The format in which the fleet is shown, or written to O(path). V(openmetrics) needs the Python package
        prometheus_client.
    type: str
    choices: [table, json, csv, openmetrics]
    default: table
  path:
    description:
      - A file on the controller for the output in the format O(output). It is replaced as a whole, and its folder must
        exist. The table is also shown on the screen. In check mode the file isn't written.
    type: path
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the predicted result without changing anything.
    support: full
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing) in C(check_mode), when in diff mode.
    support: none
    details: Nothing of a cluster is changed.
  action:
    description: Runs on the controller.
    support: full
author:
  - dbfleet contributors (@dbfleet)
seealso:
  - module: dbfleet.cluster.exa_cluster_info
  - module: dbfleet.cluster.nuodb_domain_info
"""

EXAMPLES = r"""
- name: Read all clusters of the play
  dbfleet.cluster.fleet_info:
  run_once: true
  register: fleet

- name: Write the metrics for node_exporter
  dbfleet.cluster.fleet_info:
    output: openmetrics
    path: /var/lib/node_exporter/dbfleet.prom
  run_once: true

- name: Read two clusters by their profiles
  dbfleet.cluster.fleet_info:
    clusters:
      - {profile: exa-prod}
      - {profile: nuo-prod, product: nuodb}
  register: two
"""

RETURN = r"""
fleet:
  description:
    - Each cluster by its name. C(state), C(summary) and C(problem) have the values of the filter C(condition). C(fails)
      is whether a run fails for this state according to O(fail_on). C(counts) contains the number of objects of each
      kind, and with C(_up) at the end of the name, the number that are up.
    - With O(details), C(cluster) of an Exasol cluster and C(domain) of a NuoDB domain contain the results of their own
      modules.
  returned: success
  type: dict
  sample:
    exa-prod:
      product: exasol
      state: degraded
      summary: "exa-prod: nodes 4/5 online (off: n0015); services OK; databases 3/3 connectable; EAO 6.2.1 on n0010"
      problem: "exa-prod: degraded: nodes n0015 offline: dbfleet.cluster.exa_cold_start -e target=exa-prod --check shows
        what would be done about it"
      fails: false
      version: 6.2.1
      counts: {nodes: 5, nodes_up: 4, services: 4, services_up: 4, databases: 3, databases_up: 3}
      seconds: 0.41
      api_calls: 12
failing:
  description: The clusters that fail, sorted by name.
  returned: success
  type: list
  elements: str
  sample: [exa-test]
total:
  description: The fleet in one line.
  returned: success
  type: str
  sample: "20 clusters: 2 unreachable, 1 degraded, 17 up"
"""

from ansible.module_utils.basic import AnsibleModule

SPEC = {
    "argument_spec": {
        "hosts": {"type": "list", "elements": "str"},
        "clusters": {
            "type": "list",
            "elements": "dict",
            "options": {
                "profile": {"type": "str", "required": True},
                "name": {"type": "str"},
                "product": {"type": "str", "choices": ["exasol", "nuodb"], "default": "exasol"},
                "profiles_path": {"type": "path"},
                "license_servers": {"type": "list", "elements": "str"},
                "ignore_nodes": {"type": "list", "elements": "str", "default": []},
            },
        },
        "details": {"type": "bool", "default": False},
        "fail_on": {"type": "str", "choices": ["unreachable", "down", "degraded"], "default": "unreachable"},
        "look_timeout": {"type": "float", "default": 60},
        "side_by_side": {"type": "int", "default": 16},
        "output": {"type": "str", "choices": ["table", "json", "csv", "openmetrics"], "default": "table"},
        "path": {"type": "path"},
    },
    "supports_check_mode": True,
}


def main():
    """The action of the same name does the work. A module alone can't do it."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="fleet_info is an action: call it as dbfleet.cluster.fleet_info in a play [DBF-7014]")


if __name__ == "__main__":
    main()

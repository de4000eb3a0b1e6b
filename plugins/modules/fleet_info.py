#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_info
short_description: How all clusters of a fleet are, looked at side by side in one process
version_added: 1.0.0
description:
  - Reads Exasol clusters and NuoDB domains side by side, as M(dbfleet.cluster.exa_cluster_info) and
    M(dbfleet.cluster.nuodb_domain_info) do, and says of each in one word how it is. It changes nothing.
  - It runs on the controller, once for all clusters (C(run_once)). A cluster that can't be reached is in the result
    like any other, with the cause.
  - The table is shown while the answers come, what needs attention first.
options:
  hosts:
    description:
      - Inventory hosts, each of which stands for a cluster by its variables (C(exa_api_url), C(nuodb_profile) and the
        like, as for the runbooks).
      - Where neither this nor O(clusters) is given, all hosts of the play. Without C(run_once), or under a strategy
        that does not know it (C(free), C(host_pinned)), it is the host of the task alone.
    type: list
    elements: str
  clusters:
    description:
      - Clusters that no inventory host stands for, each by a profile.
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
          - What the cluster is called in the result. Its profile's name where nothing is given.
        type: str
      product:
        description:
          - What it is.
        type: str
        choices: [exasol, nuodb]
        default: exasol
      profiles_path:
        description:
          - The file of profiles. C(~/.config/dbfleet/profiles.yml) where nothing is given.
        type: path
      license_servers:
        description:
          - The license servers of an Exasol cluster.
        type: list
        elements: str
      ignore_nodes:
        description:
          - Nodes of an Exasol cluster that need not be online.
        type: list
        elements: str
        default: []
  details:
    description:
      - Whether the result has the objects of each cluster. It has them with C(-v) too. V(json) has them always.
    type: bool
    default: false
  fail_on:
    description:
      - From which state on a cluster is in RV(failing). A host's variable C(fail_on) goes before.
    type: str
    choices: [unreachable, down, degraded]
    default: unreachable
  look_timeout:
    description:
      - Seconds in which a cluster must have told how it is; else it counts as unreachable. It holds up no other.
    type: float
    default: 60
  side_by_side:
    description:
      - Clusters that are looked at at a time.
    type: int
    default: 16
  output:
    description:
      - The form in which the fleet is shown, or written to O(path). V(openmetrics) needs the Python package
        prometheus_client.
    type: str
    choices: [table, json, csv, openmetrics]
    default: table
  path:
    description:
      - A file of the controller that gets O(output), replaced as a whole; its folder must be there. The table is shown
        beside it. Under check mode it isn't written.
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
- name: Look at all clusters of the play
  dbfleet.cluster.fleet_info:
  run_once: true
  register: fleet

- name: Write what node_exporter is to collect
  dbfleet.cluster.fleet_info:
    output: openmetrics
    path: /var/lib/node_exporter/dbfleet.prom
  run_once: true

- name: Look at two clusters by their profiles
  dbfleet.cluster.fleet_info:
    clusters:
      - {profile: exa-prod}
      - {profile: nuo-prod, product: nuodb}
  register: two
"""

RETURN = r"""
fleet:
  description:
    - Each cluster by its name. C(state), C(summary) and C(problem) are as of the filter C(condition); C(fails) is
      whether its state is one for which O(fail_on) lets a run fail; C(counts) tells how many objects of each kind there
      are, and with C(_up) behind it, how many are up.
    - With O(details), C(cluster) of an Exasol cluster and C(domain) of a NuoDB domain are as their own modules return
      them.
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
  description: The clusters that fail, in order of their names.
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
    """The action of the same name does the work; it can't be run elsewhere."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="fleet_info is an action: call it as dbfleet.cluster.fleet_info in a play")


if __name__ == "__main__":
    main()

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: condition
short_description: Judge whether a cluster or domain is up, degraded, down or unreachable
version_added: 1.0.0
author:
  - dbfleet contributors
description:
  - Takes the result of M(dbfleet.cluster.exa_cluster_info) or M(dbfleet.cluster.nuodb_domain_info), also a failed one.
  - Returns the state of the cluster in one word, and its faults in one sentence.
  - Objects that were not gathered, or that the user may not read, are not judged.
positional: _input, name
options:
  _input:
    description:
      - The registered result of the module, which may have failed.
      - The filter judges the nodes, services and databases of a cluster, or the servers, databases, archives and
        processes of a domain. All of these must have been gathered.
    type: dict
    required: true
  name:
    description:
      - The name of the inventory host.
    type: str
    required: true
  ignore_nodes:
    description:
      - Nodes of an Exasol cluster that may be offline. Suspended nodes may always be offline.
    type: list
    elements: str
    default: []
seealso:
  - module: dbfleet.cluster.exa_cluster_info
  - module: dbfleet.cluster.nuodb_domain_info
"""

EXAMPLES = r"""
- name: Read the cluster
  dbfleet.cluster.exa_cluster_info:
  register: exa
  failed_when: false

- name: Continue only if the whole cluster is up
  ansible.builtin.assert:
    that: exa_condition.state == 'up'
    fail_msg: "{{ exa_condition.problem }}"
  vars:
    exa_condition: "{{ exa | dbfleet.cluster.condition(inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description:
    - C(state) is V(up); V(degraded), if something is not up; V(down), if none of its databases accepts
      connections; or V(unreachable), if it could not be read. A cluster without a database is never V(down).
    - C(summary) is the cluster in one line.
    - C(problem) contains the fault and the next step, in one sentence. It is an empty text if everything is up.
  type: dict
  sample:
    state: degraded
    summary: "exa-prod: nodes 4/5 online (off: n0015); services OK; databases 3/3 connectable; EAO 6.2.1 on n0010"
    problem: >-
      exa-prod: degraded: nodes n0015 offline: dbfleet.cluster.exa_cold_start -e target=exa-prod --check shows what
      would be done about it
"""

from typing import Any

from ..plugin_utils.fleet.condition import condition


class FilterModule:
    """The filter for results of the modules that read a cluster or domain."""

    def filters(self) -> dict[str, Any]:
        return {"condition": condition}

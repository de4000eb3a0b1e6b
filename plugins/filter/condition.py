# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: condition
short_description: Whether a cluster or domain is up, degraded, down or unreachable
version_added: 1.0.0
author:
  - dbfleet contributors
description:
  - Takes what M(dbfleet.cluster.exa_cluster_info) or M(dbfleet.cluster.nuodb_domain_info) returned, or how it failed.
  - Says in one word how the cluster is, and in one sentence what is wrong with it.
  - What was not gathered, or what the user may not read, is not judged.
positional: _input, name
options:
  _input:
    description:
      - The registered result of the module, which may have failed.
      - Of a cluster, its nodes, services and databases are judged; of a domain, its servers, databases, archives and
        processes, all of which must have been gathered.
    type: dict
    required: true
  name:
    description:
      - The name of the inventory host.
    type: str
    required: true
  ignore_nodes:
    description:
      - Nodes of an Exasol cluster that need not be online. Nodes that the cluster calls suspended need not be either.
    type: list
    elements: str
    default: []
seealso:
  - module: dbfleet.cluster.exa_cluster_info
  - module: dbfleet.cluster.nuodb_domain_info
"""

EXAMPLES = r"""
- name: Look at the cluster
  dbfleet.cluster.exa_cluster_info:
  register: exa
  failed_when: false

- name: Go on only where all of it is up
  ansible.builtin.assert:
    that: exa_condition.state == 'up'
    fail_msg: "{{ exa_condition.problem }}"
  vars:
    exa_condition: "{{ exa | dbfleet.cluster.condition(inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description:
    - C(state) is V(up); V(degraded), where something is not up; V(down), where none of its databases accepts
      connections; or V(unreachable), where it could not be read. A cluster without a database is never V(down).
    - C(summary) is the cluster in one line.
    - C(problem) is what is wrong and what to do next, in one sentence. It is an empty text where all is up.
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

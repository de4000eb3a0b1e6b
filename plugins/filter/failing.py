# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: failing
short_description: Select the hosts of failing clusters
version_added: 1.0.0
author:
  - dbfleet contributors
description:
  - Returns a host pattern for the keyword C(hosts) of a play after M(dbfleet.cluster.fleet_info), as in the role
    C(status). It matches the hosts of failing clusters, or none.
  - It reads the result of one host only, because all hosts have the same result.
positional: _input, hostvars
options:
  _input:
    description:
      - The hosts of the earlier play.
    type: list
    elements: str
    required: true
  hostvars:
    description:
      - Ansible's variable C(hostvars), if it is defined.
    type: dict
    required: true
  register:
    description:
      - The variable with the result of M(dbfleet.cluster.fleet_info).
    type: str
    default: status_fleet
seealso:
  - module: dbfleet.cluster.fleet_info
"""

EXAMPLES = r"""
- name: Report the failing clusters
  hosts: "{{ groups.all | dbfleet.cluster.failing(hostvars | default({})) }}"
  gather_facts: false
  tasks:
    - name: Tell somebody
      ansible.builtin.debug:
        msg: "{{ status_fleet.fleet[inventory_hostname].problem }}"
"""

RETURN = r"""
_value:
  description: The names of the hosts, or a pattern that matches none.
  type: list
  elements: str
  sample: [exa-test]
"""

from collections.abc import Iterable, Mapping
from typing import Any

NOBODY = ["all", "!all"]
"""A pattern that matches no host. ansible-core accepts it even if C(host_pattern_mismatch) is C(error)."""


def registered(hosts: Iterable[str], hostvars: Any, register: str) -> Mapping[str, Any]:
    """The result of a task that ran once for all hosts, so that each of them has it; empty if no host has it.

    :param hostvars: variables by host. They are read without templating, because Ansible would otherwise template a
        result of a thousand clusters once per host.
    """
    read = getattr(hostvars, "raw_get", None) or (lambda host: hostvars.get(host) or {})
    return next((given[register] for given in map(read, hosts) if register in given), {})


def failing(hosts: Iterable[str], hostvars: Any, register: str = "status_fleet") -> list[str]:
    """The hosts of the failing clusters, or a pattern that matches no host.

    :param hostvars: see C(registered).
    """
    found = registered(hosts, hostvars, register)
    return [*(found.get("failing") or []), *(found.get("elsewhere") or [])] or NOBODY


class FilterModule:
    """The filter for the keyword C(hosts)."""

    def filters(self) -> dict[str, Any]:
        return {"failing": failing}

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: waves
short_description: Return the waves of a maintenance from its plan
version_added: 1.0.0
author:
  - dbfleet contributors
description:
  - Returns the waves of a run for the keywords C(hosts) and C(serial) of the play that follows the plan.
  - Without a plan it is an error, because a run that begins in the middle would take down clusters that were not
    checked.
positional: _input, hostvars
options:
  _input:
    description:
      - The hosts of the inventory.
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
      - The variable with the result of M(dbfleet.cluster.maintenance).
    type: str
    default: maintenance_plan
seealso:
  - module: dbfleet.cluster.maintenance
"""

EXAMPLES = r"""
- name: Maintenance, wave by wave
  hosts: "{{ groups.all | dbfleet.cluster.waves(hostvars | default({})) | flatten }}"
  serial: "{{ groups.all | dbfleet.cluster.waves(hostvars | default({})) | map('length') }}"
  gather_facts: false
  roles:
    - role: dbfleet.cluster.maintenance
"""

RETURN = r"""
_value:
  description: The names of the hosts of each wave.
  type: list
  elements: list
  sample: [[exa-test], [exa-prod, nuo-prod]]
"""

from collections.abc import Iterable
from typing import Any

from ansible import context
from ansible.errors import AnsibleFilterError

from .failing import registered

LISTINGS = ("syntax", "listtasks", "listtags", "listhosts")
"""Options of ansible-playbook that run nothing."""


def waves(hosts: Iterable[str], hostvars: Any, register: str = "maintenance_plan") -> list[list[str]]:
    """The hosts of each wave.

    :param hostvars: variables by host.
    :raises AnsibleFilterError: there is no plan.
    """
    if any(context.CLIARGS.get(what) for what in LISTINGS):
        return [list(hosts)]
    found = registered(hosts, hostvars, register)
    if found.get("waves"):
        return [list(map(str, wave)) for wave in found["waves"]]
    raise AnsibleFilterError(
        "maintenance has no plan, because the task that makes it was left out (--start-at-task, --skip-tags), so "
        "nothing was done: run the playbook from its beginning [DBF-6704]"
    )


class FilterModule:
    """The filter for the keywords C(hosts) and C(serial)."""

    def filters(self) -> dict[str, Any]:
        return {"waves": waves}

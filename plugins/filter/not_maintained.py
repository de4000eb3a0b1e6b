# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: not_maintained
short_description: Select the hosts whose maintenance is not done
version_added: 1.0.0
author:
  - dbfleet contributors
description:
  - Returns the clusters of this run of C(maintenance) that are sick, did not reach their end or never began, for the
    keyword C(hosts) of the play in which they fail. If all are done, it returns a pattern that matches no host.
positional: _input
options:
  _input:
    description:
      - The hosts of the inventory.
    type: list
    elements: str
    required: true
seealso:
  - module: dbfleet.cluster.maintenance
"""

EXAMPLES = r"""
- name: Report the clusters that are not done
  hosts: "{{ groups.all | dbfleet.cluster.not_maintained }}"
  gather_facts: false
  tasks:
    - name: Tell somebody
      ansible.builtin.debug:
        msg: "{{ inventory_hostname }} is not done"
"""

RETURN = r"""
_value:
  description: The names of the hosts, or a pattern that matches none.
  type: list
  elements: str
  sample: [exa-test]
"""

from collections.abc import Iterable
from typing import Any

from ..plugin_utils.maintenance import ledger
from .failing import NOBODY


def not_maintained(hosts: Iterable[str]) -> list[str]:
    """The hosts of clusters whose maintenance is not done, or a pattern that matches no host."""
    known = set(hosts)
    return [host for host in ledger.left() if host in known] or NOBODY


class FilterModule:
    """The filter for the keyword C(hosts)."""

    def filters(self) -> dict[str, Any]:
        return {"not_maintained": not_maintained}

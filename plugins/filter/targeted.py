# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: targeted
short_description: Return the target hosts of a playbook, or an error
version_added: 1.0.0
author:
  - dbfleet contributors
description:
  - Returns the host pattern of a play, for its keyword C(hosts), if it matches at least one host of the run.
  - Without this filter, Ansible ends a play that matches no host with exit code 0 and a warning, and a job of AWX
    succeeds.
  - These cases are errors that end the run before its first task - no pattern, a pattern that matches no host, a
    pattern whose hosts C(--limit) excludes, and an extra variable that looks like a misspelt V(target) or V(confirm).
positional: _input, groups
options:
  _input:
    description:
      - The host pattern, or a list of patterns. In a text, separate patterns by commas or line breaks.
      - Null, an empty text and V(None) (the value of an unanswered prompt or survey) mean that there is no pattern.
    type: raw
    required: true
  groups:
    description:
      - All groups of the inventory, with their hosts - Ansible's variable C(groups).
    type: dict
    required: true
  limit:
    description:
      - The value of C(--limit) - Ansible's variable C(ansible_limit), if it is defined.
    type: str
    default: ''
seealso:
  - name: Patterns that target hosts and groups
    description: The syntax of host patterns.
    link: https://docs.ansible.com/ansible/latest/inventory_guide/intro_patterns.html
"""

EXAMPLES = r"""
- name: Start the named clusters
  hosts: "{{ target | default('') | dbfleet.cluster.targeted(groups, limit=ansible_limit | default('')) }}"
  gather_facts: false
  roles:
    - dbfleet.cluster.exa_cold_start
"""

RETURN = r"""
_value:
  description: The pattern; several patterns are separated by commas.
  type: str
"""

import atexit
import os
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from ansible import context
from ansible.errors import AnsibleError, AnsibleFilterError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.utils.vars import load_extra_vars

from ..module_utils._values import listed
from ..module_utils._wording import listing
from ..plugin_utils import bytecode, command_line
from ..plugin_utils.last_words import end_when_unread, leave

ACTIONS = "ansible_collections.dbfleet.cluster.plugins.action."
"""The package of the action plugins. The main process loads one of them before it runs one of our tasks."""

LISTINGS = ("syntax", "listtasks", "listtags")
"""Options of ansible-playbook that only list or check, so that the hosts don't matter."""


def targeted(target: Any, groups: Mapping[str, list[str]], limit: Any = "") -> str:
    """The host pattern of a play, if it matches a host of the run.

    :raises AnsibleFilterError: there is no pattern, or it matches none.
    """
    bytecode.use()
    end_when_unread()
    pattern = _pattern(target)
    if any(context.CLIARGS.get(what) for what in LISTINGS):
        return pattern or "all"
    slips = command_line.slips(map(str, load_extra_vars(DataLoader())))
    if slips:
        raise AnsibleFilterError(f"{'; '.join(slips)}; nothing was done [DBF-6805]")
    if not pattern:
        raise AnsibleFilterError(
            "no target is given, so nothing was done: name the clusters with -e target=PATTERN (a host, a group, any "
            "host pattern; all is every host of the inventory) [DBF-6802]"
        )
    matched = _matching(pattern, groups)
    if not matched:
        raise AnsibleFilterError(
            f"target {pattern} matches no host of the inventory, so nothing was done: "
            f"{_known(pattern, groups)} [DBF-6802]"
        )
    narrowed = _pattern(limit)
    if narrowed and not set(matched) & set(_matching(narrowed, groups)):
        raise AnsibleFilterError(
            f"--limit {narrowed} excludes every host of target {pattern} ({listing(matched)}), so nothing was done: "
            "give only one of the two, or give both the same hosts [DBF-6802]"
        )
    if context.CLIARGS.get("start_at_task"):
        atexit.register(_nothing_began, os.getpid())
    return pattern


def _nothing_began(main: int) -> None:
    """Reports at the end that no task ran, because ansible-playbook exits with 0 if C(--start-at-task) matches no task.

    :param main: the ID of the main process. Workers inherit the registration, and do nothing.
    """
    if os.getpid() == main and not any(name.startswith(ACTIONS) for name in sys.modules):
        says = f"no task is called {context.CLIARGS['start_at_task']!r}, so nothing was done"
        leave([f"ERROR: {says}: --list-tasks shows what --start-at-task can name [DBF-6807]"])


def _pattern(given: Any) -> str:
    return ",".join(map(str, listed(given)))


def _matching(pattern: str, groups: Mapping[str, list[str]]) -> list[str]:
    inventory = InventoryManager(loader=DataLoader(), sources=[], parse=False)
    for group, hosts in groups.items():
        inventory.add_group(group)
        for host in hosts:
            inventory.add_host(host, group)
    try:
        return [host.name for host in inventory.list_hosts(pattern)]
    except AnsibleError:  # from host_pattern_mismatch = error, whose message says less than ours
        return []


def _known(pattern: str, groups: Mapping[str, list[str]]) -> str:
    hosts = [*dict.fromkeys(groups.get("all", []))]
    if not hosts:
        return "the inventory has no hosts; name it with -i"
    close = get_close_matches(pattern, [*hosts, *groups], 1)
    return f"did you mean {close[0]}?" if close else f"it has {listing(hosts)}"


class FilterModule:
    """The filter for the keyword C(hosts)."""

    def filters(self) -> dict[str, Any]:
        return {"targeted": targeted}

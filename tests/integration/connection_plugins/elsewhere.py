# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection that is this machine, but goes by another name: modules must travel over it as to a bastion."""

from __future__ import annotations

from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: elsewhere
short_description: This machine, as if it were another
description: Runs commands here, with a transport that is not local.
options:
  become_success_timeout:
    type: int
    default: 10
    description: As in the plugin local.
    vars:
      - name: ansible_local_become_success_timeout
  become_strip_preamble:
    type: bool
    default: true
    description: As in the plugin local.
    vars:
      - name: ansible_local_become_strip_preamble
extends_documentation_fragment:
  - connection_pipelining
"""


class Connection(Local):
    """As local, by name another."""

    transport = "elsewhere"

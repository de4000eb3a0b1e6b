# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A way to become another user that stays the same one: modules must travel as with sudo, on any machine."""

from __future__ import annotations

from ansible.plugins.become import BecomeBase

DOCUMENTATION = """
name: same_user
short_description: Nobody else
description: Runs the command as who runs it already.
options:
  become_user:
    description: Is not looked at.
    default: root
    vars:
      - name: ansible_become_user
  become_exe:
    description: Is not looked at.
  become_flags:
    description: Is not looked at.
  become_pass:
    description: Is not looked at.
"""


class BecomeModule(BecomeBase):
    """As sudo, without it."""

    name = "same_user"

    def build_become_command(self, cmd, shell):
        super().build_become_command(cmd, shell)
        return self._build_success_command(cmd, shell) if cmd else cmd

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules support."""

from __future__ import annotations


class ModuleDocFragment:
    """The attributes that Ansible documents of a module."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the predicted result without changing anything.
    support: full
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing) in C(check_mode), when in diff mode.
    support: full
  action:
    description:
      - Runs in the controller's process when the connection is local, and shows its progress while it runs. Elsewhere,
        and with C(become), its progress lines are shown when it ends.
    support: full
  async:
    description:
      - Supports the C(async) keyword. It then runs as an ordinary module, and the result that
        M(ansible.builtin.async_status) fetches contains its progress lines in C(said).
    support: full
"""

    INFO = r"""
attributes:
  check_mode:
    support: full
    details: It only reads.
  diff_mode:
    support: N/A
    details: It changes nothing.
"""

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module waits, and previews."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that changes something and waits for it."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait for the end of what was begun.
      - Where one step must end before the next is safe, it is waited for anyway.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds until a wait has failed.
      - The failure carries the last state.
    type: float
    default: 1800
  wait_stable:
    description:
      - Seconds that the state must hold.
    type: float
    default: 0
  heartbeat:
    description:
      - Seconds without a progress line, at most; V(0) shows one only when something changed.
      - Falls back to the environment variable E(DBFLEET_HEARTBEAT).
    type: float
    default: 30
  assume:
    description:
      - Read under check mode only; what earlier tasks of the run would have left, as their C(predicted) says, merged.
      - A guard that they would satisfy then doesn't fail the preview. Without it, such a guard warns.
    type: dict
"""

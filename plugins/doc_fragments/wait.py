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
      - Whether to wait for the end of the started operations.
      - If one step must end before the next is safe, the task always waits for that step.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds after which a wait fails.
      - The failure contains the last state.
    type: float
    default: 1800
  wait_stable:
    description:
      - Seconds for which the state must last before the wait ends.
    type: float
    default: 0
  heartbeat:
    description:
      - Most seconds between progress lines. V(0) shows a line only when something changes.
      - Falls back to the environment variable E(DBFLEET_HEARTBEAT).
    type: float
    default: 30
  assume:
    description:
      - Used only in check mode. The merged C(predicted) results of earlier tasks of the run, which is the state that
        these tasks would leave.
      - A safety check that passes with this state doesn't fail the preview. Without this option, the check only warns.
    type: dict
  approved:
    description:
      - The steps of an approved plan, as lists of objects by the name of the step. A runbook with a saved plan sets it.
      - The task then refuses every other step before its call is sent. Without it, all steps are allowed.
    type: dict
"""

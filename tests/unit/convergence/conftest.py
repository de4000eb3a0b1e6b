# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stages that are run to their end, in a time that the test owns."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Settings
from ansible_collections.dbfleet.cluster.tests.unit.convergence.machines import Clock


@pytest.fixture
def run(time, task):
    """Runs stages to their end."""

    def go(*stages, check_mode=False, **settings):
        task.check_mode = check_mode
        return Converge(task, "exa-unit", Settings(**settings), time).run(list(stages))

    return go


@pytest.fixture
def clock():
    return Clock()

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups in a time that the test owns."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Settings
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups import taking


@pytest.fixture
def brought(task: Any, time: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Takes a stage to its end, in time that passes only where somebody waits."""
    monkeypatch.setattr(taking, "monotonic", time)
    return lambda stages, **more: Converge(task, "exa-unit", Settings(timeout=30, **more), clock=time).run(stages)

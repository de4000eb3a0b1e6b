# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the tests with power controllers: those of the integration tests, and what ends a controller."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from ansible_collections.dbfleet.cluster.tests.integration.conftest import ansible, simulate
from ansible_collections.dbfleet.cluster.tests.servers import authority
from controllers import Controller

__all__ = ["ansible", "authority", "simulate"]
"""Fixtures that stand elsewhere."""


@pytest.fixture
def controlled() -> Iterator[Callable[[Controller], Any]]:
    """Takes a controller, and ends it with the test."""
    running: list[Controller] = []

    def take(one: Controller) -> Controller:
        running.append(one)
        return one

    yield take
    for one in running:
        one.end()

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the tests over a bastion: those of the integration tests, and the bastion."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from ansible_collections.dbfleet.cluster.tests.integration.conftest import ansible, simulate
from ansible_collections.dbfleet.cluster.tests.servers import authority
from far_side import VERSIONS, FarSide, python, why_none

__all__ = ["ansible", "authority", "simulate"]
"""Fixtures that stand elsewhere."""


@pytest.fixture(scope="session")
def started() -> Iterator[FarSide]:
    """The far side of all tests; without one, those that need it are skipped."""
    reason = why_none()
    if reason:
        pytest.skip(reason)
    far = FarSide()
    yield far
    far.end()


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """A version of Python on the far side."""
    if not python(request.param):
        pytest.skip(f"there is no Python {request.param} for the far side")
    return str(request.param)


@pytest.fixture(params=[True, False], ids=["pipelining", "files"])
def pipelining(request: pytest.FixtureRequest) -> bool:
    """Whether modules travel by standard input; else as files of the far side."""
    return bool(request.param)


@pytest.fixture
def bastion(started: FarSide) -> Iterator[FarSide]:
    """The far side, on which no other test has left anything."""
    yield started
    started.settle()


@pytest.fixture
def newest() -> str:
    """One version of Python, where any would do."""
    return next(one for one in reversed(VERSIONS) if python(one))

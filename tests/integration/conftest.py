# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the integration tests: simulators that watch the safety rules, and ansible-playbook."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ansible_collections.dbfleet.cluster.tests.servers import authority, reply, serve, serve_v6
from world import Ansible, Simulator

__all__ = ["authority", "reply", "serve", "serve_v6"]
"""Fixtures that stand elsewhere."""


CONFIG = "[defaults]\ninternal_poll_interval = 0.02\n"
"""As docs/examples/ansible.cfg advises, but shorter, because a test has many short tasks. With Ansible's default, runs
that wait would take the processor from each other."""


def pytest_collection_modifyitems(items):
    """What waits begins first: at the end nothing would be left to be done meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("waits") is None)


@pytest.fixture
def simulate(tmp_path):
    """Starts simulators; at the end no safety rule may be broken in any, unless the test allows it by name."""
    running = []

    def start(*clusters, clock="seconds:1", arguments=(), broken=()):
        simulator = Simulator(tmp_path / f"simulator{len(running)}", list(clusters), clock, *arguments)
        running.append((simulator, set(broken)))
        return simulator

    yield start
    found = []
    for simulator, allowed in running:
        try:
            if simulator.process.is_alive():
                rules = [row for name in simulator.names for row in simulator.rules(name)]
                found += [row for row in rules if row["rule"] not in allowed]
        finally:
            simulator.stop()
    assert not found, f"safety rules were broken: {found}"


@pytest.fixture
def ansible(tmp_path, tmp_path_factory):
    """Runs playbooks."""
    shared = tmp_path_factory.getbasetemp() / "ansible"
    shared.mkdir(exist_ok=True)
    (shared / "ansible.cfg").write_text(CONFIG)
    runner = Ansible(tmp_path, shared)
    yield runner
    runner.end()

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs that documents name, each in one place."""

from __future__ import annotations

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd import known_jobs


def test_each_job_is_in_one_place():
    every = [name for table in (known_jobs.READING, known_jobs.CHANGING) for names in table.values() for name in names]
    assert len(every) == len(set(every))
    for table in (known_jobs.READING, known_jobs.CHANGING):
        assert all(list(names) == sorted(names) for names in table.values())


def test_the_simulator_agrees_on_what_changes_something():
    from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd import service
    from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd.catalogue import JOBS

    assert service
    differing = {name: kind.changing for name, kind in JOBS.items() if known_jobs.changes(name) is not kind.changing}
    assert differing == {}

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The view of the domain that a task's options ask for."""

from __future__ import annotations

from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import options


def test_assumptions_count_under_check_mode_only(new_task):
    from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import Memory

    domain = Memory(lambda: 0.0)
    known = {"databases": {"new": {"db_name": "new", "state": "RUNNING", "incarnation": [2, 0]}}}
    seen = options.view_of(new_task(True, assume=known), domain).look("databases", "archives")
    assert list(seen.databases) == ["new"]
    assert seen.databases["new"].incarnation == (2, 0)
    assert list(seen.archives) == [0, 1]
    assert list(options.view_of(new_task(False, assume=known), domain).look("databases").databases) == ["test"]

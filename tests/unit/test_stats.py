# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task leaves in the stats."""

from __future__ import annotations

from ansible.executor.stats import AggregateStats
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.stats import of_hosts


def test_it_merges_as_ansible_core_merges_it() -> None:
    stats = AggregateStats()
    for rows in ({"a": {"result": "ok"}}, {"b": {"result": "failed"}}, {"a": {"maintenance": {"wave": 1}}}):
        told = of_hosts(rows)["ansible_stats"]
        assert (told["per_host"], told["aggregate"]) == (False, True)
        for name, value in told["data"].items():
            stats.update_custom_stats(name, value)
    assert stats.custom["_run"] == {
        "dbfleet": {"a": {"result": "ok", "maintenance": {"wave": 1}}, "b": {"result": "failed"}}
    }

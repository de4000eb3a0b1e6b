# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that gives the waves of a maintenance to a play."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.dbfleet.cluster.plugins.filter.waves import FilterModule

waves = FilterModule().filters()["waves"]
PLAN = {"maintenance_plan": {"waves": [["b"], ["a", "c"]]}}


class Raw:
    """As ansible-core's hostvars, of which a template of one host would go through the variables of all."""

    def raw_get(self, host: str) -> dict[str, Any]:
        return PLAN if host == "b" else {}


def test_the_waves_of_the_plan(cli: Any) -> None:
    cli()
    assert waves(["z", "a", "b"], {"b": PLAN}) == [["b"], ["a", "c"]]
    assert waves(["z", "a", "b"], Raw()) == [["b"], ["a", "c"]]
    assert waves(["a"], {"a": {"mine": PLAN["maintenance_plan"]}}, register="mine") == [["b"], ["a", "c"]]


@pytest.mark.parametrize("hostvars", [{}, {"a": {}}, {"a": {"maintenance_plan": {"failed": True}}}])
def test_no_plan(cli: Any, hostvars: Any) -> None:
    cli()
    with pytest.raises(AnsibleFilterError, match="maintenance has no plan.*run the playbook from its beginning"):
        waves(["a"], hostvars)


def test_what_only_lists_needs_no_plan(cli: Any) -> None:
    cli(listtasks=True)
    assert waves(["a", "b"], {}) == [["a", "b"]]

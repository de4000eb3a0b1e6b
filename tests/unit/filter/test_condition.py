# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter is the function that a look at a fleet uses too."""

from __future__ import annotations

from ansible_collections.dbfleet.cluster.plugins.filter.condition import FilterModule
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet import condition


def test_the_filter_is_there_by_its_name() -> None:
    filters = FilterModule().filters()
    assert filters == {"condition": condition.condition}
    told = filters["condition"]({"failed": True, "failure": "unreachable", "msg": "exa: no route"}, "exa")
    assert (told["state"], told["summary"]) == ("unreachable", "exa: unreachable: no route")

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every route has a name."""

from __future__ import annotations

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.api.routes import ROUTES


def test_every_route_has_a_name_of_its_own_or_means_the_same() -> None:
    shared: dict[str, set[str]] = {}
    for route in ROUTES:
        shared.setdefault(route.name, set()).add("/".join(route.segments))
    several = {name for name, paths in shared.items() if len(paths) > 1}
    # a list and its rows
    assert all(name.startswith("GET ") for name in several)
    assert "GET databases/hotCopyStatus" in several

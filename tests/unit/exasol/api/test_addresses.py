# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many nodes some URLs can be of."""

from __future__ import annotations

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.addresses import places


def test_places():
    urls = ["https://n11:443", "https://n11:20003", "https://n12:443", "https://[::1]:8443", "https://[::1]:8444"]
    assert places(urls) == [("n11", None), ("n12", None), ("::1", 8443), ("::1", 8444)]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of nodes, as each server spells them."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.providers import eao_node


@pytest.mark.parametrize("name", ["n0011", "n11", "11", 11, " n0011 ", "n00011"])
def test_names_of_nodes(name):
    assert eao_node(name) == "n0011"


@pytest.mark.parametrize("name", ["", "node11", "n", "-1", None, True, "n0011x", "n1234567", 1.5, "n11\n12"])
def test_what_is_no_name(name):
    with pytest.raises(ClusterError, match="is not the name of a node"):
        eao_node(name)

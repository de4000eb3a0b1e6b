# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes at the wire: read, added and removed."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.nodes import WantedNode
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.nodes import ConfdNodeConfig
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.database_rows import DOCUMENTED, cluster, sent
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import result

LISTED = {"11": {"id": "11", "name": "n11", "private_net": "10.1.1.11/24"}, "12": {"id": "12", "bg_rec_limit": ""}}


def test_nodes_are_read_added_and_removed() -> None:
    volume = {"id": 0, "name": "Data", "nodes_list": [{"id": 12, "unrecovered_segments": 0}], "volume_nodes": [12, 13]}
    nodes = cluster(
        node_list=result(LISTED), db_list=result(["DB1"]), db_info=result(DOCUMENTED), st_volume_list=result([volume]),
    )  # fmt: skip
    one = ConfdNodeConfig(nodes.jobs(), lambda names: [int(name[1:]) for name in names])
    rows = one.read()
    assert {name: row.as_dict() for name, row in rows.items()} == {
        "n11": {"nid": 11, "priv_net": "10.1.1.11/24"}, "n12": {"nid": 12},
    }  # fmt: skip
    assert one.users() == {"n11": ["database DB1"], "n12": ["volume Data"], "13": ["volume Data"]}
    new = WantedNode(priv_net="10.1.1.14/24", nid=14, offline=True)
    one.check(new)
    one.add(new)
    assert sent(nodes) == {"priv_net": "10.1.1.14/24", "id": 14, "offline": True}
    one.remove(["n11", "n12"])
    assert sent(nodes) == {"nid": [11, 12]}
    one.remove(["n12"], force=True)
    assert sent(nodes) == {"nid": [12], "force": True}
    with pytest.raises(ClusterError, match="job node_add needs priv_net"):
        one.check(WantedNode(name="n15"))

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options say of databases, checked."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.configuration import WantedDatabase
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.options import named, wanted_of
from ansible_collections.dbfleet.cluster.tests.unit.exasol.databases.fake_api import Api, cluster


def test_config_is_checked() -> None:
    one = cluster(Api(None))
    assert wanted_of(one, {"nodes": ["11", "n12"], "owner": ["500", "exausers"], "port": None}) == WantedDatabase(
        {"owner": [500, "exausers"]}, ("n11", "n12")
    )
    with pytest.raises(ClusterError, match="neither a text nor a list"):
        wanted_of(one, {"params": {"-a": 1}})
    for odd, said in (
        ({"mem_size": "banana"}, "mem_size must be a size such as 64 GiB, not 'banana'"),
        ({"mem_size": "2g"}, "mem_size must be a size"),
        ({"mem_size": ""}, "mem_size must be a size"),
        ({"mem_size": "0"}, "mem_size must be a size"),
        ({"volume_quota": "2,5 GiB"}, "volume_quota must be a size"),
        ({"max_system_heap_memory": "much"}, "max_system_heap_memory must be a size"),
        ({"port": 99999}, "port is 99999, but must be from 1 to 65535"),
        ({"port": 0}, "port is 0, but must"),
        ({"volume_move_delay": -1}, "volume_move_delay is -1, but must be 0 or more"),
    ):
        with pytest.raises(ClusterError, match=said):
            wanted_of(one, odd)
    fine = {"mem_size": "1.5 GiB", "volume_quota": "0", "max_system_heap_memory": "default", "port": 65535}
    assert wanted_of(one, fine).values == fine
    for names in ([""], ["DB1", " "]):
        with pytest.raises(ClusterError, match="a name is empty"):
            named(one, names, "present")
    with pytest.raises(ClusterError, match="no node n99"):
        wanted_of(one, {"nodes": ["n99"]})

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of volumes, checked."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.tests.unit.exasol.volumes.fake_api import VOL, Api, Cluster, brought, refused


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"name": [""]}, "name is empty"),
        ({"size": "10"}, "size: '10' is not a size with its unit"),
        ({"size": "0 GiB"}, "is not a size"),
        ({"permissions": "777"}, "is not of the form rwx------"),
        ({"owner": [1]}, "owner must be two ids: that of a user and that of a group"),
        ({"priority": 21}, "priority must be from 0 to 20, not 21"),
        ({"redundancy": 0}, "redundancy must be from 1"),
        ({"labels": ["a"], "absent_labels": ["a"]}, "label 'a' is in labels and in absent_labels"),
        ({"size": "1 GiB", "state": "locked"}, "size has no effect with state=locked"),
        ({"app_io": False, "labels": ["x"], "state": "unlocked"}, "labels and app_io have no effect with state"),
        ({"redundancy": 1, "nodes": ["n11"], "state": "cleared"}, "redundancy has no effect with state=cleared"),
        ({"labels": [""]}, "a label is empty"),
        ({"absent_labels": [" "]}, "a label is empty"),
        ({"num_bytes": 2**31, "state": "cleared"}, "2147483648 is more than XML-RPC can write .2147483647.; 0 clears"),
        ({"nodes": []}, "nodes is empty"),
        ({"nodes": [], "state": "cleared", "confirm": ["Vol"]}, "nodes is empty"),
        ({"num_bytes": -1}, "num_bytes must be 0, for all bytes, or more"),
        ({"num_bytes": True}, "num_bytes must be 0, for all bytes, or more"),
        ({"priority": True}, "priority must be from 0 to 20, not True"),
        ({"name": ["New\nOther"]}, r"volume 'New.nOther': the name contains an invisible character"),
    ],
)
def test_options_that_make_no_sense(new_task, given, why):
    with pytest.raises(ClusterError, match=f"^exa-unit: .*{why}"):
        brought(new_task, Cluster(Api(VOL)), **given)


# -- what is refused; each changes nothing


def test_what_a_volume_cannot_become(new_task):
    for given, why in (
        ({"type": "archive"}, "its type is data, not archive"),
        ({"disk": "disk2"}, "its disk is disk1, not disk2"),
        ({"num_master_nodes": 2}, "its num_master_nodes is 3, not 2"),
        ({"redundancy": 4}, "redundancy 4 needs at least as many nodes, and the volume is on only 3"),
        ({"readonly_users": ["x"]}, "can't compare its readonly_users"),
    ):
        assert why in refused(new_task, Api(VOL), **given).message
    poor = VOL.with_(labels=None, app_io=None)
    why = refused(new_task, Api(poor), labels=["x"], app_io=True).message
    assert "can't compare its app_io labels, because" in why

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a volume is, in how many copies, and how big."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.providers import CONFD
from ansible_collections.dbfleet.cluster.tests.unit.exasol.volumes.fake_api import (
    GIB,
    VOL,
    Api,
    Cluster,
    brought,
    refused,
)


def test_redundancy_goes_down_before_nodes_come_and_up_after(new_task):
    api = Api(VOL)
    brought(new_task, Cluster(api), redundancy=1, nodes=["n11", "n12", "n13", "n14"])
    brought(new_task, Cluster(api), redundancy=2, nodes=["all"])
    assert [row[0] for row in api.did] == ["redundancy", "append", "append", "redundancy"]


def test_a_new_volume(new_task):
    api = Api(VOL)
    new = {"name": "New", "size": "10 GiB", "disk": "d", "nodes": ["n14", "n15"], "redundancy": 2, "labels": ["x"]}
    assert brought(new_task, Cluster(api), **new).steps == ["create", "add_labels"]
    assert not brought(new_task, Cluster(api), **new).changed
    for name in new.keys() - {"name", "labels"}:
        with pytest.raises(Refused, match=f"to create it, give {name}"):
            brought(new_task, Cluster(Api()), **{key: value for key, value in new.items() if key != name})
    with pytest.raises(Refused, match="no such volume .did you mean Vol..; to create it, give disk nodes"):
        brought(new_task, Cluster(api), name="Voll")
    with pytest.raises(Refused, match="2 nodes are too few for redundancy 3"):
        brought(new_task, Cluster(Api()), **{**new, "redundancy": 3})
    with pytest.raises(Refused, match="is not possible, because sizes change in steps of 4 KiB"):
        brought(new_task, Cluster(Api()), **{**new, "size": "10241 B"})


def test_names_kept_as_labels_that_nobody_tells(new_task):
    """Each run would create one more."""
    api = Api(VOL.with_(labels=None))
    api.names_are_labels = True
    new = {"name": "New", "size": "10 GiB", "disk": "d", "nodes": ["n14"], "redundancy": 1}
    with pytest.raises(Refused, match="this server doesn't report labels: the next run would create another volume"):
        brought(new_task, Cluster(api), **new)
    assert api.did == []


# -- what is refused; each changes nothing


def test_sizes_that_cannot_be_had(new_task):
    refusal = refused(new_task, Api(VOL.with_(block=None)), size="30.5 GiB")
    assert "is not possible, because sizes change in steps of 1 GiB" in refusal.message
    assert "the nearest sizes are" in str(refusal.hint)
    assert "reports no size that can be read" in refused(new_task, Api(VOL.with_(size=None)), size="1 GiB").message


def test_a_size_is_rounded_down_to_whole_blocks(new_task):
    api = Api(VOL)
    assert brought(new_task, Cluster(api), size="100 GiB").changed
    assert 0 <= 100 * GIB - api.rows[0].size < VOL.grain
    assert not brought(new_task, Cluster(api), size="100 GiB").changed


def test_what_the_server_has_rounded_is_right(new_task):
    for size in (30 * GIB + 262144, 30 * GIB - 4096):
        assert not brought(new_task, Cluster(Api(VOL.with_(size=size))), size="30 GiB").changed


def test_a_volume_is_made_smaller_only_where_that_is_meant(new_task):
    refusal = refused(new_task, Api(VOL), size="20 GiB")
    assert "its size is 30 GiB and would shrink to 20 GiB" in refusal.message
    assert "allow_shrink" in str(refusal.hint)
    api = Api(VOL)
    brought(new_task, Cluster(api), size="15 GiB", allow_shrink=True)
    assert api.did == [("resize", "Vol", 15 * GIB)]
    grown = {"nodes": ["all"], "redundancy": 1}
    small = refused(new_task, Api(VOL), size="40 GiB", **grown).message
    assert "its size is 50 GiB" in small, "nodes make it grow first"


def test_nodes_that_cannot_leave_or_come(new_task):
    refusal = refused(new_task, Api(VOL), nodes=["n11", "n14"])
    assert "2 would leave and 1 would come" in refusal.message
    refusal = refused(new_task, Api(VOL), nodes=["n11", "n12", "n13", "n14"])
    assert "1 more node is too few: with redundancy 2" in refusal.message
    off = Cluster(api := Api(VOL), off=("n14",))
    refusal = refused(new_task, api, cluster=off, nodes=["n11", "n12", "n14"])
    assert "n14 is offline or suspended, and segments can move only to nodes that take part" in refusal.message
    resting = Cluster(api)
    resting.provider = replace(CONFD, tells_nodes_together=False)  # as EXAoperation
    resting.node_is_suspended = lambda node: node == "n14"  # type: ignore[attr-defined]
    assert "n14 is offline or suspended" in refused(new_task, api, cluster=resting, nodes=["n11", "n12", "n14"]).message
    new = {"name": "New", "size": "1 GiB", "disk": "d", "nodes": ["n14"], "redundancy": 1}
    assert "n14 is offline or suspended" in refused(new_task, api, cluster=off, **new).message


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"redundancy": 1, "state": "OFFLINE", "away": ("n13 OFFLINE",)}, "OFFLINE (n13 OFFLINE)"),
        ({"redundancy": 1, "state": "DEGRADED", "away": ("n13 OFFLINE",)}, "DEGRADED (n13 OFFLINE)"),
        ({"redundancy": 1, "state": "OFFLINE", "away": ("n12 OFFLINE",)}, "OFFLINE (n12 OFFLINE)"),
        ({"state": "LOCKED", "copies": {"0": ()}, "away": ("n13 OFFLINE",)}, "LOCKED (n13 OFFLINE)"),
        ({"state": "OFFLINE"}, "OFFLINE"),  # EXAoperation tells no more
    ],
)
def test_an_only_copy_is_not_left_behind(new_task, row, said):
    refusal = refused(new_task, Api(VOL.with_(**row)), nodes=["n11", "n12", "n14"])
    assert f"its segments aren't moved while it is {said}: data that no other node has" in refusal.message
    assert "nothing overrides this" in str(refusal.hint)


def test_what_another_node_has_too_leaves_a_node_that_is_off(new_task):
    api = Api(VOL.with_(state="DEGRADED", away=("n13 OFFLINE",)))
    api.then = [{}, {}, {"state": "ONLINE", "away": ()}]
    brought(new_task, Cluster(api), nodes=["n11", "n12", "n14"])
    assert api.did == [("move", "Vol", [("n13", "n14")])]


def test_redundancy_stays_while_a_segment_is_away(new_task):
    degraded = VOL.with_(state="DEGRADED", away=("n12 OFFLINE",))
    refusal = refused(new_task, Api(degraded), redundancy=1)
    assert "isn't lowered while it is DEGRADED (n12 OFFLINE)" in refusal.message
    assert "nothing overrides this" in str(refusal.hint)


def test_nothing_is_copied_from_a_volume_that_nobody_can_read(new_task):
    """Of two volumes, one of which can't have more copies, none is changed; one that lacks a copy alone can have it."""
    api = Api(VOL, VOL.with_(id=2, name="Off", state="OFFLINE", redundancy=1, away=("n13 OFFLINE",)))
    refusal = refused(new_task, api, name=["Vol", "Off"], redundancy=3)
    assert "Off: its redundancy isn't raised while it is OFFLINE (n13 OFFLINE)" in refusal.message
    lost = Api(VOL.with_(state="LOCKED", away=("n13 OFFLINE",), copies={"0": ("n11",), "1": ()}))
    assert "isn't raised while it is LOCKED (n13 OFFLINE)" in refused(new_task, lost, redundancy=3).message
    degraded = Api(VOL.with_(state="DEGRADED", away=("n13 OFFLINE",)))
    assert brought(new_task, Cluster(degraded), check=True, redundancy=3).steps == ["raise"]

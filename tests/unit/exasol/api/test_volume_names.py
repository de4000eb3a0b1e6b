# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which volume a name or a number means."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, NoSuchObject
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.volumes import Volume
from ansible_collections.dbfleet.cluster.tests.unit.exasol.volumes.fake_api import VOL, Api, Cluster, brought, refused


@pytest.mark.parametrize("name", ["Vol", "1", "v0001"])
def test_a_volume_by_name_and_number(new_task, name):
    api = Api(VOL)
    assert brought(new_task, Cluster(api), name=name, state="locked").rows[name]["state"] == "LOCKED"


def test_names_that_mean_nothing_or_too_much(new_task):
    with pytest.raises(NoSuchObject, match="there is no volume Voll .did you mean Vol..; there are: Vol"):
        brought(new_task, Cluster(Api(VOL)), name="Voll", state="locked")
    with pytest.raises(NoSuchObject, match="there is no volume v0007.*; the cluster itself chooses the numbers"):
        brought(new_task, Cluster(Api(VOL)), name="v0007", size="1 GiB")
    with pytest.raises(ClusterError, match="named twice, by name and by number"):
        brought(new_task, Cluster(Api(VOL)), name=["Vol", "1"])
    with pytest.raises(ClusterError, match="several volumes are called x: v0001 v0002"):
        brought(new_task, Cluster(Api(VOL.with_(also=("x",)), VOL.with_(id=2, also=("x",)))), name="x")
    with pytest.raises(NoSuchObject, match="there is no node n99"):
        brought(new_task, Cluster(Api(VOL)), nodes=["n99"])


@pytest.mark.parametrize(
    "given", [{"state": "cleared"}, {"state": "absent"}, {"size": "1 GiB", "allow_shrink": True}], ids=str
)
def test_a_name_that_is_the_number_of_another_volume(new_task, given):
    api = Api(VOL, VOL.with_(id=5, name="v0001"))
    confirm = {} if "size" in given else {"confirm": ["v0001", "Vol"]}
    refusal = refused(new_task, api, name="v0001", **given, **confirm)
    assert "v0001 is the name of one volume and also means Vol, so data" in refusal.message
    assert refusal.hint == "write v0005 for the volume with the name v0001, and its own name for the other"
    assert brought(new_task, Cluster(api), name="v0001", priority=1).changed
    assert api.did == [("priority", "v0001", 1)]
    assert brought(new_task, Cluster(api), name="v0005", **given, **confirm).changed
    assert {row[1] for row in api.did} == {"v0001"}


def test_another_volume_with_the_number_of_the_one_that_is_gone(new_task):
    """The one that was meant is gone, and that is all that was wanted."""

    def and_another(api: Api, delete: Any, other: dict[str, Any], volume: Volume) -> None:
        delete(volume)
        api.rows.append(VOL.with_(**{"id": 5, **other}))

    for other in ({"name": "Other"}, {"name": "v0005", "id": 1}):
        api = Api(VOL.with_(id=5, name="v0001"), VOL.with_(id=7))
        api.delete = partial(and_another, api, api.delete, other)
        done = brought(new_task, Cluster(api), name="v0001", state="absent", confirm=["v0001"])
        assert (api.did, done.rows) == ([("delete", "v0001")], {"v0001": None})


def test_a_volume_is_followed_while_its_name_changes(new_task):
    api = Api(VOL.with_(also=("old",)))
    api.set_labels = lambda row, _add, _gone: api._becomes("labels", row, name="v0001", labels=(), also=())
    done = brought(new_task, Cluster(api), name="1", absent_labels=["#Name#Vol", "pub:x", "old"])
    assert done.rows["1"]["labels"] == []
    api = Api(VOL.with_(name="v0001", also=("old",), labels=("old",)))
    done = brought(new_task, Cluster(api), name="old", absent_labels=["old"])
    assert done.rows["old"]["labels"] == []

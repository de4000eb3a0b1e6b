# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels that are kept because they are the volume's name."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Refused
from ansible_collections.dbfleet.cluster.tests.unit.exasol.volumes.fake_api import VOL, Api, Cluster, brought


def labelled(*labels: str) -> Api:
    """Numbered volumes, of which one has these labels."""
    api = Api(VOL.with_(id=1, name="v0001", labels=labels, also=("v0001", *labels)))
    api.names_are_labels = True
    return api


def test_the_label_that_is_the_name_stays(new_task):
    api = labelled("sales", "old")
    assert brought(new_task, Cluster(api), name="sales", labels=["new"], exact_labels=True).changed
    assert api.rows[0].labels == ("sales", "new")
    api = labelled("sales", "old")
    assert brought(new_task, Cluster(api), name="v0001", exact_labels=True).changed
    assert api.rows[0].labels == (), "it is asked for by its number, and stays to be found by that"


@pytest.mark.parametrize(
    ("labels", "name", "gone"),
    [(("sales",), "sales", "sales"), (("#Name#sales", "old"), "sales", "#Name#sales")],
)
def test_nobody_takes_the_name_away_by_which_it_is_called(new_task, labels, name, gone):
    api = labelled(*labels)
    api.rows = [api.rows[0].with_(name=name if "#" in gone else "v0001")]
    with pytest.raises(Refused, match=f"the label {gone} is its name, and without that label the next run") as caught:
        brought(new_task, Cluster(api), name=name, absent_labels=[gone])
    assert (api.did, caught.value.hint) == ([], "to remove the label, name the volume by its number (v0001)")
    assert brought(new_task, Cluster(api), name="v0001", absent_labels=[gone]).changed


def test_a_label_like_the_name_is_one_where_another_gives_the_name(new_task):
    api = labelled("#Name#sales", "sales")
    api.rows = [api.rows[0].with_(name="sales")]
    assert brought(new_task, Cluster(api), name="sales", exact_labels=True).changed
    assert api.rows[0].labels == ("#Name#sales",)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What exa_remote_volume asks for, checked."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.tests.unit.exasol.volumes.fake_api import REMOTE, Cluster, RemoteApi, remote


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            {"name": "Voll"},
            "there is no such remote volume .did you mean Vol..; to add it, give vol_type url",
        ),
        ({"name": "r0007", "url": "x"}, "there is no remote volume r0007"),
        ({"name": " "}, "name is empty"),
        ({"name": "New", "vol_type": "s3", "url": ""}, "New: url is empty"),
        ({"labels": ["a", ""]}, "Vol: a label is empty"),
        ({"remote_volume_id": 7}, "must be at least 10000, not 7"),
        ({"name": "New", "vol_type": "file"}, "New: no such type"),
        ({"s3_access_key": "AK"}, "Vol: s3_access_key is given alone, but both keys are needed"),
        ({"s3_secret_key": "SK"}, "Vol: s3_secret_key is given alone"),
        ({"s3_access_key": "AK", "s3_secret_key": "SK", "username": "u"}, "give username or s3_access_key, not both"),
        ({"s3_access_key": "AK", "s3_secret_key": "SK", "vol_type": "gs"}, "s3_access_key is for vol_type s3, not gs"),
    ],
)
def test_bad_options_of_remote_volumes(new_task, given, why):
    with pytest.raises(ClusterError, match=f"^exa-unit: .*{why}"):
        remote(new_task, Cluster(RemoteApi(REMOTE)), **given)

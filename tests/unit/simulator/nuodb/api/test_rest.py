# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nonsense is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.nuodb.api.routes import ROUTES
from ansible_collections.dbfleet.cluster.tests.unit.simulator.nuodb.conftest import Lab

ODD: list[Any] = [None, True, -1, 1.5, "", "x", [], ["x"], [{}], {}, {"x": None}, {"0": []}, {"server0": "x"}]
WORDS = (
    "archiveId archiveIds alias authorizedRequests backupLocations backupSetDirs certificatePem commits "
    "currentTargetStoragePassword databaseDbaPassword databaseDbaUser dbName defaultBackupLocation defaultBackupSetDir "
    "defaultOptions defaultRegionId demoteStorageGroups encodedLicense engineType epoch expectedAbsent "
    "expectedIncarnation expectedValue host hostAssignments isGlobal journalPath labels lbQuery leaders message name "
    "newTargetStoragePassword newValue overrideOptions path regionId restored reusable roles serverId sgName shared "
    "smHosts storageGroupObservers subRoles teHosts timeoutSec type"
)
FIELDS = WORDS.split()


@pytest.mark.parametrize("seed", range(4))
def test_nonsense_is_answered(lab: Callable[..., Lab], seed: int) -> None:
    import random

    draw = random.Random(seed)
    right = {"dbName": "test", "host": "server0", "archiveId": 0, "sgName": "A", "path": "/p", "type": "full"}
    one = lab(clock="immediate")
    for route in ROUTES:
        for _turn in range(12):
            body = {**right, **{name: draw.choice(ODD) for name in draw.sample(FIELDS, 6)}}
            path = "/".join(draw.choice(["test", "0", "x"]) if step[0] == "{" else step for step in route.segments)
            query = draw.choice(["", "?timeout=x", "?limit=-1", "?orderBy=,&filterBy=", "?kill=maybe", "?purge=True"])
            reply = one.send(route.method, path + query, body)
            assert reply.status in (200, 400, 403, 404, 408, 409, 401, 503), (route, body, reply)
            if reply.status == 401:
                one = lab(clock="immediate")
            if reply.status == 503:
                one = lab(clock="immediate")

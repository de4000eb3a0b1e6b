# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nuodb_hotcopy at the wire."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.ap import DONE, Ap


@pytest.fixture
def ap():
    found = Ap()
    found.stages = [{}, {"stage": 2, "message": "Stage2: Copy"}, DONE]
    return found


@pytest.fixture
def go(bring, ap):
    def run(check_mode=False, **given):
        return bring("nuodb_hotcopy", ap.domain, check_mode, **{"db_name": "test", **given})

    return run

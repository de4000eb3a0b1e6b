# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interface of volumes is whole, and shows no password."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.volumes import VolumeApi, without_password
from ansible_collections.dbfleet.cluster.tests.unit.exasol.volumes.fake_api import Api


def test_the_interface_is_whole():
    assert {name for name in dir(VolumeApi) if not name.startswith("_")} - {"news"} <= set(dir(Api))


@pytest.mark.parametrize("url", ["https://h/x", "https://me@h:8/x", "", None, "smb://h/x"])
def test_urls_without_a_password(url):
    assert without_password(url) == url

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters with volumes, and how EXAoperation calls them."""

from __future__ import annotations

from typing import Any

from ansible_collections.dbfleet.cluster.tests.unit.simulator.conftest import UP, Lab

STORAGE, VOLUME = "/storage", "/storage/v0002"
SPARE: dict[str, Any] = {
    **UP,
    "nodes": {name: {"state": "online"} for name in ("n0011", "n0012", "n0013", "n0014")},
    "databases": {"DB1": {"nodes": ["n0011", "n0012"]}, "DB2": {"state": "running", "nodes": ["n0011", "n0012"]}},
    "volumes": {
        "v0000": {"nodes": ["n0011", "n0012"]},
        "v0001": {"nodes": ["n0011", "n0012"], "redundancy": 2},
        "v0002": {"kind": "archive", "nodes": ["n0011", "n0012"], "size": "50 GiB", "redundancy": 2},
    },
    "remote_volumes": {"remote1": {"url": "ftp://10.0.0.9:2021/v0001"}},
}


def info(one: Lab, volume: Any = "v0002") -> dict[str, Any]:
    return dict(one.call(STORAGE, "getVolumeInfo", volume))

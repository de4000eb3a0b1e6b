# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy of a cluster, made of its report, is like the cluster."""

from __future__ import annotations

import pytest
from world import cluster, confd

INFO = "dbfleet.cluster.exa_cluster_info"
SECRET = "url-password"

FULL = {
    "bid": 11, "level": 0, "volume": "RemoteVolume1", "timestamp": "2026-11-01 03:00", "expire": "2026-12-01 03:00",
    "usage": "1.5 GiB", "id": "10001 DB1/id_11/level_0/node_0/backup_202611010300 DB1",
}  # fmt: skip
SCHEDULE = {"volume": "RemoteVolume1", "level": 0, "expire": "1w 3d", "hour": "3", "weekday": "1-6", "enabled": False}
REMOTE = {"vol_type": "ftp", "url": f"ftp://bob:{SECRET}@h/x", "username": "bob", "labels": ["far"]}


def rich(provider, **settings):
    """A cluster of which much is to be told."""
    node = (lambda number: f"n{number}") if provider == "confd" else (lambda number: f"n{number:04d}")
    more = {
        "databases": {
            "DB1": {
                "state": "running", "nodes": [node(11), node(12)], "reserve": [node(13)], "data_volume_name": "Data",
            },
            "DB2": {"state": "setup", "nodes": [node(13)], "data_volume_name": "Data"},
        },
        "volumes": {
            "Data": {"id": 7, "redundancy": 2, "size": "9 GiB", "nodes": [node(11), node(12), node(13)], "priority": 0},
            "Arch": {"id": 3, "kind": "archive", "nodes": [node(11)], "size": "3 GiB", "labels": ["old"]},
        },
        "remote_volumes": {"RemoteVolume1": REMOTE},
        "backups": {"DB1": [FULL, {**FULL, "bid": 12, "level": 1, "dependencies": "11"}]},
        "schedules": {"DB1": {"nightly": SCHEDULE} if provider == "confd" else [SCHEDULE]},
        "settings": settings,
    }  # fmt: skip
    if provider == "confd":
        return confd(nodes=4, **more)
    return cluster(nodes=4, up=True, **more)


@pytest.mark.parametrize(
    ("provider", "settings"),
    [
        ("confd", {}), ("confd", {"parameter_names": "6.2"}),
        ("exaoperation", {}), ("exaoperation", {"remote_state": "list"}),
    ],
)  # fmt: skip
def test_a_copy_is_like_its_original(simulate, ansible, provider, settings):
    ask = [{"name": "ask", INFO: {"gather": "all", "cluster_name": "same"}}]
    original = simulate(rich(provider, **settings))
    first = ansible.run(ask, original.inventory()).ok()
    told = first.one("ask")["cluster"]
    assert original.changes() == []
    assert SECRET not in first.out
    assert SECRET not in str(told)
    assert set(told["databases"]["DB1"]["nodes"]) == {"n11", "n12"} or provider != "confd"
    assert told["databases"]["DB1"]["reserve"]
    assert told["databases"]["DB1"]["data_volume_name"]
    assert [row["bid"] for row in told["backups"]["DB1"]] == [11, 12]
    assert len(told["volumes"]) == 2

    shape = confd(nodes=4) if provider == "confd" else cluster(nodes=4)
    copy = simulate({**{key: shape[key] for key in ("timing", "addresses", "ports") if key in shape}, **told})
    again = ansible.run(ask, copy.inventory()).ok().one("ask")["cluster"]
    assert again == told


def test_a_part_that_the_server_has_not_is_refused_by_name(simulate, ansible):
    simulator = simulate(cluster(up=True))
    run = ansible.run([{"name": "ask", INFO: {"gather": ["settings"]}}], simulator.inventory()).failed()
    run.said_well()
    assert run.one("ask")["failure"] == "unsupported"

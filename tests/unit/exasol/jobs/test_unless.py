# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the output of a reading job is what is wanted."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.jobs.unless import ABSENT, contains, equal, part
from hypothesis import given, strategies as st

INFO = {"nodes": {"active": ["n11", "n12"], "failed": []}, "usage": [{"host": "n11", "size": "10 GiB"}], "quota": 0}
BACKUPS = [
    {"bid": 11, "level": 0, "usable": True, "volume": "RemoteVolume1"},
    {"bid": 12, "level": 1, "usable": False, "volume": "RemoteVolume1"},
]


@pytest.mark.parametrize(
    ("at", "found"),
    [
        ("", INFO),
        ("nodes.active", ["n11", "n12"]),
        ("nodes.active.1", "n12"),
        ("usage.0.host", "n11"),
        ("quota", 0),
        ("nodes.active.2", ABSENT),
        ("nodes.none", ABSENT),
        ("quota.x", ABSENT),
        ("nodes.active.-1", ABSENT),
    ],
)
def test_part(at, found):
    assert part(INFO, at) == found


@pytest.mark.parametrize(
    ("found", "wanted", "same"),
    [
        ("running", "running", True),
        ("running", "Running", False),
        (10, "10", True),
        (10, 10.5, False),
        (True, "yes", True),
        (True, "True", True),
        (True, 1, False),
        (False, "", False),
        (False, "off", False),
        (None, None, True),
        ([], [], True),
        (["a", 1], ["a", "1"], True),
        (["a"], ["a", "a"], False),
        ({"11": "online"}, {11: "online"}, True),
        ({"11": "online"}, {}, False),
        (ABSENT, "x", False),
        (["a"], "a", False),
    ],
)
def test_equal(found, wanted, same):
    assert equal(found, wanted) is same


@pytest.mark.parametrize(
    ("found", "wanted", "there"),
    [
        (["bfs1", "bfs21"], "bfs2", False),
        (["bfs1", "bfs2"], "bfs2", True),
        (["bfs1", "bfs2"], ["bfs2", "bfs1"], True),
        (["bfs1", "bfs2"], ["bfs2", "bfs3"], False),
        (BACKUPS, {"level": "0", "volume": "RemoteVolume1"}, True),
        (BACKUPS, {"level": 1, "usable": True}, False),
        (BACKUPS, [{"level": 0}, {"level": 1}], True),
        (BACKUPS, {"nothing": 1}, False),
        ({"admin": {"groups": ["exaadm"]}}, "admin", True),
        ({"admin": {}}, "dba", False),
        ({"admin": {"groups": ["exaadm", "exausers"]}}, {"admin": {"groups": ["exausers"]}}, True),
        ({"admin": {"groups": ["exaadm"]}}, {"admin": {"groups": ["exausers"]}}, False),
        ({"11": "online"}, 11, True),
        ("a long text", "long", True),
        ("a long text", ["long"], False),
        (7, 7, True),
        (None, "x", False),
        (ABSENT, "x", False),
        (ABSENT, {"x": 1}, False),
        ([], "x", False),
    ],
)
def test_contains(found, wanted, there):
    assert contains(found, wanted) is there


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_anything_can_be_compared(found, wanted):
    assert equal(found, found)
    assert contains([found], [found])
    there, other = wanted, found
    assert equal(found, wanted) == equal(there, other)
    assert contains(found, wanted) in (True, False)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nuodb_hotcopy asks for, checked."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, NoSuchObject
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.hotcopies.wanted import HotCopy, WantedHotCopy


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ({"backup_dirs": {"7": "/b"}}, NoSuchObject, "test has no archive 7; it has 0 1"),
        ({"default_backup_dir": "/b", "db_name": "tst"}, NoSuchObject, r"no database tst \(did you mean test\?\)"),
        ({}, ClusterError, "no directory is given for the hot copy"),
        ({"backup_dirs": {"a": "/b"}}, ClusterError, "'a' is not an archive ID"),
        ({"default_backup_dir": "/b", "type": "simple", "shared": True}, ClusterError, "shared"),
        ({"default_backup_dir": "/b", "max_rate": 0}, ClusterError, "more than 0"),
        ({"default_backup_dir": "/b", "on_running": "wait", "wait": False}, ClusterError, "can't wait with wait=false"),
    ],
)
def test_options_that_make_no_sense(go, ap, given, kind, says):
    with pytest.raises(kind, match=says):
        go(**given)
    assert ap.changes == []


@pytest.mark.parametrize(
    ("directory", "path", "wanted"),
    [
        ("/b", "/b", True),
        ("/b/", "/b/tmp/full/data", True),
        ("/b", "/b2", False),
        ("/", "/b/full", True),
        ("/full", "/full/x", True),
        ("/b", "/b/tmp/1.inc/data", False),
        ("/b", "/b/tmp/2.jnl/data", False),
        ("/b", "/b/incremental/tmp/full/data", True),  # a set of its own, of which is_of has to tell
    ],
)
def test_which_directory_is_the_wanted_one(directory, path, wanted):
    assert WantedHotCopy("test", "full", directory).holds(HotCopy("0", "1", "running", directory=path)) is wanted

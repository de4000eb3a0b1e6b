# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress never lands in output that a program reads."""

from __future__ import annotations

import pytest
from ansible import constants
from ansible.utils.display import Display
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import progress


@pytest.mark.parametrize(
    ("given", "place", "wrong"),
    [(None, "auto", False), ("", "auto", False), (" STDERR ", "stderr", False), (False, "off", False),
     ("off", "off", False), ("nowhere", "auto", True), (True, "auto", True), (7, "auto", True)],
)  # fmt: skip
def test_the_place_that_a_variable_names(given, place, wrong):
    told = {"dbfleet_progress": given}
    assert progress.place_of(told) == place
    assert bool(progress.problems(told)) is wrong
    assert all("must be one of auto, stdout, stderr, off" in text for text in progress.problems(told))


@pytest.mark.parametrize(
    ("callback", "place", "seen"),
    [("default", "auto", [False]), ("ansible.posix.json", "auto", [True]), ("jsonl", "auto", [True]),
     ("ansible.posix.json", "stdout", [False]), ("default", "stderr", [True]), ("default", "off", []),
     ("community.general.yaml", "auto", [False])],
)  # fmt: skip
def test_where_a_line_goes(monkeypatch, callback, place, seen):
    """:param seen: for each line that was shown, whether on standard error."""
    shown = []
    monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", callback)
    monkeypatch.setattr(Display, "display", lambda _self, text, stderr, color: shown.append((text, stderr)))
    progress.show("a line", place)
    assert shown == [("a line", stderr) for stderr in seen]

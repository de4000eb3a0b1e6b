# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress never lands in output that a program reads."""

from __future__ import annotations

import os

import pytest
from ansible import constants
from ansible.utils.display import Display
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import progress, tones


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
    monkeypatch.setattr(Display, "display", lambda _self, text, stderr: shown.append((text, stderr)))
    progress.show("a line", place)
    assert shown == [("a line", stderr) for stderr in seen]


LINES = [("one", "green"), ("two", None), ("three", "red")]


@pytest.mark.parametrize("log", [None, "/a/log"])
def test_lines_of_several_colours_are_one_text_and_the_log_has_none(monkeypatch, log):
    shown = []
    monkeypatch.setattr(progress, "stringc", lambda text, colour: f"<{colour}>{text}")
    monkeypatch.setattr(constants, "DEFAULT_LOG_PATH", log)
    monkeypatch.setattr(Display, "display", lambda _self, text, **more: shown.append((text, more)))
    progress.show_lines(LINES, "stderr")
    coloured = ("<green>one\ntwo\n<red>three", {"stderr": True, "screen_only": True})
    assert shown == [coloured, ("one\ntwo\nthree", {"log_only": True})][: 2 if log else 1]


@pytest.mark.parametrize(("place", "count"), [("auto", 1), ("off", 0)])
def test_lines_without_colours_are_shown_as_any(monkeypatch, place, count):
    shown = []
    monkeypatch.setattr(progress, "stringc", lambda text, _colour: text)
    monkeypatch.setattr(Display, "display", lambda _self, text, **_more: shown.append(text))
    progress.show_lines(LINES, place)
    assert shown == ["one\ntwo\nthree"] * count


@pytest.mark.parametrize(
    ("callback", "columns", "width"),
    [("default", 100, 100), ("default", 0, None), ("default", None, None), ("awx_display", 80, None)],
)
def test_the_width_of_a_terminal_that_somebody_sees(monkeypatch, callback, columns, width):
    """:param columns: None for what is no terminal."""

    def size(_file):
        if columns is None:
            raise OSError("not a terminal")
        return os.terminal_size((columns, 24))

    monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", callback)
    monkeypatch.setattr(progress.os, "get_terminal_size", size)
    assert progress._width() == width


FORGED = "X\n[exa-h] exa_cold_start: ok\x1b[2K\x9b2J\x08\u202e"


@pytest.mark.parametrize("dress", [None, tones.dressed])
def test_no_text_becomes_a_line_of_its_own(monkeypatch, dress):
    shown = []
    monkeypatch.setattr(progress, "dress", dress)
    monkeypatch.setattr(Display, "display", lambda _self, text, **_more: shown.append(text))
    progress.show(FORGED)
    progress.show_lines([(FORGED, "red"), ("x" * 3_000_000, None)])
    progress.show_lines([("y" * 5000, None)], whole=True)
    one, first, last, whole = "\n".join(shown).split("\n")
    assert one == first == r"X\n[exa-h] exa_cold_start: ok\x1b[2K\x9b2J\x08\u202e"
    assert last.endswith("x ... (3000000 characters in all)")
    assert len(last) < 4100
    assert whole == "y" * 5000


def test_a_command_that_resumes_is_whole(monkeypatch):
    shown = []
    monkeypatch.setattr(Display, "display", lambda _self, text, **_more: shown.append(text))
    progress.show(f"[exa-h] resume: ansible-playbook {'x' * 5000}\n[exa-h] forged")
    assert shown == [rf"[exa-h] resume: ansible-playbook {'x' * 5000}\n[exa-h] forged"]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import left_file


@pytest.mark.parametrize(
    ("content", "there"),
    [("größe\n", "größe\n".encode()), (b"\xff\x00", b"\xff\x00"), ("odd \ud800", b"odd \\ud800"), ("", b"")],
)
@pytest.mark.parametrize("lasting", [False, True])
def test_a_file_is_replaced_as_a_whole(tmp_path, content, there, lasting):
    path = tmp_path / "one"
    path.write_text("old, and longer than the new one")
    with path.open("rb") as reader:
        left_file.replace(path, content, lasting=lasting)
        assert reader.read() == b"old, and longer than the new one"
    assert path.read_bytes() == there
    assert [one.name for one in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_its_mode_is_the_one_given_whatever_the_umask(tmp_path, mode):
    before = os.umask(0o177)
    try:
        left_file.replace(tmp_path / "one", "x", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == mode


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target = tmp_path / "there/one"
    target.write_text("old")
    (tmp_path / "link").symlink_to(target)
    left_file.replace(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert target.read_text() == "new"


def test_where_it_fails_the_old_one_stays_and_no_draft(tmp_path, monkeypatch):
    (tmp_path / "one").write_text("old")

    def full(_source, _target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        left_file.replace(tmp_path / "one", "new")
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"one": "old"}


def test_a_pipe_or_a_device_is_not_replaced(tmp_path):
    """Any user can make a pipe; a device, which only root could replace, takes the same way."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        with pytest.raises(OSError, match="it is not a regular file"):
            left_file.replace(tmp_path / name, "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "pipe"]


def test_a_folder_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        left_file.replace(tmp_path / "none/one", "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("cluster", "name"), [("exa-prod", "exa-prod"), ("..", "%2E%2E"), ("a/b", "a%2Fb"), ("größe", "gr%C3%B6%C3%9Fe")]
)
def test_a_cluster_is_one_name_below_a_folder(cluster, name):
    assert left_file.name_for(cluster) == name


def test_a_text_is_read(tmp_path):
    path = tmp_path / "a"
    path.write_text("ü")
    assert left_file.text_of(path, 2) == "ü"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda _path: None, "No such file or directory"),
        (lambda path: path.mkdir(), "Is a directory"),
        (os.mkfifo, "it is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
        (lambda path: path.write_bytes(b"\xff"), "it is not UTF-8 text"),
        (lambda path: path.write_text("12345"), "it has more than 4 bytes"),
    ],
)
def test_what_is_no_text_of_a_file_is_refused_at_once(tmp_path, make, says):
    make(tmp_path / "a")
    with pytest.raises(OSError, match=rf"\] {says}"):
        left_file.text_of(tmp_path / "a", 4)


@pytest.mark.parametrize("use", [lambda path: left_file.text_of(path, 4), lambda path: left_file.replace(path, "")])
def test_no_file_has_a_null_character_in_its_name(use):
    with pytest.raises(OSError, match="its name has a null character"):
        use("a\0b")

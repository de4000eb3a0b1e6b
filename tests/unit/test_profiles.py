# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles and the environment, which complete a connection. How a task uses them is in test_direct.py."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.modules import exa_cluster_info, nuodb_domain_info
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.profiles import (
    Profiles,
    completed,
    fallback,
    refuse_credentials,
    refuse_unmeant,
)

SPEC: Any = exa_cluster_info.SPEC["argument_spec"]
NUODB: Any = nuodb_domain_info.SPEC["argument_spec"]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in {**SPEC, **NUODB}:
        monkeypatch.delenv(f"EXA_{option.upper()}", raising=False)
        monkeypatch.delenv(f"NUODB_{option.upper()}", raising=False)
    monkeypatch.delenv("NUOCMD_BASIC_CREDS", raising=False)


@pytest.fixture
def path(tmp_path: Path) -> str:
    found = tmp_path / "profiles.yml"
    found.write_text(yaml.safe_dump({"prod": {"api_url": "n10", "ca_path": ""}, 7: {"api_url": "n70"}, "odd": [1]}))
    found.chmod(0o600)
    return str(found)


def test_a_file_is_read_once(path: str) -> None:
    loads = []
    loader = DataLoader()
    profiles = Profiles(SimpleNamespace(load_from_file=lambda one: loads.append(one) or loader.load_from_file(one)))
    assert list(profiles.of_file(path, "it")) == ["prod", "7", "odd"]
    assert profiles.connection("7", path, SPEC) == {"api_url": "n70"}
    assert profiles.connection("prod", path, NUODB) == {"api_url": "n10", "ca_path": ""}
    assert loads == [path]
    with pytest.raises(ClusterError, match="profile odd: .* has no such profile"):
        profiles.connection("odd", path, SPEC)


def test_one_that_can_t_be_read_is_named_as_asked(path: str) -> None:
    Path(path).chmod(0o644)
    with pytest.raises(ClusterError, match="^the file may be read by others"):
        Profiles(DataLoader()).of_file(path, "the file")


def refused(path: Path) -> ClusterError:
    """The refusal of a file of profiles, which is not opened."""
    with pytest.raises(ClusterError) as caught:
        Profiles(DataLoader()).of_file(str(path), f"profile prod: {path}")
    return caught.value


def test_one_that_others_may_write_is_refused_though_it_is_encrypted(path: str) -> None:
    Path(path).write_text("$ANSIBLE_VAULT;1.1;AES256\n00\n")
    for mode in (0o664, 0o646, 0o620):
        Path(path).chmod(mode)
        error = refused(Path(path))
        assert error.message.startswith(f"profile prod: {path} may be written by others")
        assert error.hint == f"chmod go-w {path}"


def test_one_that_is_no_regular_file_is_refused_without_a_look(tmp_path: Path) -> None:
    fifo, folder, device = tmp_path / "fifo", tmp_path / "folder", Path("/dev/null")
    os.mkfifo(fifo, 0o600)
    folder.mkdir()
    (tmp_path / "link").symlink_to(fifo)
    for path in (fifo, folder, device, tmp_path / "link"):
        assert refused(path).message == f"profile prod: {path} is not a regular file"


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o2775])
def test_one_in_a_folder_that_others_may_write_is_refused(path: str, tmp_path: Path, mode: int) -> None:
    folder, mine = tmp_path / "folder", tmp_path / "mine"
    folder.mkdir()
    mine.mkdir(mode=0o700)
    (folder / "profiles.yml").write_bytes(Path(path).read_bytes())
    (folder / "profiles.yml").chmod(0o600)
    (folder / "there.yml").symlink_to(path)
    (mine / "here.yml").symlink_to(folder / "profiles.yml")
    for one in (folder / "profiles.yml", folder / "there.yml", mine / "here.yml"):
        folder.chmod(mode)
        error = refused(one)
        assert error.message.startswith(f"profile prod: {one} is in a folder that others may write to")
        assert str(error.hint).startswith(f"chmod go-w {folder}, or ")
        folder.chmod(0o1777)  # as /tmp: nobody replaces another one's file
        assert Profiles(DataLoader()).of_file(str(one), "it")


def test_a_file_without_profiles_has_none(tmp_path: Path) -> None:
    found = tmp_path / "empty.yml"
    found.write_text("[]")
    found.chmod(0o600)
    assert Profiles(DataLoader()).of_file(str(found), "it") == {}


def test_given_profile_environment(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = Profiles(DataLoader())
    monkeypatch.setenv("EXA_API_URL", "n99")
    monkeypatch.setenv("EXA_CA_PATH", "/ca.pem")
    monkeypatch.setenv("EXA_API_USERNAME", "of the environment")
    given = {"profile": "prod", "profiles_path": path, "api_username": "given"}
    done = completed(given, SPEC, profiles.connection)
    assert done == {**given, "api_url": "n10", "ca_path": "/ca.pem"}
    assert completed({}, SPEC, profiles.connection)["api_url"] == "n99"
    assert given == {"profile": "prod", "profiles_path": path, "api_username": "given"}


def test_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUOCMD_BASIC_CREDS", "user:pass")
    assert (fallback(NUODB, "api_username"), fallback(NUODB, "api_password")) == ("user", "pass")
    assert fallback(NUODB, "cluster_name") is None
    assert fallback(SPEC, "api_url") is None


def test_what_is_not_meant_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for refuse in (refuse_credentials, lambda urls: refuse_unmeant("exa", urls)):
        with pytest.raises(ClusterError, match="api_url contains credentials") as caught:
            refuse(["n10", "https://u:s3cret@n11"])
        assert "s3cret" not in caught.value.message
    monkeypatch.setenv("DBFLEET_SIMULATOR", "http://127.0.0.1:1")
    refuse_credentials("n10")
    with pytest.raises(ClusterError, match="that does not answer, so api_url n10 may be a real cluster"):
        refuse_unmeant("exa", "n10")


FLEET = {
    "defaults": {
        "all": {"request_timeout": 20, "ca_path": "/all.pem"},
        "exasol": {"ca_path": "/exa.pem", "api_username": "of all"},
        "nuodb": {"verify_hostname": False},
    },
    "common": {"api_username": "of common", "provider": "confd", "validate_certs": True},
    "site": {"api_url": "n10", "inherits": "common", "api_username": "of the site"},
    "prod": {"inherits": ["site"], "api_url": ["n20"], "ca_path": None},
    "nuo": {"api_url": "server0"},
    "nuo-odd": {"api_url": "server0", "inherits": "common"},
    "lost": {"api_username": "without a URL"},
    "circle": {"inherits": "circle"},
    "no-url": {"inherits": "site", "api_url": ""},
}


@pytest.fixture
def fleet(tmp_path: Path) -> str:
    found = tmp_path / "fleet.yml"
    found.write_text(yaml.safe_dump(FLEET, sort_keys=False))
    found.chmod(0o600)
    return str(found)


def test_the_profile_then_its_parents_then_the_defaults(fleet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Null takes an option away, which the environment may complete as always."""
    profiles = Profiles(DataLoader())
    found = profiles.connection("prod", fleet, SPEC)
    assert found == {
        "api_url": ["n20"], "api_username": "of the site", "provider": "confd", "validate_certs": True,
        "request_timeout": 20, "ca_path": None,
    }  # fmt: skip
    assert profiles.connection("site", fleet, SPEC)["ca_path"] == "/exa.pem"
    assert profiles.connection("nuo", fleet, NUODB) == {
        "api_url": "server0", "request_timeout": 20, "ca_path": "/all.pem", "verify_hostname": False,
    }  # fmt: skip
    done = completed({"profile": "prod", "profiles_path": fleet, "provider": "auto"}, SPEC, profiles.connection)
    assert ("ca_path" in done, done["provider"], done["request_timeout"]) == (False, "auto", 20)
    monkeypatch.setenv("EXA_CA_PATH", "/of/the/environment.pem")
    done = completed({"profile": "prod", "profiles_path": fleet}, SPEC, profiles.connection)
    assert done["ca_path"] == "/of/the/environment.pem"


def test_which_entries_are_clusters(fleet: str) -> None:
    """Parents without a URL are none. Others without one are a mistake, which is told where they are used."""
    found = Profiles(DataLoader()).clusters(fleet, "it")
    assert list(found) == ["site", "prod", "nuo", "nuo-odd", "lost", "circle", "no-url"]
    assert "provider" in found["prod"]
    assert found["circle"] == {"inherits"}


def test_what_is_refused_of_a_fleet(fleet: str) -> None:
    profiles = Profiles(DataLoader())
    for name, spec, says in (
        ("nuo-odd", NUODB, "profile nuo-odd: provider of common, which it inherits in .*, is not a connection option"),
        ("circle", SPEC, "profile circle: .* is a loop: circle inherits circle"),
        ("defaults", SPEC, "profile defaults: .* has no such profile"),
    ):
        with pytest.raises(ClusterError, match=says):
            profiles.connection(name, fleet, spec)


def test_a_profile_that_was_called_defaults_is_no_default(fleet: str) -> None:
    Path(fleet).write_text(yaml.safe_dump({"defaults": {"api_password": "s3cret"}, "prod": {}}))
    for name in ("prod", "defaults"):
        with pytest.raises(
            ClusterError, match=f"profile {name}: .*fleet.yml: defaults has the unknown key api_password; it takes all,"
        ):
            Profiles(DataLoader()).connection(name, fleet, SPEC)

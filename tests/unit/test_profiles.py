# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profiles and the environment, which complete a connection. How a task uses them is in test_direct.py."""

from __future__ import annotations

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
        with pytest.raises(ClusterError, match="api_url holds credentials") as caught:
            refuse(["n10", "https://u:s3cret@n11"])
        assert "s3cret" not in caught.value.message
    monkeypatch.setenv("DBFLEET_SIMULATOR", "http://127.0.0.1:1")
    refuse_credentials("n10")
    with pytest.raises(ClusterError, match="that does not answer, so api_url n10 may be a real cluster"):
        refuse_unmeant("exa", "n10")

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file of profiles gets another one, and what it holds stays as it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecret
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.products import CONNECTIONS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.profile_writer import Writer
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.profiles import Profiles

ROW = {"api_url": ["https://n10"], "api_username": "operator", "api_password": "pw", "ca_path": ""}


def loader_of(*secrets: str) -> Any:
    loader = DataLoader()
    loader.set_vault_secrets([(f"id{number}", VaultSecret(text.encode())) for number, text in enumerate(secrets)])
    return loader


def add(path: Path, name: str = "one", row: Any = None, vaulted: bool = False, loader: Any = None, **more: Any) -> bool:
    return Writer(loader or loader_of(), str(path), vaulted).add(name, {**ROW, **(row or {})}, more.get("write", True))


def read(path: Path, name: str = "one", loader: Any = None) -> dict[str, Any]:
    spec = {**CONNECTIONS["exa"], "cluster_name": {"type": "str"}}
    return Profiles(loader or loader_of()).connection(name, str(path), spec)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own" / "profiles.yml"


def test_a_new_file_is_its_owners_alone(path: Path) -> None:
    old = os.umask(0o022)
    try:
        assert add(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read(path) == {key: value for key, value in ROW.items() if value}
    assert os.listdir(path.parent) == ["profiles.yml"]


def test_nothing_is_written_where_nothing_is_to_be(path: Path) -> None:
    assert add(path, write=False)
    assert not path.parent.exists()
    add(path)
    before = path.stat()
    assert not add(path)
    assert path.stat() == before


@pytest.mark.parametrize(
    "secret",
    [
        "p: w # d", "{{ braces }}", "{% raw %}", "{# c #}", "0600", "yes", "null", "  blanks  ",
        "ü\u2028ß", "a'b\"c\\n", "!vault",
    ],
)  # fmt: skip
def test_a_password_comes_back_as_it_was(path: Path, secret: str) -> None:
    assert add(path, row={"api_password": secret})
    assert read(path)["api_password"] == secret
    assert not add(path, row={"api_password": secret})


THERE = """\
# Whose is it? The operators'.
exa-old:
    api_url: n11   # the license server
    api_password: !vault |
          $ANSIBLE_VAULT;1.1;AES256
          6162
defaults:
  all: {ca_path: /ca.pem}"""


def test_what_is_there_stays_to_the_last_comment(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(THERE)
    path.chmod(0o600)
    assert add(path)
    added = "one:\n  api_url:\n  - https://n10\n  api_username: operator\n  api_password: pw\n"
    assert path.read_text() == f"{THERE}\n{added}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{exa-old: {api_url: n11}}", "a form of YAML to which no profile can be appended"),
        ("exa-old: {}\n...\n", "a form of YAML to which no profile can be appended"),
        ("- exa-old\n", "isn't a list of profiles in YAML"),
        ("exa-old: [\n", "isn't a list of profiles in YAML"),
    ],
)
def test_a_file_of_another_form_is_left_alone(path: Path, text: str, says: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ClusterError, match=says):
        add(path)
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("name", "row", "says"),
    [
        ("one", {"api_username": "other"}, "has a profile one with other contents"),
        ("defaults", {}, "a profile can't have the name 'defaults'"),
        (" ", {}, "a profile can't have the name ' '"),
        ("two", {"api_url": []}, "api_url is missing"),
        ("two", {"api_uri": "n10"}, "api_uri: not a connection option"),
        ("two", {"api_url": "https://admin:pw@n10"}, "api_url contains credentials"),
    ],
)
def test_what_is_no_profile_is_refused(path: Path, name: str, row: dict[str, Any], says: str) -> None:
    add(path)
    before = path.read_text()
    with pytest.raises(ClusterError, match=says) as caught:
        add(path, name, row)
    assert "pw" not in caught.value.message
    assert path.read_text() == before


def test_a_file_that_others_could_change_is_refused(path: Path) -> None:
    add(path)
    path.chmod(0o620)
    with pytest.raises(ClusterError, match="may be written by others"):
        add(path, "two")


def test_a_file_that_is_encrypted_stays_so(path: Path) -> None:
    loader = loader_of("first", "second")
    assert add(path, vaulted=True, loader=loader)
    assert path.read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;id0\n")
    assert add(path, "two", loader=loader)
    assert path.read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;id0\n")
    assert read(path, "two", loader)["api_password"] == "pw"
    with pytest.raises(ClusterError, match="can't be decrypted with the vault secrets of the play"):
        add(path, "three", loader=loader_of("another"))
    with pytest.raises(ClusterError, match="can't be decrypted"):
        add(path, "three")


def test_one_secret_of_several_opens_it_and_closes_it(path: Path) -> None:
    add(path, vaulted=True, loader=loader_of("first"))
    add(path, "two", loader=loader_of("another", "first"))
    assert read(path, "two", loader_of("first"))["api_url"] == ["https://n10"]


def test_what_is_to_be_encrypted_is_never_written_in_plain(path: Path) -> None:
    with pytest.raises(ClusterError, match="must be encrypted, but the play has no vault secret"):
        add(path, vaulted=True)
    assert not path.parent.exists()
    add(path)
    with pytest.raises(ClusterError, match="exists and isn't encrypted"):
        add(path, "two", vaulted=True, loader=loader_of("first"))


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    add(path)
    link = tmp_path / "link.yml"
    link.symlink_to(path)
    assert add(link, "two")
    assert link.is_symlink()
    assert list(yaml.safe_load(path.read_text())) == ["one", "two"]


def test_a_folder_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClusterError, match=r"profiles.yml can't be read: Not a directory"):
        add(tmp_path / "file" / "profiles.yml")

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which clusters a source lists, and what it must not hold."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.source import Listed, Source
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.profiles import Profiles

EITHER = {"api_url": "n10", "api_username": "operator"}
EXA = {"api_url": "n10", "provider": "confd"}
NUO = {"api_url": "server0", "verify_hostname": False}


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for prefix in ("EXA", "NUODB"):
        monkeypatch.delenv(f"{prefix}_PROFILES_PATH", raising=False)

    def made(product: str = "exa", given: Any = "profiles.yml", **profiles: Any) -> Source:
        path = tmp_path / "profiles.yml"
        path.write_text(yaml.safe_dump(profiles))
        path.chmod(0o600)
        return Source(product, Profiles(DataLoader()), str(tmp_path), given)

    return made


def names(found: list[Listed]) -> list[str]:
    return [one.name for one in found]


def test_all_that_surely_are_of_the_product(make: Any) -> None:
    profiles = {"exa-a": EXA, "nuo-a": NUO, "exa-b": {**EXA, "time_zone": "UTC"}}
    assert names(make(**profiles).clusters(None)) == ["exa-a", "exa-b"]
    assert names(make("nuodb", **profiles).clusters("")) == ["nuo-a"]


@pytest.mark.parametrize("product", ["exa", "nuodb"])
def test_one_that_may_be_of_both_is_asked_for(make: Any, product: str) -> None:
    says = "^clusters is missing, and .* does not show whether b broken is (Exasol|NuoDB) or"
    with pytest.raises(ClusterError, match=says) as caught:
        make(product, a=EXA, b=EITHER, c=NUO, broken=None).clusters(None)
    assert "'*' takes all profiles" in caught.value.hint


def test_a_file_without_any(make: Any) -> None:
    with pytest.raises(ClusterError, match="^clusters is missing, and .* has no profile of NuoDB"):
        make("nuodb", a=EXA).clusters(None)


def test_patterns_and_names(make: Any) -> None:
    """What is named goes before, and a pattern takes no profile a second time."""
    source = make(**{"exa-a": EXA, "exa-b": EITHER, "test": EITHER, "exa-nuo": NUO})
    assert names(source.clusters(["exa-*"])) == ["exa-a", "exa-b"]
    assert names(source.clusters("exa-?, test")) == ["test", "exa-a", "exa-b"]
    assert names(source.clusters(["*", {"name": "mine", "profile": "exa-a"}])) == ["mine", "exa-b", "test"]
    assert source.clusters([]) == []
    with pytest.raises(ClusterError, match=r"has no profile of Exasol like nuo-\[ab\]"):
        source.clusters(["nuo-[ab]"])


def test_what_others_inherit_is_no_cluster(make: Any) -> None:
    """It tells of which product they are. One with a URL is a cluster too, and one that is named is meant."""
    profiles = {
        "defaults": {"exasol": {"api_username": "operator"}},
        "exa-common": {"provider": "confd"},
        "exa-a": {"api_url": "n10", "inherits": "exa-common"},
        "exa-b": {"api_username": "reader", "inherits": "exa-a"},
        "exa-c": {"api_url": "n30", "inherits": "exa-comon"},
    }
    source = make(**profiles)
    assert names(source.clusters(["*"])) == ["exa-a", "exa-b", "exa-c"]
    assert names(source.clusters(["exa-common"])) == ["exa-common"]
    with pytest.raises(ClusterError, match="has no profile of NuoDB like exa-"):
        make("nuodb", **profiles).clusters(["exa-[ab]"])
    del profiles["exa-c"]
    assert names(make(**profiles).clusters(None)) == ["exa-a", "exa-b"]


def test_where_the_profiles_are(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts get the path that is given alone: else a runbook finds the file in the same way."""
    path = str(tmp_path / "profiles.yml")
    (one,) = make(a=EXA).clusters(["a"])
    assert one == Listed("a", {"profile": "a", "profiles_path": path}, path)
    (one,) = make(given=f"./{tmp_path.name}/../profiles.yml").clusters(["a"])
    assert one.options["profiles_path"] == path
    monkeypatch.setenv("HOME", "/home/me")
    (one,) = make(given=None).clusters(["a"])
    assert (one.path, one.options) == ("/home/me/.config/dbfleet/profiles.yml", {"profile": "a"})
    assert one.asked() == {"profile": "a", "profiles_path": one.path}
    monkeypatch.setenv("EXA_PROFILES_PATH", "/of/the/environment.yml")
    (one,) = make(given=" ").clusters(["a"])
    assert (one.path, one.options) == ("/of/the/environment.yml", {"profile": "a"})
    (one,) = make().clusters([{"profile": "a", "profiles_path": "~/mine.yml"}])
    assert one.path == one.options["profiles_path"] == "/home/me/mine.yml"


def test_a_dictionary(make: Any) -> None:
    row = {
        "name": "lab", "api_url": ["n10"], "api_username": "operator", "validate_certs": False, "ca_path": "",
        "license_servers": ["n0010"], "region": "eu", "vars": {"exa_log_service": "l", "x": "{{ y }}"},
    }  # fmt: skip
    (one,) = make().clusters([row])
    assert one.options == {
        "api_url": ["n10"], "api_username": "operator", "validate_certs": False, "license_servers": ["n0010"],
    }  # fmt: skip
    assert (one.name, one.region, one.vars) == ("lab", "eu", {"exa_log_service": "l", "x": "{{ y }}"})
    assert one.asked() == one.options
    (other,) = make().clusters([{**row, "api_url": ["n11"]}])
    assert other.digest() != one.digest()
    (other,) = make().clusters([{**row, "vars": {}}])
    assert other.digest() == one.digest()
    (one,) = make("nuodb").clusters([{"profile": 2024}])
    assert (one.name, one.options["profile"]) == ("2024", "2024")


SEALED = SimpleNamespace(_ciphertext="x")
REFUSED: list[tuple[Any, str]] = [
    ([["a"]], "an item is neither the name of a profile nor a dictionary"),
    ([{"api_url": "n10"}], "an item has no usable host name"),
    ([{"name": "a\nb", "api_url": "n10"}], "an item has no usable host name"),
    ([{"name": SEALED, "api_url": "n10"}], "an item has no usable host name"),
    ([{"name": "a"}], "a has neither profile nor api_url"),
    ([{"name": "a", "api_url": "", "profile": None}], "a has neither profile nor api_url"),
    (["a", {"profile": "a"}], "clusters lists a twice"),
    (
        [{"profile": "a", "validate_cert": True}],
        r"the unknown key validate_cert \(did you mean validate_certs",
    ),
    ([{"profile": "a", "verify_hostname": True}], "a has the unknown key verify_hostname"),
    ([{"profile": "a", "cluster_name": "b"}], "a has the unknown key cluster_name"),
    ([{"profile": "a", "api_password": "s3cr3t"}], "a has api_password, which an inventory source must not contain"),
    ([{"profile": "a", "api_password": SEALED}], "a has api_password, which an inventory source must not contain"),
    ([{"profile": "a", "api_username": SEALED}], "a has a vaulted api_username"),
    ([{"name": "a", "api_url": ["https://u:s3cr3t@n10"]}], "a: api_url contains credentials"),
    ([{"name": "a", "api_url": ["{{ here }}"]}], "api_url of a contains a template"),
    ([{"profile": "a", "vars": ["x"]}], "vars of a is not a dictionary"),
    ([{"profile": "a", "vars": {"exa_api_url": "n10"}}], "vars of a has exa_api_url"),
    ([{"profile": "a", "vars": {"exa_api_password": "s3cr3t"}}], "vars of a has exa_api_password"),
    ([{"profile": "a", "vars": {"x": {"y": [SEALED]}}}], "vars of a has a vaulted x"),
]


@pytest.mark.parametrize(("given", "says"), REFUSED)
def test_what_a_source_must_not_hold(make: Any, given: Any, says: str) -> None:
    with pytest.raises(ClusterError, match=says) as caught:
        make(a=EXA).clusters(given)
    assert "s3cr3t" not in caught.value.message


def test_license_servers_are_exasols(make: Any) -> None:
    with pytest.raises(ClusterError, match="a has the unknown key license_servers"):
        make("nuodb").clusters([{"profile": "a", "license_servers": ["n0010"]}])

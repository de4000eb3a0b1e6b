# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory plugins share, without ansible-inventory around it and without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.doc_fragments import constructed, inventory_cache
from ansible_collections.dbfleet.cluster.plugins.inventory import exasol, nuodb
from ansible_collections.dbfleet.cluster.plugins.modules import exa_cluster_info
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet import inventory as shared
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.meant import Meant

CLUSTER = {
    "provider": "confd", "master": "n11", "version": "8.30", "nodes": {"b": {"state": "online"}}, "services": {},
    "databases": {},
}  # fmt: skip


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Meant]:
    """The clusters that are read, of which each answers."""
    asked: list[Meant] = []

    def reader(one: Meant, completed: Any, _timeout: float) -> Any:
        asked.append(one)
        one.options = completed(one.options, exa_cluster_info.SPEC["argument_spec"])
        return lambda: {"cluster": CLUSTER, "summary": f"{one.name}: as it is", "warnings": [f"{one.name}: odd"]}

    monkeypatch.setattr(shared, "reader", reader)
    return asked


class Source:
    """A source file, and what came of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self.warnings = folder, list[str]()
        self.inventory = InventoryData()
        monkeypatch.setattr(shared.FleetInventory, "_redirected_names", None, raising=False)

    def parse(self, product: Any = exasol, **options: Any) -> Any:
        path = self._folder / "fleet.yml"
        path.write_text(yaml.safe_dump({"plugin": product.InventoryModule.NAME, **options}))
        plugin = product.InventoryModule()
        options = yaml.safe_load(product.DOCUMENTATION)["options"]
        for fragment in (constructed, inventory_cache):
            options.update(yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"])
        plugin._load_name = f"{product.InventoryModule.NAME}.of_a_test"
        constants.config.initialize_plugin_configuration_definitions("inventory", plugin._load_name, options)
        plugin.display = type("Display", (), {"warning": lambda _self, text: self.warnings.append(text)})()
        plugin.get_cache_key = lambda path: path
        plugin.parse(self.inventory, DataLoader(), str(path), False)
        return plugin

    def variables(self, host: str) -> dict[str, Any]:
        return self.inventory.hosts[host].vars


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    for name in ("EXA_API_URL", "EXA_PROFILE", "EXA_PROFILES_PATH", "DBFLEET_SIMULATOR"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "profiles.yml"
    path.write_text(yaml.safe_dump({"exa-a": {"api_url": "n10"}, "bare": {}}))
    path.chmod(0o600)
    return Source(tmp_path, monkeypatch)


def test_hosts_groups_and_warnings(source: Source, reads: list[Meant]) -> None:
    ignored = {"exa_cold_start_ignore_nodes": "n12, 13"}
    given = [{"profile": "exa-a", "vars": ignored}, {"name": "x", "api_url": "n20"}]
    source.parse(profiles_path="profiles.yml", clusters=given, hosts="nodes", side_by_side="2", timeout="1m")
    assert list(source.inventory.groups) == [
        "all", "ungrouped", "exa_clusters", "unreachable", "exasol", "up", "exasol_8_30", "exasol_confd", "exa_nodes",
        "exa_nodes_online",
    ]  # fmt: skip
    assert list(source.inventory.hosts) == ["exa-a", "x", "exa-a-b", "x-b"]
    assert source.variables("exa-a")["dbfleet_summary"] == "exa-a: as it is"
    assert source.warnings == ["exa-a x: odd"]
    assert [(one.name, one.ignore_nodes) for one in reads] == [("exa-a", ["n12", "13"]), ("x", [])]


def test_an_object_that_is_called_like_a_cluster_is_none(source: Source, reads: list[Meant]) -> None:
    source.parse(clusters=[{"name": "a", "api_url": "n10"}, {"name": "a-b", "api_url": "n20"}], hosts=["nodes"])
    assert list(source.inventory.hosts) == ["a", "a-b", "a-b-b"]
    assert source.variables("a-b")["dbfleet_object"] == "cluster"
    assert "a-b is a cluster" in source.warnings[-1]


def test_the_environment_names_no_cluster(source: Source, reads: list[Meant], monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds one connection, and the source lists many."""
    monkeypatch.setenv("EXA_API_URL", "n99")
    with pytest.raises(AnsibleParserError, match="profile bare has no api_url"):  # the reader of this test lets it pass
        source.parse(profiles_path="profiles.yml", clusters=["bare"])


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"clusterss": []}, r"there is no option clusterss \(did you mean clusters\?\)"),
    ({"side_by_side": "many"}, "side_by_side is 'many': it takes a whole number"),
    ({"side_by_side": 0}, "side_by_side is 0, and must be above 0"),
    ({"timeout": -1}, "timeout is -1, and must be above 0"),
    ({"timeout": "soon"}, "timeout is 'soon': it takes a number of seconds"),
    ({"hosts": ["servers"]}, "hosts has servers: it takes nodes"),
    ({"clusters": {"a": {"api_password": "s3cr3t"}}}, "clusters is not a list"),
    ({"clusters": ["a"], "profiles_path": "none.yml"}, "profiles_path .*none.yml can't be read: No such file"),
    ({"clusters": ["a"], "profiles_path": "fleet.yml"}, "fleet.yml may be read by others: chmod 600"),
    ({"clusters": [{"name": "a"}]}, "a has neither profile nor api_url"),
    ({"clusters": [{"name": "a", "api_url": "n10"}], "strict": True, "compose": {"a": "b.c"}}, "'b' is undefined"),
]


@pytest.mark.parametrize(("options", "says"), REFUSED)
def test_what_is_wrong_is_one_sentence(source: Source, reads: list[Meant], options: dict[str, Any], says: str) -> None:
    with pytest.raises(AnsibleParserError, match=says) as caught:
        source.parse(**options)
    text = str(caught.value)
    assert "\n" not in text
    assert "s3cr3t" not in text
    assert bool(reads) is ("compose" in options)


def test_objects_of_the_other_product(source: Source, reads: list[Meant]) -> None:
    with pytest.raises(AnsibleParserError, match="hosts has nodes: it takes servers and processes"):
        source.parse(nuodb, hosts=["nodes"])


def test_a_cache_in_another_form_is_not_taken() -> None:
    one = shared.Listed("a", {"api_url": "n10"})
    assert shared._is_of({"of": one.digest(), "row": {}}, one)
    for held in (None, [], {}, {"of": one.digest()}, {"of": "other", "row": {}}, {"of": one.digest(), "row": 1}):
        assert not shared._is_of(held, one)

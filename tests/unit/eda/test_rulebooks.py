# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rulebooks, the unit file and the page about them say what the sources do."""

from __future__ import annotations

import configparser
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dbfleet.cluster.tests.unit.eda.conftest import SOURCES

ROOT = SOURCES.parents[3]
EDA = ROOT / "extensions/eda"
PAGE = (ROOT / "docs/events.md").read_text(encoding="utf-8")
BOOKS = {"nuodb_recover": "nuodb_domain", "exa_recover": "exa_cluster"}


def book(name: str) -> dict[str, Any]:
    (found,) = yaml.safe_load((EDA / f"rulebooks/{name}.yml").read_text(encoding="utf-8"))
    return dict(found)


def kinds_of(source: str) -> set[str]:
    path = SOURCES / f"{source}.py"
    loaded, text = runpy.run_path(str(path)), path.read_text(encoding="utf-8")
    assert all(text.count(f'"{kind}"') > 1 for kind in loaded["KINDS"]), "a kind that nothing has"
    return {*loaded["KINDS"], *loaded["UNREADABLE"]}


def test_the_page_has_every_kind_of_event() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `?(\w+)`? \|", PAGE, re.M)
    for source in BOOKS.values():
        listed = {kind for kind, where in rows if where in (source, "both")}
        assert listed == kinds_of(source)


@pytest.mark.parametrize("name", list(BOOKS))
def test_a_rulebook_names_what_its_source_has(name: str) -> None:
    found, source = book(name), BOOKS[name]
    (row,) = found["sources"]
    given = row[f"dbfleet.cluster.{source}"]
    loaded = runpy.run_path(str(SOURCES / f"{source}.py"))
    documented = set(yaml.safe_load(loaded["DOCUMENTATION"])["options"])
    assert set(given) == documented
    assert set(loaded["ARGUMENTS"]) <= documented
    for option, seconds in loaded["SECONDS"].items():
        assert yaml.safe_load(loaded["DOCUMENTATION"])["options"][option]["default"] == seconds
        assert given[option] == f"{{{{ {option} | default({seconds:g}) }}}}"
    named = set(re.findall(r'"([a-z_]+_[a-z_]+)"', found["rules"][0]["condition"]))
    assert named <= kinds_of(source)
    # A rule that would throttle by an attribute that an event lacks wouldn't throttle it.
    event = loaded["Troubles"]("it", "one", 0, 1).events({("unreachable", "one"): "why"})[0]
    for rule in found["rules"]:
        for attribute in rule.get("throttle", {}).get("group_by_attributes", []):
            _event, part, key = attribute.split(".")
            assert event[part][key]


@pytest.mark.parametrize("name", list(BOOKS))
def test_recoveries_of_a_cluster_come_one_after_another(name: str) -> None:
    actions = [action["run_playbook"] for rule in book(name)["rules"] for action in rule["actions"]]
    ours = [action for action in actions if action["name"].startswith("dbfleet.cluster.")]
    assert [action["lock"] for action in ours] == ["{{ event.dbfleet.cluster }}"]
    assert [action["extra_vars"]["target"] for action in ours] == ["{{ event.dbfleet.cluster }}"]


def test_the_service_ends_its_children_and_lets_a_recovery_end() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(EDA / "dbfleet-events@.service")
    service = unit["Service"]
    assert (service["KillMode"], service["PrivateTmp"], service["Restart"]) == ("control-group", "yes", "always")
    assert int(service["ExecStart"].rpartition("--shutdown-delay ")[2]) >= 3600


def test_galaxy_finds_the_sources() -> None:
    (extension,) = yaml.safe_load((ROOT / "meta/extensions.yml").read_text(encoding="utf-8"))["extensions"]
    assert Path(ROOT / "extensions" / extension["args"]["ext_dir"]) == SOURCES

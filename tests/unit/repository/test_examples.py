# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of docs/ are playbooks that Ansible accepts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
COLLECTIONS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)[0] or str(ROOT / ".venv/collections")
INVENTORY = ROOT / "docs/examples/inventory.yml"
HOOKS = sorted((ROOT / "docs/examples/hooks").glob("*.yml"))
PLAYBOOKS = sorted((ROOT / "docs/examples/playbooks").glob("*.yml"))

FOREIGN = {
    "power_license_server_redfish.yml": "community.general",
    "power_license_server_ipmi.yml": "community.general",
    "power_nodes_redfish.yml": "community.general",
    "power_off_nodes_redfish.yml": "community.general",
    "power_off_nodes_ipmi.yml": "community.general",
    "power_license_server_vsphere.yml": "vmware.vmware",
    "power_nodes_vsphere.yml": "vmware.vmware",
    "power_on_confd_vsphere.yml": "vmware.vmware",
    "power_off_nodes_vsphere.yml": "vmware.vmware",
    "sessions.yml": "exasol.exasol",
    "tell_people_mail.yml": "community.general",
}
"""The examples that need a collection that this one doesn't depend on."""


def installed(collection: str) -> bool:
    folder = Path("ansible_collections", *collection.split("."))
    package = find_spec("ansible_collections")
    places = [
        Path(COLLECTIONS),
        *(Path(place).parent for place in (package.submodule_search_locations if package else [])),
    ]
    return any((place / folder).is_dir() for place in places)


def check_syntax(playbook: Path, home: Path) -> None:
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS, "ANSIBLE_HOME": str(home)}
    command = [sys.executable, "-m", "ansible", "playbook", "--syntax-check", "-i", str(INVENTORY), str(playbook)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.name)
def test_playbook(playbook: Path, tmp_path: Path) -> None:
    check_syntax(playbook, tmp_path)


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.name)
def test_playbook_reaches_clusters_as_the_inventory_says(playbook: Path) -> None:
    """All of it: with some of the variables alone, a pinned certificate or a time zone would be left out unseen."""
    for play in yaml.safe_load(playbook.read_text(encoding="utf-8")):
        used = re.findall(r"'dbfleet\.cluster\.(exa|nuodb)_", str(play.get("tasks", "")))
        for product in set(used):
            group = {"exa": "exasol", "nuodb": "nuodb"}[product]
            options = "{{ " + f"{product}_connection_options" + " }}"
            assert play["module_defaults"] == {f"group/dbfleet.cluster.{group}": options}
            assert {"role": f"dbfleet.cluster.{product}_connection"} in play["roles"]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda path: path.name)
def test_hook(hook: Path, tmp_path: Path) -> None:
    modules = {
        name for task in yaml.safe_load(hook.read_text(encoding="utf-8")) for name in task if name.count(".") == 2
    }
    assert modules
    foreign = {name.rpartition(".")[0] for name in modules} - {"ansible.builtin", "dbfleet.cluster"}
    assert foreign == ({FOREIGN[hook.name]} if hook.name in FOREIGN else set())
    if not all(installed(collection) for collection in foreign):
        pytest.skip(f"{hook.name} needs {', '.join(foreign)}, which isn't installed")
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "tasks": [{"import_tasks": str(hook)}]}]), encoding="utf-8")
    check_syntax(playbook, tmp_path)


@pytest.mark.parametrize(
    "role", sorted(path.parent for path in (ROOT / "roles").glob("*/meta")), ids=lambda path: path.name
)
def test_defaults_of_a_role_are_those_of_its_argument_specs(role: Path) -> None:
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    options = {name: row for entry_point in specs.values() for name, row in entry_point.get("options", {}).items()}
    file = role / "defaults/main.yml"
    defaults = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    literal = {name: value for name, value in defaults.items() if "{{" not in str(value)}
    assert {name: option["default"] for name, option in options.items() if "default" in option} == literal
    assert set(defaults) - {"exa_connection_options", "nuodb_connection_options"} <= set(options)

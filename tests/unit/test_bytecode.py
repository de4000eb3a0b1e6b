# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import bytecode

LOADED = """
import sys
from ansible.cli.playbook import PlaybookCLI
from ansible.plugins.loader import action_loader, filter_loader, init_plugin_loader
PlaybookCLI(["ansible-playbook", "play.yml"]).parse()
init_plugin_loader()
finders = list(sys.meta_path)
targeted = filter_loader.get("dbfleet.cluster.targeted").j2_function
assert sys.meta_path == finders, "the import of a plugin changes how Python imports"
first = set(sys.modules)
targeted("exa-a", {"all": ["exa-a"]})
action_loader.get("dbfleet.cluster.runbook", class_only=True)
for name in sorted(set(sys.modules) - first):
    module = sys.modules[name]
    if name.startswith("ansible_collections.dbfleet.cluster.plugins.") and getattr(module, "__file__", None):
        print(type(module.__loader__).__name__, name)
"""


@pytest.fixture(name="loaders", scope="module")
def _loaders():
    """The loader of each of our files, in a process that loads plugins as ansible-core does."""
    ours = Path(os.environ["ANSIBLE_COLLECTIONS_PATH"])
    environment = {**os.environ, "PYTHONPATH": str(ours), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", LOADED], env=environment, capture_output=True, text=True, check=True)
    return {name: loader for loader, name in (line.split() for line in done.stdout.splitlines())}


def test_all_that_a_runbook_loads_behind_its_target_comes_from_the_cache(loaders):
    ours = {name.removeprefix(f"{bytecode.COLLECTION}."): loader for name, loader in loaders.items()}
    files = {name: loader for name, loader in ours.items() if "." in name}
    compiled = {name for name, loader in files.items() if loader != "SourceFileLoader"}
    assert compiled == set()
    assert len(files) > 150


@pytest.mark.parametrize(
    "name",
    [
        "os.path",
        "ansible_collections.dbfleet.cluster.plugins.action.runbook",
        "ansible_collections.somebody.else.plugins.module_utils._errors",
        f"{bytecode.COLLECTION}.module_utils_of_others._errors",
        f"{bytecode.COLLECTION}.module_utils._no_such_file",
    ],
)
def test_nothing_else_is_found(name):
    plugins = Path(bytecode.__file__).parents[1]
    folders = [str(plugins / "module_utils"), str(plugins / "action")]
    assert bytecode.OwnFiles.find_spec(name, folders) is None
    assert bytecode.OwnFiles.find_spec(name) is None


def test_a_folder_without_a_file_is_left_to_ansible(tmp_path):
    (tmp_path / "folder").mkdir()
    assert bytecode.OwnFiles.find_spec(f"{bytecode.COLLECTION}.module_utils.folder", [str(tmp_path)]) is None


def test_a_file_that_was_changed_is_loaded_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    file = tmp_path / "_one.py"
    for text in ("VALUE = 1\n", "VALUE = 1 + 1\n"):
        file.write_text(text)
        spec = bytecode.OwnFiles.find_spec(f"{bytecode.COLLECTION}.module_utils._one", [str(tmp_path)])
        names: dict[str, int] = {}
        exec(spec.loader.get_code(spec.name), names)
    assert names["VALUE"] == 2
    assert list(tmp_path.glob("__pycache__/*"))

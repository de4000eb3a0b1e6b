# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation says of phases and hooks is what the runbooks' definitions say."""

from __future__ import annotations

import configparser
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from ansible import constants
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.definition import Phase
from ansible_collections.dbfleet.cluster.tests.gates import runbook_docs

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("path", sorted(runbook_docs.files()))
def test_a_file_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == runbook_docs.files()[path], f"mend it by: {runbook_docs.MEND}"


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_the_role_takes_the_hooks_that_the_runbook_has(name: str) -> None:
    """The argument specs as Ansible reads them, not as text."""
    specs = yaml.safe_load((ROOT / f"roles/{name}/meta/argument_specs.yml").read_text(encoding="utf-8"))
    options = specs["argument_specs"]["main"]["options"][f"{name}_hooks"]["options"]
    assert list(options) == [hook.name for hook in RUNBOOKS[name].hooks()]


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_the_role_has_a_signpost_per_phase_and_one_task(name: str) -> None:
    (block,) = yaml.safe_load((ROOT / f"roles/{name}/tasks/main.yml").read_text(encoding="utf-8"))
    posts = [(task["name"], task["tags"]) for task in block["block"] if task.get("ansible.builtin.meta") == "noop"]
    book = RUNBOOKS[name]
    assert posts == [(book.title(phase), [phase.name]) for phase in book.phases]
    tasks = [task["name"] for task in block["block"] if "ansible.builtin.meta" not in task]
    assert tasks == ["Every phase up to the first hook", "Hooks, and the phases behind them"]


def test_a_phase_that_is_added_appears_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    book = RUNBOOKS["exa_cold_start"]
    more = replace(book, phases=(*book.phases, Phase("sessions", "let people in", "opens the doors")))
    monkeypatch.setitem(RUNBOOKS, "exa_cold_start", more)
    files = runbook_docs.files()
    assert (
        "Seven phases, each a tag; power, api, nodes, storage, databases, plugins, sessions."
        in (files["roles/exa_cold_start/meta/argument_specs.yml"])
    )
    assert "before_sessions:" in files["roles/exa_cold_start/meta/argument_specs.yml"]
    assert "- name: (7/7) sessions" in files["roles/exa_cold_start/tasks/main.yml"]
    for path in ("roles/exa_cold_start/README.md", "docs/exasol_runbooks.md"):
        assert "| (7/7) `sessions` | opens the doors |" in files[path]
    assert "`plugins`, `sessions`" in files["docs/hooks.md"]
    assert "| `(7/7) sessions` | `sessions` | `power` to `plugins` | `sessions` |" in files["docs/phases.md"]


def test_a_file_without_its_marks_is_an_error() -> None:
    with pytest.raises(runbook_docs.Missing, match="there is no <!-- hooks: written by"):
        runbook_docs.between("no marks", "docs/hooks.md", "hooks", "")


def test_the_example_of_ansible_cfg_sets_what_ansible_knows() -> None:
    example = configparser.ConfigParser()
    example.read_string((ROOT / "docs/examples/ansible.cfg").read_text(encoding="utf-8"))
    known = {
        (place["section"], place["key"])
        for setting in constants.config.get_configuration_definitions().values()
        for place in setting.get("ini", [])
    }
    given = {(section, key) for section in example.sections() for key in example[section]}
    assert given <= known
    assert example.getfloat("defaults", "internal_poll_interval") == 0.05
    assert example.get("inventory", "host_pattern_mismatch") == "error"

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a runbook: misspelt ones, texts, and values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import variables
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.plays import ROLES, Stage, template_of


@pytest.fixture(autouse=True)
def known(roles: None) -> None:
    """What the roles are."""


def beginning(name: str, **given: Any) -> tuple[list[str], list[str]]:
    """What a runbook says of variables at its begin: problems and warnings."""
    problems, warnings = variables.misspelt(name, "exa_", given)
    return [*problems, *variables.texts(variables.options_of(name), given)], warnings


def test_a_misspelt_variable_ends_the_run() -> None:
    """The default of exa_graceful_shutdown_databases is all of them."""
    says = "there is no variable exa_graceful_shutdown_database (did you mean exa_graceful_shutdown_databases?)"
    assert beginning("exa_graceful_shutdown", exa_graceful_shutdown_database="DB1") == ([says], [])
    assert beginning("check", exa_graceful_shutdown_database="DB1") == ([], [f"{says}: its runbook will refuse it"])
    assert beginning("exa_cold_start", exa_graceful_shutdown_database="DB1", exa_graceful_shutdown_force=True) == (
        [],
        [],
    )
    problems, warnings = beginning("exa_cold_start", exa_wait_timout=5, exa_vms={}, nuodb_x=1, my_exa_wait_timout=1)
    assert problems == []
    assert warnings == ["there is no variable exa_wait_timout of this collection (did you mean exa_wait_timeout?)"]


def test_all_that_is_misspelt_is_told_at_once() -> None:
    given = dict.fromkeys(("exa_cold_start_databasess", "exa_cold_start_hook", "exa_provder"), 1)
    assert beginning("exa_cold_start", **given) == (
        [
            "there is no variable exa_cold_start_databasess (did you mean exa_cold_start_databases?)",
            "there is no variable exa_cold_start_hook (did you mean exa_cold_start_hooks?)",
            "there is no variable exa_provder (did you mean exa_provider?), and the run would use another "
            "connection",
        ],
        [],
    )


SLIPS = {
    "wait_timeout": "exa_wait_timeout",
    "databases": "exa_cold_start_databases",
    "database": "exa_cold_start_databases",
    "hook": "exa_cold_start_hooks",
    "exa_plugin": "exa_plugins",  # a module's name
    "exa_database_state": "exa_database_state_state",  # a runbook's name
    "EXA_CA_PATH": "exa_ca_path",
    "exa_license_server": "exa_license_servers",
    "exa_cold_start_databasess": "exa_cold_start_databases",
    "exa_profil": "exa_profile",
    "tagret": "target",
}


@pytest.mark.parametrize("name", SLIPS)
def test_an_extra_variable_that_is_none_ends_the_run(name: str) -> None:
    for runbook in ("exa_cold_start", "check"):
        problems, warnings = variables.misspelt(runbook, "exa_", {name: 1}, [name])
        meant = SLIPS[name] if runbook == "exa_cold_start" or not SLIPS[name].startswith("exa_cold_start_") else ""
        says = f"there is no variable {name} (did you mean "
        assert [text for text in problems if text.startswith(f"{says}{meant}")] == problems
        assert len([*problems, *warnings]) == 1 or runbook == "check"


@pytest.mark.parametrize(
    "name", ["ticket", "exa_vms", "my_exa_wait_timeout", "target", "confirm", "exa_wait_timeout", "exa_cold_start_run"]
)
def test_extra_variables_of_the_users_own_and_ours(name: str) -> None:
    assert variables.misspelt("exa_cold_start", "exa_", {name: 1}, [name]) == ([], [])


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_what_a_run_has_registered_is_no_misspelt_variable(name: str) -> None:
    (block,) = yaml.safe_load((ROLES / name / "tasks/main.yml").read_text(encoding="utf-8"))
    registered = {task["register"] for task in (*block["block"], *block["rescue"]) if "register" in task}
    assert f"{name}_run" in registered
    path = ROLES / name / "vars/main.yml"
    told = set(yaml.safe_load(path.read_text(encoding="utf-8"))) if path.exists() else set()
    product = RUNBOOKS[name].product
    own = dict.fromkeys((*registered, *told, f"{product}_heartbeat", f"{product}_connection_options"), {})
    for runbook in (name, "check"):
        assert variables.misspelt(runbook, f"{product}_", own) == ([], [])


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_every_option_of_a_role_is_a_variable(name: str) -> None:
    given = dict.fromkeys(variables.options_of(name))
    assert f"{name}_hooks" in given
    assert variables.misspelt(name, f"{RUNBOOKS[name].product}_", given) == ([], [])


def test_a_dictionary_that_came_as_a_text_ends_the_run() -> None:
    """As -e name='{...}' gives it, hooks would be left out unseen."""
    problems, _warnings = beginning("exa_cold_start", exa_cold_start_hooks='{"power": "on.yml"}', exa_plugins=[])
    assert problems == [
        "exa_cold_start_hooks is a text, not dict: with -e, write all of it as -e '{\"exa_cold_start_hooks\": ...}'"
    ]
    problems, _warnings = beginning("exa_cold_start", exa_plugins='[{"name": "Administration.x"}]')
    assert problems == ["exa_plugins is a text, not list: with -e, write all of it as -e '{\"exa_plugins\": ...}'"]
    assert beginning("exa_cold_start", exa_cold_start_hooks={"power": "on.yml"}, exa_log_service="x") == ([], [])
    assert beginning("exa_cold_start", exa_license_servers="n10,n20") == ([], [])


# -- values


def values(given: dict[str, Any], *names: str) -> tuple[dict[str, Any], list[str]]:
    return variables.templated(Templar(loader=DataLoader(), variables=given), given, list(names or given))


def test_values_are_templated_and_plain() -> None:
    given = {"a": template_of("{{ [b] }}"), "b": 2, "c": {"d": [template_of("{{ b }}x")]}, "e": None, "f": "text"}
    found, problems = values(given, "a", "c", "e", "f", "g")
    assert (found, problems) == ({"a": [2], "c": {"d": ["2x"]}, "f": "text"}, [])
    assert [type(found["a"]), type(found["c"]["d"][0]), type(found["f"])] == [list, str, str]


def test_a_variable_that_says_omit_is_not_given(stage: Any) -> None:
    made: Stage = stage(
        RUNBOOKS["exa_cold_start"],
        exa_a=template_of("{{ omit }}"),
        exa_b=template_of("{{ exa_z | default(omit) }}"),
        exa_c=template_of("{{ exa_b }}"),
        exa_d="kept",
    )
    action, given = made.action()
    names = ["exa_a", "exa_b", "exa_c", "exa_d"]
    assert variables.templated(action.templar, given, names) == ({"exa_d": "kept"}, [])


def test_a_variable_that_has_no_value_is_named_and_the_others_keep_theirs() -> None:
    given = {
        "good": template_of("{{ ['a'] }}"),
        "bad": template_of("{{ nowhere }}"),
        "deep": [{"x": template_of("{{ good }} {{ nowhere.y }}")}],
        "odd": template_of("{{ 'x' | no_such_filter }}"),
        "fine": ["b"],
    }
    found, problems = values(given)
    assert found == {"good": ["a"], "fine": ["b"]}
    assert [text.partition(" ")[0] for text in problems] == ["bad", "deep", "odd"]
    assert all(" has no value: " in text and "\n" not in text for text in problems)
    assert "'nowhere' is undefined" in problems[0]
    assert "no_such_filter" in problems[2]


def test_the_options_of_a_role_are_those_of_all_its_entry_points(tmp_path: Path, new_role: Any) -> None:
    new_role("exa_demo", exa_demo_word={"type": "str"})
    path = tmp_path / "roles/exa_demo/meta/argument_specs.yml"
    specs = yaml.safe_load(path.read_text())
    specs["argument_specs"].update(other={"options": {"exa_demo_more": {"type": "int"}}}, none={})
    path.write_text(yaml.safe_dump(specs))
    assert variables.options_of("exa_demo") == {"exa_demo_word": {"type": "str"}, "exa_demo_more": {"type": "int"}}


def test_a_variable_may_have_the_name_of_a_module(roles: None) -> None:
    assert variables.misspelt("nuodb_recover", "nuodb_", {"nuodb_lease": "take_over"}, ["nuodb_lease"]) == ([], [])
    wrong, _warnings = variables.misspelt("nuodb_recover", "nuodb_", {"nuodb_leas": "x"}, ["nuodb_leas"])
    assert wrong == ["there is no variable nuodb_leas (did you mean nuodb_lease?)"]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The definitions for AWX fit the collection; and the lint that says so finds what does not."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dbfleet.cluster.tests.gates import awx_lint
from ansible_collections.dbfleet.cluster.tests.gates.awx_definitions import Definitions

ROOT = Path(__file__).resolve().parents[3]


def test_the_definitions_fit() -> None:
    assert awx_lint.problems(Definitions()) == []
    assert awx_lint.main() == 0


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A checkout whose definitions may be spoilt."""
    shutil.copytree(ROOT / "extensions/awx", tmp_path / "extensions/awx")
    for folder in ("playbooks", "roles"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


DOWN = "surveys/exa_graceful_shutdown.yml"
TYPES, TEMPLATES = "definitions/credential_types.yml", "definitions/job_templates.yml"
WORKFLOWS, SCHEDULES = "definitions/workflows.yml", "definitions/schedules.yml"

SPOILT: dict[str, tuple[str, str, str, str]] = {
    "a variable that no role has": (
        DOWN, "variable: exa_graceful_shutdown_off_for", "variable: exa_graceful_shutdown_off_fro",
        "survey exa_graceful_shutdown: exa_graceful_shutdown_off_fro: no role or play of exa_graceful_shutdown",
    ),
    "a variable twice": (DOWN, "variable: exa_wait_timeout", "variable: target", "target is asked twice"),
    "a list as a number": (
        DOWN, "variable: exa_license_servers\n    required: false\n    type: textarea",
        "variable: exa_license_servers\n    required: false\n    type: integer",
        "exa_license_servers: the answer of a question of type integer can't be made a list",
    ),
    "a dictionary": (
        DOWN, "variable: exa_wait_timeout", "variable: exa_graceful_shutdown_hooks",
        "exa_graceful_shutdown_hooks: the answer of a question of type text can't be made a dict",
    ),
    "a list of dictionaries": (
        "surveys/exa_cold_start.yml",
        "variable: exa_cold_start_ignore_nodes", "variable: exa_plugins",
        "exa_plugins: no answer can be made a list of dictionaries",
    ),
    "a secret": (DOWN, "variable: exa_wait_timeout", "variable: exa_api_password", "a secret is for a credential"),
    "a choice that is none": (DOWN, "- abort_backup", "- abort", "abort: the variable takes refuse, wait"),
    "choices as free text": (
        DOWN, "variable: exa_wait_timeout", "variable: exa_provider", "it takes one of auto, exaoperation, confd: ask",
    ),
    "a flag that is no text": (
        "surveys/nuodb_graceful_shutdown.yml", "- 'true'", "- true",
        "True: the variable takes true, false",
    ),
    "the default of a multiselect": (
        DOWN, "variable: exa_license_servers\n    required: false\n    type: textarea",
        "variable: exa_license_servers\n    required: false\n    type: multiselect\n    choices: []\n    default: n10",
        "AWX's server never applies the default of a multiselect",
    ),
    "an empty default": (
        DOWN, "variable: exa_wait_timeout", "default: ''\n    variable: exa_wait_timeout", "an empty default arrives",
    ),
    "a required question with a default": (
        DOWN, "variable: target\n    required: false", "variable: target\n    default: x\n    required: true",
        "target: a required question's default isn't applied",
    ),
    "a default that beats the inventory": (
        DOWN, "    required: false\n    type: text\n", "    required: false\n    type: text\n    default: a\n",
        "a default is an extra variable, so it beats what the inventory says",
    ),
    "a template without its playbook": (
        TEMPLATES, "playbook: exa_cold_start", "playbook: exa_warm_start",
        "playbook exa_warm_start has a template and is not there",
    ),
    "a playbook without a template": (TEMPLATES, "  demo: it", "  demonstration: it", "playbook demo has no template"),
    "a template and a reason for none": (
        TEMPLATES, "  demo: it", "  check: it", "playbook check has a template and is named in",
    ),
    "a project without the playbook": (
        "project/status.yml", "cluster.status", "cluster.check",
        "project/status.yml doesn't import dbfleet.cluster.status",
    ),
    "a credential that is none": (
        TEMPLATES, "credentials: [dbfleet Exasol, dbfleet profiles]", "credentials: [dbfleet Exsol]",
        "there is no credential dbfleet Exsol",
    ),
    "slices with a confirmation": (
        TEMPLATES, "    playbook: exa_graceful_shutdown", "    job_slice_count: 3\n    playbook: exa_graceful_shutdown",
        "dbfleet Exasol graceful shutdown: it is sliced",
    ),
    "a limit of its own": (TEMPLATES, "    playbook: status", "    limit: a\n    playbook: status", "a limit of its"),
    "what apply.yml leaves out": (
        TEMPLATES, "    playbook: status", "    diff_mode: true\n    playbook: status",
        "dbfleet status: apply.yml doesn't pass on diff_mode",
    ),
    "a template that asks for no limit": (
        "apply.yml", "ask_limit_on_launch: true", "ask_limit_on_launch: false",
        "apply.yml: a template must have ask_limit_on_launch: true",
    ),
    "an inventory source that is none": (
        "definitions/base.yml", "fleet.nuodb.yml", "fleet.nudb.yml", "project/inventories/fleet.nudb.yml is not there",
    ),
    "certificates that aren't checked": (
        TYPES, "        EXA_TLS_FINGERPRINT:", "        EXA_VALIDATE_CERTS: 'no'\n        EXA_TLS_FINGERPRINT:",
        "credential type dbfleet Exasol: EXA_VALIDATE_CERTS is no with nothing filled: that turns the check of",
    ),
    "a default that only the form applies": (
        TYPES, "label: User, type: string}", "label: User, type: string, default: sys}", "api_username has a default",
    ),
    "the path of an empty file": (
        TYPES, '"{% if ca %}{{ tower.filename.ca }}{% endif %}"', '"{{ tower.filename.ca }}"',
        "EXA_CA_PATH is the path of an empty file where its field is empty",
    ),
    "an injector that breaks": (
        TYPES, '"{{ api_url }}"', '"{{ api_url.strip() }}"', "can't be rendered with nothing filled: 'api_url'",
    ),
    "a filter of Ansible": (
        TYPES, '"{{ api_url }}"', '"{{ api_url | bool }}"', "rendered with nothing filled: No filter named 'bool'",
    ),
    "a variable that nobody reads": (TYPES, "EXA_API_URL:", "EXA_URL:", "nothing reads EXA_URL"),
    "a variable of two types": (TYPES, "NUODB_API_URL:", "EXA_API_URL:", "and dbfleet NuoDB both set EXA_API_URL"),
    "a step that leads back": (
        WORKFLOWS, "success_nodes: [proof_after_recovery]", "success_nodes: [proof]",
        "step recovery leads to proof, which is no step further down",
    ),
    "a step whose answer is ignored": (
        WORKFLOWS, "extra_data: {fail_on: degraded}", "extra_data: {fail_at: degraded}",
        "step proof: dbfleet status doesn't ask for fail_at, so AWX would ignore it",
    ),
    "a step with no choice": (
        WORKFLOWS, "nuodb_database_state_state: restarted", "nuodb_database_state_state: bounced",
        "nuodb_database_state_state is bounced, and the survey has running, stopped, restarted",
    ),
    "a step that doesn't answer": (
        "surveys/nuodb_recover.yml", "required: false", "required: true", "step recovery: target must be answered and",
    ),
    "a schedule of nothing": (
        SCHEDULES, "template: dbfleet status", "template: dbfleet stats", "there is no template dbfleet stats",
    ),
}  # fmt: skip
"""By what is wrong: a file, what is replaced in it and by what, and what the lint says of it."""


@pytest.mark.parametrize("case", SPOILT)
def test_what_is_wrong_is_found(copied: Path, case: str) -> None:
    file, old, new, says = SPOILT[case]
    path = copied / "extensions/awx" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(says in sentence for sentence in awx_lint.problems(Definitions(copied)))


def test_a_survey_that_is_behind_fails_the_gate(copied: Path, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(awx_lint, "ROOT", copied)
    path = copied / "extensions/awx" / DOWN
    path.write_text(path.read_text(encoding="utf-8").replace("Off for", "Off", 1), encoding="utf-8")
    assert awx_lint.main(Definitions(copied)) == 1
    assert f"extensions/awx/{DOWN}: differs from the definitions" in capsys.readouterr().out


def test_a_flag_of_the_form_turns_no_check_off(copied: Path) -> None:
    """AWX's API sets no default of a flag: whoever makes the credential by it has False."""
    path = copied / "extensions/awx" / TYPES
    spoilt = path.read_text(encoding="utf-8")
    for old, new in (
        ("{id: api_username, label: User, type: string}", "{id: checks, label: Check, type: boolean}"),
        ('EXA_API_USERNAME: !unsafe "{{ api_username }}"', 'EXA_VALIDATE_CERTS: !unsafe "{{ checks }}"'),
    ):
        assert old in spoilt
        spoilt = spoilt.replace(old, new, 1)
    path.write_text(spoilt, encoding="utf-8")
    found = " ".join(awx_lint.problems(Definitions(copied)))
    assert "EXA_VALIDATE_CERTS is False with nothing filled: that turns the check of certificates off" in found


def test_what_is_injected() -> None:
    """Empty fields are not given; filled ones arrive, and files by their path."""
    exasol, _nuodb, profiles = Definitions().of("credential_types")
    assert set(awx_lint.rendered(exasol, {}).values()) == {""}
    assert set(awx_lint.rendered(profiles, {}).values()) == {""}
    some = awx_lint.rendered(exasol, {"api_password": "{{ 7 * 7 }}", "ca": "-----BEGIN"})
    assert {name: value for name, value in some.items() if value} == {
        "EXA_API_PASSWORD": "{{ 7 * 7 }}",
        "EXA_CA_PATH": "/runner/env/full-ca",
    }
    assert set(awx_lint.rendered(profiles, {"profiles": "a: {}"}).values()) == {"/runner/env/full-file"}


def test_no_object_is_named_twice() -> None:
    definitions = Definitions()
    for kind in ("job_templates", "workflows", "schedules", "credentials", "credential_types"):
        names = [row["name"] for row in definitions.of(kind)]
        assert len(names) == len(set(names))
    for row in definitions.of("workflows"):
        steps = [node["identifier"] for node in row["nodes"]]
        assert len(steps) == len(set(steps))


def test_the_project_has_what_awx_reads() -> None:
    project = ROOT / "extensions/awx/project"
    lines = (project / "ansible.cfg").read_text(encoding="utf-8").splitlines()
    assert lines[lines.index("[inventory]") :][-1] == "host_pattern_mismatch = error"
    wanted = yaml.safe_load((project / "collections/requirements.yml").read_text(encoding="utf-8"))
    assert wanted == {"collections": [{"name": "dbfleet.cluster"}]}


def test_the_settings_of_the_guide_are_settings() -> None:
    text = (ROOT / "docs/awx.md").read_text(encoding="utf-8")
    shown = yaml.safe_load(textwrap.dedent(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0]))
    known = yaml.safe_load((ROOT / "extensions/awx/settings.yml").read_text(encoding="utf-8"))
    assert set(shown) <= set(known)
    assert {"dbfleet_awx_image", "dbfleet_awx_project_url"} <= set(shown)


def test_the_guide_names_what_there_is() -> None:
    """Each file of the table is there, and each template, workflow and credential type that it speaks of."""
    text = (ROOT / "docs/awx.md").read_text(encoding="utf-8")
    files = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    assert len(files) == 10
    assert [name for name in files if not (ROOT / "extensions/awx" / name).exists()] == []
    definitions = Definitions()
    kinds = ("job_templates", "workflows", "credential_types")
    known = {row["name"] for kind in kinds for row in definitions.of(kind)}
    spoken = set(re.findall(r"\*(dbfleet [^*]+)\*", text))
    assert spoken
    assert spoken <= known

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`extensions/awx/apply.yml` by the real modules of awx.awx, against an imitation of AWX's API."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dbfleet.cluster.tests.awx.imitation import TOKEN, Awx
from ansible_collections.dbfleet.cluster.tests.gates.awx_definitions import Definitions

DEFINITIONS = Definitions()

PYTHON = sys.executable

SETTINGS = {
    "dbfleet_awx_image": "registry.example.com/dbfleet:1",
    "dbfleet_awx_project_url": "https://git.example.com/dbfleet/project.git",
    "dbfleet_awx_webhook_url": "https://chat.example.com/hook",
    "dbfleet_awx_inputs": {
        "exasol": {"api_username": "operator", "api_password": "s3cret-of-a-test"},
        "nuodb": {},
        "profiles": {"profiles": "exa-a: {api_url: [https://a.example.com]}\n"},
    },
}


class Applied:
    """A run of the playbook."""

    def __init__(self, awx: Awx, folder: Path, *words: str, **settings: Any) -> None:
        path = folder / "settings.yml"
        path.write_text(yaml.safe_dump({**SETTINGS, **settings}), encoding="utf-8")
        given = {
            **os.environ,
            "CONTROLLER_HOST": awx.url,
            "CONTROLLER_OAUTH_TOKEN": TOKEN,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "no_proxy": "*",
        }
        before = len(awx.writes)
        command = [sys.executable, "-m", "ansible", "playbook", str(DEFINITIONS.folder / "apply.yml")]
        run = subprocess.run(
            [*command, "-i", "localhost,", "-e", f"@{path}", "-e", f"ansible_python_interpreter={PYTHON}", *words],
            capture_output=True, text=True, env=given, check=False,
        )  # fmt: skip
        self.rc, self.out = run.returncode, run.stdout + run.stderr
        self.writes = awx.writes[before:]
        self.changed = int((re.search(r"changed=(\d+)", self.out) or ["", "-1"])[1])


def test_twice_and_in_check_mode(tmp_path: Path) -> None:
    """The first run makes everything, the second one changes nothing, and a preview writes nothing."""
    with Awx({path.name for path in (DEFINITIONS.folder / "project").glob("*.yml")}) as awx:
        first = Applied(awx, tmp_path)
        assert first.rc == 0, first.out
        assert first.changed > 0
        assert SETTINGS["dbfleet_awx_inputs"]["exasol"]["api_password"] not in first.out
        _made(awx)
        again = Applied(awx, tmp_path)
        assert (again.rc, again.changed, again.writes) == (0, 0, []), again.out
        preview = Applied(awx, tmp_path, "--check", dbfleet_awx_image="registry.example.com/dbfleet:2")
        assert (preview.rc, preview.changed, preview.writes) == (0, 1, []), preview.out


def _made(awx: Awx) -> None:
    kinds = {"job_templates": "job_templates", "workflows": "workflow_job_templates", "schedules": "schedules"}
    kinds.update({kind: kind for kind in ("credential_types", "credentials", "inventory_sources")})
    for kind, endpoint in kinds.items():
        assert set(awx.named(endpoint)) == {row["name"] for row in DEFINITIONS.of(kind)}
    for row in DEFINITIONS.of("credential_types"):  # Ansible rendered nothing of it
        assert awx.named("credential_types")[row["name"]]["injectors"] == row["injectors"]
    templates = awx.named("job_templates")
    (webhook,) = awx.rows["notification_templates"]
    for name, row in DEFINITIONS.templates.items():
        made = templates[name]
        assert made["playbook"] == f"{row['playbook']}.yml"
        assert made["ask_limit_on_launch"] is made["ask_job_type_on_launch"] is made["survey_enabled"] is True
        assert awx.surveys[made["id"]]["spec"] == DEFINITIONS.survey(row["playbook"])
        assert awx.lists["job_templates", made["id"], "notification_templates_error"] == [webhook]
    steps = awx.named("workflow_job_template_nodes")
    restart = next(row for row in steps.values() if row["identifier"] == "restart")
    assert (restart["job_type"], restart["extra_data"]) == ("run", {"nuodb_database_state_state": "restarted"})
    links = awx.lists["workflow_job_template_nodes", restart["id"], "failure_nodes"]
    assert links == [steps["recovery"]["id"]]
    assert awx.lists["workflow_job_template_nodes", steps["proof"]["id"], "failure_nodes"] == links


@pytest.mark.parametrize("setting", ["dbfleet_awx_image", "dbfleet_awx_project_url"])
def test_what_must_be_given(tmp_path: Path, setting: str) -> None:
    with Awx(set()) as awx:
        run = Applied(awx, tmp_path, **{setting: ""})
        assert (run.rc, run.writes) == (2, [])
        assert f"{setting} is not given: see settings.yml" in run.out


def test_nobody_is_told_without_a_webhook(tmp_path: Path) -> None:
    """And what AWX refuses ends the run: here the project has no playbooks."""
    with Awx(set()) as awx:
        run = Applied(awx, tmp_path, dbfleet_awx_webhook_url="")
        assert run.rc == 2
        assert "Playbook not found for project" in run.out
        assert awx.rows["notification_templates"] == {}

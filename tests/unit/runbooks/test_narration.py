# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end table, its cause, and the command that resumes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import narration

PHASES = [{"phase": "power", "began": 100.0}, {"phase": "api", "began": 110.04}, {"phase": "nodes", "began": 200.0}]


def entry(**more: Any) -> dict[str, Any]:
    usual = {"runbook": "exa_cold_start", "host": "exa-a", "check": False, "hooks": "", "phases": PHASES}
    return {**usual, "resume": "ansible-playbook it", "at": 4000.0, **more}


SECONDS = {"power": 10.0, "api": 90.0, "nodes": 3800.0}


def test_a_phase_lasts_until_the_next_one_begins() -> None:
    assert narration.durations(PHASES, 4000.0) == SECONDS
    assert narration.durations([], 4000.0) == {}


@pytest.mark.parametrize(
    ("failed", "check", "head", "last"),
    [
        (False, False, "exa_cold_start: ok", "  nodes             1:03:20  done"),
        (True, False, "exa_cold_start: failed", "  nodes             1:03:20  failed here"),
        (False, True, "exa_cold_start: ok (check mode: nothing was changed)", "  nodes             1:03:20  done"),
    ],
)
def test_the_table_of_phases(failed: bool, check: bool, head: str, last: str) -> None:
    assert narration.table(entry(check=check), SECONDS, failed) == [
        head,
        "  power               00:10  done",
        "  api                 01:30  done",
        last,
    ]


def test_the_cause_and_how_it_goes_on() -> None:
    resume = "resume: ansible-playbook it   (AWX: relaunch on failed hosts)"
    assert narration.cause_and_resume(entry(), "off") == ["cause: off", resume]
    assert narration.cause_and_resume(entry(), "off", "on") == ["cause: off", "hint: on", resume]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"phases": []}, "the run was stopped in phase begin"),
        ({}, "the run was stopped in phase nodes"),
        (
            {"hooks": "power (on.yml)"},
            "nothing followed the hook power (on.yml) in phase nodes (it ended the host or the play by meta, could not "
            "be loaded, or the run was stopped)",
        ),
    ],
)
def test_why_a_run_did_not_come_to_its_end(more: dict[str, Any], says: str) -> None:
    assert narration.unended_cause(entry(**more)) == f"exa-a: exa_cold_start did not come to its end: {says}"


def test_the_table_of_a_run_that_did_not_come_to_its_end() -> None:
    lines = narration.unended(entry(phases=PHASES[:1], at=107.0))
    assert lines == [
        "[exa-a] exa_cold_start: failed",
        "[exa-a]   power               00:07  failed here",
        "[exa-a] cause: exa-a: exa_cold_start did not come to its end: the run was stopped in phase power",
        "[exa-a] resume: ansible-playbook it   (AWX: relaunch on failed hosts)",
    ]


# -- the command that resumes


def resumes(cli: Callable[..., None], *settings: str, **given: Any) -> str:
    cli(**given)
    return narration.resume_command("exa_cold_start", "exa-a", list(settings))


HEAD = "ansible-playbook dbfleet.cluster.exa_cold_start"


def test_it_names_the_inventories_as_seen_from_here(cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = [str(tmp_path / "inventory/prod.yml"), "exa-a,exa-b,", "", str(tmp_path.parent / "my own.ini")]
    assert resumes(cli, inventory=given) == (
        "ansible-playbook -i inventory/prod.yml -i exa-a,exa-b, -i '../my own.ini' dbfleet.cluster.exa_cold_start "
        "-e target=exa-a"
    )


def test_it_ends_with_what_the_runbook_needs(cli: Any) -> None:
    assert resumes(cli, "confirm=exa-a", "exa_x=a b") == f"{HEAD} -e target=exa-a -e confirm=exa-a -e 'exa_x=a b'"


def test_it_keeps_the_users_own_variables(cli: Any) -> None:
    own = ["exa_log_service=logservice1 exa_wait_timeout=60", "@vars.yml", '{"exa_license_servers": ["n10"]}', "[1]"]
    assert resumes(cli, extra_vars=own) == (
        f"{HEAD} -e exa_log_service=logservice1 -e exa_wait_timeout=60 -e @vars.yml "
        "-e '{\"exa_license_servers\": [\"n10\"]}' -e '[1]' -e target=exa-a"
    )


def test_it_says_nothing_twice(cli: Any) -> None:
    own = ["target=exa_clusters confirm=exa-a,exa-b exa_x=1", "exa_y=2"]
    assert resumes(cli, "exa_x=3", extra_vars=own) == f"{HEAD} -e exa_y=2 -e target=exa-a -e exa_x=3"


@pytest.mark.parametrize(
    "given",
    [
        "exa_api_password=s3cret", "EXA_PASSWD=s3cret", "my_secret=s3cret", "api_token=s3cret", "aws_access_key=s3cret",
        "credential=s3cret", '{"exa_api_password": "s3cret"}', '[{"token": "s3cret"}]', "exa_passphrase='s3cret'",
    ],
)  # fmt: skip
def test_it_leaves_out_what_may_be_a_secret(cli: Any, given: str) -> None:
    assert resumes(cli, extra_vars=[given, "exa_x=1"]) == f"{HEAD} -e exa_x=1 -e target=exa-a"


def test_a_file_of_secrets_is_named_and_not_read(cli: Any) -> None:
    assert resumes(cli, extra_vars=["@secrets.yml"]) == f"{HEAD} -e @secrets.yml -e target=exa-a"

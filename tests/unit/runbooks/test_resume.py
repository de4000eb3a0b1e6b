# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command that resumes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible import constants
from ansible_collections.dbfleet.cluster.plugins.module_utils._secrets import Scrubber
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import resume


def resumes(cli: Callable[..., None], *settings: str, **given: Any) -> str:
    cli(**given)
    return resume.command("exa_cold_start", "exa-a", list(settings))


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


def test_an_inventory_that_nobody_named_is_left_out(cli: Any) -> None:
    assert resumes(cli, inventory=list(constants.DEFAULT_HOST_LIST)) == f"{HEAD} -e target=exa-a"


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


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"check": True, "diff": True}, "--check --diff"),
        ({"tags": ["nodes", "storage"]}, "--tags nodes,storage"),
        ({"tags": ["all"], "skip_tags": ["plugins"]}, "--skip-tags plugins"),
        ({"forks": 20}, "--forks 20"),
        ({"connection": "local"}, "--connection local"),
        ({"start_at_task": "(3/6) nodes"}, "--start-at-task '(3/6) nodes'"),
        ({"vault_ids": ["prod@prompt"], "vault_password_files": []}, "--vault-id prod@prompt"),
        ({"ask_vault_pass": True}, "--ask-vault-pass"),
    ],
)
def test_it_has_the_arguments_of_the_run(cli: Any, given: dict[str, Any], says: str) -> None:
    assert resumes(cli, **given) == f"{HEAD} {says} -e target=exa-a"


def test_a_file_with_the_vaults_password_is_named_as_seen_from_here(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"vault_password_files": [str(tmp_path / "vault.txt")]}
    assert resumes(cli, **given) == f"{HEAD} --vault-password-file vault.txt -e target=exa-a"


@pytest.mark.parametrize("name", ["exa_cold_start", "check"])
def test_a_playbook_of_the_collection_is_named_by_the_runbook(cli: Any, name: str) -> None:
    assert resumes(cli, args=(f"dbfleet.cluster.{name}",)) == f"{HEAD} -e target=exa-a"


def test_a_playbook_of_the_user_is_run_again_for_the_host(cli: Any) -> None:
    says = resumes(cli, args=("site.yml", "after.yml"), extra_vars=["exa_x=1"])
    assert says == "ansible-playbook site.yml after.yml --limit exa-a -e exa_x=1 -e target=exa-a"


def test_what_was_refused_is_not_repeated(cli: Any) -> None:
    cli(extra_vars=["exa_cold_start_database=DB1 exa_wait_timeout=60"])
    says = resume.command("exa_cold_start", "exa-a", [], {"exa_cold_start_database"})
    assert says == f"{HEAD} -e exa_wait_timeout=60 -e target=exa-a"


def starts(cli: Any, variables: dict[str, Any], *settings: str, **given: Any) -> str:
    cli(**given)
    return resume.how(variables, "exa_cold_start", "exa-a", list(settings))


JOB = {"awx_job_id": 4711, "awx_job_template_name": "exa up", "confirm": "exa-a"}


@pytest.mark.parametrize(
    ("variables", "settings", "says"),
    [
        (JOB, [], "in AWX, relaunch job 4711 on failed hosts, or launch template exa up with target=exa-a"),
        (
            JOB, ["confirm=exa-a"],
            "in AWX, relaunch job 4711 on failed hosts, or launch template exa up with target=exa-a confirm=exa-a",
        ),
        (
            {"tower_job_id": 7}, ["exa_x=down", '{"exa_y": [1]}'],
            "in AWX, launch its template with target=exa-a exa_x=down '{\"exa_y\": [1]}' "
            "(a relaunch of job 7 would lack exa_x exa_y)",
        ),
        (
            {**JOB, "confirm": "exa-a exa-b"}, ["confirm=exa-a"],
            "in AWX, relaunch job 4711 on failed hosts, or launch template exa up with target=exa-a confirm=exa-a",
        ),
        (
            {**JOB, "confirm": ""}, ["confirm="],
            "in AWX, launch template exa up with target=exa-a confirm= (a relaunch of job 4711 would lack ",
        ),
        ({**JOB, "exa_y": [1]}, ['{"exa_y": [1]}'], "in AWX, relaunch job 4711 on failed hosts, or "),
    ],
)  # fmt: skip
def test_a_job_is_launched_again(cli: Any, variables: dict[str, Any], settings: list[str], says: str) -> None:
    """The inventory and the variables of a job are files that go with it."""
    told = starts(
        cli, variables, *settings, inventory=["/runner/inventory/hosts"], extra_vars=["@/runner/env/extravars"]
    )
    assert told.startswith(says)
    assert "/runner" not in told


def test_of_an_event_no_copied_file_is_named(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "extravars").write_text(
        "ansible_eda: {event: {token: x}}\nexa_wait_timeout: 60\nexa_word: a b\nexa_api_password: s3cret\n"
        "exa_more: {password: s3cret}\ntarget: exa-b\n"
    )
    told = starts(
        cli, {"ansible_eda": {}}, inventory=[str(tmp_path / "inventory")],
        extra_vars=[f"@{tmp_path}/extravars", "@/not/there"], args=(f"{tmp_path}/project/recover.yml",),
    )  # fmt: skip
    assert told == (
        "ansible-rulebook starts it at the next event; to start it by hand, use its INVENTORY: ansible-playbook -i "
        "INVENTORY recover.yml --limit exa-a -e '{\"exa_wait_timeout\": 60}' -e 'exa_word=a b' -e target=exa-a"
    )


def test_elsewhere_it_is_the_command(cli: Any) -> None:
    assert starts(cli, {"awx_job_id": ""}) == f"{HEAD} -e target=exa-a"


# -- what has started the run


def test_the_command_as_it_was_typed(cli: Any) -> None:
    cli(
        inventory=["hosts.yml"],
        args=["dbfleet.cluster.exa_cold_start"],
        subset="exa-a",
        check=True,
        tags=["nodes"],
        extra_vars=["target=all confirm=exa-a exa_api_password=hunter22", '{"api_token": "x1y2"}', "@more.yml"],
    )
    assert resume.typed({}) == (
        "ansible-playbook -i hosts.yml dbfleet.cluster.exa_cold_start --check --tags nodes --limit exa-a -e target=all "
        "-e confirm=exa-a -e @more.yml"
    )


def test_a_word_of_the_command_is_scrubbed(cli: Any) -> None:
    cli(args=["site.yml"], extra_vars=["note=hunter22"])
    assert resume.typed({}, Scrubber(["hunter22"]).text) == "ansible-playbook site.yml -e 'note=********'"


def test_a_job_of_awx_has_a_template(cli: Any) -> None:
    cli(args=["site.yml"])
    given = {"awx_job_id": 7, "awx_job_template_name": "dbfleet Exasol cold start"}
    assert resume.typed(given) == "template dbfleet Exasol cold start in AWX"

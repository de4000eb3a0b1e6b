# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extra variables that look as if they were ours."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.splitter import parse_kv
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.command_line import ARGUMENTS, slips


def given_by(text: str) -> dict[str, Any]:
    """As ansible-playbook reads a text behind -e."""
    found: dict[str, Any] = parse_kv(text)
    return found


@pytest.mark.parametrize("name", ["tagret", "tarGet", "TARGET", "targets", "targe", "trget", "host", "hosts", "limit"])
def test_what_should_have_been_the_target(name: str) -> None:
    assert slips([name]) == [f"there is no variable {name} (did you mean target?)"]


@pytest.mark.parametrize("name", ["confrim", "confim", "Confirm", "confirmed"])
def test_what_should_have_been_the_confirmation(name: str) -> None:
    assert slips([name]) == [f"there is no variable {name} (did you mean confirm?)"]


@pytest.mark.parametrize("name", ["failon", "fail-on", "fail_onn", "Fail_On", "fails_on", "failOn"])
def test_what_should_have_been_fail_on(name: str) -> None:
    assert slips([name]) == [f"there is no variable {name} (did you mean fail_on?)"]


@pytest.mark.parametrize("name", [*ARGUMENTS, "Check", "dry-run"])
def test_what_is_an_argument(name: str) -> None:
    """-e check=true would change what it should only have shown."""
    (says,) = slips([name])
    assert says.startswith(f"{name} is not a variable and has no effect: use the argument --")


def test_a_value_that_was_cut_off_at_a_space() -> None:
    """-e exa_database_state_databases='DB1 DB2' stopped DB1 alone."""
    (says,) = slips(given_by("exa_database_state_databases=DB1 DB2"))
    assert says.startswith("-e has words without a name=, so a value with a space was cut off at the space: use commas")
    assert slips(given_by("target=exa-a confirm=exa-a")) == []
    assert slips(given_by("exa_database_state_databases='DB1 DB2'")) == []


def test_what_is_the_users_own() -> None:
    assert slips(["target", "confirm", "dbfleet_strategy", "ticket", "budget", "awx_job_id", "exa_target_x"]) == []
    assert slips(["fail_on", "fail_on_error", "failover"]) == []

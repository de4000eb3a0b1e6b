# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extra variables that look as if they were ours."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.command_line import ARGUMENTS, slips


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


def test_what_is_the_users_own() -> None:
    assert slips(["target", "confirm", "dbfleet_strategy", "ticket", "budget", "awx_job_id", "exa_target_x"]) == []
    assert slips(["fail_on", "fail_on_error", "failover"]) == []

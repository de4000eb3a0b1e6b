# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All runbooks, as roles and playbooks have them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import ALL, RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.definition import Hook, Runbook

ROOT = Path(__file__).resolve().parents[3]
EACH = pytest.mark.parametrize("book", RUNBOOKS.values(), ids=list(RUNBOOKS))


def test_every_runbook_has_a_role_and_a_playbook_of_its_name() -> None:
    assert {name: book.name for name, book in RUNBOOKS.items()} == {name: name for name in RUNBOOKS}
    roles = {path.name for path in (ROOT / "roles").iterdir() if (path / "tasks/main.yml").is_file()}
    assert roles - set(RUNBOOKS) == {"check", "demo", "init", "maintenance", "rehearse", "runs", "status"}
    assert set(RUNBOOKS) <= roles & {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert set(ALL) == {*RUNBOOKS, "check_exasol", "check_nuodb"}


@EACH
def test_its_name_begins_like_its_product(book: Runbook) -> None:
    assert book.name.startswith(f"{book.product}_")
    assert book.product in ("exa", "nuodb")


@EACH
def test_its_phases_and_places_for_hooks_have_names_of_their_own(book: Runbook) -> None:
    phases, hooks = [phase.name for phase in book.phases], [hook.name for hook in book.hooks()]
    assert (len(set(phases)), len(set(hooks))) == (len(phases), len(hooks))
    assert not set(phases) & {"always", "never", "all", "tagged", "untagged"}


@EACH
def test_what_only_the_run_can_tell_is_said_of_every_hook_that_looks(book: Runbook) -> None:
    """The file of a hook is written before the parts in front of it run, unless it says that it is late."""
    looks = [part for phase in book.phases for part in phase.parts if isinstance(part, Hook) and part.late]
    always = Hook("", "").due
    assert looks == [
        part for phase in book.phases for part in phase.parts if isinstance(part, Hook) and part.due is not always
    ]


@pytest.mark.parametrize("role", [*RUNBOOKS, "check"])
def test_the_tasks_of_its_role_call_it(role: str) -> None:
    (block,) = yaml.safe_load((ROOT / f"roles/{role}/tasks/main.yml").read_text(encoding="utf-8"))
    calls = [task.get("dbfleet.cluster.runbook") for task in (*block["block"], *block["rescue"])]
    named = "check_{{ check_product }}" if role == "check" else role
    assert [(call["name"], call.get("step", "run")) for call in calls if call] == [
        (named, "run"), (named, "end"), (named, "fail")
    ]  # fmt: skip

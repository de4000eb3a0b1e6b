# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of maintenance: of one cluster, and of the run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.maintenance.settings import (
    OF_CLUSTER,
    OF_RUN,
    PREFIX,
    REGISTERED,
    differing,
    gates,
    planned,
    settings_of,
)
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.maintenance.waves import Canary
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.variables import options_of

TASKS = Path(__file__).resolve().parents[3] / "roles/maintenance/tasks"

GROUPS = {"all": ["a", "b", "c"], "test": ["a", "b"]}


def of(**given: Any) -> Any:
    return settings_of("a", {f"{PREFIX}{name}": value for name, value in {"work": "f.yml", **given}.items()})


def test_every_variable_of_the_role_has_its_default() -> None:
    """What the tasks of the role register is no variable of the user."""
    options = {name.removeprefix(PREFIX) for name in options_of("maintenance") if name.startswith(PREFIX)}
    assert options == {*OF_RUN, *OF_CLUSTER, "at_once"}
    texts = "".join(path.read_text(encoding="utf-8") for path in TASKS.glob("*.yml"))
    assert set(re.findall(r"(?:register|loop_var): (\w+)", texts)) == REGISTERED
    assert of().problems == []


def test_values_come_in_their_types() -> None:
    """As a survey gives them: texts, and empty ones for no answer."""
    found = of(max_failures="2", rolling="yes", verify_timeout="20m", serial="", accept="b, test", after=None, pause="")
    assert found.problems == []
    assert [found.values[name] for name in ("max_failures", "rolling", "verify_timeout", "serial", "pause")] == [
        2, True, 1200, "1", "never",
    ]  # fmt: skip
    assert found.names("accept", GROUPS) == ["b", "a", "b"]
    assert found.names("after", GROUPS) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"wrok": "x"}, "a: there is no variable maintenance_wrok (did you mean maintenance_work?)"),
        ({"work": ""}, "a: maintenance_work names no file of tasks"),
        ({"max_failures": -1}, "a: maintenance_max_failures is -1, and must not be below 0"),
        ({"max_failures": "few"}, "a: maintenance_max_failures is 'few': it takes a whole number"),
        ({"look_timeout": 0}, "a: maintenance_look_timeout is 0, and must be above 0"),
        ({"pause": "sometimes"}, "a: value of maintenance_pause must be one of: never, after_canary, after_each"),
        ({"backup": "{volume: v}"}, "a: maintenance_backup is a text, not dict"),
        ({"backup": {"volum": "v"}}, "a: maintenance_backup has the unknown key volum (did you mean volume?);"),
        ({"backup": {"level": 0}}, "a: maintenance_backup names no volume"),
    ],  # fmt: skip
)
def test_what_is_wrong(given: dict[str, Any], says: str) -> None:
    assert [text for text in of(**given).problems if text.startswith(says)], of(**given).problems


def test_a_backup_is_of_one_product() -> None:
    given = {"maintenance_work": "f.yml", "maintenance_backup": {"volume": "r0001"}}
    assert settings_of("a", given).problems == []
    says = "maintenance_backup is for Exasol clusters: for hot copies of a domain, use nuodb_graceful_shutdown_hotcopy"
    assert settings_of("a", given, "nuodb").problems == [f"a: {says}"]


def test_no_work_must_be_meant() -> None:
    assert of(work="none").work == []
    assert of(work="none").problems == []
    assert of(work=["a.yml", "b.yml"]).work == ["a.yml", "b.yml"]


def test_what_holds_for_the_run_is_one() -> None:
    assert differing({"a": of(serial=2), "b": of(serial="2")}) == []
    assert differing({"a": of(serial=2), "b": of(serial=3), "c": of()})[0].startswith(
        "maintenance_serial applies to the whole run, but a and b have different values"
    )


def test_the_waves_of_a_run() -> None:
    found = {"a": of(after="test"), "b": of(), "c": of()}
    assert planned(found, GROUPS) == ([["b"], ["a"], ["c"]], Canary(count=1))
    with pytest.raises(ClusterError, match="maintenance_after of a names the cluster itself"):
        planned({"a": of(after="a")}, GROUPS)
    with pytest.raises(ClusterError, match="maintenance_after names d, which the inventory doesn't have"):
        planned({"a": of(after="d")}, GROUPS)


@pytest.mark.parametrize(
    ("waves", "canary", "pause", "are"),
    [
        (3, Canary(count=1), "never", []),
        (3, Canary(count=1), "after_canary", [1]),
        (3, Canary(), "after_canary", []),
        (3, Canary(), "after_each", [1, 2]),
        (1, Canary(count=1), "after_each", []),
        (1, Canary(count=1), "after_canary", []),
    ],
)
def test_gates(waves: int, canary: Canary, pause: str, are: list[int]) -> None:
    assert gates(waves, canary, pause) == are

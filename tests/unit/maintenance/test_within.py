# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the runbooks within a maintenance would refuse, told before any cluster is down."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.meant import Meant
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.maintenance import within


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible.constants.DEFAULT_LOCAL_TMP", str(tmp_path))


def meant(name: str = "a", product: str = "exa", **given: Any) -> Meant:
    held = {key: value for key, value in given.items() if value != ""}
    return Meant(name, product, {}, given=held, named=list(given))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"exa_graceful_shutdown_pwoer": "none"}, "did you mean exa_graceful_shutdown_power?"),
        ({"exa_cold_start_ignore_ndoes": "n11"}, "did you mean exa_cold_start_ignore_nodes?"),
        ({"exa_cold_start_ignore_ndoes": ""}, "did you mean exa_cold_start_ignore_nodes?"),
        ({"exa_cold_start_api_timeout": "soon"}, "exa_cold_start: exa_cold_start_api_timeout"),
        ({"exa_cold_start_hooks": {"nowhere": "f"}}, "there is no option exa_cold_start_hooks.nowhere"),
    ],
)
def test_variables_that_a_runbook_would_refuse(given: dict[str, Any], says: str) -> None:
    (found,) = within.problems(meant(**given), [])
    assert says in found


def test_variables_that_are_fit() -> None:
    given = {"exa_api_url": "https://a", "exa_graceful_shutdown_power": "none", "exa_cold_start_ignore_nodes": "n11"}
    assert within.problems(meant(**given), ["target", "confirm", "maintenance_work"]) == []
    assert within.problems(meant(product="nuodb", nuodb_api_url="https://a", nuodb_cold_start_hooks={}), []) == []


def test_hooks_of_both_runbooks() -> None:
    one = meant(exa_cold_start_hooks={"power": ["/on.yml"]}, exa_graceful_shutdown_hooks={"before_nodes": "/off.yml"})
    assert within.hook_files(one, DataLoader(), "/roles/maintenance") == {
        "exa_graceful_shutdown": {"before_nodes": ["/off.yml"]},
        "exa_cold_start": {"power": ["/on.yml"]},
    }


def test_one_cluster_under_two_names() -> None:
    at = {"exa_api_url": "https://one"}
    rows = [meant("a", **at), meant("b", **at), meant("c", exa_api_url="https://other")]
    (said,) = within.twins(rows, DataLoader())
    assert said.startswith("a and b share an API endpoint")
    assert within.twins(rows[1:], DataLoader()) == []


def test_a_saved_plan_is_none_of_a_maintenance() -> None:
    rows = [meant("a", exa_plan_file="/plans/"), meant("b"), meant("c", "nuodb", nuodb_plan_file="p.json")]
    found = within.planned(rows)
    assert [text.partition(" is set")[0] for text in found] == ["a: exa_plan_file", "c: nuodb_plan_file"]
    assert within.planned([meant(exa_plan_file="")]) == []

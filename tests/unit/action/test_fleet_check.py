# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task that checks all hosts of a play."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.action.fleet_check import ActionModule
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.direct import Direct
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.check import CHECKS

pytestmark = pytest.mark.usefixtures("roles")

HOSTS = {name: {"exa_api_url": f"https://{name}", "ansible_connection": "local"} for name in ("exa-a", "exa-b")}
GOOD = {"urls": [{"ok": True}], "problems": [], "hints": []}
ANSWERS = {"exa_connection_info": GOOD, "exa_cluster_info": {"cluster": {}, "summary": "well", "denied": ["nodes"]}}


@pytest.fixture
def checked(stage: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the task of a host, with modules that answer; without a strategy it is linear."""

    def answer(_self: Any, module: Any, args: dict[str, Any], _place: str = "auto") -> dict[str, Any]:
        name = module.__name__.rpartition(".")[2]
        return {"failed": True, "msg": "off"} if args.get("cluster_name") == "exa-b" else ANSWERS[name]

    monkeypatch.setattr(Direct, "_in_process", answer)

    def run(run_once: bool = True, play: Any = None, **args: Any) -> dict[str, Any]:
        made = stage(CHECKS["exasol"], tuple(HOSTS), of=HOSTS, play=play)
        fake, task_vars = made.action()
        fake.task.args, fake.task.run_once = args, run_once
        action = made.plugin(ActionModule, fake.task, task_vars)
        return action.run(task_vars=task_vars)

    return run


def test_all_hosts_of_the_play(checked: Any, said: list[str]) -> None:
    result = checked()
    assert (list(result["fleet"]), result["failing"], result["elsewhere"]) == (["exa-a", "exa-b"], ["exa-b"], [])
    assert result["fleet"]["exa-b"]["problem"] == "off"
    assert result["ansible_stats"]["data"]["dbfleet"] == {
        "exa-a": {"problems": [], "summary": "well"},
        "exa-b": {"problems": ["the check did not finish"], "summary": ""},
    }
    assert (result["fleet"]["exa-a"]["summary"], "found" in result["fleet"]["exa-a"]) == ("well", False)
    assert said[-1] == "2 clusters checked, 1 failed: exa-b"
    assert not result.get("failed")


def test_what_each_module_returned(checked: Any) -> None:
    assert list(checked(details=True)["fleet"]["exa-a"]["found"]) == ["connection", "info"]


@pytest.mark.parametrize(("run_once", "strategy"), [(False, "linear"), (True, "free"), (True, "host_pinned")])
def test_where_it_stands_for_its_host_alone(checked: Any, run_once: bool, strategy: str) -> None:
    assert list(checked(run_once, {"strategy": strategy})["fleet"]) == ["exa-a"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"side_by_side": 0}, "side_by_side is 0, and must be above 0; nothing was looked at [DBF-7001]"),
        ({"detials": True}, "there is no option detials (did you mean details?); nothing was looked at [DBF-7001]"),
    ],
)
def test_what_it_cannot_do_is_told(checked: Any, args: dict[str, Any], says: str) -> None:
    assert checked(**args)["msg"] == says


def test_a_slip_among_the_extra_variables(checked: Any, cli: Any) -> None:
    cli(extra_vars=["check_detials=true"])
    assert checked()["msg"].startswith("there is no variable check_detials (did you mean check_details?)")

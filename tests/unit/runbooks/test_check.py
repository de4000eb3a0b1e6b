# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check: it looks, asks what each runbook would do, and says what is wrong with the connection."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.check import CHECKS

GOOD = {"urls": [{"ok": True}, {"ok": True}], "problems": [], "hints": []}
HALF = {
    "urls": [{"ok": False}, {"ok": True}],
    "problems": ["n11: no route", "n12: expired"],
    "hints": ["Ask Bob", "Or Al"],
}
BAD = {"urls": [{"ok": False}], "problems": ["n11: no route"], "hints": []}
CLUSTER = {"nodes": {}}


def exasol(connection: Optional[dict[str, Any]] = None, **more: Any) -> dict[str, Any]:
    return {
        "exa_connection_info": connection or GOOD,
        "exa_cluster_info": {"cluster": CLUSTER, "summary": "all is well", "denied": [], **more},
    }


NUODB = {
    "nuodb_connection_info": GOOD,
    "nuodb_domain_info": {"domain": {"servers": {}}, "summary": "all is well", "notes": ["raise it"]},
}


def test_exasol(through: Any) -> None:
    done = through(CHECKS["exasol"], exasol(), exa_license_servers=["n0020"], exa_log_service="logservice1")
    common = {"cluster": CLUSTER, "license_servers": ["n0020"], "log_service": "logservice1"}
    assert [(call.module, call.options) for call in done.calls] == [
        ("exa_connection_info", {}),
        (
            "exa_cluster_info",
            {
                "license_servers": ["n0020"], "on_denied": "leave_out",
                "gather": [
                    "nodes", "services", "databases", "version", "log_services", "plugins", "volume_states", "sight"
                ],
            },
        ),
        (
            "exa_plan",
            {
                **common, "runbook": "cold_start", "databases": ["all"], "ignore_nodes": [], "power_on": True,
                "hooked": False, "plugins": [], "use_infra": False,
            },
        ),
        (
            "exa_plan",
            {
                **common, "runbook": "graceful_shutdown", "databases": ["all"], "power_off": "api", "hooked": False,
                "use_infra": False,
            },
        ),
    ]  # fmt: skip
    assert done.said == ["[exa-a] all is well"]
    assert done.result["outcome"] == {}
    assert done.result["ansible_stats"]["data"] == {"dbfleet": {"exa-a": {"problems": [], "summary": "all is well"}}}


@pytest.mark.parametrize(
    ("given", "more"),
    [
        ({"exa_cold_start_power": "infra"}, ["infra", "sight"]),
        ({"exa_graceful_shutdown_power": "infra"}, ["infra", "sight"]),
        ({"exa_graceful_shutdown_power": "none"}, []),
        ({"exa_cold_start_power": "infra", "exa_graceful_shutdown_power": "none"}, ["infra"]),
    ],
)
def test_what_the_runbooks_need_to_know_is_looked_at(through: Any, given: dict[str, Any], more: list[str]) -> None:
    done = through(CHECKS["exasol"], exasol(), **given)
    assert done.options("info")["gather"][7:] == more


def test_each_plan_is_made_with_the_variables_and_hooks_of_its_runbook(through: Any) -> None:
    done = through(
        CHECKS["exasol"], exasol(),
        exa_cold_start_power="hook", exa_cold_start_hooks={"power_nodes": "/on.yml"}, exa_cold_start_databases=["DB1"],
        exa_graceful_shutdown_databases=["DB2"], exa_graceful_shutdown_power="hook", exa_plugins=[{"name": "A.x"}],
    )  # fmt: skip
    start, down = done.options("plan of cold_start"), done.options("plan of graceful_shutdown")
    assert (start["power_on"], start["hooked"], start["databases"], start["plugins"]) == (False, True, ["DB1"], ["A.x"])
    assert (down["power_off"], down["hooked"], down["databases"]) == ("hook", False, ["DB2"])


def test_what_a_user_may_not_read_is_told_and_nothing_is_planned(through: Any) -> None:
    done = through(CHECKS["exasol"], exasol(denied=["nodes", "sight", "plugins"]))
    assert done.modules == ["exa_connection_info", "exa_cluster_info"]
    says = "this user may not read nodes, plugins, so this user can't run runbooks for whole clusters"
    assert done.said[1] == f"[exa-a] {says}"
    assert "failed" not in done.result


def test_all_that_is_wrong_with_the_connection_is_told_after_the_plans(through: Any) -> None:
    done = through(CHECKS["exasol"], exasol(HALF))
    assert done.modules[1:] == ["exa_cluster_info", "exa_plan", "exa_plan"]
    says = "n11: no route; n12: expired. Ask Bob. Or Al [DBF-1010]"
    assert (done.result["failed"], done.result["msg"]) == (True, says)


@pytest.mark.parametrize("product", ["exasol", "nuodb"])
def test_where_no_url_can_be_used_nothing_else_is_asked(through: Any, product: str) -> None:
    module = {"exasol": "exa_connection_info", "nuodb": "nuodb_connection_info"}[product]
    done = through(CHECKS[product], {module: BAD})
    assert (done.modules, done.result["msg"]) == ([module], "n11: no route [DBF-1010]")


def test_nuodb(through: Any) -> None:
    done = through(CHECKS["nuodb"], NUODB, nuodb_recover_databases=["test"], nuodb_graceful_shutdown_servers=True)
    assert done.modules == ["nuodb_connection_info", "nuodb_domain_info", *["nuodb_plan"] * 3]
    assert done.options("info") == {
        "gather": [
            "servers", "databases", "archives", "processes", "tombstones", "hotcopies", "kubernetes",
            "license", "versions",
        ],
        "incarnations": "all",
    }  # fmt: skip
    plans = [call.options for call in done.calls[2:]]
    assert [(plan["runbook"], plan["domain"]) for plan in plans] == [
        (runbook, {"servers": {}}) for runbook in ("cold_start", "graceful_shutdown", "recover")
    ]
    assert (plans[1]["stop_servers"], plans[2]["databases"]) == (True, ["test"])
    assert done.said == ["[nuodb-a] all is well", "[nuodb-a] note: raise it"]
    assert done.course.book.stats(done.course.run)["notes"] == ["raise it"]


def test_a_check_that_did_not_end_says_so(through: Any) -> None:
    done = through(CHECKS["exasol"], {"exa_connection_info": {"failed": True, "msg": "off"}})
    assert done.course.book.stats(done.course.run) == {"problems": ["the check did not finish"], "summary": ""}

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a cluster is, from what a module returned of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.condition import FAILING, STATES, condition, word

ON, OFF = {"state": "online"}, {"state": "offline"}
YES, NO = {"state": "running", "connectible": "Yes"}, {"state": "setup", "connectible": "No"}
SHOWS = "dbfleet.cluster.exa_cold_start -e target=exa --check shows the steps that would repair it"


def exasol(**found: Any) -> dict[str, Any]:
    return {"cluster": {"nodes": {"n11": ON, "n12": ON}, "services": {}, **found}, "summary": "exa: in one line"}


@pytest.mark.parametrize(
    ("found", "state", "problem"),
    [
        ({"databases": {"DB1": YES}}, "up", ""),
        ({"databases": {}}, "up", ""),
        ({"databases": {"DB1": YES, "DB2": NO}}, "degraded", f"exa: degraded: databases DB2 setup: {SHOWS}"),
        ({"databases": {}, "nodes": {"n11": OFF}}, "degraded", f"exa: degraded: nodes n11 offline: {SHOWS}"),
        (
            {"databases": {"DB1": NO}, "nodes": {"n11": OFF}},
            "down",
            f"exa: down: no database accepts connections; nodes n11 offline; databases DB1 setup: {SHOWS}",
        ),
    ],
)
def test_an_exasol_cluster(found: dict[str, Any], state: str, problem: str) -> None:
    told = {"state": state, "summary": "exa: in one line", "problem": problem}
    assert condition(exasol(**found), "exa") == told


def test_a_volume_that_lost_a_copy_is_no_matter_of_a_cold_start() -> None:
    row = {"type": "archive", "state": "DEGRADED", "redundancy": 2, "not_online": ["n12 OFFLINE"]}
    told = condition(exasol(databases={"DB1": YES}, volume_states={"Arch": row}), "exa")
    assert told["state"] == "degraded"
    assert told["problem"].startswith("exa: degraded: volumes Arch DEGRADED (n12 OFFLINE): Arch: an archive volume has")
    assert "exa_cold_start" not in told["problem"]
    both = condition(exasol(databases={"DB1": {**NO, "state": "running", "info": "missing redundancy"}}), "exa")
    stopped = condition(exasol(databases={"DB1": {**NO, "info": "missing redundancy"}}), "exa")
    assert "missing" not in stopped["problem"]
    step = f"check its volumes (exa_cluster_info) and its nodes; {SHOWS}"
    assert both["problem"].endswith(f"DB1 reports: missing redundancy: {step}")


@pytest.mark.parametrize("ignored", ["n12", "n11, n12", ["12"], [12]])
def test_nodes_that_need_not_be_online(ignored: Any) -> None:
    found = exasol(nodes={"n11": ON, "n12": OFF}, databases={"DB1": YES})
    assert condition(found, "exa")["state"] == condition(found, "exa", ignore_nodes="")["state"] == "degraded"
    assert condition(found, "exa", ignore_nodes=ignored)["state"] == "up"


def test_who_may_not_read_the_nodes_is_shown_another_way() -> None:
    told = condition({"cluster": {"databases": {"DB1": YES, "DB2": NO}}, "summary": "exa: in one line"}, "exa")
    assert told["problem"] == "exa: degraded: databases DB2 setup: dbfleet.cluster.exa_database_state starts databases"


def test_a_nuodb_domain() -> None:
    row = {"db_name": "shop", "state": "NOT_RUNNING", "incarnation": [1, 0]}
    told = condition({"domain": {"databases": {"shop": row}}, "summary": "nuo: in one line"}, "nuo")
    assert told["state"] == "down"
    assert told["problem"] == (
        "nuo: down: no database accepts connections; databases shop NOT_RUNNING: "
        "dbfleet.cluster.nuodb_recover -e target=nuo --check shows the steps that would repair it"
    )


@pytest.mark.parametrize(
    ("failed", "summary", "step"),
    [
        (
            {"failure": "unreachable", "msg": "exa: https://n11: connection refused"},
            "exa: unreachable: https://n11: connection refused",
            "dbfleet.cluster.check -e target=exa looks at each URL",
        ),
        ({"failure": "denied", "msg": "exa: HTTP 401", "hint": "mend it"}, "exa: not read: HTTP 401", "mend it"),
        (
            {"msg": "no api_url is\ngiven."},
            "exa: not read: no api_url is given",
            "dbfleet.cluster.check -e target=exa looks at each URL",
        ),
        (
            {},
            "exa: not read: the module failed and gave no reason",
            "dbfleet.cluster.check -e target=exa looks at each URL",
        ),
    ],
)
def test_a_cluster_that_could_not_be_read(failed: dict[str, Any], summary: str, step: str) -> None:
    kind = summary.split(": ")[1]
    problem = f"exa: {kind} (for the cause, see the line of exa): {step}"
    told = {"state": "unreachable", "summary": summary, "problem": problem}
    assert condition({"failed": True, **failed}, "exa") == told


@pytest.mark.parametrize(
    ("hint", "step"),
    [({"hint": "mend it"}, "mend it"), ({}, "correct api_username and api_password in its variables or its profile")],
)
def test_a_refused_password_is_no_matter_of_the_network(hint: dict[str, str], step: str) -> None:
    says = "exa: getNodeList() at https://n10: the server refused user 'admin' and its password (HTTP 401) [DBF-2001]"
    told = condition({"failed": True, "failure": "denied", "msg": says, "message_number": "DBF-2001", **hint}, "exa")
    assert told == {
        "state": "unreachable",
        "summary": f"exa: refused: {says.removeprefix('exa: ')}",
        "problem": f"exa: the user or the password was refused: {step}",
    }
    assert word(told) == "refused"


def test_what_a_table_calls_a_state() -> None:
    assert word(condition({"failed": True, "failure": "unreachable", "msg": "exa: no route"}, "exa")) == "unreachable"
    assert word(condition({"failed": True, "msg": "exa: no api_url is given"}, "exa")) == "not read"
    assert word(condition(exasol(databases={"DB1": YES}), "exa")) == "up"
    assert word({"state": "up", "summary": "exa: refused: a database of this name"}) == "up"


def test_what_fails_on_a_state_fails_on_all_that_are_worse() -> None:
    for state, failing in FAILING.items():
        assert failing == STATES[: STATES.index(state) + 1]
    assert set(STATES) - set(FAILING) == {"up"}

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a cluster is up, degraded, down or unreachable, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._values import listed

DATABASES_ALONE = "dbfleet.cluster.exa_database_state starts databases"
"""The next step of a user who may not read the nodes."""

UP = "up"
DEGRADED = "degraded"
DOWN = "down"
UNREACHABLE = "unreachable"

STATES = (UNREACHABLE, DOWN, DEGRADED, UP)
"""The states, the worst first."""

REFUSED, NOT_READ = "refused", "not read"
"""Words for a cluster that answered and was not read: its server refused the login, or any other cause."""

LOGIN = "DBF-2001"
"""The number of the message that the server refused the user and the password."""

WORDS = (UNREACHABLE, REFUSED, NOT_READ, DOWN, DEGRADED, UP)
"""The words for the states in a table, the worst first."""

FAILING = {
    UNREACHABLE: (UNREACHABLE,),
    DOWN: (UNREACHABLE, DOWN),
    DEGRADED: (UNREACHABLE, DOWN, DEGRADED),
}
"""The states of a cluster for which a run fails, by C(fail_on)."""


def condition(result: Mapping[str, Any], name: str, ignore_nodes: Any = ()) -> dict[str, str]:
    """The state of a cluster, a summary, and what is wrong with the cluster.

    :param result: the result of exa_cluster_info or nuodb_domain_info.
    :param name: the name of the host.
    """
    # Ansible loads every filter of the collection if a run uses one; so each run imports only its product's report.
    if "cluster" in result:
        from ...module_utils._exasol import report as exasol
        from ...module_utils._exasol.copies import missing_copies

        found = result["cluster"]
        spared = list(map(str, listed(ignore_nodes)))
        down, lacking = exasol.is_down(found), exasol.lacking(found, spared)
        lost, hint = missing_copies(found, spared)
        steps = [_shows("exa_cold_start", name) if "nodes" in found else DATABASES_ALONE] * bool(down or lacking)
        step = "; ".join(filter(None, [hint, *steps]))
        lacking += lost
    elif "domain" in result:
        from ...module_utils._nuodb import report as nuodb

        found = result["domain"]
        down, lacking, step = nuodb.is_down(found), nuodb.lacking(found), _shows("nuodb_recover", name)
    else:
        return _unreachable(result, name)
    state = DOWN if down else DEGRADED if lacking else UP
    why = "; ".join([*(["no database accepts connections"] if down else []), *lacking])
    problem = "" if state == UP else f"{name}: {state}: {why}: {step}"
    return {"state": state, "summary": str(result["summary"]), "problem": problem}


def _shows(runbook: str, name: str) -> str:
    return f"dbfleet.cluster.{runbook} -e target={name} --check shows the steps that would repair it"


def _unreachable(result: Mapping[str, Any], name: str) -> dict[str, str]:
    """The condition of a cluster that could not be read, for any cause."""
    cause = " ".join(str(result.get("msg") or "the module failed and gave no reason").split())
    cause = cause.removeprefix(f"{name}: ").rstrip(".")
    # A wrong password doesn't mean that the cluster is unreachable.
    if LOGIN in str(result.get("message_number") or ""):
        step = result.get("hint") or "correct api_username and api_password in its variables or its profile"
        return {
            "state": UNREACHABLE,
            "summary": f"{name}: {REFUSED}: {cause}",
            "problem": f"{name}: the user or the password was refused: {step}",
        }
    kind = UNREACHABLE if result.get("failure") in ("unreachable", "timed_out") else NOT_READ
    step = result.get("hint") or f"dbfleet.cluster.check -e target={name} looks at each URL"
    return {
        "state": UNREACHABLE,
        "summary": f"{name}: {kind}: {cause}",
        "problem": f"{name}: {kind} (for the cause, see the line of {name}): {step}",
    }


def word(row: Mapping[str, Any]) -> str:
    """What a table calls the state of a cluster."""
    says = str(row.get("summary") or "").partition(": ")[2]
    said = [kind for kind in (REFUSED, NOT_READ) if says.startswith(f"{kind}: ")]
    return said[0] if said and row["state"] == UNREACHABLE else str(row["state"])

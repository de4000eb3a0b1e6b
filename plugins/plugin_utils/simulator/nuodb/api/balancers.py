# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that choose a TE for a client, and calls on the policies of that choice."""

from __future__ import annotations

from typing import Any

from ..lbquery import QueryError, Rows, choose
from .paging import last, page
from .routes import Call, route


def chosen(call: Call, text: str, rows: Rows) -> Rows:
    """The rows that a query chooses. Raises Refused if the query is wrong."""
    variables = {key: values[-1] for key, values in call.query.items()}
    try:
        return choose(text, rows, variables)
    except QueryError as error:
        raise call.bad("LBQuery", f"{text} ({error})") from None


@route("GET", "databases/{dbName}/sqlConnection")
def sql_connection(call: Call) -> Any:
    """A TE for a client, or nothing."""
    database, balancers = call.database(call.parameters["dbName"]), call.domain.balancers
    rows = [
        one.row()
        for one in sorted(database.processes("TE"), key=lambda one: one.number)
        if (one.durable, one.engine) == ("MONITORED", "RUNNING")
    ]
    query, prefilter = balancers.query(database.name)
    policy = last(call.query, "LBPolicy")
    if policy is not None:
        if policy not in balancers.policies:
            raise call.domain.refuse("unknown_policy", name=policy)
        query = balancers.policies[policy]
    query = last(call.query, "LBQuery") or query
    for one in (prefilter, query):
        rows = rows if one is None else chosen(call, one, rows)
    return rows[0] if rows else None


@route("POST", "databases/loadBalancerPolicy/{policyName}")
def set_policy(call: Call) -> None:
    query = str(call.need("lbQuery"))
    chosen(call, query, [])
    call.domain.balancers.policies[call.parameters["policyName"]] = query


@route("DELETE", "databases/loadBalancerPolicy/{policyName}")
def delete_policy(call: Call) -> None:
    name = call.parameters["policyName"]
    if call.domain.balancers.policies.pop(name, None) is None:
        raise call.domain.refuse("unknown_policy", name=name)


@route("GET", "databases/loadBalancerPolicies")
def policies(call: Call) -> Any:
    return page(call.domain.balancers.policy_rows(), call.query, call.domain.settings)


@route("POST", "databases/loadBalancerConfig")
def set_config(call: Call) -> None:
    name = call.body.get("dbName")
    if name is None and not call.body.get("isGlobal"):
        raise call.domain.refuse("missing_field", name="dbName")
    config = call.domain.balancers.config(None if name is None else str(name))
    for key, unregister in (("defaultLbQuery", "unregisterDefaultLbQuery"), ("prefilter", "unregisterPrefilter")):
        if call.body.get(key) is not None:
            chosen(call, str(call.body[key]), [])
            config[key] = str(call.body[key])
        elif call.flag(unregister):
            config[key] = None


@route("GET", "databases/loadBalancerConfigs")
def configs(call: Call) -> Any:
    return page(call.domain.balancers.config_rows(), call.query, call.domain.settings)

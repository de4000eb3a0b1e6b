# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shut an Exasol cluster down in the safe order: databases, storage, nodes, license servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ansible.utils.vars import merge_hash

from .. import kept
from ..definition import Hook, Phase, Runbook, always, is_unreachable
from . import common

if TYPE_CHECKING:
    from ..run import Run

EARLIER = ("databases", "storage", "nodes")
"""The results with which a preview knows what the earlier phases would have left."""


def _look(run: Run, parts: list[str]) -> None:
    info = run.module(
        "info",
        "exa_cluster_info",
        "The cluster as it is",
        tolerate=is_unreachable,
        license_servers=run.shared("license_servers"),
        gather=parts,
    )
    run.only_name_of(info.get("identity", []))
    if "failure" in info and not _is_down(run):
        heard = info.get("answers")
        says = (
            f"the cluster is not down: something still answers ({heard})"
            if heard
            else "the cluster is unreachable or already down "
            "(if you expect that: -e exa_graceful_shutdown_unreachable=down)"
        )
        run.fail(f"{info['msg']}; {says}", "DBF-1001")


def _is_down(run: Run) -> bool:
    """Whether the cluster is down: nothing answers, and the user has said to expect that. Reads it if necessary."""
    if not run.found("info"):
        _look(run, [])
    info = run.found("info")
    return is_unreachable(info) and run.own("unreachable") == "down" and not info.get("answers")


def plan_options(run: Run) -> dict[str, Any]:
    """The options of exa_plan for this runbook."""
    power = run.own("power", "exaoperation")
    return {
        "databases": run.own("databases", ["all"]),
        "on_operation": run.own("on_operation"),
        "force": run.own("force"),
        "power_off": power if power in ("hook", "none") else "api",
        "hooked": run.has_hooks("power_off_nodes", "before_nodes"),
        "use_infra": power == "infra",
    }


def _preflight(run: Run) -> None:
    power = run.own("power")
    parts = ["nodes", "services", "databases", "volume_states"]
    off_for = run.own("off_for")
    parts += ["runout"] if off_for else []
    parts += (["sight"] if power != "none" else []) + (["infra"] if power == "infra" else [])
    _look(run, parts)
    if not _is_down(run):
        off: dict[str, Any] = {}
        if off_for:
            off = {"off_for": off_for, "on_runout": run.own("on_runout"), "runout": run.found("info")["runout"]}
        common.plan(run, "graceful_shutdown", run.found("info"), refuse=True, **plan_options(run), **off)
        kept.keep(run, run.found("info")["cluster"])


def _databases(run: Run) -> None:
    if _is_down(run):
        return
    run.module(
        "databases",
        "exa_database",
        "Every database is stopped",
        databases=run.own("databases"),
        state="stopped",
        on_operation=run.own("on_operation"),
        force=run.own("force"),
        log_service=run.shared("log_service"),
        **run.waits("databases_timeout"),
    )


def _storage(run: Run) -> None:
    if _is_down(run):
        return
    common.let_others_go_first(run, "databases")
    run.module(
        "storage",
        "exa_storage",
        "EXAStorage is stopped",
        state="stopped",
        unsupported="say",
        assume=run.predicted("databases"),
        **run.waits("storage_timeout"),
    )


def _power_off(run: Run, key: str, task: str, **options: Any) -> dict[str, Any]:
    return run.module(
        key,
        "exa_node",
        task,
        state="offline",
        license_servers=run.shared("license_servers"),
        assume=run.predicted(*EARLIER),
        **options,
        **run.waits("nodes_timeout"),
    )


def _nodes_to_power_off(run: Run) -> None:
    """Finds the nodes for the hook. A hook powers off every node that it gets, so the guard of exa_node comes first."""
    if run.own("power") != "hook" or _is_down(run):
        return
    servers, known = run.shared("license_servers"), run.predicted(*EARLIER)
    hosts = run.module(
        "hosts",
        "exa_cluster_info",
        "Which nodes the hook has to power off",
        license_servers=servers,
        gather=["nodes", "services", "databases", "sight"],
    )
    nodes = hosts["cluster"]["nodes"]
    hosts["online_nodes"] = [name for name, node in nodes.items() if node["state"] != "offline"]
    if run.check:  # no module takes these nodes down, but whoever approves the run must see them
        step = {"step": "hook power_off_nodes", "to": "offline"}
        hosts["steps"] = [{**step, "object": name, "from": nodes[name]["state"]} for name in hosts["online_nodes"]]
    run.module(
        "power_off",
        "exa_plan",
        "No reason to refuse it",
        cluster=merge_hash(hosts["cluster"], (known or {}) if run.check else {}, recursive=True),
        runbook="power_off",
        refuse=not run.check or known is not None,
        license_servers=servers,
    )


def _nodes(run: Run) -> None:
    power = run.own("power")
    if power == "none":
        run.say("the hosts stay on (exa_graceful_shutdown_power: none)")
    elif power == "hook":
        _nodes_by_hook(run)
    elif not _is_down(run):
        common.let_others_go_first(run, "databases", "storage")
        _power_off(run, "nodes", "Every node is off", nodes=["all"], use_infra=power == "infra")


def _nodes_by_hook(run: Run) -> None:
    """Waits for the nodes that the hook powers off. Once they are off, nothing lists them, so the options do."""
    if _is_down(run):
        return
    seen = run.found("hosts")["cluster"]
    servers, unseen = seen["license_servers"], seen["sight"]["unseen"]
    # The run may be unable to see that a suspended node goes off.
    online = [name for name in run.found("hosts")["online_nodes"] if name not in unseen]
    _power_off(
        run,
        "nodes",
        "Every node is off",
        nodes=list(seen["nodes"]) if servers else online,
        api_url=seen["sight"]["urls"],
        provider=seen["provider"],
        power_off=False,
        unreachable="fail" if servers else "down",
    )


def _has_license_servers(run: Run) -> bool:
    """Whether the cluster has license servers that still serve the API.

    ConfD runs on every node, so its clusters have none. If the run did not read the cluster, it assumes that there are.
    """
    nodes: Optional[dict[str, Any]] = run.found("nodes").get("nodes")
    if nodes is not None and all(node["state"] == "silent" for node in nodes.values()):
        return False  # the API went down with the nodes
    return bool(run.found("info").get("cluster", {}).get("license_servers", ["unknown"]))


def _license_servers(run: Run) -> None:
    stays = run.own("power") == "none"
    down = (not stays or bool(run.found("info"))) and _is_down(run)
    has = _has_license_servers(run)
    if not down and not has:
        run.say("the cluster has no license servers")
    elif stays:
        run.say("the license servers stay on (exa_graceful_shutdown_power: none)")
    elif not down:
        common.let_others_go_first(run, *EARLIER)
        _last_ones(run)


def _last_ones(run: Run) -> None:
    """Shuts the license servers down. A shutdown that a killed run sent may take the API away while this run reads."""
    options = {"nodes": common.license_servers(run), "tolerate": is_unreachable}
    off = _power_off(run, "license_servers", "The license servers are off", **options)
    if is_unreachable(off):
        _look(run, [])
        if not _is_down(run):
            run.fail(off["msg"], "DBF-1001")
        run.say(
            "EXAoperation no longer answers; exa_graceful_shutdown_unreachable=down, so the run takes it as shut down"
        )


def _resume(run: Run) -> list[str]:
    # A preview takes nothing down, so its next run need not expect a cluster that is down.
    last = not run.check and any(phase["phase"] == "license_servers" for phase in run.phases)
    return run.confirmation() + (["exa_graceful_shutdown_unreachable=down"] if last else [])


RUNBOOK = Runbook(
    "exa_graceful_shutdown",
    "exa",
    (
        Phase(
            "preflight",
            "all reasons to refuse the run, in one list",
            "prints the plan, and all reasons to refuse it at once: EXAoperation doesn't run on a license server, "
            "operations are running, a database has an unknown state",
            (_preflight,),
        ),
        Phase(
            "databases",
            "stop all, wait for state setup",
            "calls `stopDatabase` for all databases, in parallel; waits for state `setup`. If a database is already "
            "starting or stopping, waits for that instead of calling again",
            (_databases,),
        ),
        Phase(
            "storage",
            "EXAStorage, which no database needs any more",
            "calls `stopEXAStorage`; waits until Storaged is `not running`",
            (_storage,),
        ),
        Phase(
            "nodes",
            "power all nodes off",
            "calls `shutdownNode` for all nodes, in parallel; waits until none is online",
            (
                _nodes_to_power_off,
                Hook(
                    "power_off_nodes",
                    "that powers off the nodes in exa_graceful_shutdown_online_nodes. It runs if "
                    "exa_graceful_shutdown_power is hook.",
                    due=lambda run: bool(run.found("hosts")),
                    late=True,
                ),
                _nodes,
            ),
        ),
        Phase(
            "license_servers",
            "the one that serves the API goes last",
            "calls `shutdownNode` for each license server, the one that runs EXAoperation last; succeeds when no URL "
            "answers any more",
            (_license_servers,),
        ),
    ),
    takes_down=always,
    plan=plan_options,
    resume=_resume,
)

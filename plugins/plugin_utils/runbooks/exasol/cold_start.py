# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cold-start an Exasol cluster: all machines may be off, and at the end every database accepts connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import kept
from ..definition import Hook, Phase, Runbook, is_unreachable, nobody
from . import common

if TYPE_CHECKING:
    from ..run import Run


def _is_unknown(run: Run) -> bool:
    """Whether the state of the cluster is unknown: in check mode, the run doesn't wait for an API that is down."""
    return run.check and is_unreachable(run.found("info"))


def _look(run: Run, parts: list[str]) -> None:
    info = run.module(
        "info",
        "exa_cluster_info",
        "The API answers",
        tolerate=lambda failed: run.check and is_unreachable(failed),
        api_timeout=run.own("api_timeout"),
        license_servers=run.shared("license_servers"),
        gather=parts,
        heartbeat=run.shared("heartbeat"),
    )
    run.only_name_of(info.get("identity", []))
    if _is_unknown(run):
        run.say(f"the steps can't be previewed until the API answers: {info['msg']}")


def _is_in_the_dark(run: Run) -> bool:
    """Whether nothing can be previewed. A phase that is previewed alone reads the cluster first."""
    if run.check and not run.found("info"):
        _look(run, [])
    return _is_unknown(run)


def plan_options(run: Run) -> dict[str, Any]:
    """The options of exa_plan for this runbook."""
    power = run.own("power", "exaoperation")
    return {
        "databases": run.own("databases", ["all"]),
        "ignore_nodes": run.own("ignore_nodes", []),
        "power_on": power != "hook",
        "hooked": run.has_hooks("power", "power_nodes", "before_nodes"),
        "plugins": [plugin["name"] for plugin in run.shared("plugins", [])],
        "use_infra": power == "infra",
    }


def _api(run: Run) -> None:
    parts = ["nodes", "services", "databases"] + (["infra"] if run.own("power") == "infra" else [])
    _look(run, parts)
    if not _is_unknown(run):
        common.plan(run, "cold_start", run.found("info"), refuse=True, **plan_options(run))


def _nodes_to_power_on(run: Run) -> None:
    if run.own("power") != "hook" or _is_in_the_dark(run):
        return
    info = run.module("nodes_info", "exa_cluster_info", "Which nodes the hook has to power on", gather=["nodes"])
    ignored = {_number(node) for node in run.own("ignore_nodes")}
    nodes = info["cluster"]["nodes"]
    info["offline_nodes"] = [
        name for name, node in nodes.items() if node["state"] == "offline" and _number(name) not in ignored
    ]


def _number(node: str) -> str:
    """The number of a node: the same for n13, 13 and n0013."""
    return node.strip().lstrip("n").lstrip("0")


def _nodes(run: Run) -> None:
    if _is_in_the_dark(run):
        return
    power = run.own("power")
    run.module(
        "nodes",
        "exa_node",
        "Every node is online",
        nodes=["all"],
        ignore_nodes=run.own("ignore_nodes"),
        state="online",
        license_servers=run.shared("license_servers"),
        power_on=power != "hook",
        use_infra=power == "infra",
        startup_again=run.own("startup_again"),
        log_service=run.shared("log_service"),
        boot_message_timeout=run.own("boot_message_timeout"),
        **run.waits("nodes_timeout"),
    )


def _storage(run: Run) -> None:
    if _is_in_the_dark(run):
        return
    common.let_others_go_first(run, "nodes")
    run.module(
        "storage",
        "exa_storage",
        "EXAStorage is started, every service OK",
        state="started",
        ignore_nodes=run.own("ignore_nodes"),
        assume=run.predicted("nodes"),
        **run.waits("storage_timeout"),
    )


def _databases(run: Run) -> None:
    if _is_in_the_dark(run):
        return
    common.let_others_go_first(run, "nodes", "storage")
    run.module(
        "databases",
        "exa_database",
        "Every database accepts connections",
        databases=run.own("databases"),
        state="started",
        log_service=run.shared("log_service"),
        assume=run.predicted("storage"),
        **run.waits("databases_timeout"),
    )


def _are_plugins_stale(run: Run) -> bool:
    """Whether this run started the storage or a database, or joined their start by a killed run.

    The services of plugins on the license server must then be restarted.
    """
    below = [run.found("storage"), run.found("databases")]
    return bool(run.own("restart_plugins")) or any(one.get("changed") or one.get("joined") for one in below)


def _plugins(run: Run) -> None:
    plugins = run.shared("plugins", [])
    if not plugins or _is_in_the_dark(run):
        return
    state = "restarted" if _are_plugins_stale(run) else "started"
    servers = common.license_servers(run)
    for plugin in plugins:
        _plugin(run, plugin, f"plugin {plugin['name']} on the license servers", nodes=servers, state=state)
    every = {"nodes": ["all"], "ignore_nodes": run.own("ignore_nodes"), "assume": run.predicted("nodes")}
    for plugin in plugins:
        _plugin(run, plugin, f"plugin {plugin['name']} on every node", state="started", **every)


def _plugin(run: Run, plugin: dict[str, Any], task: str, **options: Any) -> None:
    run.module(
        task,
        "exa_plugin",
        f"Services of {task}",
        plugin=plugin["name"],
        running_text=plugin.get("running_text"),
        license_servers=run.shared("license_servers"),
        **options,
        **run.waits("plugins_timeout"),
    )


def _resume(run: Run) -> list[str]:
    stale = run.shared("plugins") and _are_plugins_stale(run)
    if run.held is not None:  # a plan that only starts the plugins approves no restart, and plugins are started last
        stale = stale and "STOP" in run.held["steps"]
    return ["exa_cold_start_restart_plugins=true"] if stale else []


def _conclude(run: Run) -> None:
    """Compares the end state with the last shutdown's. Results of the phases replace what was read before them."""
    later = {"nodes": run.found("nodes"), "services": run.found("storage"), "databases": run.found("databases")}
    seen = run.found("info").get("cluster", {})
    now = {part: {**seen.get(part, {}), **found.get(part, {})} for part, found in later.items()}
    kept.compare(run, {**seen, **{part: rows for part, rows in now.items() if rows}})


RUNBOOK = Runbook(
    "exa_cold_start",
    "exa",
    (
        Phase(
            "power",
            "your hook, if any, switches on what serves the API",
            "runs the hook `power`, which switches on the machines that serve the API; does nothing without a hook",
            (
                Hook(
                    "power",
                    "that switches the license server on, or, for a ConfD cluster, at least a majority of nodes.",
                ),
            ),
        ),
        Phase(
            "api",
            "wait for the API",
            "waits until the API answers, prints the plan, and reports all refusals that it can know now",
            (_api,),
        ),
        Phase(
            "nodes",
            "power on and wait until every node is online",
            "calls `startupNode` for all nodes that are off, in parallel (with `exa_cold_start_power: hook`, runs your "
            "hook instead); waits until the hardware inventory shows each node online and, with `exa_log_service`, "
            "until each has logged 'Boot process finished'",
            (
                _nodes_to_power_on,
                Hook(
                    "power_nodes",
                    "that powers on the nodes in exa_cold_start_offline_nodes. Runs if exa_cold_start_power is hook.",
                    due=lambda run: bool(run.found("nodes_info")),
                    late=True,
                ),
                _nodes,
            ),
        ),
        Phase(
            "storage",
            "EXAStorage when every node is there",
            "calls `startEXAStorage` once every node is online; waits until every cluster service is `OK`",
            (_storage,),
        ),
        Phase(
            "databases",
            "start all, wait until each accepts connections",
            "calls `startDatabase` for all databases, in parallel; waits until each accepts connections; shows its "
            "connection string and, with `exa_log_service`, its log lines",
            (_databases,),
        ),
        Phase(
            "plugins",
            "services of plugins",
            "for each plugin in `exa_plugins`: on the license servers, restarts its service if this run started the "
            "storage or a database, otherwise starts it if it isn't running; on every node, starts it if it isn't "
            "running",
            (_plugins,),
        ),
    ),
    takes_down=nobody,
    plan=plan_options,
    resume=_resume,
    conclude=_conclude,
)

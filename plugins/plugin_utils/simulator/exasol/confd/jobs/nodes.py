# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Node jobs, and those of the deployment's instances."""

from __future__ import annotations

import ipaddress
from typing import Any

from ..catalogue import DATABASE_RIGHTS, NEW, NODE_RIGHTS, OLD, Call, Pending, given, job, may
from ..nodes import Node

_NID = given(
    "nid", "int|list", "Id of a node, or a list of ids.", old="node_id", old_kind="int", old_desc="Id of a node."
)
_NIDS = given("nids", "list", "Ids of nodes.")
_TIMEOUT = may("timeout", "int", "Seconds to wait.")


def nodes_of(call: Call, name: str) -> list[Node]:
    return [call.cluster.machines[node] for node in call.nodes(name)]


@job("All nodes of the configuration.", NODE_RIGHTS)
def node_list(call: Call) -> Any:
    return {node.id: dict(node.described) for node in call.cluster.machines.values()}


@job("States of all nodes.", NODE_RIGHTS)
def node_state(call: Call) -> Any:
    machines = call.cluster.machines.values()
    states: dict[str, Any] = {node.id: node.shown_state() for node in machines}
    states["booted"] = {node.id: node.booted_at() for node in machines if node.answers and node.booted is not None}
    for node in list(machines):
        call.cluster.clock.read(f"node {node.name}")
    return states


@job(
    "One node with its state and load.",
    NODE_RIGHTS,
    given("nid", "int", "Id of the node.", old="node_id", optional=(OLD,)),
)
def node_info(call: Call) -> Any:
    nodes = nodes_of(call, "nid") if "nid" in call.params else list(call.cluster.machines.values())
    rows = {
        node.id: {
            **node.described,
            "state": node.shown_state(),
            "cored": "online" if node.answers else "offline",
            "platform": "x86_64",
            "load": [0.0, 0.0, 0.0],
        }
        for node in nodes
    }
    for node in nodes:
        call.cluster.clock.read(f"node {node.name}")
    return rows[nodes[0].id] if "nid" in call.params else rows


@job(
    "Add a node.",
    NODE_RIGHTS,
    given("priv_net", "str", "Its address in the private network, like 10.10.10.1/24."),
    may("nid", "int", "Its id.", old="id"),
    may("name", "str", "Its name."),
    may("pub_net", "str", "Its address in the public network."),
    may("space_warn_threshold", "int", "Percentage at which little space is warned of."),
    may("bg_rec_limit", "int", "Limit of background recovery, MiB a second."),
    may("offline", "bool", "Add it offline instead of suspended.", only=(NEW,)),
    may("no_partition_extend", "bool", "Leave partitions as they are.", only=(NEW,)),
    configures=True,
)
def node_add(call: Call) -> Any:
    cluster = call.cluster
    taken = {node.number for node in cluster.machines.values()}
    number = call.get("nid", max(taken, default=10) + 1)
    if number < 1:
        raise call.refuse("bad_value", name="nid", value=number)
    if number in taken:
        raise call.refuse("node_exists", name=number)
    for key in ("priv_net", "pub_net"):
        if call.get(key) and not _is_net(call[key]):
            raise call.refuse("bad_value", name=key, value=call[key])
    name, net = f"n{number}", call["priv_net"]
    for node in cluster.machines.values():
        if node.address == net.partition("/")[0]:
            raise call.refuse("bad_value", name="priv_net", value=f"{net}, which node {node.id} has")
    options = {
        "state": "offline" if call.get("offline") else _added(call),
        "joined": False,
        "private_ip": net.partition("/")[0],
        "private_net": net,
        "name": call.get("name") or name,
    }
    for key in ("pub_net", "space_warn_threshold", "bg_rec_limit"):
        if call.get(key):
            options["public_net" if key == "pub_net" else key] = call[key]
    cluster.spec.nodes[name] = options
    cluster.machines[name] = Node(cluster, name, options, len(cluster.machines))
    cluster.machines[name].answers = False  # there is no host of that name yet
    cluster.down.add(name)
    return number


def _is_net(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return True


def _added(call: Call) -> str:
    settings = call.cluster.settings
    return str(settings["node_add_state"] or ("offline" if settings["parameter_names"] == OLD else "suspended"))


@job(
    "Remove nodes. None may be suspended, or part of a volume or database unless forced.",
    NODE_RIGHTS,
    _NID,
    may("force", "bool", "Even where a volume or database needs it."),
    configures=True,
)
def node_remove(call: Call) -> Any:
    cluster, nodes = call.cluster, nodes_of(call, "nid")
    for node in nodes:
        if node.state == "suspended":
            raise call.refuse("node_suspended", name=node.id)
        if node.name == cluster.administration.master:
            raise call.refuse("node_in_use", name=node.id, what="ConfD as its master")
        users = [f"database {one.name}" for one in cluster.databases.values() if node.name in one.nodes]
        users += [f"volume {one.name}" for one in cluster.volumes.all.values() if node.name in one.nodes]
        if users and not call.get("force"):
            raise call.refuse("node_in_use", name=node.id, what=", ".join(users))
    for node in nodes:
        node.leaving = True
        node.press_off()
        for database in cluster.databases.values():
            database.forget(node.name)
        cluster.down.discard(node.name)
        del cluster.machines[node.name], cluster.spec.nodes[node.name]


@job(
    "Mark nodes as offline for good.",
    NODE_RIGHTS,
    _NID,
    may("disable", "bool", "Also disable them in the configuration.", only=(NEW,)),
    changing=True,
)
def node_suspend(call: Call) -> Any:
    nodes = nodes_of(call, "nid")
    for node in nodes:
        if node.state == "suspended":
            raise call.refuse("node_suspended", name=node.id)

    def suspend() -> None:
        for node in nodes:
            node.suspend()
            node.enabled = not call.get("disable")

    cluster = call.cluster
    if cluster.quorum():
        suspend()
    else:
        cluster.clock.after(cluster.timing["quorum_back"], suspend)


@job(
    "Take suspended nodes back.",
    NODE_RIGHTS,
    _NID,
    may("enable", "bool", "Also enable them in the configuration.", only=(NEW,)),
    changing=True,
)
def node_resume(call: Call) -> Any:
    nodes = nodes_of(call, "nid")
    for node in nodes:
        if node.state != "suspended":
            raise call.refuse("node_not_suspended", name=node.id)
    for node in nodes:
        node.unsuspend()
        node.enabled = node.enabled or bool(call.get("enable"))


def _until(call: Call, reached: Any) -> Pending:
    nodes = nodes_of(call, "nids")

    def there() -> list[int]:
        return [node.number for node in nodes if reached(node)]

    given_seconds = call.get("timeout")
    seconds = float(call.cluster.settings["node_wait_timeout"] if given_seconds is None else given_seconds)
    keys = tuple(f"node {node.name}" for node in nodes)
    return Pending(lambda: len(there()) == len(nodes), there, keys, seconds)


@job("Wait until nodes are off, and name those that are.", NODE_RIGHTS, _NIDS, _TIMEOUT, dialects=(NEW,))
def node_wait_offline(call: Call) -> Any:
    return _until(call, lambda node: node.state == "off")


@job("Wait until nodes are online, and name those that are.", NODE_RIGHTS, _NIDS, _TIMEOUT, dialects=(NEW,))
def node_wait_ready(call: Call) -> Any:
    return _until(call, lambda node: node.online)


@job("Stop Exasol on nodes; the hosts stay up.", NODE_RIGHTS, _NIDS, changing=True, dialects=(NEW,))
def nodes_terminate(call: Call) -> Any:
    for node in nodes_of(call, "nids"):
        node.request_shutdown()


@job("Make one of these nodes the master.", NODE_RIGHTS, _NIDS, changing=True, dialects=(NEW,))
def master_change(call: Call) -> Any:
    daemon = call.cluster.administration
    nodes = [node for node in nodes_of(call, "nids") if node.online]
    if not nodes:
        raise call.refuse("node_not_online", name=call["nids"])
    daemon.change([node.name for node in nodes])
    return Pending(lambda: not daemon.moving, lambda: None)


@job("Start the instances of nodes.", NODE_RIGHTS, _NIDS, changing=True, dialects=(NEW,), infra=True)
def infra_instances_start(call: Call) -> Any:
    nodes = nodes_of(call, "nids")
    for node in nodes:
        node.request_start()
    if not call.cluster.settings["infra_waits"]:
        return None
    keys = tuple(f"node {node.name}" for node in nodes)
    return Pending(lambda: all(node.online for node in nodes), lambda: None, keys)


@job(
    "Stop the instances of nodes.",
    NODE_RIGHTS,
    _NIDS,
    may("timeout", "int", "Seconds to wait until they are off."),
    changing=True,
    dialects=(NEW,),
    infra=True,
)
def infra_instances_stop(call: Call) -> Any:
    nodes = nodes_of(call, "nids")
    for node in nodes:
        node.request_shutdown()
    if not call.cluster.settings["infra_waits"]:
        return None
    keys = tuple(f"node {node.name}" for node in nodes)
    seconds = call.get("timeout", 1800)

    def late() -> None:
        up = ", ".join(node.name for node in nodes if node.state != "off")
        raise call.refuse("not_down", name=f"Node {up}", seconds=seconds)

    return Pending(lambda: all(node.state == "off" for node in nodes), lambda: None, keys, seconds, late)


@job("Data about the deployment.", DATABASE_RIGHTS, dialects=(NEW,), infra=True)
def infra_deployment_metadata_get(call: Call) -> Any:
    return {"deployment": call.cluster.spec.deployment}


@job("Which instances run.", NODE_RIGHTS, dialects=(NEW,), infra=True)
def infra_overview_get(call: Call) -> Any:
    return {node.id: "stopped" if node.state == "off" else "running" for node in call.cluster.machines.values()}

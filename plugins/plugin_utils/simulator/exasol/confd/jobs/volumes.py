# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of EXAStorage volumes."""

from __future__ import annotations

from typing import Any

from ...common.sizes import size_of
from ...common.volumes import BLOCK, STRIPE, Volume
from ..catalogue import NEW, OLD, STORAGE_RIGHTS, Call, given, job, may
from ..volumes import row
from .databases import is_owner

VID = given("vid", "int", "Id of a volume.")
VNAME = may("vname", "str", "Name of a volume.", only=(NEW,), instead_of="vid")
LOCKED_VNAME = may("vname", "str", "Name of a volume.", instead_of="vid")


def volume_of(call: Call) -> Volume:
    """By id, else by name."""
    cluster = call.cluster
    _online(call)
    number, name = call.get("vid"), call.get("vname")
    found = cluster.volumes.all.get(number) if number is not None else cluster.volumes.named(str(name))
    if found is None:
        raise call.refuse("unknown_volume", name=name if number is None else number)
    return found


@job("All volumes.", STORAGE_RIGHTS)
def st_volume_list(call: Call) -> Any:
    _online(call)
    call.cluster.clock.read("storage")
    return [row(volume, info=False) for _number, volume in sorted(call.cluster.volumes.all.items())]


@job("Storage nodes with their disks, by their logical numbers.", STORAGE_RIGHTS, dialects=(NEW,))
def st_node_list(call: Call) -> Any:
    disks = {"hdd_free_space": {"disk1": "93.5566 GiB"}, "hdds": [{"name": "/dev/nvme2n1", "type": "disk1"}]}
    nodes = call.cluster.machines.values()
    return {str(number): {"name": node.described["name"], **disks} for number, node in enumerate(nodes)}


@job(
    "One volume.",
    STORAGE_RIGHTS,
    given("vid", "int|str", "Id of a volume; 'all_volumes' is each."),
    VNAME,
)
def st_volume_info(call: Call) -> Any:
    if call.get("vid") == "all_volumes":
        _online(call)
        return [row(volume, info=True) for _number, volume in sorted(call.cluster.volumes.all.items())]
    call.cluster.clock.read("storage")
    number = call.get("vid")
    if isinstance(number, str) and number.isdigit():
        call.params["vid"] = int(number)
    return row(volume_of(call), info=True)


@job(
    "Create a volume.",
    STORAGE_RIGHTS,
    given("name", "str", "Its name."),
    given("type", "str", "'data' or 'archive'."),
    given("size", "str", "Its size, like 1 GiB."),
    given("disk", "str", "Disk of the nodes."),
    given("nodes", "list", "Ids of its nodes."),
    given("redundancy", "int", "How many copies."),
    may("num_master_nodes", "int", "How many of the nodes are masters."),
    may("block_size", "str|int", "Size of a block."),
    may("stripe_size", "str|int", "Size of a stripe."),
    may("owner", "pair", "User id and group id."),
    may("permissions", "str", "Like rwx------."),
    may("priority", "str|int", "From 0, the highest, to 20."),
    may("shared", "bool", "Whether several may open it."),
    # Of archive volumes; no job shows them.
    may("partition_size", "str|int", "Size of a partition."),
    *(may(f"{name}_port", "int", f"Port of {name}.") for name in ("ftp", "ftps", "sftp", "http", "https")),
    changing=True,
    example="{'disk': 'disk1', 'name': 'new', 'nodes': [11], 'redundancy': 1, 'size': '1 GiB', 'type': 'data'}",
)
def st_volume_create(call: Call) -> Any:
    cluster, name = call.cluster, call["name"]
    _online(call)
    if cluster.volumes.named(name) is not None or name in cluster.remote_volumes.all:
        raise call.refuse("volume_exists", name=name)
    nodes = call.nodes("nodes")
    masters = call.get("num_master_nodes", len(nodes))
    checks = {
        "type": call["type"] in ("data", "archive"),
        "size": bool(size_of(call["size"])),
        "disk": all(call["disk"] in cluster.machines[node].described["disks"] for node in nodes),
        "nodes": len(nodes) == len(call["nodes"]),  # two copies on one node are one
        "redundancy": 0 < call["redundancy"] <= len(nodes),
        "num_master_nodes": 0 < masters <= len(nodes),
        "block_size": bool(size_of(call.get("block_size", BLOCK))),
        "stripe_size": bool(size_of(call.get("stripe_size", STRIPE))),
        "owner": is_owner(call.get("owner", [0, 0])),
        "permissions": _are_permissions(call.get("permissions", "rwx------")),
        "priority": _is_priority(call.get("priority", 0)),
    }
    for key, fits in checks.items():
        if not fits:
            raise call.refuse("bad_value", name=key, value=call.get(key))
    for node in nodes:
        if node in cluster.down:
            raise call.refuse("node_not_online", name=node)
    options = {**call.params, "nodes": nodes, "num_master_nodes": masters}
    if "owner" in options:
        options["owner"], options["group"] = options["owner"]
    return cluster.volumes.add(name, options).id


@job("Delete a volume that nobody uses.", STORAGE_RIGHTS, VID, VNAME, changing=True)
def st_volume_delete(call: Call) -> Any:
    volume_of(call).delete()


@job(
    "Make each segment of a volume larger.",
    STORAGE_RIGHTS,
    VID,
    VNAME,
    given("blocks_per_node", "int", "By how many blocks."),
    changing=True,
)
def st_volume_enlarge(call: Call) -> Any:
    volume_of(call).workable().enlarge(_positive(call, "blocks_per_node"))


@job(
    "Make each segment of a volume smaller.",
    STORAGE_RIGHTS,
    VID,
    VNAME,
    given("blocks_per_node", "int", "By how many blocks."),
    changing=True,
)
def st_volume_shrink(call: Call) -> Any:
    volume_of(call).shrink(_positive(call, "blocks_per_node"))


@job(
    "Append nodes to a volume.",
    STORAGE_RIGHTS,
    VID,
    VNAME,
    given("node_num", "int", "How many nodes."),
    given("node_ids", "list", "Their ids."),
    changing=True,
)
def st_volume_append_node(call: Call) -> Any:
    volume, nodes = volume_of(call).workable(), call.nodes("node_ids")
    number = call["node_num"]
    if number != len(nodes) or number < volume.redundancy:
        raise call.refuse("bad_value", name="node_num", value=number)
    volume.append(nodes, number)


@job(
    "Move segments of a volume to other nodes.",
    STORAGE_RIGHTS,
    VID,
    VNAME,
    given("src_nodes", "list", "Ids of the nodes that it leaves."),
    given("dst_nodes", "list", "Ids of as many nodes that are online."),
    changing=True,
)
def st_volume_move_node(call: Call) -> Any:
    volume = volume_of(call).workable()
    sources, targets = call.nodes("src_nodes"), call.nodes("dst_nodes")
    if len(sources) != len(targets):
        raise call.refuse("bad_value", name="dst_nodes", value=call["dst_nodes"])
    volume.move(list(zip(sources, targets)))


@job(
    "Raise the redundancy of a volume.",
    STORAGE_RIGHTS,
    VID,
    VNAME,
    given("delta", "int", "By how much."),
    given("nodes", "list", "Ids of the nodes that take it.", optional=(NEW,)),
    changing=True,
)
def st_volume_increase_redundancy(call: Call) -> Any:
    volume, delta = volume_of(call).workable(), _positive(call, "delta")
    volume.raise_redundancy(delta, call.nodes("nodes") if call.get("nodes") else None)


@job(
    "Lower the redundancy of a volume.",
    STORAGE_RIGHTS,
    VID,
    VNAME,
    given("delta", "int", "By how much."),
    given("nodes", "list", "Ids of the nodes that lose it.", only=(OLD,)),
    changing=True,
)
def st_volume_decrease_redundancy(call: Call) -> Any:
    volume_of(call).workable().lower_redundancy(_positive(call, "delta"))


@job("Lock a volume: it is closed for who uses it.", STORAGE_RIGHTS, VID, LOCKED_VNAME, changing=True)
def st_volume_lock(call: Call) -> Any:
    volume = volume_of(call)
    for name in volume.users():
        call.cluster.broken("volume-changed-under-database", volume.name, f"Up: {name}.")
        call.cluster.databases[name].crash(f"volume {volume.name} was locked")
    volume.locked = True


@job("Unlock a volume.", STORAGE_RIGHTS, VID, LOCKED_VNAME, changing=True)
def st_volume_unlock(call: Call) -> Any:
    volume_of(call).unlock()


@job(
    "Overwrite data of a volume with zeroes.",
    STORAGE_RIGHTS,
    VID,
    LOCKED_VNAME,
    given("num_bytes", "int", "Bytes of each segment; 0 is all."),
    given("node_ids", "list", "Ids of nodes; empty is all."),
    changing=True,
)
def st_volume_clear_data(call: Call) -> Any:
    volume = volume_of(call).workable().unused()
    for node in call.nodes("node_ids"):
        if node not in volume.nodes:
            raise call.refuse("volume_space", name=volume.name, why=f"it is not on node {node}")
    if call["num_bytes"] < 0:
        raise call.refuse("bad_value", name="num_bytes", value=call["num_bytes"])
    for name in volume.assigned():
        call.cluster.databases[name].used = 0


@job(
    "Switch I/O of a volume on or off.",
    STORAGE_RIGHTS,
    VID,
    VNAME,
    given("app_io", "bool", "I/O of applications."),
    given("int_io", "bool", "Internal I/O."),
    changing=True,
)
def st_volume_set_io_status(call: Call) -> Any:
    volume_of(call).set_io(call["app_io"], call["int_io"])


_NID = given("nid", "int", "Id of the node.", old="node_id")


@job("Take a node from EXAStorage, by which its volumes are locked.", STORAGE_RIGHTS, _NID, changing=True)
def st_node_suspend(call: Call) -> Any:
    _online(call)
    call.cluster.volumes.suspend(call.nodes("nid")[0])


@job("Take a node back into EXAStorage.", STORAGE_RIGHTS, _NID, changing=True)
def st_node_resume(call: Call) -> Any:
    _online(call)
    call.cluster.volumes.resume(call.nodes("nid")[0])


_LABEL = given("label", "str", "Any text.")


@job("Put a label on a volume.", STORAGE_RIGHTS, VID, VNAME, _LABEL, changing=True)
def st_volume_add_label(call: Call) -> Any:
    volume_of(call).labels.append(call["label"])


@job("Take a label from a volume.", STORAGE_RIGHTS, VID, VNAME, _LABEL, changing=True)
def st_volume_remove_label(call: Call) -> Any:
    volume = volume_of(call)
    if call["label"] not in volume.labels:
        raise call.refuse("bad_value", name="label", value=call["label"])
    volume.labels.remove(call["label"])


@job(
    "Set the priority of a volume.",
    STORAGE_RIGHTS,
    VID,
    VNAME,
    given("prio", "int", "From 0, the highest, to 20."),
    changing=True,
)
def st_volume_set_priority(call: Call) -> Any:
    if not _is_priority(call["prio"]):
        raise call.refuse("bad_value", name="prio", value=call["prio"])
    volume_of(call).priority = call["prio"]


@job(
    "Let several open a volume, or not.",
    STORAGE_RIGHTS,
    VID,
    VNAME,
    given("shared", "bool", "Whether several may."),
    changing=True,
)
def st_volume_set_shared(call: Call) -> Any:
    volume = volume_of(call)
    if len(volume.users()) > 1:
        raise call.refuse("volume_in_use", name=volume.name)
    volume.shared = call["shared"]


@job(
    "Give a volume to another user and group.",
    STORAGE_RIGHTS,
    VID,
    VNAME,
    given("vol_user", "int", "Id of the user."),
    given("vol_grp", "int", "Id of the group."),
    changing=True,
)
def st_volume_change_owner(call: Call) -> Any:
    volume = volume_of(call)
    volume.owner, volume.group = call["vol_user"], call["vol_grp"]


@job(
    "Change the permissions of a volume.",
    STORAGE_RIGHTS,
    VID,
    VNAME,
    given("mode", "str", "Like rwx------."),
    changing=True,
)
def st_volume_change_permissions(call: Call) -> Any:
    mode = call["mode"]
    if not _are_permissions(mode):
        raise call.refuse("bad_value", name="mode", value=mode)
    volume_of(call).permissions = mode


def _online(call: Call) -> None:
    if call.cluster.storage.state != "online":
        raise call.refuse("storage_offline")


def _is_priority(value: Any) -> bool:
    return str(value).isdecimal() and int(value) <= 20


def _are_permissions(text: str) -> bool:
    return len(text) == 9 and all(one in (letter, "-") for one, letter in zip(text, "rwxrwxrwx"))


def _positive(call: Call, name: str) -> int:
    value = call[name]
    if value < 1:
        raise call.refuse("bad_value", name=name, value=value)
    return int(value)

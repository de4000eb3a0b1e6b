# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that EXAoperation publishes, and what each call does to the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..common import storage as storage_module
from .calls_on_databases import DatabaseObject
from .calls_on_storage import REMOTE_FIELDS, Field, RemoteVolumeObject, StorageObject, checked
from .plugins import FUNCTIONS
from .remote_volumes import RemoteVolume
from .resource import Call, Resource, call

if TYPE_CHECKING:
    from ..common.machines import Machine
    from .cluster import Cluster


def node_state(cluster: Cluster, machine: Machine) -> dict[str, str]:
    status = machine.status()
    cluster.clock.read(f"node {machine.name}")
    if status == "fault":
        raise cluster.refuse(f"State of node {machine.name} is not available")
    return {"status": status}


NODE_FIELDS = {
    "number": Field(int, True, "Its number, from 11."),
    **{name: Field(str, True, "") for name in ("mac_addr_eth0", "mac_addr_eth1", "spool_disk")},
    **{
        name: Field(object, False, "")
        for name in (
            "boot_interface", "console_redirect", "cpu_scaling_governor", "devices", "diskenc", "diskraid",
            "external_number", "force_fsck", "force_no_fsck", "hugepages", "idstring", "ip_addr_ipmi", "ipmi_group",
            "mac_addr_ipmi", "node_unique_id", "public_network_list", "raidredundancy", "to_install", "to_wipe",
            "use_4kib", "vlan_list",
        )
    },
}  # fmt: skip


class NodeCluster(Resource):
    zope_class = "cluster.NodeCluster"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster, "cluster1")
        spec = cluster.spec
        self._services = [LogService(cluster, name) for name in spec.log_services]
        self._databases = {f"db_{name}": DatabaseObject(cluster, name) for name in cluster.databases}
        self._others: dict[str, Resource] = {
            "bfsdefault": Plain(cluster, "bfsdefault"),
            **{one.name: one for one in self._services},
            "storage": StorageObject(cluster),
            "support": Plain(cluster, "support"),
            "users": Plain(cluster, "users"),
        }

    def child(self, name: str) -> Resource | None:
        if name in self.cluster.machines:
            return Node(self.cluster, name)
        if name in self.cluster.remote_volumes.objects():
            return RemoteVolumeObject(self.cluster, name)
        return self._databases.get(name) or self._others.get(name)

    def children(self) -> list[str]:
        logs = [one.name for one in self._services]
        remote = self.cluster.remote_volumes.objects()
        return ["bfsdefault", *logs, *self.cluster.spec.nodes, *self._databases, "storage", "support", *remote]

    def offers(self, name: str) -> Call | None:
        version = self.cluster.spec.version
        if name == "getEXAoperationMaster" and (version is None or version.startswith("4.")):
            return None
        if name == "getEXASuiteVersion" and not self.cluster.settings["suite_version_call"]:
            return None
        return self.calls.get(name)

    # -- nodes ---------------------------------------------------------------------------------------

    @call("getNodeList", role="User")
    def get_node_list(self) -> list[str]:
        """The nodes that are defined, license servers not among them. Says nothing about their state."""
        return list(self.cluster.spec.nodes)

    @call("getNodeState")
    def get_node_state(self, node: Any) -> dict[str, str]:
        return node_state(self.cluster, self.machine(node))

    @call("getHardwareInformation")
    def get_hardware_information(self, node: Any, infotype: int = 1) -> str:
        """Hardware inventory of a node ('n0011' or its number); infotype is the table's number."""
        machine = self.machine(node)
        text = machine.hardware()
        self.cluster.clock.read(f"node {machine.name}")
        if text is not None:
            return text
        offline = str(self.cluster.settings["hardware_offline"])
        if offline == "fault":
            raise self.cluster.refuse(f"Hardware information of node {machine.name} is not available")
        return offline.replace("{node}", machine.name)

    @call("startupNode", changing=True)
    def startup_node(self, node: Any) -> None:
        """Switch a node on by its management card."""
        self.machine(node).request_start()

    @call("shutdownNode", changing=True)
    def shutdown_node(self, node: Any) -> None:
        """Shut a node or license server down and switch it off."""
        self.machine(node).request_shutdown()

    @call("haltLicenseServer", changing=True)
    def halt_license_server(self, node: Any = None) -> None:
        """Shut a license server down; without an argument the one that holds EXAoperation."""
        machine = self.machine(node or self.cluster.exaoperation.master)
        if not machine.license_server:
            raise self.cluster.refuse(f"Node {machine.name} is not a license server")
        machine.request_shutdown()

    @call("restartLicenseServer", changing=True)
    def restart_license_server(self) -> None:
        """Boot the license server that holds EXAoperation."""
        machine = self.machine(self.cluster.exaoperation.master)
        if not machine.license_server:
            raise self.cluster.refuse(f"Node {machine.name} is not a license server")
        machine.reboot()

    @call("numberOfAvailableNodes")
    def number_of_available_nodes(self) -> int:
        """How many nodes are online."""
        return len(self.cluster.spec.nodes) - len(self.cluster.down)

    @call("addNode", changing=True)
    def add_node(self, settings: dict[str, Any]) -> str:
        """Add a node, which is off; gives its name."""
        cluster = self.cluster
        number = checked(cluster, settings, NODE_FIELDS)["number"]
        if number <= 10:
            raise cluster.refusal("bad_value", name="number", value=number)
        name = f"n{number:04d}"
        if name in cluster.machines:
            raise cluster.refusal("node_exists", name=name)
        cluster.add_node(name)
        return name

    @call("activateNodes", changing=True)
    def activate_nodes(self, nodes: list[Any]) -> None:
        """Have nodes boot what is installed on them."""
        for node in nodes:
            self.machine(node)

    # -- EXAoperation ------------------------------------------------------------------------------------

    @call("getEXAoperationMaster")
    def get_exaoperation_master(self) -> str:
        """The machine that holds EXAoperation."""
        return self.cluster.exaoperation.master

    @call("getCurrentLicenseServer")
    def get_current_license_server(self) -> int:
        """The number of the machine that holds EXAoperation."""
        return self.cluster.machines[self.cluster.exaoperation.master].number

    @call("getEXAoperationNodes")
    def get_exaoperation_nodes(self) -> list[str]:
        """The machines on which EXAoperation could run."""
        return list(self.cluster.exaoperation.holders)

    @call("getPossibleEXAoperationNodes")
    def get_possible_exaoperation_nodes(self) -> list[str]:
        """The machines that are online."""
        return [machine.name for machine in self.cluster.machines.values() if machine.online]

    @call("restartEXAoperation", changing=True)
    def restart_exaoperation(self, node: Any = "") -> None:
        """Restart EXAoperation, on another node where one is named."""
        if node:
            self.cluster.exaoperation.move(self.machine(node).name)
        else:
            self.cluster.exaoperation.restart()

    @call("needEXAoperationRestart")
    def need_exaoperation_restart(self) -> bool:
        """Whether a setting waits for a restart."""
        return False

    @call("getLoginRole", role="User")
    def get_login_role(self) -> str:
        """The caller's role."""
        return self.caller.role

    @call("getAllUserLogins")
    def get_all_user_logins(self) -> list[str]:
        """Login names."""
        return [user.name for user in self.cluster.spec.users]

    @call("clusterDesc")
    def cluster_desc(self) -> str:
        """The cluster's name."""
        return self.cluster.spec.name

    @call("getEXASuiteVersion")
    def get_exasuite_version(self) -> str:
        """Version of the whole."""
        return str(self.cluster.spec.version)

    @call("getEXACOSVersion")
    def get_exacos_version(self) -> str:
        """Version of the operating system."""
        return str(self.cluster.spec.version or "4.2.0")

    @call("getServiceState")
    def get_service_state(self) -> list[list[str]]:
        return self._service_rows()

    @call("getServiceStates")
    def get_service_states(self) -> list[list[str]]:
        """Name and state of each cluster service."""
        return self._service_rows()

    def _service_rows(self) -> list[list[str]]:
        rows = self.cluster.services()
        self.cluster.clock.read(storage_module.KEY)
        return rows

    # -- archive volumes ---------------------------------------------------------------------------------------

    @call("addRemoteVolume", changing=True)
    def add_remote_volume(self, settings: dict[str, Any]) -> str:
        """Add a remote archive volume; gives the object's name."""
        given = checked(self.cluster, settings, REMOTE_FIELDS)
        self.cluster.record.keep_secret(str(given.pop("password", None) or ""))
        volume: RemoteVolume = self.cluster.remote_volumes.add("", {"labels": [], **given})
        return volume.object if self.cluster.settings["add_remote_returns"] == "object" else volume.name

    @call("getAllArchiveVolumes")
    def get_all_archive_volumes(self) -> list[Any]:
        """All archive volumes, local and remote."""
        rows = [
            {"name": one.name, "id": one.id, "type": "Archive"}
            for _number, one in sorted(self.cluster.volumes.all.items())
            if one.kind == "archive"
        ]
        rows += [{"name": one.name, "id": one.id, "type": "Remote"} for one in self.cluster.remote_volumes.all.values()]
        return rows if self.cluster.settings["archive_volumes"] == "rows" else [row["name"] for row in rows]

    @call("deleteSubObject", changing=True)
    def delete_sub_object(self, name: str) -> None:
        """Delete a remote archive volume, or a node that is off and that nobody uses."""
        volume = self.cluster.remote_volumes.objects().get(name)
        if volume is not None:
            self.cluster.remote_volumes.delete(volume)
        elif name in self.cluster.spec.nodes:
            self.cluster.remove_node(name)
        else:
            raise self.cluster.refuse(f"Object {name} can not be deleted")

    # -- databases, log services, plugins ------------------------------------------------------------------

    @call("getDatabaseList", role="User")
    @call("getAllDatabaseNames", role="User")
    def get_database_list(self) -> list[str]:
        """Names of the databases."""
        return list(self.cluster.databases)

    @call("getAllDatabases", role="User")
    def get_all_databases(self) -> list[str]:
        """Object names of the databases."""
        return [f"db_{name}" for name in self.cluster.databases]

    @call("getAllLogServices")
    def get_all_log_services(self) -> list[dict[str, str]]:
        """The log services."""
        return [{"name": name, "description": ""} for name in self.cluster.spec.log_services]

    @call("havePlugins")
    def have_plugins(self) -> bool:
        """Whether a plugin is installed."""
        return bool(self.cluster.plugins.names)

    @call("showPluginList")
    @call("getPlugins")
    def show_plugin_list(self) -> list[str]:
        """Names of the installed plugins."""
        return list(self.cluster.plugins.names)

    @call("showPluginFunctions")
    def show_plugin_functions(self, plugin: str) -> dict[str, str]:
        """What a plugin can do."""
        if plugin not in self.cluster.plugins.names:
            raise self.cluster.refuse(f"Plugin {plugin} could not be found")
        return dict(FUNCTIONS)

    @call("callPlugin", changing=True)
    def call_plugin(self, plugin: str, node: Any, command: str, extra: Any = None) -> list[object]:
        """Run a plugin's command on a node; gives its status and its output."""
        return self.cluster.plugins.call(plugin, self.machine(node).name, command)


class Node(Resource):
    zope_class = "node.Node"

    @property
    def _machine(self) -> Machine:
        return self.cluster.machines[self.name]

    @call("getNodeState")
    def get_node_state(self) -> dict[str, str]:
        """The node's state, under 'status'."""
        return node_state(self.cluster, self._machine)

    @call("nodeRunning")
    def node_running(self) -> bool:
        """Whether the node runs."""
        answer = self._machine.online
        self.cluster.clock.read(f"node {self.name}")
        return answer

    @call("operationGetCurrent")
    def operation_get_current(self) -> str:
        """The operation that runs on the node, or 'None'."""
        return "None"

    @call("startupNode", changing=True)
    def startup_node(self) -> None:
        """Switch the node on."""
        self._machine.request_start()

    @call("shutdownNode", changing=True)
    def shutdown_node(self) -> None:
        """Shut the node down and switch it off."""
        self._machine.request_shutdown()

    @call("poweroffNode", changing=True)
    def poweroff_node(self) -> None:
        """Switch the node off at once."""
        self._machine.press_off()

    @call("rebootNode", changing=True)
    @call("resetNode", changing=True)
    def reboot_node(self) -> None:
        """Boot the node again."""
        self._machine.reboot()

    @call("stopClusterServices", changing=True)
    def stop_cluster_services(self) -> None:
        """Take the node out of the cluster without switching it off."""
        self._machine.suspend()

    @call("startClusterServices", changing=True)
    def start_cluster_services(self) -> None:
        """Take the node into the cluster again."""
        self._machine.unsuspend()

    @call("getDiskStates")
    def get_disk_states(self) -> list[dict[str, str]]:
        """The node's disks."""
        if not self._machine.online:
            raise self.cluster.refuse(f"Node {self.name} is not online")
        shared = {"size": "50", "free": "42.4", "state": "None", "raid": "disk-raid-none", "encr": "disk-encr-aes256"}
        counts = {"devices": "", "mount_count": "1/39", "next_fsck": ""}
        kinds = {"d00_os": "os", "d01_swap": "swap", "d02_data": "data", "d03_storage": "storage"}
        return [{"name": name, "type": f"disk-type-{kind}", **shared, **counts} for name, kind in kinds.items()]


class LogService(Resource):
    zope_class = "logservice.LogService"

    @call("logEntries")
    def log_entries(self, *ignored: Any) -> list[Any]:
        return self.cluster.log.entries()

    @call("logEntriesTagged")
    def log_entries_tagged(self, tag: Any = "") -> list[Any]:
        """What is new since the last call with the same tag."""
        return self.cluster.log.tagged(f"{self.name} {tag}")


class Plain(Resource):
    """An object that exists and has the generic calls only."""

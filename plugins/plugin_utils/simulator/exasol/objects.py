# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that EXAoperation publishes, and what each call does to the cluster."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from . import storage as storage_module
from .plugins import FUNCTIONS
from .resource import Blocked, Call, Resource, call

if TYPE_CHECKING:
    from .cluster import Cluster
    from .databases import Database
    from .machines import Machine


def node_state(cluster: Cluster, machine: Machine) -> dict[str, str]:
    status = machine.status()
    cluster.clock.read(f"node {machine.name}")
    if status == "fault":
        raise cluster.refuse(f"State of node {machine.name} is not available")
    return {"status": status}


class NodeCluster(Resource):
    zope_class = "cluster.NodeCluster"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster, "cluster1")
        spec = cluster.spec
        volumes = sorted({database.volume for database in cluster.databases.values()})
        self._children: dict[str, Resource] = {
            "bfsdefault": Plain(cluster, "bfsdefault"),
            **{name: LogService(cluster, name) for name in spec.log_services},
            **{name: Node(cluster, name) for name in cluster.machines},
            **{f"db_{name}": DatabaseObject(cluster, name) for name in cluster.databases},
            "storage": StorageObject(cluster, volumes),
            "support": Plain(cluster, "support"),
            "users": Plain(cluster, "users"),
        }
        self._names = [name for name in self._children if name != "users" and name not in spec.license_servers]

    def child(self, name: str) -> Resource | None:
        return self._children.get(name)

    def children(self) -> list[str]:
        return list(self._names)

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
        return self._services()

    @call("getServiceStates")
    def get_service_states(self) -> list[list[str]]:
        """Name and state of each cluster service."""
        return self._services()

    def _services(self) -> list[list[str]]:
        rows = self.cluster.services()
        self.cluster.clock.read(storage_module.KEY)
        return rows

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


class StorageObject(Resource):
    zope_class = "storage.Storage"

    def __init__(self, cluster: Cluster, volumes: list[str]) -> None:
        super().__init__(cluster, "storage")
        self._volumes = {name: Plain(cluster, name) for name in volumes}

    def child(self, name: str) -> Resource | None:
        return self._volumes.get(name)

    def children(self) -> list[str]:
        return list(self._volumes)

    @call("startEXAStorage", changing=True)
    def start_exastorage(self, ignored_nodes: Any = None) -> Any:
        """Start EXAStorage, except on the nodes of a list."""
        storage = self.cluster.storage
        names = [self.machine(node).name for node in ignored_nodes or []]
        storage.start(names)
        if not self.cluster.settings["storage_start_blocks"]:
            return "OK"

        def result() -> str:
            if storage.failed_with:
                raise self.cluster.refuse(storage.failed_with)
            return "OK"

        return Blocked(lambda: storage.state != "starting", result)

    @call("stopEXAStorage", changing=True)
    def stop_exastorage(self) -> Any:
        """Stop EXAStorage."""
        self.cluster.storage.stop()
        answer = self.cluster.settings["storage_stop_returns"]
        if not self.cluster.settings["storage_stop_blocks"]:
            return answer
        return Blocked(lambda: self.cluster.storage.state != "stopping", lambda: answer)

    @call("serviceIsOnline")
    def service_is_online(self) -> bool:
        """Whether EXAStorage is online."""
        answer = self.cluster.storage.state in ("online", "stopping")
        self.cluster.clock.read(storage_module.KEY)
        return answer

    @call("storageHasQuorum")
    def storage_has_quorum(self) -> bool:
        """Whether enough nodes serve EXAStorage."""
        answer = self.cluster.storage.quorum()
        self.cluster.clock.read(storage_module.KEY)
        return answer

    @call("serviceHasAutoRestartFlag")
    def service_has_auto_restart_flag(self) -> bool:
        """Whether the service is started again by itself."""
        return self.cluster.storage.auto_restart

    @call("setAutoRestartFlag", changing=True)
    def set_auto_restart_flag(self, flag: Any = True) -> None:
        """Have the service started again by itself, or not."""
        self.cluster.storage.auto_restart = bool(flag)

    @call("getVolumeList")
    def get_volume_list(self) -> list[str]:
        """Names of the volumes."""
        self._need_storage()
        return list(self._volumes)

    @call("getVolumeInfo")
    def get_volume_info(self, volume: Any) -> dict[str, Any]:
        """A volume's disk, size (GiB), redundancy, state and nodes."""
        self._need_storage()
        name = f"v{volume:04d}" if isinstance(volume, int) else str(volume)
        if name not in self._volumes:
            raise self.cluster.refuse("Volume could not be found")
        users = [database for database in self.cluster.databases.values() if database.volume == name]
        nodes = users[0].active if users else []
        return {
            "name": name,
            "disk": "d03_storage",
            "redundancy": 1,
            "size": 100,
            "segments": [list(nodes)],
            "state": "DEGRADED" if any(node in self.cluster.down for node in nodes) else "ONLINE",
            "type": "Data",
        }

    def _need_storage(self) -> None:
        if self.cluster.storage.state not in ("online", "stopping"):
            raise self.cluster.refuse("EXAStorage is not online")


class DatabaseObject(Resource):
    zope_class = "database.Database"

    def __init__(self, cluster: Cluster, database: str) -> None:
        super().__init__(cluster, f"db_{database}")
        self.database: Database = cluster.databases[database]

    def _read(self, value: Any) -> Any:
        self.cluster.clock.read(self.database.key)
        return value

    @call("getDatabaseState")
    @call("stateDatabase")
    def get_database_state(self) -> str:
        """The runtime state."""
        return str(self._read(self.database.shown_state()))

    @call("runningDatabase")
    def running_database(self) -> bool:
        """Whether the database runs."""
        return bool(self._read(self.database.running()))

    @call("existDatabase")
    def exist_database(self) -> bool:
        """Whether the database was created."""
        return self.database.state != "none"

    @call("getDatabaseConnectionState")
    def get_database_connection_state(self) -> str:
        """'Yes' where clients can connect, else 'No'."""
        return str(self._read("Yes" if self.database.connectible else "No"))

    @call("getDatabaseConnectionString")
    def get_database_connection_string(self) -> str:
        """Where clients connect."""
        return self.database.connection_string

    @call("getDatabaseOperation")
    @call("operationGetCurrent")
    def get_database_operation(self) -> str:
        """The operation that runs, or 'None'."""
        return str(self._read(self.database.operation))

    @call("getCurrentErrors")
    def get_current_errors(self) -> list[str]:
        """Why the database doesn't start."""
        return list(self.database.errors)

    @call("maintenanceDatabase")
    def maintenance_database(self) -> bool:
        """Whether the database runs in maintenance mode."""
        return self.database.maintenance

    @call("getDatabaseVersion")
    def get_database_version(self) -> str:
        """Version of the database."""
        return str(self.cluster.spec.version or "4.2.0")

    @call("getDatabaseNodes")
    def get_database_nodes(self) -> dict[str, list[str]]:
        """Active, failed and reserve nodes."""
        return self._nodes()

    @call("getNodeState")
    def get_node_state(self, node: Any) -> str:
        """State of one of the database's nodes: online, offline or failed."""
        machine = self.machine(node)
        if machine.name not in self.database.nodes:
            raise self.cluster.refuse(f"Node {machine.name} is not a node of database {self.database.name}")
        if machine.online:
            return "online"
        return "failed" if self.database.state == "running" else "offline"

    @call("getDatabaseInfo")
    def get_database_info(self) -> dict[str, Any]:
        """Everything about the database at once."""
        database = self.database
        usage: Any = 0
        if database.state == "running":
            number = int(database.volume[1:]) if database.volume[1:].isdigit() else 0
            usage = [{"host": f"n{int(node[1:])}" if node[1:].isdigit() else node, "size": "10 GiB",
                      "used": "1.5 GiB", "volume id": str(number)} for node in database.active]  # fmt: skip
        return dict(
            self._read(
                {
                    "connectible": "Yes" if database.connectible else "No",
                    "connection string": database.connection_string,
                    "info": "; ".join(database.errors),
                    "name": database.name,
                    "nodes": self._nodes(),
                    "operation": database.operation,
                    "persistent volume": database.volume,
                    "quota": 0,
                    "state": database.shown_state(),
                    "temporary volume": "None" if database.state != "running" else f"{database.volume}t",
                    "usage persistent": usage,
                    "usage temporary": usage,
                }
            )
        )

    def _nodes(self) -> dict[str, list[str]]:
        down = self.cluster.down
        return {
            "active": [node for node in self.database.active if node not in down],
            "failed": [node for node in self.database.active if node in down],
            "reserve": list(self.database.reserve),
        }

    @call("createDatabase", changing=True)
    def create_database(self) -> None:
        """Create the database; it is stopped then."""
        self.database.create()

    @call("startDatabase", changing=True)
    def start_database(self) -> None:
        """Start the database; it must exist and must not be running."""
        self.database.start()

    @call("startDatabaseMaintenance", changing=True)
    def start_database_maintenance(self) -> None:
        """Start the database in maintenance mode: nobody can connect."""
        self.database.start(maintenance=True)

    @call("stopDatabase", changing=True)
    @call("shutdownDatabase", changing=True)
    def stop_database(self) -> None:
        """Stop the database; it must be running."""
        self.database.stop()

    @call("forceShutdownDatabase", changing=True)
    def force_shutdown_database(self) -> None:
        """Stop the database at once, whatever it does."""
        self.database.force_stop()

    @call("restartDatabase", changing=True)
    def restart_database(self) -> None:
        """Stop and start the database; it must be running."""
        self.database.restart()

    # -- backups -----------------------------------------------------------------------------------------

    @call("backupDatabase", changing=True)
    def backup_database(self, volume: str, level: int = 0, expire: str = "") -> None:
        """Begin a backup to a volume, with its level and how long it is kept."""
        self.database.backup(str(volume), int(level), str(expire))

    @call("abortBackup", changing=True)
    def abort_backup(self) -> None:
        """Abort the backup that runs."""
        self.database.abort_operation()

    @call("getBackupList")
    def get_backup_list(self) -> list[list[Any]]:
        """[id, volume id] of each backup."""
        return [[row["id"], _volume_id(row["volume"])] for row in self.database.backups]

    @call("getBackups")
    def get_backups(self, show_all: bool = False, show_expired: bool = True) -> list[dict[str, Any]]:
        """The backups with all that is known of each."""
        rows = []
        for row in self.database.backups:
            moment = time.localtime(row["wall"])
            stamp = time.strftime("%Y%m%d%H%M", moment)
            path = f"{self.database.name}/id_{row['id']}/level_{row['level']}"
            volume = _volume_id(row["volume"])
            rows.append(
                {
                    "bid": row["id"],
                    "comment": "",
                    "dependencies": "-",
                    "expire": row["expire"],
                    "expire_alterable": f"{volume} {path}",
                    "expired": False,
                    "id": f"{volume} {path}/node_0/backup_{stamp} {self.database.name}",
                    "last_item": True,
                    "level": row["level"],
                    "path": "",
                    "system": self.database.name,
                    "timestamp": time.strftime("%Y-%m-%d %H:%M", moment),
                    "ts": stamp,
                    "usable": True,
                    "usage": "1.500 GiB",
                    "volume": row["volume"],
                }
            )
        return rows

    @call("getBackupInfo")
    def get_backup_info(self, backup: Any) -> dict[str, Any]:
        """What is known of one backup."""
        wanted = backup[0] if isinstance(backup, (list, tuple)) and backup else backup
        for row in self.database.backups:
            if row["id"] == wanted:
                return {
                    "usable": True,
                    "id": row["id"],
                    "volume": [row["volume"]],
                    "dependencies": [],
                    "timestamp": time.strftime("%Y-%m-%d %H:%M", time.localtime(row["wall"])),
                    "expire date": row["expire"],
                    "files": [],
                }
        raise self.cluster.refuse("Backup could not be found")


def _volume_id(name: str) -> int:
    """'v0002' is 2, 'r0001' is 10001."""
    number = int(name[1:]) if name[1:].isdigit() else 0
    return 10000 + number if name.startswith("r") else number


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

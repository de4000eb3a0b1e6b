# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Database jobs."""

from __future__ import annotations

from typing import Any

from ....cluster import UsageError
from ...common.databases import PORT
from ...common.sizes import size_of
from ...common.volumes import Volume
from ..catalogue import DATABASE_RIGHTS, NEW, OLD, Call, Pending, given, job, may
from ..databases import PARAMETERS, ConfdDatabase

NAME = given("db_name", "str", "Name of an existing database.")
_CLUSTER = may("cluster", "str", "Name of a cluster of the database, '+all' or 'MAIN'.", only=(NEW,))

# the words of these and of db_create are what clients of 6.2 are shown by job_help
SETTABLE = (
    may(
        "additional_sys_passwd_hashes",
        "str",
        "A list of password hashes for passwords that allow authentication as SYS independent of the SYS password set",
    ),
    may("auto_start", "bool", "Whether it starts with the cluster.", only=(NEW,)),
    may("cache_volume_disk", "str", 'Specify disks to use for cache: <diskname>:<volumesize>, e.g. "disk1:7 GiB"'),
    may("cloud_data_volume_name", "str", "Volume of its data in the cloud.", only=(NEW,)),
    may(
        "cloud_data_storage",
        "str",
        "Specify cloud storage to use: s3:<awsregion>:<iothreads>:<ioconns>:<bucketname>, "
        'e.g. "s3:eu-west-1:4:10:test1"',
        only=(OLD,),
    ),
    may("default_sys_passwd_hash", "str", "The hash used to initialize the SYS password if a new database is created."),
    may("enable_auditing", "bool", "Enables/disables auditing for this database system."),
    may("initial_sql", "str", "File of the statements for its first start.", only=(NEW,)),
    may(
        "interfaces",
        "str",
        "List of network interfaces to use for database. Leave empty to use all possible network interfaces.",
    ),
    may("jdbc_urls", "pair", "Where JDBC drivers are looked for.", only=(NEW,)),
    may(
        "ldap_server",
        "str",
        "LDAP Server to use for remote database authentication, e.g. ldap[s]://192.168.1.1 . "
        "Multiple servers must be separated by commas.",
    ),
    may("oracle_url", "str", "Where the Oracle client is looked for.", only=(NEW,)),
    may("owner", "pair", "Tuple of (User id, group id) of the database owner in type integer."),
    may("params", "str|list", "Extra parameters for startup of database.", old_kind="str"),
    may(
        "volume_move_delay",
        "int",
        "Move failed volume nodes to used reserve nodes automaticaly after given amount of time, "
        "or disable it with no value.",
    ),
    may(
        "volume_quota",
        "int|str",
        "Maximal size of volume in (GiB), the database tries to shrink it on start if required and possible.",
        old_kind="int",
    ),
)


def database_of(call: Call) -> ConfdDatabase:
    found = call.cluster.databases.get(call["db_name"])
    if found is None:
        raise call.refuse("unknown_database", name=call["db_name"])
    return found


def offline_of(call: Call) -> ConfdDatabase:
    database = database_of(call)
    if database.state != "setup":
        raise call.refuse("database_not_offline", name=database.name)
    return database


def data_volume_of(call: Call) -> Volume:
    volumes = call.cluster.volumes
    number, name = call.get("data_volume_id"), call.get("data_volume_name")
    by_id = number is not None and str(number).isdigit()
    found = volumes.all.get(int(number)) if by_id else volumes.named(str(name))
    if found is None or found.kind != "data":
        raise call.refuse("unknown_volume", name=name if number is None else number)
    return found


def check_settable(call: Call, nodes: list[str]) -> None:
    """Of a database on these nodes."""
    size, port = call.get("mem_size"), call.get("port")
    if size is not None and size_of(size) is None:
        raise call.refuse("bad_value", name="mem_size", value=size)
    if not is_owner(call.get("owner", [0, 0])):
        raise call.refuse("bad_value", name="owner", value=call["owner"])
    if port is None:
        return
    if not str(port).isdecimal() or not 0 < int(port) < 2**16:
        raise call.refuse("bad_value", name="port", value=port)
    for other in call.cluster.databases.values():
        if other.name != call["db_name"] and int(other.config["port"]) == int(port) and other.nodes & set(nodes):
            raise call.refuse("bad_value", name="port", value=f"{port}, which database {other.name} has")


def is_owner(value: Any) -> bool:
    """Ids of a user and a group."""
    return len(value) == 2 and all(isinstance(one, int) for one in value)


def awaiting_start(call: Call, database: ConfdDatabase, seconds: float = 0) -> Pending:
    """Until it runs, or fell back and tells why."""

    def output() -> None:
        if database.state != "running":
            raise call.cluster.refuse("; ".join(database.errors) or f"Database {database.name} was stopped")

    def late() -> None:
        error = call.refuse("timed_out", name=database.name, seconds=int(seconds))
        if call.cluster.settings["start_timeout"] == "abort":
            database.abort_start(str(error))
        raise error

    return Pending(lambda: database.state != "startup", output, (database.key,), seconds, late)


@job("Names of all databases.", (*DATABASE_RIGHTS, "exausers"))
def db_list(call: Call) -> Any:
    return list(call.cluster.databases)


@job("State of a database.", DATABASE_RIGHTS, NAME)
def db_state(call: Call) -> Any:
    database = database_of(call)
    state = database.shown_state()
    database.seen()
    return state


@job("Parameters and volumes of a database.", DATABASE_RIGHTS, NAME)
def db_info(call: Call) -> Any:
    database = database_of(call)
    info = database.info()
    database.seen()
    return info


@job(
    "Start a database, which must not be running.",
    DATABASE_RIGHTS,
    NAME,
    _CLUSTER,
    may("maintenance", "bool", "Start it in maintenance mode."),
    may("timeout", "int", "Seconds to wait until it runs; 0 is for ever."),
    changing=True,
    example="{'db_name': 'DB1'}",
)
def db_start(call: Call) -> Any:
    database = database_of(call)
    database.start(bool(call.get("maintenance")))
    if call.cluster.settings["db_start_waits"]:
        return awaiting_start(call, database, float(call.get("timeout") or 0))
    return None


@job(
    "Stop a running database. Its nodes stay online.",
    DATABASE_RIGHTS,
    NAME,
    _CLUSTER,
    may("force", "bool", "Stop it at once; sessions are cut."),
    may("timeout", "int", "Seconds to wait until it is down; 0 is for ever."),
    changing=True,
    example="{'db_name': 'DB1'}",
)
def db_stop(call: Call) -> Any:
    database = database_of(call)
    if call.get("force"):
        database.force_stop()
        return None
    database.stop()
    if not call.cluster.settings["db_stop_waits"]:
        return None
    seconds = float(call.get("timeout") or 0)

    def late() -> None:
        raise call.refuse("not_down", name=f"Database {database.name}", seconds=int(seconds))

    return Pending(lambda: database.state != "shutdown", lambda: None, (database.key,), seconds, late)


@job(
    "Create a fresh database, must not exist yet.",
    DATABASE_RIGHTS,
    given("db_name", "str", "Name of the new database."),
    given("version", "str", "Version of EXASolution executables."),
    given("data_volume_name", "str", "Volume name for EXASolution database data."),
    given("mem_size", "str", "Amount of database memory, i.e. 2048 MiB."),
    given("nodes", "list", "List of active and reserved node ids for this database in type integer"),
    given("num_active_nodes", "int", "Number of master nodes in the database"),
    given("port", "int", "Port for client connections.", optional=(NEW,)),
    may("data_volume_id", "int", "Volume name for EXASolution database data.", instead_of="data_volume_name"),
    *SETTABLE,
    may("db_uuid", "str", "UUID of the database.", only=(NEW,)),
    may("snapshot_sync_volume", "str", "Volume of the snapshots.", only=(NEW,)),
    may("master_database", "str", "Master database in case of a worker database is being created added"),
    configures=True,
    example="{'db_name': 'db2', 'version': '6.1.1', 'data_volume_name': 'DataVolume1', 'owner': (1000, 1000), "
    "'mem_size': '2048MiB', 'port': 3333, 'nodes': [11, 12], 'num_active_nodes': 2}",
)
def db_create(call: Call) -> Any:
    cluster, name = call.cluster, call["db_name"]
    if name in cluster.databases:
        raise call.refuse("database_exists", name=name)
    nodes = call.nodes("nodes")
    if len(nodes) < len(call["nodes"]):
        raise call.refuse("bad_value", name="nodes", value=call["nodes"])
    number = call["num_active_nodes"]
    if not 0 < number <= len(nodes):
        raise call.refuse("bad_value", name="num_active_nodes", value=number)
    volume = data_volume_of(call)
    check_settable(call, nodes)
    taken = {int(other.config["port"]) for other in cluster.databases.values()}
    call.params.setdefault("port", next(port for port in range(PORT, 2**16) if port not in taken))
    options = {**call.params, "state": "setup", "nodes": nodes[:number], "reserve": nodes[number:]}
    options.setdefault("auto_start", True)
    options.update(data_volume_id=volume.id)
    cluster.databases[name] = ConfdDatabase(cluster, name, options, 0)


@job("Delete a database, which must be offline.", DATABASE_RIGHTS, NAME, configures=True)
def db_delete(call: Call) -> Any:
    database = offline_of(call)
    database.leave_volume()
    del call.cluster.databases[database.name]


@job(
    "Change the configuration of a database, which must be offline.",
    DATABASE_RIGHTS,
    NAME,
    may("version", "str", "Version of the executables."),
    may("mem_size", "str", "Memory of the database, like 2048 MiB."),
    may("port", "int|str", "Port for clients."),
    may("data_volume_name", "str", "Name of its data volume."),
    may("data_volume_id", "int|str", "Id of its data volume.", instead_of="data_volume_name"),
    *SETTABLE,
    may("params_add", "str|list", "Parameters that are added.", only=(NEW,)),
    may("params_delete", "str|list", "Parameters that are taken away.", only=(NEW,)),
    may("create_new_db", "bool", "Begin anew: all data goes."),
    may("max_system_heap_memory", "str", "Heap memory of all processes.", only=(NEW,)),
    configures=True,
    example="{'db_name': 'DB1', 'mem_size': '4096 MiB'}",
)
def db_configure(call: Call) -> Any:
    database = offline_of(call)
    check_settable(call, [*database.active, *database.reserve])
    port = call.get("port")
    if call.get("data_volume_name") is not None or call.get("data_volume_id") is not None:
        database.keep_on(data_volume_of(call))
    words = _words(call.get("params", database.config.get("params")))
    words += [one for one in _words(call.get("params_add")) if one not in words]
    gone = _words(call.get("params_delete"))
    words = [one for one in words if one not in gone and one.partition("=")[0] not in gone]
    for name in PARAMETERS:
        if call.get(name) is not None and name != "params":
            database.config[name] = call[name]
    if {"params", "params_add", "params_delete"} & set(call.params):
        database.config["params"] = " ".join(words)
    if port is not None:
        database.config["port"] = int(port)
        database.tell_address()


def _words(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else str(value or "").split()


@job(
    "Add active nodes from the reserve to a database, which must be offline and is started then.",
    DATABASE_RIGHTS,
    NAME,
    given("num_new_nodes", "str|int", "How many."),
    configures=True,
)
def db_enlarge(call: Call) -> Any:
    database = offline_of(call)
    text = str(call["num_new_nodes"])
    if not text.isdigit() or not 0 < int(text) <= len(database.reserve):
        raise call.refuse("bad_value", name="num_new_nodes", value=text)
    before = list(database.active), list(database.reserve)
    moved, database.reserve = database.reserve[: int(text)], database.reserve[int(text) :]
    database.active += moved
    try:
        database.start()
    except UsageError:
        database.active, database.reserve = before
        raise
    database.tell_address()
    return awaiting_start(call, database)


@job("Empty a database, which must be offline: all its data goes.", DATABASE_RIGHTS, NAME, changing=True)
def db_reset(call: Call) -> Any:
    offline_of(call).used = 0


_IDS = given("node_list", "list", "Ids of nodes, integers.")
_NAMES = given("node_list", "list", "Names of nodes, like ['n11'].")


@job("Give a database reserve nodes.", DATABASE_RIGHTS, NAME, _IDS, configures=True)
def db_add_reserve_nodes(call: Call) -> Any:
    database = database_of(call)
    nodes = call.nodes("node_list")
    for node in nodes:
        if node in database.nodes:
            raise call.refuse("node_in_use", name=node, what=f"database {database.name}")
    database.reserve += nodes
    database.nodes |= set(nodes)


@job("Take reserve nodes from a database.", DATABASE_RIGHTS, NAME, _IDS, configures=True)
def db_remove_reserve_nodes(call: Call) -> Any:
    database = database_of(call)
    nodes = call.nodes("node_list")
    for node in nodes:
        if node not in database.reserve:
            raise call.refuse("bad_value", name="node_list", value=node)
    for node in nodes:
        database.reserve.remove(node)
        database.nodes.discard(node)


@job(
    "Treat nodes of a database as not there; where one was active the database starts anew with a reserve node.",
    DATABASE_RIGHTS,
    NAME,
    _NAMES,
    configures=True,
)
def db_suspend_nodes(call: Call) -> Any:
    database = database_of(call)
    nodes = _own_nodes(call, database)
    hit = database.state == "running" and bool(set(nodes) & set(database.active))
    if hit:
        database.restart()
    database.suspended |= set(nodes)


@job("Take suspended nodes of a database back.", DATABASE_RIGHTS, NAME, _NAMES, configures=True)
def db_resume_nodes(call: Call) -> Any:
    database = database_of(call)
    nodes = _own_nodes(call, database)
    for node in nodes:
        if node not in database.suspended:
            raise call.refuse("node_not_suspended", name=node)
    database.suspended -= set(nodes)


def _own_nodes(call: Call, database: ConfdDatabase) -> list[str]:
    nodes = call.nodes("node_list")
    for node in nodes:
        if node not in database.nodes:
            raise call.refuse("bad_value", name="node_list", value=node)
    return nodes


@job(
    "Start a database and the instances of all its nodes.",
    DATABASE_RIGHTS,
    NAME,
    changing=True,
    dialects=(NEW,),
    infra=True,
)
def infra_db_start(call: Call) -> Any:
    database, cluster = database_of(call), call.cluster
    nodes = [cluster.machines[name] for name in sorted(database.nodes)]
    for node in nodes:
        node.power_on()

    def begin() -> Any:
        if database.state == "setup":
            database.start()
        return awaiting_start(call, database)

    def ready() -> bool:
        return cluster.storage.state == "online" and all(node.online for node in nodes)

    return Pending(ready, begin, ("storage", *(f"node {node.name}" for node in nodes)))


@job(
    "Stop a database and the instances of all its nodes.",
    DATABASE_RIGHTS,
    NAME,
    may("logtimeout", "int", "Seconds for the upload of logs."),
    changing=True,
    dialects=(NEW,),
    infra=True,
)
def infra_db_stop(call: Call) -> Any:
    database, cluster = database_of(call), call.cluster
    if database.state == "running":
        database.stop()

    def off() -> None:
        # the master last: it is who does this
        names = sorted(database.nodes, key=lambda name: name == cluster.administration.master)
        for name in names:
            if cluster.machines[name].state != "shutting_down":
                cluster.machines[name].request_shutdown()

    return Pending(lambda: database.state == "setup", off, (database.key,))

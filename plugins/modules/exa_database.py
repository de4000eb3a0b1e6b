#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_database
short_description: Start, stop, restart, create, configure and delete the databases of an Exasol cluster
version_added: 1.0.0
description:
  - Starts databases and waits until each accepts connections, or stops them and waits until each is in state C(setup).
    The task acts on all of them in parallel and waits for all. If a database is already starting or stopping, the task
    joins that.
  - Creates a database, compares an existing one with O(config) and configures it while it is stopped, and deletes
    databases with their data. Only ConfD has calls for that; with EXAoperation the task fails and reports that.
options:
  databases:
    description:
      - Names of the databases, or V(all). O(state=present) and O(state=absent) don't accept V(all).
      - With O(state=present), exactly one, because two databases can't have the same port and volume.
    type: list
    elements: str
    required: true
  state:
    description:
      - The state to reach. V(started) is refused unless every cluster service is C(OK); nothing overrides that.
      - V(started) starts at most one of the databases on one data volume. With V(all) in O(databases), the others stay
        down if one of them runs. The task is refused if none of them runs, or if you name a database while another one
        on its volume runs.
      - If a database is already starting, V(restarted) waits for that start and doesn't restart it.
      - V(present) creates a missing database, and doesn't start it. It compares an existing one with O(config), and
        configures it if it is stopped. If it isn't stopped and something differs, the task is refused, and names the
        differences.
      - V(absent) deletes stopped databases, with their data, if O(confirm) names them. Their volumes remain.
    type: str
    choices: [started, stopped, restarted, present, absent]
    default: started
  on_operation:
    description:
      - What to do with a database that should stop and has a running operation (a backup, a restore).
      - V(refuse) changes nothing. V(wait) waits until the operation ends, for at most O(wait_timeout). V(abort_backup)
        aborts it if it is a backup.
    type: str
    choices: [refuse, wait, abort_backup]
    default: refuse
  force:
    description:
      - Stop databases by force (C(forceShutdownDatabase), C(db_stop) with C(force)), whatever they are doing. This ends
        sessions and loses running operations.
    type: bool
    default: false
  log_service:
    description:
      - A log service (C(logservice1)). The task shows its messages about the databases while it waits. ConfD has none.
    type: str
  config:
    description:
      - With O(state=present), the configuration of the database. Values that you don't set stay as they are.
      - If the version of the server doesn't know a setting, or if a setting that a new database requires is missing,
        the task fails before it sends anything.
      - The task compares values by their meaning. V(2048MiB) equals V(2 GiB), and start parameters may be in any order.
      - Servers of version 6.2 report only a database's nodes, volume and quota, and the port in its address.
        O(on_unseen) sets what to do with the other settings.
    type: dict
    suboptions:
      version:
        description: The version of its software. Required to create it.
        type: str
      data_volume_name:
        description:
          - The volume of its data. This or O(config.data_volume_id) is required to create it.
          - The task doesn't change the volume of an existing database, because the database would be without its data.
        type: str
      data_volume_id:
        description: The same by its number.
        type: int
      mem_size:
        description: Its memory, as V(64 GiB); a number without a unit is in MiB. Required to create it.
        type: str
      nodes:
        description:
          - All of its nodes, by name or number. When the task creates it, the first O(config.num_active_nodes) of them
            are active, and the others are reserve nodes. Required to create it.
          - If the database exists, missing nodes become reserve nodes, and the task removes reserve nodes that aren't
            named, also while the database runs. It can't remove an active node.
        type: list
        elements: str
      num_active_nodes:
        description:
          - The number of its active nodes. Required to create it. For an existing database you can only raise it; see
            O(enlarge).
        type: int
      port:
        description: The port for clients. Version 6.2 requires it to create the database.
        type: int
      auto_start:
        description: Whether it starts with the cluster. Not before version 8.
        type: bool
      enable_auditing:
        description: Whether it keeps an audit log.
        type: bool
      interfaces:
        description: The network interfaces for clients; an empty list for all.
        type: list
        elements: str
      jdbc_urls:
        description: Where the database finds JDBC drivers. Not before version 8.
        type: list
        elements: str
      oracle_url:
        description: Where the database finds the Oracle client. Not before version 8.
        type: str
      ldap_server:
        description: LDAP servers, each with C(ldap://) or C(ldaps://).
        type: list
        elements: str
      owner:
        description: User and group, both by number or both by name.
        type: list
        elements: str
      params:
        description: All of its start parameters, as a text with spaces between them or as a list.
        type: raw
      params_add:
        description: Start parameters that it must have, besides any others.
        type: raw
      params_delete:
        description: Start parameters that it must not have. V(-one) also matches V(-one=1).
        type: raw
      volume_quota:
        description: The maximum size of its volume, as V(500 GiB); a number without a unit is in GiB.
        type: str
      volume_move_delay:
        description: Seconds after which the server moves the volume of a failed node to a reserve node.
        type: int
      max_system_heap_memory:
        description: The heap memory of all processes, as V(64 GiB), or V(default). Not before version 8.
        type: str
      cache_volume_disk:
        description: Disks for a cache, as V(disk1:7 GiB).
        type: str
      cloud_data_volume_name:
        description: The volume of its data in the cloud. Not before version 8.
        type: str
      cloud_data_storage:
        description: The storage in the cloud, as V(s3:eu-west-1:4:10:bucket). Version 6.2 only.
        type: str
      master_database:
        description: The master database of a worker database. Only for a new database.
        type: str
      snapshot_sync_volume:
        description: The volume of snapshots in the cloud. Only for a new database; not before version 8.
        type: str
      db_uuid:
        description: Its UUID in base64. Only for a new database; not before version 8.
        type: str
      initial_sql:
        description:
          - A file on the node with statements for the first start. Only for a new database, and never compared.
        type: str
      default_sys_passwd_hash:
        description: The hash of the password of SYS. Only for a new database, and never compared.
        type: str
      additional_sys_passwd_hashes:
        description: Hashes of further passwords of SYS. Only for a new database, and never compared.
        type: list
        elements: str
  enlarge:
    description:
      - With O(state=present), whether the task may give a stopped database more active nodes from its reserve nodes
        (C(db_enlarge)). The server then starts the database, so it runs when the task ends.
    type: bool
    default: false
  on_unseen:
    description:
      - With O(state=present), what to do with settings of an existing database that the server doesn't report.
      - V(warn) leaves them as they are, and warns with their names. V(send) sends them to a stopped database in each
        run, because it can't compare them. Settings that the server's job doesn't accept (O(config.params_add) and
        O(config.params_delete) before version 8) stay as they are, with a warning; it accepts O(config.params).
      - In both cases, RV(not_compared) lists them.
    type: str
    choices: [warn, send]
    default: warn
  confirm:
    description:
      - With O(state=absent), the names of the databases again, to confirm that their data may be deleted.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Start all databases
  dbfleet.cluster.exa_database:
    databases: [all]
    state: started

- name: Stop DB1 when its running backup has ended
  dbfleet.cluster.exa_database:
    databases: [DB1]
    state: stopped
    on_operation: wait
    wait_timeout: 7200

- name: Create a database on two nodes, with a third in reserve
  dbfleet.cluster.exa_database:
    databases: [DB2]
    state: present
    config:
      version: 8.29.1
      data_volume_name: DataVolume2
      mem_size: 64 GiB
      nodes: [n11, n12, n13]
      num_active_nodes: 2
      port: 8564
      params: [-forceProtocolEncryption=1]
      default_sys_passwd_hash: "{{ sys_hash }}"

- name: Give it more memory while it is stopped
  dbfleet.cluster.exa_database:
    databases: [DB2]
    state: present
    config:
      mem_size: 128 GiB

- name: Delete it with its data
  dbfleet.cluster.exa_database:
    databases: [DB2]
    state: absent
    confirm: [DB2]
"""

RETURN = r"""
databases:
  description:
    - The databases at the end, by name. In check mode, as predicted.
    - With O(state=present), C(config) of each database contains its configuration as the server reports it. With
      O(state=absent) there are none.
  returned: success
  type: dict
  sample:
    DB1: {state: running, connectible: "Yes", operation: "None", connection_string: "10.50.1.11..14:2568"}
not_compared:
  description:
    - The keys of O(config) that can't be compared with the present values, because the server doesn't show these.
  returned: when O(state=present)
  type: list
  elements: str
  sample: [mem_size]
predicted:
  description: The databases after this task (in check mode, as predicted), for O(assume) of later tasks.
  returned: success
  type: dict
  sample: {databases: {DB1: {state: running, connectible: "Yes", operation: "None", connection_string: ""}}}
joined:
  description:
    - Whether an operation was already under way when the task began. The task waits for it as if it had started it
      itself. V(false) in check mode.
  returned: always
  type: bool
  sample: false
steps:
  description:
    - The steps that the task made, or would make in check mode. Each step has its C(object), its name in C(step), the
      state C(from) which it starts, and the state C(to) which it leads. C(seconds) is its duration, V(0) if that isn't
      known.
    - A step that the server refused, or that was never sent, has C(refused) and is no change.
    - C(step) is the name of the server's call or job.
  returned: always
  type: list
  elements: dict
  sample: [{object: DB1, step: startDatabase, from: setup, to: connectable, seconds: 95.1}]
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 12
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api import capabilities as can
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases import options as database_options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.absent import DatabasesAbsent
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.present import DatabasesPresent
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.shared_volume import to_start
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.start_stop import Databases, say_where
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.log import Log
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.selection import chosen
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "databases": {"type": "list", "elements": "str", "required": True},
        "state": {
            "type": "str",
            "choices": ["started", "stopped", "restarted", "present", "absent"],
            "default": "started",
        },
        "on_operation": {"type": "str", "choices": ["refuse", "wait", "abort_backup"], "default": "refuse"},
        "force": {"type": "bool", "default": False},
        "log_service": {"type": "str"},
        "config": {
            "type": "dict",
            "options": database_options.CONFIG,
            "mutually_exclusive": [["data_volume_name", "data_volume_id"]],
        },
        "enlarge": {"type": "bool", "default": False},
        "on_unseen": {"type": "str", "choices": list(database_options.ON_UNSEEN), "default": "warn"},
        "confirm": {"type": "list", "elements": "str", "default": []},
    },
    waits=True,
)


def run(task):
    """Brings the databases to the wanted state."""
    state = task.params["state"]
    if task.params["config"] is not None and state != "present":
        raise ClusterError(f"{task.params['cluster_name']}: config is for state=present, and state is {state}")
    work = {"present": _present, "absent": _absent}.get(state, _running)
    cluster = connect(task)
    return work(task, cluster, options.view_of(task, cluster))


def _running(task, cluster, view):
    given = task.params
    steps = given["state"] == "restarted" or (given["state"] == "stopped" and given["on_operation"] != "refuse")
    if steps and not given["wait"]:
        raise ClusterError(
            f"{given['cluster_name']}: state={given['state']} takes several steps here, and each waits for the one "
            "before: don't set wait=false"
        )
    every = view.databases()
    if given["state"] == "started":
        names = to_start(view, given["databases"], every, task.say)
    else:
        names = chosen(view, given["databases"], every, "database")
    if given["log_service"]:
        cluster.require(can.LOG)
    log = Log(cluster, given["log_service"]) if given["log_service"] and not task.check_mode else None
    stages = Databases(view, given["on_operation"], given["force"], log, task.warn).stages(names, given["state"])
    result = bring(task, cluster, stages)
    states = result.pop("states")
    if result["changed"] and given["state"] != "stopped" and not task.check_mode:
        say_where(states.values(), cluster.name, task.say)
    databases = {name: database.as_dict() for name, database in states.items()}
    return {**result, "databases": databases, "predicted": {"databases": databases}}


def _present(task, cluster, view):
    given = task.params
    name = database_options.one(cluster, given["databases"])
    wanted = None if given["config"] is None else database_options.wanted_of(cluster, given["config"])
    work = DatabasesPresent(cluster, view, name, wanted, task.warn, given["enlarge"], given["on_unseen"])
    result = bring(task, cluster, work.stages())
    found = {name: there for name, there in result.pop("states").items() if there}
    return {
        **result,
        "databases": {name: there.as_dict() for name, there in found.items()},
        "not_compared": work.not_compared(),
        "predicted": {"databases": {name: there.database.as_dict() for name, there in found.items()}},
    }


def _absent(task, cluster, view):
    names = database_options.named(cluster, task.params["databases"], "absent")
    stages = DatabasesAbsent(cluster, view, task.params["confirm"]).stages(names)
    result = bring(task, cluster, stages)
    found = {name: there.as_dict() for name, there in result.pop("states").items() if there}
    return {**result, "databases": found, "predicted": {}}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_volume
short_description: Create, change, lock, clear and delete EXAStorage volumes of an Exasol cluster
version_added: 1.0.0
description:
  - With O(state=present), a volume is created where it isn't there, and else takes whatever is given to what is wanted,
    one change after another. What isn't given stays as it is.
  - All changes are planned before the first one. What can't be reached is refused while nothing is changed.
  - After nodes, redundancy or size were changed, it is waited until all segments are C(ONLINE) again. A recovery
    that is under way is waited for too.
  - On a cluster with EXAoperation, volumes have numbers alone. There the name is kept as a label C(#Name#...), by which
    ConfD keeps it too, and a volume is also found by another label or by its number (V(v0003)).
  - What EXAoperation has no call for, it says. That is locking and unlocking, clearing, making smaller, owner,
    permissions and the shared flag. ConfD in turn has no O(allowed_users) and O(readonly_users) of local volumes.
options:
  name:
    description:
      - The volumes, by name, by id (V(0)) or in the form V(v0000).
      - What is the name of one and the number of another is refused where data could go.
      - What else is said holds for each of them.
    type: list
    elements: str
    required: true
    aliases: [volumes]
  state:
    description:
      - V(locked) closes the volume for all who use it. It is refused while a database does, and nothing overrides that.
      - V(unlocked) takes a lock away that somebody has put there. One of EXAStorage itself, for segments that are lost,
        a device that failed or a node that is suspended, is refused with its cause, see O(ignore_unlock_conditions).
      - V(cleared) overwrites data with zeroes. That can't be seen afterwards, so each run does it again. It needs
        O(confirm), and is refused while a database uses the volume.
      - V(absent) deletes the volume with all data. It needs O(confirm), and is refused while it is the volume of a
        database, be it stopped.
    type: str
    choices: [present, locked, unlocked, cleared, absent]
    default: present
  type:
    description:
      - What a new volume is for, V(data) where nothing is said. It can't be changed later.
    type: str
    choices: [data, archive]
  size:
    description:
      - The size with its unit (V(10 GiB); KiB, MiB, GiB, TiB), without the copies that redundancy makes.
      - It changes by a block on each master node at a time, and is rounded down to whole ones; a volume that is off the
        mark by less has the right size. With EXAoperation it changes by a GiB at a time, and another size is refused.
      - Making it smaller needs O(allow_shrink).
    type: str
  allow_shrink:
    description:
      - Whether a volume that is larger than O(size) may be made smaller. Data can be lost by that. It is refused while
        a database uses the volume.
    type: bool
    default: false
  disk:
    description:
      - The disk of the nodes on which a new volume is. It can't be changed later.
    type: str
  nodes:
    description:
      - All nodes of the volume; V(all) are all of the cluster.
      - As many of the missing ones as there are others that leave take what is on these (it is moved). Further ones are
        appended, by which the volume grows. A node can't be taken from a volume otherwise. The new ones must be online.
      - EXAStorage appends at least as many nodes at a time as the volume has copies.
      - With O(state=cleared), the nodes whose segments are overwritten; all where nothing is said. An empty list is
        refused.
    type: list
    elements: str
  num_master_nodes:
    description:
      - How many of the nodes of a new volume hold master segments, all where nothing is said. Nodes that are appended
        later do so too.
    type: int
  redundancy:
    description:
      - How many copies of the data there are, V(1) being the data alone.
      - It isn't lowered while segments are not C(ONLINE), and nothing overrides that.
    type: int
  priority:
    description:
      - ConfD takes V(0), the highest, to V(20); EXAoperation V(1) to V(20), the highest.
    type: int
  shared:
    description:
      - Whether several users may have it open.
    type: bool
  permissions:
    description:
      - In the form V(rwx------).
    type: str
  owner:
    description:
      - The ids of the user and the group to which it belongs.
    type: list
    elements: int
  allowed_users:
    description:
      - The users of EXAoperation who may use the volume. EXAoperation requires them for a new volume.
    type: list
    elements: str
  readonly_users:
    description:
      - The users of EXAoperation who may read it.
    type: list
    elements: str
  labels:
    description:
      - Labels that it must have.
    type: list
    elements: str
    default: []
  absent_labels:
    description:
      - Labels that it must not have.
    type: list
    elements: str
    default: []
  exact_labels:
    description:
      - Whether it must have no other labels than O(labels). Those that the cluster itself puts on volumes (C(#Name#),
        C(pub:...), C(temporary)) are removed only where O(absent_labels) names them. The label by which O(name) finds
        it stays; where O(absent_labels) names that, the task is refused.
    type: bool
    default: false
  app_io:
    description:
      - Whether applications may read and write. Switching it off is refused while a database uses the volume.
    type: bool
  int_io:
    description:
      - Whether EXAStorage itself may read and write, without which it changes nothing of the volume. Switching it off
        is refused while a database uses the volume.
    type: bool
  num_bytes:
    description:
      - With O(state=cleared), how many bytes of each segment are overwritten, V(2147483647) at most; V(0) is all.
    type: int
    default: 0
  ignore_unlock_conditions:
    description:
      - With O(state=unlocked), take away also a lock that EXAStorage itself has put there. That clears the
        C(unlock_conditions) with which the lock would go by itself. The cause stays, and data may be missing.
    type: bool
    default: false
  confirm:
    description:
      - With O(state=absent) and O(state=cleared), the volumes' own names. One that isn't named here is refused. Numbers
        confirm nothing, for one is given to another volume when its own is gone.
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
- name: A data volume on three nodes, with a copy of everything
  dbfleet.cluster.exa_volume:
    name: DataVolume2
    size: 300 GiB
    disk: disk1
    nodes: [n11, n12, n13]
    redundancy: 2
    labels: [sales]

- name: Larger, and from the broken node to the spare one
  dbfleet.cluster.exa_volume:
    name: DataVolume2
    size: 600 GiB
    nodes: [n11, n12, n14]

- name: Nobody may use it for now
  dbfleet.cluster.exa_volume:
    name: DataVolume2
    state: locked

- name: It is gone, with all data
  dbfleet.cluster.exa_volume:
    name: DataVolume2
    state: absent
    confirm: DataVolume2
"""

RETURN = r"""
volumes:
  description: The volumes by the names that were given, or null where one is gone. What the server doesn't tell is null
    too. Under check mode, as predicted.
  returned: success
  type: dict
  sample:
    DataVolume2:
      id: 2
      type: data
      state: ONLINE
      size: 300 GiB
      size_bytes: 322122547200
      redundancy: 2
      nodes: [n11, n12, n13]
      num_master_nodes: 3
      disk: disk1
      not_online: []
      users: 0
      labels: ["#Name#DataVolume2", sales]
      priority: 10
      shared: true
      permissions: rwx------
      owner: [500, 500]
      app_io: true
      int_io: true
      allowed_users: null
      readonly_users: null
      unlock_conditions: []
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
  sample: [{object: DataVolume2, step: st_volume_enlarge, from: 300 GiB, to: 600 GiB, seconds: 1.2}]
predicted:
  description: Empty, because no later task's preview depends on volumes.
  returned: success
  type: dict
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 12
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.volumes.plan import Volumes
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.volumes.wanted import wanted_of
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "name": {"type": "list", "elements": "str", "required": True, "aliases": ["volumes"]},
        "state": {
            "type": "str",
            "choices": ["present", "locked", "unlocked", "cleared", "absent"],
            "default": "present",
        },
        "type": {"type": "str", "choices": ["data", "archive"]},
        "size": {"type": "str"},
        "allow_shrink": {"type": "bool", "default": False},
        "ignore_unlock_conditions": {"type": "bool", "default": False},
        "disk": {"type": "str"},
        "nodes": {"type": "list", "elements": "str"},
        "num_master_nodes": {"type": "int"},
        "redundancy": {"type": "int"},
        "priority": {"type": "int"},
        "shared": {"type": "bool"},
        "permissions": {"type": "str"},
        "owner": {"type": "list", "elements": "int"},
        "allowed_users": {"type": "list", "elements": "str"},
        "readonly_users": {"type": "list", "elements": "str"},
        "labels": {"type": "list", "elements": "str", "default": []},
        "absent_labels": {"type": "list", "elements": "str", "default": []},
        "exact_labels": {"type": "bool", "default": False},
        "app_io": {"type": "bool"},
        "int_io": {"type": "bool"},
        "num_bytes": {"type": "int", "default": 0},
        "confirm": {"type": "list", "elements": "str", "default": []},
    },
    waits=True,
)


def run(task):
    """Volumes as they should be."""
    cluster = connect(task)
    view = options.view_of(task, cluster)
    work = Volumes(view, wanted_of(view, task.params))
    result = bring(task, cluster, work.stages())
    result.pop("states")
    rows = work.rows(task.check_mode, result["changed"])
    diff = work.diff(step["object"] for step in result["steps"])
    told = {**result, "diff": diff, "volumes": rows, "predicted": {}, "api_calls": cluster.api_calls}
    if result["changed"] and task.params["wait"] and not task.check_mode:
        work.check_end(told)
    return told


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

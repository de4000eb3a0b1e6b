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
  - With O(state=present), the task creates a missing volume, and changes an existing one, one change after another.
    Settings that you don't give stay as they are.
  - It plans all changes before the first one. If one of them is impossible, it refuses before it changes anything.
  - After a change of nodes, redundancy or size, it waits until all segments are C(ONLINE) again. It also waits for a
    recovery that is under way.
  - On a cluster with EXAoperation, volumes have only numbers. The task stores the name as a label C(#Name#...) there,
    as ConfD does. It also finds a volume by another label or by its number (V(v0003)).
  - EXAoperation has no call for some of this, and the task then fails and reports that. These are locking and
    unlocking, clearing, making smaller, owner, permissions and the shared flag. ConfD has no O(allowed_users) and
    O(readonly_users) for local volumes.
options:
  name:
    description:
      - The volumes, by name, by ID (V(0)) or in the form V(v0000).
      - A text that is the name of one volume and the number of another is refused if data could be lost.
      - All other options apply to each of them.
    type: list
    elements: str
    required: true
    aliases: [volumes]
  state:
    description:
      - V(locked) closes the volume for all its users. It is refused while a database uses the volume, and nothing
        overrides that.
      - V(unlocked) removes a lock that somebody has set. If EXAStorage itself has locked the volume, because segments
        are lost, a device failed or a node is suspended, the task is refused and reports the cause; see
        O(ignore_unlock_conditions).
      - V(cleared) overwrites data with zeroes. Nothing shows that afterwards, so each run does it again. It needs
        O(confirm), and is refused while a database uses the volume.
      - V(absent) deletes the volume with all data. It needs O(confirm), and is refused while the volume belongs to a
        database, even to a stopped one.
    type: str
    choices: [present, locked, unlocked, cleared, absent]
    default: present
  type:
    description:
      - The type of a new volume. The default is V(data). It can't be changed later.
    type: str
    choices: [data, archive]
  size:
    description:
      - The size with its unit (V(10 GiB); KiB, MiB, GiB, TiB), without the copies for redundancy.
      - The size changes in steps of one block on each master node, and the task rounds it down to whole steps. A volume
        that differs by less than a step has the right size. With EXAoperation a step is one GiB, and any other size is
        refused.
      - To make a volume smaller, set O(allow_shrink).
    type: str
  allow_shrink:
    description:
      - Whether the task may make a volume smaller that is larger than O(size). This can lose data. It is refused while
        a database uses the volume.
    type: bool
    default: false
  disk:
    description:
      - The disk of the nodes for a new volume. It can't be changed later.
    type: str
  nodes:
    description:
      - All nodes of the volume; V(all) means all nodes of the cluster.
      - If nodes leave the volume, the task moves their data to the same number of new nodes. It appends further new
        nodes, which makes the volume larger. A node can't leave the volume without such a replacement. New nodes must
        be online.
      - Each time, EXAStorage must append at least as many nodes as the volume has copies.
      - With O(state=cleared), the nodes whose segments to overwrite. The default is all nodes. An empty list is
        refused.
    type: list
    elements: str
  num_master_nodes:
    description:
      - How many of the nodes of a new volume store master segments. The default is all nodes. Nodes that are appended
        later do so too.
    type: int
  redundancy:
    description:
      - The number of copies of the data. V(1) is the data alone.
      - The task doesn't lower it while segments are not C(ONLINE), and nothing overrides that.
    type: int
  priority:
    description:
      - The priority. With ConfD it is V(0), the highest, to V(20); with EXAoperation V(1) to V(20), the highest.
    type: int
  shared:
    description:
      - Whether several users may open it at the same time.
    type: bool
  permissions:
    description:
      - The permissions, in the form V(rwx------).
    type: str
  owner:
    description:
      - The IDs of the user and the group that own it.
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
      - Whether it must have no other labels than O(labels). The task removes labels that the cluster itself sets on
        volumes (C(#Name#), C(pub:...), C(temporary)) only if O(absent_labels) names them. It keeps the label by which
        O(name) finds the volume; if O(absent_labels) names that label, the task is refused.
    type: bool
    default: false
  app_io:
    description:
      - Whether applications may read and write. Switching it off is refused while a database uses the volume.
    type: bool
  int_io:
    description:
      - Whether EXAStorage itself may read and write. Without that it changes nothing in the volume. Switching it off is
        refused while a database uses the volume.
    type: bool
  num_bytes:
    description:
      - With O(state=cleared), how many bytes of each segment to overwrite, at most V(2147483647); V(0) means all.
    type: int
    default: 0
  ignore_unlock_conditions:
    description:
      - With O(state=unlocked), also remove a lock that EXAStorage itself has set. This clears the C(unlock_conditions)
        whose end would otherwise remove the lock. The cause remains, and data may be missing.
    type: bool
    default: false
  confirm:
    description:
      - With O(state=absent) and O(state=cleared), the volumes' own names. A volume that isn't named here is refused.
        Numbers are not accepted, because the server reuses the number of a deleted volume.
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
- name: Create a data volume on three nodes, with a copy of everything
  dbfleet.cluster.exa_volume:
    name: DataVolume2
    size: 300 GiB
    disk: disk1
    nodes: [n11, n12, n13]
    redundancy: 2
    labels: [sales]

- name: Make it larger, and move it from the broken node to the spare one
  dbfleet.cluster.exa_volume:
    name: DataVolume2
    size: 600 GiB
    nodes: [n11, n12, n14]

- name: Lock it
  dbfleet.cluster.exa_volume:
    name: DataVolume2
    state: locked

- name: Delete it with all data
  dbfleet.cluster.exa_volume:
    name: DataVolume2
    state: absent
    confirm: DataVolume2
"""

RETURN = r"""
volumes:
  description: The volumes by the names in O(name), or null for a deleted volume. Values that the server doesn't report
    are null too. Under check mode, as predicted.
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
    """Brings the volumes to the wanted state."""
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

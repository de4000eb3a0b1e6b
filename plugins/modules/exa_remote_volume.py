#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_remote_volume
short_description: Add, change and remove remote archive volumes of an Exasol cluster
version_added: 1.0.0
description:
  - With O(state=present), the task adds a remote volume that the cluster doesn't know, and waits until every online
    node reaches it.
  - It compares an existing volume with the task, as far as the server reports it. RV(not_compared) and a warning name
    the rest. ConfD 8 reports type, URL and owner, and the other properties that the volume has; ConfD of 6.2 may report
    only the name. No server reports the password.
  - EXAoperation can change a volume that differs. ConfD has no job for that, so the task is refused there unless you
    set O(recreate).
  - On a cluster with EXAoperation, remote volumes have only numbers. The task stores the name as a label C(#Name#...)
    there. It also finds a volume by another label, by its number (V(r0001)) or as an object (V(remote1)).
options:
  name:
    description:
      - The remote volume, by name, by ID (V(10001)) or in the form V(r0001).
    type: str
    required: true
    aliases: [remote_volume_name]
  state:
    description:
      - V(absent) makes the cluster forget the volume. The stored files remain, but the cluster no longer knows the
        backups there.
    type: str
    choices: [present, absent]
    default: present
  vol_type:
    description:
      - The type of the volume. Required to add one with ConfD. EXAoperation derives it from URL and options, and
        supports V(smb), V(ftp), V(sftp), V(webhdfs), V(webdav) and V(s3).
    type: str
    choices: [smb, ftp, sftp, webhdfs, webdav, file, s3, gs, azure]
  url:
    description:
      - The URL of the storage. Required to add a volume.
    type: str
  username:
    description:
      - The user of the storage.
    type: str
  password:
    description:
      - The password of that user.
    type: str
  s3_access_key:
    description:
      - The access key of an S3 storage, with O(s3_secret_key), instead of O(username) and O(password). New releases of
        ConfD accept it; with others the task is refused. No server reports it.
    type: str
  s3_secret_key:
    description:
      - The secret key that belongs to O(s3_access_key).
    type: str
  update_password:
    description:
      - V(on_create) sets the password only when the task adds the volume. V(always) sets it in each run, and reports a
        change each time, because no server reports the password. ConfD doesn't support V(always).
    type: str
    choices: [always, on_create]
    default: on_create
  labels:
    description:
      - All of its labels, without those that the cluster itself sets.
    type: list
    elements: str
  options:
    description:
      - All of its options, in the server's spelling (V(noverifypeer), V(nocompression), V(cleanvolume)).
    type: list
    elements: str
  owner:
    description:
      - The user of ConfD who owns it. The default is the user who adds it.
    type: str
  allowed_users:
    description:
      - The users who may use the volume. EXAoperation requires them for a new volume.
    type: list
    elements: str
  readonly_users:
    description:
      - The users of EXAoperation who may read it.
    type: list
    elements: str
  remote_volume_id:
    description:
      - The ID that ConfD must give it, at least V(10000). The default is the next free one.
    type: int
  recreate:
    description:
      - Whether the task may remove and add again a volume that differs and can't be changed. The stored files remain.
        Meanwhile the cluster doesn't know its backups, and schedules that use it fail.
      - Settings that you don't give stay as they were, including its ID, as far as the server reports them; a warning
        names the others. No server reports the password, so a volume with a user needs O(password).
      - Before the task removes the volume, it prints the settings that you don't give. If the run is interrupted
        between removal and addition, the next run doesn't know them, and uses the server's defaults with a warning.
        Then give it O(remote_volume_id) and the other values from that line.
    type: bool
    default: false
  require_online:
    description:
      - Whether every online node must reach it (C(Online)). If a node is C(Unmounted), or has a C(Connection problem),
        the task waits, and fails after the time limit.
    type: bool
    default: true
  confirm:
    description:
      - The volume's own name. Required to remove the volume (O(state=absent) or O(recreate)) if the cluster lists
        backups on it, or if the user may not list them.
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
- name: Add a remote volume on S3
  dbfleet.cluster.exa_remote_volume:
    name: RemoteVolume1
    vol_type: s3
    url: https://bucketname.s3.amazonaws.com
    username: ACCESS-KEY
    password: "{{ vault_secret_key }}"

- name: Remove it
  dbfleet.cluster.exa_remote_volume:
    name: RemoteVolume1
    state: absent
    confirm: RemoteVolume1
"""

RETURN = r"""
remote_volume:
  description: The volume, or null if it was removed. Values that the server doesn't report are null. Under check mode,
    as predicted.
  returned: success
  type: dict
  sample:
    id: 10001
    vol_type: s3
    url: https://bucketname.s3.amazonaws.com
    username: ACCESS-KEY
    owner: root
    labels: null
    options: null
    allowed_users: null
    readonly_users: null
    states: {n11: Online, n12: Online}
not_compared:
  description: The options that can't be compared with the present values, because the server doesn't show these.
  returned: success
  type: list
  elements: str
  sample: [password]
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
  sample: [{object: RemoteVolume1, step: remote_volume_add, from: not there, to: there, seconds: 0.4}]
predicted:
  description: Empty, because no later task's preview depends on remote volumes.
  returned: success
  type: dict
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 8
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.volumes import (
    remote,
    remote_wanted,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "name": {"type": "str", "required": True, "aliases": ["remote_volume_name"]},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "vol_type": {
            "type": "str",
            "choices": ["smb", "ftp", "sftp", "webhdfs", "webdav", "file", "s3", "gs", "azure"],
        },
        "url": {"type": "str"},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "s3_access_key": {"type": "str", "no_log": True},
        "s3_secret_key": {"type": "str", "no_log": True},
        "update_password": {
            "type": "str",
            "choices": ["always", "on_create"],
            "default": "on_create",
            "no_log": False,
        },
        "labels": {"type": "list", "elements": "str"},
        "options": {"type": "list", "elements": "str"},
        "owner": {"type": "str"},
        "allowed_users": {"type": "list", "elements": "str"},
        "readonly_users": {"type": "list", "elements": "str"},
        "remote_volume_id": {"type": "int"},
        "recreate": {"type": "bool", "default": False},
        "require_online": {"type": "bool", "default": True},
        "confirm": {"type": "list", "elements": "str", "default": []},
    },
    waits=True,
)


def run(task):
    """Brings a remote volume to the wanted state."""
    cluster = connect(task)
    view = options.view_of(task, cluster)
    work = remote.RemoteVolumes(view, remote_wanted.wanted_of(view, task.params), task.warn, task.say)
    try:
        result = bring(task, cluster, work.stages())
        row = work.row(task.check_mode, result["changed"])
    except ClusterError as error:
        raise work.told(error) from None
    result.pop("states")
    told = {"remote_volume": row, "not_compared": work.not_compared, "diff": work.diff(result["changed"])}
    return {**result, **told, "predicted": {}, "api_calls": cluster.api_calls}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

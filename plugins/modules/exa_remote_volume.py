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
  - With O(state=present), a remote volume is added where the cluster doesn't know it, and it is waited until every node
    that is online reaches it.
  - One that is there is compared in all that the server tells of it. What it doesn't tell is in RV(not_compared), and a
    warning says so. ConfD 8 tells type, URL and owner, and what else it has; ConfD of 6.2 may tell the name alone. No
    server tells the password.
  - EXAoperation changes one that is other than wanted. ConfD has no job for that, so that it is refused unless
    O(recreate) is set.
  - On a cluster with EXAoperation, remote volumes have numbers alone. There the name is kept as a label C(#Name#...),
    and a volume is also found by another label, by its number (V(r0001)) or as an object (V(remote1)).
options:
  name:
    description:
      - The remote volume, by name, by id (V(10001)) or in the form V(r0001).
    type: str
    required: true
    aliases: [remote_volume_name]
  state:
    description:
      - V(absent) makes the cluster forget it. What is stored there stays, but the cluster doesn't know these backups
        any more.
    type: str
    choices: [present, absent]
    default: present
  vol_type:
    description:
      - What it is. Needed to add one by ConfD. EXAoperation tells it by URL and options, and has V(smb), V(ftp),
        V(sftp), V(webhdfs), V(webdav) and V(s3).
    type: str
    choices: [smb, ftp, sftp, webhdfs, webdav, file, s3, gs, azure]
  url:
    description:
      - Where it is. Needed to add one.
    type: str
  username:
    description:
      - The user there.
    type: str
  password:
    description:
      - The user's password there.
    type: str
  s3_access_key:
    description:
      - The access key of a store that speaks S3, with O(s3_secret_key), in place of O(username) and O(password). New
        releases of ConfD take it; where the server's doesn't, the task is refused. No server tells it.
    type: str
  s3_secret_key:
    description:
      - The secret key that belongs to O(s3_access_key).
    type: str
  update_password:
    description:
      - V(on_create) sets the password only where the volume is added. V(always) sets it in each run, which is a change
        each time, for no server tells it. ConfD can't do that.
    type: str
    choices: [always, on_create]
    default: on_create
  labels:
    description:
      - All its labels, without those that the cluster itself puts there.
    type: list
    elements: str
  options:
    description:
      - All its options, as the server spells them (V(noverifypeer), V(nocompression), V(cleanvolume)).
    type: list
    elements: str
  owner:
    description:
      - The user of ConfD to whom it belongs; who adds it where nothing is said.
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
      - The id that ConfD shall give it, at least V(10000). The next free one where nothing is said.
    type: int
  recreate:
    description:
      - Whether one that is other than wanted, and can't be changed, is removed and added anew. What is stored there
        stays. Meanwhile the cluster doesn't know its backups, and schedules that use it fail.
      - What isn't said of it stays as it was, its id too, as far as the server tells it; a warning names the rest. No
        server tells the password, so one with a user needs O(password).
      - What the task doesn't give is said before it is removed. Where the run is cut off between removal and addition,
        the next run can't know it, and takes the server's own values with a warning; give it O(remote_volume_id) and
        the like from that line.
    type: bool
    default: false
  require_online:
    description:
      - Whether every node that is online must reach it (C(Online)). One that is C(Unmounted), or has a
        C(Connection problem), is waited for, and fails the task when the time is over.
    type: bool
    default: true
  confirm:
    description:
      - The volume's own name. Needed where it is removed (O(state=absent) or O(recreate)) and the cluster lists backups
        on it, or the user may not see whether it does.
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
- name: Backups go to S3
  dbfleet.cluster.exa_remote_volume:
    name: RemoteVolume1
    vol_type: s3
    url: https://bucketname.s3.amazonaws.com
    username: ACCESS-KEY
    password: "{{ vault_secret_key }}"

- name: They don't any more
  dbfleet.cluster.exa_remote_volume:
    name: RemoteVolume1
    state: absent
    confirm: RemoteVolume1
"""

RETURN = r"""
remote_volume:
  description: The volume, or null where it is gone. What the server doesn't tell is null. Under check mode, as
    predicted.
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
    """A remote volume as it should be."""
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

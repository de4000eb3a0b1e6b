#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_backup_schedule
short_description: Ensure the backup schedules of an Exasol database
version_added: 1.0.0
description:
  - Compares the backup schedules of a database with the wanted ones, adds missing schedules and changes those that
    differ. Other schedules stay as they are.
  - No call changes the volume or level of a schedule. If they differ, the task removes the schedule and adds it again.
    It checks the new schedule before it removes the old one. You must then set every value that differs from the
    defaults of a new schedule, so that the next run can complete an interrupted one; otherwise the task is refused, and
    names the missing values.
  - ConfD from version 8 on lists the schedules of a database. Version 6.2 doesn't; O(unseen) sets what to do then.
  - EXAoperation stores no names of schedules. There, volume and level identify a schedule, so you must set both. If
    several schedules have the same volume and level, the task first matches those that need no change.
options:
  db_name:
    description:
      - The database.
    type: str
    required: true
  schedules:
    description:
      - The schedules. Values that you don't set stay as they are, or get the defaults below if the schedule is added.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the schedule, unique in the database.
        type: str
        required: true
      volume:
        description:
          - The archive volume, by name or ID. Required to add a schedule.
          - With O(state=absent), the task doesn't remove a schedule with another volume. The same applies to
            O(schedules[].level).
        type: str
      level:
        description: The level of its backups, V(0) to V(9). The default is V(0).
        type: int
      expire:
        description: How long to keep its backups, in weeks and days as V(1w 3d), or V(never).
        type: str
      minute:
        description: When it runs, as in crontab. The default is V(0).
        type: str
      hour:
        description: As in crontab. The default is V(*).
        type: str
      day:
        description: Day of the month, as in crontab. The default is V(*).
        type: str
      month:
        description: As in crontab. The default is V(*).
        type: str
      weekday:
        description: As in crontab, V(0) is Sunday. The default is V(*).
        type: str
      enabled:
        description: Whether the schedule is enabled. The default is V(true).
        type: bool
  state:
    description:
      - Whether the schedules must exist.
    type: str
    choices: [present, absent]
    default: present
  unseen:
    description:
      - What to do with O(state=present) if the server doesn't list the schedules. V(refuse) changes nothing. V(replace)
        removes the schedule if it exists, and adds it; each run does so, and reports a change. Values that you don't
        set get the defaults of a new schedule, and a warning names them.
      - With O(state=absent), the task tries the removal, and reports a change only if it removed something. Check mode
        can't know that, and predicts a change.
    type: str
    choices: [refuse, replace]
    default: refuse
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
seealso:
  - module: dbfleet.cluster.exa_backup
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Take a full backup on Sunday, and the changes on every other night
  dbfleet.cluster.exa_backup_schedule:
    db_name: DB1
    schedules:
      - {name: weekly, volume: RemoteVolume1, level: 0, expire: 4w, minute: "0", hour: "1", weekday: "0"}
      - {name: nightly, volume: RemoteVolume1, level: 1, expire: 1w, minute: "0", hour: "1", weekday: "1-6"}

- name: Disable a schedule
  dbfleet.cluster.exa_backup_schedule:
    db_name: DB1
    schedules: [{name: nightly, volume: RemoteVolume1, level: 1, enabled: false}]

- name: Remove a schedule
  dbfleet.cluster.exa_backup_schedule:
    db_name: DB1
    schedules: [{name: nightly, volume: RemoteVolume1, level: 1}]
    state: absent
"""

RETURN = r"""
schedules:
  description:
    - All schedules of the database after the task, by level, volume and name. Under check mode, the present ones. Null
      if the server doesn't list them. Names are empty if the server stores none.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: weekly, volume: RemoteVolume1, level: 0, expire: 4w, minute: "0", hour: "1", day: "*", month: "*",
       weekday: "0", enabled: true}
predicted:
  description: Empty, because no later task's preview depends on schedules.
  returned: success
  type: dict
joined:
  description:
    - Whether an operation was already under way when the task began. The task waits for it as if it had started it
      itself. V(false) in check mode.
  returned: success
  type: bool
  sample: false
steps:
  description:
    - The steps that the task made, or would make in check mode. Each step has its C(object), its name in C(step), the
      state C(from) which it starts, and the state C(to) which it leads. C(seconds) is its duration, V(0) if that isn't
      known.
    - A step that the server refused, or that was never sent, has C(refused) and is no change.
    - C(step) is the name of the server's call or job.
  returned: success
  type: list
  elements: dict
  sample:
    - object: weekly
      step: db_backup_modify_schedule
      from: level 0 to RemoteVolume1 at 0 1 * * 0, kept 4w
      to: as wanted
      seconds: 0.2
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 9
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.schedules import Schedules
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.schedules_wanted import wanted_of
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._options import refuse_unknown
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "db_name": {"type": "str", "required": True},
        "schedules": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "volume": {"type": "str"},
                "level": {"type": "int"},
                "expire": {"type": "str"},
                "minute": {"type": "str"},
                "hour": {"type": "str"},
                "day": {"type": "str"},
                "month": {"type": "str"},
                "weekday": {"type": "str"},
                "enabled": {"type": "bool"},
            },
        },
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "unseen": {"type": "str", "choices": ["refuse", "replace"], "default": "refuse"},
    },
    waits=True,
)


def run(task):
    """Brings the schedules to the wanted state."""
    given = task.params
    cluster = connect(task)
    try:
        wanted = wanted_of(given["schedules"])
    except ClusterError as error:
        raise error.of(cluster.name) from None
    view = options.view_of(task, cluster)
    name = given["db_name"]
    refuse_unknown(cluster.name, "database", [name], view.databases())
    present = given["state"] == "present"
    work = Schedules(view, cluster.backups(), name, wanted, present, given["unseen"], task.say, task.warn)
    result = bring(task, cluster, work.stages())
    result.pop("states")
    if result["changed"] and not task.check_mode:
        work.read([])
    return {**work.told(result), "schedules": work.listed(), "predicted": {}, "api_calls": cluster.api_calls}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

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
  - Compares the schedules by which a database takes backups with those that are wanted, adds what is missing and
    changes what differs. Schedules that aren't named stay as they are.
  - Where volume or level differ, which no change can reach, the schedule is removed and added again. The new one is
    checked before the old one is removed. What it has otherwise than a new one must be given then, so that a run which
    is cut off between is completed by the next; the task is refused, and says what, where that is missing.
  - ConfD from version 8 on tells the schedules of a database. Version 6.2 doesn't; O(unseen) says what to do then.
  - EXAoperation keeps no names of schedules. Volume and level say which one is meant there, so both must be given; of
    several schedules of one level to one volume, those that are as wanted are found first.
options:
  db_name:
    description:
      - The database.
    type: str
    required: true
  schedules:
    description:
      - The schedules. What isn't given stays as it is, or is what the options below tell where the schedule is added.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Its name, unique in the database.
        type: str
        required: true
      volume:
        description:
          - The archive volume, by name or ID. Needed to add a schedule.
          - With O(state=absent), a schedule that goes to another one isn't removed; the same holds of
            O(schedules[].level).
        type: str
      level:
        description: The level of its backups, V(0) to V(9); V(0) where nothing is said.
        type: int
      expire:
        description: How long its backups are kept, in weeks and days as V(1w 3d), or V(never).
        type: str
      minute:
        description: When it runs, as in crontab; V(0) where nothing is said.
        type: str
      hour:
        description: As in crontab; V(*) where nothing is said.
        type: str
      day:
        description: Day of the month, as in crontab; V(*) where nothing is said.
        type: str
      month:
        description: As in crontab; V(*) where nothing is said.
        type: str
      weekday:
        description: As in crontab, V(0) is Sunday; V(*) where nothing is said.
        type: str
      enabled:
        description: Whether it runs; V(true) where nothing is said.
        type: bool
  state:
    description:
      - Whether they should be there.
    type: str
    choices: [present, absent]
    default: present
  unseen:
    description:
      - What to do with O(state=present) where the server doesn't tell which schedules there are. V(refuse) changes
        nothing. V(replace) removes the schedule, where it is there, and adds it; each run does so, and reports a
        change. What isn't given is as for a new one then, which a warning names.
      - With O(state=absent), the removal is tried, and only reports a change where something was removed. Under check
        mode that can't be known, and is predicted as a change.
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
- name: A full backup on Sunday, what changed on every other night
  dbfleet.cluster.exa_backup_schedule:
    db_name: DB1
    schedules:
      - {name: weekly, volume: RemoteVolume1, level: 0, expire: 4w, minute: "0", hour: "1", weekday: "0"}
      - {name: nightly, volume: RemoteVolume1, level: 1, expire: 1w, minute: "0", hour: "1", weekday: "1-6"}

- name: Not for now
  dbfleet.cluster.exa_backup_schedule:
    db_name: DB1
    schedules: [{name: nightly, volume: RemoteVolume1, level: 1, enabled: false}]

- name: Nor ever again
  dbfleet.cluster.exa_backup_schedule:
    db_name: DB1
    schedules: [{name: nightly, volume: RemoteVolume1, level: 1}]
    state: absent
"""

RETURN = r"""
schedules:
  description:
    - All schedules of the database at the end, by level, volume and name. Under check mode, as they are. Null where the
      server doesn't tell. Names are empty where it keeps none.
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
    """Schedules as they should be."""
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

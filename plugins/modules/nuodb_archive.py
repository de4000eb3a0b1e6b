#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_archive
short_description: Create, bring back, remove and forget the archive objects of NuoDB databases
version_added: 1.0.0
description:
  - An archive object records in which directory of which server a database keeps its data. This module manages these
    objects; it touches no file and starts no process.
  - With O(state=present), an archive that already exists at the same place is left unchanged. An archive that was
    removed from there comes back under its old ID, so the files in its directory stay valid.
options:
  archives:
    description:
      - The archives, each named by its place (C(server_id) and C(archive_path)), by its ID, or by both.
    type: list
    elements: dict
    required: true
    suboptions:
      archive_id:
        description:
          - The archive's ID. A new archive has none yet.
        type: int
      db_name:
        description:
          - Its database. The default is O(db_name).
        type: str
      server_id:
        description:
          - The server that has its directory.
        type: str
      archive_path:
        description:
          - Its directory.
        type: str
      journal_path:
        description:
          - The directory of its journal, if the journal has a separate one.
        type: str
      snapshot_archive_path:
        description:
          - The directory of its snapshot archive.
        type: str
      observer_storage_groups:
        description:
          - Storage groups which its SM only observes; V(*) means all of them.
        type: list
        elements: str
      restored:
        description:
          - With O(state=present), whether the directory of a new archive contains restored data.
        type: bool
        default: false
  db_name:
    description:
      - The database of the archives that name none. It need not exist yet.
      - With O(state=absent) and O(state=purged), if this option is set, an archive of another database is refused.
    type: str
  state:
    description:
      - V(absent) removes archives from the domain. They can be brought back, and a cold start of their database may
        still wait for their history. V(purged) removes them permanently, also those that were removed before. Files
        stay where they are.
      - V(absent) and V(purged) are refused while the SM of an archive runs, and for the last archive of an existing
        database.
    type: str
    choices: [present, absent, purged]
    default: present
  allow_external:
    description:
      - With O(state=absent) and O(state=purged), allow the removal of an archive without a server, whose volume
        belongs to Kubernetes or a similar system. An absent archive comes back under its ID when its pod starts. A
        purged one doesn't, so the database loses its healthy data.
    type: bool
    default: false
extends_documentation_fragment:
  - dbfleet.cluster.nuodb
  - dbfleet.cluster.wait
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: A database's archives on two servers
  dbfleet.cluster.nuodb_archive:
    db_name: test
    archives:
      - server_id: server0
        archive_path: /var/opt/nuodb/archive/test
      - server_id: server1
        archive_path: /var/opt/nuodb/archive/test
        journal_path: /var/opt/nuodb/journal/test

- name: Remove an archive whose machine is lost
  dbfleet.cluster.nuodb_archive:
    archives:
      - archive_id: 1
    state: purged
"""

RETURN = r"""
archives:
  description:
    - The archives, by ID; with O(state=absent) those that this task removed. In check mode, an archive that would be
      created has a negative ID.
  returned: success
  type: dict
  sample:
    "0": {archive_id: 0, db_name: test, server_id: server0, archive_path: /var/opt/nuodb/archive/test,
          journal_path: null, snapshot_archive_path: null, observer_storage_groups: [], state: PROVISIONED,
          removed: false}
joined:
  description:
    - Whether an operation was already under way when the task began. The task waits for it as if it had started it
      itself. V(false) in check mode.
  returned: success
  type: bool
steps:
  description:
    - The steps that the task made, or would make in check mode. Each step has its C(object), its name in C(step), the
      state C(from) which it starts, and the state C(to) which it leads. C(seconds) is its duration, V(0) if that isn't
      known.
    - A step that the server refused, or that was never sent, has C(refused) and is no change.
  returned: always
  type: list
  elements: dict
  sample:
    - {object: "server0:/var/opt/nuodb/archive/test", step: create archive, from: absent, to: present, seconds: 0.1}
predicted:
  description: All archives of the domain after this task (in check mode, as predicted), for O(assume) of later tasks.
  returned: success
  type: dict
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 6
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.task_stages import bring
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import archives, license, options
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "archives": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "archive_id": {"type": "int"},
                "db_name": {"type": "str"},
                "server_id": {"type": "str"},
                "archive_path": {"type": "str"},
                "journal_path": {"type": "str"},
                "snapshot_archive_path": {"type": "str"},
                "observer_storage_groups": {"type": "list", "elements": "str"},
                "restored": {"type": "bool", "default": False},
            },
        },
        "db_name": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent", "purged"], "default": "present"},
        "allow_external": {"type": "bool", "default": False},
    },
    waits=True,
)


def run(task):
    """Brings the archive objects to the wanted state."""
    given, view = task.params, options.view_of(task, connect(task))
    wanted = archives.entries(view.name, given["archives"], given["db_name"], given["state"])
    work = archives.Archives(view, wanted, given["state"], given["allow_external"])
    if given["state"] == "present":
        license.warn_of_second_sm(task, view.domain, work.redundant())
    result = bring(task, view.domain, work.stages())
    states = result.pop("states")
    if result["changed"] and not task.check_mode and not given["wait"]:
        states = work.read(list(states))
    after = work.predicted(states) if task.check_mode else work.seen
    return {
        **result,
        "archives": archives.rows(states),
        "predicted": {"archives": after.as_plain()["archives"]},
        "api_calls": view.domain.api_calls,
    }


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

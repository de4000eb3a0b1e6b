#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_job_info
short_description: List the ConfD jobs of a cluster, their parameters, and the history of one
version_added: 1.0.0
description:
  - Returns the names of all jobs of the cluster, the server's description of the named jobs, and the history of a
    submitted job.
options:
  jobs:
    description:
      - The jobs to describe, by name or by a pattern (V(db_backup_*)). V(*) describes all jobs, with one call per job.
    type: list
    elements: str
    default: []
  job_id:
    description:
      - The job whose history to return. Quote the ID, because V(12.10) and V(12.1) are two jobs.
    type: raw
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.attributes
  - dbfleet.cluster.attributes.info
seealso:
  - module: dbfleet.cluster.exa_job
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: List the jobs
  dbfleet.cluster.exa_job_info:
  register: known

- name: Show the parameters of the jobs for backups
  dbfleet.cluster.exa_job_info:
    jobs: ["db_backup_*", db_restore]

- name: Show the history of a job
  dbfleet.cluster.exa_job_info:
    job_id: "12.13"
"""

RETURN = r"""
names:
  description: The names of all jobs, sorted.
  returned: success
  type: list
  elements: str
  sample: [db_backup_abort, db_backup_list, db_create]
jobs:
  description:
    - The server's description of the jobs in O(jobs), by name. C(changing) shows whether the job changes something.
      This value comes from this collection, and is null if no document describes it.
  returned: success
  type: dict
  sample:
    db_state:
      job: db_state
      description: State of a database.
      parameters: {db_name: {description: Name of the database., types: [str], mandatory: true}}
      substitutes: {}
      allowed_users: [root]
      allowed_groups: [root, exaadm, exadbadm]
      changing: false
history:
  description:
    - The server's record of the job O(job_id). C(details) contains all of it, as the server returns it. Passwords,
      keys, tokens and other values that are recognizable as secrets by name or form are masked, and an HTTP request in
      a text is reduced to its first line.
  returned: when O(job_id) is given
  type: dict
  sample:
    job_id: "12.13"
    job: db_start
    stage: finished
    stages: {submitted: "2026-05-19 09:04:06.120", scheduled: "2026-05-19 09:04:06.170"}
    commands: [{command: db_start, result: 0, output: null}]
    details: {job_id: "12.13", job_name: db_start, user_name: admin, params: {db_name: DB1}}
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: success
  type: int
  sample: 4
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.jobs import info, run as job_run
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec({"jobs": {"type": "list", "elements": "str", "default": []}, "job_id": {"type": "raw"}})


def run(task):
    """Reads the names and descriptions of jobs, and the history of one."""
    cluster = connect(task)
    jobs = cluster.jobs()
    job_id = job_run.job_id_of(jobs.name, task.params["job_id"])
    names = jobs.names()
    found = {"names": names, "jobs": info.described(task, jobs, names, task.params["jobs"])}
    if job_id:
        found["history"] = info.history(jobs, job_id)
    return {**found, "api_calls": cluster.api_calls}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

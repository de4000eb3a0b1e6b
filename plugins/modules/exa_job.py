#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_job
short_description: Run any ConfD job by its name
version_added: 1.0.0
description:
  - Runs a job of ConfD, in one call or asynchronously with its stages, and returns its output. If another module of
    this collection ensures what you need, use that module; docs/jobs.md lists the jobs and their modules.
  - The task checks the parameters against the server's description of the job before it sends anything, also under
    check mode. It fails if the job is unknown, or if a parameter is unknown, missing or of the wrong type.
  - The task can't compare a job with the present state. So a job that changes something runs in each run, unless
    O(unless) shows that it isn't needed.
  - The task doesn't send a job again if its answer was lost. After a run that was killed, only the changes of its job
    show that it ran, or its ID in O(job_id).
options:
  job:
    description:
      - The job. M(dbfleet.cluster.exa_job_info) lists the jobs of the cluster and their parameters.
    type: str
  params:
    description:
      - The job's parameters. The task accepts both old and new names of a parameter (C(node_id), C(nid)).
      - Values are not hidden here, except those of parameters whose name suggests a secret (password, token, secret,
        credential). Set other secret values in O(secret_params).
    type: dict
  secret_params:
    description:
      - Parameters that the output must not show, such as a password. They override O(params).
    type: dict
  mode:
    description:
      - V(exec) sends it and waits for the result in one call (C(job_exec)), which may take O(wait_timeout).
      - V(async) submits it (C(job_start)), prints its stages (submitted, scheduled, executed, finished, committed), and
        fetches the result. If the master is lost meanwhile, the task finds the new one.
      - V(auto) is V(exec) for a job that only reads, and V(async) for any other job.
    type: str
    choices: [auto, exec, async]
    default: auto
  job_id:
    description:
      - A job that was submitted before, by this collection or otherwise. The task waits for it unless O(wait=false),
        and returns its result. It changes nothing itself.
      - Quote it, because V(12.10) and V(12.1) are two jobs. An empty value, such as an earlier task returns under check
        mode, counts as not set.
    type: raw
  method:
    description:
      - A method of the RPC interface to call directly instead of a job, such as V(system.methodHelp).
      - No document describes C(subscribe), C(unsubscribe), C(user_init), C(user_login) and C(user_state). You can call
        them with this option, but they are untested.
    type: str
  args:
    description:
      - The arguments of O(method).
    type: list
    elements: raw
  secret_args:
    description:
      - Arguments of O(method) that the output must not show. They follow O(args).
    type: list
    elements: raw
  changing:
    description:
      - Whether the job or method changes something. If not, the task also runs under check mode, reports no change, and
        repeats a call whose answer was lost.
      - By default, all jobs and methods count as changing, except those that are known only to read.
      - A job that is known to change something, such as C(db_start), can't be set to V(false).
    type: bool
  unless:
    description:
      - A condition under which the job isn't needed. The task first runs another job, which only reads, also under
        check mode.
      - If neither O(unless.equals) nor O(unless.contains) is set, the condition is true if the object in the reading
        job's parameters exists.
    type: dict
    suboptions:
      job:
        description: The reading job.
        type: str
        required: true
      params:
        description: Its parameters.
        type: dict
      at:
        description:
          - The part of its output to compare, as V(nodes.active). Numbers are positions in lists.
        type: str
      equals:
        description: The required value of that part. A number equals its text.
        type: raw
      contains:
        description:
          - The value that this part must contain. In a list this is an item, in a dictionary a key or some of its
            pairs, in a text a part. If an item of the output is a dictionary, it may have more pairs than given here.
            If you give a list, every item of it must be contained.
        type: raw
  wait:
    description:
      - Whether to wait for the end of the started operations.
      - If V(false), the task ends when the job is submitted; use RV(job_id) in a later task. Not with O(mode=exec).
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds after which a wait fails.
      - The job continues; the error message contains its ID and its last stage.
    type: float
    default: 1800
  heartbeat:
    description:
      - Most seconds between progress lines. V(0) shows a line only when something changes.
      - Falls back to the environment variable E(DBFLEET_HEARTBEAT).
    type: float
    default: 30
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.attributes
seealso:
  - module: dbfleet.cluster.exa_job_info
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Run a job that only reads
  dbfleet.cluster.exa_job:
    job: db_state
    params: {db_name: DB1}
  register: state

- name: Create a user of the cluster, unless the user exists
  dbfleet.cluster.exa_job:
    job: user_create
    params: {username: dba, login_enabled: true}
    secret_params: {password: "{{ dba_password }}"}
    unless: {job: user_list, contains: dba}

- name: Start a restore, and do something else meanwhile
  dbfleet.cluster.exa_job:
    job: db_restore
    params: {db_name: DB1, backup_id: "10001 DB1/id_11/level_0/node_0/backup_202007071405 DB1", restore_type: blocking}
    wait: false
  register: restore

- name: Wait until the restore ends
  dbfleet.cluster.exa_job:
    job_id: "{{ restore.job_id }}"
    wait_timeout: 7200

- name: Show the server's help for a method
  dbfleet.cluster.exa_job:
    method: system.methodHelp
    args: [job_start]
"""

RETURN = r"""
job:
  description: The job's name. For a job that was submitted elsewhere, the name in its history.
  returned: success
  type: str
  sample: db_start
job_id:
  description: Its ID. Empty if it wasn't submitted, and for a reading job that ran in one call.
  returned: success
  type: str
  sample: "12.13"
output:
  description:
    - The output of the job or method. Null if there is none, or if the job isn't finished.
    - The task masks secrets in the output of the method C(job_info), as M(dbfleet.cluster.exa_job_info) does.
  returned: success
  type: raw
  sample: running
result:
  description: The whole result.
  returned: when a job that was awaited, or changes something, is finished
  type: dict
  sample: {job_id: "12.13", code: 0, name: OK, desc: Success, revision: 18}
needed:
  description: Whether the job ran, or would run. V(false) if the condition in O(unless) was true.
  returned: success
  type: bool
finished:
  description: Whether the job is finished, so that there is nothing to wait for. Also V(true) if it wasn't needed.
  returned: success
  type: bool
stage:
  description: Its last known stage. Empty if it ran in one call.
  returned: success
  type: str
  sample: committed
stages:
  description: When it reached each stage, in the server's time format. A time is null if the server doesn't report it.
  returned: success
  type: dict
  sample: {submitted: "2026-05-19 09:04:06.120", scheduled: "2026-05-19 09:04:06.170"}
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
  returned: success
  type: list
  elements: dict
  sample: [{object: db_start, step: run job db_start 12.13, from: not run, to: finished, seconds: 91.2}]
predicted:
  description: Empty, because no later task's preview depends on jobs.
  returned: success
  type: dict
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 7
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.jobs import run as job_run
from ansible_collections.dbfleet.cluster.plugins.module_utils._options import WAIT
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "job": {"type": "str"},
        "params": {"type": "dict"},
        "secret_params": {"type": "dict", "no_log": True},
        "mode": {"type": "str", "choices": list(job_run.MODES), "default": job_run.AUTO},
        "job_id": {"type": "raw"},
        "method": {"type": "str"},
        "args": {"type": "list", "elements": "raw"},
        "secret_args": {"type": "list", "elements": "raw", "no_log": True},
        "changing": {"type": "bool"},
        "unless": {
            "type": "dict",
            "options": {
                "job": {"type": "str", "required": True},
                "params": {"type": "dict"},
                "at": {"type": "str"},
                "equals": {"type": "raw"},
                "contains": {"type": "raw"},
            },
            "mutually_exclusive": [["equals", "contains"]],
        },
        **{name: WAIT[name] for name in ("wait", "wait_timeout", "heartbeat")},
    },
    required_one_of=[["job", "job_id", "method"]],
    mutually_exclusive=[["job", "job_id", "method"], ["job_id", "unless"], ["job_id", "changing"]],
    required_by={"params": ["job"], "secret_params": ["job"], "args": ["method"], "secret_args": ["method"]},
)


def run(task):
    """Runs a job or a method, or waits for a job."""
    return job_run.JobRun(task, connect(task).jobs()).result()


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

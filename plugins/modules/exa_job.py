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
  - Runs a job of ConfD, at once or stage after stage, and returns its output. For what another module of this
    collection ensures, use that one; docs/jobs.md says which job is whose.
  - The parameters are checked against what the server says of the job, before anything is sent and under check mode
    too. An unknown job, and a parameter that is unknown, missing or of the wrong type, fail the task.
  - A job can't be compared with what is there, so one that changes something runs each time, unless O(unless) says by
    what is seen that it isn't needed.
  - A job whose answer was lost is not sent again. A run that was killed finds nothing of its job but what the job has
    changed, or its ID in O(job_id).
options:
  job:
    description:
      - The job. M(dbfleet.cluster.exa_job_info) lists those that the cluster has, and what each takes.
    type: str
  params:
    description:
      - The job's parameters. Old and new names of one parameter (C(node_id), C(nid)) are both understood.
      - Values are not secret here, but for those of parameters whose name means a secret (password, token, secret,
        credential). What else is secret belongs into O(secret_params).
    type: dict
  secret_params:
    description:
      - Parameters that no output may show, such as a password. They are merged over O(params).
    type: dict
  mode:
    description:
      - V(exec) sends it and awaits the result in one call (C(job_exec)), which may take O(wait_timeout).
      - V(async) submits it (C(job_start)), shows the stages that it reaches (submitted, scheduled, executed, finished,
        committed), and fetches the result. A master that is lost meanwhile is looked for again.
      - V(auto) is V(exec) for a job that only reads, and V(async) for any other.
    type: str
    choices: [auto, exec, async]
    default: auto
  job_id:
    description:
      - A job that was submitted before, here or elsewhere. It is awaited unless O(wait=false), and its result
        is returned. The task changes nothing itself.
      - Put it in quotes, for V(12.10) and V(12.1) are two jobs. An empty one, such as an earlier task returns
        under check mode, is none.
    type: raw
  method:
    description:
      - A method of the RPC interface to be called as it is, instead of a job, such as V(system.methodHelp).
      - What C(subscribe), C(unsubscribe), C(user_init), C(user_login) and C(user_state) take, and what they do, no
        document tells. They can be called by this, which is untried.
    type: str
  args:
    description:
      - The arguments of O(method).
    type: list
    elements: raw
  secret_args:
    description:
      - Arguments of O(method) that no output may show. They follow O(args).
    type: list
    elements: raw
  changing:
    description:
      - Whether the job, or method, changes something. A task that doesn't is run under check mode too and reports no
        change; its calls are repeated where answers are lost.
      - Where nothing is said, all do, but for the jobs and methods of which is known that they only read.
      - A job that is known to change something, such as C(db_start), can't be called one that doesn't.
    type: bool
  unless:
    description:
      - By what is seen that the job isn't needed. Another job is run first, one that only reads; under check mode
        too.
      - Where neither O(unless.equals) nor O(unless.contains) is given, it is enough that what that job is asked
        about is there.
    type: dict
    suboptions:
      job:
        description: The job that reads.
        type: str
        required: true
      params:
        description: Its parameters.
        type: dict
      at:
        description:
          - The part of its output that is meant, as V(nodes.active). Numbers are places in lists.
        type: str
      equals:
        description: What that must be. Numbers and their texts are the same.
        type: raw
      contains:
        description:
          - What must be in it. Of a list an item, of a dictionary a key or some of its pairs, of a text a part. An item
            that is a dictionary needs only the pairs given here. Of a list given here, every item.
        type: raw
  wait:
    description:
      - Whether to wait for the end of the started operations.
      - If not, the task ends when the job is submitted, and RV(job_id) is for a later task. Not with O(mode=exec).
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds after which a wait fails.
      - The job goes on; the failure has its ID and the last stage.
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
- name: A job that only reads
  dbfleet.cluster.exa_job:
    job: db_state
    params: {db_name: DB1}
  register: state

- name: A user of the cluster, made once
  dbfleet.cluster.exa_job:
    job: user_create
    params: {username: dba, login_enabled: true}
    secret_params: {password: "{{ dba_password }}"}
    unless: {job: user_list, contains: dba}

- name: Begin to restore, and do something else meanwhile
  dbfleet.cluster.exa_job:
    job: db_restore
    params: {db_name: DB1, backup_id: "10001 DB1/id_11/level_0/node_0/backup_202007071405 DB1", restore_type: blocking}
    wait: false
  register: restore

- name: Now it must be over
  dbfleet.cluster.exa_job:
    job_id: "{{ restore.job_id }}"
    wait_timeout: 7200

- name: What the server says of a method
  dbfleet.cluster.exa_job:
    method: system.methodHelp
    args: [job_start]
"""

RETURN = r"""
job:
  description: The job's name. Of a job that was submitted elsewhere, as its history has it.
  returned: success
  type: str
  sample: db_start
job_id:
  description: Its ID. Empty where it wasn't submitted, and where a reading job was run at once.
  returned: success
  type: str
  sample: "12.13"
output:
  description:
    - What the job, or method, gave; none where it gives nothing or isn't finished.
    - What the method C(job_info) gives is masked as M(dbfleet.cluster.exa_job_info) does it.
  returned: success
  type: raw
  sample: running
result:
  description: The result as a whole.
  returned: when a job that was awaited, or changes something, is finished
  type: dict
  sample: {job_id: "12.13", code: 0, name: OK, desc: Success, revision: 18}
needed:
  description: Whether the job was run, or would be; not where O(unless) held.
  returned: success
  type: bool
finished:
  description: Whether it is finished, so that nothing is left to be awaited; also where it wasn't needed.
  returned: success
  type: bool
stage:
  description: The last stage of it that is known. Empty where it was run at once.
  returned: success
  type: str
  sample: committed
stages:
  description: When each stage was reached, as the server writes times; none where it gives no time.
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
    """A job or a method, run or awaited."""
    return job_run.JobRun(task, connect(task).jobs()).result()


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_lease
short_description: Keep other runs off a NuoDB domain while one is at work on it
version_added: 1.0.0
description:
  - With O(state=taken), takes the lease of the domain. If another run has it, the task is refused and names that run.
    The lease is one value in the domain's key-value store, set by compare-and-set, so only one of two runs can get it.
    It ends by itself.
  - With O(state=returned), gives the lease back. With O(state=kept), a run that has ended and left something down on
    purpose keeps the lease, which then only blocks recovery.
  - The runbooks of NuoDB take the lease themselves. Use this module for your own tasks, and for a check before a
    recovery.
  - If the user may not use the key-value store, or the server has none, the task warns and continues without a lease.
  - The task never reports a change, because it changes no object of the domain. In check mode, it only checks whether
    O(state=taken) would be refused.
options:
  state:
    description:
      - What to do with the lease.
    type: str
    choices: [taken, returned, kept]
    required: true
  run:
    description:
      - An ID that all tasks of one run share, and no other run has. The lease doesn't block the run that has it.
    type: str
    required: true
  about:
    description:
      - A short description of the run, shown to the runs that the lease blocks.
    type: str
    default: a playbook
  lease:
    description:
      - With O(state=returned) and O(state=kept), the lease as O(state=taken) returned it. If it is empty, the task does
        nothing.
    type: dict
    default: {}
  lease_timeout:
    description:
      - Seconds after which the lease ends by itself, by the clock of its holder. With O(state=kept), they count from
        now.
      - It must be longer than the run, because a lease that has ended blocks no other run.
    type: float
    default: 14400
  recovers:
    description:
      - Whether the run is a recovery. A lease kept for a domain that is down on purpose blocks it.
    type: bool
    default: false
  brings_up:
    description:
      - Whether the run takes nothing down. After such a run is killed, its lease doesn't block recovery either, if the
        other run can see that it was killed (see O(pid)).
    type: bool
    default: false
  take_over:
    description:
      - Whether to take the lease even if another run has it.
    type: bool
    default: false
  pid:
    description:
      - The process ID of the run, if the module runs in that process or in a child of it. After the process has ended,
        the lease only blocks recovery; with O(brings_up) it blocks nobody. This works only for another run that can see
        the process, so on the same machine.
    type: int
  process:
    description:
      - The process of the run in the form of a lease, if the module may run on another machine than the run. It takes
        precedence over O(pid). The runbooks set it.
    type: str
  ended:
    description:
      - The C(process) of a lease whose run is known to have ended on the machine that starts this run. If the lease in
        the domain has this C(process), it blocks only the runs that the lease of a killed run blocks. The runbooks set
        it, through a bastion.
    type: str
extends_documentation_fragment:
  - dbfleet.cluster.nuodb
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Keep other runs off the domain
  dbfleet.cluster.nuodb_lease:
    state: taken
    run: patch-4711
    about: patching of its machines
    lease_timeout: 7200
  register: example_lease

- name: Here its machines are patched

- name: Let other runs work on the domain again
  dbfleet.cluster.nuodb_lease:
    state: returned
    run: patch-4711
    lease: "{{ example_lease.lease }}"
"""

RETURN = r"""
lease:
  description:
    - The lease that the run has now; empty if it has none. C(since) and C(until) are seconds since 1970.
  returned: success
  type: dict
  sample: {run: patch-4711, about: patching of its machines, by: anna@control1, since: 1795930000, until: 1795937200,
           kept: false, brings_up: false, process: ""}
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: always
  type: int
  sample: 1
"""

from dataclasses import asdict

from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Denied, NoSuchObject
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import lease, options
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "state": {"type": "str", "choices": ["taken", "returned", "kept"], "required": True},
        "run": {"type": "str", "required": True},
        "about": {"type": "str", "default": "a playbook"},
        "lease": {"type": "dict", "default": {}},
        "lease_timeout": {"type": "float", "default": 14400},
        "recovers": {"type": "bool", "default": False},
        "brings_up": {"type": "bool", "default": False},
        "take_over": {"type": "bool", "default": False},
        "pid": {"type": "int"},
        "process": {"type": "str"},
        "ended": {"type": "str"},
    }
)

NO_LEASE = "so there is no lease, and other runs may work on this domain at the same time"


def run(task):
    """Takes, gives back or keeps the lease of the domain."""
    given, domain = task.params, connect(task)
    work = lease.LeaseOf(domain, given["recovers"], given["take_over"], ended=given["ended"])
    try:
        has = _taken(task, work, domain.name) if given["state"] == "taken" else _ended(task, work, domain.name)
    except NoSuchObject:
        has = None
        task.warn(f"{domain.name}: the server has no key-value store, {NO_LEASE}")
    except Denied as error:
        has = None
        task.warn(f"{error.message}, {NO_LEASE}")
    return {"lease": asdict(has) if has else {}, "api_calls": domain.api_calls}


def _taken(task, work, name):
    given = task.params
    if task.check_mode:
        work.look(given["run"])
        return None
    who = given["run"], given["about"], given["lease_timeout"], given["pid"], given["brings_up"], given["process"]
    mine = lease.new(*who)
    if work.take(mine):
        return mine
    task.warn(f"{name}: the APs have no quorum, {NO_LEASE}, but the APs can't agree on any change")
    return None


def _ended(task, work, name):
    given = task.params
    if not given["lease"] or task.check_mode:
        return None
    mine = lease.of_row(given["lease"])
    if mine is None:
        raise ClusterError(f"{name}: lease is not what state=taken returned")
    if given["state"] == "kept":
        has = work.keep(mine, given["lease_timeout"])
        is_ours = has is not None
    else:
        has, is_ours = None, work.give_back(mine)
    if not is_ours:
        task.warn(
            f"{name}: another run took the lease before this run gave it back: both runs may have worked at the same "
            "time"
        )
    return has


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

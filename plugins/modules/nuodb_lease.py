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
  - With O(state=taken), takes the lease of the domain, or is refused and says who has it. The lease is one value in the
    domain's key-value store that is compared and set, so of two runs that want it one gets it. It ends by itself.
  - With O(state=returned), gives it back. With O(state=kept), a run that is over and has left something down on purpose
    goes on to keep recovery off, and nobody else.
  - The runbooks of NuoDB take it by themselves. This module is for tasks of your own, and for who asks before a
    recovery.
  - Where the user may not use the key-value store, or the server has none, it warns and goes on without a lease.
  - It is never reported as a change, since it changes nothing that the domain is there for. With check mode, it only
    looks whether O(state=taken) would be refused.
options:
  state:
    description:
      - What becomes of the lease.
    type: str
    choices: [taken, returned, kept]
    required: true
  run:
    description:
      - What all tasks of one run have in common, and no other run. The lease doesn't keep off the run that has it.
    type: str
    required: true
  about:
    description:
      - What the run is, in a few words, for those whom it keeps off.
    type: str
    default: a playbook
  lease:
    description:
      - With O(state=returned) and O(state=kept), the lease as O(state=taken) returned it. Where it is empty, there is
        nothing to do.
    type: dict
    default: {}
  lease_timeout:
    description:
      - Seconds after which the lease ends by itself, by the clock of who has it. With O(state=kept), from now on.
      - It must be longer than the run, for a run whose lease has ended keeps nobody off any more.
    type: float
    default: 14400
  recovers:
    description:
      - The run brings back what failed. So a domain that was left down on purpose is not its business.
    type: bool
    default: false
  brings_up:
    description:
      - The run takes nothing down. Where it was killed, its lease then doesn't keep off recovery either, as far as that
        can be seen, see O(pid).
    type: bool
    default: false
  take_over:
    description:
      - Take the lease whoever has it.
    type: bool
    default: false
  pid:
    description:
      - The process of the run, where the module runs in it or in a child of it. When it has ended, the lease keeps off
        recovery alone, and nobody with O(brings_up), as far as that can be seen from where another run is begun.
    type: int
  process:
    description:
      - The process of the run as a lease names it, where the module may run on another machine than the run. It goes
        before O(pid). The runbooks give it.
    type: str
  ended:
    description:
      - The C(process) of a lease whose run has ended, as is known where this run is begun. A lease in the domain that
        has it keeps off only whom it keeps off after its run was killed. The runbooks give it, through a bastion.
    type: str
extends_documentation_fragment:
  - dbfleet.cluster.nuodb
  - dbfleet.cluster.attributes
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Nobody else works on the domain
  dbfleet.cluster.nuodb_lease:
    state: taken
    run: patch-4711
    about: patching of its machines
    lease_timeout: 7200
  register: example_lease

- name: Here its machines are patched

- name: Others may again
  dbfleet.cluster.nuodb_lease:
    state: returned
    run: patch-4711
    lease: "{{ example_lease.lease }}"
"""

RETURN = r"""
lease:
  description:
    - The lease that the run has now; empty where it has none. C(since) and C(until) are seconds since 1970.
  returned: success
  type: dict
  sample: {run: patch-4711, about: patching of its machines, by: anna@control1, since: 1795930000, until: 1795937200,
           kept: false, brings_up: false, process: ""}
api_calls:
  description: How many HTTP requests the task sent to the API, with those that got no answer.
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


def run(task):
    """The lease of the domain taken, given back or kept."""
    given, domain = task.params, connect(task)
    work = lease.LeaseOf(domain, given["recovers"], given["take_over"], ended=given["ended"])
    try:
        has = _taken(task, work, domain.name) if given["state"] == "taken" else _ended(task, work, domain.name)
    except NoSuchObject:
        has = None
        task.warn(f"{domain.name}: the server has no key-value store: no lease keeps other runs off this domain")
    except Denied as error:
        has = None
        task.warn(f"{error.message}: no lease keeps other runs off this domain")
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
    task.warn(f"{name}: the APs have no quorum: no lease keeps other runs off this domain, nor can they agree on more")
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
        task.warn(f"{name}: another run took the lease before this one gave it back: it may have worked beside it")
    return has


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rehearsal
short_description: Rehearse a runbook on a simulated copy of a host's cluster
version_added: 1.0.0
description:
  - Reads the host's Exasol cluster or NuoDB domain with reading calls only, loads it into the simulator of this
    collection, and runs a runbook on that copy, with the host's own variables and with faults. Then it shows how long
    the phases take in the cluster's time, and what the runbook did about each fault.
  - If a run fails, the task removes the fault, and runs the command that the failed run names.
  - The copy is a host with another name, and with its own inventory, configuration and environment. It gets no
    connection, no secret and no hook of the real host, and its own name confirms the run.
  - This is the task of the role C(rehearse). It runs on the controller, and takes the connection from the variables of
    the host.
  - It needs the Python libraries of the simulator, C(werkzeug) and C(cryptography).
options:
  runbook:
    description:
      - The runbook, such as C(exa_graceful_shutdown).
    type: str
    required: true
  faults:
    description:
      - Faults of the copy, by their names in C(docs/simulator), such as C(never_boots:n0013) or
        C(reset_after:stopDatabase), or as mappings in the simulator's format.
      - C(random) is one random fault, C(random:2) two. If a fault names no object, O(seed) selects one.
    type: list
    elements: raw
  seed:
    description:
      - The number that selects the random faults. The same seed, runbook and cluster give the same faults. With this
        option, or with C(nuodb_recover), a rehearsal without O(faults) has one random fault. The default is a random
        seed, which is shown.
    type: int
  clock:
    description:
      - The clock of the copy. C(seconds:0.02) is fifty times faster than a real cluster.
      - From C(seconds:0.0001) to C(seconds:10).
    type: str
    default: seconds:0.02
  source:
    description:
      - A file with a topology in YAML or JSON, to use instead of the cluster. The task then contacts no cluster.
    type: path
  save:
    description:
      - A file for the data that was read of the cluster, for O(source) of a later rehearsal. It isn't written in check
        mode.
      - Two hosts of a run can't have the same file.
    type: path
  state:
    description:
      - The state of the copy at the beginning. V(now) means the state that was read of the cluster. V(down) means that
        everything is off. V(auto) is V(down) for a cold start, and V(now) for any other runbook.
    type: str
    choices: [auto, now, down]
    default: auto
  timing:
    description:
      - Durations on the real cluster in seconds, by the names in C(docs/simulator), such as C(boot=420).
    type: dict
  report_path:
    description:
      - The folder of the reports. The default is C(exa_report_path) or C(nuodb_report_path) of the host, else
        C(dbfleet/rehearsals) in C(XDG_STATE_HOME) or C(~/.local/state).
    type: path
  keep:
    description:
      - Whether the simulator keeps running at the end, so that you can look at the copy.
      - It may also keep running when the rehearsal is stopped. The next rehearsal of the host with this option replaces
        it.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the predicted result without changing anything.
    support: full
    details: The task reads the cluster and selects the faults. It starts no simulator.
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing) in C(check_mode), when in diff mode.
    support: none
    details: Nothing of a cluster is changed.
  action:
    description: Runs on the controller.
    support: full
author:
  - dbfleet contributors (@dbfleet)
seealso:
  - module: dbfleet.cluster.simulator
"""

EXAMPLES = r"""
- name: A shutdown on a copy, in which a database doesn't stop
  dbfleet.cluster.rehearsal:
    runbook: exa_graceful_shutdown
    faults: ["never_stops:DB1"]

- name: A cold start with two random faults, as last time
  dbfleet.cluster.rehearsal:
    runbook: nuodb_cold_start
    faults: ["random:2"]
    seed: 4711
"""

RETURN = r"""
rehearsal:
  description:
    - The result of the rehearsal. After a success it is also in the stats of the run, as C(dbfleet.<host>.rehearsal).
    - Under check mode it has only C(seed), C(state) and C(faults).
  returned: when the cluster could be read
  type: dict
  sample:
    runbook: exa_graceful_shutdown
    result: ok
    seed: 4711
    state: now
    seconds: 310
    faults:
      - {fault: "never_stops:DB1", about: "a node or database that is being stopped never stops", runs: [1]}
    runs:
      - result: failed
        seconds: 3650
        cause: "rehearsal-of-exa-prod: databases: not stopped after 72 s: DB1 is in state shutdown"
        resume: "the copy is gone; to rehearse again: ansible-playbook -i inventory dbfleet.cluster.rehearse ..."
        report: /home/dba/.local/state/dbfleet/rehearsals/rehearsal-of-exa-prod/20261129T194003.651Z-….html
        phases: [{phase: preflight, state: done, seconds: 10}]
        steps: [stopDatabase DB1]
    broken_rules: []
"""

from ansible.module_utils.basic import AnsibleModule

SPEC = {
    "argument_spec": {
        "runbook": {"type": "str", "required": True},
        "faults": {"type": "list", "elements": "raw"},
        "seed": {"type": "int"},
        "clock": {"type": "str", "default": "seconds:0.02"},
        "source": {"type": "path"},
        "save": {"type": "path"},
        "state": {"type": "str", "choices": ["auto", "now", "down"], "default": "auto"},
        "timing": {"type": "dict"},
        "report_path": {"type": "path"},
        "keep": {"type": "bool", "default": False},
    },
    "supports_check_mode": True,
}


def main():
    """The action of the same name does the work. A module alone can't do it."""
    module = AnsibleModule(**SPEC)
    module.fail_json(msg="rehearsal is an action: call it as dbfleet.cluster.rehearsal in a play [DBF-7014]")


if __name__ == "__main__":
    main()

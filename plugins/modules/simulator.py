#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: simulator
short_description: Start or stop a simulated Exasol cluster or NuoDB domain to rehearse on
version_added: 1.0.0
description:
  - Starts the simulator of this collection on addresses of this machine. For an Exasol cluster, it answers the XML-RPC
    of EXAoperation, or that of ConfD with one address per node (C(provider) in the topology selects one). For a NuoDB
    domain, it answers the Admin REST API of each admin process. It keeps running until it is stopped.
  - If a simulator of that name already answers, it is left unchanged.
  - It needs the Python library C(werkzeug), and C(cryptography) unless O(tls=false).
  - The result contains the password of the simulated server, and the token of the admin endpoint. If the topology has a
    real password, use C(no_log).
  - At its end, its folder below O(directory) is removed, unless it contains other files.
options:
  state:
    description: Whether the simulator runs.
    type: str
    choices: [started, stopped]
    default: started
  name:
    description: The name of the simulator, unique in O(directory).
    type: str
    default: default
  topology:
    description:
      - The cluster, as M(dbfleet.cluster.exa_cluster_info) returns it
        in RV(dbfleet.cluster.exa_cluster_info#module:cluster), or the domain, as C(nuodb_domain_info) returns it in
        C(domain), with the optional keys that C(docs/simulator) lists; or several of both in a list under
        C(clusters).
      - A running simulator keeps its topology. If this option differs, the task is refused; stop the simulator first.
    type: dict
  topology_file:
    description: A YAML or JSON file with the topology.
    type: path
  clock:
    description:
      - V(immediate), V(seconds:<scale>) (V(seconds:0.01) is a hundred times faster), or V(polls:<n>).
      - A new simulator has V(seconds:1) by default. The clock of a running simulator changes only if this option is
        set.
    type: str
  bind:
    description: The address that the API listens on. The admin endpoint is always on the loopback address.
    type: str
    default: 127.0.0.1
  tls:
    description: Whether the API uses HTTPS, with a certificate that is made at the start.
    type: bool
    default: true
  client_certificates:
    description:
      - Whether the API requires a client certificate. One is made at the start, see RV(client_cert).
      - The topology of a NuoDB domain can also require one (C(authentication)).
    type: bool
    default: false
  directory:
    description: The folder in which each simulator has a folder for its certificates, its log and its connection data.
    type: path
    default: ~/.cache/dbfleet/simulators
  admin_port:
    description: Port of the admin endpoint; V(0) means any free port.
    type: int
    default: 0
  startup_timeout:
    description: Most seconds for the start or the stop.
    type: int
    default: 30
  ends_with_task:
    description:
      - Whether it ends with the process that started it. M(dbfleet.cluster.rehearsal) uses this, so that a killed run
        leaves no simulator.
    type: bool
    default: false
  collections_path:
    description:
      - The folder that contains C(ansible_collections) with this collection.
      - Needed only if the module runs as a separate process (C(async), another machine) and can't find the collection.
    type: path
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the predicted result without changing anything.
    support: full
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing) in C(check_mode), when in diff mode.
    support: full
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Start a simulated cluster with all nodes off, a hundred times faster than a real one
  dbfleet.cluster.simulator:
    name: rehearsal
    clock: seconds:0.01
    topology:
      name: exa-sim
      nodes:
        n0011: {state: offline}
        n0012: {state: offline}
      storage_online: false
      databases:
        DB1: {state: setup}
  register: simulated

- name: Read it like a real one
  dbfleet.cluster.exa_cluster_info:
    api_url: "{{ simulated.api_url }}"
    api_username: "{{ simulated.username }}"
    api_password: "{{ simulated.password }}"
    ca_path: "{{ simulated.ca_path }}"

- name: Start a NuoDB domain with two servers and no running process
  dbfleet.cluster.simulator:
    name: domain
    clock: seconds:0.1
    topology:
      product: nuodb
      name: nuo-sim
      servers: [server0, server1]
      databases:
        test: {incarnation: [1, 4]}
      archives:
        "0": {db_name: test, server_id: server0, archive_path: /var/opt/nuodb/archive/test}
        "1": {db_name: test, server_id: server1, archive_path: /var/opt/nuodb/archive/test}

- name: Stop the simulator
  dbfleet.cluster.simulator:
    name: rehearsal
    state: stopped
"""

RETURN = r"""
admin_url:
  description: The URL of the admin endpoint, for faults, the record of calls, and broken safety rules.
  returned: when it runs
  type: str
  sample: http://127.0.0.1:34567
admin_token:
  description: The token for the header C(Simulator-Token) of each request to RV(admin_url); generated at the start.
  returned: when it runs
  type: str
  sample: kZb0Zr7X0m0lJmYd3mV1dA4Hq1pS8c2u
api_url:
  description: The URLs of the (first) cluster's API, one per machine with a listener.
  returned: when it runs
  type: list
  elements: str
  sample: ["https://127.0.0.1:34568"]
username:
  description: A user of the (first) cluster.
  returned: when it runs
  type: str
  sample: admin
password:
  description: That user's password; generated at the start unless the topology has one.
  returned: when it runs
  type: str
  sample: 5DuXt1Q9cGv2
ca_path:
  description: The CA that signed the certificate; null without TLS.
  returned: when it runs
  type: str
  sample: /home/dba/.cache/dbfleet/simulators/default/ca.pem
client_cert:
  description: The certificate for clients; null if none is required.
  returned: when it runs
  type: str
  sample: /home/dba/.cache/dbfleet/simulators/default/client.pem
client_key:
  description: Its key, and also the certificate, for clients that take one file (C(nuocmd)); null if none is required.
  returned: when it runs
  type: str
  sample: /home/dba/.cache/dbfleet/simulators/default/client-key.pem
environment:
  description:
    - Environment variables that point this collection's modules, and the vendors' clients, at the (first) cluster.
      C(EXA_*) for Exasol, C(NUOCMD_*) for NuoDB.
  returned: when it runs
  type: dict
  sample: {EXA_API_URL: "https://127.0.0.1:34568", EXA_API_USERNAME: admin}
clusters:
  description: The same data for every cluster, by name.
  returned: when it runs
  type: dict
  sample: {exa-sim: {api_url: ["https://127.0.0.1:34568"], username: admin, password: 5DuXt1Q9cGv2}}
pid:
  description: Its process.
  returned: when it runs
  type: int
  sample: 4711
log_path:
  description: The log of the process.
  returned: when it runs
  type: str
  sample: /home/dba/.cache/dbfleet/simulators/default/simulator.log
"""

import json
import os
import re
import sys
import time
from contextlib import suppress

from ansible.module_utils.urls import open_url
from ansible_collections.dbfleet.cluster.plugins.module_utils._background import collections_root, detached
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = {
    "argument_spec": {
        "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
        "name": {"type": "str", "default": "default"},
        "topology": {"type": "dict"},
        "topology_file": {"type": "path"},
        "clock": {"type": "str"},
        "bind": {"type": "str", "default": "127.0.0.1"},
        "tls": {"type": "bool", "default": True},
        "client_certificates": {"type": "bool", "default": False},
        "directory": {"type": "path", "default": "~/.cache/dbfleet/simulators"},
        "admin_port": {"type": "int", "default": 0},
        "startup_timeout": {"type": "int", "default": 30},
        "ends_with_task": {"type": "bool", "default": False},
        "collections_path": {"type": "path"},
    },
    "mutually_exclusive": [("topology", "topology_file")],
    "supports_check_mode": True,
}

READY = "ready.json"
TOPOLOGY = "topology.yml"
LOG = "simulator.log"
"""Files of a simulator's folder."""

PROGRAM = "ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator"


def run(task):
    """Brings the simulator of this name to the wanted state."""
    params = task.params
    if not re.match(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", params["name"]):
        raise ClusterError(
            f"simulator {params['name']}: the name may contain only letters, digits, '.', '_' and '-'",
            number="DBF-8001",
        )
    home = os.path.join(params["directory"], params["name"])
    found = _running(home)
    changed = (found is None) == (params["state"] == "started")
    result = {"diff": {"before": {"state": _word(found)}, "after": {"state": params["state"]}}}
    if params["state"] == "stopped":
        if changed and not task.check_mode:
            _stop(params, home, found)
        return {"changed": changed, **result}
    if found is None and not task.check_mode:
        found = _start(params, home)
    elif found is not None:
        _same_topology(params, home)
        changed = _set_clock(params, found, task.check_mode)
    return {"changed": changed, **result, **({} if found is None else _facts(found, home))}


def _word(found):
    return "stopped" if found is None else "started"


def _running(home):
    """The content of the ready file, if the process that it names answers; else None."""
    try:
        with open(os.path.join(home, READY), encoding="utf-8") as stream:
            ready = json.load(stream)
        about = asked(ready, "/about")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return ready if about.get("pid") == ready.get("pid") else None


def asked(ready, path, method="GET", data=None):
    """The answer to a request to the admin endpoint. Raises OSError or ValueError if there is no usable answer."""
    body = None if data is None else json.dumps(data)
    # a simulator of an earlier release has no token
    headers = {"Simulator-Token": ready.get("admin_token", ""), "Content-Type": "application/json"}
    url = ready["admin_url"] + path
    with open_url(url, method=method, data=body, headers=headers, use_proxy=False, timeout=10) as answer:
        return json.loads(answer.read())


def _facts(ready, home):
    first = next(iter(ready["clusters"].values()))
    return {
        **{key: first.get(key) for key in ("api_url", "username", "password", "ca_path", "client_cert", "client_key")},
        "admin_url": ready["admin_url"],
        "admin_token": ready.get("admin_token", ""),
        "pid": ready["pid"],
        "clusters": ready["clusters"],
        "environment": {
            **first["environment"],
            "DBFLEET_SIMULATOR": ready["admin_url"],
            "DBFLEET_SIMULATOR_TOKEN": ready.get("admin_token", ""),
        },
        "log_path": os.path.join(home, LOG),
    }


def _wanted_topology(params):
    """The text of the topology, or None if the task gives none."""
    if params["topology"] is not None:
        return json.dumps(params["topology"], sort_keys=True)
    if params["topology_file"] is None:
        return None
    try:
        with open(params["topology_file"], encoding="utf-8") as stream:
            return stream.read()
    except OSError as error:
        raise ClusterError(
            f"simulator {params['name']}: the topology {params['topology_file']}: {error.strerror}", number="DBF-8001"
        )


def _same_topology(params, home):
    wanted = _wanted_topology(params)
    try:
        with open(os.path.join(home, TOPOLOGY), encoding="utf-8") as stream:
            same = wanted is None or wanted == stream.read()
    except OSError:
        same = False
    if not same:
        raise ClusterError(
            f"simulator {params['name']} runs already, with another topology",
            hint="stop it first (state: stopped), or give this one another name",
            number="DBF-8001",
        )


def _set_clock(params, found, check_mode):
    clock = params["clock"]
    try:
        if clock is None or asked(found, "/about")["clock"] == clock:
            return False
        if not check_mode:
            for name in found["clusters"]:
                asked(found, f"/clock?cluster={name}", "POST", {"clock": clock})
    except (OSError, ValueError) as error:
        raise ClusterError(f"simulator {params['name']}: its clock can't be set to {clock}: {error}", number="DBF-8001")
    return True


def _start(params, home):
    wanted = _wanted_topology(params)
    if wanted is None:
        raise ClusterError(
            f"simulator {params['name']} does not run, and needs a topology to start (topology or topology_file)",
            number="DBF-8001",
        )
    root = collections_root(__file__, PROGRAM, params["collections_path"])
    if root is None:
        raise ClusterError(
            f"simulator {params['name']}: the collection's own files aren't found on this machine",
            hint="set collections_path to the folder that contains ansible_collections",
            number="DBF-8001",
        )
    topology, ready, log = (os.path.join(home, name) for name in (TOPOLOGY, READY, LOG))
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
        os.chmod(home, 0o700)
        with open(os.open(topology, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            stream.write(wanted)
        if os.path.exists(ready):
            os.unlink(ready)
        process = _launch(params, root, topology, ready, log)
    except OSError as error:
        raise ClusterError(
            f"simulator {params['name']} can't be started in {home}: {error.strerror}", number="DBF-8001"
        )
    deadline = time.monotonic() + params["startup_timeout"]
    while not os.path.exists(ready):
        if process.poll() is not None:
            raise ClusterError(f"simulator {params['name']} ended at once: {_last_line(log)}", number="DBF-8001")
        if time.monotonic() > deadline:
            process.terminate()
            raise ClusterError(
                f"simulator {params['name']} was not ready after {params['startup_timeout']} seconds", number="DBF-8001"
            )
        time.sleep(0.02)
    with open(ready, encoding="utf-8") as stream:
        return json.load(stream)


def _launch(params, root, topology, ready, log):
    command = [sys.executable, "-m", PROGRAM, "--topology", topology, "--ready-file", ready, "--quiet"]
    command += ["--directory", os.path.dirname(ready), "--clock", params["clock"] or "seconds:1"]
    command += ["--bind", params["bind"], "--admin-port", str(params["admin_port"])]
    command += ["--tls" if params["tls"] else "--no-tls"]
    command += ["--client-certificates"] if params["client_certificates"] else []
    command += ["--starter", str(os.getpid())] if params["ends_with_task"] else []
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return detached(command, os.path.dirname(ready), environment, log)


def _last_line(log):
    with open(log, encoding="utf-8", errors="replace") as stream:
        lines = [line.strip() for line in stream if line.strip()]
    return lines[-1] if lines else "its log is empty"


def _stop(params, home, found):
    try:
        asked(found, "/stop", "POST", {})
    except (OSError, ValueError) as error:
        raise ClusterError(f"simulator {params['name']} can't be stopped: {error}", number="DBF-8001")
    deadline = time.monotonic() + params["startup_timeout"]
    # the simulator removes the ready file last
    while os.path.exists(os.path.join(home, READY)) or _running(home) is not None:
        if time.monotonic() > deadline:
            raise ClusterError(
                f"simulator {params['name']} (process {found['pid']}) still runs",
                hint="end it by hand",
                number="DBF-8001",
            )
        time.sleep(0.02)
    for name in (TOPOLOGY, LOG):
        with suppress(OSError):
            os.unlink(os.path.join(home, name))
    with suppress(OSError):  # the folder may contain other files
        os.rmdir(home)


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

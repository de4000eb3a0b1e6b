#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nuodb_domain_info
short_description: Read the whole state of a NuoDB domain into one result
version_added: 1.0.0
description:
  - Reads the servers, databases, archives, processes and tombstones of a domain, and other objects on request.
  - M(dbfleet.cluster.simulator) can load the result as a topology.
options:
  gather:
    description:
      - The objects to read. V(start_plans), V(storage_groups), V(hotcopies) and V(versions) cost one call per database.
        If the databases are also read and none of them runs, no call is made for processes, because there are none.
      - V(license) reads the type of the license and its end. V(versions) reads the protocol version of each database,
        the versions to which it could be raised, and the versions that the software of its processes supports. If an AP
        is too old to return them, or the user may not read them, C(unread) gives the reason instead.
      - V(kubernetes) reads whether Kubernetes manages the domain, into C(kubernetes) of RV(domain). It costs one call.
      - V(runout) reads what may expire while the domain is off, for O(dbfleet.cluster.nuodb_plan#module:runout).
    type: list
    elements: str
    choices:
      - servers
      - databases
      - archives
      - removed_archives
      - processes
      - tombstones
      - start_plans
      - storage_groups
      - hotcopies
      - kubernetes
      - license
      - versions
      - runout
    default: [servers, databases, archives, processes, tombstones]
  db_names:
    description:
      - Only these databases, their archives, processes and tombstones. By default all.
    type: list
    elements: str
    default: []
  server_ids:
    description:
      - Only these servers, and the archives, processes and tombstones on them. By default all.
    type: list
    elements: str
    default: []
  incarnations:
    description:
      - V(last) reads the tombstones of each database's present incarnation, V(all) also those of past incarnations.
    type: str
    choices: [last, all]
    default: last
  api_timeout:
    description:
      - Seconds to wait until an AP answers. With V(0) and in check mode there is only one attempt.
    type: float
    default: 0
  heartbeat:
    description:
      - Most seconds between progress lines. V(0) shows a line only when something changes.
      - Falls back to the environment variable E(DBFLEET_HEARTBEAT).
    type: float
    default: 30
extends_documentation_fragment:
  - dbfleet.cluster.nuodb
  - dbfleet.cluster.attributes
  - dbfleet.cluster.attributes.info
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Read the domain
  dbfleet.cluster.nuodb_domain_info:
  register: nuodb

- name: Read the tombstones of one database, in all its incarnations
  dbfleet.cluster.nuodb_domain_info:
    gather: [tombstones]
    db_names: [test]
    incarnations: all
"""

RETURN = r"""
domain:
  description: The domain. It contains only the objects in O(gather).
  returned: success
  type: dict
  sample:
    product: nuodb
    name: nuo-prod
    version: 7.0.2
    servers:
      server0: {server_id: server0, address: "server0:48005", role: LEADER, leader: server0, state: ACTIVE,
                connected: Connected, evicted: false, passive: false, local: true, labels: {}, version: 7.0.2}
    databases:
      test: {db_name: test, state: RUNNING, incarnation: [1, 4], default_options: {}}
    archives:
      "0": {archive_id: 0, db_name: test, server_id: server0, archive_path: /var/opt/nuodb/archive/test,
            state: RUNNING, removed: false}
    processes:
      "0": {start_id: "0", db_name: test, engine_type: SM, server_id: server0, archive_id: 0,
            durable_state: MONITORED, engine_state: RUNNING}
    tombstones: {}
    license: {type: ENTERPRISE, expires: "2027-01-31T15:33:40.465134"}
    versions:
      test:
        version: "6.0"
        version_id: 1703936
        available: []
        releases:
          6.0.2-1: {version: "6.0", version_id: 1703936, start_ids: ["0"]}
          7.0.2-2: {version: "7.0", version_id: 1769472, start_ids: ["4"]}
notes:
  description:
    - Recommended work on the license and the versions, one sentence each, as far as V(license), V(versions) and
      V(archives) are in O(gather). Subjects are a license that ends within 30 days, several archives of a database
      although the license doesn't allow several SMs, a protocol that can be raised, and processes whose software is too
      old for that.
  returned: success
  type: list
  elements: str
  sample:
    - "test: the upgrade of its protocol from 6.0 to 7.0 waits for processes that run too old software: 6.0.2-1 (start
      IDs 0) knows 6.0 at most: install the new software there and restart them (nuodb_rolling_restart)"
runout:
  description:
    - Everything that may expire while the domain is off, as far as it can be read. This includes the license of the
      domain, the certificate that each O(api_url) shows, the certificates in O(client_cert) and O(ca_path), and those
      of the APs and in their trust stores. C(unread) lists what could not be read, and why.
    - The certificates of connections are read by a TLS handshake, which is no call of the API.
  returned: when V(runout) is among O(gather)
  type: dict
  sample:
    license: {type: ENTERPRISE, expires: "2027-01-31T15:33:40.465134"}
    certificates:
      - {of: "https://server0:8888, admin process server0", subject: CN=server0, expires: "2027-01-31T12:00:00+00:00",
         fingerprint: 3fa9…}
    unread: []
summary:
  description: The domain in one line.
  returned: success
  type: str
  sample: "nuo-prod: servers 3/3 active; leader server0; databases 1/1 up; 2 SM, 2 TE running; NuoDB 7.0.2"
answered:
  description: The URL that answered shortly before the API became unreadable. The text is empty if none answered.
  returned: when the API is unreachable
  type: str
  sample: "https://server0:8888 answered a moment before"
api_url:
  description: The URL that answered.
  returned: success
  type: str
  sample: https://server0:8888
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: success
  type: int
  sample: 5
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Unreachable
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import options, report, runout
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect
from ansible_collections.dbfleet.cluster.plugins.module_utils._options import WAIT
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "gather": {
            "type": "list",
            "elements": "str",
            "choices": [*report.PARTS, runout.PART],
            "default": list(report.DEFAULT_PARTS),
        },
        "db_names": {"type": "list", "elements": "str", "default": []},
        "server_ids": {"type": "list", "elements": "str", "default": []},
        "incarnations": {"type": "str", "choices": ["last", "all"], "default": "last"},
        "api_timeout": {"type": "float", "default": 0},
        "heartbeat": WAIT["heartbeat"],
    }
)


def run(task):
    """Reads the domain into one result."""
    given = task.params
    domain = connect(task)
    selection = report.ReportScope(given["db_names"], given["server_ids"])
    parts = [part for part in given["gather"] if part != runout.PART]
    try:
        report.await_api(task, domain, 0 if task.check_mode else given["api_timeout"], given["heartbeat"])
        with domain.first_look():
            found = report.of(domain, parts, selection, given["incarnations"] == "all")
    except Unreachable as error:
        error.result["answered"] = error.before
        raise
    more = {"runout": runout.read(task, domain)} if runout.PART in given["gather"] else {}
    told = {**more, "domain": found, "summary": report.summary(found), "notes": report.notes(found)}
    return {**told, "api_url": domain.url, "api_calls": domain.api_calls}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exa_cluster_info
short_description: Read the state of an Exasol cluster into one result
version_added: 1.0.0
description:
  - Reads the nodes, services, databases, log services and plugins of a cluster.
  - M(dbfleet.cluster.simulator) can load the result as a topology.
options:
  license_servers:
    description:
      - The cluster's license servers, because the API doesn't list them. A ConfD cluster has none.
    type: list
    elements: str
    default: [n0010]
  gather:
    description:
      - What to read in addition to the name of the machine that runs the API.
      - V(infra) shows whether the jobs C(infra_instances_start) and C(infra_instances_stop) of a ConfD deployment may
        be used. C(job_list) doesn't show that, so the task calls C(infra_deployment_metadata_get), which only reads. If
        the server refuses that, C(infra_refused) contains its message.
      - V(sight) lists the nodes of a ConfD cluster that could not be seen going off from here, because O(api_url)
        doesn't name them and they don't answer at the addresses that the cluster reports. For an EXAoperation cluster,
        it contains the states of O(license_servers) and of other machines that are no nodes and can run EXAoperation;
        C(unknown) is one that the cluster doesn't know. With V(sight), the task distinguishes nodes that aren't online
        as C(booting), C(shutting down) and C(offline). V(all) leaves it out.
      - V(volume_states) contains the states of all volumes that are not temporary, without their other properties. The
        task reads it unless EXAStorage is known to be down. If it can't be read, it is null, and C(summary) reports
        that.
      - V(layout) adds to each database its nodes, its data volume, and its settings, as far as the server reports them.
      - V(volumes), V(remote_volumes), V(backups) and V(schedules) have the format of the results of
        M(dbfleet.cluster.exa_volume), M(dbfleet.cluster.exa_remote_volume), M(dbfleet.cluster.exa_backup) and
        M(dbfleet.cluster.exa_backup_schedule). The server never returns passwords.
      - V(runout) contains what may expire while the cluster is off, for O(dbfleet.cluster.exa_plan#module:runout).
        V(all) leaves it out.
      - V(settings) shows which generation of parameter names ConfD accepts.
      - V(all) reads everything that the server can report, so that a copy in M(dbfleet.cluster.simulator) is like the
        original.
    type: list
    elements: str
    choices:
      [nodes, services, databases, version, log_services, plugins, volume_states, infra, sight, layout, volumes,
       remote_volumes, backups, schedules, settings, runout, all]
    default: [nodes, services, databases, version, log_services, plugins, volume_states]
  on_denied:
    description:
      - What to do if the user may not read some parts, such as the nodes for a ConfD user who administers databases.
      - V(leave_out) leaves them out, with a warning, if the user may read nodes, services or databases.
    type: str
    choices: [fail, leave_out]
    default: fail
  api_timeout:
    description:
      - Seconds to wait until the API answers. With V(0) and in check mode there is only one attempt.
    type: float
    default: 0
  heartbeat:
    description:
      - Most seconds between progress lines. V(0) shows a line only when something changes.
      - Falls back to the environment variable E(DBFLEET_HEARTBEAT).
    type: float
    default: 30
extends_documentation_fragment:
  - dbfleet.cluster.exasol
  - dbfleet.cluster.attributes
  - dbfleet.cluster.attributes.info
author:
  - dbfleet contributors (@dbfleet)
"""

EXAMPLES = r"""
- name: Read the cluster
  dbfleet.cluster.exa_cluster_info:
  register: exa

- name: Read everything, with volumes, backups and schedules
  dbfleet.cluster.exa_cluster_info:
    gather: all
  register: real

- name: Wait for EXAoperation after its license server was switched on
  dbfleet.cluster.exa_cluster_info:
    gather: []
    api_timeout: 900
"""

RETURN = r"""
cluster:
  description:
    - The cluster. It contains only the gathered parts.
    - A database has C(info) if the server reports a remark about it, for example that copies of its data are missing.
  returned: success
  type: dict
  sample:
    product: exasol
    provider: exaoperation
    name: exa-prod
    version: 6.2.1
    master: n0010
    license_servers: [n0010]
    nodes: {n0011: {state: online}}
    services: {Loggingd: OK, Lockd: OK, Storaged: OK, DWAd: OK}
    databases:
      DB1:
        state: running
        connectible: "Yes"
        operation: "None"
        connection_string: "10.50.1.11..14:2568"
        data_volume_name: v0000
    log_services: [logservice1]
    plugins: [Administration.vmware-tools]
    volume_states: {v0000: {type: data, state: ONLINE, redundancy: 2, not_online: []}}
summary:
  description: The cluster in one line.
  returned: success
  type: str
  sample: "exa-prod: nodes 5/5 online; services OK; databases 3/3 connectable; EXAoperation 6.2.1 on n0010"
api_url:
  description: The URL that answered.
  returned: success
  type: str
  sample: https://license-server:443
answers:
  description:
    - The answer that the task still got, and from which URL, although it could not read the API; or the answer that it
      got a moment before. The text is empty if no O(api_url) answered.
  returned: when the API is unreachable
  type: str
  sample: "https://n11:20003: a gateway answered HTTP 503 Service Unavailable"
denied:
  description: The parts that the task left out because the user may not read them, with the message of the server.
  returned: success
  type: dict
  sample: {nodes: "exa-prod: node_list at https://n11:20003: the user may not do this"}
runout:
  description:
    - What may expire while the cluster is off, as far as the task can read it. It contains the license of a ConfD
      cluster; the certificates that each O(api_url) shows, of O(client_cert), and of the CA in O(ca_path); the backup
      schedules and the backups of each database. C(unread) lists what the task could not read, and why.
    - The task reads certificates by a TLS handshake, without a call of the API.
  returned: when V(runout) is among O(gather)
  type: dict
  sample:
    license: {expires: "2027-11-05"}
    certificates:
      - {of: "https://n11:443", subject: CN=n11, expires: "2027-01-31T12:00:00+00:00", fingerprint: 3fa9…}
    schedules:
      DB1:
        - {name: weekly, volume: RemoteVolume1, level: 0, expire: 4w, minute: "0", hour: "1", day: "*", month: "*",
           weekday: "0", enabled: true}
    backups: {}
    unread: []
identity:
  description:
    - Values that identify the cluster, so that two inventory hosts with the same cluster can be found. They are the URL
      that answered, and the UUIDs of the nodes if the server reports them (ConfD).
  returned: success
  type: list
  elements: str
  sample: ["https://n11:20003", C5ED84F591574F97A337B2EC9357B68EF0EC4EDE]
api_calls:
  description: The number of HTTP requests that the task sent to the API, including those without an answer.
  returned: success
  type: int
  sample: 12
"""

from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Unreachable
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import options, report, runout
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect, ports
from ansible_collections.dbfleet.cluster.plugins.module_utils._options import WAIT
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import as_module

SPEC = options.spec(
    {
        "license_servers": {"type": "list", "elements": "str", "default": ["n0010"]},
        "gather": {
            "type": "list",
            "elements": "str",
            "choices": [*report.PARTS, *report.MORE, runout.PART],
            "default": [*report.PARTS],
        },
        "on_denied": {"type": "str", "choices": ["fail", "leave_out"], "default": "fail"},
        "api_timeout": {"type": "float", "default": 0},
        "heartbeat": WAIT["heartbeat"],
    }
)


def run(task):
    """Reads the cluster into one result."""
    given = task.params
    cluster = connect(task)
    denied: dict[str, str] = {}
    leave_out = denied if given["on_denied"] == "leave_out" else None
    try:
        report.await_api(task, cluster, 0 if task.check_mode else given["api_timeout"], given["heartbeat"])
        found = report.of(cluster, given["license_servers"], given["gather"], leave_out)
    except ClusterError as error:
        if isinstance(error, Unreachable):
            error.result["answers"] = cluster.answers() or error.before
        raise report.doubted(task, error) from None
    identity = report.identity(cluster)
    more = {"runout": runout.read(task, cluster, ports(task))} if runout.PART in given["gather"] else {}
    for text in denied.values():
        task.warn(text)
    told = {**more, "cluster": found, "summary": report.summary(found, denied), "identity": identity}
    return {**told, "denied": denied, "api_url": cluster.url, "api_calls": cluster.api_calls}


def main():
    """Runs as an ordinary module."""
    as_module(SPEC, run)


if __name__ == "__main__":
    main()

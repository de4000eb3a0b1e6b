# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two kinds of servers of an Exasol cluster, as data: their names for things, and the calls that each lacks.

The data is here because a cluster that is only known from a report (`assumed`) needs it too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from ..._errors import ClusterError
from . import capabilities as can

NODE = re.compile(r"n?0*(\d{1,6})")
"""The name of a node, and its number."""

INFRA_START = "infra_instances_start"
INFRA_STOP = "infra_instances_stop"
INFRA_OVERVIEW = "infra_overview_get"
"""Jobs that some deployments have (CONFD-115). job_list shows those that exist, not those allowed (CONFD-116)."""

INFRA_PROBE = "infra_deployment_metadata_get"
"""A job that only reads. The server refuses it where it refuses to start and stop instances (CONFD-117)."""

INFRA_JOBS = {
    can.POWER_ON: (
        INFRA_START,
        "let a hook do it (power_on: false, exa_cold_start_power: hook); on such hosts it starts Exasol's services",
    ),
    can.POWER_OFF: (
        INFRA_STOP,
        "let a hook do it (power_off: false, exa_graceful_shutdown_power: hook), which on such hosts stops Exasol's "
        "services; or leave the hosts on (exa_graceful_shutdown_power: none)",
    ),
}
"""Capability -> the deployment's own job for it, and what to do if that job can't be used."""


@dataclass(frozen=True)
class Provider:
    """One kind of server.

    :param name: the value of the option `provider`.
    :param server: its name in messages.
    :param calls: our name of a change -> its name in the server's manual.
    :param node_name: turns a written name of a node, with the known names, into the cluster's spelling.
    :param lacking: capability -> why the server lacks it and what to do instead, in one sentence.
    :param tells_nodes_together: whether one call shows the states of all nodes.
    :param starts_on_storage_alone: whether the server itself refuses to start a database while EXAStorage is down.
    :param roles: role in lower case -> what it allows.
    """

    name: str
    server: str
    calls: Mapping[str, str]
    node_name: Callable[[Any, list[str]], str]
    lacking: Mapping[str, str] = field(default_factory=dict)
    tells_nodes_together: bool = False
    starts_on_storage_alone: bool = False
    roles: Mapping[str, str] = field(default_factory=dict)

    def lacks(
        self, capability: str, use_infra: bool = False, infra_refusal: Callable[[], Optional[str]] = str
    ) -> Optional[str]:
        """Why the server lacks a capability, and what to do instead after a colon; None if it has the capability.

        :param use_infra: whether to use the deployment's jobs for instances.
        :param infra_refusal: see `Cluster`.
        """
        why = self.lacking.get(capability)
        if not (why and use_infra and capability in INFRA_JOBS):
            return why
        refusal = infra_refusal()
        if refusal is None:
            return None
        job, instead = INFRA_JOBS[capability]
        if not refusal:
            return f"job_list of this deployment has no {job}: {instead}"
        words = refusal.replace(": ", ", ")
        return (
            f"{job} can't be used, because the server refuses the jobs for instances of this deployment ({INFRA_PROBE} "
            f"says '{words}'), as it does where Exasol runs as an application on hosts: {instead}"
        )


def eao_node(name: Any, _known: Optional[list[str]] = None) -> str:
    """Turns `n0010`, `n10`, `10` or the number 10 into `n0010` (EAO-37).

    :raises ClusterError: for anything else.
    """
    found = NODE.fullmatch(str(name).strip())
    if not found:
        raise ClusterError(f"{name!r} is not the name of a node (such as n0011)")
    return f"n{int(found.group(1)):04d}"


def confd_node(name: Any, known: list[str]) -> str:
    """Turns the name or number of a node, in any spelling, into its name in node_list. Unknown names stay unchanged."""
    text = str(name).strip()
    if text in known:
        return text
    number = NODE.fullmatch(text)
    spelt = [one for one in known if number and re.fullmatch(rf"n?0*{number.group(1)}", one)]
    return spelt[0] if spelt else text


EAO = Provider(
    "exaoperation",
    "EXAoperation",
    {
        "start_node": "startupNode",
        "stop_node": "shutdownNode",
        "start_storage": "startEXAStorage",
        "stop_storage": "stopEXAStorage",
        "start_database": "startDatabase",
        "stop_database": "stopDatabase",
        "force_stop_database": "forceShutdownDatabase",
        "abort_backup": "abortBackup",
        "suspend_node": "suspendNode",
        "resume_node": "resumeNode",
    },
    eao_node,
    {
        can.JOBS: "EXAoperation has no jobs; only ConfD has jobs",
        can.LICENSE_END: (
            "how EXAoperation's calls show the end of the license is not documented: look it up in EXAoperation itself"
        ),
        can.NODE_CONFIG: "nodes of an EXAoperation cluster are added and removed in EXAoperation, which installs them",
        can.DATABASE_CONFIG: "databases of an EXAoperation cluster are created, configured and deleted in EXAoperation",
        can.VOLUME_LOCK: "EXAoperation has no call that locks or unlocks a volume",
        can.VOLUME_CLEAR: "EXAoperation has no call that overwrites a volume's data: delete it and create it again",
        can.VOLUME_SHRINK: (
            "EXAoperation has no call that makes a volume smaller: call shrinkDatabase so that a database gives back "
            "what it doesn't need"
        ),
        can.VOLUME_OWNER: (
            "a volume of EXAoperation has no owner, permissions or shared flag: allowed_users and readonly_users say "
            "who may use it"
        ),
        can.REMOTE_VOLUME_OWNER: (
            "EXAoperation chooses the number of a remote volume, which has no owner: allowed_users says who may use it"
        ),
    },
    roles={
        "administrator": "every runbook",
        "master": "every runbook",
        "supervisor": "status and checks, no runbook that changes anything",
    },
)

CONFD = Provider(
    "confd",
    "ConfD",
    {
        "start_node": INFRA_START,
        "stop_node": INFRA_STOP,
        "start_storage": "start EXAStorage",
        "stop_storage": "stop EXAStorage",
        "start_database": "db_start",
        "stop_database": "db_stop",
        "force_stop_database": "db_stop force",
        "abort_backup": "db_backup_abort",
        "suspend_node": "node_suspend",
        "resume_node": "node_resume",
    },
    confd_node,
    {
        can.POWER_ON: (
            "ConfD has no job that powers a host on: let a hook do it (power_on: false, exa_cold_start_power: hook), "
            f"or let the job {INFRA_START} do it where the deployment has it (use_infra, exa_cold_start_power: infra)"
        ),
        can.POWER_OFF: (
            "ConfD has no job that powers a host off: let a hook do it (power_off: false, "
            f"exa_graceful_shutdown_power: hook), or let the job {INFRA_STOP} do it where the deployment has it "
            "(use_infra, exa_graceful_shutdown_power: infra), or leave the hosts on (exa_graceful_shutdown_power: none)"
        ),
        can.START_STORAGE: "ConfD has no job that starts EXAStorage: it starts by itself when enough nodes are online",
        can.STOP_STORAGE: "ConfD has no job that stops EXAStorage: it ends with its nodes",
        can.LICENSE_SERVERS: "a ConfD cluster has no license servers: ConfD runs on every node",
        can.LOG: "ConfD has no log service: the job log_collect gathers logs as files (exa_job)",
        can.PLUGINS: "ConfD has no call for the service of a plugin on a node: use a hook",
        can.VOLUME_USERS: "a volume of ConfD has an owner and permissions instead of a list of users",
        can.REMOTE_VOLUME_EDIT: (
            "ConfD has no job that changes a remote volume: it can only be removed and added again, and in between "
            "the cluster doesn't know its backups"
        ),
        can.REMOTE_VOLUME_READERS: "ConfD has no users who may only read a remote volume: name them in allowed_users",
    },
    tells_nodes_together=True,
    starts_on_storage_alone=True,
    roles={
        "nodes, volumes and databases": "every runbook",
        "databases": "exa_database_state and backups, no runbook for whole clusters",
        "volumes": "exa_volume and exa_remote_volume, no runbook",
        "names of databases": "not enough for a runbook",
    },
)

PROVIDERS = {provider.name: provider for provider in (EAO, CONFD)}

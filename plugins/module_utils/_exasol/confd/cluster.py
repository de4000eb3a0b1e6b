# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Exasol cluster that is reached by ConfD's XML-RPC or JSON-RPC (6.2 docker, 7.x, 8.x).

Source: docs/sources/confd.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, Optional

from ..._errors import ClusterError, Denied, Fault, Garbled
from ..._http.client import plain_host
from ..api import capabilities as can
from ..api.backups import BackupApi
from ..api.cluster import Cluster
from ..api.databases import DatabaseConfigApi, DatabaseConfigState
from ..api.jobs import JobApi
from ..api.nodes import NodeConfigApi
from ..api.providers import CONFD, INFRA_OVERVIEW, INFRA_PROBE, INFRA_START, INFRA_STOP
from ..api.states import (
    NOT_RUNNING,
    OFFLINE,
    OK,
    ONLINE,
    STORAGED,
    SUSPENDED,
    WITHOUT_QUORUM,
    Database,
    Reachability,
)
from ..api.volumes import RemoteVolumeApi, VolumeApi
from .answers import database_of, is_database, is_names, is_node_states, is_nodes, is_rows, nodes_of, words_of_nodes
from .backups import ConfdBackups
from .databases import ConfdDatabaseConfig, configured, data_volume
from .jobs import ConfdJobs
from .jobs_under_way import JobsUnderWay
from .nodes import ConfdNodeConfig
from .quorum import STATES, Quorum, suspend_without_quorum
from .reachability import observe
from .volumes import ConfdRemoteVolumes, ConfdVolumes

STORAGE_DOWN = re.compile(
    r"\bSTE_MINORITY\b|only (a )?minority of (the )?nodes"
    r"|storaged?( service| daemon)?( is|:)? (not (running|online|started|available)|offline|down|stopped)\b",
    re.I,
)
"""Errors that show that EXAStorage is down. STE_MINORITY and its text were seen (EXA-30), the others are guesses."""


class ConfdCluster(Cluster):
    """The provider `confd`.

    :param jobs: of this cluster.
    :param use_infra: whether infra_instances_start and infra_instances_stop may be used.
    """

    provider = CONFD

    def __init__(self, jobs: ConfdJobs, use_infra: bool = False) -> None:
        self._jobs = jobs
        self._work = JobsUnderWay(jobs)
        self.name = jobs.name
        self.use_infra = use_infra
        self._ids: dict[str, int] = {}
        self._hosts: dict[str, list[str]] = {}
        self._uuids: Optional[list[str]] = None
        self._quorum = Quorum(jobs)

    @property
    def api_calls(self) -> int:
        return self._jobs.session.api_calls

    @property
    def url(self) -> str:
        return self._jobs.session.url

    @property
    def urls(self) -> list[str]:
        return self._jobs.session.urls

    def infra_refusal(self) -> Optional[str]:
        return self._infra_refusal

    @cached_property
    def _infra_refusal(self) -> Optional[str]:
        if not {INFRA_START, INFRA_STOP} <= set(self._jobs.names()):
            return ""
        try:
            self._jobs.read(INFRA_PROBE)
        except Fault as fault:
            return fault.text or "no reason given"
        return None

    # -- parts

    def jobs(self) -> JobApi:
        return self._jobs

    def backups(self) -> BackupApi:
        return ConfdBackups(self._jobs, self._work)

    def volumes(self) -> VolumeApi:
        return ConfdVolumes(self._jobs, self._work, self.node_ids, self._ids)

    def remote_volumes(self) -> RemoteVolumeApi:
        return ConfdRemoteVolumes(self._jobs)

    def database_config(self) -> DatabaseConfigApi:
        return ConfdDatabaseConfig(self._jobs, self._work, self.node_ids)

    def node_config(self) -> NodeConfigApi:
        return ConfdNodeConfig(self._jobs, self.node_ids)

    # -- reads

    def nodes(self) -> list[str]:
        rows = self._jobs.read("node_list", fits=is_nodes)
        found = nodes_of(rows)
        self._ids = {node.name: node.number for node in found}
        self._hosts = {node.name: _hosts(node.row) for node in found}
        self._jobs.session.trust(host for hosts in self._hosts.values() for host in hosts)
        self._uuids = [str(row["uuid"]) for row in rows.values() if row.get("uuid")]
        return list(self._ids)

    def identity(self) -> list[str]:
        # Addresses don't identify a cluster: many clusters have the same private addresses.
        if self._uuids is None:
            with suppress(Denied, Fault, Garbled):  # without uuids the URL of the master must do
                self.nodes()
        return self._uuids or []

    def node_ids(self, names: list[str]) -> list[int]:
        """The numbers of nodes, which jobs take instead of names."""
        if any(name not in self._ids for name in names):
            self.nodes()
        missing = [name for name in names if name not in self._ids]
        if missing:
            raise ClusterError(
                f"{self.name}: there is no node {' '.join(missing)}", failed_object=" ".join(missing), number="DBF-3001"
            )
        return [self._ids[name] for name in names]

    def node_states(self) -> dict[str, str]:
        if not self._ids:
            self.nodes()
        told = self._jobs.read("node_state", fits=is_node_states)
        self._quorum.note(told)
        states = {number: state.lower() for number, state in words_of_nodes(told).items()}
        if set(states) - {str(number) for number in self._ids.values()}:
            self.nodes()  # a node was added since
        if not set(states) & {str(number) for number in self._ids.values()}:
            raise Garbled(f"{self.name}: node_state at {self.url}: it reports none of the nodes in node_list")
        words = {name: states.get(str(number), "") for name, number in self._ids.items()}
        # An unknown word doesn't count as off. A node that the answer doesn't name is off.
        return {name: STATES.get(word, word or OFFLINE) for name, word in words.items()}

    def node_is_online(self, node: str) -> bool:
        return self.node_states().get(node) == ONLINE

    def booting(self, nodes: list[str]) -> list[str]:
        if not nodes or not self.use_infra or self.infra_refusal() is not None:
            return []
        try:
            told = self._jobs.read(INFRA_OVERVIEW, {})
        except Fault:
            return []
        # Its form isn't documented (CONFD-118): unless it has one word per node, nothing is known.
        words = {str(key): str(word).lower() for key, word in told.items()} if isinstance(told, dict) else {}
        return [node for node in nodes if "running" in (words.get(str(self._ids.get(node))), words.get(node))]

    def node_status(self, node: str) -> str:
        return self.node_states().get(node, "").replace(OFFLINE, "")

    def node_is_suspended(self, node: str) -> bool:
        return self.node_states().get(node) == SUSPENDED

    def license_end(self) -> str:  # CONFD-175
        found = self._jobs.read("license_info", fits=lambda output: isinstance(output, dict))
        contract = found.get("Contract")
        told = contract.get("expiration_date") if isinstance(contract, dict) else None
        if told is None:  # the answer of versions before 8 isn't known (CONFD-176)
            raise ClusterError(f"{self.name}: license_info of this version doesn't report when the license ends")
        return str(told)

    def services(self) -> dict[str, str]:
        """Only the state of EXAStorage, because ConfD shows no services. It runs if st_volume_list answers, and it is
        down if the refusal says so. Any other refusal shows nothing about it.
        """
        try:
            self._jobs.read("st_volume_list", fits=is_rows)
        except Fault as fault:
            name = fault.result.get("result", {}).get("name", "")
            if STORAGE_DOWN.search(f"{name} {fault.text}"):
                return {STORAGED: NOT_RUNNING}
            raise
        return {STORAGED: OK}

    def databases(self) -> list[str]:
        return list(self._jobs.read("db_list", fits=is_names))

    def database(self, name: str) -> Database:
        return self._database(name)[0]

    def _database(self, name: str) -> tuple[Database, dict[str, Any]]:
        info = self._jobs.read("db_info", {"db_name": name}, of=name, fits=is_database)
        found = database_of(name, info)
        if found.accepts_connections and self._quorum.is_lost():
            found = found.with_(connectible=WITHOUT_QUORUM)
        return found, info

    def database_summary(self, name: str) -> Database:
        found, info = self._database(name)
        return found.with_(data_volume_name=data_volume(info))

    def database_layout(self, name: str) -> DatabaseConfigState:
        return configured(name, self._jobs.read("db_info", {"db_name": name}, of=name, fits=is_database))

    def database_errors(self, name: str) -> str:
        return self.failure_of(name)

    def failure_of(self, name: str) -> str:
        return self._work.error_of(name)

    def master(self) -> str:
        return self._jobs.session.master_name()

    def version(self) -> Optional[str]:
        return None  # no documented job shows the version

    def login_role(self) -> Optional[str]:
        """What the user may read. The jobs that would show its groups aren't documented."""
        volumes = self._may("st_volume_list")
        if volumes and self._may("node_state"):
            return "nodes, volumes and databases"
        try:
            names = self.databases()
        except Denied:
            if volumes:
                return "volumes"
            raise
        if names and self._may("db_state", db_name=names[0]):
            return "databases"
        return "volumes" if volumes else "names of databases"

    def rights(self) -> Optional[str]:
        return self.login_role()  # some users may ask for databases, and not for nodes

    def _may(self, job: str, **given: Any) -> bool:
        try:
            self._jobs.read(job, given)
        except Denied:
            return False
        except Fault:  # the user has the right, and something else is wrong
            return True
        return True

    def log_services(self) -> list[str]:
        return []

    def plugins(self) -> list[str]:
        return []

    def reachability(self) -> Reachability:
        self.nodes()
        states, session = self.node_states(), self._jobs.session
        online, suspended = (
            {name: hosts for name, hosts in self._hosts.items() if states.get(name) in wanted}
            for wanted in ([ONLINE], set(states.values()) - {ONLINE, OFFLINE})
        )
        found = observe(session, online, suspended)
        session.watch(found.urls)
        return found

    def answers(self) -> str:
        return self._jobs.session.answers()

    def news(self, names: list[str]) -> list[str]:
        return self._work.news(names)

    def collect(self, seconds: float) -> list[str]:
        return self._work.collect(seconds)

    # -- changes

    def start_nodes(self, nodes: list[str]) -> None:
        self.require(can.POWER_ON)
        self._work.submit(INFRA_START, {"nids": self.node_ids(nodes)}, of=" ".join(nodes), objects=nodes)

    def stop_nodes(self, nodes: list[str]) -> None:
        self.require(can.POWER_OFF)
        ids = self.node_ids(nodes)
        every = set(self._ids) <= set(nodes)
        self._work.submit(INFRA_STOP, {"nids": ids}, of=" ".join(nodes), objects=nodes, ends_api=every)

    def suspend_nodes(self, nodes: list[str], disable: bool = False) -> None:
        more = {"disable": True} if disable else {}
        self._jobs.execute_on("node_suspend", dict(zip(nodes, self.node_ids(nodes))), **more)

    def suspend_without_quorum(self, nodes: list[str]) -> None:
        suspend_without_quorum(self._jobs.session, nodes)

    def heard(self) -> list[str]:
        return self._jobs.session.heard()

    def resume_nodes(self, nodes: list[str], enable: bool = False) -> None:
        more = {"enable": True} if enable else {}
        self._jobs.execute_on("node_resume", dict(zip(nodes, self.node_ids(nodes))), **more)

    def start_database(self, name: str) -> None:
        self._work.submit("db_start", {"db_name": name}, of=name)

    def stop_database(self, name: str) -> None:
        self._work.submit("db_stop", {"db_name": name}, of=name)

    def force_stop_database(self, name: str) -> None:
        self._work.submit("db_stop", {"db_name": name, "force": True}, of=name)

    def abort_backup(self, name: str) -> None:
        self._jobs.execute("db_backup_abort", {"db_name": name}, of=name)


def _hosts(row: Mapping[str, Any]) -> list[str]:
    """The addresses and names by which a node may be reached."""
    return [plain_host(str(row[key])) for key in ("private_ip", "public_ip", "name") if row.get(key)]

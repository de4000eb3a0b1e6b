# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guards of docs/dangers.md, each at its decision: on a cluster of plain data, without a server.

A scenario: the rules of docs/dangers.md, whichever file refuses.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import (
    Act,
    Done,
    Each,
    Fail,
    History,
    Settings,
    Stage,
    Wait,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Denied, Refused, TimedOut
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import storage
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.providers import CONFD, PROVIDERS, Provider
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.databases.start_stop import Databases
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.nodes import boot, shutdown
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.view import PreviewedCluster
from ansible_collections.dbfleet.cluster.plugins.module_utils._http.client import normalized


def report(**parts: Any) -> PreviewedCluster:
    """A cluster that is up, as exa_cluster_info would tell of it, with other parts."""
    up = {
        "name": "exa-prod",
        "master": "n0010",
        "nodes": {"n0011": {"state": "online"}, "n0012": {"state": "online"}},
        "services": {"Loggingd": "OK", "Lockd": "OK", "Storaged": "OK", "DWAd": "OK"},
        "databases": {"DB1": {"state": "running", "connectible": "Yes"}},
    }
    return PreviewedCluster(None, {**up, **parts})


def off(*machines: str) -> dict[str, dict[str, str]]:
    return {name: {"state": "offline" if name in machines else "online"} for name in ("n0011", "n0012")}


def services(**other: str) -> dict[str, str]:
    return {"Loggingd": "OK", "Lockd": "OK", "Storaged": "OK", "DWAd": "OK", **other}


def offline_guards(cluster: PreviewedCluster, names: list[str]) -> list[Any]:
    return [stage.guard for stage in shutdown.offline(cluster, names, ["n0010"])]


def test_storage_waits_for_every_node() -> None:
    storage.refuse_unless_all_online(report(), [])
    with pytest.raises(Refused, match=r"EXAStorage not started: n0012 offline") as refusal:
        storage.refuse_unless_all_online(report(nodes=off("n0012")), [])
    assert "ignore_nodes" in str(refusal.value.hint)
    storage.refuse_unless_all_online(report(nodes=off("n0012")), ["n0012"])
    with pytest.raises(ClusterError, match="no node n0099"):
        storage.refuse_unless_all_online(report(nodes=off("n0012")), ["n0099"])


@pytest.mark.parametrize("service", ["Loggingd", "Lockd", "Storaged", "DWAd"])
def test_no_database_starts_under_a_sick_service(service: str) -> None:
    guard = Databases(report(services=services(**{service: "dying"}))).stages(["DB1"], "started")[0].guard
    assert guard is not None
    with pytest.raises(Refused, match=f"no database started: {service} dying") as refusal:
        guard()
    assert str(refusal.value.hint).startswith("run exa_cold_start, start EXAStorage alone (exa_storage state=started)")
    assert "nothing overrides this" in str(refusal.value.hint)


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_a_start_is_left_to_a_server_that_looks_itself(provider: Provider) -> None:
    """ConfD refuses db_start without EXAStorage; of EXAoperation nobody knows that, so there it stays refused."""

    def services() -> dict[str, str]:
        raise Denied("exa-prod: st_volume_list: the user may not do this")

    warned: list[str] = []
    cluster: Any = SimpleNamespace(services=services, provider=provider, name="exa-prod")
    start = Databases(cluster, warn=warned.append).refuse_unless_services_ok
    if provider is CONFD:
        start()
        assert "if not, the server refuses db_start" in warned[0]
    else:
        with pytest.raises(Denied):
            start()


def test_a_busy_database_is_neither_started_nor_stopped() -> None:
    for state in ("setup", "running"):
        busy = Database("DB1", state, operation="Restore")
        assert isinstance(Databases(report()).stopped("DB1", busy, History(busy)), Fail)
    stopped = Database("DB1", "setup", operation="Restore")
    assert isinstance(Databases(report()).started("DB1", stopped, History(stopped)), Fail)
    aborting = Databases(report(), on_operation="abort_backup")
    assert isinstance(aborting.stopped("DB1", stopped, History(stopped)), Fail)
    backup = stopped.with_(state="running", operation="Backup")
    assert isinstance(aborting.stopped("DB1", backup, History(backup)), Act)
    assert isinstance(Databases(report(), on_operation="wait").stopped("DB1", backup, History(backup)), Wait)


@pytest.mark.parametrize("wanted", ["started", "stopped", "restarted"])
@pytest.mark.parametrize("state", ["none", "crashed", ""])
def test_an_unknown_state_is_refused_and_later_awaited(state: str, wanted: str) -> None:
    strange = Database("DB1", state)
    decide = getattr(Databases(report()), wanted)
    decision = decide("DB1", strange, History(strange))
    assert isinstance(decision, Fail)
    assert repr(state) in decision.why
    assert isinstance(decide("DB1", strange, History(strange, joined=True)), Wait)


def test_a_booting_node_is_joined() -> None:
    arrival = boot.NodeBoot(report(), None, 0, print)
    for again, expected in ((False, Wait), (True, Act)):
        stage = boot.online(report(), ["n0011"], arrival, True, again)
        assert isinstance(stage.decide("n0011", "booting", History("booting")), expected)
        assert isinstance(stage.decide("n0011", "booting", History("booting", acted=["startupNode"])), Wait)


def test_exaoperation_must_be_on_a_license_server() -> None:
    with pytest.raises(Refused, match="EXAoperation runs on n0012"):
        shutdown.refuse_unless_master_is(report(master="n0012"), ["n0010"])
    shutdown.refuse_unless_master_is(report(master="n0012"), ["n0010", "n0012"])


@pytest.mark.parametrize("database", [{"state": "running"}, {"state": "startup"}, {"state": "?"}])
def test_storage_is_not_stopped_under_a_database(database: dict[str, str]) -> None:
    guard = storage.stopped(report(databases={"DB1": database, "DB2": {"state": "setup"}})).guard
    assert guard is not None
    with pytest.raises(Refused, match="EXAStorage not stopped: DB1") as refusal:
        guard()
    assert "DB2" not in refusal.value.message


def test_storage_is_not_stopped_under_a_restore() -> None:
    guard = storage.stopped(report(databases={"DB1": {"state": "setup", "operation": "Restore"}})).guard
    assert guard is not None
    with pytest.raises(Refused, match="operation Restore"):
        guard()


@pytest.mark.parametrize("state", ["OK", "stopping", "degraded", "what is this"])
def test_no_machine_is_shut_down_under_storage(state: str) -> None:
    for guard in offline_guards(report(services=services(Storaged=state)), ["n0011", "n0012", "n0010"]):
        with pytest.raises(Refused, match="Storaged is"):
            guard()


def test_license_servers_go_after_all_nodes() -> None:
    down = {"services": services(Storaged="not running")}
    *_others, last = offline_guards(report(nodes=off("n0011"), **down), ["n0010"])
    with pytest.raises(Refused, match="n0012 still online"):
        last()
    *_others, last = offline_guards(report(nodes=off("n0011", "n0012"), **down), ["n0010"])
    last()


def test_a_wait_ends_with_the_last_state() -> None:
    task = SimpleNamespace(
        params={}, timeline=None, check_mode=False, say=lambda *_lines: None, warn=lambda _text: None
    )
    stage = Stage(
        noun="nodes",
        done="online",
        names=["n0011"],
        read=Each(lambda _name: "booting"),
        decide=lambda _name, state, _history: Wait(state),
    )
    with pytest.raises(TimedOut, match=r"nodes: not online after 0.3 s: n0011 is booting") as end:
        Converge(task, "exa-prod", Settings(timeout=0.3)).run([stage])
    assert end.value.last_state == "booting"
    done = Stage(
        noun="nodes",
        done="online",
        names=["n0011"],
        read=Each(lambda _name: "online"),
        decide=lambda _name, _state, _history: Done(),
    )
    assert Converge(task, "exa-prod", Settings(timeout=0.3)).run([done])["changed"] is False


def test_credentials_in_a_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(ClusterError, match="contains credentials") as error:
        normalized("https://admin:made-up@ls.example.com/cluster1")
    assert "made-up" not in str(error.value)

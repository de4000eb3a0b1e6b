# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When EXAStorage is started and stopped, and when that is refused."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Act, Done, Fail, History, Wait
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, NoSuchObject, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import storage
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database


def decided(stage, services):
    return stage.decide(storage.NAME, services, History(services))


@pytest.mark.parametrize(
    ("services", "kind"),
    [
        ({"Lockd": "OK", "Storaged": "OK"}, Done),
        ({"Lockd": "OK", "Storaged": "not running"}, Act),
        ({"Lockd": "sick", "Storaged": "not running"}, Act),
        ({"Lockd": "sick", "Storaged": "OK"}, Wait),
        ({"Lockd": "OK", "Storaged": "starting"}, Wait),
        ({"Lockd": "OK", "Storaged": "ok"}, Wait),
    ],
)
def test_started(new_cluster, services, kind):
    assert isinstance(decided(storage.started(new_cluster(), []), services), kind)


@pytest.mark.parametrize(
    ("state", "kind"),
    [("OK", Act), ("not running", Done), ("stopping", Wait), ("Shutting down", Wait), ("degraded", Act)],
)
def test_stopped(new_cluster, state, kind):
    assert isinstance(decided(storage.stopped(new_cluster()), {"Lockd": "OK", "Storaged": state}), kind)


def test_it_is_not_taken_the_other_way_while_somebody_is_at_it(new_cluster):
    """Who starts EXAStorage goes on with databases, who stops it with nodes."""
    up, down = storage.started(new_cluster(), []), storage.stopped(new_cluster())
    stopping, starting = {"Storaged": "stopping"}, {"Storaged": "starting"}
    assert decided(up, stopping) == Wait("Storaged stopping", then=("startEXAStorage",), against=True)
    assert decided(down, starting) == Wait("Storaged starting", then=("stopEXAStorage",), against=True)
    for stage, services, words in ((up, stopping, "being stopped"), (down, starting, "being started")):
        found = stage.decide(storage.NAME, services, History(services, acted=["it"]))
        assert isinstance(found, Fail)
        assert found.why == f"{words} (Storaged {services['Storaged']}), and not by this run"
        assert "somebody else works against this run" in found.hint
        assert stage.falls_back


@pytest.mark.parametrize("ignored", [[], ["n0012"], ["n12"], ["12"]])
def test_the_ignored_nodes_reach_the_call(new_cluster, ignored):
    cluster = new_cluster()
    decided(storage.started(cluster, ignored), {"Storaged": "not running"}).call()
    assert cluster.calls == [("start_storage", ["n0012"] if ignored else [])]


def test_every_node_must_be_online(new_cluster):
    cluster = new_cluster(online={"n0011": True, "n0012": False, "n0013": False})
    with pytest.raises(Refused, match="n0012 n0013 offline") as caught:
        storage.started(cluster, []).guard()
    assert "ignore_nodes" in caught.value.hint
    with pytest.raises(Refused, match="n0013 offline"):
        storage.started(cluster, ["n0012"]).guard()
    assert storage.started(cluster, ["n0012", "n0013"]).guard() is None
    cluster.online = {"n0011": True}
    assert storage.started(cluster, []).guard() is None


def test_an_empty_cluster_is_refused(new_cluster):
    with pytest.raises(ClusterError, match="names no nodes"):
        storage.started(new_cluster(online={}), []).guard()


def test_a_misspelt_ignored_node_is_refused(new_cluster):
    with pytest.raises(NoSuchObject, match=r"no node n0021 \(did you mean"):
        storage.started(new_cluster(), ["n0021"]).guard()


@pytest.mark.parametrize(
    "busy",
    [
        Database("DB2", "running", "Yes"),
        Database("DB2", "startup"),
        Database("DB2", "shutdown"),
        Database("DB2", "crashed"),
        Database("DB2", "setup", operation="Restore"),
    ],
)
def test_storage_is_not_stopped_under_a_database(new_cluster, busy):
    cluster = new_cluster(databases={"DB1": Database("DB1", "setup"), "DB2": busy})
    with pytest.raises(Refused, match=f"DB2 is {busy.state}") as caught:
        storage.stopped(cluster).guard()
    assert caught.value.failed_object == "DB2"
    assert "DB1" not in caught.value.message


@pytest.mark.parametrize("state", ["setup", "Setup", "none"])
def test_it_is_stopped_when_all_are(new_cluster, state):
    assert storage.stopped(new_cluster(databases={"DB1": Database("DB1", state)})).guard() is None


def test_predictions(new_cluster):
    services = {"Lockd": "sick", "Storaged": "OK"}
    assert storage.started(new_cluster(), []).target("", services) == {"Lockd": "OK", "Storaged": "OK"}
    assert storage.stopped(new_cluster()).target("", services) == {"Lockd": "sick", "Storaged": "not running"}
    assert storage.service_words(services) == "Lockd sick"

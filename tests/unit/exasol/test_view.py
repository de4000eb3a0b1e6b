# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster as earlier tasks would have left it."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Fault
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.view import PreviewedCluster

KNOWN = {
    "nodes": {"n0012": {"state": "online"}, "n0011": {"state": "offline"}},
    "services": {"Storaged": "OK"},
    "databases": {"DB1": {"state": "setup", "connectible": "No", "operation": "None", "connection_string": ""}},
    "master": "n0011",
    "name": "exa-known",
}


def test_what_is_known_is_not_asked(new_cluster):
    view = PreviewedCluster(new_cluster(online={"n0011": True, "n0012": False}), KNOWN)
    assert (view.node_is_online("n0011"), view.node_is_online("n0012")) == (False, True)
    assert (view.node_status("n0011"), view.node_status("n0012")) == ("", "online")
    assert view.services() == {"Storaged": "OK"}
    assert view.database("DB1") == Database("DB1", "setup")
    assert view.master() == "n0011"


def test_the_rest_is_asked(new_cluster):
    db2 = Database("DB2", "running")
    cluster = new_cluster(online={"n0013": True}, status={"n0013": "Running"}, databases={"DB2": db2})
    view = PreviewedCluster(cluster, {})
    assert view.name == "exa-unit"
    assert view.nodes() == ["n0013"]
    assert view.node_is_online("n0013")
    assert view.node_status("n0013") == "Running"
    assert view.services() == cluster.service_states
    assert view.databases() == ["DB2"]
    assert view.database("DB2") is db2
    assert view.master() == "n0010"
    assert view.url == cluster.url
    assert view.answers()


def test_what_is_known_of_a_machines_power_is_not_asked(new_cluster):
    known = {**KNOWN, "nodes": {"n0011": {"state": "booting"}}, "sight": {"license_servers": {"n0009": "booting"}}}
    cluster = new_cluster(status={"n0012": None})
    view, alone = PreviewedCluster(cluster, known), PreviewedCluster(None, known)
    assert [view.node_told(node) for node in ("n0011", "n0012")] == ["booting", None]
    assert [alone.node_told(node) for node in ("n0011", "n0009", "n0010")] == ["booting", "booting", ""]


def test_a_report_alone():
    view = PreviewedCluster(None, KNOWN)
    assert view.name == "exa-known"
    assert view.nodes() == ["n0012", "n0011"]
    assert view.databases() == ["DB1"]
    assert view.node_is_online("n0010")
    assert view.answers()
    assert view.call_plugin("P", "n0011", "STATUS") == (0, "")
    assert view.database_errors("DB1") == ""


@pytest.mark.parametrize(
    "ask", [lambda v: v.services(), lambda v: v.database("DB9"), lambda v: v.master(), lambda v: v.version()]
)
def test_what_a_report_does_not_say_is_an_error_in_a_sentence(ask):
    with pytest.raises(ClusterError, match="can't be known without asking the cluster"):
        ask(PreviewedCluster(None, {}))


def test_a_plugin_on_a_node_that_is_off_does_not_run(new_cluster):
    cluster = new_cluster()

    def refuse(*_args):
        raise Fault("node is off")

    cluster.call_plugin = refuse
    assert PreviewedCluster(cluster, {}).call_plugin("P", "n0011", "STATUS") == (0, "")

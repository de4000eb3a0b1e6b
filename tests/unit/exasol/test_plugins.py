# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plugin's service on nodes."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Act, History
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Fault, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.plugins import RESTS, RUNS, Plugin


def short(decision):
    return decision.name if isinstance(decision, Act) else type(decision).__name__


@pytest.mark.parametrize(
    ("output", "state"),
    [("vmtoolsd is running", RUNS), ("x (pid 27) is running...", RUNS), ("is not running", RESTS), ("", RESTS)],
)
def test_what_status_says(new_cluster, output, state):
    cluster = new_cluster(plugin_answer=(0, output))
    assert Plugin(cluster, "P", "is running").read("n0011") == state
    assert cluster.calls == [("P", "n0011", "STATUS", False)]


@pytest.mark.parametrize(
    ("how", "state", "acted", "wanted"),
    [
        ("started", RESTS, [], "START"),
        ("started", RUNS, [], "Done"),
        ("stopped", RUNS, [], "STOP"),
        ("stopped", RESTS, [], "Done"),
        ("restarted", RUNS, [], "STOP"),
        ("restarted", RESTS, [], "START"),
        ("restarted", RESTS, ["STOP"], "START"),
        ("restarted", RUNS, ["STOP", "START"], "Done"),
        ("restarted", RESTS, ["STOP", "START"], "START"),
    ],
)
def test_decisions(new_cluster, how, state, acted, wanted):
    decided = getattr(Plugin(new_cluster(), "P", "is running"), how)("n0011", state, History(state, acted))
    assert short(decided) == wanted


def test_a_command_that_ends_badly_is_a_fault_with_its_words(new_cluster):
    cluster = new_cluster(plugin_answer=(256, "\nStopping hpsmhd:\n failed"))
    stage = Plugin(cluster, "P", "is running").stages(["n0011"], "stopped")[0]
    with pytest.raises(Fault, match="callPlugin P STOP on n0011: it ended with status 256: Stopping hpsmhd: failed$"):
        stage.decide("n0011", RUNS, History()).call()
    assert cluster.calls == [("P", "n0011", "STOP", True)]


@pytest.mark.parametrize(("how", "end"), [("started", RUNS), ("stopped", RESTS), ("restarted", RUNS)])
def test_the_stage(new_cluster, how, end):
    stage = Plugin(new_cluster(), "P", "is running").stages(["n0011"], how)[0]
    assert (stage.noun, stage.done, stage.target("n0011", RESTS)) == ("plugin P", end, end)


def test_a_restart_is_foretold_whole(new_cluster):
    decision = Plugin(new_cluster(), "P", "is running").restarted("n0011", RUNS, History(RUNS))
    assert isinstance(decision, Act)
    assert (decision.name, decision.then) == ("STOP", ("START",))


def test_no_service_is_started_where_one_of_the_nodes_is_off(new_cluster):
    """Nodes whose STATUS went wrong are asked for, and neither a license server nor one that was seen to answer."""
    answers = {"n0010": (256, ""), "n0011": (256, "not active"), "n0012": (256, "not online"), "n0013": (0, "stopped")}
    cluster = new_cluster()
    asked: list[str] = []
    cluster.call_plugin = lambda _plugin, node, _command, changing=True: answers[node]
    cluster.node_is_online = lambda node: asked.append(node) or node != "n0012"
    plugin = Plugin(cluster, "P", "is running", ["n0010"])
    stage = plugin.stages(list(answers), "started")[0]
    stage.look(list(answers))
    assert stage.guard is not None
    with pytest.raises(
        Refused, match="plugin P not started: n0012 offline, and its service could not be started there"
    ):
        stage.guard()
    assert sorted(asked) == ["n0011", "n0012"]
    answers.update(n0011=(0, "is running"), n0012=(0, "is running"))
    stage.look(list(answers))
    answers.update(n0011=(256, "not active"), n0012=(256, "not active"))
    stage.look(list(answers))
    stage.guard()
    assert len(asked) == 2
    assert plugin.stages(["n0011"], "stopped")[0].guard is None

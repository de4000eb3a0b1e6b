# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plugin's service on nodes."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Act, History
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import Fault
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

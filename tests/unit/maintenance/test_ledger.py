# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far each cluster has come, the table of all, and the command that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible import constants
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.maintenance import ledger


@pytest.fixture(autouse=True)
def _of_this_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(ledger, "WIDTH", None)


@pytest.fixture
def settled(cli: Any) -> None:
    cli()
    ledger.settle(waves=[["a"], ["b", "c"], ["d"]], gates=[], check=False, progress="auto")


def texts() -> list[str]:
    return [text for text, _colour in ledger.words()[0]]


def test_nothing_is_said_where_nothing_was_planned() -> None:
    assert ledger.words() == ([], True)


def test_what_is_known_of_a_cluster_adds_up(tmp_path: Path) -> None:
    assert ledger.read("a") == {}
    assert ledger.result_of(ledger.read("a")) == "not begun"
    ledger.write("a", phase="begin", began=10.0)
    ledger.write("a", phase="work")
    assert ledger.result_of(ledger.read("a")) == "not ended"
    ledger.write("a", result="done", ended=130.0)
    with next(tmp_path.glob("dbfleet-maintenance-*")).open("a") as file:
        file.write('{"phase": "cut o')
    assert ledger.read("a") == {"phase": "work", "began": 10.0, "result": "done", "ended": 130.0}
    assert ledger.result_of(ledger.read("a")) == "done"


@pytest.mark.usefixtures("settled")
def test_the_table_and_the_command_that_goes_on() -> None:
    """What needs attention first; the sick are named as accepted, unless they are up again."""
    ledger.write("a", product="exa", phase="verify", began=0.0, state="up", result="done", ended=130.0)
    ledger.write(
        "b",
        product="exa",
        phase="cold start",
        began=100.0,
        state="unreachable",
        result="sick",
        ended=190.0,
        cause="b: DB1\nfailed",
    )
    ledger.write("c", product="nuodb", phase="work", began=100.0, state="up")
    lines, is_good = ledger.words()
    assert not is_good
    assert [text.split()[:2] for text, _colour in lines[:5]] == [
        ["CLUSTER", "RESULT"], ["b", "sick"], ["c", "not"], ["d", "not"], ["a", "done"],
    ]  # fmt: skip
    assert lines[1][0] == "b        sick       2/3   cold start  01:30         DB1 failed"
    assert lines[1][1] == constants.COLOR_ERROR
    assert "the host became unreachable, a task ended the host or the play, or the run was stopped" in lines[2][0]
    assert lines[5][0] == "maintenance: 4 clusters: 1 sick, 1 not ended, 1 not begun, 1 done"
    assert lines[6][0].startswith("goes on: ansible-playbook")
    assert (
        "-e target=b,c,d -e confirm=b,c,d -e maintenance_accept=b,c -e exa_graceful_shutdown_unreachable=down "
        "-e nuodb_graceful_shutdown_unreachable=down   # AWX"
    ) in lines[6][0]


@pytest.mark.usefixtures("settled")
def test_a_cluster_whose_state_is_not_known_is_named_too() -> None:
    ledger.write("a", product="exa", phase="work", began=0.0)
    assert "-e maintenance_accept=a " in texts()[-1]


def test_a_cluster_that_was_accepted_and_is_not_begun_stays_accepted(cli: Any) -> None:
    cli()
    ledger.settle(waves=[["a"], ["b"], ["c"]], gates=[], accepted=["a", "b"], check=False, progress="auto")
    ledger.write("a", product="exa", phase="shutdown", began=0.0, state="up", result="sick", ended=1.0)
    assert "-e confirm=a,b,c -e maintenance_accept=b   # AWX" in texts()[-1]


@pytest.mark.usefixtures("settled")
def test_a_cluster_that_was_cut_off_node_by_node() -> None:
    """Which node is out is known to the cluster alone, and -e would say it of every cluster of the next run."""
    ledger.write("b", product="nuodb", phase="rolling", began=0.0)
    assert texts()[-2].startswith("b: if a node or server of this cluster is out, set maintenance_rolling_cut_off")
    ledger.write("b", state="up", result="done", ended=1.0)
    assert not [text for text in texts() if "maintenance_rolling_cut_off" in text]


@pytest.mark.usefixtures("settled")
def test_when_all_is_done() -> None:
    for host in "abcd":
        ledger.write(host, product="exa", phase="verify", began=0.0, state="up", result="done", ended=1.0)
    lines, is_good = ledger.words()
    assert is_good
    assert lines[-1] == ("maintenance: 4 clusters: 4 done", None)


def test_a_preview_says_so(cli: Any) -> None:
    cli()
    ledger.settle(waves=[["a"]], gates=[], check=True, progress="auto")
    ledger.write("a", product="exa", phase="verify", began=0.0, result="previewed", ended=1.0)
    assert ledger.words()[1]
    assert texts()[-1] == "maintenance: 1 cluster: 1 previewed (check mode: nothing was changed)"

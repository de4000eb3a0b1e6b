# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs that end, hang, and are polled."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd.catalogue import JOBS
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab


def test_a_job_that_the_simulator_cannot_carry_out_ends(
    lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = lab()

    def broken(call: Any) -> None:
        raise KeyError("in its function")

    monkeypatch.setitem(JOBS, "db_list", dataclasses.replace(JOBS["db_list"], function=broken))
    job = one.call("job_start", "db_list")
    one.pass_time(1)
    result = one.call("job_result", job)
    assert (result["result_code"], result["result_name"], result["result_desc"]) == (1, "ERROR", "internal error")
    assert one.call("job_wait", job) is True
    assert one.call("job_info", job)["stage"] == "finished"
    assert "KeyError: 'in its function'" in capsys.readouterr().err


def test_a_job_that_hangs_goes_on_when_it_may(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.fault(kind="job_stays", object="db_list", state="scheduled")
    job = one.call("job_start", "db_list")
    one.pass_time(1000)
    assert one.call("job_info", job)["stage"] == "scheduled"
    one.forgive()
    assert one.call("job_result", job)["result_code"] == 0


def test_polls_are_reads_of_a_job_or_its_object(lab: Callable[..., Lab]) -> None:
    one = lab(clock="polls:3")
    job = one.call("job_start", "db_start", {"params": {"db_name": "DB2"}})
    assert [one.call("job_wait", job) for _time in range(4)] == [False, False, True, True]
    job = one.call("job_start", "db_stop", {"params": {"db_name": "DB2"}})
    states = [one.call("job_exec", "db_state", {"params": {"db_name": "DB2"}})["result_output"] for _time in range(4)]
    assert states == ["shutdown", "shutdown", "shutdown", "setup"]
    assert one.call("job_finished", job) is True


def test_a_job_counts_as_collected_when_its_result_was_fetched(lab: Callable[..., Lab]) -> None:
    one = lab()
    job = one.call("job_start", "db_list")
    one.call("job_result", job)  # not over yet
    assert one.cluster.state()["jobs"][job]["collected"] is False
    one.ok("db_state", db_name="DB1")
    assert [row["collected"] for row in one.cluster.state()["jobs"].values()] == [False, True]
    one.pass_time(1)
    one.call("job_wait", job)
    assert one.cluster.state()["jobs"][job] == {"name": "db_list", "stage": "finished", "collected": False}
    one.call("job_result", job)
    assert one.cluster.state()["jobs"][job]["collected"] is True


def test_the_history_is_kept_short_whatever_goes_on(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"job_history": 5})
    one.fault(kind="job_stays", object="db_stop", state="scheduled")
    job = one.call("job_start", "db_stop", {"params": {"db_name": "DB1"}})
    for _time in range(20):
        one.ok("db_list")
    jobs = one.cluster.state()["jobs"]
    assert len(jobs) == 5
    assert job in jobs

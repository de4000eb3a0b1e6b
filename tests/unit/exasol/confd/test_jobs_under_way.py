# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results of jobs that were begun are fetched, at the wire. What else is made of such jobs: test_jobs.py."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd import jobs_under_way
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd.jobs_under_way import JobsUnderWay
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.fake_nodes import Nodes, failed, result, turns
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import HUNG

START = [True, ["Start.", {"db_name": {"desc": "Name", "type": "(<class 'str'>,)"}}, {}, {}, ["root"], []]]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_under_way, "PAUSE", 0.01)


def begun(*objects: str, **rpc: Any) -> tuple[JobsUnderWay, Nodes]:
    nodes = Nodes(job_desc=START, job_start=turns("11.1", "11.2", "11.3"), **rpc)
    work = JobsUnderWay(nodes.jobs())
    for name in objects:
        work.submit("db_start", {"db_name": name}, of=name)
    return work, nodes


def fetched(nodes: Nodes) -> list[str]:
    return [call[1] for call in nodes.calls if call[0] == "job_result"]


def test_each_job_that_is_over_is_fetched_once() -> None:
    work, nodes = begun("DB1", "DB2", "DB1", job_finished=True, job_result=result())
    assert work.collect(1) == []
    assert fetched(nodes) == ["11.1", "11.2", "11.3"]  # the first one of DB1, which another has followed, too
    assert work.collect(1) == []
    assert len(fetched(nodes)) == 3


def test_a_job_whose_failure_was_told_is_not_fetched_again() -> None:
    work, nodes = begun("DB1", job_finished=True, job_result=failed("no space"))
    assert work.error_of("DB1") == "no space"
    assert work.collect(1) == []
    assert fetched(nodes) == ["11.1"]


def test_a_job_that_ends_soon_is_waited_for() -> None:
    work, nodes = begun("DB1", job_finished=False, job_wait=turns(False, True), job_result=failed("no space"))
    assert work.collect(5) == []
    assert (nodes.count("job_wait"), fetched(nodes)) == (2, ["11.1"])


def test_a_job_that_goes_on_is_told_of() -> None:
    work, nodes = begun("DB1", job_finished=False, job_wait=False, job_result=result())
    (says,) = work.collect(0.05)
    assert says.startswith("exa-unit: job 11.1 (db_start of DB1) goes on, and nobody fetches its result")
    assert 'exa_job, job_id: "11.1"' in says
    assert fetched(nodes) == []


def test_who_does_not_wait_fetches_what_is_over() -> None:
    work, nodes = begun("DB1", "DB2", job_finished=turns(True, False), job_wait=False, job_result=result())
    assert len(work.collect(0)) == 1
    assert (nodes.count("job_wait"), fetched(nodes)) == (0, ["11.1"])


def test_a_server_that_hangs_is_left_alone() -> None:
    work, nodes = begun("DB1", "DB2")
    nodes.odd = {"n11:443": HUNG}
    assert len(work.collect(0.05)) == 2


def test_a_job_that_ends_the_api_is_not_asked_for() -> None:
    nodes = Nodes(job_desc=START, job_start="11.1")
    work = JobsUnderWay(nodes.jobs())
    work.submit("db_start", {"db_name": "DB1"}, of="DB1", ends_api=True)
    calls = len(nodes.sent)
    assert (work.collect(1), len(nodes.sent)) == ([], calls)

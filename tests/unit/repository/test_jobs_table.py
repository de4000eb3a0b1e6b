# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/jobs.md keeps up with the code, with the modules' options, and with the documents that name the jobs."""

from __future__ import annotations

import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd import known_jobs
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd import service
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd.catalogue import JOBS
from ansible_collections.dbfleet.cluster.tests.gates import jobs_table

ROOT = Path(__file__).resolve().parents[3]
NAMED = {job for table in (known_jobs.READING, known_jobs.CHANGING) for jobs in table.values() for job in jobs}
MODULES = "ansible_collections.dbfleet.cluster.plugins.modules"
REFERENCE = Path(os.environ.get("DBFLEET_REFERENCE") or ROOT.parent / "shared/reference")
ANEW = "write it anew with: make jobs-table"

assert service


def test_the_document_is_up_to_date() -> None:
    text = jobs_table.TABLE.read_text(encoding="utf-8")
    assert text == jobs_table.table(known_jobs.READING, known_jobs.CHANGING), ANEW


def test_each_job_of_the_code_has_a_row_and_a_module() -> None:
    used = jobs_table.used(NAMED)
    assert set(used) - NAMED == set(), "name it in _exasol/confd/known_jobs.py"
    missing = {job: files for job, files in used.items() if job not in jobs_table.REACHED}
    assert missing == {}, "say in REACHED of tests/gates/jobs_table.py which module and option lead to it"


def test_no_row_promises_what_the_code_does_not_do() -> None:
    assert set(jobs_table.REACHED) - set(jobs_table.used(NAMED)) == set()


@pytest.mark.parametrize("module", sorted({place[0] for places in jobs_table.REACHED.values() for place in places}))
def test_each_row_names_an_option_that_is_there(module: str) -> None:
    spec: dict[str, Any] = import_module(f"{MODULES}.{module}").SPEC["argument_spec"]
    for job, places in jobs_table.REACHED.items():
        for option in [place[1] for place in places if place[0] == module]:
            path, _equals, value = option.partition("=")
            found: dict[str, Any] = {"options": spec}
            for name in path.split(".") if path else ():
                assert name in found["options"], (job, module, option)
                found = found["options"][name]
            assert not value or value in found["choices"], (job, module, option)


def test_each_parameter_has_an_option_or_is_left_to_exa_job() -> None:
    names = {place[0] for places in jobs_table.REACHED.values() for place in places}
    spoken = jobs_table.spoken({name: import_module(f"{MODULES}.{name}").SPEC["argument_spec"] for name in names})
    left = {
        (job, parameter.name)
        for job in jobs_table.REACHED
        for parameter in JOBS[job].parameters
        if parameter.name not in spoken
    }
    there = {(job, parameter.name) for job in jobs_table.REACHED for parameter in JOBS[job].parameters}
    assert left <= set(jobs_table.LEFT) <= there, "say in LEFT of tests/gates/jobs_table.py why, or give it an option"


def test_each_job_that_the_simulator_has_is_named() -> None:
    assert set(JOBS) - NAMED == set()


def test_each_job_of_the_documents_is_named() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(REFERENCE.glob("confd_*.txt"))]
    if not texts:
        pytest.skip(f"the ConfD documents aren't in {REFERENCE}; set DBFLEET_REFERENCE")
    groups = "db|st_volume|node|remote_volume"
    words = {word for text in texts for word in re.findall(rf"\b(?:{groups})_[a-z_]+\b", text)}
    run = {word for text in texts for word in re.findall(r"job_(?:exec|help) *\( *'(\w+)'", text)}
    parameters = {
        "db_name", "node_id", "node_ids", "node_num", "nodes_list", "remote_volume_name", "remote_volume_id",
    }  # fmt: skip
    assert len(run) >= 12
    assert (words - parameters) | run <= NAMED
    text = jobs_table.TABLE.read_text(encoding="utf-8")
    assert [job for job in sorted(NAMED) if f"| `{job}` |" not in text] == []

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two ConfD documents: what is an example, what a table, what is put right, and what the text says."""

from __future__ import annotations

import ast
import re
import ssl
from typing import Any, Callable
from urllib.parse import urlsplit
from xmlrpc.client import ProtocolError, ServerProxy

import pytest
import requests
from confd_documents import (
    EXAMPLES,
    INTRODUCTION,
    REPAIRS,
    UNKNOWN,
    Document,
    directory,
    examples,
    introduction,
    printed,
    repaired,
)

ANY_NODE = "11.10.10.11"
"""The address that the documents ask for the master: "any valid IP in the cluster"."""
PASSWORD = "testing"
USERS = [{"name": "root", "password": PASSWORD}]
CLUSTER: dict[str, Any] = {
    "product": "exasol", "provider": "confd", "name": "exa-confd", "version": "6.2.7", "users": USERS,
    # a name leads where the reader's machine says: the document's port 443 can be kept
    "settings": {"master_answer": "{address}"},
}  # fmt: skip
TWO_NODES = {"n11": {"private_ip": ANY_NODE}, "n12": {"private_ip": "11.10.10.12"}}
TAUGHT: dict[str, Any] = {"master": "n12", "nodes": TWO_NODES, "volumes": {"DataVolume1": {}}}
"""The cluster of the introduction."""


def _document(name: str, parse: Callable[[str], Document]) -> Document:
    if not (directory() / name).is_file():
        pytest.skip(f"the reference document {name} isn't in {directory()}; set DBFLEET_REFERENCE")
    return parse(repaired(name))


@pytest.fixture
def by_example() -> Document:
    return _document(EXAMPLES, examples)


@pytest.fixture
def intro() -> Document:
    return _document(INTRODUCTION, introduction)


# ---------------------------------------------------------------------------------------- the documents by themselves


def test_no_example_is_left_out(by_example: Document) -> None:
    """25 statements, 17 of which run a job and show its answer; 36 rows of tables; the rest is no Python."""
    document = by_example
    assert len(document.examples) == 25
    text = repaired(EXAMPLES)
    assert document.lines() == len(text.splitlines()) == len(printed(EXAMPLES).splitlines())
    assert text.count(">>> ") == 23
    jobs = [example.job for example in document.examples if example.job]
    assert len(jobs) == text.count("conn.job_exec(") == 18
    shown = [example for example in document.examples if example.output]
    assert len(shown) == text.count("'result_jobid'") == 17
    # the one that shows nothing says "Output example", which is the next one's
    silent = [example.number for example in document.examples if example.job and not example.output]
    assert silent == [10]
    assert document.examples[9].job == document.examples[10].job
    assert all(example.shown["result_code"] == 0 for example in shown)
    assert {len(example.output) for example in shown if "pprint" not in example.code} == {1}
    assert not [line for line in document.prose if re.match(r">|\s*[{\['#]", line) or "job_exec(" in line]


def test_no_line_of_the_introduction_is_left_out(intro: Document) -> None:
    """Eleven statements, three of which show what they print; an excerpt of a configuration; the rest is no Python."""
    assert len(intro.examples) == 11
    assert [len(example.output) for example in intro.examples if example.output] == [1, 3, 69]
    text = repaired(INTRODUCTION)
    assert intro.lines() == len(text.splitlines()) == len(printed(INTRODUCTION).splitlines()) + 5
    assert len(re.findall(r"print \(|requests\.get", text)) == 6
    assert sum("print" in example.code or "requests.get" in example.code for example in intro.examples) == 6
    assert text.count("# example output") == 3
    assert len(intro.settings) == 7
    for line in intro.prose:
        with pytest.raises(SyntaxError):
            ast.parse(line.strip())


def test_every_row_of_the_tables_is_understood(by_example: Document) -> None:
    rows = by_example.rows
    assert len(rows) == 36
    assert len({row.job for row in rows}) == 34  # two stand in two tables
    assert sum(row.columns == 4 for row in rows) == 14
    for row in rows:
        assert re.fullmatch(r"[A-Za-z].*[^,]", row.description)
        for name in (*row.parameters, *row.optional, *row.substitutes, *row.groups):
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name), (row.job, name)
        assert not row.parameters & (row.optional | row.substitutes)
    without = {row.job for row in rows if not row.parameters}
    assert without == {"remote_volume_list", "node_list", "node_state", "node_info", "st_volume_list"}


def test_repairs_are_numbered_reasoned_and_needed() -> None:
    assert [repair.number for repair in REPAIRS] == list(range(1, len(REPAIRS) + 1))
    assert all(len(repair.reason) > 20 for repair in REPAIRS)
    for name in (EXAMPLES, INTRODUCTION):
        if not (directory() / name).is_file():
            pytest.skip(f"the reference document {name} isn't in {directory()}; set DBFLEET_REFERENCE")
        whole = repaired(name)
        for repair in REPAIRS:
            if repair.document == name:
                assert repaired(name, but=repair.number) != whole
    # what was put in without a source is exactly what isn't compared
    assert all(repaired(INTRODUCTION).count(words) == 1 for words in UNKNOWN)


# ------------------------------------------------------------------------------------------------ what the text says


def api(simulation: Any, node: int = 0, password: str = PASSWORD, path: str = "/") -> Any:
    host = urlsplit(simulation.cluster["api_url"][node]).netloc
    context = ssl._create_unverified_context()
    return ServerProxy(f"https://root:{password}@{host}{path}", context=context, allow_none=True)


def test_wrong_password(by_example: Document, simulate: Any) -> None:
    """The message that a note of the document explains, as Python prints it."""
    note = next(line for line in by_example.prose if "401" in line)
    said = re.search(r"<ProtocolError for (root:testing@)IPADDRESS:443/(: .*>) please", note)
    assert said
    simulation = simulate({**CLUSTER, "users": [{"name": "root", "password": "another"}], "nodes": {"n11": {}}})
    with pytest.raises(ProtocolError) as caught:
        api(simulation).job_exec("db_list")
    host = urlsplit(simulation.cluster["api_url"][0]).netloc
    assert str(caught.value) == repr(caught.value) == f"<ProtocolError for {said.group(1)}{host}/{said.group(2)}"
    assert api(simulation, password="another").job_exec("db_list")["result_output"] == []


def test_a_node_that_is_not_the_master_redirects(intro: Document, simulate: Any) -> None:
    """'Clients can send RPC requests to any node in the cluster but if that node is not a master node ... 302'."""
    assert any("302 (redirected)" in line for line in intro.prose)
    simulation = simulate({**CLUSTER, **TAUGHT})
    for path in ("/", "/rpc2", "/RPC2"):
        with pytest.raises(ProtocolError) as caught:
            api(simulation, 0, path=path).job_exec("db_list")
        assert caught.value.errcode == 302
        assert api(simulation, 1, path=path).job_exec("db_list")["result_output"] == []
        # handled as one would by hand: the same again, where it says
        first = simulation.cluster["api_url"][0].rstrip("/") + path
        call = "<methodCall><methodName>job_exec</methodName><params><param>db_list</param></params></methodCall>"
        with requests.Session() as session:
            session.trust_env = False
            options: dict[str, Any] = {"auth": ("root", PASSWORD), "verify": simulation.cluster["ca_path"]}
            answer = session.post(first, data=call, allow_redirects=False, timeout=20, **options)
            assert answer.status_code == 302
            there = session.post(answer.headers["Location"], data=call, timeout=20, **options)
        assert there.status_code == 200
        assert "<name>result_code</name>" in there.text


def test_only_https(intro: Document, simulate: Any) -> None:
    assert any("removes insecure HTTP support and only listens on HTTPS" in line for line in intro.prose)
    simulation = simulate({**CLUSTER, **TAUGHT})
    plain = simulation.cluster["api_url"][1].replace("https:", "http:")
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(requests.ConnectionError):
            session.get(plain.rstrip("/") + "/master", timeout=20)


def test_job_exec_is_start_wait_and_result(intro: Document, simulate: Any) -> None:
    """'it combines 'job_start', 'job_wait', and 'job_result' together'."""
    assert any("combines 'job_start', 'job_wait', and 'job_result'" in line for line in intro.prose)
    server = api(simulate({**CLUSTER, **TAUGHT}), 1)
    for name, params in (("db_list", {}), ("node_state", {}), ("db_state", {"db_name": "DB1"})):
        arguments = [name, {"params": params}] if params else [name]
        at_once = server.job_exec(*arguments)
        job = server.job_start(*arguments)
        assert isinstance(job, str)
        while not server.job_wait(job):
            pass
        assert server.job_finished(job) is True
        one_by_one = server.job_result(job)
        assert one_by_one["result_jobid"] == job != at_once["result_jobid"]
        assert {**one_by_one, "result_jobid": ""} == {**at_once, "result_jobid": ""}
    # a job that is refused is refused alike
    assert at_once["result_code"] != 0

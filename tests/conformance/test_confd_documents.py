# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example of the two ConfD documents, run as printed with `requests` and `xmlrpc.client` on simulated clusters.

A reader types the statements one after another, in the documents' order and with their addresses, user and password:
what differs is where a name leads (`Reader`), and what REPAIRS of confd_documents.py puts right in the print. What is
printed is compared with what the document shows as data, a True not being a 1. The only things that aren't compared:

- job ids: which job it is since the node started is history. The node must be the document's, and the count rises.
- times (when a node was booted): it must be a time in the same form.
- what the page lost: four ends of descriptions and an address in a help text, `UNKNOWN` in confd_documents.py.

The answers of the second document were printed in three sittings, as their job ids tell: 12.2 to 12.14, 11.3 to 11.10
and 11.77 to 11.99. In the last, remote volume r0001 of the second is no more, and RemoteVolume1 has its id. Each
sitting is a cluster; SITTINGS says what stood there before.
"""

from __future__ import annotations

import ast
import json
import re
import ssl
import time
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
    Example,
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
    "settings": {"master_answer": "{address}", "remote_restore": "any"},
}  # fmt: skip
N11: dict[str, Any] = {
    "private_ip": "192.168.31.171", "private_net": "192.168.31.171/24", "docker_volume": "/exa/etc/n11",
    "exposed_ports": [[8888, 8899], [6583, 6594]], "uuid": "C5ED84F591574F97A337B2EC9357B68EF0EC4EDE",
}  # fmt: skip
TWO_NODES = {"n11": {"private_ip": ANY_NODE}, "n12": {"private_ip": "11.10.10.12"}}
SITTINGS: dict[str, dict[str, Any]] = {
    "a": {"master": "n12", "nodes": TWO_NODES, "databases": {"DB1": {"state": "running"}}},
    "b": {"nodes": {"n11": N11}, "revision": 17},
    "c": {
        "nodes": {"n11": N11},
        "databases": {"DB1": {"state": "running", "port": 8888}},
        "remote_volumes": {"RemoteVolume1": {"vid": "10001"}},
        "backups": {"DB1": [{"bid": 11, "volume": "RemoteVolume1", "timestamp": "2020-07-07 14:05"}]},
    },
}
TAUGHT: dict[str, Any] = {"master": "n12", "nodes": TWO_NODES, "volumes": {"DataVolume1": {}}}
"""The cluster of the introduction."""
LIVELY: dict[str, Any] = {
    "nodes": {name: {} for name in ("n11", "n12", "n13")},
    "databases": {"DB1": {"state": "running", "nodes": ["n11"]}},
    "volumes": {"spare": {"id": 5, "nodes": ["n11"], "size": "2 GiB"}},
}
"""Where the jobs of the tables are run."""


class Reader:
    """Types what a document prints. The names and addresses of the nodes lead to the simulator's listeners."""

    _ROUTES = """
import socket as _socket
def _look_up(host, port, *rest, _real=_socket.getaddrinfo, **more):
    return _real(*_routes[host if isinstance(host, str) else host.decode(), int(port)], *rest, **more)
_socket.getaddrinfo = _look_up
"""

    def __init__(self, simulation: Any, console: Any, nodes: dict[str, dict[str, Any]]) -> None:
        self.simulation, self._console = simulation, console
        routes: dict[tuple[str, int], tuple[str, int]] = {}
        for url, (name, node) in zip(simulation.cluster["api_url"], nodes.items()):
            there = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
            for host in (name, node["private_ip"]):
                routes[host, 443] = there
            routes.setdefault((ANY_NODE, 443), there)
        self.type(f"_routes = {routes!r}\n{self._ROUTES}")

    def type(self, code: str) -> str:
        return str(self._console.run(code))


@pytest.fixture
def read(simulate: Any, console: Any) -> Callable[..., Reader]:
    def start(topology: dict[str, Any], clock: str = "seconds:0.001") -> Reader:
        simulation = simulate({**CLUSTER, **topology}, clock)
        return Reader(simulation, console(simulation), topology["nodes"])

    return start


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


# --------------------------------------------------------------------------------------------- the second: by example


def sitting(example: Example) -> str:
    """Which of the three an answer was printed in; what prints none belongs to the last."""
    if not example.output:
        return "c"
    node, _dot, count = example.shown["result_jobid"].partition(".")
    return "a" if node == "12" else "b" if int(count) <= 10 else "c"


def compared(answer: Any) -> str:
    """An answer as a text that tells types apart, without what may differ."""
    answer = {**answer, "result_jobid": answer["result_jobid"].split(".")[0]}
    booted = answer.get("result_output")
    if isinstance(booted, dict) and "booted" in booted:
        times = {node: len(time.strptime(text)) and len(text) for node, text in booted["booted"].items()}
        answer["result_output"] = {**booted, "booted": times}
    return json.dumps(answer, indent=1, sort_keys=True)


def test_examples(by_example: Document, read: Callable[..., Reader]) -> None:
    """All of them in the document's order, each in its sitting."""
    readers = {name: read(topology, "seconds:0.02") for name, topology in SITTINGS.items()}
    ran = {name: [-1] for name in SITTINGS}
    differ = []
    for example in by_example.examples:
        if not example.job:
            # what makes the connection or imports a module is typed in every sitting
            for reader in readers.values():
                printed = reader.type(example.code)
                assert printed == ""
            continue
        name = sitting(example)
        answer = ast.literal_eval(readers[name].type(example.code))
        ran[name].append(int(answer["result_jobid"].split(".")[1]))
        shown = by_example.examples[10].shown if example.number == 10 else example.shown
        if compared(answer) != compared(shown):
            differ.append(f"#{example.number} {example.code}\n--- shown ---\n{compared(shown)}\n--- got ---\n{answer}")
    assert not differ, "\n\n".join(differ)
    assert {name: len(ids) - 1 for name, ids in ran.items()} == {"a": 5, "b": 2, "c": 11}
    for name, reader in readers.items():
        assert ran[name] == sorted(set(ran[name]))  # the job ids count up
        assert reader.simulation.broken_rules() == []
        sent = [row["method"] for row in reader.simulation.admin("GET", "/calls")]
        assert sent == ["master", *["job_exec"] * (len(ran[name]) - 1)]


# ---------------------------------------------------------------------------------------------- the first: introduction


def line_like(shown: str) -> str:
    """A pattern for a printed line; what stands in for lost words matches any."""
    pattern = re.escape(shown)
    for words in UNKNOWN:
        there = re.escape(words)
        if there in pattern:
            any_words = r"\[s\]://".join(["ldap", r"\S+ "]) if words.startswith("ldap") else r"'[^']+',"
            pattern = pattern.replace(there, any_words)
    return pattern


def parts_of(text: str) -> dict[str, Any]:
    """The answer of job_help, by its headings."""
    title = "Description|Mandatory parameters|Optional parameters|Substitute parameters|Allowed users|Allowed groups"
    _nothing, *pieces = re.split(rf"^({title}):", text, flags=re.MULTILINE)
    return {name: ast.literal_eval(piece.strip()) for name, piece in zip(pieces[::2], pieces[1::2])}


def test_introduction(intro: Document, read: Callable[..., Reader]) -> None:
    """All its statements; the three that show what they print print it."""
    reader = read(TAUGHT)
    reader.type(f"user_name, password, xmlrpc_port = 'root', {PASSWORD!r}, 443")
    answers = {}
    for example in intro.examples:
        answers[example.number] = reader.type(example.code)
    shown = {example.number: example.output for example in intro.examples}
    assert [number for number, answer in answers.items() if answer] == [8, 9, 10, 11]
    master = reader.type("master_ip, master_name")
    assert master == "('11.10.10.12', 'n12')\n"
    assert ast.literal_eval(answers[8]) == ast.literal_eval("\n".join(shown[8]))
    assert answers[9].splitlines() == shown[9]
    jobs = ast.literal_eval(answers[10])
    assert "db_create" in jobs
    assert all(isinstance(job, str) for job in jobs)
    got = answers[11].splitlines()
    assert len(got) == len(shown[11])
    for line, pattern in zip(got, map(line_like, shown[11])):
        assert re.fullmatch(pattern, line), (pattern, line)

    # the help holds an example of its own
    said = parts_of(answers[11])["Description"].partition("Example: ")[2]
    answer = ast.literal_eval(reader.type(f"xmlrpc_connection = server\n{said}"))
    assert (answer["result_code"], answer["result_desc"]) == (0, "Success")
    created = re.search(r"'db_name': ('\w+')", said)
    assert created
    listed = ast.literal_eval(reader.type("server.job_exec('db_list')"))
    assert listed["result_output"] == [ast.literal_eval(created.group(1))]
    state = reader.type(f"server.job_exec('db_state', {{'params': {{'db_name': {created.group(1)}}}}})")
    assert ast.literal_eval(state)["result_output"] == "setup"
    assert reader.simulation.broken_rules() == []


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


def test_stages_and_history(intro: Document, simulate: Any) -> None:
    """The five stages in their order, the last of them only where EXAConf changes, and what a job file holds."""
    told = [match.groups() for line in intro.prose if (match := re.match(r"  \d\. (\w+)\s: (.*)", line))]
    stages = [name for name, _text in told]
    assert len(stages) == 5
    assert [name for name, text in told if "last stage" in text] == stages[-2:]
    server = api(simulate({**CLUSTER, **TAUGHT}), 1)
    volume = {"vol_type": "ftp", "url": "ftp://11.10.10.99/backup"}
    for name, params, seen in (("db_list", {}, stages[:-1]), ("remote_volume_add", volume, stages)):
        answer = server.job_exec(name, {"params": params})
        assert answer["result_code"] == 0
        assert ("result_revision" in answer) == (seen == stages)
        history = server.job_info({"job_id": answer["result_jobid"]})
        assert list(history["timestamps"]) == seen
        assert list(history["timestamps"].values()) == sorted(history["timestamps"].values())
        assert history["stage"] == seen[-1]
        # job id, user id, parameter list, HTTP request, commands with their results
        assert (history["job_id"], history["user_id"], history["params"]) == (answer["result_jobid"], 0, params)
        assert history["request"]
        assert [command["result"] for command in history["commands"]] == [0]


def test_tables_are_the_help(by_example: Document, intro: Document, simulate: Any) -> None:
    """Each job of a table is there, and takes what the table says: it can be run with nothing else."""
    assert any("cluster node jobs" in line for line in intro.prose)
    server = api(simulate({**CLUSTER, **TAUGHT}), 1)
    known = server.job_list()
    ran = {example.job[0] for example in by_example.examples if example.job}
    for job in ran:
        assert job in known
    for row in by_example.rows:
        assert row.job in known
        said = parts_of(server.job_help(row.job))
        mandatory, optional = set(said["Mandatory parameters"]), set(said["Optional parameters"])
        stands_for = said["Substitute parameters"]
        named = row.parameters | row.optional | row.substitutes
        assert named <= mandatory | optional | set(stands_for), row.job
        assert row.parameters <= mandatory, row.job
        assert not row.optional & mandatory, row.job
        assert row.substitutes <= set(stands_for), row.job
        for name in mandatory - named:
            assert named & set(stands_for.get(name, ())), (row.job, name)
        if row.groups:
            assert set(said["Allowed groups"]) == row.groups, row.job


class Jobs:
    """Runs jobs that must succeed, and remembers what was given to each."""

    def __init__(self, simulation: Any) -> None:
        self.simulation, self.server = simulation, api(simulation)
        self.given: dict[str, set[str]] = {}

    def __call__(self, job: str, **params: Any) -> Any:
        """What the job returns."""
        answer = self.server.job_exec(job, {"params": params}) if params else self.server.job_exec(job)
        assert (answer["result_code"], answer["result_desc"]) == (0, "Success"), (job, params, answer)
        self.given.setdefault(job, set()).update(params)
        return answer.get("result_output")

    def clock(self, text: str) -> None:
        self.simulation.admin("POST", "/clock", {"clock": text})

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not done():
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_every_job_of_the_tables_runs(by_example: Document, simulate: Any) -> None:
    """With each parameter that the tables name, and with the effect that they describe."""
    simulation = simulate({**CLUSTER, **LIVELY}, "seconds:0.005")
    run = Jobs(simulation)
    nodes_change(run)
    volumes_change(run)
    remote_volumes_change(run)
    backups_are_taken(run)
    schedules_change(run)
    for row in by_example.rows:
        assert row.parameters | row.optional | row.substitutes <= run.given[row.job], row.job
    assert simulation.broken_rules() == []


def nodes_change(run: Jobs) -> None:
    assert list(run("node_list")) == ["11", "12", "13"]
    assert run("node_info")
    assert run("node_suspend", node_id=13) is None
    # the words of the table: online, offline, deactivated
    assert run("node_state")["13"] == "deactivated"
    assert run("node_resume", node_id=13) is None
    run.until(lambda: run("node_state")["13"] == "online")
    more = {"id": 14, "name": "n14", "pub_net": "10.0.0.14/24", "space_warn_threshold": 90, "bg_rec_limit": 10}
    assert run("node_add", priv_net="11.10.10.14/24", **more) == 14
    assert run("node_list")["14"]["private_net"] == "11.10.10.14/24"
    # how a node is added isn't told; one that is suspended has to be taken back before it is removed
    if run("node_state")["14"] == "deactivated":
        run("node_resume", node_id=14)
    assert run("node_remove", node_id=14, force=True) is None
    assert list(run("node_list")) == ["11", "12", "13"]


def volumes_change(run: Jobs) -> None:
    def seen(key: str) -> Any:
        return run("st_volume_info", vid=5)[key]

    assert [(row["id"], row["name"]) for row in run("st_volume_list")][-1] == ("5", "spare")
    assert run("st_volume_set_io_status", vid=5, app_io=False, int_io=True) is None
    assert (seen("app_io_enabled"), seen("int_io_enabled")) == (False, True)
    run("st_volume_set_io_status", vid=5, app_io=True, int_io=True)
    labels = seen("labels")
    assert run("st_volume_add_label", vid=5, label="kept") is None
    assert seen("labels") == [*labels, "kept"]
    assert run("st_volume_remove_label", vid=5, label="kept") is None
    assert seen("labels") == labels
    assert seen("size") == "2 GiB"
    blocks = 2**30 // seen("bytes_per_block")
    assert run("st_volume_enlarge", vid=5, blocks_per_node=blocks) is None
    assert seen("size") == "3 GiB"
    assert run("st_volume_shrink", vid=5, blocks_per_node=blocks) is None
    assert seen("size") == "2 GiB"
    # the table gives its signature too: append_nodes(vid, node_num, node_ids) -> None
    assert run("st_volume_append_node", vid=5, node_num=1, node_ids=[12]) is None
    assert seen("volume_nodes") == [11, 12]
    assert run("st_volume_move_node", vid=5, src_nodes=[12], dst_nodes=[13]) is None
    run.until(lambda: seen("volume_nodes") == [11, 13])
    assert run("st_volume_increase_redundancy", vid=5, delta=1, nodes=[11, 13]) is None
    run.until(lambda: (seen("redundancy"), seen("state")) == (2, "ONLINE"))
    assert run("st_volume_decrease_redundancy", vid=5, delta=1, nodes=[11, 13]) is None
    assert seen("redundancy") == 1
    assert run("st_volume_lock", vid=5, vname="spare") is None
    assert seen("state") == "LOCKED"
    assert run("st_volume_unlock", vid=5, vname="spare") is None
    assert seen("state") == "ONLINE"
    assert run("st_volume_clear_data", vid=5, num_bytes=4096, node_ids=[11], vname="spare") is None


def remote_volumes_change(run: Jobs) -> None:
    """With the four notes on ids, names and owners."""
    where = {"vol_type": "ftp", "url": "ftp://11.10.10.99/backup"}
    login = {"username": "someone", "password": "secret"}
    more = {"labels": ["far"], "options": "nocompression", "allowed_users": ["root"], **login}
    added = run("remote_volume_add", remote_volume_id=10007, remote_volume_name="far", owner="root", **where, **more)
    assert added == [["far", "root", "/exa/etc/remote_volumes/root.0.conf"]]
    (named,) = run("remote_volume_add", remote_volume_id=10009, **where)
    assert named[:2] == ["r0009", "root"]
    (free,) = run("remote_volume_add", **where)
    assert free[0] == "r0001"
    refused = run.server.job_exec("remote_volume_add", {"params": {**where, "remote_volume_id": 9999}})
    assert refused["result_code"] != 0
    assert sorted(run("remote_volume_list")) == ["far", "r0001", "r0009"]
    assert run("remote_volume_state", remote_volume_name="far") == ["Online"] * 3
    assert run("remote_volume_state", remote_volume_id=10007) == ["Online"] * 3


def backups_are_taken(run: Jobs) -> None:
    def seen() -> list[dict[str, Any]]:
        return list(run("db_backup_list", db_name="DB1"))

    start = {"db_name": "DB1", "level": 0, "expire_time": "10d"}
    assert run("db_backup_start", backup_volume_id=10007, **start) is None
    run.until(lambda: [row["usable"] for row in seen()] == [True])
    run.clock("seconds:1")
    assert run("db_backup_start", backup_volume_name="far", **start) is None
    assert run("db_info", db_name="DB1")["operation"] != "None"
    assert run("db_backup_abort", db_name="DB1") is None
    run.clock("seconds:0.005")
    run.until(lambda: run("db_info", db_name="DB1")["operation"] == "None")
    (backup,) = seen()
    assert backup["volume"] == "far"
    assert run("db_backup_delete_unusable", db_name="DB1") is None
    assert seen() == [backup]

    moment = time.mktime(time.strptime("2035-06-07 08:09", "%Y-%m-%d %H:%M"))
    number, prefix = backup["expire_alterable"].split(" ")
    change = {"backup_volume_id": int(number), "backup_files": prefix, "expire_time": int(moment)}
    assert run("db_backup_change_expiration", **change) is None
    assert seen()[0]["expire"] == "2035-06-07 08:09"

    for restore_type in ("blocking", "nonblocking", "virtual access"):
        run("db_stop", db_name="DB1")
        if restore_type == "virtual access":  # no backup that expires has it, and no document has "never" as a number
            run("db_start", db_name="DB1")
            run.until(lambda: run("db_state", db_name="DB1") == "running")
            run("db_backup_start", db_name="DB1", level=0, backup_volume_name="far", expire_time="")
            run.until(lambda: [row["usable"] for row in seen()] == [True, True])
            run("db_stop", db_name="DB1")
            backup = next(row for row in seen() if not row["expire"])
        run("db_restore", db_name="DB1", backup_id=backup["id"], restore_type=restore_type)
        run.until(lambda: run("db_state", db_name="DB1") == "running")
        run.until(lambda: run("db_info", db_name="DB1")["operation"] == "None")
    assert run("db_backups_delete", db_name="DB1", backup_list=[row["id"] for row in seen()]) is None
    assert seen() == []


def schedules_change(run: Jobs) -> None:
    named = {"db_name": "DB1", "backup_name": "weekly"}
    when = {"minute": "0", "hour": "3", "day": "*", "month": "*", "weekday": "0", "enabled": True}
    assert run("db_backup_add_schedule", **named, backup_volume_id=10007, level=0, expire="1w", **when) is None
    later = {"minute": "30", "hour": "4", "day": "1", "month": "2", "weekday": "*", "enabled": False}
    assert run("db_backup_modify_schedule", **named, **later) is None
    assert run("db_backup_remove_schedule", **named) is None
    again = run.server.job_exec("db_backup_remove_schedule", {"params": named})
    assert again["result_code"] != 0

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every code block of the two documents on starting and stopping a cluster, run as printed against the simulator.

The documents are read at run time: $DBFLEET_REFERENCE, or ../shared/reference beside the repository. What is changed
in a block is: the host, user and password of its URLs (the CA is trusted through SSL_CERT_FILE), and REPAIRS.
"""

from __future__ import annotations

import ast
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable
from urllib.parse import urlsplit

import pytest

SOL80 = "exaoperation_start_stop_SOL-80.txt"
V50 = "exaoperation_start_stop_5.0_community.txt"
_FIRST, _LAST = "Establishing the connection to EXAoperation", "The last call triggers the shutdown"
_CODE = re.compile(
    r"^(\s+\S|#|import |from |if |elif |else:|while |for |try:|except|print\(|[a-z_]+ = |[a-z_]+\.\w+\(|\[\[)"
)


@dataclass(frozen=True)
class Repair:
    """Lines that the copy of a block lost, put in after the `nth` line that reads `after`."""

    number: int
    block: str
    after: str
    lines: tuple[str, ...]
    reason: str
    nth: int = 1


# The web page from which the 5.0 copy was taken lost single lines. Without each, the block isn't Python, never ends,
# or lacks the very call that the sentence above it announces. The SOL-80 copy of the same article needs none.
REPAIRS = [
    Repair(
        1, "connect", "    from xmlrpc.client import ServerProxy", ("else:",),
        "the comment below says 'in python 2': without the else, Python 3 imports xmlrpclib, which it doesn't have",
    ),
    Repair(2, "wait for the API", "while True:", ("    try:",), "the body is indented twice, so a try opened it"),
    Repair(
        3, "wait for the API", "        if cluster.getNodeList():",
        ('            print("connected\\n")', "            break", "    except:", "        continue"),
        "an if without a body isn't Python, and the loop needs its end and its except",
    ),
    Repair(
        4, "start the nodes", "for node in cluster.getNodeList():", ("    cluster.startupNode(node)",),
        "a for without a body isn't Python; the sentence above names startupNode()",
    ),
    Repair(
        5, "who is online", '        print("node {} is online\\n".format(node))', ("    else:",),
        "both lines print: without the else every node that is online would be offline too",
    ),
    Repair(
        6, "follow the log", "logservice = ServerProxy(logservice_url)", ("logservice.logEntries()",),
        "the text tells to follow the messages, the article's list names logEntries",
    ),
    Repair(
        7, "start storage", "# start the Storage service", ("storage.startEXAStorage()",),
        "the comment announces a call, the sentence above names startEXAStorage",
    ),
    Repair(
        8, "start storage", "# check the runtime state of all services", ("cluster.getServiceState()",),
        "the comment announces a call, the sentence below names getServiceState",
    ),
    Repair(
        9, "start the databases", "    instance = ServerProxy(instance_url)", ("    instance.startDatabase()",),
        "the sentence above says 'and start them'",
    ),
    Repair(
        10, "start the databases",
        "                db, instance.getDatabaseConnectionString()))", ("            break",),
        "the loop has no other end",
    ),
    Repair(
        11, "stop the databases", "        if 'None' == operation:", ("            instance.stopDatabase()",),
        "the sentence above says 'and stop them'",
    ),
    Repair(
        12, "stop the databases", '                    print("database {} stopped\\n".format(db))',
        ("                    break", "        else:"),
        "the loop has no other end, and the next line belongs to the case that an operation runs",
    ),
    Repair(
        13, "stop the databases",
        '            print("Database {} is currently in operation state {}\\n".format(db, operation))',
        ("    else:",), "the next line belongs to the case that the database isn't running",
    ),
    Repair(
        14, "stop storage", "storage = ServerProxy(storage_url)",
        ("storage.stopEXAStorage()", "cluster.getServiceState()"),
        "the sentence below tells what getServiceState shows after the stop",
    ),
    Repair(
        15, "switch the nodes off", "for node in cluster.getNodeList():", ("    cluster.shutdownNode(node)",),
        "a for without a body isn't Python; the heading says what it does",
    ),
    Repair(
        16, "switch the nodes off", "for ls in license_servers:", ("    cluster.shutdownNode(ls)",),
        "a for without a body isn't Python; the sentence below calls it 'the last call'",
    ),
]  # fmt: skip

# In the order in which a document prints them.
COMMON = [
    "connect", "wait for the API", "start the nodes", "who is online", "follow the log", "start storage",
    "services when started", "start the databases", "plugins",
]  # fmt: skip
STOP = ["stop the databases", "stop storage", "services when stopped", "switch the nodes off"]
NAMES = {
    SOL80: [*COMMON, "master in 4.2", "master in 5.0", *STOP],
    V50: [*COMMON, "master in 5.0", *STOP],
}


def directory() -> Path:
    return Path(os.environ.get("DBFLEET_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference")


def body(name: str) -> list[str]:
    """The document's lines from the first heading with code to the last sentence, without the page's indent."""
    lines = (directory() / name).read_text(encoding="utf-8").splitlines()
    first = next(index for index, line in enumerate(lines) if line.strip() == _FIRST)
    last = next(index for index, line in enumerate(lines) if index > first and line.strip().startswith(_LAST))
    indent = len(lines[first]) - len(lines[first].lstrip())
    return [line[indent:] if not line[:indent].strip() else line for line in lines[first:last]]


def extract(lines: list[str]) -> tuple[list[str], list[str]]:
    """The code blocks, and the lines that are none."""
    blocks: list[list[str]] = []
    prose: list[str] = []
    inside = False
    for line in lines:
        if _CODE.match(line):
            if not inside:
                blocks.append([])
            blocks[-1].append(line)
            inside = True
        elif not line.strip() and inside:
            blocks[-1].append("")
        else:
            inside = False
            prose.append(line)
    return ["\n".join(block).rstrip("\n") + "\n" for block in blocks], prose


def repaired(name: str, block: str) -> str:
    lines = block.splitlines()
    for repair in REPAIRS:
        if repair.block == name:
            places = [index for index, line in enumerate(lines) if line == repair.after]
            assert len(places) >= repair.nth, f"repair {repair.number} finds no line {repair.after!r}"
            lines[places[repair.nth - 1] + 1 : places[repair.nth - 1] + 1] = repair.lines
    return "\n".join(lines) + "\n"


def blocks_of(document: str) -> dict[str, str]:
    """The blocks by name, repaired where the document is the copy that lost lines."""
    found = extract(body(document))[0]
    assert len(found) == len(NAMES[document]), found
    named = dict(zip(NAMES[document], found))
    return {name: repaired(name, block) if document == V50 else block for name, block in named.items()}


@pytest.fixture(params=[SOL80, V50])
def document(request: pytest.FixtureRequest) -> str:
    if not (directory() / request.param).is_file():
        pytest.skip(f"the reference document {request.param} isn't in {directory()}; set DBFLEET_REFERENCE")
    return str(request.param)


TOPOLOGY: dict[str, Any] = {
    "name": "exa-doc",
    "version": "6.0.5",
    "machines": {"n0010": {"state": "offline"}},
    "nodes": {name: {"state": "offline"} for name in ("n0011", "n0012", "n0013")},
    "storage_online": False,
    "databases": {"DB1": {}},
    "plugins": ["Administration.vmware-tools"],
    "exaoperation_nodes": ["n0010", "n0011"],
}
UP: dict[str, Any] = {
    **TOPOLOGY,
    "machines": {},
    "nodes": {name: {"state": "online"} for name in ("n0011", "n0012", "n0013")},
    "storage_online": True,
}


class Session:
    """One document's blocks in one Python, one after another, as its reader would type them."""

    def __init__(self, document: str, simulation: Any, console: Any) -> None:
        self.blocks, self.simulation, self._console = blocks_of(document), simulation, console
        self._own = simulation.url()

    def code(self, name: str) -> str:
        code = self.blocks[name].replace("https://user:password@license-server", self._own)
        assert "license-server" not in code
        return code

    def run(self, name: str) -> str:
        return str(self._console.run(self.code(name)))

    def begin(self, name: str) -> Callable[[float], str]:
        begun: Callable[[float], str] = self._console.begin(self.code(name))
        return begun


@pytest.fixture
def session(document: str, simulate: Any, console: Any) -> Callable[..., Session]:
    def start(topology: dict[str, Any], clock: str = "seconds:0.001") -> Session:
        simulation = simulate(topology, clock)
        return Session(document, simulation, console(simulation))

    return start


def refuses(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2).close()
    except ConnectionRefusedError:
        return True
    return False


def test_no_block_is_left_out(document: str) -> None:
    """Outside the blocks there is no line of Python, each block has its name, and the whole run uses every one."""
    found, prose = extract(body(document))
    assert len(found) == len(NAMES[document])
    for line in prose:
        if line.strip():
            with pytest.raises(SyntaxError):
                ast.parse(line.strip())
    for block in blocks_of(document).values():
        ast.parse(block)
    text = "\n".join(found)
    for call in (
        "getNodeList", "getHardwareInformation", "callPlugin", "getEXAoperationMaster", "getDatabaseList",
        "getDatabaseConnectionState", "getDatabaseConnectionString", "getDatabaseState", "getDatabaseOperation",
    ):  # fmt: skip
        assert f".{call}(" in text


def test_repairs_are_numbered_reasoned_and_needed() -> None:
    """A repair restores a line that the other copy of the article has; SOL-80 itself gets none."""
    assert [repair.number for repair in REPAIRS] == list(range(1, len(REPAIRS) + 1))
    assert all(len(repair.reason) > 20 for repair in REPAIRS)
    for name in (SOL80, V50):
        if not (directory() / name).is_file():
            pytest.skip(f"the reference document {name} isn't in {directory()}; set DBFLEET_REFERENCE")
    whole, copy = blocks_of(SOL80), blocks_of(V50)
    raw = dict(zip(NAMES[V50], extract(body(V50))[0]))
    for name in NAMES[V50]:
        assert copy[name].split() == whole[name].split(), name
    for repair in REPAIRS:
        assert raw[repair.block] != copy[repair.block]


def test_cold_start(session: Callable[..., Session]) -> None:
    """From all machines off to databases that accept connections: each block of the first half does its work."""
    run = session(TOPOLOGY)
    simulation = run.simulation

    assert run.run("connect") == ""

    # the block waits while the license server is off, and ends once EXAoperation answers
    assert refuses(simulation.cluster["api_url"][0])
    answer = run.begin("wait for the API")
    assert simulation.methods() == []
    simulation.admin("POST", "/power", {"node": "n0010", "on": True})
    assert answer(20) == "connected\n\n"
    assert simulation.methods() == ["getNodeList"]

    offline = "".join(f"node {name} is offline\n\n" for name in TOPOLOGY["nodes"])
    assert run.run("who is online") == offline

    assert {row["state"] for row in simulation.state()["nodes"].values()} == {"off"}
    assert run.run("start the nodes") == ""
    assert simulation.methods(changing=True) == ["startupNode"] * 3
    assert {row["state"] for row in simulation.state()["nodes"].values()} <= {"booting", "online"}
    simulation.wait(lambda state: all(row["state"] == "online" for row in state["nodes"].values()))
    assert run.run("who is online") == offline.replace("offline", "online")

    entries = ast.literal_eval(run.run("follow the log"))
    assert len(entries) == 3
    finished = [row for row in entries[2] if re.match(r"Boot process finished after \d+ seconds", row["message"])]
    assert {row["node"] for row in finished} == set(TOPOLOGY["nodes"])
    stamps = [row["strtime"] for row in entries[2]]
    assert stamps == sorted(stamps, reverse=True)

    assert simulation.state()["storage_online"] is False
    printed = run.run("start storage")
    assert printed == "'OK'\n" + run.blocks["services when started"]
    assert simulation.state()["storage_online"] is True
    assert simulation.broken_rules() == []


def test_cold_start_databases_and_plugins(session: Callable[..., Session]) -> None:
    run = session({**UP, "databases": {"DB1": {}, "DB2": {}, "DB3": {}}})
    simulation = run.simulation
    run.run("connect")
    printed = run.run("start the databases")
    strings = {name: row["connection_string"] for name, row in simulation.state()["databases"].items()}
    assert printed == "".join(
        f"database {name} is accepting connections at {strings[name]}\n\n" for name in ("DB1", "DB2", "DB3")
    )
    assert all(row["connectible"] == "Yes" for row in simulation.state()["databases"].values())

    plugin = "Administration.vmware-tools"
    assert set(simulation.state()["plugin_nodes"][plugin].values()) == {"stopped"}
    simulation.admin("DELETE", "/calls")
    run.run("plugins")
    simulation.wait(lambda state: set(state["plugin_nodes"][plugin].values()) == {"running"})
    calls = [row["args"][1:] for row in simulation.admin("GET", "/calls") if row["method"] == "callPlugin"]
    nodes = [[node, command] for node in UP["nodes"] for command in ("STATUS", "START")]
    assert calls == [["n0010", "STOP"], ["n0010", "START"], *nodes]

    # where it runs already, only the license server's is restarted
    simulation.admin("DELETE", "/calls")
    run.run("plugins")
    calls = [row["args"][1:] for row in simulation.admin("GET", "/calls") if row["method"] == "callPlugin"]
    assert calls == [["n0010", "STOP"], ["n0010", "START"], *([node, "STATUS"] for node in UP["nodes"])]
    assert simulation.broken_rules() == []


def test_master(session: Callable[..., Session], document: str) -> None:
    """The block of the server's version: silent on the license server, a sentence where EXAoperation moved."""
    for name, version in (("master in 4.2", "4.2.12"), ("master in 5.0", "6.0.5")):
        if name not in NAMES[document]:
            continue
        run = session({**UP, "version": version, "databases": {}})
        run.run("connect")
        assert run.run(name) == ""
        run.simulation.admin("POST", "/move", {"master": "n0011"})
        run.simulation.wait(lambda state: state["exaoperation_running"])
        # EXAoperation's end took the connection with it
        run.run("connect")
        assert run.run(name) == "node n0011 is the current EXAoperation master but it should be n0010\n\n"


def test_shutdown(session: Callable[..., Session]) -> None:
    """From running databases to all machines off: each block of the second half does its work."""
    databases = {
        "DB1": {"state": "running"},
        "DB2": {"state": "running", "operation": "Backup"},
        "DB3": {"state": "setup"},
    }
    run = session({**UP, "databases": databases})
    simulation = run.simulation
    run.run("connect")

    printed = run.run("stop the databases")
    assert "database DB1 stopped\n\n" in printed
    assert "Database DB2 is currently in operation state Backup\n\n" in printed
    assert "Database DB3 is currently in runtime state setup\n\n" in printed
    states = {name: row["state"] for name, row in simulation.state()["databases"].items()}
    assert states == {"DB1": "setup", "DB2": "running", "DB3": "setup"}

    simulation.admin("POST", "/operation", {"database": "DB2", "operation": "None"})
    assert "database DB2 stopped\n\n" in run.run("stop the databases")

    # the document shows what Storaged switches to: the clock that ends every transition at once shows it at once
    simulation.admin("POST", "/clock", {"clock": "immediate"})
    assert simulation.state()["storage_online"] is True
    printed = run.run("stop storage")
    assert printed.splitlines(keepends=True)[-1] == run.blocks["services when stopped"]
    assert simulation.state()["storage_online"] is False

    simulation.admin("POST", "/clock", {"clock": "seconds:0.001"})
    simulation.admin("DELETE", "/calls")
    run.run("switch the nodes off")
    assert [row["args"] for row in simulation.admin("GET", "/calls") if row["method"] == "shutdownNode"] == [
        ["n0011"], ["n0012"], ["n0013"], ["n0010"],
    ]  # fmt: skip
    state = simulation.wait(
        lambda state: {row["state"] for row in (*state["nodes"].values(), *state["machines"].values())} == {"off"}
    )
    assert state["exaoperation_running"] is False
    assert refuses(simulation.cluster["api_url"][0])
    assert simulation.broken_rules() == []


def test_storage_goes_through_stopping(session: Callable[..., Session]) -> None:
    """With time that passes, 'not running' is seen after a while, as a reader of the document would."""
    run = session({**UP, "databases": {}}, "seconds:0.005")
    run.run("connect")
    printed = run.run("stop storage")
    assert "['Storaged', 'stopping']" in printed
    run.simulation.wait(lambda state: state["services"]["Storaged"] == "not running")
    shown = ast.literal_eval(run.blocks["services when stopped"])
    assert [list(row) for row in run.simulation.state()["services"].items()] == shown

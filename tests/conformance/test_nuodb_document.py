# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The working example (docs/sources/nuodb_documents.md), command by command, with the vendor's nuocmd.

The document is read at run time: $DBFLEET_REFERENCE, or ../shared/reference beside the repository. Its 34 nuocmd
commands, its `cat` and its `curl` are run in its order against a simulated domain of two servers, and what each
prints is compared with what the document shows. Not compared are time stamps, the client token and which number a pid
is; nuocmd's older and newer print are read into the same data (nuocmd.py), REPAIRS says what else was done to the
document, and BETWEEN what happened between two of its commands that it doesn't print.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable
from urllib.parse import urlsplit

import pytest
import requests
from nuocmd import PATIENCE, admin_connection, nuocmd, understand

DOCUMENT = "nuodb_admin_failure_handling.txt"
_COMMAND = re.compile(r"(nuocmd|curl|cat) ")

TYPED = "seconds:1"
"""While commands are typed one after another, a cluster second is a real one: nuocmd itself takes a third of it."""
LATER = "seconds:0.02"
"""Where the document's reader looks again after a while."""

DOMAIN: dict[str, Any] = {
    "product": "nuodb",
    "name": "nuo-doc",
    "version": "3.4.2-1-35a573d0d3",
    "servers": {"server0": {"address": "server0:48005", "role": "LEADER"}, "server1": {"address": "server1:48005"}},
}


@dataclass(frozen=True)
class Repair:
    """What is done to the document, or to the comparison with it, for one of its commands."""

    number: int
    command: int
    reason: str
    breaks: str = ""
    """Where a line break was lost: before each place that matches."""


# `command` counts the document's lines that start with nuocmd, cat or curl, from 1.
REPAIRS = [
    Repair(
        1, 13, "the page lost line breaks: the second archive stands behind the first one's exit code",
        breaks=r"Archive: \[|\[(?:SM|TE)\] ",
    ),
    Repair(
        2, 14, "the page lost the line breaks of a whole show domain: headings, servers, database and engines in a row",
        breaks=r"\[server\d+\] server|Databases:|test \[|\[(?:SM|TE)\] ",
    ),
    Repair(
        3, 34, "an example of what nuocmd sends that was never run in the session: it would have taken start id 10 and "
        "incarnation 5, which the commands after it show as still free. It is run against a copy of the domain",
    ),
    Repair(
        4, 36, "the last listing was cut to fit: its engines lack the columns pid and node_id that every other one has",
    ),
]  # fmt: skip


@dataclass
class Command:
    number: int
    text: str
    """As printed; the curl line spans several lines."""
    output: list[str] = field(default_factory=list)
    said: str = ""
    """The paragraph above it."""
    nth: int = 1
    """Which command it is below that paragraph."""

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)

    @property
    def program(self) -> str:
        return self.words[0]

    @property
    def shows(self) -> bool:
        return self.words[:2] == ["nuocmd", "show"]

    @property
    def at_once(self) -> bool:
        """Whether the document looks before things have come to rest."""
        return "immediately after" in self.said and self.nth == 1

    def expected(self) -> list[dict[str, Any]]:
        text = "\n".join(self.output)
        for repair in REPAIRS:
            if repair.command == self.number and repair.breaks:
                text = re.sub(f" (?={repair.breaks})", "\n", text)
        return understand(text)


def directory() -> Path:
    return Path(os.environ.get("DBFLEET_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference")


def parse(text: str) -> tuple[list[Command], list[str]]:
    """The document's commands with the lines below each up to the next empty one, and the lines that are neither."""
    commands: list[Command] = []
    prose: list[str] = []
    inside = False
    said, nth = "", 0
    for line in text.splitlines():
        if _COMMAND.match(line):
            nth += 1
            commands.append(Command(len(commands) + 1, line, said=said, nth=nth))
            inside = True
        elif inside and commands[-1].text.count("'") % 2:
            commands[-1].text += "\n" + line
        elif inside and line.strip():
            commands[-1].output.append(line)
        else:
            inside = False
            if line.strip():
                said, nth = line, 0
                prose.append(line)
    return commands, prose


@pytest.fixture
def document() -> tuple[list[Command], list[str]]:
    path = directory() / DOCUMENT
    if not path.is_file():
        pytest.skip(f"the reference document {DOCUMENT} isn't in {directory()}; set DBFLEET_REFERENCE")
    return parse(path.read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------- the document by itself


def test_no_command_is_left_out(document: tuple[list[Command], list[str]]) -> None:
    """Every line of the page that starts with nuocmd, cat or curl is a command of the replay; no output is prose."""
    commands, prose = document
    text = (directory() / DOCUMENT).read_text(encoding="utf-8")
    for program, count in (("nuocmd", 34), ("curl", 1), ("cat", 1)):
        assert len(re.findall(rf"^\s*{program}\s", text, re.MULTILINE)) == count
        assert sum(command.program == program for command in commands) == count
    assert len(commands) == 36
    assert [command.number for command in commands if command.at_once] == [19, 23]
    for line in prose:
        assert not re.search(r"\[start_id|\[server_id|\(LEADER|\w\(\w+=|^ *[{}\"]|server time:", line), line
    printed = sum(len(command.output) for command in commands)
    empty = sum(not line.strip() for line in text.splitlines())
    spanned = sum(command.text.count("\n") for command in commands)
    assert printed + len(commands) + spanned + len(prose) + empty == len(text.splitlines())


def test_every_output_is_understood(document: tuple[list[Command], list[str]]) -> None:
    """Each line that the document shows as printed becomes data, whatever the version that printed it."""
    commands, _prose = document
    kinds: dict[str, int] = {}
    for command in commands:
        if command.program == "cat":
            assert [row["engineType"] for row in json.loads("\n".join(command.output))["processes"]] == [
                "SM", "SM", "TE", "TE",
            ]  # fmt: skip
            continue
        for item in command.expected():
            kinds[item["kind"]] = kinds.get(item["kind"], 0) + 1
    shown = [command.words[2] for command in commands if command.shows]
    assert kinds["version"] == kinds["clock"] == shown.count("domain") == 10
    assert kinds["server"] == 2 * kinds["version"]
    assert kinds["title"] == 2 * kinds["version"]
    assert kinds["database"] == kinds["version"] + shown.count("database") == 13
    assert kinds["archive"] == 2 * shown.count("archives") == 6
    assert kinds["tombstone"] == 7
    assert kinds["process"] == 23
    text = (directory() / DOCUMENT).read_text(encoding="utf-8")
    assert kinds["process"] + kinds["tombstone"] == text.count("[start_id = ")
    assert kinds["object"] == 19


def test_repairs_are_numbered_reasoned_and_needed(document: tuple[list[Command], list[str]]) -> None:
    commands, _prose = document
    assert all(len(str(event.__doc__)) > 60 for event in BETWEEN.values())
    assert [repair.number for repair in REPAIRS] == list(range(1, len(REPAIRS) + 1))
    assert all(len(repair.reason) > 60 for repair in REPAIRS)
    for repair in REPAIRS:
        if repair.breaks:
            with pytest.raises(AssertionError, match="unknown kind"):
                understand("\n".join(commands[repair.command - 1].output))
    assert commands[33].program == "curl"
    ids = [item["start_id"] for item in commands[35].expected() if item["kind"] == "process"]
    assert ids == ["10", "11", "12", "13"]
    for command in commands:
        for item in command.expected() if command.shows else []:
            if item["kind"] in ("process", "tombstone"):
                assert ("pid" in item and "node_id" in item) == (command.number != 36)


def test_older_and_newer_print_are_the_same_data() -> None:
    older = """\
server version: 3.4.2-1, server license: Enterprise
server time: 2019-05-15T19:09:17.123, client token: 07e1
Servers:
  [s0] s0:48005 (LEADER, Leader=s0) ACTIVE:Connected *
  [s1] s1:48005 (FOLLOWER, Leader=<NO VALUE>) ACTIVE:Disconnected
Databases:
  test [AWAITING_ARCHIVE_HISTORIES_MSG]
    [SM] <UNKNOWN ADDRESS> (Default) [start_id = 4] [server_id = s0] [pid = ] [node_id = ] STARTED:UNREACHABLE(UNKNOWN)
    [TE] s1:48006 (Default) [start_id = 5] [server_id = s1] [pid = 10] [node_id = 2] MONITORED:RUNNING
Archive: [0] s0 : /a/test [db = test] NOT_RUNNING
  [SM] s0:48006 [start_id = 0] [server_id = s0] [pid = 9] [node_id = 1] EXITED(MONITORED:RUNNING):x: (2019-05-16T02:24:26.401+0000) y (137)
Archive(archive_path=/a/test, db_name=test, id=0, server_id=s0, state=PROVISIONED)
STARTING: StartProcessRequest(db_name=test, engine_type=TE, labels={}, options={}, server_id=s0)
"""  # noqa: E501
    newer = """\
server version: 3.4.2-1, server license: Enterprise
server time: 2026-05-15T19:09:17.123, client token: 99
Servers:
  [s0] s0:48005 [last_ack = 0.83] ACTIVE (LEADER, Leader=s0, log=1/42/42) Connected *
  [s1] s1:48005 [last_ack = NEVER] ACTIVE (FOLLOWER, Leader=<NO VALUE>, log=?/?/?) Disconnected
Databases:
  test [state = AWAITING_ARCHIVE_HISTORIES_MSG]
    [SM] <UNKNOWN ADDRESS> (Default) [start_id = 4] [server_id = s0] [pid = ] [node_id = ] [last_ack = >60] STARTED:STARTING_UP
    [TE] s1:48006 (Default) [start_id = 5] [server_id = s1] [pid = 77] [node_id = 2] [last_ack =  0.10] MONITORED:RUNNING
  [0] s0 : /a/test @ test [journal_path = ] [observer_storage_groups = []] NOT_RUNNING
    [SM] s0:48006 [start_id = 0] [server_id = s0] [pid = 1] [node_id = 1] EXITED(MONITORED:RUNNING):x: (2026-01-02T03:04:05.6+0000) y (137)
Archive(archive_path=/a/test, db_name=test, id=0, is_observer=False, observer_storage_groups=[], server_id=s0, state=PROVISIONED)
STARTING: StartProcessRequest(db_name=test, engine_type=TE, labels={}, options={}, server_id=s0)
"""  # noqa: E501
    assert understand(newer) == understand(older)
    for line in (
        "  test [state = RUNNING] more",
        "[SM] s0:48006 [start_id = 0] MONITORED:RUNNING",
        "Archive(archive_path=/a/test, is_observer=True)",
    ):
        with pytest.raises(AssertionError):
            understand(line)
    assert understand("  test [state = RUNNING]") != understand("  test [NOT_RUNNING]")


# ------------------------------------------------------------------------------------------------------- the replay


class Replay:
    """The session of the document: a domain, a prompt, and what differed."""

    def __init__(self, simulate: Any, home: Path) -> None:
        self.simulate, self.home = simulate, home
        self.simulation = simulate({**DOMAIN, "users": USERS}, TYPED)
        self.prompt = nuocmd(self.simulation, home)
        self.prompt.fresh = True
        self.differences: list[str] = []

    def clock(self, text: str) -> None:
        self.simulation.admin("POST", "/clock", {"clock": text})

    def run(self, command: Command) -> None:
        if command.number in BETWEEN:
            BETWEEN[command.number](self)
        if command.program == "curl":
            self.curl(command)
        elif command.program == "cat":
            self.cat(command)
        else:
            self.nuocmd(command)

    def nuocmd(self, command: Command) -> None:
        """What is shown is looked at until it is as the document shows it; all else is compared at once."""
        self.clock(LATER if command.shows and not command.at_once else TYPED)
        expected, end = command.expected(), time.monotonic() + (PATIENCE / 4 if command.shows else 0)
        while True:
            answer = self.prompt(command.words[1:])
            got = [] if answer.code else understand(answer.out)
            if answer.code == 0 and answer.err == "" and compared(command, got) == expected:
                return
            if time.monotonic() >= end:
                break
        shown = "\n".join(command.output)
        self.differences.append(
            f"#{command.number} {command.text}\n--- expected ---\n{shown}\n--- got ({answer.code}) ---\n"
            f"{answer.out}{answer.err}"
        )

    def cat(self, command: Command) -> None:
        found = json.loads((self.home / command.words[1]).read_text())
        if found != json.loads("\n".join(command.output)):
            self.differences.append(f"#{command.number} {command.text}: {json.dumps(found, indent=1)}")

    def curl(self, command: Command) -> None:
        """Repair 3: sent by an HTTP client to a copy of the domain as it stands. The document shows no answer."""
        copy = self.simulate(self.simulation.state(), TYPED)
        answer = send(command, copy)
        assert answer.status_code == 200, answer.text
        process = answer.json()
        assert process.pop("options")
        assert process == {
            "startId": "10", "dbName": "test", "host": "server0", "type": "SM", "archiveId": 0, "regionName": "Default",
            "durableState": "REQUESTED", "labels": {}, **{k: process[k] for k in EXTRA if k in process},
        }  # fmt: skip
        waiting = "[AWAITING_ARCHIVE_HISTORIES_MSG]"
        nuocmd(copy, self.home, db_format="{name} [{state}]").until("show domain", lambda out: waiting in out)


USERS = [{"name": "admin", "password": "s3cret \"'@%&/:+"}]
EXTRA = ("archiveDir", "state", "isExternalStartup", "regionId", "storageGroups", "uri", "version")
"""What a process may tell besides when it is requested: the document prints only what nuocmd shows."""


def compared(command: Command, got: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Repair 4: where the document shows no pid and no node id, they must be there and aren't compared."""
    if command.number != REPAIRS[3].command:
        return got
    items = []
    for item in got:
        if item["kind"] == "process":
            item = dict(item)
            if item.pop("pid", "") != "known" or not item.pop("node_id", "").isdigit():
                return got
        items.append(item)
    return items


def send(command: Command, simulation: Any) -> requests.Response:
    """The curl line's method, path, header and body by another HTTP client; host and credentials are the domain's."""
    address = next(word for word in command.words if word.startswith("http://"))
    rest = [word for word in command.words[1:] if word != address]
    options = dict(zip(rest[::2], rest[1::2]))
    assert set(options) == {"-X", "-H", "-d"}
    name, _colon, value = options["-H"].partition(": ")
    cluster = simulation.cluster
    base = urlsplit(cluster["api_url"][0])
    token = b64encode(f"{cluster['username']}:{cluster['password']}".encode()).decode()
    with requests.Session() as session:
        session.trust_env = False
        return session.request(
            options["-X"], f"{base.scheme}://{base.netloc}{urlsplit(address).path}", data=options["-d"],
            headers={name: value, "Authorization": f"Basic {token}"}, verify=cluster["ca_path"], timeout=20,
        )  # fmt: skip


def _leader_moves(replay: Replay) -> None:
    """Fourteen hours lie between the two; the listings show server1 as leader from here on, and don't say why."""
    replay.simulation.admin("POST", "/move", {"leader": "server1"})


def _storage_managers_are_configured(replay: Replay) -> None:
    """The listing below shows that the storage managers had taken their ports when the first TE was started."""
    replay.clock(LATER)
    replay.prompt.until("show domain", lambda out: "REQUESTED:" not in out and "STARTED:" not in out)


def _database_is_down(replay: Replay) -> None:
    """`shutdown database` doesn't wait; the plan shown below is that of a database that is down."""
    replay.clock(LATER)
    replay.prompt.run("check database --db-name test --num-processes 0 --timeout 20")


BETWEEN: dict[int, Callable[[Replay], None]] = {
    15: _leader_moves,
    28: _storage_managers_are_configured,
    32: _database_is_down,
}


@pytest.fixture
def replay(simulate: Any, tmp_path: Path) -> Replay:
    home = tmp_path / "home"
    home.mkdir()
    return Replay(simulate, home)


def test_replay(document: tuple[list[Command], list[str]], replay: Replay) -> None:
    """The whole session, in the document's order."""
    commands, _prose = document
    for command in commands:
        replay.run(command)
    assert not replay.differences, "\n\n".join(replay.differences)
    # what the document does wrong on purpose, to show what comes of it
    assert replay.simulation.broken_rules() == [
        "process-killed", "last-sm-stopped-under-tes", "archives-started-in-part",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------- the document's tables

_STATE = re.compile(r"[A-Z_]{6,}(?: / [A-Z_]{6,})?")
_BEGINNING = ("AWAITING_ARCHIVE_HISTORIES_MSG", "REQUESTED", "STARTED")


def tables(prose: list[str]) -> tuple[list[str], list[str]]:
    """The names in the document's two tables of states: of a process, of a database; each in its order."""
    found: list[list[str]] = []
    for line in prose:
        if line == "Description":
            found.append([])
        elif found and _STATE.fullmatch(line):
            found[-1] += line.split(" / ")
    processes, databases = found
    return processes, databases


class Life:
    """Looks at a database through the library, one look a clock's step, and holds each look against the tables."""

    LOOK = 3
    """Reads in one look, and reads after which a transition ends: nothing changes within a look."""

    def __init__(self, simulation: Any) -> None:
        simulation.admin("POST", "/clock", {"clock": f"polls:{self.LOOK}"})
        self.connection = admin_connection(simulation.cluster)
        self.databases: list[str] = []
        self.processes: dict[str, list[str]] = {}

    def look(self) -> tuple[str, dict[str, str]]:
        state = self.connection.get_database("test").state
        archives = {archive.id: archive.state for archive in self.connection.get_archives("test")}
        processes = self.connection.get_processes("test")
        durable = {process.start_id: process.durable_state for process in processes}
        for process in processes:
            seen = self.processes.setdefault(process.start_id, [])
            if seen[-1:] != [process.durable_state]:
                seen.append(process.durable_state)
            if process.engine_type == "SM":
                configured = process.durable_state not in ("REQUESTED", "STARTED")
                assert (archives[process.archive_id] == "RUNNING") == configured
        if self.databases[-1:] != [state]:
            self.databases.append(state)
        managers = {process.durable_state for process in processes if process.engine_type == "SM"}
        engines = {process.durable_state for process in processes if process.engine_type == "TE"}
        assert (state in ("NOT_RUNNING", "TOMBSTONE")) == (not durable)
        if state in _BEGINNING:
            assert "MONITORED" not in managers | engines
        if state == "AWAITING_ARCHIVE_HISTORIES_MSG":
            assert managers <= {"REQUESTED", "STARTED"}
        if state == "AWAITING_ARCHIVE_HISTORIES_INC":
            assert "NOT_RUNNING" in archives.values()
            assert "MONITORED" in managers
        if state == "REQUESTED_TE_SHUTDOWN":
            assert engines == {"REQUESTED_SHUTDOWN"}
            assert "REQUESTED_SHUTDOWN" not in managers
        if state == "REQUESTED_SM_SHUTDOWN":
            assert (managers, engines) == ({"REQUESTED_SHUTDOWN"}, set())
        return state, durable

    def until(self, wanted: str, count: int) -> list[str]:
        """Look until the database is in a state with so many processes at rest; the database's states on the way."""
        begun, looks = len(self.databases), 0
        while True:
            state, durable = self.look()
            if state == wanted and len(durable) == count and set(durable.values()) <= {"MONITORED"}:
                return self.databases[begun:]
            looks += 1
            assert looks < 40, (state, durable)


def test_states(document: tuple[list[Command], list[str]], simulate: Any) -> None:
    """A life in which every state of the document's two tables occurs, under the conditions that it names."""
    process_states, database_states = tables(document[1])
    assert len(process_states) == 6
    assert len(database_states) == 9
    life = Life(simulate({**DOMAIN, "users": USERS}))
    connection = life.connection
    for server in ("server0", "server1"):
        assert connection.create_archive("test", server, "/a/test").state == "PROVISIONED"
    connection.create_database("test", "dba", "dba")

    def start(plan: dict[str, Any]) -> None:
        for row in plan["processes"]:
            connection.start_process("test", row["host"], row["engineType"], archive_id=row.get("archiveId"))

    start(connection.get_database_startplan("test", te_server_ids=["server0"]))
    assert life.until("RUNNING", 3) == ["REQUESTED", "STARTED", "RUNNING"]
    first = next(row.start_id for row in connection.get_processes("test") if row.node_id == 1)
    connection.shutdown_process(first, timeout=0)
    assert life.until("AWAITING_ARCHIVE_HISTORIES_INC", 2)[-1] == "AWAITING_ARCHIVE_HISTORIES_INC"
    start(connection.get_database_startplan("test", te_server_ids=["server1"]))
    assert life.until("RUNNING", 4) == ["RUNNING"]
    connection.shutdown_database("test")
    assert life.until("NOT_RUNNING", 0) == ["REQUESTED_TE_SHUTDOWN", "REQUESTED_SM_SHUTDOWN", "NOT_RUNNING"]
    start(connection.get_database_startplan("test", te_server_ids=["server0", "server1"]))
    assert life.until("RUNNING", 4) == ["AWAITING_ARCHIVE_HISTORIES_MSG", "STARTED", "RUNNING"]
    connection.shutdown_database("test")
    life.until("NOT_RUNNING", 0)
    connection.delete_database("test")
    life.until("TOMBSTONE", 0)

    assert set(life.databases) == set(database_states)
    for seen in life.processes.values():
        assert seen == [state for state in process_states if state in seen]
    assert {state for seen in life.processes.values() for state in seen} == set(process_states)

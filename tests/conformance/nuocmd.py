# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's own client, nuocmd 2.7 (pynuoadmin, from PyPI), run as a process; and what it prints as data.

The working example shows what nuocmd 1.x printed (NUODB-410). understand() reads either print into the same items, so
that the two can be compared.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional, Union
from urllib.parse import urlsplit

PATIENCE = 60.0
"""Seconds after which a test gives up waiting for something; never part of what is asserted."""

_REGION_SHOWN = (
    "[{engine_type}] {address::<UNKNOWN ADDRESS>} ({region_name}) [start_id = {start_id}] [server_id = {server_id}] "
    "[pid = {pid::}] [node_id = {node_id::}] [last_ack = {last_ack:5.2f:>60}] {durable_state}:{engine_state}"
)
"""nuocmd 2.7's format of a process and the region that 1.x printed too. nuocmd takes formats from the environment."""


@dataclass(frozen=True)
class Answer:
    """What one command came to."""

    code: int
    out: str
    err: str

    def json(self) -> list[Any]:
        """What --show-json printed: one JSON text after another, no list."""
        decoder, rest, found = json.JSONDecoder(), self.out.strip(), []
        while rest:
            value, end = decoder.raw_decode(rest)
            found.append(value)
            rest = rest[end:].strip()
        return found


_BARE = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
_SERVER = r"""
import json, os, runpy, signal, sys, traceback
import pynuoadmin.nuodb_cli
# nuocmd itself is imported by each fork: it reads its environment meanwhile
for name in [name for name in sys.modules if name.startswith("pynuoadmin")]:
    del sys.modules[name]
for line in sys.stdin:
    wanted = json.loads(line)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(90)
            os.environ.clear()
            os.environ.update(wanted["environment"])
            os.chdir(wanted["directory"])
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for number, name in ((1, "out"), (2, "err")):
                os.dup2(os.open(wanted[name], os.O_WRONLY), number)
            sys.argv = ["nuocmd", *wanted["words"]]
            runpy.run_module("pynuoadmin.nuocmd", run_name="__main__")
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class _Forks:
    """`python -m pynuoadmin.nuocmd` by forks of one process that has imported what nuocmd imports."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_BARE, text=True
        )
        atexit.register(self.process.kill)

    def run(self, words: list[str], environment: dict[str, str], directory: Path) -> Answer:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as err:
            wanted = {"words": words, "environment": environment, "directory": str(directory)}
            with self.lock:
                stdin.write(json.dumps({**wanted, "out": out.name, "err": err.name}) + "\n")
                stdin.flush()
                code = int(stdout.readline())
            return Answer(code, out.read(), err.read())


@functools.cache
def _forks() -> _Forks:
    return _Forks()


class NuoCmd:
    """nuocmd at a shell prompt of its own: its environment, its working directory.

    :param api_server: the URL of one admin process.
    :param credentials: C(user:password); None sends none.
    :param more: further NUOCMD_* variables (without the prefix).
    """

    fresh = False
    """Each command is a Python of its own, which takes a third of a second, instead of a fork of one."""

    def __init__(
        self, api_server: str, credentials: Optional[str], ca_path: Optional[str], directory: Path, **more: str
    ) -> None:
        self.directory = directory
        values = {"API_SERVER": api_server, "BASIC_CREDS": credentials, "VERIFY_SERVER": ca_path, **more}
        # no proxy, no ~/.netrc and no variables of the developer's own domain reach it
        self.environment = {**_BARE, "HOME": str(directory)}
        self.environment.update({f"NUOCMD_{name.upper()}": value for name, value in values.items() if value})

    def __call__(self, line: Union[str, Iterable[str]], **changed: Optional[str]) -> Answer:
        """Run one command line (without the word nuocmd), whatever it comes to.

        :param changed: NUOCMD_* variables for this command alone; None takes one away.
        """
        words = shlex.split(line) if isinstance(line, str) else list(line)
        environment = dict(self.environment)
        for name, value in changed.items():
            environment.pop(f"NUOCMD_{name.upper()}", None)
            if value is not None:
                environment[f"NUOCMD_{name.upper()}"] = value
        if not self.fresh:
            return _forks().run(words, environment, self.directory)
        done = subprocess.run(
            [sys.executable, "-m", "pynuoadmin.nuocmd", *words],
            cwd=self.directory, env=environment, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        return Answer(done.returncode, done.stdout, done.stderr)

    def run(self, line: Union[str, Iterable[str]], **changed: Optional[str]) -> str:
        """Its output; the test fails when it fails."""
        answer = self(line, **changed)
        assert answer.code == 0, f"nuocmd {line}: {answer.err}{answer.out}"
        assert answer.err == ""
        return answer.out

    def fails(self, line: Union[str, Iterable[str]], **changed: Optional[str]) -> str:
        """The sentence with which it fails; the test fails when it doesn't."""
        answer = self(line, **changed)
        assert answer.code == 1, f"nuocmd {line} ended with {answer.code}: {answer.err}{answer.out}"
        assert answer.err.strip()
        # what nuocmd makes of an error answer that isn't the API's own
        assert "Expecting value" not in answer.err, answer.err
        assert "Error for url" not in answer.err, answer.err
        return answer.err.strip()

    def get(self, what: str) -> list[Any]:
        """The objects that a `get` command finds, as the API gave them."""
        answer = self(f"--show-json get {what}")
        assert answer.code == 0, answer.err
        return answer.json()

    def until(self, line: str, wanted: Callable[[str], bool], seconds: float = PATIENCE) -> str:
        """Ask again and again until the output is as wanted."""
        end = time.monotonic() + seconds
        while True:
            answer = self(line)
            if answer.code == 0 and wanted(answer.out):
                return answer.out
            if time.monotonic() > end:
                raise AssertionError(f"after {seconds:g} s still not as wanted: {line}\n{answer.out}{answer.err}")


def nuocmd(simulation: Any, directory: Path, server: int = 0, **more: Any) -> NuoCmd:
    """nuocmd for one admin process of a simulated domain.

    :param more: C(credentials), C(ca_path), or NUOCMD_* variables.
    """
    cluster = simulation.cluster
    credentials = more.pop("credentials", f"{cluster['username']}:{cluster['password']}")
    ca_path = more.pop("ca_path", cluster["ca_path"])
    return NuoCmd(
        cluster["api_url"][server], credentials, ca_path, directory, **{"process_format": _REGION_SHOWN, **more}
    )


def admin_connection(cluster: dict[str, Any], server: int = 0, **more: Any) -> Any:
    """The vendor's library on one admin process of a simulated domain: a second reader of what modules did.

    :param cluster: a domain as the simulator's ready file has it.
    :param more: arguments of AdminConnection that replace the domain's own.
    """
    from pynuoadmin.nuodb_mgmt import AdminConnection

    arguments: dict[str, Any] = {
        "verify": cluster.get("ca_path"),
        "basic_creds": (cluster["username"], cluster["password"]),
        **more,
    }
    parts = urlsplit(cluster["api_url"][server])
    return AdminConnection(f"{parts.scheme}://{parts.netloc}", **arguments)


# ---------------------------------------------------------------------------------------------- what nuocmd prints

_WORD = r"[A-Z_]+"
_ENGINE = (
    r"\[(?P<engine_type>TE|SM|SSM)\] (?P<address><UNKNOWN ADDRESS>|\S+)(?: \((?P<region_name>[^)]*)\))?"
    r" \[start_id = (?P<start_id>\d+)\] \[server_id = (?P<server_id>[^\]]+)\]"
    r"(?: \[pid = (?P<pid>\d*)\])?(?: \[node_id = (?P<node_id>\d*)\])?"
)
_ARCHIVE = r"\[(?P<archive_id>\d+)\] (?P<server_id>\S+) : (?P<archive_path>\S+)"
_ARCHIVE_STATE = rf"(?P<removed>REMOVED\()?(?P<state>{_WORD})\)?"
_PRINTS = [
    ("version", r"server version: (?P<version>[^,]+), server license: (?P<license>\S+)"),
    ("clock", r"server time: \S+, client token: \w+"),
    ("title", r"(?P<title>Servers|Databases):"),
    (
        "server",
        rf"\[(?P<server_id>[^\]]+)\] (?P<address>\S+) \((?P<role>{_WORD}), Leader=(?P<leader>[^,)]+)\)"
        r" (?P<state>\w+):(?P<connected>\w+)(?P<local> \*)?",
    ),
    (
        "server",
        r"\[(?P<server_id>[^\]]+)\] (?P<address>\S+) \[last_ack = (?:NEVER|[\d.]+)\] (?P<state>\S+)"
        rf" \((?P<role>{_WORD}), Leader=(?P<leader>[^,)]+), log=[\d?]+/[\d?]+/[\d?]+\)"
        r" (?P<connected>\w+)(?P<local> \*)?",
    ),
    ("incarnation", r"\[incarnation = (?P<major>\d+)\]"),
    ("archive", rf"Archive: {_ARCHIVE} \[db = (?P<db_name>\S+)\] {_ARCHIVE_STATE}"),
    (
        "archive",
        rf"{_ARCHIVE} @ (?P<db_name>\S+) \[journal_path = [^\]]*\] \[observer_storage_groups = \[[^\]]*\]\]"
        rf" {_ARCHIVE_STATE}",
    ),
    (
        "tombstone",
        rf"{_ENGINE} EXITED\((?P<durable_state>{_WORD}):(?P<engine_state>{_WORD})\):(?P<reason>.*)"
        r" \((?P<exit_code>-?\d+|\?)\)",
    ),
    (
        "process",
        rf"{_ENGINE}(?: \[last_ack = +[\d.>]+\])? (?P<durable_state>{_WORD}):(?P<engine_state>[^ ]+)",
    ),
    ("database", rf"(?P<db_name>\S+) \[(?:state = )?(?P<state>{_WORD})\]"),
    ("object", r"(?P<starting>STARTING: )?(?P<type>[A-Z]\w+)\((?P<fields>.*)\)"),
]  # fmt: skip
_STAMP = re.compile(r"\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*[+-]\d{4}\)")

NEWER = {
    "Archive": {"is_observer": "False", "observer_storage_groups": "[]"},
    "Process": {"ipVersion": "v4"},
}
"""Fields that nuocmd 2.7 prints where 1.x printed none: its own defaults for what the API leaves out."""

# nuocmd's own words for the state UNKNOWN: 1.x for any engine it has no news of, 2.7 for one that is starting.
_UNKNOWN = {"UNREACHABLE(UNKNOWN)": "UNKNOWN", "STARTING_UP": "UNKNOWN"}


def fields(text: str) -> dict[str, str]:
    """C(name=value, ...) of an object that nuocmd prints, values as text."""
    parts, depth, start = [], 0, 0
    for index, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    pairs = (part.strip().partition("=") for part in parts if part.strip())
    return {name: value for name, _equals, value in pairs}


def understand(text: str) -> list[dict[str, Any]]:
    """Every line of what nuocmd printed, in order, as data. A line that can't be read fails the test.

    Left out are time stamps, the token, last_ack and log indices (2.7 prints them, 1.x didn't), and which number a
    pid is; whether there is one is kept.
    """
    items = []
    for line in text.splitlines():
        if line.strip():
            items.append(_item(line.strip()))
    return items


def _item(line: str) -> dict[str, Any]:
    for kind, pattern in _PRINTS:
        match = re.fullmatch(pattern, line)
        if match:
            return _normal(kind, match.groupdict())
    raise AssertionError(f"nuocmd printed a line of an unknown kind: {line!r}")


def _normal(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {"kind": kind, **found}
    if kind in ("server", "archive", "object"):
        for flag in {"local", "removed", "starting"} & set(found):
            item[flag] = bool(found[flag])
    if kind in ("process", "tombstone"):
        for name in ("region_name", "pid", "node_id"):
            if found[name] is None:
                del item[name]
        if found["pid"]:
            item["pid"] = "known"
        item["engine_state"] = _UNKNOWN.get(found["engine_state"], found["engine_state"])
    if kind == "tombstone":
        item["reason"] = _STAMP.sub("(time)", found["reason"])
    if kind == "object":
        values = fields(item.pop("fields"))
        for name, neutral in NEWER.get(item["type"], {}).items():
            assert values.pop(name, neutral) == neutral, name
        if values.get("options", "{}") != "{}":
            values["options"] = "{...}"
        item["values"] = values
    return item

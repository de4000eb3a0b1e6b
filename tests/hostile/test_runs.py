# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real ansible-playbook and ansible-inventory against servers that say odd things: every byte that is shown.

Whatever a cluster tells: no line is forged, no control character gets out, no text of it is evaluated as a template,
and a run is never longer than a reader can bear.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import html5lib
import pytest
import yaml
from ansible_collections.dbfleet.cluster.tests.hostile.mill import ODD, Mill, added, keyed, nothing
from ansible_collections.dbfleet.cluster.tests.hostile.test_reading_calls import SERVERS
from ansible_collections.dbfleet.cluster.tests.servers import http_answer

COLLECTIONS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)[0] or str(
    Path(__file__).resolve().parents[2] / ".venv" / "collections"
)

FORGED = "\n[exa-h] FORGED: ok\nFORGED"
TEMPLATE = "{{ 'eval' ~ 'uated' }}{% if true %}{{ 'eval' ~ 'uated' }}{% endif %}"
IN_XML = f"X{FORGED} \x9b2J\u202edcba\u2069 {TEMPLATE}"
IN_JSON = f"{IN_XML}\r\x1b[2K\b\b\b"
ODD_TEXT = {"exaoperation": IN_XML, "nuodb": IN_JSON}

PREFIX = {"exaoperation": "exa", "nuodb": "nuodb"}
GROUP = {"exaoperation": "exa_clusters", "nuodb": "nuodb_domains"}

LONGEST = 200_000
"""Characters of the output of a run."""


class Shown:
    """The output of a program."""

    def __init__(self, code: int, raw: bytes) -> None:
        self.code, self.text = code, raw.decode("utf-8")

    def harmless(self) -> Shown:
        lines = [line.removeprefix("\t") for line in self.text.split("\n")]  # ansible-core writes one before stats
        odd = [line[:300] for line in lines if ODD.search(line)]
        forged = [line[:300] for line in lines if line.startswith(("[exa-h] FORGED", "FORGED"))]
        assert (odd, forged) == ([], []), self.text[:5000]
        assert "evaluated" not in self.text, self.text[:5000]
        assert "Traceback" not in self.text, self.text[:5000]
        assert "unexpected error" not in self.text, self.text[:5000]
        assert len(self.text) < LONGEST
        return self


@pytest.fixture
def odd_server(serve: Callable[..., Any]) -> Callable[..., Mill]:
    """Serves a cluster over HTTP, whose answers a test spoils."""

    def start(server: str, **more: Any) -> Mill:
        mill = Mill({**deepcopy(SERVERS[server]), **more})

        def answer(asked: Any) -> bytes:
            verb, path, _version = asked.line.split(" ", 2)
            status, reason, _headers, body = mill.answer(mill.machines[0], verb, path, asked.headers, asked.body)
            return http_answer(body, f"{status} {reason}")

        mill.url = serve(answer).url  # type: ignore[attr-defined]
        return mill

    return start


class Program:
    """Runs ansible in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def environment(self, **more: str) -> dict[str, str]:
        own = ("ANSIBLE_", "EXA_", "NUODB_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        (self.folder / "ansible.cfg").touch()
        return {
            **kept,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            "PYTHONPATH": COLLECTIONS, "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS, "ANSIBLE_HOME": str(self.folder),
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8",
            "ANSIBLE_LOCALHOST_WARNING": "0", "XDG_STATE_HOME": str(self.folder / "state"), **more,
        }  # fmt: skip

    def run(self, *command: str, **environment: str) -> Shown:
        done = subprocess.run(
            [sys.executable, "-m", "ansible", *command],
            env=self.environment(**environment), cwd=self.folder, check=False, timeout=180,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return Shown(done.returncode, done.stdout)

    def hosts(self, server: str, mill: Any, **more: Any) -> str:
        prefix = PREFIX[server]
        given = {
            "api_url": [mill.url], "api_username": "admin", "api_password": "pw-of-admin", "request_timeout": 5,
        }  # fmt: skip
        row = {**{f"{prefix}_{key}": value for key, value in given.items()}, "ansible_connection": "local", **more}
        data = {GROUP[server]: {"hosts": {"exa-h": row}}}
        path = self.folder / "hosts.yml"
        path.write_text(yaml.safe_dump(data))
        return str(path)

    def play(self, server: str, tasks: list[dict[str, Any]]) -> str:
        path = self.folder / "play.yml"
        path.write_text(yaml.safe_dump([{"hosts": GROUP[server], "gather_facts": False, "tasks": tasks}]))
        return str(path)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def refusing(mill: Mill, text: str) -> None:
    mill.refuses = text * 100_000


SPOILT: dict[str, Callable[[Mill, str], None]] = {
    "texts": lambda mill, text: setattr(mill, "spoil", added(text)),
    "names": lambda mill, text: setattr(mill, "spoil", keyed(text)),
    "refused": refusing,
}

RUNBOOKS = {
    "exaoperation": ("status", "check", "exa_cold_start", "exa_graceful_shutdown"),
    "nuodb": ("status", "check", "nuodb_cold_start", "nuodb_recover"),
}

CALLBACKS = {
    "default": {},
    "compact": {"ANSIBLE_STDOUT_CALLBACK": "dbfleet.cluster.compact"},
    "yaml": {"ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", "ANSIBLE_SHOW_CUSTOM_STATS": "1"},
}

RUNS = [
    (server, book, spoilt, list(CALLBACKS)[number % 3])
    for server, books in RUNBOOKS.items()
    for number, (book, spoilt) in enumerate((book, spoilt) for book in books for spoilt in SPOILT)
    if number % 2 == (server == "nuodb")
]
"""Half of what could be combined, so that it takes no longer than it must."""


@pytest.mark.parametrize(("server", "book", "spoilt", "callback"), RUNS)
def test_a_runbook(program: Program, odd_server: Any, server: str, book: str, spoilt: str, callback: str) -> None:
    mill = odd_server(server)
    SPOILT[spoilt](mill, ODD_TEXT[server])
    hosts = program.hosts(server, mill, **{f"{PREFIX[server]}_wait_timeout": 2})
    given = ["-e", "target=exa-h", "-e", "confirm=exa-h", *(["-v", "--diff"] if spoilt == "names" else [])]
    shown = program.run("playbook", "-i", hosts, f"dbfleet.cluster.{book}", *given, **CALLBACKS[callback]).harmless()
    if spoilt == "refused":
        assert shown.code != 0
        assert len(shown.text) < 30_000  # of faults of 15 MB


def database_called(name: str) -> dict[str, Any]:
    return {"databases": {name: {"state": "setup", "nodes": ["n0011"]}}, "backups": {}}


@pytest.mark.parametrize("callback", ["default", "compact"])
@pytest.mark.parametrize("server", RUNBOOKS)
def test_a_database_with_an_odd_name(program: Program, odd_server: Any, server: str, callback: str) -> None:
    """The server is consistent: it has such a database, and does with it what it is asked to by its own name."""
    name = ODD_TEXT[server]
    if server == "nuodb":
        of = {"db_name": name, "server_id": "server0"}
        engines = {"0": {**of, "engine_type": "SM", "node_id": 1, "archive_id": 0}}
        engines["1"] = {**of, "engine_type": "TE", "node_id": 2}
        archives = {"0": {**of, "archive_path": "/archive/0", "state": "RUNNING"}}
        parts = {"databases": {name: {"incarnation": [1, 0]}}, "processes": engines, "archives": archives}
        mill, book, hooks = odd_server(server, **parts, storage_groups={}), "nuodb_graceful_shutdown", "after_databases"
    else:
        mill, book, hooks = odd_server(server, **database_called(name)), "exa_cold_start", "after_storage"
    hook = program.folder / "hook.yml"
    hook.write_text(yaml.safe_dump([{"name": "say", "ansible.builtin.debug": {"var": f"{book}_run"}}]))
    reports = program.folder / "reports"
    report = {f"{PREFIX[server]}_report_path": str(reports)}
    hosts = program.hosts(server, mill, **report, **{f"{book}_hooks": {hooks: str(hook)}})
    given = ["-i", hosts, f"dbfleet.cluster.{book}", "-e", "target=exa-h", "-e", "confirm=exa-h"]
    for more in (["--check", "--diff"], []):
        shown = program.run("playbook", *given, *more, **CALLBACKS[callback]).harmless()
        assert shown.code == 0, shown.text
        assert r"X\n[exa-h] FORGED: ok\nFORGED" in shown.text
    assert any(call.startswith("startDatabase") or call.endswith("/shutdown") for call in mill.asked), mill.asked
    pages = list(reports.rglob("*.html"))
    assert len(pages) == 3
    for page in pages:
        text = page.read_text(encoding="utf-8")
        html5lib.HTMLParser(strict=True).parse(text)
        assert not ODD.search(text.replace("\n", ""))
        assert "evaluated" not in text
    said = ["playbook", "dbfleet.cluster.runs", "-e", f"runs_path={reports}"]
    for more in ([], ["-e", "runs_show=last", "-v"]):
        shown = program.run(*said, *more, **CALLBACKS[callback]).harmless()
        assert shown.code == 0, shown.text
    assert r"X\n[exa-h] FORGED: ok\nFORGED" in shown.text


@pytest.mark.parametrize("server", RUNBOOKS)
def test_results_in_a_play_of_ones_own(program: Program, odd_server: Any, server: str) -> None:
    mill = odd_server(server)
    mill.spoil = keyed(ODD_TEXT[server]) if server == "nuodb" else nothing
    if server != "nuodb":
        mill = odd_server(server, **database_called(ODD_TEXT[server]))
    module, noun = ("nuodb_domain_info", "domain") if server == "nuodb" else ("exa_cluster_info", "cluster")
    prefix = PREFIX[server]
    given = {key: f"{{{{ {prefix}_{key} }}}}" for key in ("api_url", "api_username", "api_password")}
    tasks = [
        {f"dbfleet.cluster.{module}": given, "register": "found"},
        {"ansible.builtin.debug": {"var": "found"}},
        {"ansible.builtin.set_fact": {"names": f"{{{{ found.{noun}.databases | list }}}}"}},
        {"ansible.builtin.debug": {"msg": "{{ names }}"}},
        {"ansible.builtin.set_stats": {"data": {"names": "{{ names }}", "summary": "{{ found.summary }}"}}},
        {"ansible.builtin.fail": {"msg": "{{ found.summary }}"}},
    ]
    for environment in (CALLBACKS["yaml"], CALLBACKS["compact"]):
        shown = program.run(
            "playbook", "-i", program.hosts(server, mill), program.play(server, tasks),
            **{"ANSIBLE_SHOW_CUSTOM_STATS": "1", **environment},
        ).harmless()  # fmt: skip
        assert shown.code == 2
        assert "FORGED" in shown.text


@pytest.mark.parametrize("server", RUNBOOKS)
def test_the_inventory_plugin(program: Program, odd_server: Any, server: str) -> None:
    mill = odd_server(server)
    mill.spoil = keyed(ODD_TEXT[server]) if server == "nuodb" else added(ODD_TEXT[server])
    kind = "nuodb" if server == "nuodb" else "exasol"
    profile = {"exa-h": {"api_url": [mill.url], "api_username": "admin", "api_password": "pw-of-admin"}}
    (program.folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    (program.folder / "profiles.yml").chmod(0o600)
    source = program.folder / f"fleet.{kind}.yml"
    source.write_text(yaml.safe_dump({
        "plugin": f"dbfleet.cluster.{kind}", "profiles_path": "profiles.yml", "clusters": ["exa-h"],
        "hosts": ["servers", "processes"] if kind == "nuodb" else ["nodes"],
        "keyed_groups": [{"key": "dbfleet_state", "prefix": "state"}],
        "compose": {"said": "dbfleet_summary"},
    }))  # fmt: skip
    for words in (["--graph", "--vars"], ["--list", "--yaml"]):
        program.run("inventory", "-i", str(source), *words).harmless()
    listed = program.run("inventory", "-i", str(source), "--list", "--export").harmless()
    listed = json.loads(listed.text[listed.text.index("\n{") :])
    assert "exa-h" in listed["_meta"]["hostvars"]
    tasks = [{"ansible.builtin.debug": {"var": "hostvars[inventory_hostname]"}}]
    path = program.folder / "all.yml"
    path.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    assert program.run("playbook", "-i", str(source), str(path)).harmless().code == 0

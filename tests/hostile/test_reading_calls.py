# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every reading call of both products, answered by texts that a terminal would obey, and by what no call answers.

Whatever comes back: the task ends in one sentence or well, each line of it is its own, no text of the server's gets to
a terminal as it is, and nothing goes on without end.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.connect import connect as connect_exasol
from ansible_collections.dbfleet.cluster.plugins.module_utils._foreign import told
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import client
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connect import connect as connect_nuodb
from ansible_collections.dbfleet.cluster.plugins.modules import exa_cluster_info, nuodb_domain_info
from ansible_collections.dbfleet.cluster.tests.hostile.conftest import Wire
from ansible_collections.dbfleet.cluster.tests.hostile.mill import (
    Mill,
    Spoil,
    added,
    instead,
    keyed,
    many,
    nested,
    odd_data,
    texts,
    whole,
)
from ansible_collections.dbfleet.cluster.tests.unit.exasol.changes import CONFD, EAO, OLD, PLUGIN
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.changes import topology as domain

SOURCES = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"

USERS = [{"name": "admin", "password": "pw-of-admin"}]
ROWS = [{**OLD, "bid": 1, "volume": "R"}, {**OLD, "bid": 2, "volume": "R", "level": 1, "dependencies": "1"}]
EXASOL = {"product": "exasol", "name": "exa-h", "users": USERS, "backups": {"DB2": ROWS}}
NUODB = {**domain(), "name": "exa-h", "users": USERS}

SERVERS: dict[str, dict[str, Any]] = {
    "exaoperation": {**EXASOL, **EAO, "plugins": [PLUGIN], "log_services": ["logservice1"]},
    "confd": {**EXASOL, **CONFD, "settings": {"master_answer": "{name}"}},
    "confd json": {**EXASOL, **CONFD, "settings": {"master_answer": "{name}"}},
    "nuodb": NUODB,
}

DOMAIN_PARTS = nuodb_domain_info.SPEC["argument_spec"]["gather"]["choices"]

Task = tuple[str, dict[str, Any]]

BOTH: list[Task] = [
    ("exa_cluster_info", {"gather": ["all"]}),
    ("exa_connection_info", {}),
    ("exa_database", {"databases": ["DB1"], "state": "stopped"}),
    ("exa_database", {"databases": ["DB2"]}),
    ("exa_node", {"nodes": ["13"], "state": "suspended"}),
    ("exa_backup", {"databases": "DB1", "volume": "R", "once": True, "expire": "1w"}),
    ("exa_backup", {"databases": "DB2", "state": "absent", "backup_ids": ["1", "2"], "confirm": "DB2"}),
    ("exa_backup_schedule", {"db_name": "DB1", "schedules": [{"name": "n", "volume": "A", "level": 1}]}),
    ("exa_volume", {"name": "A", "size": "40 GiB"}),
    ("exa_remote_volume", {"name": "R", "state": "absent", "confirm": "R"}),
]
TASKS: dict[str, list[Task]] = {
    "exaoperation": [
        *BOTH,
        ("exa_storage", {"state": "stopped"}),
        ("exa_log_info", {"log_service": "logservice1"}),
        ("exa_plugin", {"plugin": PLUGIN, "nodes": ["n0011"], "state": "started"}),
    ],
    "confd": [
        *BOTH,
        ("exa_database", {"databases": "DB2", "state": "present", "config": {"mem_size": "4 GiB"}}),
        ("exa_job_info", {"jobs": ["db_start", "db_info"]}),
        ("exa_job", {"job": "db_info", "params": {"db_name": "DB1"}}),
        ("exa_job", {"job": "db_stop", "params": {"db_name": "DB1"}}),
    ],
    "nuodb": [
        ("nuodb_domain_info", {"gather": DOMAIN_PARTS}),
        ("nuodb_connection_info", {}),
        ("nuodb_database", {"databases": ["up"], "state": "stopped"}),
        ("nuodb_database", {"databases": [{"name": "down", "te_server_ids": ["server0"]}]}),
        ("nuodb_process", {"processes": [{"start_id": "2"}], "state": "killed"}),
        ("nuodb_archive", {"archives": [{"archive_id": 3}], "state": "absent"}),
        ("nuodb_server", {"servers": ["server2"], "state": "stopped"}),
        ("nuodb_storage_group", {"db_name": "up", "sg_name": "EAST", "archive_ids": [1], "state": "absent"}),
        ("nuodb_hotcopy", {"db_name": "up", "state": "cancelled"}),
        ("nuodb_lease", {"state": "taken", "run": "r1"}),
    ],
}
TASKS["confd json"] = TASKS["confd"]

TEXTS = texts()

WRONG: dict[str, Spoil] = {
    **{f"texts are {value!r}": instead(value) for value in (None, 7, True, [], {}, ["x"])},
    **{f"all is {value!r}": whole(value) for value in (None, 7, "x", [], {}, [{}], [None], {"data": [7]})},
    "nested": nested,
    "many": many,
}


def new(server: str) -> Mill:
    return Mill(deepcopy(SERVERS[server]))


def options_of(server: str, given: dict[str, Any]) -> dict[str, Any]:
    return {**given, "rpc_format": "json"} if server == "confd json" else given


def tried(server: str, run: Callable[..., Any], set_up: Callable[[Mill], None], check: bool = True) -> list[str]:
    """What was shown wrongly by all modules of a server."""
    found = []
    for module, given in TASKS[server]:
        mill = new(server)
        set_up(mill)
        ran = run(module, mill, options_of(server, given), check=check)
        found += [f"{module}: {one}" for one in ran.wrong("exa-h")]
    return found


def spoilt_by(spoil: Spoil) -> Callable[[Mill], None]:
    return lambda mill: setattr(mill, "spoil", spoil)


SAID = [
    pytest.param(server, one, id=f"{server}-{one.name}")
    for server in SERVERS
    for one in TEXTS
    if one.xml or server in ("confd json", "nuodb")
]


@pytest.mark.parametrize(("server", "one"), SAID)
def test_a_text_that_a_terminal_would_obey(run: Any, server: str, one: Any) -> None:
    assert tried(server, run, spoilt_by(added(one.text))) == []
    assert tried(server, run, spoilt_by(keyed(one.text))) == []
    assert tried(server, run, lambda mill: setattr(mill, "refuses", one.text)) == []


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("server", SERVERS)
def test_an_answer_of_another_kind(run: Any, server: str, wrong: str) -> None:
    assert tried(server, run, spoilt_by(WRONG[wrong])) == []


PAGES = {
    "page": (200, "OK", b"<html><body>" + b"\x1b[2J\x9b" + b"proxy " * 500_000 + b"</body></html>"),
    "reason": (500, "\x1b[2J\x9b\u202ebad" * 5000, b"nothing"),
    "gateway": (502, "a\r\nb\x08" * 500, b""),
    "broken": (200, "OK", b"\xff\xfe\x00{{ 7*7 }}"),
    "cut off": (200, "OK", b'{"data": [{"name": "a'),
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("server", SERVERS)
def test_a_page_of_another_server(run: Any, server: str, page: str) -> None:
    assert tried(server, run, lambda mill: setattr(mill, "instead", PAGES[page])) == []


# -- what modules ask only now and then

SELDOM: dict[str, list[Callable[[Any], Any]]] = {
    "exaoperation": [
        lambda cluster: cluster.node_status("n0011"),
        lambda cluster: cluster.seen_online(),
        lambda cluster: cluster.database_errors("DB1"),
        lambda cluster: cluster.license_server_states(["n0010"]),
        lambda cluster: cluster.backups().progress("DB2"),
        lambda cluster: cluster.volumes().all(),
    ],
    "confd": [
        lambda cluster: cluster.license_end(),
        lambda cluster: cluster.backups().progress("DB2"),
        lambda cluster: cluster.identity(),
    ],
    "nuodb": [
        lambda cluster: cluster.server_properties("server0"),
        lambda cluster: cluster.hotcopy("0", "1"),
        lambda cluster: cluster.capture("up"),
        lambda cluster: cluster.process("0"),
        lambda cluster: cluster.value("a"),
        lambda cluster: cluster.roles_of("admin"),
    ],
}


def cluster_of(server: str, mill: Mill, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(client, "Transport", lambda *_given: Wire(mill))
    urls = [f"https://{machine}:{mill.port}" for machine in mill.machines]
    given = {"api_url": urls, "api_username": "admin", "api_password": "pw-of-admin", "cluster_name": "exa-h"}
    given.update({"validate_certs": False} if server == "nuodb" else {"validate_certs": False, "provider": server})
    info, connect = (nuodb_domain_info, connect_nuodb) if server == "nuodb" else (exa_cluster_info, connect_exasol)
    validated = ArgumentSpecValidator(info.SPEC["argument_spec"]).validate(given)
    return connect(SimpleNamespace(params=validated.validated_parameters, warn=lambda _text: None))


@pytest.mark.parametrize("one", [one for one in TEXTS if one.xml], ids=lambda one: one.name)
@pytest.mark.parametrize("server", SELDOM)
def test_a_call_that_is_seldom_made(monkeypatch: pytest.MonkeyPatch, run: Any, server: str, one: Any) -> None:
    for ask in SELDOM[server]:
        for set_up in (spoilt_by(added(one.text)), spoilt_by(whole(one.text)), spoilt_by(keyed(one.text))):
            mill = new(server)
            set_up(mill)
            failure: dict[str, Any] = {}
            try:
                ask(cluster_of(server, mill, monkeypatch))
            except ClusterError as error:
                failure = told(error.as_result())
            assert odd_data(failure) == []


# -- that all of it was asked


def reading_calls(folder: str) -> set[str]:
    """The calls that read, as the source of a client names them."""
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted((SOURCES / folder).rglob("*.py")))
    return set(re.findall(r"\.(?:read|text|names|_machines)\(\s*\"(\w+)\"", sources))


@pytest.mark.parametrize(
    ("server", "folder", "unasked"),
    [
        # What only an old server is asked, what stands within a change, and a word that is no job.
        ("exaoperation", "_exasol/eao", {"getCurrentLicenseServer", "getPermissions"}),
        ("confd", "_exasol/confd", {"job_exec"}),
    ],
)
def test_every_reading_call_is_among_them(
    monkeypatch: pytest.MonkeyPatch, run: Any, server: str, folder: str, unasked: set[str]
) -> None:
    asked: set[str] = set()
    for module, given in TASKS[server]:
        mill = new(server)
        run(module, mill, options_of(server, given), check=True)
        asked |= mill.asked
    mill = new(server)
    for ask in SELDOM[server]:
        with suppress(ClusterError):
            ask(cluster_of(server, mill, monkeypatch))
    assert reading_calls(folder) - asked - mill.asked == unasked


def test_every_reading_call_of_a_domain_is_among_them(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    source = (SOURCES / "_nuodb/api/domain.py").read_text(encoding="utf-8")
    paths = set(re.findall(r"(?:_ask\(\"GET\", f?|_list\(f?)\"([\w/]+)", source))
    asked = ""
    for module, given in TASKS["nuodb"]:
        mill = new("nuodb")
        run(module, mill, given, check=True)
        asked += " ".join(mill.asked)
    mill = new("nuodb")
    for ask in SELDOM["nuodb"]:
        with suppress(ClusterError):
            ask(cluster_of("nuodb", mill, monkeypatch))
    asked += " ".join(mill.asked)
    assert {path for path in paths if f"GET {path}" not in asked} == set()

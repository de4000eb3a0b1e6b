# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every keyword that a task may have, with a local connection and with another: the same playbook, the same results."""

from __future__ import annotations

import re
from typing import Any, Callable

from ansible.playbook.task import Task
from world import ROOT, Run, Simulator, cluster, plain, play

PREFIX = "dbfleet.cluster."
INFO = f"{PREFIX}exa_cluster_info"
DATABASE = f"{PREFIX}exa_database"

LOOK = {INFO: {"gather": ["databases"]}}
RUNS = {DATABASE: {"databases": ["DB1"]}}
STOP = {DATABASE: {"databases": ["DB1"], "state": "stopped"}}
WRONG = {DATABASE: {"databases": ["DB11"]}}
NOBODY = {INFO: {"api_url": "https://127.0.0.1:1", "gather": ["databases"]}}
KEPT = {"ignore_errors": True}
WAYS = ("local", "elsewhere")
"""Connections: with the first a module runs in-process, with the other as an ordinary module."""

BECOME = {"become": True, "become_method": "same_user", "become_user": "nobody"}
SAME_USER = {**BECOME, "become_exe": "x", "become_flags": "-x"}
ENVIRONMENT = {f"EXA_{name.upper()}": f"{{{{ exa_{name} }}}}" for name in ("api_username", "api_password", "ca_path")}
ENVIRONMENT["EXA_API_URL"] = "{{ exa_api_url | join(',') }}"

TASKS: dict[str, list[dict[str, Any]]] = {
    "action": [{"action": {"module": INFO, "gather": ["databases"]}}],
    "args": [{INFO: None, "args": {"gather": ["databases"]}}],
    "async": [{**LOOK, "async": 60, "poll": 1}, {**WRONG, "async": 60, "poll": 1, **KEPT}],
    "poll": [
        {**LOOK, "async": 60, "poll": 0, "register": "job"},
        {
            "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"}, "register": "end",
            "until": "end is finished", "retries": 100, "delay": 0.2,
        },
    ],
    "become": [{**RUNS, **SAME_USER}, {**WRONG, **SAME_USER, **KEPT}, {**STOP, **SAME_USER, "check_mode": True}],
    "changed_when": [{**LOOK, "changed_when": True}],
    "check_mode": [{**STOP, "check_mode": True}, {**WRONG, "check_mode": True, **KEPT}],
    "collections": [{"exa_cluster_info": {"gather": ["databases"]}, "collections": ["dbfleet.cluster"]}],
    "connection": [{**LOOK, "connection": way} for way in WAYS],
    "debugger": [{**WRONG, "debugger": "never", **KEPT}],
    "delegate_facts": [{**LOOK, "delegate_to": "b", "delegate_facts": True}],
    "delegate_to": [{**LOOK, "delegate_to": "b"}, {**WRONG, "delegate_to": "b", **KEPT}],
    "diff": [{**STOP, "check_mode": True, "diff": True}, {**STOP, "check_mode": True, "diff": False}],
    "failed_when": [
        {**LOOK, "register": "found", "failed_when": "found.cluster.databases.DB1.state == 'running'", **KEPT},
        {**WRONG, "failed_when": False},
    ],
    "ignore_errors": [{**WRONG, **KEPT}],
    "ignore_unreachable": [{**NOBODY, "ignore_unreachable": True, **KEPT}],
    "loop": [{DATABASE: {"databases": ["{{ item }}"]}, "loop": ["DB1", "DB2", "DB11"], **KEPT}],
    "loop_control": [
        {
            DATABASE: {"databases": "{{ name }}"}, "loop": [["DB1"], ["DB2"]],
            "loop_control": {"loop_var": "name", "index_var": "n", "label": "{{ n }}", "pause": 0.1, "extended": True},
        }
    ],
    "loop_with": [{DATABASE: {"databases": ["{{ item }}"]}, "with_items": ["DB1", "DB2"]}],
    "module_defaults": [
        {DATABASE: {"state": "stopped"}, "check_mode": True, "module_defaults": {DATABASE: {"databases": ["DB2"]}}},
        {
            DATABASE: {"databases": ["DB1"]}, **KEPT,
            "module_defaults": {f"group/{PREFIX}exasol": {"api_url": "https://127.0.0.1:1"}},
        },
    ],
    "no_log": [{**LOOK, "no_log": True}, {**WRONG, "no_log": True, **KEPT}],
    "notify": [
        {**LOOK, "changed_when": True, "notify": ["By its name", "topic"]},
        {"ansible.builtin.meta": "flush_handlers"},
    ],
    "port": [{**LOOK, "port": 2222, "remote_user": "operator"}],
    "register": [
        {**LOOK, "register": "seen"},
        {DATABASE: {"databases": "{{ seen.cluster.databases | list }}"}},
    ],
    "run_once": [{**LOOK, "run_once": True}],
    "tags": [{**LOOK, "tags": ["left_out"]}, {**LOOK, "tags": ["always"]}],
    "throttle": [{**LOOK, "throttle": 1}],
    "until": [
        {**LOOK, "register": "now", "until": "now.cluster.databases.DB1.state == 'running'", "retries": 3, "delay": 1},
        {**WRONG, "register": "now", "until": "now is success", "retries": 2, "delay": 0.1, **KEPT},
    ],
    "vars": [{DATABASE: {"databases": "{{ which }}"}, "vars": {"which": "DB1, DB2"}}],
    "when": [{**LOOK, "when": "inventory_hostname == 'b'"}, {**STOP, "when": False}],
    "environment": [{**LOOK, "environment": ENVIRONMENT}, LOOK],
    "timeout": [{DATABASE: {"databases": ["DB2"], "state": "stopped"}, "timeout": 10, **KEPT}],
    "any_errors_fatal": [{**WRONG, "any_errors_fatal": True, "when": "inventory_hostname == 'b'"}, LOOK],
}  # fmt: skip
"""By the keyword, the tasks that have it."""

ALONE = "environment"
"""What is tried in a play that tells modules no connection."""

OF_TWO = ("delegate_facts", "delegate_to", "run_once", "throttle", "when", "any_errors_fatal")
"""What is tried on two hosts. The last ends the run."""

WITH = {
    "async_val": "async", "retries": "until", "delay": "until", "become_method": "become", "become_user": "become",
    "become_exe": "become", "become_flags": "become", "remote_user": "port",
}  # fmt: skip
"""Keywords that are tried with another one."""

NO_MATTER = {"name": "is the name", "description": "is for readers"}


def named(keyword: str, number: int) -> str:
    return f"{keyword} {number}"


def tasks_of(*keywords: str) -> list[dict[str, Any]]:
    return [{"name": named(word, number), **row} for word in keywords for number, row in enumerate(TASKS[word])]


def playbook() -> list[dict[str, Any]]:
    handlers = [
        {"name": "By its name", **LOOK},
        {"name": "By a topic", **STOP, "check_mode": True, "listen": "topic"},
    ]
    block = {
        "block": [{"name": "rescue 0", **WRONG}],
        "rescue": [{"name": "rescue 1", **LOOK}],
        "always": [{"name": "rescue 2", **LOOK}],
    }
    of_one = tasks_of(*(word for word in TASKS if word not in (*OF_TWO, ALONE)))
    surrounded = [{**task, **KEPT} for task in tasks_of(ALONE)]
    return [
        {"hosts": "a", "gather_facts": False, "tasks": surrounded},
        play([*of_one, block], hosts="a", handlers=handlers),
        play(tasks_of(*OF_TWO)),
    ]


Ends = dict[tuple[str, str], list[tuple[str, Any]]]
"""What a task came to on a host; several where it was looped, tried again or awaited."""


def ends_of(run: Run, simulator: Simulator) -> Ends:
    """What every task came to on each host, without what no two runs have in common."""
    urls = [url for name in simulator.names for url in simulator.variables(name)["exa_api_url"]]
    ports = [url.rpartition(":")[2] for url in urls]
    found: Ends = {}
    for row in run.rows:
        if row["what"] != "stats":
            result = without_own(plain(row["result"], ports))
            if row["task"] == "poll 1":
                result.pop("attempts", None)  # how often it is looked depends on the machine
            found.setdefault((row["task"], row["host"]), []).append((row["what"], result))
    return found


DIFFERENCES = {
    "progress lines": "tests/bastion/test_what_is_shown.py",
    "`timeout`": "the lines of its task are looked for",
    "`invocation` of the result": "the path of the CA's file is looked for",
    "`connection`": "both tasks of it went the way of their host",
    "`ignore_unreachable`": "tests/bastion/test_lost.py",
}
"""What the two ways don't have in common, as docs/bastion.md tells it; and what holds it."""

OWN = {"ansible_job_id", "results_file", "ca_path", "_ansible_delegated_vars", "start", "end", "delta", "said"}
"""What belongs to the connection or to the moment, or is compared by itself."""


def without_own(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_own(item) for key, item in value.items() if key not in OWN}
    return [without_own(item) for item in value] if isinstance(value, list) else value


def shown(run: Run) -> list[str]:
    """What modules have shown of their progress, whatever the time."""
    return sorted(re.sub(r"\d+:\d\d|127.0.0.1:\d+", "", line) for line in run.lines(r"^\[[ab]\] "))


def both_runs(simulate: Any, ansible: Any) -> tuple[list[Run], list[Simulator]]:
    clusters = [cluster(name, databases=2, up=True) for name in ("a", "b")]
    simulators = [simulate(*clusters) for _way in WAYS]
    started = []
    for way, simulator in zip(WAYS, simulators):
        simulator.fault("never_stops", cluster="a", object="DB2")
        surroundings = {
            "ANSIBLE_BECOME_PLUGINS": str(ROOT / "tests/integration/become_plugins"),
            "ANSIBLE_PIPELINING": "1",
        }
        hosts = simulator.inventory(ansible_connection=way)
        started.append(ansible.start(playbook(), hosts, "--skip-tags", "left_out", environment=surroundings))
    return [run.finish() for run in started], simulators


def test_every_keyword(simulate: Any, ansible: Any) -> None:
    runs, simulators = both_runs(simulate, ansible)
    inventories = [simulator.inventory() for simulator in simulators]
    here, there = map(ends_of, runs, simulators)
    assert sorted(here) == sorted(there)
    for key, ends in here.items():
        assert ends == there[key], key
    assert runs[0].rc == runs[1].rc == 2
    assert runs[0].stats == runs[1].stats
    lost = [line for line in shown(runs[0]) if "DB2" in line and "would" not in line]
    assert lost, runs[0].out
    assert sorted([*shown(runs[1]), *lost]) == shown(runs[0])
    assert [ca_path(run, "register 1") == hosts["a"]["exa_ca_path"] for run, hosts in zip(runs, inventories)] == [
        True,
        False,
    ]
    assert simulators[0].changes("a") == simulators[1].changes("a") == ["stopDatabase db_DB2"]
    for run in runs:
        run.said_well()
    ended = {task: here.get((task, "a"), [("", {})])[-1] for task in ACTS}
    assert {task: ended[task] for task, is_so in ACTS.items() if not is_so(ended[task])} == {}
    assert ("run_once 0", "b") not in here
    assert here["when 0", "b"][-1][0] == "ok"
    assert ("any_errors_fatal 1", "a") not in here


def ca_path(run: Run, task: str) -> Any:
    return run.one(task, "a")["invocation"]["module_args"]["ca_path"]


def is_(what: str, **values: Any) -> Callable[[tuple[str, Any]], bool]:
    """Whether a task ended so, with these values in its result."""
    return lambda end: end[0] == what and all(end[1].get(name) == value for name, value in values.items())


ACTS: dict[str, Callable[[tuple[str, Any]], bool]] = {
    "action 0": is_("ok", changed=False),
    "args 0": is_("ok", summary="a: databases 2/2 connectable; EXAoperation on n0010"),
    "async 0": is_("ok", summary="a: databases 2/2 connectable; EXAoperation on n0010"),
    "async 1": is_("failed", failure="no_such_object"),
    "poll 1": is_("ok", summary="a: databases 2/2 connectable; EXAoperation on n0010"),
    "become 1": is_("failed", failure="no_such_object"),
    "become 2": is_("ok", changed=True),
    "changed_when 0": is_("ok", changed=True),
    "check_mode 0": is_("ok", changed=True),
    "connection 0": is_("ok"),
    "connection 1": is_("ok"),
    "delegate_to 0": lambda end: end[0] == "ok" and end[1]["cluster"]["name"] == "a",
    "diff 0": lambda end: end[1]["diff"]["after"] == {"DB1": "setup"},
    "environment 0": is_("ok"),
    "environment 1": is_("failed"),
    "failed_when 0": is_("failed", failed_when_result=True),
    "failed_when 1": is_("ok", failed_when_result=False, failure="no_such_object"),
    "ignore_errors 0": is_("failed", failure="no_such_object"),
    "ignore_unreachable 0": is_("failed", failure="unreachable"),
    "loop 0": lambda end: [row.get("failed", False) for row in end[1]["results"]] == [False, False, True],
    "loop_control 0": lambda end: [row["n"] for row in end[1]["results"]] == [0, 1],
    "loop_with 0": lambda end: len(end[1]["results"]) == 2,
    "module_defaults 0": is_("ok", changed=True),
    "module_defaults 1": is_("failed", failure="unreachable"),
    "no_log 0": lambda end: end[0] == "ok" and "cluster" not in end[1] and "censored" in end[1],
    "no_log 1": lambda end: end[0] == "failed" and "DB11" not in str(end[1]),
    "By its name": is_("ok"),
    "By a topic": is_("ok", changed=True),
    "register 1": is_("ok", changed=False),
    "rescue 2": is_("ok"),
    "tags 0": lambda end: end == ("", {}),
    "tags 1": is_("ok"),
    "timeout 0": lambda end: end[0] == "failed" and end[1]["timedout"]["period"] == 10,
    "until 0": is_("ok", attempts=1),
    "until 1": is_("failed", attempts=2),
    "vars 0": is_("ok", changed=False),
    "when 0": is_("skipped"),
    "when 1": is_("skipped"),
}
"""What a keyword makes of its task: two ways that both pay no heed to it would agree as well."""


def test_every_keyword_is_here() -> None:
    assert {WITH.get(name, name) for name in Task.fattributes if name not in NO_MATTER} == set(TASKS)


def test_the_differences_are_told() -> None:
    text = (ROOT / "docs/bastion.md").read_text(encoding="utf-8")
    table = text.partition("## What differs from a local connection\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    assert rows[1:] == list(DIFFERENCES)

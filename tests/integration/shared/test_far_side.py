# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A far side that can't run modules, and what comes back of those that it runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from domains import database, domain
from world import cluster, play

OLD = """#!/bin/sh
if [ "$1" = -c ]; then echo "(3, 8, 18)"; exit; fi
echo "Traceback (most recent call last):" >&2
echo "ModuleNotFoundError: No module named 'zoneinfo'" >&2
exit 1
"""
"""What Python 3.8 says."""

KILLED = f"""#!/bin/sh
if [ "$1" = -c ]; then exec {sys.executable} "$@"; fi
kill -KILL $$
"""

BARE = f"""#!/bin/sh
exec {sys.executable} -S "$@"
"""
"""Without the packages of its installation."""

NEED = "set ansible_python_interpreter of this host to the path of a Python 3.9 or newer"

TASKS = {
    "exa": ("exa_cluster_info", {}),
    "exa-change": ("exa_database", {"databases": ["DB1"], "state": "stopped"}),
    "nuo": ("nuodb_domain_info", {}),
}


def script(folder: Path, text: str) -> str:
    path = folder / f"python{len(list(folder.iterdir()))}"
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def real_38() -> str:
    """A Python 3.8 of this machine; none where it has none. What is on PATH may be pyenv's, for no version."""
    found = [str(path) for path in (Path.home() / ".pyenv/versions").glob("3.8.*/bin/python3.8")]
    for path in [*found, *filter(None, [shutil.which("python3.8")])]:
        command = [path, "-c", "import sys; print(sys.executable)"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode == 0:
            return ran.stdout.strip()
    return ""


@pytest.mark.parametrize("real", [False, True], ids=["imitated", "real"])
def test_a_python_that_is_too_old_is_one_sentence(simulate: Any, ansible: Any, tmp_path: Path, real: bool) -> None:
    python = real_38() if real else script(tmp_path, OLD)
    if not python:
        pytest.skip("there is no Python 3.8")
    simulator = simulate(cluster("exa", up=True), domain("nuo", databases={"shop": database(up=True)}))
    hosts = simulator.inventory(ansible_connection="elsewhere", ansible_python_interpreter=python)
    plays = [
        play([{"name": name, f"dbfleet.cluster.{module}": args, "ignore_errors": True}], product)
        for name, (module, args) in TASKS.items()
        for product in ("nuodb" if name == "nuo" else "exasol",)
    ]
    waiting = {"name": "later", "dbfleet.cluster.exa_cluster_info": {}, "async": 60, "poll": 0, "ignore_errors": True}
    run = ansible.run([*plays, play([waiting])], hosts)
    run.said_well()
    for name, (module, _args) in {**TASKS, "later": TASKS["exa"]}.items():
        result = run.one(name)
        host = name.partition("-")[0] if name != "later" else "exa"
        assert result["msg"].startswith(f"{host}: {module} was to run on {host}, by elsewhere: {python} is Python 3.8.")
        assert result["msg"].endswith(": modules need Python 3.9 or newer [DBF-1009]")
        assert result["hint"].startswith(NEED)
        assert not {"module_stderr", "module_stdout"} & set(result), result
    assert simulator.calls(cluster="exa") == []


def test_what_else_can_keep_a_module_from_running(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    simulator = simulate(*(cluster(name, up=True) for name in ("nowhere", "killed", "bare")))
    hosts = simulator.inventory(ansible_connection="elsewhere")
    hosts["nowhere"]["ansible_python_interpreter"] = "/nowhere/python3"
    hosts["killed"]["ansible_python_interpreter"] = script(tmp_path, KILLED)
    hosts["bare"]["ansible_python_interpreter"] = script(tmp_path, BARE)
    run = ansible.run([play([{"name": "look", "dbfleet.cluster.exa_cluster_info": {}}])], hosts).failed()
    told = {host: run.one("look", host) for host in hosts}
    says = " has no Python /nowhere/python3 that can be run [DBF-1009]"
    assert told["nowhere"]["msg"].endswith(says), run.out
    assert told["nowhere"]["hint"].startswith(NEED)
    assert "the module ended without a result under " in told["killed"]["msg"], run.out
    assert "with exit code " in told["killed"]["msg"]
    assert told["bare"]["msg"].startswith("bare: the Python library 'urllib3', 2.0 or newer, is missing"), run.out
    assert "ansible_python_interpreter" in told["bare"]["hint"]


def test_warnings_of_a_runbook_are_shown_too(simulate: Any, ansible: Any) -> None:
    simulator = simulate(cluster("exa", up=True))
    hosts = simulator.inventory(ansible_connection="elsewhere", exa_validate_certs=False)
    run = ansible.run("exa_cold_start", hosts).ok()
    warning = (
        "exa: validate_certs is off: the server's certificate is not checked, so any server that answers gets the "
        "password"
    )
    assert warning in " ".join(run.out.split()), run.out
    assert len(run.lines(r"^\[exa\] exa_cold_start: ok")) == 1, run.out


def test_a_failure_within_a_runbook_is_told_with_its_cause(simulate: Any, ansible: Any) -> None:
    simulator = simulate(cluster("exa"))
    simulator.fault("fault", method="startupNode", text="no power")
    hosts = simulator.inventory(ansible_connection="elsewhere")
    run = ansible.run("exa_cold_start", hosts).failed()
    (cause,) = run.lines(r"^\[exa\] cause: ")
    assert "startupNode" in cause
    assert "no power" in cause


def test_lines_are_shown_once_without_secrets_and_stay_with_what_runs_in_the_background(
    simulate: Any, ansible: Any
) -> None:
    simulator = simulate(cluster("exa", up=True))
    hosts = simulator.inventory(ansible_connection="elsewhere")
    hosts["exa"]["exa_api_password"] = simulator.variables("exa")["exa_api_password"]
    stop = {"dbfleet.cluster.exa_database": {"databases": ["DB1"], "state": "stopped"}}
    tasks = [
        {"name": "preview", **stop, "check_mode": True},
        {"name": "behind", **stop, "async": 60, "poll": 1},
    ]
    run = ansible.run([play(tasks)], hosts).ok()
    assert len(run.lines(r"^\[exa\] .*would stopDatabase")) == 1, run.out
    assert "said" not in run.one("preview")
    said = run.one("behind")["said"]
    assert any("stopDatabase" in line for line in said)
    assert hosts["exa"]["exa_api_password"] not in str(said)


def test_a_plan_needs_no_far_side(simulate: Any, ansible: Any) -> None:
    simulator = simulate(cluster("exa", up=True))
    hosts = simulator.inventory()
    info = {"name": "look", "dbfleet.cluster.exa_cluster_info": {}, "register": "found"}
    plan = {
        "name": "plan",
        "dbfleet.cluster.exa_plan": {"cluster": "{{ found.cluster }}", "runbook": "graceful_shutdown"},
        "vars": {"ansible_connection": "elsewhere", "ansible_python_interpreter": "/nowhere/python3"},
    }
    run = ansible.run([play([info, plan, {**plan, "name": "as another", "become": True}])], hosts).ok()
    assert len(run.lines(r"^\[exa\] databases: would stopDatabase")) == 2, run.out


def test_a_profile_that_others_could_write_is_refused(simulate: Any, ansible: Any, tmp_path: Path) -> None:
    simulator = simulate(cluster("exa", up=True))
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = folder / "profiles.yml"
    path.write_text("exa:\n  api_url: https://elsewhere.example.com\n")
    path.chmod(0o600)
    folder.chmod(0o777)
    hosts = {"exa": {"exa_profile": "exa", "exa_profiles_path": str(path), "ansible_connection": "local"}}
    run = ansible.run([play([{"name": "look", "dbfleet.cluster.exa_cluster_info": {}}])], hosts).failed()
    assert f"exa: profile exa: {path} is in a folder that others may write to" in run.one("look")["msg"]
    assert simulator.calls() == []

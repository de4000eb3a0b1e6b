# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that failed is told to somebody, and its relaunch is what the user would type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from domains import database, domain
from world import cluster

DOWN = {"exa": "exa_graceful_shutdown", "nuodb": "nuodb_graceful_shutdown"}


@pytest.fixture(params=DOWN)
def two(request: Any, simulate: Any) -> tuple[str, Any]:
    """Two clusters of a product that are up."""
    if request.param == "exa":
        return "exa", simulate(cluster("one", up=True), cluster("two", up=True))
    shop = {"shop": database(up=True)}
    return "nuodb", simulate(domain("one", databases=shop), domain("two", databases=shop))


def test_relaunch_on_failed_hosts_keeps_the_confirmation(two: tuple[str, Any], ansible: Any) -> None:
    """As AWX does it: the confirmation of both, the hosts narrowed."""
    product, simulator = two
    run = ansible.run(
        DOWN[product], simulator.inventory(), "--limit", "two", variables={"confirm": ["one", "two"], "target": "all"}
    ).ok()
    assert "confirm also names one, which this run does not touch" in " ".join(run.out.split()), run.out
    assert simulator.changes("one") == []
    assert simulator.changes("two") != []


def test_the_command_that_resumes(two: tuple[str, Any], ansible: Any) -> None:
    product, simulator = two
    hosts = simulator.inventory()
    run = ansible.run(
        DOWN[product], hosts, "--tags", "databases", "--forks", "7", variables={"confirm": "two", "target": "all"}
    ).failed()
    for name, confirmed in (("one", ""), ("two", "two")):
        (line,) = run.lines(rf"^\[{name}\] resume: ")
        for word in ("--tags databases", "--forks 7", f"-e target={name}", f"-e confirm={confirmed}"):
            assert word in line, line
    given = {f"{DOWN[product]}_databases": "none_of_them", "target": "one"}
    previewed = ansible.run(DOWN[product], hosts, "--check", variables=given).failed()
    (line,) = previewed.lines(r"^\[one\] resume: ")
    assert "--check" in line
    assert "confirm" not in line
    assert simulator.changes() == []


def test_hooks_at_the_end_tell_somebody(two: tuple[str, Any], ansible: Any, tmp_path: Path) -> None:
    """What they are told is the outcome; on_failure runs for the one that failed, always for both."""
    product, simulator = two
    runbook = DOWN[product]

    def hook(name: str) -> str:
        path = tmp_path / f"{name}.yml"
        told = f"{name} {{{{ inventory_hostname }}}} {{{{ ({runbook}_outcome | default({{}})).result | default('') }}}}"
        write = {"content": f"{told}\n", "dest": f"{tmp_path}/{name}.{{{{ inventory_hostname }}}}"}
        path.write_text(yaml.safe_dump([{"name": name, "ansible.builtin.copy": write}]))
        return str(path)

    hooks = {f"{runbook}_hooks": {name: hook(name) for name in ("on_success", "on_failure", "always")}}
    hosts = simulator.inventory(**hooks)
    hosts["one"][f"{runbook}_databases"] = "none_of_them"
    run = ansible.run(runbook, hosts, variables={"confirm": ["one", "two"]}).failed()
    written = {path.name: path.read_text().split() for path in tmp_path.glob("*.one")}
    written.update({path.name: path.read_text().split() for path in tmp_path.glob("*.two")})
    assert set(written) == {"on_failure.one", "always.one", "on_success.two", "always.two"}, run.out
    assert written["on_failure.one"] == ["on_failure", "one", "failed"]
    assert written["always.one"] == ["always", "one", "failed"]


@pytest.mark.parametrize("product", DOWN)
def test_durations_as_they_are_written(simulate: Any, ansible: Any, product: str) -> None:
    """A limit of a phase as text; what is no duration is refused with an example."""
    if product == "exa":
        simulator = simulate(cluster("one", up=True, databases={"DB1": {"state": "running", "stop": 600}}))
    else:
        simulator = simulate(domain("one", databases={"shop": database(up=True)}))
        simulator.fault("stays", object="TE", state="REQUESTED_SHUTDOWN")
    hosts, limit = simulator.inventory(), f"{DOWN[product]}_databases_timeout"
    wrong = ansible.run(DOWN[product], hosts, variables={"confirm": "one", limit: "20 minutes or so"}).failed()
    assert "such as 90s, 20m, 1h30m or 2d" in wrong.custom["one"]["cause"], wrong.out
    assert simulator.changes() == []
    run = ansible.run(DOWN[product], hosts, variables={"confirm": "one", limit: "0m1s"}).failed()
    assert "after 1 s" in run.custom["one"]["cause"], run.out


def test_a_rehearsal_reaches_no_other_port(two: tuple[str, Any], ansible: Any) -> None:
    """The address of the simulator, and the port of something else on this machine."""
    product, simulator = two
    hosts = simulator.inventory()
    name = f"{product}_api_url"
    hosts["one"][name] = [url.rpartition(":")[0] + ":1" for url in hosts["one"][name]]
    named = {
        "DBFLEET_SIMULATOR": simulator.ready["admin_url"],
        "DBFLEET_SIMULATOR_TOKEN": simulator.ready["admin_token"],
    }
    run = ansible.run(
        DOWN[product], hosts, variables={"confirm": "one", "target": "one"}, environment=named
    ).failed()
    assert "DBFLEET_SIMULATOR" in run.custom["one"]["cause"], run.out
    assert simulator.calls(cluster="one") == []
    ok = ansible.run(
        DOWN[product], simulator.inventory(), "--check", variables={"target": "two"},
        environment=named,
    )  # fmt: skip
    ok.ok()

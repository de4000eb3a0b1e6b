# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that repeats the API password in what it answers: nothing shows or keeps it, at whichever call that is."""

from __future__ import annotations

import json
from itertools import cycle, islice

import pytest
import yaml
from domains import database, domain
from secrecy import assert_silent, spellings
from world import PREFIXES, cluster, confd

PASSWORD = "p@ss w%o&r\"d'x<y>/ü"
HOSTS = [f"exa-{number}" for number in range(14)]

MAKE = {
    "exasol": lambda name, up, **more: cluster(name, up=up, **more),
    "confd": lambda name, up, **more: confd(name, up=up, **more),
    "nuodb": lambda name, up, **more: domain(name, databases={"shop": database(up=up)}, **more),
}

GIVEN = {
    "exa_database_state": {"exa_database_state_databases": ["DB1"], "exa_database_state_state": "restarted"},
    "nuodb_database_state": {"nuodb_database_state_databases": ["shop"], "nuodb_database_state_state": "restarted"},
    "nuodb_rolling_restart": {"nuodb_rolling_restart_databases": ["shop"]},
}


def says(number):
    """It and six spellings in a sentence, others each time; long sentences are cut off somewhere."""
    words = sorted(spellings(PASSWORD), key=len)
    return "no: " + " | ".join([PASSWORD, *islice(cycle(words), number * 6, number * 6 + 6)])


def answers(simulator, product):
    """Each cluster answers so from another call on: as an error, or as what it was asked for."""
    for number, name in enumerate(HOSTS):
        text = says(number)
        if number % 3:
            simulator.fault("fault", cluster=name, method="*", after=number * 2 // 3, text=text)
        else:
            row = {"state": text, "status": text, "name": text, text: text}
            value = text if number % 2 else [row] if product == "nuodb" else [text, row]
            simulator.fault("wrong_state", cluster=name, method="*", after=number * 2 // 3, value=value)


@pytest.mark.parametrize(
    ("product", "playbook"),
    [
        ("exasol", "exa_cold_start"),
        ("exasol", "exa_graceful_shutdown"),
        ("exasol", "exa_database_state"),
        ("exasol", "status"),
        ("exasol", "check"),
        ("confd", "exa_cold_start"),
        ("confd", "exa_graceful_shutdown"),
        ("confd", "status"),
        ("nuodb", "nuodb_cold_start"),
        ("nuodb", "nuodb_graceful_shutdown"),
        ("nuodb", "nuodb_database_state"),
        ("nuodb", "nuodb_rolling_restart"),
        ("nuodb", "nuodb_recover"),
        ("nuodb", "status"),
        ("nuodb", "check"),
    ],
)
def test_by_a_server(simulate, ansible, tmp_path, product, playbook):
    """The output with the end tables, results, stats, journal, what is kept of a look, the log file."""
    users = [{"name": "admin", "password": PASSWORD}]
    simulator = simulate(*(MAKE[product](name, "cold" not in playbook, users=users) for name in HOSTS))
    answers(simulator, product)
    prefix = PREFIXES["nuodb" if product == "nuodb" else "exasol"]
    hosts = simulator.inventory(**{f"{prefix}_wait_timeout": 3, f"{prefix}_request_timeout": 2})
    variables = {"confirm": HOSTS, **GIVEN.get(playbook, {})}
    written = {"ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log"), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local")}
    run = ansible.run(playbook, hosts, "-vvvv", "--diff", variables=variables, environment=written).failed()
    assert run.out.count("********") > 30  # it was said again and again
    assert_silent(run.out, "output", [PASSWORD])
    for row in run.rows:
        assert_silent(json.dumps(row), "results", [PASSWORD])
    paths = [tmp_path / "ansible.log", *(tmp_path / "local").rglob("*"), *(tmp_path / "state").rglob("*")]
    for path in filter(lambda one: one.is_file(), paths):
        assert_silent(path.read_text(errors="replace"), str(path), [PASSWORD])


def test_by_a_task_of_the_users(simulate, ansible, tmp_path):
    """A hook, and the work of a maintenance: end table, stats and journal are ours, and keep what the task said."""
    users = [{"name": "admin", "password": PASSWORD}]
    names = ("exa-hook", "exa-work")
    simulator = simulate(*(cluster(name, nodes=1, up=name == "exa-work", users=users) for name in names))
    path = tmp_path / "fails.yml"
    said = f"no {PASSWORD}, no {sorted(spellings(PASSWORD), key=len)[-1]}"
    path.write_text(yaml.safe_dump([{"name": "It fails", "ansible.builtin.fail": {"msg": said}}]))
    hosts = simulator.inventory(exa_graceful_shutdown_power="none", maintenance_work=str(path))
    hooks = {"exa_cold_start_hooks": {"before_nodes": [str(path)]}}
    for name, playbook, more in (("exa-hook", "exa_cold_start", hooks), ("exa-work", "maintenance", {})):
        given = {"target": name, "confirm": name, **more}
        run = ansible.run(playbook, hosts, variables=given).failed()
        ours = "\n".join(run.lines(rf"^\[?{name}\]?|^maintenance"))
        assert "It fails" in ours
        assert_silent(ours, f"{playbook}: what we say", [PASSWORD])
        assert_silent(json.dumps(run.custom), f"{playbook}: stats", [PASSWORD])

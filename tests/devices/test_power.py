# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cold start and graceful shutdown whose hooks, the examples of docs/, ask power controllers by Redfish and IPMI."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Callable

import pytest
from controllers import PASSWORD, USER, Ipmi, Redfish
from world import ROOT, Run, cluster, free_port, until

EXAMPLES = ROOT / "docs/examples/hooks"
NODES = ["n0011", "n0012"]
MACHINES = ["n0010", *NODES]
OFF = {"machines": {"n0010": {"state": "offline"}}}
CONFIRMED = {"confirm": "exa-prod"}
IPMI_SIM = shutil.which("ipmi_sim")

Take = Callable[[Any], Any]


def hosts_of(simulator: Any, cards: dict[str, dict[str, Any]], **more: Any) -> dict[str, dict[str, Any]]:
    given = {"exa_bmcs": cards, "exa_bmc_username": USER, "exa_bmc_password": PASSWORD}
    return simulator.inventory(**{**given, **more})


def hooks(runbook: str, **names: str) -> dict[str, Any]:
    """Hooks by the name of the example's file."""
    paths = {name: str(EXAMPLES / f"{file}.yml") for name, file in names.items()}
    return {f"{runbook}_hooks": paths, f"{runbook}_power": "hook"}


def keeps_its_secret(run: Run) -> None:
    assert PASSWORD not in run.out
    assert PASSWORD not in str(run.rows)


@pytest.fixture
def redfish(simulate: Any, authority: Any, controlled: Take, tmp_path: Path) -> Callable[..., tuple[Any, Redfish]]:
    """A cluster and its card."""

    def start(one: dict[str, Any], **states: str) -> tuple[Any, Redfish]:
        simulator = simulate(one)
        identity = authority.sign("card", "127.0.0.1")
        return simulator, controlled(Redfish(tmp_path / "card", simulator, identity, states))

    return start


def test_cold_start_by_redfish(redfish: Any, authority: Any, ansible: Any) -> None:
    """Off, being powered on and on: each ends up on, and what is on isn't asked to be. All side by side."""
    simulator, card = redfish(cluster(**OFF), n0010="Off", n0011="Off", n0012="PoweringOn")
    cards = {machine: card.card(machine) for machine in MACHINES}
    given = hooks("exa_cold_start", power="power_license_server_redfish", power_nodes="power_nodes_redfish")
    hosts = hosts_of(simulator, cards, exa_bmc_ca_path=str(authority.ca_path), **given)

    preview = ansible.run("exa_cold_start", hosts, "--check").ok()
    states = [
        row["redfish_facts"]["system"]["ret"] for row in preview.one("What the cards say, in a preview")["results"]
    ]
    assert (states, card.pressed) == ([True], [])

    run = ansible.run("exa_cold_start", hosts).ok()
    assert card.pressed[0] == ("n0010", "On")
    assert sorted(card.pressed[1:]) == [("n0011", "On"), ("n0012", "On")]
    assert simulator.all_connectable()
    asked = run.one("Ask the cards to power the nodes on")["results"]
    assert [(one["started"], one["finished"]) for one in asked] == [(1, 0)] * 2  # none is waited for before the next
    keeps_its_secret(run)

    until("every card shows its machine on", card.all_on)
    again = ansible.run("exa_cold_start", hosts).ok()
    assert (again.changed(), len(card.pressed)) == (0, 3), (card.pressed, again.out)


def test_shutdown_by_redfish(redfish: Any, authority: Any, ansible: Any) -> None:
    simulator, card = redfish(cluster(up=True), n0010="On", n0011="On", n0012="On")
    cards = {machine: card.card(machine) for machine in MACHINES}
    given = hooks("exa_graceful_shutdown", power_off_nodes="power_off_nodes_redfish")
    hosts = hosts_of(simulator, cards, exa_bmc_ca_path=str(authority.ca_path), **given)
    ansible.run("exa_graceful_shutdown", hosts, "--check", variables=CONFIRMED).ok()
    assert card.pressed == []
    run = ansible.run("exa_graceful_shutdown", hosts, variables=CONFIRMED).ok()
    assert sorted(card.pressed) == [("n0011", "Off"), ("n0012", "Off")]
    assert [row["state"] for row in simulator.state()["nodes"].values()] == ["off", "off"]
    keeps_its_secret(run)


def test_what_goes_wrong_by_redfish(
    simulate: Any, authority: Any, controlled: Take, ansible: Any, tmp_path: Path
) -> None:
    """Each sentence names the machine, and nothing is powered on."""
    names = ["exa-password", "exa-cards", "exa-untrusted"]
    simulator = simulate(*(cluster(name, **OFF) for name in names))
    identity = authority.sign("card", "127.0.0.1")
    card = controlled(Redfish(tmp_path / "card", simulator, identity, {"n0010": "Off", "n0011": "Off"}))
    good, nobody = card.card("n0010"), {"address": f"127.0.0.1:{free_port('127.0.0.1')}"}
    given = hooks("exa_cold_start", power="power_license_server_redfish")
    hosts = hosts_of(simulator, {"n0010": good}, exa_bmc_ca_path=str(authority.ca_path), **given)
    hosts["exa-password"]["exa_bmc_password"] = "another-pw"
    hosts["exa-cards"]["exa_license_servers"] = ["n0010", "n0009"]
    hosts["exa-cards"]["exa_bmcs"] = {"n0010": nobody, "n0009": {"address": good["address"]}}
    del hosts["exa-untrusted"]["exa_bmc_ca_path"]
    run = ansible.run("exa_cold_start", hosts).failed()
    head = "task Power the license servers on by Redfish of hook power"
    for name, says in (
        ("exa-password", r"n0010: .*401"),
        ("exa-cards", r"n0010: .*[Cc]onnection refused.*; n0009: .*resource_id"),
        ("exa-untrusted", r"n0010: .*CERTIFICATE_VERIFY_FAILED"),
    ):
        assert run.lines(rf"^\[{name}\] cause: {name}: {head} .*: {says}"), (name, run.out)
    assert card.pressed == []
    preview = ansible.run("exa_cold_start", hosts, "--check").failed()
    assert preview.lines(r"^\[exa-password\] cause: .*n0010: .*401"), preview.out
    assert "another-pw" not in run.out + preview.out


@pytest.mark.skipif(IPMI_SIM is None, reason="ipmi_sim is not here: install Debian's package openipmi")
def test_by_ipmi(simulate: Any, controlled: Take, ansible: Any, tmp_path: Path) -> None:
    """A cold start; what goes wrong; a shutdown."""
    simulator = simulate(cluster(up=True, **OFF))
    cards = {
        machine: controlled(Ipmi(str(IPMI_SIM), tmp_path / machine, simulator, machine)).card() for machine in MACHINES
    }
    up = {"exa_cold_start_hooks": {"power": str(EXAMPLES / "power_license_server_ipmi.yml")}}
    down = hooks("exa_graceful_shutdown", power_off_nodes="power_off_nodes_ipmi")
    hosts = hosts_of(simulator, cards, **up, **down)

    def license_server() -> str:
        return simulator.state()["machines"]["n0010"]["state"]

    wrong = {"exa-prod": {**hosts["exa-prod"], "exa_bmc_password": "another-pw"}}
    run = ansible.run("exa_cold_start", wrong).failed()
    head = r"^\[exa-prod\] cause: exa-prod: task Power the license servers on by IPMI of hook power .*: n0010: "
    assert run.lines(rf"{head}Incorrect password provided \[DBF-9003\]$"), run.out
    assert "another-pw" not in run.out
    preview = ansible.run("exa_cold_start", wrong, "--check").failed()
    assert preview.lines(r"^\[exa-prod\] cause: .*n0010: Incorrect password provided \[DBF-9003\]$"), preview.out
    silent = {"address": "127.0.0.1", "port": free_port("127.0.0.1")}
    run = ansible.run("exa_cold_start", {"exa-prod": {**hosts["exa-prod"], "exa_bmcs": {"n0010": silent}}}).failed()
    assert run.lines(rf"{head}it failed and gave no reason \[DBF-9003\]$"), run.out

    ansible.run("exa_cold_start", hosts, "--check").ok()
    assert license_server() == "off"
    run = ansible.run("exa_cold_start", hosts).ok()
    assert (license_server(), simulator.all_connectable()) == ("online", True)
    again = ansible.run("exa_cold_start", hosts).ok()
    assert again.changed() == 0
    ended = ansible.run("exa_graceful_shutdown", hosts, variables=CONFIRMED).ok()
    assert [row["state"] for row in simulator.state()["nodes"].values()] == ["off", "off"]
    assert license_server() == "off"
    for one in (run, again, ended):
        keeps_its_secret(one)

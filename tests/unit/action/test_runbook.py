# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a runbook refuses before it begins: hosts that are one cluster, misspelt variables."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.dbfleet.cluster.plugins.action.runbook import ActionModule


def runbook(hosts: dict[str, dict[str, Any]]) -> ActionModule:
    action = ActionModule.__new__(ActionModule)
    action._given, action._hosts, action._host = {"prefix": "exa"}, list(hosts), next(iter(hosts))
    action._vars = {"hostvars": hosts}
    return action


def test_hosts_that_share_an_endpoint_are_refused() -> None:
    one = {"exa_api_url": ["https://ls.example.com", "https://n11.example.com"]}
    says = runbook({"exa-a": one, "exa-b": {"exa_api_url": "n11.example.com:443"}})._shared()
    assert says
    assert "exa-a and exa-b share an API endpoint" in says
    assert runbook({"exa-a": one, "exa-b": {"exa_api_url": "https://other.example.com"}})._shared() is None
    for url in ("https://ls.example.com:20003", "ls.example.com:443"):  # a URL without a port is ConfD's at both
        assert runbook({"exa-a": one, "exa-b": {"exa_api_url": url}})._shared()
    plain = {"exa_api_url": "http://ls.example.com"}
    assert runbook({"exa-a": plain, "exa-b": {"exa_api_url": "http://ls.example.com:80"}})._shared()
    same = {"exa_profile": "prod"}
    assert runbook({"exa-a": same, "exa-b": dict(same)})._shared()


def test_hosts_whose_reports_tell_one_cluster_are_refused() -> None:
    first = {"seen": {"identity": ["https://n11:20003", "C5ED"]}}
    for second in (["https://n12:20003", "C5ED"], ["https://n11:20003"]):
        action = runbook({"exa-a": first, "exa-b": {"seen": {"identity": second}}, "exa-c": {}})
        action._given["report"] = "seen"
        assert "exa-a and exa-b are one cluster under several names" in action._twins()["msg"]
    action = runbook({"exa-a": first, "exa-b": {"seen": {"identity": ["https://n21:20003", "D6"]}}, "exa-c": {}})
    action._given["report"] = "seen"
    assert "failed" not in action._twins()


def beginning(name: str, **variables: Any) -> tuple[list[str], list[str]]:
    """What a runbook says of variables at its begin: problems and warnings."""
    action = runbook({"exa-a": {}})
    action._given["name"], action._vars = name, variables
    action._templar = SimpleNamespace(template=lambda value: value)
    problems, warnings = action._misspelt()
    return [*problems, *action._texts()], warnings


def test_a_misspelt_variable_ends_the_run() -> None:
    """The default of exa_graceful_shutdown_databases is all of them."""
    says = "there is no variable exa_graceful_shutdown_database (did you mean exa_graceful_shutdown_databases?)"
    assert beginning("exa_graceful_shutdown", exa_graceful_shutdown_database="DB1") == ([says], [])
    assert beginning("check", exa_graceful_shutdown_database="DB1") == ([], [f"{says}: its runbook will refuse it"])
    assert beginning("exa_cold_start", exa_graceful_shutdown_database="DB1", exa_graceful_shutdown_force=True) == (
        [],
        [],
    )
    problems, warnings = beginning("exa_cold_start", exa_wait_timout=5, exa_vms={}, nuodb_x=1, my_exa_wait_timout=1)
    assert problems == []
    assert warnings == ["there is no variable exa_wait_timout of this collection (did you mean exa_wait_timeout?)"]


def test_what_a_run_has_registered_is_no_misspelt_variable() -> None:
    own = {"exa_cold_start_info": {}, "exa_cold_start_began_power": {}, "exa_cold_start_file": "", "exa_heartbeat": 5}
    assert beginning("exa_cold_start", **own, exa_connection_options={}) == ([], [])


def test_a_dictionary_that_came_as_a_text_ends_the_run() -> None:
    """As -e name='{...}' gives it, hooks would be left out unseen."""
    problems, _warnings = beginning("exa_cold_start", exa_cold_start_hooks='{"power": "on.yml"}', exa_plugins=[])
    assert problems == [
        "exa_cold_start_hooks is a text, not dict: with -e, write the whole as -e '{\"exa_cold_start_hooks\": ...}'"
    ]
    assert beginning("exa_cold_start", exa_cold_start_hooks={"power": "on.yml"}, exa_log_service="x") == ([], [])

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the host of the copy has of the real one."""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.products import CONNECTIONS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.rehearsal import host
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.variables import options_of


@pytest.mark.parametrize("name", RUNBOOKS)
def test_no_connection_no_secret_no_hook_and_no_folder_goes_over(name: str) -> None:
    product, options = RUNBOOKS[name].product, options_of(name)
    values = {**dict.fromkeys(options, "given"), "confirm": "real", "somebody": "else"}
    found = host.carried(product, name, options, values)
    assert not {f"{product}_{option}" for option in CONNECTIONS[product]} & set(found)
    assert not [option for option in found if options[option].get("no_log")]
    assert not [
        option for option in found if option.endswith(("_hooks", "report_path", "state_path", "plan_file", "_profile"))
    ]
    assert not {"confirm", "somebody"} & set(found)
    assert f"{product}_wait_timeout" in found


def test_its_name_is_one_word_for_every_command() -> None:
    assert host.name_of("exa-prod.dé") == "rehearsal-of-exa-prod.dé"
    assert host.name_of("a b'\"=:[0]{{ c }}") == "rehearsal-of-a_b_____0____c___"


def test_time_outs_are_in_seconds_of_this_machine() -> None:
    options = options_of("exa_cold_start")
    values = {
        "exa_cold_start_nodes_timeout": "45m", "exa_cold_start_api_timeout": 60, "exa_wait_stable": 10,
        "exa_cold_start_databases": ["DB1"],
    }  # fmt: skip
    found, problems = host.shortened(options, values, 0.01)
    assert problems == []
    assert found == {
        "exa_cold_start_nodes_timeout": 27.0, "exa_cold_start_api_timeout": host.SHORTEST, "exa_wait_stable": 0.1,
        "exa_cold_start_databases": ["DB1"],
    }  # fmt: skip
    lease = {"nuodb_lease_timeout": 60}
    assert host.shortened(options_of("nuodb_cold_start"), lease, 0.01) == (lease, [])
    _same, problems = host.shortened(options, {"exa_cold_start_nodes_timeout": "soon"}, 0.01)
    assert len(problems) == 1


def test_hooks_that_do_not_run() -> None:
    values = {"r_hooks": {"before_nodes": "a.yml", "always": ["b.yml", "c.yml"], "on_failure": []}}
    assert host.left_out("r", values) == ["before_nodes (a.yml)", "always (b.yml, c.yml)"]
    assert host.left_out("r", {"r_hooks": "odd"}) == host.left_out("r", {}) == []


def test_no_value_is_a_template_a_second_time() -> None:
    text = host.inventory("exa", "copy", {"a": "{{ 1 + 1 }}", "b": ["plain", {"c": "{% x %}"}], "d": 3})
    found = DataLoader().load(text)["exa_clusters"]["hosts"]["copy"]
    assert (str(found["a"]), str(found["b"][1]["c"]), found["d"]) == ("{{ 1 + 1 }}", "{% x %}", 3)
    assert text.count("!unsafe") == 2

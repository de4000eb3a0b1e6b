# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the copy of a cluster is made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.rehearsal import topology
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.topology import load

EXA = {
    "product": "exasol", "provider": "exaoperation", "name": "exa-prod", "version": "6.2.1",
    "license_servers": ["n0010"],
    "nodes": {"n0011": {"state": "online"}, "n0012": {"state": "online"}},
    "services": {"Loggingd": "OK", "Storaged": "OK"},
    "databases": {"DB1": {"state": "running", "connectible": "Yes", "operation": "Backup"}},
}  # fmt: skip
NUO = {
    "product": "nuodb", "name": "nuo-prod", "version": "4.2.1",
    "servers": {"server0": {"state": "ACTIVE", "role": "LEADER", "connected": "Connected"}},
    "databases": {"shop": {"incarnation": [3, 4], "state": "RUNNING"}, "old": {"state": "TOMBSTONE"}},
    "archives": {"0": {"db_name": "shop", "server_id": "server0", "archive_path": "/a", "state": "RUNNING"}},
    "processes": {
        "7": {"db_name": "shop", "engine_type": "SM", "server_id": "server0", "archive_id": 0, "node_id": 1},
        "8": {"db_name": "shop", "engine_type": "TE", "server_id": "server0", "node_id": 2},
    },
}  # fmt: skip


def shaped(product: str, row: dict[str, Any], state: str, **timing: float) -> dict[str, Any]:
    found = topology.shaped(product, row, "rehearsal-of-x", state, 0.01, timing, {"P": "it runs"})
    assert load(json.loads(json.dumps(found)))[0].name == "rehearsal-of-x"
    return found


def test_a_cold_start_begins_with_all_off() -> None:
    names = ("exa_cold_start", "nuodb_cold_start", "exa_graceful_shutdown", "nuodb_recover")
    assert [topology.state_of(name, "auto") for name in names] == ["down", "down", "now", "now"]
    assert topology.state_of("exa_cold_start", "now") == "now"
    assert topology.state_of("exa_graceful_shutdown", "down") == "down"


def test_a_cluster_that_is_off() -> None:
    found = shaped("exa", EXA, "down", boot=400)
    assert {one["state"] for one in found["nodes"].values()} == {"offline"}
    assert found["machines"] == {"n0010": {"state": "offline"}}
    assert found["databases"] == {"DB1": {"state": "setup"}}
    assert found["services"] == {"Loggingd": "OK", "Storaged": "not running"}
    assert (found["storage_online"], found["timing"]) == (False, {"boot": 400})
    assert found["plugin_status"] == {"P": {"running": "it runs"}}
    assert EXA["databases"]["DB1"]["state"] == "running"  # type: ignore[index]


def test_a_cluster_as_it_is() -> None:
    found = shaped("exa", EXA, "now")
    assert (found["nodes"], found["databases"]) == (EXA["nodes"], EXA["databases"])


def test_nodes_of_confd_have_one_address_in_the_copy() -> None:
    row = {"provider": "confd", "name": "c", "nodes": {"n11": {"state": "online"}}, "databases": {}}
    found = shaped("exa", row, "down")
    assert found["settings"] == {"master_answer": "{host}:{port}"}
    assert found["nodes"] == {"n11": {"state": "offline"}}


def test_a_domain_that_is_off_tells_where_its_tes_were() -> None:
    found = shaped("nuodb", NUO, "down")
    assert found["servers"] == {"server0": {"state": "stopped"}}
    assert found["archives"]["0"]["state"] == "NOT_RUNNING"
    assert found["processes"] == {}
    assert found["databases"] == {"shop": {"incarnation": [3, 6]}, "old": {"state": "TOMBSTONE"}}
    stones = found["tombstones"]
    assert [stones[number]["incarnation"] for number in ("8", "7")] == [[3, 5], [3, 6]]
    assert {(one["exit_code"], one["durable_state"]) for one in stones.values()} == {(0, "REQUESTED_SHUTDOWN")}
    assert found["settings"] == {"leaderAssignmentTimeout": 1000000}


def test_a_state_alone_will_do_as_for_the_simulator(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps({**EXA, "nodes": {"n0011": "online"}}))
    row = topology.of_file(str(path), "exa-prod", "exa")
    assert topology.objects(row["nodes"]) == {"n0011": {"state": "online"}}
    shaped("exa", row, "now")
    assert shaped("exa", row, "down")["nodes"] == {"n0011": {"state": "offline"}}


def test_what_is_copied_in_words() -> None:
    assert topology.summary("exa", EXA) == "2 nodes, 1 database, EXAoperation 6.2.1"
    assert topology.summary("nuodb", NUO) == "1 server, 1 archive, 2 databases, NuoDB 4.2.1"
    assert topology.machines_of("exa", EXA) == ["n0010"]
    assert topology.machines_of("nuodb", NUO) == ["server0"]
    assert topology.machines_of("exa", {"provider": "confd", "nodes": ["n11", "n12"]}) == ["n11", "n12"]


@pytest.mark.parametrize(
    "data", [EXA, {"cluster": EXA}, {"clusters": [NUO, EXA]}, {"clusters": {"exa-prod": EXA, "b": NUO}}, [EXA]]
)
def test_the_cluster_of_a_file(tmp_path: Path, data: Any) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(data))
    assert topology.of_file(str(path), "exa-prod", "exa")["nodes"] == EXA["nodes"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "can't be read: No such file"),
        ("{", "is neither YAML nor JSON"),
        ("a: [", "is neither YAML nor JSON"),
        ("just a text", "doesn't have an Exasol cluster"),
        (json.dumps(NUO), "doesn't have an Exasol cluster"),
        *(
            (json.dumps({**EXA, "databases": {"DB1": {}}, part: wrong}), f"can't be copied: .*{part}")
            for part in topology.PARTS
            for wrong in (5, "x", [[1]], {"a": 5}, {"a": [1]})
        ),
        *((json.dumps({**EXA, part: 5}), f"can't be copied: {part}") for part in (*topology.MAPPINGS, "services")),
        (json.dumps({**EXA, "archives": {"1": {"db_name": {}}}}), "db_name of archives must be a text"),
        *(
            (json.dumps({**EXA, "databases": {"DB1": {"incarnation": wrong}}}), "of database DB1 must be two whole")
            for wrong in (5, "1,2", [1], ["a", 2])
        ),
        (json.dumps({"clusters": [{**EXA, "name": "a"}, {**EXA, "name": "b"}]}), r"several clusters \(a b\)"),
    ],
)
def test_a_file_that_is_refused(tmp_path: Path, text: Any, says: str) -> None:
    path = tmp_path / "t.yml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ClusterError, match=says) as error:
        topology.of_file(str(path), "exa-prod", "exa")
    assert str(error.value).startswith("exa-prod: ")
    if text is None:
        assert error.value.hint == "rehearse_save writes such a file, in a run without --check"


def test_what_is_no_file_is_refused_at_once() -> None:
    with pytest.raises(ClusterError, match="exa-prod: the topology /dev/zero can't be read: it is not a regular file"):
        topology.of_file("/dev/zero", "exa-prod", "exa")

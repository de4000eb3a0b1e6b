# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A status of many clusters: its table, its forms for programs, clusters that are slow, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from domains import database, domain
from prometheus_client.parser import text_string_to_metric_families
from world import cluster, confd

UP = {"shop": database(up=True)}


@pytest.fixture
def fleet(simulate: Any) -> Any:
    return simulate(
        cluster("exa-a", up=True), cluster("exa-b"), confd("exa-c"), domain("nuo-a", databases=UP), domain("nuo-b")
    )


def test_the_forms_of_a_fleet(fleet: Any, ansible: Any, tmp_path: Path) -> None:
    """Each is read by what people read it with; the table is shown beside it, the worst first."""
    hosts = fleet.inventory()
    hosts["nuo-b"]["nuodb_api_url"] = ["https://127.0.0.1:1"]
    read: dict[str, Any] = {}
    for form in ("json", "csv", "openmetrics", "table"):
        path = tmp_path / f"fleet.{form}"
        run = ansible.run("status", hosts, variables={"status_output": form, "status_path": str(path)}).failed()
        assert [line.split()[:2] for line in run.lines(r"^(unreachable|down|degraded|up) ")] == [
            ["unreachable", "nuo-b"], ["down", "exa-b"], ["up", "exa-a"], ["up", "exa-c"], ["up", "nuo-a"],
        ]  # fmt: skip
        assert run.lines("^5 clusters: 1 unreachable, 1 down, 3 up$")
        assert list(run.stats) == ["exa-a", "nuo-b"]
        assert len(run.failures("nuo-b")) == 1
        assert run.custom["exa-b"]["state"] == "down"
        read[form] = path.read_text()
    told = json.loads(read["json"])["clusters"]
    assert (told["exa-c"]["cluster"]["provider"], told["nuo-a"]["domain"]["product"]) == ("confd", "nuodb")
    rows = {row["cluster"]: row for row in csv.DictReader(read["csv"].splitlines(), strict=True)}
    assert (rows["exa-a"]["databases_up"], rows["exa-b"]["databases_up"], rows["nuo-b"]["databases_up"]) == (
        "1",
        "0",
        "",
    )
    samples = [one for family in text_string_to_metric_families(read["openmetrics"]) for one in family.samples]
    states = {one.labels["cluster"]: one.labels["state"] for one in samples if "state" in one.labels and one.value}
    assert states == {"exa-a": "up", "exa-b": "down", "exa-c": "up", "nuo-a": "up", "nuo-b": "unreachable"}
    assert read["table"].splitlines()[1].split()[:2] == ["unreachable", "nuo-b"]
    assert fleet.changes() == []

    path = tmp_path / "checked"
    run = ansible.run("status", {"exa-a": hosts["exa-a"]}, "--check", variables={"status_path": str(path)}).ok()
    assert not path.exists()
    run = ansible.run("status", {"exa-a": hosts["exa-a"]}, variables={"status_output": "json"}).ok()
    assert (
        json.loads(run.out[run.out.index('{\n "at"') : run.out.index("\n}\n") + 3])["clusters"]["exa-a"]["state"]
        == "up"
    )


def test_one_that_hangs_holds_nobody_up(fleet: Any, ansible: Any) -> None:
    """The run ends long before the server's own patience."""
    fleet.fault("hang", cluster="exa-a", delay=120)
    fleet.fault("hang", cluster="nuo-a", delay=120)
    variables = {"status_timeout": "8", "status_side_by_side": "2"}
    run = ansible.run("status", fleet.inventory(), variables=variables).failed()
    for name in ("exa-a", "nuo-a"):
        assert run.custom[name]["state"] == "unreachable"
        assert run.lines(rf"^unreachable +{name} +(it did not report its state within 8 s|.*no answer)"), run.out
    assert {name: run.custom[name]["state"] for name in ("exa-b", "exa-c", "nuo-b")} == {
        "exa-b": "down", "exa-c": "up", "nuo-b": "down",
    }  # fmt: skip


def test_clusters_by_profile_and_slips(fleet: Any, ansible: Any, tmp_path: Path) -> None:
    """Without a host of their own; a profile that isn't there is one cluster's failure, not the look's."""
    hosts = fleet.inventory()
    profiles = {
        "prod": {key[4:]: value for key, value in hosts["exa-a"].items() if key.startswith("exa_")},
        "shop": {key[6:]: value for key, value in hosts["nuo-a"].items() if key.startswith("nuodb_")},
    }
    path = tmp_path / "profiles.yml"
    path.write_text(yaml.safe_dump(profiles))
    path.chmod(0o600)
    rows = [
        {"profile": "prod", "profiles_path": str(path)},
        {"profile": "shop", "profiles_path": str(path), "product": "nuodb", "name": "nuo"},
        {"profile": "shpo", "profiles_path": str(path), "product": "nuodb"},
    ]
    task = {"name": "look", "dbfleet.cluster.fleet_info": {"clusters": rows, "details": True, "fail_on": "down"}}
    result = ansible.run([task], {"exa-a": hosts["exa-a"]}).ok().one("look")
    assert {name: row["state"] for name, row in result["fleet"].items()} == {
        "prod": "up", "nuo": "up", "shpo": "unreachable",
    }  # fmt: skip
    assert "did you mean shop?" in result["fleet"]["shpo"]["summary"]
    assert result["failing"] == ["shpo"]
    assert result["fleet"]["nuo"]["domain"]["databases"]["shop"]["state"] == "RUNNING"
    password = profiles["prod"]["api_password"]
    assert password not in json.dumps(result)

    fleet.forget()
    for given, says in (
        ({"status_ouput": "json"}, "there is no variable status_ouput (did you mean status_output?)"),
        ({"status_output": "xml"}, "value of output must be one of: table, json, csv, openmetrics, got: xml"),
        ({"status_timeout": 0}, "look_timeout is 0, and must be above 0"),
    ):
        run = ansible.run("status", hosts, variables=given).failed()
        assert says in run.failures()[0]
    assert all(fleet.calls(cluster=name) == [] for name in fleet.names)
    nowhere = str(tmp_path / "nowhere" / "file")
    run = ansible.run("status", hosts, variables={"status_path": nowhere}).failed()
    assert f"{nowhere} can't be written: No such file or directory" in run.failures()[0]

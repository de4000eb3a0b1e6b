# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports and records of real runs, of both products: good, failed, stopped, killed, previewed, of a fleet."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import html5lib
import jsonschema
import pytest
import yaml
from domains import database, domain
from world import ROOT, cluster, killed

SCHEMA = json.loads((ROOT / "docs/schemas/run_record.json").read_text(encoding="utf-8"))


def records(folder):
    """The records of a folder, oldest first; each is valid, private and has a page that is valid."""
    found = []
    for path in sorted(folder.glob("*/*.json"), key=lambda one: one.name):
        row = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.validate(row, SCHEMA)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        words(path.with_suffix(".html"))
        found.append(row)
    return found


def words(path):
    """The words of a page, as a strict parser has them."""
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(path.read_text(encoding="utf-8"))
    assert not [one for one in tree.iter() if one.tag in ("script", "img", "link")]
    return " ".join("".join(tree.itertext()).split())


def states(row):
    return {one["phase"]: one["state"] for one in row["phases"]}


def objects(row, noun):
    """The states of objects, in words."""
    return {one["name"]: [state["words"] for state in one["states"]] for one in row["objects"] if one["noun"] == noun}


def test_runs_of_both_products(simulate, ansible, tmp_path):
    """A fleet; then a second run, which has an estimate; a preview; and what the folder tells of all."""
    simulator = simulate(
        cluster("exa-a", nodes=3),
        cluster("exa-b", nodes=2),
        domain("nuo-a", databases={"shop": database()}),
    )
    folder = tmp_path / "reports"
    hosts = simulator.inventory(exa_report_path=str(folder), nuodb_report_path=str(folder))
    exasol = {name: row for name, row in hosts.items() if name.startswith("exa")}
    run = ansible.run("exa_cold_start", exasol).ok()
    rows = records(folder)
    assert [(row["cluster"], row["runbook"], row["result"]) for row in rows] in (
        [(name, "exa_cold_start", "ok") for name in names] for names in (["exa-a", "exa-b"], ["exa-b", "exa-a"])
    )
    assert len({row["run"] for row in rows}) == 1
    row = next(row for row in rows if row["cluster"] == "exa-a")
    assert set(states(row).values()) == {"done"}
    assert [one["step"] for one in row["steps"]] == ["startupNode"] * 3 + ["startEXAStorage", "startDatabase"]
    assert row["not_begun"] == []
    assert {name: (seen[0], seen[-1]) for name, seen in objects(row, "nodes").items()} == dict.fromkeys(
        ("n0011", "n0012", "n0013"), ("offline", "online")
    )
    assert {mark["kind"] for mark in row["marks"]} == {"step"}
    assert "target=all" in row["command"]
    page = run.lines(r"^\[exa-a\] report: ")[0].partition("report: ")[2]
    assert "exa_cold_start of exa-a" in words(Path(page))
    assert run.custom["exa-a"]["report"] == page
    assert run.lines(rf"^reports: {folder}/index.html \(2 of this run\)$")
    assert "2 clusters: 2 ok" in words(folder / "index.html")
    secret = hosts["exa-a"]["exa_api_password"]
    assert not [path for path in folder.rglob("*") if path.is_file() and secret in path.read_text(encoding="utf-8")]

    alone = {"exa-a": exasol["exa-a"]}
    down = ansible.run("exa_graceful_shutdown", alone, "--check").ok()
    row = records(folder)[-1]
    assert (row["check"], row["result"], row["runbook"]) == (True, "ok", "exa_graceful_shutdown")
    assert [one["step"] for one in row["plan"]][0] == "stopDatabase"
    assert down.lines("report: ")
    assert simulator.all_connectable("exa-a")

    ansible.run("nuodb_cold_start", {"nuo-a": hosts["nuo-a"]}).ok()
    row = records(folder)[-1]
    assert (row["cluster"], row["result"]) == ("nuo-a", "ok")
    assert row["objects"]
    assert any(one["step"] for one in row["steps"])
    assert "nuo-a" in words(folder / "index.html")

    for path in (folder / "exa-a").glob("*-exa_cold_start-*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "seconds": 400.0}))
    (folder / "exa-a" / "20990101T000000.000Z-exa_cold_start-exa-a.json").write_text("{")
    ansible.run("exa_graceful_shutdown", alone, "-e", "confirm=exa-a").ok()
    simulator.power("n0010", True, "exa-a")
    again = ansible.run("exa_cold_start", alone).ok()
    assert again.lines(r"^\[exa-a\] usually 7 min \(in 1 run\), \w+ longest; an estimate from earlier records$")
    assert again.lines(r"^\[exa-a\] time: unusually quick: ")
    assert len(set(again.lines("skipped a file that is not a record of a run in"))) >= 1


@pytest.mark.parametrize("product", ["exasol", "nuodb"])
def test_a_run_that_fails(simulate, ansible, tmp_path, product):
    folder = tmp_path / "reports"
    if product == "exasol":
        simulator, book = simulate(cluster("one", nodes=2)), "exa_cold_start"
        simulator.fault("never_boots", object="n0012")
        hosts = simulator.inventory(exa_report_path=str(folder), exa_cold_start_nodes_timeout=3)
    else:
        simulator, book = simulate(domain("one", databases={"shop": database()})), "nuodb_cold_start"
        simulator.fault("stays", object="SM", state="CONFIGURED")
        hosts = simulator.inventory(nuodb_report_path=str(folder), nuodb_wait_timeout=3)
    run = ansible.run(book, hosts).failed()
    (row,) = records(folder)
    assert row["result"] == "failed"
    assert row["cause"].startswith("one: ")
    assert row["cause"].endswith(" [DBF-4001]")
    assert row["message_number"] == "DBF-4001"
    assert len(run.lines(r"^\[one\] cause: one: .* \[DBF-4001\]$")) == 1, run.out
    assert "[DBF-4001]" in next(folder.rglob("one/*.html")).read_text(encoding="utf-8")
    assert row["failed_object"]
    assert row["last_state"]
    assert row["resume"].endswith("target=one")
    assert "failed here" in states(row).values()
    text = words(folder / "one" / f"{row['id']}.html")
    assert "Why the run failed" in text
    assert row["resume"] in text
    if product == "exasol":
        assert row["failed_object"] == "n0012"
        assert [one["step"] for one in row["not_begun"]] == ["startEXAStorage", "startDatabase"]
        assert "failed in this state" in text
    assert run.lines(r"^\[one\] report: ")


def test_runs_that_are_killed_and_stopped(simulate, ansible, tmp_path):
    """The first has no end; of the second the main process writes it; the next run goes on and leaves its own."""
    simulator = simulate(cluster("one", nodes=2))
    folder = tmp_path / "reports"
    simulator.fault("never_boots", object="n0012")
    hosts = simulator.inventory(exa_report_path=str(folder))
    run = ansible.start("exa_cold_start", hosts)
    run.wait_line("1/2 online")
    killed(simulator, run)
    (row,) = records(folder)
    assert (row["result"], row["ended"], row["phase"]) == ("not ended", None, "nodes")
    assert states(row)["nodes"] == "under way"
    assert states(row)["storage"] == "not begun"
    assert "The run began and has not ended" in words(folder / "one" / f"{row['id']}.html")

    run = ansible.start("exa_cold_start", hosts)
    run.wait_line("1/2 online")
    done = run.stop(2)
    assert done.lines(r"^\[one\] report: ")
    row = records(folder)[-1]
    assert (row["result"], bool(row["ended"])) == ("not ended", True)
    assert states(row)["nodes"] == "stopped here"
    assert "the run was stopped in phase nodes" in row["cause"]
    assert row["message_number"] == "DBF-6807"
    assert row["resume"]
    assert "2 of" not in words(folder / "index.html")
    assert "not ended" in words(folder / "index.html")

    simulator.mend()
    ansible.run("exa_cold_start", hosts).ok()
    rows = records(folder)
    assert [row["result"] for row in rows] == ["not ended", "not ended", "ok"]

    simulator.forget()
    run = ansible.run("runs", {}, "-e", f"runs_path={folder}", target="").ok()
    told = run.lines(r"^2\d{3}-\d\d-\d\dT.*  one  ")
    assert [line.split()[3] for line in told] == ["ok", "not", "not"], run.out
    assert told[2].split()[5].endswith("+")
    assert "the run was stopped in phase nodes" in told[1]
    assert run.lines(rf"^runs: 3 of {folder}$")
    run = ansible.run(
        "runs", {}, variables={"runs_path": str(folder), "runs_result": "ok", "runs_show": "last"}, target=""
    ).ok()
    assert run.lines("^one: exa_cold_start: ok$")
    assert run.one("runs_info")["run"]["id"] == rows[2]["id"]
    run = ansible.run("runs", {}, "-e", f"runs_path={folder} runs_show={rows[0]['id']}", target="").ok()
    assert run.lines("^ended: not ended: the run is under way, or was killed")
    assert run.lines("^  storage +not begun$")
    for given, says in (
        ("runs_limit=3", "runs_path is missing: name the folder"),
        ("runs_pat=x", "runs_pat (did you mean runs_path?); "),
    ):
        run = ansible.run("runs", {}, "-e", given, target="").failed()
        assert says in run.failures()[0]

    run = ansible.run("runs", {}, "-e", f"runs_path={folder}/none", target="").failed()
    assert "can't be read: No such file or directory" in run.out
    run = ansible.run("runs", {}, target="").failed()
    assert "path" in run.out
    run = ansible.run("runs", {}, "-e", f"runs_path={folder} runs_clusters=one", target="").failed()
    assert "there is no variable runs_clusters (did you mean runs_cluster?)" in run.out
    assert simulator.calls() == []


def test_hooks_between_two_workers(simulate, ansible, tmp_path):
    """What the modules before a hook saw stands in the record of those behind it."""
    simulator = simulate(cluster("one", nodes=2))
    folder = tmp_path / "reports"
    hook = tmp_path / "look.yml"
    hook.write_text(yaml.safe_dump([{"name": "Look", "ansible.builtin.debug": {"msg": "x"}}]))
    hosts = simulator.inventory(exa_report_path=str(folder), exa_cold_start_hooks={"before_storage": str(hook)})
    ansible.run("exa_cold_start", hosts).ok()
    (row,) = records(folder)
    assert row["result"] == "ok"
    assert set(states(row).values()) == {"done"}
    assert list(objects(row, "nodes")) == ["n0011", "n0012"]
    assert list(objects(row, "databases")) == ["DB1"]
    assert [one["key"] for one in row["modules"]][-1] == "databases"


def test_modules_that_run_elsewhere(simulate, ansible, tmp_path):
    """Their part of the timeline comes with their results, and is in no result that is shown."""
    simulator = simulate(cluster("one", nodes=2))
    folder = tmp_path / "reports"
    hosts = simulator.inventory(
        exa_report_path=str(folder), ansible_connection="elsewhere", ansible_python_interpreter=sys.executable
    )
    run = ansible.run("exa_cold_start", hosts).ok()
    (row,) = records(folder)
    assert {name: (seen[0], seen[-1]) for name, seen in objects(row, "nodes").items()} == {
        "n0011": ("offline", "online"),
        "n0012": ("offline", "online"),
    }
    began = {one["phase"]: one["began"] for one in row["phases"]}
    times = [state["at"] for one in row["objects"] if one["noun"] == "nodes" for state in one["states"]]
    assert began["nodes"] <= min(times)
    assert max(times) <= began["storage"] + 0.2
    assert [mark["why"] for mark in row["marks"]][:2] == ["startupNode", "startupNode"]
    assert not [result for result in run.of("exa_node") if "timeline" in result]


def test_a_folder_that_cannot_be_made(simulate, ansible, tmp_path):
    """Refused before the first change; what can't be written later changes nothing of the run."""
    simulator = simulate(cluster("one", nodes=2))
    (tmp_path / "file").write_text("")
    run = ansible.run("exa_cold_start", simulator.inventory(exa_report_path=str(tmp_path / "file"))).failed()
    assert "nothing was changed: correct exa_report_path, or leave it out" in run.out
    assert simulator.changes() == []

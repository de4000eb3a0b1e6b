# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An unlucky hour: commands that a tired hand types. None reaches a cluster that wasn't named, none ends well."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml
from awx import Job, given_by
from domains import database, domain
from world import ROOT, cluster, confd

COLD, DOWN, STATE = "exa_cold_start", "exa_graceful_shutdown", "exa_database_state"
NUO, NUO_DOWN = "nuodb_cold_start", "nuodb_graceful_shutdown"
ALL = ("exa-a", "exa-b", "exa-c", "nuo-a", "nuo-b")

NO_TARGET = r"no target is given, so nothing was done: name the clusters with -e target="


def meant(name: str, ours: str) -> str:
    return rf"there is no variable {name} \(did you mean {ours}\?\)"


def e(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("-e", setting)]


STOPPED = e("target=exa-b", "confirm=exa-b")

HOUR: dict[str, tuple[str, list[str], str]] = {
    "nothing": (COLD, [], NO_TARGET),
    "nothing, NuoDB": (NUO, [], NO_TARGET),
    "nothing, with a confirmation": (DOWN, e("confirm=exa-a"), NO_TARGET),
    "nothing, with tags": (COLD, ["--tags", "nodes"], NO_TARGET),
    "nothing, with --limit": (COLD, ["--limit", "exa-a"], NO_TARGET),
    "an empty target": (COLD, e("target="), NO_TARGET),
    "a blank target": (NUO_DOWN, e("target=' '", "confirm=nuo-a"), NO_TARGET),
    "the answer of no terminal": (COLD, e("target=None"), NO_TARGET),
    "tagret": (COLD, e("tagret=exa-a"), meant("tagret", "target")),
    "tarGet": (NUO, e("tarGet=nuo-a"), meant("tarGet", "target")),
    "targets": (DOWN, e("targets=exa-a", "confirm=exa-a"), meant("targets", "target")),
    "host": (COLD, e("host=exa-a"), meant("host", "target")),
    "limit": (NUO_DOWN, e("limit=nuo-a", "confirm=nuo-a"), meant("limit", "target")),
    "tagret beside a group": (COLD, e("target=exa_clusters", "tagret=exa-a"), meant("tagret", "target")),
    "status of a tagret": ("status", e("tagret=exa-a"), meant("tagret", "target")),
    "check of a host": ("check", e("host=exa-a"), meant("host", "target")),
    "a host that is none": (COLD, e("target=exa-x"), r"target exa-x matches no host .* did you mean exa-"),
    "a domain that is none": (NUO, e("target=nuo-c"), r"target nuo-c matches no host .* did you mean nuo-"),
    "a group that is none": (COLD, e("target=exa_cluster"), r"did you mean exa_clusters\?"),
    "a pattern that leaves none": (DOWN, e("target=exa-a:!exa-a", "confirm=exa-a"), r"matches no host"),
    "two groups with none in both": (COLD, e("target=exa_clusters:&nuodb_domains"), r"matches no host"),
    "status of a host that is none": ("status", e("target=zzz"), r"target zzz matches no host"),
    "check of a host that is none": ("check", e("target=zzz"), r"target zzz matches no host"),
    "target and --limit disagree": (COLD, [*e("target=exa-a"), "-l", "exa-b"], r"--limit exa-b excludes every host"),
    "--limit of the other product": (NUO, [*e("target=nuodb_domains"), "-l", "exa-a"], r"--limit exa-a excludes every"),
    "check as a variable": (
        DOWN, e("target=exa-a", "confirm=exa-a", "check=true"), r"check is not a variable.*--check",
    ),  # fmt: skip
    "dry_run": (NUO_DOWN, e("target=nuo-a", "confirm=nuo-a", "dry_run=yes"), r"dry_run is not a variable.*--check"),
    "tags as a variable": (COLD, e("target=exa-a", "tags=nodes"), r"tags is not a variable.*--tags"),
    "a tag that is none": (COLD, [*e("target=exa-a"), "--tags", "storag"], r"storag"),
    "a tag of the other runbook": (NUO, [*e("target=nuo-b"), "--tags", "nodes"], r"nodes"),
    "a tag of the other product": (DOWN, [*e("target=exa-a", "confirm=exa-a"), "--tags", "servers"], r"servers"),
    "all tags skipped": (
        NUO, [*e("target=nuo-b"), "--skip-tags", "servers,storage,transactions,verify"], r"leave|none|no phase"
    ),
    "wait_timeout": (COLD, e("target=exa-a", "wait_timeout=60"), meant("wait_timeout", "exa_wait_timeout")),
    "databases": (DOWN, e("target=exa-a", "confirm=exa-a", "databases=DB1"), meant("databases", r"\w+_databases")),
    "nuodb_database": (NUO, e("target=nuo-b", "nuodb_database=shop"), meant("nuodb_database", "nuodb_databases")),
    "exa_plugin": (COLD, e("target=exa-a", "exa_plugin=x"), meant("exa_plugin", "exa_plugins")),
    "one letter too few": (
        DOWN, e("target=exa-a", "confirm=exa-a", "exa_graceful_shutdown_database=DB1"),
        meant("exa_graceful_shutdown_database", "exa_graceful_shutdown_databases"),
    ),
    "one letter too many": (
        COLD, e("target=exa-a", "exa_cold_start_nodess_timeout=60"),
        meant("exa_cold_start_nodess_timeout", "exa_cold_start_nodes_timeout"),
    ),
    "a misspelt connection": (COLD, e("target=exa-a", "exa_profil=prod"), meant("exa_profil", "exa_profile")),
    "confrim": (DOWN, e("target=exa-a", "confrim=exa-a"), meant("confrim", "confirm")),
    "no confirmation": (DOWN, e("target=exa-a"), r"nothing is confirmed: confirm each of them by name"),
    "an empty confirmation": (NUO_DOWN, e("target=nuo-a", "confirm="), r"nothing is confirmed"),
    "the confirmation of another": (DOWN, e("target=exa-a", "confirm=exa-b"), r"confirm names exa-b, not exa-a"),
    "yes": (DOWN, e("target=exa-a", "confirm=yes"), r"confirm names .*, not exa-a"),
    "a confirmation of all": (NUO_DOWN, e("target=nuo-a", "confirm=all"), r"confirm names all, not nuo-a"),
    "one of two confirmed": (DOWN, e("target=exa-a,exa-b", "confirm=exa-a"), r"confirm names exa-a, not exa-b"),
    "a hook that is missing": (
        COLD, [*e("target=exa-a"), "-e", '{"exa_cold_start_hooks": {"before_nodes": "/nope.yml"}}'],
        r"hook before_nodes: /nope.yml does not exist",
    ),
    "a hook of a name that is none": (
        COLD, [*e("target=exa-a"), "-e", '{"exa_cold_start_hooks": {"before_node": "/nope.yml"}}'], r"before_node"
    ),
    "hooks as a text": (
        NUO, [*e("target=nuo-b"), "-e", 'nuodb_cold_start_hooks=\'{"before_storage": "x"}\''], r"is a text, not dict"
    ),
    "hooks of the others": (
        DOWN, [*e("target=exa-a", "confirm=exa-a"), "-e", '{"exa_graceful_shutdown_hooks": {"power": "/nope.yml"}}'],
        r"power",
    ),
    "two databases with a space": (
        STATE, [*STOPPED, *e("exa_database_state_databases=DB1 DB2", "exa_database_state_state=stopped")],
        r"-e has words without a name=, so a value with a space was cut off at the space: use commas",
    ),
    "a database that is none": (
        STATE, [*STOPPED, *e("exa_database_state_databases=DB7", "exa_database_state_state=stopped")], r"DB7"
    ),
    "a database by its number": (
        STATE, [*STOPPED, *e("exa_database_state_databases=1", "exa_database_state_state=stopped")], r"\b1\b"
    ),
    "a state that is none": (
        STATE, [*STOPPED, *e("exa_database_state_databases=DB1", "exa_database_state_state=stoped")], r"stoped"
    ),
    "a power that is none": (COLD, e("target=exa-a", "exa_cold_start_power=ipmi"), r"ipmi"),
    "a time that is none": (COLD, e("target=exa-a", "exa_cold_start_nodes_timeout=soon"), r"soon"),
    "a time below nothing": (NUO, e("target=nuo-b", "nuodb_wait_timeout=-5"), r"-5|negative|positive|above"),
    "a profile that is none": (COLD, e("target=exa-a", "exa_profile=prd", "exa_profiles_path=/nope.yml"), r"/nope.yml"),
    "a CA that is none": (COLD, e("target=exa-a", "exa_ca_path=/nope.pem"), r"/nope.pem"),
    "a password in the URL": (COLD, e("target=exa-a", "exa_api_url=https://u:p@127.0.0.1"), r"credentials"),
    "a URL of another kind": (NUO, e("target=nuo-b", "nuodb_api_url=ftp://127.0.0.1"), r"is not an http or https URL"),
    "a runbook of the other product": (COLD, e("target=nuo-a"), r"nuo-a is a NuoDB host"),
    "a shutdown of the other product": (NUO_DOWN, e("target=exa-b", "confirm=exa-b"), r"exa-b is an Exasol host"),
    "two hosts of the other product": (DOWN, e("target=nuo-a,nuo-b", "confirm=nuo-a,nuo-b"), r"nuo-b is a NuoDB host"),
    "a task that is none": (COLD, [*e("target=exa-a"), "--start-at-task", "(3/6) node"], r"nothing was done"),
    "a task of the other product": (NUO, [*e("target=nuo-b"), "--start-at-task", "(3/6) nodes"], r"nothing was done"),
}  # fmt: skip

ANSWERS: dict[str, tuple[str, list[str], str]] = {
    "a target that is a date": (COLD, e("target=2026-11-28"), r"target 2026-11-28 matches no host"),
    "a target that is a time": (NUO, e("target=22:30"), r"target (22:30|1350) matches no host"),
    "a target that is a truth": (COLD, e("target=on"), r"target (on|True) matches no host"),
    "a confirmation that is a number": (DOWN, e("target=exa-a", "confirm=0600"), r"names (0600|384), not exa-a"),
    "a fingerprint that is a time": (COLD, e("target=exa-a", "exa_tls_fingerprint=22:30"), r"tls_fingerprint"),
    "a power that is a number": (COLD, e("target=exa-a", "exa_cold_start_power=600"), r"exa_cold_start_power.*600"),
    "hooks on two lines": (COLD, ["-e", "target=exa-a", "-e", "exa_cold_start_hooks='a\nb'"], r"is a text, not dict"),
    "a time-out that is a date": (COLD, e("target=exa-a", "exa_cold_start_api_timeout=2026-11-28"), r"it takes a num"),
}  # fmt: skip
"""Answers of a survey that ansible-core 2.19 and later type anew."""

OF_EACH_KIND = {
    "nothing", "nothing, with --limit", "an empty target", "the answer of no terminal", "tagret", "a host that is none",
    "target and --limit disagree", "check as a variable", "a tag that is none", "one letter too few", "no confirmation",
    "yes", "hooks as a text", "hooks of the others", "a database by its number", "a time that is none",
    "a password in the URL", "a task that is none", "a target that is a date", "a confirmation that is a number",
    "a fingerprint that is a time", "hooks on two lines",
}  # fmt: skip
"""Those that every run of the tests gives to ansible-runner. `make matrix` gives it all."""


@pytest.fixture
def five(simulate: Any) -> Any:
    return simulate(
        cluster("exa-a"),
        cluster("exa-b", up=True),
        confd("exa-c"),
        domain("nuo-a", databases={"shop": database(up=True)}),
        domain("nuo-b"),
    )


def quoted(cause: str, run: Any) -> int:
    """How often a cause is shown as it is, where it has a quote that JSON writes otherwise."""
    return 0 if json.dumps(cause)[1:-1] == cause else run.out.count(cause)


def hour(five: Any, cases: dict[str, tuple[str, list[str], str]], begin: Callable[[str, list[str]], Any]) -> list[str]:
    """What was wrong in an hour of these cases, two at a time."""
    wrong = []
    two = list(cases.items())
    for pair in (two[number : number + 2] for number in range(0, len(two), 2)):
        started = [(about, case, begin(case[0], case[1])) for about, case in pair]
        for about, (_playbook, _arguments, says), begun in started:
            run = begun.finish()
            told = " ".join(run.out.split())
            lines = Counter(line.strip() for line in run.out.splitlines() if len(line.strip()) > 40)
            repeated = [line for line, count in lines.items() if count > 2]
            wrong += [f"{about}: exit code 0"] if run.rc == 0 else []
            wrong += [] if re.search(says, told) else [f"{about}: {says} is not said in {told[-700:]}"]
            wrong += [f"{about}: a traceback"] if "Traceback" in run.out or "unexpected error" in run.out else []
            causes = re.findall(r"\] cause: (.+)", run.out) + run.failures()
            # The table of all clusters has each cause once more, in a row.
            rows = "\n".join(run.lines(r"^\S+ +failed +begin "))
            spoken = {cause: json.dumps(cause)[1:-1] for cause in causes}
            said = {cause: run.out.count(text) - rows.count(text) for cause, text in spoken.items()}
            repeated += [cause for cause in causes if said[cause] + quoted(cause, run) > 2]
            wrong += [f"{about}: said {line!r} more than twice" for line in repeated]
        changed = {name: five.changes(name) for name in ALL if five.changes(name)}
        wrong += [f"{[about for about, _case in pair]} changed {changed}"] if changed else []
        named = {name for _about, case in pair for name in ALL if any(name in word for word in case[1])}
        asked = {name for name in ALL if five.calls(cluster=name)} - named
        wrong += [f"{[about for about, _case in pair]} asked {asked}"] if asked else []
        five.forget()
    return wrong


def test_no_slip_of_the_hand_reaches_a_cluster(five: Any, ansible: Any) -> None:
    """Not one of them changes anything; where none is named, none is even asked."""
    hosts = five.inventory()
    assert len(HOUR) >= 60
    wrong = hour(five, HOUR, lambda playbook, words: ansible.start(playbook, hosts, *words, target=""))
    assert wrong == [], "\n".join(wrong)


def test_no_slip_in_a_survey_reaches_a_cluster(five: Any, ansible: Any) -> None:
    """The same as jobs of AWX: every value is a text, and ansible-core makes None, a number or a date of some."""
    hosts = five.inventory()
    whole = os.environ.get("DBFLEET_SLIPS") == "all"
    cases = {about: case for about, case in {**HOUR, **ANSWERS}.items() if whole or about in OF_EACH_KIND}
    assert len(cases) == (len(HOUR) + len(ANSWERS) if whole else len(OF_EACH_KIND))

    def begin(playbook: str, words: list[str]) -> Job:
        variables, others = given_by(words)
        return Job(ansible, playbook, hosts, variables, *others)

    wrong = hour(five, cases, begin)
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize(
    ("playbook", "target"), [(COLD, "exa-b"), (NUO_DOWN, "nuo-b"), (NUO, "nuo-a"), ("nuodb_recover", "nuo-a")]
)
def test_questions_without_an_answer_leave_the_defaults(five: Any, ansible: Any, playbook: str, target: str) -> None:
    """A survey of every variable of a runbook, of which target and confirm alone are answered."""
    hosts = five.inventory()
    specs = yaml.safe_load((ROOT / f"roles/{playbook}/meta/argument_specs.yml").read_text())
    empty = {name: "" for name in specs["argument_specs"]["main"]["options"] if name not in hosts[target]}
    assert len(empty) > 10
    empty.update(dbfleet_strategy="", dbfleet_progress="")
    run = Job(ansible, playbook, hosts, {**empty, "target": target, "confirm": target}).finish().ok()
    assert run.lines(rf"\[{target}\] {playbook}: ")
    assert five.changes(target) == []


def exported(variables: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """The connection of a host as its shell would export it, and the host without it."""
    names = [name for name in variables if name.startswith("exa_")]
    shell = {name.upper(): str(variables[name]) for name in names}
    shell["EXA_API_URL"] = ",".join(variables["exa_api_url"])
    return shell, {name: value for name, value in variables.items() if name not in names}


@pytest.mark.parametrize("target", ["exa-b", "nuo-a"])
def test_a_connection_of_the_environment_is_not_lent(five: Any, ansible: Any, target: str) -> None:
    """What is exported for one cluster serves no host of the other product, and none whose variable is misspelt."""
    hosts = five.inventory()
    shell, bare = exported(hosts["exa-b"])
    given = {"exa-b": {**bare, "exa_profil": "prod"}, "nuo-a": hosts["nuo-a"]}
    variables = {"target": target, "confirm": target}
    run = ansible.run("exa_graceful_shutdown", given, variables=variables, environment=shell).failed()
    says = r"no variable exa_profil .*exa_profile" if target == "exa-b" else r"is a NuoDB host \(nuodb_api_url is set\)"
    assert re.search(says, " ".join(run.out.split())), run.out
    assert all(five.calls(cluster=name) == [] for name in ALL)


@pytest.mark.parametrize(("playbook", "target"), [(COLD, "nuo-a"), ("nuodb_recover", "exa-b")])
def test_a_runbook_of_the_other_product(five: Any, ansible: Any, playbook: str, target: str) -> None:
    """The message names the product of the host, also if a profile, the group or the environment alone shows it."""
    host = five.inventory()[target]
    shown, wanted = ("NuoDB", "Exasol") if target == "nuo-a" else ("Exasol", "NuoDB")
    run = ansible.run(playbook, {target: host}).failed()
    prefix = "nuodb" if target == "nuo-a" else "exa"
    says = rf"{target} is an? {shown} host \({prefix}_api_url is set\) and names no {wanted} cluster.*\[DBF-7002\]"
    assert run.lines(says), run.out
    assert run.lines(rf"hint: target hosts of {wanted}"), run.out
    assert five.calls(cluster=target) == []


def test_what_is_exported_serves_the_one_host_that_names_nothing(five: Any, ansible: Any) -> None:
    shell, bare = exported(five.inventory()["exa-b"])
    ansible.run("check", {"exa-b": bare}, environment=shell).ok()
    run = ansible.run("check", {"exa-b": bare, "exa-c": bare}, environment=shell).failed()
    assert "used for each of 2 hosts" in " ".join(run.out.split())


def test_what_a_hook_at_the_end_is_told(five: Any, ansible: Any) -> None:
    """on_success, on_failure and always run once each, know how it ended, and can't make a failure a success."""
    hooks = {}
    for name in ("on_success", "on_failure", "always"):
        tell = {"name": f"Tell {name}", "ansible.builtin.debug": {"msg": "{{ exa_cold_start_outcome | to_json }}"}}
        hooks[name] = str(ansible.folder / f"{name}.yml")
        end = [{"ansible.builtin.meta": "end_host"}] if name == "on_failure" else []
        Path(hooks[name]).write_text(yaml.safe_dump([tell, *end]))
    hosts = five.inventory()
    good = ansible.run(COLD, hosts, variables={"target": "exa-b", "exa_cold_start_hooks": hooks}).ok()
    assert [bool(good.of(f"Tell {name}", "exa-b")) for name in hooks] == [True, False, True]
    for name, told in (("always", True), ("on_failure", True), ("on_success", False)):
        given = {"target": "exa-a", "exa_cold_start_databases": ["DB9"], "exa_cold_start_hooks": {name: hooks[name]}}
        run = ansible.run(COLD, hosts, variables=given).failed()
        said = run.of(f"Tell {name}", "exa-a")
        assert bool(said) == told, name
        assert all("DB9" in row["msg"] for row in said)
        assert all('"result": "failed"' in row["msg"] for row in said)
        assert run.lines(r"\[exa-a\] exa_cold_start: failed")
        ended = run.lines(r"\[exa-a\] exa_cold_start: the hooks at the end of the failed run did not finish")
        assert len(ended) == (name == "on_failure")

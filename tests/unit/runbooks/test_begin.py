# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands against a run before it does anything."""

from __future__ import annotations

from typing import Any

import pytest
from ansible import constants
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks import begin
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.all_clusters import AllClusters
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import ALL, RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.course import Course
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.journal import Journal
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.run import Run
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.plays import Stage, calls_of, template_of

pytestmark = pytest.mark.usefixtures("roles")

COLD, DOWN = RUNBOOKS["exa_cold_start"], RUNBOOKS["exa_graceful_shutdown"]


def begun(stage: Stage, host: str = "") -> tuple[list[str], Run]:
    """What stands against a host's run."""
    run = stage.run(host)
    wrong = run.prepare()
    return [*wrong, *begin.problems(run)], run


def test_nothing_stands_against_it(stage: Any) -> None:
    wrong, run = begun(stage(COLD, exa_api_url="n10"))
    assert (wrong, run.warnings) == ([], [])


def test_hosts_without_a_connection_of_the_product_are_in_no_table(stage: Any, said: list[str]) -> None:
    of = {"exa-a": {"exa_api_url": "n10"}, "exa-b": {"exa_profile": "b"}, "nuo-a": {"nuodb_api_url": "n10"}}
    _wrong, run = begun(stage(COLD, tuple(of), of=of))
    clusters = AllClusters(COLD.name, run.play_id)
    for host in ("exa-a", "exa-b"):
        clusters.begin(host, run.hosts, False, "auto")
        clusters.end({"host": host, "result": "ok", "phase": "nodes", "seconds": 1.0, "cause": ""})
    assert said[-1] == "exa_cold_start: 2 clusters: 2 ok"


# -- hosts that are one cluster


def shared(stage: Any, first: dict[str, Any], second: dict[str, Any], **of: Any) -> list[str]:
    wrong, _run = begun(stage(COLD, ("exa-a", "exa-b"), of={"exa-a": first, "exa-b": second}, **of))
    return wrong


ONE = {"exa_api_url": ["https://ls.example.com", "https://n11.example.com"]}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ONE, {"exa_api_url": "n11.example.com:443"}),
        (ONE, {"exa_api_url": "other.example.com,n11.example.com"}),
        (ONE, {"exa_api_url": "other.example.com\nn11.example.com\n", "exa_profile": ""}),
        # A URL without a port is ConfD's at both.
        (ONE, {"exa_api_url": "https://ls.example.com:20003"}),
        (ONE, {"exa_api_url": "ls.example.com:443"}),
        ({"exa_api_url": "http://ls.example.com"}, {"exa_api_url": "http://ls.example.com:80"}),
        ({"exa_profile": "prod"}, {"exa_profile": "prod"}),
        (ONE, {"exa_api_url": template_of("{{ ['https://N11.example.com' | lower] }}")}),
    ],
)
def test_hosts_that_share_an_endpoint_are_refused(stage: Any, first: dict[str, Any], second: dict[str, Any]) -> None:
    says = "exa-a and exa-b share an API endpoint: they are one cluster under several names; target one of them"
    assert shared(stage, first, second) == [says]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ONE, {"exa_api_url": "https://other.example.com"}),
        (ONE, {"exa_api_url": "https://ls.example.com:8443"}),
        (ONE, {}),
        ({}, {}),
        ({"exa_profile": "prod"}, {"exa_profile": "test"}),
        ({"exa_profile": "prod"}, {"exa_profile": "prod", "exa_profiles_path": "/other.yml"}),
        ({"exa_profile": "prod", "exa_api_url": "n10"}, {"exa_profile": "prod", "exa_api_url": "n20"}),
        (ONE, {"exa_api_url": template_of("{{ nowhere }}")}),
        (ONE, {"exa_api_url": "ftp://ls.example.com"}),  # the module that uses it says what is wrong
    ],
)
def test_hosts_that_share_none_are_not(stage: Any, first: dict[str, Any], second: dict[str, Any]) -> None:
    assert shared(stage, first, second) == []


def test_a_host_may_have_the_variables_of_another(stage: Any, tmp_path: Any) -> None:
    """As they stand for the host itself: also where it is another that looks at them."""
    hook = str(tmp_path / "on.yml")
    first = {"exa_api_url": "n10", "mine": hook}
    second = {
        "exa_api_url": template_of("{{ hostvars['exa-a'].exa_api_url }}"),
        "exa_cold_start_hooks": {"power": template_of("{{ hostvars['exa-a'].mine }}")},
    }
    made = stage(COLD, ("exa-a", "exa-b"), of={"exa-a": first, "exa-b": second})
    made.hook("on.yml", {"name": "On", "debug": {"msg": ""}})
    (wrong,) = begun(made, "exa-a")[0]
    assert wrong.startswith("exa-a and exa-b share an API endpoint")


def test_each_host_is_told_of_the_others(stage: Any) -> None:
    of = {"exa-a": {"exa_api_url": "n1,n2"}, "exa-b": {"exa_api_url": "n2,n3"}, "exa-c": {"exa_api_url": "n3"}}
    made = stage(COLD, ("exa-a", "exa-b", "exa-c", "exa-d"), of=of, exa_api_url="n4")
    heads = {host: [text.partition(" share")[0] for text in begun(made, host)[0]] for host in made.play_hosts()}
    assert heads == {
        "exa-a": ["exa-a and exa-b"],
        "exa-b": ["exa-b and exa-a exa-c"],
        "exa-c": ["exa-c and exa-b"],
        "exa-d": [],
    }


def test_domains_of_nuodb_too(stage: Any) -> None:
    of = {"nuo-a": {"nuodb_api_url": "https://ap0:8888"}, "nuo-b": {"nuodb_api_url": ["ap0", "ap1"]}}
    wrong, _run = begun(stage(RUNBOOKS["nuodb_cold_start"], ("nuo-a", "nuo-b"), of=of))
    assert [text.partition(":")[0] for text in wrong] == ["nuo-a and nuo-b share an API endpoint"]


def test_all_hosts_are_looked_at_once(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stage(COLD, ("exa-a", "exa-b", "exa-c"), **ONE)
    asked: list[str] = []
    look = begin.endpoints
    monkeypatch.setattr(begin, "endpoints", lambda *given: asked.append(given[0]) or look(*given))
    assert [len(begun(made, host)[0]) for host in made.play_hosts()] == [1, 1, 1]
    assert asked == ["exa", "exa", "exa"]


# -- confirmation


@pytest.mark.parametrize(
    ("confirm", "says"),
    [
        (None, "nothing is confirmed"),
        ("", "nothing is confirmed"),
        ("exa-a", "confirm names exa-a, not exa-b"),
        (["exa-a", "exa-c"], "confirm names exa-a exa-c, not exa-b"),
        ("all", "confirm names all, not exa-a exa-b"),
        (True, "confirm names True, not exa-a exa-b"),
        (449, "confirm names 449, not exa-a exa-b"),
        ("None", "nothing is confirmed"),
    ],
)
def test_what_takes_clusters_down_is_confirmed_by_name(stage: Any, confirm: Any, says: str) -> None:
    if confirm is True:
        confirm = [True]
    given = {"confirm": confirm} if confirm is not None else {}
    (wrong,) = begun(stage(DOWN, ("exa-a", "exa-b"), **given))[0]
    assert wrong == (
        f"exa_graceful_shutdown takes exa-a exa-b down and {says}: confirm each of them by name "
        "(-e confirm=exa-a,exa-b) [DBF-6801]"
    )


@pytest.mark.parametrize(
    "confirm",
    [
        "exa-a,exa-b",
        "exa-b exa-a",
        "exa-a\nexa-b\n",
        "exa-b, exa-a",
        ["exa-b", "exa-a"],
        template_of("{{ 'exa-a,exa-b' }}"),
    ],
)
def test_what_is_confirmed_goes_on(stage: Any, confirm: Any) -> None:
    assert begun(stage(DOWN, ("exa-a", "exa-b"), confirm=confirm))[0] == []


def test_a_confirmation_for_more_hosts_is_enough_and_is_said(stage: Any) -> None:
    """AWX's relaunch on failed hosts keeps it, and leaves hosts out."""
    made = stage(DOWN, ("exa-a", "exa-b"), confirm="exa-c,exa-a,exa-b,exa-d")
    says = "confirm also names exa-c exa-d, which this run does not touch"
    found = [begun(made, host) for host in made.play_hosts()]
    assert [(wrong, run.warnings) for wrong, run in found] == [([], [says]), ([], [])]


@pytest.mark.parametrize(
    ("given", "check", "says"),
    [
        ({"confirm": "exa-a,exa-b"}, False, ["confirm=exa-a"]),
        ({}, False, ["confirm="]),
        ({"confirm": "exa-b"}, False, ["confirm="]),
        ({}, True, []),
    ],
)
def test_the_next_run_is_confirmed_by_who_confirmed_this_one(
    stage: Any, given: dict[str, Any], check: bool, says: list[str]
) -> None:
    assert stage(DOWN, ("exa-a",), check=check, **given).run().confirmation() == says


def test_what_takes_nothing_down_needs_no_confirmation(stage: Any) -> None:
    assert begun(stage(DOWN, check=True))[0] == []
    state = RUNBOOKS["exa_database_state"]
    given = {"exa_database_state_databases": ["DB1"]}
    assert begun(stage(state, **given))[0] == []
    (wrong,) = begun(stage(state, exa_database_state_state="stopped", **given))[0]
    assert "nothing is confirmed" in wrong


@pytest.mark.parametrize(("product", "state"), [("exa", "running"), ("nuodb", "started")])
def test_a_state_that_does_not_exist_is_the_only_problem(stage: Any, product: str, state: str) -> None:
    """The products' words differ. A run that is refused for them doesn't claim that it takes something down."""
    name = f"{product}_database_state"
    wrong, run = begun(stage(RUNBOOKS[name], **{f"{name}_databases": ["DB1"], f"{name}_state": state}))
    assert not any("nothing is confirmed" in text for text in wrong)
    assert run.book.resume(run)[-1] == f"{name}_state={state}"
    (wrong, _run) = begun(stage(RUNBOOKS[name], **{f"{name}_databases": ["DB1"], f"{name}_state": "restarted"}))
    assert any("nothing is confirmed" in text for text in wrong)


# -- hooks


def test_a_hook_that_is_missing_on_any_host_stops_all(stage: Any) -> None:
    of = {
        "exa-b": {"exa_cold_start_hooks": {"power": ["/none.yml", "/nothing.yml"]}},
        "exa-c": {"exa_cold_start_hooks": {"power": ["/none.yml", "/nothing.yml"]}},
        "exa-d": {"exa_cold_start_hooks": {"after_api": "/none.yml"}},
    }
    made = stage(COLD, ("exa-a", "exa-b", "exa-c", "exa-d"), of=of)
    rest = "nothing was started on any host; correct this, or leave these hosts out [DBF-6806]"
    expected = [
        f"exa-b exa-c: hook power: /none.yml does not exist: {rest}",
        f"exa-b exa-c: hook power: /nothing.yml does not exist: {rest}",
        f"exa-d: hook after_api: /none.yml does not exist: {rest}",
    ]
    told = [begun(made, host)[0] for host in made.play_hosts()]
    says = "refused together with exa-a; the message of exa-a gives the reason"
    assert told == [expected, *([f"{host}: {says}"] for host in of)]


def test_hooks_that_have_no_value_on_a_host_stop_all(stage: Any) -> None:
    of = {"exa-b": {"exa_cold_start_hooks": {"power": template_of("{{ nowhere }}")}}}
    made = stage(COLD, ("exa-a", "exa-b"), of=of)
    (wrong,) = begun(made, "exa-a")[0]
    assert wrong.startswith("exa-b: exa_cold_start_hooks has no value: ")
    assert "'nowhere' is undefined" in wrong
    assert wrong.endswith(": nothing was started on any host; correct this, or leave these hosts out [DBF-6806]")


def test_hooks_that_can_be_run_stand_against_nothing(stage: Any, tmp_path: Any) -> None:
    made = stage(COLD, exa_cold_start_hooks={"power": str(tmp_path / "on.yml")})
    made.hook("on.yml", {"name": "On", "debug": {"msg": ""}})
    assert begun(made)[0] == []


# -- variables


def test_misspelt_variables_and_texts_are_refused(stage: Any) -> None:
    """A text that is a dictionary would be one: the hooks of other hosts, which are looked at as they stand, not."""
    wrong, run = begun(
        stage(COLD, exa_cold_start_database="DB1", exa_cold_start_hooks='{"power": "/on.yml"}', exa_wait_timout=1)
    )
    assert wrong == [
        "there is no variable exa_cold_start_database (did you mean exa_cold_start_databases?) [DBF-6805]",
        "exa_cold_start_hooks is a text, not dict: with -e, write all of it as -e '{\"exa_cold_start_hooks\": ...}'",
    ]
    assert run.warnings == ["there is no variable exa_wait_timout of this collection (did you mean exa_wait_timeout?)"]


# -- this run of ansible-playbook


def test_too_few_forks_are_told_once(stage: Any, cli: Any) -> None:
    hosts = ("exa-a", "exa-b", "exa-c")
    cli(forks=2)
    made = stage(COLD, hosts)
    says = "3 clusters but only 2 forks: some clusters wait (--forks 3 avoids this)"
    assert [begun(made, host)[1].warnings for host in hosts] == [[says], [], []]
    for forks in (3, 50, None):
        cli(forks=forks)
        assert begun(stage(COLD, hosts))[1].warnings == []


CAREFUL = {"DEFAULT_INTERNAL_POLL_INTERVAL": 0.05, "HOST_PATTERN_MISMATCH": "error"}
"""A configuration that check has nothing to say of."""


def warned(stage: Any, monkeypatch: pytest.MonkeyPatch, book: Any, given: dict[str, Any], *hosts: str) -> Any:
    """The warnings of each host where ansible-core is configured so."""
    usual, mine = constants.config.get_config_value, {**CAREFUL, **given}
    monkeypatch.setattr(
        constants.config, "get_config_value", lambda name, *more, **also: mine.get(name) or usual(name, *more, **also)
    )
    made = stage(book, hosts)
    runs = [made.run(host) for host in hosts]
    for run in runs:
        begin.problems(run)
    return [run.warnings for run in runs]


def restless(stage: Any, monkeypatch: pytest.MonkeyPatch, book: Any, pause: Any, *hosts: str) -> list[list[str]]:
    """The warnings of each host where ansible-playbook looks at its workers so often."""
    return warned(stage, monkeypatch, book, {"DEFAULT_INTERNAL_POLL_INTERVAL": pause}, *hosts)


def test_only_check_tells_what_waiting_costs_and_only_once(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    says = (
        "internal_poll_interval is 0.001 s: ansible-playbook uses a tenth of a core while it waits for a cluster; "
        "set [defaults] internal_poll_interval = 0.05 in ansible.cfg"
    )
    assert restless(stage, monkeypatch, ALL["check_exasol"], 0.001, "exa-a", "exa-b") == [[says], []]
    assert restless(stage, monkeypatch, COLD, 0.001, "exa-a") == [[]]


@pytest.mark.parametrize("pause", [0.01, "0.05", 1])
def test_check_says_nothing_where_it_costs_little(stage: Any, monkeypatch: pytest.MonkeyPatch, pause: Any) -> None:
    assert restless(stage, monkeypatch, ALL["check_exasol"], pause, "exa-a") == [[]]


@pytest.mark.parametrize("book", ["check_exasol", "check_nuodb"])
@pytest.mark.parametrize("mismatch", ["warning", "ignore"])
def test_only_check_tells_of_plays_for_no_host_and_only_once(
    stage: Any, monkeypatch: pytest.MonkeyPatch, mismatch: str, book: str
) -> None:
    given, hosts = {"HOST_PATTERN_MISMATCH": mismatch}, ("one", "two", "three")
    says = (
        f"host_pattern_mismatch is {mismatch}: a play of your own exits with 0 if its hosts: matches no host of "
        "the inventory (the playbooks of this collection refuse such a target); set [inventory] host_pattern_mismatch "
        "= error in ansible.cfg, or ANSIBLE_HOST_PATTERN_MISMATCH=error"
    )
    assert warned(stage, monkeypatch, ALL[book], given, *hosts) == [[says], [], []]
    assert warned(stage, monkeypatch, ALL[book], CAREFUL, *hosts) == [[], [], []]
    assert warned(stage, monkeypatch, COLD, given, *hosts) == [[], [], []]


def test_nothing_follows_a_runbook_that_is_not_at_its_end_on_this_host(stage: Any) -> None:
    entry = {"runbook": "exa_graceful_shutdown", "host": "exa-a"}
    Journal("exa_graceful_shutdown", "exa-a").write(entry)
    made = stage(COLD, ("exa-a", "exa-b"))
    courses = {host: Course(made.run(host)) for host in made.play_hosts()}
    found = {host: course.first() for host, course in courses.items()}
    assert found["exa-a"]["msg"] == (
        "exa-a: exa_graceful_shutdown started in this run of ansible-playbook and did not finish, "
        "so no other runbook starts on this host [DBF-7015]"
    )
    assert calls_of(courses["exa-a"].run) == []
    assert "exa-a" not in found["exa-b"]["msg"]
    assert [call.module for call in calls_of(courses["exa-b"].run)] == ["exa_cluster_info"]

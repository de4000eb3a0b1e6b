# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the functions of a runbook see of a run: variables in their types, modules, results."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._session import shared_session
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.direct import plain, validated
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.catalogue import ALL, RUNBOOKS
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.run import Run, Stopped
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.variables import options_of
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.plays import calls_of, template_of


def prepared(demo: Any, **given: Any) -> Run:
    run = demo(**given).run()
    assert run.prepare() == []
    run.connect()
    return run


# -- variables


def test_values_have_their_types(demo: Any) -> None:
    run = prepared(demo, exa_demo_down="yes", exa_demo_number=template_of("{{ '7' }}"), exa_demo_names="a,b")
    assert (run.own("down"), run.own("number"), run.own("names")) == (True, 7, ["a", "b"])
    assert (run.own("third"), run.own("state"), run.own("state", "off")) == (True, None, "off")


def test_what_is_omitted_or_not_set_has_its_default(demo: Any) -> None:
    run = prepared(demo, exa_demo_third=template_of("{{ nothing | default(omit) }}"), exa_heartbeat=None)
    assert (run.own("third"), run.shared("heartbeat"), run.shared("heartbeat", 60)) == (True, None, 60)


def test_false_and_nothing_are_values(demo: Any) -> None:
    run = prepared(demo, exa_demo_third=False, exa_heartbeat=0, exa_demo_names=[])
    assert (run.own("third", True), run.shared("heartbeat", 60), run.own("names", ["x"])) == (False, 0, [])


def test_all_that_is_wrong_with_the_variables_is_told(demo: Any) -> None:
    run = demo(
        exa_demo_number="many", exa_demo_state="maybe", exa_demo_down=template_of("{{ nowhere }}"), exa_demo_names="a"
    ).run()
    undefined, *unfit = run.prepare()
    assert undefined.startswith("exa_demo_down has no value: 'nowhere' is undefined")
    assert len(unfit) == 2
    assert all(text.startswith("exa_demo: ") for text in unfit)
    assert any("exa_demo_number" in text and "a whole number" in text for text in unfit)
    assert any("exa_demo_state" in text and "maybe" in text for text in unfit)
    assert run.own("names") == ["a"]


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_variable_may_come_from_a_survey(stage: Any, roles: None, name: str) -> None:
    """All at once, in each form that a text has with some ansible-core: a value of the type, or one sentence."""
    nothing = stage(ALL[name]).run()
    missing = nothing.prepare()
    assert [text.partition("arguments: ")[2] for text in missing] == [f"{name}_databases"] * len(missing)
    options = {**nothing.options}
    for book in ALL[name].reads:
        options.update(options_of(book.name))
    assert len(options) > 15
    for value in ("", " \t", None):
        run = stage(ALL[name], **dict.fromkeys(options, value), dbfleet_progress=value).run()
        assert (run.prepare(), run.warnings) == (missing, [])
        assert (run.values, run.files, run.confirmed()) == (nothing.values, nothing.files, [])
    for value in ("true", "600", "a, b", "a\nb", True, 600, 1.5, date(2026, 11, 28)):
        run = stage(ALL[name], **dict.fromkeys(options, value)).run()
        told = [*run.prepare(), *run.warnings]
        named = [[one for one in options if re.search(rf"\b{one}\b", text)] for text in told]
        assert [len(names) for names in named] == [1] * len(told), told
        refused = {one for (one,) in named}
        assert not [text for text in told if re.search(r"<class|Traceback|NoneType|\wError\b", text)]
        for option in options.keys() - refused:
            ((_name, typed),) = validated({option: options[option]}, {option: plain(value)})[0].items()
            assert (run.values[option], type(run.values[option])) == (typed, type(typed)), option
            assert not isinstance(typed, date)
        assert refused, f"{value!r} is a value of every type"


@pytest.mark.parametrize("value", ["", " ", None])
def test_a_default_of_the_role_holds_where_nothing_is_given(stage: Any, roles: None, value: Any) -> None:
    """For ansible-core an empty variable is set, and hides it."""
    cold = RUNBOOKS["nuodb_cold_start"]

    def found(**given: Any) -> list[Any]:
        run = stage(cold, **given).run()
        assert run.prepare() == []
        return [run.own(name) for name in ("databases", "servers_timeout", "databases_timeout")]

    assert found(nuodb_databases=value, nuodb_wait_timeout=value) == [["all"], 900, 3600]
    assert found(nuodb_wait_timeout="20m", nuodb_cold_start_servers_timeout=value) == [["all"], 1200, 1200]
    assert found(nuodb_wait_timeout=0, nuodb_cold_start_servers_timeout=value) == [["all"], 0, 0]
    assert found(nuodb_databases=["shop"], nuodb_cold_start_databases=value) == [["shop"], 900, 3600]
    assert found(nuodb_databases="None", nuodb_wait_timeout=value)[0] == ["all"]
    assert found(nuodb_databases=["shop"], nuodb_cold_start_databases="None")[0] == ["shop"]
    omitted = template_of("{{ nowhere | default(omit) }}")
    assert found(nuodb_databases=["shop"], nuodb_cold_start_databases=omitted)[0] == ["shop"]


def test_a_default_that_has_no_value_is_told(stage: Any, roles: None) -> None:
    undefined = template_of("{{ nowhere }}")
    run = stage(RUNBOOKS["nuodb_cold_start"], nuodb_databases=undefined, nuodb_cold_start_databases="").run()
    told = run.prepare()
    assert told
    assert all("nuodb_databases has no value" in text or "nuodb_cold_start_databases" in text for text in told)
    assert any("'nowhere' is undefined" in text for text in told)


def test_a_hook_of_another_name_is_refused(stage: Any, roles: None) -> None:
    run = stage(RUNBOOKS["exa_cold_start"], exa_cold_start_hooks={"pwoer": "/on.yml"}).run()
    (wrong,) = run.prepare()
    assert wrong.startswith("exa_cold_start: ")
    assert "exa_cold_start_hooks.pwoer" in wrong
    assert run.files == {}


# -- modules


def test_a_module_gets_connection_defaults_and_options(demo: Any) -> None:
    run = demo(exa_api_url="n10,n11", exa_api_username="operator", exa_api_password="s3cret").run()
    run.prepare()
    run.task.module_defaults = [
        {"group/dbfleet.cluster.exasol": {"api_url": "n99"}, "dbfleet.cluster.exa_node": {"heartbeat": 9}},
        {
            "dbfleet.cluster.exa_node": {
                "heartbeat": template_of("{{ 'seven' | upper }}"),
                "wait_stable": 5,
                "api_url": ["n98"],
            }
        },
    ]
    run.connect()
    run.module("nodes", "exa_node", "Nodes", nodes=["all"], wait_stable=None, wait_timeout=0)
    run.module("plan", "exa_plan", "The plan", runbook="cold_start")
    nodes, plan = calls_of(run)
    assert nodes.options == {
        "heartbeat": "SEVEN", "wait_stable": 5, "api_url": ["n10", "n11"], "api_username": "operator",
        "api_password": "s3cret", "nodes": ["all"], "wait_timeout": 0,
    }  # fmt: skip
    assert plan.options == {"runbook": "cold_start"}  # it has no connection


def test_a_profile_is_read_once_for_all_modules(demo: Any) -> None:
    run = demo(exa_api_username="operator").run()
    run.prepare()
    run._action.profile = {"profile": "prod", "profiles_path": "p.yml", "api_url": ["n10"], "api_username": "x"}
    run.connect()
    run.module("nodes", "exa_node", "Nodes")
    assert calls_of(run)[0].options == {"api_url": ["n10"], "api_username": "operator"}


def test_what_is_kept_of_a_result(demo: Any) -> None:
    answers = {
        "exa_node": {"changed": True, "steps": ["a"], "diff": {"before": "x"}, "invocation": {"module_args": {}}},
        "exa_storage": {"changed": True, "diff": [{"before": "y"}, {"before": "z"}]},
        "exa_database": {"diff": {"before": "unchanged"}},
    }
    run = prepared(demo, answers=answers)
    assert not run.changed
    run.module("nodes", "exa_node", "Nodes")
    assert run.changed
    run.phases.append({"phase": "storage", "began": 0.0})
    run.module("storage", "exa_storage", "Storage")
    run.module("databases", "exa_database", "Databases")
    assert run.changed
    assert run.results["nodes"] == {
        "task": "Nodes", "module": "exa_node", "phase": "begin", "changed": True, "steps": ["a"]
    }  # fmt: skip
    assert run.found("storage") == {"task": "Storage", "module": "exa_storage", "phase": "storage", "changed": True}
    assert run.diffs == [{"before": "x"}, {"before": "y"}, {"before": "z"}]
    assert run.found("nothing") == {}


def test_a_warning_is_told_once(demo: Any) -> None:
    run = prepared(demo, answers={"exa_node": [{"warnings": ["a", "b"]}, {"warnings": ["b", "c"]}]})
    run.module("one", "exa_node", "Nodes")
    run.module("two", "exa_node", "Nodes")
    assert run.warnings == ["a", "b", "c"]


def test_a_module_that_fails_stops_the_run_and_its_result_is_kept(demo: Any) -> None:
    failed = {"failed": True, "msg": "off", "failure": "unreachable", "changed": True, "diff": {}, "invocation": {}}
    run = prepared(demo, answers={"exa_node": failed})
    with pytest.raises(Stopped) as caught:
        run.module("nodes", "exa_node", "Nodes", tolerate=lambda result: result["failure"] == "refused")
    kept = {"failed": True, "msg": "off", "failure": "unreachable", "changed": True}
    assert caught.value.result == kept
    assert run.found("nodes") == {"task": "Nodes", "module": "exa_node", "phase": "begin", **kept}
    assert run.changed


def test_the_hint_of_a_wait_names_the_variable_that_limits_it(demo: Any) -> None:
    """Who runs a runbook has no option wait_timeout."""
    failed = {"failed": True, "msg": "late", "hint": "run it again; wait_timeout sets how long it waits"}
    run = prepared(demo, answers={"exa_node": failed})
    with pytest.raises(Stopped) as caught:
        run.module("nodes", "exa_node", "Nodes", wait_timeout=5, limit="exa_cold_start_nodes_timeout")
    assert caught.value.result["hint"] == "run it again; exa_cold_start_nodes_timeout sets how long it waits"


def test_a_failure_may_be_tolerated(demo: Any) -> None:
    run = prepared(demo, answers={"exa_node": {"failed": True, "failure": "unreachable", "msg": "off"}})
    found = run.module("nodes", "exa_node", "Nodes", tolerate=lambda result: result["failure"] == "unreachable")
    assert found["msg"] == "off"


@pytest.mark.parametrize(("of_run", "foresees"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_module_that_foresees_changes_and_says_nothing(demo: Any, of_run: bool, foresees: bool) -> None:
    run = prepared(demo, check=of_run, answers={"exa_node": {"changed": True, "diff": {"before": "x"}}})
    run.module("nodes", "exa_node", "Nodes", foresees=foresees)
    assert [(call.check, call.is_silent) for call in calls_of(run)] == [(of_run or foresees, foresees)]
    assert run.task.check_mode is of_run
    assert (run.changed, run.diffs) == ((False, []) if foresees else (True, [{"before": "x"}]))
    assert run.found("nodes").get("foreseen", False) is foresees


def test_a_module_is_followed_where_the_runbook_says_so_and_something_is_changed(demo: Any) -> None:
    for check in (False, True):
        run = prepared(demo, check=check)
        with shared_session() as run.session:
            run.module("one", "exa_node", "Nodes", followed=True)
            run.module("two", "exa_node", "Nodes")
        assert [call.followed for call in calls_of(run)] == [not check, False]


def test_what_modules_would_leave_is_put_together(demo: Any) -> None:
    answers = {
        "exa_node": {"predicted": {"nodes": {"n11": {"state": "online"}}, "services": {"Lockd": "OK"}}},
        "exa_storage": {"predicted": {"services": {"Storaged": "OK"}}},
    }
    run = prepared(demo, answers=answers, check=True)
    assert run.predicted("nodes", "storage") is None
    for key, module in (("nodes", "exa_node"), ("storage", "exa_storage"), ("databases", "exa_database")):
        run.module(key, module, "Something")
    assert run.predicted("nodes", "databases", "storage") == {
        "nodes": {"n11": {"state": "online"}}, "services": {"Lockd": "OK", "Storaged": "OK"}
    }  # fmt: skip
    assert run.predicted("databases", "nothing") is None
    assert run.found("nodes")["predicted"]["services"] == {"Lockd": "OK"}


# -- hosts that turn out to be one cluster


@pytest.mark.parametrize("second", [["https://n12:20003", "C5ED"], ["https://n11:20003"]])
def test_hosts_whose_reports_tell_one_cluster_are_refused(demo: Any, second: list[str]) -> None:
    made = demo("exa-a", "exa-b", "exa-c")
    made.run("exa-a").only_name_of(["https://n11:20003", "C5ED"])
    made.run("exa-a").only_name_of(["https://n11:20003", "C5ED"])
    with pytest.raises(Stopped) as caught:
        made.run("exa-b").only_name_of(second)
    assert caught.value.result == {
        "failed": True,
        "failure": "refused",
        "msg": f"exa-b and exa-a are one cluster under several names (both have {second[-1]}): target one of them "
        "[DBF-6810]",
        "message_number": "DBF-6810",
    }
    made.run("exa-c").only_name_of([])


def test_hosts_whose_reports_tell_two_clusters_are_not(demo: Any) -> None:
    made = demo("exa-a", "exa-b")
    made.run("exa-a").only_name_of(["https://n11:20003", "C5ED"])
    made.run("exa-b").only_name_of(["https://n21:20003", "D6"])


def test_the_next_play_of_the_same_run_is_about_the_same_cluster_again(demo: Any) -> None:
    demo("exa-a", "exa-b").run("exa-a").only_name_of(["C5ED"])
    demo("exa-a", "exa-b").run("exa-b").only_name_of(["C5ED"])


# -- what else


def test_a_line_names_its_host_once(demo: Any) -> None:
    made = demo()
    made.run().say("begins")
    made.run().say("exa-a: goes on")
    assert made.said == ["[exa-a] begins", "[exa-a] goes on"]


def test_hooks_and_what_it_goes_on_to(demo: Any) -> None:
    run = prepared(demo, exa_demo_hooks={"before_third": "/a.yml", "after_second": [], "between": ""})
    assert run.has_hooks("before_third")
    assert run.has_hooks("after_second", "before_third")
    assert not run.has_hooks("after_second", "between", "before_fourth")
    run.selected = ["second", "third"]
    assert run.goes_on_to("third", "after_second")
    assert not run.goes_on_to("third", "after_second", "before_third")
    assert not run.goes_on_to("fourth")


def test_another_runbook_is_seen_with_its_own_variables(stage: Any, roles: None) -> None:
    cold = RUNBOOKS["exa_cold_start"]
    made = stage(
        ALL["check_exasol"],
        exa_cold_start_power="hook",
        exa_graceful_shutdown_power="none",
        exa_cold_start_hooks={"power_nodes": "/on.yml"},
        exa_cold_start_boot_message_timeout="soon",
    )
    run = made.run()
    assert run.prepare() == []
    other = run.seen_by(cold)
    assert (other.own("power"), other.has_hooks("power_nodes")) == ("hook", True)
    assert (run.book.name, run.has_hooks("power_nodes")) == ("check", False)
    assert run.seen_by(RUNBOOKS["exa_graceful_shutdown"]).own("power") == "none"
    (warning,) = run.warnings
    assert warning.startswith("exa_cold_start will refuse this: ")
    assert "exa_cold_start_boot_message_timeout" in warning

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Database objects are created, given options, and deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.api.objects import Database


def test_an_object_is_created_and_starts_nothing(bring, memory):
    domain = memory()
    given = {"databases": ["new"], "state": "present", "dba_user": "dba", "dba_password": "pw"}
    result = bring("nuodb_database", domain, default_options={"mem": "1G", "ping-timeout": 60}, **given)
    body = {
        "databaseDbaUser": "dba", "databaseDbaPassword": "pw", "defaultOptions": {"mem": "1G", "ping-timeout": "60"},
    }  # fmt: skip
    assert domain.log == [("create database", "new", body)]
    assert result["databases"]["new"]["state"] == "NOT_RUNNING"
    again = bring("nuodb_database", domain, default_options={"mem": "1G", "ping-timeout": 60}, **given)
    assert not again["changed"]
    assert len(domain.log) == 1


def test_nobody_is_the_dba_of_an_object_that_is_missing(bring, memory):
    with pytest.raises(Refused, match="new: it does not exist") as caught:
        bring("nuodb_database", memory(), databases=["new"], state="present")
    assert caught.value.hint == "set dba_user and dba_password to create it"


def test_only_options_that_differ_are_set(bring, memory):
    domain = memory()
    domain.databases_now["test"] = replace(domain.databases_now["test"], default_options={"mem": "1G", "a": "b"})
    given = {"databases": ["test"], "state": "present", "default_options": {"mem": "2G", "a": "b"}}
    preview = bring("nuodb_database", domain, check_mode=True, **given)
    assert domain.log == []
    assert preview["predicted"]["databases"]["test"]["default_options"] == {"mem": "2G", "a": "b"}
    result = bring("nuodb_database", domain, **given)
    assert domain.log == [("set options", "test", {"mem": "2G"})]
    assert result["databases"]["test"]["default_options"] == {"mem": "2G", "a": "b"}
    assert [step["step"] for step in result["steps"]] == ["set default options mem"]
    for one in (preview, result):
        before, after = "NOT_RUNNING (mem=1G, a=b)", "NOT_RUNNING (mem=2G, a=b)"
        assert one["diff"] == {"before": {"test": before}, "after": {"test": after}}
    assert not bring("nuodb_database", domain, **given)["changed"]


def test_an_option_without_a_value_sets_none(bring, memory):
    domain = memory()
    given = {"databases": ["test"], "state": "present", "default_options": {"a": "b", "mem": None}}
    with pytest.raises(ClusterError, match="default_options: mem has no value: give one, because no option"):
        bring("nuodb_database", domain, **given)
    assert domain.log == []


@pytest.mark.parametrize("purge", [False, True])
def test_an_object_is_deleted_when_it_is_down(bring, memory, purge):
    domain = memory()
    result = bring("nuodb_database", domain, databases=["test", "gone"], state="absent", purge=purge)
    assert domain.log == [("delete database", "test", purge)]
    assert result["databases"] == {}
    assert not bring("nuodb_database", domain, databases=["test"], state="absent")["changed"]


def test_what_was_deleted_before_is_purged(bring, memory):
    domain = memory()
    given = {"databases": ["test", "gone"], "state": "absent"}
    bring("nuodb_database", domain, **given)
    assert not bring("nuodb_database", domain, **given)["changed"]
    preview = bring("nuodb_database", domain, check_mode=True, purge=True, **given)
    result = bring("nuodb_database", domain, purge=True, **given)
    assert domain.log[1:] == [("delete database", "test", True)]
    for one in (preview, result):
        (step,) = one["steps"]
        assert (step["object"], step["step"], step["from"]) == ("test", "purge", "TOMBSTONE")
        assert one["predicted"]["archives"] == {}
    assert domain.archives_now == {}
    assert not bring("nuodb_database", domain, purge=True, **given)["changed"]


def test_in_a_preview_what_an_earlier_task_deletes_is_purged(bring, memory):
    domain = memory()
    first = bring("nuodb_database", domain, check_mode=True, databases=["test"], state="absent")
    given = {"databases": ["test", "gone"], "state": "absent", "purge": True, "assume": first["predicted"]}
    (step,) = bring("nuodb_database", domain, check_mode=True, **given)["steps"]
    assert (step["object"], step["step"], step["from"]) == ("test", "purge", "TOMBSTONE")


@pytest.mark.parametrize("state", ["RUNNING", "AWAITING_ARCHIVE_HISTORIES_INC", "REQUESTED_TE_SHUTDOWN", "QUIESCED"])
def test_an_object_is_not_deleted_while_it_runs(bring, memory, state):
    domain = memory()
    domain.databases_now["test"] = Database("test", state, (1, 0))
    with pytest.raises(Refused, match=f"test: it is {state}, and a deletion would leave its processes") as caught:
        bring("nuodb_database", domain, databases=["test"], state="absent")
    assert "nothing overrides this" in caught.value.hint
    assert domain.log == []


@pytest.mark.parametrize("state", ["present", "absent"])
def test_all_are_not_created_or_deleted(bring, memory, state):
    domain = memory()
    with pytest.raises(ClusterError, match=f"state={state} takes the names of databases, not the word all"):
        bring("nuodb_database", domain, databases=["all"], state=state)
    assert domain.log == []


def test_objects_need_a_quorum(bring, memory):
    domain = memory()
    domain.servers_now = {name: replace(one, connected="Disconnected") for name, one in domain.servers_now.items()}
    with pytest.raises(Refused, match="no quorum"):
        bring("nuodb_database", domain, databases=["test"], state="absent")
    assert domain.log == []

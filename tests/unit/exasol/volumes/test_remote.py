# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remote volumes become what is wanted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    Denied,
    Failed,
    Fault,
    Refused,
    TimedOut,
    Unsupported,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.volumes import RemoteVolume
from ansible_collections.dbfleet.cluster.plugins.module_utils._task import secrets_of
from ansible_collections.dbfleet.cluster.plugins.modules import exa_remote_volume
from ansible_collections.dbfleet.cluster.tests.unit.exasol.volumes.fake_api import (
    REMOTE,
    RIGHT,
    VOL,
    Api,
    Cluster,
    RemoteApi,
    brought,
    options,
    raising,
    remote,
)

CANT_EDIT = ("remote_volume_edit",)


def test_a_remote_volume_is_added_once(new_task):
    api = RemoteApi()
    assert remote(new_task, Cluster(api), check=True, **RIGHT).steps == ["add"]
    assert api.did == []
    done = remote(new_task, Cluster(api), **RIGHT)
    assert (done.steps, api.did) == (["add"], [("add", "Vol", "p")])
    assert done.row["states"] == dict.fromkeys(Cluster(api).nodes(), "Online")
    again = remote(new_task, Cluster(api), **RIGHT)
    assert (again.changed, again.work.not_compared, again.task.warnings) == (False, ["password"], [])
    assert "p" not in str(done.diff).split("'")


@pytest.mark.parametrize("more", [{"state": "absent"}, {"url": "http://c", "recreate": True, "password": "p"}])
@pytest.mark.parametrize("place", [{"volume": "Vol"}, {"volume": "x", "volume_id": 10001}, {"volume": "r0001"}])
def test_a_remote_volume_with_backups_goes_only_where_it_is_confirmed(new_task, more, place):
    held = SimpleNamespace(bid=7, **{"volume_id": None, **place})
    for confirm in ([], ["10001"], ["Vol", "Other"]):
        cluster = Cluster(api := RemoteApi(REMOTE), lacking=CANT_EDIT)
        cluster.backups_of = lambda name: [held] if name == "DB2" else []
        with pytest.raises(
            Refused, match="Vol not removed: nobody could restore the backups on it any more: DB2 7: confirm names"
        ) as caught:
            remote(new_task, cluster, **more, confirm=confirm)
        assert (api.did, caught.value.hint) == ([], "confirm: [Vol]")
    remote(new_task, cluster, **more, confirm=["Vol"])
    assert api.did[0] == ("remove", "Vol")


def test_backups_that_may_not_be_seen_may_be_there(new_task):
    cluster = Cluster(api := RemoteApi(REMOTE))

    def denied(_name: str) -> Any:
        raise Denied("no right")

    cluster.backups_of = denied
    with pytest.raises(
        Refused, match="Vol not removed: this run can't see whether backups are on it .no right.: confirm"
    ):
        remote(new_task, cluster, state="absent")
    remote(new_task, cluster, state="absent", confirm=["Vol"])
    assert api.did == [("remove", "Vol")]


def test_what_is_other_is_edited_where_the_api_can(new_task):
    for given in ({"url": "http://c"}, {"labels": ["b"]}, {"options": []}, {"vol_type": "ftp"}):
        api = RemoteApi(REMOTE)
        done = remote(new_task, Cluster(api), **{**RIGHT, **given})
        assert api.did == [("edit", "Vol", None)]
        assert list(done.diff["after"]["Vol"]) == list(given)
        assert not remote(new_task, Cluster(api), **{**RIGHT, **given}).changed
    assert api.rows[0].labels == ("#Name#Vol", "a")


def test_what_is_other_is_made_anew_only_where_that_is_meant(new_task):
    api = RemoteApi(REMOTE)
    other = {**RIGHT, "url": "http://c"}
    with pytest.raises(Refused, match="its url is http://b, not http://c: there is no call") as refusal:
        remote(new_task, Cluster(api, lacking=CANT_EDIT), **other)
    assert "recreate" in str(refusal.value.hint)
    assert api.did == []
    preview = remote(new_task, Cluster(api, lacking=CANT_EDIT), check=True, recreate=True, **other)
    assert (preview.steps, api.did) == (["remove", "add"], [])
    done = remote(new_task, Cluster(api, lacking=CANT_EDIT), recreate=True, **other)
    assert (done.steps, api.did) == (["remove", "add"], [("remove", "Vol"), ("add", "Vol", "p")])
    with pytest.raises(Refused, match="its id is 10001, not 10002"):
        remote(new_task, Cluster(api), **other, remote_volume_id=10002)
    with pytest.raises(Refused, match="its username is u, not v") as refusal:
        remote(new_task, Cluster(api, lacking=CANT_EDIT), name="Vol", username="v")
    assert "there is no such" not in str(refusal.value)


@pytest.mark.parametrize("name", ["Vol", "r0001"])
def test_what_is_made_anew_keeps_what_the_task_does_not_say(new_task, name):
    """And the diff tells all that is other than before."""
    api = RemoteApi(REMOTE)
    other = {"name": name, "url": "http://c", "labels": ["b"], "password": "p", "recreate": True}
    preview = remote(new_task, Cluster(api, lacking=CANT_EDIT), check=True, **other)
    done = remote(new_task, Cluster(api, lacking=CANT_EDIT), **other)
    assert done.steps == preview.steps == ["remove", "add"]
    assert api.rows == [REMOTE.with_(url="http://c", labels=("b",))], "the cluster names it anew by itself"
    assert done.diff["before"] == {name: {"url": "http://b", "labels": ["#Name#Vol", "a"]}}
    assert done.diff["after"] == {name: {"url": "http://c", "labels": ["b"]}}
    assert preview.diff["after"] == {name: {"url": "http://c", "labels": ["#Name#Vol", "b"]}}
    assert not remote(new_task, Cluster(api, lacking=CANT_EDIT), **{**other, "url": "http://c"}).changed


def test_a_label_that_goes_is_in_the_diff(new_task):
    api = RemoteApi(REMOTE)
    api.create = lambda row, password: RemoteApi.create(api, row.with_(username=None, id=None), password)
    done = remote(new_task, Cluster(api, lacking=CANT_EDIT), **{**RIGHT, "url": "http://c"}, recreate=True)
    assert done.diff["after"]["Vol"] == {"id": 10009, "url": "http://c", "username": None, "labels": ["a"]}


def test_nothing_is_made_anew_without_its_password(new_task):
    api = RemoteApi(REMOTE)
    other = {"url": "http://c", "recreate": True}
    with pytest.raises(Refused, match="give the password, because no server") as found:
        remote(new_task, Cluster(api, lacking=CANT_EDIT), check=True, **other)
    assert (api.did, found.value.hint) == ([], "if there is no password, set password: ''")
    open_to_all = RemoteApi(REMOTE.with_(username=None, options=None))
    done = remote(new_task, Cluster(open_to_all, lacking=CANT_EDIT), labels=["a"], **other)
    assert open_to_all.did[-1] == ("add", "Vol", None)
    (lost,) = done.task.warnings
    assert "the server doesn't report its username options allowed_users readonly_users; a volume that is" in lost


def test_one_that_is_removed_and_cannot_be_added(new_task):
    api = RemoteApi(REMOTE)
    api.create = lambda *_args: raising(Fault("exa-unit: add of Vol: no space"))
    with pytest.raises(
        Fault, match="no space; this run has already removed the volume, so it is missing now .it had "
    ) as found:
        remote(new_task, Cluster(api, lacking=CANT_EDIT), url="http://c", password="p", recreate=True)
    assert "username u, owner root, labels #Name#Vol a, options x)" in found.value.message
    assert found.value.result["changed"]
    had = "remote_volume_id: 10001; vol_type: s3; username: u; owner: root; labels: ['a']; options: ['x']"
    assert found.value.hint == f"run it again with the old values: {had}"


def test_what_it_had_is_said_before_it_is_removed(new_task):
    """A run that is cut off leaves nobody to tell it: the next one says that it doesn't know."""
    said: list[str] = []
    api = RemoteApi(REMOTE)
    delete = api.delete

    def deleted(row: RemoteVolume) -> None:
        assert "is removed and added again" in said[0]
        delete(row)

    api.delete = deleted
    other = {"url": "http://c", "password": "p", "recreate": True}

    def told(**more: Any) -> Any:
        task = new_task(**more)
        task.say = lambda *lines: said.extend(lines)
        return task

    remote(told, Cluster(api, lacking=CANT_EDIT), owner="root", **other)
    assert said[0] == (
        "[exa-unit] Vol is removed and added again. If this run is cut off in between, run it again with the old "
        "values: remote_volume_id: 10001; vol_type: s3; username: u; labels: ['a']; options: ['x']"
    )
    new = {"vol_type": "s3", "labels": ["a"], **other}
    (warned,) = remote(new_task, Cluster(RemoteApi(), lacking=CANT_EDIT), **new).task.warnings
    assert "Vol isn't there, so this run adds it, and the server chooses remote_volume_id owner options" in warned
    all_given = {**new, "remote_volume_id": 10001, "owner": "root", "options": ["x"]}
    assert remote(new_task, Cluster(RemoteApi(), lacking=CANT_EDIT), **all_given).task.warnings == []


def test_one_that_another_adds_in_between_is_not_taken_for_it(new_task):
    api = RemoteApi(REMOTE)

    def too_late(row: RemoteVolume, password: Optional[str]) -> None:
        RemoteApi.create(api, row.with_(url="http://d"), password)
        raise Fault("exa-unit: add of Vol: there is one already")

    api.create = too_late
    with pytest.raises(Failed, match="its url is http://d, not http://c: .*; exa-unit: add of Vol: there is one"):
        remote(new_task, Cluster(api, lacking=CANT_EDIT), url="http://c", password="p", recreate=True)


HIDES = {"url": "https://me:hunter22@h/x"}


def test_a_password_in_a_url_is_shown_nowhere(new_task):
    """Neither the server's nor the task's; that of the task is taken out of everything by C(secrets_of)."""
    told = REMOTE.with_(url="https://me:s3cret99@h/x")
    with pytest.raises(Refused) as found:
        remote(new_task, Cluster(RemoteApi(told), lacking=CANT_EDIT), **HIDES)
    assert "its url is https://me:********@h/x, not https://me:********@h/x" in found.value.message
    for check in (True, False):
        done = remote(new_task, Cluster(RemoteApi(told)), check=check, **HIDES)
        assert done.diff["before"] == done.diff["after"] == {"Vol": {"url": "https://me:********@h/x"}}
        assert done.row["url"] == "https://me:********@h/x"
    assert "s3cret99" not in str(remote(new_task, Cluster(RemoteApi(told)), state="absent").diff)
    api = RemoteApi(told)
    api.create = lambda row, _password: raising(Fault(f"exa-unit: no way to {row.url}"))
    with pytest.raises(Fault) as fault:
        remote(new_task, Cluster(api, lacking=CANT_EDIT), vol_type="sftp", password="", recreate=True)
    assert fault.value.message.startswith(
        "exa-unit: no way to https://me:********@h/x; this run has already removed the volume"
    )
    assert "s3cret99" not in str(fault.value.as_result())
    assert secrets_of(exa_remote_volume.SPEC, options(exa_remote_volume, **HIDES)).text("hunter22") == "********"


def test_the_password_is_set_where_that_is_meant(new_task):
    api = RemoteApi(REMOTE)
    done = remote(new_task, Cluster(api), update_password="always", **RIGHT)
    assert (done.changed, api.did) == (True, [("edit", "Vol", "p")])
    assert list(done.diff["after"]["Vol"]) == ["password"]
    with pytest.raises(Unsupported, match="remote_volume_edit"):
        remote(new_task, Cluster(api, lacking=CANT_EDIT), update_password="always", **RIGHT)
    new = RemoteApi()
    remote(new_task, Cluster(new, lacking=CANT_EDIT), update_password="always", **RIGHT)
    assert new.did == [("add", "Vol", "p")]


def test_what_is_not_told_is_not_compared(new_task):
    done = remote(new_task, Cluster(RemoteApi(RemoteVolume(None, "Vol", "Vol"))), **RIGHT)
    assert not done.changed
    assert set(done.work.not_compared) == set(RIGHT)
    assert (
        "this run can't compare its vol_type url username labels options, because the server" in done.task.warnings[0]
    )


def test_one_of_which_nothing_is_told_is_not_shown_as_gone_before(new_task):
    api = RemoteApi(RemoteVolume(None, "Vol", "Vol"))
    done = remote(new_task, Cluster(api), check=True, state="absent")
    assert (done.changed, done.diff) == (True, {"before": {"Vol": {}}, "after": {"Vol": None}})


def test_every_node_must_reach_it(new_task):
    api = RemoteApi(REMOTE)
    bad = ["Online", "Unmounted", "Connection problem", "Online", "Online"]
    api.words = [bad, bad, ["Online"] * 5]
    assert not remote(new_task, Cluster(api)).changed, "it is waited for"
    api.words = [bad]
    with pytest.raises(TimedOut, match=r"not Online after 0.3 s: Vol is Unmounted on n12, Connection problem on n13$"):
        remote(new_task, Cluster(api), timeout=0.3)
    assert remote(new_task, Cluster(api), require_online=False).row["states"]["n12"] == "Unmounted"


def denied(*_given: Any) -> Any:
    raise Denied("exa-unit: the user may not do this")


def test_who_administers_storage_alone_may_not_ask_for_nodes(new_task, monkeypatch):
    for call in ("nodes", "node_states", "node_is_online", "databases"):
        monkeypatch.setattr(Cluster, call, denied)
    api = RemoteApi(REMOTE)
    api.words = [["Online", "Unmounted"]]
    with pytest.raises(TimedOut, match="Vol is Unmounted on node 2"):
        remote(new_task, Cluster(api), timeout=0.1)
    api.words = [["Online", "Online"]]
    assert remote(new_task, Cluster(api)).row["states"] == {"node 1": "Online", "node 2": "Online"}
    given = {"name": ["Vol"], "priority": 3, "labels": ["x"], "size": "60 GiB"}
    assert brought(new_task, Cluster(Api(VOL)), **given).changed


@pytest.mark.parametrize(
    ("words", "off", "states"),
    [
        (["Online"], ("n15",), {"all nodes": "Online"}),
        (["Online"] * 3, ("n12", "n15"), {"n11": "Online", "n13": "Online", "n14": "Online"}),
        (["Online"] * 2, (), {"node 1": "Online", "node 2": "Online"}),
    ],
)
def test_whose_words_they_are(new_task, words, off, states):
    api = RemoteApi(REMOTE)
    api.words = [words]
    assert remote(new_task, Cluster(api, off=off)).row["states"] == states


def test_that_no_node_tells_is_not_online(new_task):
    api = RemoteApi(REMOTE)
    api.words = [[]]
    with pytest.raises(TimedOut, match="Vol is reported by no node"):
        remote(new_task, Cluster(api), timeout=0.3)


def test_a_remote_volume_is_removed_once(new_task):
    api = RemoteApi(REMOTE)
    assert remote(new_task, Cluster(api), state="absent").row is None
    assert not remote(new_task, Cluster(api), state="absent").changed
    assert api.did == [("remove", "Vol")]


def test_a_remote_volume_that_has_the_number_of_another_as_its_name(new_task):
    api = RemoteApi(REMOTE, REMOTE.with_(id=10007, name="r0001", key="r0001"))
    for given in ({"state": "absent"}, {**RIGHT, "recreate": True}):
        with pytest.raises(Refused, match="r0001 is the name of one volume and also means Vol, so data") as found:
            remote(new_task, Cluster(api), name="r0001", **given)
        assert found.value.hint == "write r0007 for the volume with the name r0001, and its own name for the other"
    assert not remote(new_task, Cluster(api), name="r0001", **RIGHT).changed
    assert remote(new_task, Cluster(api), name="10007", state="absent").changed
    assert api.did == [("remove", "r0001")]


@pytest.mark.parametrize("name", ["r0007", "10007"])
def test_another_remote_volume_with_the_number_of_the_one_that_is_gone(new_task, name):
    api = RemoteApi(REMOTE.with_(id=10007, name="r0007" if name == "r0007" else "Vol"))
    delete = api.delete
    api.delete = lambda row: (delete(row), api.rows.append(REMOTE.with_(id=10007, name="Other", key="Other")))
    done = remote(new_task, Cluster(api), name=name, state="absent")
    assert (len(api.did), done.row) == (1, None)


def test_a_remote_volume_may_choose_its_number(new_task):
    api = RemoteApi()
    given = {"name": "r0007", "remote_volume_id": 10007, "vol_type": "s3", "url": "x"}
    assert remote(new_task, Cluster(api), **given).row["id"] == 10007
    with pytest.raises(Unsupported, match="remote_volume_owner"):
        remote(new_task, Cluster(RemoteApi(), lacking=("remote_volume_owner",)), **given)

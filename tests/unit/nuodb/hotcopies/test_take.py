# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hot copies are begun, joined and awaited, at the wire."""

from __future__ import annotations

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    ClusterError,
    Failed,
    Fault,
    Refused,
    TimedOut,
)
from ansible_collections.dbfleet.cluster.tests.answers import fixtures
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import LOST
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.ap import DONE, FAILED, copy_row, no
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import exited_row

FULL = "/api/1/databases/test/hotCopy"
SIMPLE = "/api/1/databases/test/hotCopySimple"


# -- bodies, as nuocmd's (NUODB-220, NUODB-221, NUODB-379)


@pytest.mark.parametrize(
    ("given", "path", "body"),
    [
        (
            {"default_backup_dir": "/backup"},
            FULL,
            {
                "backupSetDirs": {},
                "checkContainsAllSgs": True,
                "defaultBackupSetDir": "/backup",
                "shared": False,
                "type": "full",
            },
        ),
        (
            {
                "type": "incremental",
                "backup_dirs": {"0": "/backup/a", "1": "/backup/b"},
                "max_rate": 10,
                "partial_storage_groups": True,
            },
            FULL,
            {
                "backupSetDirs": {"0": "/backup/a", "1": "/backup/b"},
                "checkContainsAllSgs": False,
                "maxRate": "10000000",
                "shared": False,
                "type": "incremental",
            },
        ),
        (
            {"type": "simple", "backup_dirs": {0: "/backup/s"}},
            SIMPLE,
            {"backupLocations": {"0": {"copyArchiveDir": "/backup/s"}}, "checkContainsAllSgs": True},
        ),
        (
            {"type": "simple", "default_backup_dir": "/backup/s", "max_rate": 1},
            SIMPLE,
            {
                "backupLocations": {},
                "checkContainsAllSgs": True,
                "defaultBackupLocation": {"copyArchiveDir": "/backup/s"},
                "maxRate": "1000000",
            },
        ),
        (
            {"default_backup_dir": "/backup", "shared": True},
            FULL,
            {
                "backupSetDirs": {},
                "checkContainsAllSgs": True,
                "defaultBackupSetDir": "/backup",
                "shared": True,
                "type": "full",
            },
        ),
        (
            {"type": "journal", "backup_dirs": {"1": "/b"}},
            FULL,
            {"backupSetDirs": {"1": "/b"}, "checkContainsAllSgs": True, "shared": False, "type": "journal"},
        ),
    ],
)
def test_one_is_begun_as_nuocmd_does_it(go, ap, given, path, body):
    result = go(**given)
    assert ap.changes == [("POST", path, body)]
    assert result["changed"]
    assert [row["status"] for row in result["hotcopies"]] == ["completed"]


def test_it_is_awaited_and_its_stages_are_shown(go, bring, ap):
    result = go(default_backup_dir="/b")
    assert result["hotcopies"][0]["message"] == "Hot copy successfully completed"
    assert result["diff"] == {
        "before": {"test": "none"},
        "after": {"test": "completed: Hot copy successfully completed"},
    }
    said = "\n".join(bring.task.lines)
    assert "running, stage 1: Stage1: Begin (hot copy hc0)" in said
    assert "running, stage 2: Stage2: Copy (hot copy hc0)" in said
    assert ap.asked[-1] == "GET databases/hotCopyStatus"  # one by its ID, not all of the database


def test_wait_false_ends_with_the_answer(go, ap):
    result = go(default_backup_dir="/b", wait=False)
    assert result["changed"]
    assert result["hotcopies"][0]["status"] == "running"


def test_check_mode_sends_nothing(go, ap):
    result = go(default_backup_dir="/b", check_mode=True)
    assert ap.changes == []
    assert result["changed"]
    assert result["steps"][0]["step"] == "begin full hot copy"
    assert result["hotcopies"] == [{"status": "completed", "destinationDirectory": "/b"}]


# -- what is there already


@pytest.mark.parametrize(
    ("kind", "directory"),
    [
        ("full", "/b/tmp/full/data"),
        ("incremental", "/b/tmp/1.inc/data"),
        ("journal", "/b/tmp/12.jnl/data"),
        ("simple", "/b.incomplete"),
        ("simple", "/b"),
    ],
)
def test_one_that_runs_into_the_same_directory_is_joined(go, ap, kind, directory):
    ap.copies = [copy_row("old", directory)]
    result = go(default_backup_dir="/b/", type=kind)
    assert ap.changes == []
    assert result["joined"]
    assert not result["changed"]
    assert result["hotcopies"][0]["hotCopyId"] == "old"


@pytest.mark.parametrize(("kind", "directory"), [("full", "/b/tmp/full/data"), ("simple", "/b")])
def test_a_complete_one_in_the_same_directory_is_not_repeated(go, ap, kind, directory):
    ap.copies = [copy_row("old", directory, **DONE), copy_row("bad", directory, **FAILED)]
    result = go(default_backup_dir="/b", type=kind, once=True)
    assert ap.changes == []
    assert not result["changed"]
    assert result["hotcopies"][0]["hotCopyId"] == "old"


def test_a_complete_one_in_the_same_directory_is_repeated_unless_once_is_enough(go, ap):
    ap.copies = [copy_row("old", "/b/tmp/full/data", **DONE)]
    result = go(default_backup_dir="/b")
    assert result["changed"]
    assert result["hotcopies"][0]["hotCopyId"] != "old"


@pytest.mark.parametrize("kind", ["incremental", "journal"])
def test_once_is_not_for_what_adds_to_another(go, ap, kind):
    with pytest.raises(ClusterError, match=f"once is for full and simple hot copies; {kind} ones add what came later"):
        go(default_backup_dir="/b", type=kind, once=True)
    assert ap.changes == []


@pytest.mark.parametrize(("kind", "part"), [("incremental", "1.inc"), ("journal", "1.jnl")])
def test_what_comes_later_is_copied_each_time(go, ap, kind, part):
    ap.copies = [copy_row("old", f"/b/tmp/{part}/data", **DONE)]
    assert go(default_backup_dir="/b", type=kind)["changed"]


RUNNING = {
    "full": fixtures.answer("nuodb/hotcopy_full_running"),
    "incremental": copy_row("other", "/var/opt/nuodb/backup/20210519T090406/tmp/1.inc/data"),
    "journal": copy_row("other", "/var/opt/nuodb/backup/20210519T090406/tmp/1.jnl/data"),
    "simple": copy_row("other", "/var/opt/nuodb/backup/20210519T090406.incomplete"),
    "unknown": copy_row("other", "/var/opt/nuodb/backup/20210519T090406/tmp/data"),
}


@pytest.mark.parametrize("wanted", ["full", "incremental", "journal", "simple"])
@pytest.mark.parametrize("there", list(RUNNING))
def test_of_another_kind_none_is_joined_nor_counts_as_one(go, ap, wanted, there):
    """By the form of its path alone: no word of it names the kind."""
    row = {**RUNNING[there], "coordinatorStartId": "0"}
    given = {"default_backup_dir": "/var/opt/nuodb/backup/20210519T090406", "type": wanted}
    ap.copies = [row]
    if wanted == there:
        assert go(**given)["joined"]
        return
    with pytest.raises(Refused, match="another hot copy runs"):
        go(**given)
    assert ap.changes == []
    ap.copies = [{**row, **DONE}]
    assert go(**given, **({"once": True} if wanted in ("full", "simple") else {}))["changed"]


@pytest.mark.parametrize(
    "row",
    [
        copy_row("old", "/b2/tmp/full/data", **DONE),
        copy_row("old", "/b/tmp/1.inc/data", **DONE),
        copy_row("old", "/b/tmp/full/data", **FAILED),
        copy_row("old", "/b/data", type="journal", **DONE),
        copy_row("old", "", **DONE),
    ],
)
def test_another_one_that_is_over_is_no_reason_against_it(go, ap, row):
    ap.copies = [row]
    assert go(default_backup_dir="/b")["changed"]


@pytest.mark.parametrize("directory", ["/c/tmp/full/data", "/b/tmp/1.inc/data"])
def test_beside_another_one_that_runs_none_is_begun(go, ap, directory):
    ap.copies = [copy_row("other", directory)]
    with pytest.raises(Refused, match=f"another hot copy runs: other into {directory} is running, stage 1") as found:
        go(default_backup_dir="/b")
    assert "on_running: wait" in found.value.hint
    assert "state=cancelled" in found.value.hint
    assert ap.changes == []


def test_another_one_is_waited_for(go, ap, monkeypatch):
    ap.copies, ap.stages = [copy_row("other", "/c")], [DONE]
    looks = []
    answer = ap._get_databases

    def later(parts, query, body):
        if parts[-1:] == ["hotCopyStatus"] and len(parts) == 2:
            looks.append(1)
            if len(looks) == 3:
                ap.copies[0].update(DONE)
        return answer(parts, query, body)

    monkeypatch.setattr(ap, "_get_databases", later)
    result = go(default_backup_dir="/b", on_running="wait")
    assert len(ap.changes) == 1
    assert len(looks) >= 3
    assert result["hotcopies"][0]["hotCopyId"] == "hc1"


# -- what goes wrong


@pytest.mark.parametrize("kind", ["full", "incremental"])
@pytest.mark.parametrize("lost", [LOST, [LOST]])
def test_a_lost_answer_is_looked_into(go, ap, kind, lost):
    ap.copies = [copy_row("before", "/b/tmp/1.inc/data", **DONE)]
    ap.odd["POST databases"] = [lost]
    result = go(default_backup_dir="/b", type=kind)
    assert len(ap.copies) == 2
    assert len(ap.changes) == (1 if isinstance(lost, list) else 2)
    assert result["hotcopies"][0]["hotCopyId"] == "hc1"


@pytest.mark.parametrize("answer", [(200, {}), (200, b"")])
def test_an_answer_that_names_no_hot_copy(go, ap, answer):
    def _begin(parts, query, body):
        found = begin(parts, query, body)
        return answer if "cancelHotCopy" not in parts else found

    begin, ap._post_databases = ap._post_databases, _begin
    assert go(default_backup_dir="/b", type="incremental")["hotcopies"][0]["hotCopyId"] == "hc0"
    assert len(ap.changes) == 1


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (FAILED, "hot copy hc0 failed: Hot copy failed: Node 6: /b: No space left on device"),
        ({"status": "cancelled", "message": "by hand"}, "hot copy hc0 cancelled: by hand"),
    ],
)
def test_one_that_ends_badly_fails_the_task(go, ap, end, says):
    ap.stages = [{}, end]
    with pytest.raises(Failed, match=says) as found:
        go(default_backup_dir="/b")
    assert found.value.result["changed"]


def test_one_whose_sm_exits_ends_the_wait(go, ap):
    ap.stages = []
    ap.exited["0"] = {"code": 404, "messages": ["exited"], **exited_row("0")}
    ap.odd["GET processes"] = []
    answer = ap._get_databases

    def gone(parts, query, body):
        if parts == ["hotCopyStatus"]:
            ap.processes = ap.processes[1:]
            return no("no such process", 404)
        return answer(parts, query, body)

    ap._get_databases = gone
    with pytest.raises(Failed, match="the SM that made it exited: SM of archive 0 on server0 .* exit code 137"):
        go(default_backup_dir="/b")


def test_a_status_that_cant_be_read_for_a_while_is_waited_for(go, ap):
    answer, looks = ap._get_databases, []

    def sick(parts, query, body):
        if parts == ["hotCopyStatus"] and not looks:
            looks.append(1)
            return no("engine is busy", 500)
        return answer(parts, query, body)

    ap._get_databases = sick
    assert go(default_backup_dir="/b")["hotcopies"][0]["status"] == "completed"
    assert looks


def test_it_ends_with_its_deadline(go, ap):
    ap.stages = []
    with pytest.raises(TimedOut, match="test is running, stage 1: Stage1: Begin"):
        go(default_backup_dir="/b", wait_timeout=30)


def test_the_servers_refusal_is_said(go, ap):
    ap.odd["POST databases"] = [no("Failed to create backup set /b: No such file or directory")]
    with pytest.raises(Fault, match="No such file or directory"):
        go(default_backup_dir="/b")


@pytest.mark.parametrize(
    ("given", "text", "hint"),
    [
        (
            {},
            "Failure while performing hot-copy: Error while sending engine request: Only one full hot copy at a time "
            "allowed",
            "run the task again when it has ended",
        ),
        (
            {"type": "journal"},
            "Failure while performing hot-copy: Error while sending engine request: Full or incremental hot copy must "
            "be completed before journal hot copy",
            "take one (type: incremental), then the journal",
        ),
        ({}, "Failed to create backup set /b: No such file or directory", None),
    ],
)
def test_a_refusal_that_is_known_has_its_next_step(go, ap, given, text, hint):
    ap.odd["POST databases"] = [no(text)]
    with pytest.raises(Fault) as found:
        go(default_backup_dir="/b", **given)
    assert text in found.value.message
    assert (hint or "") in (found.value.hint or "")
    assert bool(found.value.hint) is bool(hint)


def test_a_full_disk_has_its_next_step(go, ap):
    failed = fixtures.answer("nuodb/hotcopy_failed_disk_full")
    ap.stages = [{}, {key: failed[key] for key in ("status", "message")}]
    with pytest.raises(Failed, match="No space left on device") as found:
        go(default_backup_dir="/b")
    assert "make room there" in found.value.hint


def test_no_sm_no_hot_copy(go, ap):
    ap.processes = []
    with pytest.raises(Refused, match="none of its SMs runs"):
        go(default_backup_dir="/b")
    assert "GET databases/test/hotCopyStatus" not in ap.asked
    result = go(default_backup_dir="/b", check_mode=True)
    assert result["changed"]
    assert ap.changes == []


def test_in_a_preview_it_is_only_warned_of(go, bring, ap):
    ap.processes = []
    go(default_backup_dir="/b", check_mode=True)
    assert any("none of its SMs runs" in text for text in bring.task.warnings)


def test_in_a_preview_the_domain_may_not_be_ready(go, ap):
    known = {"processes": {"0": {"start_id": "0", "db_name": "test", "engine_type": "SM", "server_id": "server0"}}}
    known["processes"]["0"].update(durable_state="MONITORED", engine_state="RUNNING", archive_id=0)
    ap.processes = []
    answer = ap._get_databases
    ap._get_databases = lambda parts, *more: no("not running") if len(parts) > 1 else answer(parts, *more)
    assert go(default_backup_dir="/b", check_mode=True, assume=known)["changed"]


def test_an_archive_whose_sm_rests_cant_be_copied(go, ap):
    ap.processes = ap.processes[:1]
    with pytest.raises(Refused, match="backup_dirs names archive 1, whose SM does not run"):
        go(backup_dirs={"0": "/a", "1": "/b"})
    assert ap.changes == []
    assert go(default_backup_dir="/b")["changed"]


# -- what is known of the one that is there


def tells(**sms):
    """The hot copy that each SM tells of, by C(s0) and the like, in the directory that it names."""
    return {key[1:]: [copy_row("old", path, **DONE)] for key, path in sms.items()}


FULL_THERE = "/b/tmp/full/data"


@pytest.mark.parametrize(
    ("told", "given"),
    [
        (tells(s0="/b", s1="/b"), {}),  # a simple one
        (tells(s0=FULL_THERE, s1=FULL_THERE), {"type": "simple"}),
        (tells(s0=FULL_THERE), {}),  # of one archive of two
        (tells(s1=FULL_THERE), {}),
        (tells(s0=FULL_THERE, s1=FULL_THERE), {"backup_dirs": {"1": "/c"}}),
        (tells(s0="/b/0/tmp/full/data", s1="/b/1/tmp/full/data"), {}),  # a shared one
        (tells(s0=FULL_THERE, s1=FULL_THERE), {"shared": True}),
        (tells(s0="/b/tmp/1.inc/data", s1="/b/tmp/1.inc/data"), {}),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_once_is_content_only_with_what_is_known_to_be_all_of_it(go, ap, told, given, check_mode):
    ap.told = told
    result = go(default_backup_dir="/b", once=True, check_mode=check_mode, **given)
    assert [step["step"] for step in result["steps"]] == [f"begin {given.get('type', 'full')} hot copy"]


@pytest.mark.parametrize(
    ("told", "given"),
    [
        (tells(s0=FULL_THERE, s1=FULL_THERE), {}),
        (tells(s0="/b/0/tmp/full/data", s1="/b/1/tmp/full/data"), {"shared": True}),
        (tells(s0=FULL_THERE, s1="/c/full/data"), {"backup_dirs": {"1": "/c"}}),
        (tells(s1=FULL_THERE), {"default_backup_dir": None, "backup_dirs": {"1": "/b"}}),
        (tells(s0="/b", s1="/b.incomplete"), {"type": "simple"}),
    ],
)
def test_once_is_content_with_all_of_it(go, ap, told, given):
    ap.told = told
    result = go(**{"default_backup_dir": "/b", "once": True, **given})
    assert not result["changed"]
    assert ap.changes == []


def test_an_archive_whose_sm_rests_is_not_missed(go, ap):
    """The server copies without it (NUODB-349), so it does so once."""
    ap.processes = ap.processes[:1]
    ap.told = tells(s0=FULL_THERE)
    assert not go(default_backup_dir="/b", once=True)["changed"]


def test_one_that_runs_is_joined_only_where_it_is_known_to_be_the_same(go, ap):
    ap.copies = [copy_row("old", FULL_THERE)]
    ap.told = {"0": ap.copies, "1": []}
    with pytest.raises(
        Refused, match=r"another hot copy runs: old into /b/tmp/full/data .*; hot copy old into"
    ) as found:
        go(default_backup_dir="/b")
    assert "isn't known to be a full one of archive 1" in found.value.message
    assert ap.changes == []
    assert go(backup_dirs={"0": "/b"})["joined"]


def test_the_servers_refusal_says_what_lacked(go, ap):
    ap.told = tells(s0=FULL_THERE)
    ap.odd["POST databases"] = [no("Failed to create backup set /b: File exists")]
    with pytest.raises(Fault, match=r"File exists .*; hot copy old into .* isn't known to be a full one of archive 1"):
        go(default_backup_dir="/b", once=True)

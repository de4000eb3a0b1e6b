# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is decided about backups, restores and schedules, on a server that answers as it likes."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import Settings
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Failed,
    Fault,
    NoSuchObject,
    Refused,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.backups import (
    ArchiveVolume,
    Backup,
    Progress,
    Schedule,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.databases import DatabaseConfigState
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups import (
    taking as backup_taking,
    times,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.catalogue import Catalogue
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.expiry import ChangeExpiry
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.removal import (
    AbortBackups,
    DeleteBackups,
    PruneBackups,
    WantedRemoval,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.restore import (
    RestoreDatabases,
    WantedRestore,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.schedules import Schedules
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.schedules_wanted import wanted_of
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.taking import TakeBackups, WantedBackup
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.times import Lifetime, is_over

BERLIN = ZoneInfo("Europe/Berlin")
UP = {"state": "running", "connectible": "Yes"}


def backup(bid: int, level: int = 0, **more: Any) -> Backup:
    known = {"volume": "A", "volume_id": 10001, "files": f"DB1/id_{bid}", "usable": True}
    return Backup(**{"id": f"id {bid}", "bid": bid, "level": level, "system": "DB1", **known,
                     "timestamp": "2026-05-01 10:00", **more})  # fmt: skip


class Server:
    """A cluster with its backups: it does what it is told at once, or what a test puts in its place."""

    name = "exa-unit"
    calls = {"start": "start", "expire": "expire", "delete": "delete", "prune": "prune", "restore": "restore"}

    def __init__(self, *rows: Backup, **state: Any) -> None:
        self.rows = list(rows)
        self.state = {**UP, **state}
        self.progressing: Any = None
        self.trouble_of: dict[str, str] = {}
        self.unclear = ""
        self.sent: list[tuple[Any, ...]] = []
        self.does: dict[str, Any] = {}
        self.provider = SimpleNamespace(calls={"abort_backup": "abort"})
        self.plans: Any = []
        self.layouts = {"DB1": "Data1"}
        self.states: dict[str, Any] = {}

    # the cluster

    def database(self, name: str) -> Database:
        return Database(name, **self.states.get(name, self.state))

    def databases(self) -> list[str]:
        return list(self.layouts)

    def database_layout(self, name: str) -> DatabaseConfigState:
        return DatabaseConfigState(self.database(name), settings={"data_volume_name": self.layouts[name]})

    def database_errors(self, _name: str) -> str:
        return ""

    def news(self, _names: list[str]) -> list[str]:
        return []

    def abort_backup(self, name: str) -> None:
        self._do("abort", name)

    # its backups

    def _do(self, call: str, *args: Any) -> None:
        self.sent.append((call, *args))
        done = self.does.get(call)
        if done:
            done(*args)

    def volume(self, which: str, clearly: bool = False) -> ArchiveVolume:
        if clearly and which == self.unclear:
            raise Refused(f"exa-unit: {which} is the name of one volume and another name of B")
        known = ("A", "B", "r0005")
        if which not in known:
            raise NoSuchObject(f"exa-unit: there is no archive volume {which}")
        return ArchiveVolume(which, 10001 + known.index(which), self.trouble_of.get(which, ""))

    def backups(self, _name: str, _foreign: bool = False) -> list[Backup]:
        return list(self.rows)

    def progress(self, _name: str) -> Any:
        return self.progressing

    def check_start(self, *_args: Any) -> None: ...

    def check_expiry(self, *_args: Any) -> None: ...

    def start(self, *args: Any) -> None:
        self._do("start", *args)

    def change_expiry(self, *args: Any) -> None:
        self._do("expire", *args)

    def delete(self, *args: Any) -> None:
        self._do("delete", *args)

    def delete_unusable(self, *args: Any) -> None:
        self._do("prune", *args)

    def restore(self, *args: Any) -> None:
        self._do("restore", *args)

    def trouble(self, _name: str) -> str:
        return ""

    def schedules(self) -> Any:
        return self.plans


@pytest.fixture
def brought(task: Any, time: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Takes a stage to its end, in time that passes only where somebody waits."""
    monkeypatch.setattr(backup_taking, "monotonic", time)
    return lambda stages, **more: Converge(task, "exa-unit", Settings(timeout=30, **more), clock=time).run(stages)


def taking(server: Server, **wanted: Any) -> TakeBackups:
    return TakeBackups(server, Catalogue(server, ["DB1"]), WantedBackup("A", **wanted))


def taken(server: Server, **more: Any) -> Any:
    """What a start does: the backup is there at once."""
    return lambda *_args: server.rows.append(backup(99, **more))


# -- times


@pytest.mark.parametrize(
    ("text", "zone", "local"),
    [
        ("never", None, ""),
        ("", None, ""),
        ("1w 3d", None, "2026-03-30 12:00:00"),
        ("1w 3d", BERLIN, "2026-03-30 13:00:00"),  # daylight saving begins in between
        ("2026-12-24 18:00", None, "2026-12-24 18:00:00"),
        ("2026-12-24T17:00:00Z", BERLIN, "2026-12-24 18:00:00"),
        ("1798131600", BERLIN, "2026-12-24 18:00:00"),
    ],
)
def test_when_a_backup_should_expire(text, zone, local):
    assert Lifetime(text, zone).local("2026-03-20 12:00") == local


@pytest.mark.parametrize(
    ("text", "taken", "said"),
    [
        ("1798131600", "2026-03-20 12:00", "whose zone isn't known"),
        ("2026-12-24T17:00:00Z", "2026-03-20 12:00", "whose zone isn't known"),
        ("1w", "yesterday", "can't be read"),
    ],
)
def test_an_expiry_that_is_in_doubt_is_refused(text, taken, said):
    with pytest.raises(ClusterError, match=said):
        Lifetime(text, None).local(taken)


@pytest.mark.parametrize("text", ["3m", "1h 30m", "0d", "tomorrow", "1w 3x"])
def test_what_is_no_lifetime(text):
    with pytest.raises(ClusterError):
        Lifetime(text, None)
    with pytest.raises(ClusterError):
        times.duration("max_age", text)


@pytest.mark.parametrize(
    ("stamp", "zone", "over"),
    [
        ("2026-05-01 11:59", timezone.utc, True), ("2026-05-01 12:01", timezone.utc, False),
        ("2026-05-01 13:30", BERLIN, True), ("2026-04-30 23:00", None, True), ("2026-05-01 13:00", None, None),
        ("2026-05-02 03:00", None, False), ("", None, False),
    ],
)  # fmt: skip
def test_whether_an_expiry_has_passed(stamp, zone, over):
    assert is_over(stamp, zone, datetime(2026, 5, 1, 12, tzinfo=timezone.utc)) is over


# -- taking


def test_what_the_server_made_of_the_expiry_is_put_right(brought):
    """It took a week for a year: what it says is compared, and set as it was wanted."""
    server = Server()
    server.does["start"] = taken(server, expire="2027-05-01 10:00")

    def expire(row, stamp, _zone):
        server.rows[-1] = backup(row.bid, expire=stamp[:16])

    server.does["expire"] = expire
    take = taking(server, lifetime=Lifetime("1w", None))
    result = brought(take.stages())
    assert [one[0] for one in server.sent] == ["start", "expire"]
    assert take.own["DB1"].expire == "2026-05-08 10:00"
    assert result["changed"]


def test_an_expiry_that_stays_wrong_fails(brought):
    server = Server()
    server.does["start"] = taken(server, expire="2027-05-01 10:00")
    with pytest.raises(Failed, match=r"was accepted for 2026-05-08 10:00:00, and now it expires 2027-05-01 10:00"):
        brought(taking(server, lifetime=Lifetime("1w", None)).stages())


def test_a_backup_that_cannot_be_used_fails(brought):
    server = Server()
    server.does["start"] = taken(server, usable=False, comment="a node was lost")
    with pytest.raises(Failed, match=r"backup 99 .* was taken and can't be used: a node was lost"):
        brought(taking(server).stages())


@pytest.mark.parametrize("lost", [False, True])
def test_a_lost_answer_takes_no_second_backup(brought, lost):
    """It was begun all the same; or it wasn't, and is begun again."""
    server = Server()

    def start(*_args):
        if lost and len(server.sent) == 1:
            raise AnswerLost("exa-unit: lost")
        server.rows.append(backup(99))
        if not lost:
            raise AnswerLost("exa-unit: lost")

    server.does["start"] = start
    brought(taking(server).stages())
    assert len(server.sent) == (2 if lost else 1)
    assert len(server.rows) == 1


@pytest.mark.parametrize(
    ("wanted", "enough"),
    [
        ({"once": True}, True), ({"once": True, "level": 1}, True), ({}, False),
        ({"max_age": 3600, "zone": timezone.utc}, False), ({"max_age": 10**10, "zone": timezone.utc}, True),
    ],
)  # fmt: skip
def test_what_is_enough(brought, wanted, enough):
    server = Server(backup(1))
    server.does["start"] = taken(server, level=wanted.get("level", 0))
    assert brought(taking(server, **wanted).stages())["changed"] is not enough


@pytest.mark.parametrize(
    ("wanted", "expire", "told"),
    [
        ("2w", "2026-05-02 10:00", True), ("2w", "", True), ("2w", "2026-05-15 10:00", False),
        ("never", "2026-05-02 10:00", True), ("never", "", False), ("2026-12-24 18:00", "2026-12-24 18:00", False),
        (None, "2026-05-02 10:00", False),
    ],
)  # fmt: skip
def test_a_backup_that_is_enough_keeps_its_expiry_and_that_is_said(brought, wanted, expire, told):
    server = Server(backup(1, expire=expire))
    take = taking(server, once=True, lifetime=Lifetime(wanted, None) if wanted else None)
    assert not brought(take.stages())["changed"]
    said = f"exa-unit: DB1: {server.rows[0].label} is enough, and expires {expire or 'never'}, which isn't what"
    assert [text.startswith(said) for text in take.warnings()] == [True] * told


def test_a_backup_that_was_just_taken_is_not_warned_of(brought):
    server = Server()
    server.does["start"] = taken(server, expire="2026-05-15 10:00")
    take = taking(server, once=True, lifetime=Lifetime("2w", None))
    assert brought(take.stages())["changed"]
    assert take.warnings() == []


@pytest.mark.parametrize("change", [{"usable": False}, {"expired": True}, {"level": 2}, {"volume_id": 10002}])
def test_what_is_not_enough(brought, change):
    server = Server(backup(1, **{"level": 0, **change}))
    server.does["start"] = taken(server)
    assert brought(taking(server, once=True).stages())["changed"]


def test_a_backup_waits_for_a_shrink_where_it_may(brought):
    server = Server(operation="Shrink")
    with pytest.raises(Refused, match="operation Shrink is running, and a backup would have to wait"):
        brought(taking(server).stages())
    with pytest.raises(ClusterError, match="not taken after 30 s: DB1 is operation Shrink first"):
        brought(taking(server, on_operation="wait").stages())
    assert server.sent == []


@pytest.mark.parametrize(
    ("state", "rows", "said"),
    [
        ({"state": "setup"}, [], "it is setup, and only a running database is backed up"),
        ({}, [backup(1, usable=False)], r"no usable backup of a lower level on A .*; backup 1 \(.*\) can't be used"),
        ({}, [backup(1, volume_id=10002)], "no usable backup of a lower level on A"),
        ({}, [backup(1, level=1)], "no usable backup of a lower level on A"),
    ],
)
def test_no_backup_begins_without_what_it_needs(brought, state, rows, said):
    server = Server(*rows, **state)
    with pytest.raises(Refused, match=said):
        brought(taking(server, level=1).stages())
    assert server.sent == []


def test_no_backup_goes_to_a_volume_that_is_not_online(brought):
    server = Server()
    server.trouble_of["A"] = "not online on every node (Online, Unmounted)"
    with pytest.raises(Refused, match="volume A is not online on every node"):
        brought(taking(server).stages())


def test_an_expiry_in_the_past_is_refused():
    with pytest.raises(Refused, match="exa-unit: DB1: expiry 2020-01-01 00:00:00 has passed"):
        taking(Server(), lifetime=Lifetime("2020-01-01", None))


# -- changing the expiry


def test_files_that_are_those_of_another_backup_too(brought):
    server = Server(backup(1, files="same"), backup(2, files="same"))
    kept = Lifetime("2099-01-01", None)
    with pytest.raises(Refused, match=r"id 1: its files \(same\) are those of id 2 as well"):
        brought(ChangeExpiry(Catalogue(server, ["DB1"]), ["1"], kept, None).stages())
    server.does["expire"] = lambda *_args: server.rows.__setitem__(
        slice(None), [backup(bid, files="same", expire="2099-01-01 00:00") for bid in (1, 2)]
    )
    both = ChangeExpiry(Catalogue(server, ["DB1"]), ["1", "id 2"], kept, None)
    assert brought(both.stages())["changed"]
    assert not brought(ChangeExpiry(Catalogue(server, ["DB1"]), ["1", "2"], kept, None).stages())["changed"]


def test_a_base_that_would_go_before_what_builds_on_it_is_warned_of():
    server = Server(backup(1), backup(2, level=1, dependencies=(1,)))
    expiring = ChangeExpiry(Catalogue(server, ["DB1"]), ["1"], Lifetime("2099-01-01", None), None)
    (said,) = expiring.warnings()
    assert "backup 1 (level 0" in said
    assert "would expire before backup 2" in said


def test_a_backup_without_files_keeps_its_expiry(brought):
    server = Server(backup(1, files=""))
    with pytest.raises(Refused, match="doesn't tell by which files"):
        brought(ChangeExpiry(Catalogue(server, ["DB1"]), ["1"], Lifetime("2099-01-01", None), None).stages())


def test_a_backup_that_goes_meanwhile(brought):
    server = Server(backup(1), backup(2))
    expiring = ChangeExpiry(Catalogue(server, ["DB1"]), ["1"], Lifetime("2099-01-01", None), None)

    def expire(*_args):
        server.rows.pop(0)
        raise AnswerLost("exa-unit: lost")

    server.does["expire"] = expire
    with pytest.raises(Failed, match="id 1: it is gone"):
        brought(expiring.stages())


def test_a_number_that_two_backups_have(task):
    server = Server(backup(1), backup(1, id="other", volume="B", volume_id=10002))
    with pytest.raises(ClusterError, match="backup 1 is more than one: id 1, other"):
        ChangeExpiry(Catalogue(server, ["DB1"]), ["1"], Lifetime("1w", None), None)


# -- deleting


def deleting(server: Server, confirm: Any = ("DB1",), dependents: bool = False, **chosen: Any) -> Any:
    catalogue = Catalogue(server, ["DB1"])
    return DeleteBackups(server, catalogue, WantedRemoval(**chosen), dependents, list(confirm), "refuse").stages()


CHAIN = (backup(1), backup(2, level=1, dependencies=(1,)), backup(3, level=2, dependencies=(1, 2)))


def test_what_builds_on_it_stays_with_it(brought):
    server = Server(*CHAIN)
    with pytest.raises(Refused, match=r"no backup deleted: backup 2 .*, backup 3 .* would lose what it builds on"):
        brought(deleting(server, ids=("1",)))
    assert server.sent == []
    server.does["delete"] = lambda _name, rows: server.rows.clear()
    assert brought(deleting(server, ids=("1",), dependents=True))["changed"]
    assert [row.bid for row in server.sent[0][2]] == [3, 2, 1]
    assert not brought(deleting(server, ids=("1",)))["changed"]


def test_the_last_usable_backup_is_not_deleted_by_a_rule(brought):
    with pytest.raises(Refused, match="no usable one would be left"):
        brought(deleting(Server(backup(1)), level=0))


def test_a_rule_deletes_no_backup_of_another_database(brought):
    server = Server(backup(1), backup(2), backup(3, system="DB2"), backup(4, level=1))
    server.does["delete"] = lambda _name, rows: [server.rows.remove(row) for row in rows]
    assert brought(deleting(server, level=0))["changed"]
    assert [row.bid for row in server.rows] == [3, 4]


def test_an_expiry_that_is_set_afterwards_is_foretold(brought, task):
    task.check_mode = True
    steps = brought(taking(Server(), lifetime=Lifetime("2030-01-01 12:00:00", BERLIN)).stages())["steps"]
    assert [row["step"] for row in steps] == ["start", "expire"]


@pytest.mark.parametrize("confirm", [(), ("DB2",), ("DB1", "DB2")])
def test_what_is_destroyed_is_confirmed_by_name(brought, confirm):
    server = Server(backup(1), state="setup", connectible="No")
    with pytest.raises(Refused, match="no backup of DB1 deleted, .*: confirm names"):
        brought(deleting(server, confirm, ids=("1",)))
    wanted = WantedRestore("1", confirm=list(confirm))
    with pytest.raises(Refused, match="DB1 not restored, .*: confirm names"):
        brought(RestoreDatabases(server, Catalogue(server, ["DB1"]), wanted).stages())
    assert server.sent == []


def test_nothing_is_deleted_under_an_operation(brought):
    server = Server(*CHAIN, operation="Backup")
    with pytest.raises(Refused, match="operation Backup is running, which may need what would be deleted"):
        brought(deleting(server, ids=("3",)))


def test_a_volume_that_may_be_another_one_chooses_no_backup(brought):
    server = Server(backup(11), backup(12))
    server.unclear = "A"
    with pytest.raises(Refused, match="A is the name of one volume and another name of B"):
        brought(deleting(server, volume="A"))
    with pytest.raises(Refused, match="A is the name of one volume and another name of B"):
        restoring(server, backup_id="latest", volume="A")
    assert server.sent == []


def test_what_only_seems_to_be_unusable_is_not_pruned(brought):
    server = Server(backup(1), backup(2, usable=False, volume="B", volume_id=10002))
    server.trouble_of["B"] = "not online on every node (Unmounted)"
    with pytest.raises(Refused, match="volume B is not online .*, so backups there may only seem to be unusable"):
        brought(PruneBackups(server, Catalogue(server, ["DB1"]), "refuse").stages())
    server.trouble_of.clear()
    server.does["prune"] = lambda _name: server.rows.pop()
    assert brought(PruneBackups(server, Catalogue(server, ["DB1"]), "refuse").stages())["changed"]
    assert not brought(PruneBackups(server, Catalogue(server, ["DB1"]), "refuse").stages())["changed"]


def test_only_a_backup_is_aborted(brought):
    server = Server(operation="Restore")
    with pytest.raises(Refused, match="operation Restore is running, which is no backup"):
        brought(AbortBackups(server, Catalogue(server, ["DB1"])).stages())
    server.state["operation"] = "Storage Backup"
    server.does["abort"] = lambda _name: server.state.update(operation="None")
    assert brought(AbortBackups(server, Catalogue(server, ["DB1"])).stages())["changed"]
    assert not brought(AbortBackups(server, Catalogue(server, ["DB1"])).stages())["changed"]


# -- restoring

DOWN = {"state": "setup", "connectible": "No"}


def restoring(server: Server, **wanted: Any) -> Any:
    return RestoreDatabases(
        server, Catalogue(server, ["DB1"]), WantedRestore(**{"backup_id": "1", "confirm": ["DB1"], **wanted})
    )


@pytest.mark.parametrize(
    ("rows", "state", "said"),
    [
        ([backup(1)], UP, "nothing restored: DB1: it is running"),
        ([backup(1, usable=False)], DOWN, r"backup 1 \(.*\) can't be used"),
        ([backup(1, volume="B", volume_id=10002)], DOWN, "volume B is broken"),
        ([backup(1)], {**DOWN, "operation": "Enlarge"}, "operation Enlarge is running"),
    ],
)
def test_what_is_not_restored(brought, rows, state, said):
    server = Server(*rows, **state)
    server.trouble_of["B"] = "broken"
    with pytest.raises(Refused, match=said):
        brought(restoring(server).stages())
    assert server.sent == []


@pytest.mark.parametrize("state", ["running", "startup", "shutdown", "odd"])
def test_nothing_is_restored_into_the_volume_of_another_database_that_is_up(brought, state):
    server = Server(backup(1), **DOWN)
    server.layouts = {"DB1": "Data1", "DB2": "Data1", "DB3": "Data2"}
    server.states = {"DB2": {"state": state}, "DB3": {"state": "running"}}
    with pytest.raises(Refused, match=f"nothing restored: DB1: its data volume Data1 is used by DB2, which is {state}"):
        brought(restoring(server).stages())
    assert server.sent == []
    server.states = {"DB3": {"state": "running"}}
    server.does["restore"] = lambda *_args: server.state.update(UP)
    assert brought(restoring(server).stages())["changed"]


def test_two_that_share_a_volume_are_not_restored_by_one_task(brought):
    server = Server(backup(1), backup(2, system="DB2"), **DOWN)
    server.layouts = {"DB1": "Data1", "DB2": "Data1"}
    names = ["DB1", "DB2"]
    work = RestoreDatabases(server, Catalogue(server, names), WantedRestore("latest", confirm=names))
    with pytest.raises(Refused, match="its data volume Data1 is that of DB2 too, which this task restores"):
        brought(work.stages())
    assert server.sent == []


def test_a_restore_of_another_backup_is_not_taken_for_ours(brought):
    server = Server(backup(1), **{**DOWN, "state": "startup", "operation": "RestoreDatabases"})
    server.progressing = Progress("restore", 20, 0, 10002)
    with pytest.raises(Refused, match="another restore is under way .level 0 from volume 10002"):
        brought(restoring(server).stages())


def test_a_restore_that_did_not_end_well(brought):
    server = Server(backup(1), **DOWN)

    def restore(*_args):
        server.state.update(UP)
        server.progressing = Progress("restore", 60, 0, 10001, "Restore has failed")

    server.does["restore"] = restore
    with pytest.raises(Failed, match="the restore didn't end well: Restore has failed"):
        brought(restoring(server).stages())


def test_the_latest_backup_is_restored(brought):
    server = Server(
        backup(1), backup(2, timestamp="2026-05-03 10:00"), backup(3, timestamp="2026-05-04 10:00", usable=False),
        **DOWN,
    )  # fmt: skip
    server.does["restore"] = lambda *_args: server.state.update(UP)
    assert brought(restoring(server, backup_id="latest").stages())["changed"]
    assert server.sent[0][2].bid == 2


# -- schedules


class Plans:
    """Schedules that a server tells, or doesn't."""

    named, runs, fixed = True, True, ("volume", "level")
    calls = {"add": "add", "modify": "modify", "remove": "remove"}

    def __init__(self, *rows: Schedule, told: bool = True, **more: Any) -> None:
        self.rows, self.told, self.refuses = list(rows), told, None
        self.__dict__.update(more)

    def schedules(self, _database: str) -> Any:
        return list(self.rows) if self.told else None

    def check(self, _database: str, schedule: Schedule) -> None:
        if schedule.volume == self.refuses:
            raise ClusterError("it can't be that")

    adding: list[Exception] = []

    def add(self, _database: str, schedule: Schedule) -> None:
        for error in self.adding:
            raise error
        self.rows.append(schedule)

    def modify(self, _database: str, old: Schedule, new: Schedule) -> None:
        self.rows[self.rows.index(old)] = new

    def remove(self, _database: str, schedule: Schedule) -> None:
        found = [row for row in self.rows if row.name == schedule.name]
        if not found:
            raise NoSuchObject("exa-unit: it isn't there")
        self.rows.remove(found[0])


def planned(server: Server, *rows: Any, present: bool = True, unseen: str = "refuse") -> Schedules:
    return Schedules(server, server, "DB1", wanted_of([{"name": "n", **row} for row in rows]), present, unseen)


def test_a_schedule_is_not_changed_while_the_database_is_down(brought):
    server = Server(**DOWN)
    server.plans = Plans(Schedule("n", "A", 0))
    with pytest.raises(Refused, match="schedule n not changed: the database is setup"):
        brought(planned(server, {"hour": "3"}).stages())
    server.plans.runs = False
    assert brought(planned(server, {"hour": "3"}).stages())["changed"]


def test_nothing_is_removed_that_could_not_be_added_again(brought):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "2w"), refuses="B")
    with pytest.raises(ClusterError, match="exa-unit: it can't be that"):
        brought(planned(server, {"volume": "B"}).stages())
    assert server.plans.rows == [Schedule("n", "A", 0, "2w")]
    server.plans.refuses = None
    brought(planned(server, {"volume": "B"}).stages())
    assert server.plans.rows == [Schedule("n", "B", 0, "2w")]


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("error", [Fault, Denied, ClusterError])
def test_a_schedule_that_is_lost_is_told(brought, told, error):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "2w"), told=told, adding=[error("exa-unit: no")])
    work = planned(server, {"volume": "B", "level": 0}, unseen="replace")
    with pytest.raises(ClusterError) as caught:
        brought(work.stages())
    assert caught.value.message.startswith("exa-unit: no; schedule n was removed before, and is missing now")
    assert caught.value.result["changed"] is True
    assert server.plans.rows == []


def test_a_schedule_that_was_not_there_before_is_not_told_to_be_lost(brought):
    server = Server()
    server.plans = Plans(adding=[Fault("exa-unit: no")])
    with pytest.raises(ClusterError) as caught:
        brought(planned(server, {"volume": "B"}).stages())
    assert (caught.value.message, caught.value.result["changed"]) == ("exa-unit: no", False)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"volume": "B"}, "n: it goes to volume A, not B"),
        ({"volume": "A", "level": 1}, "n: its level is 0, not 1"),
    ],
)
def test_another_schedule_of_that_name_is_not_removed(brought, said, why):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "2w"))
    with pytest.raises(Refused, match=why):
        brought(planned(server, said, present=False).stages())
    brought(planned(server, {"volume": "A", "level": 0}, present=False).stages())
    assert server.plans.rows == []


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("minute", "banana"), ("minute", "60"), ("minute", "*/0"), ("minute", ""), ("minute", "5,"), ("minute", "9-5"),
        ("hour", "24"), ("hour", "1 2"), ("day", "0"), ("day", "mon"), ("month", "13"), ("month", "mon"),
        ("weekday", "8"), ("weekday", "tag"), ("weekday", "-1"), ("minute", "**"), ("minute", "*-5"),
    ],
)  # fmt: skip
def test_what_crontab_does_not_have(part, text):
    with pytest.raises(ClusterError, match=f"{part} '.*' isn't as crontab has it"):
        wanted_of([{"name": "n", part: text}])


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("minute", "*/15"), ("minute", "05"), ("minute", "0,30"), ("minute", "10-50/10"), ("hour", "*"),
        ("day", "1-31"), ("month", "jan"), ("month", "1,February"), ("weekday", "mon-fri"), ("weekday", "7"),
        ("weekday", "SUN,3"),
    ],
)  # fmt: skip
def test_what_crontab_has(part, text):
    assert getattr(wanted_of([{"name": "n", part: text}])[0], part) == text


def test_a_schedule_without_a_volume_is_not_added(brought):
    server = Server()
    server.plans = Plans()
    with pytest.raises(Refused, match="n: it isn't there, and without a volume"):
        brought(planned(server, {"hour": "3"}).stages())


def test_a_schedule_that_is_not_told_is_not_removed_where_it_could_not_be_added(brought):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "2w"), told=False)
    with pytest.raises(Refused, match="n: it can't be seen, and without a volume"):
        brought(planned(server, {"level": 0}, unseen="replace").stages())
    assert server.plans.rows == [Schedule("n", "A", 0, "2w")]


def test_another_level_leaves_the_rest_of_a_schedule(brought):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "2w", hour="3"))
    brought(planned(server, {"level": 1}).stages())
    assert server.plans.rows == [Schedule("n", "A", 1, "2w", hour="3")]


def test_a_schedule_that_is_replaced_is_there_at_the_end_though_nobody_waits(brought, task):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "2w"))
    steps = [row["step"] for row in brought(planned(server, {"volume": "B"}).stages(), wait=False)["steps"]]
    assert (steps, server.plans.rows) == (["remove", "add"], [Schedule("n", "B", 0, "2w")])
    task.check_mode = True
    would = brought(planned(server, {"volume": "A"}).stages())["steps"]
    assert [row["step"] for row in would] == steps


def test_a_volume_that_is_called_like_the_number_of_another_one(brought):
    server = Server()
    server.plans, wanted = Plans(), {"volume": "r0005", "level": 1}
    assert brought(planned(server, wanted).stages())["changed"]
    assert not brought(planned(server, wanted).stages())["changed"]
    assert server.plans.rows == [Schedule("n", "r0005", 1)]


@pytest.mark.parametrize("wanted", [{"minute": "00", "hour": "03"}, {"expire": "7d"}, {"enabled": True}, {}])
def test_one_thing_written_in_two_ways_is_no_change(brought, wanted):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "1w", hour="3"))
    assert not brought(planned(server, {"volume": "A", "level": 0, **wanted}).stages())["changed"]


def test_schedules_that_are_not_told_are_not_guessed(brought):
    server = Server()
    server.plans = Plans(told=False)
    with pytest.raises(Refused, match="doesn't tell which backup schedules there are"):
        brought(planned(server, {"volume": "A"}).stages())
    work = planned(server, {"volume": "A"}, present=False)
    result = work.told(brought(work.stages()))
    assert (result["changed"], result["steps"]) == (False, [])


def test_schedules_without_names_are_told_apart_by_what_they_are(brought):
    server = Server()
    first, second = Schedule("", "A", 1, hour="3"), Schedule("", "A", 1, hour="15")
    server.plans = Plans(first, second, named=False, fixed=())
    with pytest.raises(ClusterError, match="schedule n: this server keeps no names"):
        planned(server, {"hour": "3"})
    with pytest.raises(Refused, match="2 schedules are of its level and volume"):
        brought(planned(server, {"volume": "A", "level": 1, "hour": "4"}).stages())
    both = [
        {"name": "a", "volume": "A", "level": 1, "hour": "3"},
        {"name": "b", "volume": "A", "level": 1, "hour": "4"},
    ]
    assert brought(planned(server, *both).stages())["changed"]
    assert sorted(row.hour for row in server.plans.rows) == ["3", "4"]

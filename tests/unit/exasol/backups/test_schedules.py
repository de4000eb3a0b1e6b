# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backup schedules are compared, added, changed and removed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import (
    AnswerLost,
    ClusterError,
    Denied,
    Fault,
    NoSuchObject,
    Refused,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.backups import Schedule
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.schedules import Schedules
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups.schedules_wanted import wanted_of
from ansible_collections.dbfleet.cluster.tests.unit.exasol.backups.fake_server import DOWN, Server


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


def planned(server: Server, *rows: Any, present: bool = True, unseen: str = "refuse", **told: Any) -> Schedules:
    wanted = wanted_of([{"name": "n", **row} for row in rows])
    told = {"say": [].append, "warn": [].append, **told}
    return Schedules(server, server, "DB1", wanted, present, unseen, **told)


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
        brought(planned(server, {"volume": "B", "expire": "2w"}).stages())
    assert server.plans.rows == [Schedule("n", "A", 0, "2w")]
    server.plans.refuses = None
    brought(planned(server, {"volume": "B", "expire": "2w"}).stages())
    assert server.plans.rows == [Schedule("n", "B", 0, "2w")]


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("error", [Fault, Denied, ClusterError])
def test_a_schedule_that_is_lost_is_told(brought, told, error):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "2w"), told=told, adding=[error("exa-unit: no")])
    work = planned(server, {"volume": "B", "level": 0, "expire": "2w"}, unseen="replace")
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


def test_a_schedule_without_a_volume_is_not_added(brought):
    server = Server()
    server.plans = Plans()
    with pytest.raises(Refused, match="n: the schedule doesn't exist, and it can't be added without a volume"):
        brought(planned(server, {"hour": "3"}).stages())


def test_a_schedule_that_is_not_told_is_not_removed_where_it_could_not_be_added(brought):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "2w"), told=False)
    with pytest.raises(Refused, match="n: the schedule can't be seen, and it can't be added without a volume"):
        brought(planned(server, {"level": 0}, unseen="replace").stages())
    assert server.plans.rows == [Schedule("n", "A", 0, "2w")]


def test_another_level_leaves_the_rest_of_a_schedule(brought):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "2w", hour="3"))
    with pytest.raises(Refused, match="no call changes its level, so the run would remove the schedule and add"):
        brought(planned(server, {"level": 1}).stages())
    brought(planned(server, {"level": 1, "volume": "A", "hour": "3", "expire": "2w"}).stages())
    assert server.plans.rows == [Schedule("n", "A", 1, "2w", hour="3")]


def test_what_a_new_one_would_have_otherwise_must_be_given_before_it_is_removed(brought):
    """Else the next run, which finds nothing, would bring a disabled one back as hourly and for ever."""
    server = Server()
    old = Schedule("n", "A", 1, "2w", minute="00", hour="3", weekday="0", enabled=False)
    server.plans = Plans(old)
    with pytest.raises(Refused) as caught:
        brought(planned(server, {"volume": "B"}).stages())
    kept = "level: 1, expire: '2w', hour: '3', weekday: '0', enabled: false"
    assert (caught.value.hint, server.plans.rows) == (
        f"give these settings too ({kept}), or the values that you want",
        [old],
    )
    with pytest.raises(Refused, match="volume: 'A', hour: '3'"):
        brought(planned(server, {"level": 0, "expire": "1w", "weekday": "*", "enabled": True}).stages())
    said: list[str] = []
    all_of_it = {"volume": "B", "level": 1, "expire": "2w", "hour": "3", "weekday": "0", "enabled": False}
    server.plans.adding = [Fault("exa-unit: no")]
    with pytest.raises(Fault, match="is missing now .it was level 1 to A at 00 3 ") as fault:
        brought(planned(server, all_of_it, say=said.append).stages())
    assert "what it had" not in str(fault.value.hint)
    assert "removes schedule n and adds it again. It was level 1 to A at 00 3 * * 0, kept 2w, disabled" in said[0]
    server.plans.adding = []
    brought(planned(server, all_of_it).stages())
    assert server.plans.rows == [Schedule("n", "B", 1, "2w", hour="3", weekday="0", enabled=False)]


@pytest.mark.parametrize("there", [True, False])
def test_a_schedule_that_another_adds_meanwhile_stays(brought, there):
    server = Server()
    others = Schedule("n", "C", 0)
    server.plans = Plans(*([Schedule("n", "A", 0)] if there else []))

    def too_late(_database: str, _schedule: Schedule) -> None:
        server.plans.rows.append(others)
        raise Fault("exa-unit: add of n: it exists already")

    server.plans.add = too_late
    with pytest.raises(ClusterError, match="somebody else has added a schedule of that name meanwhile .level 0 to C"):
        brought(planned(server, {"volume": "B"}).stages())
    assert server.plans.rows == [others]


def test_a_removal_that_is_lost_forgets_nothing(brought):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "2w"))
    remove = server.plans.remove

    def lost(*what: Any) -> None:
        remove(*what)
        raise AnswerLost("exa-unit: the answer is lost")

    server.plans.remove = lost
    brought(planned(server, {"volume": "B", "expire": "2w"}).stages())
    assert server.plans.rows == [Schedule("n", "B", 0, "2w")]


@pytest.mark.parametrize("check", [True, False])
def test_what_was_removed_unseen_is_not_called_set(brought, task, check):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0), told=False)
    task.check_mode = check
    diff = brought(planned(server, {"volume": "A"}, present=False).stages())["diff"]
    assert diff == {"before": {"n": "not known"}, "after": {"n": "none"}}
    diff = brought(planned(server, {"volume": "A"}, unseen="replace").stages())["diff"]
    assert diff == {"before": {"n": "not known"}, "after": {"n": "set"}}


def test_what_nobody_tells_and_nobody_says_is_warned_of(brought):
    server, warned = Server(), []
    server.plans = Plans(told=False)
    brought(planned(server, {"volume": "B", "hour": "3"}, unseen="replace", warn=warned.append).stages())
    (said,) = warned
    assert "so level expire minute day month weekday enabled will be as in a new schedule" in said


def test_a_schedule_that_is_replaced_is_there_at_the_end_though_nobody_waits(brought, task):
    server = Server()
    server.plans = Plans(Schedule("n", "A", 0, "2w"))
    steps = [
        row["step"] for row in brought(planned(server, {"volume": "B", "expire": "2w"}).stages(), wait=False)["steps"]
    ]
    assert (steps, server.plans.rows) == (["remove", "add"], [Schedule("n", "B", 0, "2w")])
    task.check_mode = True
    would = brought(planned(server, {"volume": "A", "expire": "2w"}).stages())["steps"]
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
    with pytest.raises(Refused, match="doesn't list the backup schedules"):
        brought(planned(server, {"volume": "A"}).stages())
    work = planned(server, {"volume": "A"}, present=False)
    result = work.told(brought(work.stages()))
    assert (result["changed"], result["steps"]) == (False, [])


def test_schedules_without_names_are_told_apart_by_what_they_are(brought):
    server = Server()
    first, second = Schedule("", "A", 1, hour="3"), Schedule("", "A", 1, hour="15")
    server.plans = Plans(first, second, named=False, fixed=())
    with pytest.raises(ClusterError, match="schedule n: give volume and level, because this server keeps no names"):
        planned(server, {"hour": "3"})
    with pytest.raises(Refused, match="2 schedules have its level and volume"):
        brought(planned(server, {"volume": "A", "level": 1, "hour": "4"}).stages())
    both = [
        {"name": "a", "volume": "A", "level": 1, "hour": "3"},
        {"name": "b", "volume": "A", "level": 1, "hour": "4"},
    ]
    assert brought(planned(server, *both).stages())["changed"]
    assert sorted(row.hour for row in server.plans.rows) == ["3", "4"]


def test_schedules_are_listed_by_level_and_volume_whatever_the_order_of_the_server(brought):
    """Those that are added together come in any order."""
    server = Server()
    server.plans = Plans(Schedule("z", "B", 0), Schedule("n", "A", 1), Schedule("a", "B", 0), Schedule("c", "A", 0))
    work = planned(server, {"volume": "A"}, present=False)
    assert work.listed() is None
    brought(work.stages())
    work.read(["n"])
    assert [row["name"] for row in work.listed()] == ["c", "a", "z"]

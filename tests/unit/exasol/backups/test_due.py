# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When schedules run, and which backups expire, in a time."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.backups import Backup, Schedule
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.backups import due
from ansible_collections.dbfleet.cluster.plugins.module_utils._runout import OffTime

BERLIN = ZoneInfo("Europe/Berlin")


def schedule(text, **more):
    times = dict(zip(("minute", "hour", "day", "month", "weekday"), text.split()))
    return Schedule("weekly", "RemoteVolume1", 0, expire="4w", **times, **more)


def off(text, days, zone=BERLIN):
    begin = datetime.fromisoformat(text).replace(tzinfo=zone or timezone.utc)
    return OffTime(begin.astimezone(timezone.utc), days * 86400)


@pytest.mark.parametrize(
    ("text", "begin", "days", "expected"),
    [
        ("0 1 31 * *", "2026-01-31T00:30", 60, ["2026-01-31 01:00", "2026-03-31 01:00"]),  # February has none
        ("0 1 29 2 *", "2027-01-01T00:00", 365, []),
        ("0 1 29 2 *", "2028-02-01T00:00", 40, ["2028-02-29 01:00"]),
        ("0 1 * * 0", "2026-12-04T00:00", 9, ["2026-12-06 01:00"]),
        ("0 1 * * 7", "2026-12-04T00:00", 9, ["2026-12-06 01:00"]),
        ("0 1 * * Sunday", "2026-12-04T00:00", 9, ["2026-12-06 01:00"]),
        ("0 1 * * mon-fri", "2026-12-04T00:00", 3, ["2026-12-04 01:00"]),
        ("0 1 * december 5,6", "2026-12-04T02:00", 2, ["2026-12-05 01:00"]),
        ("0 1 13 * fri", "2026-12-10T00:00", 4, ["2026-12-11 01:00", "2026-12-13 01:00"]),  # either, as cron has it
        ("*/30 23 31 12 *", "2026-12-31T12:00", 1, ["2026-12-31 23:00", "2026-12-31 23:30"]),
        ("0 1 * * *", "2026-12-04T01:00", 1, ["2026-12-05 01:00"]),  # what begins now isn't missed
        ("0 1 * * *", "2026-12-04T02:00", 0.5, []),
    ],
)
def test_when_a_schedule_runs(text, begin, days, expected):
    time = due.ClusterTime(off(begin, days), BERLIN)
    assert [f"{at:%Y-%m-%d %H:%M}" for at in due.runs(schedule(text), time.begin, time.end)] == expected


@pytest.mark.parametrize(
    ("text", "begin", "expected"),
    [
        # The hour from 2 to 3 isn't there on 29 March and comes twice on 25 October: one run each all the same.
        ("30 2 * * *", "2026-03-28T12:00", ["2026-03-29T03:00:00+02:00"]),
        ("30 2 * * *", "2026-10-24T12:00", ["2026-10-25T02:30:00+02:00"]),
        ("0 12 * * *", "2026-03-28T12:30", ["2026-03-29T12:00:00+02:00"]),
    ],
)
def test_a_change_of_the_clocks(text, begin, expected):
    time = due.ClusterTime(off(begin, 1), BERLIN)
    assert [at.isoformat() for at in due.runs(schedule(text), time.begin, time.end)] == expected


def test_days_off_are_hours_of_the_world_not_of_the_clock():
    """One day from noon before the clocks go forward ends at one."""
    assert due.ClusterTime(off("2026-03-28T12:00", 1), BERLIN).end.hour == 13


def test_the_time_zone_is_the_cluster_s():
    """At 23:30 in Berlin it is the next day in Tokyo, where the backup of one o'clock has run already."""
    begin = off("2026-12-04T23:30", 0.1)
    texts = {}
    for name in ("Europe/Berlin", "Asia/Tokyo"):
        time = due.ClusterTime(begin, ZoneInfo(name))
        texts[name] = [one.text for one in due.due("DB1", [schedule("0 1 * * *").as_dict()], time)]
    says = "DB1: backup schedule weekly (level 0 to RemoteVolume1 at 0 1 * * *, kept 4w) falls due once, at"
    assert texts == {"Europe/Berlin": [f"{says} 2026-12-05 01:00"], "Asia/Tokyo": []}


def test_without_a_time_zone_the_sentence_says_whose_it_is():
    time = due.ClusterTime(off("2026-12-04T12:00", 1, None), None)
    (found,) = due.due("DB1", [schedule("0 * * * *").as_dict()], time)
    assert "falls due 24 times, first at 2026-12-0" in found.text
    assert f" by this machine's clock ({time.begin:%z}), because no time_zone is given" in found.text


def test_schedules_of_a_database_a_line_each():
    nameless = schedule("0 0 5 12 *").with_(name="", level=1)
    rows = [schedule("* * * * *"), schedule("* * * * *", enabled=False), nameless, schedule("x * * * *")]
    found = due.due("DB1", [row.as_dict() for row in rows], due.ClusterTime(off("2026-12-04T12:00", 1), BERLIN))
    assert [(one.kind, one.text) for one in found] == [
        (
            "backup_due",
            "DB1: backup schedule weekly (level 0 to RemoteVolume1 at * * * * *, kept 4w) falls due 100 times or more, "
            "first at 2026-12-04 12:01",
        ),
        (
            "backup_due",
            "DB1: backup schedule (level 1 to RemoteVolume1 at 0 0 5 12 *, kept 4w) falls due once, "
            "at 2026-12-05 00:00",
        ),
        (
            "unread",
            "not looked at: DB1: backup schedule weekly (level 0 to RemoteVolume1 at x * * * *, kept 4w): "
            "'x * * * *' is not a time as crontab writes it",
        ),
    ]


def test_without_the_library_that_reckons(monkeypatch):
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(ClusterError, match="the Python library cronsim, .*is not installed"):
        due.runs(schedule("* * * * *"), datetime.now(BERLIN), datetime.now(BERLIN) + timedelta(days=1))


def backup(bid, expire, level=0, needs=(), **more):
    full = {"timestamp": "2026-11-30 01:00", "usable": True, **more}
    return Backup(f"10001 DB1/id_{bid}", bid, level, "DB1", "Remote", 10001, expire=expire, dependencies=needs, **full)


def expiring(*backups):
    time = due.ClusterTime(off("2026-12-04T12:00", 1), BERLIN)
    return [(one.kind, one.text) for one in due.expiring("DB1", [one.as_dict() for one in backups], time)]


B1, B2, B3 = (f"backup {bid} (level {level}, Remote, 2026-11-30 01:00)" for bid, level in ((1, 0), (2, 1), (3, 0)))


def test_backups_that_stay():
    assert expiring(backup(1, ""), backup(2, "2026-12-05 12:00"), backup(3, "2026-12-05 12:01:30")) == []


def test_of_a_base_that_expires_what_builds_on_it_is_lost():
    found = expiring(backup(1, "2026-12-05 11:59"), backup(2, "2027-01-01 00:00", 1, (1,)), backup(3, ""))
    assert found == [
        (
            "backup_expiry",
            f"DB1: expires at 2026-12-05 11:59: {B1}; the backups that build on them are lost too: {B2}",
        )
    ]


def test_the_last_that_can_be_restored():
    found = expiring(backup(3, "2026-12-05 01:00"), backup(1, "2026-12-04 13:00"), backup(2, "", 1, (1,)))
    assert found == [
        (
            "backup_expiry",
            f"DB1: expires at 2026-12-04 13:00: {B1}; later: {B3}; the backups that build on them are lost too: {B2}; "
            "after that, no backup is left to restore the database from",
        )
    ]


def test_what_is_worth_nothing_already_is_left_out():
    gone = backup(1, "2026-12-01 00:00", expired=True)
    assert expiring(gone, backup(2, "2026-12-04 13:00", 1, (1,)), backup(3, "2026-12-04 13:00", usable=False)) == []


def test_an_expiry_that_can_t_be_read():
    assert expiring(backup(1, "tomorrow")) == [("unread", f"not looked at: DB1: the expiry of {B1}")]

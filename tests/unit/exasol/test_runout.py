# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may run out of a cluster: it is read as far as it is told, and judged."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Denied, Unsupported
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol import runout
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.backups import Backup, Schedule
from ansible_collections.dbfleet.cluster.plugins.module_utils._runout import OffTime

PARAMS = {"request_timeout": 5, "client_cert": None, "client_key": None, "ca_path": None}
BACKUP = Backup("10001 DB1/id_1", 1, 0, "DB1", "Remote", 10001, timestamp="2026-11-30 01:00", usable=True)
WEEKLY = Schedule("weekly", "Remote", 0, hour="1", weekday="0")


def api(**told):
    """A cluster by what it tells; an error is raised."""

    def of(name, *_more):
        found = told[name]
        if isinstance(found, ClusterError):
            raise found
        return found

    def schedules(db):
        return of("schedules")[db]

    backups = SimpleNamespace(
        schedules=lambda: SimpleNamespace(schedules=schedules), backups=lambda db: of("backups")[db]
    )
    return SimpleNamespace(
        license_end=lambda: of("license"), databases=lambda: of("databases"), backups=lambda: backups
    )


def test_all_that_is_told(new_task, serve, reply, authority, dead_url):
    """Of a URL without a port, the one of two is asked at which something listens."""
    server = serve(reply(), authority.sign("told", "127.0.0.1").context())
    ports = [[dead_url.replace("http:", "https:"), server.url], ["http://plain:80"]]
    cluster = api(
        license="2026-12-05", databases=["DB1", "DB2"], schedules={"DB1": [WEEKLY], "DB2": []},
        backups={"DB1": [BACKUP], "DB2": []},
    )  # fmt: skip
    found = runout.read(new_task(**PARAMS), cluster, ports)
    (certificate,) = found.pop("certificates")
    assert (certificate["of"], certificate["subject"]) == (server.url, "CN=told")
    assert found == {
        "license": {"expires": "2026-12-05"},
        "schedules": {"DB1": [WEEKLY.as_dict()]},
        "backups": {"DB1": [BACKUP.as_dict()]},
        "unread": [],
    }
    assert server.asked == []


def test_what_isn_t_told_hides_nothing_else(new_task):
    cluster = api(
        license=Unsupported("exa-unit: no call"), databases=["DB1", "DB2"], schedules={"DB1": None, "DB2": [WEEKLY]},
        backups=Denied("exa-unit: not allowed"),
    )  # fmt: skip
    found = runout.read(new_task(**PARAMS), cluster, [])
    assert (found["license"], found["schedules"], found["backups"]) == (None, {"DB2": [WEEKLY.as_dict()]}, {})
    assert found["unread"] == [
        "the license: exa-unit: no call",
        "the backup schedules of DB1: the server doesn't report them",
        "the backups of DB1: exa-unit: not allowed",
        "the backups of DB2: exa-unit: not allowed",
    ]


def test_where_not_even_the_databases_are_told(new_task):
    found = runout.read(new_task(**PARAMS), api(license="inf", databases=Denied("exa-unit: no")), [])
    assert found["unread"] == ["the backups and their schedules: exa-unit: no"]


def test_what_is_found_of_it():
    known = {
        "license": {"expires": "2026-12-05"},
        "certificates": [{"of": "u", "subject": "CN=u", "expires": "2026-12-05T00:00:00+00:00", "fingerprint": ""}],
        "schedules": {"DB1": [WEEKLY.as_dict()]},
        "backups": {"DB1": [{**BACKUP.as_dict(), "expire": "2026-12-05 00:00"}]},
        "unread": ["x"],
    }
    begin = datetime(2026, 12, 4, tzinfo=timezone.utc)
    for seconds, kinds in (
        (3 * 86400, ["license", "certificate", "backup_due", "backup_expiry", "unread"]),
        (3600, ["unread"]),
    ):
        found = runout.findings(known, OffTime(begin, seconds), ZoneInfo("Europe/Berlin"))
        assert [one.kind for one in found] == kinds

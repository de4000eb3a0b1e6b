# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs out while a cluster is off: licenses, certificates, and how it is said."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils import _runout
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._runout import OffTime

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=timezone.utc)
OFF = OffTime(NOW, 3 * 86400)
BERLIN = ZoneInfo("Europe/Berlin")


class Told:
    """A preview."""

    name = "exa-unit"

    def __init__(self):
        self.lines, self.warnings, self.refusals = [], [], []

    def say(self, *lines):
        self.lines += lines

    def warn(self, text):
        self.warnings.append(text)

    def refuse(self, part, refusal):
        self.refusals.append((part, str(refusal), refusal.hint))


def licenses(expires, zone=None, off=OFF):
    return [one.text for one in _runout.licenses({"license": {"expires": expires}}, off, zone)]


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1s"), (5400, "1h30m"), (259200, "3d"), (90061, "1d1h1m1s"), (0.5, "0s")]
)
def test_the_time_in_words(seconds, words):
    assert _runout.in_words(seconds) == words


@pytest.mark.parametrize("seconds", [-1, 1e9, float("nan"), float("inf")])
def test_a_time_that_makes_no_sense(seconds):
    with pytest.raises(ClusterError, match="exa-unit: off_for is .*: it takes a number of seconds above 0"):
        _runout.off_time("exa-unit", seconds)


def test_the_time_begins_now():
    off = _runout.off_time("exa-unit", 60)
    assert abs(datetime.now(timezone.utc) - off.begin) < timedelta(seconds=30)
    assert OFF.words == "3d, until 2026-12-04 12:00 UTC"


@pytest.mark.parametrize("told", [None, "", "Unlimited", "inf", " unlimited "])
def test_a_license_that_never_ends(told):
    assert licenses(told) == []


@pytest.mark.parametrize(
    ("told", "zone", "says"),
    [
        ("2026-12-04", BERLIN, "expires"),  # whether it holds on that day nobody tells
        ("2026-12-05", BERLIN, None),
        ("2026-12-05", None, "expires"),  # at 12:00 UTC of the day before it begins in the east
        ("2026-12-06", None, None),
        ("2026-11-30", BERLIN, "has expired"),
        ("2026-12-01", BERLIN, "expires"),
        ("2026-12-04T11:59:00+00:00", None, "expires"),
        ("2026-12-04T12:01:00Z", None, None),
        ("2026-12-05T01:59:59.465134", None, "expires"),
        ("2026-12-05T02:00:01.465134", None, None),
        ("2026-11-30T23:59:59", None, "has expired"),
        ("2026-12-01T00:00:01", None, "expires"),  # in the west it may be valid still
    ],
)
def test_a_license_that_ends(told, zone, says):
    expected = [f"the license {says} ({told}), and without a license the databases may not start again"] if says else []
    assert licenses(told, zone) == expected


def test_a_license_whose_end_can_t_be_read_or_wasn_t():
    assert licenses("soon") == ["not looked at: the end of the license: 'soon' can't be read as a time"]
    assert licenses("x" * 70) == [f"not looked at: the end of the license: '{'x' * 60} ...' can't be read as a time"]
    assert _runout.licenses({"license": None}, OFF) == []


def test_certificates_that_expire_or_have():
    def row(of, expires):
        return {"of": of, "subject": f"CN={of}", "expires": expires, "fingerprint": ""}

    rows = [row("a", "2026-12-04T12:00:00+00:00"), row("b", "2026-12-04T12:00:01+00:00")]
    rows += [row("c", "2026-12-01T11:00:00+00:00"), row("d", "2026-12-04T13:30:00+02:00")]
    found = _runout.certificates(rows, OFF)
    assert [(one.of, one.text) for one in found] == [
        ("a", "the certificate of a (CN=a) expires at 2026-12-04 12:00 UTC: renew it"),
        ("c", "the certificate of c (CN=c) has expired at 2026-12-01 11:00 UTC: renew it"),
        ("d", "the certificate of d (CN=d) expires at 2026-12-04 11:30 UTC: renew it"),
    ]


ENDING = [
    *_runout.licenses({"license": {"expires": "2026-12-02"}}, OFF),
    _runout.Finding(_runout.CERTIFICATE, "a", None, "it expires"),
    *_runout.unread(["the backups of DB1: not allowed"]),
]


@pytest.mark.parametrize("on_runout", ["refuse", "warn"])
def test_only_a_license_is_refused(on_runout):
    preview = Told()
    rows = _runout.tell(preview, OFF, ENDING, on_runout, "exa_graceful_shutdown")
    says = "off for 3d: the license expires (2026-12-02), and without a license the databases may not start again"
    assert preview.lines == [
        "[exa-unit] off for 3d, until 2026-12-04 12:00 UTC:",
        f"[exa-unit] {says}",
        "[exa-unit] off for 3d: it expires",
        "[exa-unit] off for 3d: not looked at: the backups of DB1: not allowed",
    ]
    assert [row["kind"] for row in rows] == ["license", "certificate", "unread"]
    warned = ["exa-unit: off for 3d: it expires"]
    if on_runout == "warn":
        assert (preview.warnings, preview.refusals) == ([f"exa-unit: {says}", *warned], [])
        return
    (refusal,) = preview.refusals
    assert preview.warnings == warned
    assert refusal == (
        "preflight",
        "exa-unit: off for 3d, until 2026-12-04 12:00 UTC: the license expires (2026-12-02), and without a license the "
        "databases may not start again",
        "install a new license first, or shut down nonetheless with on_runout: warn (exa_graceful_shutdown_on_runout)",
    )


def test_where_nothing_runs_out_that_is_said():
    preview = Told()
    assert _runout.tell(preview, OFF, [], "refuse", "exa_graceful_shutdown") == []
    assert preview.lines == ["[exa-unit] off for 3d, until 2026-12-04 12:00 UTC: nothing runs out, nothing is due"]


def test_it_wants_to_be_read_first():
    with pytest.raises(ClusterError, match="exa-unit: off_for needs runout, which .* return with gather=runout"):
        _runout.known("exa-unit", None)
    with pytest.raises(Refused):
        _runout.refuse_without_license("exa-unit", ENDING[0], OFF, "nuodb_graceful_shutdown")


def test_what_isn_t_told_is_kept():
    def fail():
        raise ClusterError("exa-unit: not allowed")

    unread = []
    assert (_runout.tried(unread, "the license", fail), unread) == (None, ["the license: exa-unit: not allowed"])
    assert (_runout.tried(unread, "the license", lambda: 5), len(unread)) == (5, 1)

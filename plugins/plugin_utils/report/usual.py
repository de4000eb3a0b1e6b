# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a runbook usually takes on a cluster, estimated from the records of earlier runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Optional

from ...module_utils._wording import listing
from . import record

MOST = 20
"""The most files that are read."""

ODD = 2.0
"""A run is unusual if it takes more than this many times the usual time, or less than the usual time divided by it."""

LEAST = 30.0
"""The least number of seconds by which an unusual run differs."""


def of(folder: Path, runbook: str, phases: list[str]) -> tuple[Optional[dict[str, Any]], list[str]]:
    """How long the last successful runs with steps and with the same phases took, or None; and warnings.

    :param folder: the folder of the cluster.
    """
    found = (one.path for one in record.below(folder) if one.runbook == runbook)
    rows, odd = [], []
    for path in islice(found, MOST):
        row = record.read(path)
        if row is None:
            odd.append(path.name)
        elif row["result"] == record.OK and row["steps"] and not row["check"] and _begun(row) == phases:
            rows.append(row)
    is_many = f"{len(odd)} files that are not records" if len(odd) > 1 else "a file that is not a record"
    warnings = [f"skipped {is_many} of a run in {folder}: {listing(odd, 3)}"] if odd else []
    return (_estimate(rows) if rows else None), warnings


def _begun(row: record.Row) -> list[str]:
    return [one["phase"] for one in row["phases"] if one["state"] != "left out"]


def _estimate(rows: list[record.Row]) -> dict[str, Any]:
    times = [float(row["seconds"]) for row in rows]
    last = Counter(_longest(row["steps"]) for row in rows).most_common(1)
    return {
        "runs": len(times),
        "seconds": round(median(times), 1),
        "least": round(min(times), 1),
        "most": round(max(times), 1),
        "longest": last[0][0],
    }


def _longest(steps: Iterable[dict[str, Any]]) -> str:
    return str(max(steps, key=lambda step: float(step["seconds"]))["object"])


def words(seconds: float) -> str:
    """A time in words."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def sentence(usual: dict[str, Any]) -> str:
    """The sentence at the beginning of a run."""
    least, most = words(usual["least"]), words(usual["most"])
    among = f"{least} to {most} in {usual['runs']} runs" if usual["runs"] > 1 else "in 1 run"
    return f"usually {words(usual['seconds'])} ({among}), {usual['longest']} longest; an estimate from earlier records"


def verdict(usual: Optional[dict[str, Any]], seconds: float) -> str:
    """The sentence at the end of a run that took unusually long or short; an empty text for any other run."""
    if not usual or abs(seconds - usual["seconds"]) < LEAST:
        return ""
    more = f"usually {words(usual['seconds'])}, from {usual['runs']} earlier run{'s' if usual['runs'] > 1 else ''}"
    if seconds > usual["seconds"] * ODD:
        return f"{words(seconds - usual['seconds'])} longer than usual ({more})"
    if seconds < usual["seconds"] / ODD:
        return f"unusually quick: {words(seconds)} ({more})"
    return ""

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records as pages that need nothing but themselves: no network, no script.

What servers said stands in them: every text is made visible (C(shown)), escaped by Jinja2, and the page's own policy
forbids to load anything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from ansible import constants

from ...module_utils._foreign import shown, visible
from ...module_utils._wording import clock_text
from . import record, usual
from .drawing import drawn

STEPS = 1000
"""Rows of a table of steps. The record has all of them."""

MARKS = {record.OK: "\u2713", record.FAILED: "\u2717", record.NOT_ENDED: "\u25cb"}
"""Signs, so that a result isn't told by a colour alone."""


@lru_cache(maxsize=1)
def _templates(folder: str) -> jinja2.Environment:
    """:param folder: of the run of ansible-playbook: its workers compile each template once."""
    made = jinja2.Environment(
        bytecode_cache=jinja2.FileSystemBytecodeCache(folder, "dbfleet-template-%s"),
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(clock=clock_text, spoken=usual.words, moment=_moment, sign=lambda result: MARKS[result])
    return made


def _moment(at: str) -> str:
    """A time of a record as a person reads it."""
    return at.replace("T", " ").replace("Z", " UTC")


def of_run(row: record.Row) -> str:
    """The page of one run."""
    row = _readable(row)
    template = _templates(str(constants.DEFAULT_LOCAL_TMP)).get_template("run.html.j2")
    return template.render(
        row=row,
        name=f"{row['id']}.json",
        timeline=drawn(row),
        steps=row["steps"][:STEPS],
        more_steps=max(0, len(row["steps"]) - STEPS),
        last_state=_lines(row.get("last_state")),
        verdict=usual.verdict(row.get("usual"), row["seconds"]) if row["result"] == record.OK else "",
    )


def of_all(rows: Iterable[tuple[str, record.Row]], more: int) -> str:
    """The index of several runs, newest first, those of one run of ansible-playbook together.

    :param rows: each with the path of its page, as seen from the index.
    :param more: how many older ones aren't in it.
    """
    fleets: dict[str, list[record.Row]] = {}
    for path, row in rows:
        fleets.setdefault(row["run"], []).append({**_readable(row), "page": path})
    template = _templates(str(constants.DEFAULT_LOCAL_TMP)).get_template("index.html.j2")
    return template.render(fleets=[_fleet(found) for found in fleets.values()], more=more)


def _fleet(rows: list[record.Row]) -> dict[str, Any]:
    """Clusters of one run, what needs attention first."""
    order = (record.FAILED, record.NOT_ENDED, record.OK)
    count = Counter(row["result"] for row in rows)
    runbooks = list(dict.fromkeys(row["runbook"] for row in rows))
    return {
        "rows": sorted(rows, key=lambda row: (order.index(row["result"]), row["cluster"], row["at"])),
        "runbooks": ", ".join(runbooks),
        "began": min(row["began"] for row in rows),
        "longest": max(1.0, *(row["seconds"] for row in rows)),
        "total": ", ".join(f"{count[result]} {result}" for result in order if count[result]),
        "result": next(result for result in order if count[result]),
        "clusters": len({row["cluster"] for row in rows}),
    }


def _readable(value: Any) -> Any:
    """The same with texts that a browser, and who reads it, takes for nothing but texts."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {name: _readable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return value


def _lines(state: Any) -> str:
    """Data as lines."""
    if state in (None, "", {}, []):
        return ""
    text = state if isinstance(state, str) else json.dumps(state, indent=2, ensure_ascii=False, default=str)
    return "\n".join(map(visible, text.split("\n")[:STEPS]))

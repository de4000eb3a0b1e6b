# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records as pages that load nothing: no network, no script.

The pages contain texts of servers: every text is made visible (C(shown)) and escaped by Jinja2, and the page's own
policy forbids loading anything.
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
"""The most rows in a table of steps. The record contains all steps."""

MARKS = {record.OK: "\u2713", record.FAILED: "\u2717", record.NOT_ENDED: "\u25cb"}
"""Signs, so that a colour alone never shows a result."""


@lru_cache(maxsize=1)
def _templates(folder: str) -> jinja2.Environment:
    """:param folder: the folder of the run of ansible-playbook, in which its workers compile each template once."""
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
    """A time of a record, in a form for people."""
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
    """The index of several runs, newest first; runs of the same ansible-playbook are together.

    :param rows: the records, each with the path of its page relative to the index.
    :param more: the number of older runs that are left out.
    """
    fleets: dict[str, list[record.Row]] = {}
    for path, row in rows:
        fleets.setdefault(row["run"], []).append({**_readable(row), "page": path})
    template = _templates(str(constants.DEFAULT_LOCAL_TMP)).get_template("index.html.j2")
    return template.render(fleets=[_fleet(found) for found in fleets.values()], more=more)


def _fleet(rows: list[record.Row]) -> dict[str, Any]:
    """The clusters of one run; those that need attention come first."""
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
    """The same data with harmless texts: neither a browser nor a reader can take them for anything else."""
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

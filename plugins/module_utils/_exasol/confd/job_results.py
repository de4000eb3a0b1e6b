# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the end of a job is read: the text of its error, and its history."""

from __future__ import annotations

import re
from typing import Any, Optional

from ..._foreign import one_line
from ..api.jobs import STAGES, JobHistory

NO_RIGHT = re.compile(
    r"\b(user|group|role)\b.{0,60}\b((not|isn't) (allowed|permitted)|forbidden|may not|must not)"
    r"|not (allowed|permitted) (for|to) (this |the )?(user|group|role)"
    r"|(allowed|permitted) (only )?(for|to) (users?|members?|groups?) "
    r"|^(not (allowed|permitted)|forbidden)\W*$|permission denied|operation not permitted"
    r"|unauthori[sz]ed|not authori[sz]ed|access (is )?(denied|forbidden)"
    r"|\b(no|not|without|insufficient|missing|lacks?|needs?|requires?)\b.{0,30}\b(permissions?|privileges?|rights)\b",
    re.I,
)

NO_QUORUM = re.compile(
    r"quorum|minority of (the )?nodes|only (a )?minority|\bno majority|majority of (the )?nodes", re.I
)

UNKNOWN = re.compile(
    r"no such|not exist|doesn't exist|(not be|not) found|\bunknown (job|database|volume|node|user|group|backup)", re.I
)

UNFINISHED = re.compile(r"\b(not|isn't) (yet )?(finished|done|complete)|\bstill (running|under way|in progress)", re.I)

ITSELF = re.compile(r"\bjob( is|'s)? (not|still)\b|^(not|still)\b[^,;:]*$", re.I)

INTERRUPTED = re.compile(r"interrupted|master .*\b(gone|lost|changed)", re.I)
"""The words of this error, because no source shows its code or name (CONFD-43)."""


def is_of(text: str, job_id: str) -> bool:
    """Whether a text contains the ID of that job."""
    return re.search(rf"(?<![\w.]){re.escape(job_id)}(?![\w.])", text) is not None


def is_unfinished(text: str, job_id: str) -> bool:
    """Whether an error says that this job isn't finished. The error of a failed job can say so about other things."""
    return bool(UNFINISHED.search(text)) and (is_of(text, job_id) or ITSELF.search(text) is not None)


def says_unfinished(answer: Any, job_id: str) -> bool:
    if not isinstance(answer, dict) or answer.get("result_code") == 0:
        return False
    return is_unfinished(one_line(answer.get("result_desc")), job_id)


def is_of_another(answer: Any, job_id: str) -> bool:
    """Whether a result only says that the server knows no result of that job, so that it isn't the job's own result."""
    if not isinstance(answer, dict) or answer.get("result_code") == 0:
        return False
    desc = one_line(answer.get("result_desc"))
    return bool(UNKNOWN.search(desc)) and is_of(desc, job_id)


def history(job_id: str, row: dict[str, Any]) -> JobHistory:
    """The history of a job, found by the words of the documents (CONFD-29), because its form isn't known (CONFD-30)."""
    stages: dict[str, Optional[str]] = {}
    reached = one_line(_first(row, ("stage", "state", "status", "job_stage", "job_state"))).lower()
    if reached in STAGES:
        stages.update(dict.fromkeys(STAGES[: STAGES.index(reached) + 1]))
    for times in [row, *(value for value in row.values() if isinstance(value, dict))]:
        for key, value in times.items():
            stage = next((stage for stage in STAGES if stage in str(key).lower()), None)
            if stage and isinstance(value, (str, int, float)) and not isinstance(value, bool) and value not in ("", 0):
                stages[stage] = one_line(value)
    ordered = {stage: stages[stage] for stage in STAGES if stage in stages}
    name = _first(row, ("job_name", "job", "name", "req", "intent"))
    commands = _first(row, ("commands", "command_list", "job_commands"))
    if isinstance(commands, dict):
        commands = [{"name": key, "result": value} for key, value in commands.items()]
    listed = commands if isinstance(commands, list) else []
    return JobHistory(job_id, name if isinstance(name, str) else None, ordered, listed, row)


def _first(row: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name)), None)

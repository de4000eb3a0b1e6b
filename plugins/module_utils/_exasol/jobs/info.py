# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the server shows about ConfD's jobs: their names, their help, and the history of one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Optional, Union

from ..._convergence.workers import gather
from ..._errors import Garbled
from ..._options import refuse_unknown
from ..._secrets import MASK
from ..._task import Task
from ..api.jobs import JobApi
from ..confd import known_jobs

SECRET = re.compile(
    r"password|passwd|passphrase|\bpwd\b|secret|token|authorization|credential|cookie|keytab"
    r"|(private|api|access)[ _-]?key|(?<!public)(?<!public[ _-])(?<![a-z])key$",
    re.I,
)
"""Names whose values a history masks: job_info shows the parameters and the HTTP request of any user's job, and we know
only our own password. `key` is a parameter of cert_update."""

VALUE = r"""(\\+".*?(?:\\+"|\Z)|\\+'.*?(?:\\+'|\Z)|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,;&<>'")\]}]+)"""
NAME = r"[\w-]*(?:password|passwd|passphrase|secret|token|keytab|(?:private|access)[ _-]?key|\bkey)"

WRITTEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(-----END \1-----|\Z)", re.S), MASK),
    (re.compile(r"(://[^\s/:@]*:)[^\s/]*@"), rf"\1{MASK}@"),
    (re.compile(r"((?:proxy-)?authorization|(?:set-)?cookie)(\W+)[^\r\n]*", re.I), rf"\1\2{MASK}"),
    (re.compile(r"\b(basic|bearer)(\s+)[\w+/=.~-]{8,}", re.I), rf"\1\2{MASK}"),
    (re.compile(rf"(<name>\s*{NAME}\s*</name>\s*<value>)(.*?)(</value>|\Z)", re.I | re.S), rf"\1{MASK}\3"),
    (re.compile(rf"((?<![\w-]){NAME}(?:\\*[\"'])?\s*[:=]\s*){VALUE}", re.I), rf"\1{MASK}"),
    (re.compile(rf"((?<!\S)(?:-p|--?{NAME})(?:\s+|=)){VALUE}", re.I), rf"\1{MASK}"),
)
"""The forms of secrets in texts: keys, URLs, headers, XML-RPC, JSON and the like, command lines."""

REQUEST = re.compile(r"\A\s*([A-Z]{3,10} \S+)( HTTP/\d\S*)?\s*?\n.*", re.S)
"""An HTTP request as a text. Only its first line is sure to have no secret of another user."""


def chosen(cluster: str, names: list[str], wanted: Iterable[str]) -> list[str]:
    """The jobs that names and patterns (`db_*`) select, in the server's order.

    :raises NoSuchObject: a name doesn't exist; the message names a similar one.
    """
    asked = [str(one).strip() for one in wanted]
    refuse_unknown(cluster, "job", [one for one in asked if not _is_pattern(one)], names)
    return [name for name in names if any(name == one or fnmatchcase(name, one) for one in asked)]


def described(task: Task, jobs: JobApi, names: list[str], wanted: list[str]) -> dict[str, dict[str, Any]]:
    """The server's help for jobs, by name. The help is read in parallel.

    :param names: all jobs of the server.
    :raises Garbled: the help of a job that was given by name can't be read; for a job of a pattern it is a warning.
    """
    found = gather(chosen(jobs.name, names, wanted), partial(_help, jobs))
    for one in wanted:
        if not any(fnmatchcase(name, one.strip()) for name in names):
            task.warn(f"{jobs.name}: no job has a name like {one}")
    told = {}
    for name, row in found.items():
        if isinstance(row, dict):
            told[name] = row
        elif name in wanted:
            raise row
        else:
            task.warn(f"{row}; the result leaves this job out")
    return told


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def _help(jobs: JobApi, name: str) -> Union[dict[str, Any], Garbled]:
    try:
        found = jobs.help(name).as_dict()
    except Garbled as error:
        return error
    return {**found, "changing": known_jobs.changes(name)}


def history(jobs: JobApi, job_id: str) -> dict[str, Any]:
    """The server's history of a job, without secrets.

    :raises NoSuchObject: the server has no history of it.
    """
    told: dict[str, Any] = masked(jobs.info(job_id).as_dict())
    return told


def masked(found: Any, name: Optional[str] = None) -> Any:
    """An output of a job, with asterisks for values that have the name or the form of a secret."""
    if name is not None and SECRET.search(name) and found not in (None, ""):
        return MASK
    if isinstance(found, dict):
        return {key: masked(value, _named(found) if key == "value" else str(key)) for key, value in found.items()}
    if isinstance(found, list):
        pair = len(found) == 2 and isinstance(found[0], str)
        return [found[0], masked(found[1], found[0])] if pair else [masked(value) for value in found]
    return _text(found) if isinstance(found, str) else found


def _named(row: dict[Any, Any]) -> Optional[str]:
    """The name in a row such as `{name: password, value: x}`."""
    name = row.get("name", row.get("key"))
    return name if isinstance(name, str) else None


def _text(text: str) -> str:
    text = REQUEST.sub(r"\1\2", text)
    for pattern, instead in WRITTEN:
        text = pattern.sub(instead, text)
    return text

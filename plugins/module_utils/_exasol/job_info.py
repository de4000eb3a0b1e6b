# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is to know of ConfD's jobs: names, help, and the history of one."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Optional, Union

from .._converge import gather
from .._errors import Garbled
from .._options import refuse_unknown
from .._secrets import MASK
from .._task import Task
from . import job_names
from .confd_jobs import Jobs

SECRET = ("password", "passwd", "secret", "token", "authorization", "keytab")
"""Words in the names of what is masked in a history: job_info tells the parameters and the HTTP request of any user's
job, and only the password of our own is known."""


def chosen(cluster: str, names: list[str], wanted: Iterable[str]) -> list[str]:
    """The jobs that names and patterns (C(db_*)) stand for, in the server's order.

    :raises NoSuchObject: for a name that isn't there, with a near one.
    """
    asked = [str(one).strip() for one in wanted]
    refuse_unknown(cluster, "job", [one for one in asked if not _is_pattern(one)], names)
    return [name for name in names if any(name == one or fnmatchcase(name, one) for one in asked)]


def described(task: Task, jobs: Jobs, names: list[str], wanted: list[str]) -> dict[str, dict[str, Any]]:
    """What the server says of jobs, by name. They are asked for side by side.

    :param names: all that there are.
    :raises Garbled: for the help of a job that was named and can't be read; one of a pattern is warned of.
    """
    found = gather(chosen(jobs.name, names, wanted), partial(_help, jobs))
    told = {}
    for name, row in found.items():
        if isinstance(row, dict):
            told[name] = row
        elif name in wanted:
            raise row
        else:
            task.warn(f"{row}; it is left out")
    return told


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def _help(jobs: Jobs, name: str) -> Union[dict[str, Any], Garbled]:
    try:
        found = jobs.help(name).as_dict()
    except Garbled as error:
        return error
    return {**found, "changing": job_names.changes(name)}


def history(jobs: Jobs, job_id: str) -> dict[str, Any]:
    """What the server remembers of a job, without what is secret in it.

    :raises NoSuchObject: where it remembers nothing.
    """
    told: dict[str, Any] = masked(jobs.info(job_id).as_dict())
    return told


def masked(found: Any, name: Optional[str] = None) -> Any:
    """The same with asterisks for what has the name of a secret."""
    if name is not None and any(word in name.lower() for word in SECRET) and found not in (None, ""):
        return MASK
    if isinstance(found, dict):
        return {key: masked(value, str(key)) for key, value in found.items()}
    return [masked(value) for value in found] if isinstance(found, list) else found

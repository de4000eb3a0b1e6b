# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The condition that makes a job unneeded: a job that only reads has the wanted output already."""

from __future__ import annotations

from typing import Any, Optional

from ..._errors import ClusterError, NoSuchObject
from ..api.jobs import JobApi
from ..confd import known_jobs

ABSENT = object()
"""The value of a path that an output doesn't have."""


class Unless:
    """The option `unless` of a task.

    :param given: the option; None if the task doesn't set it, and then the job is always needed.
    :raises ClusterError: its job is known to change something.
    """

    def __init__(self, jobs: JobApi, given: Optional[dict[str, Any]]) -> None:
        self._jobs = jobs
        self._given = given
        if given and known_jobs.changes(given["job"]):
            raise ClusterError(f"{jobs.name}: unless takes a job that only reads, but {given['job']} changes something")

    def __bool__(self) -> bool:
        return self._given is not None

    @property
    def words(self) -> str:
        """The condition in words, without any value of the user's."""
        given = self._given or {}
        where = f"{given.get('at')} in " if given.get("at") else ""
        verb = next((verb for verb in ("equals", "contains") if given.get(verb) is not None), None)
        said = f"{where}the output of {given.get('job')}"
        return f"{said} {verb} the wanted value" if verb else f"{said} exists"

    def holds(self) -> bool:
        """Whether the job is unneeded."""
        given = self._given
        if not given:
            return False
        sent = self._jobs.parameters(given["job"], given["params"])  # outside of the try: an unknown job is an error
        try:
            found = self._jobs.read(given["job"], sent)
        except NoSuchObject:
            return False  # the object of the question doesn't exist
        found = part(found, given["at"] or "")
        if given["equals"] is not None:
            return equal(found, given["equals"])
        if given["contains"] is not None:
            return contains(found, given["contains"])
        return found is not ABSENT


def part(found: Any, at: str) -> Any:
    """The value at a path such as `nodes.active`, or `ABSENT`. A number is a place in a list."""
    for word in at.split(".") if at else ():
        if isinstance(found, dict):
            found = next((value for key, value in found.items() if str(key) == word), ABSENT)
        elif isinstance(found, list) and word.isdecimal() and int(word) < len(found):
            found = found[int(word)]
        else:
            return ABSENT
    return found


def equal(found: Any, wanted: Any) -> bool:
    """Whether both values are the same. Templates make texts of numbers, so `"10"` equals 10."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        theirs, ours = _texted(found), _texted(wanted)
        return theirs.keys() == ours.keys() and all(equal(theirs[key], ours[key]) for key in ours)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(equal(one, other) for one, other in zip(found, wanted))
    if any(isinstance(value, (dict, list)) or value is ABSENT for value in (found, wanted)):
        return False
    if isinstance(found, bool) or isinstance(wanted, bool):
        return _flag(found) is not None and _flag(found) == _flag(wanted)
    return str(found) == str(wanted)


def contains(found: Any, wanted: Any) -> bool:
    """Whether a list has the wanted item, a dictionary the wanted key or pairs, or a text the wanted part.

    An item that is a dictionary itself needs only the wanted pairs.
    """
    if isinstance(found, str) and isinstance(wanted, str):
        return wanted in found
    if isinstance(found, list) and not isinstance(wanted, list):
        return any(_covers(item, wanted) for item in found)
    if isinstance(found, dict) and not isinstance(wanted, (dict, list)):
        return str(wanted) in _texted(found)
    return _covers(found, wanted)


def _covers(found: Any, wanted: Any) -> bool:
    if isinstance(found, dict) and isinstance(wanted, dict):
        theirs = _texted(found)
        return all(_covers(theirs.get(key, ABSENT), value) for key, value in _texted(wanted).items())
    if isinstance(found, list) and isinstance(wanted, list):
        return all(any(_covers(item, one) for item in found) for one in wanted)
    return equal(found, wanted)


def _texted(found: dict[Any, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in found.items()}


def _flag(value: Any) -> Optional[bool]:
    if isinstance(value, bool):
        return value
    return {"true": True, "yes": True, "false": False, "no": False}.get(str(value).lower())

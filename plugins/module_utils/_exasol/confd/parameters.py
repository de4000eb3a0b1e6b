# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the parameters of a job, and converts them to the server's names and types.

No message repeats a value: it may be a password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone, tzinfo
from typing import Any, Optional

from ..._errors import ClusterError
from ..._wording import near
from ..api.jobs import JobHelp, Parameter
from . import expiry_forms

RENAMED = (
    ("nid", "nids", "node_id", "id"),
    ("expire", "expire_time"),
    ("backup_list", "backups"),
    ("num_bytes", "num__bytes"),
    ("nodes", "node_list"),
    ("backup_volume_name", "volume"),
    ("backup_volume_id", "volume"),
)
"""Names of the same parameter in different versions (CONFD-55), and in the document of 6.2 (CONFD-56, which has
`volume` for a schedule). The run sends the name that the server knows."""

EXPIRY = ("expire", "expire_time")


def _now() -> datetime:
    return datetime.now(timezone.utc)


def fitted(
    found: JobHelp, given: Mapping[str, Any], zone: Optional[tzinfo] = None, clock: Callable[[], datetime] = _now
) -> dict[str, Any]:
    """The parameters to send for those that are given.

    :param zone: the cluster's time zone, if it is known.
    :param clock: the begin of a duration, if the server takes a point in time.
    :raises ClusterError: a parameter is unknown, missing or wrong.
    """
    sent: dict[str, Any] = {}
    for name, value in given.items():
        parameter = named(found, name, given)
        if parameter.name in sent:
            raise ClusterError(f"job {found.job} is given {parameter.name} twice, under two names", number="DBF-7010")
        if parameter.name in EXPIRY and value is not None:
            sent[parameter.name] = expiry_forms.fitted(found.job, parameter, value, zone, clock)
        else:
            sent[parameter.name] = _typed(found.job, parameter, value)
    there = {name for name, value in sent.items() if value is not None}
    needed = [parameter for parameter in found.parameters.values() if parameter.mandatory]
    missing = [parameter for parameter in needed if not there & {parameter.name, *_others(found, parameter)}]
    if missing:
        raise ClusterError(f"job {found.job} needs {_listed(found, missing)}", number="DBF-7010")
    return sent


def _others(found: JobHelp, parameter: Parameter) -> list[str]:
    return found.stand_ins(parameter.name)


def _listed(found: JobHelp, missing: list[Parameter]) -> str:
    """`db_name, and data_volume_id or data_volume_name`."""
    groups = [" or ".join([parameter.name, *_others(found, parameter)]) for parameter in missing]
    unique = {frozenset(group.split(" or ")): group for group in reversed(groups)}
    return ", and ".join(reversed(list(unique.values())))


def named(found: JobHelp, name: str, given: Mapping[str, Any]) -> Parameter:
    """The server's parameter of that name, or of another version's name for it.

    :param given: all parameters that are given.
    :raises ClusterError: the job has no such parameter.
    """
    if name in found.parameters:
        return found.parameters[name]
    for names in RENAMED:
        if name in names:
            known = [other for other in names if other in found.parameters and other not in given]
            if known:
                return found.parameters[known[0]]
    if not found.parameters:
        raise ClusterError(f"job {found.job} takes no parameters, and {name!r} is given", number="DBF-7010")
    close = near(name, list(found.parameters)) or f" (it takes {', '.join(sorted(found.parameters))})"
    raise ClusterError(f"job {found.job} has no parameter {name!r}{close}", number="DBF-7010")


def _typed(job: str, parameter: Parameter, value: Any) -> Any:
    """The value in one of the parameter's types, if the conversion loses nothing: templates make texts of numbers."""
    kinds = parameter.kinds
    if value is None or not kinds or _kind(value) in kinds:
        return value
    if isinstance(value, (list, tuple)):
        if "list" in kinds or "tuple" in kinds:
            return list(value)
        if len(value) == 1:
            return _typed(job, parameter, value[0])
    for kind in kinds:
        cast = _cast(kind, value)
        if cast is not None:
            return cast
    wanted = " or ".join(kinds)
    hint = "put it in quotes" if isinstance(value, (float, bool)) and "str" in kinds else None
    raise ClusterError(
        f"parameter {parameter.name} of job {job} must be {wanted}, and is {_kind(value)}", hint=hint, number="DBF-7010"
    )


def _kind(value: Any) -> str:
    return next(
        (kind.__name__ for kind in (bool, str, int, float, list, tuple, dict) if isinstance(value, kind)), "odd"
    )


def _cast(kind: str, value: Any) -> Any:
    """The value in that type; None if it can't be converted."""
    text = value.strip() if isinstance(value, str) else ""
    if kind == "str" and _kind(value) == "int":
        return str(value)
    if kind == "int" and text.lstrip("-").isdecimal() and text.isascii() and len(text) < 20:
        return _number(text)
    if kind == "float" and _kind(value) == "int":
        return float(value)
    if kind == "bool" and text.lower() in ("true", "yes", "on", "false", "no", "off"):
        return text.lower() in ("true", "yes", "on")
    if kind in ("list", "tuple") and _kind(value) in ("int", "str") and text == value:
        return None
    return [value] if kind == "list" and _kind(value) == "int" else None


def _number(text: str) -> Optional[int]:
    try:
        return int(text)
    except ValueError:  # --1
        return None

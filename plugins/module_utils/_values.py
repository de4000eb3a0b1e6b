# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads values that came as text: from a survey of AWX, `-e name=value`, an INI inventory, the environment.

The same rules apply to the options of all modules and the variables of all roles. They run on the controller, before
ansible-core validates the values. A value that was read once doesn't change when it is read again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Callable, Union

from ansible.module_utils.basic import AnsibleFallbackNotFound
from ansible.module_utils.common.validation import check_type_dict
from ansible.module_utils.parsing.convert_bool import boolean

NO_ANSWER = "None"
"""The text that `vars_prompt` gives without a terminal, and some templates give for nothing. It is never a name."""

VERBATIM = ("args", "secret_args", "equals", "contains", "job_id", "older_than", "backup_id")
"""Options for which an empty text is a value: data of the user (exa_job), and limits of a deletion (exa_backup)."""

FORM = "a number of seconds (90, 90.5) or a duration such as 90s, 20m, 1h30m or 2d"

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
DURATION = re.compile("".join(rf"(?:(?P<{unit}>\d+(?:\.\d+)?){unit}\s*)?" for unit in UNITS), re.ASCII)
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
WHOLE = re.compile(r"([-+]?\d{1,30})(?:\.0*)?", re.ASCII)
SECONDS_END = ("_timeout", "_stable", "heartbeat", "off_for")

Number = Union[int, float]


class Unreadable(Exception):
    """An option can't take this value. The text of the exception is the sentence about it."""


def is_nothing(value: Any) -> bool:
    """Whether no value is given, as with an unanswered question or an empty environment variable."""
    return value is None or (isinstance(value, str) and not value.strip())


def listed(value: Any, blanks: bool = False) -> list[Any]:
    """The items of a list, which may have come as a text: `DB1, DB2`, or one item per line.

    An item of a real list stays one item, even with commas. Numbers become text, because the items are names.

    :param blanks: whether blanks also separate the items of a text.
    """
    if isinstance(value, str):
        text = value.strip()
        found: list[Any] = [] if text == NO_ANSWER else re.split(r"[,\s]" if blanks else r"[,\r\n]", text)
    else:
        found = list(value) if isinstance(value, (list, tuple)) else [value]
    return [_item(one) for one in found if not is_nothing(one)]


def _item(value: Any) -> Any:
    return str(value).strip() if isinstance(value, (str, int, float)) else value


def first_of(*names: str) -> str:
    """The value of the first of these environment variables that is not empty."""
    found = next((os.environ[name] for name in names if not is_nothing(os.environ.get(name))), None)
    if found is None:
        raise AnsibleFallbackNotFound
    return found


# -- the options of a specification


def is_seconds(name: str, row: Mapping[str, Any]) -> bool:
    """Whether an option is a number of seconds. A role declares it as `raw`, so that ansible-core accepts `20m`."""
    kind = row.get("type")
    return kind == "float" or (kind in ("int", "raw") and name.endswith(SECONDS_END))


def given_of(spec: Mapping[str, Any], args: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are given, with their values unchanged."""
    return {name: value for name, value in args.items() if not _is_absent(name, spec.get(name) or {}, value)}


def read(spec: Mapping[str, Any], args: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The given options in their types, and by name of the option the problem of each that can't be read.

    The values contain those options unchanged, and also options that the specification doesn't have.

    :param spec: as of AnsibleModule (`argument_spec`).
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, value in given_of(spec, args).items():
        values[name] = value
        try:
            values[name] = _typed(name, spec[name], value) if name in spec else value
        except Unreadable as error:
            problems[name] = str(error)
    return values, problems


def _is_absent(name: str, row: Mapping[str, Any], value: Any) -> bool:
    if not row or name in VERBATIM:
        return value is None
    return is_nothing(value) or (row.get("type") == "list" and isinstance(value, str) and value.strip() == NO_ANSWER)


def _typed(name: str, row: Mapping[str, Any], value: Any) -> Any:
    kind = row.get("type", "str")
    if is_seconds(name, row):
        return _seconds(name, row, value)
    if kind == "list":
        if isinstance(value, dict):
            raise _of_another_type(name)
        if name in VERBATIM:
            return value
        return [_element(name, row, item) for item in listed(value)]
    reader = READERS.get(kind)
    return reader(name, row, value) if reader else value


def _element(name: str, row: Mapping[str, Any], item: Any) -> Any:
    reader = READERS.get(row.get("elements", "str")) if row.get("elements") in ("dict", "int") else None
    return reader(name, row, item) if reader else item


def _seconds(name: str, row: Mapping[str, Any], value: Any) -> Number:
    found = _in_seconds(value)
    if found is None:
        raise _odd(name, row, value, FORM)
    if row.get("type") == "int" and found != found // 1:
        raise _odd(name, row, value, "whole seconds")
    return found


def _in_seconds(value: Any) -> Union[Number, None]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if NUMBER.fullmatch(text):
        return _short(float(text))
    found = DURATION.fullmatch(text) if text else None
    if not found:
        return None
    return _short(sum(float(count) * UNITS[unit] for unit, count in found.groupdict().items() if count))


def _short(number: float) -> Number:
    return int(number) if number.is_integer() else number


def _whole(name: str, row: Mapping[str, Any], value: Any) -> int:
    found = None if isinstance(value, bool) else WHOLE.fullmatch(str(value).strip())
    if not found:
        raise _odd(name, row, value, "a whole number")
    return int(found[1])


def _flag(name: str, row: Mapping[str, Any], value: Any) -> bool:
    try:
        return bool(boolean(value.strip() if isinstance(value, str) else value))
    except TypeError:
        raise _odd(name, row, value, "true or false") from None


def _mapping(name: str, row: Mapping[str, Any], value: Any) -> dict[str, Any]:
    try:
        found = check_type_dict(value)
    except (TypeError, ValueError):
        raise _of_another_type(name) from None
    if not row.get("options"):
        return found
    values, problems = read(row["options"], found)
    if problems:
        raise Unreadable("; ".join(f"{text} (found in '{name}')" for text in problems.values()))
    return values


def _text(name: str, row: Mapping[str, Any], value: Any) -> Any:
    if not isinstance(value, (bool, int, float)):
        return value
    is_good, example = FORMATS.get(name, (_any, ""))
    if not is_good(value):
        raise Unreadable(
            f"{name} came as {_shown(row, value)}, and YAML may have changed it (0600 becomes 384, 22:30 becomes 1350, "
            f"8.30 becomes 8.3): write it as text, in quotes, such as {example}"
        )
    return str(value)


READERS: dict[str, Callable[[str, Mapping[str, Any], Any], Any]] = {
    "int": _whole,
    "bool": _flag,
    "dict": _mapping,
    "str": _text,
    "path": _text,
}
"""By the type of an option."""


def _any(_value: Any) -> bool:
    return True


def _none(_value: Any) -> bool:
    return False


def _between(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


FORMATS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "clock": (_none, "'seconds:1'"),
    "demo_clock": (_none, "'seconds:1'"),
    "permissions": (_none, "'rwx------'"),
    "tls_fingerprint": (_none, "'3f:a9:...'"),
    "exa_tls_fingerprint": (_none, "'3f:a9:...'"),
    "nuodb_tls_fingerprint": (_none, "'3f:a9:...'"),
    "time_zone": (_none, "'Europe/Berlin'"),
    "exa_time_zone": (_none, "'Europe/Berlin'"),
    "since": (_between(1970, 9999), "'2026-01-31 23:59:59'"),
    "version": (_between(0, 999), "'8.30'"),
    "minute": (_between(0, 59), "'30'"),
    "hour": (_between(0, 23), "'22'"),
    "day": (_between(1, 31), "'1'"),
    "month": (_between(1, 12), "'6'"),
    "weekday": (_between(0, 7), "'0'"),
}
"""Text options with a format: which numbers are also valid, and an example. Other text options accept any number."""


def _of_another_type(name: str) -> Unreadable:
    return Unreadable(f"option {name} has a value of the wrong type")


def _odd(name: str, row: Mapping[str, Any], value: Any, form: str) -> Unreadable:
    return Unreadable(f"{name} is {_shown(row, value)}: it takes {form}")


def _shown(row: Mapping[str, Any], value: Any) -> str:
    if row.get("no_log"):
        return "something else"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value}"
    return repr(value) if isinstance(value, str) else "a dictionary" if isinstance(value, dict) else "a list"

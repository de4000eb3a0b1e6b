# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parameters of a ConfD job, from the answers of job_desc and job_help (CONFD-32, CONFD-33, CONFD-34)."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from typing import Any, Optional

from ..api.jobs import KINDS, JobHelp, Parameter


def from_desc(job: str, answer: Any) -> Optional[JobHelp]:
    """The help in an answer of job_desc: `[True, [text, mandatory, optional, substitutes, users, groups, ...]]`.

    Each item may be nil. None if the answer has another form.
    """
    if not isinstance(answer, list) or len(answer) < 2 or answer[0] is not True:
        return None
    items = answer[1]
    if not isinstance(items, list) or len(items) < 4:
        return None
    text, mandatory, optional, substitutes, users, groups = [*items, None, None][:6]
    if not all(item is None or isinstance(item, dict) for item in (mandatory, optional, substitutes)):
        return None
    return _made(job, text, mandatory, optional, substitutes, users, groups)


HEADINGS = {
    "Description": "text",
    "Mandatory parameters": "mandatory",
    "Optional parameters": "optional",
    "Substitute parameters": "substitutes",
    "Allowed users": "users",
    "Allowed groups": "groups",
}


def from_help(job: str, answer: Any) -> Optional[JobHelp]:
    """The help in the text of job_help; None if the text has another form."""
    if not isinstance(answer, str):
        return None
    pattern = "|".join(re.escape(heading) for heading in HEADINGS)
    parts = re.split(rf"^[ \t]*({pattern})[ \t]*:", answer, flags=re.MULTILINE)
    found = {HEADINGS[parts[at]]: parts[at + 1].strip() for at in range(1, len(parts) - 1, 2)}
    if "mandatory" not in found and "optional" not in found:
        return None
    mandatory, optional = _table(found.get("mandatory", "")), _table(found.get("optional", ""))
    if mandatory is None or optional is None:
        return None
    rest = {key: _literal(found.get(key, "")) for key in ("text", "substitutes", "users", "groups")}
    text = rest["text"] if isinstance(rest["text"], str) else found.get("text", "")
    return _made(job, text, mandatory, optional, rest["substitutes"], rest["users"], rest["groups"])


def _literal(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes that Python doesn't know
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _table(text: str) -> Optional[dict[str, Any]]:
    """Parameters by name. Of a text that was cut, as the printed help is, what can still be read of each."""
    if text in ("", "None", "{}"):
        return {}
    found = _literal(text)
    if isinstance(found, dict):
        return found
    rows = re.split(r"['\"](\w+)['\"]\s*:\s*\{", text)
    if len(rows) < 3:
        return None
    table: dict[str, Any] = {}
    for name, row in zip(rows[1::2], rows[2::2]):
        kinds = re.search(r"['\"]type['\"]\s*:\s*(\"[^\"]*\"|\S+)", row)
        described = re.search(r"['\"]desc['\"]\s*:\s*(.*?)(['\"]type['\"]\s*:|$)", row, re.DOTALL)
        words = " ".join(re.sub(r"['\"]\s*\n\s*['\"]?", "", described[1] if described else "").split())
        table[name] = {"desc": words.strip("'\", "), "type": kinds[1] if kinds else ""}
    return table


def _made(job: str, text: Any, mandatory: Any, optional: Any, substitutes: Any, users: Any, groups: Any) -> JobHelp:
    parameters: dict[str, Parameter] = {}
    for table, needed in ((mandatory, True), (optional, False)):
        for name, row in (table or {}).items():
            told = row if isinstance(row, dict) else {"desc": row}
            words = " ".join(str(told.get("desc") or "").split())
            known = _word(name)
            parameters.setdefault(known, Parameter(known, words, _kinds(told.get("type")), needed))
    stand_ins = {
        _word(name): [_word(other) for other in (names if isinstance(names, (list, tuple)) else [names])]
        for name, names in (substitutes.items() if isinstance(substitutes, Mapping) else ())
    }
    for name, others in stand_ins.items():  # some parameters are named only there
        for other in (name, *others):
            parameters.setdefault(other, Parameter(other))
    words = "" if text is None else " ".join(str(text).split())
    return JobHelp(job, words, parameters, stand_ins, _names(users), _names(groups))


def _names(found: Any) -> list[str]:
    return [_word(name) for name in found] if isinstance(found, (list, tuple)) else []


def _word(name: Any) -> str:
    return " ".join(str(name).split())


def _kinds(told: Any) -> tuple[str, ...]:
    """`("str",)` from `"(<class 'str'>,)"`, from `"str"`, or from a list of these."""
    words = told if isinstance(told, (list, tuple)) else [told]
    found = [word for item in words for word in re.findall(r"\w+", str(item)) if word in KINDS]
    return tuple(dict.fromkeys(found))

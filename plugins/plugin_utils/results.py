# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task's result for people: sentences, without the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..module_utils._foreign import visible

STREAMS = (("stderr", "module_stderr"), ("stdout", "module_stdout"))
"""The keys of a program's output: of each pair, the second if the first is empty."""

UNTOLD = "the module failed and gave no reason"

NO_TRACEBACK = "(traceback unavailable)"

PLAIN_ASSERT = "Assertion failed"
"""The message of an `assert` without `fail_msg`."""


def text_of(value: Any) -> str:
    """A value as a text for people."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return "\n".join(map(str, value))
    return json.dumps(value, ensure_ascii=False, default=str)


def reason(result: Mapping[str, Any]) -> list[str]:
    """Why a task failed: a sentence, and lines with details.

    :param result: the result as callbacks get it, without the contents of a task with C(no_log).
    """
    said = next((text_of(result[name]) for name in ("msg", "reason", "censored") if result.get(name)), "")
    # Behind a message of its own, an assertion is an expression of whoever wrote the task.
    names = ("hint", "assertion") if said in ("", PLAIN_ASSERT) else ("hint",)
    more = [f"{name}: {text_of(result[name])}" for name in names if result.get(name)]
    for names in STREAMS:
        found = [line for name in names for line in str(result.get(name) or "").splitlines() if line.strip()]
        if found:
            more += found
            break
    exception = str(result.get("exception") or "").strip().splitlines()
    last = exception[-1].strip() if exception else ""
    if last and last != NO_TRACEBACK and not any(last in text for text in (said, *more)):
        more.append(last)
    if not said and not more:
        data = {name: value for name, value in result.items() if not name.startswith("_") and name != "invocation"}
        more = [text_of(data)]
    code = f" (exit code {result['rc']})" if result.get("rc") else ""
    first, *rest = (said or UNTOLD).splitlines()
    return [f"{first}{code}", *rest, *more]


def diff_as_text(diff: Any) -> Any:
    """A diff for ansible-core, whose lines a terminal shows literally. Tabs are kept, because files contain them."""
    if isinstance(diff, list):
        return [diff_as_text(one) for one in diff]
    if not isinstance(diff, Mapping):
        return diff
    return {name: _lines_as_text(value) if isinstance(value, str) else value for name, value in diff.items()}


def _lines_as_text(text: str) -> str:
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))

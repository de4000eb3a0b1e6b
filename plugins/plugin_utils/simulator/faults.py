# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults as data: which call or machine misbehaves, how, how often. Each product has its own faults of machines."""

from __future__ import annotations

import itertools
import random
import threading
from dataclasses import asdict, dataclass, field
from typing import Any, Callable

ON_CALLS = {
    "refuse": "the listener refuses connections: at once with method '*', else from the first matching call on; "
    "for `seconds`, or until the fault is deleted",
    "reset": "the connection is cut before the call is carried out",
    "reset_after": "the call is carried out, then the connection is cut: the answer is lost",
    "hang": "the call isn't carried out and no answer comes until the client gives up",
    "truncate": "the call is carried out; variant 'short' sends fewer bytes than announced, "
    "'xml' (or 'json') a well-formed HTTP answer with half of the XML or JSON",
    "html": "a proxy's HTML page comes instead of an answer, the call isn't carried out; `status` is 502 by default",
    "unauthorized": "401, the call isn't carried out",
    "server_error": "500, the call isn't carried out",
    "fault": "the call isn't carried out; the answer is the API's own error with `text` (and `status` if it has one)",
    "wrong_state": "the call isn't carried out; `value` is its answer",
    "slow": "the call is carried out after `delay` seconds",
}


_WORDS = ("kind", "method", "object", "text", "variant", "state")
_LONGEST = 365 * 24 * 3600
"""The most real seconds of a fault: less than the limit of any timer."""


class FaultError(ValueError):
    """A rule that can't be understood; the message is one sentence."""


@dataclass
class Fault:
    """One rule. `delay` and `seconds` are real seconds; `after` skips the first N matches."""

    kind: str
    method: str = "*"
    object: str = "*"
    probability: float = 1.0
    max_count: int | None = None
    after: int = 0
    delay: float = 0.0
    seconds: float | None = None
    text: str = ""
    value: Any = None
    status: int | None = None
    variant: str = "short"
    state: str = ""
    exit_code: int | None = None
    id: int = 0
    matched: int = field(default=0)
    hit: int = field(default=0)


def parse(data: Any, on_machines: dict[str, str]) -> Fault:
    """A fault from its JSON, for a call or for a machine of the product. Raises FaultError with what is wrong."""
    if not isinstance(data, dict):
        raise FaultError("A fault must be a mapping with at least `kind`.")
    known = {name for name in Fault.__dataclass_fields__ if name not in ("id", "matched", "hit")}
    unknown = sorted(set(data) - known)
    if unknown:
        raise FaultError(f"A fault has no {', '.join(unknown)}; it may have {', '.join(sorted(known))}.")
    wordless = [name for name in _WORDS if not isinstance(data.get(name, ""), str)]
    if wordless:
        raise FaultError(f"A fault's {', '.join(wordless)} must be a text.")
    kinds = {**ON_CALLS, **on_machines}
    if data.get("kind") not in kinds:
        raise FaultError(f"The fault kind {data.get('kind')!r} is not one of: {', '.join(kinds)}.")
    try:
        fault = Fault(**data)
        fault.probability, fault.delay = float(fault.probability), float(fault.delay)
        fault.after = int(fault.after)
        fault.status = None if fault.status is None else int(fault.status)
        fault.exit_code = None if fault.exit_code is None else int(fault.exit_code)
        fault.max_count = None if fault.max_count is None else int(fault.max_count)
        fault.seconds = None if fault.seconds is None else float(fault.seconds)
    except (TypeError, ValueError, OverflowError) as error:
        raise FaultError(f"A fault's number can't be read: {error}.") from None
    if not all(0 <= seconds <= _LONGEST for seconds in (fault.delay, fault.seconds or 0)):
        raise FaultError(f"The delay and the seconds of a fault must be 0 to {_LONGEST}.")
    if fault.kind == "truncate" and fault.variant not in ("short", "xml", "json"):
        raise FaultError("The variant of truncate must be 'short' or 'xml' ('json' is the same).")
    if fault.kind == "dies" and fault.object == "*":
        raise FaultError("A fault of kind dies must name its object.")
    return fault


class Faults:
    """The active faults. The random numbers of `probability` have a seed: the same calls meet the same faults."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._random = random.Random(seed)
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            fault.id = next(self._ids)
            self._rules.append(fault)
        return fault

    def remove(self, fault_id: int | None = None) -> int:
        """Removes one fault, or all; returns how many were removed."""
        with self._lock:
            kept = [] if fault_id is None else [rule for rule in self._rules if rule.id != fault_id]
            gone = len(self._rules) - len(kept)
            self._rules = kept
        return gone

    def rows(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def standing(self, kind: str, names: tuple[str, ...]) -> Fault | None:
        """A fault that acts until it is removed. This doesn't count as a match."""
        for rule in self._rules:
            if rule.kind == kind and (rule.object == "*" or rule.object in names):
                return rule
        return None

    def on_call(self, method: str | tuple[str, ...], names: tuple[str, ...]) -> Fault | None:
        """The fault for a call. `method`: every name by which a fault may name the call."""
        methods = (method,) if isinstance(method, str) else method
        return self._draw(ON_CALLS, methods, names) if self._rules else None

    def on_machine(
        self, kind: str, names: tuple[str, ...], fits: Callable[[Fault], bool] | None = None
    ) -> Fault | None:
        return self._draw((kind,), None, names, fits) if self._rules else None

    def _draw(
        self,
        kinds: Any,
        methods: tuple[str, ...] | None,
        names: tuple[str, ...],
        fits: Callable[[Fault], bool] | None = None,
    ) -> Fault | None:
        with self._lock:
            for rule in self._rules:
                if rule.kind not in kinds or (methods is not None and rule.method not in ("*", *methods)):
                    continue
                if (rule.object != "*" and rule.object not in names) or (fits is not None and not fits(rule)):
                    continue
                rule.matched += 1
                if rule.matched <= rule.after or (rule.max_count is not None and rule.hit >= rule.max_count):
                    continue
                if rule.probability < 1.0 and self._random.random() >= rule.probability:
                    continue
                rule.hit += 1
                return rule
        return None

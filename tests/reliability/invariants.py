# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold in any weather. Each function says what is wrong, and nothing where all is well."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import Counter
from enum import Enum
from typing import Any
from urllib.parse import quote, quote_plus

from ansible_collections.dbfleet.cluster.tests.reliability.orders import Order
from ansible_collections.dbfleet.cluster.tests.reliability.place import ELSEWHERE, PASSWORD, Place
from ansible_collections.dbfleet.cluster.tests.reliability.runs import HOST, Told
from ansible_collections.dbfleet.cluster.tests.reliability.worlds import STRANGER


class Wrong(Enum):
    """What a run may be found guilty of."""

    RULE = "broken rules"
    LIE = "lies"
    LEAK = "leaks"
    STUCK = "not converged"
    CRUDE = "failures that aren't one clear sentence"
    PROMISE = "previews that weren't kept"
    STRANGER = "changes of what was not named"


class Broken(AssertionError):
    """One of them does not hold."""

    def __init__(self, wrong: Wrong, text: str) -> None:
        super().__init__(f"{wrong.value}: {text}")
        self.wrong = wrong


BY_OTHERS = {"archives-started-in-part", "changed-while-master-moved"}
"""Rules that a kill breaks by itself, or somebody else: a master that is to be another answers as ever."""

SECRETS = (PASSWORD, "p4ssw0rd")
"""The password of the API, and that of a remote volume."""

FORMS = {
    form
    for secret in SECRETS
    for form in (
        secret, quote(secret), quote_plus(secret), json.dumps(secret)[1:-1], b64encode(secret.encode()).decode(),
        b64encode(f"admin:{secret}".encode()).decode(), secret[::-1], secret.encode().hex(),
    )
}  # fmt: skip
"""How a secret could be written."""

CRUDE = ("Traceback", "unexpected error", "object at 0x", "Exception", "NoneType", "KeyError", "Error(", "<class")


def broken_rules(place: Place, order: Order) -> list[str]:
    """Safety rules that the simulator saw broken."""
    allowed = BY_OTHERS | order.allowed
    return [text for text in place.rules if text.partition(":")[0] not in allowed]


def lie(place: Place, order: Order, told: Told) -> list[str]:
    """A run that says that it went well must have what it was asked for, in the simulator itself.

    What the server doesn't show isn't compared, and the result names it. Without a key-value store there is no lease,
    and a warning says so. A cluster that says nothing at all is down where
    the user says so.
    """
    if not place.heard and "down" in order.program.given.values():
        return []
    if order.name == "nuodb_lease" and told.result.get("warnings"):
        return []
    holds = order.without(told.result.get("not_compared") or [])
    return ["what was asked for isn't there"] if told.is_ok and not holds(place) else []


def leak(shown: str) -> list[str]:
    """A secret in any form. What is told doesn't repeat it."""
    return ["a secret is shown"] if any(form in shown for form in FORMS) else []


def shown_by(told: Told) -> str:
    return json.dumps(told.result, default=str, ensure_ascii=False) + "\n".join(told.lines)


def went_elsewhere(place: Place) -> list[str]:
    """A password that follows a redirect is in the hands of somebody else."""
    return ["a call went where a redirect led"] if ELSEWHERE in place.asked else []


def crude(told: Told) -> list[str]:
    """A failure is one sentence that names the object and the cause."""
    if told.is_ok:
        return []
    text = str(told.result.get("msg") or "").strip()
    cause = text.replace(HOST, "").strip(" :")
    found = []
    if "\n" in text:
        found.append("it has several lines")
    if HOST not in text:
        found.append("it doesn't name the cluster")
    if len(cause.split()) < 3:
        found.append("it names no cause")
    return found + [f"it says {word}" for word in CRUDE if word in text]


JOB = re.compile(r" \d+\.\d+$")
"""The ID of a job, which no preview knows."""


def steps(told: Told) -> Counter[tuple[str, str]]:
    """What a run did, or what a preview promises."""
    rows = [row for row in told.result.get("found", {}).values() if not row.get("foreseen")] or [told.result]
    found = [step for row in rows if isinstance(row, dict) for step in row.get("steps", []) if "object" in step]
    return Counter((str(step["object"]).partition("/")[0], JOB.sub("", step["step"])) for step in found)


def promise(order: Order, foretold: Told, done: Told) -> list[str]:
    """What a preview promised is what the run did. That of C(in) takes for granted that the node or server is out."""
    if order.state == "in" or not (foretold.is_ok and done.is_ok) or steps(foretold) == steps(done):
        return []
    return [f"promised {sorted(steps(foretold).items())}, done {sorted(steps(done).items())}"]


def stranger(place: Place) -> dict[str, Any]:
    """All that there is of the database that no order names."""
    name, state = STRANGER[place.provider], place.state()
    if place.provider != "nuodb":
        return {part: state.get(part, {}).get(name) for part in ("databases", "backups", "schedules")}
    own = {number: row for number, row in state["archives"].items() if row["db_name"] == name}
    there = {text: count for text, count in state["engines"].items() if text.startswith(f"{name} ")}
    return {"database": state["databases"].get(name), "archives": own, "engines": there}


def touched(place: Place, order: Order) -> list[str]:
    """A call that changes what was not named."""
    if order.is_of_all:
        return []
    words = {word for call in place.changes for word in call.replace("'", " ").replace("/", " ").split()}
    return [f"a call changed {STRANGER[place.provider]}"] if STRANGER[place.provider] in words else []


def idempotent(place: Place, order: Order) -> list[str]:
    """Where all is there, a run changes nothing."""
    return [] if order.repeats or not place.changes else [f"it was there already, and was asked for: {place.changes}"]

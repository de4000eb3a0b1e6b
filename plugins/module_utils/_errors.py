# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few kinds of failure, and how each becomes one sentence.

Every message names the cluster, the object, the call and the cause. Nothing here knows a protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Optional

from ._foreign import shown

NUMBERED = re.compile(r" \[(DBF-\d{4}(?: DBF-\d{4})*)\]")


def numbered(text: str, number: str) -> str:
    """A sentence with the number of its kind behind it, by which docs/messages.md explains it.

    A sentence that repeats another one keeps the number of that: there is the cause.
    """
    return text if not number or NUMBERED.search(text) else f"{text} [{number}]"


def numbers_in(text: str) -> str:
    """The numbers that a sentence has, none twice."""
    found = [one for numbers in NUMBERED.findall(text) for one in numbers.split()]
    return all_of(found)


def all_of(numbers: Iterable[str]) -> str:
    """Several numbers as one text, none twice."""
    return " ".join(dict.fromkeys(one for text in numbers for one in text.split()))


def failure(text: str, number: str, kind: str = "") -> dict[str, Any]:
    """The result of a task that fails with this sentence.

    :param kind: as `failure` names it; empty where it has none.
    """
    said = numbered(text, number)
    named = {"failure": kind} if kind else {}
    return {"failed": True, **named, "msg": said, "message_number": numbers_in(said)}


class ClusterError(Exception):
    """A failure that is said to the user in one sentence, never as a traceback.

    :param message: the sentence.
    :param hint: what to do about it, where something can be done.
    :param failed_object: the object concerned, as the vendor names it.
    :param last_state: the last state of that object that was seen.
    :param number: of its kind in docs/messages.md, where that isn't the one of its class.

    `partly` is set where another call of the same step went well before, `unsent` where a changing call certainly
    was not carried out, `fleeting` where a server answered, and the answer was cut off or can't be read.
    """

    partly = False
    unsent = False
    fleeting = False
    number = "DBF-7001"

    def __init__(
        self,
        message: str,
        hint: Optional[str] = None,
        failed_object: Optional[str] = None,
        last_state: Any = None,
        number: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.number = self.number if number is None else number
        self.message = message
        self.hint = hint
        self.failed_object = failed_object
        self.last_state = last_state
        self.result: dict[str, Any] = {}

    def __str__(self) -> str:
        return self.message  # which grows on its way: a cause is added

    def of(self, cluster: str) -> ClusterError:
        """This error, with the cluster's name in front where it isn't there yet."""
        if cluster and not self.message.startswith(f"{cluster}: "):
            self.message = f"{cluster}: {self.message}"
        return self

    def as_result(self) -> dict[str, Any]:
        """What a failed task returns: `msg`, `message_number`, `failure` (as `timed_out`), and what else is known."""
        known = {"hint": self.hint, "failed_object": self.failed_object, "last_state": self.last_state}
        result = {**self.result, **{key: value for key, value in known.items() if value is not None}}
        kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
        said = numbered(shown(self.message), self.number)
        return {"msg": said, "message_number": numbers_in(said), "failure": kind, **result}


class Unreachable(ClusterError):
    """Nobody answered a read at any of the URLs, or a proxy answered in the server's place.

    :param hung: something took the connection and then said nothing: not an answer, but not silence either.
    :param silent: nothing took the connection, as where a machine is off.
    :ivar before: what answered an earlier read of the same task; empty where nothing did.
    """

    number = "DBF-1001"

    def __init__(self, message: str, hung: bool = False, silent: bool = False, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.hung = hung
        self.silent = silent
        self.before = ""


class Untrusted(ClusterError):
    """TLS failed: unknown CA, other fingerprint, wrong name, refused client certificate."""

    number = "DBF-1101"


class AnswerLost(ClusterError):
    """A changing call was sent, or may have been, and its answer never came: it may have been carried out."""

    number = "DBF-1006"


class NotSent(AnswerLost):
    """A changing call that no connection was there for: it certainly was not carried out, and may be sent again."""

    unsent = True
    number = "DBF-1007"


class Denied(ClusterError):
    """The server knows us or not, and does not let us (HTTP 401, 403, Unauthorized).

    :param known: whether the server took the password, so that it may allow other calls.
    """

    number = "DBF-2002"

    def __init__(self, message: str, known: bool = True, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.known = known


class Garbled(ClusterError):
    """What came back isn't what the protocol promises (HTML, truncated XML)."""

    fleeting = True
    number = "DBF-1004"


class Fault(ClusterError):
    """The server understood and said no.

    :param text: the server's own words.
    """

    number = "DBF-5001"

    def __init__(self, message: str, text: str = "", **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.text = text


class NoSuchObject(Fault):
    """The server has no such object or call."""

    number = "DBF-3001"


class Refused(ClusterError):
    """We won't: it is dangerous now. The message says what was found, why that matters and what overrides it.

    It has no number but that of the rule, which each one names.
    """

    number = ""


class Unsupported(ClusterError):
    """The cluster's API has no call for it. The message says so, and what to do instead."""

    number = "DBF-3004"


class TimedOut(ClusterError):
    """The deadline passed. Carries the last state."""

    number = "DBF-4001"


class Failed(ClusterError):
    """A wait that can't succeed any more. Carries the last state."""

    number = "DBF-5011"

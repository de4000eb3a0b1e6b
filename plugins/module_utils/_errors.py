# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of failure, and the one sentence that each becomes.

Every message names the cluster, the object, the call and the cause. Nothing here knows a protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Optional

from ._foreign import shown

NUMBERED = re.compile(r" \[(DBF-\d{4}(?: DBF-\d{4})*)\]")


def numbered(text: str, number: str) -> str:
    """A sentence, followed by the number of its kind. docs/messages.md explains the numbers.

    A sentence that quotes another numbered sentence keeps the number of that one, because that one is the cause.
    """
    return text if not number or NUMBERED.search(text) else f"{text} [{number}]"


def numbers_in(text: str) -> str:
    """The numbers in a sentence, each once."""
    found = [one for numbers in NUMBERED.findall(text) for one in numbers.split()]
    return all_of(found)


def all_of(numbers: Iterable[str]) -> str:
    """Several numbers as one text, each once."""
    return " ".join(dict.fromkeys(one for text in numbers for one in text.split()))


def failure(text: str, number: str, kind: str = "") -> dict[str, Any]:
    """The result of a task that fails with this sentence.

    :param kind: the value of `failure` in the result; empty if the failure has none.
    """
    said = numbered(text, number)
    named = {"failure": kind} if kind else {}
    return {"failed": True, **named, "msg": said, "message_number": numbers_in(said)}


class ClusterError(Exception):
    """A failure that the user sees as one sentence, never as a traceback.

    :param message: the sentence.
    :param hint: the next step, if there is one.
    :param failed_object: the object concerned, as the vendor names it.
    :param last_state: the last state of that object that was seen.
    :param number: the number in docs/messages.md, if it isn't that of the class.

    `partly` is set if an earlier call of the same step succeeded, `unsent` if a changing call certainly was not
    carried out, `fleeting` if a server answered, and the answer was cut off or can't be read.
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
        return self.message  # not that of args: callers add a cause to `message`

    def of(self, cluster: str) -> ClusterError:
        """This error, with the cluster's name in front, if the message doesn't begin with it yet."""
        if cluster and not self.message.startswith(f"{cluster}: "):
            self.message = f"{cluster}: {self.message}"
        return self

    def as_result(self) -> dict[str, Any]:
        """The result of a failed task: `msg`, `message_number`, `failure` (such as `timed_out`), and more if known."""
        known = {"hint": self.hint, "failed_object": self.failed_object, "last_state": self.last_state}
        result = {**self.result, **{key: value for key, value in known.items() if value is not None}}
        kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
        said = numbered(shown(self.message), self.number)
        return {"msg": said, "message_number": numbers_in(said), "failure": kind, **result}


class Unreachable(ClusterError):
    """No server answered a read at any of the URLs, or a proxy answered in the server's place.

    :param hung: something accepted the connection and then sent nothing, so the machine may be on.
    :param silent: nothing accepted the connection, as with a machine that is off.
    :ivar before: which URL answered an earlier read of the same task; empty if none did.
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
    """A changing call was sent, or may have been sent, and no answer came. The server may have carried it out."""

    number = "DBF-1006"


class NotSent(AnswerLost):
    """There was no connection for a changing call. It certainly was not carried out, and may be sent again."""

    unsent = True
    number = "DBF-1007"


class Denied(ClusterError):
    """The server refuses the user, or refuses the call to this user (HTTP 401, 403, Unauthorized).

    :param known: whether the server accepted the password, so that it may allow other calls.
    """

    number = "DBF-2002"

    def __init__(self, message: str, known: bool = True, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.known = known


class Garbled(ClusterError):
    """The answer doesn't have the form that the protocol requires (HTML, truncated XML)."""

    fleeting = True
    number = "DBF-1004"


class Fault(ClusterError):
    """The server understood the call and refused it.

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
    """A refusal, because the change is dangerous now. It states what was found, why it matters, and what overrides it.

    The class has no number: each refusal names the number of its rule.
    """

    number = ""


class Unsupported(ClusterError):
    """The cluster's API has no call for this. The message also states what to do instead."""

    number = "DBF-3004"


class TimedOut(ClusterError):
    """The deadline passed. `last_state` is set."""

    number = "DBF-4001"


class Failed(ClusterError):
    """A wait that can't succeed any more. `last_state` is set."""

    number = "DBF-5011"

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One object in a stage, and its state as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, Optional

from .._errors import AnswerLost, ClusterError, Failed, Fault, Garbled, TimedOut
from .._timeline import DUE, FAILED, THERE, WAITS
from .pace import TURN
from .stage import Act, Decision, Done, Fail, History, Wait


@dataclass
class ObjectRun:
    """The course of one object through a stage.

    :param joined: it was on its way before this run sent anything, and this run waited for it.
    :param opposed: it was on its way in the other direction before this run sent anything.
    :param undone: it had reached the end state, and then lost it.
    """

    name: str
    before: Any = None
    state: Any = None
    decision: Decision = field(default_factory=Done)
    history: History = field(default_factory=History)
    reading: bool = False
    stale: bool = False
    calling: bool = False
    sent: dict[str, int] = field(default_factory=dict)
    sent_at: float = 0.0
    shows_at_once: bool = False
    unchanged_since: float = 0.0
    lost: str = ""
    lost_number: str = ""
    fault: Optional[Fault] = None
    moved: bool = False
    trouble: str = ""
    good_since: Optional[float] = None
    finished: bool = False
    joined: bool = False
    way: float = 0.0
    read_at: float = 0.0
    opposed: bool = False
    undone: bool = False
    steps: list[dict[str, Any]] = field(default_factory=list)

    def is_fresh(self, since: float) -> bool:
        """Whether it has reached the end state, and was read since that time."""
        return self.finished and self.read_at >= since

    @property
    def is_half_way(self) -> bool:
        """Whether another step must follow."""
        is_due = self.opposed and isinstance(self.decision, Act) and not self.sent
        return is_due or bool(getattr(self.decision, "then", ()))

    def status(self, words: str) -> str:
        """The state of a waiting object, with its trouble, for a progress line.

        :param words: its state in words.
        """
        words = self.decision.why if isinstance(self.decision, Wait) else words
        words = f"{words}, but not long enough yet" if isinstance(self.decision, Done) else words
        if isinstance(self.decision, Act) and self.opposed and not self.sent:
            words = f"{words}, not by this run; the next step follows when this state has lasted {TURN:g} s"
        lost = "" if isinstance(self.decision, Wait) else self.lost  # it is on its way: the server did carry it out
        trouble = self.trouble or lost or (self.fault.message if self.fault else "")
        return f"{words}; {trouble}" if trouble else words

    @property
    def how(self) -> str:
        """How the object is, as a word of the timeline."""
        return next(word for kind, word in HOW.items() if isinstance(self.decision, kind))


HOW = {Done: THERE, Wait: WAITS, Act: DUE, Fail: FAILED}
"""The word of the timeline, by the class of the decision."""


def is_no(error: Optional[Exception]) -> bool:
    """Whether this error proves that the call did nothing: the server refused it, or it was never sent."""
    unknown = (AnswerLost, Garbled, Failed, TimedOut)
    return isinstance(error, ClusterError) and not error.partly and (error.unsent or not isinstance(error, unknown))


def plain(objects: list[ObjectRun]) -> Any:
    """The states as plain data: of one object its state, of several a dictionary by name."""
    states = {one.name: _data(one.state) for one in objects}
    return states if len(states) > 1 else next(iter(states.values()))


def _data(state: Any) -> Any:
    """A state as a result may contain it: ansible-core refuses to show objects."""
    if hasattr(state, "as_dict"):
        return state.as_dict()
    return asdict(state) if is_dataclass(state) and not isinstance(state, type) else state

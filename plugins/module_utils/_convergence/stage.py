# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The classes with which every module describes its objects: what is wanted, what to do, what was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union

from .pace import PollInterval
from .workers import gather

SOMEBODY = "somebody else works against this run: agree with them, then run it again"
"""The hint if another run undoes what this run did."""


@dataclass(frozen=True)
class Done:
    """The object is in the wanted state."""


@dataclass(frozen=True)
class Wait:
    """The object is on its way, or something else must happen first. The run looks again.

    :param why: what is going on, in words.
    :param then: the steps that follow later, for a preview.
    :param by_this_run: whether another step of this run must happen first.
    :param against: whether the object goes in the other direction, because of somebody else or of a killed run. If
        somebody else works on it, their next step follows at once. So this run waits a while before it sends its own.
    """

    why: str
    then: tuple[str, ...] = ()
    by_this_run: bool = False
    against: bool = False


@dataclass(frozen=True)
class Act:
    """The object needs a call.

    :param name: the step, unique for the object within a run (`start`).
    :param call: makes the call.
    :param together: takes names, and makes one call for all objects that need this step at the same time. `call` is not
        used then.
    :param then: the steps that follow later, for a preview.
    :param again: the step that this one repeats under another name. The plan shows that name.
    :param shows_at_once: whether the effect of the call is visible at once. If the answer is lost, the time since the
        call was sent then counts as time without a change.
    """

    name: str
    call: Callable[[], Any]
    together: Optional[Callable[[list[str]], Any]] = None
    then: tuple[str, ...] = ()
    shows_at_once: bool = False
    again: str = ""

    @property
    def planned(self) -> str:
        """The name of the step in a plan."""
        return self.again or self.name


@dataclass(frozen=True)
class Fail:
    """The object can't reach the wanted state, or the run refuses to take it there.

    :param why: what was found, and why the run stops.
    :param hint: the next step, with the option that overrides a refusal.
    :param number: the number of the rule in docs/messages.md.
    """

    why: str
    hint: Optional[str] = None
    number: str = ""


Decision = Union[Done, Wait, Act, Fail]


@dataclass
class History:
    """What this run has done to one object so far.

    :param first: the first state that this run saw.
    :param unsure: the last call was refused, or its answer was lost, so somebody else may have caused the state.
    """

    first: Any = None
    acted: list[str] = field(default_factory=list)
    joined: bool = False
    unsure: bool = False


@dataclass(frozen=True)
class Each:
    """Each object is read by itself, in parallel, so that a hanging answer delays no other object.

    :param read: takes a name; returns the state.
    """

    read: Callable[[str], Any]

    def look(self, names: list[str]) -> dict[str, Any]:
        """The states of these objects, by name."""
        return gather(names, self.read)


@dataclass(frozen=True)
class Together:
    """One call reads several objects.

    :param read: takes names; returns the states by name.
    """

    read: Callable[[list[str]], dict[str, Any]]

    def look(self, names: list[str]) -> dict[str, Any]:
        """The states of these objects, by name."""
        return self.read(names)


class Stage:
    """Objects that a run takes to the same state together.

    :param noun: the kind of the objects, plural (`nodes`).
    :param done: the end state, in one word (`online`).
    :param names: the names of the objects.
    :param read: reads their states from the cluster.
    :param decide: takes name, state and history of an object; returns what to do. It makes no call.
    :param words: returns a state in words.
    :param target: returns the state that check mode predicts.
    :param guard: raises Refused if it is dangerous to begin. It reads the cluster afresh, just before the first call.
    :param causes: returns the server's reason why an object doesn't reach the end state.
    :param follow: returns messages of the server to show during the wait.
    :param falls_back: whether an object has failed if it returns to its first state after a step.
    :param steady: seconds for which the end state must last, even if `wait_stable` is shorter.
    :param poll: how often to look.
    :param way: returns the progress of a state whose duration is unknown, as a number that goes up; None for other
        states. The wait doesn't end while this progress goes on.
    """

    def __init__(
        self,
        *,
        noun: str,
        done: str,
        names: list[str],
        read: Union[Each, Together],
        decide: Callable[[str, Any, History], Decision],
        words: Callable[[Any], str] = str,
        target: Callable[[str, Any], Any] = lambda name, state: state,
        guard: Optional[Callable[[], None]] = None,
        causes: Optional[Callable[[str], str]] = None,
        follow: Optional[Callable[[], list[str]]] = None,
        falls_back: bool = False,
        steady: float = 0.0,
        poll: Optional[PollInterval] = None,
        way: Callable[[Any], Optional[float]] = lambda _state: None,
    ) -> None:
        self.noun = noun
        self.done = done
        self.names = names
        self.read = read
        self.decide = decide
        self.words = words
        self.target = target
        self.guard = guard
        self.causes = causes
        self.follow = follow
        self.falls_back = falls_back
        self.steady = steady
        self.poll = poll or PollInterval()
        self.way = way

    @property
    def unreached(self) -> str:
        """The words for an object that hasn't reached the end state: `not online`, `still running`."""
        return f"still {self.done[4:]}" if self.done.startswith("not ") else f"not {self.done}"

    def look(self, names: list[str]) -> dict[str, Any]:
        """The states of these objects, by name."""
        return self.read.look(names)

    def one(self, name: str) -> Any:
        """The state of one object."""
        return self.look([name])[name]


@dataclass
class Settings:
    """The options of the `wait` fragment, in seconds."""

    wait: bool = True
    timeout: float = 1800.0
    stable: float = 0.0
    heartbeat: float = 30.0


def has_changed(steps: list[dict[str, Any]]) -> bool:
    """Whether these steps changed something. A step marked `refused` did not."""
    return any(not step.get("refused") for step in steps)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words in which every module describes its objects: what is wanted, what is to be done, what was done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union

from .pace import PollInterval
from .workers import gather

SOMEBODY = "somebody else works against this run: agree with them, then run it again"
"""What to do where another run takes away what this one has brought about."""


@dataclass(frozen=True)
class Done:
    """The object is as it should be."""


@dataclass(frozen=True)
class Wait:
    """It is on its way, or something else has to happen first; look again.

    :param why: what is going on, in words.
    :param then: the steps that will follow by themselves, for a preview.
    :param by_this_run: whether what has to happen first is another step of this run.
    :param against: whether it goes the other way than this run wants: somebody else's work, or that of a killed run.
        Who does that goes on with the next step as soon as it is over, so ours isn't sent before that is seen.
    """

    why: str
    then: tuple[str, ...] = ()
    by_this_run: bool = False
    against: bool = False


@dataclass(frozen=True)
class Act:
    """Something is to be called.

    :param name: the step, unique for the object within a run (`start`).
    :param call: makes the call.
    :param together: makes one call for all objects that want the same step at the same time, by their names; `call`
        isn't made then.
    :param then: the steps that will follow by themselves, for a preview.
    :param again: the step that this one makes once more, where it has a name of its own; the plan names that one.
    :param shows_at_once: whether what was carried out is seen at once, so that the time until the answer was lost
        counts as time in which nothing has changed.
    """

    name: str
    call: Callable[[], Any]
    together: Optional[Callable[[list[str]], Any]] = None
    then: tuple[str, ...] = ()
    shows_at_once: bool = False
    again: str = ""

    @property
    def planned(self) -> str:
        """What a plan calls it."""
        return self.again or self.name


@dataclass(frozen=True)
class Fail:
    """It can't get there, or we won't take it there.

    :param why: what was found, and why it stops us.
    :param hint: what to do about it, with the option that overrides a refusal.
    :param number: of the rule, in docs/messages.md.
    """

    why: str
    hint: Optional[str] = None
    number: str = ""


Decision = Union[Done, Wait, Act, Fail]


@dataclass
class History:
    """What this run has done to one object so far.

    :param first: the state in which it was found.
    :param unsure: its last call was refused, or the answer lost: what is there since may be another's.
    """

    first: Any = None
    acted: list[str] = field(default_factory=list)
    joined: bool = False
    unsure: bool = False


@dataclass(frozen=True)
class Each:
    """The objects are read one by one, side by side: one whose answer hangs holds no other up.

    :param read: the state of one.
    """

    read: Callable[[str], Any]

    def look(self, names: list[str]) -> dict[str, Any]:
        """The states of these objects, by name."""
        return gather(names, self.read)


@dataclass(frozen=True)
class Together:
    """The server tells of several objects in one go.

    :param read: the states of these, by name.
    """

    read: Callable[[list[str]], dict[str, Any]]

    def look(self, names: list[str]) -> dict[str, Any]:
        """The states of these objects, by name."""
        return self.read(names)


class Stage:
    """Objects that are taken to a state together.

    :param noun: plural (`nodes`).
    :param done: what they are when all is well, in one word (`online`).
    :param names: which objects.
    :param read: how their states are read from the cluster.
    :param decide: what to do about one; pure.
    :param words: a state in words.
    :param target: the state that is predicted under check mode.
    :param guard: raises Refused when it would be dangerous to begin; reads afresh, just before the first call.
    :param causes: what the server says of why an object does not get there.
    :param follow: lines of the server's own to show meanwhile.
    :param falls_back: whether an object that returns to where it was started from has failed.
    :param steady: seconds that the end state must hold, whatever the user's `wait_stable`.
    :param poll: how often is looked.
    :param way: of a state whose end nobody can foresee, how far it has come, as a number that goes up; None for others.
        The wait doesn't end while one of these goes on.
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
        """What an object is as long as it isn't what it should be: `not online`, `still running`."""
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
    """Whether these steps changed something: one that is `refused` didn't."""
    return any(not step.get("refused") for step in steps)

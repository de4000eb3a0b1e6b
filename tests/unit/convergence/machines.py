# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that are started, in a time that the test owns: what they do wrong is set by the test."""

from __future__ import annotations

from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.stage import (
    Act,
    Done,
    Each,
    Fail,
    Stage,
    Together,
    Wait,
)


class Late:
    """What a call answers, so many seconds after it was made. See the fixture C(time)."""

    def __init__(self, seconds, value=None, error=None):
        self.seconds, self.value, self.error = seconds, value, error


class Machines:
    """Objects that start (off -> starting -> on) in a set time; what they do wrong is set by the test."""

    def __init__(self, time, *names, takes=10.0, state="off"):
        self.time, self.takes = time, takes
        self.states = dict.fromkeys(names, state)
        self.began = {}
        self.calls, self.reads = [], []
        self.answer = {}  # name -> what a call answers: an exception, or a Late
        self.reading = {}  # name -> a function of how often it was read
        self.deaf = set()  # names whose calls do nothing
        self.extra = {}

    def read(self, name):
        self.reads.append((self.time.since, name))
        count = sum(1 for _at, other in self.reads if other == name)
        odd = self.reading.get(name, lambda _count: None)(count)
        if isinstance(odd, Exception):
            raise odd
        return self.state(name) if odd is None else odd

    def state(self, name):
        if name in self.began:
            return "on" if self.time.now - self.began[name] >= self.takes else "starting"
        return self.states[name]

    def start(self, name):
        self.calls.append((self.time.since, name))
        if name not in self.deaf:
            self.began.setdefault(name, self.time.now)
        answer = self.answer.get(name)
        answer = answer.pop(0) if isinstance(answer, list) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def decide(self, name, state, _history):
        if state == "on":
            return Done()
        if state == "off":
            return Act("start", lambda: self.start(name))
        if state == "starting":
            return Wait("starting")
        return Fail(f"state {state!r} is unknown", hint=f"look at {state}.")

    def stage(self, **more):
        names = list(self.states)
        given = {"noun": "machines", "done": "on", "names": names, "read": Each(self.read), "decide": self.decide}
        return Stage(**{**given, "target": lambda _n, _s: "on", **more})


class ToldTogether(Machines):
    """Machines of which one call tells all."""

    def __init__(self, time, *names, **more):
        super().__init__(time, *names, **more)
        self.looks = []
        self.odd = {}  # number of the look -> what it answers instead

    def look(self, names):
        self.looks.append((self.time.since, list(names)))
        odd = self.odd.get(len(self.looks))
        if isinstance(odd, Exception):
            raise odd
        states = {name: self.state(name) for name in names}
        return states if odd is None else Late(odd, states)

    def read(self, name):
        raise AssertionError(f"{name} was read alone")

    def stage(self, **more):
        return super().stage(**{"read": Together(self.look), **more})


class Chained(ToldTogether):
    """b waits for a, and then starts by itself."""

    def decide(self, name, state, _history):
        if name == "b" and state == "off" and self.state("a") != "on":
            return Wait("a must be on first", then=("start",), by_this_run=True)
        return super().decide(name, state, _history)


class Clock:
    now = 50.0

    def __call__(self):
        return self.now

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease of a domain: who gets it, whom it keeps off, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Optional

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import AnswerLost, ClusterError, Fault, Refused
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb import lease
from ansible_collections.dbfleet.cluster.tests.unit.fake_transport import LOST
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.ap import Ap, no
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import server_row

DENIED = (403, {"code": 403, "messages": ["not authorized"]})
NOW = 1_800_000_000


class Store(Ap):
    """An AP with a key-value store, in which a test may let somebody else be quicker."""

    def __init__(self, holds: Optional[str] = None) -> None:
        super().__init__()
        self.holds = holds
        self.quicker: list[str] = []

    def _get_kvstore(self, *_more: Any) -> Any:
        return 200, {"key": lease.KEY, "value": self.holds}

    def _put_kvstore(self, _parts: list[str], _query: dict[str, str], body: Any) -> Any:
        if self.quicker:
            self.holds = self.quicker.pop(0)
        expected = None if body["expectedAbsent"] else body["expectedValue"]
        if self.holds != expected:
            return no("Unexpected current value")
        self.holds = body["newValue"]
        return 200, b""

    @property
    def calls(self) -> str:
        """The verbs, in order."""
        return " ".join(line.partition(" ")[0] for line in self.asked)


def made(run: str = "mine", **more: Any) -> lease.Lease:
    return lease.Lease(
        **{"run": run, "about": "nuodb_cold_start", "by": "anna@one", "since": NOW, "until": NOW + 60, **more}
    )


def of(store: Store, now: float = NOW + 10, **more: Any) -> lease.LeaseOf:
    return lease.LeaseOf(store.domain, clock=lambda: now, **more)


def held(**more: Any) -> str:
    return made("other", **{"about": "nuodb_graceful_shutdown", "by": "ben@two", **more}).text()


# -- how it is taken


@pytest.mark.parametrize(("holds", "calls"), [(lease.RETURNED, "PUT"), (None, "PUT GET PUT")])
def test_one_call_takes_it_and_one_gives_it_back(holds: Optional[str], calls: str) -> None:
    store = Store(holds)
    of(store).take(made())
    assert (store.calls, lease.of_text(str(store.holds))) == (calls, made())
    assert of(store).give_back(made())
    assert (store.calls, store.holds) == (f"{calls} PUT", lease.RETURNED)


def test_of_two_that_want_it_one_gets_it() -> None:
    store = Store(lease.RETURNED)
    store.quicker = [held()]
    with pytest.raises(Refused, match=r"^nuo-unit: maintenance by ben@two since 2027-01-15T08:00:00Z "):
        of(store).take(made())
    assert store.holds == held()


def test_a_refusal_says_who_has_it_until_when_and_what_overrides_it() -> None:
    with pytest.raises(Refused) as caught:
        of(Store(held())).take(made())
    assert caught.value.message.endswith("(nuodb_graceful_shutdown) is under way: nothing changed")
    assert "ends by itself at 2027-01-15T08:02:00Z" in str(caught.value.hint)
    assert "nuodb_lease=take_over" in str(caught.value.hint)


def test_a_look_refuses_the_same_and_takes_nothing() -> None:
    store = Store(held())
    with pytest.raises(Refused):
        of(store).look("mine")
    store.holds = lease.RETURNED
    of(store).look("mine")
    assert (store.calls, store.holds) == ("GET GET", lease.RETURNED)


# -- whom it keeps off


@pytest.mark.parametrize(
    ("there", "now", "recovers", "is_free"),
    [
        ({}, 10, False, False),
        ({}, 10, True, False),
        ({"run": "mine"}, 10, True, True),
        ({}, 60 + lease.CLOCKS, False, False),
        ({}, 61 + lease.CLOCKS, False, True),
        ({}, 61 + lease.CLOCKS, True, True),
        ({"kept": True}, 10, False, True),
        ({"kept": True}, 10, True, False),
        ({"kept": True}, 61 + lease.CLOCKS, True, True),
    ],
)
def test_whom_it_keeps_off(there: dict[str, Any], now: float, recovers: bool, is_free: bool) -> None:
    store = Store(made(**{"run": "other", **there}).text())
    work = of(store, NOW + now, recovers=recovers)
    if is_free:
        work.take(made())
        assert store.holds == made().text()
    else:
        with pytest.raises(Refused, match="nothing is recovered" if recovers else "nothing changed"):
            work.take(made())


def test_what_was_left_down_is_told_to_a_recovery() -> None:
    with pytest.raises(Refused, match=r"left the domain down on purpose: nothing is recovered$"):
        of(Store(held(kept=True)), recovers=True).look("mine")


def test_a_run_that_was_killed_here_keeps_off_recovery_alone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = lease.process_of(child.pid)
    assert process
    with pytest.raises(Refused):
        of(Store(held(process=process))).take(made())
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and not yet cleared away
    of(Store(held(process=process))).take(made())
    child.communicate()
    of(Store(held(process=process))).take(made())
    with pytest.raises(Refused):
        of(Store(held(process=process)), recovers=True).take(made())
    # Of one that took nothing down, nothing is down on purpose: a recovery finishes it.
    of(Store(held(process=process, brings_up=True)), recovers=True).take(made())


@pytest.mark.parametrize("part", [0, 1])
def test_a_process_of_another_machine_or_container_may_run(part: int) -> None:
    words = lease.process_of(os.getpid()).split()
    assert not lease.has_ended(" ".join(words))
    words[2] = "999999999"
    assert lease.has_ended(" ".join(words))
    words[part] = "another"
    assert not lease.has_ended(" ".join(words))
    assert not lease.has_ended("")


def test_only_a_process_that_is_the_run_is_taken_for_it() -> None:
    assert lease.new("mine", "it", 60, os.getpid()).process == lease.process_of(os.getpid())
    assert lease.new("mine", "it", 60, 1).process == ""
    assert lease.new("mine", "it", 60, None).process == ""
    assert lease.new("mine", "it", 60, 1, process="of the controller").process == "of the controller"


def test_a_run_that_the_controller_knows_to_have_ended_keeps_nobody_off() -> None:
    """Here, on a bastion, nobody could tell."""
    elsewhere = "another-boot pid:[1] 7 1"
    store = Store(made("theirs", process=elsewhere).text())
    for ended in (None, "another-boot pid:[1] 8 1", ""):
        with pytest.raises(Refused):
            of(store, ended=ended).take(made())
    with pytest.raises(Refused):  # it took something down
        of(store, ended=elsewhere, recovers=True).take(made())
    assert of(store, ended=elsewhere).take(made())


def test_a_lease_without_a_process_is_of_nobody_known() -> None:
    store = Store(made("theirs").text())
    with pytest.raises(Refused):
        of(store, ended="").take(made())


@pytest.mark.parametrize("text", ["", "v1", "[]", "{}", "[" * 100_000, json.dumps({"run": 1, "until": "soon"})])
def test_what_is_no_lease_is_not_replaced(text: str) -> None:
    store = Store(text)
    with pytest.raises(Refused, match="contains something that is not a lease"):
        of(store).take(made())
    assert store.holds == text


@pytest.mark.parametrize("holds", [held(), "v1"])
def test_it_is_taken_over_where_that_is_meant(holds: str) -> None:
    store = Store(holds)
    of(store, takes_over=True).take(made())
    assert store.holds == made().text()


# -- answers that don't come


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("deed", ["take", "give_back"])
def test_an_answer_that_is_lost(deed: str, arrives: bool) -> None:
    store = Store(lease.RETURNED if deed == "take" else made().text())
    store.odd = {"PUT kvstore": [[LOST] if arrives else LOST]}
    assert getattr(of(store), deed)(made()) is not False
    assert store.holds == (made().text() if deed == "take" else lease.RETURNED)
    assert store.calls == ("PUT GET" if arrives else "PUT GET PUT")


def test_lost_again_it_fails() -> None:
    store = Store(lease.RETURNED)
    store.odd = {"PUT kvstore": [LOST, LOST]}
    with pytest.raises(AnswerLost):
        of(store).take(made())


def test_a_server_that_always_refuses_is_told() -> None:
    store = Store(lease.RETURNED)
    store.odd = {"PUT kvstore": [no("read only", 500)] * lease.TRIES}
    with pytest.raises(Fault, match="whatever value is expected there"):
        of(store).take(made())


@pytest.mark.parametrize("answers", [[no("read only", 500)] * lease.TRIES, [LOST, LOST]])
def test_without_a_quorum_nobody_can_take_it(bring: Any, answers: list[Any]) -> None:
    """As where a shutdown was killed between two APs: what is left to do there needs no agreement."""
    store = Store(lease.RETURNED)
    store.servers[1] = server_row("server1", None, connected="Disconnected")
    store.servers[0] = server_row("server0", None, local=True)
    store.odd = {"PUT kvstore": list(answers)}
    assert bring("nuodb_lease", store.domain, state="taken", run="mine")["lease"] == {}
    assert [text for text in bring.task.warnings if "the APs have no quorum" in text]
    store.holds, store.odd = held(until=2**40), {"PUT kvstore": list(answers)}
    with pytest.raises(Refused):
        of(store).take(made())


# -- how it ends


def test_kept_it_lasts_from_the_end_of_the_run_on() -> None:
    store = Store(made().text())
    kept = of(store, NOW + 1000).keep(made(), 500)
    assert kept == made(kept=True, until=NOW + 1500)
    assert store.holds == made(kept=True, until=NOW + 1500).text()


def test_what_another_has_taken_is_not_given_back() -> None:
    store = Store(held())
    assert not of(store).give_back(made())
    assert of(store).keep(made(), 5) is None
    assert store.holds == held()


# -- the module


def test_the_module_takes_it_and_gives_it_back(bring: Any) -> None:
    store = Store(lease.RETURNED)
    taken = bring("nuodb_lease", store.domain, state="taken", run="mine", about="patching", lease_timeout=60, pid=1)
    assert lease.of_text(str(store.holds)) == lease.of_row(taken["lease"])
    assert (taken["lease"]["about"], taken["lease"]["until"] - taken["lease"]["since"]) == ("patching", 60)
    assert taken["api_calls"] == 1
    kept = bring("nuodb_lease", store.domain, state="kept", run="mine", lease=taken["lease"])
    assert kept["lease"]["kept"]
    back = bring("nuodb_lease", store.domain, state="returned", run="mine", lease=kept["lease"])
    assert (back["lease"], store.holds) == ({}, lease.RETURNED)


def test_a_preview_takes_nothing_and_gives_nothing_back(bring: Any) -> None:
    store = Store(lease.RETURNED)
    assert bring("nuodb_lease", store.domain, check_mode=True, state="taken", run="mine")["lease"] == {}
    bring("nuodb_lease", store.domain, check_mode=True, state="returned", run="mine", lease={"run": "mine"})
    assert store.calls == "GET"
    store.holds = made("other", until=2**40).text()
    with pytest.raises(Refused):
        bring("nuodb_lease", store.domain, check_mode=True, state="taken", run="mine")


@pytest.mark.parametrize(
    ("answer", "says"), [(DENIED, "not authorized (HTTP 403)"), (no("no such call", 404), "has no key-value store")]
)
def test_without_a_store_it_goes_on_and_says_so(bring: Any, answer: Any, says: str) -> None:
    store = Store()
    store.odd = {"PUT kvstore": [answer] * 3, "GET kvstore": [answer] * 3}
    assert bring("nuodb_lease", store.domain, state="taken", run="mine")["lease"] == {}
    assert [text for text in bring.task.warnings if says in text and "there is no lease, and other" in text]
    store.asked.clear()
    bring("nuodb_lease", store.domain, state="returned", run="mine", lease={})
    assert store.asked == []


def test_a_lease_that_is_not_ours_any_more_is_told(bring: Any) -> None:
    store = Store(held())
    mine = json.loads(made().text())
    bring("nuodb_lease", store.domain, state="returned", run="mine", lease=mine)
    assert bring.task.warnings == [
        "nuo-unit: another run took the lease before this run gave it back: both runs may have worked at the same time"
    ]
    with pytest.raises(ClusterError, match="not what state=taken returned"):
        bring("nuodb_lease", store.domain, state="returned", run="mine", lease={"run": "mine"})

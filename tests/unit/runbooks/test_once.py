# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found out once by the workers of one run of ansible-playbook."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.once import claimed_by, once, path_of

WORKERS = 6


def at_once(work: Any, count: int = WORKERS) -> list[Any]:
    """What some processes return that begin at the same time; the exception of one that fails."""
    context = multiprocessing.get_context("fork")
    start, answers = context.Barrier(count), context.Queue()

    def run(number: int) -> None:
        start.wait(10)
        try:
            answers.put((number, work(number)))
        except Exception as error:
            answers.put((number, repr(error)))

    workers = [context.Process(target=run, args=(number,)) for number in range(count)]
    for worker in workers:
        worker.start()
    found = dict(answers.get(timeout=20) for _worker in workers)
    for worker in workers:
        worker.join(10)
    return [found[number] for number in range(count)]


def test_the_first_finds_out_and_the_others_wait_for_it(tmp_path: Path) -> None:
    def find_out() -> Any:
        with open(tmp_path / "who", "a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.1)
        return {"of": os.getpid(), "rows": [1, None, "ä"]}

    found = at_once(lambda _number: once("thing", ["a"], find_out))
    (who,) = (tmp_path / "who").read_text().split()
    assert found == [{"of": int(who), "rows": [1, None, "ä"]}] * WORKERS


def test_where_the_first_fails_the_next_one_tries(tmp_path: Path) -> None:
    def find_out() -> Any:
        try:
            (tmp_path / "failed").touch(exist_ok=False)
        except FileExistsError:
            return "found"
        time.sleep(0.1)
        raise ValueError("not now")

    found = at_once(lambda _number: once("thing", ["a"], find_out))
    assert sorted(found) == ["ValueError('not now')"] + ["found"] * (WORKERS - 1)


@pytest.mark.parametrize("value", [None, "", [], {}, False])
def test_that_nothing_was_found_is_known_too(value: Any) -> None:
    asked: list[Any] = []

    def find_out() -> Any:
        asked.append(value)
        return value

    assert [once("thing", ["a"], find_out) for _time in range(2)] == [value, value]
    assert asked == [value]


def test_what_is_found_out_of_one_thing_is_not_another(local_tmp: Path) -> None:
    found = [once(*where, lambda: len(os.listdir(local_tmp))) for where in (
        ("thing", ["a"]), ("thing", ["b"]), ("other", ["a"]), ("thing", ["a", "b"]), ("thing", ["ab"]), ("thing", ["a"])
    )]  # fmt: skip
    assert found == [1, 2, 3, 4, 5, 1]
    assert Path(path_of("thing", "a")).parent == local_tmp


def test_one_of_many_comes_first() -> None:
    found = at_once(lambda number: claimed_by("cluster", ["C5ED"], f"exa-{number}"))
    assert len(set(found)) == 1
    assert found[0] in {f"exa-{number}" for number in range(WORKERS)}
    assert claimed_by("cluster", ["C5ED"], "exa-late") == found[0]
    assert claimed_by("cluster", ["D6"], "exa-late") == "exa-late"

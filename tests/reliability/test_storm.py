# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A storm: many nights, a few in the gates and thousands of runs by `make storm`, which prints a table."""

from __future__ import annotations

import multiprocessing
import os
import random
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

import pytest
from ansible_collections.dbfleet.cluster.tests.reliability.invariants import Broken
from ansible_collections.dbfleet.cluster.tests.reliability.night import TALLY, Night
from ansible_collections.dbfleet.cluster.tests.reliability.orders import EVERY
from ansible_collections.dbfleet.cluster.tests.reliability.tally import Tally
from hypothesis import HealthCheck, Phase, seed as seeded, settings
from hypothesis.stateful import get_state_machine_test

IS_WHOLE = "DBFLEET_STORM" in os.environ
NIGHTS = int(os.environ.get("DBFLEET_STORM", "8"))
"""How many nights there are."""

SEED = int(os.environ.get("DBFLEET_STORM_SEED") or (random.SystemRandom().randrange(10**6) if IS_WHOLE else 20260302))
"""Of the first nights. The next ones have the next seed."""

OF_ONE_SEED = 8
"""Nights."""

STEPS = 9
"""What happens in one night, at most."""

RUNS, KILLS = 3000, 500
"""Less than that is no storm."""


def nights_of(seed: int, number: int) -> None:
    """The nights of one seed, which are the same with the same revision.

    :raises Broken: the first thing that is wrong.
    """
    asked = settings(
        max_examples=number,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a night is short, and to shorten it takes longer than to read it
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    Night.salt = seed
    seeded(seed)(get_state_machine_test(Night, settings=asked))()


def problems_of(seed: int, number: int) -> tuple[list[str], Tally]:
    """What is wrong in the nights of one seed, and what there was in them."""
    TALLY.clear()
    said: list[str] = []
    try:
        nights_of(seed, number)
    except Broken as error:
        TALLY.wrong[error.wrong] += 1
        said = [*getattr(error, "__notes__", ()), str(error)]
    except Exception:
        TALLY.all["errors of the storm itself"] += 1
        said = [traceback.format_exc()]
    again = f"seed {seed}; again: make storm SEED={seed} NIGHTS={number}"
    return (["\n".join([again, *said])] if said else []), TALLY


def storm(jobs: list[tuple[int, int]]) -> Iterator[tuple[list[str], Tally]]:
    """Side by side, on all cores, where there is more than one seed."""
    if len(jobs) == 1:
        yield problems_of(*jobs[0])
        return
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("fork")) as pool:
        for done in as_completed([pool.submit(problems_of, *job) for job in jobs]):
            yield done.result()


def test_the_same_seed_is_the_same_night() -> None:
    """To the last call, or the command that repeats a failure repeats nothing."""

    def told() -> tuple[list[str], dict[str, int], dict[str, int]]:
        found, tally = problems_of(SEED, 1)
        return found, dict(tally.all), dict(tally.faults)

    assert told() == told() != ([], {}, {})


def test_a_storm() -> None:
    """The table is shown by `make storm`."""
    problems, whole = [], Tally()
    jobs = [
        (SEED + first // OF_ONE_SEED, min(OF_ONE_SEED, NIGHTS - first)) for first in range(0, NIGHTS, OF_ONE_SEED)
    ]
    for found, tally in storm(jobs):
        whole.add(tally)
        problems += found
        if IS_WHOLE:
            print("\n".join([f"{whole.all['nights']} nights, {whole.all['runs']} runs", *found]), flush=True)
    print("\n".join(whole.lines()))
    if IS_WHOLE and len(jobs) > 1:
        problems += whole.shortfalls(RUNS, KILLS, EVERY)
    assert whole.all["kills"]
    assert whole.all["bad answers"]
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)

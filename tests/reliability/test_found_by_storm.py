# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the storm has found, each as a night of its own."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.reliability import scenes
from ansible_collections.dbfleet.cluster.tests.reliability.loom import Loom
from ansible_collections.dbfleet.cluster.tests.reliability.place import Place, Weather
from ansible_collections.dbfleet.cluster.tests.reliability.runs import Program

SHUTDOWNS = {
    "EXAoperation": ("exa_graceful_shutdown", scenes.eao(up=True)),
    "ConfD": ("exa_graceful_shutdown", scenes.confd()),
    "NuoDB": ("nuodb_graceful_shutdown", scenes.nuodb(up=True)),
}


@pytest.mark.parametrize("weather", [Weather.REFUSED, Weather.RESET, Weather.HTML])
@pytest.mark.parametrize("name", SHUTDOWNS)
def test_an_api_that_answers_and_falls_silent_is_not_down_already(name: str, weather: Weather) -> None:
    """Whoever says that it may be down already doesn't say that it may go down now."""
    book, topology = SHUTDOWNS[name]
    given: dict[str, Any] = {f"{book}_unreachable": "down"}
    tried = 0
    for first in range(2, 12):
        with Loom(1).in_use() as loom:
            place = Place(loom, topology)
            place.weather = dict.fromkeys(range(first, 400), weather)
            done = Program(book, given).run(place)
            assert not done.is_ok, (first, done.lines)
            tried += "is not down: " in done.result["msg"]
    assert tried


@pytest.mark.parametrize("name", SHUTDOWNS)
def test_one_that_never_answers_is_down_where_that_was_said(name: str) -> None:
    book, topology = SHUTDOWNS[name]
    with Loom(1).in_use() as loom:
        place = Place(loom, topology)
        place.weather = dict.fromkeys(range(1, 400), Weather.REFUSED)
        assert Program(book, {f"{book}_unreachable": "down"}).run(place).is_ok

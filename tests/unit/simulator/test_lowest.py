# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lowest number that is free."""

from __future__ import annotations

import random

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.lowest import Lowest


def test_as_going_through_all_of_them_would_find_it() -> None:
    dice, numbers, taken = random.Random(1), Lowest(5), []
    for _turn in range(2000):
        if taken and dice.random() < 0.45:
            number = taken.pop(dice.randrange(len(taken)))
            numbers.release(number)
        elif dice.random() < 0.2:
            taken.append(numbers.take(dice.randrange(60)))
        else:
            free = next(number for number in range(5, 9999) if number not in taken)
            assert numbers.take() == free
            taken.append(free)
    assert len(taken) > 50


def test_one_that_two_have_is_free_when_neither_has_it() -> None:
    numbers = Lowest()
    assert [numbers.take(0), numbers.take(0), numbers.take()] == [0, 0, 1]
    numbers.release(0)
    assert numbers.take() == 2
    numbers.release(0)
    assert numbers.take() == 0

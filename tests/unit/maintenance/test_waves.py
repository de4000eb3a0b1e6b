# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which clusters are taken together, and in which order."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.maintenance.waves import Canary, canaries, sizes, waves

HOSTS = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("serial", "are"),
    [
        (2, [2, 2, 2]),
        ("3", [3, 3, 3]),
        ("30%", [6, 6, 6]),
        ("1%", [1, 1, 1]),
        ([1, "50%"], [1, 10, 10]),
        ("1, 5, 10%", [1, 5, 2]),
        ("", [1, 1, 1]),
        (None, [1, 1, 1]),
    ],
)
def test_sizes_as_ansible_reads_them(serial: Any, are: list[int]) -> None:
    assert list(islice(sizes(serial, 20), 3)) == are


@pytest.mark.parametrize("serial", [0, "-1", "0%", "101%", "many", 1.5, [2, "x"], True])
def test_a_size_that_is_none(serial: Any) -> None:
    with pytest.raises(ClusterError, match="maintenance_serial is .*, and must be a number of 1 or more, or a share"):
        sizes(serial, 20)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (1, Canary(count=1)),
        ("2", Canary(count=2)),
        (0, Canary()),
        ("", Canary()),
        (None, Canary()),
        ("b, a", Canary(names=("b", "a"))),
        (["c"], Canary(names=("c",))),
    ],
)
def test_canaries(given: Any, meant: Canary) -> None:
    assert canaries(given, HOSTS) == meant
    assert bool(meant) is (given not in (0, "", None))


def test_a_cluster_may_be_called_by_a_number() -> None:
    assert canaries("7", ["7", "8"]) == Canary(names=("7",))


def test_a_canary_that_is_not_of_the_run() -> None:
    says = r"names exa-prot, which this run does not include \(did you mean exa-prod\?\)"
    with pytest.raises(ClusterError, match=says):
        canaries("exa-prot", ["exa-prod", "nuo"])


@pytest.mark.parametrize(
    ("size", "canary", "after", "are"),
    [
        (2, Canary(), {}, ["ab", "cd", "e"]),
        (9, Canary(), {}, ["abcde"]),
        (3, Canary(count=1), {}, ["a", "bcd", "e"]),
        (3, Canary(names=("d", "b")), {}, ["bd", "ace"]),
        (2, Canary(), {"a": ["c"]}, ["bc", "ad", "e"]),
        (5, Canary(), {"a": ["b"], "b": ["c"], "c": ["elsewhere"]}, ["cde", "b", "a"]),
    ],
)
def test_waves(size: int, canary: Canary, after: dict[str, list[str]], are: list[str]) -> None:
    """In the order given, as far as nobody has to wait; clusters that aren't of the run hold nobody up."""
    assert ["".join(wave) for wave in waves(HOSTS, sizes(size, 5), canary, after)] == are


def test_waves_that_cannot_be() -> None:
    with pytest.raises(ClusterError, match="a b wait for each other"):
        waves("ab", sizes(1, 2), Canary(), {"a": ["b"], "b": ["a"]})
    with pytest.raises(ClusterError, match="maintenance_canary names a, which maintenance_after puts after"):
        waves("ab", sizes(1, 2), Canary(names=("a",)), {"a": ["b"]})

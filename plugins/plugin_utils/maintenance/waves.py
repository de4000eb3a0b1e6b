# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which clusters the maintenance takes together, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from ...module_utils._errors import ClusterError
from ...module_utils._values import listed
from ...module_utils._wording import listing, near


def sizes(serial: Any, total: int) -> Iterator[int]:
    """The number of clusters of each wave, as with Ansible's keyword C(serial): the last number repeats.

    :param serial: a number, a share (C(30%)), or a list of them.
    :raises ClusterError: it is neither a number nor a share.
    """
    found = [_size(str(one).strip(), total) for one in listed(serial)] or [1]
    return chain(found, repeat(found[-1]))


def _size(text: str, total: int) -> int:
    number = text.removesuffix("%").strip()
    if not number.isdecimal() or int(number) < 1 or (text.endswith("%") and int(number) > 100):
        raise ClusterError(
            f"maintenance_serial is {text}, and must be a number of 1 or more, or a share such as 30%",
            number="DBF-7012",
        )
    return max(1, int(number) * total // 100) if text.endswith("%") else int(number)


@dataclass(frozen=True)
class Canary:
    """The clusters of the first wave.

    :param count: how many clusters; 0 if the first wave is like the others, or if the clusters are named.
    """

    count: int = 0
    names: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.count or self.names)


def canaries(given: Any, hosts: Collection[str]) -> Canary:
    """The clusters of the first wave, from C(maintenance_canary).

    :param given: a number, or the clusters by name.
    :raises ClusterError: it names a cluster that the run does not include.
    """
    names = [str(one) for one in listed(given)]
    if len(names) == 1 and names[0].isdecimal() and names[0] not in hosts:
        return Canary(count=int(names[0]))
    unknown = [name for name in names if name not in hosts]
    if unknown:
        raise ClusterError(
            f"maintenance_canary names {listing(unknown)}, which this run does not include"
            f"{near(unknown[0], list(hosts))}",
            number="DBF-7012",
        )
    return Canary(names=tuple(names))


def waves(
    hosts: Collection[str], size: Iterator[int], canary: Canary, after: Mapping[str, Collection[str]]
) -> list[list[str]]:
    """The clusters in waves. They keep their order, unless a cluster must wait for others.

    :param after: for each cluster, the clusters that must come before it. Clusters outside this run don't count.
    :raises ClusterError: clusters wait for each other.
    """
    waits = {host: set(after.get(host, ())) & set(hosts) for host in hosts}
    left, done, found = list(hosts), set[str](), list[list[str]]()
    while left:
        ready = [host for host in left if waits[host] <= done]
        if not ready:
            raise ClusterError(
                f"maintenance_after is a loop: {listing(left)} wait for each other, or for a cluster of the loop",
                number="DBF-7012",
            )
        wave = _first(canary, ready) if canary and not found else ready[: next(size)]
        found.append(wave)
        done |= set(wave)
        left = [host for host in left if host not in done]
    return found


def _first(canary: Canary, ready: list[str]) -> list[str]:
    early = [name for name in canary.names if name not in ready]
    if early:
        raise ClusterError(
            f"maintenance_canary names {listing(early)}, which maintenance_after puts after other clusters",
            number="DBF-7012",
        )
    return [host for host in ready if host in canary.names] if canary.names else ready[: canary.count]

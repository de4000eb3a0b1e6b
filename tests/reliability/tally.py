# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there was in all nights, and the table that is made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ansible_collections.dbfleet.cluster.tests.reliability.invariants import Wrong

COLUMNS = ("runs", "kills", "bad answers", "ended well", "failed well", "converged", "came about")


class Tally:
    """Counts.

    :ivar of: by product and program, what became of its runs.
    :ivar all: of all nights.
    :ivar faults: bad answers and misfortunes, by kind.
    :ivar wrong: what was found, by kind.
    """

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], Counter[str]] = {}
        self.all: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.wrong: Counter[Wrong] = Counter()

    def count(self, kind: str, program: str, what: str, number: int = 1) -> None:
        self.of.setdefault((kind, program), Counter())[what] += number
        self.all[what] += number

    def clear(self) -> None:
        for counts in (self.of, self.all, self.faults, self.wrong):
            counts.clear()

    def add(self, other: Tally) -> None:
        """What another process has counted."""
        for key, row in other.of.items():
            self.of.setdefault(key, Counter()).update(row)
        self.all.update(other.all)
        self.faults.update(other.faults)
        self.wrong.update(other.wrong)

    def lines(self) -> list[str]:
        """The table."""
        head = f"{'product':<13} {'runbook or module':<24}" + "".join(f" {one:>12}" for one in COLUMNS)
        rows = [
            f"{kind:<13} {program:<24}" + "".join(f" {row[one]:>12,}" for one in COLUMNS)
            for (kind, program), row in sorted(self.of.items())
        ]
        whole = f"{'all':<38}" + "".join(f" {self.all[one]:>12,}" for one in COLUMNS)
        faults = [f"{number:>9,}  {kind}" for kind, number in sorted(self.faults.items(), key=lambda one: -one[1])]
        wrong = [f"{self.wrong[one]:>9,}  {one.value}" for one in Wrong]
        nights = [f"{self.all[one]:>9,}  {one}" for one in ("nights", "previews", "calls")]
        return ["", head, *rows, whole, "", *nights, "", *faults, "", *wrong]

    def shortfalls(self, runs: int, kills: int, programs: Iterable[str]) -> list[str]:
        """Why a storm was none, or found something."""
        found = [f"{self.all['runs']} runs are less than {runs}"] * (self.all["runs"] < runs)
        found += [f"{self.all['kills']} kills are less than {kills}"] * (self.all["kills"] < kills)
        found += [f"{number} {one.value}" for one, number in self.wrong.items() if number]
        seen = {program for _kind, program in self.of}
        return found + [f"{program} had no run" for program in programs if program not in seen]

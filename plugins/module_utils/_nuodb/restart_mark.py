# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rolling restart stores in the domain while it is under way: one value of the key-value store per database.

The API doesn't return the time at which a process began (NUODB-450). Start IDs only grow, and none is used twice
(NUODB-238), so the highest one at the beginning shows which processes were started since. If a run is killed, the next
run reads it here.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Optional

from .._errors import ClusterError, Denied, Fault, NoSuchObject, Refused
from .api.domain import Domain
from .stored import compare_and_set

KEY = "dbfleet.cluster/rolling_restart/"
"""The beginning of the key; the name of the database follows."""

ENDED = "ended"
"""The value of the key after a rolling restart: no source shows how to delete a key (NUODB-211)."""

WITHOUT = (
    "with nuodb_rolling_restart_up_to=<start ID>, which sets the highest start ID to restart, the run stores nothing "
    "in the domain"
)


@dataclass(frozen=True)
class Mark:
    """A rolling restart of one database that has begun.

    :param up_to: the highest start ID at its beginning.
    :param major: the incarnation that it began in; a later one is a start of the whole database.
    :param since: when it began, in seconds since 1970 by the controller's clock.
    :param out: the process that it shut down last, and that it starts again: its start ID, its entry for nuodb_process,
        and the request that starts it.
    """

    up_to: int
    major: int
    since: int
    out: Optional[dict[str, Any]] = None


class Marks:
    """The marks of a domain."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain

    def of(self, db_name: str) -> Optional[Mark]:
        """:raises ClusterError: the store can't be read, or the key contains something else."""
        return self._made(db_name, self._text(db_name))

    def put(self, db_name: str, up_to: int, major: int, out: dict[str, Any]) -> None:
        """Stores which process is shut down next.

        :raises ClusterError: the store can't be changed.
        """
        text = self._text(db_name)
        known = self._made(db_name, text)
        is_same = known is not None and (known.up_to, known.major) == (up_to, major)
        mark = replace(known, out=out) if known and is_same else Mark(up_to, major, int(time.time()), out)
        self._set(db_name, json.dumps(asdict(mark), sort_keys=True), text)

    def end(self, db_name: str) -> None:
        """Marks the rolling restart as ended."""
        text = self._text(db_name)
        if text not in (None, ENDED):
            self._set(db_name, ENDED, text)

    def _text(self, db_name: str) -> Optional[str]:
        try:
            return self._domain.value(KEY + db_name)
        except (NoSuchObject, Denied) as error:
            raise self._without(db_name, error) from None

    def _set(self, db_name: str, text: str, expected: Optional[str]) -> None:
        try:
            done = compare_and_set(self._domain, KEY + db_name, text, expected)
        except (NoSuchObject, Denied) as error:
            raise self._without(db_name, error) from None
        if not done:
            raise Fault(
                f"{self._domain.name}: {db_name}: the progress of the rolling restart can't be stored in the domain: "
                f"the server refuses to set the key {KEY}{db_name}",
                hint=WITHOUT,
                failed_object=db_name,
                number="DBF-5008",
            )

    def _without(self, db_name: str, error: ClusterError) -> ClusterError:
        return ClusterError(
            f"{self._domain.name}: {db_name}: a rolling restart stores its progress in the key-value store of the "
            f"domain, which can't be used: {error.message}",
            hint=WITHOUT,
            failed_object=db_name,
            number="DBF-5008",
        )

    def _made(self, db_name: str, text: Optional[str]) -> Optional[Mark]:
        if text is None or text == ENDED:
            return None
        try:
            row = json.loads(text)
            out = row.get("out")
            return Mark(int(row["up_to"]), int(row["major"]), int(row["since"]), None if out is None else dict(out))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Refused(
                f"{self._domain.name}: {db_name}: nothing restarted: the key {KEY}{db_name} of the domain contains "
                "something that no rolling restart wrote, so the point where the last one stopped is unknown",
                hint=f"look at the key (nuocmd get value --key {KEY}{db_name}); {WITHOUT}",
                failed_object=db_name,
                number="DBF-6562",
            ) from None

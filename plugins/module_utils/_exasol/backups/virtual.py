# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual access needs backups that never expire (EAO-161): the run removes their expiry, and sets it again later.

No call keeps the old expiry. So the run shows it before the removal, for the person who completes a killed run.
"""

from __future__ import annotations

from datetime import tzinfo
from functools import partial
from typing import Any, Callable, Optional

from ..._convergence.stage import Act, Decision, Done, History, Stage
from ..._errors import ClusterError, Failed
from ..api.backups import Backup
from ..api.states import SETUP
from ..view import ClusterView
from .catalogue import Catalogue
from .change_expiry import ChangeExpiry, change
from .expiry_comparison import Lifetime


def backup_set(backup: Backup, every: list[Backup]) -> list[Backup]:
    """A backup and those that it builds on."""
    found = [backup]
    for one in found:
        found += [base for base in every if one.needs(base, every) and base not in found]
    return found


class KeptExpiries:
    """The expiries of the backups to which databases get virtual access.

    :param chosen: the backup of each database.
    :param say: shows a line.
    :raises ClusterError: the server might understand one of the expiries as another time.
    """

    def __init__(
        self,
        cluster: ClusterView,
        catalogue: Catalogue,
        chosen: dict[str, Backup],
        zone: Optional[tzinfo],
        say: Callable[[str], None],
    ) -> None:
        self._cluster = cluster
        self._catalogue = catalogue
        self._api = catalogue.api
        self._zone = zone
        self._say = say
        self._owners: dict[str, str] = {}
        self._had: dict[str, Backup] = {}
        self._taken: list[str] = []
        for name, backup in chosen.items():
            for one in backup_set(backup, catalogue.rows[name]):
                if one.expire:
                    self._owners[one.id], self._had[one.id] = name, one
        for one in self._had.values():
            for stamp in ("", self._lifetime(one).local(one.timestamp)):
                self._api.check_expiry(one, stamp, zone)

    def _lifetime(self, backup: Backup) -> Lifetime:
        return Lifetime(backup.expire, self._zone)

    def stages(self, guard: Callable[[], None]) -> list[Stage]:
        """The stage after which none of these backups expires; empty if none of them expires now.

        :param guard: the rules of the restores, which are checked first.
        """
        if not self._had:
            return []
        work = ChangeExpiry(self._catalogue, list(self._had), Lifetime("never", self._zone), self._zone)

        def all_rules() -> None:
            guard()
            work.guard()

        def decide(name: str, backup: Optional[Backup], history: History) -> Decision:
            if self._cluster.database(self._owners[name]).phase != SETUP:
                return Done()  # a run before this one has begun the restore
            decision = work.decide(name, backup, history)
            if not isinstance(decision, Act):
                return decision
            return Act(decision.name, partial(self._take, name, decision.call))

        (stage,) = work.stages()
        stage.guard, stage.decide, stage.done = all_rules, decide, "kept for virtual access"
        return [stage]

    def _take(self, name: str, call: Callable[[], Any]) -> None:
        had = self._had[name]
        self._say(
            f"[{self._api.name}] {had.label} expires {had.expire}: the run removes this expiry for the virtual access "
            f"and sets it again afterwards; if the run is killed, set it with {self._task(had)}"
        )
        self._taken.append(name)
        call()

    @staticmethod
    def _task(had: Backup) -> str:
        return f"exa_backup state=present backup_ids={had.id!r} expire={had.expire!r}"

    def give_back(self) -> list[dict[str, Any]]:
        """Sets the removed expiries again, also after a failure.

        :returns: the steps.
        :raises Failed: an expiry could not be set, so that this backup never expires now.
        """
        steps, failed = [], {}
        while self._taken:
            had = self._had[self._taken.pop()]
            try:
                change(self._api, self._catalogue, self._owners[had.id], had, self._lifetime(had), self._zone)
            except ClusterError as error:
                failed[had.id] = error.message
                continue
            step = {"object": had.id, "step": self._api.calls["expire"], "seconds": 0.0}
            steps.append({**step, "from": "expires never", "to": f"expires {had.expire}"})
        if failed:
            tasks = ", ".join(self._task(self._had[name]) for name in failed)
            raise Failed(
                f"{self._api.name}: the run removed the expiry of {' '.join(failed)} for the virtual access, and could "
                f"not set it again: {'; '.join(failed.values())}",
                hint=f"set it with {tasks}",
                failed_object=" ".join(failed),
                number="DBF-5006",
            )
        return steps

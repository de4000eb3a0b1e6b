# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the options of exa_backup and makes the work of the task from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Callable, Optional

from ..._convergence.stage import Stage
from ..._errors import ClusterError
from ..._task import Task
from .. import options
from ..api.backups import Backup
from ..api.cluster import Cluster
from ..selection import chosen
from ..view import ClusterView
from .catalogue import Catalogue
from .change_expiry import ChangeExpiry
from .expiry_comparison import Lifetime, duration
from .removal import AbortBackups, DeleteBackups, PruneBackups, WantedRemoval
from .restore import LATEST, NONBLOCKING, VIRTUAL, RestoreDatabases, WantedRestore
from .taking import TakeBackups, WantedBackup
from .virtual import KeptExpiries

ONLY = {
    "expire": ("present",),
    "max_age": ("present",),
    "once": ("present",),
    "older_than": ("absent",),
    "expired": ("absent",),
    "delete_dependents": ("absent",),
    "confirm": ("absent", "restored"),
    "volume": ("present", "absent", "restored"),
    "level": ("present", "absent", "restored"),
    "backup_ids": ("present", "absent", "restored"),
    "foreign": ("restored", "listed"),
}
"""The states with which each option has an effect."""


class BackupTask:
    """The work of a task, and what the task returns.

    :param stages: empty for state=listed.
    :param selected: returns the backups that the task acts on, by database.
    :param give_back: runs after the stages, also after a failure; it returns its steps.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        stages: Sequence[Stage] = (),
        selected: Callable[[], dict[str, list[Backup]]] = dict,
        warnings: Callable[[], list[str]] = list,
        restores: bool = False,
        give_back: Callable[[], list[dict[str, Any]]] = list,
    ) -> None:
        self.stages = list(stages)
        self.warnings = warnings
        self.give_back = give_back
        self._catalogue = catalogue
        self._selected = selected
        self._restores = restores

    def listing(self, changed: bool) -> dict[str, Any]:
        """All backups, and those that the task acted on.

        :param changed: whether the task changed something, so that the backups must be read again.
        """
        if changed or not self._catalogue.rows:
            self._catalogue.look_at_all()
        selected = self._selected()
        names = self._catalogue.names
        told = {name: [one.as_dict() for one in selected.get(name, [])] for name in names}
        return {"backups": self._catalogue.as_dict(), "selected": told}

    def databases(self, states: dict[str, Any]) -> dict[str, Any]:
        """The databases that the task restored, or would restore."""
        return {name: state.as_dict() for name, state in states.items()} if self._restores else {}

    def predicted(self, databases: dict[str, Any]) -> dict[str, Any]:
        return {"databases": databases} if databases else {}


def work_of(task: Task, view: ClusterView, cluster: Cluster) -> BackupTask:
    """The work that a task asks for. This function only reads.

    :raises ClusterError: the options contradict each other, or something that they name doesn't exist.
    """
    given, state = task.params, task.params["state"]
    _refuse_useless(cluster.name, given, state)
    zone = options.zone_of(task)
    names = chosen(view, given["databases"], view.databases(), "database")
    catalogue = Catalogue(cluster.backups(), names, given["foreign"])
    if state == "listed":
        return BackupTask(catalogue)
    try:
        return _MAKERS[state](task, view, catalogue, zone)
    except ClusterError as error:
        raise error.of(cluster.name) from None


def _refuse_useless(name: str, given: dict[str, Any], state: str) -> None:
    empty = [option for option in ONLY if option != "confirm" and given[option] in ("", [])]
    if empty:  # an empty selection would select more, not less
        raise ClusterError(f"{name}: {' and '.join(empty)} is empty: leave it out, or give a value")
    unasked = [option for option, states in ONLY.items() if given[option] not in (None, False) and state not in states]
    if unasked:
        raise ClusterError(f"{name}: {_listed(unasked)} with state={state}: leave it out")
    if given["on_operation"] == "wait" and not given["wait"]:
        raise ClusterError(f"{name}: on_operation=wait can't be used with wait=false")
    if given["level"] is not None and not 0 <= given["level"] <= 9:
        raise ClusterError(f"{name}: level {given['level']}: levels are 0 to 9")


def _listed(unasked: list[str]) -> str:
    return f"{' and '.join(unasked)} {'has' if len(unasked) == 1 else 'have'} no effect"


def _present(task: Task, view: ClusterView, catalogue: Catalogue, zone: Optional[tzinfo]) -> BackupTask:
    given = task.params
    lifetime = Lifetime(given["expire"], zone) if given["expire"] is not None else None
    if given["backup_ids"]:
        unasked = [option for option in ("volume", "level", "once", "max_age") if given[option] not in (None, False)]
        if unasked:
            raise ClusterError(
                f"{_listed(unasked)} with backup_ids, because the task then changes only the expiry: leave it out"
            )
        if lifetime is None:
            raise ClusterError("expire is missing: say when the backups in backup_ids expire")
        expiring = ChangeExpiry(catalogue, given["backup_ids"], lifetime, zone)

        def changed() -> dict[str, list[Backup]]:
            return {name: [one for one in rows if one.id in expiring.chosen] for name, rows in catalogue.rows.items()}

        return BackupTask(catalogue, expiring.stages(), changed, expiring.warnings)
    if not given["volume"]:
        raise ClusterError("volume is missing: name the archive volume for the backup")
    if lifetime and not lifetime.is_plain and not given["wait"]:
        raise ClusterError(
            "expire: with wait=false, give a duration in weeks and days (1w 3d), or never, because the task can check "
            "any other form only when the backup is finished"
        )
    wanted = WantedBackup(
        given["volume"],
        given["level"] or 0,
        lifetime,
        duration("max_age", given["max_age"]) if given["max_age"] else None,
        given["once"],
        zone,
        given["on_operation"],
    )
    take = TakeBackups(view, catalogue, wanted, task.check_mode)
    return BackupTask(catalogue, take.stages(), lambda: {name: [one] for name, one in take.own.items()}, take.warnings)


def _absent(task: Task, view: ClusterView, catalogue: Catalogue, zone: Optional[tzinfo]) -> BackupTask:
    given = task.params
    older = duration("older_than", given["older_than"]) if given["older_than"] else None
    ids = tuple(given["backup_ids"] or ())
    if LATEST in ids:
        raise ClusterError(f"backup_ids: {LATEST} is for state=restored; name the backup to delete by its id")
    if ids and (given["level"] is not None or given["volume"] or given["expired"]):
        raise ClusterError("level, volume and expired have no effect with backup_ids: leave them out")
    selection = WantedRemoval(ids, older, given["level"], given["volume"], given["expired"], zone)
    confirm = None if task.check_mode else given["confirm"] or []
    deletion = DeleteBackups(view, catalogue, selection, given["delete_dependents"], confirm, given["on_operation"])
    return BackupTask(catalogue, deletion.stages(), lambda: deletion.chosen)


def _restored(task: Task, view: ClusterView, catalogue: Catalogue, zone: Optional[tzinfo]) -> BackupTask:
    given = task.params
    ids = given["backup_ids"] or []
    if len(ids) != 1:
        raise ClusterError(f"backup_ids names {len(ids)} backups, but a database is restored from exactly one")
    if ids[0] != LATEST and (given["volume"] or given["level"] is not None):
        raise ClusterError(f"volume and level have no effect with backup_ids {ids[0]!r}: they work only with {LATEST}")
    kind = given["restore_type"].replace("_", " ")
    if given["wait_for"] != "restored" and kind != NONBLOCKING:
        raise ClusterError(f"wait_for={given['wait_for']} works only with restore_type={NONBLOCKING}")
    wanted = WantedRestore(
        ids[0],
        kind,
        given["volume"],
        given["level"],
        given["wait_for"] == "restored",
        None if task.check_mode else given["confirm"] or [],
        given["on_operation"],
    )
    restore = RestoreDatabases(view, catalogue, wanted)
    stages = restore.stages()
    give_back: Callable[[], list[dict[str, Any]]] = list
    if kind == VIRTUAL:
        kept = KeptExpiries(view, catalogue, restore.chosen, zone, task.say)
        stages, give_back = [*kept.stages(restore.guard), *stages], kept.give_back
    return BackupTask(
        catalogue,
        stages,
        lambda: {name: [one] for name, one in restore.chosen.items()},
        restores=True,
        give_back=give_back,
    )


def _aborted(task: Task, view: ClusterView, catalogue: Catalogue, _zone: Optional[tzinfo]) -> BackupTask:
    return BackupTask(catalogue, AbortBackups(view, catalogue).stages())


def _pruned(task: Task, view: ClusterView, catalogue: Catalogue, _zone: Optional[tzinfo]) -> BackupTask:
    pruning = PruneBackups(view, catalogue, task.params["on_operation"])
    return BackupTask(catalogue, pruning.stages(), lambda: pruning.chosen)


_MAKERS: dict[str, Callable[[Task, ClusterView, Catalogue, Optional[tzinfo]], BackupTask]] = {
    "present": _present,
    "absent": _absent,
    "restored": _restored,
    "aborted": _aborted,
    "pruned": _pruned,
}

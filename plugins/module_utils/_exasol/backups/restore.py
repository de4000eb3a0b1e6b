# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How databases are restored from a backup."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Optional

from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Wait
from ..._convergence.workers import gather
from ..._errors import ClusterError, NoSuchObject, Refused
from ..._wording import listing
from ..api.backups import RESTORE, Backup, Progress
from ..api.states import IDLE, RUNNING, SETUP, STARTING, STOPPING, Database
from ..api.volume_names import FIRST_REMOTE, number_of
from ..databases.start_stop import database_words
from ..guards import refuse_unconfirmed
from ..view import ClusterView
from .catalogue import Catalogue
from .operation import WAIT_HINT, busy_words, refuse_all

LATEST = "latest"

BLOCKING = "blocking"
NONBLOCKING = "nonblocking"
VIRTUAL = "virtual access"
KINDS = (BLOCKING, NONBLOCKING, VIRTUAL)


def is_restore(operation: str) -> bool:
    return RESTORE in operation.lower()


@dataclass(frozen=True)
class RestoreState:
    """The state of a database that should be restored.

    :param begun: whether its restore has begun, by this run or before.
    """

    database: Database
    progress: Optional[Progress] = None
    begun: bool = False

    @property
    def words(self) -> str:
        return database_words(self.database)

    def as_dict(self) -> dict[str, str]:
        return self.database.as_dict()


@dataclass(frozen=True)
class WantedRestore:
    """The restore that the options describe.

    :param backup_id: an id, a number, or `LATEST`.
    :param kind: one of `KINDS`.
    :param volume: where to look for the latest backup; None is any volume.
    :param whole: wait until a nonblocking restore has ended, not only until the database accepts connections.
    :param confirm: the databases that may be overwritten; None in check mode, which sends nothing.
    """

    backup_id: str
    kind: str = BLOCKING
    volume: Optional[str] = None
    level: Optional[int] = None
    whole: bool = True
    confirm: Optional[list[str]] = None
    on_operation: str = "refuse"


class RestoreDatabases:
    """Restores databases.

    :raises ClusterError: the backup doesn't exist, or the restore isn't possible in this way.
    """

    def __init__(self, cluster: ClusterView, catalogue: Catalogue, wanted: WantedRestore) -> None:
        self._cluster = cluster
        self._catalogue = catalogue
        self._api = catalogue.api
        self._wanted = wanted
        self._begun: set[str] = set()
        if wanted.backup_id != LATEST and len(catalogue.names) > 1:
            raise ClusterError(
                f"{self._api.name}: one task can't restore one backup into {listing(catalogue.names)}",
                hint="backup_ids: latest restores each database from its own latest backup",
            )
        catalogue.look_at_all()
        self.chosen: dict[str, Backup] = {name: self._choose(name) for name in catalogue.names}
        if wanted.kind != BLOCKING and self._api.remote_is_blocking:
            self._refuse_remote()

    def _choose(self, name: str) -> Backup:
        wanted = self._wanted
        if wanted.backup_id != LATEST:
            return self._catalogue.found(wanted.backup_id, name)
        volume = self._api.volume(wanted.volume, clearly=True) if wanted.volume else None
        rows = [
            row
            for row in self._catalogue.rows[name]
            if row.is_good
            and row.system == name
            and (volume is None or volume.holds(row.volume, row.volume_id))
            and wanted.level in (None, row.level)
        ]
        if not rows:
            where = f" on {wanted.volume}" if wanted.volume else ""
            there = listing([row.label for row in self._catalogue.rows[name]], 8, ", ")
            raise NoSuchObject(
                f"{self._api.name}: {name} has no usable backup{where}; there are: {there or 'none'}",
                failed_object=name,
            )
        return max(rows, key=lambda row: row.timestamp)

    def _refuse_remote(self) -> None:
        """The rule that only a blocking restore can read from a remote archive volume (CONFD-99)."""
        remote = {name: one.volume for name, one in self.chosen.items() if (self._number(one) or 0) >= FIRST_REMOTE}
        if remote:
            raise Refused(
                f"{self._api.name}: {listing(list(remote))} not restored: {listing(list(remote.values()))} is a remote "
                f"archive volume, which allows only blocking restores, but restore_type is {self._wanted.kind}",
                hint=f"set restore_type: {BLOCKING}, or choose a backup on an archive volume of the cluster; nothing "
                "overrides this",
                failed_object=" ".join(remote),
                number="DBF-6311",
            )

    def _number(self, backup: Backup) -> Optional[int]:
        """The number of the backup's volume, if the server reports it."""
        if backup.volume_id is not None:
            return backup.volume_id
        return number_of(backup.volume) or self._api.volume(backup.volume).id

    # -- reading

    def read(self, name: str) -> RestoreState:
        database = self._cluster.database(name)
        busy = database.operation != IDLE or database.phase in STARTING
        progress = self._api.progress(name) if busy or name in self._begun else None
        under_way = progress is not None and progress.kind == RESTORE and not progress.is_over and busy
        if is_restore(database.operation) or under_way:
            self._begun.add(name)
        return RestoreState(database, progress, name in self._begun)

    # -- deciding

    def decide(self, name: str, state: RestoreState, history: History) -> Decision:
        if not state.begun:
            return self._beginning(name, state)
        other = None if history.acted else self._is_other(name, state.progress)
        if other:
            return Fail(
                f"another restore is under way ({other})", hint="wait until that restore ends", number="DBF-6402"
            )
        return self._ending(name, state)

    def _beginning(self, name: str, state: RestoreState) -> Decision:
        database, step = state.database, self._api.calls["restore"]
        if database.operation != IDLE:
            words = busy_words(database, state.progress)
            if self._wanted.on_operation == "wait":
                return Wait(f"{words} must end first", then=(step,))
            return Fail(f"{words} is running", hint=WAIT_HINT, number="DBF-6402")
        if database.phase in STOPPING:
            return Wait(database_words(database), then=(step,))
        # The guard refuses a database that isn't stopped. In a preview, an earlier task may have stopped it.
        return Act(step, partial(self._restore, name))

    def _ending(self, name: str, state: RestoreState) -> Decision:
        database, progress = state.database, state.progress
        restoring = is_restore(database.operation)
        wrong = progress is not None and progress.kind == RESTORE and progress.went_wrong and not restoring
        if wrong and database.phase == RUNNING and progress:
            return Fail(f"the restore failed: {progress.comment}", number="DBF-6404")
        if database.accepts_connections and (not restoring or not self._wanted.whole):
            return Done()
        if database.phase == SETUP and not restoring:  # not begun yet, or failed: then `causes` finds out why
            return Act(self._api.calls["restore"], partial(self._restore, name))
        percent = f", restore {progress.percent} %" if progress and progress.kind == RESTORE else ""
        behind = ", the restore continues in the background" if restoring and database.accepts_connections else ""
        return Wait(f"{database_words(database)}{percent}{behind}")

    def _is_other(self, name: str, progress: Optional[Progress]) -> str:
        """The restore that runs, in words, if it is certainly not the wanted one; else empty."""
        backup = self.chosen[name]
        if progress is None or progress.kind != RESTORE:
            return ""
        elsewhere = None not in (progress.volume_id, backup.volume_id) and progress.volume_id != backup.volume_id
        if elsewhere or (progress.level is not None and progress.level != backup.level):
            return f"level {progress.level} from volume {progress.volume_id}"
        return ""

    def _restore(self, name: str) -> None:
        self._begun.add(name)
        self._api.restore(name, self.chosen[name], self._wanted.kind)

    def guard(self) -> None:
        """The rules before data is overwritten: it is confirmed, the database is stopped, the backup is readable."""
        states = gather(self._catalogue.names, self.read)
        begin = [name for name, state in states.items() if not state.begun]
        if not begin:
            return
        if self._wanted.confirm is not None:
            what = f"{listing(begin)} not restored, because all data written since the backup would be lost"
            refuse_unconfirmed(self._api.name, what, self._wanted.confirm, self._catalogue.names, "DBF-6405")
        self._catalogue.look_at_all()
        taken = self._volumes_in_use(begin)
        refuse_all(
            f"{self._api.name}: nothing restored",
            {name: self._against(name, states[name].database) or taken[name] for name in begin},
            "first stop the database and all that share its data volume (exa_database state=stopped), and bring the "
            "backup's volume online (exa_remote_volume shows its state); nothing overrides this",
            states,
            "DBF-6409",
        )

    def _volumes_in_use(self, begin: list[str]) -> dict[str, str]:
        """Per database: which other database runs on its data volume or would be restored there; else empty."""
        layouts = gather(self._cluster.databases(), self._cluster.database_layout)
        volumes = {name: str(one.settings.get("data_volume_name") or "") for name, one in layouts.items()}
        found = dict.fromkeys(begin, "")
        for name in begin:
            volume = volumes.get(name)
            for other in [one for one, its in volumes.items() if volume and its == volume and one != name]:
                database = self._cluster.database(other)
                if other in begin:
                    found[name] = f"its data volume {volume} also belongs to {other}, which this task restores too"
                elif not database.is_stopped:
                    found[name] = f"its data volume {volume} is used by {other}, which is {database.state}"
        return found

    def _against(self, name: str, database: Database) -> str:
        if database.phase != SETUP:
            progress = self._api.progress(name)
            last = progress.comment if progress and progress.kind == RESTORE and progress.is_over else ""
            return f"it is {database.state}" + (f" (its last restore: {last})" if last else "")
        backup = next((row for row in self._catalogue.rows[name] if row.id == self.chosen[name].id), None)
        if backup is None:
            return f"{self.chosen[name].label} is gone"
        if not backup.usable:
            return f"{backup.label} can't be used"
        try:
            trouble = self._api.volume(backup.volume).trouble
        except NoSuchObject as error:
            return error.message.replace(f"{self._api.name}: ", "", 1)
        return f"volume {backup.volume} is {trouble}" if trouble else ""

    def causes(self, name: str) -> str:
        """Why the database isn't up although its restore has begun."""
        said = self._cluster.database_errors(name)
        if said:
            return said
        progress = self._api.progress(name)
        return progress.trouble if progress and progress.kind == RESTORE else ""

    def news(self) -> list[str]:
        return self._cluster.news(self._catalogue.names)

    def stages(self) -> list[Stage]:
        """The stage that restores all of them."""
        return [
            Stage(
                noun="restores",
                done="restored",
                names=self._catalogue.names,
                read=Each(self.read),
                decide=self.decide,
                words=lambda state: state.words,
                target=lambda _name, state: RestoreState(
                    state.database.with_(state=RUNNING, connectible="Yes", operation=IDLE), begun=True
                ),
                guard=self.guard,
                causes=self.causes,
                follow=self.news,
                falls_back=True,
            )
        ]

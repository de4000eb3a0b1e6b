# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that several subjects share: stop databases first, and confirm by name what destroys data."""

from __future__ import annotations

from .._convergence.workers import gather
from .._errors import Denied, NoSuchObject, Refused, Unsupported
from .._wording import listing
from .api.backups import BACKUP, ArchiveVolume
from .api.states import IDLE, Database
from .api.volume_names import number_of
from .view import ClusterView


def refuse_while_databases_run(cluster: ClusterView, what: str, danger: str, number: str) -> None:
    """The rule that databases are stopped first. Reads all databases again.

    :param what: what is not done (`EXAStorage not stopped`).
    :param danger: what could happen otherwise.
    :param number: of the rule, in docs/messages.md.
    :raises Refused: a database is not stopped, or has a running operation.
    """
    busy = [db for db in map(cluster.database, cluster.databases()) if not db.is_stopped or db.operation != IDLE]
    if busy:
        raise Refused(
            f"{cluster.name}: {what}: {', '.join(map(_words, busy))}, and {danger}",
            hint="stop the databases first (exa_database state=stopped); nothing overrides this",
            failed_object=" ".join(db.name for db in busy),
            last_state={db.name: db.as_dict() for db in busy},
            number=number,
        )


def _words(db: Database) -> str:
    return f"{db.name} is {db.state}" + (f" (operation {db.operation})" if db.operation != IDLE else "")


def refuse_unconfirmed(cluster: str, what: str, confirm: list[str], names: list[str], number: str) -> None:
    """The rule that a change that destroys data repeats the names of the objects in `confirm`.

    :param what: what is not done, and why it needs a confirmation.
    :param number: of the rule, in docs/messages.md.
    :raises Refused: `confirm` doesn't name exactly these.
    """
    if set(confirm) != set(names):
        said = f"confirm names {listing(confirm)}, not {listing(names)}" if confirm else "confirm names nothing"
        raise Refused(
            f"{cluster}: {what}: {said}",
            hint=f"confirm: [{', '.join(names)}]",
            failed_object=" ".join(names),
            number=number,
        )


def refuse_while_backups_go_there(cluster: ClusterView, volume: ArchiveVolume, what: str) -> None:
    """The rule before a volume is removed: the server refuses if backups go there now or by a schedule.

    :param what: what is not done.
    :raises Refused: a schedule sends backups there, or a backup runs whose volume isn't known.
    """
    names = cluster.databases()
    try:
        rows = gather(names, cluster.backups().schedules().schedules)
    except (Denied, NoSuchObject, Unsupported):  # if the user may not read schedules, the server must refuse
        rows = {}
    found = [
        f"schedule {' '.join(filter(None, (row.name, f'of {name}')))} sends backups there"
        for name, of in rows.items()
        for row in of or ()
        if volume.holds(row.volume, number_of(row.volume))
    ]
    running = [db for db in map(cluster.database, names) if BACKUP in db.operation.lower()]
    found += [f"{_words(db)}, and this backup may go there" for db in running]
    if found:
        raise Refused(
            f"{cluster.name}: {volume.name}: {what}: {', '.join(found)}",
            hint="remove the schedule first (exa_backup_schedule state=absent), or wait until the backup ends; "
            "nothing overrides this",
            failed_object=volume.name,
            number="DBF-6304",
        )

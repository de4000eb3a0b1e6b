# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases that something outside the domain starts, as Kubernetes' pods do (NUODB-35).

What exits there is started again at once, so a shutdown is a restart (NUODB-37). A start can't be requested
(NUODB-39, NUODB-40).
"""

from __future__ import annotations

from .._errors import Refused
from .._wording import listing
from .api.objects import TE, Process
from .view import Snapshot

TO_STOP = "to stop it for good, scale its StatefulSets and Deployments to 0 (kubectl scale --replicas=0)"
TO_START = (
    "its pods start it: scale its StatefulSets and Deployments up, and see why a pod doesn't run (kubectl describe "
    "pod). No archive has to be purged for it; nothing overrides this"
)


def sign(snapshot: Snapshot, db_name: str) -> str:
    """The sign that a database is started from outside the domain; empty if there is none."""
    for archive in snapshot.archives_of(db_name):
        if archive.external:
            return f"archive {archive.archive_id} has no server"
    last = max(snapshot.tombstones_of(db_name), key=lambda stone: stone.incarnation, default=None)
    ran = snapshot.processes_of(db_name) or ([last.process] if last else [])
    return next((f"isExternalStartup of start ID {process.start_id}" for process in ran if process.external), "")


def databases(snapshot: Snapshot) -> list[str]:
    """The databases that are started from outside."""
    return [name for name in snapshot.databases if sign(snapshot, name)]


def says(name: str, found: str) -> str:
    """The sentence that a database is started from outside the domain.

    :param found: what `sign` returned.
    """
    return f"{name} is started from outside the domain, for example by Kubernetes ({found})"


def refuse_start(cluster: str, snapshot: Snapshot, db_name: str, lacking: list[str]) -> None:
    """:raises Refused: processes of a database that is started from outside are missing.

    :param lacking: the missing processes, in words.
    """
    found = sign(snapshot, db_name)
    if found and lacking:
        raise Refused(
            f"{cluster}: nothing started: {says(db_name, found)}, so {listing(lacking, 4, ', ')} can't be started here",
            hint=TO_START,
            failed_object=db_name,
            last_state=snapshot.databases[db_name].state if db_name in snapshot.databases else None,
            number="DBF-6559",
        )


def lacking_sms(snapshot: Snapshot, db_name: str, ignored: list[int]) -> list[str]:
    """The missing SMs of a database, in words. Archives of pods that are scaled down count as removed."""
    archives = [one.archive_id for one in snapshot.archives_of(db_name)]
    if not archives:
        return ["its SMs"]
    return [f"the SM of archive {one}" for one in archives if one not in ignored and not snapshot.storage_of(one)]


def tes(snapshot: Snapshot, db_name: str) -> list[Process]:
    """The TEs of a database, without TEs that are shutting down."""
    return [one for one in snapshot.processes_of(db_name) if one.engine_type == TE and not one.is_leaving]


def lacking_tes(snapshot: Snapshot, db_name: str, wanted: int) -> list[str]:
    """How many TEs of a database are missing, in words. Only the number counts: a pod may use another AP each time."""
    missing = wanted - len(tes(snapshot, db_name))
    return [f"{missing} of {wanted} TEs"] if missing > 0 else []

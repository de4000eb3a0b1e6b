# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""What a whole runbook would do to a domain and what it would refuse, from one report and without a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import _runout
from .._convergence.preview import Preview
from .._errors import ClusterError
from .._task import Task
from . import diagnosis, runout, servers
from .api.objects import SM, TE
from .databases import shutdown, start, wanted
from .view import ReportedDomain, Snapshot

COLD_START = "cold_start"
GRACEFUL_SHUTDOWN = "graceful_shutdown"
RECOVER = "recover"

NEEDED = ("servers", "databases", "archives", "processes")


@dataclass(frozen=True)
class RunbookChoice:
    """The options of a runbook.

    :param meant: in the form of the option `databases` of nuodb_database.
    """

    meant: list[Any]
    ignored: tuple[int, ...] = ()
    require: str = "all"
    on_hotcopy: str = "refuse"
    require_graceful: bool = True
    stop_servers: bool = False
    stop_tes: bool = False


class DomainPreview(Preview):
    """See `_preview`.

    :param known: the `domain` of nuodb_domain_info, with the tombstones of all incarnations.
    :raises ClusterError: a part of it is missing.
    """

    def __init__(self, task: Task, known: dict[str, Any]) -> None:
        self._refuse_without(known, NEEDED)
        super().__init__(task, known)
        self.known = {**known}
        self.findings: list[diagnosis.Finding] = []
        self.databases: list[str] = []

    @staticmethod
    def _refuse_without(known: dict[str, Any], parts: tuple[str, ...]) -> None:
        missing = [part for part in parts if part not in known]
        if missing:
            raise ClusterError(
                f"{known.get('name', 'the domain')}: its report has no {', '.join(missing)}: add them to gather"
            )

    def need_tombstones(self) -> None:
        """:raises ClusterError: the report doesn't have them."""
        self._refuse_without(self.known, ("tombstones",))

    @property
    def view(self) -> ReportedDomain:
        return ReportedDomain(self.known)

    def remember(self, after: Snapshot) -> None:
        """Keeps what a part would leave, for the parts after it."""
        self.known.update(after.as_plain())


def plan(preview: DomainPreview, runbook: str, choice: RunbookChoice) -> None:
    """Previews a runbook."""
    snapshot = preview.view.look()
    meant = wanted.chosen(preview.name, choice.meant, snapshot) if snapshot.databases else []
    if runbook != COLD_START or wanted.need_tombstones(meant):
        preview.need_tombstones()
    if runbook == GRACEFUL_SHUTDOWN:
        _shutdown(preview, snapshot, [one.db_name for one in meant], choice)
        return
    every = servers.chosen(preview.name, ["all"], snapshot)
    preview.run("servers", servers.AwaitServers(preview.view, every, choice.require, snapshot).stages())
    if runbook == RECOVER:
        preview.findings = [finding for one in meant for finding in diagnosis.findings(snapshot, one)]
        for finding in preview.findings:
            preview.say(f"[{preview.name}] found: {finding.text}")
        bring_back = diagnosis.to_bring_back(preview.findings)
        for finding in preview.findings:
            if finding.kind == diagnosis.FEWER_TRANSACTIONS and finding.db_name not in bring_back:
                preview.warn(f"{preview.name}: {finding.text}")
        meant = [one for one in meant if one.db_name in bring_back]
    preview.databases = [one.db_name for one in meant]
    _start(preview, snapshot, meant, choice)


def plan_off_time(preview: DomainPreview, choice: dict[str, Any]) -> list[dict[str, Any]]:
    """Shows what expires while the domain is off.

    :param choice: `off_for`, `runout` and `on_runout`.
    :raises ClusterError: the time is invalid, or the report lacks the part for it.
    """
    off = _runout.off_time(preview.name, choice["off_for"])
    found = runout.findings(_runout.known(preview.name, choice["runout"]), off)
    return _runout.tell(preview, off, found, choice["on_runout"], "nuodb_graceful_shutdown")


def _start(
    preview: DomainPreview, snapshot: Snapshot, meant: list[wanted.WantedDatabase], choice: RunbookChoice
) -> None:
    if not meant:
        return
    ending = start.ending(preview.view, snapshot, meant)
    if ending:
        preview.run("databases", [ending])
        snapshot = shutdown.predicted(snapshot, ending.names)
    try:
        work = start.start_of_databases(
            preview.view,
            snapshot,
            meant,
            start.StartChoice([SM, TE], ignored=choice.ignored, stop_tes=choice.stop_tes),
            ask=False,
        )
    except ClusterError as refusal:
        preview.refuse("databases", refusal)
        return
    found = [finding.text for finding in preview.findings]
    for text in filter(None, [wanted.doubt(one, snapshot) for one in meant]):
        preview.warn(f"{preview.name}: {text}")
        if text not in found:
            preview.say(f"[{preview.name}] {text}")
    if work.leaving:
        preview.say(f"[{preview.name}] {start.TES_STOP}")
    preview.run("databases", start.stages(preview.view, work))
    preview.remember(start.outcome(snapshot, work))


def _shutdown(preview: DomainPreview, snapshot: Snapshot, names: list[str], choice: RunbookChoice) -> None:
    preview.databases = names
    if names:
        stages = shutdown.ShutDownDatabases(preview.view, choice.on_hotcopy, choice.require_graceful).stages(names)
        preview.run("databases", stages)
        preview.remember(shutdown.predicted(snapshot, names))
    if choice.stop_servers:
        every = servers.chosen(preview.name, ["all"], snapshot)
        preview.run("servers", servers.StopServers(preview.view, every, snapshot, evict_local=False).stages())

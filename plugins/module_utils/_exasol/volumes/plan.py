# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings volumes of EXAStorage to the wanted state, one change after another, and refuses dangerous changes.

All changes are planned before the first one is made. Each is planned on the state that the one before it would leave,
so that an impossible change is refused while nothing is changed yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Callable, Optional

from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Together, Wait
from ..._errors import ClusterError, Failed, NoSuchObject, Refused
from ..._wording import listing, near
from ..api import capabilities as can
from ..api.backups import ArchiveVolume
from ..api.states import IDLE
from ..api.volume_names import NUMBERED, found_in, same_in
from ..api.volumes import ARCHIVE, LOCKED, ONLINE, Volume, VolumeApi
from ..guards import refuse_while_backups_go_there
from ..nodes.suspension import taking_part
from ..view import ClusterView
from .change import Change, Row, state_words, there
from .layout import append, create, lower_redundancy, move, raise_redundancy, resize
from .settings import io, labels, setting
from .states import clear, delete, lock, unlock
from .wanted import SETTINGS, WantedVolume, cannot_become, made_otherwise


class Volumes:
    """The volumes of one task."""

    def __init__(self, cluster: ClusterView, wanted: WantedVolume) -> None:
        self._cluster = cluster
        self._wanted = wanted
        self._api: VolumeApi = cluster.volumes()
        self._seen = self._api.all()
        data_goes = wanted.state in ("absent", "cleared") or wanted.allow_shrink
        self.before: dict[str, Row] = {
            name: found_in(cluster.name, self._seen, name, clearly=data_goes) for name in wanted.names
        }
        """The volumes as the run found them, by the names that the task uses."""
        self.after: dict[str, Row] = dict(self.before)
        """The volumes as they would be after all changes, by the same names."""
        self._followed = dict(self.before)
        self._titles = {name: row.name if row else name for name, row in self.before.items()}
        self._check_names()

    def _look(self, names: list[str]) -> dict[str, Row]:
        self._seen = self._api.all()
        return {name: self._now(name) for name in names}

    def _now(self, name: str) -> Row:
        known = self._followed[name]
        made = [row for row in self._seen if row.name == name] if self.before[name] is None else []
        if known and not made:
            now = same_in(self._seen, known, renamed=self._is_present)
            if now is None and self._wanted.state != "absent":
                why = "it was there when this run began and is gone now: somebody else has deleted it"
                raise ClusterError(f"{self._cluster.name}: {name}: {why}", failed_object=name)
            return now
        self._followed[name] = found_in(self._cluster.name, made, name)  # there are two if somebody else created one
        return self._followed[name]

    def _check_names(self) -> None:
        cluster, ids = self._cluster.name, [row.id for row in self.before.values() if row]
        if len(set(ids)) < len(ids):
            raise ClusterError(f"{cluster}: one volume is named twice, by name and by number")
        missing = [name for name, row in self.before.items() if row is None]
        known = [row.name for row in self._seen]
        if self._wanted.state in ("present", "absent"):
            # state=present can't create a volume with a given number. For state=absent, a missing volume is done.
            missing = [name for name in missing if NUMBERED.fullmatch(name) and self._wanted.state == "present"]
        if missing:
            said = ", ".join(f"{name}{near(name, known)}" for name in missing)
            why = "; the cluster itself chooses the numbers" if self._wanted.state == "present" else ""
            raise NoSuchObject(
                f"{cluster}: there is no volume {said}; there are: {listing(known, 20) or 'none'}{why}",
                failed_object=" ".join(missing),
            )

    # -- what is to be done

    def _changes(self) -> list[Change]:
        api, wanted = self._api, self._wanted
        if self._is_present:
            for name in wanted.settings:
                self._require(SETTINGS[name])
            return self._present()
        by_state = {
            "locked": lock(api),
            "unlocked": unlock(api, wanted.ignore_unlock_conditions),
            "cleared": clear(api, wanted),
            "absent": delete(api, wanted),
        }
        return [by_state[wanted.state]]

    def _present(self) -> list[Change]:
        api, wanted = self._api, self._wanted
        changes = [create(api, wanted, lambda: self._seen), *io(api, wanted, True)]
        if wanted.redundancy is not None:
            changes.append(lower_redundancy(api, wanted.redundancy))
        if wanted.nodes is not None:
            changes += [move(api, wanted.nodes), append(api, wanted.nodes)]
        if wanted.redundancy is not None:
            changes.append(raise_redundancy(api, wanted.redundancy))
        if wanted.size is not None:
            changes += [resize(api, wanted, wanted.size, "enlarge"), resize(api, wanted, wanted.size, "shrink")]
        changes += [setting(api, name, value) for name, value in wanted.settings.items()]
        return [*changes, *labels(api, wanted), *io(api, wanted, False)]

    def _require(self, capability: Optional[str]) -> None:
        if capability:
            self._cluster.require(capability)

    # -- as stages

    def stages(self) -> list[Stage]:
        """The stages of the changes that are needed, and a stage that fails for volumes that can't become as wanted.

        :raises ClusterError: if the API lacks a call for one of the changes.
        """
        planned: list[tuple[Change, dict[str, Row]]] = []
        old = {name: row for name, row in self.before.items() if row and self._is_present}
        problems = {name: cannot_become(self._wanted, row) for name, row in old.items()}
        for change in self._changes():
            rows = {name: row for name, row in self.after.items() if change.needed(row)}
            if not rows:
                continue
            self._require(change.capability)
            self._api.known(change.key)
            planned.append((change, rows))
            for name, row in rows.items():
                if change.forbidden(name, row) is None:  # the stage refuses a forbidden change, so it has no result
                    self.after[name] = change.target(name, row)
        stages = [self._stage(change, rows) for change, rows in planned]
        if stages:
            stages[0].guard = partial(self._guard, planned)
        stages += self._at_rest(planned)
        failing = {name: why for name, why in problems.items() if why}
        return [self._unlike_stage(failing), *stages] if failing else stages

    @property
    def _is_present(self) -> bool:
        return self._wanted.state == "present"

    def _unlike_stage(self, problems: dict[str, str]) -> Stage:
        def unlike(name: str, _row: Row, _history: History) -> Decision:
            return Fail(problems[name], number="DBF-6314")

        rows = {name: self.before[name] for name in problems}
        return Stage(
            noun="volumes",
            done="there",
            names=list(rows),
            read=Each(rows.__getitem__),
            decide=unlike,
            words=state_words,
        )

    def _reader(self, planned: dict[str, Row]) -> Callable[[list[str]], dict[str, Row]]:
        """A reader that returns the planned volumes at the first read, and reads the server after that."""
        told: list[bool] = []

        def read(names: list[str]) -> dict[str, Row]:
            if not told:
                told.append(True)
                return {name: planned[name] for name in names}
            return self._look(names)

        return read

    def _stage(self, change: Change, rows: dict[str, Row]) -> Stage:
        step = self._api.calls.get(change.key, change.key)

        def decide(name: str, row: Row, _history: History) -> Decision:
            if not change.needed(row):
                return Done()
            if change.moves_data and row is not None and row.is_recovering and not row.is_locked:
                return Wait(state_words(row), then=(step,))
            return change.forbidden(name, row) or Act(step, partial(change.call, name, row))

        return Stage(
            noun="volumes",
            done=change.done,
            names=list(rows),
            read=Together(self._reader(rows)),
            decide=decide,
            words=lambda row: change.words(row) if row else "not there",
            target=change.target,
            guard=partial(self._guard, [(change, rows)]),
            causes=lambda name: self._api.error_of(self._titles[name]),
            follow=lambda: self._api.news([self._titles[name] for name in rows]),
        )

    def _at_rest(self, planned: list[tuple[Change, dict[str, Row]]]) -> list[Stage]:
        """The stage that waits until all segments are ONLINE, for volumes whose data this run or EXAStorage moves."""
        moved = {name for change, rows in planned for name in rows if change.moves_data}
        rows: dict[str, Row] = {
            name: row
            for name, row in self.after.items()
            if row and self._is_present and (name in moved or (row.is_recovering and not row.is_locked))
        }
        if not rows:
            return []

        copied = {name for change, rows in planned for name in rows if change.key in ("move", "raise")}

        def is_as_before(name: str, row: Volume) -> bool:
            """Whether the only segments away were away before the run, which this run's changes can't bring back."""
            old = self.before[name]
            if old is None or old.is_whole or not set(row.away) <= set(old.away):
                return False
            return bool(row.away) or name not in copied

        def decide(name: str, row: Row, _history: History) -> Decision:
            if row is None or row.is_whole or row.is_locked:
                return Done()
            left = not row.is_recovering and (name not in moved or is_as_before(name, row))
            return Done() if left else Wait(state_words(row))

        return [
            Stage(
                noun="segments",
                done=ONLINE,
                names=list(rows),
                read=Together(self._reader(rows)),
                decide=decide,
                words=state_words,
                target=lambda _name, row: row and row.with_(state=ONLINE, away=()),
                causes=lambda name: self._api.error_of(self._titles[name]),
                follow=lambda: self._api.news([self._titles[name] for name in rows]),
            )
        ]

    # -- what must hold before

    def _guard(self, planned: list[tuple[Change, dict[str, Row]]]) -> None:
        self._refuse_onto_nodes_that_are_off(
            {node for c, rows in planned for row in rows.values() for node in c.onto(row)}
        )
        for change, rows in planned:
            if change.risk:
                for name, row in rows.items():
                    self._refuse_under_a_database(change, name, there(row))
                    if change.key == "delete" and there(row).type == ARCHIVE:
                        place = ArchiveVolume(there(row).name, there(row).id)
                        refuse_while_backups_go_there(
                            self._cluster, place, f"no {self._api.calls.get('delete', 'delete')}"
                        )

    def _refuse_onto_nodes_that_are_off(self, nodes: Iterable[str]) -> None:
        wanted = sorted(nodes)
        able = taking_part(self._cluster, wanted)
        off = [node for node in wanted if node not in able]
        if off:
            raise Refused(
                f"{self._cluster.name}: no volume changed: {listing(off)} is offline or suspended, and segments can "
                "move only to nodes that take part in the cluster",
                hint="bring them online (exa_node state=online or resumed), or name other nodes",
                failed_object=" ".join(off),
                number="DBF-6309",
            )

    def _refuse_under_a_database(self, change: Change, name: str, row: Volume) -> None:
        """Refuses a change that takes data, or the access to it, away from a database that uses the volume."""
        owners = self._api.databases_of(row)
        found = {owner: self._cluster.database(owner) for owner in owners}
        busy = {owner: db for owner, db in found.items() if not db.is_stopped or db.operation != IDLE}
        step = self._api.calls.get(change.key, change.key)
        says = [f"database {owner} uses it ({db.state})" for owner, db in busy.items()]
        hint = "stop the database first (exa_database state=stopped); nothing overrides this"
        if not says and change.key == "delete" and owners:
            says = [f"database {owner} keeps its data on it" for owner in owners]
            by = "" if self._cluster.lacks(can.DATABASE_CONFIG) else " (exa_database state=absent)"
            hint = f"delete the database first{by}; nothing overrides this"
        if not says and not owners and row.users:
            says = [f"{row.users} user(s) have it open"]
            hint = "stop what uses it (job st_volume_info, by exa_job, shows it); nothing overrides this"
        if says:
            raise Refused(
                f"{self._cluster.name}: {name}: no {step}: {', '.join(says)}, and {change.risk}",
                hint=hint,
                failed_object=name,
                last_state={owner: db.as_dict() for owner, db in busy.items()} or row.as_dict(),
                number="DBF-6303",
            )

    # -- what is returned

    def rows(self, preview: bool, changed: bool) -> dict[str, Any]:
        """The volumes as they are now, or would be in a preview, as the module returns them."""
        found = self.after if preview else self._look(list(self._wanted.names)) if changed else self.before
        self.after = found
        return {name: row.as_dict() if row else None for name, row in found.items()}

    def check_end(self, told: dict[str, Any]) -> None:
        """Makes sure that nobody else has undone or repeated what this run did.

        :param told: the result of the task.
        :raises Failed: if a volume isn't as wanted at the end.
        """
        for name, row in self.after.items() if self._is_present else ():
            missed = [change for change in self._changes() if change.needed(there(row))]
            says = "; ".join(f"{change.words(there(row))}, not {change.done}" for change in missed)
            says = f"it is {says}" if says else made_otherwise(self._wanted, there(row)) or ""
            if says:
                error = Failed(
                    f"{self._cluster.name}: {name}: this run did all steps, but now {says}: somebody else changed it",
                    hint="find out who else works on this volume, then run the task again",
                    failed_object=name,
                    last_state=there(row).as_dict(),
                    number="DBF-5005",
                )
                error.result = told
                raise error

    def diff(self, touched: Iterable[str]) -> dict[str, Any]:
        """What has changed in the volumes that this run has changed, as Ansible's diff."""
        sides: dict[str, dict[str, Any]] = {"before": {}, "after": {}}
        for name in dict.fromkeys(touched):
            old, new = (shown(row) if row else None for row in (self.before[name], self.after[name]))
            if self._wanted.state == "cleared":
                old, new = {"data": "written"}, {"data": "cleared"}
            elif old and new:
                differing = [key for key in old if old[key] != new[key]]
                old, new = ({key: side[key] for key in differing} for side in (old, new))
            sides["before"][name], sides["after"][name] = old, new
        return sides


def shown(row: Volume) -> dict[str, Any]:
    """The values of a volume for the diff, without those that change by themselves."""
    passing = ("id", "not_online", "users", "size_bytes", "unlock_conditions")
    kept = {key: value for key, value in row.as_dict().items() if key not in passing}
    return {**kept, "state": LOCKED if row.is_locked else "not locked"}

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings remote volumes to the wanted state, and waits until every node reaches them."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Optional

from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Wait
from ..._convergence.workers import gather
from ..._errors import AnswerLost, ClusterError, Denied, NoSuchObject, Unsupported
from ..._secrets import Scrubber, in_url
from ..._wording import joined, listing, near
from ..api import capabilities as can
from ..api.backups import ArchiveVolume
from ..api.states import ONLINE as NODE_ONLINE
from ..api.volume_names import NUMBERED, found_in, same_in, short
from ..api.volumes import MANAGED, RemoteVolume, RemoteVolumeApi
from ..guards import refuse_unconfirmed
from ..view import ClusterView
from .remote_wanted import FIELDS, WantedRemoteVolume

ONLINE = "Online"
"""A node's word for a remote volume that it reaches; others are Unmounted and Connection problem (CONFD-156)."""

ANEW = ("remote_volume_id", "owner", "labels", "options")
"""The options whose values the server chooses for a new volume if the task doesn't give them."""

HIDDEN = "(another one)"
"""What the diff shows in place of a password."""

Row = Optional[RemoteVolume]


class RemoteVolumes:
    """The remote volume of one task.

    :param say: prints a line at once, so that the line exists even if the run is cut off after it.
    """

    def __init__(
        self,
        cluster: ClusterView,
        wanted: WantedRemoteVolume,
        warn: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._cluster = cluster
        self._wanted = wanted
        self._say = say
        self._is_gone = False
        self._api: RemoteVolumeApi = cluster.remote_volumes()
        self._nodes: list[str] = []
        self._password_is_set = not wanted.always
        self._known = self._api.all()
        clearly = wanted.state == "absent" or wanted.recreate
        self.before: Row = found_in(cluster.name, self._known, wanted.name, clearly)
        self._followed = self.before
        self.after: Row = self.before
        self._replaced: Row = None
        if wanted.state == "present":
            if self.before and wanted.recreate and self._must_go(self.before):
                self._replaced = self.before
            self._check()
            self.not_compared = self._untold(self.before)
            untold = [name for name in self.not_compared if name != "password"]
            if untold:
                warn(
                    f"{cluster.name}: {wanted.name}: this run can't compare its {listing(untold)}, because the server "
                    "doesn't report that"
                )
            self._warn_of_nothing_there(warn)
            lost = self._lost()
            if lost:
                warn(
                    f"{cluster.name}: {wanted.name}: the server doesn't report its {listing(lost)}; a volume that is "
                    "added again loses these, unless the task gives them"
                )
        else:
            self.not_compared = []

    def _look(self) -> Row:
        self._known = self._api.all()
        row = self._now()
        self._is_gone = row is None
        return row

    def _now(self) -> Row:
        """The volume in the last read: the one that the run found, or the one it adds once the first is gone."""
        row = same_in(self._known, self._followed) if self._followed else None
        if (row is None or self.before is None) and self._wanted.state == "present":
            row = found_in(self._cluster.name, [one for one in self._known if one.name == self._name], self._name)
            self._followed = row or self._followed
        return row

    @property
    def _name(self) -> str:
        """The volume's own name, even if the task gives its number."""
        return self.before.name if self.before else self._wanted.name

    def _check(self) -> None:
        """Refuses options that the provider doesn't have, and a volume that can't exist."""
        wanted = self._wanted
        for option, capability in (("owner", can.REMOTE_VOLUME_OWNER), ("readonly_users", can.REMOTE_VOLUME_READERS)):
            if option in wanted.fields:
                self._cluster.require(capability)
        if wanted.id is not None:
            self._cluster.require(can.REMOTE_VOLUME_OWNER)
        if wanted.always and self.before:
            self._cluster.require(can.REMOTE_VOLUME_EDIT)
        if self.before is None and NUMBERED.fullmatch(wanted.name) and not self._numbered_so():
            names = [row.name for row in self._known]
            raise NoSuchObject(
                f"{self._cluster.name}: there is no remote volume {wanted.name}{near(wanted.name, names)}; there are: "
                f"{listing(names, 20) or 'none'}; the cluster chooses the number, or remote_volume_id sets it",
                failed_object=wanted.name,
            )
        why = self._api.refusal(self._new().with_(s3_access_key=wanted.s3_access_key))
        if why:
            raise Unsupported(f"{self._cluster.name}: {wanted.name}: {why}", failed_object=wanted.name)

    def _numbered_so(self) -> bool:
        return self._wanted.id is not None and self._wanted.name == short(self._wanted.id)

    def _untold(self, row: Row) -> list[str]:
        given = [*self._wanted.fields, *(["id"] if self._wanted.id is not None else [])]
        untold = [name for name in given if row and getattr(row, name) is None]
        if row and self._wanted.password is not None and not self._wanted.always:
            untold.append("password")
        return untold if row else []

    def _warn_of_nothing_there(self, warn: Callable[[str], None]) -> None:
        """Warns that an earlier run may have removed the volume: nothing in the cluster shows its old values."""
        unsaid = [name for name in ANEW if self._said(name) is None]
        if self.before is None and self._wanted.recreate and not self._can_edit and unsaid:
            warn(
                f"{self._cluster.name}: {self._wanted.name} isn't there, so this run adds it, and the server chooses "
                f"{listing(unsaid)}; if a run with recreate was cut off, its output shows the old values: give those"
            )

    def _said(self, name: str) -> Any:
        return self._wanted.id if name == "remote_volume_id" else self._wanted.fields.get(name)

    def _kept(self) -> str:
        """The values that the new volume takes over from the replaced one, as options of a task that adds it."""
        if self._replaced is None:
            return ""
        had = {("remote_volume_id" if name == "id" else name): value for name, value in _shown(self._replaced).items()}
        if had.get("labels"):
            had["labels"] = [label for label in had["labels"] if not MANAGED.match(label)]
        return "; ".join(
            f"{name}: {value if isinstance(value, list) else _words(value)}"
            for name, value in had.items()
            if self._said(name) is None and value != []
        )

    def _lost(self) -> list[str]:
        """The settings that a replacement may lose, because neither the server nor the task gives their values."""
        if self._replaced is None:
            return []
        given = [*self._wanted.fields, *(["readonly_users"] if self._cluster.lacks(can.REMOTE_VOLUME_READERS) else [])]
        return [name for name in FIELDS if getattr(self._replaced, name) is None and name not in given]

    # -- deciding

    def _made(self) -> RemoteVolume:
        """The wanted volume. If it replaces one, options that the task doesn't give keep their old values."""
        if self._replaced is None:
            return self._new()
        made = self._merged(self._replaced)
        return made if self._wanted.id is None else made.with_(id=self._wanted.id)

    def _new(self) -> RemoteVolume:
        return RemoteVolume(self._wanted.id, self._wanted.name).with_(**self._wanted.fields)

    def differing(self, row: Row) -> list[str]:
        """The settings that the server reports and that differ from the wanted ones."""
        if row is None:
            return []
        other = [] if None in (self._wanted.id, row.id) or self._wanted.id == row.id else ["id"]
        return other + [
            name for name, value in self._wanted.fields.items() if not self._same(name, getattr(row, name), value)
        ]

    def _same(self, name: str, told: Any, wanted: Any) -> bool:
        if told is None:
            return True
        if name == "labels":
            told = [label for label in told if not self._names_it(label)]
        if isinstance(wanted, tuple):
            return set(told) == set(wanted)
        return str(told).lower() == str(wanted).lower() if name == "vol_type" else bool(told == wanted)

    def _names_it(self, label: str) -> bool:
        """Whether the volume is known by this label, so that the label must stay."""
        return bool(MANAGED.match(label)) or (label == self._wanted.name and label not in self._wanted.fields["labels"])

    @property
    def _can_edit(self) -> bool:
        return self._cluster.lacks(can.REMOTE_VOLUME_EDIT) is None

    def _unlike(self, row: RemoteVolume) -> Fail:
        differing = self.differing(row)
        now, should_be = _shown(row), _shown(self._new())
        says = ", ".join(f"{name} is {_words(now[name])}" for name in differing)
        should = ", ".join(_words(should_be[name]) for name in differing)
        return Fail(
            f"its {says}, not {should}: {self._cluster.lacks(can.REMOTE_VOLUME_EDIT) or 'no call changes that'}",
            hint="recreate: true removes the volume and adds it again; the data that is stored there stays",
            number="DBF-6317",
        )

    def removed(self, _name: str, row: Row, _history: History) -> Decision:
        """Decides whether the volume is removed: for state=absent, or because it must be replaced."""
        if row is None or (self._wanted.state == "present" and not self._must_go(row)):
            return Done()
        if self._wanted.state == "present" and not self._wanted.recreate:
            return self._unlike(row)
        if self._wanted.state == "present" and self._made().username and self._wanted.password is None:
            return Fail(
                f"to add it again for user {self._made().username}, give the password, because no server reports "
                "passwords",
                hint="if there is no password, set password: ''",
                number="DBF-6317",
            )
        return Act(self._api.calls["delete"], partial(self._api.delete, row))

    def _must_go(self, row: RemoteVolume) -> bool:
        differing = self.differing(row)
        return bool(differing) and (not self._can_edit or "id" in differing)

    def present(self, _name: str, row: Row, history: History) -> Decision:
        """Decides whether the volume is added or edited, so that it is as wanted."""
        if row is not None and history.acted and self._must_go(row):
            return self._unlike(row)  # somebody else has added it in the meantime
        if row is None:
            lacking = [name for name in self._api.needs if getattr(self._made(), name) is None]
            if lacking:
                known = near(self._wanted.name, [one.name for one in self._known])
                return Fail(
                    f"there is no such remote volume{known}; to add it, give {listing(lacking)}",
                    number="DBF-6317",
                )
            return Act(self._api.calls["create"], self._create)
        if self.differing(row) or not self._password_is_set:
            return Act(self._api.calls["edit"], partial(self._edit, row))
        return Done()

    def _create(self) -> None:
        made = self._made().with_(s3_access_key=self._wanted.s3_access_key)
        if self._replaced and made.labels is not None:
            made = made.with_(labels=tuple(label for label in made.labels if not MANAGED.match(label)))
        try:
            self._api.create(made, self._wanted.password)
        except AnswerLost:  # the volume may exist
            raise
        except ClusterError as error:
            if self._replaced:
                error.message += self._missing()
                error.partly = True
            raise
        self._password_is_set = True

    def _missing(self) -> str:
        had = _shown(self._replaced).items() if self._replaced else ()
        kept = "".join(f", {name} {_words(value)}" for name, value in had if name not in self._wanted.fields)
        return f"; this run has already removed the volume, so it is missing now (it had {kept[2:]})"

    def _merged(self, row: RemoteVolume) -> RemoteVolume:
        """An existing volume with the wanted values."""
        changes = dict(self._wanted.fields)
        if "labels" in changes:
            changes["labels"] = (*filter(self._names_it, row.labels or ()), *changes["labels"])
        return row.with_(**changes)

    def _edit(self, row: RemoteVolume) -> None:
        self._api.edit(self._merged(row), self._wanted.password if self._wanted.always else None)
        self._password_is_set = True

    # -- as stages

    def stages(self) -> list[Stage]:
        """The stages that remove, add or edit the volume and wait until every node reaches it."""
        name = self._wanted.name
        gone = self._wanted.state == "absent" or (self.before is not None and self._must_go(self.before))
        found: list[Stage] = []
        if gone:
            found.append(self._stage("gone", self.removed, lambda _name, _row: None, self.before))
            found[0].guard = self._guard
            self.after = None
            if self._wanted.state == "absent" or not self._wanted.recreate:
                return found  # without recreate, the stage refuses a volume that differs, so nothing is added
        self.after = self._target(name, self.after)
        found.append(self._stage("there", self.present, self._target, None if gone else self.before))
        if self._wanted.require_online:
            found.append(self._reached(gone or self.before is None))
        return found

    def _guard(self) -> None:
        """Refuses to let the cluster forget backups, and prints the old values in case this run is cut off."""
        self._refuse_to_forget()
        kept = self._kept()
        if kept:
            self._say(
                f"[{self._cluster.name}] {self._wanted.name} is removed and added again. If this run is cut off "
                f"in between, run it again with the old values: {kept}"
            )

    def _refuse_to_forget(self) -> None:
        row = self._now() or self.before
        if row is None or set(self._wanted.confirm) == {row.name}:
            return
        place = ArchiveVolume(row.name, row.id)
        try:
            listed = gather(self._cluster.databases(), self._cluster.backups().backups)
        except (Denied, Unsupported) as error:
            why = f"this run can't see whether backups are on it ({error.message})"
        else:
            found = [
                f"{name} {one.bid}"
                for name, rows in listed.items()
                for one in rows
                if place.holds(one.volume, one.volume_id) or one.volume in row.numbers
            ]
            if not found:
                return
            why = f"nobody could restore the backups on it any more: {listing(found, 8, ', ')}"
        refuse_unconfirmed(
            self._cluster.name, f"{row.name} not removed: {why}", list(self._wanted.confirm), [row.name], "DBF-6316"
        )

    def _target(self, _name: str, row: Row) -> RemoteVolume:
        return self._merged(row) if row else self._made()

    def _stage(self, done: str, decide: Any, target: Any, planned: Row) -> Stage:
        told: list[bool] = []

        def read(_name: str) -> Row:
            if not told:
                told.append(True)
                return planned
            return self._look()

        return Stage(
            noun="remote volumes",
            done=done,
            names=[self._wanted.name],
            read=Each(read),
            decide=decide,
            words=self._words,
            target=target,
        )

    def _words(self, row: Row) -> str:
        if row is None:
            return "not there"
        differing = self.differing(row)
        return f"there with another {listing(differing)}" if differing else "there"

    def _reached(self, new: bool) -> Stage:
        told = [not new]

        def read(name: str) -> dict[str, str]:
            if not told[0]:  # before the volume exists, no node can report it
                told[0] = True
                return {"all nodes": ONLINE}
            return self._states(name)

        def decide(_name: str, states: dict[str, str], _history: History) -> Decision:
            if states and all(word.lower() == ONLINE.lower() for word in states.values()):
                return Done()
            return Wait(state_words(states))

        return Stage(
            noun="remote volumes",
            done=ONLINE,
            names=[self._wanted.name],
            read=Each(read),
            decide=decide,
            words=state_words,
            target=lambda _name, states: dict.fromkeys(states, ONLINE),
        )

    def _states(self, _name: str) -> dict[str, str]:
        """How each node reaches the volume; empty if the volume doesn't exist."""
        row = self._now() or self._look()
        return self.states_of(row) if row else {}

    def states_of(self, row: RemoteVolume) -> dict[str, str]:
        """How each online node reaches the volume, in the server's words."""
        words = self._api.states(row)
        if len(words) != len(self._nodes):
            try:
                self._nodes = self._online_nodes()
            except Denied:  # a user who may see volumes may have no right to list nodes
                self._nodes = [f"node {number}" for number in range(1, len(words) + 1)]
        if len(words) == len(self._nodes):
            return dict(zip(self._nodes, words))
        if len(words) == 1:
            return {"all nodes": words[0]}
        return {f"node {number}": word for number, word in enumerate(words, 1)}

    def _online_nodes(self) -> list[str]:
        if self._cluster.provider.tells_nodes_together:
            return [node for node, state in self._cluster.node_states().items() if state == NODE_ONLINE]
        return [node for node, up in gather(self._cluster.nodes(), self._cluster.node_is_online).items() if up]

    # -- what is returned

    def told(self, error: ClusterError) -> ClusterError:
        """Adds to an error that the volume is missing now, and removes passwords in URLs that the server reports.

        The passwords of the task itself are removed from all output elsewhere.
        """
        if self._replaced and self._is_gone:
            error.message += "" if self._missing() in error.message else self._missing()
            kept = self._kept()
            error.hint = joined([error.hint, f"run it again with the old values: {kept}" if kept else "run it again"])
        known = [*self._known, *([self.before] if self.before else [])]
        scrubber = Scrubber(word for row in known for word in in_url(row.url or ""))
        error.message, error.result = scrubber.text(error.message), scrubber.data(error.result)
        error.hint = error.hint and scrubber.text(error.hint)
        return error

    def row(self, preview: bool, changed: bool) -> Optional[dict[str, Any]]:
        """The volume as it is now, or would be in a preview, as the module returns it."""
        if not preview:
            self.after = self._look() if changed else self.before
        found = self.after
        if found is None:
            return None
        states = self.states_of(found) if not preview else self.states_of(self.before) if self.before else {}
        return {**found.as_dict(), "states": states}

    def diff(self, changed: bool) -> dict[str, Any]:
        """What has changed, as Ansible's diff."""
        name = self._wanted.name
        if not changed:
            return {"before": {}, "after": {}}
        if self.before is None or self.after is None:
            old, new = ({} if row is None else _shown(row) for row in (self.before, self.after))
        else:
            before, after = self.before, self.after
            # a value that the server doesn't report counts as empty
            differing = [key for key in ("id", *FIELDS) if (getattr(before, key) or ()) != (getattr(after, key) or ())]
            old, new = ({key: _shown(side).get(key) for key in differing} for side in (before, after))
            if self._wanted.always:
                old, new = {**old, "password": HIDDEN}, {**new, "password": "(as given)"}
        # an existing volume may have no reported values, so None stands only for a missing one
        return {
            "before": {name: None if self.before is None else old},
            "after": {name: None if self.after is None else new},
        }


def state_words(states: dict[str, str]) -> str:
    """The nodes that don't reach the volume and their words, for messages; `Online` if all reach it."""
    if not states:
        return "reported by no node"
    bad = [f"{word} on {node}" for node, word in states.items() if word.lower() != ONLINE.lower()]
    return ", ".join(bad) or ONLINE


def _words(value: Any) -> str:
    return listing([str(one) for one in value]) or "empty" if isinstance(value, list) else str(value)


def _shown(row: RemoteVolume) -> dict[str, Any]:
    told = row.as_dict()
    return {name: told[name] for name in ("id", *FIELDS) if told[name] is not None}

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creates and configures databases."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any, Callable, Optional

from ..._convergence.stage import Act, Decision, Done, Each, Fail, History, Stage, Wait
from ..._convergence.workers import gather
from ..._errors import Denied, NoSuchObject
from ..._options import refuse_unknown
from ..._wording import listing
from ..api import capabilities as can
from ..api.cluster import Cluster
from ..api.databases import DatabaseConfigState, DataVolume
from ..api.states import RUNNING, SETUP, STOPPING, Database
from ..view import ClusterView
from .configuration import (
    LATER,
    PLACES,
    UNSET,
    VOLUME,
    WRITE_ONLY,
    WantedDatabase,
    difference,
    same,
    values_not_shown,
    words_of,
)
from .nodes import DatabaseNodes
from .options import SEND, WARN
from .seen import State, busy, not_there, read
from .start_stop import Databases, database_words

PATIENCE = 10.0
"""Seconds until the server must show a changed setting: a job may finish before all nodes have the change."""


class DatabasesPresent:
    """A database that should exist with the wanted configuration.

    :param view: the cluster as earlier tasks of a preview would have left it.
    :param wanted: None if the database should only exist, with any configuration.
    :param enlarge: whether the database may get active nodes, after which the server starts it.
    :param on_unseen: one of `ON_UNSEEN`.
    :param warn: takes warnings, such as about settings that can't be compared.
    """

    def __init__(
        self,
        cluster: Cluster,
        view: ClusterView,
        name: str,
        wanted: Optional[WantedDatabase],
        warn: Callable[[str], None],
        enlarge: bool = False,
        on_unseen: str = WARN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        cluster.require(can.DATABASE_CONFIG)
        self._cluster, self._view, self._name = cluster, view, name
        self._api = cluster.database_config()
        self._on_unseen, self._warn, self._clock = on_unseen, warn, clock
        self._configured_at: Optional[float] = None
        self._has_config = wanted is not None
        self._volumes: Optional[list[DataVolume]] = None
        self.first = self.read(name)
        self._wanted = self._with_volume(wanted or WantedDatabase())
        self.nodes = DatabaseNodes(cluster, self._api, self._wanted, enlarge)
        self._check()

    # -- reading

    def read(self, name: str) -> State:
        """The database. In a preview it has the state that earlier tasks would have left."""
        return read(self._cluster, self._view, name)

    def _with_volume(self, wanted: WantedDatabase) -> WantedDatabase:
        """The wanted configuration with the name of the volume, because the server shows volumes by name."""
        vid, name = wanted.values.get("data_volume_id"), wanted.values.get("data_volume_name")
        shown = self.first.settings.get("data_volume_name") if self.first else None
        if vid is None and name in (None, shown):
            return wanted
        try:
            self._volumes = self._api.volumes()
        except Denied:  # a user who only administers databases has no right to list volumes
            return wanted
        if vid is None:
            refuse_unknown(self._view.name, "volume", [str(name)], [volume.name for volume in self._volumes])
            return wanted
        numbered = {str(volume.vid): volume.name for volume in self._volumes}
        refuse_unknown(self._view.name, "volume", [str(vid)], numbered)
        if not numbered[str(vid)]:
            return wanted
        others = {key: value for key, value in wanted.values.items() if key != "data_volume_id"}
        return replace(wanted, values={**others, "data_volume_name": numbered[str(vid)]})

    # -- before anything is sent

    def _check(self) -> None:
        """Makes sure that the server would take the values, and warns of those that can't be compared."""
        if self.first is None:
            if not self._has_config:
                raise NoSuchObject(
                    f"{self._view.name}: there is no database {self._name}; to create it, give config",
                    failed_object=self._name,
                )
            names = self._view.databases()
            self._refuse_alike(names)
            self._api.check("create", self._name, self._wanted.creation())
            later = self._later()
            if later:
                self._api.check("configure", self._name, later)
            self._warn_of_shared_volume()
            self._warn_of_shared_port(self._wanted.nodes or (), names)
            return
        values = self._to_configure(self.first)
        if values:
            self._api.check("configure", self._name, values)
        self._check_places(self.first)
        if "port" in values:
            self._warn_of_shared_port(self.first.nodes, self._view.databases())
        unseen = self._unseen(self.first)
        if unseen and self._on_unseen == WARN:
            self._warn(
                f"{self._view.name}: {self._name}: this run can't compare {listing(list(unseen), 20)} and "
                "doesn't change that, because the server doesn't show it (on_unseen: send sends it to a database that "
                "is stopped)"
            )
        left = [name for name in self._not_shown(self.first) if not self._api.takes("configure", name)]
        if left:
            whole = "; use params, which gives all" if any(name.startswith("params_") for name in left) else ""
            self._warn(
                f"{self._view.name}: {self._name}: this run can't compare or change {listing(left, 20)}, because the "
                f"server doesn't show it and {self._api.calls['configure']} doesn't take it{whole}"
            )

    def _check_places(self, there: DatabaseConfigState) -> None:
        added, removed = self.nodes.moves(there)
        more = self.nodes.more(there)
        for change, given in (
            ("add_reserve", {"node_list": added} if added else {}),
            ("remove_reserve", {"node_list": removed} if removed else {}),
            ("enlarge", {"num_new_nodes": more} if more > 0 else {}),
        ):
            if given:
                self._api.check(change, self._name, given)

    def _warn_of_shared_volume(self) -> None:
        name = self._wanted.values.get("data_volume_name")
        users = [user for volume in self._volumes or () if volume.name == name for user in volume.users]
        if users:
            self._warn(
                f"{self._view.name}: {self._name}: volume {name} also belongs to {listing(users)}; "
                "databases that share a data volume can't run at the same time"
            )

    def _refuse_alike(self, names: list[str]) -> None:
        alike = [name for name in names if name.lower() == self._name.lower()]
        if alike:
            raise NoSuchObject(
                f"{self._view.name}: there is no database {self._name}, but there is {listing(alike)}, and two "
                "names that differ only in case are easily confused",
                hint="write the name as the server does, or choose another name",
                failed_object=self._name,
            )

    def _warn_of_shared_port(self, nodes: tuple[str, ...], names: list[str]) -> None:
        port = self._wanted.values.get("port", UNSET["port"])
        others = gather([name for name in names if name != self._name], self._api.read)
        users = [
            name
            for name, there in others.items()
            if there and set(nodes) & set(there.nodes) and same("port", port, there.settings.get("port", UNSET["port"]))
        ]
        if users:
            self._warn(
                f"{self._view.name}: {self._name}: port {port} also belongs to {listing(users)}, on the same nodes; "
                "databases that share a port can't run there at the same time"
            )

    def _later(self) -> dict[str, Any]:
        return {name: value for name, value in self._wanted.values.items() if name in LATER}

    def _unseen(self, there: DatabaseConfigState) -> tuple[str, ...]:
        """The wanted options that can't be compared, because the server doesn't show them."""
        wanted, number = self._wanted, self._wanted.number
        more = ("num_active_nodes",) if number is not None and there.number is None else ()
        return (*difference(wanted, there).not_shown, *more)

    def not_compared(self) -> list[str]:
        """The options for the result that weren't compared: not shown, or of use only when a database is created."""
        if self.first is None:
            return []
        return [*self._unseen(self.first), *(name for name in WRITE_ONLY if name in self._wanted.values)]

    # -- settings

    def _to_configure(self, there: DatabaseConfigState) -> dict[str, Any]:
        unseen = self._not_shown(there) if self._configured_at is None else {}
        sent = {name: value for name, value in unseen.items() if self._api.takes("configure", name)}
        return {**difference(self._wanted, there).values, **sent}

    def _not_shown(self, there: DatabaseConfigState) -> dict[str, Any]:
        """The values to send although they can't be compared. The server may not take all of them."""
        if self._on_unseen != SEND:
            return {}
        return values_not_shown(self._wanted, difference(self._wanted, there).not_shown)

    def created(self, name: str, there: State, history: History) -> Decision:
        """Decides whether the database is created."""
        if there is None:
            return Act(self._api.calls["create"], partial(self._api.create, name, self._wanted.creation()))
        if history.acted:
            return (self._another(there) if history.unsure else None) or Done()
        return self._refusal(there) or Done()

    def _another(self, there: DatabaseConfigState) -> Optional[Fail]:
        """The failure if the database differs from the one to create, so that somebody else must have created it."""
        found = difference(self._wanted, there)
        names = [*found.fixed, *(name for name in found.values if name not in LATER)]
        nodes = [*self.nodes.moves(there)[0], *self.nodes.moves(there)[1]]
        odd = [self._compared(there, names)] if names else []
        odd += [f"nodes are {listing(list(there.nodes), 20)}"] if nodes or self.nodes.more(there) else []
        if not odd:
            return None
        return Fail(
            f"somebody else has created this database in the meantime, and its {', '.join(odd)}",
            hint="run it again: the new run first compares that database with config",
            number="DBF-6211",
        )

    def _refusal(self, there: DatabaseConfigState) -> Optional[Fail]:
        """Why the existing database can't be changed as wanted; None if it can."""
        found = difference(self._wanted, there)
        if set(found.fixed) & set(VOLUME):
            return Fail(
                f"{self._compared(there, found.fixed)}, and with another volume the database would be without its data",
                hint="leave the volume out of config, or create another database on that volume; db_configure "
                "(exa_job) can give this database another volume",
                number="DBF-6201",
            )
        if found.fixed:
            return Fail(
                f"{self._compared(there, found.fixed)}, and no job can change that",
                hint="leave it out of config, or delete the database and create it again",
                number="DBF-6201",
            )
        settings = self._to_configure(there)
        if settings and there.database.phase != SETUP and there.database.phase not in STOPPING:
            return Fail(
                f"{database_words(there.database)}, and {self._compared(there, settings)}; "
                "a database is configured only while it is stopped",
                hint="stop it first (exa_database state=stopped)",
                number="DBF-6201",
            )
        return self.nodes.refusal(there)

    def configured(self, name: str, there: State, history: History) -> Decision:
        """Decides which settings to change."""
        step = self._api.calls["configure"]
        if there is None:
            return not_there(history, step)
        if step in history.acted:
            return self._after(name, there)
        values = self._to_configure(there)
        if not values:
            return Done()
        refusal = self._refusal(there) or busy(there.database)
        if refusal:
            return refusal
        if there.database.phase in STOPPING:
            return Wait(database_words(there.database), then=(step,))
        return Act(step, partial(self._configure, name, values))

    def _configure(self, name: str, values: dict[str, Any]) -> None:
        self._configured_at = None
        self._api.configure(name, values)
        self._configured_at = self._clock()

    def _after(self, name: str, there: DatabaseConfigState) -> Decision:
        """Decides what to do after the database was configured: the nodes may show the change a little later."""
        left = difference(self._wanted, there).values
        if not left:
            return Done()
        at = self._configured_at
        if at is None or self._clock() - at < PATIENCE:
            return Act(self._api.calls["configure"], partial(self._configure, name, left))
        shown = [option for option in left if option in there.settings]
        if shown:
            return Fail(
                f"{self._api.calls['configure']} succeeded, but the server still shows another value: "
                f"{self._compared(there, shown)}",
                hint="the server may write that value in another way: give it as the server shows it",
                number="DBF-6201",
            )
        self._warn(
            f"{self._view.name}: {name}: the server accepted {listing(list(left))} but doesn't show it, so "
            "the next run would send it again"
        )
        return Done()

    def _compared(self, there: DatabaseConfigState, names: Any) -> str:
        """The differing settings as words, such as `mem_size is 2 GiB, not 4 GiB`."""
        wanted = {**self._wanted.values, "params": " ".join(self._params(there))}
        return ", ".join(
            f"{name} is {_shown(there.settings[name]) if name in there.settings else 'not shown'}, "
            f"not {_shown(wanted.get(name, ''))}"
            for name in names
        )

    def _params(self, there: DatabaseConfigState) -> list[str]:
        base = self._wanted.values.get("params", there.settings.get("params"))
        return self._wanted.params(words_of(base))

    # -- the run

    def words(self, there: State) -> str:
        """The database for messages: its state, and the settings that the task wants."""
        if there is None:
            return "absent"
        parts = [database_words(there.database)]
        names = [*self._wanted.values]
        names += ["params"] if (self._wanted.added or self._wanted.deleted) and "params" not in names else []
        parts += [f"{name} {_shown(there.settings[name])}" for name in names if name in there.settings]
        if self._wanted.nodes is not None or self._wanted.number is not None:
            parts.append(f"active {listing(list(there.active + there.failed)) or 'none'}")
            parts.append(f"reserve {listing(list(there.reserve)) or 'none'}")
        return ", ".join(parts)

    def target(self, _name: str, there: State) -> State:
        """The database as it will be after the run."""
        wanted = self._wanted
        if there is None:
            nodes, number = wanted.nodes or (), wanted.number or 0
            there = DatabaseConfigState(
                Database(self._name, SETUP), nodes[:number], (), nodes[number:], number, {}, True
            )
            shown = {name: value for name, value in wanted.creation().items() if name not in PLACES}
            shown = {name: value for name, value in {**shown, **self._later()}.items() if name not in WRITE_ONLY}
        else:
            shown = {name: value for name, value in self._to_configure(there).items() if not name.startswith("params_")}
        added, removed = self.nodes.moves(there)
        reserve = [node for node in (*there.reserve, *added) if node not in removed]
        more = max(self.nodes.more(there), 0)
        up = more or self.nodes.comes_up(there)
        database = there.database.with_(state=RUNNING, connectible="Yes") if up else there.database
        return replace(
            there,
            database=database,
            active=(*there.active, *reserve[:more]),
            reserve=tuple(reserve[more:]),
            number=None if there.number is None else there.number + more,
            settings={**there.settings, **shown},
        )

    def stages(self) -> list[Stage]:
        """The stages that are needed, in this order: creation, settings, reserve nodes, active nodes."""
        first = self.first
        stages = [self._stage("present", self.created)]
        if self._later() if first is None else self._to_configure(first):
            stages.append(self._stage("configured", self.configured))
        added, removed = self.nodes.moves(first) if first else ([], [])
        stages += [self._stage("with its nodes", self.nodes.with_reserve)] if added else []
        stages += [self._stage("without other nodes", self.nodes.without_reserve)] if removed else []
        if first is not None and (self.nodes.more(first) > 0 or self.nodes.comes_up(first)):
            stages.append(
                self._stage(
                    "enlarged",
                    self.nodes.enlarged,
                    guard=Databases(self._view, warn=self._warn).refuse_unless_services_ok,
                    causes=self._cluster.database_errors,
                    follow=partial(self._cluster.news, [self._name]),
                )
            )
        return stages

    def _stage(self, done: str, decide: Callable[[str, State, History], Decision], **more: Any) -> Stage:
        return Stage(
            noun="databases",
            done=done,
            names=[self._name],
            read=Each(self.read),
            decide=decide,
            words=self.words,
            target=self.target,
            **more,
        )


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)

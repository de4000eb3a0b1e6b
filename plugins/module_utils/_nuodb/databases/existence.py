# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How database objects are created, given their options, and deleted."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Optional

from ..._convergence.stage import Act, Decision, Done, Fail, History, Stage, Together
from ..api.objects import NOT_RUNNING, Database
from ..guards import refuse_without_quorum
from ..view import DomainView, Snapshot


def with_objects(snapshot: Snapshot, states: dict[str, Optional[Database]], purged: bool = False) -> Snapshot:
    """The domain as it would be with these database objects.

    :param states: the objects by name; None for a deleted one.
    :param purged: the archives of deleted ones are gone, too (NUODB-155).
    """
    databases = {name: one for name, one in {**snapshot.databases, **states}.items() if one is not None}
    gone = [name for name, one in states.items() if one is None and purged]
    archives = {key: one for key, one in snapshot.archives.items() if one.db_name not in gone}
    return replace(snapshot, databases=databases, archives=archives)


class DatabaseObjects:
    """Creates database objects, sets their default options, or deletes them.

    :param create: the body of the request that creates one; None if no DBA was given.
    :param purge: purge what is deleted, also if somebody else has deleted it.
    """

    def __init__(
        self,
        view: DomainView,
        create: Optional[dict[str, Any]] = None,
        options: Optional[dict[str, str]] = None,
        purge: bool = False,
    ) -> None:
        self._view = view
        self._create = create
        self._options = options or {}
        self._purge = purge

    def read(self, names: list[str]) -> dict[str, Optional[Database]]:
        seen = self._view.databases_and_deleted() if self._purge else self._view.look("databases").databases
        return {name: seen.get(name) for name in names}

    def present(self, name: str, database: Optional[Database], _history: History) -> Decision:
        if database is None:
            if self._create is None:
                return Fail("it does not exist", hint="set dba_user and dba_password to create it", number="DBF-6606")
            return Act("create database", partial(self._view.domain.create_database, name, self._create))
        different = {key: value for key, value in self._options.items() if database.default_options.get(key) != value}
        if different:
            names = ", ".join(different)
            return Act(f"set default options {names}", partial(self._view.domain.set_options, name, different))
        return Done()

    def absent(self, name: str, database: Optional[Database], _history: History) -> Decision:
        if database is None:
            return Done()
        if not database.is_down:
            return Fail(
                f"it is {database.state}, and a deletion would leave its processes without a database object",
                hint="shut it down first (nuodb_database state=stopped); nothing overrides this",
                number="DBF-6606",
            )
        delete = partial(self._view.domain.delete_database, name, self._purge)
        return Act("purge" if self._purge else "delete", delete)

    def words(self, database: Optional[Database]) -> str:
        """The state for people, with the present values of the wanted options."""
        if database is None:
            return "absent"
        told = (f"{key}={database.default_options.get(key, '(not set)')}" for key in self._options)
        options = ", ".join(told)
        return f"{database.state} ({options})" if options else database.state

    def guard(self) -> None:
        refuse_without_quorum(self._view.name, self._view.look("servers"))

    def stages(self, names: list[str], state: str) -> list[Stage]:
        """The stage that brings all of them to `present` or `absent`."""

        def target(name: str, database: Optional[Database]) -> Optional[Database]:
            if state == "absent":
                return None
            before = database or Database(name, NOT_RUNNING)
            return Database(name, before.state, before.incarnation, {**before.default_options, **self._options})

        return [
            Stage(
                noun="databases",
                done=state,
                names=names,
                read=Together(self.read),
                decide=self.present if state == "present" else self.absent,
                words=self.words,
                target=target,
                guard=self.guard,
            )
        ]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases of plain data, and the API that configures them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Optional

from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.databases import (
    DatabaseConfigState,
    DataVolume,
)
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.providers import CONFD
from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.api.states import Database


def configured(state: str = "setup", complete: bool = True, **settings: Any) -> DatabaseConfigState:
    known = {"mem_size": "2 GiB", "port": 8563, **settings}
    return DatabaseConfigState(Database("DB1", state), ("n11", "n12"), (), ("n13",), 2, known, complete)


def answered(known: Any) -> Any:
    """What a call returns, or raises where it is an error."""
    if isinstance(known, Exception):
        raise known
    return known


class Api:
    """What would be sent, without anybody to send it to."""

    calls = {
        "create": "db_create", "configure": "db_configure", "delete": "db_delete",
        "add_reserve": "db_add_reserve_nodes", "remove_reserve": "db_remove_reserve_nodes", "enlarge": "db_enlarge",
    }  # fmt: skip

    def __init__(
        self, there: Optional[DatabaseConfigState], *volumes: DataVolume, **others: DatabaseConfigState
    ) -> None:
        self.there = there
        self.others = others
        self.known: Any = list(volumes)
        self.sent: list[Any] = []
        self.lacking: tuple[str, ...] = ()

    def read(self, name: str) -> Optional[DatabaseConfigState]:
        return self.others.get(name, self.there)

    def volumes(self) -> list[DataVolume]:
        return answered(self.known)

    def takes(self, _change: str, option: str) -> bool:
        return option not in self.lacking

    def check(self, *what: Any) -> None:
        self.sent.append(("check", *what))

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.sent.append((name, *args))


def cluster(api: Api, error: str = "") -> Any:
    return SimpleNamespace(
        name="exa-unit", provider=CONFD, require=lambda _what: None, database_config=lambda: api,
        nodes=lambda: ["n11", "n12", "n13"], databases=lambda: list(api.others),
        services=lambda: {"Storaged": "not running"}, database_errors=lambda _name: error, news=lambda _names: [],
    )  # fmt: skip

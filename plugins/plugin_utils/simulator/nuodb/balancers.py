# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancer policies and configurations."""

from __future__ import annotations

from typing import Any


class Balancers:
    """`policies`: name -> query. `configs`: database, or None for the domain -> query and prefilter."""

    def __init__(self) -> None:
        self.policies: dict[str, str] = {}
        self.configs: dict[str | None, dict[str, str | None]] = {}

    def config(self, db_name: str | None) -> dict[str, str | None]:
        return self.configs.setdefault(db_name, {"defaultLbQuery": None, "prefilter": None})

    def query(self, db_name: str) -> tuple[str | None, str | None]:
        """The default query and prefilter of a database, or else of the domain."""
        rows = [self.configs.get(key, {}) for key in (db_name, None)]
        return tuple(next((row[key] for row in rows if row.get(key)), None) for key in ("defaultLbQuery", "prefilter"))  # type: ignore[return-value]

    def policy_rows(self) -> list[dict[str, Any]]:
        return [{"policyName": name, "lbQuery": query} for name, query in self.policies.items()]

    def config_rows(self) -> list[dict[str, Any]]:
        return [
            {**({} if name is None else {"dbName": name}), "isGlobal": name is None, **row}
            for name, row in self.configs.items()
        ]

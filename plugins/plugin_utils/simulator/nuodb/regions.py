# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Regions (deprecated by the product): their names, and the region of each server of a database."""

from __future__ import annotations


class Regions:
    def __init__(self, names: dict[str, str]) -> None:
        self.names = {int(key): value for key, value in names.items()}
        self.names.setdefault(0, "Default")
        self.defaults: dict[str, int] = {}
        self.assignments: dict[str, dict[str, int]] = {}

    def of(self, db_name: str, server_id: str) -> int:
        return self.assignments.get(db_name, {}).get(server_id, self.defaults.get(db_name, 0))

    def name(self, region: int) -> str:
        return self.names.get(region, "Default")

    def used(self, region: int) -> bool:
        return region in self.defaults.values() or any(region in rows.values() for rows in self.assignments.values())

    def new(self, name: str) -> int:
        region = max(self.names) + 1
        self.names[region] = name
        return region

    def rows(self) -> list[dict[str, object]]:
        return [{"id": key, "name": name} for key, name in self.names.items()]

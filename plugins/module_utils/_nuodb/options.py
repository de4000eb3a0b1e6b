# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The options that NuoDB modules share, as values that merge, and the view of the domain that they ask for."""

from __future__ import annotations

from typing import Any

from .. import _options
from .._task import Task
from .api.domain import Domain
from .api.objects import as_plain
from .connection import CONNECTION
from .view import DomainView, Snapshot

CHANGING = ("databases", "archives", "processes")
"""The parts of a domain that change together with its databases."""


def spec(options: dict[str, Any], waits: bool = False, **relations: Any) -> dict[str, Any]:
    """The keyword arguments of AnsibleModule for a NuoDB module. See `_options.merged`."""
    return _options.merged(CONNECTION, options, waits, **relations)


def view_of(task: Task, domain: Domain) -> DomainView:
    """The domain as the steps of this task see it: in check mode, as earlier tasks would have left it."""
    return DomainView(domain, task.params.get("assume") if task.check_mode else None)


def told(result: dict[str, Any], after: Snapshot, db_names: list[str], view: DomainView) -> dict[str, Any]:
    """What a module returns about databases.

    :param result: what `bring` returned.
    :param after: their parts of the domain at the end, or as predicted.
    """
    plain = after.as_plain()
    mine = {part: {k: row for k, row in plain[part].items() if row["db_name"] in db_names} for part in CHANGING}
    kept = {key: value for key, value in result.items() if key != "states"}
    predicted = {part: plain[part] for part in CHANGING}
    predicted["tombstones"] = {stone.process.start_id: stone.as_dict() for stone in after.tombstones}
    return {**kept, **mine, "predicted": predicted, "api_calls": view.domain.api_calls}


def told_of_processes(result: dict[str, Any], seen: Snapshot, db_names: list[str], view: DomainView) -> dict[str, Any]:
    """What a module returns about databases if another task reads them right after: the processes that it has read.

    :param result: what `bring` returned.
    """
    kept = {key: value for key, value in result.items() if key != "states"}
    mine = {key: as_plain(one) for key, one in seen.processes.items() if one.db_name in db_names}
    return {**kept, "processes": mine, "predicted": {}, "api_calls": view.domain.api_calls}

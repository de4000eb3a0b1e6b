# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An operation that runs on a database, as far as backups have to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ..._errors import Refused
from ..api.backups import BACKUP, Progress
from ..api.states import Database

WAIT_HINT = "on_operation: wait waits until the operation ends"


def refuse_all(what: str, bad: Mapping[str, str], hint: str, states: Mapping[str, Any], number: str) -> None:
    """None of several databases is begun with where one can't be; all that stands against it is said.

    :param what: what isn't done, after the cluster's name (`exa: nothing restored`).
    :param bad: database -> what stands against it, empty where nothing does.
    :param states: database -> what was seen of it.
    :param number: of the rule, in docs/messages.md.
    :raises Refused: for those that something stands against.
    """
    found = {name: why for name, why in bad.items() if why}
    if found:
        raise Refused(
            f"{what}: " + "; ".join(f"{name}: {why}" for name, why in found.items()),
            hint=hint,
            failed_object=" ".join(found),
            last_state={name: states[name].as_dict() for name in found},
            number=number,
        )


def is_backup(operation: str) -> bool:
    return BACKUP in operation.lower()


def busy_words(database: Database, progress: Optional[Progress]) -> str:
    """An operation for people."""
    return f"operation {database.operation}" + (f", {progress.percent} %" if progress and not progress.is_over else "")

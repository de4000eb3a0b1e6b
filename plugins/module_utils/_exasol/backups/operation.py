# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules of backups need to know of an operation that runs on a database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ..._errors import Refused
from ..api.backups import BACKUP, Progress
from ..api.states import Database

WAIT_HINT = "on_operation: wait waits until the operation ends"


def refuse_all(what: str, bad: Mapping[str, str], hint: str, states: Mapping[str, Any], number: str) -> None:
    """Refuses all of several databases if one of them must be refused, and gives all reasons.

    :param what: what is not done, after the cluster's name (`exa: nothing restored`).
    :param bad: database -> the reason to refuse it, empty if there is none.
    :param states: database -> its state as it was read.
    :param number: of the rule, in docs/messages.md.
    :raises Refused: a database has a reason.
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
    """The operation of a database in words."""
    return f"operation {database.operation}" + (f", {progress.percent} %" if progress and not progress.is_over else "")

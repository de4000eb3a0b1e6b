# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The expiry of a backup in the form that the server takes (CONFD-82, CONFD-90, CONFD-91).

Some jobs take an epoch, some a timestamp, some a duration. If the form isn't certain, nothing is sent, because a backup
must never expire at a wrong time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any, Optional, Union

from ..._errors import ClusterError
from ..api.expiry import DURATION, EPOCH, TIMESTAMP, Expiry
from ..api.jobs import Parameter


def form_of(job: str, parameter: Parameter) -> Optional[str]:
    """The form in which a parameter takes an expiry; None if the server doesn't say it clearly.

    Its description decides, then its type, then what is documented for the job.
    """
    text = parameter.text.lower()
    found = set()
    if "epoch" in text:
        found.add(EPOCH)
    if re.search(r"y{2,4}-m", text):
        found.add(TIMESTAMP)
    if re.search(r"\b\d+\s?w(eeks?)?\b|\b\d+\s?d(ays?)?\b|str2sec|duration", text):
        found.add(DURATION)
    if len(found) > 1:
        return None
    if found:
        return found.pop()
    if "str" in parameter.kinds and job in (
        "db_backup_start",
        "db_backup_add_schedule",
        "db_backup_modify_schedule",
    ):
        return DURATION  # '10d' in 6.2, '1w 3d' in 8.x; schedules also take an integer (CONFD-82, CONFD-94)
    return None


def fitted(
    job: str, parameter: Parameter, value: Any, zone: Optional[tzinfo], clock: Callable[[], datetime]
) -> Union[str, int]:
    """An expiry in the form that a parameter takes.

    :raises ClusterError: the form isn't certain, or the expiry has passed.
    """
    form = form_of(job, parameter)
    if form is None or (form != EPOCH and parameter.kinds == ("int",)):
        raise ClusterError(
            f"the server doesn't say in which form {job} takes {parameter.name} "
            f"({parameter.text or 'it has no description'}), and a backup must not expire at a wrong time",
            number="DBF-7009",
        )
    expiry, now = Expiry(value, zone), clock()
    if expiry.is_over(now):
        raise ClusterError(
            f"the expiry {str(value)!r} has passed already, and the backup would be deleted at once", number="DBF-7009"
        )
    found = expiry.as_(form, now)
    return str(found) if parameter.kinds == ("str",) else found

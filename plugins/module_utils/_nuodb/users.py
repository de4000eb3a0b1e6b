# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""What a domain knows of the user of a task."""

from __future__ import annotations

from typing import Optional

from .._errors import Denied, Fault
from .api.domain import Domain


def role(domain: Domain, user: Optional[str]) -> Optional[str]:
    """The names of a user's roles.

    :param user: None for a user with a client certificate: no call shows a client its own user (NUODB-118).
    :returns: None if the domain doesn't return them: few users may read the list of users.
    """
    if not user:
        return None
    try:
        return ", ".join(domain.roles_of(user)) or None
    except (Denied, Fault):
        return None


def role_is_enough_for(_role: str) -> str:
    """What a role is enough for, as far as known: its name alone doesn't show which requests it allows."""
    return "enough to read the servers; only a request that changes something shows whether the role allows it"

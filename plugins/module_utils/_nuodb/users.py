# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""What a domain tells of the user that a task is to it."""

from __future__ import annotations

from typing import Optional

from .._errors import Denied, Fault
from .api.domain import Domain


def role(domain: Domain, user: Optional[str]) -> Optional[str]:
    """The names of a user's roles.

    :param user: None for one that is known by its client certificate: the API doesn't say which that is (NUODB-118).
    :returns: None where the domain doesn't tell: few users may read the users.
    """
    if not user:
        return None
    try:
        return ", ".join(domain.roles_of(user)) or None
    except (Denied, Fault):
        return None


def role_is_enough_for(_role: str) -> str:
    """What is known of what a role is enough for: its name alone says nothing of the requests that it allows."""
    return "enough to read the servers; only a request that changes something shows whether the role allows it"

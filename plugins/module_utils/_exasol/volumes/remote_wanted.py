# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What exa_remote_volume asks for, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ..._errors import ClusterError
from ..._options import refuse_unprintable
from ..api.volume_names import FIRST_REMOTE
from ..view import ClusterView

FIELDS = (
    "vol_type", "url", "username", "owner", "labels", "options", "allowed_users", "readonly_users",
)  # fmt: skip
"""What is compared, where the server tells it."""


@dataclass(frozen=True)
class WantedRemoteVolume:
    """What the options say. What they don't say is None, or left out of `fields`.

    :param always: set the password also where the volume is there.
    :param s3_access_key: in place of a username; the password is the secret key then.
    :param confirm: the volume's own name, where it may go although backups are on it.
    """

    name: str
    state: str
    id: Optional[int] = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    password: Optional[str] = None
    always: bool = False
    recreate: bool = False
    require_online: bool = True
    confirm: tuple[str, ...] = ()
    s3_access_key: Optional[str] = None


def _refuse_half_keys(cluster: ClusterView, name: str, given: dict[str, Any]) -> None:
    """They are two, and stand for the user and the password of a store that speaks S3."""
    keys = [key for key in ("s3_access_key", "s3_secret_key") if given[key] is not None]
    beside = [key for key in ("username", "password") if given[key] is not None]
    if len(keys) == 1:
        raise ClusterError(f"{cluster.name}: {name}: {keys[0]} is given alone, but both keys are needed")
    if keys and beside:
        raise ClusterError(f"{cluster.name}: {name}: give {beside[0]} or {keys[0]}, not both")
    if keys and given["vol_type"] not in (None, "s3"):
        raise ClusterError(f"{cluster.name}: {name}: {keys[0]} is for vol_type s3, not {given['vol_type']}")


def wanted_of(cluster: ClusterView, given: dict[str, Any]) -> WantedRemoteVolume:
    """The options, checked.

    :raises ClusterError: they make no sense.
    """
    name, number = given["name"].strip(), given["remote_volume_id"]
    if not name:
        raise ClusterError(f"{cluster.name}: name is empty: give the name of the remote volume")
    if given["state"] == "present":
        refuse_unprintable(f"{cluster.name}: remote volume", name)
    if number is not None and number < FIRST_REMOTE:
        raise ClusterError(f"{cluster.name}: remote_volume_id must be at least {FIRST_REMOTE}, not {number}")
    if given["url"] == "" and given["state"] == "present":
        raise ClusterError(f"{cluster.name}: {name}: url is empty")
    if not all(label.strip() for label in given["labels"] or ()):
        raise ClusterError(f"{cluster.name}: {name}: a label is empty")
    _refuse_half_keys(cluster, name, given)
    password = given["password"] if given["s3_secret_key"] is None else given["s3_secret_key"]
    always = given["update_password"] == "always" and password is not None
    fields = {key: tuple(given[key]) if isinstance(given[key], list) else given[key] for key in FIELDS}
    return WantedRemoteVolume(
        name,
        given["state"],
        number,
        {key: value for key, value in fields.items() if value is not None},
        password,
        always,
        given["recreate"],
        given["require_online"],
        tuple(given["confirm"]),
        given["s3_access_key"],
    )

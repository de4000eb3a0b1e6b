# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of exa_remote_volume, checked."""

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
"""The settings that are compared, if the server reports them."""


@dataclass(frozen=True)
class WantedRemoteVolume:
    """The options of the task. An option that isn't given is None, or missing in `fields`.

    :param always: whether the password is set even if the volume exists.
    :param s3_access_key: given instead of a username; the password is the secret key then.
    :param confirm: the volume's own name, if it may be removed although backups are on it.
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
    """Refuses one S3 key without the other, or together with what the keys replace: user and password."""
    keys = [key for key in ("s3_access_key", "s3_secret_key") if given[key] is not None]
    beside = [key for key in ("username", "password") if given[key] is not None]
    if len(keys) == 1:
        raise ClusterError(f"{cluster.name}: {name}: {keys[0]} is given alone, but both keys are needed")
    if keys and beside:
        raise ClusterError(f"{cluster.name}: {name}: give {beside[0]} or {keys[0]}, not both")
    if keys and given["vol_type"] not in (None, "s3"):
        raise ClusterError(f"{cluster.name}: {name}: {keys[0]} is for vol_type s3, not {given['vol_type']}")


def wanted_of(cluster: ClusterView, given: dict[str, Any]) -> WantedRemoteVolume:
    """Checks the options.

    :raises ClusterError: if an option has a wrong value, or two options don't go together.
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

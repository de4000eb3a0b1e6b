# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of remote volumes."""

from __future__ import annotations

from typing import Any

from ...common.remote_volumes import FIRST, TYPES, RemoteVolume
from ..catalogue import NEW, Call, given, job, may

_RIGHTS = ("root", "exaadm", "exastoradm")
_NAME = given("remote_volume_name", "str", "Name of a remote volume.")
_ID = may("remote_volume_id", "int", "Id of a remote volume.", instead_of="remote_volume_name")


def remote_of(call: Call) -> RemoteVolume:
    volumes = call.cluster.remote_volumes
    number, name = call.get("remote_volume_id"), call.get("remote_volume_name")
    found = volumes.by_id(number) if number is not None else volumes.all.get(name)
    if found is None:
        raise call.refuse("unknown_volume", name=name if number is None else number)
    return found


@job(
    "Add a remote volume. Its id and name are made where they aren't given.",
    _RIGHTS,
    given("vol_type", "str", f"One of {', '.join(TYPES)}."),
    given("url", "str", "Where it is."),
    may("remote_volume_name", "str", "Its name."),
    may("remote_volume_id", "int", "Its id, at least 10000.", instead_of="remote_volume_name"),
    may("username", "str", "User there."),
    may("password", "str", "Password there."),
    may("s3_access_key", "str", "Access key of a store that speaks S3.", only=(NEW,)),
    may("s3_secret_key", "str", "Its secret key.", only=(NEW,)),
    may("labels", "list", "Labels."),
    may("options", "str|list", "Options."),
    may("owner", "str|list", "Owner; who asks unless it is given."),
    may("allowed_users", "list", "Who else may use it."),
    configures=True,
    example="{'vol_type': 's3', 'url': 'http://bucketname.s3.amazonaws.com'}",
)
def remote_volume_add(call: Call) -> Any:
    volumes = call.cluster.remote_volumes
    name, number = call.get("remote_volume_name") or "", call.get("remote_volume_id")
    if call["vol_type"] not in TYPES:
        raise call.refuse("bad_value", name="vol_type", value=call["vol_type"])
    if number is not None and number < FIRST:
        raise call.refuse("bad_value", name="remote_volume_id", value=number)
    if bool(call.get("s3_access_key")) != bool(call.get("s3_secret_key")):
        raise call.refuse("bad_value", name="s3_access_key", value="given alone, or without s3_secret_key")
    if name in volumes.all or call.cluster.volumes.named(name) is not None or volumes.by_id(number) is not None:
        raise call.refuse("volume_exists", name=name or number)
    volume = volumes.add(name, {"owner": call.user.name, **call.params}, number)
    index = len(volumes.all) - 1
    return [[volume.name, volume.owner, f"/exa/etc/remote_volumes/{call.user.name}.{index}.conf"]]


@job("Names of all remote volumes.", _RIGHTS)
def remote_volume_list(call: Call) -> Any:
    return list(call.cluster.remote_volumes.all)


@job("All remote volumes.", _RIGHTS, dialects=(NEW,))
def remote_volume_list_details(call: Call) -> Any:
    return [volume.info() for volume in call.cluster.remote_volumes.all.values()]


@job("One remote volume.", _RIGHTS, _NAME, _ID)
def remote_volume_info(call: Call) -> Any:
    return remote_of(call).info()


@job("How each node reaches a remote volume.", _RIGHTS, _NAME, _ID)
def remote_volume_state(call: Call) -> Any:
    return remote_of(call).shown_states()


@job("Remove a remote volume.", _RIGHTS, _NAME, _ID, configures=True)
def remote_volume_remove(call: Call) -> Any:
    call.cluster.remote_volumes.delete(remote_of(call))

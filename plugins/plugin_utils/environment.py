# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a connection may come from the environment, and what a simulator's environment may reach."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.error import HTTPError

from ..module_utils._errors import ClusterError
from ..module_utils._values import listed
from ..module_utils._wording import listing
from .products import ENDPOINTS, GROUPS, HOSTS, PRODUCTS, meant_connection, names_of

SIMULATOR = "DBFLEET_SIMULATOR"
"""The variable of the environment with the admin endpoint of the simulator to use."""

TOKEN = "DBFLEET_SIMULATOR_TOKEN"
"""The variable of the environment with the token that this endpoint requires."""


def refuse_borrowed(product: str, variable: str, host: str, hosts: Iterable[str], given: Mapping[str, Any]) -> None:
    """Refuses a task without connection options if the environment's connection may belong to another host's cluster.

    :param variable: the variable of the environment.
    :param hosts: all hosts of the play.
    :param given: the variables of the host.
    :raises ClusterError: the connection may belong to another cluster than the host.
    """
    count, other = len(set(hosts)), _other(product)
    instead = f"{variable} of the environment would be used instead"
    if given.get("dbfleet_object", "cluster") != "cluster":  # as the inventory plugins set it
        raise ClusterError(
            f"{host} is a {given['dbfleet_object']} of {given.get('dbfleet_cluster')}, not a cluster, and {instead}",
            hint="target the host of its cluster",
            number="DBF-6803",
        )
    for name in sorted(map(str, given)):
        meant = meant_connection(product, name)
        if meant:
            raise ClusterError(f"{host}: there is no variable {name}{meant}, and {instead}", number="DBF-6803")
    foreign = _of_other_product(product, given)
    if foreign:
        raise ClusterError(
            f"{host} is {HOSTS[other]} ({foreign}) and names no {PRODUCTS[product]} cluster, and {instead}",
            hint=f"target hosts of {PRODUCTS[product]}",
            number="DBF-6803",
        )
    if count > 1:
        raise ClusterError(
            f"{host} names no cluster, and {variable} of the environment would be used for each of {count} hosts",
            hint=f"set {' or '.join(names_of(product))} for the host, or target one host alone",
            number="DBF-6803",
        )


def refuse_other_product(product: str, host: str, given: Mapping[str, Any], exported: str) -> None:
    """Refuses a task that has no connection at all, if its host is one of the other product.

    :param given: the variables of the host.
    :param exported: the variable of the environment that names a connection of the other product; empty without one.
    :raises ClusterError: the host is one of the other product.
    """
    other = _other(product)
    foreign = _of_other_product(product, given) or (f"{exported} of the environment is set" if exported else "")
    if foreign:
        raise ClusterError(
            f"{host} is {HOSTS[other]} ({foreign}) and names no {PRODUCTS[product]} cluster, so nothing was sent",
            hint=f"target hosts of {PRODUCTS[product]}, or run {other}_... on this host",
            number="DBF-7002",
        )


def _other(product: str) -> str:
    return next(one for one in PRODUCTS if one != product)


def _of_other_product(product: str, given: Mapping[str, Any]) -> str:
    """What shows that a host is one of the other product; an empty text if nothing does."""
    other, groups = _other(product), given.get("group_names") or []
    named = [f"{name} is set" for name in names_of(other) if listed(given.get(name))]
    if GROUPS[other] in groups and GROUPS[product] not in groups:
        named.append(f"it is in the group {GROUPS[other]}")
    return next(iter(named), "")


@lru_cache(maxsize=8)
def _simulated(admin: str, token: str) -> tuple[str, ...]:
    """Host and port of every API that a simulator serves; none if it doesn't answer.

    :raises PermissionError: the simulator refuses this token.
    """
    from ansible.module_utils.urls import open_url  # a quarter of our loading time, only for rehearsals

    headers = {"Simulator-Token": token}
    try:
        with open_url(f"{admin}/about", headers=headers, use_proxy=False, timeout=5) as answer:
            clusters = json.loads(answer.read())["clusters"].values()
        return tuple(_place(url) for one in clusters for url in one["api_url"])
    except HTTPError as error:
        if error.code == 403:
            raise PermissionError from None
        return ()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ()


def _place(url: str) -> str:
    host, _colon, port = url.partition("://")[2].rpartition(":")
    return f"{'127.0.0.1' if host == 'localhost' else host}:{port}"


def refuse_real(product: str, urls: Any, admin: str) -> None:
    """Refuses other servers than the simulator's while the environment names a simulator.

    :param urls: the URLs that the task would reach.
    :param admin: the simulator's admin endpoint.
    :raises ClusterError: the simulator doesn't serve a URL.
    """
    if not listed(urls):
        return
    try:
        simulated = _simulated(admin, os.environ.get(TOKEN, ""))
    except PermissionError:
        raise ClusterError(
            f"the environment names a simulator ({SIMULATOR}={admin}) that refuses {TOKEN}, so the task can't check "
            f"whether api_url {listing(listed(urls))} is one of its clusters",
            hint=f"export the {TOKEN} that the simulator printed when it started, or unset {SIMULATOR}",
            number="DBF-6804",
        )
    beside = [url for url in listed(urls) if not {*map(_place, ENDPOINTS[product]([str(url)]))} & {*simulated}]
    if beside and simulated:
        raise ClusterError(
            f"the environment names a simulator ({SIMULATOR}), but api_url {listing(beside)} is not one of its "
            "clusters: the task, its variables or its profile override the environment, so this would not be the "
            "rehearsal",
            hint=f"give the simulator's api_url and credentials there, or unset {SIMULATOR}",
            number="DBF-6804",
        )
    if beside:
        raise ClusterError(
            f"the environment names a simulator ({SIMULATOR}={admin}) that does not answer, so api_url "
            f"{listing(beside)} may be a real cluster",
            hint=f"start the simulator again, or unset {SIMULATOR}",
            number="DBF-6804",
        )

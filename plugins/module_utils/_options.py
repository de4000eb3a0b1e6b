# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The options that modules of both products share, the checks of their values, and the connection made from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from functools import partial
from typing import Any, Callable, Optional

from . import _session
from ._errors import ClusterError, NoSuchObject
from ._http.client import Http, normalized
from ._http.proxies import proxies_of_environment
from ._http.trust import Trust
from ._task import Task
from ._values import first_of
from ._wording import listing, near

WAIT: dict[str, Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "float", "default": 1800},
    "wait_stable": {"type": "float", "default": 0},
    "heartbeat": {"type": "float", "default": 30, "fallback": (first_of, ["DBFLEET_HEARTBEAT"])},
}

SECONDS = ("request_timeout", "wait_timeout", "wait_stable", "heartbeat", "api_timeout", "boot_message_timeout")
"""All options of modules that are numbers of seconds."""

LONGEST = 1e8
"""Seconds, about three years. The largest time-out that operating systems accept is somewhere above."""

FROM_RUNBOOK: dict[str, Any] = {"assume": {"type": "dict"}, "approved": {"type": "dict"}}
"""Options that a runbook sets for its modules."""


def merged(connection: dict[str, Any], options: dict[str, Any], waits: bool, **relations: Any) -> dict[str, Any]:
    """The keyword arguments of AnsibleModule for a module.

    :param waits: whether the module changes something and waits for it.
    """
    shared = {**connection, **(WAIT if waits else {}), **(FROM_RUNBOOK if waits else {})}
    return {"argument_spec": {**shared, **options}, "supports_check_mode": True, **relations}


def refuse_odd_seconds(name: str, given: dict[str, Any]) -> None:
    """:raises ClusterError: an option is no usable time. YAML has `.nan`, `.inf` and negative numbers."""
    for option in SECONDS:
        value = given.get(option)
        least = "above 0" if option == "request_timeout" else "of 0 or more"
        if value is not None and not (0 <= value <= LONGEST and (value or option != "request_timeout")):
            raise ClusterError(
                f"{name}: {option} is {value:g}: it takes a number of seconds {least}, at most {LONGEST:g}"
            )


def refuse_unprintable(noun: str, name: str) -> None:
    """:raises ClusterError: a new object's name contains an invisible character, such as a line end."""
    if not name.isprintable():
        raise ClusterError(f"{noun} {name!r}: the name contains an invisible character")


def refuse_unknown(cluster: str, noun: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Checks that all names which a task gives exist.

    :raises NoSuchObject: lists all names that don't exist, with similar names, and the names that do.
    """
    there = list(known)
    missing = [name for name in dict.fromkeys(names) if name not in there]
    if missing:
        said = ", ".join((name or "''") + near(name, there) for name in missing)
        raise NoSuchObject(
            f"{cluster}: there is no {noun} {said}; there are: {listing(there, 20) or 'none'}",
            failed_object=" ".join(missing),
        )


def http_of(
    task: Task,
    variable: str,
    only: Optional[list[str]] = None,
    port: Optional[int] = None,
    is_own: Optional[Callable[[int, bytes], bool]] = None,
) -> Http:
    """The API that a task's options name.

    :param variable: the environment variable for the URLs, for the message if there are none.
    :param only: use these URLs instead of those in `api_url`.
    :param port: see `Http`.
    :param is_own: see `Http`.
    :raises ClusterError: an option has an unusable value. Nothing was sent yet.
    """
    given = task.params
    urls = only or given["api_url"] or []
    name = given["cluster_name"] or (normalized(urls[0], port).partition("://")[2] if urls else "the cluster")
    if not urls:
        raise ClusterError(f"{name}: no api_url is given (option api_url, a profile, or {variable})", number="DBF-7002")
    refuse_odd_seconds(name, given)
    try:
        trust = Trust(
            given["validate_certs"],
            given["ca_path"],
            given["tls_fingerprint"],
            given["client_cert"],
            given["client_key"],
            given.get("verify_hostname", True),
            "verify_hostname" in given,
        )
        more: dict[str, Any] = {"is_own": is_own} if is_own else {}
        options = (given["api_username"], given["api_password"], trust, given["request_timeout"], port)
        made_of = (name, tuple(urls), *options[:2], astuple(trust), *options[3:], is_own)
        http = _session.http_for(
            lambda: (*made_of, *sorted(proxies_of_environment().items())), partial(Http, name, urls, *options, **more)
        )
    except ClusterError as error:
        raise error.of(name) from None
    if any(url.startswith("http://") for url in http.urls):
        task.warn(f"{name}: api_url is http: the password travels unencrypted")
    elif not trust.validate and not trust.fingerprint:
        task.warn(
            f"{name}: validate_certs is off: the server's certificate is not checked, so any server that answers gets "
            "the password"
        )
    return http

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which clusters an inventory source lists: by their connections, or by profiles."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

from ...module_utils._errors import ClusterError
from ...module_utils._values import is_nothing, listed
from ...module_utils._wording import listing, near
from ..plain import plain
from ..products import CONNECTIONS, PRODUCTS
from ..profiles import DEFAULT_PROFILES, Profiles, fallback, refuse_credentials

SECRETS = [name for name, row in CONNECTIONS["exa"].items() if row.get("no_log")]

KEYS = ("name", "vars", "region")
"""The keys that a cluster of the list may have besides its connection."""

WILD = "*?["
"""Characters that make a name a pattern."""


@dataclass
class Listed:
    """A cluster that a source lists.

    :param options: the options of its connection, as given.
    :param path: the path of the file with its profile.
    :param vars: the variables for its host, as the source gives them.
    """

    name: str
    options: dict[str, Any]
    path: str = DEFAULT_PROFILES
    vars: dict[str, Any] = field(default_factory=dict)
    region: str = ""

    def asked(self) -> dict[str, Any]:
        """The options of the module that reads the cluster."""
        return {**self.options, **({"profiles_path": self.path} if "profile" in self.options else {})}

    def digest(self) -> str:
        """A digest of the connection, which differs for another connection."""
        return sha256(json.dumps(self.asked(), sort_keys=True).encode()).hexdigest()


class Source:
    """A source file.

    :param product: the prefix of the product's variables.
    :param folder: the folder of the source file; a relative C(profiles_path) starts there.
    :param profiles_path: the path as the source gives it.
    """

    def __init__(self, product: str, profiles: Profiles, folder: str, profiles_path: Any = None) -> None:
        self._product, self._other = product, next(one for one in PRODUCTS if one != product)
        self._profiles, self._folder = profiles, folder
        self._given_path = "" if is_nothing(profiles_path) else self._file(profiles_path)
        named = None if self._given_path else fallback(CONNECTIONS[product], "profiles_path")
        self._path = os.path.expanduser(self._given_path or named or DEFAULT_PROFILES)

    def clusters(self, given: Any) -> list[Listed]:
        """The clusters; those of patterns come after the others.

        :param given: the option C(clusters).
        :raises ClusterError: an item of the option is wrong.
        """
        if is_nothing(given):
            return [self._of_profile(name) for name in self._certain()]
        items = listed(given)
        found: dict[str, Listed] = {}
        for item in items:
            one = None if _is_pattern(item) else self._listed(item)
            if one and one.name in found:
                raise ClusterError(f"clusters lists {one.name} twice", number="DBF-7011")
            found.update({one.name: one} if one else {})
        used = {one.options.get("profile") for one in found.values()}
        for pattern in filter(_is_pattern, items):  # an item without a pattern may contain more about a cluster
            for name in self._matching(pattern):
                if name not in used:
                    found.setdefault(name, self._of_profile(name))
        return list(found.values())

    # -- by profiles

    def _of_profile(self, name: str) -> Listed:
        return Listed(name, {"profile": name, **self._own_path()}, self._path)

    def _own_path(self) -> dict[str, str]:
        """The path for the hosts. If the source gives none, a runbook finds the file in the same way as this plugin."""
        return {"profiles_path": self._given_path} if self._given_path else {}

    def _fitting(self) -> dict[str, bool]:
        """The profiles that may be of this product, and whether that is certain."""
        own, others = set(CONNECTIONS[self._product]), set(CONNECTIONS[self._other])
        keys = self._profiles.clusters(self._path, f"profiles_path {self._path}")
        return {name: bool(those & (own - others)) for name, those in keys.items() if not those & (others - own)}

    def _certain(self) -> list[str]:
        fitting = self._fitting()
        either = [name for name, is_certain in fitting.items() if not is_certain]
        if either:
            raise ClusterError(
                f"clusters is missing, and {self._path} does not show whether {listing(either)} is "
                f"{PRODUCTS[self._product]} or {PRODUCTS[self._other]}",
                hint="list profile names in clusters, or patterns such as 'exa-*' ('*' takes all profiles)",
                number="DBF-7011",
            )
        if not fitting:
            raise ClusterError(
                f"clusters is missing, and {self._path} has no profile of {PRODUCTS[self._product]}",
                number="DBF-7011",
            )
        return list(fitting)

    def _matching(self, pattern: str) -> list[str]:
        found = [name for name in self._fitting() if fnmatchcase(name, pattern)]
        if not found:
            raise ClusterError(
                f"clusters: {self._path} has no profile of {PRODUCTS[self._product]} like {pattern}", number="DBF-7011"
            )
        return found

    # -- by the list

    def _listed(self, item: Any) -> Listed:
        if isinstance(item, str):
            return self._of_profile(item)
        if not isinstance(item, Mapping):
            raise ClusterError("clusters: an item is neither the name of a profile nor a dictionary", number="DBF-7011")
        row = {str(key): value for key, value in item.items() if not is_nothing(value)}
        called = row.get("name") or row.get("profile") or ""
        name = str(plain(called)).strip() if isinstance(called, (str, int)) else ""
        if not name or not name.isprintable():
            raise ClusterError("clusters: an item has no usable host name (set name, or profile)", number="DBF-7011")
        self._refuse_keys(name, row)
        options = {key: plain(value) for key, value in row.items() if key not in KEYS}
        _refuse_templates(name, options)
        self._refuse_connection(name, options)
        path = self._path
        if "profiles_path" in options:
            path = options["profiles_path"] = self._file(options["profiles_path"])
        elif "profile" in options:
            options.update(self._own_path())
        if "profile" in options:
            options["profile"] = str(options["profile"])
        return Listed(name, options, path, self._vars(name, row.get("vars")), str(plain(row.get("region", ""))).strip())

    def _able(self) -> list[str]:
        hidden = (*SECRETS, "cluster_name")
        own = ["license_servers"] if self._product == "exa" else []
        return [*KEYS, *(name for name in CONNECTIONS[self._product] if name not in hidden), *own]

    def _refuse_keys(self, name: str, row: Mapping[str, Any]) -> None:
        able = self._able()
        for key in row:
            if key in SECRETS:
                raise ClusterError(
                    f"clusters: {name} has {key}, which an inventory source must not contain",
                    hint=f"put it into a profile, or into the environment ({self._product.upper()}_{key.upper()})",
                    number="DBF-7011",
                )
            if key not in able:
                raise ClusterError(f"clusters: {name} has the unknown key {key}{near(key, able)}", number="DBF-7011")
        vaulted = [key for key, value in row.items() if key != "vars" and _is_vaulted(value)]
        if vaulted:
            raise ClusterError(
                f"clusters: {name} has a vaulted {vaulted[0]}, and the host would show its value",
                hint=IN_PROFILE,
                number="DBF-7011",
            )

    def _refuse_connection(self, name: str, options: Mapping[str, Any]) -> None:
        if not ({"profile", "api_url"} & set(options)):
            raise ClusterError(f"clusters: {name} has neither profile nor api_url", number="DBF-7011")
        try:
            refuse_credentials(options.get("api_url"))
        except ClusterError as error:
            raise error.of(name) from None

    def _vars(self, name: str, given: Any) -> dict[str, Any]:
        """The variables for the host, unchanged: Ansible evaluates the user's templates in them where they are used."""
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            raise ClusterError(f"clusters: vars of {name} is not a dictionary", number="DBF-7011")
        for key, value in given.items():
            option = str(key).removeprefix(f"{self._product}_")
            if option != key and option in CONNECTIONS[self._product]:
                raise ClusterError(
                    f"clusters: vars of {name} has {key}, but this plugin doesn't read the connection from vars",
                    hint=IN_PROFILE if option in SECRETS else f"write {option} beside vars",
                    number="DBF-7011",
                )
            if _is_vaulted(value):
                raise ClusterError(
                    f"clusters: vars of {name} has a vaulted {key}, and an exported inventory would show its value",
                    hint="put it in group_vars or host_vars, or into a profile",
                    number="DBF-7011",
                )
        return {str(key): value for key, value in given.items()}

    def _file(self, path: Any) -> str:
        return os.path.normpath(os.path.join(self._folder, os.path.expanduser(str(plain(path)).strip())))


IN_PROFILE = "put it into a profile"


def _is_pattern(item: Any) -> bool:
    return isinstance(item, str) and any(sign in item for sign in WILD)


def _refuse_templates(name: str, options: Mapping[str, Any]) -> None:
    held = [key for key, value in options.items() if any("{{" in str(one) for one in listed(value))]
    if held:
        raise ClusterError(
            f"clusters: {held[0]} of {name} contains a template, but an inventory source doesn't evaluate templates",
            hint="write the value, or use a profile",
            number="DBF-7011",
        )


def _is_vaulted(value: Any) -> bool:
    """Whether a value is encrypted with vault, or contains such a value."""
    inner: Iterable[Any] = ()
    if isinstance(value, Mapping):
        inner = value.values()
    elif isinstance(value, (list, tuple)):
        inner = value
    return hasattr(value, "_ciphertext") or any(map(_is_vaulted, inner))

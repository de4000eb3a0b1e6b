# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a connection is completed on the controller: by a profile, then by the environment."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Mapping
from inspect import signature
from typing import Any, Callable

from ansible.errors import AnsibleError
from ansible.module_utils.basic import AnsibleFallbackNotFound
from ansible.parsing.vault import AnsibleVaultError

from ..module_utils._errors import ClusterError
from ..module_utils._http.client import normalized
from ..module_utils._values import given_of, listed
from ..module_utils._wording import near
from . import environment, profile_parents as parents
from .products import CONNECTIONS, product_of
from .profile_templates import Templates, marked

CONNECTION = {**CONNECTIONS["exa"], **CONNECTIONS["nuodb"]}
"""What a profile may hold, of either product."""

DEFAULT_PROFILES = "~/.config/dbfleet/profiles.yml"

BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Profiles:
    """The files of profiles, each read once.

    :param loader: of ansible-core, which has the secrets of the vault.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._templates = Templates(loader)
        self._held: dict[str, dict[str, Any]] = {}

    def of_file(self, path: str, named: str) -> dict[str, Any]:
        """The profiles that a file holds, by name, as they are written there.

        :param named: what an error begins with.
        :raises ClusterError: it can't be read, others can read it, or its defaults are none.
        """
        rows = self._rows(os.path.expanduser(path), named)
        return {name: row for name, row in rows.items() if name != parents.DEFAULTS}

    def clusters(self, path: str, named: str) -> dict[str, set[str]]:
        """The profiles that may each be a cluster, and the options that they and what they inherit have.

        One without a URL that others inherit is none.

        :raises ClusterError: as `of_file`.
        """
        rows = self.of_file(path, named)
        layers = {
            name: parents.told_by(name, rows, path) if isinstance(row, Mapping) else [] for name, row in rows.items()
        }
        inherited = {id(one) for name in layers for one in layers[name][1:]}
        return {
            name: {str(key) for one in those for key in one}
            for name, those in layers.items()
            if parents.has_url(those) or id(rows[name]) not in inherited
        }

    def connection(self, name: str, path: str, spec: Mapping[str, Any], given: Container[str] = ()) -> dict[str, Any]:
        """The options of a profile, with what it inherits and the defaults. Its templates are evaluated, and no other.

        :param spec: of the module that takes them.
        :param given: options that aren't asked for.
        :raises ClusterError: there is no such profile, it holds something else, or a template gives nothing of use.
        """
        path = os.path.expanduser(path)
        rows = self.of_file(path, f"profile {name}: {path}")
        if not isinstance(rows.get(name), dict):
            raise ClusterError(f"profile {name}: {path} has no such profile{near(name, list(rows))}", number="DBF-7006")
        able = [key for key in CONNECTION if key in spec and key not in parents.ELSEWHERE]
        names = parents.lineage(name, rows, path)
        parents.refuse_unknown(name, names, rows, able, path)
        layers = [*(rows[one] for one in names), *self._defaults(path, spec)]
        found = {key: value for row in reversed(layers) for key, value in row.items() if key in able}
        return {
            key: self._templates.value(value, key, spec[key], name, path)
            for key, value in found.items()
            if key not in given
        }

    def _defaults(self, path: str, spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return parents.defaults_of(product_of(spec), self._held[path].get(parents.DEFAULTS))

    def _rows(self, path: str, named: str) -> dict[str, Any]:
        if path not in self._held:
            found = self._read(path, named)
            self._held[path] = {str(name): row for name, row in found.items()} if isinstance(found, dict) else {}
        rows = self._held[path]
        if rows.get(parents.DEFAULTS) is not None:
            parents.refuse_defaults(rows[parents.DEFAULTS], named)
        return rows

    def _read(self, path: str, named: str) -> Any:
        try:
            refuse_open_to_others(path, named)
            with open(path, "rb") as file:
                vaulted = file.read(14) == b"$ANSIBLE_VAULT"
                readable = os.fstat(file.fileno()).st_mode & 0o077
        except OSError as error:
            raise ClusterError(f"{named} can't be read: {error.strerror}", number="DBF-7005") from None
        if readable and not vaulted:
            raise ClusterError(
                f"{named} may be read by others",
                hint="chmod 600 the file, or encrypt it with ansible-vault",
                number="DBF-7005",
            )
        try:
            return marked(self._loaded(path))
        except AnsibleVaultError as error:
            raise ClusterError(f"{named} can't be decrypted: {error.message}", number="DBF-7005") from None
        except (AnsibleError, ValueError):  # its text would show lines of the file
            raise ClusterError(
                f"{named} is not valid YAML, or a value in it can't be decrypted", number="DBF-7005"
            ) from None

    def _loaded(self, path: str) -> Any:
        load = self._loader.load_from_file
        if "trusted_as_template" not in signature(load).parameters:  # before ansible-core 2.19
            return load(path)
        # Not from its cache: who has put it there may not have asked for marks.
        return load(path, cache="none", trusted_as_template=True)


def refuse_open_to_others(path: str, named: str) -> None:
    """Before a file of profiles is opened: others could have it say where passwords are sent to.

    :param named: what an error begins with.
    :raises ClusterError: it is no regular file, or another user may write it, or its folder.
    :raises OSError: it isn't there.
    """
    about = os.stat(path)
    if not stat.S_ISREG(about.st_mode):  # to open a fifo would wait for ever, a device could do anything
        raise ClusterError(
            f"{named} is not a regular file", hint="name a YAML file in profiles_path", number="DBF-7005"
        )
    if about.st_mode & BY_OTHERS:
        raise ClusterError(
            f"{named} may be written by others: they could send the passwords to another machine",
            hint=f"chmod go-w {path}",
            number="DBF-7005",
        )
    # Of a link, who may write its folder changes what it points to.
    for folder in dict.fromkeys(os.path.dirname(one) for one in (os.path.abspath(path), os.path.realpath(path))):
        mode = os.stat(folder).st_mode
        if mode & BY_OTHERS and not mode & stat.S_ISVTX:
            raise ClusterError(
                f"{named} is in a folder that others may write to: they could put another file in its place",
                hint=f"chmod go-w {folder}, or move the file to your own folder",
                number="DBF-7005",
            )


def fallback(spec: Mapping[str, Any], name: str) -> Any:
    """What the environment says of an option; None where it says nothing."""
    strategy, variables = spec[name].get("fallback", (None, []))
    try:
        return strategy(*variables) if strategy else None
    except AnsibleFallbackNotFound:
        return None


def completed(
    given: Mapping[str, Any], spec: Mapping[str, Any], profile: Callable[[str, str, Any, Any], dict[str, Any]]
) -> dict[str, Any]:
    """Options with those of their profile and of the environment, the given ones first.

    :param profile: `Profiles.connection`. What is given needs no value of it, so no lookup is made for that.
    """
    done = dict(given)
    if "profile" in spec:
        name = done.get("profile") or fallback(spec, "profile")
        path = done.get("profiles_path") or fallback(spec, "profiles_path") or DEFAULT_PROFILES
        done = {**(given_of(spec, profile(str(name), path, spec, done)) if name else {}), **done}
    return {**done, **given_of(spec, {name: fallback(spec, name) for name in spec if name not in done})}


def refuse_credentials(urls: Any) -> None:
    """Before they are shown anywhere.

    :raises ClusterError: a URL holds credentials.
    """
    for url in listed(urls):
        normalized(url)


def refuse_unmeant(product: str, urls: Any) -> None:
    """Before anything is sent.

    :param product: the prefix of its variables.
    :raises ClusterError: a URL holds credentials, or is real while the environment names a simulator.
    """
    refuse_credentials(urls)
    admin = os.environ.get(environment.SIMULATOR)
    if admin:
        environment.refuse_real(product, urls, admin)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Completes a connection on the controller: from a profile, then from the environment."""

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
"""The options that a profile of either product may contain."""

DEFAULT_PROFILES = "~/.config/dbfleet/profiles.yml"

BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Profiles:
    """The files of profiles, each read once.

    :param loader: the loader of ansible-core, which has the secrets of the vault.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._templates = Templates(loader)
        self._held: dict[str, dict[str, Any]] = {}

    def of_file(self, path: str, named: str) -> dict[str, Any]:
        """The profiles of a file, by name, unchanged.

        :param named: the beginning of an error.
        :raises ClusterError: the file can't be read, others can read it, or its defaults are wrong.
        """
        rows = self._rows(os.path.expanduser(path), named)
        return {name: row for name, row in rows.items() if name != parents.DEFAULTS}

    def clusters(self, path: str, named: str) -> dict[str, set[str]]:
        """The profiles that may each be a cluster, with the names of the options that they and their parents have.

        A profile without a URL that others inherit is not a cluster.

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
        """The options of a profile, with those of its parents and of the defaults. Only the templates that it uses are
        evaluated.

        :param spec: the specification of the module that takes the options.
        :param given: options that are left out, because the task gives them.
        :raises ClusterError: the profile doesn't exist, it contains other options, or a template can't be used.
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
        except (AnsibleError, ValueError):  # the text of the error would show lines of the file
            raise ClusterError(
                f"{named} is not valid YAML, or a value in it can't be decrypted", number="DBF-7005"
            ) from None

    def _loaded(self, path: str) -> Any:
        load = self._loader.load_from_file
        if "trusted_as_template" not in signature(load).parameters:  # before ansible-core 2.19
            return load(path)
        # Not from the cache of the loader: an entry in it may lack the marks of trust.
        return load(path, cache="none", trusted_as_template=True)


def refuse_open_to_others(path: str, named: str) -> None:
    """Refuses a file of profiles that others could change, before it is opened: they could redirect passwords.

    :param named: the beginning of an error.
    :raises ClusterError: it is not a regular file, or another user may write to it, or to its folder.
    :raises OSError: the file doesn't exist.
    """
    about = os.stat(path)
    if not stat.S_ISREG(about.st_mode):  # opening a fifo would wait for ever, and a device could do anything
        raise ClusterError(
            f"{named} is not a regular file", hint="name a YAML file in profiles_path", number="DBF-7005"
        )
    if about.st_mode & BY_OTHERS:
        raise ClusterError(
            f"{named} may be written by others: they could send the passwords to another machine",
            hint=f"chmod go-w {path}",
            number="DBF-7005",
        )
    # Whoever may write to the folder of a link can change its target.
    for folder in dict.fromkeys(os.path.dirname(one) for one in (os.path.abspath(path), os.path.realpath(path))):
        mode = os.stat(folder).st_mode
        if mode & BY_OTHERS and not mode & stat.S_ISVTX:
            raise ClusterError(
                f"{named} is in a folder that others may write to: they could put another file in its place",
                hint=f"chmod go-w {folder}, or move the file to your own folder",
                number="DBF-7005",
            )


def fallback(spec: Mapping[str, Any], name: str) -> Any:
    """The value of an option in the environment; None without one."""
    strategy, variables = spec[name].get("fallback", (None, []))
    try:
        return strategy(*variables) if strategy else None
    except AnsibleFallbackNotFound:
        return None


def completed(
    given: Mapping[str, Any], spec: Mapping[str, Any], profile: Callable[[str, str, Any, Any], dict[str, Any]]
) -> dict[str, Any]:
    """Options, completed from their profile and from the environment. Given options take precedence.

    :param profile: `Profiles.connection`. It makes no lookups for options that are given.
    """
    done = dict(given)
    if "profile" in spec:
        name = done.get("profile") or fallback(spec, "profile")
        path = done.get("profiles_path") or fallback(spec, "profiles_path") or DEFAULT_PROFILES
        done = {**(given_of(spec, profile(str(name), path, spec, done)) if name else {}), **done}
    return {**done, **given_of(spec, {name: fallback(spec, name) for name in spec if name not in done})}


def refuse_credentials(urls: Any) -> None:
    """Refuses URLs with credentials, before the URLs are shown anywhere.

    :raises ClusterError: a URL contains credentials.
    """
    for url in listed(urls):
        normalized(url)


def refuse_unmeant(product: str, urls: Any) -> None:
    """Refuses wrong URLs before anything is sent.

    :param product: the prefix of the product's variables.
    :raises ClusterError: a URL contains credentials, or is real while the environment names a simulator.
    """
    refuse_credentials(urls)
    admin = os.environ.get(environment.SIMULATOR)
    if admin:
        environment.refuse_real(product, urls, admin)

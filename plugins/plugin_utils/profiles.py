# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a connection is completed on the controller: by a profile, then by the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleError
from ansible.module_utils.basic import AnsibleFallbackNotFound
from ansible.parsing.vault import AnsibleVaultError

from ..module_utils._errors import ClusterError
from ..module_utils._http.client import normalized
from ..module_utils._values import given_of, listed
from ..module_utils._wording import near
from . import environment
from .plain import plain
from .products import CONNECTIONS

CONNECTION = {**CONNECTIONS["exa"], **CONNECTIONS["nuodb"]}
"""What a profile may hold, of either product."""

DEFAULT_PROFILES = "~/.config/dbfleet/profiles.yml"


class Profiles:
    """The files of profiles, each read once.

    :param loader: of ansible-core, which has the secrets of the vault.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._held: dict[str, Any] = {}

    def of_file(self, path: str, named: str) -> dict[str, Any]:
        """The profiles that a file holds, by name.

        :param named: what an error begins with.
        :raises ClusterError: it can't be read, or others can read it.
        """
        path = os.path.expanduser(path)
        if path not in self._held:
            self._held[path] = self._read(path, named)
        found = self._held[path]
        return {str(name): row for name, row in found.items()} if isinstance(found, dict) else {}

    def connection(self, name: str, path: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        """The options of a profile.

        :param spec: of the module that takes them.
        :raises ClusterError: there is no such profile, or it holds something else.
        """
        path = os.path.expanduser(path)
        held = self.of_file(path, f"profile {name}: {path}")
        if not isinstance(held.get(name), dict):
            raise ClusterError(f"profile {name}: {path} has no such profile{near(name, list(held))}")
        # A profile is a connection: what a task does, a forced stop say, is to be read in the task.
        able = [key for key in CONNECTION if key in spec and key not in ("profile", "profiles_path")]
        unknown = [str(key) for key in held[name] if key not in able]
        if unknown:
            raise ClusterError(
                f"profile {name}: {unknown[0]} in {path} is no connection option{near(unknown[0], able)}"
            )
        return dict(held[name])

    def _read(self, path: str, named: str) -> Any:
        try:
            with open(path, "rb") as file:
                vaulted = file.read(14) == b"$ANSIBLE_VAULT"
                readable = os.fstat(file.fileno()).st_mode & 0o077
        except OSError as error:
            raise ClusterError(f"{named} can't be read: {error.strerror}") from None
        if readable and not vaulted:
            raise ClusterError(f"{named} may be read by others", hint="chmod 600, or encrypt it with ansible-vault")
        try:
            return plain(self._loader.load_from_file(path))
        except AnsibleVaultError as error:
            raise ClusterError(f"{named} can't be decrypted: {error.message}") from None
        except (AnsibleError, ValueError):  # its text would show lines of the file
            raise ClusterError(f"{named} is not valid YAML, or a value in it can't be decrypted") from None


def fallback(spec: Mapping[str, Any], name: str) -> Any:
    """What the environment says of an option; None where it says nothing."""
    strategy, variables = spec[name].get("fallback", (None, []))
    try:
        return strategy(*variables) if strategy else None
    except AnsibleFallbackNotFound:
        return None


def completed(
    given: Mapping[str, Any], spec: Mapping[str, Any], profile: Callable[[str, str, Any], dict[str, Any]]
) -> dict[str, Any]:
    """Options with those of their profile and of the environment, the given ones first.

    :param profile: `Profiles.connection`.
    """
    done = dict(given)
    if "profile" in spec:
        name = done.get("profile") or fallback(spec, "profile")
        path = done.get("profiles_path") or fallback(spec, "profiles_path") or DEFAULT_PROFILES
        done = {**(given_of(spec, profile(str(name), path, spec)) if name else {}), **done}
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

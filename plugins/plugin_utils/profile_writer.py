# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds a connection to a file of profiles, without changing the profiles in it."""

from __future__ import annotations

import os
from typing import Any

import yaml
from ansible.parsing.vault import AnsibleVaultError, is_encrypted, match_encrypt_secret

from ..module_utils._errors import ClusterError
from ..module_utils._values import is_nothing, listed
from . import left_file, profile_parents as parents
from .profile_templates import SIGNS
from .profiles import CONNECTION, refuse_credentials, refuse_open_to_others


class Unsafe(str):
    """A text that is not a template, even if it looks like one."""


class _Dumper(yaml.SafeDumper):
    """Writes YAML that Ansible reads."""


class _Loader(yaml.SafeLoader):
    """Reads YAML with Ansible's tags, and decrypts nothing: values are only compared."""


def _unsafe_written(dumper: Any, text: Unsafe) -> Any:
    return dumper.represent_scalar("!unsafe", str(text), style='"')


def _unsafe_read(loader: Any, node: Any) -> Any:
    return loader.construct_scalar(node)


def _vaulted_read(loader: Any, node: Any) -> Any:
    return "!vault", loader.construct_scalar(node)


_Dumper.add_representer(Unsafe, _unsafe_written)
_Loader.add_constructor("!unsafe", _unsafe_read)
_Loader.add_constructor("!vault", _vaulted_read)


class Writer:
    """A file of profiles to which a profile is added.

    :param loader: the loader of ansible-core, which has the secrets of the vault.
    :param vaulted: whether a new file is encrypted.
    :ivar path: the path of the file.
    :ivar vaulted: whether the file is encrypted, or will be.
    :raises ClusterError: the file isn't safe or can't be read, or there is no secret to encrypt it with.
    """

    def __init__(self, loader: Any, path: str, vaulted: bool) -> None:
        self._vault = loader._vault
        self.path = os.path.expanduser(path)
        self._text, self._secret, self._vault_id = "", None, None
        raw = self._raw()
        self.vaulted = vaulted if raw is None else is_encrypted(raw)
        if raw is not None and vaulted and not self.vaulted:
            raise ClusterError(
                f"{self.path} exists and isn't encrypted",
                hint=f"run ansible-vault encrypt {self.path}, or leave vaulted out",
                number="DBF-7005",
            )
        if raw is None and vaulted:
            self._secret_of_a_new_file()
        elif self.vaulted:
            self._decrypt(raw)
        elif raw:
            self._text = raw.decode("utf-8")

    def _raw(self) -> Any:
        try:
            refuse_open_to_others(self.path, self.path)
            with open(self.path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ClusterError(f"{self.path} can't be read: {error.strerror}", number="DBF-7005") from None

    def _secret_of_a_new_file(self) -> None:
        chosen = match_encrypt_secret(self._vault.secrets) if self._vault.secrets else None
        if not chosen:
            raise ClusterError(
                f"{self.path} must be encrypted, but the play has no vault secret",
                hint="give one with --ask-vault-pass or --vault-password-file",
                number="DBF-7005",
            )
        self._vault_id, self._secret = chosen

    def _decrypt(self, raw: bytes) -> None:
        try:
            text, self._vault_id, self._secret = self._vault.decrypt_and_get_vault_id(raw)
        except AnsibleVaultError:
            raise ClusterError(
                f"{self.path} can't be decrypted with the vault secrets of the play",
                hint="give the secret of this file with --ask-vault-pass or --vault-password-file",
                number="DBF-7005",
            ) from None
        self._text = text.decode("utf-8")

    def add(self, name: str, row: dict[str, Any], write: bool) -> bool:
        """Adds a profile, unless the file already contains the same profile.

        :param row: the options of the profile; those without a value are left out.
        :param write: whether to change the file.
        :returns: whether the file has changed, or would change.
        :raises ClusterError: the profile is wrong, its name is taken, or the file can't be written.
        """
        kept = {key: value for key, value in row.items() if not is_nothing(value)}
        self._refuse(name, kept)
        before = self._rows(self._text, "isn't a list of profiles in YAML")
        if name in before:
            if before[name] == kept:
                return False
            raise ClusterError(
                f"{self.path} has a profile {name} with other contents",
                hint="choose another name, or edit the file (ansible-vault edit, where it is encrypted)",
                failed_object=name,
                number="DBF-7006",
            )
        after = self._appended(name, kept)
        form = "has a form of YAML to which no profile can be appended"
        if self._rows(after, form) != {**before, name: kept}:
            raise self._misshapen(form)
        if write:
            self._write(after)
        return True

    def _refuse(self, name: str, row: dict[str, Any]) -> None:
        if is_nothing(name) or name == parents.DEFAULTS:
            raise ClusterError(f"a profile can't have the name {name!r}", number="DBF-7006")
        unknown = sorted(set(row) - {key for key in CONNECTION if key not in parents.ELSEWHERE})
        if unknown:
            raise ClusterError(f"profile {name}: {', '.join(unknown)}: not a connection option", number="DBF-7006")
        if not listed(row.get("api_url")):
            raise ClusterError(f"profile {name}: api_url is missing", number="DBF-7006")
        refuse_credentials(row["api_url"])

    def _appended(self, name: str, row: dict[str, Any]) -> str:
        marked = {key: _marked(value) for key, value in row.items()}
        block = yaml.dump({name: marked}, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=10**6)
        text = self._text or "---\n"
        return text + ("" if text.endswith("\n") else "\n") + block

    def _rows(self, text: str, why: str) -> dict[str, Any]:
        try:
            found = yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a SafeLoader
        except (yaml.YAMLError, ValueError):  # the text of the error would show lines of the file
            raise self._misshapen(why) from None
        if found is not None and not isinstance(found, dict):
            raise self._misshapen(why)
        return found or {}

    def _misshapen(self, why: str) -> ClusterError:
        return ClusterError(
            f"{self.path} {why}", hint="edit it by hand; docs/examples/profiles.yml is an example", number="DBF-7005"
        )

    def _write(self, text: str) -> None:
        content = text.encode("utf-8")
        target = os.path.realpath(self.path)
        try:
            if self.vaulted:
                content = self._vault.encrypt(content, secret=self._secret, vault_id=self._vault_id)
            os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
            left_file.replace(target, content, lasting=True)
        except OSError as error:
            raise ClusterError(f"{self.path} can't be written: {error.strerror}", number="DBF-7005") from None


def _marked(value: Any) -> Any:
    if isinstance(value, list):
        return [_marked(one) for one in value]
    is_template = isinstance(value, str) and any(sign in value for sign in SIGNS)
    return Unsafe(value) if is_template else value

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The common code of both inventory plugins: it reads clusters side by side and makes hosts of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ...module_utils._errors import ClusterError, numbered
from ...module_utils._foreign import LINE, one_line, shown
from ...module_utils._values import given_of, is_nothing, listed, read
from ...module_utils._wording import near
from ..plain import plain
from ..products import GROUPS
from ..profiles import Profiles, completed, refuse_unmeant
from .hosts import KINDS, Host, of_cluster, of_objects
from .look import Row, reader, rows, warnings
from .meant import UNREACHABLE, Meant
from .source import Listed, Source

OWN = ("api_url", "profile")
"""Options that name a cluster. The environment names one cluster, so an inventory of many ignores it."""


NUMBERS = {"side_by_side": {"type": "int"}, "timeout": {"type": "float"}}


class FleetInventory(BaseInventoryPlugin, Constructable, Cacheable):
    """Makes hosts from the clusters of one product."""

    PRODUCT = ""
    """The prefix of the product's variables."""

    # ansible-core 2.19 and later export untrusted texts with marks, not as plain JSON. Server texts are made harmless.
    trusted_by_default = True

    def verify_file(self, path):
        """Whether the name of a file fits this plugin; the option C(plugin) in the file then decides."""
        kind = self.NAME.rpartition(".")[2]
        name = os.path.basename(path)
        fits = any(name == end or name.endswith(f".{end}") for end in (f"{kind}.yml", f"{kind}.yaml"))
        return fits and super().verify_file(path)

    def parse(self, inventory, loader, path, cache=True):
        """Reads the clusters of a source, or takes them from the cache."""
        super().parse(inventory, loader, path, cache)
        try:
            self._parse(path, cache)
        except ClusterError as error:
            hint = f": {error.hint}" if error.hint else ""
            raise AnsibleParserError(numbered(shown(f"{error.message}{hint}"), error.number)) from None
        except AnsibleError as error:
            raise AnsibleParserError(one_line(error, LINE)) from None

    def set_options(self, task_keys=None, var_options=None, direct=None):
        """Checks our own options first: the message of ansible-core would show a wrong value with a password in it."""
        super().set_options(task_keys, var_options, self._read_options(direct) if direct else direct)

    def _parse(self, path: str, cache: bool) -> None:
        self._read_config_data(path)
        self._profiles = Profiles(self.loader)
        folder = os.path.dirname(os.path.abspath(path))
        source = Source(self.PRODUCT, self._profiles, folder, self.get_option("profiles_path"))
        clusters = source.clusters(self.get_option("clusters"))
        found = self._found(clusters, path, cache)
        for group in (GROUPS[self.PRODUCT], UNREACHABLE):
            self.inventory.add_group(group)
        for one in clusters:
            self._add(of_cluster(self.PRODUCT, one, found[one.name]))
        taken = {name for group in GROUPS.values() for name in self._hosts_of(group)}
        for one in clusters:
            for host in of_objects(self.PRODUCT, one.name, found[one.name], self.get_option("hosts")):
                if host.name in taken:
                    self._warn(f"{host.name} is a cluster, so the object {host.name} of {one.name} is left out")
                else:
                    self._add(host)

    def _warn(self, text: str) -> None:
        self.display.warning(shown(text))

    def _hosts_of(self, group: str) -> list[str]:
        there = self.inventory.groups.get(group)
        return [host.name for host in there.get_hosts()] if there else []

    def _read_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options as ansible-core takes them.

        :raises ClusterError: an option doesn't exist, or has a value that it can't take.
        """
        options = [str(name) for name in self.option_definitions]
        for name in map(str, given):
            if name not in options:
                raise ClusterError(f"there is no option {name}{near(name, options)}", number="DBF-7011")
        values, problems = read(NUMBERS, {name: plain(given[name]) for name in NUMBERS if name in given})
        problems.update(
            {
                name: f"{name} is {value:g}, and must be above 0"
                for name, value in values.items()
                if name not in problems and not value > 0
            }
        )
        if problems:
            raise ClusterError("; ".join(problems.values()), number="DBF-7011")
        kinds = list(map(str, listed(plain(given.get("hosts")))))
        for kind in kinds:
            if kind not in KINDS[self.PRODUCT]:
                raise ClusterError(f"hosts has {kind}: it takes {' and '.join(KINDS[self.PRODUCT])}", number="DBF-7011")
        clusters = given.get("clusters")
        if not isinstance(clusters, (list, str, type(None))):
            raise ClusterError(
                "clusters is not a list: it takes profile names, patterns of profile names, and dictionaries",
                number="DBF-7011",
            )
        return {**given, **values, "hosts": kinds, "clusters": None if is_nothing(clusters) else listed(clusters)}

    # -- reading, and the cache

    def _found(self, clusters: list[Listed], path: str, cache: bool) -> dict[str, Row]:
        """The state of each cluster, read now or taken from the cache."""
        uses, key = self.get_option("cache"), self.get_cache_key(path)
        held = self._held(key) if uses and cache else {}
        found = {one.name: held[one.name]["row"] for one in clusters if _is_of(held.get(one.name), one)}
        missing = [one for one in clusters if one.name not in found]
        if missing:
            found.update(self._looked(missing))
        if uses and (missing or not cache):
            self._cache[key] = {one.name: {"of": one.digest(), "row": found[one.name]} for one in clusters}
        return found

    def _held(self, key: str) -> dict[str, Any]:
        try:
            held = plain(self._cache[key])
        except KeyError:
            return {}
        return held if isinstance(held, dict) else {}

    def _looked(self, clusters: list[Listed]) -> dict[str, Row]:
        """Reads the clusters now.

        :raises ClusterError: a file of profiles can't be read.
        """
        for path in {one.path: None for one in clusters if "profile" in one.options}:
            self._profiles.of_file(path, f"profiles_path {path}")
        timeout = self.get_option("timeout")
        meant = [self._meant(one) for one in clusters]
        # The loader of ansible-core allows only one thread.
        calls = {one.name: reader(one, self._completed, timeout) for one in meant}
        reads = rows(meant, lambda one: calls[one.name](), self.get_option("side_by_side"), timeout)
        found = dict(one for one in reads if one)
        for text in warnings(found):
            self._warn(text)
        return plain(found)

    def _meant(self, one: Listed) -> Meant:
        ignored = listed(plain(one.vars.get("exa_cold_start_ignore_nodes")))
        return Meant(one.name, self.PRODUCT, one.asked(), ignore_nodes=list(map(str, ignored)))

    def _completed(self, asked: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
        alone = {name: {**row, "fallback": (None, [])} if name in OWN else row for name, row in spec.items()}
        done = completed(given_of(spec, asked), alone, self._profiles.connection)
        if not listed(done.get("api_url")):
            raise ClusterError(f"profile {done.get('profile')} has no api_url", number="DBF-7006")
        refuse_unmeant(self.PRODUCT, done["api_url"])
        return done

    # -- hosts

    def _add(self, host: Host) -> None:
        self.inventory.add_host(host.name)
        for group in host.groups:
            self.inventory.add_group(group)
            self.inventory.add_host(host.name, group)
        for name, value in host.variables.items():
            self.inventory.set_variable(host.name, name, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), host.variables, host.name, strict)
        self._add_host_to_composed_groups(self.get_option("groups"), host.variables, host.name, strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), host.variables, host.name, strict)


def _is_of(held: Any, one: Listed) -> bool:
    """Whether a cached state was read from this cluster over its present connection."""
    return isinstance(held, dict) and held.get("of") == one.digest() and isinstance(held.get("row"), dict)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which clusters a look at a fleet reads: those of inventory hosts, and those of profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.template import Templar

from ...module_utils._values import is_nothing, listed
from ...module_utils._wording import listing
from ..direct import plain
from ..host_variables import HostVariables
from ..products import CONNECTIONS
from ..runbooks.variables import templated
from .condition import FAILING, UNREACHABLE

PRODUCTS = {"exasol": "exa", "nuodb": "nuodb"}
"""The users' names of the products, and the prefix of their variables."""


@dataclass
class Meant:
    """A cluster that a look reads.

    :param name: the name of the inventory host, or of the profile.
    :param product: the prefix of the product's variables.
    :param options: the options of the module that reads the cluster, as a task would give them.
    :param given: the host's variables that decide whether a connection of the environment may be used.
    :param named: the names of those variables, including empty ones.
    :param ignore_nodes: nodes that need not be online.
    :param problem: why the cluster can't be read, in one sentence.
    """

    name: str
    product: str
    options: dict[str, Any]
    fail_on: str = UNREACHABLE
    given: dict[str, Any] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    ignore_nodes: list[str] = field(default_factory=list)
    problem: str = ""


def is_for_all(task: Any) -> bool:
    """Whether a task stands for all hosts of the play: only the strategy C(linear) obeys C(run_once)."""
    return bool(task.run_once) and str(task.play.strategy).rpartition(".")[2] == "linear"


def stood_for(task: Any, task_vars: Mapping[str, Any]) -> list[str]:
    """The hosts that a task stands for: those of the play's present batch, or only its own."""
    return plain(list(task_vars["ansible_play_batch"]) if is_for_all(task) else [task_vars["inventory_hostname"]])


def of_profiles(rows: Iterable[Mapping[str, Any]], fail_on: str) -> list[Meant]:
    """Clusters that have no inventory host.

    :param rows: the option C(clusters).
    """
    found = []
    for row in rows:
        options = {name: row[name] for name in ("profile", "profiles_path", "license_servers") if row.get(name)}
        product = PRODUCTS[row["product"]]
        if product != "exa":
            options.pop("license_servers", None)
        found.append(Meant(row["name"] or row["profile"], product, options, fail_on, ignore_nodes=row["ignore_nodes"]))
    return found


class Hosts:
    """The inventory hosts of a play, with their variables as a task would see them.

    :param task: a task of the play, from which the play's variables come.
    :param task_vars: the variables of any host of the play.
    :param more: the prefix of further variables that are read.
    """

    def __init__(self, task: Any, task_vars: Mapping[str, Any], loader: Any, more: str = "") -> None:
        self._read = ("exa_", "nuodb_", *([more] if more else []))
        self._mine = ("dbfleet_", "fail_on", *([more] if more else []))
        self._loader = loader
        self._of_run = plain(task_vars["ansible_play_hosts_all"])
        self._variables = HostVariables(task, task_vars, whole=False)

    def meant(self, names: Iterable[str], fail_on: str) -> list[Meant]:
        """The clusters of these hosts, from their variables.

        :param fail_on: the value for hosts whose variables don't set it.
        """
        return [self._meant(name, fail_on) for name in names]

    def _meant(self, name: str, fail_on: str) -> Meant:
        given = self._variables.of(name)
        if given is None:
            return Meant(name, "exa", {}, fail_on, problem=f"{name}: the inventory has no host of this name")
        names = [key for key in map(str, given) if key.startswith(self._read)]
        names += [key for key in ("dbfleet_product", "fail_on") if key in given]
        values, wrong = templated(Templar(loader=self._loader, variables=given), given, names)
        found = self._of_values(name, values, fail_on)
        mine = [text for text in wrong if text.startswith((f"{found.product}_", *self._mine))]
        found.problem = found.problem or (f"{name}: {'; '.join(mine)}" if mine else "")
        found.named = names
        found.given = {**values, "inventory_hostname": name, "ansible_play_hosts_all": self._of_run}
        return found

    @staticmethod
    def _of_values(name: str, values: Mapping[str, Any], fail_on: str) -> Meant:
        product = product_of(values)
        said = str(values.get("fail_on", "")).strip().lower()
        fails = fail_on if said in ("", "none") else said  # a prompt without an answer gives None
        if product not in PRODUCTS:
            problem = f"{name}: dbfleet_product is {product}: it takes {' or '.join(PRODUCTS)}"
            return Meant(name, "exa", {}, fails, problem=problem)
        prefix = PRODUCTS[product]
        options = {
            option: values[f"{prefix}_{option}"] for option in CONNECTIONS[prefix] if f"{prefix}_{option}" in values
        }
        if prefix == "exa" and "exa_license_servers" in values:
            options["license_servers"] = values["exa_license_servers"]
        ignored = listed(values.get("exa_cold_start_ignore_nodes"))
        return Meant(name, prefix, options, fails, ignore_nodes=list(map(str, ignored)))


def product_of(values: Mapping[str, Any]) -> str:
    """The product of a host. If dbfleet_product is not set, a host with a NuoDB connection is a NuoDB domain."""
    said = values.get("dbfleet_product")
    if not is_nothing(said):
        return str(said).strip()
    is_domain = any(listed(values.get(name)) for name in ("nuodb_api_url", "nuodb_profile"))
    return "nuodb" if is_domain else "exasol"


def problems(meant: Iterable[Meant]) -> list[str]:
    """Sentences about what is wrong with the request. With one of them, nothing is read."""
    rows = list(meant)
    names = [one.name for one in rows]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    wrong = [f"{name} is listed twice" for name in twice]
    odd: dict[str, list[str]] = {}
    for one in rows:
        if one.fail_on not in FAILING:
            odd.setdefault(one.fail_on, []).append(one.name)
    must = ", ".join(FAILING)
    return wrong + [f"{listing(these)}: fail_on is {word}, and must be one of {must}" for word, these in odd.items()]

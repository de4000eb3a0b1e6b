# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of maintenance: those of one cluster, and those of the run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils._errors import ClusterError
from ...module_utils._values import given_of, listed
from ...module_utils._wording import listing, near
from ..direct import validated
from ..runbooks.variables import options_of, texts
from .waves import Canary, canaries, sizes, waves

PREFIX = "maintenance_"

REGISTERED = frozenset(
    f"{PREFIX}{name}"
    for name in (
        *("plan", "wave", "begun", "file", "verified", "ended", "answer"),
        *("nodes", "rolling_file", "rolling_one", "rolling_out", "lease"),
    )
)
"""Results that the tasks of the role register."""

WITHOUT_WORK = "none"
"""The value of C(maintenance_work) with which the run only shuts the clusters down and starts them."""

NEVER, AFTER_CANARY, AFTER_EACH = PAUSES = ("never", "after_canary", "after_each")

BACKUP = ("databases", "volume", "level", "expire", "max_age", "once", "time_zone")
"""The options of exa_backup that C(maintenance_backup) may contain."""

OF_RUN: dict[str, Any] = {"serial": "1", "canary": "1", "max_failures": 0, "pause": NEVER}
"""The variables of the whole run, with their defaults."""

OF_CLUSTER: dict[str, Any] = {
    "work": [],
    "after": [],
    "accept": [],
    "backup": {},
    "rolling": False,
    "rolling_nodes": [],
    "rolling_cut_off": "",
    "rolling_allow_last_te": False,
    "rolling_ignore_archives": [],
    "rolling_ignore_nodes": [],
    "rolling_out_timeout": 1800.0,
    "rolling_node_timeout": 1800.0,
    "rolling_in_timeout": 7200.0,
    "look_timeout": 60.0,
    "verify_timeout": 600.0,
    "side_by_side": 16,
}
"""The variables that may differ per cluster, with their defaults."""


@dataclass
class Settings:
    """The variables of one cluster.

    :ivar values: the values in their types, by the name without its prefix.
    :ivar problems: the problems of the variables, in sentences.
    """

    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def work(self) -> list[str]:
        """The user's task files."""
        return [str(path) for path in listed(self.values["work"]) if str(path).lower() != WITHOUT_WORK]

    def names(self, option: str, groups: Mapping[str, Collection[str]]) -> list[str]:
        """The hosts that a list names, directly or by a group."""
        named = [str(one) for one in listed(self.values[option])]
        return [host for one in named for host in groups.get(one, [one])]


def settings_of(host: str, given: Mapping[str, Any], product: str = "exa") -> Settings:
    """The variables of a host.

    :param product: the prefix of the host's product.
    :param given: the variables with our prefix, after templating.
    """
    options = options_of("maintenance")
    mine = {name: value for name, value in given.items() if name.startswith(PREFIX) and name not in REGISTERED}
    able = [name for name in options if name.startswith(PREFIX)]
    unknown = sorted(name for name in mine if name not in options)
    raw = given_of(options, {name: value for name, value in mine.items() if name in options})
    typed, unfit = validated({name: options[name] for name in able}, raw)
    set_here = {name.removeprefix(PREFIX): typed.get(name, value) for name, value in raw.items()}
    found = Settings({**OF_RUN, **OF_CLUSTER, **{name: value for name, value in set_here.items() if value is not None}})
    found.problems = [
        *(f"there is no variable {name}{near(name, able)}" for name in unknown),
        *unfit,
        *texts({name: options[name] for name in raw}, raw),
    ]
    if not found.problems:
        found.problems = _backup_problems(found.values["backup"], product)
    if not found.problems and not listed(found.values["work"]):
        found.problems.append(
            "maintenance_work names no file of tasks (-e maintenance_work=FILE; with -e maintenance_work=none, the run "
            "shuts the clusters down and starts them again, with no work in between)"
        )
    for name in ("look_timeout", "verify_timeout", "side_by_side"):
        if not found.problems and float(found.values[name]) <= 0:
            found.problems.append(f"{PREFIX}{name} is {found.values[name]:g}, and must be above 0")
    if not found.problems and int(found.values["max_failures"]) < 0:
        found.problems.append(f"maintenance_max_failures is {found.values['max_failures']}, and must not be below 0")
    found.problems = [f"{host}: {text}" for text in found.problems]
    return found


def _backup_problems(backup: Mapping[str, Any], product: str) -> list[str]:
    odd = [str(name) for name in backup if name not in BACKUP]
    if odd:
        return [
            f"maintenance_backup has the unknown key {odd[0]}{near(odd[0], list(BACKUP))}; it takes {', '.join(BACKUP)}"
        ]
    if backup and product == "nuodb":
        return [
            "maintenance_backup is for Exasol clusters: for hot copies of a domain, use nuodb_graceful_shutdown_hotcopy"
        ]
    return ["maintenance_backup names no volume"] if backup and not listed(backup.get("volume")) else []


def differing(found: Mapping[str, Settings]) -> list[str]:
    """Sentences about variables of the whole run that differ between its clusters."""
    wrong = []
    for name in OF_RUN:
        by_value: dict[str, list[str]] = {}
        for host, one in found.items():
            by_value.setdefault(str(listed(one.values[name])), []).append(host)
        if len(by_value) > 1:
            first, second, *_more = by_value.values()
            wrong.append(
                f"{PREFIX}{name} applies to the whole run, but {listing(first)} and {listing(second)} have different "
                "values: set one value for all of them, or set it with -e"
            )
    return wrong


def planned(found: Mapping[str, Settings], groups: Mapping[str, Collection[str]]) -> tuple[list[list[str]], Canary]:
    """The waves of a run.

    :raises ClusterError: these variables allow no waves.
    """
    hosts = list(found)
    one = found[hosts[0]].values
    themselves = [host for host, each in found.items() if host in listed(each.values["after"])]
    if themselves:
        raise ClusterError(f"maintenance_after of {listing(themselves)} names the cluster itself", number="DBF-7012")
    after = {host: [name for name in each.names("after", groups) if name != host] for host, each in found.items()}
    unknown = {name for names in after.values() for name in names} - set(groups.get("all", []))
    if unknown:
        raise ClusterError(
            f"maintenance_after names {listing(sorted(unknown))}, which the inventory doesn't have", number="DBF-7012"
        )
    canary = canaries(one["canary"], hosts)
    return waves(hosts, sizes(one["serial"], len(hosts)), canary, after), canary


def gates(number_of_waves: int, canary: Canary, pause: str) -> list[int]:
    """The numbers of the waves after which a person must let the next wave begin."""
    if pause == AFTER_EACH:
        return list(range(1, number_of_waves))
    return [1] if pause == AFTER_CANARY and canary and number_of_waves > 1 else []

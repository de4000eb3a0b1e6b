# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that a profile gets from other entries of its file: from its parents, and from the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ..module_utils._errors import ClusterError
from ..module_utils._values import is_nothing, listed
from ..module_utils._wording import near
from .products import CONNECTIONS, PRODUCTS

INHERITS = "inherits"
"""The key of a profile that names its parents."""

DEFAULTS = "defaults"
"""The entry of a file with the defaults, which is not a profile."""

BOTH = "all"
PARTS = {"exa": "exasol", "nuodb": "nuodb"}
"""The parts of the defaults: of both products, and of one."""

ELSEWHERE = ("profile", "profiles_path")
"""Options that name a profile. A profile can't contain them."""

OF_ONE = ("api_url", "cluster_name")
"""Options that name one cluster, so they can't be defaults."""

Rows = Mapping[str, Any]
"""The entries of a file, by name."""


def options_of(product: str) -> list[str]:
    """The options that a profile of a product may contain besides its parents."""
    return [name for name in CONNECTIONS[product] if name not in ELSEWHERE]


# -- parents


def lineage(name: str, rows: Rows, path: str) -> list[str]:
    """A profile and all its parents: the nearest first, and equally near ones in the order in which they are listed.

    :param path: the path of their file.
    :raises ClusterError: a parent doesn't exist, or the chain is a loop.
    """
    parents: dict[str, list[str]] = {}
    found, level = [name], [name]
    while level:
        parents.update({one: _parents(one, rows, path, name) for one in level})
        level = list(dict.fromkeys(parent for one in level for parent in parents[one] if parent not in found))
        found += level
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        steps = ", ".join(f"{child} inherits {parent}" for child, parent in zip(circle, circle[1:]))
        raise ClusterError(
            f"profile {name}: its chain of inherits in {path} is a loop: {steps}", number="DBF-7006"
        ) from None
    return found


def _parents(one: str, rows: Rows, path: str, name: str) -> list[str]:
    given = rows[one].get(INHERITS)
    names = listed(given)
    whose = "it" if one == name else one
    if isinstance(given, Mapping) or not all(isinstance(parent, str) for parent in names):
        raise ClusterError(
            f"profile {name}: inherits of {one} in {path} is neither a profile name nor a list of profile names",
            number="DBF-7006",
        )
    for parent in names:
        if not isinstance(rows.get(parent), Mapping):
            others = [other for other, row in rows.items() if isinstance(row, Mapping) and other != one]
            raise ClusterError(
                f"profile {name}: {whose} inherits {parent}, but {path} has no such profile{near(parent, others)}",
                number="DBF-7006",
            )
    return names


def refuse_unknown(name: str, names: list[str], rows: Rows, able: list[str], path: str) -> None:
    """Refuses options that don't belong to a connection: what a task does, such as a forced stop, must be in the task.

    :param names: the profile and its parents.
    :param able: the options that they may contain.
    :raises ClusterError: one of them contains another option.
    """
    for one in names:
        for key in rows[one]:
            if key != INHERITS and key not in able:
                whose = f"of {one}, which it inherits in {path}," if one != name else f"in {path}"
                raise ClusterError(
                    f"profile {name}: {key} {whose} is not a connection option{near(str(key), able)}", number="DBF-7006"
                )


def told_by(name: str, rows: Rows, path: str) -> list[Mapping[str, Any]]:
    """The entries of a profile and its parents; only its own if the parents can't be found."""
    try:
        return [rows[one] for one in lineage(name, rows, path)]
    except ClusterError:  # the error is reported where the profile is used
        return [rows[name]]


def has_url(layers: list[Mapping[str, Any]]) -> bool:
    """Whether the nearest entry with the key api_url has a URL."""
    return not is_nothing(next((row["api_url"] for row in layers if "api_url" in row), None))


# -- defaults


def refuse_defaults(given: Any, named: str) -> None:
    """Refuses wrong defaults before the file is used: a profile with this name would give its password to all others.

    :param given: the entry `defaults` of a file.
    :param named: the beginning of an error.
    :raises ClusterError: the entry doesn't have the form of defaults.
    """
    parts = [BOTH, *PARTS.values()]
    hint = f"a profile can't have the name {DEFAULTS}: that entry applies to every profile of the file"
    if not isinstance(given, Mapping):
        raise ClusterError(
            f"{named}: {DEFAULTS} is not a dictionary of {', '.join(parts)}", hint=hint, number="DBF-7006"
        )
    for part, row in given.items():
        if part not in parts:
            says = f"{named}: {DEFAULTS} has the unknown key {part}; it takes {', '.join(parts)}"
            raise ClusterError(f"{says}{near(str(part), parts)}", hint=hint, number="DBF-7006")
        if row is not None and not isinstance(row, Mapping):
            raise ClusterError(f"{named}: {part} of {DEFAULTS} is not a dictionary of options", number="DBF-7006")
        for option in row or {}:
            _refuse_default(part, option, named)


def _refuse_default(part: str, option: Any, named: str) -> None:
    says = f"{named}: {option}, in {part} of {DEFAULTS},"
    if option in OF_ONE:
        why = "names one cluster, so it can't be a default of every profile"
        raise ClusterError(f"{says} {why}", hint="put it into a profile", number="DBF-7006")
    product = next((one for one, called in PARTS.items() if called == part), None)
    both = [name for name in options_of("exa") if name in options_of("nuodb")]
    able = [name for name in (options_of(product) if product else both) if name not in OF_ONE]
    if option not in able:
        whose = PRODUCTS[product] if product else "both products"
        raise ClusterError(f"{says} is not a connection option of {whose}{near(str(option), able)}", number="DBF-7006")


def defaults_of(product: str, given: Any) -> list[Mapping[str, Any]]:
    """The defaults of a product, the nearest first.

    :param given: the entry `defaults` of a file; None without it.
    """
    return [(given or {}).get(part) or {} for part in (PARTS[product], BOTH)]

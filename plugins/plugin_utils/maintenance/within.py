# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the variables of the runbooks within a maintenance before its first change.

Each runbook refuses wrong variables itself. With a cold start, that is too late: the cluster is down by then.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible.template import Templar

from ...module_utils._values import given_of, is_nothing
from ..direct import validated
from ..fleet.meant import Meant
from ..runbooks import begin, hooks
from ..runbooks.variables import misspelt, options_of, texts


def runbooks(product: str) -> tuple[str, str]:
    """The runbooks of a product that a maintenance includes, in their order."""
    return f"{product}_graceful_shutdown", f"{product}_cold_start"


def problems(one: Meant, extra: Collection[str]) -> list[str]:
    """Variables of a cluster that one of its runbooks would refuse, in sentences.

    :param extra: the names of the extra variables.
    """
    wrong: list[str] = []
    for name in runbooks(one.product):
        options = options_of(name)
        raw = _raw(name, one.given)
        wrong += misspelt(name, f"{one.product}_", dict.fromkeys(one.named), extra)[0]
        wrong += [f"{name}: {text}" for text in validated(options, raw)[1]]
        wrong += texts(options, raw)
    return list(dict.fromkeys(wrong))


def planned(clusters: Iterable[Meant]) -> list[str]:
    """Sentences about clusters with a saved plan: nobody can know beforehand what the cold start will find."""
    found = []
    for one in clusters:
        name = f"{one.product}_plan_file"
        if not is_nothing(_raw(runbooks(one.product)[0], one.given).get(name)):
            found.append(
                f"{one.name}: {name} is set, but maintenance can't use a saved plan: leave it out, or run each "
                "runbook with its own plan"
            )
    return found


def hook_files(one: Meant, loader: Any, role_path: str) -> dict[str, hooks.Files]:
    """The hooks of a cluster, by their runbook.

    :param role_path: the path of the role maintenance; the roles of the runbooks are next to it.
    """
    found = {}
    for name in runbooks(one.product):
        given = _raw(name, one.given).get(f"{name}_hooks")
        path = os.path.join(os.path.dirname(role_path), name)
        found[name] = hooks.files_of(given if isinstance(given, dict) else None, loader, path)
    return found


def twins(clusters: Iterable[Meant], loader: Any) -> list[str]:
    """Sentences about clusters that the run includes under several names."""
    at: dict[str, list[str]] = defaultdict(list)
    for one in clusters:
        templar = Templar(loader=loader, variables=one.given)
        for endpoint in begin.endpoints(one.product, one.given, templar):
            at[f"{one.product} {endpoint}"].append(one.name)
    told: dict[frozenset[str], str] = {}
    for host, text in begin.sharing(at).items():
        told.setdefault(frozenset([host, *begin.others(host, at)]), text)
    return list(told.values())


def _raw(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    options = options_of(name)
    return given_of(options, {option: given[option] for option in options if option in given})

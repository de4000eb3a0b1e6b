# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host of the copy: which variables of the real host it gets, and which it must never get."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from ...module_utils._values import given_of
from ..direct import validated
from ..products import CONNECTIONS, GROUPS
from ..report import record
from .topology import Row

OWN = ("confirm", "target")
"""Variables of playbooks that the rehearsal sets itself."""

FOLDERS = ("report_path", "state_path", "plan_file")
"""Variables of a product that the rehearsal sets by itself, or leaves out: a saved plan is for the real cluster."""

SHORTEST = 5.0
"""The shortest time-out in real seconds: with a shorter one, the speed of this machine would decide."""


def name_of(host: str) -> str:
    """The name of the copy, which no real host has: no pattern and no shell gives its characters another meaning."""
    return record.REHEARSED + re.sub(r"[^\w.-]", "_", host)


def carried(product: str, runbook: str, options: Mapping[str, Any], values: Row) -> Row:
    """The variables of the real host that the copy gets: without connections, secrets, hooks and folders.

    :param options: of the runbook's role.
    :param values: of the host, with the role's defaults.
    """
    never = {*OWN, f"{runbook}_hooks", *(f"{product}_{name}" for name in (*CONNECTIONS[product], *FOLDERS))}
    return {
        name: value
        for name, value in values.items()
        if name in options and name not in never and not options[name].get("no_log")
    }


def shortened(options: Mapping[str, Any], values: Row, scale: float) -> tuple[Row, list[str]]:
    """Variables with each time-out in seconds of this machine; and what is wrong with them, in sentences.

    :param scale: seconds of this machine per second of the cluster.
    """
    names = [name for name in values if name.endswith(("_timeout", "_wait_stable")) and "lease" not in name]
    some = {name: {**options[name], "type": "float"} for name in names}
    typed, problems = validated(some, given_of(some, {name: values[name] for name in names}))
    if problems:
        return values, problems
    times = {
        name: max(SHORTEST, seconds * scale) if name.endswith("_timeout") and seconds else seconds * scale
        for name, seconds in typed.items()
        if seconds is not None
    }
    return {**values, **times}, []


def left_out(runbook: str, values: Row) -> list[str]:
    """The hooks of the real host with their files. A rehearsal doesn't run them."""
    given = values.get(f"{runbook}_hooks")
    rows = given.items() if isinstance(given, dict) else ()
    found = [(name, [str(path) for path in (paths if isinstance(paths, list) else [paths]) if path])
             for name, paths in rows]  # fmt: skip
    return [f"{name} ({', '.join(paths)})" for name, paths in found if paths]


class _Dumper(yaml.SafeDumper):
    """The values of a host as YAML. No value is evaluated as a template again."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> Any:
    tag = "!unsafe" if "{" in value else "tag:yaml.org,2002:str"
    return dumper.represent_scalar(tag, value, style='"' if "{" in value else None)


_Dumper.add_representer(str, _text)


def inventory(product: str, name: str, variables: Row) -> str:
    """An inventory that contains only the copy."""
    group = {GROUPS[product]: {"hosts": {name: variables}}}
    return yaml.dump(group, Dumper=_Dumper, sort_keys=True, allow_unicode=True)

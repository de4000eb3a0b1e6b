# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a runbook: their names, their problems and their values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.yaml import yaml_load
from ansible.template import Templar

from ...module_utils._values import is_nothing
from ...module_utils._wording import near
from .. import command_line
from ..direct import plain
from ..products import ALIKE, meant_connection
from .once import once

ROLES = Path(__file__).resolve().parents[3] / "roles"
MODULES = Path(__file__).resolve().parents[2] / "modules"


def options_of(role: str) -> dict[str, Any]:
    """The variables of a role, as its C(meta/argument_specs.yml) describes them."""
    return once("options", [role], lambda: _options(ROLES / role / "meta/argument_specs.yml"))


def _options(specs: Path) -> dict[str, Any]:
    entry_points = yaml_load(specs.read_text(encoding="utf-8"))["argument_specs"].values()
    return {name: row for entry in entry_points for name, row in (entry.get("options") or {}).items()}


def _roles(prefix: str) -> dict[str, list[str]]:
    """All words in the roles that begin with a product's prefix, all options, and the names of the runbooks."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(ROLES.glob("*/*/*.yml"))]
    words = {word for text in texts for word in re.findall(rf"\b{prefix}\w+", text)}
    options = {option for specs in ROLES.glob("*/meta/argument_specs.yml") for option in _options(specs)}
    options_of_product = {option for option in options if option.startswith(prefix)}
    runbooks = [role.name for role in ROLES.glob(f"{prefix}*") if role.name != f"{prefix}connection"]
    modules = {module.stem for module in MODULES.glob(f"{prefix}*.py")}
    return {
        "words": sorted((words - modules - set(runbooks)) | options_of_product),
        "options": sorted(options_of_product),
        "runbooks": sorted(runbooks),
    }


def misspelt(
    runbook: str, prefix: str, given: Mapping[str, Any], extra: Iterable[str] = ()
) -> tuple[list[str], list[str]]:
    """Variables that don't exist, as problems and as warnings.

    If a name is misspelt, the default applies: every database, or the connection of somebody else. A name that begins
    with the runbook's must be its variable; a name that begins only with the product's prefix may be the user's own.
    check reads the variables of all runbooks, and warns about theirs.

    :param prefix: the prefix of the product, with its underscore.
    :param extra: the names of the extra variables of this run.
    """
    roles = once("roles", [prefix], lambda: _roles(prefix))
    known, options = set(roles["words"]), roles["options"]
    mine, others = f"{runbook}_", tuple(f"{name}_" for name in roles["runbooks"])
    product = prefix.rstrip("_")
    slips = command_line.product_slips(extra, prefix, runbook, known, options)
    problems, warnings = [*command_line.slips(extra), *slips.values()], []
    for name in sorted(key for key in map(str, given) if key.startswith(prefix) and key not in {*known, *slips}):
        says = f"there is no variable {name}"
        if name.startswith(mine):
            problems.append(f"{says}{near(name, options)}")
        elif runbook == "check" and name.startswith(others):
            warnings.append(f"{says}{near(name, options)}: its runbook will refuse it")
        elif not name.startswith(others) and meant_connection(product, name):
            problems.append(f"{says}{meant_connection(product, name)}, and the run would use another connection")
        elif not name.startswith(others) and get_close_matches(name, options, 1, ALIKE):
            warnings.append(f"{says} of this collection{near(name, options)}")
    return problems, warnings


def unknown(role: str, names: Iterable[str]) -> list[str]:
    """Sentences about extra variables that begin with the name of a role and that the role doesn't have."""
    options = options_of(role)
    wrong = sorted(name for name in names if name.startswith(f"{role}_") and name not in options)
    return [f"there is no variable {name}{near(name, list(options))}" for name in wrong]


def unknown_of(task: Any, task_vars: Mapping[str, Any]) -> list[str]:
    """As C(unknown), for the role of a task; an empty list for a task outside of roles."""
    role = str(task._role._role_name).rpartition(".")[2] if task._role else ""
    names = list(map(str, task_vars["hostvars"]._variable_manager.extra_vars))
    cut_off = command_line.slips(set(names) & {command_line.UNNAMED})
    return [*cut_off, *unknown(role, names)] if role else []


def texts(options: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Sentences about dictionaries given as a text (`-e name={...}`): the check of a role accepts them, but no task can
    use them."""
    problems = []
    for option, row in options.items():
        if "dict" in (row["type"], row.get("elements")) and isinstance(values.get(option), str):
            whole = "{" + f'"{option}": ...' + "}"
            problems.append(f"{option} is a text, not {row['type']}: with -e, write all of it as -e '{whole}'")
    return problems


def no_paths(options: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    """Paths that came as something else, of which the check of an option would make a file's name; in sentences."""
    return {
        option: f"{option} is {values[option]!r}, and must be a path"
        for option, row in options.items()
        if row["type"] == "path" and isinstance(values.get(option), (bool, dict, list))
    }


def templated(templar: Any, given: Mapping[str, Any], names: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The values of some variables, and sentences about those that can't be evaluated."""
    raw = {name: given[name] for name in names if name in given}
    try:
        return _values(templar, given, raw), []
    except AnsibleError:
        values, problems = {}, []
    for name, value in raw.items():
        try:
            values.update(_values(templar, given, {name: value}))
        except AnsibleError as error:
            problems.append(f"{name} has no value: {' '.join(str(error.message).split())}")
    return values, problems


def defaults(
    loader: Any, given: Mapping[str, Any], names: Iterable[str], of_role: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The role's defaults for empty variables, as if nobody had set them, and sentences about defaults that can't be
    evaluated.

    For ansible-core an empty variable is set, so it hides the role's default, and other defaults that refer to it are
    empty too.

    :param names: the empty variables.
    :param of_role: the defaults of the role.
    """
    empty = {name for name in names if name in given}
    hidden = {name: of_role[name] for name in empty if name in of_role}
    if not hidden:
        return {}, []
    without = {**{name: value for name, value in given.items() if name not in empty}, **hidden}
    return templated(Templar(loader=loader, variables=without), without, list(hidden))


def _values(templar: Any, given: Mapping[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """The values of these variables, without those that are `omit` or empty, like options of a task."""
    omit = given.get("omit")
    found = templar.template(raw)
    return {name: plain(value) for name, value in found.items() if not (is_nothing(value) or _is(value, omit))}


def _is(value: Any, omit: Any) -> bool:
    return value is omit or (isinstance(omit, str) and isinstance(value, str) and value == omit)

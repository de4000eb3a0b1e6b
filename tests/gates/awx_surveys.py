# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the surveys of `extensions/awx/surveys`: which questions is said in the definitions, the rest by the roles.

A role's argument specs are the one source of a question's type, choices and description.
`tests/unit/repository/test_awx_surveys.py` holds the files against it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Optional

import yaml
from ansible_collections.dbfleet.cluster.plugins.module_utils._values import is_seconds
from ansible_collections.dbfleet.cluster.tests.gates.awx_definitions import ROOT, Definitions

MEND = "make awx-surveys"

FLAG = ["true", "false"]

ASKED = {
    "target": ("Target", "The clusters or domains by their names in the inventory, or a group or pattern of them."),
    "confirm": ("Confirm by name", None),
}
"""What is better asked in other words than those of a variable; and what no role describes."""


class Unknown(Exception):
    """A question for which no variable is there."""


def question(variable: str, option: dict[str, Any], required: bool, prefixes: list[str]) -> dict[str, Any]:
    """A question of a survey.

    :param option: of the variable, as in the argument specs.
    :param prefixes: what a variable's name may begin with that isn't worth asking.
    """
    name, description = ASKED.get(variable, (None, None))
    asked = {
        "question_name": name or _words(variable, prefixes),
        "question_description": description or _description(option),
        "variable": variable,
        "required": required,
    }
    return {**asked, **_type(variable, option)}


def _words(variable: str, prefixes: list[str]) -> str:
    short = next((variable.removeprefix(f"{one}_") for one in prefixes if variable.startswith(f"{one}_")), variable)
    return short.replace("_", " ").capitalize()


def _description(option: dict[str, Any]) -> str:
    lines = option.get("description", [])
    text = " ".join(" ".join(lines if isinstance(lines, list) else [lines]).split())
    default = option.get("default")
    if default in (None, [], {}) or "efault" in text:
        return text
    shown = ", ".join(map(str, default)) if isinstance(default, list) else str(default)
    shown = shown.lower() if isinstance(default, bool) else shown
    return f"{text} Without an answer, the value of the inventory applies, otherwise {shown}."


def _type(variable: str, option: dict[str, Any]) -> dict[str, Any]:
    """No default: as an extra variable it would beat the inventory. AWX sends nothing for what isn't answered."""
    kind = option.get("type", "str")
    if kind == "bool":
        return {"type": "multiplechoice", "choices": FLAG}
    if option.get("choices"):
        return {"type": "multiplechoice", "choices": list(map(str, option["choices"]))}
    if kind == "list" or (kind == "raw" and not is_seconds(variable, option)):
        return {"type": "textarea"}
    return {"type": "text"}


def survey(name: str, playbooks: list[str], asked: dict[str, Any], definitions: Definitions) -> dict[str, Any]:
    """A survey as awx.awx takes it.

    :param name: of the file.
    :param asked: C(questions) and C(required) of a template or a workflow.
    """
    options: dict[str, Any] = {}
    for playbook in reversed(playbooks):
        options.update(definitions.options(playbook))
    missing = [variable for variable in asked["questions"] if variable not in options]
    if missing:
        raise Unknown(f"survey {name}: no role of {', '.join(playbooks)} has {', '.join(missing)}")
    prefixes = [*sorted(playbooks, key=len, reverse=True), "exa", "nuodb"]
    required = asked.get("required", [])
    rows = [question(one, options[one], one in required, prefixes) for one in asked["questions"]]
    return {"name": name, "description": "", "spec": rows}


def files(definitions: Optional[Definitions] = None) -> dict[Path, str]:
    """All that the script writes."""
    definitions = definitions or Definitions()
    found = {}
    for row in definitions.templates.values():
        found[row["playbook"]] = survey(row["playbook"], [row["playbook"]], row, definitions)
    for row in definitions.of("workflows"):
        found[row["survey"]] = survey(row["survey"], definitions.playbooks_of(row), row, definitions)
    head = f"---\n# Written by {MEND}, from the definitions and the roles' argument specs.\n"
    return {definitions.survey_path(name): head + _dumped(spec) for name, spec in found.items()}


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _dumped(spec: dict[str, Any]) -> str:
    return yaml.dump(spec, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def main() -> int:
    try:
        for path, text in files().items():
            path.write_text(text, encoding="utf-8")
    except Unknown as error:
        print(error)
        return 1
    left = {path.name for path in (ROOT / "extensions/awx/surveys").glob("*.yml")} - {path.name for path in files()}
    if left:
        print(f"extensions/awx/surveys: {', '.join(sorted(left))} is of no template and no workflow: remove it")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())

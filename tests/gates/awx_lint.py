# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds the definitions for AWX against what the collection takes, without a server: `make awx-lint`.

AWX itself takes nearly all of it: it checks no name of a variable, ignores what a template doesn't ask for, and renders
injectors when a job starts.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Callable, Optional

from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE
from ansible_collections.dbfleet.cluster.plugins.module_utils._values import is_seconds
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.products import VARIABLES
from ansible_collections.dbfleet.cluster.tests.gates import awx_surveys
from ansible_collections.dbfleet.cluster.tests.gates.awx_definitions import ROOT, Definitions, read
from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

CHECKS = {"EXA_VALIDATE_CERTS", "NUODB_VALIDATE_CERTS", "NUODB_VERIFY_HOSTNAME"}
"""Variables that turn checks of certificates off."""

TURNS_OFF = {str(value).lower() for value in BOOLEANS_FALSE}

KINDS = {
    "text": {"str", "path", "int", "float", "seconds", "raw", "list"},
    "textarea": {"str", "raw", "list"},
    "multiplechoice": {"str", "bool"},
    "multiselect": {"raw", "list"},
    "integer": {"int", "float", "seconds", "raw"},
    "float": {"float", "seconds", "raw"},
}
"""Which types the answer of a question converts to. A password is asked for by a credential alone."""


ASKS = ("ask_limit_on_launch", "ask_job_type_on_launch")
"""Without the first, a limit that somebody gives is ignored and the job runs on all hosts; without the second, so is
the job type of a step, and a plan would be a run."""

NOT_APPLIED = ("questions", "required", "nodes")
"""What of a definition goes into surveys, or is gone through."""


def problems(definitions: Definitions) -> list[str]:
    """All that is wrong, a sentence each."""
    found = [*_playbooks(definitions), *_credential_types(definitions), *_sources(definitions), *_applied(definitions)]
    for row in definitions.templates.values():
        if row["playbook"] in definitions.playbooks:
            found += _survey(row["playbook"], [row["playbook"]], definitions)
        found += _template(row, definitions)
    for row in definitions.of("workflows"):
        found += _survey(row["survey"], definitions.playbooks_of(row), definitions)
        found += _workflow(row, definitions)
    for row in definitions.of("schedules"):
        found += _schedule(row, definitions)
    return found


# -- playbooks


def _playbooks(definitions: Definitions) -> Iterator[str]:
    used = {row["playbook"] for row in definitions.templates.values()}
    for name in sorted(used):
        if name not in definitions.playbooks:
            yield f"playbook {name} has a template and is not there"
        thin = definitions.folder / f"project/{name}.yml"
        imported = [play.get("ansible.builtin.import_playbook") for play in read(thin)] if thin.is_file() else []
        if imported != [f"dbfleet.cluster.{name}"]:
            yield f"project/{name}.yml doesn't import dbfleet.cluster.{name}, and a template runs it"
    without = definitions.of("without_template")
    for name in sorted(definitions.playbooks - used - set(without)):
        yield f"playbook {name} has no template (one that needs none is named in dbfleet_awx_without_template)"
    for name in sorted(set(without) & used):
        yield f"playbook {name} has a template and is named in dbfleet_awx_without_template"


def _template(row: dict[str, Any], definitions: Definitions) -> Iterator[str]:
    name = row["name"]
    known = {one["name"] for one in definitions.of("credentials")}
    yield from (f"{name}: there is no credential {one}" for one in row["credentials"] if one not in known)
    if int(row.get("job_slice_count", 1)) > 1 and "confirm" in row["questions"]:
        yield f"{name}: it is sliced, and each slice would have to be confirmed with the names of all hosts"
    if "limit" in row:
        yield f"{name}: it has a limit of its own, which nobody sees who launches it"


def _applied(definitions: Definitions) -> Iterator[str]:
    """What the playbook leaves out of the definitions, and what each template must ask for."""
    text = (definitions.folder / "apply.yml").read_text(encoding="utf-8")
    passed = {*re.findall(r"\bitem(?:\.[01])?\.(\w+)", text), *NOT_APPLIED}
    for kind in ("credential_types", "credentials", "inventory_sources", "job_templates", "workflows", "schedules"):
        rows = definitions.of(kind)
        nodes = [node for row in rows for node in (row.get("nodes", []) if kind == "workflows" else [])]
        for row in (*rows, *nodes):
            left = sorted(set(row) - passed)
            if left:
                yield f"{row.get('name') or row['identifier']}: apply.yml doesn't pass on {', '.join(left)}"
    for play in read(definitions.folder / "apply.yml"):
        for given in [task["awx.awx.job_template"] for task in play["tasks"] if "awx.awx.job_template" in task]:
            yield from (
                f"apply.yml: a template must have {name}: true, or AWX ignores it"
                for name in ASKS
                if given.get(name) is not True
            )


def _sources(definitions: Definitions) -> Iterator[str]:
    for row in definitions.of("inventory_sources"):
        path = definitions.folder / "project" / row["source_path"]
        if not path.is_file():
            yield f"inventory source {row['name']}: project/{row['source_path']} is not there"


# -- surveys


def _survey(name: str, playbooks: list[str], definitions: Definitions) -> Iterator[str]:
    rows = definitions.survey(name)
    if not rows:
        yield f"surveys/{name}.yml is missing or asks nothing"
    options: dict[str, Any] = {}
    for playbook in playbooks:
        options.update(definitions.options(playbook))
    seen: set[str] = set()
    for row in rows:
        variable = row["variable"]
        where = f"survey {name}: {variable}"
        if variable in seen:
            yield f"{where} is asked twice"
        seen.add(variable)
        if variable not in options:
            yield f"{where}: no role or play of {', '.join(playbooks)} has this variable"
            continue
        yield from (f"{where}: {text}" for text in (*_kind(row, variable, options[variable]), *_default(row)))


def _kind(row: dict[str, Any], variable: str, option: dict[str, Any]) -> Iterator[str]:
    kind = "seconds" if is_seconds(variable, option) else option.get("type", "str")
    if option.get("no_log"):
        yield "a secret is for a credential, not for a survey"
    elif kind not in KINDS.get(row["type"], set()):
        yield f"the answer of a question of type {row['type']} can't be made a {kind}"
    elif kind == "list" and option.get("elements") == "dict":
        yield "no answer can be made a list of dictionaries"
    elif row["type"] in ("multiplechoice", "multiselect"):
        taken = awx_surveys.FLAG if kind == "bool" else list(map(str, option.get("choices", row["choices"])))
        strange = [str(choice) for choice in row["choices"] if choice not in taken]
        if strange:
            yield f"{', '.join(strange)}: the variable takes {', '.join(taken)}, each as a text"
    elif option.get("choices"):
        yield f"it takes one of {', '.join(map(str, option['choices']))}: ask with type multiplechoice"


def _default(row: dict[str, Any]) -> Iterator[str]:
    if "default" not in row:
        return
    if row["type"] == "multiselect":
        yield "AWX's server never applies the default of a multiselect, only its form does"
    elif row["default"] in ("", None):
        yield "an empty default arrives as an empty text, which is an answer: leave it out"
    elif row["required"]:
        yield "a required question's default isn't applied for schedules and steps of workflows"
    else:
        yield "a default is an extra variable, so it beats what the inventory says of a cluster: leave it out"


# -- what is launched by AWX itself


def _workflow(row: dict[str, Any], definitions: Definitions) -> Iterator[str]:
    told = {question["variable"] for question in definitions.survey(row["survey"])}
    ahead = [node["identifier"] for node in row["nodes"]]
    for node in row["nodes"]:
        where = f"{row['name']}: step {ahead.pop(0)}"
        for link in (*node.get("success_nodes", []), *node.get("failure_nodes", [])):
            if link not in ahead:
                yield f"{where} leads to {link}, which is no step further down"
        if "approval" not in node:
            yield from _launched(where, node, told, definitions)


def _schedule(row: dict[str, Any], definitions: Definitions) -> Iterator[str]:
    sources = {one["name"] for one in definitions.of("inventory_sources")}
    if row["template"] not in sources:
        yield from _launched(row["name"], row, set(), definitions)


def _launched(where: str, row: dict[str, Any], told: set[str], definitions: Definitions) -> Iterator[str]:
    """What is wrong with a step or schedule.

    :param told: variables that come from elsewhere, whatever the template asks for.
    """
    template = definitions.templates.get(row["template"])
    if template is None:
        yield f"{where}: there is no template {row['template']}"
        return
    asked = {question["variable"]: question for question in definitions.survey(template["playbook"])}
    given = row.get("extra_data", {})
    for name, value in given.items():
        if name not in asked:
            yield f"{where}: {row['template']} doesn't ask for {name}, so AWX would ignore it"
        elif value not in asked[name].get("choices", [value]):
            yield f"{where}: {name} is {value}, and the survey has {', '.join(asked[name]['choices'])}"
    for name, question in asked.items():
        if question["required"] and name not in given:
            yield f"{where}: {name} must be answered and is not in extra_data: AWX applies no default here"


# -- credential types


@lru_cache(maxsize=256)
def _template_of(text: str) -> Template:
    return ImmutableSandboxedEnvironment().from_string(text)


def _named(name: str, content: str) -> str:
    return f"/runner/env/{'full' if content else 'empty'}-{name}"


def rendered(kind: dict[str, Any], values: dict[str, Any], write: Callable[[str, str], str] = _named) -> dict[str, str]:
    """The environment that AWX injects, as it does: what is empty isn't defined, and a flag without a value is false.

    :param values: of the fields that are filled.
    :param write: takes the name and the content of a file, and tells its path.
    """
    fields = kind["inputs"]["fields"]
    given = {one["id"]: values.get(one["id"], False) for one in fields if one.get("type") == "boolean"}
    given.update({name: value for name, value in values.items() if value not in ("", None)})
    files, alone = {}, ""
    for key, template in kind["injectors"].get("file", {}).items():
        content = _template_of(template).render(**given)
        path = write(key.partition(".")[2] or "file", content)
        alone, files = (path, files) if key == "template" else (alone, {**files, key.partition(".")[2]: path})
    given["tower"] = {"filename": alone or files}
    return {name: _template_of(template).render(**given) for name, template in kind["injectors"].get("env", {}).items()}


def _fillings(kind: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Nothing; each field alone; all of them."""
    fields = {
        one["id"]: True if one.get("type") == "boolean" else one.get("choices", ["filled"])[0]
        for one in kind["inputs"]["fields"]
    }
    yield {}
    yield from ({name: value} for name, value in fields.items())
    yield fields


def _credential_types(definitions: Definitions) -> Iterator[str]:
    owner: dict[str, str] = {}
    for kind in definitions.of("credential_types"):
        name = kind["name"]
        for field in kind["inputs"]["fields"]:
            if "default" in field or field.get("default") is not None:
                yield f"credential type {name}: {field['id']} has a default, which AWX's form alone applies"
        for variable in kind["injectors"].get("env", {}):
            if variable not in VARIABLES:
                yield f"credential type {name}: nothing reads {variable}"
            if owner.setdefault(variable, name) != name:
                yield f"credential types {owner[variable]} and {name} both set {variable}"
        yield from dict.fromkeys(f"credential type {name}: {text}" for text in _injected(kind))


def _injected(kind: dict[str, Any]) -> Iterator[str]:
    for filling in _fillings(kind):
        filled = ", ".join(filling) or "nothing"
        try:
            environment = rendered(kind, filling)
        except TemplateError as error:
            yield f"its injectors can't be rendered with {filled} filled: {error}"
            continue
        for variable, value in environment.items():
            if variable in CHECKS and value.strip().lower() in TURNS_OFF:
                yield f"{variable} is {value} with {filled} filled: that turns the check of certificates off"
            if "/empty-" in value:
                yield f"{variable} is the path of an empty file where its field is empty"
            if value == "None":
                yield f"{variable} is the text None with {filled} filled"


def main(definitions: Optional[Definitions] = None) -> int:
    definitions = definitions or Definitions()
    found = problems(definitions)
    for sentence in found:
        print(f"extensions/awx: {sentence}")
    try:
        wanted = awx_surveys.files(definitions)
    except awx_surveys.Unknown as error:
        print(f"extensions/awx: {error}")
        return 1
    behind = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in behind:
        print(f"{path.relative_to(ROOT)}: differs from the definitions; mend it by: {awx_surveys.MEND}")
    return 1 if found or behind else 0


if __name__ == "__main__":
    sys.exit(main())

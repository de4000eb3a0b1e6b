# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `extensions/awx` defines, and what playbooks and roles of the collection take: for the gates that compare."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, meta

ROOT = Path(__file__).resolve().parents[2]

ANSIBLES = {"groups", "hostvars", "omit", "environment"}
"""Variables of Ansible's own that a playbook reads, beside those that begin with C(ansible_)."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads `!unsafe` as the text that it is."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)


@dataclass
class Definitions:
    """All of it.

    :param root: of a checkout.
    """

    root: Path = ROOT

    @property
    def folder(self) -> Path:
        return self.root / "extensions/awx"

    @cached_property
    def _all(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path in sorted((self.folder / "definitions").glob("*.yml")):
            found.update(read(path))
        return found

    def of(self, kind: str) -> Any:
        """What is defined of a kind, such as C(job_templates)."""
        return self._all[f"dbfleet_awx_{kind}"]

    @cached_property
    def templates(self) -> dict[str, dict[str, Any]]:
        """Job templates by their name."""
        return {row["name"]: row for row in self.of("job_templates")}

    def playbooks_of(self, workflow: dict[str, Any]) -> list[str]:
        """The playbooks of its steps. A step of a template that isn't there has none."""
        named = [self.templates.get(node.get("template"), {}) for node in workflow["nodes"]]
        return list(dict.fromkeys(row["playbook"] for row in named if row))

    def survey_path(self, name: str) -> Path:
        return self.folder / f"surveys/{name}.yml"

    def survey(self, name: str) -> list[dict[str, Any]]:
        """The questions of a survey as they are written; none where the file is missing."""
        path = self.survey_path(name)
        return read(path)["spec"] if path.is_file() else []

    # -- what may be asked

    @cached_property
    def playbooks(self) -> set[str]:
        """Those of the collection."""
        return {path.stem for path in (self.root / "playbooks").glob("*.yml")}

    def options(self, playbook: str) -> dict[str, dict[str, Any]]:
        """The variables that a playbook takes: those of its roles, and those that its plays read themselves."""
        path = self.root / f"playbooks/{playbook}.yml"
        text = path.read_text(encoding="utf-8")
        own = {name: {"type": "str"} for name in _read_by(text)}
        found: dict[str, dict[str, Any]] = {}
        for role in dict.fromkeys(re.findall(r"dbfleet\.cluster\.(\w+)\s*$", text, re.MULTILINE)):
            specs = self.root / f"roles/{role}/meta/argument_specs.yml"
            if specs.is_file():
                found.update(_options_in(specs.resolve()))
        return {**own, **found}


@lru_cache(maxsize=64)
def _options_in(specs: Path) -> dict[str, dict[str, Any]]:
    """The variables of all entry points of a role."""
    entries = read(specs)["argument_specs"].values()
    return {name: row for entry in entries for name, row in entry.get("options", {}).items()}


@lru_cache(maxsize=64)
def _read_by(playbook: str) -> set[str]:
    texts = [str(play.get(key, "")) for play in yaml.safe_load(playbook) for key in ("hosts", "strategy", "serial")]
    names = {name for text in texts for name in _undeclared(text)}
    return {name for name in names - ANSIBLES if not name.startswith("ansible_")}


def _undeclared(text: str) -> set[str]:
    environment = Environment(autoescape=True)
    for kind, table in (("filters", environment.filters), ("tests", environment.tests)):  # Ansible's own, by name alone
        words = re.findall(r"\|\s*([\w.]+)" if kind == "filters" else r"\bis\s+(?:not\s+)?(\w+)|'(\w+)'", text)
        names = {part for word in words for part in (word if isinstance(word, tuple) else (word,)) if part}
        table.update({name: str for name in names if name not in table})
    return meta.find_undeclared_variables(environment.parse(text))

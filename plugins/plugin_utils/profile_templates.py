# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Templates as values of a profile: how to recognize them, what they may use, and their results.

The error of a failed lookup may show its arguments, such as a token; so may a template that can't be parsed. So a
message contains only the names of the lookups of a template.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Optional

from ansible import template
from ansible.plugins.loader import lookup_loader
from ansible.template import Templar
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var
from jinja2 import Environment, TemplateError, nodes

from ..module_utils._errors import ClusterError
from ..module_utils._values import is_nothing, listed, read
from ..module_utils._wording import listing
from .plain import plain

# ansible-core before 2.19 lacks it, and a failed import would search for it for a twentieth of a second.
is_trusted_as_template = getattr(template, "is_trusted_as_template", None)

SIGNS = ("{{", "{%", "{#")
"""Signs that make a text a template."""

LOOKUPS = ("lookup", "query", "q")
VARIABLES = ("profile", "profiles_dir")
"""The only variables that a template can use."""

HEADER = "#jinja2:"
"""A text that begins with it sets how ansible-core reads the rest of the template."""

LITERAL = "if the text is not a template, mark it with !unsafe: `api_password: !unsafe '...'`"


@dataclass(frozen=True)
class Template:
    """A value that ansible-core evaluates.

    :param text: the text as the loader of ansible-core returned it, with the loader's mark of trust.
    """

    text: str


@dataclass(frozen=True)
class Given:
    """The result of a template.

    :param problem: why the result can't be used, as the end of a sentence.
    """

    text: str = ""
    problem: str = ""
    hint: Optional[str] = None


def marked(value: Any) -> Any:
    """Plain values, with templates marked. Vaulted values, and texts marked with `!unsafe`, are not templates."""
    if isinstance(value, Mapping):
        return {plain(key): marked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [marked(item) for item in value]
    is_one = isinstance(value, str) and any(sign in value for sign in SIGNS) and not _is_unsafe(value)
    return Template(value) if is_one else plain(value)


def _is_unsafe(text: str) -> bool:
    if is_trusted_as_template is None:
        return hasattr(text, "__UNSAFE__")
    return not is_trusted_as_template(text)


class Templates:
    """Evaluates templates. A template that doesn't use the profile's name is evaluated once.

    :param loader: the loader of ansible-core.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._held: dict[tuple[str, str, str], Given] = {}

    def value(self, given: Any, option: str, row: Mapping[str, Any], profile: str, path: str) -> Any:
        """The value of an option, with its templates evaluated.

        :param row: the option in the specification of a module.
        :param path: the path of the file with the option.
        :raises ClusterError: a template can't be evaluated, or its result can't be used.
        """
        if isinstance(given, list):
            return [self.value(item, option, row, profile, path) for item in given]
        if not isinstance(given, Template):
            return given
        found = self._given(given.text, profile, path)
        if not found.problem:
            found = _fit(option, row, found.text)
        if found.problem:
            named = f"profile {profile}: the template of {option} in {path}"
            raise ClusterError(f"{named} {found.problem}", hint=found.hint, number="DBF-7006")
        return found.text

    def _given(self, text: str, profile: str, path: str) -> Given:
        folder = os.path.dirname(os.path.abspath(path))
        try:
            names, lookups = _used(text)
            key = (plain(text), folder, profile if "profile" in names else "")
            if key not in self._held:
                self._held[key] = self._evaluated(text, {"profile": profile, "profiles_dir": folder}, lookups)
            return self._held[key]
        except _Unusable as error:
            return error.given

    def _evaluated(self, text: str, variables: dict[str, str], lookups: list[str]) -> Given:
        # Relative paths of lookups start in the folder of the profiles, for plays, runbooks and inventories alike.
        before = self._loader.get_basedir()
        self._loader.set_basedir(variables["profiles_dir"])
        try:
            with _quiet():
                for name in lookups:
                    _refuse_missing(name)
                found = _rendered(Templar(loader=self._loader, variables=wrap_var(variables)), text)
        except _Unusable as error:
            return error.given
        except Exception:  # a plugin may raise anything; its text may contain a secret
            return _failed(lookups)
        finally:
            self._loader.set_basedir(before)
        if is_nothing(found):
            return Given(problem=f"gives nothing{_by(lookups)}", hint="to leave an option out, write null")
        return Given(str(plain(found)).rstrip("\r\n"))


class _Unusable(Exception):
    """A template that can't be used."""

    def __init__(self, problem: str, hint: Optional[str] = None) -> None:
        super().__init__(problem)
        self.given = Given(problem=problem, hint=hint)


def _used(text: str) -> tuple[set[str], list[str]]:
    """The names that a template uses, and the names of its lookups.

    A password that contains `{{` is not a template: it can't be parsed, or uses names that don't exist.

    :raises _Unusable: the text is not a template, or uses names that don't exist.
    """
    if text.startswith(HEADER):
        raise _Unusable(f"begins with {HEADER}, but settings of a template aren't allowed here", LITERAL)
    try:
        tree = Environment().parse(str(plain(text)))  # noqa: S701 -- nothing is rendered by it
    except (TemplateError, RecursionError):
        raise _Unusable("can't be parsed", LITERAL) from None
    used = {one.name for one in tree.find_all(nodes.Name) if one.ctx == "load"}
    used -= {one.name for one in tree.find_all(nodes.Name) if one.ctx != "load"}
    if not used:
        raise _Unusable(f"contains neither a lookup nor one of the variables {' and '.join(VARIABLES)}", LITERAL)
    if not used <= {*LOOKUPS, *VARIABLES}:
        raise _Unusable(
            f"uses something other than lookups and the variables {' and '.join(VARIABLES)}",
            f"a profile is the same for every host, so its templates can't use variables of a host; {LITERAL}",
        )
    calls = [one for one in tree.find_all(nodes.Call) if isinstance(one.node, nodes.Name) and one.node.name in LOOKUPS]
    if any(one.dyn_kwargs is not None or "errors" in [word.key for word in one.kwargs] for one in calls):
        raise _Unusable("sets errors for a lookup, but here each error ends the task", "leave errors out")
    first = [one.args[0] for one in calls if one.args]
    return used, list(dict.fromkeys(one.value for one in first if isinstance(one, nodes.Const)))


def _refuse_missing(name: str) -> None:
    if not lookup_loader.has_plugin(name):
        hint = f"install the collection that has the lookup, then check with: ansible-doc -t lookup {name}"
        raise _Unusable(f"needs the lookup {name}, which isn't installed on this controller", hint)


def _rendered(templar: Any, text: str) -> Any:
    """:raises _Unusable: the result is a list or a dictionary."""
    if hasattr(templar, "evaluate_expression"):  # the templates of ansible-core 2.19 and later return data unchanged
        return _text_alone(templar.template(text))
    # Older templates turn data into a text, and a text that looks like data into data.
    return templar.copy_with_new_env(finalize=_text_alone).template(text, convert_data=False)


def _text_alone(found: Any) -> Any:
    if isinstance(found, (Mapping, list, tuple, set)):
        raise _Unusable(
            "gives a list or a dictionary, but the option needs a text",
            "take one value of it: lookup(...).password, or lookup(...) | join(',') for several URLs",
        )
    return "" if found is None else found


def _failed(lookups: list[str]) -> Given:
    if not lookups:
        return Given(problem="can't be evaluated")
    what = f"the lookup {lookups[0]}" if len(lookups) == 1 else f"one of the lookups {listing(lookups)}"
    return Given(
        problem=f"has no value: {what} failed, or its result lacks what the template uses",
        hint="the message of the lookup isn't shown, because it may contain a secret; try the lookup in your own task",
    )


def _by(lookups: list[str]) -> str:
    return f" (lookup {listing(lookups)})" if lookups else ""


def _fit(option: str, row: Mapping[str, Any], text: str) -> Given:
    """Checks that an option can take the text. A later check would show the value in its message."""
    if row.get("no_log"):
        return Given(text)
    if row.get("type") != "list" and len(text.splitlines()) > 1:
        is_file = row.get("type") == "path"
        hint = (
            "the option names a file: write the content to a file with mode 0600, and give its path"
            if is_file
            else None
        )
        return Given(problem="gives several lines, but the option needs one", hint=hint)
    choices = row.get("choices")
    if choices and text not in choices:
        return Given(problem=f"gives something other than {listing(choices, between=', ')}")
    if read({option: {**row, "no_log": True}}, {option: text})[1]:
        return Given(problem=f"gives something that {option} can't take")
    return Given(text) if row.get("type") != "list" or listed(text) else Given(problem="gives nothing")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences ansible-core: with -vvv it and lookups show their arguments, and older releases show a traceback."""
    display = Display()
    before = {name: getattr(display, name) for name in ("verbosity", "log_verbosity") if hasattr(display, name)}
    try:
        for name in before:
            setattr(display, name, 0)
        yield
    finally:
        for name, value in before.items():
            setattr(display, name, value)

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How values that came as text are read: the rule itself, and every option and every variable by it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleFallbackNotFound
from ansible_collections.dbfleet.cluster.plugins.module_utils import _values
from ansible_collections.dbfleet.cluster.plugins.module_utils._values import first_of, is_nothing, listed, read
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import direct
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.products import variables_of
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.variables import ROLES, _options
from hypothesis import given, strategies as st

MODULES = {
    path.stem: import_module(f"{direct.MODULES}.{path.stem}")
    for path in sorted((Path(direct.__file__).parents[1] / "modules").glob("*.py"))
}
SPECS: dict[str, dict[str, Any]] = {
    **{name: module.SPEC["argument_spec"] for name, module in MODULES.items()},
    **{f"role {path.parts[-3]}": _options(path) for path in sorted(ROLES.glob("*/meta/argument_specs.yml"))},
}
SECONDS = {"type": "float"}
NAMES = {"type": "list", "elements": "str"}
PYTHON = re.compile(r"<class|Traceback|NoneType|\btype (?:str|int|float|bool|list|dict)\b|\wError\b")


def options(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Each option of a specification and its suboptions', with what makes the arguments that hold its value."""

    def within(name: str, row: dict[str, Any], inner: Any) -> Any:
        return lambda value: {name: [inner(value)] if row["type"] == "list" else inner(value)}

    for name, row in spec.items():
        yield name, row, (lambda value, name=name: {name: value})
        for below, its_row, inner in options(row.get("options") or {}):
            yield below, its_row, within(name, row, inner)


EVERY = [
    pytest.param(place, name, row, of, id=f"{place}-{name}-{number}")
    for place in SPECS
    for number, (name, row, of) in enumerate(options(SPECS[place]))
]
ARGUMENTS = ("place", "name", "row", "of")


def lenient(spec: dict[str, Any]) -> dict[str, Any]:
    """Without required options, which a test of one option doesn't give."""
    rows = {name: {**row, "required": False} for name, row in spec.items()}
    return {
        name: {**row, "options": lenient(row["options"])} if row.get("options") else row for name, row in rows.items()
    }


def own(of: Any, values: Any) -> Any:
    """The value of an option itself, of the arguments that hold it."""
    marked = of("MARK")
    while marked != "MARK":
        ((key, marked),) = marked.items() if isinstance(marked, dict) else enumerate(marked)
        values = values.get(key) if isinstance(values, dict) else values[key] if values else None
    return values


def found_in(place: str, of: Any, value: Any) -> tuple[Any, list[str]]:
    """An option's value after the reading and ansible-core's validation, and what was wrong."""
    values, problems = direct.validated(lenient(SPECS[place]), of(value))
    return own(of, values), problems


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in os.environ if one.startswith(("EXA_", "NUODB_", "NUOCMD_", "DBFLEET_"))]:
        monkeypatch.delenv(name)


# -- every option of every module, every variable of every role


def test_there_are_options_of_every_kind() -> None:
    kinds = {param.values[2].get("type", "str") for param in EVERY}
    assert kinds == {"str", "path", "bool", "int", "float", "list", "dict", "raw"}
    assert len(EVERY) > 900


@pytest.mark.parametrize(ARGUMENTS, EVERY)
def test_no_value_shows_a_word_of_python(place: str, name: str, row: dict[str, Any], of: Any) -> None:
    for value in ("", "  ", None, "true", "600", "a, b", "a\nb", "None", 384, 1350, True, 1.5, [], ["a, b", None], {}):
        _found, problems = found_in(place, of, value)
        for text in problems:
            assert not PYTHON.search(text), f"{value!r}: {text}"
            assert "\n" not in text.replace("a\nb", "")


@pytest.mark.parametrize(ARGUMENTS, [one for one in EVERY if one.values[1] not in _values.VERBATIM])
def test_what_is_empty_is_not_given(place: str, name: str, row: dict[str, Any], of: Any) -> None:
    default = row.get("default")
    for value in ("", " \t\n", None):
        found, problems = found_in(place, of, value)
        assert problems == []
        assert found == (os.path.expanduser(default) if row.get("type") == "path" and default else default)


TEXTS: dict[str, dict[str, Any]] = {
    "true": {"bool": True, "list": ["true"]},
    "600": {"int": 600, "seconds": 600, "list": ["600"], "whole numbers": [600]},
    "a, b": {"list": ["a", "b"]},
    "a\nb": {"list": ["a", "b"]},
}
"""What a text is for an option that isn't a text itself. What isn't here is refused."""

RETYPED: dict[Any, dict[str, Any]] = {
    True: {**TEXTS["true"], "text": "True", "list": ["True"]},
    600: {**TEXTS["600"], "text": "600"},
    date(2026, 11, 28): {"text": "2026-11-28", "list": ["2026-11-28"]},
}
"""The same of what ansible-core 2.19 and later make of a text, as a survey of AWX gives it."""


def kind_of(name: str, row: dict[str, Any]) -> str:
    kind = row.get("type", "str")
    if "dict" in (kind, row.get("elements")) or row.get("choices"):
        return "not a text"
    if kind == "list":
        return "whole numbers" if row.get("elements") == "int" else "list"
    return "seconds" if _values.is_seconds(name, row) else {"str": "text", "path": "text"}.get(kind, kind)


@pytest.mark.parametrize(ARGUMENTS, [one for one in EVERY if one.values[1] not in _values.VERBATIM])
def test_a_text_is_a_value_of_the_type_or_one_sentence(place: str, name: str, row: dict[str, Any], of: Any) -> None:
    kind = kind_of(name, row)
    for value, meant in {**TEXTS, **RETYPED}.items():
        came = direct.plain(value)
        found, problems = found_in(place, of, came)
        if kind == "raw" or (kind == "text" and isinstance(value, str)):
            meant = {kind: came}
        if kind in meant and not (kind == "text" and name in _values.FORMATS and problems):
            both_bool = isinstance(found, bool) == isinstance(meant[kind], bool)  # True is 1 otherwise
            assert (problems, found, both_bool) == ([], meant[kind], True), repr(value)
        else:
            assert len(problems) == 1, f"{value!r} is read as {found!r}, with {problems}"
            assert re.search(rf"\b{name}\b", problems[0])
            assert not PYTHON.search(problems[0])


LISTS = [
    one
    for one in EVERY
    if one.values[2].get("type") == "list"
    and one.values[2].get("elements") != "dict"
    and one.values[1] not in _values.VERBATIM
]


@pytest.mark.parametrize(ARGUMENTS, LISTS)
def test_a_list_is_split_by_the_rule(place: str, name: str, row: dict[str, Any], of: Any) -> None:
    numbers = row.get("elements") == "int"
    values, problems = read(SPECS[place], of("1, 2\n 3 ,,\r\n4"))
    assert (own(of, values), problems) == ([1, 2, 3, 4] if numbers else ["1", "2", "3", "4"], {})
    given_, items = ([" 7 ", None, "", 2024], [7, 2024]) if numbers else ([" a, b ", None, "", 7], ["a, b", "7"])
    values, problems = read(SPECS[place], of(given_))
    assert (own(of, values), problems) == (items, {})
    assert own(of, read(SPECS[place], of("None"))[0]) is None


NARROWS = {"older_than", "backup_id"}
"""What of a backup is to be deleted: empty, it must not mean more."""


def test_what_is_taken_verbatim_is_what_exa_job_hands_on() -> None:
    """Of raw options the others hold names, task files or parameters, for which an empty text says nothing."""
    rows = [param.values for param in EVERY if param.values[0].startswith("exa_job")]
    raw = {name for _place, name, row, _of in rows if "raw" in (row.get("type"), row.get("elements"))}
    assert raw | NARROWS == set(_values.VERBATIM)
    given_ = {"method": "m", "args": ["", None, "a"], "secret_args": [1], "unless": {"equals": "", "contains": ""}}
    assert read(SPECS["exa_job"], {**given_, "job_id": ""}) == ({**given_, "job_id": ""}, {})


@pytest.mark.parametrize("place", SPECS)
def test_each_number_of_seconds_is_one(place: str) -> None:
    for name, row, of in options(SPECS[place]):
        timed = name.endswith(("_timeout", "_stable", "heartbeat", "off_for"))
        assert _values.is_seconds(name, row) == timed
        assert row.get("type") != "float" or not place.startswith("role "), f"ansible-core would refuse {name}: 20m"
        if timed:
            assert found_in(place, of, "20m") == (1200, [])
            _found, (text,) = found_in(place, of, "soon")
            assert text == f"{name} is 'soon': it takes {_values.FORM}"


# -- the environment


@pytest.mark.parametrize("value", ["", "  "])
@pytest.mark.parametrize("name", [name for name in MODULES if name != "runbook"])
def test_an_empty_variable_of_the_environment_is_none(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = SPECS[name]
    without = direct.validated(lenient(spec), {})
    used = variables_of(spec)
    for variable in used:
        monkeypatch.setenv(variable, value)
    assert len(used) > 10 or "api_url" not in spec
    assert direct.validated(lenient(spec), {}) == without


def test_the_first_variable_that_holds_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXA_ONE", " ")
    monkeypatch.setenv("EXA_TWO", "2")
    assert first_of("EXA_NONE", "EXA_ONE", "EXA_TWO") == "2"
    with pytest.raises(AnsibleFallbackNotFound):
        first_of("EXA_NONE", "EXA_ONE")


# -- lists


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("DB1, DB2", ["DB1", "DB2"]), ("DB1\nDB2\r\n", ["DB1", "DB2"]), (" DB1 ,\n, DB 2", ["DB1", "DB 2"]),
        (None, []), ("", []), (" ", []), ("None", []), (" None\n", []), (",", []), (449, ["449"]), (2024, ["2024"]),
        (1.5, ["1.5"]), (True, ["True"]), ([" a, b", None, "", " "], ["a, b"]), (["None"], ["None"]), ([449], ["449"]),
        (("a",), ["a"]), ({"name": "a"}, [{"name": "a"}]), ([{"name": "a"}, "b"], [{"name": "a"}, "b"]),
    ],
)  # fmt: skip
def test_lists(value: Any, items: list[Any]) -> None:
    assert listed(value) == items


def test_blanks_separate_where_they_may() -> None:
    assert listed(" a b,c\nd", blanks=True) == ["a", "b", "c", "d"]
    assert listed(["a b"], blanks=True) == ["a b"]


NAME = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters=","), min_size=1).filter(
    lambda text: text != "None"
)


@given(st.lists(NAME), st.sampled_from([",", ", ", " ,", "\n", "\r\n", " \n ", ",,", ",\n"]))
def test_what_is_joined_is_split(names: list[str], between: str) -> None:
    assert listed(between.join(names)) == names
    assert listed(names) == names


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["None", "a,b", "20m"])


@given(SCALARS | st.lists(SCALARS))
def test_what_was_read_is_read_to_the_same(value: Any) -> None:
    once = listed(value)
    assert listed(once) == once
    for row in (NAMES, SECONDS, {"type": "int"}, {"type": "bool"}, {"type": "str"}, {"type": "dict"}):
        values, problems = read({"option": row}, {"option": value})
        if not problems:
            assert repr(read({"option": row}, values)) == repr((values, {}))
        assert set(problems) <= {"option"}


@given(st.text())
def test_nothing_is_what_has_no_sign(text: str) -> None:
    assert is_nothing(text) == (text.split() == [])


# -- durations


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("20m", 1200), ("1h30m", 5400), ("1h 30m", 5400), ("90s", 90), ("2d", 172800), ("90", 90), ("90.5", 90.5),
        (" 20m\n", 1200), ("1d2h3m4.5s", 93784.5), ("1.5h", 5400), (90, 90), (90.5, 90.5), ("0", 0), ("1e3", 1000),
        ("-5", -5),
    ],
)  # fmt: skip
def test_durations(value: Any, seconds: float) -> None:
    assert read({"wait_timeout": SECONDS}, {"wait_timeout": value}) == ({"wait_timeout": seconds}, {})


@pytest.mark.parametrize(
    "value", ["soon", "20 minutes", "20M", "30m1h", "1h1h", "1w", "m", "1h30", "nan", ".inf", "٣m", "1_000", "22:30"]
)
def test_what_is_no_duration(value: str) -> None:
    says = f"wait_timeout is {value!r}: it takes a number of seconds (90, 90.5) or a duration such as 90s, 20m, 1h30m "
    assert read({"wait_timeout": SECONDS}, {"wait_timeout": value})[1] == {"wait_timeout": f"{says}or 2d"}


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_the_parts_of_a_duration_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    text = f"{days}d{hours}h{minutes}m{seconds}s"
    sum_ = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    assert read({"heartbeat": SECONDS}, {"heartbeat": text})[0] == {"heartbeat": sum_}


def test_seconds_that_must_be_whole() -> None:
    row = {"startup_timeout": {"type": "int"}}
    assert read(row, {"startup_timeout": "1m"}) == ({"startup_timeout": 60}, {})
    assert read(row, {"startup_timeout": "1.5s"})[1] == {
        "startup_timeout": "startup_timeout is '1.5s': it takes whole seconds"
    }


def test_a_truth_is_no_number_of_seconds() -> None:
    assert read({"heartbeat": SECONDS}, {"heartbeat": True})[1]["heartbeat"].startswith("heartbeat is true: it takes ")


def test_durations_of_confd_are_texts() -> None:
    given_ = {"expire": "1w 3d", "max_age": "24h", "older_than": "30d"}
    assert read(SPECS["exa_backup"], given_) == (given_, {})


# -- what ansible-core made of a text


@pytest.mark.parametrize(
    ("name", "value"),
    [("since", 1350), ("tls_fingerprint", 1350), ("hour", 1350), ("minute", 384), ("version", 8.3), ("clock", 1350),
     ("permissions", 384), ("time_zone", 1), ("exa_time_zone", 1.5), ("weekday", True)],
)  # fmt: skip
def test_a_number_where_a_format_is_broken(name: str, value: Any) -> None:
    _values_, problems = read({name: {"type": "str"}}, {name: value})
    shown = "true" if value is True else f"the number {value}"
    assert problems[name].startswith(f"{name} came as {shown}, and YAML may have changed it")
    assert re.search(r"write it as text, in quotes, such as '[^']+'$", problems[name])


@pytest.mark.parametrize(
    ("name", "value"),
    [("hour", 22), ("minute", 0), ("weekday", 7), ("since", 2026), ("version", 8), ("db_name", 2024), ("volume", 1.5)],
)
def test_a_number_that_is_a_text_as_well(name: str, value: Any) -> None:
    assert read({name: {"type": "str"}}, {name: value}) == ({name: str(value)}, {})


def test_each_format_is_that_of_an_option() -> None:
    assert set(_values.FORMATS) <= {name for spec in SPECS.values() for name, _row, _of in options(spec)}


@pytest.mark.parametrize(
    ("row", "value", "says"),
    [
        ({"type": "int"}, "many", "it takes a whole number"),
        ({"type": "int"}, 1.5, "option is the number 1.5: it takes a whole number"),
        ({"type": "bool"}, "maybe", "option is 'maybe': it takes true or false"),
        ({"type": "bool"}, [1], "option is a list: it takes true or false"),
        ({"type": "int"}, {}, "option is a dictionary: it takes a whole number"),
        ({"type": "int", "no_log": True}, "s3cret", "option is something else: it takes a whole number"),
        ({"type": "list", "elements": "int"}, "1, two", "option is 'two': it takes a whole number"),
        ({"type": "list"}, {"a": 1}, "option option has a value of the wrong type"),
        (
            {"type": "dict", "options": {"port": {"type": "int"}}}, {"port": "x"},
            "port is 'x': it takes a whole number (found in 'option')",
        ),
    ],
)  # fmt: skip
def test_what_can_t_be_read_is_one_sentence(row: dict[str, Any], value: Any, says: str) -> None:
    values, problems = read({"option": row}, {"option": value})
    assert values == {"option": value}
    assert problems["option"].endswith(says)


def test_what_is_required_is_missing_when_it_is_empty() -> None:
    found = direct.validated(SPECS["exa_database"], {"databases": "", "state": "started"})[1]
    assert found == ["missing required arguments: databases"]


def test_all_that_is_wrong_is_told_at_once() -> None:
    given_ = {"databases": "a", "wait_timeout": "soon", "stat": "x", "state": "maybe"}
    texts = direct.validated(SPECS["exa_database"], given_)[1]
    assert len(texts) == 3
    assert all(word in "; ".join(texts) for word in ("wait_timeout is 'soon'", "option stat ", "maybe"))


# -- a module that runs elsewhere


def ordinary(monkeypatch: pytest.MonkeyPatch, **args: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    made = direct.Direct.__new__(direct.Direct)
    made._task = SimpleNamespace(async_val=0, delegate_to=None, no_log=False, environment=[])
    made._connection = SimpleNamespace(transport="ssh", _shell=SimpleNamespace(tmpdir=None))
    made._used_interpreter = ""
    sent: list[dict[str, Any]] = []

    def execute(module_args: dict[str, Any], **_more: Any) -> dict[str, Any]:
        sent.append(module_args)
        return {}

    monkeypatch.setattr(made, "_with_files", lambda args: args)
    monkeypatch.setattr(made, "_remove_tmp_path", lambda _path: None)
    monkeypatch.setattr(made, "_execute_module", execute)
    return made._ordinary(MODULES["exa_database"], args, {}, False), sent


def test_an_ordinary_module_gets_what_ansible_core_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    args = {"api_url": "n10\nn11", "wait_timeout": "20m", "validate_certs": "", "databases": "a, b"}
    _result, (sent,) = ordinary(monkeypatch, **args)
    assert sent == {"api_url": ["n10", "n11"], "wait_timeout": 1200, "databases": ["a", "b"]}


def test_an_ordinary_module_is_not_run_with_what_can_t_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    result, sent = ordinary(monkeypatch, wait_timeout="s3cret", api_password="s3cret")
    assert (result["failed"], sent) == (True, [])
    assert result["msg"].startswith("wait_timeout is ")
    assert "s3cret" not in result["msg"]

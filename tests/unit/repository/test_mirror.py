# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test of a file is found by its name.

`plugins/module_utils/_exasol/nodes/boot.py` has its test in `tests/unit/exasol/nodes/test_boot.py`: the same path below
`tests/unit`, without `module_utils` or `plugin_utils` and without leading underscores. Tests of the repository itself
stand in this folder, and a test of several files is a scenario that is named here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[3]
TESTS, PLUGINS = ROOT / "tests" / "unit", ROOT / "plugins"

REPOSITORY = "repository"
UNNAMED = ("module_utils", "plugin_utils")
"""Folders below plugins that a test's path leaves out."""

SCENARIOS = {
    "eda/test_exa_cluster.py": "an event source, which is no plugin of ansible-core",
    "eda/test_nuodb_domain.py": "an event source, and what both have in common",
    "eda/test_rulebooks.py": "rulebooks, unit file and page about the event sources",
    "exasol/test_cut_off.py": "whole modules on simulated clusters of both servers, ended after each call in turn",
    "exasol/test_dangers.py": "the rules of docs/dangers.md, whichever file refuses",
    "exasol/confd/test_bad_answers.py": "whole modules, each of whose answers is bad in turn",
    "exasol/confd/test_bad_options.py": "whole modules, each with options that are wrong",
    "exasol/confd/test_two_readings.py": "the client and the simulator, which read the same documents",
    "nuodb/test_connection_info.py": "the module nuodb_connection_info: certificates, users and APs together",
    "nuodb/test_cut_off.py": "whole modules on a simulated domain, ended after each call in turn",
    "nuodb/test_shared_session.py": "the modules of a cold start, one after another in one session",
    "simulator/test_guide.py": "the guide and what all simulated servers and EXAoperation's have",
    "simulator/test_sockets.py": "listeners, faults, TLS and a server that answers over them",
    "simulator/exasol/confd/test_guide.py": "the guide and what simulated ConfDs have",
    "simulator/exasol/confd/test_sockets.py": "the whole simulator with ConfDs, over its sockets",
    "simulator/nuodb/test_document.py": "one document, whose steps touch every part of a domain",
    "simulator/nuodb/test_guide.py": "the guide and what simulated domains have",
    "simulator/nuodb/test_sockets.py": "the whole simulator with APs, over its sockets",
}
"""Tests of several files, and which."""


def place_of(source: str) -> str:
    """Where the test of a file below plugins stands, below tests/unit."""
    parts = [part.lstrip("_") for part in PurePosixPath(source).parts]
    folders = parts[1:-1] if parts[0] in UNNAMED else parts[:-1]
    return "/".join([*folders, f"test_{parts[-1]}"])


def complaints(tests: Iterable[str], sources: Iterable[str], scenarios: Mapping[str, str]) -> list[str]:
    """What is wrong with the places of these tests, a sentence each."""
    tests, mirrored = list(tests), {place_of(source): source for source in sources}
    found = [
        f"{test}: no file below plugins has its test there; is it a scenario of several?"
        for test in tests
        if test not in mirrored and test not in scenarios and not test.startswith(f"{REPOSITORY}/")
    ]
    found += [f"{test}: it is named as a scenario, and isn't there" for test in scenarios if test not in tests]
    return found + [
        f"{test}: it is named as a scenario, and is the test of {mirrored[test]}"
        for test in scenarios
        if test in mirrored
    ]


def below(folder: Path, names: str) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob(names))


def test_the_test_of_a_file_is_found_by_its_name() -> None:
    sources = [source for source in below(PLUGINS, "*.py") if not source.rpartition("/")[2].startswith("__")]
    tests = below(TESTS, "test_*.py")
    assert len(tests) > len(SCENARIOS)
    assert complaints(tests, sources, SCENARIOS) == []


SOURCES = [
    "module_utils/_errors.py", "module_utils/_exasol/nodes/boot.py", "plugin_utils/simulator/tls.py",
    "action/runbook.py",
]  # fmt: skip
PLACED = ["test_errors.py", "exasol/nodes/test_boot.py", "simulator/test_tls.py", "action/test_runbook.py"]


def test_tests_at_their_places_are_right() -> None:
    tests = [*PLACED, "repository/test_links.py", "exasol/test_all.py"]
    assert complaints(tests, SOURCES, {"exasol/test_all.py": "all"}) == []


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("exasol/test_boot.py", "no file below plugins"),
        ("nodes/test_boot.py", "no file below plugins"),
        ("exasol/nodes/test_boots.py", "no file below plugins"),
        ("module_utils/exasol/nodes/test_boot.py", "no file below plugins"),
        ("simulator/test_errors.py", "no file below plugins"),
        ("test_links.py", "no file below plugins"),
    ],
)
def test_a_misplaced_test_is_told(test: str, why: str) -> None:
    (found,) = complaints([*PLACED, test], SOURCES, {})
    assert found.startswith(f"{test}: {why}")


def test_a_scenario_is_there_and_has_no_file_of_its_own() -> None:
    assert complaints(PLACED, SOURCES, {"exasol/test_all.py": "all"}) == [
        "exasol/test_all.py: it is named as a scenario, and isn't there"
    ]
    assert complaints(PLACED, SOURCES, {"test_errors.py": "all"}) == [
        "test_errors.py: it is named as a scenario, and is the test of module_utils/_errors.py"
    ]

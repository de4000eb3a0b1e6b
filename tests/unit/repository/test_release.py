# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make release` refuses, and what it says of the tarball."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Optional

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]


def gate(name: str) -> ModuleType:
    """One of tests/gates, which are programs and no package."""
    spec = importlib.util.spec_from_file_location(f"gate_{name}", ROOT / f"tests/gates/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree that may be released as 1.0.0."""
    (tmp_path / "changelogs/fragments").mkdir(parents=True)
    galaxy = {"version": "1.0.0", "repository": "https://git.example.com/cluster"}
    (tmp_path / "galaxy.yml").write_text(yaml.safe_dump(galaxy))
    (tmp_path / "changelogs/changelog.yaml").write_text("releases: {1.0.0: {}}\n")
    (tmp_path / "CHANGELOG.rst").write_text("v1.0.0\n======\n")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words], cwd=tmp_path, check=True)
    return tmp_path


def ready(tree: Path, without_address: bool = False) -> list[str]:
    return list(gate("release_ready").faults(tree, without_address))


def changed(name: str, before: str, after: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        path = tree / name
        path.write_text(path.read_text().replace(before, after))
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qam", "x"], cwd=tree, check=True
        )

    return change


def unreleased_fragment(tree: Path) -> None:
    (tree / "changelogs/fragments/new.yml").write_text("bugfixes: [x]\n")


def test_a_tree_that_is_ready_is_released(tree: Path) -> None:
    assert ready(tree) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed("galaxy.yml", "git.example.com", "dbfleet.invalid"), "a placeholder"),
        (changed("galaxy.yml", "1.0.0", "1.0.0-rc1"), "is not MAJOR.MINOR.PATCH"),
        (changed("galaxy.yml", "1.0.0", "1.1.0"), "it has no release 1.1.0. `make changelog VERSION=1.1.0`"),
        (changed("CHANGELOG.rst", "v1.0.0", "v0.9.0"), "CHANGELOG.rst: it has no chapter v1.0.0"),
        (unreleased_fragment, "1 are in no release, such as new.yml"),
        (unreleased_fragment, "git: 1 files are not committed"),
    ],
    ids=["address", "candidate", "no changelog", "not written", "fragment", "not committed"],
)
def test_what_stands_against_it_is_said(tree: Path, change: Callable[[Path], None], said: str) -> None:
    change(tree)
    assert any(said in line for line in ready(tree))


def test_an_address_that_means_none_is_allowed_by_name(tree: Path) -> None:
    changed("galaxy.yml", "git.example.com", "dbfleet.invalid")(tree)
    assert ready(tree, without_address=True) == []


def test_it_fails_as_a_program(tree: Path) -> None:
    """`make release` sees the exit status alone."""
    program = [sys.executable, str(ROOT / "tests/gates/release_ready.py"), str(tree)]
    assert subprocess.run(program, capture_output=True, check=False).returncode == 0
    unreleased_fragment(tree)
    answer = subprocess.run(program, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert len(answer.stderr.splitlines()) == 2


def test_the_address_that_means_none_stands_in_one_place() -> None:
    listed = subprocess.run(
        ["git", "grep", "-lF", "//dbfleet" + ".invalid"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 128:
        pytest.skip("not a git checkout")
    assert set(listed.stdout.split()) <= {"galaxy.yml"}


# -- the bill of materials --------------------------------------------------------------------------------------------


def tarball_with(tmp_path: Path, requirements: str) -> Path:
    about = {
        "namespace": "dbfleet",
        "name": "cluster",
        "version": "1.0.0",
        "license": ["GPL-3.0-or-later"],
        "description": "D",
    }
    path = tmp_path / "it.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (
            ("MANIFEST.json", json.dumps({"collection_info": about})),
            ("requirements.txt", requirements),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def bom_of(*names: str) -> dict[str, Any]:
    return {
        "metadata": {},
        "components": [{"name": name, "bom-ref": f"{name}==1"} for name in names],
        "dependencies": [{"ref": f"{name}==1"} for name in names],
    }


def described(tmp_path: Path, requirements: str, *installed: str) -> dict[str, Any]:
    made: Optional[dict[str, Any]] = gate("sbom").described(bom_of(*installed), tarball_with(tmp_path, requirements))
    assert made is not None
    return made


def test_the_collection_depends_on_what_it_names(tmp_path: Path) -> None:
    made = described(
        tmp_path, "# why\nurllib3>=2,<3  # TLS\n\nPrometheus_Client>=0.20\n", "urllib3", "prometheus-client", "cffi"
    )
    assert made["metadata"]["component"]["purl"] == "pkg:generic/dbfleet/cluster@1.0.0"
    first, *others = made["dependencies"]
    assert first == {"ref": "pkg:generic/dbfleet/cluster@1.0.0", "dependsOn": ["prometheus-client==1", "urllib3==1"]}
    assert [one["ref"] for one in others] == ["urllib3==1", "prometheus-client==1", "cffi==1"]


def test_a_package_that_is_named_and_not_there_fails(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="names urllib3"):
        described(tmp_path, "urllib3>=2\n", "cffi")


def test_what_the_importer_is_told_is_true_of_the_playbooks() -> None:
    """.ansible-lint leaves out what `make lint` then names: nothing else."""
    left_out = yaml.safe_load((ROOT / ".ansible-lint").read_text(encoding="utf-8"))["exclude_paths"]
    assert [
        one for one in left_out if (ROOT / one).exists() and one not in (".venv/", ".ansible/", "tests/output/")
    ] == [
        "changelogs/",
        "extensions/awx/project/",
    ]
    assert "--profile production extensions/awx/project/*.yml" in (ROOT / "Makefile").read_text(encoding="utf-8")


# -- the programs around it -------------------------------------------------------------------------------------------


def run_gate(program: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DRAFT", "WITHOUT_ADDRESS", "PYTHONS", "PARTS")
    }
    return subprocess.run(
        [str(program), *arguments], env={**kept, **environment}, capture_output=True, text=True, check=False
    )


def test_a_refused_release_makes_nothing(tree: Path) -> None:
    changed("galaxy.yml", "git.example.com", "dbfleet.invalid")(tree)
    (tree / "tests/gates").mkdir(parents=True)
    for name in ("release.sh", "release_ready.py"):
        shutil.copy(ROOT / "tests/gates" / name, tree / "tests/gates")
    refused = run_gate(tree / "tests/gates/release.sh", sys.prefix)
    assert refused.returncode == 1
    assert "a placeholder" in refused.stderr
    assert "release: refused; nothing was made." in refused.stderr
    assert not (tree / "dist").exists()


def test_a_version_gets_one_changelog(tree: Path) -> None:
    (tree / "tests/gates").mkdir(parents=True)
    shutil.copy(ROOT / "tests/gates/changelog.sh", tree / "tests/gates")
    (tree / "changelogs/changelog.yaml").write_text("releases:\n  1.0.0: {}\n")
    again = run_gate(tree / "tests/gates/changelog.sh", sys.prefix, "1.0.0")
    assert (again.returncode, "a release isn't changed" in again.stderr) == (1, True)
    unnamed = run_gate(tree / "tests/gates/changelog.sh", sys.prefix, "")
    assert (unnamed.returncode, "which version?" in unnamed.stderr) == (2, True)


@pytest.mark.parametrize(
    ("version", "fragment", "status", "said"),
    [
        ("1.1", True, 2, "the version 1.1 is not MAJOR.MINOR.PATCH"),
        ("1.1.0-rc1", True, 2, "the version 1.1.0-rc1 is not MAJOR.MINOR.PATCH"),
        ("0.9.0", True, 1, "0.9.0 is older than the release 1.10.0"),
        ("1.9.0", True, 1, "1.9.0 is older than the release 1.10.0"),
        ("1.10.1", False, 1, "1.10.1 would have an empty chapter"),
    ],
)
def test_a_changelog_is_refused_before_a_file_changes(
    tree: Path, version: str, fragment: bool, status: int, said: str
) -> None:
    (tree / "tests/gates").mkdir(parents=True)
    shutil.copy(ROOT / "tests/gates/changelog.sh", tree / "tests/gates")
    (tree / "changelogs/changelog.yaml").write_text("releases:\n  1.0.0: {}\n  1.10.0: {}\n  1.2.0:\n    changes: {}\n")
    if fragment:
        unreleased_fragment(tree)
    before = (tree / "galaxy.yml").read_text()
    refused = run_gate(tree / "tests/gates/changelog.sh", sys.prefix, version)
    assert (refused.returncode, said in refused.stderr) == (status, True)
    assert (tree / "galaxy.yml").read_text() == before


def test_a_new_fragment_goes_into_the_next_version(tree: Path) -> None:
    """antsibull-changelog itself takes half a minute on a busy machine: `make release DRAFT=1` runs the real one."""
    (tree / "tests/gates").mkdir(parents=True)
    shutil.copy(ROOT / "tests/gates/changelog.sh", tree / "tests/gates")
    (tree / "changelogs/changelog.yaml").write_text("releases:\n  1.9.0: {}\n")
    unreleased_fragment(tree)
    (tree / "venv/bin").mkdir(parents=True)
    program = tree / "venv/bin/antsibull-changelog"
    program.write_text('#!/bin/sh\nversion=$(grep ^version galaxy.yml)\necho "$version, $*"\n')
    program.chmod(0o755)
    made = run_gate(tree / "tests/gates/changelog.sh", str(tree / "venv"), "1.10.0")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[:2] == ["version: 1.0.0, lint", "version: 1.10.0, release --version 1.10.0"]


@pytest.mark.parametrize(
    ("core", "pythons", "said"),
    [
        ("2.16", "3.13", "none of 2.16 runs on Python 3.13: nothing was tested"),
        ("2.21", "3.11", "none of 2.21 runs on Python 3.11: nothing was tested"),
        ("2.15", "", "ansible-core 2.15: known are 2.16"),
    ],
)
def test_a_matrix_that_tests_nothing_fails(core: str, pythons: str, said: str) -> None:
    answer = run_gate(ROOT / "tests/gates/matrix.sh", core, PYTHONS=pythons)
    assert answer.returncode == 2
    assert said in answer.stderr

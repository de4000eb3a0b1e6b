# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An execution environment has what operating clusters needs, and nothing that the simulator alone needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]


def builder(*words: str, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "ansible_builder", *words],
        capture_output=True, text=True, env={**os.environ, **environment}, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_what_the_builder_takes_from_the_collection(tmp_path: Path) -> None:
    place = tmp_path / "ansible_collections/dbfleet"
    place.mkdir(parents=True)
    (place / "cluster").symlink_to(ROOT)
    found = yaml.safe_load(builder("introspect", str(tmp_path)))
    packages = {re.split("[<>=~ ]", line)[0] for line in found["python"]}
    assert packages == {"urllib3", "cryptography", "cronsim", "prometheus_client"}
    assert found["system"] == []


def test_the_example_makes_a_build_context(tmp_path: Path) -> None:
    example = ROOT / "extensions/awx/execution-environment.yml"
    builder("create", "-f", str(example), "-c", str(tmp_path), "--output-filename", "Containerfile")
    wanted = yaml.safe_load((tmp_path / "_build/requirements.yml").read_text(encoding="utf-8"))
    assert wanted == {"collections": [{"name": "dbfleet.cluster"}]}
    steps = (tmp_path / "Containerfile").read_text(encoding="utf-8")
    for package in ("ansible-core~=2.19.0", "ansible-runner~=2.4", "python3.12"):
        assert package in steps


def test_the_simulator_has_the_rest() -> None:
    def named(path: str) -> set[str]:
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        return {re.split("[<>=]", line)[0] for line in lines if line and line[0] not in "#-"}

    assert named("requirements-simulator.txt") - named("requirements.txt") == {"werkzeug"}

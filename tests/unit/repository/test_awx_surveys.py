# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The surveys for AWX are those that the roles' argument specs make."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.dbfleet.cluster.tests.gates import awx_surveys
from ansible_collections.dbfleet.cluster.tests.gates.awx_definitions import Definitions

FILES = awx_surveys.files()


@pytest.mark.parametrize("path", sorted(FILES), ids=lambda path: path.name)
def test_a_file_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == FILES[path], f"mend it by: {awx_surveys.MEND}"


def test_no_file_is_left_over() -> None:
    assert set((Definitions().folder / "surveys").glob("*.yml")) == set(FILES)


def test_how_a_variable_is_asked() -> None:
    def asked(name: str, **option: object) -> dict[str, object]:
        row = awx_surveys.question(name, option, False, ["exa_cold_start", "exa"])
        assert "default" not in row
        return {key: row[key] for key in ("question_name", "type", "choices") if key in row}

    assert asked("exa_cold_start_again", type="bool") == {
        "question_name": "Again", "type": "multiplechoice", "choices": ["true", "false"],
    }  # fmt: skip
    assert asked("exa_cold_start_power", type="str", choices=["api", "hook"]) == {
        "question_name": "Power", "type": "multiplechoice", "choices": ["api", "hook"],
    }  # fmt: skip
    assert asked("exa_license_servers", type="list")["type"] == "textarea"
    assert asked("exa_wait_timeout", type="raw") == {"question_name": "Wait timeout", "type": "text"}
    assert asked("confirm", type="raw") == {"question_name": "Confirm by name", "type": "textarea"}


def test_a_question_says_what_holds_without_an_answer() -> None:
    row = {"type": "list", "description": ["The databases."], "default": ["all"]}
    said = awx_surveys.question("exa_x_databases", row, False, [])["question_description"]
    assert said == "The databases. Without an answer, the value of the inventory applies, otherwise all."
    told = awx_surveys.question("exa_x", {"description": "The modules' own default is 30.", "default": 30}, False, [])
    assert told["question_description"] == "The modules' own default is 30."


def test_a_question_for_no_variable_is_an_error() -> None:
    with pytest.raises(awx_surveys.Unknown, match="survey s: no role of exa_cold_start has exa_cold_start_powr"):
        awx_surveys.survey("s", ["exa_cold_start"], {"questions": ["exa_cold_start_powr"]}, Definitions())

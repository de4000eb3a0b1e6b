# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles make of their variables in `vars/main.yml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.fleet.meant import product_of
from ansible_collections.dbfleet.cluster.tests.unit.runbooks.plays import template_of

ROLES = Path(__file__).resolve().parents[3] / "roles"


def value(role: str, name: str, given: dict[str, Any]) -> str:
    rows = yaml.safe_load((ROLES / role / "vars/main.yml").read_text(encoding="utf-8"))
    texts = {key: template_of(text) if isinstance(text, str) else text for key, text in rows.items()}
    variables = {**given, **texts}
    return str(Templar(loader=DataLoader(), variables=variables).template(variables[name]))


def product(role: str, given: dict[str, Any]) -> str:
    return value(role, f"{role}_product", given)


@pytest.mark.parametrize(
    ("given", "is_a"),
    [
        ({}, "exasol"),
        ({"exa_api_url": "n10"}, "exasol"),
        ({"nuodb_api_url": ["server0"]}, "nuodb"),
        ({"nuodb_api_url": "server0"}, "nuodb"),
        ({"nuodb_profile": "prod"}, "nuodb"),
        ({"nuodb_profile": 2024}, "nuodb"),
        ({"nuodb_api_url": "", "nuodb_profile": None}, "exasol"),
        ({"nuodb_api_url": " ", "nuodb_profile": ""}, "exasol"),
        ({"nuodb_api_url": []}, "exasol"),
        ({"dbfleet_product": "nuodb"}, "nuodb"),
        ({"dbfleet_product": "exasol", "nuodb_api_url": "server0"}, "exasol"),
        ({"dbfleet_product": "", "nuodb_api_url": "server0"}, "nuodb"),
        ({"dbfleet_product": None}, "exasol"),
    ],
)
def test_the_product_of_a_host(given: dict[str, Any], is_a: str) -> None:
    """As the look at a fleet has it."""
    assert product("check", given) == is_a == product_of(given)

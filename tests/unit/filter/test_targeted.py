# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a playbook: those that were named, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible import context
from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.collections import ImmutableDict
from ansible.utils.vars import load_extra_vars
from ansible_collections.dbfleet.cluster.plugins.filter.targeted import targeted

GROUPS = {
    "all": ["exa-a", "exa-b", "nuo-a"], "ungrouped": [], "exa_clusters": ["exa-a", "exa-b"], "nuodb_domains": ["nuo-a"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def called(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says what ansible-playbook was called with."""

    def call(**given: Any) -> None:
        monkeypatch.setattr(load_extra_vars, "extra_vars", None, raising=False)
        monkeypatch.setattr(context, "CLIARGS", ImmutableDict({"extra_vars": [], **given}))

    call()
    return call


@pytest.mark.parametrize(
    "target",
    [
        "exa-a",
        "all",
        "exa_clusters",
        "exa_clusters:!exa-b",
        "exa-a,nuo-a",
        "~exa.*",
        "exa-*",
        "exa_clusters:&all",
        "localhost",
    ],
)
def test_a_pattern_that_matches_is_the_pattern(target: str) -> None:
    assert targeted(target, GROUPS) == target


@pytest.mark.parametrize("target", [["exa-a", "nuo-a"], "exa-a , nuo-a", ["exa-a", None, " nuo-a"]])
def test_lists_and_blanks(target: Any) -> None:
    assert targeted(target, GROUPS).replace(" ", "") == "exa-a,nuo-a"


@pytest.mark.parametrize("target", ["", None, "None", [], [""], "  "])
def test_no_pattern_is_not_every_host(target: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"no target is given, so nothing was done: name .* -e target="):
        targeted(target, GROUPS)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("exa-c", r"target exa-c matches no host of the inventory, so nothing was done: did you mean exa-"),
        ("exa_cluster", r"did you mean exa_clusters\?"),
        ("zzz", r"it has exa-a exa-b nuo-a"),
        ("exa_clusters:!exa-*", r"matches no host"),
        ("exa_clusters:&nuodb_domains", r"matches no host"),
        (701, r"target 701 matches no host"),
    ],
)
def test_a_pattern_that_matches_none(target: Any, says: str) -> None:
    with pytest.raises(AnsibleFilterError, match=says):
        targeted(target, GROUPS)


def test_an_inventory_that_is_empty() -> None:
    with pytest.raises(AnsibleFilterError, match="the inventory has no hosts; name it with -i"):
        targeted("all", {"all": [], "ungrouped": []})


def test_a_limit_that_leaves_none() -> None:
    assert targeted("exa_clusters", GROUPS, "exa-b") == "exa_clusters"
    with pytest.raises(AnsibleFilterError, match="--limit nuo-a excludes every host of target exa-a .exa-a."):
        targeted("exa-a", GROUPS, "nuo-a")


def test_a_slip_of_the_hand(called: Callable[..., None]) -> None:
    called(extra_vars=["tagret=exa-a", "check=true"])
    with pytest.raises(AnsibleFilterError, match="check is not a variable.*there is no variable tagret .*; nothing"):
        targeted("all", GROUPS)


@pytest.mark.parametrize("what", ["syntax", "listtasks", "listtags"])
def test_listings_need_no_hosts(called: Callable[..., None], what: str) -> None:
    called(**{what: True})
    assert targeted("", {}) == "all"
    assert targeted("exa-x", {}) == "exa-x"


@pytest.mark.parametrize("target", ["exa-a, nuo-a", "exa-a\nnuo-a\n", ["exa-a ", "nuo-a"], " exa-a ,, nuo-a"])
def test_patterns_are_a_list_as_any_other(target: Any) -> None:
    assert targeted(target, GROUPS) == "exa-a,nuo-a"

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which entries of a file say what a profile holds, in which order, and what can't be among them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.module_utils._errors import ClusterError
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import profile_parents as parents
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.profile_templates import Template

FILE = "p.yml"


def of(*names: Any) -> dict[str, Any]:
    return {"inherits": list(names)}


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ({"a": {}}, "a"),
        ({"a": {"inherits": None}}, "a"),
        ({"a": {"inherits": "b"}, "b": {"inherits": "c"}, "c": {}}, "a b c"),
        ({"a": {"inherits": "b, c"}, "b": of("d"), "c": {}, "d": {}}, "a b c d"),
        ({"a": of("b", "c"), "b": of("d"), "c": of("d"), "d": {}}, "a b c d"),  # c says more of it than d does
        ({"a": of("c", "b"), "b": of("c"), "c": {}}, "a c b"),
        ({"a": of(7), "7": {}}, "a 7"),
    ],
)
def test_the_nearest_goes_first(rows: dict[str, Any], found: str) -> None:
    assert parents.lineage("a", rows, FILE) == found.split()


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"a": of("a")}, "profile a: its chain of inherits in p.yml is a loop: a inherits a"),
        (
            {"a": of("b"), "b": of("c"), "c": of("b")},
            r"its chain of inherits in p.yml is a loop: (b inherits c, c inherits b|c inherits b, b inherits c)",
        ),
        ({"a": of("prd"), "prod": {}}, r"a: it inherits prd, but p.yml has no such profile \(did you mean prod\?\)"),
        ({"a": of("b"), "b": of("none")}, "profile a: b inherits none, but p.yml has no such profile"),
        ({"a": of("b"), "b": "text"}, "profile a: it inherits b, but p.yml has no such profile"),
        ({"a": of(Template("{{ s3cret }}"))}, "a: inherits of a in p.yml is neither a profile name nor a list"),
        ({"a": of(["b"]), "b": {}}, "a: inherits of a in p.yml is neither a profile name nor a list"),
        ({"a": of("b"), "b": {"inherits": {"c": 1}}}, "a: inherits of b in p.yml is neither a profile name nor"),
    ],
)
def test_no_parent(rows: dict[str, Any], says: str) -> None:
    with pytest.raises(ClusterError, match=f"{says}$" if "loop" in says else says) as caught:
        parents.lineage("a", rows, FILE)
    assert "s3cret" not in caught.value.message
    assert parents.told_by("a", rows, FILE) == [rows["a"]]


def test_an_option_of_the_other_product_is_named_with_who_has_it() -> None:
    rows = {"a": of("b"), "b": {"provider": "confd"}}
    parents.refuse_unknown("a", ["a", "b"], rows, parents.options_of("exa"), FILE)
    with pytest.raises(
        ClusterError, match="profile a: provider of b, which it inherits in p.yml, is not a connection option$"
    ):
        parents.refuse_unknown("a", ["a", "b"], rows, parents.options_of("nuodb"), FILE)
    with pytest.raises(
        ClusterError, match=r"profile a: ca_pat in p.yml is not a connection option \(did you mean ca_path"
    ):
        parents.refuse_unknown("a", ["a"], {"a": {"ca_pat": 1}}, parents.options_of("exa"), FILE)


def test_who_has_a_url() -> None:
    assert parents.has_url([{}, {"api_url": ["n10"]}])
    assert not parents.has_url([{"api_url": None}, {"api_url": "n10"}])
    assert not parents.has_url([{"api_url": " "}])
    assert not parents.has_url([])


def test_defaults() -> None:
    given = {"all": {"request_timeout": 20}, "exasol": {"provider": "confd"}, "nuodb": None}
    parents.refuse_defaults(given, "it")
    assert parents.defaults_of("exa", given) == [{"provider": "confd"}, {"request_timeout": 20}]
    assert parents.defaults_of("nuodb", given) == [{}, {"request_timeout": 20}]
    assert parents.defaults_of("nuodb", None) == [{}, {}]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"api_url": "n10", "api_password": "s3cret"}, "it: defaults has the unknown key api_url; it takes all,"),
        ({"api_password": "s3cret"}, "it: defaults has the unknown key api_password; it takes all"),
        ({"exsol": {}}, r"defaults has the unknown key exsol; it takes all, exasol, nuodb \(did you mean exasol\?\)"),
        ("s3cret", "it: defaults is not a dictionary of all, exasol, nuodb"),
        ({"all": ["s3cret"]}, "it: all of defaults is not a dictionary of options"),
        ({"all": {"provider": "s3cret"}}, "provider, in all of defaults, is not a connection option of both products"),
        ({"nuodb": {"provider": "s3cret"}}, "provider, in nuodb of defaults, is not a connection option of NuoDB"),
        ({"exasol": {"ca_pth": 1}}, r"ca_pth, in exasol of .* option of Exasol \(did you mean ca_path\?\)"),
        ({"exasol": {"api_url": "n10"}}, "api_url, in exasol of defaults, names one cluster, so it can't be a default"),
        ({"all": {"cluster_name": "a"}}, "cluster_name, in all of defaults, names one cluster"),
        ({"all": {"profile": "a"}}, "profile, in all of defaults, is not a connection option"),
        ({"all": {"inherits": "a"}}, "inherits, in all of defaults, is not a connection option"),
    ],
)
def test_what_is_no_default(given: Any, says: str) -> None:
    """A profile that was called so before there were defaults is refused: others would get its password."""
    with pytest.raises(ClusterError, match=says) as caught:
        parents.refuse_defaults(given, "it")
    assert "s3cret" not in f"{caught.value.message} {caught.value.hint}"

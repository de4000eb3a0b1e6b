# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two products, by the prefix of their variables: the connections of their clusters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any, Callable

from ..module_utils._exasol import connection as exasol
from ..module_utils._nuodb import connection as nuodb

ALIKE = 0.9
"""How similar a name must be to one of our variables to count as misspelt; other names are the user's own."""

PRODUCTS = {"exa": "Exasol", "nuodb": "NuoDB"}
"""The names of the products."""

HOSTS = {"exa": "an Exasol host", "nuodb": "a NuoDB host"}
"""A host of a product, as a message names it."""

DOWN = ("stopped", "restarted")
"""The states of a database that a user may want and for which it goes down."""

GROUPS = {"exa": "exa_clusters", "nuodb": "nuodb_domains"}
"""The groups that the playbooks target."""

CONNECTIONS: dict[str, dict[str, Any]] = {"exa": exasol.CONNECTION, "nuodb": nuodb.CONNECTION}
"""The connection options of a product."""

ENDPOINTS: dict[str, Callable[[list[str]], list[str]]] = {"exa": exasol.endpoints, "nuodb": nuodb.endpoints}
"""Functions that expand given URLs to all URLs of a cluster, by the product."""


def variables_of(options: Mapping[str, Any]) -> set[str]:
    """The variables of the environment from which options take their values."""
    return {name for row in options.values() for name in row.get("fallback", (None, ()))[1]}


VARIABLES = frozenset(name for options in CONNECTIONS.values() for name in variables_of(options))
"""The variables of the environment for connections of both products."""


def of_playbooks(paths: Iterable[str]) -> list[str]:
    """The products of playbooks, by the beginning of their names; all products if one name shows no product.

    :param paths: the paths of playbooks, or their names in a collection.
    """
    names = [PurePath(path).name.removesuffix(".yml").removesuffix(".yaml").rpartition(".")[2] for path in paths]
    told = [next((product for product in PRODUCTS if name.startswith(f"{product}_")), "") for name in names]
    return list(PRODUCTS) if not all(told) or not told else list(dict.fromkeys(told))


def product_of(spec: Mapping[str, Any]) -> str:
    """The prefix of the product whose connection a module uses."""
    return next(product for product, options in CONNECTIONS.items() if options.keys() <= spec.keys())


def names_of(product: str) -> tuple[str, str]:
    """The variables that name a host's cluster."""
    return f"{product}_api_url", f"{product}_profile"


def hook_connection(product: str) -> str:
    """The variable with which a hook's modules get the connection of its host."""
    return f"{product}_hook_connection"


def meant_connection(product: str, name: str) -> str:
    """``" (did you mean exa_profile?)"`` for a misspelt variable of a connection; an empty text for others."""
    known = [f"{product}_{option}" for option in CONNECTIONS[product]]
    close = [] if name in known or not name.startswith(f"{product}_") else get_close_matches(name, known, 1, ALIKE)
    return f" (did you mean {close[0]}?)" if close else ""

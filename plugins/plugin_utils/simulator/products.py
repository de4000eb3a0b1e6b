# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated products, and the interface of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Protocol

from .clock import Clock
from .cluster import Cluster
from .exasol.providers import load as load_exasol, serve as serve_exasol
from .faults import Fault
from .http import Answer, Request
from .nuodb.service import Service as NuoDB
from .nuodb.topology import load as load_nuodb

Action = Callable[[dict[str, Any]], Callable[[], Any]]
"""Takes the body of a request, acts, and returns a function that returns the new state."""


class Service(Protocol):
    """A cluster with its API, as the sockets and the admin endpoint use it."""

    @property
    def cluster(self) -> Cluster:
        """The cluster that is simulated."""

    @property
    def on_machines(self) -> dict[str, str]:
        """The kinds of faults of the cluster's machines and other parts."""

    @property
    def actions(self) -> Mapping[str, Action]:
        """The product's own POST paths of the admin endpoint, called with the cluster's lock held."""

    def answer(self, machine: str, request: Request) -> Answer:
        """The answer of a machine's listener."""

    def listens(self, machine: str) -> bool:
        """Whether that listener accepts connections."""

    def check(self, fault: Fault) -> None:
        """Raises FaultError for a fault whose answer the API could not send."""

    def about(self) -> dict[str, Any]:
        """The product's part of /about."""

    def environment(self, ready: dict[str, Any]) -> dict[str, str | None]:
        """The environment variables that point the product's clients to this cluster."""


class Product(NamedTuple):
    """`load` reads one cluster's topology. The spec has name, product, users, listeners, ports, timing, settings,
    addresses (of listeners that aren't bound with the others) and client_certificates: 'demanded', 'accepted' or ''."""

    load: Callable[[dict[str, Any]], Any]
    serve: Callable[[Any, Clock], Service]


PRODUCTS = {"exasol": Product(load_exasol, serve_exasol), "nuodb": Product(load_nuodb, NuoDB)}

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The products that are simulated, and what each must offer."""

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
"""Takes the request's body, acts, and returns what tells how things are then."""


class Service(Protocol):
    """A cluster with its API: all that the sockets and the admin endpoint know of it."""

    @property
    def cluster(self) -> Cluster: ...

    @property
    def on_machines(self) -> dict[str, str]:
        """Kinds of faults of what the cluster is made of."""

    @property
    def actions(self) -> Mapping[str, Action]:
        """The product's own POST paths of the admin endpoint, called with the cluster's lock held."""

    def answer(self, machine: str, request: Request) -> Answer:
        """What the listener of a machine answers."""

    def listens(self, machine: str) -> bool:
        """Whether that listener accepts connections."""

    def check(self, fault: Fault) -> None:
        """Raises FaultError for a fault of a call whose answer the API could not send."""

    def about(self) -> dict[str, Any]:
        """The product's part of /about."""

    def environment(self, ready: dict[str, Any]) -> dict[str, str | None]:
        """Variables that point the product's clients here."""


class Product(NamedTuple):
    """`load` reads one cluster's topology. The spec has name, product, users, listeners, ports, timing, settings,
    addresses (of listeners that aren't bound with the others) and client_certificates: 'demanded', 'accepted' or ''."""

    load: Callable[[dict[str, Any]], Any]
    serve: Callable[[Any, Clock], Service]


PRODUCTS = {"exasol": Product(load_exasol, serve_exasol), "nuodb": Product(load_nuodb, NuoDB)}

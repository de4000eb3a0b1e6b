# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two servers that can administer an Exasol cluster. A topology names one; each has its own folder."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

from ..checks import TopologyError
from ..clock import Clock
from .confd.service import Service as ConfdService
from .confd.topology import load as load_confd
from .eao.service import Service as EaoService
from .eao.topology import load as load_eao


class Provider(NamedTuple):
    load: Callable[[dict[str, Any]], Any]
    serve: Callable[[Any, Clock], Any]


PROVIDERS = {
    "exaoperation": Provider(load_eao, EaoService),
    "confd": Provider(load_confd, ConfdService),
}


def load(row: dict[str, Any]) -> Any:
    """The cluster of a topology. Raises TopologyError."""
    name = row.get("provider", "exaoperation")
    if name not in PROVIDERS:
        cluster = row.get("name") or "cluster"
        raise TopologyError(
            f"Cluster {cluster}: of product exasol only provider {' or '.join(PROVIDERS)} is simulated, not {name}."
        )
    return PROVIDERS[name].load(row)


def serve(spec: Any, clock: Clock) -> Any:
    return PROVIDERS[spec.provider].serve(spec, clock)

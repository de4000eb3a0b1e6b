# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology file: one or more clusters or domains, of any product."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from .checks import TopologyError
from .products import PRODUCTS

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C, if PyYAML has it: ten times as fast."""


def read(path: str | Path) -> list[Any]:
    """The clusters of a YAML or JSON file. Raises TopologyError."""
    try:
        data = _parsed(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise TopologyError(f"The topology {path} can't be read: {error.strerror}.") from None
    except yaml.YAMLError as error:
        raise TopologyError(f"The topology {path} is neither YAML nor JSON: {str(error).splitlines()[0]}.") from None
    return load(data)


def _parsed(text: str) -> Any:
    """The data of a YAML file. JSON is YAML too, but its own reader takes a tenth of the time."""
    with suppress(ValueError):
        return json.loads(text)
    return yaml.load(text, Loader=LOADER)  # noqa: S506 - both are safe


def load(data: Any) -> list[Any]:
    """The clusters of a topology, of a registered exa_cluster_info or nuodb_domain_info, or of a list.

    Raises TopologyError.
    """
    if isinstance(data, dict) and "clusters" in data:
        rows = data["clusters"]
    elif isinstance(data, dict) and ("cluster" in data or "domain" in data):
        rows = [data[key] for key in ("cluster", "domain") if key in data]
    else:
        rows = data if isinstance(data, list) else [data]
    if isinstance(rows, dict):
        rows = [{"name": name, **(row or {})} for name, row in rows.items()]
    if not isinstance(rows, list) or not rows:
        raise TopologyError("The topology contains no cluster.")
    specs = [_one(row) for row in rows]
    names = [spec.name for spec in specs]
    if len(set(names)) != len(names):
        raise TopologyError(f"Two clusters of the topology have the same name: {', '.join(sorted(names))}.")
    return specs


def _one(row: Any) -> Any:
    if isinstance(row, dict):
        row = row.get("domain") or row.get("cluster") or row
    if not isinstance(row, dict):
        raise TopologyError("A cluster of a topology must be a mapping.")
    # a domain has servers where a cluster has nodes
    product = row.get("product") or ("nuodb" if "servers" in row and "nodes" not in row else "exasol")
    if product not in PRODUCTS:
        name = row.get("name") or "cluster"
        raise TopologyError(f"Cluster {name}: only product {' or '.join(PRODUCTS)} is simulated, not {product}.")
    try:
        return PRODUCTS[product].load(row)
    except TopologyError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        name = row.get("name") or "cluster"
        raise TopologyError(f"Cluster {name}: a value has a form that the simulator can't read: {error}.") from None

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet as a table for people, and as JSON, CSV or OpenMetrics for programs."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ...module_utils._errors import ClusterError
from ...module_utils._foreign import shown
from .. import left_file, table as drawing
from .condition import STATES, word
from .look import Row, in_order, total

Fleet = Mapping[str, Row]

KINDS = ("nodes", "services", "servers", "databases", "archives", "processes")
"""The objects that are counted; a product has some of them."""


def heading(names: list[str]) -> str:
    return _line("STATE", "CLUSTER", "WHAT", names)


def line(name: str, row: Row, names: list[str]) -> str:
    """One cluster's row of the table.

    :param names: the names of all clusters, for the width of a column.
    """
    state = word(row)
    return _line(state, name, row["summary"].removeprefix(f"{name}: ").removeprefix(f"{state}: "), names)


def _line(state: str, name: str, what: str, names: list[str]) -> str:
    return drawing.line([state, name, what], [max(map(len, STATES)), max(map(len, [*names, "CLUSTER"]))])


def table(fleet: Fleet, _at: float) -> str:
    names = list(fleet)
    rows = [line(name, row, names) for name, row in in_order(fleet.items())]
    return "\n".join([heading(names), *rows, total(fleet.values())]) + "\n"


def as_json(fleet: Fleet, at: float) -> str:
    return json.dumps({"at": at, "clusters": dict(in_order(fleet.items()))}, indent=1, sort_keys=False) + "\n"


def as_csv(fleet: Fleet, at: float) -> str:
    """One line per cluster; a number that isn't known is empty."""
    file = io.StringIO()
    counted = [name for kind in KINDS for name in (kind, f"{kind}_up")]
    plain = ["product", "state", "version", "seconds", "api_calls", "summary", "problem"]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["cluster", *plain[:3], *counted, *plain[3:], "at"])
    for name, row in in_order(fleet.items()):
        counts = [row["counts"].get(one, "") for one in counted]
        first, last = ([shown(str(row[one])) for one in some] for some in (plain[:3], plain[3:]))
        writer.writerow([shown(name), *first, *counts, *last, at])
    return file.getvalue()


def openmetrics(fleet: Fleet, at: float) -> str:
    """The fleet as gauges, in a form that node_exporter's textfile collector also reads.

    :raises ClusterError: prometheus_client isn't there.
    """
    try:
        from prometheus_client import CollectorRegistry
        from prometheus_client.openmetrics.exposition import generate_latest
    except ImportError:
        raise ClusterError(
            "the output openmetrics needs the package prometheus_client, which the Python of ansible-playbook lacks",
            hint="pip install prometheus_client, or choose another output",
            number="DBF-7004",
        ) from None

    class Gauges:
        """A collector for a registry."""

        def collect(self) -> Iterator[Any]:
            yield from _gauges(fleet, at)

    registry = CollectorRegistry()
    registry.register(Gauges())
    return generate_latest(registry).decode()


def _gauges(fleet: Fleet, at: float) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    labels = ("cluster", "product")
    state = GaugeMetricFamily(
        "dbfleet_cluster_state", "1 for the state that it is in, else 0", labels=[*labels, "state"]
    )
    known = GaugeMetricFamily("dbfleet_cluster_info", "Always 1, with what a cluster runs", labels=[*labels, "version"])
    took = GaugeMetricFamily("dbfleet_cluster_look_seconds", "How long the look at a cluster took", labels=labels)
    counts = {
        name: GaugeMetricFamily(f"dbfleet_cluster_{name}", f"{kind.capitalize()} of a cluster{up}", labels=labels)
        for kind in KINDS
        for name, up in ((kind, ""), (f"{kind}_up", " that are up"))
    }
    for name, row in fleet.items():
        of = (name, row["product"])
        for one in STATES:
            state.add_metric([*of, one], float(row["state"] == one))
        known.add_metric([*of, shown(row["version"])], 1)
        took.add_metric(of, row["seconds"])
        for kind, count in row["counts"].items():
            counts[kind].add_metric(of, count)
    yield from (state, known, took, *(family for family in counts.values() if family.samples))
    yield GaugeMetricFamily("dbfleet_look_timestamp_seconds", "When the fleet was looked at", value=at)


FORMS: dict[str, Callable[[Fleet, float], str]] = {
    "table": table,
    "json": as_json,
    "csv": as_csv,
    "openmetrics": openmetrics,
}
"""The formats by the value of the option; each takes the fleet and the time of the look (seconds since 1970)."""


def write(path: str, text: str) -> None:
    """Writes a file that programs of other users may read.

    :raises ClusterError: the file can't be written.
    """
    path = os.path.expanduser(path)
    try:
        left_file.replace(path, text, mode=0o644)
    except OSError as error:
        raise ClusterError(
            f"{path} can't be written: {error.strerror}",
            hint="name a file in an existing folder that you can write to",
            number="DBF-7007",
        ) from None

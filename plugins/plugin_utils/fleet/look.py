# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The present state of a fleet: the module of its product reads each cluster, and a row describes it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Callable, Optional

from ...module_utils._convergence.workers import among_others
from ...module_utils._errors import ClusterError, failure
from ...module_utils._exasol import report as exasol
from ...module_utils._nuodb import report as nuodb
from ...module_utils._task import outcome, secrets_of
from ...module_utils._wording import listing
from ...modules import exa_cluster_info, nuodb_domain_info
from .. import direct, worker
from .condition import FAILING, STATES, WORDS, condition, word
from .meant import Meant
from .side_by_side import answers

MODULES = {"exa": exa_cluster_info, "nuodb": nuodb_domain_info}

NOUNS = {"exa": ("exasol", "cluster", exasol.counts), "nuodb": ("nuodb", "domain", nuodb.counts)}
"""By the prefix of a product: its name, the key of its module's result, and the function that counts objects in it."""

ASKED: dict[str, dict[str, Any]] = {
    "exa": {"gather": ["nodes", "services", "databases", "version", "volume_states"], "on_denied": "leave_out"},
    "nuodb": {"gather": ["servers", "databases", "archives", "processes"]},
}
"""The parts that are read from a cluster: as few calls as possible that show its state."""

Row = dict[str, Any]
"""The row of one cluster."""


def reader(
    one: Meant,
    completed: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]],
    timeout: float,
    more: Mapping[str, list[str]] = MappingProxyType({}),
) -> Callable[[], dict[str, Any]]:
    """A function that reads a cluster in any thread. It returns the result of the module, and raises nothing.

    :param completed: completes the options with the values that only the controller knows.
    :param timeout: the seconds that a request may take.
    :param more: further parts to read, by the prefix of a product, if the server can report them now.
    """
    if one.problem:
        return partial(failed, ClusterError(one.problem, hint="correct the variables of this host", number="DBF-7006"))
    module = MODULES[one.product]
    spec: Any = module.SPEC["argument_spec"]
    asked = {**ASKED[one.product], **one.options, "cluster_name": one.name}
    try:
        done = completed(asked, spec)
        params, problems = direct.validated(spec, done)
    except ClusterError as error:
        return partial(failed, error.of(one.name))
    if problems:
        said = secrets_of(module.SPEC, done).text("; ".join(problems))
        return partial(failed, ClusterError(f"{one.name}: {said}"))
    params["request_timeout"] = min(params["request_timeout"], timeout)
    return partial(_read, module, params, more.get(one.product, []))


def failed(error: ClusterError) -> dict[str, Any]:
    """The result of a module that failed with this error."""
    return {"failed": True, **error.as_result()}


def _read(module: Any, params: dict[str, Any], more: list[str]) -> dict[str, Any]:
    result = _result(module, {**params, "gather": [*params["gather"], *more]})
    if more and result.get("failed") and result.get("failure") not in ("unreachable", "timed_out"):
        # For example, the storage of the cluster is off.
        return _result(module, params)
    return result


def _result(module: Any, params: dict[str, Any]) -> dict[str, Any]:
    task = direct.LiveTask(params, check_mode=False, show=lambda _lines: None)
    with among_others():
        result = outcome(module.SPEC, module.run, task)
    return {**result, "warnings": secrets_of(module.SPEC, params).data(task.warnings)}


def looked(
    action: Any,
    clusters: list[Meant],
    most: int,
    timeout: float,
    more: Mapping[str, list[str]] = MappingProxyType({}),
) -> Iterator[Optional[tuple[str, Row]]]:
    """Each cluster's row as it arrives, as from `rows`; read with the options of the action's task.

    :param more: see `reader`.
    """
    with direct.in_environment(action._environment()), worker.ends_with_parent():
        # The loader and templates of ansible-core allow only one thread.
        calls = {one.name: reader(one, partial(_completed, action, one), timeout, more) for one in clusters}
        yield from rows(clusters, lambda one: calls[one.name](), most, timeout)


def _completed(action: Any, one: Meant, asked: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return action._completed(asked, spec, one.given)


def rows(
    meant: Iterable[Meant], read: Callable[[Meant], dict[str, Any]], most: int, timeout: float
) -> Iterator[Optional[tuple[str, Row]]]:
    """Each cluster's row as it arrives; None from time to time if none has arrived.

    :param read: returns the result of the module that reads a cluster; raises nothing.
    :param most: how many clusters are read at a time.
    :param timeout: the seconds for each cluster.
    """
    by_name = {one.name: one for one in meant}
    for answer in answers(by_name, lambda name: read(by_name[name]), most, timeout):
        if answer is None:
            yield None
            continue
        name, result, seconds = answer
        yield name, _row(by_name[name], result or _late(name, timeout), seconds)


def _late(name: str, timeout: float) -> dict[str, Any]:
    msg = f"{name}: it did not report its state within {timeout:g} s"
    return failure(msg, "DBF-4004", "timed_out")


def _row(one: Meant, result: dict[str, Any], seconds: float) -> Row:
    product, noun, counted = NOUNS[one.product]
    judged = condition(result, one.name, one.ignore_nodes)
    found = result.get(noun)
    return {
        "product": product,
        **judged,
        "fails": judged["state"] in FAILING[one.fail_on],
        "version": str((found or {}).get("version") or ""),
        "counts": counted(found) if found else {},
        "seconds": round(seconds, 2),
        "api_calls": int(result.get("api_calls") or 0),
        "warnings": list(result.get("warnings") or []),
        **({noun: found} if found else {}),
    }


def in_order(found: Iterable[tuple[str, Row]]) -> list[tuple[str, Row]]:
    """The rows that need attention first, then by name."""
    return sorted(found, key=lambda pair: (STATES.index(pair[1]["state"]), pair[0]))


def total(found: Iterable[Row]) -> str:
    """``"20 clusters: 2 unreachable, 1 degraded, 17 up"``."""
    count = Counter(map(word, found))
    clusters = sum(count.values())
    states = ", ".join(f"{count[state]} {state}" for state in WORDS if count[state])
    return f"{clusters} cluster{'' if clusters == 1 else 's'}: {states or 'none'}"


def warnings(found: dict[str, Row]) -> list[str]:
    """The warnings of all clusters, each once, with its clusters."""
    said: dict[str, list[str]] = defaultdict(list)
    for name, row in found.items():
        for text in row.pop("warnings"):
            said[text.removeprefix(f"{name}: ")].append(name)
    return [f"{listing(names)}: {text}" for text, names in said.items()]

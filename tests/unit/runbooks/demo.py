# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A runbook of four phases, each of which calls a module of its own."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.definition import Hook, Phase, Runbook
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.runbooks.run import Run

OPTIONS: dict[str, dict[str, Any]] = {
    "exa_demo_hooks": {"type": "dict", "default": {}},
    "exa_demo_down": {"type": "bool", "default": False},
    "exa_demo_third": {"type": "bool", "default": True},
    "exa_demo_number": {"type": "int"},
    "exa_demo_state": {"type": "str", "choices": ["on", "off"]},
    "exa_demo_names": {"type": "list", "elements": "str"},
    "exa_api_url": {"type": "list", "elements": "str"},
    "exa_api_username": {"type": "str"},
    "exa_api_password": {"type": "str", "no_log": True},
    "exa_heartbeat": {"type": "int"},
    "exa_report_path": {"type": "path"},
}
"""The variables of its role."""


def calls(key: str, module: str, *before: str) -> Callable[[Run], None]:
    """A part that calls a module.

    :param before: what it is a preview behind.
    """

    def part(run: Run) -> None:
        assume = {"assume": run.predicted(*before)} if before else {}
        run.module(key, module, f"The task {key}", **assume)

    return part


def is_seen(run: Run) -> bool:
    return bool(run.found("look").get("cluster"))


BETWEEN = Hook("between", "in the middle.", due=is_seen, late=True)

DEMO = Runbook(
    "exa_demo",
    "exa",
    (
        Phase("first", "begin", "", (calls("first", "exa_node"),)),
        Phase(
            "second", "look", "", (calls("look", "exa_cluster_info"), BETWEEN, calls("second", "exa_storage", "first"))
        ),
        Phase(
            "third",
            lambda run: f"{len(run.results)} so far",
            "",
            (calls("third", "exa_database"),),
            due=lambda run: bool(run.own("third")),
        ),
        Phase("fourth", "end", "", (calls("fourth", "exa_plugin"),)),
    ),
    takes_down=lambda run: bool(run.own("down")),
    resume=lambda run: [f"confirm={run.host}"] if run.own("down") else [],
    stats=lambda run: {"seen": is_seen(run)},
)

MODULES = {"first": "exa_node", "look": "exa_cluster_info", "second": "exa_storage", "third": "exa_database"}
MODULES["fourth"] = "exa_plugin"
"""By the key of the result, in order."""

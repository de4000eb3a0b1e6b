# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A record that failed, with all that a record may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.report import record


def state(at: float, how: str, words: str) -> dict[str, Any]:
    return {"at": at, "how": how, "words": words}


def step(name: str, seconds: float, phase: str = "nodes") -> dict[str, Any]:
    return {
        "phase": phase, "key": phase, "step": "startupNode", "object": name, "from": "offline", "to": "online",
        "seconds": seconds, "refused": False,
    }  # fmt: skip


def phase(name: str, how: str, began: Any = None, seconds: Any = None) -> dict[str, Any]:
    return {"phase": name, "state": how, "began": began, "seconds": seconds, "changed": how == "failed here"}


@pytest.fixture
def new_row() -> Callable[..., record.Row]:
    def make(**more: Any) -> record.Row:
        at = float(more.pop("at", 1795981203.651))
        row = {
            "format": record.FORMAT,
            "id": f"{record.stamp(at)}-exa_cold_start-exa-prod",
            "cluster": "exa-prod",
            "runbook": "exa_cold_start",
            "run": "ansible-local-1",
            "check": False,
            "result": record.FAILED,
            "began": record.moment(at),
            "at": at,
            "clock": 100.0,
            "ended": record.moment(at + 60),
            "seconds": 60.0,
            "usual": {"runs": 7, "seconds": 360.0, "least": 300.0, "most": 480.0, "longest": "DB2"},
            "by": {"user": "alice", "host": "ctl1", "job": ""},
            "command": "ansible-playbook dbfleet.cluster.exa_cold_start -e target=exa-prod",
            "phase": "nodes",
            "phases": [
                phase("api", "done", 0.1, 1.0),
                phase("nodes", "failed here", 1.1, 58.9),
                phase("storage", "not begun"),
            ],
            "cause": "exa-prod: nodes: not online after 58 s: n0013 is booting",
            "hint": "run it again",
            "failed_object": "n0013",
            "last_state": {"n0013": "booting"},
            "under_way": "",
            "resume": "ansible-playbook dbfleet.cluster.exa_cold_start -e target=exa-prod",
            "plan": [{"phase": "nodes", "step": "startupNode", "objects": ["n0011", "n0013"]}],
            "steps": [step("n0011", 5.3), step("n0013", 0.0)],
            "not_begun": [{"phase": "storage", "step": "startEXAStorage", "objects": ["EXAStorage"]}],
            "modules": [
                {"task": "Every node is online", "key": "nodes", "phase": "nodes", "began": 1.2, "seconds": 58.0}
            ],
            "objects": [
                {
                    "noun": "nodes",
                    "name": "n0011",
                    "states": [
                        state(1.2, "due", "offline"),
                        state(2.0, "waits", "booting"),
                        state(7.0, "there", "online"),
                    ],
                },
                {"noun": "nodes", "name": "n0012", "states": [state(1.2, "there", "online")]},
                {
                    "noun": "nodes",
                    "name": "n0013",
                    "states": [state(1.2, "due", "offline"), state(2.0, "waits", "booting")],
                },
            ],
            "marks": [
                {"at": 1.3, "noun": "nodes", "name": "n0011", "kind": "step", "why": "startupNode"},
                {"at": 4.0, "noun": "nodes", "name": "n0011", "kind": "fault", "why": "no answer within 30 s"},
                {"at": 9.0, "noun": "nodes", "name": "n0013", "kind": "retry", "why": "startupNode"},
            ],
            "warnings": ["2 clusters but only 1 forks: some clusters wait"],
        }
        return {**row, **more}

    return make

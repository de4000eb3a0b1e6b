# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a run: its table, and its entry in the play's stats."""

from __future__ import annotations

import time
from typing import Any, Optional

from ...module_utils._errors import numbered, numbers_in
from ...module_utils._wording import joined, listing
from .. import progress
from ..stats import of_hosts
from . import forecast, hooks, narration, recorder
from .all_clusters import FAILED, OK, AllClusters

NO_LOG = "_ansible_no_log"
"""The key of a result that must not be shown. ansible-core hands a failed result to a rescue with all its contents."""

KEPT = ("failure", "message_number", "failed_object", "last_state")
"""The keys that the failure at the end takes from the failure that caused it."""


def ended(entry: dict[str, Any], failed: Optional[dict[str, Any]]) -> dict[str, Any]:
    """Shows the end table of a run, and returns the result.

    :param entry: of the journal.
    :param failed: the result of the task that failed.
    """
    outcome: dict[str, Any] = {} if entry["quiet"] else _outcome(entry, failed)
    stats = of_hosts({entry["host"]: {**outcome, **entry["stats"]}})
    return {"outcome": outcome, **stats, **({"found": entry["found"]} if "found" in entry else {})}


def _outcome(entry: dict[str, Any], failed: Optional[dict[str, Any]]) -> dict[str, Any]:
    cause = first_cause(failed)
    seconds = narration.durations(entry["phases"], time.time())
    lines = narration.table(entry, seconds, failed is not None)
    # Every key is set: ansible-core merges this with the stats of an earlier play, whose cause would remain.
    outcome = {
        "runbook": entry["runbook"],
        "result": OK if failed is None else FAILED,
        "seconds": round(sum(seconds.values()), 1),
        "phases": seconds,
        "changed": entry["changed"],
        "phase": narration.last_phase(entry),
        "cause": "",
    }
    if failed is not None:
        why = str(cause.get("cause") or cause.get("msg") or cause.get("reason") or narration.unended_cause(entry))
        outcome.update(cause=why)
        lines += narration.cause_and_resume(entry, why, str(cause.get("hint") or ""))
        lines += [f"hooks: {hooks.named(entry['ends'])}"] if any(entry["ends"].values()) else []
    if entry["check"]:
        # One entry per runbook, because a play may preview several: a shutdown and the cold start after it.
        foreseen = forecast.told(entry["host"], entry["runbook"], entry.get("foreseen", {}), outcome["cause"])
        outcome["plan"] = {entry["runbook"]: foreseen}
    lines += recorder.ended(entry, outcome, cause)
    if entry.get("record"):
        outcome["report"] = recorder.page_of(entry)
    # All lines at once, so that lines of other hosts can't come between; and each shown line costs milliseconds.
    progress.show(narration.of_host(entry["host"], lines), entry["progress"])
    AllClusters(entry["runbook"], entry["play"]).end({"host": entry["host"], **outcome})
    return outcome


def sentence(failed: dict[str, Any]) -> str:
    """The text of a failure that has no end table."""
    return str(joined([str(failed["msg"]), failed.get("hint")]))


def first_cause(failed: Optional[dict[str, Any]]) -> dict[str, Any]:
    """The failed item of a loop, whose own result gives no cause. Any other result is returned as it is."""
    rows = (failed or {}).get("results")
    items = [item for item in (rows if isinstance(rows, list) else []) if isinstance(item, dict) and item.get("failed")]
    return items[0] if items else (failed or {})


def cause_in_task(host: str, failed: dict[str, Any], task: str, of: str) -> dict[str, Any]:
    """Why a task of the user failed. The module of the task knows neither the cluster nor the item of a loop.

    :param failed: the result of the task.
    :param task: its name.
    :param of: the hook or role that contains the task.
    """
    first = first_cause(failed)
    said = _reason(first)
    if failed.get(NO_LOG) or first.get(NO_LOG):
        first, said = {"failed": True}, "no_log hides why it failed"
    elif first is not failed:
        rows = [row for row in failed["results"] if isinstance(row, dict) and row.get("failed")]
        said = listing([f"{_about(row)}: {_reason(row)}" for row in rows], between="; ")
    cause = numbered(f"{host}: task {task} of {of}: {said.removeprefix(host + ': ')}", "DBF-9003")
    return {**first, "cause": cause, "message_number": numbers_in(cause)}


def _reason(failed: dict[str, Any]) -> str:
    words = (str(failed.get(name) or "") for name in ("cause", "msg", "reason"))
    # Some modules write None as a text if they got no answer.
    return next((" ".join(word.split()) for word in words if word not in ("", "None")), "it failed and gave no reason")


def _about(item: dict[str, Any]) -> str:
    """The label of an item of a loop, as Ansible shows it."""
    label = item.get("_ansible_item_label", item.get(str(item.get("ansible_loop_var", "item"))))
    return str(label if isinstance(label, (str, int)) else "an item")

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A saved plan: check mode writes the steps that it predicts, and a run with this file takes exactly these, or none.

docs/plans.md describes the file and the refusals.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from ...module_utils._errors import failure
from ...module_utils._secrets import Scrubber
from ...module_utils._values import is_nothing
from ...module_utils._wording import listing
from .. import progress
from ..left_file import name_for, text_of
from ..products import CONNECTIONS, PRODUCTS
from ..report import record
from . import forecast, plan_comparison, plan_facts, recorder, resume
from .definition import Hook
from .once import once
from .run import Stopped
from .variables import templated

if TYPE_CHECKING:
    from .run import Run

VARIABLE = "plan_file"
"""The variable that names the file or the folder, without the prefix of the product."""

FORMAT = 1

WHAT = "What --check foresaw of a run of dbfleet.cluster. A run that is given this file does these steps, or none."

MOST = 100
"""The number of changes of the cluster that are shown."""

SHAPELESS = ("report_path", "state_path", VARIABLE, "heartbeat", "wait_stable", "log_service", "lease")
"""Variables of a product that have no influence on the steps."""

OF_RESUME = ("unreachable", "unfinished", "restart_plugins")
"""Variables of a runbook that the command of the line C(resume) adds. Their effect shows in the steps."""

Plan = dict[str, Any]


def path_of(run: Run) -> Optional[Path]:
    """The path of the plan of this run; None if the user has set no plan file."""
    return None if run.book.quiet else _path(run.shared(VARIABLE), run.host, run.book.name)


def _path(given: Any, host: str, runbook: str) -> Optional[Path]:
    if is_nothing(given):
        return None
    path = os.path.abspath(os.path.expanduser(str(given)))
    if str(given).endswith(os.sep) or os.path.isdir(path):
        return Path(path) / f"{name_for(host)}-{runbook}.json"
    return Path(path)


def problems(run: Run) -> list[str]:
    """The reasons to refuse the file that are known before the cluster is read, in sentences."""
    path = path_of(run)
    if path is None:
        return _for_other_product(run)
    all_paths = once("plan files", [run.play_id, run.book.name, *run.hosts], lambda: _paths(run))
    hosts = [host for host in run.hosts if host == run.host or all_paths.get(host) == str(path)]
    if len(hosts) > 1:
        variable = f"{run.book.product}_{VARIABLE}"
        return [
            f"{run.host}: {variable} names one file, {path}, for {listing(hosts)}: end it with / to make it a folder "
            "with a plan per cluster"
        ]
    if run.check:
        return []
    try:
        _mark(path, read(path))
    except ValueError as error:
        return [f"{run.host}: {error}; nothing was changed"]
    return []


def _for_other_product(run: Run) -> list[str]:
    """A sentence if the command line names a plan by the variable of the other product: nothing would be held to it."""
    given = run.variable_manager.extra_vars
    names = [f"{one}_{VARIABLE}" for one in PRODUCTS if one != run.book.product]
    wrong = [name for name in names if not (run.book.quiet or is_nothing(given.get(name)))]
    return [
        f"{run.host}: {run.book.name} doesn't read {name}, so the run would have no plan: give {run.book.product}_"
        f"{VARIABLE}, or leave {name} out"
        for name in wrong
    ]


def _paths(run: Run) -> dict[str, str]:
    """The plan file of each host of the run. If two hosts name the same file, both are refused."""
    variable = f"{run.book.product}_{VARIABLE}"
    found = {}
    for host in run.hosts:
        given, templar = run.variables_of(host)
        values, _wrong = templated(templar, given, [variable])
        found[host] = str(_path(values.get(variable), host, run.book.name))
    return found


# -- the file


def read(path: Path) -> Plan:
    """:raises ValueError: it isn't a plan as it was written, in a sentence."""
    try:
        plan = json.loads(text_of(path))
    except FileNotFoundError:
        raise ValueError(f"there is no plan {path}: make it with the same command and --check") from None
    except OSError as error:
        raise ValueError(f"the plan {path} can't be read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not a plan: line {error.lineno}, column {error.colno} is not valid JSON") from None
    except (ValueError, RecursionError):  # a number or a nesting that no plan has
        raise ValueError(f"{path} is not a plan: no runbook writes such JSON") from None
    if not isinstance(plan, dict) or "format" not in plan or "sha256" not in plan:
        raise ValueError(f"{path} is not a plan: no runbook wrote it with --check")
    if plan["format"] != FORMAT:
        given = str(plan["format"])[:20]
        raise ValueError(f"the plan {path} has format {given}, and this version reads format {FORMAT}")
    if not (_is_whole(plan) and plan["sha256"] == digest(plan)):
        raise ValueError(f"the plan {path} was edited after it was made: make a new one with --check")
    return plan


TEXTS = ("collection", "runbook", "cluster", "made")
LISTS = ("identity", "phases", "refusals", "unknown", "partly")
OBSERVED = ("object", "is", "kind", "of")


def _is_whole(plan: Plan) -> bool:
    """Whether the plan has all parts, of the right types. Whoever edits a plan can also compute a new hash."""
    return (
        all(isinstance(plan.get(name), str) for name in TEXTS)
        and all(_has_texts(plan.get(name)) for name in LISTS)
        and isinstance(plan.get("options"), dict)
        and _are_rows(plan.get("observed"), OBSERVED)
        and _are_rows(plan.get("steps"), ("phase", "step"))
        and all(_has_texts(step.get("objects")) for step in plan["steps"])
        and _are_rows([plan.get("by")], ("user",))
        and isinstance(plan.get("hooks"), dict)
        and all(_are_rows(files, ("path", "sha256")) for files in plan["hooks"].values())
    )


def _has_texts(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)


def _are_rows(found: Any, names: Iterable[str]) -> bool:
    """Whether these are mappings with these texts."""
    return isinstance(found, list) and all(
        isinstance(row, dict) and all(isinstance(row.get(name), str) for name in names) for row in found
    )


def digest(plan: Mapping[str, Any]) -> str:
    """The hash of a whole plan."""
    said = {name: value for name, value in plan.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def made(run: Run, cause: str) -> Plan:
    """The plan from the results of a preview.

    :param cause: why the preview failed; empty if it succeeded.
    """
    seen, look = forecast.of(run.results), run.found(plan_facts.KEY)
    names = [] if not run.book.only_named else _named(run.own("databases"))
    scrub = Scrubber(run.secrets())
    plan = {
        "what": WHAT,
        "format": FORMAT,
        "collection": version(),
        "runbook": run.book.name,
        "cluster": run.host,
        "identity": plan_facts.identity(look),
        "made": record.moment(time.time()),
        "by": recorder.started_by(run.task_vars),
        "command": resume.typed(run.task_vars, scrub.text),
        "phases": run.selected,
        "options": options(run),
        "hooks": {name: [_hashed(path) for path in paths] for name, paths in run.files.items() if paths},
        "observed": plan_facts.of(look, names),
        "steps": [{key: step[key] for key in ("phase", "step", "objects")} for step in seen["steps"]],
        "refusals": list(seen["refusals"]) or ([cause] if cause and not seen["unknown"] else []),
        "unknown": list(dict.fromkeys(seen["unknown"])),
        "partly": [row["partly"] for row in run.results.values() if row.get("partly")],
    }
    plain = json.loads(json.dumps(scrub.data(plan), default=str))
    return {**plain, "sha256": digest(plain)}


def _named(databases: Any) -> list[str]:
    """The names of the databases; an empty list stands for all."""
    names = [str(one.get("name") if isinstance(one, dict) else one) for one in databases or []]
    return [] if "all" in names else names


def options(run: Run) -> dict[str, Any]:
    """The variables that decide the steps: without connections, time-outs and secrets."""
    prefix, own = f"{run.book.product}_", f"{run.book.name}_"
    apart = {f"{prefix}{name}" for name in (*CONNECTIONS[run.book.product], "profile", "profiles_path", *SHAPELESS)}
    apart |= {f"{own}{name}" for name in (*OF_RESUME, "hooks")}
    return {
        name: run.values.get(name)
        for name, row in sorted(run.options.items())
        if name.startswith(prefix)
        and name not in apart
        and not name.endswith("_timeout")
        and not row.get("no_log")
        and run.values.get(name) is not None
    }


def _hashed(path: str) -> dict[str, str]:
    return {"path": path, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest()}


@lru_cache(maxsize=1)
def version() -> str:
    """The version of this collection: its archive has a manifest, a clone has galaxy.yml."""
    root = Path(__file__).resolve().parents[3]
    manifest = root / "MANIFEST.json"
    if manifest.is_file():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    lines = (root / "galaxy.yml").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("version:")), "unknown")


# -- check mode


def keep(run: Run, cause: str) -> Optional[dict[str, Any]]:
    """Writes the plan of a preview. An earlier plan that can be run is not replaced: somebody may have approved it.

    :param cause: why the preview failed; empty if it succeeded.
    :returns: the failure if the file is not the plan of this preview, with the number that a run would give it.
    """
    path = path_of(run)
    if path is None or plan_facts.KEY not in run.results:
        return None
    new = made(run, cause)
    if os.path.exists(path):
        try:
            old = read(path)
            begun = _mark(path, old)
        except ValueError as error:
            says = f"{run.host}: {error}; it was left as it is: remove it, or name another file"
            return failure(says, "DBF-7018")
        if _is_runnable(old):
            return _beside(run, path, old, new, begun)
    try:
        record.replace(path, f"{json.dumps(new, indent=1, ensure_ascii=False)}\n")
    except OSError as error:
        return failure(f"{run.host}: the plan {path} can't be written: {error.strerror}", "DBF-7018")
    run.say(f"plan: {path}: {_count(new)}{_unfit(new)}")
    return None


def _beside(run: Run, path: Path, old: Plan, new: Plan, begun: Mapping[str, Any]) -> Optional[dict[str, Any]]:
    """Compares an existing plan with a new preview. Returns the failure if the plan can't be used any more."""
    title = f"{run.host}: {_titled(path, old)}"
    left = "it was left as it is: remove it, or name another file for a new plan"
    if begun.get("ended"):
        return failure(f"{title} was carried out, ended {begun['ended']}; {left}", "DBF-6821")
    wrong, moved = plan_comparison.other(old, new), plan_comparison.moved(old, new, bool(begun))
    if not wrong and not moved:
        run.say(f"plan: {_named_by(path, old)} still holds: {_count(old)}")
        return None
    _show(run, path, old, [*wrong, *moved])
    if wrong:
        return failure(f"{title} is not for this run: {'; '.join(wrong)}; {left}", "DBF-7018")
    return failure(f"{title} is stale, the cluster has moved since: {listing(moved, between='; ')}; {left}", "DBF-6820")


def _count(plan: Plan) -> str:
    count = len(plan_comparison.pairs(plan))
    return f"{count} step{'' if count == 1 else 's'}"


def _unfit(plan: Plan) -> str:
    why = [*plan["refusals"], *plan["unknown"], *plan["partly"]]
    return f"; it can't be run: {'; '.join(why)}" if why else ""


def _is_runnable(plan: Plan) -> bool:
    return not (plan["refusals"] or plan["unknown"] or plan["partly"])


def _titled(path: Path, plan: Plan) -> str:
    return f"the plan {_named_by(path, plan)}"


def _named_by(path: Path, plan: Plan) -> str:
    return f"{path} of {plan['made']} by {plan['by']['user']}"


def _show(run: Run, path: Path, plan: Plan, lines: list[str]) -> None:
    since = [f"  {line}" for line in lines[:MOST]]
    since += [f"  and {len(lines) - MOST} more"] if len(lines) > MOST else []
    told = [f"{_titled(path, plan)} was:", *plan_comparison.lines_of(plan), "since then:", *since]
    run.show([f"[{run.host}] {line}" for line in told])


# -- a run with a plan


def held_to(run: Run) -> dict[str, Any]:
    """Compares the plan with a preview of the whole run, before the first change.

    :returns: the approved C(steps), as the option C(approved) of the modules takes them, and the data of the plan.
    :raises Stopped: the plan is refused.
    """
    path, plan, begun = _given(run)
    ahead, cause = _look_ahead(run)
    now, title = made(ahead, cause), _titled(path, plan)
    again = "remove this file or name another one, make a new plan with --check, and have it approved"
    wrong = plan_comparison.other(plan, now)
    if wrong:
        says = "; ".join(wrong)
        _refuse(failure(f"{run.host}: {title} is not for this run: {says}; nothing was changed", "DBF-7018"), again)
    if not _is_runnable(plan):
        says = _unfit(plan).partition(" run")[2]
        _refuse(failure(f"{run.host}: {title} can't be run{says}; nothing was changed", "DBF-7018"), again)
    if begun.get("ended"):
        says = f"ended {begun['ended']}"
        _refuse(failure(f"{run.host}: {title} was carried out already, {says}; nothing was changed", "DBF-6821"), again)
    lines = plan_comparison.moved(plan, now, bool(begun))
    if lines and cause and now["unknown"] and not now["observed"]:
        # The runbook's own sentence tells how to end a run whose last step has taken the API away.
        why = cause if begun else "; ".join(now["unknown"])
        says = f"nothing was changed, because {title} can't be compared with a cluster that doesn't answer"
        why = why.removeprefix(f"{run.host}: ")
        _refuse(failure(f"{run.host}: {says}: {why}", "DBF-1001"), "run the same command again when it answers")
    if lines and not (begun and _is_over(ahead, now)):
        _show(run, path, plan, lines)
        says = listing(lines, between="; ")
        whose = f"{run.host}: {title}"
        _refuse(
            failure(f"{whose} is stale, the cluster has moved since: {says}; nothing was changed", "DBF-6820"), again
        )
    count = f"{_count(now)} left of {_count(plan)}" if begun else _count(plan)
    run.say(f"plan: {_named_by(path, plan)} holds: {count}; no other step is taken")
    if not begun and plan["steps"]:
        _begin(run, path, plan)
    steps: dict[str, list[str]] = {}
    for step, name in plan_comparison.pairs(plan):
        steps.setdefault(step, []).append(name)
    return {"steps": steps, "path": str(path), "sha256": plan["sha256"], "made": plan["made"], "by": plan["by"]["user"]}


def _given(run: Run) -> tuple[Path, Plan, dict[str, Any]]:
    """The path, the plan and its mark."""
    path = path_of(run)
    try:
        if path is None:
            raise ValueError(f"{run.book.product}_{VARIABLE} has no value any more")
        plan = read(path)
        return path, plan, _mark(path, plan)
    except ValueError as error:
        raise Stopped(failure(f"{run.host}: {error}; nothing was changed", "DBF-7018", "refused")) from None


def _refuse(refusal: dict[str, Any], hint: str) -> None:
    """:raises Stopped: always."""
    raise Stopped({**refusal, "failure": "refused", "hint": hint})


def _is_over(ahead: Run, now: Plan) -> bool:
    """Whether a plan that was begun has already shut down the API, as the user declares: no step is left."""
    return ahead.own("unreachable") == "down" and not now["steps"] and not now["refusals"] and bool(now["unknown"])


def _look_ahead(run: Run) -> tuple[Run, str]:
    """Runs a preview without output and without hooks. Returns it with the cause of its failure."""
    ahead = copy(run)
    ahead.check, ahead.changed = True, False
    ahead.results, ahead.phases, ahead.warnings, ahead.diffs, ahead.spans = {}, [], [], [], []
    ahead.task_vars = {**run.task_vars, progress.VARIABLE: progress.OFF}
    ahead.show = lambda _lines: None
    try:
        plan_facts.observe(ahead)
        for phase in run.book.phases:
            if phase.name not in run.selected:
                continue
            ahead.phases.append({"phase": phase.name, "began": time.time()})
            for part in phase.parts:
                if not isinstance(part, Hook) and phase.due(ahead):
                    part(ahead)
    except Stopped as stopped:
        return ahead, str(stopped.result.get("msg") or "a module failed")
    return ahead, ""


# -- what became of a plan


def _beside_it(path: Path) -> Path:
    """The path of the mark of a plan. Every link to the plan has the same mark."""
    real = Path(os.path.realpath(path))
    return real.with_name(f"{real.name}.run")


def _mark(path: Path, plan: Plan) -> dict[str, Any]:
    """When a run began and finished carrying out this plan; empty if no run began.

    :raises ValueError: the mark exists but can't be read; the text is a sentence.
    """
    mark = _beside_it(path)
    try:
        found = json.loads(text_of(mark))
        why = "" if isinstance(found, dict) and isinstance(found.get("sha256"), str) else "no run has written it"
    except FileNotFoundError:
        return {}
    except OSError as error:
        why = str(error.strerror)
    except (ValueError, RecursionError):
        why = "it is not valid JSON"
    if why:
        raise ValueError(f"{mark} can't be read ({why}), so nobody knows whether a run has carried out {path}")
    return found if found["sha256"] == plan["sha256"] else {}


def _put_mark(path: Path, row: Mapping[str, Any]) -> None:
    record.replace(_beside_it(path), f"{json.dumps(row, indent=1)}\n")


def _begin(run: Run, path: Path, plan: Plan) -> None:
    row = {"sha256": plan["sha256"], "began": record.moment(time.time()), "by": recorder.started_by(run.task_vars)}
    try:
        _put_mark(path, {**row, "ended": None})
    except OSError as error:
        run.fail(
            f"{run.host}: {_beside_it(path)} can't be written ({error.strerror}), so a killed run could not go on "
            "with this plan; nothing was changed",
            "DBF-7007",
        )


def end(run: Run) -> None:
    """Notes that the plan was carried out and can't be used again."""
    if run.held is None:
        return
    path = Path(run.held["path"])
    try:
        if run.held["steps"]:
            mark = {"sha256": run.held["sha256"], **_mark(path, run.held)}
            _put_mark(path, {**mark, "ended": record.moment(time.time())})
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        run.warnings.append(
            f"{_beside_it(path)} can't be written ({why}): remove {path}, because this plan was carried out"
        )

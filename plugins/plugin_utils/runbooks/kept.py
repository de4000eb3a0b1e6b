# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a cluster before a graceful shutdown took it down: a file that informs people, and decides nothing."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from ...module_utils._secrets import Scrubber
from ...module_utils._values import is_nothing
from .. import left_file

if TYPE_CHECKING:
    from .run import Run

NAMES = {"exa": "exasol", "nuodb": "nuodb"}
"""The name of the product in a look."""

VARIABLE = "state_path"
"""The variable of the product that names the folder."""


def keep(run: Run, seen: dict[str, Any]) -> None:
    """Saves a look, if anything of the cluster is up.

    :param seen: the cluster or the domain, as its module returns it.
    :raises Stopped: the folder that the user named can't be written to. Nothing was changed yet.
    """
    if run.check or not _is_anything_up(run.book.product, seen):
        return
    at = time.time()
    row = {"runbook": run.book.name, "host": run.host, "at": round(at, 3), "seen": seen}
    name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(at))}.{int(at % 1 * 1e6):06d}Z-{os.getpid()}.json"
    folder = _folder(run)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        left_file.replace(folder / name, json.dumps(Scrubber(run.secrets()).data(row), indent=1))
    except OSError as error:
        variable = f"{run.book.product}_{VARIABLE}"
        says = f"{run.host}: the state of the cluster can't be saved in {folder}: {error.strerror}"
        if is_nothing(run.shared(VARIABLE)):
            run.warnings.append(f"{says} (set {variable} to a folder that you can write to)")
        else:
            run.fail(f"{says}; nothing was changed: correct {variable}, or leave it out", "DBF-7007")


def compare(run: Run, now: dict[str, Any]) -> None:
    """Shows what was up before the last shutdown and is not up now.

    :param now: the cluster or the domain at the end of a cold start.
    """
    found = None if run.check else _newest(run)
    if found is None:
        return
    path, row = found
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["at"]))
    lost = _report(run.book.product).lost(row["seen"], now)
    if lost:
        run.say(f"up before the shutdown of {when}, not up now: {'; '.join(lost)} ({path} lists everything)")
    else:
        run.say(f"everything that was up before the shutdown of {when} is up again ({path})")


def _report(product: str) -> Any:
    """The module that counts the objects of a cluster and compares two looks. A run loads only its own product's."""
    if product == "exa":
        from ...module_utils._exasol import report as exasol

        return exasol
    from ...module_utils._nuodb import report as nuodb

    return nuodb


def _folder(run: Run) -> Path:
    given = run.shared(VARIABLE)
    base = left_file.state_folder() if is_nothing(given) else os.path.expanduser(str(given))
    return Path(base) / left_file.name_for(run.host)


def _newest(run: Run) -> Optional[tuple[Path, dict[str, Any]]]:
    """The last look with a database that was up, because a resumed shutdown sees less; without one, the last look."""
    last = None
    for path in _files(_folder(run)):
        row = _read(path, run.book.product)
        if row is None:
            continue
        if _report(run.book.product).counts(row["seen"]).get("databases_up"):
            return path, row
        last = last or (path, row)
    return last


def _files(folder: Path) -> list[Path]:
    try:
        return sorted((path for path in folder.iterdir() if path.suffix == ".json"), reverse=True)
    except OSError:
        return []


def _read(path: Path, product: str) -> Optional[dict[str, Any]]:
    """A file as `keep` writes it, of this product; None for any other file, so that no later code fails on it."""
    with suppress(OSError, ValueError, TypeError, AttributeError, KeyError, OverflowError):
        row = json.loads(path.read_text(encoding="utf-8"))
        at, seen = float(row["at"]), row["seen"]
        time.localtime(at)
        if seen["product"] == NAMES[product]:
            _report(product).counts(seen)
            _report(product).lost(seen, seen)
            return {**row, "at": at}
    return None


def _is_anything_up(product: str, seen: dict[str, Any]) -> bool:
    return any(count for name, count in _report(product).counts(seen).items() if name.endswith("_up"))

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command that goes on with a run, as its user would type it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator
from typing import Any, Callable

from ansible import constants, context
from ansible.parsing.splitter import parse_kv

from ...module_utils._secrets import SECRETIVE
from ..direct import plain

OURS = "dbfleet.cluster."

FLAGS = {"check": "--check", "diff": "--diff", "ask_vault_pass": "--ask-vault-pass"}
"""Arguments without a value, by what ansible-core calls them."""


def command(
    runbook: str, host: str, settings: Collection[str], slips: Collection[str] = (), scrub: Callable[[str], str] = str
) -> str:
    """The command that goes on from here.

    :param settings: variables (C(name=value)) that it needs besides the target.
    :param slips: names of extra variables that were refused.
    :param scrub: takes secrets out of a word. A shell's quotes within one would hide it.
    """
    words = ["ansible-playbook"]
    for path in filter(None, context.CLIARGS.get("inventory") or []):
        words += ["-i", path if path.endswith(",") else os.path.relpath(path)]
    playbooks = list(map(str, context.CLIARGS.get("args") or []))
    theirs = bool(playbooks) and not any(name.startswith(OURS) for name in playbooks)
    words += playbooks if theirs else [f"{OURS}{runbook}"]
    words += ["--limit", host] if theirs else []
    words += _arguments()
    variables = [*_own_variables(settings, slips), f"target={host}", *settings]
    for setting in variables:
        words += ["-e", setting]
    return " ".join(shlex.quote(scrub(word)) for word in words)


def _arguments() -> Iterator[str]:
    """What was said besides the variables, and holds for the next run as well."""
    given: Any = context.CLIARGS
    for name, argument in FLAGS.items():
        if given.get(name):
            yield argument
    tags, skipped = list(given.get("tags") or []), list(given.get("skip_tags") or [])
    if tags and tags != ["all"]:
        yield from ("--tags", ",".join(map(str, tags)))
    if skipped:
        yield from ("--skip-tags", ",".join(map(str, skipped)))
    if given.get("start_at_task"):
        yield from ("--start-at-task", str(given["start_at_task"]))
    if given.get("forks") and int(given["forks"]) != int(constants.DEFAULT_FORKS):
        yield from ("--forks", str(given["forks"]))
    for name in given.get("vault_ids") or []:
        yield from ("--vault-id", str(name))
    for path in given.get("vault_password_files") or []:
        yield from ("--vault-password-file", os.path.relpath(path))


def _own_variables(settings: Collection[str], slips: Collection[str]) -> list[str]:
    """The user's own `-e`, which the next run needs as well; not what must be said anew, and no credentials."""
    kept: list[str] = []
    anew = {"target", "confirm", *slips, *(setting.partition("=")[0] for setting in settings)}
    for given in map(plain, context.CLIARGS.get("extra_vars") or []):
        if given.startswith(("@", "{", "[")):
            kept += [] if SECRETIVE.search(given) and not given.startswith("@") else [given]
            continue
        pairs = parse_kv(given).items()
        kept += [f"{name}={value}" for name, value in pairs if name not in anew and not SECRETIVE.search(name)]
    return kept

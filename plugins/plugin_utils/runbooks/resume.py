# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to resume a run: the command as its user would type it, or AWX or ansible-rulebook if they started the run."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Callable

from ansible import constants, context
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.splitter import parse_kv

from ...module_utils._secrets import SECRETIVE
from ..direct import plain

OURS = "dbfleet.cluster."

FLAGS = {"check": "--check", "diff": "--diff", "ask_vault_pass": "--ask-vault-pass"}
"""Arguments without a value, by the name that ansible-core gives them."""

AWX = ("awx", "tower")
"""Beginnings of the variables that AWX adds to each job."""

RULEBOOK = "ansible_eda"
"""The variable with which ansible-rulebook passes its event on."""

INVENTORY = "INVENTORY"
"""Stands for the inventory of ansible-rulebook: the run sees a copy, which is removed with the run."""


def how(
    variables: Mapping[str, Any],
    runbook: str,
    host: str,
    settings: Collection[str],
    slips: Collection[str] = (),
    scrub: Callable[[str], str] = str,
) -> str:
    """How to resume the run. The files of a job in AWX, or of an action of ansible-rulebook, are removed with the run.

    :param variables: the variables of the host.
    """
    job = next((one for one in AWX if variables.get(f"{one}_job_id")), None)
    if job:
        name, number = (str(plain(variables.get(f"{job}_{key}") or "")) for key in ("job_template_name", "job_id"))
        template = f"template {name}" if name else "its template"
        given = " ".join(shlex.quote(scrub(word)) for word in (f"target={host}", *settings))
        anew = f"launch {template} with {given}"
        lacking = sorted(_unlike(settings, variables))
        if lacking:
            return f"in AWX, {anew} (a relaunch of job {number} would lack {' '.join(lacking)})"
        return f"in AWX, relaunch job {number} on failed hosts, or {anew}"
    typed = command(runbook, host, settings, slips, scrub, RULEBOOK in variables)
    if RULEBOOK in variables:
        return f"ansible-rulebook starts it at the next event; to start it by hand, use its {INVENTORY}: {typed}"
    return typed


def typed(variables: Mapping[str, Any], scrub: Callable[[str], str] = str) -> str:
    """The command or the template that started this run, without secrets.

    :param variables: the variables of the host.
    """
    job = next((one for one in AWX if variables.get(f"{one}_job_id")), None)
    if job:
        return f"template {plain(variables.get(f'{job}_job_template_name') or '')} in AWX"
    given: Any = context.CLIARGS
    words = ["ansible-playbook"]
    for path in filter(None, given.get("inventory") or []):
        words += ["-i", str(path)]
    words += [*map(str, given.get("args") or []), *_arguments()]
    words += ["--limit", str(given["subset"])] if given.get("subset") else []
    for setting in _own_variables((), (), copied=False, anew=()):
        words += ["-e", setting]
    return " ".join(shlex.quote(scrub(word)) for word in words)


def _unlike(settings: Collection[str], variables: Mapping[str, Any]) -> Iterator[str]:
    """The settings that a run with the same variables would lack."""
    for setting in settings:
        name, _is, value = setting.partition("=")
        wanted = json.loads(setting) if setting.startswith("{") else {name: value}
        for key, one in wanted.items():
            known = plain(variables.get(key))
            # A confirmation may name more hosts than this one. It is empty if nobody has confirmed.
            if not known if key == "confirm" else str(known) != str(one):
                yield key


def command(
    runbook: str,
    host: str,
    settings: Collection[str],
    slips: Collection[str] = (),
    scrub: Callable[[str], str] = str,
    copied: bool = False,
) -> str:
    """The command that resumes the run.

    :param settings: variables (C(name=value)) that the command needs besides the target.
    :param slips: names of extra variables that were refused.
    :param scrub: removes secrets from a word, before the shell's quotes could hide them.
    :param copied: whether the files of this run are copies that are removed with it.
    """
    words = ["ansible-playbook"]
    inventories = list(context.CLIARGS.get("inventory") or [])
    # Without -i, the list has the inventory of the configuration, which the next run finds by itself.
    for path in filter(None, inventories if inventories != list(constants.DEFAULT_HOST_LIST) else []):
        words += ["-i", INVENTORY if copied else path if path.endswith(",") else os.path.relpath(path)]
    playbooks = list(map(str, context.CLIARGS.get("args") or []))
    playbooks = [os.path.basename(path) for path in playbooks] if copied else playbooks
    theirs = bool(playbooks) and not any(name.startswith(OURS) for name in playbooks)
    words += playbooks if theirs else [f"{OURS}{runbook}"]
    words += ["--limit", host] if theirs else []
    words += _arguments()
    variables = [*_own_variables(settings, slips, copied), f"target={host}", *settings]
    for setting in variables:
        words += ["-e", setting]
    return " ".join(shlex.quote(scrub(word)) for word in words)


def _arguments() -> Iterator[str]:
    """The arguments besides the variables that the next run needs as well."""
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
    if given.get("connection") and given["connection"] != constants.DEFAULT_TRANSPORT:
        yield from ("--connection", str(given["connection"]))
    if given.get("forks") and int(given["forks"]) != int(constants.DEFAULT_FORKS):
        yield from ("--forks", str(given["forks"]))
    for name in given.get("vault_ids") or []:
        yield from ("--vault-id", str(name))
    for path in given.get("vault_password_files") or []:
        yield from ("--vault-password-file", os.path.relpath(path))


def _own_variables(
    settings: Collection[str], slips: Collection[str], copied: bool, anew: Collection[str] = ("target", "confirm")
) -> list[str]:
    """The user's own `-e` that the next run needs as well, without credentials and variables to be given anew."""
    kept: list[str] = []
    anew = {*anew, *slips, *(setting.partition("=")[0] for setting in settings)}
    for given in map(plain, context.CLIARGS.get("extra_vars") or []):
        if copied and given.startswith("@"):
            held = _held_by(given[1:]).items()
            kept += [_said(name, value) for name, value in held if name not in anew and not SECRETIVE.search(name)]
            continue
        if given.startswith(("@", "{", "[")):
            kept += [] if SECRETIVE.search(given) and not given.startswith("@") else [given]
            continue
        pairs = parse_kv(given).items()
        kept += [f"{name}={value}" for name, value in pairs if name not in anew and not SECRETIVE.search(name)]
    return kept


def _held_by(path: str) -> dict[str, Any]:
    """The variables of a file that is removed with the run, without the event."""
    try:
        found = plain(DataLoader().load_from_file(path))
    except AnsibleError:
        return {}
    return {name: value for name, value in (found or {}).items() if name != RULEBOOK and not _hides(value)}


def _hides(value: Any) -> bool:
    return not isinstance(value, (str, int, float)) and bool(SECRETIVE.search(json.dumps(value, default=str)))


def _said(name: str, value: Any) -> str:
    """A variable as an argument of `-e`. A value that is not a text keeps its type."""
    return f"{name}={value}" if isinstance(value, str) else json.dumps({name: value}, default=str)

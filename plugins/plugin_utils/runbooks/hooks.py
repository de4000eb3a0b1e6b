# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user's task files: a run parses them before it does anything, and runs them between the parts of a runbook."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any

from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.block import Block
from ansible.playbook.helpers import load_list_of_blocks

from .. import left_file
from ..products import hook_connection
from .once import path_of

TRUSTED = (
    {"trusted_as_template": True} if "trusted_as_template" in signature(DataLoader.load_from_file).parameters else {}
)
"""From ansible-core 2.19 on, it evaluates only templates that are marked as trusted."""

Files = dict[str, list[str]]
"""The paths of each hook, by its name, in order."""


def files_of(given: Any, loader: Any, role_path: str) -> Files:
    """The variable C(<runbook>_hooks) as paths.

    :param given: a path or a list of paths by the name of the hook. A relative path is searched like a path of
        C(include_tasks) in the role.
    """
    found: Files = {}
    for name, paths in (given or {}).items():
        listed = paths if isinstance(paths, list) else [paths]
        flat = [path for item in listed for path in (item if isinstance(item, list) else [item])]
        found[name] = [loader.path_dwim_relative(role_path, "tasks", str(path), is_role=True) for path in flat if path]
    return found


def problems(files: Files, task: Any, loader: Any, variable_manager: Any, of: str = "") -> list[str]:
    """One sentence for each file that can't be run.

    :param task: the task of the role; the tasks of the hooks get its play and its role.
    """
    found = []
    for path, names in _by_path(files).items():
        reason = _unloadable(path, task, loader, variable_manager)
        if reason:
            found.append(f"{of}hook {', '.join(names)}: {path} {reason}")
    return found


def problems_by_host(
    files: Mapping[str, Files], task: Any, loader: Any, variable_manager: Any, of: str = ""
) -> dict[str, list[str]]:
    """The problems of the files of some hosts, each with its hosts. Equal files are checked once.

    :param files: the files of each host.
    """
    known: dict[str, list[str]] = {}
    found: dict[str, list[str]] = {}
    for host, mine in files.items():
        key = repr(sorted(mine.items()))
        if key not in known:
            known[key] = problems(mine, task, loader, variable_manager, of)
        for problem in known[key]:
            found.setdefault(problem, []).append(host)
    return found


def _by_path(files: Files) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for name, listed in files.items():
        for path in listed:
            paths.setdefault(path, []).append(name)
    return paths


def _unloadable(path: str, task: Any, loader: Any, variable_manager: Any) -> str:
    """Why a file can't be loaded as a list of tasks; an empty text if it can."""
    if not os.path.isfile(path):
        return "does not exist"
    try:
        data = loader.load_from_file(path, **TRUSTED)
        if data is None:
            return ""
        if not isinstance(data, list):
            return "is not a list of tasks"
        parent = Block(play=task.play, role=task._role)
        load_list_of_blocks(
            data, play=task.play, parent_block=parent, role=task._role, loader=loader, variable_manager=variable_manager
        )
    except AnsibleFileNotFound as error:
        return f"imports {error.file_name}, which does not exist"
    except (AnsibleError, AssertionError) as error:  # ansible-core asserts what a task may look like
        return f"can't be loaded: {' '.join(str(getattr(error, 'message', error)).split()).rstrip('.')}"
    return ""


def named(files: Files) -> str:
    """Hooks with their files, in words."""
    return ", ".join(f"{name} ({', '.join(paths)})" for name, paths in files.items() if paths)


def gap(steps: Iterable[dict[str, Any]]) -> str:
    """Writes a task file in which hooks and parts of a runbook alternate. ansible-core loads the file as a whole, so no
    part follows a hook that can't be loaded.

    :return: the path of the file. Hosts with the same hooks share the file.
    """
    text = json.dumps(list(steps), indent=1)
    path = path_of("hooks", text) + ".yml"
    left_file.replace(path, text)
    return path


def imported(given: Iterable[tuple[str, str]], product: str) -> dict[str, Any]:
    """A block that runs hooks one after another, with the connection of the cluster.

    The options of a connection are templates. As C(module_defaults), each task of the hook would evaluate all of them;
    as a variable, only modules of the product evaluate them.

    :param given: the name and path of each hook.
    :param product: the prefix of the product's variables.
    """
    tasks = [{"name": name, "ansible.builtin.import_tasks": path} for name, path in given]
    return {"block": tasks, "vars": {hook_connection(product): f"{{{{ {product}_connection_options }}}}"}}

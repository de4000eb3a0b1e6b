# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task by the action that every module has: in-process, or as an ordinary module whose way there is JSON."""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any
from unittest import mock

from ansible.module_utils import basic
from ansible.parsing.dataloader import DataLoader
from ansible_collections.dbfleet.cluster.plugins.module_utils import _far_side
from ansible_collections.dbfleet.cluster.plugins.module_utils._foreign import told
from ansible_collections.dbfleet.cluster.plugins.plugin_utils import direct, worker
from ansible_collections.dbfleet.cluster.tests.reliability.place import PASSWORD, Place
from ansible_collections.dbfleet.cluster.tests.reliability.runs import HOST, in_its_process

ARGUMENTS = "_ANSIBLE_ARGS"
"""Where ansible-core finds what a module was called with; and in what form, from 2.19 on."""

PROFILE = "_ANSIBLE_PROFILE"


class Way(Enum):
    """How a module runs, by the connection of its task."""

    HERE = "local"
    THERE = "elsewhere"


@dataclass(frozen=True)
class Asked:
    """What a task asks for.

    :param args: as the playbook says them.
    :param is_check: under check mode.
    """

    module: str
    args: dict[str, Any]
    is_check: bool = False


class Seen:
    """What came of a task.

    :ivar result: as callbacks get it.
    :ivar lines: what was shown of its progress.
    """

    def __init__(self, result: dict[str, Any], lines: list[str]) -> None:
        self.result, self.lines = result, lines

    @property
    def is_ok(self) -> bool:
        return not self.result.get("failed")


class Imitated(direct.Direct):
    """The action, whose other side is this process: what goes there and comes back is JSON, as over a connection."""

    def _execute_module(self, module_name: str = "", module_args: Any = None, **_more: Any) -> Any:
        own = {"_ansible_check_mode": self._task.check_mode, "_ansible_diff": True, "_ansible_module_name": module_name}
        sent = json.dumps({"ANSIBLE_MODULE_ARGS": {**own, **module_args}}).encode()
        module, output, warned = direct.module_of(module_name.rpartition(".")[2]), io.StringIO(), list[str]()
        warn = mock.patch.object(basic.AnsibleModule, "warn", lambda _module, text: warned.append(text))
        # By itself ansible-core shows a warning at once where it finds itself on the controller.
        with mock.patch.object(basic, ARGUMENTS, sent), redirect_stdout(output), _in_form(), warn, suppress(SystemExit):
            module.main()
        return {**json.loads(output.getvalue()), **({"warnings": warned} if warned else {})}

    def _remove_tmp_path(self, tmp_path: Any, force: bool = False) -> None:
        """There is none."""


def _in_form() -> Any:
    return mock.patch.object(basic, PROFILE, "legacy") if hasattr(basic, PROFILE) else nullcontext()


def _action(asked: Asked, way: Way) -> Imitated:
    made = Imitated.__new__(Imitated)
    made._loader = DataLoader()
    made._templar = SimpleNamespace(template=lambda value: value)  # type: ignore[assignment]
    made._task = SimpleNamespace(
        action=f"dbfleet.cluster.{asked.module}", args=asked.args, check_mode=asked.is_check, no_log=False,
        environment=[], async_val=0, become=False, delegate_to=None, _role=None,
    )  # type: ignore[assignment]  # fmt: skip
    shell = SimpleNamespace(tmpdir=None)
    made._connection = SimpleNamespace(transport=way.value, _shell=shell)  # type: ignore[assignment]
    made._used_interpreter = f"#!{sys.executable}"
    return made


@contextmanager
def _alone() -> Iterator[None]:
    """No thread watches whether ansible-playbook is still there: it is this process."""
    with (
        mock.patch.object(worker, "ends_with_parent", return_value=nullcontext()),
        mock.patch.object(_far_side, "ends_with_controller", return_value=nullcontext()),
    ):
        yield


def run(place: Place, asked: Asked, way: Way) -> Seen:
    """A task from its action's beginning to the result that callbacks get.

    What the connection's options are not told, they are told of this place.
    """
    spec = direct.module_of(asked.module).SPEC["argument_spec"]
    known: dict[str, Any] = {"api_url": place.urls, "api_username": "admin", "api_password": PASSWORD}
    known.update(cluster_name=HOST, provider=place.provider)
    args = {**{name: value for name, value in known.items() if name in spec}, **asked.args}
    made = _action(Asked(asked.module, args, asked.is_check), way)
    lines: list[str] = []

    def work() -> dict[str, Any]:
        return dict(told(made.result_of({"inventory_hostname": HOST})))

    folder = tempfile.TemporaryDirectory(prefix="dbfleet-night-")
    with folder as its_own, _alone(), in_its_process(place, its_own, lines):
        result = place.loom.run(work)
    return Seen(json.loads(json.dumps(result, default=str)), lines)

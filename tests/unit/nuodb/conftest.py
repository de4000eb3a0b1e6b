# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NuoDB modules that work on a domain in memory, in a time that the test owns."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence import task_stages
from ansible_collections.dbfleet.cluster.plugins.module_utils._convergence.run import Converge
from ansible_collections.dbfleet.cluster.plugins.module_utils._http import client
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.connection import CONNECTION
from ansible_collections.dbfleet.cluster.plugins.module_utils._nuodb.processes import start as engines
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.domains import Memory
from ansible_collections.dbfleet.cluster.tests.unit.nuodb.starts import Timed

MODULES = "ansible_collections.dbfleet.cluster.plugins.modules"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between the rounds of a read, and nothing of the caller's environment."""
    monkeypatch.setattr(client, "PAUSE", 0.0)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def memory(time: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Memory]:
    """Makes domains in memory."""
    monkeypatch.setattr(engines, "time", SimpleNamespace(monotonic=time))
    return partial(Memory, time)


@pytest.fixture
def bring(memory: Any, time: Any, new_task: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a module on a domain in memory; C(bring.task) is the task that it ran for."""
    monkeypatch.setattr(task_stages, "Converge", partial(Converge, clock=time))

    def go(name: str, domain: Any, check_mode: bool = False, **given: Any) -> Any:
        module = import_module(f"{MODULES}.{name}")
        spec = module.SPEC["argument_spec"]
        found = ArgumentSpecValidator(spec).validate({"cluster_name": domain.name, **given})
        assert not found.error_messages
        monkeypatch.setattr(module, "connect", lambda _task, only=None: domain)
        go.task = new_task(check_mode, **found.validated_parameters)  # type: ignore[attr-defined]
        return module.run(go.task)  # type: ignore[attr-defined]

    return go


@pytest.fixture
def timed(memory, time):
    return lambda *args: Timed(time, *args)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in [f"NUODB_{option.upper()}" for option in CONNECTION] + [
        "NUOCMD_API_SERVER", "NUOCMD_BASIC_CREDS", "NUOCMD_CLIENT_KEY", "NUOCMD_VERIFY_SERVER",
    ]:  # fmt: skip
        monkeypatch.delenv(name, raising=False)

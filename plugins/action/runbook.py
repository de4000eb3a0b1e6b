# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The frame of a runbook: confirmation, banner, end table, stats. Runs on the controller and calls no API."""

from __future__ import annotations

import os
import re
import shlex
import time
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Callable, Optional

from ansible import context
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load
from ansible.parsing.splitter import parse_kv
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._errors import ClusterError
from ..module_utils._exasol import connect as exasol_connect
from ..module_utils._nuodb import connect as nuodb_connect
from ..module_utils._secrets import Scrubber
from ..module_utils._wording import clock_text, listing, near
from ..modules.runbook import SPEC
from ..plugin_utils.direct import plain

SECRETIVE = re.compile(r"pass|secret|token|credential|_key\b", re.IGNORECASE)
"""Names of variables that are not repeated on the screen."""

ROLES = Path(__file__).resolve().parents[2] / "roles"

ALIKE = 0.9
"""How alike a variable's name must be to one of ours to be taken for it, misspelt; others are the user's own."""

ENDPOINTS: dict[str, Callable[[list[str]], list[str]]] = {
    "exa": exasol_connect.endpoints,
    "nuodb": nuodb_connect.endpoints,
}
"""The URLs that are meant by those given, by the prefix of the product's variables."""


class ActionModule(ActionBase):
    """See the module of the same name."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        validated = ArgumentSpecValidator(SPEC["argument_spec"]).validate(plain(self._task.args))
        if validated.error_messages:
            return {"failed": True, "msg": "; ".join(validated.error_messages)}
        self._vars = task_vars
        self._given = validated.validated_parameters
        self._host = plain(task_vars["inventory_hostname"])
        self._hosts = [plain(host) for host in task_vars["ansible_play_hosts_all"]]
        return getattr(self, f"_{self._given['step']}")()

    def _say(self, line: str) -> None:
        Display().display(f"[{self._host}] {line}")

    # -- begin

    def _begin(self) -> dict[str, Any]:
        misspelt, doubtful = self._misspelt()
        problems = [problem for problem in (*misspelt, *self._texts(), self._unconfirmed(), self._shared()) if problem]
        result: dict[str, Any] = {"changed": False, "warnings": [*self._few_forks(), *doubtful]}
        if problems:
            return {**result, "failed": True, "failure": "refused", "msg": "; ".join(problems)}
        return {**result, "began": time.time()}

    def _misspelt(self) -> tuple[list[str], list[str]]:
        """Variables that are none, said as problems and as warnings.

        With a name misspelt the default holds, and that is every database. What begins like the runbook is its own;
        what begins like the product only may be the user's. check reads the variables of all runbooks, and warns.
        """
        name, prefix = self._given["name"], f"{self._given['prefix']}_"
        texts = [path.read_text(encoding="utf-8") for path in sorted(ROLES.glob("*/*/*.yml"))]
        known = {word for text in texts for word in re.findall(rf"\b{prefix}\w+", text)}
        unknown = sorted(key for key in map(str, self._vars) if key.startswith(prefix) and key not in known)
        if not unknown:
            return [], []
        options = {option for role in ROLES.glob("*/meta/argument_specs.yml") for option in self._options(role)}
        runbooks = [f"{role.name}_" for role in ROLES.glob(f"{prefix}*") if role.name != f"{prefix}connection"]
        problems, warnings = [], []
        for given in unknown:
            says = f"there is no variable {given}"
            if given.startswith(f"{name}_"):
                problems.append(f"{says}{near(given, sorted(options))}")
            elif name == "check" and given.startswith(tuple(runbooks)):
                warnings.append(f"{says}{near(given, sorted(options))}: its runbook will refuse it")
            elif not given.startswith(tuple(runbooks)) and get_close_matches(given, options, 1, ALIKE):
                warnings.append(f"{says} of this collection{near(given, sorted(options))}")
        return problems, warnings

    @staticmethod
    def _options(specs: Path) -> dict[str, Any]:
        return yaml_load(specs.read_text(encoding="utf-8"))["argument_specs"]["main"].get("options") or {}

    def _texts(self) -> list[str]:
        """Dictionaries that came as a text (`-e name={...}`), which the check of a role takes, and no task uses."""
        problems = []
        for option, row in self._options(ROLES / self._given["name"] / "meta/argument_specs.yml").items():
            if option in self._vars and "dict" in (row["type"], row.get("elements")):
                value = plain(self._templar.template(self._vars[option]))
                if isinstance(value, str):
                    whole = "{" + f'"{option}": ...' + "}"
                    problems.append(f"{option} is a text, not {row['type']}: with -e, write the whole as -e '{whole}'")
        return problems

    def _unconfirmed(self) -> Optional[str]:
        if not self._given["must_confirm"] or self._task.check_mode:
            return None
        confirmed = self._given["confirm"] or []
        names = confirmed.replace(",", " ").split() if isinstance(confirmed, str) else [str(name) for name in confirmed]
        if set(names) == set(self._hosts):
            return None
        says = f"confirm names {listing(sorted(names))}" if names else "nothing is confirmed"
        return (
            f"{self._given['name']} takes {listing(self._hosts)} down and {says}: confirm exactly these by name "
            f"(-e confirm={','.join(self._hosts)})"
        )

    def _shared(self) -> Optional[str]:
        mine = self._endpoints(self._host)
        twins = [host for host in self._hosts if host != self._host and mine & self._endpoints(host)]
        if not twins:
            return None
        return (
            f"{self._host} and {listing(twins)} share an API endpoint: they are one cluster under several names; "
            "target one of them"
        )

    def _twins(self) -> dict[str, Any]:
        """Each host looks when its own report is there, so of two that are one cluster the later one is refused."""
        mine = self._identity(self._host)
        shared = {host: mine & self._identity(host) for host in self._hosts if host != self._host}
        twins = [host for host in shared if shared[host]]
        if not twins:
            return {"changed": False}
        common = min(shared[twins[0]])
        text = f"{self._host} and {listing(twins)} are one cluster under several names (both have {common})"
        return {"changed": False, "failed": True, "failure": "refused", "msg": f"{text}: target one of them"}

    def _identity(self, host: str) -> set[str]:
        found = plain(self._vars["hostvars"][host].get(self._given["report"])) or {}
        return set(found.get("identity") or [])

    def _endpoints(self, host: str) -> set[str]:
        variables, prefix = self._vars["hostvars"][host], self._given["prefix"]
        urls = plain(variables.get(f"{prefix}_api_url")) or []
        urls = urls.split(",") if isinstance(urls, str) else urls
        profile = plain(variables.get(f"{prefix}_profile"))
        try:
            found = {url.partition("://")[2] for url in ENDPOINTS[prefix](urls)}
        except ClusterError:  # the first task that uses it says what is wrong with it
            found = set()
        if profile and not urls:
            found.add(f"profile {profile} of {plain(variables.get(f'{prefix}_profiles_path')) or 'the default file'}")
        return found

    def _few_forks(self) -> list[str]:
        forks = int(context.CLIARGS.get("forks") or 5)
        if self._host != self._hosts[0] or forks >= len(self._hosts):
            return []
        return [
            f"{len(self._hosts)} clusters and {forks} forks: the rest waits for its turn (--forks {len(self._hosts)})"
        ]

    # -- phase

    def _phase(self) -> dict[str, Any]:
        given = self._given
        self._say(f"({given['number']}/{given['count']}) {given['phase']}: {given['text']}")
        return {"changed": False, "phase": given["phase"], "began": time.time()}

    # -- end

    def _end(self) -> dict[str, Any]:
        failed = self._first_cause(self._given["failed"])
        phases = [phase for phase in self._given["phases"] if isinstance(phase, dict) and phase.get("phase")]
        ends = [*(phase["began"] for phase in phases[1:]), time.time()]
        durations = {phase["phase"]: round(end - phase["began"], 1) for phase, end in zip(phases, ends)}
        verdict = "failed" if failed else "ok"
        self._table(durations, verdict)
        seconds = round(sum(durations.values()), 1)
        outcome = {"runbook": self._given["name"], "result": verdict, "seconds": seconds, "phases": durations}
        result: dict[str, Any] = {"changed": False, "outcome": outcome}
        if failed:
            cause = str(failed.get("msg") or "a task failed")
            outcome.update(phase=next(reversed(durations), "begin"), cause=cause)
            self._say(f"cause: {cause}")
            if failed.get("hint"):
                self._say(f"hint: {failed['hint']}")
            self._say(f"resume: {self._resume()}   (AWX: relaunch on failed hosts)")
        data = {self._host: {**outcome, **(self._given["stats"] or {})}}
        result["ansible_stats"] = {"data": {"dbfleet": data}, "per_host": False, "aggregate": True}
        return result

    def _fail(self) -> dict[str, Any]:
        """A task of its own: ansible-core takes no stats from a task that failed."""
        failed = self._first_cause(self._given["failed"]) or {}
        kept: dict[str, Any] = {
            key: failed[key] for key in ("failure", "failed_object", "last_state", "hint", "refusals") if key in failed
        }
        return {"changed": False, **kept, "failed": True, "msg": str(failed.get("msg") or "a task failed")}

    @staticmethod
    def _first_cause(failed: Optional[dict[str, Any]]) -> Optional[dict[str, Any]]:
        """Of a loop that failed, the item that did: the loop itself says only that one failed."""
        items = [item for item in (failed or {}).get("results") or [] if isinstance(item, dict) and item.get("failed")]
        return items[0] if items else failed

    def _table(self, durations: dict[str, float], verdict: str) -> None:
        check = " (check mode: nothing was changed)" if self._task.check_mode else ""
        self._say(f"{self._given['name']}: {verdict}{check}")
        last = len(durations)
        for number, (phase, seconds) in enumerate(durations.items(), 1):
            mark = "failed here" if verdict == "failed" and number == last else "done"
            self._say(f"  {phase:<16} {clock_text(seconds):>8}  {mark}")

    def _resume(self) -> str:
        inventories = [path for path in (context.CLIARGS.get("inventory") or []) if path]
        words = ["ansible-playbook"]
        for path in inventories:
            words += ["-i", path if path.endswith(",") else os.path.relpath(path)]
        words.append(f"dbfleet.cluster.{self._given['name']}")
        for setting in [*self._own_variables(), f"target={self._host}", *self._given["resume"]]:
            words += ["-e", setting]
        return self._scrubber().text(" ".join(shlex.quote(word) for word in words))

    def _own_variables(self) -> list[str]:
        """The user's own `-e`, which the next run needs as well; not what must be said anew, and no credentials."""
        kept: list[str] = []
        for given in map(plain, context.CLIARGS.get("extra_vars") or []):
            if given.startswith(("@", "{", "[")):
                kept += [] if SECRETIVE.search(given) and not given.startswith("@") else [given]
                continue
            pairs = parse_kv(given).items()
            anew = ("target", "confirm", *(setting.partition("=")[0] for setting in self._given["resume"]))
            kept += [f"{name}={value}" for name, value in pairs if name not in anew and not SECRETIVE.search(name)]
        return kept

    def _scrubber(self) -> Scrubber:
        return Scrubber(str(plain(self._vars.get(f"{prefix}_api_password") or "")) for prefix in ("exa", "nuodb"))

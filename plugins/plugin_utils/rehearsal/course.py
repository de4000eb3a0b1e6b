# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One rehearsal: reads the cluster, starts the copy, and runs the runbook there until it succeeds or can't."""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import shlex
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Optional
from urllib.error import HTTPError
from urllib.parse import quote

from ansible import constants
from ansible.errors import AnsibleError
from ansible.template import Templar

from ...module_utils._background import collections_root
from ...module_utils._errors import ClusterError, failure
from ...module_utils._task import outcome
from ...module_utils._values import is_nothing
from ...modules import simulator
from .. import direct, left_file, progress, worker
from ..products import CONNECTIONS
from ..report import record, usual
from ..runbooks import hooks, resume
from ..runbooks.catalogue import RUNBOOKS
from ..runbooks.once import claimed_by
from ..runbooks.variables import ROLES, misspelt, options_of, templated
from ..stats import of_hosts
from . import faults, host as copied, runs, topology, verdict

CLOCK = re.compile(r"seconds:(\d+(?:\.\d+)?|\.\d+)")

FASTEST, SLOWEST = 0.0001, 10.0
RANGE = f"{FASTEST:g} to {SLOWEST:g} seconds of this machine per second of the cluster"

READ = {"exa": ("exa_cluster_info", "cluster"), "nuodb": ("nuodb_domain_info", "domain")}
"""The module that reads a cluster, and the key of the cluster in its result."""

ALL = {
    "exa": ["all"],
    "nuodb": ["servers", "databases", "archives", "processes", "tombstones", "storage_groups", "kubernetes"],
}
"""The parts of a cluster that are read, if the user may read them."""

PARTLY = ("denied", "fault", "no_such_object", "unsupported", "garbled")
"""Failures after which the server may still answer a smaller request."""

BUTTONS = {
    "exa_cold_start": {"power": "power_machines.yml", "power_nodes": "power_on_nodes.yml"},
    "exa_graceful_shutdown": {"power_off_nodes": "power_off_nodes.yml"},
    "nuodb_cold_start": {"start_servers": "power_machines.yml"},
    "nuodb_recover": {"start_servers": "power_machines.yml"},
}
"""Hooks that press the simulator's buttons, in the role's tasks."""


def scale_of(clock: str) -> float:
    """Seconds of this machine per second of the cluster; 0 if the clock can't be used for a rehearsal.

    With a faster clock, time-outs would depend on the speed of this machine.
    """
    found = CLOCK.fullmatch(clock)
    scale = float(found[1]) if found else 0.0
    return scale if FASTEST <= scale <= SLOWEST else 0.0


def _end_of(own: dict[str, str]) -> str:
    """The command that ends a simulator."""
    args = json.dumps({**own, "state": "stopped"}, ensure_ascii=False)
    return f"ansible localhost -m dbfleet.cluster.simulator -a {shlex.quote(args)}"


class Rehearsal:
    """The rehearsal of one host."""

    def __init__(self, action: Any, given: dict[str, Any], host: str, task_vars: dict[str, Any]) -> None:
        self._action, self._given, self._host, self._vars = action, given, host, task_vars
        self._task, self._loader = action._task, action._loader
        self._runbook: str = given["runbook"]
        self._product: str = RUNBOOKS[self._runbook].product
        self._name = copied.name_of(host)
        self._scale = scale_of(given["clock"])
        self._options = options_of(self._runbook)
        self._show = partial(progress.show, place=progress.place_of(task_vars))
        self._warnings: list[str] = []
        self._simulated: dict[str, Any] = {}
        self._again = ""

    def result(self) -> dict[str, Any]:
        """:raises ClusterError: it can't be rehearsed."""
        values = self._values()
        self._refuse_one_save_for_two()
        reports = self._reports(values)
        chosen, wanted = faults.parsed(self._given["faults"] or [], self._host)
        asked = self._given["seed"] is not None or self._runbook == "nuodb_recover"
        if asked and not chosen and not wanted:
            wanted = 1
        read, origin = self._read(values)
        state = topology.state_of(self._runbook, self._given["state"])
        texts = {str(one["name"]): str(one.get("running_text") or "running")
                 for one in values.get("exa_plugins") or () if isinstance(one, dict) and one.get("name")}  # fmt: skip
        row = topology.shaped(self._product, read, self._name, state, self._scale, self._given["timing"] or {}, texts)
        faults.refuse_odd(chosen, row, self._host)
        seed = self._given["seed"]
        seed = random.SystemRandom().randint(1, faults.LARGEST_SEED) if seed is None else seed
        among = faults.candidates(self._runbook, values, row)
        rows = faults.drawn(chosen, wanted, among, seed, self._host)
        is_drawn = bool(wanted) or any(not {"object", "method"} & one.keys() for one in chosen)
        settings = [f"rehearse_runbook={self._runbook}", *([f"rehearse_seed={seed}"] if is_drawn else [])]
        self._again = resume.how(self._vars, "rehearse", self._host, settings)
        self._announce(row, origin, state, values, rows, f" (again by -e rehearse_seed={seed})" if is_drawn else "")
        told = {"seed": seed, "faults": [faults.said(one) for one in rows], "state": state}
        if self._task.check_mode:
            self._say("check mode: no simulator is started and no runbook is run")
            return {"changed": False, "warnings": self._warnings, "rehearsal": told}
        return self._told(self._rehearsed(row, values, rows, reports), told)

    def _say(self, text: str) -> None:
        self._show([f"[{self._host}] {text}"])

    # -- what is rehearsed

    def _values(self) -> dict[str, Any]:
        """The variables of the runbook on the real host, with its role's defaults.

        :raises ClusterError: a variable is unknown, or has no value.
        """
        extra = map(str, self._vars["hostvars"]._variable_manager.extra_vars)
        wrong, self._warnings = misspelt(self._runbook, f"{self._product}_", self._vars, extra)
        path = ROLES / self._runbook / "defaults/main.yml"
        of_role = self._loader.load_from_file(str(path), **hooks.TRUSTED) if path.exists() else {}
        known = {name: value for name, value in self._vars.items() if not is_nothing(value)}
        variables = {**(of_role or {}), **known}
        templar = Templar(loader=self._loader, variables=variables)
        values, unset = templated(templar, variables, list(self._options))
        if wrong or unset:
            raise ClusterError(f"{'; '.join([*wrong, *unset])}; nothing was rehearsed")
        return values

    def _read(self, values: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """The data of the cluster, and where they come from.

        :raises ClusterError: the cluster can't be read.
        """
        source = self._given["source"]
        if source:
            return topology.of_file(source, self._host, self._product), f"{source}; no cluster is contacted"
        module, key = READ[self._product]
        more = {"on_denied": "leave_out", "license_servers": values.get("exa_license_servers")}
        more = more if self._product == "exa" else {}
        found = self._asked(module, {**more, "gather": ALL[self._product]})
        if found.get("failure") in PARTLY and "HTTP 401" not in found["msg"]:  # which may lock the user
            # Volumes can't be read while EXAStorage is down, nor storage groups by each user.
            said = f"the copy contains only what runbooks need, because not everything could be read: {found['msg']}"
            found = self._asked(module, more)
            self._warnings += [] if found.get("failed") else [said]
        if found.get("failed"):
            number = str(found.get("message_number") or ClusterError.number)
            says = str(found["msg"]).replace(f" [{number}]", "").rstrip(".")
            raise ClusterError(
                f"{says}; {self._host} can't be read, so nothing was rehearsed",
                number=number,
                hint=found.get("hint") or "rehearse_from takes a topology that was saved earlier (rehearse_save)",
            )
        self._warnings += [text for text in found.get("warnings") or [] if text not in self._warnings]
        row = direct.plain(found[key])
        self._save(row)
        calls = f"{found.get('api_calls', 0)} reading calls"
        return row, f"{self._host} as it was read just now ({calls}); from here on it isn't contacted"

    def _asked(self, module: str, more: dict[str, Any]) -> dict[str, Any]:
        names = [f"{self._product}_{option}" for option in CONNECTIONS[self._product]]
        connection, problems = templated(self._action._templar, self._vars, names)
        if problems:
            raise ClusterError(f"{'; '.join(problems)}; nothing was rehearsed")
        options = {name.partition("_")[2]: value for name, value in connection.items()}
        options.update({name: value for name, value in more.items() if value is not None})
        try:
            environment = self._action.environment()
            return self._action.called(direct.module_of(module), options, self._vars, environment)
        except AnsibleError as error:  # a bastion that is gone
            raise ClusterError(f"{' '.join(str(error).split())}; nothing was rehearsed") from None

    def _refuse_one_save_for_two(self) -> None:
        """:raises ClusterError: another host of this run saves its topology in the same file."""
        path = self._given["save"]
        first = claimed_by("rehearse_save", [os.path.abspath(path)], self._host) if path else self._host
        if first != self._host:
            raise ClusterError(
                f"rehearse_save names one file, {path}, for {first} and {self._host}; nothing was rehearsed",
                hint="put {{ inventory_hostname }} into its name",
            )

    def _save(self, row: dict[str, Any]) -> None:
        path = self._given["save"]
        if not path:
            return
        if self._task.check_mode:
            self._say(f"check mode: {path} is not saved")
            return
        text = json.dumps({READ[self._product][1]: row}, indent=1, default=str)
        try:
            left_file.replace(path, f"{text}\n")
        except OSError as error:
            says = f"the topology can't be saved in {path}: {error.strerror}; nothing was rehearsed"
            raise ClusterError(says) from None
        self._say(f"saved: {path}")

    def _announce(
        self, row: dict[str, Any], origin: str, state: str, values: dict[str, Any], rows: list[Any], again: str
    ) -> None:
        what = "everything off, because the runbook is for this state" if state == topology.DOWN else "as it was read"
        self._say(f"rehearsal: {self._runbook} on a copy, {topology.summary(self._product, row)}, {what}")
        self._say(f"the copy is {self._name}, of {origin}")
        skipped = copied.left_out(self._runbook, values)
        if skipped:
            self._say(f"left out: hooks {', '.join(skipped)}; the simulator switches the machines")
        faster = "as fast as" if self._scale == 1 else f"{1 / self._scale:.4g} times faster than"
        self._say(f"clock: {self._given['clock']}, {faster} a real cluster; time-outs are scaled with it")
        if rows:
            self._say(f"faults: {', '.join(map(faults.said, rows))}{again}")
        else:
            self._say("faults: none (rehearse_faults chooses some, rehearse_seed draws one)")

    # -- on the copy

    def _rehearsed(
        self, row: dict[str, Any], values: dict[str, Any], rows: list[Any], reports: Path
    ) -> verdict.Rehearsed:
        carried = copied.carried(self._product, self._runbook, self._options, values)
        carried, problems = copied.shortened(self._options, carried, self._scale)
        root = collections_root(simulator.__file__, simulator.PROGRAM, None)
        if problems or root is None:
            raise ClusterError("; ".join(problems) or "the collection's own files aren't found on this machine")
        folder = self._folder()
        with self._alone(folder):
            return self._copied(row, carried, rows, root, folder, reports)

    def _alone(self, folder: Path) -> IO[str]:
        """Locks the folder of the copy: with C(keep), a second rehearsal would end the simulator of the first.

        :returns: a file; another rehearsal is refused while it is open.
        :raises ClusterError: another rehearsal of the host is under way.
        """
        path = folder / "lock"
        try:
            file = open(path, "a", encoding="utf-8")  # noqa: SIM115
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            says = f"another rehearsal of {self._host} with rehearse_keep is under way; nothing was rehearsed"
            raise ClusterError(says, hint="wait for its end, or leave rehearse_keep out") from None
        except OSError as error:
            raise ClusterError(f"{path} can't be written: {error.strerror}; nothing was rehearsed") from None
        return file

    def _copied(
        self, row: dict[str, Any], carried: dict[str, Any], rows: list[Any], root: str, folder: Path, reports: Path
    ) -> verdict.Rehearsed:
        called = re.sub(r"[^A-Za-z0-9._-]", "_", self._name)
        own = {"name": called, "directory": str(folder / "simulators")}
        self._simulator({**own, "state": "stopped"})
        self._simulated = self._simulator(
            {**own, "topology": {"clusters": [row]}, "clock": self._given["clock"],
             "ends_with_task": not self._given["keep"]}
        )  # fmt: skip
        inventory = folder / "inventory.yml"
        if self._given["keep"]:
            self._say(f"if this rehearsal is stopped, end its copy by: {_end_of(own)}")
        try:
            variables = self._variables(row, carried, folder, reports)
            self._write(inventory, copied.inventory(self._product, self._name, variables))
            with worker.ends_with_parent(programs=True):
                return self._all_runs(root, folder, inventory, reports, rows)
        finally:
            if self._given["keep"]:
                self._say(f"kept: {self._name} runs on, and {inventory} reaches it; end it by: {_end_of(own)}")
            else:
                self._simulator({**own, "state": "stopped"})

    def _folder(self) -> Path:
        base = Path("~/.cache/dbfleet/rehearsals").expanduser() if self._given["keep"] else Path(
            constants.DEFAULT_LOCAL_TMP) / "rehearsals"  # fmt: skip
        folder = base / left_file.name_for(self._host)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ClusterError(f"the folder {folder} can't be made: {error.strerror}") from None
        return folder

    def _reports(self, values: dict[str, Any]) -> Path:
        """The folder for the reports of the copy's runs. The verdict needs these reports.

        :raises ClusterError: the folder can't be written.
        """
        given = self._given["report_path"] or values.get(f"{self._product}_report_path")
        reports = Path(os.path.abspath(os.path.expanduser(str(given or f"{left_file.state_folder()}/rehearsals"))))
        if self._task.check_mode:
            return reports
        folder = reports / left_file.name_for(self._name)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                return reports
        except (OSError, ValueError) as error:
            says = f"the reports can't be written in {folder}: {getattr(error, 'strerror', None) or error}"
            raise ClusterError(
                f"{says}; nothing was rehearsed", hint="set rehearse_report_path to a folder that can be written"
            ) from None

    @staticmethod
    def _write(path: Path, text: str) -> None:
        try:
            left_file.replace(path, text)
        except OSError as error:
            raise ClusterError(f"{path} can't be written: {error.strerror}") from None

    def _variables(self, row: dict[str, Any], carried: dict[str, Any], folder: Path, reports: Path) -> dict[str, Any]:
        prefix, one = self._product, self._simulated["clusters"][self._name]
        provider = {"exa_provider": row.get("provider") or "auto"} if prefix == "exa" else {}
        buttons = BUTTONS.get(self._runbook, {})
        return {
            **carried,
            **provider,
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            f"{prefix}_api_url": one["api_url"],
            f"{prefix}_api_username": one["username"],
            f"{prefix}_api_password": one["password"],
            f"{prefix}_ca_path": one["ca_path"],
            f"{prefix}_state_path": str(folder / "kept"),
            f"{prefix}_report_path": str(reports),
            f"{self._runbook}_hooks": {name: str(ROLES / "rehearse/tasks" / file) for name, file in buttons.items()},
            "rehearse_machines": topology.machines_of(prefix, row),
            "rehearse_power_url": f"{self._simulated['admin_url']}/power?cluster={quote(self._name)}",
            "rehearse_token": self._simulated["admin_token"],
        }

    def _simulator(self, options: dict[str, Any]) -> dict[str, Any]:
        """Starts or stops the simulator, on this machine.

        :raises ClusterError: the simulator can't be started or stopped.
        """
        spec: Any = simulator.SPEC
        params, problems = direct.validated(spec["argument_spec"], options)
        task = direct.LiveTask(params, False, lambda _lines: None)
        result = failure("; ".join(problems), "DBF-8001") if problems else outcome(spec, simulator.run, task)
        if result.get("failed"):
            raise ClusterError(
                f"the copy can't be simulated: {result['msg']}", hint=str(result.get("hint") or "") or None
            )
        return result

    def _admin(self, path: str, method: str = "GET", data: Any = None) -> Any:
        """:raises ClusterError: the simulator refuses the request, or doesn't answer."""
        separator = "&" if "?" in path else "?"
        try:
            return simulator.asked(
                self._simulated, f"{path}{separator}cluster={quote(self._name)}", method=method, data=data
            )
        except HTTPError as error:
            said = json.loads(error.read() or b"{}").get("error") or str(error)
            raise ClusterError(f"the simulator refuses {path.partition('?')[0]}: {said}") from None
        except (OSError, ValueError) as error:
            raise ClusterError(f"the simulator of {self._name} doesn't answer: {error}") from None

    def _all_runs(self, root: str, folder: Path, inventory: Path, reports: Path, rows: list[Any]) -> verdict.Rehearsed:
        about = self._admin("/about")["faults"]
        kinds = {**about["calls"], **about["machines"]}
        ids = [self._admin("/faults", "POST", one)["id"] for one in rows]
        met: dict[int, list[int]] = {one: [] for one in ids}
        seen, done = runs.environment(root, folder, self._simulated), []
        words = runs.command(self._runbook, inventory, self._name)
        hit: dict[int, int] = {}
        while words:
            done.append(runs.run(words, seen, self._show, reports, self._name, bool(self._given["keep"])))
            now = {one["id"]: one["hit"] for one in self._admin("/faults")}
            fresh = [one for one in ids if now.get(one, 0) > hit.get(one, 0)]
            for one in fresh:
                met[one].append(len(done))
            hit.update(now)
            words = [] if done[-1].is_ok or not fresh else self._mended(fresh, dict(zip(ids, rows)), done[-1])
        usually = self._usual(done[-1].row)
        done = done if self._given["keep"] else [self._without_command(one) for one in done]
        return verdict.Rehearsed(
            self._host, self._runbook, self._scale, done,
            [verdict.Met(one, kinds[one["kind"]], met[number]) for number, one in zip(ids, rows)],
            self._admin("/rules"), usually,
        )  # fmt: skip

    def _mended(self, numbers: Iterable[int], rows: dict[int, Any], failed: runs.Ended) -> list[str]:
        """Removes faults, as a person would repair them. Returns the command that resumes the run."""
        numbers = list(numbers)
        for one in numbers:
            self._admin(f"/faults?id={one}", "DELETE")
        words = runs.resumed(failed.row)
        if words:
            self._say(
                f"mended: {', '.join(faults.said(rows[one]) for one in numbers)}; the command that resumes is run"
            )
        return words

    def _without_command(self, ended: runs.Ended) -> runs.Ended:
        try:
            return runs.without_command(ended, f"the copy is gone; to rehearse again: {self._again}")
        except OSError as error:
            self._warnings.append(f"{ended.path} can't be written again: {error.strerror}")
            return ended

    def _usual(self, row: Optional[record.Row]) -> Optional[dict[str, Any]]:
        folder = self._vars.get(f"{self._product}_report_path")
        if not row or is_nothing(folder):
            return None
        phases = [one["phase"] for one in row["phases"] if one["state"] != "left out"]
        base = Path(os.path.expanduser(str(self._action._templar.template(folder))))
        return usual.of(base / left_file.name_for(self._host), self._runbook, phases)[0]

    # -- what came of it

    def _told(self, found: verdict.Rehearsed, told: dict[str, Any]) -> dict[str, Any]:
        problems = verdict.problems(found)
        progress.show_lines(verdict.lines(found), progress.place_of(self._vars))
        row = {**verdict.data(found), **{name: told[name] for name in ("seed", "state")}}
        result = {"changed": False, "warnings": self._warnings, "rehearsal": row}
        result.update(of_hosts({self._host: {"rehearsal": row}}))
        if problems:
            self._say(f"again: {self._again}")
            return {**result, **failure(f"{self._host}: rehearsal failed: {'; '.join(problems)}", "DBF-8002")}
        self._say(f"rehearsal: ok: {self._runbook} comes through on a copy of {self._host}")
        return result

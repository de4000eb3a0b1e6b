# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of a maintenance besides the runbooks: plan the waves, begin one, compare a cluster with its old state."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from ..module_utils._errors import ClusterError, Refused, failure
from ..module_utils._task import secrets_of
from ..module_utils._values import listed
from ..module_utils._wording import listing
from ..modules.maintenance import SPEC
from ..plugin_utils import direct, progress
from ..plugin_utils.fleet import look, meant
from ..plugin_utils.fleet.condition import UNREACHABLE, UP
from ..plugin_utils.fleet.show import HEARTBEAT
from ..plugin_utils.maintenance import lease, ledger, settings, verdict, within
from ..plugin_utils.maintenance.plan import Plan, lines_of
from ..plugin_utils.products import CONNECTIONS
from ..plugin_utils.runbooks import begin, ending, hooks, journal
from ..plugin_utils.stats import of_hosts

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0
"""Seconds between two looks at clusters that aren't in their old state yet."""

YES = ("yes", "y", "ja", "go")
"""Answers that open a gate."""

ROLLING = {"exa": "rolling_exasol", "nuodb": "rolling_nuodb"}
"""The task file of the role for rolling work: one node of a cluster, or one server of a domain, after another."""

OWN = {f"dbfleet.cluster.{name}" for name in ("exa_rolling", "maintenance", "nuodb_lease", "nuodb_rolling", "runbook")}
"""Modules of this role's own tasks that may come after the user's work."""

MORE = {"exa": ["volumes"]}
"""Parts of a cluster that are read in addition to those of `status`, for the later comparison."""


class ActionModule(direct.Direct):
    """See the module of the same name."""

    _supports_async = False

    def result_of(self, task_vars):
        spec: Any = SPEC["argument_spec"]
        given, problems = direct.validated(spec, direct.plain(self._task.args))
        problems += progress.problems(task_vars)
        if not problems and self._task._role is None:
            problems = ["this is the task of a role: use the role dbfleet.cluster.maintenance"]
        if problems:
            return failure("; ".join(problems), "DBF-7001")
        self._vars = task_vars
        self._host = direct.plain(task_vars["inventory_hostname"])
        self._check = bool(self._task.check_mode)
        self._place = progress.place_of(task_vars)
        try:
            return {"changed": False, **getattr(self, f"_{given['step']}")(given)}
        except ClusterError as error:
            result = error.as_result()
            return {"changed": False, **result, "failed": True, "msg": ending.sentence(result)}

    def _say(self, text: str) -> None:
        progress.show(text, self._place)

    # -- all clusters of a play, or of a wave

    def _plan(self, _given: dict[str, Any]) -> dict[str, Any]:
        """:raises Refused: the run must not begin. Nothing was changed."""
        if ledger.settled():
            raise Refused(
                "maintenance was already planned in this run of ansible-playbook: start another run for the second one",
                number="DBF-6704",
            )
        hosts = direct.plain(self._vars["ansible_play_hosts_all"])
        plan = self._read(hosts)
        self._refuse(plan)
        plan.waves, canary = settings.planned(plan.settings, self._groups())
        rows = self._looked(hosts, plan, {})
        progress.show_lines(lines_of(plan, rows), self._place)
        self._refuse_sick("no wave begins", [], rows, plan)
        pause = str(plan.settings[hosts[0]].values["pause"])
        accepted = [host for host in hosts if rows[host]["state"] != UP and host in plan.accepted]
        self._settle(plan.waves, gates=settings.gates(len(plan.waves), canary, pause), accepted=accepted, planned=True)
        return {
            "waves": plan.waves,
            "warnings": look.warnings(rows),
            **_stats({host: {"result": ledger.NOT_BEGUN, "wave": plan.number_of(host)} for host in hosts}),
        }

    def _read(self, hosts: list[str]) -> Plan:
        """The variables of these clusters, unchecked."""
        clusters = meant.Hosts(self._task, self._vars, self._loader, settings.PREFIX).meant(hosts, "degraded")
        found = {one.name: settings.settings_of(one.name, one.given, one.product) for one in clusters}
        accepted = {host for one in found.values() for host in one.names("accept", self._groups())}
        return Plan({one.name: one for one in clusters}, found, [hosts], accepted)

    def _groups(self) -> dict[str, list[str]]:
        return direct.plain(dict(self._vars["groups"]))

    def _refuse(self, plan: Plan) -> None:
        """:raises Refused: the variables, the tags or the confirmation don't allow the run."""
        tags, skipped = list(self._vars["ansible_run_tags"]), list(self._vars["ansible_skip_tags"])
        if tags not in ([], ["all"]) or skipped:
            raise Refused(
                "maintenance takes no --tags and no --skip-tags: otherwise the work could begin on a cluster that is "
                "only partly shut down; nothing was changed",
                number="DBF-6704",
            )
        clusters, found = list(plan.clusters.values()), plan.settings
        wrong = [*meant.problems(clusters), *(one.problem for one in clusters if one.problem)]
        wrong += [text for one in found.values() for text in one.problems]
        wrong += within.planned(clusters) if not wrong else []
        wrong += settings.differing(found) if not wrong else []
        wrong += self._unusable_work(found) if not wrong else []
        wrong += self._unfit_runbooks(plan) if not wrong else []
        confirmed = listed(direct.plain(self._templar.template(self._vars.get("confirm"))), blanks=True)
        wrong += [] if self._check else filter(None, [begin.unconfirmed("maintenance", list(found), confirmed)])
        if wrong:
            raise Refused(f"{'; '.join(dict.fromkeys(wrong))}; nothing was changed", number="DBF-6704")

    def _unusable_work(self, found: dict[str, settings.Settings]) -> list[str]:
        """The problems of task files of any cluster: a file can't be run, or has no tasks."""
        files = {host: self._files(one) for host, one in found.items()}
        wrong = self._problems(files)
        told = {host for hosts in wrong.values() for host in hosts}
        left = {host: mine["work"] for host, mine in files.items() if host not in told}
        for path in dict.fromkeys(path for paths in left.values() for path in paths):
            # A user who wants no work between shutdown and start gives no file, so an empty file is a mistake.
            if not self._loader.load_from_file(path):
                wrong[f"{path} has no tasks"] = [host for host, paths in left.items() if path in paths]
        return [
            f"{listing(hosts)}: maintenance_work: {text.removeprefix('hook work: ')}" for text, hosts in wrong.items()
        ]

    def _problems(self, files: dict[str, hooks.Files], of: str = "") -> dict[str, list[str]]:
        """The problems of the files of these hosts, each with the hosts that have it."""
        return hooks.problems_by_host(files, self._task, self._loader, self._vars["hostvars"]._variable_manager, of)

    def _unfit_runbooks(self, plan: Plan) -> list[str]:
        """The problems for which the shutdown of any cluster, or the cold start after it, would refuse."""
        extra = list(map(str, self._vars["hostvars"]._variable_manager.extra_vars))
        wrong, hosts = within.twins(plan.clusters.values(), self._loader), dict[str, list[str]]()
        files: dict[str, dict[str, hooks.Files]] = {}
        for host, one in plan.clusters.items():
            if plan.settings[host].values["rolling"]:
                continue
            for text in within.problems(one, extra):
                hosts.setdefault(text, []).append(host)
            for name, mine in within.hook_files(one, self._loader, self._task._role._role_path).items():
                files.setdefault(name, {})[host] = mine
        for name, of_each in files.items():
            hosts.update(self._problems(of_each, f"{name}: "))
        return [*wrong, *(f"{listing(names)}: {text}" for text, names in hosts.items())]

    def _files(self, one: settings.Settings) -> hooks.Files:
        return hooks.files_of({"work": one.work}, self._loader, self._task._role._role_path)

    def _settle(self, waves: list[list[str]], **known: Any) -> None:
        ledger.settle(waves=waves, check=self._check, progress=self._place, **known)

    def _looked(self, hosts: Iterable[str], plan: Plan, more: dict[str, list[str]]) -> dict[str, look.Row]:
        hosts = list(hosts)
        if not hosts:
            return {}
        most = max(int(plan.settings[host].values["side_by_side"]) for host in hosts)
        timeout = max(float(plan.settings[host].values["look_timeout"]) for host in hosts)
        fleet: dict[str, look.Row] = {}
        clusters, spoke = [plan.clusters[host] for host in hosts], time.monotonic()
        for one in look.looked(self, clusters, most, timeout, more):
            if one:
                fleet[one[0]] = one[1]
            if time.monotonic() - spoke >= HEARTBEAT:
                spoke = time.monotonic()
                waiting = [host for host in hosts if host not in fleet]
                self._say(f"maintenance: {len(fleet)}/{len(hosts)} clusters read, waiting for {listing(waiting)}")
        return fleet

    def _refuse_sick(self, what: str, before: list[str], rows: dict[str, look.Row], plan: Plan) -> None:
        """:raises Refused: more clusters are sick than may be.

        :param what: isn't done then.
        :param before: clusters of earlier waves that are sick.
        :param rows: of clusters that were looked at.
        """
        now = [host for host, row in rows.items() if plan.is_sick(host, row)]
        most = int(next(iter(plan.settings.values())).values["max_failures"])
        if len(before) + len(now) <= most:
            return
        causes = [verdict.why(rows[host]) for host in now]
        causes += [f"not done in earlier waves: {listing(before)}"] if before else []
        ways = "repair each of these clusters, or leave it out of the run"
        ways += f", or accept it as it is with -e maintenance_accept={','.join(now)}" if now else ""
        silent = {plan.clusters[host].product for host in now if rows[host]["state"] == UNREACHABLE}
        off = [f"-e {product}_graceful_shutdown_unreachable=down" for product in sorted(silent)]
        ways += f"; if a cluster does not answer because it is off, also give {' '.join(off)}" if off else ""
        raise Refused(
            f"{what}, because maintenance_max_failures is {most}: {'; '.join(causes)}", hint=ways, number="DBF-6701"
        )

    # -- a wave

    def _wave(self, _given: dict[str, Any]) -> dict[str, Any]:
        """Reads the clusters of a wave, or returns why the wave may not begin.

        A refusal doesn't fail this task, because ansible-core would end the playbook if a whole wave failed. A play of
        its own fails for the clusters that aren't done, so that each of them counts as failed.

        :raises Refused: the wave may not begin, and the playbook has no such play.
        """
        before = ledger.settled().get("refused")
        if before:
            return {"refused": before}
        try:
            return {"refused": "", **self._begun_wave()}
        except Refused as error:
            if not ledger.settled().get("planned"):
                raise
            said = ending.sentence(error.as_result())
            ledger.settle(refused=said)
            self._say(f"maintenance: {said}")
            return {"refused": said}

    def _begun_wave(self) -> dict[str, Any]:
        """:raises Refused: the wave may not begin. Nothing of it was changed."""
        hosts = meant.stood_for(self._task, self._vars)
        plan = self._read(hosts)
        known = ledger.settled().get("waves", [])
        if not any(hosts[0] in wave for wave in known):  # a play of the user, without a plan
            self._refuse(plan)
            known = [*known, hosts]
            self._settle(known, gates=[], accepted=[])
        number = next(number for number, wave in enumerate(known, 1) if hosts[0] in wave)
        label = f"wave {number}/{len(known)}"
        strange = [host for host in hosts if host not in known[number - 1]]
        if strange:  # ansible-core takes the hosts of a group if a group has the name of a host
            raise Refused(
                f"{label} does not begin: it would also take {listing(strange)}, which the plan does not contain",
                number="DBF-6704",
            )
        earlier = [host for wave in known[: number - 1] for host in wave]
        self._refuse_closed(number, label, known)
        sick = [host for host in earlier if ledger.result_of(ledger.read(host)) not in ledger.GOOD_ENDS]
        self._refuse_sick(f"{label} does not begin", sick, {}, plan)
        self._say(f"maintenance: {label}: {listing(hosts, most=40)}")
        rows = self._looked(hosts, plan, MORE)
        self._refuse_sick(f"{label} does not begin", sick, rows, plan)
        gate = not self._check and number in ledger.settled()["gates"]
        following = known[number] if number < len(known) else []
        return {
            "number": number,
            "before": rows,
            "gate": gate,
            "question": f"maintenance: {label} has ended. Shall wave {number + 1}/{len(known)} "
            f"({listing(following, most=40)}) begin? Type yes, anything else stops here",
            "warnings": look.warnings(rows),
        }

    @staticmethod
    def _refuse_closed(number: int, label: str, known: list[list[str]]) -> None:
        """:raises Refused: nobody opened the gate before this wave."""
        answer = ledger.settled().get(f"gate {number - 1}")
        if answer is not None and answer.strip().lower() not in YES:
            said = f"the answer was {answer!r}" if answer.strip() else "nobody answered (is there a terminal?)"
            raise Refused(
                f"{label} does not begin: the gate before it stays closed, because {said}",
                hint="continue with the command below; -e maintenance_pause=never continues without a gate",
                number="DBF-6703",
            )

    def _gate(self, given: dict[str, Any]) -> dict[str, Any]:
        ledger.settle(**{f"gate {self._vars['maintenance_wave']['number']}": str(given["answer"] or "")})
        return {}

    # -- one cluster

    def _begin(self, _given: dict[str, Any]) -> dict[str, Any]:
        """:raises Refused: the cluster was sick before its maintenance."""
        wave = direct.plain(self._vars["maintenance_wave"])
        if wave["refused"]:
            raise Refused(f"{self._host}: {wave['refused']}", number="DBF-6701")
        row = wave["before"][self._host]
        plan = self._read([self._host])
        one = plan.settings[self._host].values
        product = plan.clusters[self._host].product
        ledger.write(self._host, product=product, phase="begin", began=time.time(), state=row["state"])
        if plan.is_sick(self._host, row):
            raise Refused(verdict.why(row), number="DBF-6702")
        if row["state"] != UP:
            self._say(f"[{self._host}] is {row['state']}, and is accepted as it is (maintenance_accept)")
        rolling = bool(one["rolling"])
        ledger.write(self._host, phase=ledger.ROLLING if rolling else "shutdown")
        files = self._files(plan.settings[self._host])["work"]
        return {
            "product": product,
            "backup": one["backup"],
            "has_backup": bool(one["backup"]),
            "rolling": rolling,
            "tasks": ROLLING[product] if rolling else "down_work_up",
            "files": files,
            "lease_options": lease.options_of(self._task.play._uuid, plan.clusters[self._host]),
        }

    def _work(self, given: dict[str, Any]) -> dict[str, Any]:
        node = str(given["node"] or "")
        ledger.write(self._host, **({"node": node} if node else {"phase": "work"}))
        # A play of the user that takes only this task file of the role has no result of the step `begin`.
        begun = direct.plain(self._vars.get("maintenance_begun") or {})
        files = begun.get("files") or listed(direct.plain(self._templar.template(self._vars.get("maintenance_work"))))
        self._say(f"[{self._host}] maintenance: {_work_on(node)}: {', '.join(files) or 'none'}")
        return {}

    def _back(self, _given: dict[str, Any]) -> dict[str, Any]:
        ledger.write(self._host, node="", back=True)
        return {}

    def _verify(self, _given: dict[str, Any]) -> dict[str, Any]:
        """Looks until each cluster is in its old state, or until the time-out. The others fail in a later task."""
        hosts = [host for host in meant.stood_for(self._task, self._vars) if self._is_back(host)]
        for host in hosts:
            ledger.write(host, phase="verify")
        if self._check or not hosts:
            return {"verdicts": {}}
        plan = self._read(hosts)
        before = direct.plain(self._vars["maintenance_wave"]["before"])
        until = time.monotonic() + max(float(plan.settings[host].values["verify_timeout"]) for host in hosts)
        pause, spoke, verdicts = FIRST_PAUSE, time.monotonic(), dict[str, str]()
        waiting = hosts
        while True:
            rows = self._looked(waiting, plan, MORE)
            verdicts.update({host: verdict.of(host, before[host], rows[host]) for host in waiting})
            for host in waiting:
                ledger.write(host, state=rows[host]["state"])
            waiting = [host for host in hosts if verdicts[host]]
            left = until - time.monotonic()
            if not waiting or left <= 0:
                return {"verdicts": verdicts}
            if time.monotonic() - spoke >= HEARTBEAT or pause == FIRST_PAUSE:
                spoke = time.monotonic()
                self._say(
                    f"maintenance: verify: waiting for {listing(waiting)} to be as before, times out in {left:.0f} s"
                )
            time.sleep(min(pause, left))
            pause = min(LONGEST_PAUSE, pause * 1.5)

    def _is_back(self, host: str) -> bool:
        """Whether all steps before the comparison succeeded."""
        known = ledger.read(host)
        if not known or known.get("result") or journal.unended_on(host):
            return False
        given = self._vars["hostvars"].raw_get(host)
        if (given.get("maintenance_begun") or {}).get("rolling"):
            return bool(known.get("back"))
        if self._check:
            return True
        outcome = (given.get(f"{known['product']}_cold_start_run") or {}).get("outcome") or {}
        return outcome.get("result") == "ok" and f"{known['product']}_cold_start_end" not in given

    def _done(self, _given: dict[str, Any]) -> dict[str, Any]:
        """:raises ClusterError: the cluster isn't in its old state."""
        verdicts = direct.plain(self._vars["maintenance_verified"])["verdicts"]
        if not self._check and self._host not in verdicts:
            raise ClusterError(
                f"{self._host}: its state was not compared with the state before the maintenance", number="DBF-5010"
            )
        if verdicts.get(self._host):
            raise ClusterError(verdicts[self._host], number="DBF-5010")
        result = ledger.PREVIEWED if self._check else ledger.DONE
        self._say(
            f"[{self._host}] maintenance: {result}"
            + ("" if self._check else ", and everything that was up before is up")
        )
        return self._ended(result, "")

    def _failed(self, given: dict[str, Any]) -> dict[str, Any]:
        """Records the failure of a cluster's maintenance, and the state of the cluster now."""
        known = ledger.read(self._host)
        product = known.get("product", "exa")
        failed = ending.first_cause(self._of_work(known, given["failed"]))
        # If a file can't be included, ansible-core puts the cause into `reason`, in several lines.
        cause = next((str(failed[name]) for name in ("cause", "msg", "reason") if failed.get(name)), ledger.UNTOLD)
        phase = known.get("phase", "begin")
        for runbook in ("cold_start", "graceful_shutdown"):
            outcome = (direct.plain(self._vars.get(f"{product}_{runbook}_end")) or {}).get("outcome")
            if outcome:
                phase, cause = f"{runbook.replace('_', ' ')}", str(outcome.get("cause") or cause)
                break
        plan = self._read([self._host])
        connection = {"argument_spec": CONNECTIONS[product]}
        cause = secrets_of(connection, plan.clusters[self._host].options).text(" ".join(cause.split()))
        row = self._looked([self._host], plan, {})[self._host]
        ledger.write(self._host, phase=phase, state=row["state"])
        self._say(f"[{self._host}] maintenance: sick in phase {phase}: {cause}")
        held = (direct.plain(self._vars.get("maintenance_lease")) or {}).get("lease")
        before = (direct.plain(self._vars.get("maintenance_wave")) or {}).get("before") or {}
        state = lease.end_of(phase, before.get(self._host, {}).get("state"), row["state"]) if held else ""
        return {**self._ended(ledger.SICK, cause), "lease_state": state}

    def _of_work(self, known: dict[str, Any], failed: dict[str, Any]) -> dict[str, Any]:
        """The failure of a task. If it is a task of the user, its name and the node are added.

        :param known: the row of the ledger.
        """
        task = direct.plain(self._vars.get("ansible_failed_task") or {})
        is_work = known.get("phase") == "work" or known.get("node")
        if not is_work or not failed or str(task.get("action", "")) in OWN:
            return failed
        work = f"the {_work_on(known.get('node', ''))}"
        return ending.cause_in_task(self._host, failed, str(task.get("name", "")), work)

    def _ended(self, result: str, cause: str) -> dict[str, Any]:
        ledger.write(self._host, result=result, ended=time.time(), cause=cause)
        row = ledger.read(self._host)
        outcome = {
            "result": result,
            "phase": row.get("phase", ""),
            "seconds": round(row["ended"] - row.get("began", row["ended"]), 1),
            "state": row.get("state", ""),
            **({"cause": cause} if cause else {}),
        }
        return {"end": outcome, **_stats({self._host: outcome})}

    def _fail(self, _given: dict[str, Any]) -> dict[str, Any]:
        """Fails. It is a task of its own, because ansible-core ignores the stats of a failed task.

        :raises ClusterError: always.
        """
        row = ledger.read(self._host)
        if ledger.result_of(row) == ledger.NOT_BEGUN:
            raise ClusterError(
                f"{self._host}: its maintenance did not begin: {ledger.settled().get('refused', ledger.ENDED_BEFORE)}",
                number="DBF-5010",
            )
        cause = str(row.get("cause") or ledger.UNENDED_CAUSE).removeprefix(f"{self._host}: ")
        raise ClusterError(f"{self._host}: its maintenance failed: {cause}", number="DBF-5010")


def _work_on(node: str) -> str:
    return f"work on {node}" if node else "work"


def _stats(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The stats of clusters, by name, so that they merge."""
    return of_hosts({host: {"maintenance": row} for host, row in rows.items()})

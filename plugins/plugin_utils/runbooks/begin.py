# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks before a runbook does anything: variables, confirmation, the other hosts, every hook."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Optional

from ansible import constants, context

from ...module_utils._errors import ClusterError, numbered
from ...module_utils._values import listed
from ...module_utils._wording import listing
from ..direct import plain
from ..products import ENDPOINTS
from . import hooks, variables
from .all_clusters import AllClusters, has_table
from .once import claimed_by, once

if TYPE_CHECKING:
    from .run import Run

RESTLESS = 0.01
"""Seconds between two polls of the workers by ansible-playbook. With a shorter time, waiting uses part of a core."""


def problems(run: Run) -> list[str]:
    """All reasons not to begin the run, in sentences. Adds to the run's warnings."""
    book, given = run.book, run.task_vars
    extra = list(map(str, run.variable_manager.extra_vars))
    wrong, doubtful = variables.misspelt(book.name, f"{book.product}_", given, extra)
    run.slips = {name for name in extra if any(name in text.split() for text in wrong)}
    settings = [*_restless(run), *_lenient(run)] if book.name == "check" else []
    run.warnings += [*_few_forks(run), *doubtful, *settings]
    found = survey(run)
    own = [*variables.texts(run.options, run.given), *filter(None, [_unended(run)]), *found["shared"].get(run.host, [])]
    of_run = [
        *(numbered(text, "DBF-6805") for text in wrong),
        *(numbered(text, "DBF-6801") for text in filter(None, [_unconfirmed(run)])),
        *(numbered(text, "DBF-6806") for text in found["hooks"]),
    ]
    return [*_once_per_run(run, of_run), *own]


def _once_per_run(run: Run, sentences: list[str]) -> list[str]:
    """One host shows the problems of the whole run; the other hosts refer to that host."""
    first = claimed_by("refusal", [run.book.name, run.play_id, *sentences], run.host) if sentences else run.host
    return (
        sentences
        if first == run.host
        else [f"{run.host}: refused together with {first}; the message of {first} gives the reason"]
    )


def _unended(run: Run) -> Optional[str]:
    return run.unended and (
        f"{run.host}: {run.unended} started in this run of ansible-playbook and did not finish, "
        "so no other runbook starts on this host"
    )


def _unconfirmed(run: Run) -> Optional[str]:
    if run.check or not run.book.takes_down(run):
        return None
    refusal = unconfirmed(run.book.name, run.hosts, run.confirmed())
    beside = sorted(set(run.confirmed()) - set(run.hosts))
    if beside and not refusal and run.host == run.hosts[0]:
        run.warnings.append(f"confirm also names {listing(beside)}, which this run does not touch")
    return refusal


def unconfirmed(name: str, hosts: list[str], confirmed: list[str]) -> Optional[str]:
    """Why hosts may not be taken down: at least one of them was not confirmed by name.

    :param name: of the runbook or role that takes them down.
    :param confirmed: the hosts that the variable C(confirm) names.
    """
    missing = [host for host in hosts if host not in confirmed]
    if not missing:
        return None
    says = (
        f"confirm names {listing(sorted(confirmed))}, not {listing(missing)}" if confirmed else "nothing is confirmed"
    )
    return f"{name} takes {listing(hosts)} down and {says}: confirm each of them by name (-e confirm={','.join(hosts)})"


def _few_forks(run: Run) -> list[str]:
    forks = int(context.CLIARGS.get("forks") or 5)
    together = plain(run.task_vars.get("ansible_play_batch") or run.hosts)  # with serial, the hosts of the batch
    if run.host != together[0] or forks >= len(together) or run.book.quiet:  # a check may be one task for all
        return []
    return [
        f"{len(together)} clusters but only {forks} forks: some clusters wait (--forks {len(together)} avoids this)"
    ]


def _restless(run: Run) -> list[str]:
    """A warning of what ansible-playbook's own waiting costs, if its interval is not set; shown once in a run."""
    pause = constants.config.get_config_value("DEFAULT_INTERNAL_POLL_INTERVAL")
    if run.host != run.hosts[0] or float(pause) >= RESTLESS:
        return []
    return [
        f"internal_poll_interval is {float(pause):g} s: ansible-playbook uses a tenth of a core while it waits for a "
        "cluster; set [defaults] internal_poll_interval = 0.05 in ansible.cfg"
    ]


def _lenient(run: Run) -> list[str]:
    """A warning that a play for no host succeeds, if the setting allows that; shown once in a run."""
    mismatch = constants.config.get_config_value("HOST_PATTERN_MISMATCH")
    if run.host != run.hosts[0] or mismatch == "error":
        return []
    return [
        f"host_pattern_mismatch is {mismatch}: a play of your own exits with 0 if its hosts: matches no host of "
        "the inventory (the playbooks of this collection refuse such a target); set [inventory] host_pattern_mismatch "
        "= error in ansible.cfg, or ANSIBLE_HOST_PATTERN_MISMATCH=error"
    ]


# -- all hosts of the run

UNDONE = "nothing was started on any host; correct this, or leave these hosts out"
"""The end of each message about hooks that can't be run."""


def survey(run: Run) -> dict[str, Any]:
    """Problems of the hosts of the run together: hosts that share an endpoint, and hooks that can't be run.

    One worker checks this for all hosts, because each host would find the same.
    """
    key = [run.book.name, run.book.product, run.play_id, *run.hosts]
    return once("survey", key, lambda: _survey(run))


def _survey(run: Run) -> dict[str, Any]:
    at: dict[str, list[str]] = defaultdict(list)
    broken: list[str] = []
    files: dict[str, hooks.Files] = {}
    for host in run.hosts:
        given, templar = run.variables_of(host)
        for endpoint in endpoints(run.book.product, given, templar):
            at[endpoint].append(host)
        name = f"{run.book.name}_hooks"
        values, wrong = variables.templated(templar, given, [name])
        broken += [f"{host}: {text}: {UNDONE}" for text in wrong]
        files[host] = run.hook_files(values.get(name))
    if has_table(run.book.quiet, run.task_vars):
        AllClusters(run.book.name, run.play_id).leave_out(
            sorted(set(run.hosts) - {one for row in at.values() for one in row})
        )
    return {
        "shared": {host: [text] for host, text in sharing(at).items()},
        "hooks": [*broken, *_unusable(run, files)],
    }


def sharing(at: dict[str, list[str]]) -> dict[str, str]:
    """One sentence for each host that shares an endpoint with another host.

    :param at: the hosts by their endpoints.
    """
    hosts = sorted({host for row in at.values() for host in row})
    return {host: _shared(host, others(host, at)) for host in hosts if others(host, at)}


def others(host: str, at: dict[str, list[str]]) -> list[str]:
    """The hosts that share an endpoint with this one."""
    return sorted({one for hosts in at.values() if host in hosts for one in hosts} - {host})


def _shared(host: str, twins: list[str]) -> str:
    return (
        f"{host} and {listing(twins)} share an API endpoint: they are one cluster under several names; "
        "target one of them"
    )


def _unusable(run: Run, files: dict[str, hooks.Files]) -> list[str]:
    """Sentences about hooks of any host that can't be run. One such hook keeps the run from starting on every host."""
    hosts = hooks.problems_by_host(files, run.task, run.loader, run.variable_manager)
    return [f"{listing(where)}: {problem}: {UNDONE}" for problem, where in hosts.items()]


def _value(given: dict[str, Any], templar: Any, name: str) -> Any:
    values, _problems = variables.templated(templar, given, [name])
    return values.get(name)


def endpoints(product: str, given: dict[str, Any], templar: Any) -> set[str]:
    """The endpoints at which these variables reach their cluster."""
    urls = listed(_value(given, templar, f"{product}_api_url"))
    profile = _value(given, templar, f"{product}_profile")
    try:
        found = {url.partition("://")[2] for url in ENDPOINTS[product](urls)}
    except ClusterError:  # the first module that uses the URL reports what is wrong
        found = set()
    if profile and not urls:
        path = _value(given, templar, f"{product}_profiles_path") or "the default file"
        found.add(f"profile {profile} of {path}")
    return found

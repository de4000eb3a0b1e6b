# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes docs/jobs.md: every ConfD job that a document names, and the module and option that run it.

Which jobs there are stands in `_exasol/confd/known_jobs.py`, which of them our code runs is read from it, and which
option leads there is said here, in `REACHED`. `tests/unit/repository/test_jobs_table.py` holds the three together.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "plugins/module_utils/_exasol"
TABLE = ROOT / "docs/jobs.md"

WIRE = ("codec", "expiry_forms", "job_help", "jobs", "jobs_under_way", "parameters", "session")
"""Files of `confd/` that run any job, by names that others give; those that stand in them are about parameters."""

SENDERS = ("read", "execute", "submit", "start", "run", "_output", "_may")
"""Methods whose first argument is a job."""

_INFO = [("exa_cluster_info", "")]
_STARTED = [("exa_database", "state=started"), ("exa_database", "state=restarted")]
_STOPPED = [("exa_database", "state=stopped"), ("exa_database", "state=restarted")]

REACHED: dict[str, list[tuple[str, str]]] = {
    "db_add_reserve_nodes": [("exa_database", "config.nodes")],
    "db_backup_abort": [("exa_backup", "state=aborted"), ("exa_database", "on_operation=abort_backup")],
    "db_backup_add_schedule": [("exa_backup_schedule", "state=present")],
    "db_backup_change_expiration": [("exa_backup", "expire")],
    "db_backup_delete_unusable": [("exa_backup", "state=pruned")],
    "db_backup_list": [("exa_backup", "")],
    "db_backup_modify_schedule": [("exa_backup_schedule", "state=present")],
    "db_backup_progress": [("exa_backup", "")],
    "db_backup_remove_schedule": [("exa_backup_schedule", "state=absent")],
    "db_backup_start": [("exa_backup", "state=present")],
    "db_backups_delete": [("exa_backup", "state=absent")],
    "db_configure": [("exa_database", "config")],
    "db_create": [("exa_database", "state=present")],
    "db_delete": [("exa_database", "state=absent")],
    "db_enlarge": [("exa_database", "enlarge")],
    "db_info": [*_INFO, ("exa_database", "")],
    "db_list": [*_INFO, ("exa_database", "")],
    "db_remove_reserve_nodes": [("exa_database", "config.nodes")],
    "db_restore": [("exa_backup", "state=restored")],
    "db_start": _STARTED,
    "db_state": [("exa_connection_info", "")],
    "db_stop": _STOPPED,
    "license_info": [("exa_cluster_info", "gather=runout")],
    "infra_deployment_metadata_get": [("exa_cluster_info", "gather=infra"), ("exa_node", "use_infra")],
    "infra_overview_get": [("exa_node", "use_infra")],
    "infra_instances_start": [("exa_node", "use_infra")],
    "infra_instances_stop": [("exa_node", "use_infra")],
    "node_add": [("exa_node", "state=present")],
    "node_list": [*_INFO, ("exa_node", "")],
    "node_remove": [("exa_node", "state=absent")],
    "node_resume": [("exa_node", "state=resumed")],
    "node_state": [*_INFO, ("exa_node", "")],
    "node_suspend": [("exa_node", "state=suspended")],
    "remote_volume_add": [("exa_remote_volume", "state=present")],
    "remote_volume_info": [("exa_remote_volume", "")],
    "remote_volume_list": [("exa_remote_volume", "")],
    "remote_volume_list_details": [("exa_remote_volume", "")],
    "remote_volume_remove": [("exa_remote_volume", "state=absent")],
    "remote_volume_state": [("exa_remote_volume", "")],
    "st_volume_add_label": [("exa_volume", "labels")],
    "st_volume_append_node": [("exa_volume", "nodes")],
    "st_volume_change_owner": [("exa_volume", "owner")],
    "st_volume_change_permissions": [("exa_volume", "permissions")],
    "st_volume_clear_data": [("exa_volume", "state=cleared")],
    "st_volume_create": [("exa_volume", "state=present")],
    "st_volume_decrease_redundancy": [("exa_volume", "redundancy")],
    "st_volume_delete": [("exa_volume", "state=absent")],
    "st_volume_enlarge": [("exa_volume", "size")],
    "st_volume_increase_redundancy": [("exa_volume", "redundancy")],
    "st_volume_list": [("exa_volume", ""), *_INFO],
    "st_volume_lock": [("exa_volume", "state=locked")],
    "st_volume_move_node": [("exa_volume", "nodes")],
    "st_volume_remove_label": [("exa_volume", "labels")],
    "st_volume_set_io_status": [("exa_volume", "app_io"), ("exa_volume", "int_io")],
    "st_volume_set_priority": [("exa_volume", "priority")],
    "st_volume_set_shared": [("exa_volume", "shared")],
    "st_volume_shrink": [("exa_volume", "size")],
    "st_volume_unlock": [("exa_volume", "state=unlocked")],
}
"""Job -> the modules that run it, each with the option (C(config.nodes) is one within another, C(state=absent) has a
value) that makes it do so; empty where none is needed.

What isn't here is for exa_job.
"""

LEFT: dict[tuple[str, str], str] = {
    ("db_configure", "additional_sys_passwd_hashes"): (
        "db_info doesn't show them, so the module can't compare them; `config` sets them when it creates a database"
    ),
    ("db_configure", "default_sys_passwd_hash"): "has an effect only on a new database; for `config` see above",
    ("db_configure", "initial_sql"): "as default_sys_passwd_hash",
    ("db_configure", "create_new_db"): "creates the database again on its volume, and deletes the data",
    ("db_start", "cluster"): "for a database with several clusters of nodes; db_info doesn't show which of them run",
    ("db_start", "maintenance"): "no job shows whether a database runs in this mode",
    ("db_start", "timeout"): "the server would abort the start; the module's `wait_timeout` only ends the wait",
    ("db_stop", "cluster"): "as with db_start",
    ("db_stop", "timeout"): "as with db_start",
    ("infra_instances_stop", "timeout"): "as with db_start",
    ("st_volume_create", "block_size"): "the module uses the server's default",
    ("st_volume_create", "ftp_port"): ("for a new archive volume; no job shows it. Set it with `exa_job` (CONFD-133)"),
    ("st_volume_create", "ftps_port"): "as ftp_port",
    ("st_volume_create", "http_port"): "as ftp_port",
    ("st_volume_create", "https_port"): "as ftp_port",
    ("st_volume_create", "partition_size"): "as ftp_port",
    ("st_volume_create", "sftp_port"): "as ftp_port",
    ("st_volume_create", "stripe_size"): "as block_size",
    ("st_volume_increase_redundancy", "nodes"): "the server spreads the copies over the volume's nodes",
}
"""A job that a module runs, and a parameter of it that no option leads to -> why. What isn't here has an option, or the
module gives it itself. Some are spoken of for another job's sake, which the test can't tell apart."""

VERSIONS: list[tuple[str, str, str]] = [
    (
        "infra_instances_start, infra_instances_add, infra_instances_update",
        "8.23",
        "the job ends when its work is done; before, it ends at once, so check what runs (CONFD-119)",
    ),
    ("infra_db_scale", "2025.1.5", "the job ends before its work is done (CONFD-126)"),
    (
        "infra_*, except infra_overview_get and infra_instances_add",
        "2025.1.17",
        "host deployments refuse them, though job_list names them (CONFD-116)",
    ),
    ("db_info", "8", "shows `config` (CONFD-76)"),
    ("remote_volume_add", "8", "no longer has `allowed_users` (CONFD-151)"),
    (
        "remote_volume_add",
        "unknown",
        "has `s3_access_key` and `s3_secret_key` (CONFD-154); exa_job_info shows whether the cluster has them",
    ),
    ("dlhc_config_add", "unknown", "a job of new releases (CONFD-202); exa_job_info shows whether the cluster has it"),
    ("every job that is started", "8.33", "unfetched results no longer slow ConfD down (CONFD-48)"),
]
"""Job -> the version from which something is otherwise, and what."""

INSTEAD = {"vname": "vid"}
"""A parameter -> the one that our code gives in its place."""

HEAD = """# ConfD jobs and the modules that run them

Written by `make jobs-table`; a test compares it with the code.

This page lists each job that ConfD's documents name, and the module that runs it. A module that ensures a state reads
first, runs a job only if something has to change, and waits until the cluster shows the result. `exa_job` with
`job: NAME` runs every job, listed here or not, and checks its parameters against the server's description of the job.
`exa_job_info` lists the jobs of a cluster and their parameters. Under check mode, only reading jobs run.
[A section below](#parameters-that-no-option-gives) lists the parameters that no module sets.

The methods of the RPC interface:

- `job_list`, `job_help` and `job_desc`: `exa_job_info` with `jobs`;
- `job_info`: `exa_job_info` with `job_id`;
- `job_exec`, `job_start`, `job_wait`, `job_finished` and `job_result`: `exa_job` with `mode`, `wait` and `job_id`;
- `subscribe`, `unsubscribe`, `user_init`, `user_login`, `user_state` and the `system` methods: `exa_job` with `method`.
  No document describes the arguments of the first five (CONFD-37), so these are untested.
"""


def files() -> list[Path]:
    """The code that speaks ConfD."""
    found = [path for path in CODE.glob("confd/*.py") if path.stem not in (*WIRE, "known_jobs")]
    return sorted([*found, CODE / "api/providers.py"])


def strings(tree: ast.AST) -> Iterator[str]:
    """The texts in some code that may be a job's name: no keys of dictionaries, which name parameters."""
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        yield tree.value
    skipped = list(tree.keys) if isinstance(tree, ast.Dict) else []
    for child in ast.iter_child_nodes(tree):
        if child not in skipped:
            yield from strings(child)


def sent(tree: ast.AST) -> Iterator[str]:
    """The names that are certainly meant as a job's, known or not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SENDERS:
            value = getattr(node.args[0], "value", None) if node.args else None
            if isinstance(value, str) and re.fullmatch("[a-z]+(_[a-z]+)+", value):
                yield value


def used(known: set[str]) -> dict[str, list[str]]:
    """Job -> the files of our code that run it."""
    found: dict[str, list[str]] = {}
    for path in files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for job in sorted({*(set(strings(tree)) & known), *sent(tree)}):
            found.setdefault(job, []).append(path.name)
    return found


def spoken(modules: dict[str, dict[str, Any]]) -> set[str]:
    """The words of our code and of some modules' options that may be a parameter's name.

    :param modules: name -> its argument_spec.
    """
    found = {name for spec in modules.values() for name in spec}
    found |= {name for spec in modules.values() for option in spec.values() for name in option.get("options", ())}
    left_out = [CODE / "confd" / f"{name}.py" for name in (*WIRE, "known_jobs")]
    for path in CODE.rglob("*.py"):
        if path in left_out or path.parent.name == "jobs":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            word = node.arg if isinstance(node, ast.keyword) else getattr(node, "value", None)
            found |= {word} if isinstance(word, str) else set()
    return found | {name for name, other in INSTEAD.items() if other in found}


def shown(module: str, option: str) -> str:
    """C(`exa_backup` `state: aborted`)."""
    return f"`{module}` `{option.replace('=', ': ')}`" if option else f"`{module}`"


def table(reading: dict[str, tuple[str, ...]], changing: dict[str, tuple[str, ...]]) -> str:
    """The document."""
    rows = [HEAD]
    for group in dict.fromkeys([*reading, *changing]):
        rows += [f"## {group[0].upper()}{group[1:]}", "", "| job | does | by |", "|---|---|---|"]
        every = {**dict.fromkeys(reading.get(group, ()), "reads"), **dict.fromkeys(changing.get(group, ()), "changes")}
        for job in sorted(every):
            places = [shown(*place) for place in REACHED.get(job, [("exa_job", f"job={job}")])]
            rows.append(f"| `{job}` | {every[job]} | {', '.join(places)} |")
        rows.append("")
    rows += ["## Parameters that no option gives", "", "By `exa_job` with `job` and `params`.", ""]
    rows += ["| job | parameter | why |", "|---|---|---|"]
    rows += [f"| `{job}` | `{parameter}` | {why} |" for (job, parameter), why in LEFT.items()]
    rows += ["", "## What differs by version", "", "| job | from | what |", "|---|---|---|"]
    rows += [f"| {job} | {version} | {what} |" for job, version, what in VERSIONS]
    return "\n".join([*rows, ""])


def main() -> int:
    from ansible_collections.dbfleet.cluster.plugins.module_utils._exasol.confd import known_jobs

    TABLE.write_text(table(known_jobs.READING, known_jobs.CHANGING), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task says wrong is refused under check mode as in the run, in a sentence, and nothing is sent.

A scenario: whole modules, each with options that are wrong.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.tests.unit.exasol.confd.test_bad_answers import (
    BUCKET,
    DAILY,
    DOWN,
    NEW,
    UP,
    Cluster,
    run,
)

__all__ = ["run"]

UNSEEN = "the name contains an invisible character"

CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "two databases in a text": (
        "exa_database",
        {"databases": ["DB2\nDB3"], "state": "present", "config": NEW},
        rf"database 'DB2\\nDB3': {UNSEEN}",
    ),
    "no parameters": (
        "exa_database",
        {"databases": ["DB2"], "state": "present", "config": {**NEW, "params": -1}},
        "config: -1 is neither a text nor a list",
    ),
    "a number beyond the format": (
        "exa_database",
        {"databases": ["DB2"], "state": "present", "config": {**NEW, "volume_move_delay": 2**40}},
        "db_create can't be sent: a number is larger than XML-RPC can write",
    ),
    "a control character": (
        "exa_database",
        {"databases": ["DB2"], "state": "present", "config": {**NEW, "jdbc_urls": ["a\x00"]}},
        "db_create can't be sent: a text holds a control character",
    ),
    "no log service": (
        "exa_database",
        {"databases": ["DB1"], "log_service": "logservice1"},
        "ConfD has no log service",
    ),
    "a node": (
        "exa_node",
        {"state": "present", "nodes": [{"nid": 15, "priv_net": "10.0.0.15/24", "name": "a\tb"}]},
        rf"node 'a\\tb': {UNSEEN}",
    ),
    "a remote volume": ("exa_remote_volume", {**BUCKET, "name": "\u202eR"}, rf"remote volume '\\u202eR': {UNSEEN}"),
    "a schedule": (
        "exa_backup_schedule",
        {"db_name": "DB1", "schedules": [{**DAILY, "name": "a\nb"}]},
        rf"schedule 'a\\nb': {UNSEEN}",
    ),
    "no backup": (
        "exa_backup",
        {"databases": ["DB1"], "state": "restored", "backup_ids": None, "confirm": ["DB1"]},
        "backup_ids names 0 backups, but a database is restored from exactly one",
    ),
}


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_refused_in_the_preview_and_in_the_run(run, case, check):
    name, options, said = CASES[case]
    cluster = Cluster(DOWN if "databases" in options else UP)
    result = run(name, cluster, options, check=check)
    assert (result.get("failed"), result["changed"], cluster.changes) == (True, False, [])
    assert re.search(said, result["msg"]), result["msg"]

# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as data: names, parameters, and who may run them."""

from __future__ import annotations

import ast
import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.dbfleet.cluster.plugins.plugin_utils.simulator.exasol.confd.catalogue import DIALECTS, JOBS
from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab

VOLUME = {"name": "new", "type": "data", "size": "1 GiB", "disk": "disk1", "nodes": [11], "redundancy": 1}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_job_has_help(lab: Callable[..., Lab], dialect: str) -> None:
    one = lab(settings={"parameter_names": dialect}, deployment="cloud")
    names = one.call("job_list")
    assert names == sorted(name for name, kind in JOBS.items() if dialect in kind.dialects)
    for name in names:
        text = one.call("job_help", name)
        sane, (desc, mandatory, optional, substitutes, users, groups, *rest) = one.call("job_desc", name)
        assert sane is True
        assert (len(rest), rest[-1]) == (6, desc)
        assert f"\nAllowed users:{users}\nAllowed groups:{groups}" in text
        head, _colon, tail = text.partition("\nMandatory parameters:\n")
        assert desc in ast.literal_eval(head.partition(": ")[2])
        assert ast.literal_eval(tail.partition("\nOptional parameters:\n")[0]) == mandatory
        for param in (*mandatory.values(), *optional.values()):
            assert param["desc"]
            assert "class" in param["type"]
        assert not set(mandatory) & set(optional)
        for key, others in substitutes.items():
            assert {key, *others} <= {*mandatory, *optional}
            assert all(key in substitutes[other] for other in others)
        assert set(users) | set(groups) >= {"root"}
    with pytest.raises(xmlrpc.client.Fault, match="Job db_nope does not exist"):
        one.call("job_help", "db_nope")


def test_names_and_forms_follow_the_version(lab: Callable[..., Lab]) -> None:
    old, new = lab(version="6.2.7"), lab()
    assert (old.ok("node_suspend", node_id=13), new.ok("node_suspend", nid=13)) == (None, None)
    assert (old.ok("node_state")["13"], new.ok("node_state")["13"]) == ("deactivated", "suspended")
    assert "node_id must be of type int" in old.refused("node_resume", node_id=[13])
    started = {"db_name": "DB1", "backup_volume_id": 10001, "level": 0}
    assert "expire_time is missing" in old.refused("db_backup_start", **started)
    assert "unknown parameter nid" in old.refused("node_suspend", nid=13)
    assert "unknown parameter node_id" in new.refused("node_suspend", node_id=13)
    assert "config" not in old.ok("db_info", db_name="DB1")
    mandatory = {dialect: one.call("job_desc", "db_create")[1][1] for dialect, one in (("old", old), ("new", new))}
    assert set(mandatory["old"]) - set(mandatory["new"]) == {"port"}
    assert "master_change" not in old.call("job_list")
    assert old.refused("master_change", nids=[12]) == "Job master_change does not exist"


def test_unknown_parameters_and_types_may_be_let_by(lab: Callable[..., Lab]) -> None:
    one = lab(settings={"unknown_parameter": "ignore", "check_types": False})
    assert one.ok("db_state", db_name="DB1", colour="red") == "running"
    assert "could not be found" in one.refused("db_state", db_name=5)


@pytest.mark.parametrize(
    ("user", "job", "params", "may"),
    [
        ("guest", "db_list", {}, True),
        ("guest", "db_state", {"db_name": "DB1"}, False),
        ("dba", "db_state", {"db_name": "DB1"}, True),
        ("dba", "node_list", {}, False),
        ("dba", "st_volume_list", {}, False),
        ("storer", "st_volume_list", {}, True),
        ("storer", "db_list", {}, False),
        ("admin", "user_list", {}, True),
        ("storer", "st_volume_create", VOLUME, True),
        ("dba", "st_volume_create", VOLUME, False),
    ],
)
def test_rights(lab: Callable[..., Lab], user: str, job: str, params: dict[str, Any], may: bool) -> None:
    one = lab()
    if may:
        one.ok(job, user, **params)
    else:
        result = one.run(job, user, **params)
        told = (result["result_name"], result["result_desc"])
        assert told == ("EPERM", f"User {user} is not allowed to run job {job}")


def test_lists_that_hold_something_else(lab: Callable[..., Lab]) -> None:
    one = lab()
    assert one.refused("settings_list", sections=[["Global"]]) == "Parameter sections can not be ['Global']"
    assert one.refused("node_suspend", nid=[[13]]) == "Node [13] could not be found"

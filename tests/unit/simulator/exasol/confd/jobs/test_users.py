# Copyright: dbfleet.cluster contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of users and groups, and of the configuration as a whole."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable

from ansible_collections.dbfleet.cluster.tests.unit.simulator.exasol.confd.conftest import Lab


def test_users_and_groups(lab: Callable[..., Lab]) -> None:
    one = lab()
    one.ok("group_create", group_name="night")
    new = {"username": "eve", "password": "first-word", "groups": ["night", "exadbadm"]}
    assert one.ok("user_create", **new) == 1004
    assert one.call("job_list", user="eve", password="first-word")
    assert one.ok("group_info", group_name="night")["members"] == ["eve"]
    one.ok("user_passwd", username="eve", password="second-word")
    assert one.post(b"<methodCall/>", user="eve", password="first-word").status == 400
    body = xmlrpc.client.dumps((), "job_list").encode()
    assert one.post(body, user="eve", password="first-word").status == 401
    assert one.post(body, user="eve", password="second-word").status == 200
    assert "second-word" not in str(one.cluster.record.calls())
    one.ok("user_modify", username="eve", add_groups=["exaadm"], delete_groups=["night"])
    assert one.ok("user_info", username="eve")["groups"] == ["exadbadm", "exaadm"]
    assert one.refused("user_create", **new) == "User eve exists already"
    one.ok("user_delete", username="eve")
    assert one.refused("user_info", username="eve") == "User eve could not be found"
    assert one.refused("user_modify", username="dba", add_groups=["no"]) == "Group no could not be found"
    one.ok("group_delete", group_name="night")
    assert "night" not in one.ok("group_list")


def test_somebody_may_always_change_users(lab: Callable[..., Lab]) -> None:
    one = lab()
    for group in ("root", "exaadm", "exausers"):
        assert one.refused("group_delete", group_name=group) == f"Group {group} can not be deleted"
    last = "User admin is the last one who may change users"
    assert one.refused("user_delete", username="admin") == last
    assert one.refused("user_modify", username="admin", delete_groups=["exaadm"]) == last
    assert one.refused("user_modify", username="admin", login_enabled=False) == last
    assert one.ok("user_info", username="admin")["groups"] == ["exaadm"]
    one.ok("user_modify", username="dba", add_groups=["exaadm"])
    one.call("job_start", "user_delete", {"params": {"username": "admin"}})
    one.pass_time(1)
    assert sorted(one.cluster.users.all) == ["dba", "guest", "storer"]


def test_secrets_stay_where_they_are_needed(lab: Callable[..., Lab]) -> None:
    one = lab()
    secrets = ("S3cretUrl", "t0ken", "w0rd", "m@re")
    volume = {"vol_type": "ftp", "remote_volume_name": "R2", "password": "w0rd"}
    changes = {"Global": {"AuthenticationToken": "t0ken"}}
    jobs = [
        one.call("job_start", "remote_volume_add", {"params": {**volume, "url": "ftp://u:S3cretUrl@h/x"}}),
        one.call("job_start", "general_settings", {"params": {"changes": changes}}),
        one.call("job_start", "db_state", {"params": {"db_name": "sftp://u:m@re@host"}}),  # refused, with its name
    ]
    one.pass_time(1)
    assert one.ok("remote_volume_info", remote_volume_name="R2")["url"] == "ftp://u:S3cretUrl@h/x"
    assert one.ok("settings_list")["Global"]["AuthenticationToken"] == "t0ken"
    jobs.append(one.call("job_start", "remote_volume_list_details"))
    one.pass_time(1)
    seen = str([[one.call("job_info", job) for job in jobs], one.cluster.record.calls(), one.cluster.state()])
    assert [secret for secret in secrets if secret in seen] == []
    assert seen.count("ftp://********@h/x") >= 4


def test_settings_have_revisions(lab: Callable[..., Lab]) -> None:
    one = lab(revision=17, timing={"job_commit": 10})
    job = one.call("job_start", "general_settings", {"params": {"changes": {"Global": {"XMLRPCPort": 20003}}}})
    one.pass_time(1)
    info = one.call("job_info", job)
    assert (info["stage"], info["revision"], one.cluster.revision) == ("finished", 18, 17)
    one.pass_time(10)
    assert one.call("job_info", job)["stage"] == "committed"
    assert one.call("job_result", job)["result_revision"] == one.cluster.revision == 18
    assert one.refused("user_create", username="admin") == "User admin exists already"
    job = one.call("job_start", "group_create", {"params": {"group_name": "night"}})
    one.pass_time(20)
    assert one.call("job_result", job)["result_revision"] == 19  # what is refused uses none up
    assert one.ok("settings_list")["Global"]["XMLRPCPort"] == 20003
    assert "Local" in one.refused("general_settings", changes={"Local": {}})
    assert one.ok("license_info")
